"""Compressors that send some coordinates, all or nothing.

Identity      C(x) = x                                     U(0), B(1)
Lazy          x/p with probability p, else 0               U(1/p - 1), equality for every x
BiasedLazy    x with probability p, else 0                 B(p), C(1 - p, p (1 - p)), equality
RandK         (d/k) x_S, S a uniform k-subset              U(d/k - 1), equality
BiasedRandK   x_S                                          B(k/d), C(1 - k/d, (k/d)(1 - k/d)), equality
Bernoulli     x_j/p_j with probability p_j, independently  U(max 1/p_j - 1), attained at that e_j
TopK          keep the k largest |x_j|, ties by lowest index    B(k/d), attained at 1; <C(x), x> = |C(x)|^2
Threshold     keep |x_j| >= w                              A(d w^2), not attained; <C(x), x> = |C(x)|^2
Adaptive      |x|_1 sign(x_j) e_j with probability |x_j|/|x|_1   U(d - 1), attained at 1
BiasedAdaptive  x_j e_j with that probability              B(1/d), attained at 1
"""

from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array, largest, last, namespace, put_along, take_along
from proveout.laws import Coin, Each, Law, Subset
from proveout.methods.blocks.compressors.common import (
    FLOAT_BITS,
    Compressor,
    check_k,
    check_p,
    index_bits,
    kept,
)

__all__ = [
    "BiasedLazy",
    "BiasedRandK",
    "Identity",
    "Lazy",
    "RandK",
    "Threshold",
    "TopK",
]


@dataclass(frozen=True)
class Identity(Compressor):
    def __call__(self, x: Array, draw: Array) -> Array:
        return x

    def omega(self, d: int) -> float:
        return 0.0

    def one_coordinate(self, d: int) -> "Identity":
        return self

    def floats(self, d: int) -> float:
        return d


@dataclass(frozen=True, kw_only=True)
class TopK(Compressor):
    k: int  # coordinates kept

    def __post_init__(self) -> None:
        check_k(self.k)

    def law(self, n: int, d: int) -> Law:
        kept(self.k, d)
        return super().law(n, d)

    def __call__(self, x: Array, draw: Array) -> Array:
        xp = namespace(x)
        return xp.where(largest(xp.abs(x), self.k), x, 0 * x)

    def omega(self, d: int) -> float:
        return 0.0 if self.k >= d else np.inf

    def alpha(self, d: int) -> float:
        return kept(self.k, d) / d

    def coupling(self, d: int) -> float:
        return 1.0

    def growth(self, d: int) -> tuple[float, float]:
        return kept(self.k, d) / d, 1.0

    def floats(self, d: int) -> float:
        return self.k

    def bits(self, d: int) -> float:
        return self.k * (FLOAT_BITS + index_bits(d))

    def extremes(self, d: int) -> Array:
        return np.stack([np.ones(d), np.eye(d)[0]])  # alpha and b; B


@dataclass(frozen=True, kw_only=True)
class Threshold(Compressor):
    w: float  # entries at least as large are sent

    def __post_init__(self) -> None:
        if not self.w > 0:
            raise ValueError(f"w must be > 0, got {self.w}")

    def __call__(self, x: Array, draw: Array) -> Array:
        xp = namespace(x)
        return xp.where(xp.abs(x) >= self.w, x, 0 * x)

    def alpha(self, d: int) -> float:
        return 0.0

    def absolute(self, d: int) -> float:
        return d * self.w**2

    def coupling(self, d: int) -> float:
        return 1.0

    def growth(self, d: int) -> tuple[float, float]:
        return 0.0, 1.0

    def bits(self, d: int) -> float:
        return d * (FLOAT_BITS + index_bits(d))  # at most

    def one_coordinate(self, d: int) -> "Threshold":
        return self

    def extremes(self, d: int) -> Array:
        return np.full((1, d), self.w * (1 - 1e-9))


class _Subset(Compressor):
    deterministic = False
    k: int

    def law(self, n: int, d: int) -> Law:
        return Each(n, Subset(d, kept(self.k, d), of=None))

    def floats(self, d: int) -> float:
        return self.k

    def bits(self, d: int) -> float:
        return self.k * FLOAT_BITS


@dataclass(frozen=True, kw_only=True)
class RandK(_Subset):
    """Scaled by d/k, unbiased.  The k positions follow from a shared seed, so only k floats travel."""

    k: int  # coordinates kept

    def __post_init__(self) -> None:
        check_k(self.k)

    def __call__(self, x: Array, draw: Array) -> Array:
        return put_along(0 * x, draw, take_along(x, draw) * x.shape[-1] / self.k)

    def omega(self, d: int) -> float:
        return d / kept(self.k, d) - 1

    def growth(self, d: int) -> tuple[float, float]:
        return 1.0, d / kept(self.k, d)

    def one_coordinate(self, d: int) -> "Lazy":
        return Lazy(p=kept(self.k, d) / d)


@dataclass(frozen=True, kw_only=True)
class BiasedRandK(_Subset):
    """Not scaled: contractive."""

    k: int  # coordinates kept

    def __post_init__(self) -> None:
        check_k(self.k)

    def __call__(self, x: Array, draw: Array) -> Array:
        return put_along(0 * x, draw, take_along(x, draw))

    def omega(self, d: int) -> float:
        return 0.0 if self.k >= d else np.inf

    def alpha(self, d: int) -> float:
        return kept(self.k, d) / d

    def efbv(self, d: int) -> tuple[float, float]:
        share = kept(self.k, d) / d
        return 1 - share, share * (1 - share)

    def growth(self, d: int) -> tuple[float, float]:
        return kept(self.k, d) / d, self.k / d

    def one_coordinate(self, d: int) -> "BiasedLazy":
        return BiasedLazy(p=kept(self.k, d) / d)


class _Coin(Compressor):
    deterministic = False
    p: float

    def law(self, n: int, d: int) -> Law:
        return Each(n, Coin(self.p))

    def floats(self, d: int) -> float:
        return self.p * d  # expected

    def bits(self, d: int) -> float:
        return self.p * d * FLOAT_BITS


@dataclass(frozen=True, kw_only=True)
class Lazy(_Coin):
    """All or nothing, scaled by 1/p: unbiased."""

    p: float  # probability of sending

    def __post_init__(self) -> None:
        check_p(self.p)

    def __call__(self, x: Array, draw: Array) -> Array:
        return namespace(x).where(last(draw), 1 / self.p * x, 0 * x)

    def omega(self, d: int) -> float:
        return 1 / self.p - 1

    def growth(self, d: int) -> tuple[float, float]:
        return 1.0, 1 / self.p

    def one_coordinate(self, d: int) -> "Lazy":
        return self


@dataclass(frozen=True, kw_only=True)
class BiasedLazy(_Coin):
    """All or nothing, not scaled: contractive."""

    p: float  # probability of sending

    def __post_init__(self) -> None:
        check_p(self.p)

    def __call__(self, x: Array, draw: Array) -> Array:
        return namespace(x).where(last(draw), x, 0 * x)

    def omega(self, d: int) -> float:
        return 0.0 if self.p == 1 else np.inf

    def alpha(self, d: int) -> float:
        return self.p

    def efbv(self, d: int) -> tuple[float, float]:
        return 1 - self.p, self.p * (1 - self.p)

    def growth(self, d: int) -> tuple[float, float]:
        return self.p, self.p

    def one_coordinate(self, d: int) -> "BiasedLazy":
        return self
