"""Variants of the assumptions on estimators: narrower, wider, of a multiple, with a point on a frontier chosen.

    ABC0        Biased ABC with A = 0
    UnbiasedABC E g = grad f and S <= 2 A D + B G + C
    Aligned     S <= beta P and S <= zeta G: the upper halves of SG2 and BREQ
    BVD1        BVD with eta = 1 allowed
    CON1        MSE <= (1 - alpha) G with any alpha, also alpha <= 0
    ScaledCON   CON of factor times the estimator
    BNDAt, ABSAt  BND, ABS, and the b and B at which their constants in Biased ABC are asked for

`ranges` says where the constants of a class may lie: name -> (low, high, is low allowed?, is high allowed?).
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from proveout.methods.blocks.assumptions import (
    ABC,
    ABS,
    BND,
    BVD,
    CON,
    Assumption,
    Scalars,
)

__all__ = [
    "ABC0",
    "BVD1",
    "CON1",
    "ABSAt",
    "Aligned",
    "BNDAt",
    "Range",
    "ScaledCON",
    "UnbiasedABC",
    "ranges",
]

Range = tuple[Any, Any, bool, bool]

ANY: Range = (0, math.inf, True, False)
POSITIVE: Range = (0, math.inf, False, False)
RANGES: dict[str, dict[str, Range]] = {
    "SG1": {"alpha": POSITIVE, "beta": POSITIVE},
    "SG2": {"tau": POSITIVE, "beta": POSITIVE},
    "CON": {"alpha": (0, 1, False, True)},
    "BVD": {"eta": (0, 1, True, False)},
    "BREQ": {"rho": POSITIVE, "zeta": POSITIVE},
    "BND": {"m": (0, 1, True, False)},
    "FSML": {"q": POSITIVE, "u2": POSITIVE},
    "ABC": {"b": POSITIVE},
    "ABC0": {"b": POSITIVE, "A": (0, 0, True, True)},
    "CON1": {"alpha": (-math.inf, 1, False, True)},
    "BVD1": {"eta": (0, 1, True, True)},
}


def ranges(kind: type[Assumption]) -> dict[str, Range]:
    """The proper range of every constant of a class; >= 0 unless said otherwise."""
    own = next((RANGES[c.__name__] for c in kind.__mro__ if c.__name__ in RANGES), {})
    return {name: own.get(name, ANY) for part in kind.parts for name in part}


@dataclass(frozen=True, kw_only=True)
class ABC0(ABC):
    """Biased ABC without the term in f - f*."""

    @property
    def proper(self) -> bool:
        return bool(self.A == 0 and super().proper)


@dataclass(frozen=True, kw_only=True)
class UnbiasedABC(Assumption):
    """Bias <= 0 and S <= 2 A D + B G + C."""

    A: Any = 0
    B: Any = 1
    C: Any = 0

    parts: ClassVar[tuple[tuple[str, ...], ...]] = ((), ("A", "B", "C"))
    needs_gap = True

    def rows(self) -> tuple[Scalars, ...]:
        growth = ABC(A=self.A, B=self.B, C=self.C).rows()[1]
        return Scalars(G=1, P=-2, E1=1), growth


@dataclass(frozen=True, kw_only=True)
class Aligned(Assumption):
    beta: Any
    zeta: Any

    parts = (("beta",), ("zeta",))

    def rows(self) -> tuple[Scalars, ...]:
        return Scalars(P=-self.beta, E1=1, V=1), Scalars(G=-self.zeta, E1=1, V=1)


@dataclass(frozen=True, kw_only=True)
class BVD1(BVD):
    @property
    def proper(self) -> bool:
        return bool(0 <= self.eta <= 1 and self.xi >= 0)


@dataclass(frozen=True, kw_only=True)
class CON1(CON):
    @property
    def proper(self) -> bool:
        return bool(self.alpha <= 1)


@dataclass(frozen=True, kw_only=True)
class ScaledCON(CON):
    """E|factor g - grad f|^2 <= (1 - alpha) G."""

    factor: Any = 1

    def rows(self) -> tuple[Scalars, ...]:
        r = self.factor
        return (Scalars(G=self.alpha, P=-2 * r, E1=r**2, V=r**2),)

    @property
    def proper(self) -> bool:
        return bool(self.factor > 0 and super().proper)


@dataclass(frozen=True, kw_only=True)
class BNDAt(BND):
    b: Any = 1
    B: Any = 1


@dataclass(frozen=True, kw_only=True)
class ABSAt(ABS):
    b: Any = 1
    B: Any = 1
