"""Membership lens: E left <= constant E right for all inputs, the expectation taken over the draws of a block.

Decided without a search where that is possible (`decided`, grade `exact`), otherwise searched (`optimise`, starts
at the block's `extremes`, grade `searched`).  "Least" is certified by a witness that attains (1 - LEAST) constant,
1e-6 where the supremum is attained.  Implications and non-implications are judged by `implication`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import (
    LEAST,
    ROUNDING,
    VIOLATION,
    Budget,
    Refused,
    Watch,
    budget_of,
    decide,
    refusal,
)
from proveout.theory.lenses.membership import implication
from proveout.theory.lenses.membership.companion import companion
from proveout.theory.lenses.membership.decided import decided, scale_free
from proveout.theory.lenses.membership.inequality import Found, Inequality, extremes, inequality
from proveout.theory.lenses.membership.optimise import maximise
from proveout.theory.lenses.sampled.runs import stored
from proveout.theory.statement import Method, Problem, Verdict
from proveout.theory.witness import decode

__all__ = ["check", "largest", "sides"]

ATTAINED = 1e-6  # what a supremum that is attained must reach


def check(
    statement: Any, problem: Problem, method: Method, *, budget: str | Budget = "quick", seed: int = 0
) -> Verdict:
    """Judge a Membership, an Implication or a NonImplication; never raises for what it cannot judge."""
    watch, size = Watch("membership"), budget_of(budget)
    try:
        if statement.kind in ("Implication", "NonImplication"):
            return implication.check(statement, problem, method, watch)
        if statement.kind != "Membership":
            raise Refused(f"a block alone says nothing about a {statement.kind}")
        if reason := refusal(statement, problem, method):
            raise Refused(reason)
        return _membership(statement, method, size, seed, watch)
    except Refused as refused:
        return watch.refused(refused)


def sides(statement: Any, problem: Problem, method: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """Both sides of a stored witness."""
    if statement.kind != "Membership":
        return implication.sides(statement, problem, method, witness)
    more = {k: decode(v) for k, v in witness["more"].items()}
    ineq = replace(inequality(statement, method, int(more["d"])), claim=int(more.get("claim", 0)))
    return _at(statement, ineq, np.asarray(decode(witness["state"]), float).ravel(), bool(more["least"]))


def _membership(statement: Any, block: Any, size: Budget, seed: int, watch: Watch) -> Verdict:
    notes: list[str] = []
    found: list[tuple[Inequality, Found]] = []
    for ineq in _inequalities(statement, block, notes):
        found.append((ineq, largest(ineq, size, seed)))
        if not found[-1][1].exact and found[-1][1].figure > 1 + VIOLATION:
            break  # a search that has refuted one claim need not go on
    if not found:
        raise Refused(notes[0] if notes else "the statement names no dimension")
    ineq, worst = max(found, key=lambda pair: pair[1].figure)
    exact = all(f.exact for _, f in found)
    if statement.least and worst.figure <= 1 + ROUNDING:
        slack = [(i, f) for i, f in found if f.figure < 1 - _tolerance(statement) and i.constant > 0]
        if slack:
            return _not_least(statement, block, *min(slack, key=lambda pair: pair[1].figure), notes, watch)
    how = "; ".join(dict.fromkeys(f"d = {i.d}: {f.how}" for i, f in found))
    witness = _witness(statement, block, ineq, worst.z, least=False)
    lhs, rhs = _at(statement, ineq, worst.z, False)
    word = decide(worst.figure, lhs / rhs if rhs > 0 else (np.inf if lhs > 0 else 0.0))
    return watch.verdict(
        word,
        figure=worst.figure,
        grade="exact" if exact else "searched",
        states="all" if exact else worst.looked,
        notes=[*notes, how],
        witness=witness,
    )


def _inequalities(statement: Any, block: Any, notes: list[str]) -> Iterator[Inequality]:
    """Every claim in every dimension; `notes` collects why a dimension is left out."""
    for d in statement.dims:
        try:
            yield from inequality(statement, block, d).claims()
        except Refused as refused:
            notes.append(refused.reason)


def _tolerance(statement: Any) -> float:
    return ATTAINED if statement.attained else LEAST


def _not_least(
    statement: Any, block: Any, ineq: Inequality, found: Found, notes: list[str], watch: Watch
) -> Verdict:
    """The constant holds, but nothing attains it: violated if all inputs were decided."""
    note = f"d = {ineq.d}: the least constant found is {found.figure * ineq.constant:.10g} of {ineq.constant:.10g}"
    return watch.verdict(
        "violated" if found.exact else "inconclusive",
        figure=1 / found.figure if found.figure > 0 else np.inf,
        states=found.looked,
        notes=[*notes, note],
        witness=_witness(statement, block, ineq, found.z, least=True),
    )


def _at(statement: Any, ineq: Inequality, z: Array, least: bool) -> tuple[float, float]:
    """Both sides at one input; of a constant that is not the least, exchanged."""
    left, right = ineq.both(z[None])
    lhs, rhs = float(left[0]), float(ineq.constant * right[0])
    return (rhs * (1 - _tolerance(statement)), lhs) if least else (lhs, rhs)


def _witness(statement: Any, block: Any, ineq: Inequality, z: Array, least: bool) -> dict[str, Any] | None:
    lhs, rhs = _at(statement, ineq, z, least)
    return stored(
        None, block, state=z.reshape(ineq.shape), lhs=lhs, rhs=rhs, d=ineq.d, claim=ineq.claim, least=least
    )


# ------------------------------------------------------------------ the largest ratio


def largest(ineq: Inequality, size: Budget, seed: int = 0) -> Found:
    """Decided where possible, else searched."""
    found = decided(ineq)
    if found is not None:
        return found
    many = int(np.clip(size.pairs / 16 / ineq.width, 200, size.evaluations))
    reduced = companion(ineq)
    rows = ineq.shape[0] if ineq.shape[0] > 1 and reduced is None else 1
    if reduced is not None:
        many //= 1 + len(reduced.ways)
    best = [
        maximise(
            ineq.figures if reduced is None else reduced.figures,
            ineq.q if reduced is None else reduced.q,
            starts=extremes(ineq) if reduced is None else reduced.starts(),
            evaluations=many,
            seed=seed + 1000 * k,
            scale_free=scale_free(ineq),
            rows=rows,
        )
        for k in range(size.seeds)
    ]
    top = max(best, key=lambda b: b.value)
    spread = f", spread over seeds {min(b.value for b in best) / top.value - 1:.1e}" if len(best) > 1 else ""
    used = sum(b.evaluations for b in best)
    z = top.point if reduced is None else reduced.whole(top.point)
    value = top.value if reduced is None else reduced.supremum(top.point)
    return Found(value, z, False, f"searched({used})", f"searched{spread}")
