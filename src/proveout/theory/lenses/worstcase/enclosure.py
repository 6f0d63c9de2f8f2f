"""A certified interval for the worst case: up from feasible multipliers, low from a feasible Gram matrix.

The solver's word and objective play no part, so every interval is valid, and intervals of several attempts
intersect.
"""

from dataclasses import dataclass

from proveout.theory.lenses.worstcase.lower import lower
from proveout.theory.lenses.worstcase.program import Point, Program
from proveout.theory.lenses.worstcase.solve import TOLERANCE, Multipliers, solve
from proveout.theory.lenses.worstcase.upper import upper

__all__ = ["Interval", "enclose"]


@dataclass(frozen=True, eq=False)
class Interval:
    """low <= worst case <= up, with the multipliers that prove up (in the trace's units) and the worst point."""

    low: float
    up: float
    multipliers: Multipliers | None = None
    point: Point | None = None

    def meet(self, other: "Interval") -> "Interval":
        """Both are true."""
        a, b = (self, other) if self.up <= other.up else (other, self)
        c = self if self.low >= other.low else other
        return Interval(c.low, a.up, a.multipliers or b.multipliers, c.point)


def enclose(data: Program, tolerance: float = TOLERANCE) -> Interval:
    """One attempt: solve, then certify both ends."""
    found = solve(data, tolerance)
    up, proof = upper(data, found.dual)
    low, point = lower(data, found)
    return Interval(low, up, proof, point)
