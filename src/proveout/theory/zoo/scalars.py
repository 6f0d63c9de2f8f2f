"""D, G, P, E1, V of an estimator at given points, by all its outcomes or by a sample of them.

By a sample, the estimates of P, E1 and V are unbiased, and `error` is a half width of confidence 99.9 %, from the
means of BATCHES batches (Student's t).
"""

from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Scalars
from proveout.theory.statement import Problem
from proveout.theory.zoo.subject import subject

__all__ = ["Measured", "joined", "measure"]

BATCHES = 20
STUDENT = 3.883  # two-sided 99.9 % point with BATCHES - 1 degrees of freedom
CHUNK = 8_000_000  # floats of one call


class Measured(NamedTuple):
    values: Scalars  # each (N,)
    error: Scalars  # half widths, each (N,); zero if exact
    exact: bool


def measure(estimator: Any, P: Problem, x: Array, seed: int = 0) -> Measured:
    """The scalars at points x (N, d)."""
    who = subject(estimator, P, seed)
    x = np.atleast_2d(np.asarray(x, float))
    probe, _ = who.outcomes(P, x[:1])
    rows = max(1, CHUNK // (probe.shape[1] * x.shape[1]))
    parts = [_block(who, P, x[i : i + rows]) for i in range(0, len(x), rows)]
    return Measured(joined([p[0] for p in parts]), joined([p[1] for p in parts]), who.exact)


def joined(parts: list[Scalars]) -> Scalars:
    """The scalars of several sets of points."""
    return Scalars(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _block(who: Any, P: Problem, x: Array) -> tuple[Scalars, Scalars]:
    prob, g = who.outcomes(P, x)
    v = np.asarray(P.grad(x))
    zero = np.zeros(len(x))
    D, G = gap(P, x, v), (v * v).sum(axis=-1)
    if who.exact:
        mean = (prob[..., None] * g).sum(axis=1)
        V = (prob * ((g - mean[:, None]) ** 2).sum(axis=-1)).sum(axis=1)
        found = Scalars(D, G, (mean * v).sum(axis=-1), (mean * mean).sum(axis=-1), V, zero + 1)
        return found, Scalars(zero, zero, zero, zero, zero, zero)
    P1, E1, V = _unbiased(g, v)
    k = g.shape[1] // BATCHES
    batches = [_unbiased(g[:, b * k : (b + 1) * k], v) for b in range(BATCHES)]
    e = [STUDENT * np.std(column, axis=0, ddof=1) / np.sqrt(BATCHES) for column in zip(*batches, strict=True)]
    return Scalars(D, G, P1, E1, V, zero + 1), Scalars(zero, zero, e[0], e[1], e[2], zero)


def _unbiased(g: Array, v: Array) -> tuple[Array, Array, Array]:
    """Unbiased estimates of P, E1, V from g (N, k, d)."""
    k = g.shape[1]
    mean = g.mean(axis=1)
    V = ((g - mean[:, None]) ** 2).sum(axis=(1, 2)) / (k - 1)
    return (mean * v).sum(axis=-1), (mean * mean).sum(axis=-1) - V / k, V


def gap(P: Problem, x: Array, v: Array) -> Array:
    """f(x) - f*, without cancellation on quadratics: <grad f(x), x - x*>/2."""
    if getattr(P, "is_quadratic", False):
        return np.maximum((v * (x - P.x_star)).sum(axis=-1) / 2, 0.0)
    return np.maximum(np.asarray(P.value(x)) - P.f_star, 0.0)
