"""A witness that one assumption does not imply another, found by optimisation.

Three places where an assumption can have no constants, each a tiny program over the scalars:

    far        one = 0, G = 1, D = 1/2: a linear estimator on |x|^2/2 in the plane, the same at every x
    optimum    G = 0, one = 1: what the estimator does where grad f = 0; added to the linear estimator nearest to grad f
    tail       one = 0, G = 0, D = 1: noise that grows with f - f*, on a function whose gradient is bounded

At each the largest violation is sought of a row of the conclusion whose constants cannot help there, over the scalars
that the premise (with generous constants) allows.  The optimiser is rounded to simple numbers, realised, fitted with
exact constants in the premise, and shown to have none in the conclusion (`apart`).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proveout.methods.blocks.assumptions import (
    ABC,
    ABS,
    BND,
    BREQ,
    BVD,
    CON,
    FSML,
    SG1,
    SG2,
    Assumption,
    Scalars,
)
from proveout.methods.blocks.linear import turned
from proveout.methods.blocks.tails import Growing
from proveout.methods.blocks.variants import ABC0, ranges
from proveout.problems.curves import Curve
from proveout.theory.scalars.apart import Apart, Kinds, apart, kinds_of
from proveout.theory.scalars.cone import Row, frame_of, least, plus, times
from proveout.theory.scalars.exact import forms
from proveout.theory.scalars.fitting import fitted
from proveout.theory.scalars.realise import plane
from proveout.theory.scalars.tails import tail
from proveout.theory.zoo.rows import rows

__all__ = ["GENEROUS", "Separated", "separate"]

F = Fraction
GENEROUS: dict[type[Assumption], Assumption] = {
    SG1: SG1(alpha=F(1, 4), beta=F(4)),
    SG2: SG2(tau=F(1, 2), beta=F(4)),
    BREQ: BREQ(rho=F(1, 2), zeta=F(9)),
    CON: CON(alpha=F(1, 2)),
    BVD: BVD(eta=F(1, 4), xi=F(2)),
    BND: BND(m=F(1, 4), phi2=F(1), M=F(2), sigma2=F(1)),
    ABS: ABS(Delta2=F(1)),
    FSML: FSML(q=F(1, 2), u2=F(9), U=F(2), Q=F(1)),
    ABC: ABC(A=F(1), B=F(9), C=F(1), b=F(1, 2), c=F(1)),
    ABC0: ABC0(A=0, B=F(9), C=F(1), b=F(1, 2), c=F(1)),
}
PLACES: dict[str, tuple[Row, tuple[Row, ...]]] = {  # normalisation (= -1), rows that pin the place
    "far": (
        Scalars(G=-1),
        (Scalars(one=1), Scalars(D=2, G=-1), Scalars(D=-2, G=1), Scalars(E1=1, V=1, G=-16)),
    ),
    "optimum": (Scalars(one=-1), (Scalars(G=1), Scalars(D=1), Scalars(E1=1, V=1, one=-16))),
    "tail": (Scalars(D=-1), (Scalars(G=1), Scalars(one=1), Scalars(E1=1, V=1, D=-16))),
}
VIOLATED = 1e-6  # of a row at its best
DENOMINATORS = (1, 2, 3, 4, 6, 8, 12, 24, 60)


@dataclass(frozen=True, eq=False)
class Separated:
    """A witness: it meets `given` exactly and the other assumption with no constants."""

    given: Assumption
    place: str
    problem: Any
    estimator: Any
    reasons: tuple[str, ...]


def separate(given: type[Assumption], then: Kinds) -> Separated | None:
    """A witness that `given` does not imply `then`, or None if the search finds none."""
    for place in PLACES:
        for point in _points(given, then, place):
            for P, estimator in _realised(given, point, place):
                found = _confirmed(given, then, P, estimator)
                if found is not None:
                    record, shown = found
                    return Separated(record, place, P, estimator, shown.reasons)
    return None


def _points(given: type[Assumption], then: Kinds, place: str) -> Iterator[Scalars]:
    """For each row that is hopeless at the place, the scalars of the premise that violate it most."""
    unit, pins = PLACES[place]
    for kind in kinds_of(then):
        for k in range(len(kind.parts)):
            base, helpers = _stripped(kind, k)
            sources = (*GENEROUS[given].rows(), *pins, *helpers)
            best = least(sources, base, unit, frame_of(sources))
            if best.sound and VIOLATED < best.theta < math.inf:
                yield best.point


def _stripped(kind: type[Assumption], k: int) -> tuple[Row, tuple[Row, ...]]:
    """Row k with its bounded constants at their limits, and rows that make the unbounded ones powerless."""
    row, allowed = rows(kind)[k], ranges(kind)
    base, helpers = row.base, []
    for name, slope in row.slopes.items():
        low, high, _, _ = allowed[name]
        edge = low if name in row.lower else high
        if edge == math.inf:
            helpers.append(times(-1, slope))
        else:
            base = plus(base, times(edge, slope))
    return base, tuple(helpers)


def _nearest(given: type[Assumption]) -> Scalars | None:
    """The homogeneous scalars that the premise allows, nearest to those of the gradient."""
    unit, pins = PLACES["far"]
    sources = (*GENEROUS[given].rows(), *pins)
    best = least(sources, Scalars(G=-1, P=2, E1=-1, V=-1), unit, frame_of(sources))
    return best.point if best.sound else None


def _realised(given: type[Assumption], point: Scalars, place: str) -> Iterator[tuple[Any, Any]]:
    """Problems and estimators with about these scalars, simple numbers first."""
    if place == "tail":
        yield Curve(), Growing(A=_near((point.E1 + point.V) / 2, 4))
        return
    base = point if place == "far" else _nearest(given)
    if base is None:
        return
    p, q, v = base.P, math.sqrt(max(base.E1 - base.P**2, 0)), math.sqrt(max(base.V, 0))
    shift, noise = (0.0, 0.0) if place == "far" else (math.sqrt(max(x, 0)) for x in (point.E1, point.V))
    seen = set()
    for top in DENOMINATORS:
        numbers = tuple(_near(x, top) for x in (p, q, v, shift, noise))
        if numbers not in seen:
            seen.add(numbers)
            a, b, c, s, t = numbers
            yield plane(), turned(a, b, c, (s, 0.0), t)


def _near(x: float, top: int) -> float:
    return float(Fraction(x).limit_denominator(top))


def _confirmed(
    given: type[Assumption], then: Kinds, P: Any, estimator: Any
) -> tuple[Assumption, Apart] | None:
    found: Any = tail(P, estimator) if hasattr(estimator, "on_line") else forms(P, estimator)
    record = fitted(given, found)
    if record is None or not record.proper:
        return None
    shown = apart(record, then, P, estimator)
    return None if shown.fault else (record, shown)
