"""What one run measures, and what is claimed of it: the questions of the sampled lens.

A `Question` holds claims E X_c <= B_c, c = 1..C, about one batch of runs: horizons T of a Horizon, targets eps of
a Complexity, the one horizon of a Failure (there the claim is E X >= B).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.common import FLOOR, Budget, Refused
from proveout.theory.lenses.runs import (
    deterministic,
    expected_cost,
    grid,
    measured,
    starts,
    steps_within,
    trajectory,
)
from proveout.theory.statement import Gap, Horizon, Method, Problem, State

__all__ = ["EPSILONS", "Question", "ask", "many", "over"]

EPSILONS = (0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-6)  # targets of a complexity, relative to the start


@dataclass(frozen=True)
class Question:
    """Claims E X_c <= B_c, c = 1..C."""

    statement: Any
    P: Problem
    m: Method
    times: tuple[int, ...]  # (C,) horizons
    eps: tuple[float | None, ...]  # (C,) targets of a complexity

    def bounds(self, x0: Array) -> Array:
        """What is claimed, plus the rounding of a long run: (d,) -> (C,), or (S, d) -> (S, C)."""
        if x0.ndim == 2:
            try:
                return self._bounds(self.m.init(self.P, x0), (len(x0),))
            except (TypeError, ValueError):  # the statement computes with one number per start
                return np.stack([self.bounds(row) for row in x0])
        return self._bounds(self.m.init(self.P, x0), ())

    def _bounds(self, start: State, lead: tuple[int, ...]) -> Array:
        s, P, m = self.statement, self.P, self.m
        m0 = measured(s.measure(P, m, start), P, lead)
        columns = []
        for T, eps in zip(self.times, self.eps, strict=True):
            if s.kind == "Horizon":
                claim = measured(s.bound(P, m, T, start), P, lead)
                columns.append(claim + _rounding(s, P, m, start, m0))
            else:
                columns.append(measured(s.floor(P, m, T, start), P, lead) if eps is None else eps * m0)
        return np.stack(columns, axis=-1)

    def numbers(self, x0: Array, rng: Any) -> tuple[Array, Array]:
        """Runs from x0 (S, d): X that refute and X that confirm, (S, C) each; they differ for `min` only."""
        kind = self.statement.over if isinstance(self.statement, Horizon) else "last"
        if kind == "mean_iterate":
            X = self._mean_iterate(x0, rng)
            return X, X
        history = self._history(x0, rng, set(self.times) if kind == "last" else None)
        if kind == "last":
            X = history[list(self.times)].T
            return X, X
        mean = np.stack([w @ history[: len(w)] for w in map(self._weights, self.times)], axis=1)
        if kind == "mean":
            return mean, mean
        ends = [T + self.statement.includes_end for T in self.times]
        return np.stack([history[:e].min(axis=0) for e in ends], axis=1), mean

    def _history(self, x0: Array, rng: Any, times: set[int] | None) -> Array:
        """The measure at the given times (None: at all) up to the last: (T+1, S).

        NaN after the measure has passed 1e100 is divergence, +inf; any other NaN stays.
        """
        S, last = len(x0), max(self.times)
        history = np.full((last + 1, S), np.nan)
        kept = sorted(times) if times is not None else list(range(last + 1))
        for now in trajectory(self.P, self.m, x0, last, rng):
            if times is None or now.t in times:
                history[now.t] = measured(self.statement.measure(self.P, self.m, now.state), self.P, (S,))
        rows = history[kept]
        blown = np.logical_or.accumulate(rows >= 1e100, axis=0)
        history[kept] = np.where(np.isnan(rows) & blown, np.inf, rows)
        return history

    def _weights(self, T: int) -> Array:
        """Of a mean over t = 0..T or 0..T-1: they sum to one."""
        s = self.statement
        if s.weights is None:
            return np.full(T + s.includes_end, 1 / (T + s.includes_end))
        w = np.asarray(s.weights(self.P, self.m, T), float)
        return np.asarray(w / w.sum())

    def _mean_iterate(self, x0: Array, rng: Any) -> Array:
        """The measure at the averaged state; integer fields keep their last value."""
        s, P, m = self.statement, self.P, self.m
        weights = [self._weights(T) for T in self.times]
        sums: list[Any] = [None] * len(weights)
        columns = np.empty((len(x0), len(weights)))
        for now in trajectory(P, m, x0, max(self.times), rng):
            for c, w in enumerate(weights):
                if now.t < len(w):
                    sums[c] = _add(sums[c], now.state, w[now.t])
                if now.t == len(w) - 1:
                    columns[:, c] = measured(s.measure(P, m, sums[c]), P, (len(x0),))
        return columns


def _add(total: Any, state: State, weight: float) -> State:
    def one(a: Any, b: Any = None) -> Any:
        if not (hasattr(a, "dtype") and a.dtype.kind == "f"):
            return a
        return weight * a if b is None else b + weight * a

    return tree_map(one, state) if total is None else tree_map(one, state, total)


def _rounding(statement: Any, P: Problem, m: Method, start: State, m0: Array) -> Array:
    """What a run cannot resolve: (eps |star|)^2 for squares, eps |f| for gaps."""
    eps = float(np.finfo(float).eps)
    terms = statement.measure(P, m, start)
    gaps = [t for t in terms if isinstance(t, Gap)] if isinstance(terms, tuple) else []
    weight = sum(abs(float(t.weight)) for t in gaps) * max(1.0, abs(float(getattr(P, "f_star", 0.0) or 0.0)))
    return np.asarray(FLOOR * eps**2 * m0 + 100 * eps * weight)


def over(a: Array, b: Array) -> Array:
    """a / b; an infinite measure over a finite claim is inf, 0/0 is 0, claims that are not finite are NaN."""
    out = np.where(b > 0, a / np.where(b > 0, b, 1), np.where(a > 0, np.inf, 0.0))
    return np.where(np.isposinf(b) & np.isfinite(a), 0.0, np.where(np.isnan(a) | np.isnan(b), np.nan, out))


# ------------------------------------------------------------------ which claims fit


def ask(statement: Any, P: Problem, m: Method, size: Budget) -> Question:
    """The claims that the budget has room for; Refused if there are none."""
    runs = many(P, size) if deterministic(m.law(P)) else size.runs
    most = steps_within(P, m, runs, size)
    start = m.init(P, starts(P, 1)[0])
    if statement.kind == "Horizon":
        times = tuple(T for T in grid(most) if _speaks(statement, P, m, T, start))
        if not times:
            raise Refused("the bound speaks of no horizon within the budget", "inconclusive")
        return Question(statement, P, m, times, (None,) * len(times))
    if statement.kind == "Failure":
        return Question(statement, P, m, (statement.steps,), (None,))
    m0 = float(measured(statement.measure(P, m, start), P, ()))
    per_step = 1.0 if statement.unit == "steps" else expected_cost(P, m, statement.unit)
    counts = {e: float(statement.count(P, m, e * m0, start)) / per_step for e in EPSILONS}
    fit = {e: max(0, math.ceil(N - 1e-9)) for e, N in counts.items() if N <= most}
    if not fit:
        need = min(counts.values())
        raise Refused(f"needs {need:.3g} steps, the budget has room for {most}", "inconclusive")
    return Question(statement, P, m, tuple(fit.values()), tuple(fit))


def _speaks(statement: Any, P: Problem, m: Method, T: int, start: State) -> bool:
    """Does the bound speak of this horizon?"""
    try:
        return bool(np.isfinite(measured(statement.bound(P, m, T, start), P, ())))
    except (ValueError, ZeroDivisionError):
        return False


def many(P: Problem, size: Budget) -> int:
    """Starts of a comparison without luck."""
    return 200 if getattr(P, "is_quadratic", False) else {"quick": 8, "full": 32, "deep": 100}[size.name]
