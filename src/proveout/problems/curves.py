"""f(x) = sqrt(1 + |x|^2) - 1: convex, 1-smooth, with |grad f| < 1 while f grows without bound.

Bounded gradients and unbounded values are what no quadratic has (there D <= G/(2 lambda)): the term 2 A D of Biased
ABC earns its place here.  Every constant is exact; along x = (u - 1/u)/2, u >= 1, in the line, value and slope are
rational in u:

    f = (u - 1)^2/(2u),    f' = (u^2 - 1)/(u^2 + 1).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, inner, namespace
from proveout.laws import Law, Sure

__all__ = ["Curve", "curve"]


@dataclass(frozen=True, eq=False)
class Curve:
    d: int = 1
    spec: str = ""

    n = 1
    m = 1
    L = L_max = 1.0
    mu = mu_min = 0.0  # not strongly convex, not PL
    sigma2 = gap_star = zeta2 = 0.0
    f_star = 0.0

    def __post_init__(self) -> None:
        if not self.d >= 1:
            raise ValueError(f"d must be >= 1, got {self.d}")

    def grad(self, x: Array) -> Array:
        """(..., d) -> (..., d)."""
        xp = namespace(x)
        return x / xp.sqrt(1 + inner(x, x))[..., None]

    def value(self, x: Array) -> Array:
        """(..., d) -> (...), without cancellation near 0."""
        q = inner(x, x)
        return q / (1 + namespace(x).sqrt(1 + q))

    def grads(self, x: Array) -> Array:
        """(..., 1, d) -> (..., 1, d)."""
        return self.grad(x)

    def values(self, x: Array) -> Array:
        return self.value(x)

    def at(self, clients: Array) -> "Curve":
        return self

    def xi(self, clients: int | None = None, batch: int = 1, of: str = "rows") -> Law:
        return Sure(np.zeros((self.n if clients is None else clients, 1)))

    def on(self, xi: Array) -> "Curve":
        return self

    @property
    def x_star(self) -> Array:
        return np.zeros(self.d)

    @property
    def f_i_star(self) -> Array:
        return np.zeros(1)

    @property
    def h_star(self) -> Array:
        return np.zeros((1, self.d))

    def profile(self, u: Any) -> tuple[Any, Any, Any]:
        """(x, f(x), f'(x)) on the line at a parameter u >= 1, in the arithmetic of u."""
        return (u - 1 / u) / 2, (u - 1) ** 2 / (2 * u), (u * u - 1) / (u * u + 1)


def curve(d: int = 1, spec: str = "") -> Curve:
    return Curve(d=d, spec=spec)
