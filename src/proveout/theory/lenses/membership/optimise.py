"""Search for the largest value of a function that has kinks, ties and flat parts.

Half of the evaluations go to an *evolution of chains*, half to *restarted CMA-ES*; neither wins alone.

    chains    24 chains, 8 children each: child = y + sigma rms(y) z; half of the moves sparse, one pure
              rescaling, one *tie move* (an entry becomes +- another one, or 0, or a row becomes another row);
              the best child is kept if it is better, sigma *= 1.6 on success, else 0.8; every 40 generations
              the worst quarter restarts, alternately fresh and near the best.
    CMA-ES    population 4 (4 + floor(3 ln q)), standard rank-mu and rank-one constants (Hansen, "The CMA
              evolution strategy: a tutorial", arXiv:1604.00772), restart after 25 stalled or 150 generations,
              alternately fresh and near the best.  Where the function does not see the scale, the mean is
              renormalised every generation.

Values that are NaN count as -inf; +inf ends the search.  Everything is drawn from the seeded generator.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array

__all__ = ["Best", "Objective", "evolve", "maximise", "restarted_cma"]

CHAINS, CHILDREN = 24, 8
SIGMA = (1e-8, 3.0)  # step length of a chain, relative to the rms of its point
REFRESH = 40  # generations between restarts of the worst quarter
STALLED, LONGEST = 25, 150  # generations of one CMA-ES run

Objective = Callable[[Array], Array]  # (B, q) -> (B,)


@dataclass(frozen=True, eq=False)
class Best:
    value: float
    point: Array  # (q,)
    evaluations: int

    def better(self, other: "Best") -> "Best":
        """The larger of two, with the evaluations of both."""
        first = self if self.value >= other.value else other
        return Best(first.value, first.point, self.evaluations + other.evaluations)


def maximise(
    f: Objective,
    q: int,
    *,
    starts: Array | None = None,
    evaluations: int = 10_000,
    seed: int = 0,
    scale_free: bool = True,
    rows: int = 1,
) -> Best:
    """The best point found; `starts` (S, q) are tried first, `rows` is the number of rows a point is made of."""
    rng = np.random.default_rng(seed)
    f = _clean(f)
    first = _candidates(q, rng, scale_free)
    if starts is not None and len(starts):
        first = np.concatenate([np.asarray(starts, float).reshape(-1, q), first])
    values = f(first)
    order = np.argsort(-values, kind="stable")
    best = Best(float(values[order[0]]), first[order[0]], len(first))
    half = max(0, evaluations - len(first)) // 2
    if q == 1 and scale_free or best.value == np.inf or half == 0:
        return best
    pool = np.concatenate([first[order[: CHAINS // 2]], first[rng.permutation(len(first))[: CHAINS // 2]]])
    best = best.better(evolve(f, pool, half, rng, scale_free=scale_free, rows=rows))
    if best.value < np.inf:
        best = best.better(restarted_cma(f, best.point, half, rng, scale_free=scale_free))
    return best


def _clean(f: Objective) -> Objective:
    def safe(points: Array) -> Array:
        with np.errstate(all="ignore"):
            values = np.asarray(f(points), float)
        return np.where(np.isnan(values), -np.inf, values)

    return safe


def _candidates(q: int, rng: Any, scale_free: bool) -> Array:
    """Normals, signs, sparse and nearly tied points, axes: (about 200, q)."""
    z = rng.standard_normal((60, q))
    signs = np.sign(rng.standard_normal((40, q)))
    sparse = rng.standard_normal((40, q)) * (rng.random((40, q)) < max(0.3, 1.5 / q))
    nearly = signs[:20] * (1 + 1e-6 * rng.standard_normal((20, q)))
    points = np.concatenate([np.ones((1, q)), np.eye(q)[: min(q, 20)], z, signs, nearly, sparse])
    return points if scale_free else points * 10 ** rng.uniform(-2, 2, size=(len(points), 1))


# ------------------------------------------------------------------ chains


def evolve(
    f: Objective,
    starts: Array,
    evaluations: int,
    rng: Any,
    *,
    scale_free: bool = True,
    rows: int = 1,
    children: int = CHILDREN,
) -> Best:
    """Evolution of chains, all in one batch: starts (C, q)."""
    y = np.array(starts, float)
    C, q = y.shape
    value, sigma = f(y), np.full(C, 0.5)
    used = C
    for generation in range(1, max(1, evaluations // (C * children)) + 1):
        kids = _children(y, sigma, children, rng, rows)
        scores = f(kids.reshape(-1, q)).reshape(C, children)
        used += C * children
        pick = scores.argmax(axis=1)
        best = scores[np.arange(C), pick]
        won = best > value
        y[won], value = kids[np.arange(C), pick][won], np.where(won, best, value)
        sigma = np.clip(np.where(won, 1.6, 0.8) * sigma, *SIGMA)
        if scale_free:
            y /= _rms(y)
        if np.isposinf(value).any():
            break
        if generation % REFRESH == 0:
            used += _refresh(f, y, value, sigma, rng, near=generation // REFRESH % 2 == 0)
    top = int(value.argmax())
    return Best(float(value[top]), y[top], used)


def _rms(y: Array) -> Array:
    size = np.sqrt((y * y).mean(axis=-1, keepdims=True))
    return np.where(size > 0, size, 1.0)


def _children(y: Array, sigma: Array, children: int, rng: Any, rows: int) -> Array:
    """(C, children, q): half full moves, half sparse ones; of these the last two a rescaling and a tie."""
    C, q = y.shape
    z = rng.standard_normal((C, children, q))
    thin = rng.random((C, children, q)) < 1.5 / q
    thin[:, : children // 2] = True
    kids = y[:, None] + (sigma[:, None] * _rms(y))[..., None] * z * thin
    kids[:, -2] = y * np.exp(sigma * z[:, -2, 0])[:, None]
    kids[:, -1] = _tied(y, rng, rows)
    return np.asarray(kids)


def _tied(y: Array, rng: Any, rows: int) -> Array:
    """One entry equal to + or - another, or 0; or, where a point has rows, one row equal to another."""
    C, q = y.shape
    out, who = y.copy(), np.arange(C)
    to, source = rng.integers(q, size=C), rng.integers(q, size=C)
    out[who, to] = y[who, source] * rng.choice([1.0, 1.0, -1.0, 0.0], size=C)
    if rows > 1 and q % rows == 0 and q > rows:
        table = out.reshape(C, rows, q // rows)
        a, b = rng.integers(rows, size=C), rng.integers(rows, size=C)
        whole = rng.random(C) < 0.5
        table[who[whole], a[whole]] = y.reshape(C, rows, -1)[who[whole], b[whole]]
    return out


def _refresh(f: Objective, y: Array, value: Array, sigma: Array, rng: Any, near: bool) -> int:
    """Restart the worst quarter in place, fresh or near the best chain; the number of evaluations."""
    C, q = y.shape
    worst = np.argsort(value, kind="stable")[: C // 4]
    if len(worst) == 0:
        return 0
    z = rng.standard_normal((len(worst), q))
    top = y[int(value.argmax())]
    scale = _rms(top[None])
    y[worst] = top + 0.3 * scale * z if near else scale * z
    value[worst], sigma[worst] = f(y[worst]), 0.5
    return len(worst)


# ------------------------------------------------------------------ CMA-ES


def restarted_cma(f: Objective, start: Array, evaluations: int, rng: Any, *, scale_free: bool = True) -> Best:
    """CMA-ES from fresh points and, every second time, from near the best: start (q,)."""
    q = len(start)
    size = 4 * (4 + int(3 * math.log(q)))
    best = Best(-np.inf, np.asarray(start, float), 0)
    run = 0
    while best.evaluations + size <= evaluations and best.value < np.inf:
        near = run % 2 == 0
        base = best.point if best.evaluations else np.asarray(start, float)
        scale = float(_rms(base[None])[0, 0])
        mean = base if near else scale * rng.standard_normal(q)
        sigma = (0.1 if near else 0.5) * scale
        best = best.better(_cma(f, mean, sigma, size, evaluations - best.evaluations, rng, scale_free))
        run += 1
    return best


def _cma(
    f: Objective, mean: Array, sigma: float, size: int, evaluations: int, rng: Any, scale_free: bool
) -> Best:
    """One run with the standard constants."""
    q, half = len(mean), size // 2
    w = np.log(half + 0.5) - np.log(np.arange(1, half + 1))
    w /= w.sum()
    mass = 1 / (w @ w)
    c_sigma = (mass + 2) / (q + mass + 5)
    damping = 1 + 2 * max(0.0, math.sqrt((mass - 1) / (q + 1)) - 1) + c_sigma
    c_path = (4 + mass / q) / (q + 4 + 2 * mass / q)
    c_one = 2 / ((q + 1.3) ** 2 + mass)
    c_mu = min(1 - c_one, 2 * (mass - 2 + 1 / mass) / ((q + 2) ** 2 + mass))
    length = math.sqrt(q) * (1 - 1 / (4 * q) + 1 / (21 * q * q))
    B, D, C = np.eye(q), np.ones(q), np.eye(q)
    path, path_sigma = np.zeros(q), np.zeros(q)
    best, stalled = Best(-np.inf, mean, 0), 0
    for g in range(1, min(LONGEST, evaluations // size) + 1):
        steps = (rng.standard_normal((size, q)) * D) @ B.T
        points = mean + sigma * steps
        values = f(points)
        order = np.argsort(-values, kind="stable")[:half]
        improved = values[order[0]] > best.value + 1e-9 * abs(best.value)
        best = best.better(Best(float(values[order[0]]), points[order[0]], size))
        stalled = 0 if improved else stalled + 1
        if stalled >= STALLED or best.value == np.inf:
            break
        move = w @ steps[order]
        mean = mean + sigma * move
        path_sigma = (1 - c_sigma) * path_sigma + math.sqrt(c_sigma * (2 - c_sigma) * mass) * (
            B @ ((B.T @ move) / D)
        )
        size_now = float(np.linalg.norm(path_sigma))
        awake = size_now / math.sqrt(1 - (1 - c_sigma) ** (2 * g)) < (1.4 + 2 / (q + 1)) * length
        path = (1 - c_path) * path + awake * math.sqrt(c_path * (2 - c_path) * mass) * move
        rank_one = np.outer(path, path) + (1 - awake) * c_path * (2 - c_path) * C
        C = (1 - c_one - c_mu) * C + c_one * rank_one + c_mu * (steps[order].T * w) @ steps[order]
        sigma *= math.exp(min(1.0, c_sigma / damping * (size_now / length - 1)))
        if not (np.isfinite(C).all() and 1e-14 < sigma < 1e14):
            break
        if scale_free:
            scale = float(_rms(mean[None])[0, 0])
            mean, sigma = mean / scale, sigma / scale
        if g % max(1, q // 10) == 0:
            values_C, B = np.linalg.eigh((C + C.T) / 2)
            D = np.sqrt(np.maximum(values_C, 1e-20))
    return best
