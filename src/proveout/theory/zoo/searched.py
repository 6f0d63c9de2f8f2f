"""Constants of an assumption over a cloud of points: no smaller ones will do; whether these do is not known.

Two constants that trade are the solution of a linear program over the points, with the objective of `decided`.  A
constant that is a hundred times weaker over all points than over those at middle distances is said to grow.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Assumption, Scalars
from proveout.theory.zoo.cloud import Cloud, ratio, sides
from proveout.theory.zoo.decided import BELOW_ONE, NIL, SURE, NotThere, additive
from proveout.theory.zoo.rows import Row
from proveout.theory.zoo.witness import Witness, pointwise

__all__ = ["Grows", "search"]

GROWTH = 1e2  # times what middle distances need
MIDDLE = (1e-2, 1e3)  # distances from x*, in units
ROWS = 6000  # of a linear program


class Grows(Exception):
    """What is needed grows with the distance from x*."""


def search(
    kind: type[Assumption], row: Row, points: Cloud, given: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, Array]]:
    """(constants, points x where they are needed) of one row.

    Raises NotThere if a point forbids all constants, Grows if the constants found grow with the distance.
    """
    held, free = row.split(given)
    if not free:
        return _held(kind, row, points, held)
    if len(free) == 1:
        return _one(kind, row, points, held, free[0])
    p, q = sorted(free, key=lambda n: n == additive(row))
    value, error = points.of(row.base)
    if (
        not points.measured.exact and value[0] > error[0]
    ):  # something is left at x*, where a sample blurs the rest
        return _two(kind, row, points, held, p, q)
    try:
        return _one(kind, row, points, {**held, q: 0.0}, p)
    except NotThere:
        return _two(kind, row, points, held, p, q)


def _held(
    kind: type[Assumption], row: Row, points: Cloud, held: dict[str, float]
) -> tuple[dict[str, float], dict[str, Array]]:
    value, error = points.of(row.at(held))
    worst = int(np.argmax(value - error - points.zero(row.at(held))))
    if value[worst] - error[worst] > points.zero(row.at(held))[worst]:
        raise NotThere(_witness(kind, row, points, next(iter(row.slopes)), worst))
    return held, {}


def _one(
    kind: type[Assumption], row: Row, points: Cloud, held: dict[str, float], name: str
) -> tuple[dict[str, float], dict[str, Array]]:
    base, slope = row.at(held), sides(row, name)[1]
    E, e = points.of(base)
    B, b = points.of(slope)
    if slope.one:
        values = np.where(np.abs(E) <= points.zero(base), 0.0, E) - e
    else:
        values = ratio(E - e, B + b, points.zero(base), points.zero(slope))
    worst = int(np.argmax(values))
    value = -values[worst] if name in row.lower else max(float(values[worst]), 0.0)
    if _forbidden(row, name, value):
        raise NotThere(_witness(kind, row, points, name, worst))
    if points.measured.exact:
        _check_growth(row, name, points, values, value)
    return {**held, name: float(value)}, {name: points.x[worst]}


def _forbidden(row: Row, name: str, value: float) -> bool:
    """Does one point leave no constant that says something?"""
    if name in row.lower:
        return bool(value <= 0)
    return bool(value >= 1 - NIL) if name in BELOW_ONE else not math.isfinite(value)


def _check_growth(row: Row, name: str, points: Cloud, values: Array, value: float) -> None:
    """Is what is needed decided by the nearest or the farthest points?"""
    if points.bounded:
        return
    middle = (points.distance >= MIDDLE[0] * points.unit) & (points.distance <= MIDDLE[1] * points.unit)
    top = float(np.max(values[middle], initial=-np.inf))
    there = -top if name in row.lower else max(top, 0.0)
    size = [_strength(row, name, v) for v in (value, there)]
    if size[0] > GROWTH * size[1] or size[0] > 1 / SURE and name in (*row.lower, *BELOW_ONE):
        raise Grows(f"{name} = {show(value)} is needed, {show(there)} at middle distances from x*")


def _strength(row: Row, name: str, value: float) -> float:
    """How much a constant admits."""
    if name in row.lower:
        return 1 / value if value > 0 else math.inf
    return 1 / max(1 - value, 1e-300) if name in BELOW_ONE else value


def _two(
    kind: type[Assumption], row: Row, points: Cloud, held: dict[str, float], p: str, q: str
) -> tuple[dict[str, float], dict[str, Array]]:
    """(p, q) by a linear program over the points."""
    E = points.of(row.at(held))
    B = points.of(sides(row, p)[1])
    lowered = (E[0] - E[1], B[0] + B[1])
    far = points.distance >= np.quantile(points.distance, 0.9)
    edge = ratio(*lowered, points.zero(row.at(held)), points.zero(sides(row, p)[1]))
    at = int(np.argmax(np.where(far, edge, -np.inf)))
    least = -edge[at] if p in row.lower else max(float(edge[at]), 0.0)
    if _forbidden(row, p, least):
        raise Grows(f"{p} would have to be {show(least)} far from x*")
    W, X, weight, low = *lowered, 0.0, 0.0
    if p in BELOW_ONE:
        W, X, low = lowered[1], lowered[1] - lowered[0], 1.0
    elif p in row.lower:
        W, X = lowered[1], -lowered[0]
    else:
        weight = max(float(lowered[0][0]), 0.0) / least if least > 0 else 1.0  # point 0 is x*
    t, r = _program(W, X, weight, low)
    if not math.isfinite(r):
        raise Grows("no pair of constants was found")
    if p in BELOW_ONE:
        first, second = 1 - 1 / t, r / t
    elif p in row.lower:
        first, second = (1 / t, r / t) if t > 0 else (math.inf, 0.0)
    else:
        first, second = t, r
    worst = int(np.argmax(W - t * X))
    if points.measured.exact:
        _check_growth(row, q, points, W - t * X, r)
    return {**held, p: float(first), q: float(max(second, 0.0))}, {p: points.x[worst], q: points.x[worst]}


def _program(W: Array, X: Array, weight: float, low: float) -> tuple[float, float]:
    """min weight t + r subject to r + t X_i >= W_i, t >= low, r >= 0."""
    from scipy.optimize import linprog

    size = np.abs(W) + np.abs(X) + 1
    keep = np.argsort(-(np.abs(W) / size), kind="stable")[:ROWS]
    A = -np.stack([X, np.ones_like(X)], axis=1) / size[:, None]
    answer = linprog(
        [weight, 1.0] if weight else [1e-12, 1.0],
        A_ub=A[keep],
        b_ub=(-W / size)[keep],
        bounds=[(low, None), (0, None)],
        method="highs",
    )
    if answer.x is None:
        return math.inf, math.inf
    t = float(answer.x[0])
    return t, max(0.0, float(np.max(W - t * X)))


def _witness(kind: type[Assumption], row: Row, points: Cloud, name: str, at: int) -> Witness:
    here = Scalars(*(np.asarray(v)[at] for v in points.measured.values))
    lhs, rhs, text = pointwise(kind, row, name, here)
    return Witness(points.x[at], lhs, rhs, text)


def show(value: Any) -> str:
    return f"{float(value):.4g}"
