"""Numbers that a theorem writes as floats, read as fractions where that is honest.

A float with a small power of two as denominator (1.0, 0.5, 0.375) is that fraction.  Any other float is
taken only where a slightly stronger claim can stand in for it: a rate or a noise level a little smaller,
a weight of progress a little larger.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor, isfinite
from typing import Any

from proveout.theory.statement import Cross, Number, OneStep

__all__ = ["at_least", "at_most", "dyadic", "weighed"]

DYADIC = 2**12  # largest denominator of a float that is taken at its word
NEAR = 10**12  # denominator of the fractions that stand in for other floats
MARGIN = Fraction(1, NEAR)  # relative; a formula's float errs by 1e-15


def dyadic(number: Number) -> Number:
    """A Fraction for an int, a Fraction or a float with a small denominator; anything else as it is."""
    if isinstance(number, (int, Fraction)):
        return Fraction(number)
    if isinstance(number, float) and isfinite(number) and Fraction(number).denominator <= DYADIC:
        return Fraction(number)
    return number


def at_most(number: Number) -> Fraction:
    """The number as a fraction, or one slightly below it."""
    found = dyadic(number)
    if isinstance(found, Fraction):
        return found
    return Fraction(floor((Fraction(float(number)) - MARGIN * abs(Fraction(float(number)))) * NEAR), NEAR)


def at_least(number: Number) -> Fraction:
    """The number as a fraction, or one slightly above it."""
    found = dyadic(number)
    if isinstance(found, Fraction):
        return found
    return Fraction(ceil((Fraction(float(number)) + MARGIN * abs(Fraction(float(number)))) * NEAR), NEAR)


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
