"""Simple constants with which an estimator is a member: every row by itself, from a ladder of numbers.

A constant that an additive one (c, C, phi2, sigma2, Q) stands beside is taken as good as possible without it, then
half way; the answer is checked exactly, so what is found is true, though not the least.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

from proveout.methods.blocks.assumptions import Assumption
from proveout.methods.blocks.variants import Range, ranges
from proveout.theory.zoo.rows import rows

__all__ = ["fitted"]

SIXTEENTHS = [Fraction(k, 16) for k in range(1, 17)]
UP = [
    Fraction(0),
    *(Fraction(1, 2**k) for k in (4, 3, 2, 1)),
    *map(Fraction, (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)),
]
UP += [Fraction(2**k) for k in range(6, 13)]


def fitted(kind: type[Assumption], found: Any) -> Assumption | None:
    """Constants of the class, or None if the ladder has none."""
    constants: dict[str, Any] = {}
    for k, part in enumerate(kind.parts):
        row, allowed = rows(kind)[k], ranges(kind)
        best = None
        for choice in _choices(part, kind.lower, allowed):
            if found.holds(row.at(choice)):
                best = choice
                break
        if best is None:
            return None
        constants |= best
    return kind(**constants)


def _choices(
    part: tuple[str, ...], lower: tuple[str, ...], allowed: dict[str, Range]
) -> Iterator[dict[str, Any]]:
    """Best first: the sum of the places on the ladders grows, the additive constant last."""
    ladders = [_ladder(allowed[name], name in lower) for name in part]
    places = sorted(product(*(range(len(x)) for x in ladders)), key=lambda p: (sum(p), p))
    for place in places:
        yield {name: x[i] for name, x, i in zip(part, ladders, place, strict=True)}


def _ladder(allowed: Range, lower: bool) -> list[Any]:
    """Best first: small numbers of an upper bound, large ones of a lower bound."""
    low, high, has_low, has_high = allowed
    if low == -math.inf:
        steps = [*SIXTEENTHS, *(-x for x in UP)]
    elif high == 1:
        steps = [Fraction(0), *SIXTEENTHS]
    else:
        steps = UP
    kept = [
        x
        for x in sorted(set(steps), reverse=lower)
        if (x > low or (x == low and has_low)) and (x < high or (x == high and has_high))
    ]
    return kept
