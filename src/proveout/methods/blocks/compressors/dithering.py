"""Dithering: entries relative to a norm, rounded at random and without bias.

    C(x)_j = |x|_p sign(x_j) xi_j,   E xi_j = |x_j|/|x|_p,   independent over j

    LinearDithering       levels 0, 1/s, 2/s, ..., 1      p = 2: QSGD; p = inf, s = 1: ternary (TernGrad)
    ExponentialDithering  levels 0, a^(1-s), ..., 1/a, 1  a = 2: natural dithering
    TopKDithering         ExponentialDithering of the k largest entries

With rho = max(1, d^(1/p - 1/2)), so that |x|_p <= rho |x|:

    linear        s = 1: E|C(x)|^2 = |x|_p |x|_1, so omega = d - 1, sqrt(d) - 1, (sqrt(d) - 1)/2 for p = 1, 2, inf (least);
                  else omega <= min{d rho^2/(4 s^2), sqrt(d) rho/s}
    exponential   omega <= (a + 1/a)/4 - 1/2 + min{sqrt(d) l, d l^2/4}, l = a^(1-s) rho; s = 1 is linear

since (u - l)(h - u) <= min{(h - l)^2/4, u (h - l)} between neighbours l, h, and by the ratio a above the least level.
Alistarh et al. (arXiv:1610.02132); Wen et al. (arXiv:1705.07878); Horváth et al. (arXiv:1905.10988).
"""

import math
from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array, namespace
from proveout.laws import Each, Law, Uniform
from proveout.methods.blocks.compressors.common import (
    FLOAT_BITS,
    Compressor,
    check_base,
    check_k,
    index_bits,
    kept,
    norm_p,
)
from proveout.methods.blocks.compressors.rounding import excess, floor_power, up_or_down
from proveout.methods.blocks.compressors.sparsify import TopK

__all__ = ["ExponentialDithering", "LinearDithering", "TopKDithering", "qsgd", "ternary"]


class _Dithering(Compressor):
    deterministic = False
    levels: int
    p: float

    def _check(self) -> None:
        if not (self.levels == int(self.levels) and self.levels >= 1):
            raise ValueError(f"levels must be an integer >= 1, got {self.levels}")
        if not self.p >= 1:
            raise ValueError(f"p must be >= 1, got {self.p}")

    def law(self, n: int, d: int) -> Law:
        return Each(n, Uniform((d,), outcomes=2))

    def stretch(self, d: int) -> float:
        """rho: the largest |x|_p/|x|."""
        return float(max(1.0, d ** (1 / self.p - 1 / 2)))

    def bits(self, d: int) -> float:
        """The norm; then a sign and a level each, or one of three values."""
        if self.levels == 1 and self.p == math.inf:
            return FLOAT_BITS + d * math.log2(3)
        return FLOAT_BITS + d * (1 + math.ceil(math.log2(self.levels + 1)))

    def extremes(self, d: int) -> Array:
        one_large = np.ones(d) / (1 + math.sqrt(d))
        one_large[0] = 1
        return np.stack([np.ones(d), one_large, np.eye(d)[0]])

    def _one_level(self, d: int) -> float:
        """omega for the levels 0, 1; least for p = 1, 2, inf."""
        if self.p == math.inf:
            return (math.sqrt(d) - 1) / 2
        return math.sqrt(d) * self.stretch(d) - 1


@dataclass(frozen=True, kw_only=True)
class LinearDithering(_Dithering):
    levels: int = 1  # s
    p: float = 2.0  # of the norm

    def __post_init__(self) -> None:
        self._check()

    def __call__(self, x: Array, draw: Array) -> Array:
        xp, s = namespace(x), self.levels
        size = norm_p(x, self.p)
        y = xp.clip(s * (xp.abs(x) / xp.where(size > 0, size, xp.ones_like(size))), 0, s)
        low = xp.clip(xp.floor(y), 0, s - 1)
        return size * xp.sign(x) * (up_or_down(y, low, low + 1, draw) / s)

    def omega(self, d: int) -> float:
        if self.levels == 1:
            return self._one_level(d)
        root = math.sqrt(d) * self.stretch(d) / self.levels
        return min(root**2 / 4, root)


@dataclass(frozen=True, kw_only=True)
class ExponentialDithering(_Dithering):
    levels: int = 1  # s, 0 not counted
    base: float = 2.0  # a
    p: float = 2.0

    def __post_init__(self) -> None:
        self._check()
        check_base(self.base)

    def __call__(self, x: Array, draw: Array) -> Array:
        xp = namespace(x)
        size = norm_p(x, self.p)
        u = xp.clip(xp.abs(x) / xp.where(size > 0, size, xp.ones_like(size)), 0, 1)
        least = self.base ** (1 - self.levels)
        first = u < least
        low = floor_power(xp.where(first, xp.ones_like(u), u), self.base)
        high = xp.where(first, least * xp.ones_like(u), self.base * low)
        return size * xp.sign(x) * up_or_down(u, xp.where(first, xp.zeros_like(u), low), high, draw)

    def omega(self, d: int) -> float:
        if self.levels == 1:
            return self._one_level(d)
        root = math.sqrt(d) * self.stretch(d) * self.base ** (1 - self.levels)
        return excess(self.base) + min(root, root**2 / 4)


@dataclass(frozen=True, kw_only=True)
class TopKDithering(Compressor):
    k: int
    levels: int = 1
    base: float = 2.0
    p: float = 2.0

    deterministic = False

    def __post_init__(self) -> None:
        check_k(self.k)
        self.dithering.omega(1)

    @property
    def dithering(self) -> ExponentialDithering:
        return ExponentialDithering(levels=self.levels, base=self.base, p=self.p)

    def law(self, n: int, d: int) -> Law:
        kept(self.k, d)
        return self.dithering.law(n, d)

    def __call__(self, x: Array, draw: Array) -> Array:
        return self.dithering(TopK(k=self.k)(x, None), draw)

    def omega(self, d: int) -> float:
        return self.dithering.omega(d) if self.k >= d else math.inf

    def alpha(self, d: int) -> float:
        """(1 - omega) k/d, omega of dithering in dimension k: <C(x), x> = |C(x)|^2 for top-k."""
        gain = 1 - self.dithering.omega(self.k)
        return gain * kept(self.k, d) / d if gain > 0 else gain

    def coupling(self, d: int) -> float:
        return 1 + self.dithering.omega(self.k)

    def growth(self, d: int) -> tuple[float, float]:
        return kept(self.k, d) / d, 1 + self.dithering.omega(self.k)

    def bits(self, d: int) -> float:
        return self.dithering.bits(self.k) + self.k * index_bits(d)

    def extremes(self, d: int) -> Array:
        return np.stack([np.ones(d), 1.0 * (np.arange(d) < self.k), np.eye(d)[0]])


def qsgd(levels: int) -> LinearDithering:
    """Linear dithering relative to the Euclidean norm."""
    return LinearDithering(levels=levels, p=2.0)


def ternary() -> LinearDithering:
    """TernGrad without its clipping: |x|_inf times a sign or 0; omega = (sqrt(d) - 1)/2."""
    return LinearDithering(levels=1, p=math.inf)
