"""What an arrow of the map is: an implication between two assumptions, with its constants and its red twins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from proveout.methods.blocks.assumptions import Assumption
from proveout.theory.biased_sgd.hierarchy.everywhere import FORMULAS
from proveout.theory.biased_sgd.hierarchy.formula import Everywhere
from proveout.theory.statement import Implication, Number, Twin
from proveout.theory.twins import statement_with

__all__ = ["SOURCE", "Arrow", "arrow", "too_good"]

SOURCE = "Demidovich et al. (NeurIPS 2023), map of the assumptions; constants by direct proof"
Constants = Callable[[Any], Assumption]


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrow(Implication):
    """`given` with constants a implies `then` with constants(a), for every estimator on every problem."""

    tight: bool = True  # can no constant be improved?
    printed: Constants | None = None  # the paper's constants, which must hold too
    condition: str = ""  # on the constants; "" if the arrow is unconditional
    everywhere: tuple[Everywhere, ...] = ()  # formulas that prove it for all constants, by ranges of them


def too_good(constants: Constants, **factors: Number) -> Constants:
    """The constants with some of them multiplied."""

    def read(a: Any) -> Assumption:
        found = constants(a)
        return replace(found, **{name: k * getattr(found, name) for name, k in factors.items()})

    return read


def arrow(
    *,
    given: type[Assumption],
    then: type[Assumption],
    constants: Constants,
    sharp: tuple[str, ...],
    claim: str,
    allows: Callable[[Any], bool] | None = None,
    printed: Constants | None = None,
    condition: str = "",
    name: str = "",
    source: str = SOURCE,
    twins: tuple[Twin, ...] = (),
) -> Arrow:
    """The arrow and its twins: every constant in `sharp` 1 % better, and half as good but still called tight."""
    own = [
        statement_with(
            f"{constant} 1 % better", constants=too_good(constants, **{constant: _better(then, constant)})
        )
        for constant in sharp
    ]
    weak = sharp[-1]
    factor = 0.5 if weak in then.lower else 2
    own.append(
        statement_with(f"{weak} x {factor:g}, called tight", constants=too_good(constants, **{weak: factor}))
    )

    def tune(P: Any = None, **numbers: Number) -> Assumption:
        return given(**numbers)

    return Arrow(
        source=source,
        method=given,
        given=given,
        then=then,
        constants=constants,
        allows=lambda P, a: a.proper and (allows is None or allows(a)),
        printed=printed,
        condition=condition,
        everywhere=FORMULAS.get(name, ()),
        tune=tune,
        claim=claim,
        twins=(*own, *twins),
    )


def _better(then: type[Assumption], constant: str) -> float:
    return 1.01 if constant in then.lower else 0.99
