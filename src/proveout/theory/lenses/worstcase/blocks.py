"""Compressors as abstract blocks: known by the inequality of their class only.

    E C(v) = v, E|C(v) - v|^2 <= omega |v|^2, clients independent:   C(v) = v + e, e centred noise
    |C(v) - v|^2 <= (1 - alpha) |v|^2                             :   C(v) = v + r, r a residual

A block is what offers `omega(d)` (finite: the first line) or else `alpha(d)` in (0, 1]; gradient estimators that are
known by an assumption are in `estimators`.  Both are replaced wherever they stand among the fields of a method.
For a quadratic V, E V depends on mean and variance alone, so that nothing is lost by the first replacement
unless an oracle is asked after it.
"""

import math
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array, last
from proveout.laws import Coin, Each, Law, Sure
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.abstract import Frame
from proveout.theory.lenses.worstcase.estimators import Described, is_described
from proveout.theory.lenses.worstcase.world import World
from proveout.theory.statement import Method

__all__ = ["Known", "abstracted", "compressors", "drawable"]


class Known:
    """A compressor seen through its constants; without a world it answers v itself."""

    def __init__(self, base: Any, d: int, world: World | None, frame: Frame | None) -> None:
        self._base, self._d, self._world, self._frame = base, d, world, frame

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._base, name)

    @property
    def _drawn(self) -> bool:
        return self._world is not None and self._world.luck.inner and math.isfinite(self._base.omega(self._d))

    def law(self, n: int, d: int) -> Law:
        """Nothing to draw: a bare name (in an inner trace: a sign per client)."""
        if self._drawn:
            return Each(n, Coin(0.5))
        number = 0 if self._world is None else self._world.luck.fresh_name()
        return Sure(np.full((n, 1), number))

    def __call__(self, x: Array, draw: Array) -> Array:
        """(..., n, D) -> (..., n, D)."""
        if self._world is None:
            return x
        if self._drawn:  # v (1 +- sqrt(omega)): unbiased, of this variance
            return x + self._base.omega(self._d) ** 0.5 * (2 * last(draw) - 1) * x
        v = self._world.space.clean(x if self._frame is None else x @ self._frame.inverse)
        name = int(np.asarray(draw).ravel()[0])
        seen = list(self._world.luck.memory.get(("block", self._world.luck.epoch, name), ()))
        out = np.stack([self._one(rows, name) for rows in v.reshape(-1, *v.shape[-2:])]).reshape(v.shape)
        if seen and len(seen) < len(self._world.luck.memory[("block", self._world.luck.epoch, name)]):
            raise ValueError("one draw compresses different vectors: their errors are not independent")
        return x + (out if self._frame is None else out @ self._frame.W)

    def _one(self, v: Array, name: int) -> Array:
        """What the block adds to the rows v (n, D)."""
        world, key = self._world, ("block", self._world.luck.epoch, name)  # type: ignore[union-attr]
        if world is None:
            return 0 * v
        omega = self._base.omega(self._d)
        if math.isfinite(omega):
            if not omega:
                return 0 * v
            return world.luck.noise_rows(world.luck.noise(key, v, omega, 0, len(v) == world.space.n))
        factor = 1 - self._base.alpha(self._d)
        if math.isinf(factor):
            raise Refused(f"{type(self._base).__name__} is neither unbiased nor contractive")
        return world.luck.residual(key, v, factor) if factor else 0 * v


def abstracted(method: Method, d: int, world: World | None = None, frame: Frame | None = None) -> Method:
    """The method with every compressor, and every estimator known by an assumption, among its fields replaced."""
    if callable(getattr(method, "omega", None)) and callable(getattr(method, "law", None)):
        return Known(method, d, world, frame)
    if is_described(method):
        return Described(method, world, frame)
    if not is_dataclass(method) or isinstance(method, type):
        return method
    old = {f.name: getattr(method, f.name) for f in fields(method) if f.init}
    new = {name: abstracted(value, d, world, frame) for name, value in old.items()}
    changed = {name: value for name, value in new.items() if value is not old[name]}
    return replace(method, **changed) if changed else method


def compressors(method: Method) -> list[Any]:
    """All compressors among the fields of a method, at any depth."""
    if callable(getattr(method, "omega", None)) and callable(getattr(method, "law", None)):
        return [method]
    if not is_dataclass(method) or isinstance(method, type):
        return []
    return [c for f in fields(method) if f.init for c in compressors(getattr(method, f.name))]


def drawable(method: Method) -> bool:
    """Has the method compressors that, drawn in one dimension, are what their constants say?"""
    found = compressors(method)
    return bool(found) and all(map(_faithful, found))


def _faithful(block: Any) -> bool:
    try:
        prob, draw = block.law(1, 1).atoms()
        error = np.asarray(block(np.ones((len(prob), 1, 1)), draw))[:, 0, 0] - 1
        return bool(np.isclose(prob @ error, 0) and np.isclose(prob @ error**2, block.omega(1)))
    except (TypeError, ValueError, IndexError):
        return False
