"""Rounding of every entry on its own.

On a grid {m a^k}: k an integer, m one of the `marks` 1 = m_0 < m_1 < ... < a = `base`, sign kept, 0 -> 0.
With rho the largest ratio of neighbours,

    Rounding         to a neighbour, unbiased    U((rho + 1/rho)/4 - 1/2), attained at t = 2 low high/(low + high)
    Natural          marks (1,): powers of the base; base 2: U(1/8), attained at 4/3
    NearestRounding  to the nearer one, ties up      1 - alpha = ((rho - 1)/(rho + 1))^2, attained in the middle, both ways
    NearestPower     marks (1,); base 2: B(8/9), attained at 3/2

On the integers divided by `scale`:

    IntegerRounding  nearest: A(d/(4 scale^2)), attained at half-integers; floor: A(d/scale^2), not attained;
                     random: unbiased, the same Delta^2 as nearest

Horváth et al. (arXiv:1905.10988); Beznosikov et al. (arXiv:2002.12410).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from proveout.arrays import Array, like, namespace
from proveout.laws import Each, Law, Uniform, pick
from proveout.methods.blocks.compressors.common import FLOAT_BITS, Compressor, check_base

__all__ = [
    "IntegerRounding",
    "Natural",
    "NearestPower",
    "NearestRounding",
    "Rounding",
    "excess",
    "floor_power",
    "up_or_down",
]

EXPONENT_BITS = 8  # of a float of 32 bits


def excess(ratio: float) -> float:
    """Largest variance of unbiased rounding between two neighbours, relative to the square."""
    return (ratio + 1 / ratio - 2) / 4


def floor_power(t: Array, base: float) -> Array:
    """The largest power of the base that is <= t, for t > 0; exact for base 2, subnormal numbers included."""
    xp = namespace(t)
    if base == 2:
        return t / xp.frexp(t)[0] / 2
    k = xp.floor(xp.log(t) / math.log(base))
    k = xp.where(base**k > t, k - 1, k)
    return base ** xp.where(base ** (k + 1) <= t, k + 1, k)


def up_or_down(t: Array, low: Array, high: Array, draw: Array) -> Array:
    """low or high, with mean t: the draw is one uniform number per entry."""
    xp = namespace(t)
    up = xp.clip((t - low) / (high - low), 0, 1)
    return xp.where(pick(xp.stack([1 - up, up], axis=-1), draw) == 1, high, low)


@dataclass(frozen=True, kw_only=True)
class _Grid(Compressor):
    base: float = 2.0
    marks: tuple[float, ...] = (1,)  # grid points in [1, base)

    def __post_init__(self) -> None:
        check_base(self.base)
        edges = (*self.marks, self.base)
        if self.marks[0] != 1 or any(b <= a for a, b in zip(edges, edges[1:])):
            raise ValueError(f"marks must rise from 1 to below base = {self.base}, got {self.marks}")

    @property
    def ratio(self) -> float:
        """The largest ratio of neighbours."""
        return self.widest[1] / self.widest[0]

    @property
    def widest(self) -> tuple[float, float]:
        edges = (*self.marks, self.base)
        return max(zip(edges, edges[1:]), key=lambda pair: pair[1] / pair[0])

    def neighbours(self, t: Array) -> tuple[Array, Array]:
        """The grid points around t > 0: low <= t < high."""
        xp = namespace(t)
        power = floor_power(t, self.base)
        if len(self.marks) == 1:
            return power, self.base * power
        edges = like(np.array([*self.marks, self.base]), t)
        below = xp.astype((t / power)[..., None] >= edges[:-1], xp.int64)
        k = xp.sum(below, axis=-1) - 1
        return power * edges[k], power * edges[k + 1]

    def one_coordinate(self, d: int) -> "_Grid":
        return self

    def bits(self, d: int) -> float:
        """A sign and an exponent each, and the mark."""
        return d * (1 + EXPONENT_BITS + math.ceil(math.log2(len(self.marks))))

    def _sizes(self, x: Array) -> Array:
        """|x|, and 1 for 0."""
        xp = namespace(x)
        return xp.where(x == 0, xp.ones_like(x), xp.abs(x))


@dataclass(frozen=True, kw_only=True)
class Rounding(_Grid):
    deterministic = False

    def law(self, n: int, d: int) -> Law:
        return Each(n, Uniform((d,), outcomes=2))

    def __call__(self, x: Array, draw: Array) -> Array:
        size = self._sizes(x)
        return namespace(x).sign(x) * up_or_down(size, *self.neighbours(size), draw)

    def omega(self, d: int) -> float:
        return excess(self.ratio)

    def extremes(self, d: int) -> Array:
        low, high = self.widest
        return np.full((1, d), 2 * low * high / (low + high))


@dataclass(frozen=True, kw_only=True)
class Natural(Rounding):
    """Natural compression: powers of two, or of any base."""


@dataclass(frozen=True, kw_only=True)
class NearestRounding(_Grid):
    def __call__(self, x: Array, draw: Array) -> Array:
        xp = namespace(x)
        size = self._sizes(x)
        low, high = self.neighbours(size)
        return xp.sign(x) * xp.where(size - low < high - size, low, high)

    def alpha(self, d: int) -> float:
        return 1 - ((self.ratio - 1) / (self.ratio + 1)) ** 2

    def slopes(self) -> tuple[float, float]:
        """(inf, sup) of |C(t)|/|t|: 2/(1 + ratio), 2 ratio/(1 + ratio)."""
        return 2 / (1 + self.ratio), 2 * self.ratio / (1 + self.ratio)

    def coupling(self, d: int) -> float:
        return self.slopes()[1]

    def growth(self, d: int) -> tuple[float, float]:
        low, high = self.slopes()
        return low, high**2

    def extremes(self, d: int) -> Array:
        middle = sum(self.widest) / 2
        return np.stack([np.full(d, middle), np.full(d, middle * (1 - 1e-12))])  # rounded up, down


@dataclass(frozen=True, kw_only=True)
class NearestPower(NearestRounding):
    """The nearest power of two, or of any base."""


@dataclass(frozen=True, kw_only=True)
class IntegerRounding(Compressor):
    scale: float = 1.0  # chi: the grid is the integers divided by it
    mode: Literal["nearest", "floor", "random"] = "nearest"

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"scale must be > 0, got {self.scale}")
        if self.mode not in ("nearest", "floor", "random"):
            raise ValueError(f"mode must be nearest, floor or random, got {self.mode!r}")

    def law(self, n: int, d: int) -> Law:
        return Each(n, Uniform((d,), outcomes=2)) if self.mode == "random" else super().law(n, d)

    def __call__(self, x: Array, draw: Array) -> Array:
        xp = namespace(x)
        y = self.scale * x
        if self.mode == "nearest":
            return xp.round(y) / self.scale
        low = xp.floor(y)
        return (low if self.mode == "floor" else up_or_down(y, low, low + 1, draw)) / self.scale

    def alpha(self, d: int) -> float:
        """|C(x) - x| <= |x| for the nearest; small numbers can err by more otherwise."""
        return 0.0 if self.mode == "nearest" else -math.inf

    def absolute(self, d: int) -> float:
        return d / self.scale**2 / (1 if self.mode == "floor" else 4)

    def bits(self, d: int) -> float:
        return FLOAT_BITS * d  # integers of 32 bits

    def one_coordinate(self, d: int) -> "IntegerRounding":
        return self

    def extremes(self, d: int) -> Array:
        """Where the error is largest, and just beyond the jump."""
        points = (1 - 1e-9, -1 - 1e-9) if self.mode == "floor" else (0.5, 0.5 + 1e-9)
        return np.array(points)[:, None] * np.ones(d) / self.scale
