"""What all lenses share: tolerances, budgets, hypotheses, the decision, exact expectations, verdicts.

A one-step claim E[V(s')|s] <= rate V(s) - progress(s) + noise is always compared in the form with two
nonnegative sides,

    lhs = E[V(s')|s] + progress(s),   rhs = rate V(s) + noise,   figure = sup_s lhs/rhs <= 1.

The tolerances and budgets live in `sizes`, atoms and expectations in `atoms`; both can be had from here.
"""

import math
import time
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.atoms import Atoms, Refused, atoms_of, expectation, lead_of, value
from proveout.theory.lenses.sizes import (
    AFFINE,
    ALARM,
    BUDGETS,
    CHUNK,
    FENCE,
    FLOOR,
    IDENTITY,
    LEAST,
    MISS,
    NULL,
    RATE,
    ROUNDING,
    TAIL,
    VIOLATION,
    Budget,
    budget_of,
)
from proveout.theory.statement import Method, Problem, Verdict, Word, branches
from proveout.theory.twins import unwrap

__all__ = [
    "AFFINE",
    "ALARM",
    "BUDGETS",
    "CHUNK",
    "FENCE",
    "FLOOR",
    "IDENTITY",
    "LEAST",
    "MISS",
    "NULL",
    "RATE",
    "ROUNDING",
    "TAIL",
    "VIOLATION",
    "Atoms",
    "Budget",
    "Refused",
    "Watch",
    "atoms_of",
    "budget_of",
    "decide",
    "expectation",
    "lead_of",
    "ratio",
    "refusal",
    "value",
    "worst_rate",
]

BRANCH = 0.01  # a branch of the rate is active if it leads by so much of the gap to 1


def refusal(statement: Any, P: Problem, m: Method) -> str | None:
    """Why the statement does not speak of this problem and method; None if it does.

    The method (under any `Altered` layers) must be of the statement's type, `assumes` must hold for P
    and `allows` for the parameters.  An oracle or a constant that is missing is a reason too.
    """
    kinds = statement.method
    if kinds is not None and not isinstance(unwrap(m), kinds):
        wanted = kinds if isinstance(kinds, tuple) else (kinds,)
        return f"speaks of {' or '.join(k.__name__ for k in wanted)}, not of {type(unwrap(m)).__name__}"
    for assumption in statement.assumes:
        try:
            holds = assumption.holds(P)
        except (AttributeError, ValueError, TypeError) as error:
            return f"assumption '{assumption.name}' cannot be read: {error}"
        if not holds:
            return f"assumption '{assumption.name}' does not hold"
    try:
        allowed = statement.allows(P, m)
    except (AttributeError, ValueError, TypeError, ArithmeticError) as error:
        return f"the hypothesis on the parameters cannot be read: {error}"
    return None if allowed else "the parameters are outside what the statement allows"


def decide(figure: float | None, replayed: float | None = None) -> Word:
    """The one decision.  figure = measured / claimed; replayed = the same at the witness, through `step`.

    <= 1 + ROUNDING holds; both >= 1 + VIOLATION violated; anything else, and NaN, inconclusive.
    """
    if figure is None or math.isnan(figure):
        return "inconclusive"
    if figure <= 1 + ROUNDING:
        return "holds"
    if figure >= 1 + VIOLATION and replayed is not None and replayed >= 1 + VIOLATION:
        return "violated"
    return "inconclusive"


def worst_rate(statement: Any, P: Problem, m: Method) -> tuple[float, tuple[int, ...]]:
    """The largest branch of the rate, and its number if it leads by BRANCH (a tie activates none)."""
    rates = [float(r) for r in branches(statement.rate(P, m))]
    best = int(np.argmax(rates))
    others = [r for j, r in enumerate(rates) if j != best]
    clear = not others or rates[best] - max(others) >= BRANCH * abs(1 - max(others))
    return rates[best], (best,) if clear else ()


def ratio(lhs: Array, rhs: Array) -> Array:
    """lhs / rhs for a nonnegative lhs: (...).

    0/0 is 0 (the claim is true there); rhs < 0, lhs > 0 = rhs, or lhs infinite with rhs finite is inf; NaN
    where rhs is not finite or lhs is NaN: nothing to compare.
    """
    lhs, rhs = np.broadcast_arrays(np.asarray(lhs, float), np.asarray(rhs, float))
    with np.errstate(all="ignore"):
        out = np.where(rhs > 0, lhs / rhs, np.where(lhs > rhs, np.inf, 0.0))
    return np.where(np.isfinite(rhs) & ~np.isnan(lhs), out, np.nan)


# ------------------------------------------------------------------ verdicts


class Watch:
    """Builds the verdicts of one check, with the seconds since it began."""

    def __init__(self, lens: str) -> None:
        self.lens = lens
        self.since = time.perf_counter()

    def verdict(
        self,
        word: Word,
        *,
        figure: float | None = None,
        grade: Any = None,
        states: str = "",
        branches: tuple[int, ...] = (),
        notes: tuple[str, ...] | list[str] = (),
        witness: dict[str, Any] | None = None,
        problem: str = "",
    ) -> Verdict:
        """`grade` is kept only with `holds`, the witness only with `violated` and `inconclusive`."""
        number = None if figure is None or math.isnan(figure) else float(figure)
        return Verdict(
            word=word,
            lens=self.lens,
            problem=problem,
            grade=grade if word == "holds" else None,
            ratio=number,
            states=states,
            branches=tuple(branches),
            note="; ".join(n for n in notes if n),
            seconds=time.perf_counter() - self.since,
            witness=witness if word in ("violated", "inconclusive") else None,
        )

    def refused(self, refused: Refused | str) -> Verdict:
        """The verdict of a lens that cannot judge."""
        if isinstance(refused, str):
            return self.verdict("not applicable", notes=(refused,))
        return self.verdict(refused.word, notes=(refused.reason,))
