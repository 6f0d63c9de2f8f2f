"""Communication compressors: operators C on R^d, possibly random, applied to every client's vector.

    Identity      C(x) = x                                     U(0), B(1)
    TopK          keep the k largest |x_j|, ties by lowest index    B(k/d), tight at x = 1; <C(x), x> = |C(x)|^2
    RandK         (d/k) x_S, S a uniform k-subset              U(d/k - 1), equality for every x
    BiasedRandK   x_S                                          B(k/d), equality for every x
    Lazy          x/p with probability p, else 0               U(1/p - 1), equality
    BiasedLazy    x with probability p, else 0                 B(p), equality

U(omega): E C(x) = x, E|C(x) - x|^2 <= omega |x|^2.   B(alpha): E|C(x) - x|^2 <= (1 - alpha) |x|^2.

Beznosikov, Horváth, Richtárik, Safaryan, "On biased compression for distributed learning"
(arXiv:2002.12410).  Every compressor answers

    law(n, d)          draws of n clients, independent
    C(x, draw)         (..., n, d) -> (..., n, d)
    omega(d), alpha(d) least constants of the classes above; inf, 0 where it belongs to none
    growth(d)          (b, B), least: E<C(x), x> >= b |x|^2 and E|C(x)|^2 <= B |x|^2
    floats(d), bits(d) what one client sends: reals, and bits with the indices that must travel
    one_coordinate(d)  the compressor with the same law on any single coordinate, one coin for the
                       whole vector, or None; for claims that are sums over coordinates
    extremes(d)        (K, d) inputs at which the constants are attained
"""

import math
from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array, largest, last, namespace, put_along, take_along
from proveout.laws import Coin, Each, Law, Subset, Sure

__all__ = ["FLOAT_BITS", "BiasedLazy", "BiasedRandK", "Identity", "Lazy", "RandK", "TopK"]

FLOAT_BITS = 32


def _check_k(k: int) -> None:
    if not (k == int(k) and k >= 1):
        raise ValueError(f"k must be an integer >= 1, got {k}")


def _check_p(p: float) -> None:
    if not 0 < p <= 1:
        raise ValueError(f"p must lie in (0, 1], got {p}")


def _kept(k: int, d: int) -> int:
    """k, if there are so many coordinates."""
    if k > d:
        raise ValueError(f"k must be at most d = {d}, got {k}")
    return k


def _index_bits(d: int) -> int:
    return math.ceil(math.log2(d)) if d > 1 else 0


@dataclass(frozen=True)
class Identity:
    def law(self, n: int, d: int) -> Law:
        return Sure(np.zeros((n, 1)))

    def __call__(self, x: Array, draw: Array) -> Array:
        return x

    def omega(self, d: int) -> float:
        return 0.0

    def alpha(self, d: int) -> float:
        return 1.0

    def growth(self, d: int) -> tuple[float, float]:
        return 1.0, 1.0

    def floats(self, d: int) -> int:
        return d

    def bits(self, d: int) -> int:
        return FLOAT_BITS * d

    def one_coordinate(self, d: int) -> "Identity":
        return self

    def extremes(self, d: int) -> Array:
        return np.ones((1, d))


@dataclass(frozen=True, kw_only=True)
class TopK:
    k: int  # coordinates kept

    def __post_init__(self) -> None:
        _check_k(self.k)

    def law(self, n: int, d: int) -> Law:
        _kept(self.k, d)
        return Sure(np.zeros((n, 1)))

    def __call__(self, x: Array, draw: Array) -> Array:
        xp = namespace(x)
        return xp.where(largest(xp.abs(x), self.k), x, 0 * x)

    def omega(self, d: int) -> float:
        return 0.0 if self.k >= d else math.inf

    def alpha(self, d: int) -> float:
        return _kept(self.k, d) / d

    def growth(self, d: int) -> tuple[float, float]:
        return _kept(self.k, d) / d, 1.0

    def floats(self, d: int) -> int:
        return self.k

    def bits(self, d: int) -> int:
        return self.k * (FLOAT_BITS + _index_bits(d))

    def one_coordinate(self, d: int) -> None:
        return None  # what one coordinate does depends on the others

    def extremes(self, d: int) -> Array:
        return np.stack([np.ones(d), np.eye(d)[0]])  # alpha and b; B


@dataclass(frozen=True, kw_only=True)
class RandK:
    """Scaled by d/k, unbiased.  The k positions follow from a shared seed, so only k floats travel."""

    k: int  # coordinates kept

    def __post_init__(self) -> None:
        _check_k(self.k)

    def law(self, n: int, d: int) -> Law:
        return Each(n, Subset(d, _kept(self.k, d), of=None))

    def __call__(self, x: Array, draw: Array) -> Array:
        return put_along(0 * x, draw, take_along(x, draw) * x.shape[-1] / self.k)

    def omega(self, d: int) -> float:
        return d / _kept(self.k, d) - 1

    def alpha(self, d: int) -> float:
        return max(0.0, 1 - self.omega(d))

    def growth(self, d: int) -> tuple[float, float]:
        return 1.0, d / _kept(self.k, d)

    def floats(self, d: int) -> int:
        return self.k

    def bits(self, d: int) -> int:
        return self.k * FLOAT_BITS

    def one_coordinate(self, d: int) -> "Lazy":
        return Lazy(p=_kept(self.k, d) / d)

    def extremes(self, d: int) -> Array:
        return np.ones((1, d))


@dataclass(frozen=True, kw_only=True)
class BiasedRandK:
    """Not scaled: contractive."""

    k: int  # coordinates kept

    def __post_init__(self) -> None:
        _check_k(self.k)

    def law(self, n: int, d: int) -> Law:
        return Each(n, Subset(d, _kept(self.k, d), of=None))

    def __call__(self, x: Array, draw: Array) -> Array:
        return put_along(0 * x, draw, take_along(x, draw))

    def omega(self, d: int) -> float:
        return 0.0 if self.k >= d else math.inf

    def alpha(self, d: int) -> float:
        return _kept(self.k, d) / d

    def growth(self, d: int) -> tuple[float, float]:
        return _kept(self.k, d) / d, self.k / d

    def floats(self, d: int) -> int:
        return self.k

    def bits(self, d: int) -> int:
        return self.k * FLOAT_BITS

    def one_coordinate(self, d: int) -> "BiasedLazy":
        return BiasedLazy(p=_kept(self.k, d) / d)

    def extremes(self, d: int) -> Array:
        return np.ones((1, d))


@dataclass(frozen=True, kw_only=True)
class Lazy:
    """All or nothing, scaled by 1/p: unbiased."""

    p: float  # probability of sending

    def __post_init__(self) -> None:
        _check_p(self.p)

    def law(self, n: int, d: int) -> Law:
        return Each(n, Coin(self.p))

    def __call__(self, x: Array, draw: Array) -> Array:
        return namespace(x).where(last(draw), 1 / self.p * x, 0 * x)

    def omega(self, d: int) -> float:
        return 1 / self.p - 1

    def alpha(self, d: int) -> float:
        return max(0.0, 1 - self.omega(d))

    def growth(self, d: int) -> tuple[float, float]:
        return 1.0, 1 / self.p

    def floats(self, d: int) -> float:
        return self.p * d  # expected

    def bits(self, d: int) -> float:
        return self.p * d * FLOAT_BITS

    def one_coordinate(self, d: int) -> "Lazy":
        return self

    def extremes(self, d: int) -> Array:
        return np.ones((1, d))


@dataclass(frozen=True, kw_only=True)
class BiasedLazy:
    """All or nothing, not scaled: contractive."""

    p: float  # probability of sending

    def __post_init__(self) -> None:
        _check_p(self.p)

    def law(self, n: int, d: int) -> Law:
        return Each(n, Coin(self.p))

    def __call__(self, x: Array, draw: Array) -> Array:
        return namespace(x).where(last(draw), x, 0 * x)

    def omega(self, d: int) -> float:
        return 0.0 if self.p == 1 else math.inf

    def alpha(self, d: int) -> float:
        return self.p

    def growth(self, d: int) -> tuple[float, float]:
        return self.p, self.p

    def floats(self, d: int) -> float:
        return self.p * d  # expected

    def bits(self, d: int) -> float:
        return self.p * d * FLOAT_BITS

    def one_coordinate(self, d: int) -> "BiasedLazy":
        return self

    def extremes(self, d: int) -> Array:
        return np.ones((1, d))
