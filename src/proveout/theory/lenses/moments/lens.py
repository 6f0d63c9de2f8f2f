"""Moments lens: horizons of affine methods and quadratic measures, exactly, for all starts at once.

Pull back, never push forward: W_t = adjoint^t Q gives E measure_t = z_0' W_t z_0 (see `chain`), so

    last            W_T
    mean            sum_t w_t W_t
    mean_iterate    a running mean is added to the state
    min             of E measure_t over t: the mean decides all starts if its bound holds, else given starts
                    are compared one by one

If the bound is a quadratic form of the start plus a constant, all starts are decided by the generalised eigenvalue
of both forms, grade `exact`; else starts are tried, grade `searched`.  Starts are the states that `domain` allows,
or, of a statement without one, init(x0) for all x0.  E|v| is at most sqrt(E|v|^2): a measure whose square is
quadratic can be confirmed, not refuted.

    Complexity   E measure <= eps after N = count(eps) steps (units of cost: by the expected cost of a step)
    Failure      E measure at T = `steps` from the default start

Time-dependent laws and clocks are enumerated; `mean_square_rate`, `rate_of_period` (`spectrum`) tell the exact rate.
"""

from typing import Any

import numpy as np

from proveout.problems.classes import FunctionClass
from proveout.theory.lenses.common import (
    Budget,
    Refused,
    Watch,
    budget_of,
    decide,
    refusal,
)
from proveout.theory.lenses.moments.horizon import complexity, failure, horizon, replay
from proveout.theory.lenses.moments.setup import Found, Setup, setup
from proveout.theory.lenses.moments.spectrum import (
    certificate,
    critical_step,
    mean_square_rate,
    period_matrix,
    rate_of_period,
)
from proveout.theory.lenses.sampled.runs import stored
from proveout.theory.statement import Method, Problem, Verdict
from proveout.theory.witness import decode

__all__ = [
    "certificate",
    "check",
    "critical_step",
    "mean_square_rate",
    "period_matrix",
    "rate_of_period",
    "sides",
]

REPORTED = 40  # q up to which the exact rate is reported beside the claim
JUDGES = {"Horizon": horizon, "Complexity": complexity, "Failure": failure}


def check(
    statement: Any, problem: Problem, method: Method, *, budget: str | Budget = "quick", seed: int = 0
) -> Verdict:
    """Judge a Horizon, a Complexity or a Failure; never raises for what it cannot judge."""
    watch, size = Watch("moments"), budget_of(budget)
    try:
        if statement.kind not in JUDGES:
            raise Refused(f"second moments do not judge a {statement.kind}")
        if isinstance(problem, FunctionClass):
            raise Refused("a class of functions has no data")
        if reason := refusal(statement, problem, method):
            raise Refused(reason)
        with np.errstate(all="ignore"):
            try:
                made = setup(statement, problem, method, size)
                return _verdict(made, JUDGES[statement.kind](made, size), watch)
            except Refused as refused:  # a step that leaves the admissible states is judged outside of them
                if refused.word != "inconclusive" or getattr(statement, "domain", None) is None:
                    raise
                made = setup(statement, problem, method, size, everywhere=True)
                return _verdict(made, JUDGES[statement.kind](made, size), watch)
    except Refused as refused:
        return watch.refused(refused)


def sides(statement: Any, problem: Problem, method: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """Both sides of a stored witness: E measure from its start, through the step again, and the bound."""
    more = {k: decode(v) for k, v in witness["more"].items()}
    with np.errstate(all="ignore"):
        return replay(statement, problem, method, decode(witness["state"]), int(more["T"]), more["eps"])


def _verdict(made: Setup, found: Found, watch: Watch) -> Verdict:
    statement, P, m = made.statement, made.P, made.m
    T, eps = found.T, found.eps
    start = made.starts.state(found.s)
    lhs, rhs = replay(statement, P, m, start, T, eps, made)
    again = lhs / rhs if rhs > 0 else (np.inf if lhs > 0 else 0.0)
    word = decide(found.figure, None if found.upper else again)
    if found.grey and abs(found.figure - 1) < 1e-6:
        word = "inconclusive"
    notes = [found.note, *made.chain.notes(), _rate(made)]
    return watch.verdict(
        word,
        figure=found.figure,
        grade="exact" if found.exact else "searched",
        states=found.states,
        notes=notes,
        witness=None if word == "holds" else stored(P, m, state=start, lhs=lhs, rhs=rhs, T=T, eps=eps),
    )


def _rate(made: Setup) -> str:
    """The exact mean-square rate, where it is cheap."""
    if made.chain.coords.q > REPORTED or len(made.chain.kernels) > 1:
        return ""
    try:
        return f"mean-square rate {mean_square_rate(made.statement, made.P, made.m):.6g} per step"
    except Refused:
        return ""
