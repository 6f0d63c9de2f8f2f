"""Scalars as an estimator on a problem: every point of the cone is one.

On f = h|x|^2/2 in the plane, v = grad f(x), the estimator g = (p I + q J +- w I) v + s +- t has P = p|v|^2 and so on;
homogeneous scalars (no shift) are met at every x.
"""

import math
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Scalars
from proveout.methods.blocks.linear import Linear, turned
from proveout.problems.quadratics import Quadratics

__all__ = ["at_point", "plane", "realise", "round_problem"]

FLAT = 1e-9  # of all scalars: a G that is zero
CURVATURE = (1e-9, 1e9)


def round_problem(d: int = 1, h: float = 1.0) -> Quadratics:
    """f = h|x|^2/2."""
    return Quadratics(A=h * np.eye(d)[None], b=np.zeros((1, d)))


def plane() -> Quadratics:
    return round_problem(2)


def realise(point: Scalars) -> tuple[Quadratics, Linear, Array]:
    """(problem, estimator, x) with these scalars at x, `one` scaled to 1 where it is not tiny."""
    D, G, P, E1, V, one = (float(v) for v in point)
    size = max(D, G, E1, V, 1e-300)
    if one > 1e-9 * size:
        D, G, P, E1, V = (v / one for v in (D, G, P, E1, V))
        size = max(D, G, E1, V, 1.0)
    E1, V = max(E1, 0.0), max(V, 0.0)
    if G <= FLAT * size:
        return plane(), turned(1, shift=(math.sqrt(E1), 0), noise=math.sqrt(V)), np.zeros(2)
    h = float(np.clip(G / (2 * D) if D > 0 else CURVATURE[1], *CURVATURE))
    p, w = P / G, math.sqrt(V / G)
    q = math.sqrt(max(E1 / G - p * p, 0.0))
    return round_problem(2, h), turned(p, q, w), np.array([math.sqrt(G) / h, 0.0])


def at_point(P: Any, estimator: Any, x: Array) -> Scalars:
    """The scalars of an estimator at one point, asked of the estimator itself."""
    from proveout.theory.zoo.scalars import measure

    found = measure(estimator, P, np.asarray(x, float)[None]).values
    return Scalars(*(float(v[0]) for v in found))
