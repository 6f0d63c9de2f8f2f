"""Every operator at one input: C(v) = m + s or m - s with probability 1/2 each.

An operator enters an inequality between v, E C(v) and E|C(v)|^2 through v, its mean m and the size of its noise; every
such triple is one of these.  The constants are those of the classes that are compared (`theory/compressors/joint`).
"""

from dataclasses import dataclass

from proveout.arrays import Array, last, namespace
from proveout.laws import Coin, Law

__all__ = ["AtOneInput"]


@dataclass(frozen=True, kw_only=True)
class AtOneInput:
    alpha: float = 0.36  # of B(alpha)
    alpha_one: float = 0.5  # of B1(alpha, beta)
    gamma: float = 0.4  # of B2(gamma, beta)
    beta: float = 2.0

    def __post_init__(self) -> None:
        for name in ("alpha", "alpha_one", "gamma", "beta"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.alpha < 1:
            raise ValueError(f"alpha must be < 1, got {self.alpha}")

    def law(self, n: int, d: int) -> Law:
        return Coin(0.5)

    def __call__(self, u: Array, draw: Array) -> Array:
        """u (..., 3, d) is (v, m, s): (..., d)."""
        mean, noise = u[..., 1, :], u[..., 2, :]
        return namespace(u).where(last(draw), mean + noise, mean - noise)
