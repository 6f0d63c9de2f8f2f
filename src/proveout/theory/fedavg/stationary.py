"""Exact stationary errors of methods whose state is one model, on quadratics.

Every draw is an affine map y' = A_k y + b_k of y = x - x*.  Stationary first and second moments solve

    mean = A mean + b,    S = sum_k p_k [A_k S A_k' + A_k mean b_k' + b_k mean' A_k' + b_k b_k'],   A = E A_k, b = E b_k.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.statement import Method, Problem

__all__ = ["affine_maps", "halving_bound", "stationary_error"]

SLACK = 1e-3  # of the floor, that the transient may borrow


def affine_maps(P: Problem, m: Method) -> tuple[Array, Array, Array]:
    """(prob (K,), A (K, d, d), b (K, d)) of one step around x*."""
    prob, draw = m.law(P).atoms()
    start = m.init(P, P.x_star + np.concatenate([np.zeros((1, P.d)), np.eye(P.d)])[:, None, :])
    out = m.step(P, start, tree_map(lambda a: np.asarray(a)[None], draw)).x - P.x_star
    out = np.broadcast_to(out, (P.d + 1, len(prob), P.d))
    return prob, np.moveaxis(out[1:] - out[0], 0, -1), out[0]


@lru_cache(maxsize=256)
def stationary_error(P: Problem, m: Method) -> float:
    """E|x - x*|^2 in the limit, for a method that contracts."""
    prob, A, b = affine_maps(P, m)
    d = P.d
    mean = np.linalg.solve(np.eye(d) - np.tensordot(prob, A, 1), prob @ b)
    cross = np.einsum("k,ki,kj->ij", prob, A @ mean, b)
    fed = cross + cross.T + np.einsum("k,ki,kj->ij", prob, b, b)
    wide = np.einsum("k,kij,klm->iljm", prob, A, A).reshape(d * d, d * d)
    S: Array = np.linalg.solve(np.eye(d * d) - wide, fed.ravel()).reshape(d, d)
    return float(np.trace(S))


def halving_bound(
    P: Problem, here: Method, doubled: Method, slope: float, factor: float, start: Any, T: int
) -> Any:
    """(coefficient of |x_0 - x*|^2, constant) of a bound on E|x_T - x*|^2: floor(doubled)/2^slope, and a transient.

    `factor` bounds the squared contraction of one step.  Two runs on the same draws approach one another by it; with
    one of them stationary, E|x_T - x*|^2 <= (1 + 1/s) factor^T E|x_0 - X|^2 + (1 + s) floor.
    """
    away = 2 * (1 + 1 / SLACK) * factor**T
    constant = away * stationary_error(P, here) + (1 + SLACK) * stationary_error(P, doubled) / 2**slope
    return away, constant
