"""Sampled lens: claims about long runs, by e-values; only for what algebra cannot do.

One run is one number X >= 0 per claim: a terminal value, an average, the least value on a path.  E X <= B is
refuted by betting (`evalues`): probability of a false alarm at most ALARM whenever we stop; confirmed only by
an upper confidence bound below B, with its assumption in the note; anything else is inconclusive.

    Horizon     horizons 1, 2, 5, 10, ... are claims of one family, wealth = mean of their wealths
    Complexity  eps = 1/2, 1/10, 1/100, ... of the start: X = measure_N / eps after N = count(eps) steps
                (units of cost are turned into steps by the expected cost of a step)
    Failure     E X >= floor at T = `steps`: holds if E X <= floor is refuted
    OneStep     along paths, see `paths`
    Membership  of blocks whose law cannot be enumerated, see `selected`

A method without luck needs no test: one run is the expectation, and many starts are compared.
"""

import math
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.problems.classes import FunctionClass
from proveout.theory.lenses.common import ALARM, MISS, Budget, Refused, Watch, budget_of, decide, refusal
from proveout.theory.lenses.sampled import paths, selected
from proveout.theory.lenses.sampled.evalues import ASSUMPTION, guard, log_wealth, refutes, upper
from proveout.theory.lenses.sampled.questions import Question, ask, many, over, units
from proveout.theory.lenses.sampled.runs import chunk_of, deterministic, entropy, runs_for, starts, stored
from proveout.theory.statement import Method, Problem, Verdict
from proveout.theory.witness import decode

__all__ = ["check", "sides"]

GROUPS = {"quick": 1, "full": 2, "deep": 4}  # starts of a statistical test
KINDS = ("Horizon", "Complexity", "Failure", "OneStep", "Membership")


def check(
    statement: Any, problem: Problem, method: Method, *, budget: str | Budget = "quick", seed: int = 0
) -> Verdict:
    """Judge one statement on one problem by runs; never raises for what it cannot judge."""
    watch, size = Watch("sampled"), budget_of(budget)
    try:
        if statement.kind not in KINDS:
            raise Refused(f"runs say nothing about a {statement.kind}")
        if isinstance(problem, FunctionClass):
            raise Refused("a class of functions has no data to run on")
        if reason := refusal(statement, problem, method):
            raise Refused(reason)
        with np.errstate(all="ignore"):
            if statement.kind == "OneStep":
                return paths.check(statement, problem, method, size, seed, watch)
            if statement.kind == "Membership":
                key = entropy(seed, statement, problem, method)
                return selected.membership(statement, method, size, key, watch)
            question = ask(statement, problem, method, size)
            if deterministic(method.law(problem)):
                return _compare(question, size, watch)
            return _test(question, size, seed, watch)
    except Refused as refused:
        return watch.refused(refused)


def sides(statement: Any, problem: Problem, method: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """Both sides of a stored witness: the mean of its runs, made again from their seed, and the bound."""
    if statement.kind == "OneStep":
        return paths.sides(statement, problem, method, witness)
    if statement.kind == "Membership":
        return selected.sides(statement, method, witness)
    more = {k: decode(v) for k, v in witness["more"].items()}
    per_step = units(statement, problem, method)
    question = Question(statement, problem, method, (int(more["T"]),), (more["eps"],), per_step)
    x0 = np.asarray(more["x0"], float)
    with np.errstate(all="ignore"):
        bound = float(question.bounds(x0)[0])
        runs, batch = int(more["runs"]), int(more["batch"])
        start = method.init(problem, np.broadcast_to(x0, (batch, len(x0))))
        X = [question.numbers(start, batch, rng)[0] for rng in _streams(runs // batch, int(more["seed"], 16))]
        measured = float(np.mean(np.concatenate(X)))
    return (bound, measured) if statement.kind == "Failure" else (measured, bound)


def _streams(batches: int, key: int) -> list[Any]:
    """The generators of all batches of runs from one start."""
    return [np.random.default_rng(np.random.SeedSequence(key, spawn_key=(k,))) for k in range(batches)]


def _witness(
    question: Question, x0: Array, c: int, lhs: float, rhs: float, **more: Any
) -> dict[str, Any] | None:
    state = question.m.init(question.P, x0)
    where = {"T": question.times[c], "eps": question.eps[c], "x0": x0}
    return stored(question.P, question.m, state=state, lhs=float(lhs), rhs=float(rhs), **where, **more)


def _reach(question: Question) -> str:
    name = "N" if question.statement.kind == "Complexity" else "T"
    return f"{name} = {', '.join(map(str, question.times))}"


# ------------------------------------------------------------------ without luck


def _compare(question: Question, size: Budget, watch: Watch) -> Verdict:
    """One run is the expectation: compare at many starts, a failure at one."""
    fails = question.statement.kind == "Failure"
    x0 = starts(question.P, 1 if fails else many(question.P, size))
    start = question.m.init(question.P, x0)
    X, B = question.numbers(start, len(x0), np.random.default_rng(0))[0], question.bounds(x0)
    lhs, rhs = (B, X) if fails else (X, B)
    figures = over(lhs, rhs)
    if np.isnan(figures).all():
        raise Refused("no start gives numbers on both sides", "inconclusive")
    flat = int(np.nanargmin(figures) if fails else np.nanargmax(figures))
    s, c = np.unravel_index(flat, figures.shape)
    figure = float(figures[s, c])
    return watch.verdict(
        decide(figure, figure),
        figure=figure,
        grade="searched",
        states=f"searched({int((~np.isnan(figures)).any(axis=1).sum())})",
        notes=(f"no luck in this method, {_reach(question)}",),
        witness=_witness(question, x0[s], int(c), lhs[s, c], rhs[s, c], runs=1, batch=1, seed="0x0"),
    )


# ------------------------------------------------------------------ with luck


def _spoken_of(question: Question, x0: Array) -> bool:
    """Does every claim speak of this start?"""
    return not np.isnan(question.bounds(x0)).any()


def _test(question: Question, size: Budget, seed: int, watch: Watch) -> Verdict:
    """One group of runs per start; wealth = mean over groups and claims, looked at after every batch."""
    fails, P = question.statement.kind == "Failure", question.P
    groups = [x0 for x0 in starts(P, 1 if fails else GROUPS[size.name]) if _spoken_of(question, x0)]
    if not groups:
        raise Refused("the claim speaks of no start that is tried", "inconclusive")
    total = runs_for(P, question.m, size) // len(groups)
    batch = math.ceil(total / math.ceil(total / chunk_of(question.m.init(P, groups[0][None]), total)))
    key, threshold = entropy(seed, question.statement, P, question.m), math.log(len(groups))
    samples: list[tuple[Array, Array]] = []
    wealth = -math.inf
    for g, x0 in enumerate(groups):
        B, parts = question.bounds(x0), []
        start = question.m.init(P, np.broadcast_to(x0, (batch, len(x0))))
        for rng in _streams(math.ceil(total / batch), key + g):
            parts.append(tuple(over(X, B) for X in question.numbers(start, batch, rng)))
            Y = np.concatenate([p[0] for p in parts])
            logs = np.stack([log_wealth(y) for y in Y.T], axis=1) - math.log(Y.shape[1]) - threshold
            now = np.logaddexp.reduce(logs, axis=1)
            if refutes(np.logaddexp(wealth, now)):
                return _refuted(question, x0, Y, logs, batch, key + g, watch)
        wealth = float(np.logaddexp(wealth, now[-1]))
        samples.append((Y, np.concatenate([p[1] for p in parts])))
    if fails:
        return _failure(question, groups[0], samples[0][0][:, 0], batch, key, watch)
    return _confirmed(question, samples, watch)


def _refuted(
    question: Question, x0: Array, Y: Array, logs: Array, batch: int, key: int, watch: Watch
) -> Verdict:
    """The wealth has passed 1/ALARM: the claim is violated; the opposite of a failure, which so is confirmed."""
    c = int(logs[-1].argmax())
    figure = float(Y[:, c].mean())
    states = f"visited({len(Y)})"
    notes = (f"{len(Y)} runs, {_reach(question)}", f"wealth 1e{min(logs.max() / math.log(10), 999):.0f}")
    if question.statement.kind == "Failure":
        return watch.verdict("holds", figure=1 / figure, grade="sampled", states=states, notes=notes)
    B = question.bounds(x0)[c]
    witness = _witness(question, x0, c, figure * B, B, runs=len(Y), batch=batch, seed=hex(key))
    return watch.verdict("violated", figure=figure, states=states, notes=notes, witness=witness)


def _confirmed(question: Question, samples: list[tuple[Array, Array]], watch: Watch) -> Verdict:
    """`holds` if every claim at every start has its upper confidence bound below 1; inconclusive else."""
    columns = [column for _, Z in samples for column in Z.T]
    n = len(columns[0])
    doubts = [_doubt(column, MISS / len(columns)) for column in columns]
    doubt = next((d for d in doubts if d), "")
    figure = max(float(np.where(np.isnan(Y), np.inf, Y).mean(axis=0).max()) for Y, _ in samples)
    return watch.verdict(
        "inconclusive" if doubt else "holds",
        figure=figure,
        grade="sampled",
        states=f"visited({n * len(samples)})",
        notes=(f"{n * len(samples)} runs, {_reach(question)}", doubt or ASSUMPTION.format(7 / n)),
    )


def _doubt(Z: Array, beta: float) -> str:
    """Why a sample does not confirm E Z <= 1; empty if it does."""
    if reason := guard(Z):
        return reason
    bound = upper(Z, beta)
    return "" if bound <= 1 else f"upper confidence bound {bound:.3g} of the claim"


def _failure(question: Question, x0: Array, Y: Array, batch: int, key: int, watch: Watch) -> Verdict:
    """E X >= floor was not confirmed; an upper bound below the floor refutes it."""
    n, mean = len(Y), float(np.where(np.isnan(Y), np.inf, Y).mean())
    doubt = _doubt(Y, ALARM)
    B = float(question.bounds(x0)[0])
    witness = _witness(question, x0, 0, B, B * mean, runs=n, batch=batch, seed=hex(key))
    return watch.verdict(
        "inconclusive" if doubt else "violated",
        figure=1 / mean if mean > 0 else math.inf,
        states=f"visited({n})",
        notes=(f"{n} runs, {_reach(question)}", doubt or ASSUMPTION.format(7 / n)),
        witness=witness,
    )
