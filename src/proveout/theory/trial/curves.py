"""Claimed against measured: what a statement promises along a run, and what runs do.

    OneStep      E[V_t + sum_s rate^(t-1-s) progress_s]  against  rate^t V_0 + noise (1 + .. + rate^(t-1))
    Horizon      E measure, aggregated as the statement says, against its bound
    Complexity   E measure along the cost that is counted, against (count(eps), eps)
    Failure      E measure, against the floor it never falls below

A curve illustrates, it judges nothing: runs start at one point, a claim speaks of all.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.problems import build
from proveout.run import Trace, run
from proveout.theory.statement import Method, Problem, branches, evaluate
from proveout.theory.trial import pool, sources
from proveout.theory.trial.check import case_of, methods_of
from proveout.theory.trial.judge import describe_method

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
    branches: int = 0  # of the rate, of which the largest counts


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
            if not isinstance(method, Exception) and case.statement.allows(problem, method):
                return curve(case.statement, problem, method, seed=seed)
    return None


def curve(statement: Any, P: Problem, m: Method, *, seed: int = 0) -> Curve | None:
    """The curve of a statement on a problem with data; None where nothing can be drawn."""
    small = getattr(P, "is_quadratic", False)
    runs, steps = (SEEDS, STEPS) if small else (FEW, SHORT)
    steps = min(steps, _horizon(statement, P, m))
    star = getattr(P, "x_star", None)
    x0 = np.zeros(P.d) if star is None or np.any(star) else np.ones(P.d)
    asked: dict[str, Any] = {"V": _Measure(statement, steps)}
    if getattr(statement, "progress", None) is not None:
        asked["progress"] = lambda P, m, s: _number(statement.progress(P, m, s), P)
    with np.errstate(all="ignore"):
        trace = run(P, m, steps=steps, seeds=runs, x0=x0, measures=asked, every=1, seed=seed)
        start = m.init(P, x0)
        at, rows, claimed_at, claimed = _READINGS[statement.kind](statement, trace, start)
    return _drawn(statement, trace, at, rows, claimed_at, claimed)


Reading = tuple[Array, Array, Array, Array]  # at, measured (R, runs), claimed_at, claimed


def _horizon(statement: Any, P: Problem, m: Method) -> int:
    """Steps until a contraction has done DECADES decades; a guess for the others."""
    if statement.kind != "OneStep":
        return STEPS // 2
    rate = max(float(r) for r in branches(statement.rate(P, m)))
    if not 0 < rate < 1:
        return STEPS // 2
    return int(np.clip(DECADES * math.log(10) / -math.log(rate), 20, STEPS))


def _number(terms: Any, P: Problem) -> Array:
    return evaluate(terms, P) if isinstance(terms, tuple) else terms


class _Measure:
    """V, or the statement's measure; of the mean iterate where the statement says so."""

    def __init__(self, statement: Any, steps: int) -> None:
        self.of = statement.lyapunov if statement.kind == "OneStep" else statement.measure
        self.averaged = getattr(statement, "over", "") == "mean_iterate"
        self.steps, self.calls, self.mean = steps, 0, None

    def __call__(self, P: Problem, m: Method, state: Any) -> Array:
        if self.averaged:
            t = self.calls % (self.steps + 1)  # a new chunk of seeds begins at 0
            self.calls += 1
            self.mean = state if t == 0 else tree_map(lambda a, b: _blend(a, b, t), self.mean, state)
            state = self.mean
        return _number(self.of(P, m, state), P)


def _blend(mean: Any, now: Any, t: int) -> Any:
    return mean + (now - mean) / (t + 1) if isinstance(now, np.ndarray) and now.dtype.kind == "f" else now


# ------------------------------------------------------------------ what each kind promises


def _promise(of: Callable[..., Any], P: Problem, m: Method, at: Any, start: Any) -> float:
    """A bound, a floor or a count; NaN where the statement says nothing (a horizon that is too short)."""
    try:
        return float(np.mean(_number(of(P, m, at, start), P)))
    except ValueError:
        return math.nan


def _one_step(statement: Any, trace: Trace, start: Any) -> Reading:
    P, m, t = trace.problem, trace.method, trace.t
    rate = max(float(r) for r in branches(statement.rate(P, m)))
    noise = 0.0 if statement.noise is None else float(statement.noise(P, m))
    rows = trace["V"].copy()
    if "progress" in trace.measures:
        spent = np.zeros(trace.seeds)
        for k, progress in enumerate(trace["progress"]):
            rows[k] += spent
            spent = rate * spent + progress
    geometric = t if abs(rate - 1) < 1e-12 else (1 - rate**t) / (1 - rate)
    return t, rows, t, rate**t * rows[0].mean() + noise * geometric


def _horizons(statement: Any, trace: Trace, start: Any) -> Reading:
    P, m, t = trace.problem, trace.method, trace.t[1:]
    claimed = [_promise(statement.bound, P, m, int(T), start) for T in t]
    return t, _aggregated(statement, trace)[1:], t, np.array(claimed)


def _aggregated(statement: Any, trace: Trace) -> Array:
    """Row T: the statement's quantity at horizon T."""
    values = trace["V"]
    if statement.over in ("last", "mean_iterate"):
        return values
    shift = 1 if statement.includes_end else 0
    out = values.copy()
    for T in range(1, len(values)):
        part = values[: T + shift]
        if statement.over == "min":
            out[T] = part[np.argmin(part.mean(axis=1))]
        else:
            weights = statement.weights
            w = np.ones(len(part)) if weights is None else weights(trace.problem, trace.method, T)
            out[T] = np.asarray(w, float) @ part / np.sum(w)
    return out


def _complexity(statement: Any, trace: Trace, start: Any) -> Reading:
    P, m, rows = trace.problem, trace.method, trace["V"]
    at = trace.t if statement.unit == "steps" else trace.costs[statement.unit].mean(axis=1)
    eps = rows[0].mean() * 10.0 ** -np.linspace(0.25, DECADES, 40)
    counts = np.array([_promise(statement.count, P, m, float(e), start) for e in eps])
    keep = counts <= 1.5 * at[-1]
    return at, rows, counts[keep], eps[keep]


def _failure(statement: Any, trace: Trace, start: Any) -> Reading:
    P, m = trace.problem, trace.method
    claimed = [_promise(statement.floor, P, m, int(T), start) for T in trace.t]
    return trace.t, trace["V"], trace.t, np.array(claimed)


_READINGS = {"OneStep": _one_step, "Horizon": _horizons, "Complexity": _complexity, "Failure": _failure}


def _drawn(
    statement: Any, trace: Trace, at: Array, rows: Array, claimed_at: Array, claimed: Array
) -> Curve | None:
    P, m = trace.problem, trace.method
    keep = np.unique(np.linspace(0, len(at) - 1, min(POINTS, len(at))).round().astype(int))
    some = np.unique(np.linspace(0, len(claimed) - 1, min(POINTS, len(claimed))).round().astype(int))
    mean = rows.mean(axis=1)[keep]
    if len(claimed) < 2 or not np.isfinite(mean[0]) or not (np.isfinite(claimed).any() and (mean > 0).any()):
        return None
    low, high = np.quantile(rows[keep], (0.05, 0.95), axis=1)
    return Curve(
        problem=P.spec,
        method=describe_method(m),
        unit=getattr(statement, "unit", "steps"),
        at=np.asarray(at)[keep],
        measured=mean,
        low=low,
        high=high,
        claimed_at=np.asarray(claimed_at)[some],
        claimed=np.asarray(claimed)[some],
        floor=statement.kind == "Failure",
        branches=len(branches(statement.rate(P, m))) if statement.kind == "OneStep" else 0,
    )
