"""An arrow for all constants at once: one certificate whose numbers are polynomials.

The premise's constants are rational functions of variables v >= 0, and a formula gives the multipliers of every row.
Multiplied by positive factors, everything becomes polynomial,

    D (-row) = sum_i (a lam_i) (b (-row_i)) + D slack,      D = a b,   a, b > 0,

and is interpolated from exact values at integers.  The Gram matrix is written for the vectors grad f and
E g - slope grad f, so that the slack of a tight row, which vanishes where E g = slope grad f, has one entry.  The
verifier asks that all coefficients of the multipliers be >= 0 and all coefficient matrices of the slack PSD.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Assumption
from proveout.theory.lenses.proof.polynomials import Point, interpolate
from proveout.theory.scalars.cone import FULL, Frame, Row, frame_of, gram, times
from proveout.theory.verify import digest, fault

__all__ = ["certificates"]

STARTS = 1  # least integer at which the claim is read
FORM = 6  # numbers of a form: upper triangle of the Gram part, V, D, one


@dataclass(frozen=True, eq=False)
class Claim:
    """One row of an arrow on one range of constants, with the formula that proves it."""

    arrow: Any
    range: Any  # variables, where, setting, rows
    row: int

    @property
    def formula(self) -> Any:
        return self.range.rows[self.row]

    def at(self, point: Point) -> Array:
        """Multipliers, then the forms of the row and of the premise's rows, scaled."""
        v = [Fraction(x) for x in point]
        a = self.range.setting(*v)
        if not self.arrow.allows(None, a):
            raise ValueError(f"the arrow does not speak of {a}")
        lift, clear = (Fraction(k(*v)) for k in (self.formula.lift, self.formula.clear))
        target = self.arrow.constants(a).rows()[self.row]
        frame = _frame(a, self.formula.slope(a))
        flat = [Fraction(x) * lift for x in self.formula.multipliers(a)]
        flat += _numbers(times(lift * clear, target), frame)
        for row in a.rows():
            flat += _numbers(times(-clear, row), frame)
        return np.array(flat, dtype=object)


def _frame(a: Assumption, slope: Any) -> Frame:
    forced = frame_of(a.rows())
    return ((1, slope), (0, 1)) if forced == FULL else forced


def _numbers(row: Row, frame: Frame) -> list[Fraction]:
    M = gram(row, frame)
    upper = [M[0][0], M[0][1], M[1][1]] if len(frame) == 2 else [M[0][0], 0, 0]
    return [Fraction(x) for x in (*upper, row.V, row.D, row.one)]


@lru_cache(maxsize=256)
def certificates(arrow: Any) -> tuple[dict[str, Any], ...]:
    """A certificate for every row on every range of constants; none if the arrow has no formulas.

    Raises ValueError if a part is no polynomial, or the verifier refuses one.
    """
    ranges = getattr(arrow, "everywhere", ())
    return tuple(
        _certificate(Claim(arrow, one, k)) for one in ranges for k, row in enumerate(one.rows) if row
    )


def _certificate(claim: Claim) -> dict[str, Any]:
    who = claim.range
    starts = (STARTS,) * len(who.variables)
    table = interpolate(claim.at, starts)
    size = len(claim.at(starts))
    numbers: list[list[Any]] = [[] for _ in range(size)]
    for e in sorted(table):
        for k in np.flatnonzero(table[e]):
            numbers[k].append([list(e), str(table[e][k])])
    count = size // (FORM + 1)  # multipliers; forms are one more
    forms = [_form(numbers[i : i + FORM]) for i in range(count, size, FORM)]
    body = {
        "format": "proveout-certificate/1",
        "statement": claim.arrow.claim,
        "row": claim.row,
        "parameters": dict(who.where),
        "variables": list(who.variables),
        "basis": [["grad f", "E g - slope grad f"], ["V"], ["D"]],
        "sizes": [2, 1, 1],
        "n_values": 0,
        "rate": [[]],
        "before": [_form([[]] * FORM)],
        "after": forms[0],
        "inequalities": [
            {"name": f"row {i}", "multiplier": numbers[i], "form": forms[i + 1]} for i in range(count)
        ],
    }
    proof = {**body, "sha256": digest(body)}
    wrong = fault(proof)
    if wrong is not None:
        raise ValueError(f"the verifier refuses the certificate of row {claim.row + 1}: {wrong}")
    return proof


def _form(numbers: list[Any]) -> dict[str, Any]:
    places = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 0, 0), (2, 0, 0))
    blocks: list[list[Any]] = [[], [], []]
    for (b, i, j), x in zip(places, numbers, strict=False):
        if x:
            blocks[b].append([i, j, x])
    return {"blocks": blocks, "values": [], "noise": numbers[-1]}
