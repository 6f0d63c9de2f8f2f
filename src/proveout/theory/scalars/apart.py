"""A witness that one assumption does not imply another: exact constants in the one, a hopeless end in the other."""

from dataclasses import dataclass
from typing import Any

from proveout.methods.blocks.assumptions import Assumption, Scalars
from proveout.theory.scalars.exact import forms, member
from proveout.theory.scalars.fitting import fitted
from proveout.theory.scalars.hopeless import hopeless, why
from proveout.theory.scalars.tails import tail

__all__ = ["Apart", "Kinds", "apart", "kinds_of"]

Kinds = type[Assumption] | tuple[type[Assumption], ...]


@dataclass(frozen=True, eq=False)
class Apart:
    """What a witness shows; `fault` is empty if it separates."""

    fault: str
    decided: bool  # is the fault (or its absence) decided?
    reasons: tuple[str, ...] = ()  # why no constants exist, one per class
    ends: tuple[Scalars, ...] = ()  # the scalars (or limits of them) that show it


def kinds_of(then: Kinds) -> tuple[type[Assumption], ...]:
    return then if isinstance(then, tuple) else (then,)


def apart(given: Assumption, then: Kinds, P: Any, estimator: Any) -> Apart:
    """Is the estimator in `given` with these constants, and in `then` with none?

    Raises ValueError if the estimator cannot be read exactly.
    """
    found: Any = tail(P, estimator) if hasattr(estimator, "on_line") else forms(P, estimator)
    outside = member(given, found)
    name = type(given).__name__
    if not given.proper:
        return Apart(f"the constants {given} of {name} are not proper", True)
    if outside is not None:
        return Apart(f"the witness is not in {name} with {given}: row {outside + 1} fails", True)
    reasons, ends = [], []
    for kind in kinds_of(then):
        end = next((e for e in found.ends() if hopeless(kind, e) is not None), None)
        if end is None:
            constants = fitted(kind, found)
            said = "no constants were found, nor a proof that there are none"
            fault = f"the witness is in the other class, {constants}" if constants else said
            return Apart(fault, constants is not None)
        reasons.append(f"not {kind.__name__}: {why(kind, end)}")
        ends.append(end)
    return Apart("", True, tuple(reasons), tuple(ends))
