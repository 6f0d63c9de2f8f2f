"""Smooth losses with a nonconvex regulariser, the same for every client:

    f_i(x) = loss_i(x) + lam sum_j x_j^2/(1 + x_j^2),      loss_i >= 0

The regulariser has curvature between -lam/2 (at |x_j| = 1) and 2 lam (at 0), where a logistic loss is most curved too:
L and L_i, the largest eigenvalues at 0, are exact, and mu = -lam/2 is a lower bound of all curvatures.

The least values are not known.  f_star, f_i_star and with them gap_star are 0, which is a lower bound of each:
theorems that ask for nothing but a lower bound hold with them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from proveout.arrays import Array, namespace
from proveout.laws import Law

__all__ = ["Regularised"]


@dataclass(frozen=True, eq=False)
class Regularised:
    base: Any  # a logistic problem without l2
    lam: float
    spec: str = ""

    is_quadratic = False
    f_star = 0.0  # a lower bound
    gap_star = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.lam) and self.lam > 0):
            raise ValueError(f"lam must be > 0 and finite, got {self.lam}")

    @property
    def n(self) -> int:
        return int(self.base.n)

    @property
    def d(self) -> int:
        return int(self.base.d)

    @property
    def m(self) -> int:
        return int(self.base.m)

    # ---- oracles

    def grads(self, x: Array) -> Array:
        """Each client's gradient at its own point: (..., n, d) -> (..., n, d)."""
        return self.base.grads(x) + 2 * self.lam * x / (1 + x * x) ** 2

    def grad(self, x: Array) -> Array:
        return namespace(x).mean(self.grads(x[..., None, :]), axis=-2)

    def values(self, x: Array) -> Array:
        """(..., n, d) -> (..., n)."""
        return self.base.values(x) + self.lam * namespace(x).sum(x * x / (1 + x * x), axis=-1)

    def value(self, x: Array) -> Array:
        return namespace(x).mean(self.values(x[..., None, :]), axis=-1)

    def at(self, clients: Array) -> "Regularised":
        return Regularised(base=self.base.at(clients), lam=self.lam)

    def xi(self, clients: int | None = None, batch: int | None = None, of: str = "rows") -> Law:
        return self.base.xi(clients, batch, of)  # type: ignore[no-any-return]

    def on(self, xi: Array) -> "Regularised":
        return Regularised(base=self.base.on(xi), lam=self.lam)

    # ---- constants of the whole

    @cached_property
    def L_i(self) -> Array:
        return np.asarray(self.base.L_i + 2 * self.lam)

    @property
    def L_max(self) -> float:
        return float(self.L_i.max())

    @cached_property
    def L(self) -> float:
        return float(self.base.L + 2 * self.lam)

    @property
    def f_i_star(self) -> Array:
        """(n,) lower bounds."""
        return np.zeros(self.n)

    @property
    def mu(self) -> float:
        return -self.lam / 2

    mu_min = mu
