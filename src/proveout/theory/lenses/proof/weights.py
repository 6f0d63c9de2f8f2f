"""Numbers that a theorem's formulas give as floats, read as fractions where that is honest.

A float with a small power of two as denominator (1.0, 0.5, 0.375) is that fraction.  Any other float is
taken only on one side of the claim, a rate, a noise level or a weight of progress: it is the fraction with
denominator <= 1e6 that it equals to rounding (0.0125 is 1/80), or else (a square root) a slightly stronger
number, so that what is proved implies what is claimed.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor, isfinite
from typing import Any

from proveout.theory.statement import Cross, Number, OneStep

__all__ = ["at_least", "at_most", "dyadic", "weighed"]

DYADIC = 2**12  # largest denominator of a float that is taken at its word
SIMPLE = 10**6  # largest denominator of a fraction that a float may stand for
ROUNDING = Fraction(4, 2**53)  # relative error of a formula's float
NEAR = 10**12  # denominator of the fractions that are slightly stronger
MARGIN = Fraction(1, NEAR)  # relative


def dyadic(number: Number) -> Number:
    """A Fraction for an int, a Fraction or a float with a small denominator; anything else as it is."""
    if isinstance(number, (int, Fraction)):
        return Fraction(number)
    if isinstance(number, float) and isfinite(number) and Fraction(number).denominator <= DYADIC:
        return Fraction(number)
    return number


def at_most(number: Number) -> Fraction:
    """The number as a fraction, or one slightly below it."""
    return _one_sided(number, -1)


def at_least(number: Number) -> Fraction:
    """The number as a fraction, or one slightly above it."""
    return _one_sided(number, 1)


def _one_sided(number: Number, side: int) -> Fraction:
    found = dyadic(number)
    if isinstance(found, Fraction):
        return found
    value = Fraction(float(number))
    near = value.limit_denominator(SIMPLE)
    if abs(near - value) <= ROUNDING * abs(value):
        return near
    moved = (value + side * MARGIN * abs(value)) * NEAR
    return Fraction(ceil(moved) if side > 0 else floor(moved), NEAR)


def weighed(statement: Any) -> Any:
    """The statement with its terms' weights as fractions; those of progress may come out a little larger."""

    def terms(read: Callable[..., Any], rounded: Callable[[Number], Number]) -> Callable[..., Any]:
        def new(*args: Any) -> Any:
            found = read(*args)
            return tuple(_weigh(t, rounded) for t in found) if isinstance(found, tuple) else found

        return new

    if not isinstance(statement, OneStep):
        return replace(
            statement, measure=terms(statement.measure, dyadic), bound=terms(statement.bound, dyadic)
        )
    progress = terms(statement.progress, at_least) if statement.progress is not None else None
    return replace(statement, lyapunov=terms(statement.lyapunov, dyadic), progress=progress)


def _weigh(term: Any, rounded: Callable[[Number], Number]) -> Any:
    """Only what is never negative may weigh more: |v|^2 and f(z) - f*."""
    if not hasattr(term, "weight"):
        return dyadic(term)
    fair = dyadic if isinstance(term, Cross) else rounded
    return replace(term, weight=fair(term.weight))
