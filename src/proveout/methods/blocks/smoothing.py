"""Gaussian smoothing: gradients from function values only.

    g = (f(x + tau z) - f(x))/tau z,   z ~ N(0, I)

On a quadratic, v = grad f(x) and H its Hessian: g = (<v, z> + tau/2 z'Hz) z, and

    E g = v,   E|g|^2 = (d + 2)|v|^2 + tau^2/4 (d + 4) ((tr H)^2 + 2 tr H^2).

For an L-smooth f:  E<g, v> >= |v|^2/2 - tau^2/8 L^2 (d + 3)^3,  E|g|^2 <= 2 (d + 4)|v|^2 + tau^2/2 L^2 (d + 6)^3.

Nesterov, Spokoiny, "Random gradient-free minimization of convex functions" (2017); Demidovich et al. (arXiv:2305.16296).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, inner, last, like
from proveout.laws import Each, Law, Normal
from proveout.methods.blocks.assumptions import ABC
from proveout.methods.blocks.compressors import FLOAT_BITS

__all__ = ["SmoothedQuadratic", "Smoothing", "smooth_abc"]

NODES = 4  # of the Gauss-Hermite grid: |g|^2 has degree 6 in each coordinate of z


def _check(radius: float) -> None:
    if not radius > 0:
        raise ValueError(f"radius must be > 0, got {radius}")


def smooth_abc(d: int, L: float, radius: float) -> ABC:
    """The constants for every L-smooth function."""
    t = (radius * L) ** 2
    return ABC(B=2.0 * (d + 4), C=t / 2 * (d + 6) ** 3, b=0.5, c=t / 8 * (d + 3) ** 3)


def exact_abc(d: int, trace: float, square: float, radius: float) -> ABC:
    """The constants on a quadratic, from tr H and tr H^2; all with equality."""
    return ABC(B=d + 2.0, C=radius**2 / 4 * (d + 4) * (trace**2 + 2 * square))


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """The estimator; with `exact`, draws are a grid on which second moments on quadratics are exact."""

    radius: float  # tau
    exact: bool = False

    def __post_init__(self) -> None:
        _check(self.radius)

    def law(self, problem: Any) -> Law:
        return Normal(problem.d, nodes=NODES if self.exact else 0)

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        step = problem.value(x + self.radius * draw) - problem.value(x)
        return last(step) / self.radius * draw

    def abc(self, problem: Any) -> ABC:
        if getattr(problem, "is_quadratic", False):
            H = problem.hessians.mean(axis=0)
            return exact_abc(problem.d, float(np.trace(H)), float((H * H).sum()), self.radius)
        return smooth_abc(problem.d, problem.L, self.radius)

    def gradients(self, problem: Any) -> int:
        return 0  # two function values

    def floats(self, problem: Any) -> Any:
        return problem.d

    def bits(self, problem: Any) -> Any:
        return FLOAT_BITS * problem.d


@dataclass(frozen=True, kw_only=True)
class SmoothedQuadratic:
    """The estimator on f = sum_j h_j x_j^2/2 as a block: x (..., n, d) -> g."""

    radius: float
    curvatures: tuple[float, ...]  # h_j

    def __post_init__(self) -> None:
        _check(self.radius)

    def h(self, d: int) -> Array:
        if d != len(self.curvatures):
            raise ValueError(f"curvatures must be one per coordinate, {d}, got {len(self.curvatures)}")
        return np.array(self.curvatures, float)

    def law(self, n: int, d: int) -> Law:
        self.h(d)
        return Each(n, Normal(d, nodes=NODES))

    def gradient(self, x: Array) -> Array:
        return like(self.h(x.shape[-1]), x) * x

    def __call__(self, x: Array, draw: Array) -> Array:
        v, z = self.gradient(x), draw
        return last(inner(v, z) + self.radius / 2 * inner(self.gradient(z), z)) * z

    def abc(self, d: int) -> ABC:
        h = self.h(d)
        return exact_abc(d, float(h.sum()), float((h**2).sum()), self.radius)
