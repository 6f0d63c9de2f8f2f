"""What proves an arrow for all constants: multipliers of the premise's rows, and where each row is tight.

A row of the conclusion is the sum of `multipliers` times the premise's rows and of minus a square: a multiple of
|E g - slope grad f|^2 (and of V).  The constants run over all of their range with the variables v >= 0; `lift` and
`clear` are positive and make all numbers polynomials (of the multipliers, of everything else).  Where r = 0 a claim is
the limit of those with r > 0, as the premise only grows with r.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proveout.methods.blocks.assumptions import CON
from proveout.theory.statement import Number

__all__ = ["Everywhere", "Formula", "constant", "radius", "root", "share", "squared"]

Of = Callable[..., Number]


def unit(*v: Number) -> Number:
    return 1


@dataclass(frozen=True, eq=False)
class Formula:
    """The proof of one row; `multipliers` and `slope` read the premise's constants, the others the variables."""

    multipliers: Callable[[Any], tuple[Number, ...]]
    slope: Callable[[Any], Number] = lambda a: 0
    lift: Of = unit
    clear: Of = unit


@dataclass(frozen=True, eq=False)
class Everywhere:
    """A range of constants and the proof of every row on it; None: proved on another range."""

    variables: tuple[str, ...]
    where: dict[str, str]  # constants in terms of the variables, to be read
    setting: Callable[..., Any]  # the premise's constants at v
    rows: tuple[Formula | None, ...]


def root(x: Number) -> Number:
    """The square root, exact where it is rational."""
    if isinstance(x, (int, Fraction)) and x >= 0:
        top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
        if top**2 == x.numerator and bottom**2 == x.denominator:
            return Fraction(top, bottom)
    return math.sqrt(x)


def radius(a: Any) -> Number:
    """r of CON (root of kappa) and of BVD (root of eta)."""
    return root(1 - a.alpha) if isinstance(a, CON) else root(a.eta)


def constant(*multipliers: Number) -> Callable[[Any], tuple[Number, ...]]:
    return lambda a: multipliers


def share(t: Number, s: Number) -> Number:
    return t / (t + s)


def squared(t: Number, s: Number, *rest: Number) -> Number:
    return (t + s) ** 2
