"""Estimators on the line that are not affine: their scalars along x -> infinity, exactly at rational points.

A problem in one dimension has a profile, u -> (x, f(x) - f*, f'(x)) with rational values, and the estimator says what
its scalars are there (`on_line`); that these are the scalars of the estimator is tested by asking it.  A row holds if
it holds at rational points of all scales and at the far end, where the scalars over the largest of them have a limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.methods.blocks.assumptions import Scalars
from proveout.theory.scalars.cone import Row, times, value
from proveout.theory.scalars.exact import probe

__all__ = ["Tail", "tail"]

NODES = [1 + Fraction(k, 8) for k in range(40)] + [Fraction(3**k, 2**k) for k in range(4, 120, 2)]
FAR = (Fraction(2**20), Fraction(2**40))
AGREES = 1e-9  # relative; of the scalars said with those measured
ASKED = 1e8  # points beyond are not asked in floats


@dataclass(frozen=True, eq=False)
class Tail:
    points: tuple[Scalars, ...]
    end: Scalars

    def holds(self, row: Row) -> bool:
        return all(value(row, s) <= 0 for s in (*self.points, self.end))

    def ends(self) -> Iterator[Scalars]:
        yield from (self.points[0], self.end)


def tail(P: Any, estimator: Any) -> Tail:
    """The scalars on the line; ValueError if they are not those of the estimator, or have no limit."""
    if int(P.d) != 1:
        raise ValueError(f"d must be 1, got {P.d}")
    at = [(_profile(P, u), u) for u in (*NODES, *FAR)]
    said = [estimator.on_line(D, slope) for (_, D, slope), _ in at]
    for ((x, _, _), _), scalars in zip(at, said, strict=True):
        if abs(x) < ASKED and not _agree(P, estimator, float(x), scalars):
            raise ValueError(f"the scalars said are not those of the estimator at x = {float(x):g}")
    one, two = (times(1 / max(s[:5]), s) for s in said[-2:])
    end = Scalars(*(Fraction(v).limit_denominator(1000) for v in two))
    for k, s in ((20, one), (40, two)):
        if max(abs(a - b) for a, b in zip(s, end, strict=True)) > Fraction(16, 2**k):
            raise ValueError("the scalars have no limit far out")
    return Tail(tuple(said[:-2]), end)


def _profile(P: Any, u: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    if hasattr(P, "profile"):
        x, D, slope = P.profile(u)
        return x, D, slope
    if not getattr(P, "is_quadratic", False):
        raise ValueError("the problem has no profile")
    h, x = Fraction(float(P.L)), u - 1
    return x, h * x * x / 2, h * x


def _agree(P: Any, estimator: Any, x: float, said: Scalars) -> bool:
    prob, draw = estimator.law(P).atoms()
    at = np.asarray(P.x_star, float) + np.array([[x]])
    g, v = probe(P, estimator, at, draw)[0, :, 0], float(P.grad(at)[0, 0])
    mean = float(prob @ g)
    D = float(P.value(at)[0] - P.f_star)
    found = (D, v * v, v * mean, mean * mean, float(prob @ (g - mean) ** 2), 1.0)
    return all(abs(a - float(b)) <= AGREES * (1 + abs(float(b))) for a, b in zip(found, said, strict=True))
