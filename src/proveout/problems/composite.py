"""Composite problems f(x) + r(x): a smooth problem and a regulariser known by its prox."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from proveout.arrays import Array, namespace

__all__ = ["L1", "Box", "Composite"]


@dataclass(frozen=True, kw_only=True)
class L1:
    """r(x) = weight |x|_1."""

    weight: float

    def value(self, x: Array) -> Array:
        xp = namespace(x)
        return self.weight * xp.sum(xp.abs(x), axis=-1)

    def prox(self, v: Array, t: Any) -> Array:
        """Soft thresholding at t weight: (..., d) -> (..., d)."""
        xp = namespace(v)
        return xp.sign(v) * xp.maximum(xp.abs(v) - t * self.weight, 0 * v)


@dataclass(frozen=True, kw_only=True)
class Box:
    """r(x) = 0 if low <= x_j <= high for all j, else infinite."""

    low: float
    high: float

    def value(self, x: Array) -> Array:
        xp = namespace(x)
        inside = xp.all((x >= self.low) & (x <= self.high), axis=-1)
        return xp.where(inside, 0.0, np.inf)

    def prox(self, v: Array, t: Any) -> Array:
        """Clipping: (..., d) -> (..., d)."""
        return namespace(v).clip(v, self.low, self.high)


@dataclass(frozen=True, eq=False)
class Composite:
    """f + r.  Gradients and L, mu are those of f; value, x_star, f_star are those of the sum."""

    base: Any  # a strongly convex problem
    r: Any  # L1, Box, ...: anything with value(x) and prox(v, t)
    spec: str = ""

    is_quadratic = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("base", "r"):
            raise AttributeError(name)
        return getattr(self.base, name)

    def prox_r(self, v: Array, t: Any) -> Array:
        """argmin_y r(y) + |y - v|^2 / (2t): (..., d) -> (..., d)."""
        return self.r.prox(v, t)

    def value(self, x: Array) -> Array:
        return self.base.value(x) + self.r.value(x)

    @cached_property
    def x_star(self) -> Array:
        """The minimiser: proximal gradient steps, as many as bring the error below rounding."""
        L, mu = float(self.base.L), float(self.base.mu)
        t = 2 / (L + mu)
        x = np.zeros(self.base.d)
        for _ in range(int(40 * (L / mu + 1))):
            before, x = x, self.prox_r(x - t * self.base.grad(x), t)
            if np.array_equal(before, x):
                break
        return x

    @cached_property
    def f_star(self) -> float:
        return float(self.value(self.x_star))
