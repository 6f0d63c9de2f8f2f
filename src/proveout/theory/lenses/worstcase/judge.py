"""Verdicts of the worst-case lens, and the replay of its witnesses."""

import math
from typing import Any

from proveout.problems.classes import of_problem
from proveout.theory.lenses.common import Refused, Watch, refusal
from proveout.theory.lenses.worstcase.draws import Settings
from proveout.theory.lenses.worstcase.program import Point
from proveout.theory.lenses.worstcase.question import Answer, Question, ask, worst
from proveout.theory.lenses.worstcase.start import has_clock
from proveout.theory.statement import Horizon, Method, OneStep, Problem, Verdict
from proveout.theory.witness import build, decode

__all__ = ["check", "sides"]

HORIZONS = (1, 2, 5)  # steps at which a Horizon claim is judged
FEASIBLE = 1e-7  # relative; a stored Gram matrix must satisfy the class inequalities to this


def check(
    statement: Any, problem: Problem, method: Method, *, budget: str = "quick", seed: int = 0
) -> Verdict:
    """Judge a OneStep or Horizon claim on the class of a problem; nothing here is random, or has a budget."""
    watch = Watch("worstcase")
    if not isinstance(statement, (OneStep, Horizon)):
        return watch.refused(f"a {statement.kind} has no worst case over a class")
    P = problem if not hasattr(problem, "grads") else of_problem(problem)
    reason = refusal(statement, P, method)
    if reason is not None:
        return watch.refused(reason)
    try:
        answers = _answers(statement, P, method)
    except Refused as error:
        return watch.refused(error)
    except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
        return watch.refused(f"no reading on abstract vectors: {error}")
    return _verdict(watch, P, method, answers)


def _answers(statement: Any, P: Problem, method: Method) -> dict[int, Answer]:
    """One answer per horizon; horizons with too many paths are left out."""
    if isinstance(statement, OneStep):
        return {1: worst(statement, P, method)}
    found: dict[int, Answer] = {}
    for T in HORIZONS:
        try:
            found[T] = worst(statement, P, method, steps=T)
        except Refused:
            if not found:
                raise
            break
        if found[T].violated:
            break
    return found


def _verdict(watch: Watch, P: Problem, method: Method, answers: dict[int, Answer]) -> Verdict:
    worst_of = max(answers, key=lambda T: _figure(answers[T]))
    T, found = next(((T, a) for T, a in answers.items() if not a.holds), (worst_of, answers[worst_of]))
    question, interval = found.question, found.interval
    notes = list(question.trace.notes)
    if has_clock(question.trace.state):
        notes.append("clock 0 to 3")
    if len(answers) > 1 or question.trace.settings.steps > 1:
        notes.append(f"T = {', '.join(map(str, answers))}")
    if found.holds:
        word = "holds"
    elif found.violated and question.trace.exact:
        word = "violated"
    else:
        word = "inconclusive"
        notes.append(_why(found))
    witness = _witness(P, method, found, T) if found.violated else None
    figure = (
        _figure(found) if found.holds else (interval.low / question.claimed if question.claimed > 0 else None)
    )
    return watch.verdict(
        word,  # type: ignore[arg-type]
        figure=figure,
        grade="certified",
        states="all",
        branches=question.branches,
        notes=notes,
        witness=witness,
        problem=getattr(P, "spec", ""),
    )


def _figure(found: Answer) -> float:
    claimed = found.question.claimed
    return found.interval.up / claimed if claimed > 0 else math.nan


def _why(found: Answer) -> str:
    low, up, claimed = found.interval.low, found.interval.up, found.question.claimed
    if math.isinf(up) and not found.violated:
        return "unbounded or degenerate: no multipliers prove any rate"
    return f"certified [{low:.10g}, {up:.10g}] against {claimed:.10g}"


# ------------------------------------------------------------------ witnesses


def _witness(P: Problem, method: Method, found: Answer, T: int) -> dict[str, Any]:
    """The worst Gram matrix as factors W_b (rows = vectors, G_b = W_b W_b'), with the function values."""
    point, settings = found.interval.point, found.question.trace.settings
    lhs, rhs = found.question.sides(point)  # type: ignore[arg-type]
    return build(
        P,
        method,
        state=None,
        lhs=lhs,
        rhs=rhs,
        factors=point.factors,  # type: ignore[union-attr]
        values=point.values,  # type: ignore[union-attr]
        basis=found.question.trace.basis,
        full=settings.full,
        tilt=settings.tilt,
        blocks=settings.blocks,
        inner=settings.inner,
        clock=settings.clock,
        steps=T,
    )


def sides(statement: Any, problem: Problem, method: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """Both sides of a stored violation: step and V are traced again, the class inequalities re-evaluated.

    Raises ValueError if the stored Gram matrix does not fit, or belongs to no functions of the class.
    """
    more = {k: decode(v) for k, v in witness["more"].items()}
    names = ("full", "tilt", "blocks", "inner", "steps", "clock")
    settings = Settings(**{name: more[name] for name in names})
    question = ask(statement, problem, method, settings)
    point = Point(tuple(more["factors"]), more["values"])
    _feasible(question, point)
    return question.sides(point)


def _feasible(question: Question, point: Point) -> None:
    shapes = [len(b) for b in question.normal.blocks]
    if [len(W) for W in point.factors] != [*shapes, 1] or len(point.values) != len(question.normal.values):
        raise ValueError("the stored Gram matrix has another size than the trace")
    size = max(1e-300, *(abs(side) for side in question.sides(point)))
    for condition in question.trace.inequalities:
        if point.of(condition.form) < -FEASIBLE * size:
            raise ValueError(f"the stored Gram matrix violates {condition.name}")
    for condition in question.trace.equalities:
        if abs(point.of(condition.form)) > FEASIBLE * size:
            raise ValueError(f"the stored Gram matrix violates {condition.name}")
