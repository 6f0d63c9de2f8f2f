"""A function class by its constants alone: what the worst-case and proof lenses judge."""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["FunctionClass", "of_problem"]


@dataclass(frozen=True, kw_only=True)
class FunctionClass:
    """n functions, each L-smooth and mu-strongly convex (mu = 0: convex, mu = -L: smooth), no data."""

    n: int = 2
    L_max: Any = 10.0
    mu_min: Any = 1.0
    sigma2: Any = 0.0  # bound on E |noise|^2 of one client's gradient, where a method asks for noisy ones
    spec: str = ""

    d = 1  # a coordinate mask then covers a whole abstract vector
    m = 1  # every f_i is its own only component

    def __post_init__(self) -> None:
        if not self.n >= 1:
            raise ValueError(f"n must be >= 1, got {self.n}")
        if not self.L_max > 0:
            raise ValueError(f"L must be > 0, got {self.L_max}")
        if not self.sigma2 >= 0:
            raise ValueError(f"sigma2 must be >= 0, got {self.sigma2}")
        if not -self.L_max <= self.mu_min <= self.L_max:
            raise ValueError(f"mu must lie in [-L, L] = [{-self.L_max}, {self.L_max}], got {self.mu_min}")

    @property
    def L(self) -> Any:
        return self.L_max

    @property
    def mu(self) -> Any:
        return self.mu_min

    mu_pl = mu

    @property
    def L_parts(self) -> Any:
        return self.L_max

    @property
    def mu_parts(self) -> Any:
        return self.mu_min

    @property
    def x_star(self) -> Any:
        return np.zeros(1)


def of_problem(problem: Any) -> FunctionClass:
    """The class that a problem with data belongs to: its n, L_max, mu_min and sigma2."""
    if isinstance(problem, FunctionClass):
        return problem
    n, L, mu = problem.n, float(problem.L_max), float(problem.mu_min)
    sigma2 = float(getattr(problem, "sigma2", 0.0))
    noise = f",sigma2={sigma2:.12g}" if sigma2 else ""
    spec = f"class:n={n},L={L:.12g},mu={mu:.12g}{noise}"
    return FunctionClass(n=n, L_max=L, mu_min=mu, sigma2=sigma2, spec=spec)
