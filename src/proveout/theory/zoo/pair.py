"""The best pair (t, r):  minimise weight t + r  subject to  r e + t X - W >= 0,  t >= low,  e the corner.

For a given t the least r is a Schur complement, r(t) is convex and -X(z(t)) is its slope, z(t) the point (corner 1)
where r(t) is attained.  So bisection on the slope finds the optimum, and a mixture Y of the last two points with
<X, Y> = weight is a dual matrix: weight t + r >= <W, Y> for every feasible pair, whatever the solver did.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array
from proveout.theory.zoo.edge import Edge, least_multiple

__all__ = ["Pair", "best_pair", "edge_of", "feasible_from"]

STEPS = 100  # halvings


@dataclass(frozen=True, eq=False)
class Pair:
    t: float
    r: float
    value: float  # weight t + r; inf if there is no pair
    bound: float  # <W, Y> + low (weight - <X, Y>), the last term where t = low
    Y: Array  # (q, q) >= 0 with corner 1
    z: Array  # a point that attains r(t)
    slack: float

    @property
    def gap(self) -> float:
        size = max(abs(self.value), 1e-300)
        return abs(self.value - self.bound) / size if np.isfinite(self.value) else 0.0


def edge_of(W: Array, X: Array, t: float) -> Edge:
    """The least r for a given t."""
    corner = np.zeros_like(W)
    corner[-1, -1] = 1
    return least_multiple(W - t * X, corner)


def feasible_from(W: Array, X: Array) -> Edge:
    """The t from which on r is finite: t X - W >= 0 without the corner."""
    one = least_multiple(W[:-1, :-1], X[:-1, :-1])
    return Edge(one.value, np.append(one.z, 0.0), one.bound, one.slack, one.weak)


def best_pair(W: Array, X: Array, weight: float = 0.0, low: float = 0.0) -> Pair:
    """The pair of least weight t + r; X >= 0 without the corner where a pair exists."""
    block = feasible_from(W, X)
    start = max(block.value, low)
    if not np.isfinite(start):
        q = len(W)
        return Pair(np.inf, np.inf, np.inf, np.inf, np.zeros((q, q)), np.zeros(q), 0.0)
    size = max(abs(start), 1e-6 * float(np.abs(W).max()) / max(float(np.abs(X).max()), 1e-300), 1e-300)

    def at(shift: float) -> tuple[Edge, float]:
        edge = edge_of(W, X, start + shift)
        z = edge.z / edge.z[-1] if np.isfinite(edge.value) and edge.z[-1] else edge.z
        return edge, float(weight - z @ X @ z) if np.isfinite(edge.value) else -np.inf

    first, slope = at(0.0)
    if slope >= 0:
        return _pair(W, X, weight, start, block, first, first)
    left, right = _bracket(at, size)
    for _ in range(STEPS):
        middle = np.sqrt(left * right)
        if at(middle)[1] < 0:
            left = middle
        else:
            right = middle
        if right <= left * (1 + 1e-15):
            break
    return _pair(W, X, weight, start + right, block, at(left)[0], at(right)[0])


def _bracket(at: Callable[[float], tuple[Edge, float]], size: float) -> tuple[float, float]:
    """Shifts with negative and nonnegative slope."""
    left = right = size
    while at(right)[1] < 0 and right < 1e30 * size:
        right *= 10
    while at(left)[1] >= 0 and left > 1e-14 * size:
        left /= 10
    return left, right


def _pair(W: Array, X: Array, weight: float, t: float, block: Edge, one: Edge, two: Edge) -> Pair:
    points = [e.z / e.z[-1] for e in (one, two) if np.isfinite(e.value) and e.z[-1]]
    slopes = [float(weight - z @ X @ z) for z in points]
    share = 1.0
    if len(points) == 2 and slopes[0] < 0 < slopes[1]:
        share = -slopes[0] / (slopes[1] - slopes[0])
    shares = [share] if len(points) == 1 else [1 - share, share]
    Y = np.asarray(sum(k * np.outer(z, z) for k, z in zip(shares, points, strict=True)))
    left = weight - float((X * Y).sum())
    if left > 0 and block.value >= t:  # t cannot be smaller for the sake of a direction
        Y = Y + left / float(block.z @ X @ block.z) * np.outer(block.z, block.z)
        return Pair(t, two.value, weight * t + two.value, float((W * Y).sum()), Y, two.z, two.slack)
    return Pair(t, two.value, weight * t + two.value, float((W * Y).sum()) + t * left, Y, two.z, two.slack)
