"""Implications between classes of estimators, and witnesses that there is none.

Implication: the estimator has constants a in `given`; then it has constants(a) in `then`.  The least constants
are compared, or the figure that `then` computes.  NonImplication: the witness is in `given` and not in `then`.
Assumptions of `methods/blocks/assumptions` stand for themselves: compared for all estimators at once if the method is
a record of their constants (`arrows`), and asked of the zoo if it is an estimator.
"""

import math
from typing import Any

from proveout.theory.lenses.common import Refused, Watch, decide, refusal
from proveout.theory.lenses.membership import arrows
from proveout.theory.lenses.membership.classes import as_class, compare
from proveout.theory.lenses.sampled.runs import stored
from proveout.theory.statement import Implication, Method, Problem, Verdict

__all__ = ["check", "sides"]


def check(statement: Any, P: Problem, m: Method, watch: Watch) -> Verdict:
    """Judge an Implication on one estimator, or a NonImplication on its own witness."""
    if not isinstance(statement, Implication):
        return (
            arrows.check_apart(statement, watch)
            if arrows.is_apart(statement)
            else _not_implied(statement, watch)
        )
    if arrows.is_arrow(statement, m):
        return arrows.check_arrow(statement, P, m, watch)
    if not arrows.is_open(statement) and (reason := refusal(statement, P, m)):
        raise Refused(reason)
    figure, lhs, rhs, note = _compared(statement, P, m)
    grade = (
        "exact" if all(getattr(c, "exact", True) for c in (statement.given, statement.then)) else "searched"
    )
    return watch.verdict(
        decide(figure, figure),
        figure=figure,
        grade=grade,
        states="all" if grade == "exact" else "",
        notes=(note,),
        witness=stored(P, m, state=None, lhs=lhs, rhs=rhs),
    )


def sides(statement: Any, P: Problem, m: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """The constant that is needed and the one that is claimed; of a NonImplication, 1 against 0 if it fails."""
    if not isinstance(statement, Implication):
        if arrows.is_apart(statement):
            return arrows.sides_apart(statement)
        return float(_broken(statement) != ""), 0.0
    if arrows.is_arrow(statement, m):
        return arrows.sides_arrow(statement, P, m, witness)
    _, lhs, rhs, _ = _compared(statement, P, m)
    return lhs, rhs


def _compared(statement: Implication, P: Problem, m: Method) -> tuple[float, float, float, str]:
    """(figure, needed, claimed, note)."""
    given, then = as_class(statement.given), as_class(statement.then)
    a = _asked(given, P, m)
    if a is None:
        raise Refused("the estimator is not in the class that is given")
    if arrows.is_open(statement) and not statement.allows(P, a):
        raise Refused(f"the implication does not speak of {a}")
    try:
        b = statement.constants(a)
    except ValueError as error:
        raise Refused(f"the implication does not speak of these constants: {error}") from None
    if hasattr(then, "figure"):
        figure = float(then.figure(P, m, b))
        return figure, figure, 1.0, f"given {a}, then {b}"
    least = _asked(then, P, m)
    if least is None:
        return math.inf, math.inf, 1.0, f"given {a}, but not in the other class with any constants"
    figure, lhs, rhs = compare(least, b, tuple(getattr(then, "lower", ())))
    return figure, lhs, rhs, f"given {a}, then {b}, least {least}"


def _asked(klass: Any, P: Problem, estimator: Any) -> Any:
    """Least constants; Refused where the class cannot decide."""
    try:
        return klass.least(P, estimator)
    except ValueError as error:
        raise Refused(str(error)) from None


def _broken(statement: Any) -> str:
    """What is wrong with the witness; empty if nothing is."""
    P, estimator = statement.witness()
    if _asked(as_class(statement.given), P, estimator) is None:
        return "the witness is not in the class that is given"
    constants = _asked(as_class(statement.then), P, estimator)
    return "" if constants is None else f"the witness is in the other class, with constants {constants}"


def _not_implied(statement: Any, watch: Watch) -> Verdict:
    wrong = _broken(statement)
    P, estimator = statement.witness()
    witness = stored(P, estimator, state=None, lhs=float(wrong != ""), rhs=0.0)
    exact = all(getattr(c, "exact", True) for c in (statement.given, statement.then))
    return watch.verdict(
        "violated" if wrong else "holds",
        grade="exact" if exact else "searched",
        notes=(wrong or "the witness separates the classes",),
        witness=witness,
    )
