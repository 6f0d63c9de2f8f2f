"""Assumptions as classes of estimators, for Implication and NonImplication."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proveout.methods.blocks.assumptions import Assumption
from proveout.theory.statement import Problem
from proveout.theory.zoo.edge import FEASIBLE, least_multiple, smallest
from proveout.theory.zoo.rows import rows
from proveout.theory.zoo.standing import Question

__all__ = ["Class"]


@dataclass(frozen=True)
class Class:
    """`kind` with least constants; those in `given` are held: Class(BND, {"m": 0.3}).

    With `exact` an estimator that cannot be decided is refused; else its constants may be those of a search.
    """

    kind: type[Assumption]
    given: dict[str, float] = field(default_factory=dict)
    exact: bool = True

    @property
    def lower(self) -> tuple[str, ...]:
        return self.kind.lower

    def least(self, P: Problem, estimator: Any) -> Assumption | None:
        """The least constants, or None.

        Raises ValueError if the class is `exact` and the estimator cannot be decided.
        """
        found = Question(estimator, P).standing(self.kind, self.given)
        if self.exact and found.word not in ("least", "violated"):
            raise ValueError(
                f"{self.kind.__name__} cannot be decided for this estimator ({found.word}, {found.how}); "
                f"take Class({self.kind.__name__}, exact=False)"
            )
        return found.constants

    def figure(self, P: Problem, estimator: Any, constants: Any) -> float:
        """sup over rows and x of left/right, with the constants' side as numerator of a lower and denominator of an
        upper bound: <= 1 iff the estimator is a member with these constants."""
        asked = Question(estimator, P)
        F = asked.forms
        if F is None:
            raise ValueError(
                "a figure needs a quadratic problem and an estimator that is affine for every outcome"
            )
        if F.kernel is not None:
            return float("inf")
        said = {name: float(value) for name, value in vars(constants).items()}
        worst = 0.0
        for row in rows(self.kind):
            left, right = (F.of(side) for side in row.sides(said))
            worst = max(worst, _ratio(left, right))
        return worst


def _ratio(left: Any, right: Any) -> float:
    """sup of z'left z / z'right z, inf where right < 0 or right = 0 < left."""
    if not np.abs(left).max() > 0 and smallest(right)[0] >= -FEASIBLE:
        return 0.0
    if smallest(right)[0] < -FEASIBLE:
        return float("inf")
    return max(0.0, float(least_multiple(left, right).value))
