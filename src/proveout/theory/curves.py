"""Claimed against measured: what a statement promises along a run, and what runs do.

    OneStep      E[V_t + sum_s rate^(t-1-s) progress_s]  against  rate^t V_0 + noise (1 + .. + rate^(t-1))
    Horizon      E measure, aggregated as the statement says, against its bound
    Complexity   E measure along the cost that is counted, against (count(eps), eps)
    Failure      E measure, against the floor it never falls below

A curve illustrates, it judges nothing: runs start at one point, a claim speaks of all.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.problems import build
from proveout.theory import pool, sources
from proveout.theory.check import case_of, methods_of
from proveout.theory.judge import describe_method
from proveout.theory.lenses.common import refusal, value
from proveout.theory.lenses.runs import expected_cost, starts, trajectory
from proveout.theory.statement import Method, Problem, branches

__all__ = ["Curve", "curve", "curves"]

SEEDS, FEW = 64, 8  # runs of a curve: on small problems, on real data
STEPS, SHORT = 400, 100
POINTS = 120  # kept of a curve, at most
DECADES = 10  # of decay worth showing
DRAWN = ("OneStep", "Horizon", "Complexity", "Failure")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Two lines: `claimed` over `claimed_at`, `measured` (a mean, with its 5 % and 95 % runs) over `at`."""

    problem: str
    method: str
    unit: str  # of the horizontal axis
    at: Array
    measured: Array
    low: Array
    high: Array
    claimed_at: Array
    claimed: Array
    floor: bool = False  # the claim is a lower bound


def curves(
    words: Sequence[str] = (),
    *,
    seed: int = 0,
    jobs: int = 0,
    on_curve: Callable[[int, int], None] | None = None,
) -> dict[str, Curve]:
    """The curve of each named statement that has one, on its first problem with data."""
    found = [n for n in sources.find(tuple(words)) if n.case.statement.kind in DRAWN]
    tasks = [(n.source, n.case.id, seed) for n in found]
    finished = 0

    def done(k: int, result: Any) -> None:
        nonlocal finished
        finished += 1
        if on_curve is not None:
            on_curve(finished, len(tasks))

    results, _ = pool.each(_work, tasks, jobs=jobs, done=done)
    return {task[1]: r for task, r in zip(tasks, results) if isinstance(r, Curve)}


def _work(task: tuple[str, str, int]) -> Curve | None:
    source, identifier, seed = task
    case = case_of(source, identifier)
    data = [p for p in case.problems if not p.startswith("class:")]
    for spec in sorted(data, key=lambda p: not p.startswith("quadratic:")):
        problem = build(spec)
        for method in methods_of(case, problem):
            if not isinstance(method, Exception) and refusal(case.statement, problem, method) is None:
                return curve(case.statement, problem, method, seed=seed)
    return None


def curve(statement: Any, P: Problem, m: Method, *, seed: int = 0) -> Curve | None:
    """The curve of a statement on a problem with data; None where nothing can be drawn."""
    small = getattr(P, "is_quadratic", False)
    runs, steps = (SEEDS, STEPS) if small else (FEW, SHORT)
    x0 = np.repeat(starts(P, 1, seed), runs, axis=0)
    steps = min(steps, _horizon(statement, P, m))
    with np.errstate(all="ignore"):
        visited = trajectory(P, m, x0, steps, np.random.default_rng(seed))
        reading = {"OneStep": _one_step, "Horizon": _horizons, "Complexity": _complexity, "Failure": _failure}
        at, unit, rows, claimed_at, claimed = reading[statement.kind](statement, P, m, visited, steps)
    return _drawn(statement, P, m, unit, at, rows, claimed_at, claimed)


Reading = tuple[Array, str, Array, Array, Array]  # at, unit, measured (T, runs), claimed_at, claimed


def _horizon(statement: Any, P: Problem, m: Method) -> int:
    """Steps until a contraction has done DECADES decades; a guess for the others."""
    if statement.kind != "OneStep":
        return STEPS // 2
    rate = max(float(r) for r in branches(statement.rate(P, m)))
    if not 0 < rate < 1:
        return STEPS // 2
    return int(np.clip(DECADES * math.log(10) / -math.log(rate), 20, STEPS))


def _numbers(terms: Any, P: Problem, runs: int) -> Array:
    return np.broadcast_to(np.asarray(value(terms, P), float), (runs,))


def _one_step(statement: Any, P: Problem, m: Method, visited: Iterator[Any], steps: int) -> Reading:
    rate = max(float(r) for r in branches(statement.rate(P, m)))
    noise = 0.0 if statement.noise is None else float(statement.noise(P, m))
    rows, spent = [], 0.0
    for batch in visited:
        runs = _runs(batch.state)
        rows.append(_numbers(statement.lyapunov(P, m, batch.state), P, runs) + spent)
        if statement.progress is not None:
            spent = rate * spent + _numbers(statement.progress(P, m, batch.state), P, runs)
    t = np.arange(steps + 1)
    geometric = t if abs(rate - 1) < 1e-12 else (1 - rate**t) / (1 - rate)
    return t, "steps", np.stack(rows), t, rate**t * rows[0].mean() + noise * geometric


def _horizons(statement: Any, P: Problem, m: Method, visited: Iterator[Any], steps: int) -> Reading:
    values, first, mean = [], None, None
    for batch in visited:
        state = batch.state
        first = state if first is None else first
        if statement.over == "mean_iterate":
            mean = state if mean is None else tree_map(lambda a, b, t=batch.t: _blend(a, b, t), mean, state)
            state = mean
        values.append(_numbers(statement.measure(P, m, state), P, _runs(state)))
    rows = _aggregated(statement, P, m, np.stack(values))
    t = np.arange(1, steps + 1)
    claimed = np.array([float(np.mean(value(statement.bound(P, m, int(T), first), P))) for T in t])
    return t, "steps", rows[1:], t, claimed


def _blend(mean: Any, now: Any, t: int) -> Any:
    return mean + (now - mean) / (t + 1) if isinstance(now, np.ndarray) and now.dtype.kind == "f" else now


def _aggregated(statement: Any, P: Problem, m: Method, values: Array) -> Array:
    """Row T: the statement's quantity at horizon T."""
    if statement.over in ("last", "mean_iterate"):
        return values
    shift = 1 if statement.includes_end else 0
    out = values.copy()
    for T in range(1, len(values)):
        part = values[: T + shift]
        if statement.over == "min":
            out[T] = part[np.argmin(part.mean(axis=1))]
        else:
            w = np.ones(len(part)) if statement.weights is None else statement.weights(P, m, T)
            out[T] = np.asarray(w, float) @ part / np.sum(w)
    return out


def _complexity(statement: Any, P: Problem, m: Method, visited: Iterator[Any], steps: int) -> Reading:
    values, first = [], None
    for batch in visited:
        first = batch.state if first is None else first
        values.append(_numbers(statement.measure(P, m, batch.state), P, _runs(batch.state)))
    rows = np.stack(values)
    unit = 1.0 if statement.unit == "steps" else expected_cost(P, m, statement.unit)
    eps = rows[0].mean() * 10.0 ** -np.linspace(0.25, DECADES, 40)
    counts = np.array([float(np.mean(statement.count(P, m, e, first))) for e in eps])
    keep = counts <= unit * steps * 1.5
    return unit * np.arange(steps + 1), statement.unit, rows, counts[keep], eps[keep]


def _failure(statement: Any, P: Problem, m: Method, visited: Iterator[Any], steps: int) -> Reading:
    values, first = [], None
    for batch in visited:
        first = batch.state if first is None else first
        values.append(_numbers(statement.measure(P, m, batch.state), P, _runs(batch.state)))
    t = np.arange(steps + 1)
    claimed = np.array([float(np.mean(value(statement.floor(P, m, int(T), first), P))) for T in t])
    return t, "steps", np.stack(values), t, claimed


def _runs(state: Any) -> int:
    sizes: list[int] = []
    tree_map(lambda a: sizes.append(a.shape[0]) if np.ndim(a) else None, state)
    return max(sizes, default=1)


def _drawn(
    statement: Any,
    P: Problem,
    m: Method,
    unit: str,
    at: Array,
    rows: Array,
    claimed_at: Array,
    claimed: Array,
) -> Curve | None:
    keep = np.unique(np.linspace(0, len(at) - 1, min(POINTS, len(at))).round().astype(int))
    some = np.unique(np.linspace(0, len(claimed) - 1, min(POINTS, len(claimed))).round().astype(int))
    mean = rows.mean(axis=1)[keep]
    if len(claimed) < 2 or not np.isfinite(mean[0]) or not (np.isfinite(claimed).any() and (mean > 0).any()):
        return None
    low, high = np.quantile(rows[keep], (0.05, 0.95), axis=1)
    return Curve(
        problem=P.spec,
        method=describe_method(m),
        unit=unit,
        at=np.asarray(at)[keep],
        measured=mean,
        low=low,
        high=high,
        claimed_at=np.asarray(claimed_at)[some],
        claimed=np.asarray(claimed)[some],
        floor=statement.kind == "Failure",
    )
