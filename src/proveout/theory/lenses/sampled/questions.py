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
from proveout.theory.lenses.sampled.runs import (
    condition,
    deterministic,
    expected_cost,
    grid,
    measured,
    runs_for,
    starts,
    steps_within,
    trajectory,
)
from proveout.theory.lenses.states import leaves
from proveout.theory.statement import Gap, Horizon, Method, Problem, State

__all__ = ["EPSILONS", "Question", "ask", "many", "over", "units"]

EPS = 2.0**-52
NEAR = 1 + 1e-9  # counts of steps that differ by rounding are one count
REDUCTION = 1e-3  # of the first bound, beyond which rare paths carry the mean
EPSILONS = (0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-6)  # targets of a complexity, relative to the start


@dataclass(frozen=True)
class Question:
    """Claims E X_c <= B_c, c = 1..C."""

    statement: Any
    P: Problem
    m: Method
    times: tuple[int, ...]  # (C,) horizons
    eps: tuple[float | None, ...]  # (C,) targets of a complexity
    per_step: float = 1.0  # units of a complexity's count per step

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
        columns, rounding = [], _rounding(s, P, m, m0) if s.kind == "Horizon" else 0.0
        for T, eps in zip(self.times, self.eps, strict=True):
            if s.kind == "Horizon":
                claim = measured(s.bound(P, m, T, start), P, lead)
                columns.append(claim + rounding)
            elif eps is None:
                columns.append(measured(s.floor(P, m, T, start), P, lead))
            else:  # NaN where this start is promised the target after another number of steps
                need = np.asarray(s.count(P, m, eps * m0, start), float) / self.per_step
                columns.append(np.where((need <= T * NEAR) & (need > (T - 1) / NEAR), eps * m0, np.nan))
        return np.stack(columns, axis=-1)

    def numbers(self, start: State, S: int, rng: Any) -> tuple[Array, Array]:
        """S runs from a batch of starts: X that refute and X that confirm, (S, C) each; they differ for `min` only."""
        kind = self.statement.over if isinstance(self.statement, Horizon) else "last"
        if kind == "mean_iterate":
            X = self._mean_iterate(start, S, rng)
            return X, X
        history = self._history(start, S, rng, set(self.times) if kind == "last" else None)
        if kind == "last":
            X = history[list(self.times)].T
            return X, X
        mean = np.stack([w @ history[: len(w)] for w in map(self._weights, self.times)], axis=1)
        if kind == "mean":
            return mean, mean
        ends = [T + self.statement.includes_end for T in self.times]
        return np.stack([history[:e].min(axis=0) for e in ends], axis=1), mean

    def _history(self, start: State, S: int, rng: Any, times: set[int] | None) -> Array:
        """The measure at the given times (None: at all) up to the last: (T+1, S).

        NaN after the state has passed 1e100 is divergence, +inf; any other NaN stays.
        """
        last, blown = max(self.times), np.zeros(S, bool)
        history = np.full((last + 1, S), np.nan)
        for now in trajectory(self.P, self.m, start, S, last, rng):
            blown |= _huge(now.state, S)
            if times is None or now.t in times:
                row = measured(self.statement.measure(self.P, self.m, now.state), self.P, (S,))
                history[now.t] = np.where(np.isnan(row) & blown, np.inf, row)
        return history

    def _weights(self, T: int) -> Array:
        """Of a mean over t = 0..T or 0..T-1: they sum to one."""
        s = self.statement
        if s.weights is None:
            return np.full(T + s.includes_end, 1 / (T + s.includes_end))
        w = np.asarray(s.weights(self.P, self.m, T), float)
        return np.asarray(w / w.sum())

    def _mean_iterate(self, start: State, S: int, rng: Any) -> Array:
        """The measure at the averaged state; integer fields keep their last value."""
        s, P, m = self.statement, self.P, self.m
        weights = [self._weights(T) for T in self.times]
        sums: list[Any] = [None] * len(weights)
        columns = np.empty((S, len(weights)))
        for now in trajectory(P, m, start, S, max(self.times), rng):
            for c, w in enumerate(weights):
                if now.t < len(w):
                    sums[c] = _add(sums[c], now.state, w[now.t])
                if now.t == len(w) - 1:
                    columns[:, c] = measured(s.measure(P, m, sums[c]), P, (S,))
        return columns


def _huge(state: State, S: int) -> Array:
    """Has a run left the numbers below 1e100? (S,)"""
    out = np.zeros(S, bool)
    for leaf in leaves(state):
        if (
            hasattr(leaf, "dtype")
            and leaf.dtype.kind == "f"
            and not np.max(np.abs(leaf), initial=0.0) < 1e100
        ):
            each = np.abs(leaf).reshape(len(leaf), -1)
            out |= np.broadcast_to((each >= 1e100).any(axis=1), (S,))
    return out


def _add(total: Any, state: State, weight: float) -> State:
    def one(a: Any, b: Any = None) -> Any:
        if not (hasattr(a, "dtype") and a.dtype.kind == "f"):
            return a
        return weight * a if b is None else b + weight * a

    return tree_map(one, state) if total is None else tree_map(one, state, total)


def _rounding(statement: Any, P: Problem, m: Method, m0: Array) -> Array:
    """What a run cannot resolve: FLOOR kappa (eps |star|)^2 for squares, eps |f| for gaps."""
    terms = statement.measure(P, m, m.init(P, starts(P, 1)[0]))
    gaps = [t for t in terms if isinstance(t, Gap)] if isinstance(terms, tuple) else []
    weight = sum(abs(float(t.weight)) for t in gaps) * max(1.0, abs(float(getattr(P, "f_star", 0.0) or 0.0)))
    size = np.nan_to_num(float(measured(terms, P, ())) + m0, posinf=0.0)
    return np.asarray(FLOOR * condition(P) * EPS**2 * size + 100 * EPS * weight)


def over(a: Array, b: Array) -> Array:
    """a / b; an infinite measure over a finite claim is inf, 0/0 is 0, claims that are not finite are NaN."""
    out = np.where(b > 0, a / np.where(b > 0, b, 1), np.where(a > 0, np.inf, 0.0))
    return np.where(np.isposinf(b) & np.isfinite(a), 0.0, np.where(np.isnan(a) | np.isnan(b), np.nan, out))


# ------------------------------------------------------------------ which claims fit


def ask(statement: Any, P: Problem, m: Method, size: Budget) -> Question:
    """The claims that the budget has room for; Refused if there are none.

    Where there is luck, no claim goes beyond a reduction by REDUCTION: the mean of what is left hides in paths
    that no sample of runs contains.
    """
    still = deterministic(m.law(P))
    most = steps_within(P, m, many(P, size) if still else runs_for(P, m, size), size)
    start = m.init(P, starts(P, 1)[0])
    if statement.kind == "Failure":
        return Question(statement, P, m, (statement.steps,), (None,))
    if statement.kind == "Horizon":
        return _horizons(statement, P, m, start, most, 0.0 if still else REDUCTION)
    m0 = float(measured(statement.measure(P, m, start), P, ()))
    per_step = units(statement, P, m)
    targets = [e for e in EPSILONS if still or e >= REDUCTION]
    counts = {e: float(statement.count(P, m, e * m0, start)) / per_step for e in targets}
    fit = {e: max(0, math.ceil(N - 1e-9)) for e, N in counts.items() if N <= most}
    if not fit:
        need = min(counts.values())
        raise Refused(f"needs {need:.3g} steps, the budget has room for {most}", "inconclusive")
    return Question(statement, P, m, tuple(fit.values()), tuple(fit), per_step)


def units(statement: Any, P: Problem, m: Method) -> float:
    """What a step costs on average, in the unit that a complexity counts."""
    unit = getattr(statement, "unit", "steps")
    return 1.0 if unit == "steps" else expected_cost(P, m, unit)


def _horizons(statement: Any, P: Problem, m: Method, start: State, most: int, reduction: float) -> Question:
    """Horizons 1, 2, 5, ... at which the bound is a number that is not too small."""
    bounds = {T: _claim(statement, P, m, T, start) for T in grid(most)}
    known = {T: B for T, B in bounds.items() if math.isfinite(B)}
    first = max(known.values(), default=0.0)
    times = tuple(T for T, B in known.items() if B >= reduction * first)
    if not times:
        raise Refused("the bound speaks of no horizon within the budget", "inconclusive")
    return Question(statement, P, m, times, (None,) * len(times))


def _claim(statement: Any, P: Problem, m: Method, T: int, start: State) -> float:
    """The bound; NaN where it does not speak of this horizon."""
    try:
        return float(measured(statement.bound(P, m, T, start), P, ()))
    except (ValueError, ArithmeticError):
        return math.nan


def many(P: Problem, size: Budget) -> int:
    """Starts of a comparison without luck."""
    return 200 if getattr(P, "is_quadratic", False) else {"quick": 8, "full": 32, "deep": 100}[size.name]
