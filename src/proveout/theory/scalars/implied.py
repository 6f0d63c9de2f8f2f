"""Does an assumption with these constants imply another with those?  Decided for all estimators at once.

Row by row of the conclusion: one constant of the row, the *pivot*, is taken as unknown, and the least (of a lower
bound: largest) value that the premise implies is computed (`cone.least`); the claimed value must not be better.
The pivot is the last constant of the row that is not zero, so of a row with two the frontier is judged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from proveout.methods.blocks.assumptions import Assumption, Scalars
from proveout.theory.scalars.cone import Frame, Row, Solved, frame_of, least, minus, times
from proveout.theory.scalars.proof import certificate, holds_by

__all__ = ["Implied", "Judged", "implied", "pivot_of"]

WHOLE = Scalars(D=-1, G=-1, E1=-1, V=-1, one=-1)
NOTHING = 1e-9  # a least constant that is zero
MARGIN = 1e-9  # of a row at its claimed constants


@dataclass(frozen=True, eq=False)
class Judged:
    """One row of the conclusion."""

    row: int
    pivot: str  # "" if the row has no constant
    claimed: Any
    needed: float  # the tight value of the pivot; inf or nan if there is none
    figure: float  # needed / claimed, a lower bound the other way round
    proof: dict[str, Any] | None  # exact certificate
    dual: bool  # does a dual in floats prove it?
    point: Scalars  # the worst scalars

    @property
    def holds(self) -> bool:
        return self.proof is not None or self.dual


@dataclass(frozen=True, eq=False)
class Implied:
    rows: tuple[Judged, ...]
    proper: bool  # do the claimed constants say anything?

    @property
    def proved(self) -> bool:
        return self.proper and all(r.proof is not None for r in self.rows)

    @property
    def holds(self) -> bool:
        return self.proper and all(r.holds for r in self.rows)

    @property
    def worst(self) -> Judged:
        return max(self.rows, key=lambda r: (not r.holds, r.figure if math.isfinite(r.figure) else 1e300))

    @property
    def slackest(self) -> Judged | None:
        """The row whose pivot could be improved most."""
        loose = [r for r in self.rows if r.pivot and r.claimed and math.isfinite(r.figure)]
        return min(loose, key=lambda r: r.figure, default=None)


def implied(given: Assumption, then: Assumption, world: Sequence[Row] = ()) -> Implied:
    """Judge every row; `world` are further rows that all scalars satisfy (smoothness, PL)."""
    sources = (*given.rows(), *world)
    frame = frame_of(sources)
    parts = type(then).parts
    rows = tuple(_judge(sources, frame, then, k, part) for k, part in enumerate(parts))
    return Implied(rows=rows, proper=bool(then.proper))


def pivot_of(then: Assumption, part: tuple[str, ...]) -> str:
    """The last constant of a row that is not zero, else the first."""
    return next((n for n in reversed(part) if getattr(then, n) != 0), part[0] if part else "")


def _judge(sources: Sequence[Row], frame: Frame, then: Assumption, k: int, part: tuple[str, ...]) -> Judged:
    target, name = then.rows()[k], pivot_of(then, part)
    claimed = getattr(then, name) if name else 0
    guesses: list[Solved] = []
    needed = math.nan
    if name:
        zero = replace(then, **{name: 0}).rows()[k]
        unit = minus(replace(then, **{name: 1}).rows()[k], zero)
        sign = -1 if name in then.lower else 1
        best = least(sources, zero, times(sign, unit), frame)
        guesses.append(best)
        needed = sign * best.theta if best.sound else math.nan
    margin = least(sources, target, WHOLE, frame)
    guesses.append(margin)
    proof = None
    for guess in guesses:
        proof = proof or certificate(sources, target, guess.multipliers, frame, guess.point)
    dual = proof is not None or any(holds_by(sources, target, g.multipliers, frame) for g in guesses)
    point = guesses[0].point if name and guesses[0].sound else margin.point
    return Judged(
        row=k,
        pivot=name,
        claimed=claimed,
        needed=needed,
        figure=_figure(needed, float(claimed), name in then.lower),
        proof=proof,
        dual=dual,
        point=point,
    )


def _figure(needed: float, claimed: float, lower: bool) -> float:
    if math.isnan(needed):
        return math.nan
    a, b = (claimed, needed) if lower else (needed, claimed)
    if a <= NOTHING and b <= NOTHING:
        return 0.0 if a <= b + NOTHING else math.inf
    return a / b if b > 0 else math.inf
