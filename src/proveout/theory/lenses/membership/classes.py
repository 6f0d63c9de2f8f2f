"""Classes of estimators: what an Implication compares.

A class is any object with

    least(P, estimator) -> constants, or None if the estimator lies in the class with no constants
    figure(P, estimator, constants) -> float     optional: sup of measured / claimed, <= 1 iff it is a member
    lower                                         optional: names or positions of constants that are lower
                                                  bounds (larger = stronger); all others are upper bounds
    exact                                         optional: does it decide all inputs (default True)?

Constants are a number, a tuple, a NamedTuple, a dict or a record of numbers.  Without `figure` the constants are
compared one by one, so it is owed by classes whose constants trade against each other.
"""

import math
from dataclasses import fields, is_dataclass
from typing import Any

from proveout.methods.blocks.assumptions import Assumption

__all__ = ["as_class", "compare", "named"]

TINY = 1e-12  # a constant that should be 0 may come out as rounding


def as_class(klass: Any) -> Any:
    """The class itself; an assumption is asked of the zoo."""
    if isinstance(klass, type) and issubclass(klass, Assumption):
        from proveout.theory.zoo import Class

        return Class(klass)
    return klass


def named(constants: Any) -> dict[str, float]:
    """Constants by name; positions are the names of a plain tuple."""
    if isinstance(constants, dict):
        return {str(k): float(v) for k, v in constants.items()}
    if hasattr(constants, "_asdict"):
        return named(constants._asdict())
    if is_dataclass(constants) and not isinstance(constants, type):
        return {f.name: float(getattr(constants, f.name)) for f in fields(constants)}
    if isinstance(constants, (tuple, list)):
        return {str(k): float(v) for k, v in enumerate(constants)}
    return {"0": float(constants)}


def compare(least: Any, claimed: Any, lower: tuple[Any, ...] = ()) -> tuple[float, float, float]:
    """(figure, measured, claimed) of the worst constant, the sides of a lower bound exchanged.

    Raises ValueError if the two have not the same names.
    """
    one, two = named(least), named(claimed)
    if one.keys() != two.keys():
        raise ValueError(f"constants {sorted(one)} are compared with {sorted(two)}")
    below = {str(name) for name in lower}
    rows = []
    for name, measured in one.items():
        a, b = (two[name], measured) if name in below else (measured, two[name])
        rows.append((_over(a, b), a, b))
    return max(rows, key=lambda row: row[0])


def _over(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b):
        return math.nan
    if math.isinf(b):
        return 0.0
    if a <= TINY and b <= TINY:
        return 0.0 if a <= b + TINY else math.inf
    return a / b if b > 0 else math.inf
