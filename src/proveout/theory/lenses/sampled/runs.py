"""Batches of runs for the sampled lens: draws, starts, horizons, seeds.

One run = one number per claim.  Runs are rows of one batch; their randomness is spawned from (seed,
statement, problem, method) and nothing else, so a verdict never depends on the machine: also the horizon
is chosen by counting floats, not seconds.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import Law
from proveout.theory.lenses.common import Budget, Refused, value
from proveout.theory.statement import Method, Problem, State, Terms
from proveout.theory.twins import AlteredProblem, unwrap
from proveout.theory.witness import build, encode

__all__ = [
    "GRID",
    "Batch",
    "chunk_of",
    "condition",
    "deterministic",
    "entropy",
    "expected_cost",
    "floats_of",
    "grid",
    "measured",
    "runs_for",
    "starts",
    "steps_within",
    "stored",
    "trajectory",
]

GRID = tuple(a * 10**k for k in range(7) for a in (1, 2, 5))  # horizons
WORK = {"quick": 8e8, "full": 1e10, "deep": 2e11}  # floats that the runs of one check may touch
LONGEST = {"quick": 1000, "full": 2000, "deep": 20_000}  # steps of a run
OVERHEAD = 2e5  # the calls of one step, in floats
BLOCK = 2_000_000  # floats of prefetched draws
WIDE = 500_000  # floats of one batch of states


def entropy(seed: int, statement: Any, P: Problem, m: Method) -> int:
    """The seed of a check: a function of the command's seed, the statement, the problem, the parameters."""
    while isinstance(P, AlteredProblem):
        P = P._base
    try:
        method = json.dumps(encode(unwrap(m)), sort_keys=True)
    except TypeError:
        method = repr(unwrap(m))
    where = getattr(P, "spec", "") or f"{type(P).__name__}:{getattr(P, 'n', '')}:{getattr(P, 'd', '')}"
    words = (str(seed), statement.kind, statement.source, statement.claim, where, method)
    return int.from_bytes(hashlib.sha256("|".join(words).encode()).digest()[:16], "big")


def deterministic(law: Law) -> bool:
    """Does the law leave nothing to luck at any step? (Schedules decide, they do not draw.)"""
    if law.size == 1:
        return True
    if not law.count <= 64:
        return False
    prob, _ = law.atoms()
    return int(np.count_nonzero(np.asarray(prob, float))) == 1


# ------------------------------------------------------------------ trajectories


class _Draws:
    """The draws of a batch of runs, step by step; blocks are drawn ahead where time changes nothing."""

    def __init__(self, law: Law, rng: Any, runs: int) -> None:
        self.law, self.rng, self.runs = law, rng, runs
        sizes: list[int] = []
        tree_map(lambda a: sizes.append(np.size(a)), law.sample(np.random.default_rng(0), ()))
        self.length = int(np.clip(BLOCK // max(1, runs * sum(sizes)), 1, 256))
        self.left: list[int] = []
        self.block: Any = None

    def at(self, t: int) -> Any:
        now = self.law.at(t)
        if now is not self.law:
            return now.sample(self.rng, (self.runs,))
        if not self.left:
            self.block = self.law.sample(self.rng, (self.length, self.runs))
            self.left = list(range(self.length))
        k = self.left.pop(0)
        return tree_map(lambda a: a[k], self.block)


@dataclass(frozen=True)
class Batch:
    """One moment of a batch of runs: leaves (S, ...)."""

    t: int
    state: State
    draw: Any  # of the step that led here; None at t = 0


def trajectory(P: Problem, m: Method, start: State, runs: int, steps: int, rng: Any) -> Iterator[Batch]:
    """The states of a batch of runs at t = 0, ..., steps: leaves of start (S, ...)."""
    state = start
    yield Batch(0, state, None)
    draws = _Draws(m.law(P), rng, runs)
    for t in range(steps):
        draw = draws.at(t)
        state = m.step(P, state, draw)
        yield Batch(t + 1, state, draw)


def measured(terms: Terms | Any, P: Problem, lead: tuple[int, ...]) -> Array:
    """A measure (terms, or a number per run) as floats: lead = () or (S,)."""
    return np.array(np.broadcast_to(np.asarray(value(terms, P), float), lead))


# ------------------------------------------------------------------ starts and horizons


def starts(P: Problem, count: int, seed: int = 0) -> Array:
    """x0: zero (or ones, if zero is the optimum), then random directions around x* at several scales: (count, d)."""
    rng = np.random.default_rng(seed)
    x_star = getattr(P, "x_star", None)
    centre = np.zeros(P.d) if x_star is None else np.asarray(x_star, float)
    size = float(np.linalg.norm(centre))
    first = np.zeros(P.d) if size > 0 else np.ones(P.d)
    unit = rng.standard_normal((count, P.d))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    scale = (size or 1.0) * 10.0 ** np.resize([0.0, -2.0, 2.0], count)
    rows = centre + scale[:, None] * unit
    rows[0] = first
    return np.asarray(rows)


def floats_of(state: State) -> int:
    """Floats of one run's state, leading axis removed."""
    total: list[int] = []
    tree_map(lambda a: total.append(np.size(a) // len(a)) if np.ndim(a) else None, state)
    return max(1, sum(total))


def steps_within(P: Problem, m: Method, runs: int, budget: Budget) -> int:
    """Steps that `runs` runs may take within the budget, by counting floats and not seconds; at least 1."""
    one, most = m.init(P, np.zeros((1, P.d))), LONGEST[budget.name]
    rows: Any = getattr(P, "rows", None) or getattr(P, "m", 1)  # `rows`: where m counts components
    gradient = 2 * rows * P.d * (P.d if getattr(P, "is_quadratic", False) else 2) / 16
    per_run = 10 * floats_of(one) + expected_cost(P, m, "gradients") * gradient
    steps = int(WORK[budget.name] / (runs * per_run + OVERHEAD * math.ceil(runs / chunk_of(one, runs))))
    return max(1, min(steps, most, scheduled(m.law(P), most)))


def runs_for(P: Problem, m: Method, budget: Budget) -> int:
    """The budget's runs; at quick four times as many where they cost no horizon."""
    if budget.name != "quick":
        return budget.runs
    many = 4 * budget.runs
    longest = scheduled(m.law(P), LONGEST[budget.name])
    return many if steps_within(P, m, many, budget) >= longest else budget.runs


def scheduled(law: Law, most: int) -> int:
    """How many steps the law has draws for: a schedule that does not cycle ends."""
    for t in sorted({*(g for g in GRID if g < most), most}, reverse=True):
        try:
            law.at(t - 1)
        except ValueError:
            continue
        return int(t)
    raise Refused("the schedule is empty")


def grid(most: int) -> tuple[int, ...]:
    """The horizons 1, 2, 5, 10, ... up to `most`, and `most` itself."""
    return tuple(sorted({*(g for g in GRID if g < most), most}))


def chunk_of(state: State, runs: int) -> int:
    """Runs per batch."""
    return int(np.clip(WIDE // floats_of(state), 8, max(8, runs)))


def expected_cost(P: Problem, m: Method, unit: str) -> float:
    """E cost of one step in a unit of Cost (averaged over a schedule); 1 for gradients of a method that does not say."""
    if not hasattr(m, "cost"):
        if unit == "gradients":
            return 1.0
        raise Refused(f"{type(unwrap(m)).__name__} has no cost, so {unit} cannot be counted")
    law, rng = m.law(P), np.random.default_rng(0)
    if law.at(1) is not law:
        steps = scheduled(law, 1000)
        prob, draw = np.full(steps, 1 / steps), law.block(rng, 0, steps)
    elif math.isfinite(law.count) and law.count <= 4096:
        prob, draw = law.atoms()
    else:
        prob, draw = np.full(4096, 1 / 4096), law.sample(rng, (4096,))
    cost = np.broadcast_to(np.asarray(getattr(m.cost(P, draw), unit), float), (len(prob),))
    return float(np.asarray(prob, float) @ cost)


def condition(P: Problem) -> float:
    """L_max / mu_min where there are such numbers, between 1 and 1e6."""
    top, bottom = float(getattr(P, "L_max", 1.0)), float(getattr(P, "mu_min", 1.0))
    return float(np.clip(top / bottom, 1.0, 1e6)) if bottom > 0 and np.isfinite(top) else 1e3


def stored(P: Problem, m: Method, **parts: Any) -> dict[str, Any] | None:
    """The witness, or None where a method holds what no file can (a function)."""
    try:
        return build(P, m, **parts)
    except TypeError:
        return None
