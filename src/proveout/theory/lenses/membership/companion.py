"""Inputs that are a pair (v, w) of which the second enters affinely, as the w of "E C(v) = v" does.

    left(v, w) = left(v, v) + <slope(v), w - v>,   right does not see w:

the supremum over w is left(v, v) if slope(v) = 0 and infinite otherwise, so that only v is left.  Asked at
w = v and w = v + REACH A v, A the identity and a random rotation, where a slope shows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.membership.inequality import Inequality, extremes

__all__ = ["REACH", "Companion", "Tied", "companion"]

REACH = 100.0  # |w - v|/|v|: rounding of what should cancel grows with it
AFFINE = 1e-9  # relative
SLOPE = 1e-10  # a bias |E C(v) - v|/|v| below which it is rounding
FAR = 1e9  # what a slope is worth in a search
ROTATIONS = 1


@dataclass(frozen=True, eq=False)
class Companion:
    """The inequality as one in v alone, (S, q) with half the numbers; `ways` are the matrices A."""

    ineq: Inequality
    ways: tuple[Array, ...]

    @property
    def q(self) -> int:
        return self.ineq.q // 2

    @property
    def block(self) -> Any:
        return self.ineq.block

    @property
    def shape(self) -> tuple[int, ...]:
        return self.ineq.shape[1:]

    @property
    def d(self) -> int:
        return self.ineq.d

    def at(self, v: Array, A: Array | None = None, reach: Array | float = REACH) -> Array:
        """The whole input (v, v + reach A v)."""
        w = v if A is None else v + reach * (v @ A)
        return np.concatenate([v, w], axis=-1)

    def slopes(self, v: Array) -> tuple[Array, Array, Array]:
        """left at w = v, right, and left at w = v + REACH A v less that: (S,), (S,), (ways, S); rounding is 0."""
        level, right = self.ineq.both(self.at(v))
        steps = np.stack([self.ineq.both(self.at(v, A))[0] - level for A in self.ways])
        noise = SLOPE * REACH * (np.sum(v * v, axis=-1) + np.abs(level))
        return level, right, np.where(np.abs(steps) > noise, steps, 0.0)

    def figures(self, v: Array) -> Array:
        """The supremum over w; where it is infinite a number that grows with the slope, for a search to follow."""
        level, right, steps = self.slopes(v)
        slope = np.abs(steps).max(axis=0)
        return self.ineq.ratios(level + np.where(slope > 0, FAR * (right + slope), 0.0), right, v)

    def supremum(self, v: Array) -> float:
        """The supremum over w at one v (q,)."""
        level, right, steps = self.slopes(v[None])
        return np.inf if steps.any() else float(self.ineq.ratios(level, right, v[None])[0])

    def whole(self, v: Array) -> Array:
        """The whole input at which one v (q,) is worst, w as far out as it takes."""
        level, right, steps = (x[..., 0] for x in self.slopes(v[None]))
        k = int(np.abs(steps).argmax())
        if steps[k] == 0:
            return self.at(v)
        enough = 4 * (abs(float(level)) + self.ineq.constant * float(right)) / float(steps[k])
        return self.at(v, self.ways[k], REACH * enough)

    def starts(self) -> Array:
        return extremes(self.ineq)[:, : self.q]


@dataclass(frozen=True, eq=False)
class Tied:
    """The inequality at w = factor v: one in v alone."""

    base: Inequality
    factor: float = 1.0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.base, name)

    @property
    def q(self) -> int:
        return self.base.q // 2

    @property
    def shape(self) -> tuple[int, ...]:
        return self.base.shape[1:]

    def supremum(self, v: Array) -> float:
        """The supremum over w at one v (q,)."""
        level, right, steps = self.slopes(v[None])
        return np.inf if steps.any() else float(self.ineq.ratios(level, right, v[None])[0])

    def whole(self, v: Array) -> Array:
        return np.concatenate([v, self.factor * v], axis=-1)

    def both(self, v: Array) -> tuple[Array, Array]:
        return self.base.both(self.whole(v))

    def figures(self, v: Array) -> Array:
        return self.base.figures(self.whole(v))


def companion(ineq: Inequality) -> Companion | None:
    """The reduction, if the input is a pair (2, rows, d) whose second half enters affinely."""
    if len(ineq.shape) != 3 or ineq.shape[0] != 2:
        return None
    q = ineq.q // 2
    rng = np.random.default_rng([11, q])
    v, one, two = rng.standard_normal((3, 40, q)) * 10 ** rng.uniform(-2, 2, size=(3, 40, 1))
    thirds = [np.concatenate([v, w], axis=-1) for w in (one, two, (one + 2 * two) / 3)]
    (a, ra), (b, rb), (c, rc) = (ineq.both(z) for z in thirds)
    size = np.max([ineq.size(z) for z in thirds], axis=0) + 1e-300
    affine = (np.abs(a / 3 + 2 * b / 3 - c) <= AFFINE * size).all()
    blind = (np.abs(ra - rb) + np.abs(ra - rc) <= AFFINE * np.abs(ra)).all()
    if not (affine and blind):
        return None
    turns = [np.linalg.qr(rng.standard_normal((q, q)))[0] for _ in range(ROTATIONS)]
    return Companion(ineq, (np.eye(q), *turns))
