"""Compressors whose probabilities differ from coordinate to coordinate.

Bernoulli       x_j/p_j with probability p_j, independently         U(max_j 1/p_j - 1), attained at that e_j
Adaptive        |x|_1 sign(x_j) e_j with probability |x_j|/|x|_1    U(d - 1), attained at 1
BiasedAdaptive  x_j e_j with that probability                       B(1/d), attained at 1
"""

from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array, last, like, namespace
from proveout.laws import Each, Independent, Law, Uniform, pick
from proveout.methods.blocks.compressors.common import FLOAT_BITS, Compressor, check_p, index_bits, norm_p
from proveout.methods.blocks.compressors.sparsify import Lazy

__all__ = ["Adaptive", "Bernoulli", "BiasedAdaptive"]


@dataclass(frozen=True, kw_only=True)
class Bernoulli(Compressor):
    """Each coordinate on its own; `probs` is one number or one per coordinate."""

    probs: float | tuple[float, ...]

    deterministic = False

    def __post_init__(self) -> None:
        for p in np.atleast_1d(self.probs):
            check_p(float(p))

    def _p(self, d: int) -> Array:
        p = np.asarray(self.probs, float)
        if p.ndim and len(p) != d:
            raise ValueError(f"probs must have one entry per coordinate, {d}, got {len(p)}")
        return np.broadcast_to(p, (d,))

    def law(self, n: int, d: int) -> Law:
        return Each(n, Independent(tuple(self._p(d)), d, of=None))

    def __call__(self, x: Array, draw: Array) -> Array:
        return namespace(x).where(draw, x / like(self._p(x.shape[-1]), x), 0 * x)

    def omega(self, d: int) -> float:
        return float(1 / self._p(d).min() - 1)

    def floats(self, d: int) -> float:
        return float(self._p(d).sum())  # expected

    def bits(self, d: int) -> float:
        return self.floats(d) * FLOAT_BITS

    def one_coordinate(self, d: int) -> "Lazy | None":
        p = self._p(d)
        return Lazy(p=float(p[0])) if np.ptp(p) == 0 else None

    def extremes(self, d: int) -> Array:
        return np.eye(d)[self._p(d).argmin()][None]


class _Picked(Compressor):
    """One coordinate, picked with probability |x_j|/|x|_1."""

    deterministic = False

    def law(self, n: int, d: int) -> Law:
        return Each(n, Uniform((), outcomes=d))

    def _hit(self, x: Array, draw: Array) -> Array:
        """Mask of the coordinate that is sent: (..., d)."""
        xp = namespace(x)
        size, top = xp.abs(x), norm_p(x, np.inf)
        j = pick(size / xp.where(top > 0, top, xp.ones_like(top)), draw)
        return last(j) == like(np.arange(x.shape[-1]), j)

    def floats(self, d: int) -> float:
        return 1

    def bits(self, d: int) -> float:
        return FLOAT_BITS + index_bits(d)


@dataclass(frozen=True)
class Adaptive(_Picked):
    """Adaptive random sparsification, unbiased."""

    def __call__(self, x: Array, draw: Array) -> Array:
        xp = namespace(x)
        return xp.where(self._hit(x, draw), norm_p(x, 1) * xp.sign(x), 0 * x)

    def omega(self, d: int) -> float:
        return d - 1.0


@dataclass(frozen=True)
class BiasedAdaptive(_Picked):
    """Adaptive random sparsification, not scaled: E<C(x), x> = E|C(x)|^2 = |x|_3^3/|x|_1."""

    def __call__(self, x: Array, draw: Array) -> Array:
        return namespace(x).where(self._hit(x, draw), x, 0 * x)

    def omega(self, d: int) -> float:
        return 0.0 if d == 1 else np.inf

    def alpha(self, d: int) -> float:
        return 1 / d

    def coupling(self, d: int) -> float:
        return 1.0

    def growth(self, d: int) -> tuple[float, float]:
        return 1 / d, 1.0

    def extremes(self, d: int) -> Array:
        return np.stack([np.ones(d), np.eye(d)[0]])
