"""Gradient estimators as abstract blocks: known by the inequalities of an assumption only.

At a point x with v = grad f(x) an estimator is g = m + e, a mean m = E g(x) and a centred e.  Every assumption of
`blocks/assumptions` is a set of inequalities that are linear in

    D = f(x) - f*,  G = |v|^2,  P = <v, m>,  E1 = |m|^2,  V = E|e|^2,  1,

so m and e become fresh vectors and the inequalities become conditions on the Gram matrix and the values: all
estimators of the class at once.  m is a function of x; e is orthogonal to all that does not depend on it.
Where members are drawn (`inner`), g = m + s or m - s with a coin: all that D, G, P, E1, V can be.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.laws import Coin, Law, Sure
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.abstract import Frame
from proveout.theory.lenses.worstcase.luck import Residual
from proveout.theory.lenses.worstcase.world import Point, World
from proveout.theory.statement import Number

__all__ = ["Described", "is_described"]


def is_described(block: Any) -> bool:
    """Is this an estimator that is known by an assumption only?"""
    return callable(getattr(getattr(block, "assumption", None), "rows", None))


class Described:
    """An estimator seen through its assumption; without a world it answers the gradient itself."""

    def __init__(self, base: Any, world: World | None, frame: Frame | None) -> None:
        self._base, self._world, self._frame = base, world, frame

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._base, name)

    def law(self, problem: Any) -> Law:
        """A bare name; where members are drawn, the sign of the deviation."""
        if self._world is None:
            return Sure(np.zeros(()))
        return Coin(0.5) if self._world.luck.inner else Sure(np.array(self._world.luck.fresh_name()))

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        """(..., D) -> (..., D)."""
        world, v = self._world, problem.grad(x)
        if world is None:
            return v
        if world.space.n > 1:
            raise Refused("the assumption on the estimator speaks of one function, f")
        x, slopes = (world.space.clean(self._turned(a, inverse=True)) for a in (x, v))
        sign = np.asarray(draw)
        parts = [
            self._at(world, row, g, sign)
            for row, g in zip(x.reshape(-1, x.shape[-1]), slopes.reshape(-1, x.shape[-1]), strict=True)
        ]
        mean, off = (np.stack(rows).reshape(x.shape) for rows in zip(*parts, strict=True))
        if world.luck.inner:
            off = (2 * sign.astype(int) - 1)[..., None] * off
        return self._turned(mean + off)

    def _turned(self, rows: Array, inverse: bool = False) -> Array:
        if self._frame is None:
            return rows
        return rows @ (self._frame.inverse if inverse else self._frame.W)

    def _at(self, world: World, x: Array, v: Array, draw: Array) -> tuple[Array, Array]:
        """Mean and deviation at one point, with the conditions that bind them: two rows."""
        known = world.luck.memory.setdefault(("mean", id(self._base)), [])
        name = int(draw.ravel()[0])
        for point, slope, mean, off, tag in known:
            if world.space.equal(point, x) and world.space.equal(slope, v):
                again = (world.luck.epoch, name)
                if world.luck.inner or tag == again:
                    return mean, off
                return mean, self._bound(world, known, (x, v, mean), again)
        depends = world.luck.carried(np.stack([x, v]))
        mean = self._letter(world, f"m{len(known)}", depends)
        return mean, self._bound(world, known, (x, v, mean), (world.luck.epoch, name))

    def _bound(self, world: World, known: list[Any], rows: tuple[Array, Array, Array], tag: Any) -> Array:
        """A deviation for this draw, bound to the mean by the assumption."""
        x, v, mean = rows
        if world.luck.inner:
            off = self._letter(world, f"s{len(known)}", world.luck.carried(np.stack([x, v])))
        else:
            noise = world.luck.noise(("estimate", id(self._base), *tag), v[None], None, 0, clients=False)
            off = world.luck.noise_rows(noise)[0]
        world.luck.keep(np.stack([x, v, mean]))
        point = world.point(0, x)
        for k, row in enumerate(self._base.assumption.rows(), start=1):
            label = f"{type(self._base.assumption).__name__} {k} at {point.name}"
            world.luck.residuals.append(_rule(world, label, row, point, (v, mean, off)))
        known.append((x, v, mean, off, tag))
        return off

    @staticmethod
    def _letter(world: World, name: str, depends: frozenset[int]) -> Array:
        row = world.space.zeros()
        row[world.space.letter(name, None, depends=depends).start] = world.space.one
        return row


def _rule(world: World, name: str, row: Any, point: Point, vectors: tuple[Array, Array, Array]) -> Residual:
    """- <row, scalars> >= 0 at a point; products by polarisation."""
    (v, mean, off), one = vectors, world.space.one
    squares = [(-one * row.G, v), (-one * row.E1, mean), (-one * row.V, off)]
    squares += _product(-one * row.P, v, mean)
    values: tuple[tuple[int, Number], ...] = ()
    if row.D and point.value is not None:
        values = ((point.value, -one * row.D),)
    elif row.D:  # f(x) - f* = <x - x*, grad f(x)>/2
        squares += _product(-one * row.D / 2, point.x - world.x_star, point.g)
    kept = tuple((w, r[None]) for w, r in squares if w)
    return Residual(name, kept, -one * row.one, values)


def _product(weight: Number, u: Array, v: Array) -> Iterator[tuple[Number, Array]]:
    """weight <u, v>."""
    yield weight / 4, u + v
    yield -weight / 4, u - v
