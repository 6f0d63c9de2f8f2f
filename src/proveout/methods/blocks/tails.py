"""Estimators whose character shows far out: noise that grows with the suboptimality, and clipped gradients.

    Growing   g = grad f +- sqrt(2 A (f - f*)) (1, .., 1)/sqrt(d):  V = 2 A D, Biased ABC(A, 1, 0, 1, 0) with equality
    Clipped   g = min(1, tau/|grad f|) grad f:  P = min(|grad f|, tau) |grad f|

`on_line(D, slope)` are the scalars in one dimension, in the arithmetic of its arguments.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, namespace, norm
from proveout.laws import Coin, Law, Sure
from proveout.methods.blocks.assumptions import Scalars
from proveout.methods.blocks.outcomes import Whole

__all__ = ["Clipped", "Growing"]


@dataclass(frozen=True, kw_only=True)
class Growing(Whole):
    A: float = 1.0

    def __post_init__(self) -> None:
        if not self.A >= 0:
            raise ValueError(f"A must be >= 0, got {self.A}")

    def law(self, problem: Any) -> Law:
        return Coin(0.5)

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        v = problem.grad(x)
        xp = namespace(v)
        sign = 2 * xp.astype(draw, v.dtype) - 1
        gap = problem.value(x) - problem.f_star
        size = xp.sqrt(2 * self.A * xp.where(gap > 0, gap, 0 * gap) / x.shape[-1])
        return v + (sign * size)[..., None] * xp.ones_like(v)

    def on_line(self, D: Any, slope: Any) -> Scalars:
        G = slope * slope
        A: Any = int(self.A) if self.A == int(self.A) else self.A
        return Scalars(D=D, G=G, P=G, E1=G, V=2 * A * D, one=1)


@dataclass(frozen=True, kw_only=True)
class Clipped(Whole):
    tau: float = 1.0

    def __post_init__(self) -> None:
        if not self.tau > 0:
            raise ValueError(f"tau must be > 0, got {self.tau}")

    def law(self, problem: Any) -> Law:
        return Sure(np.zeros(()))

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        v = problem.grad(x)
        xp = namespace(v)
        size = norm(v)[..., None]
        return v * xp.where(size > self.tau, self.tau / xp.where(size > 0, size, 1 + 0 * size), 1 + 0 * size)

    def on_line(self, D: Any, slope: Any) -> Scalars:
        tau: Any = int(self.tau) if self.tau == int(self.tau) else self.tau
        cut = min(slope, tau)
        return Scalars(D=D, G=slope * slope, P=cut * slope, E1=cut * cut, V=0, one=1)
