"""Linear steps on a repeating order: the matrix of one period, and the largest step size that is stable.

On a quadratic f every asynchronous method is a linear map of its float state (model, momentum, the
copies of the workers) once the order is given.  With a periodic order the map repeats, and the method
is stable iff the spectral radius of one period's matrix is at most 1.  The matrix is read from `step`
itself, fed with basis vectors; a state field that nothing reads would add an eigenvalue 1 of its own.
"""

from dataclasses import replace
from functools import lru_cache
from math import lcm
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.statement import Method, Problem
from proveout.theory.twins import Altered

__all__ = ["critical_step", "period_matrix", "spectral_radius", "with_gamma"]

DIGITS = 1e-13  # relative width at which a bisection stops
SMALLEST = 1e-12  # a method that is unstable at such a step is called unstable at all


def with_gamma(method: Method, gamma: float) -> Method:
    """The same method, altered or not, with another step size."""
    if isinstance(method, Altered):
        return replace(method, base=with_gamma(method.base, gamma))
    return replace(method, gamma=gamma)


def _flat(state: Any) -> list[tuple[str, Array]]:
    return [(k, v) for k, v in state._asdict().items() if hasattr(v, "dtype") and v.dtype.kind == "f"]


def _first_draw(problem: Problem, method: Method, t: int) -> Any:
    return tree_map(lambda a: a[0], method.law(problem).at(t).atoms()[1])


def period_matrix(problem: Problem, method: Method) -> Array:
    """The linear part of one period of steps, after every worker has been served: (D, D)."""
    K = problem.workers
    period = lcm(K, len(problem.clock.order))
    state = method.init(problem, np.zeros(problem.d))
    for t in range(period):
        state = method.step(problem, state, _first_draw(problem, method, t))
    fields = _flat(state)
    D = sum(v.size for _, v in fields)
    probes, start = np.concatenate([np.zeros((1, D)), np.eye(D)]), 0
    for name, v in fields:
        part = probes[:, start : start + v.size].reshape(D + 1, *v.shape)
        state, start = state._replace(**{name: part}), start + v.size
    for t in range(period, 2 * period):
        state = method.step(problem, state, _first_draw(problem, method, t))
    out = np.concatenate([v.reshape(D + 1, -1) for _, v in _flat(state)], axis=1)
    return (out[1:] - out[0]).T


def spectral_radius(problem: Problem, method: Method) -> float:
    return float(np.abs(np.linalg.eigvals(period_matrix(problem, method))).max())


@lru_cache(maxsize=256)
def critical_step(problem: Problem, method: Method) -> float:
    """The largest gamma up to which the method is stable, by bisection; `method.gamma` is where it starts."""

    def stable(gamma: float) -> bool:
        return spectral_radius(problem, with_gamma(method, gamma)) <= 1

    low = method.gamma
    while not stable(low):
        low /= 2
        if low < SMALLEST:
            return 0.0
    high = 2 * low
    while stable(high):
        low, high = high, 2 * high
    while high - low > DIGITS * high:
        mid = (low + high) / 2
        low, high = (mid, high) if stable(mid) else (low, mid)
    return float((low + high) / 2)
