"""What the moments lens judges: horizons, complexities and failures, on one chain and one space of starts.

made = setup(statement, P, m, budget)      # coordinates, chain, starts
found = horizon(made, budget)              # the worst over horizons T and starts
lhs, rhs = replay(statement, P, m, start, T, eps)
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.common import BUDGETS, VIOLATION, Budget, Refused
from proveout.theory.lenses.forms import corner, evaluate_form, form, ray, sup_ratio
from proveout.theory.lenses.moments.setup import Found, Setup, cleaned, setup
from proveout.theory.lenses.sampled.questions import Question
from proveout.theory.lenses.sampled.runs import (
    GRID,
    deterministic,
    expected_cost,
    measured,
    scheduled,
    starts,
)
from proveout.theory.lenses.states import clock_of
from proveout.theory.statement import Method, Problem, State

__all__ = ["complexity", "failure", "horizon", "replay"]

LONGEST = {"quick": 1000, "full": 2000, "deep": 20_000}  # horizon of a method whose maps never change
CLOCKED = {"quick": 100, "full": 300, "deep": 3000}  # and of one whose maps are read at every step
SHARE = {"quick": 0.5, "full": 0.1, "deep": 0.1}  # of the budget's flops
SOME = 24  # starts that are tried where forms do not decide
TINY = 1e-250  # of the measure: where doubles end
OVERFLOWING = 1e200  # figures beyond are about to leave the doubles
EPSILONS = (0.5, 0.1, 1e-2, 1e-4, 1e-6)  # targets of a complexity, relative to the start


def _longest(made: Setup, size: Budget) -> int:
    """Steps within the budget."""
    kernel = made.chain.kernel(made.key, 0)
    per_step = 4 * kernel.atoms * made.chain.D**3 + 1e5
    still = not clock_of(made.chain.coords.star) and made.chain.timeless
    most = min(
        (LONGEST if still else CLOCKED)[size.name], int(SHARE[size.name] * size.flops / (2.5 * per_step))
    )
    return scheduled(made.chain.law, max(1, most))


def _worst(found: list[Found], note: str) -> Found:
    """The largest figure; one that has overflowed only where no smaller one refutes, since it cannot be replayed."""
    finite = [f for f in found if f.figure < OVERFLOWING]
    some = finite if any(f.figure > 1 + VIOLATION for f in finite) else found
    top = max(some, key=lambda f: f.figure if not math.isnan(f.figure) else math.inf)
    undecided = [f for f in found if not f.exact]
    return replace(
        top,
        exact=not undecided,
        states=undecided[0].states if undecided else "all",
        note=note,
        grey=any(f.grey for f in found),
    )


def _ratios(lhs: Array, rhs: Array) -> Array:
    out = np.where(rhs > 0, lhs / np.where(rhs > 0, rhs, 1), np.where(lhs > 0, np.inf, 0.0))
    return np.where(np.isnan(lhs) | ~np.isfinite(rhs), -1.0, out)


def _all_starts(made: Setup, T: int, E: Array, B: Array) -> Found:
    """The generalised eigenvalue of both forms of the start."""
    figure, z, grey = sup_ratio(E, B)
    s = ray(z)
    ratios = _ratios(evaluate_form(E, s), evaluate_form(B, s))
    near = np.abs(np.log(np.maximum(np.linalg.norm(s, axis=1), 1e-300)))
    s = s[
        int(np.where(ratios >= ratios.max() * (1 - 1e-9), -near, -np.inf).argmax())
    ]  # the most moderate one
    return Found(figure=float(figure), s=s, T=T, exact=True, states="all", grey=grey)


def _given(made: Setup, T: int, s: Array, lhs: Array, rhs: Array) -> Found:
    """The worst of the starts (S, q) that were tried."""
    ratios = _ratios(lhs, rhs)
    k = int(ratios.argmax())
    return Found(
        figure=float(ratios[k]), s=s[k], T=T, exact=False, states=f"searched({len(s)})", upper=made.squared
    )


# ------------------------------------------------------------------ horizons


def horizon(made: Setup, size: Budget) -> Found:
    """The worst over T = 1, 2, 5, 10, ... and over starts."""
    found: list[Found] = []
    most = _longest(made, size)
    made.reach(most)
    for T in sorted({*(g for g in GRID if g < most), most}):
        if not _speaks(made, T):
            continue
        one = _at(made, T)
        if one is None:
            break  # the bound has reached the rounding of the machine
        found.append(one)
    if not found:
        raise Refused("the bound speaks of no horizon, or of less than rounding resolves")
    return _worst(found, f"T = {', '.join(str(f.T) for f in found)}")


def _speaks(made: Setup, T: int) -> bool:
    """Does the bound speak of this horizon?"""
    try:
        return bool(np.isfinite(_bound(made, T, made.starts.state(made.starts.zero))))
    except (ValueError, ArithmeticError):
        return False


def _bound(made: Setup, T: int, start: State) -> float:
    return float(measured(made.statement.bound(made.P, made.m, T, start), made.P, ()))


def _bound_form(made: Setup, T: int) -> Array | None:
    """The bound as a form of the start; None if it is none."""
    if made.squared:
        return None
    space: Any = made.starts  # has the q and the state that a form is read from
    try:
        B = form(made.P, made.m, lambda P, m, s: made.statement.bound(P, m, T, s), space)
    except (TypeError, ValueError, ArithmeticError):  # the statement computes with one number per start
        return None
    return None if B is None else cleaned(B, made.chain.kappa)


def _at(made: Setup, T: int) -> Found | None:
    """The worst start of one horizon; None if the bound is below what numbers resolve.

    Of `min`, the mean (or the last iterate) decides all starts if its bound holds.
    """
    least = made.statement.over == "min"
    E, B = made.pulled(T), _bound_form(made, T)
    s = made.starts.some(SOME)
    if B is not None:
        far, end = float(np.abs(np.diag(B)[:-1]).max(initial=0.0)), TINY * np.abs(made.form(made.key)).max()
        if np.abs(B).max() <= max(1e3 * made.floor, end) or 0 < far < end:
            return None
        E = np.where(np.abs(E) < end, 0.0, E)
        found = _all_starts(made, T, E, B + corner(made.starts.q, made.slack(B[-1, -1])))
        if found.figure <= 1 or not least:
            return found
        s = np.concatenate([found.s[None], s])
    rhs = np.array([_bound(made, T, made.starts.state(row)) for row in s]) + made.rounding
    return _given(made, T, s, _values(made, T, E, s), rhs)


def _values(made: Setup, T: int, E: Array, s: Array) -> Array:
    """E measure over the horizon at starts (S, q); an upper bound where the measure is a root."""

    def root(v: Array) -> Array:
        return np.asarray(np.sqrt(np.maximum(v, 0))) if made.squared else v

    over = made.statement.over
    if over == "min" or over == "mean" and made.squared:
        along = root(made.along(s, T))
        w = made.weights(T)
        return np.asarray(along[: len(w)].min(axis=0) if over == "min" else w @ along[: len(w)])
    return np.asarray(root(evaluate_form(E, s)))


# ------------------------------------------------------------------ complexities and failures


def complexity(made: Setup, size: Budget) -> Found:
    """E measure_N <= eps at eps = 1/2, 1/10, ... of the start; all starts, if they all are given the same N."""
    statement, P, m = made.statement, made.P, made.m
    most = _longest(made, size)
    made.reach(most)
    per_step = 1.0 if statement.unit == "steps" else expected_cost(P, m, statement.unit)
    Q0, s = made.into(made.form(made.key)), made.starts.some(8)
    m0 = evaluate_form(Q0, s)
    s, m0 = s[m0 > 0], m0[m0 > 0]
    found: list[Found] = []
    need = math.inf
    for eps in EPSILONS:
        level = eps * np.sqrt(m0) if made.squared else eps * m0
        counts = [
            statement.count(P, m, float(e), made.starts.state(x)) for e, x in zip(level, s, strict=True)
        ]
        steps = np.array([max(0, math.ceil(min(float(N), 1e15) / per_step - 1e-9)) for N in counts])
        need = min(need, float(steps.min()))
        for N in sorted(set(steps.tolist())):
            if N > most:
                continue
            target = eps**2 if made.squared else eps
            E, B = made.pulled(N), target * Q0 + corner(made.starts.q, made.floor)
            here = steps == N
            one = (
                _all_starts(made, N, E, B)
                if here.all()
                else _given(made, N, s[here], evaluate_form(E, s[here]), evaluate_form(B, s[here]))
            )
            found.append(replace(one, eps=eps, upper=made.squared))
    if not found:
        raise Refused(f"needs {need:.3g} steps, the budget has room for {most}")
    return _worst(found, f"N = {', '.join(str(f.T) for f in found)}")


def failure(made: Setup, size: Budget) -> Found:
    """E measure at T = `steps` from the default start (ones, if zero is the optimum)."""
    if made.squared:
        raise Refused("the square of the measure is known, which is no lower bound of its mean")
    s = made.starts.of(starts(made.P, 1)[0])
    lhs, rhs = replay(made.statement, made.P, made.m, made.starts.state(s), made.statement.steps, None, made)
    figure = float(_ratios(np.array(lhs), np.array(rhs)))
    T = made.statement.steps
    return Found(figure=figure, s=s, T=T, exact=True, states="visited(1)", note=f"T = {T}")


# ------------------------------------------------------------------ replay


def replay(
    statement: Any,
    P: Problem,
    m: Method,
    start: State,
    T: int,
    eps: float | None,
    made: Setup | None = None,
) -> tuple[float, float]:
    """Both sides at one start: E measure through `step` (forward, run step by step where there is no luck)."""
    if statement.kind == "Horizon":
        claim = float(measured(statement.bound(P, m, T, start), P, ()))
    elif statement.kind == "Failure":
        claim = float(statement.floor(P, m, T, start))
    else:
        claim = float(eps or 0.0) * float(measured(statement.measure(P, m, start), P, ()))
    if deterministic(m.law(P)):
        one = tree_map(lambda a: a if type(a) is int else np.asarray(a)[None], start)
        X, _ = Question(statement, P, m, (T,), (eps,)).numbers(one, 1, np.random.default_rng(0))
        measure = float(X[0, 0])
    else:
        measure = _forward(made or _fresh(statement, P, m), start, T)
    return (claim, measure) if statement.kind == "Failure" else (measure, claim)


def _fresh(statement: Any, P: Problem, m: Method) -> Setup:
    try:
        made = setup(statement, P, m, BUDGETS["deep"])
        made.chain.kernel(made.key, 0)
        return made
    except Refused as refused:
        if refused.word != "inconclusive":
            raise
        return setup(statement, P, m, BUDGETS["deep"], everywhere=True)


def _forward(made: Setup, start: State, T: int) -> float:
    made.reach(T)
    z = made.chain.within(np.append(made.chain.coords.y(start), 1.0)[:, None]).T
    w, over = made.weights(T), getattr(made.statement, "over", "last")
    if over == "mean_iterate":
        return float((z @ made.chain.pull_mean(made.key, T, w, made.form) @ z.T)[0, 0])
    along = made.chain.push(made.key, z, T, made.form)[:, 0]
    if made.squared:
        along = np.sqrt(np.maximum(along, 0))
    return float(along[: len(w)].min() if over == "min" else w @ along[: len(w)])
