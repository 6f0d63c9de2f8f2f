"""What every compressor answers; x is (..., n, d).

    law(n, d)          draws of n clients, independent unless the class says otherwise
    C(x, draw)         what the clients send, (..., n, d)
    omega(d)           of U(omega); inf where it is biased
    alpha(d)           of B(alpha); <= 0 where it is not contractive, -inf where nothing relative bounds its error
    efbv(d)            (eta, omega) of C(eta, omega)
    absolute(d)        Delta^2 of A(Delta^2), or inf
    coupling(d)        beta: E|C(x)|^2 <= beta E<C(x), x>, or inf
    growth(d)          (b, B): E<C(x), x> >= b |x|^2 and E|C(x)|^2 <= B |x|^2; (0, inf) where there are none
    floats(d), bits(d) what one client sends: reals, and bits with the indices that must travel
    one_coordinate(d)  the compressor with the same law on any single coordinate, one coin for the whole
                       vector or one per coordinate, or None; for claims that are sums over coordinates
    extremes(d)        (K, d) inputs at which the constants are attained

Constants are least where the class is known exactly; those of combinations and of dithering are bounds.
"""

import math
from typing import Any, ClassVar

import numpy as np

from proveout.arrays import Array, namespace
from proveout.laws import Law, Sure

__all__ = ["FLOAT_BITS", "Compressor", "check_base", "check_k", "check_p", "index_bits", "kept", "norm_p"]

FLOAT_BITS = 32


class Compressor:
    """The defaults: no randomness, and what follows from omega and alpha."""

    deterministic: ClassVar[bool] = True
    joint: ClassVar[bool] = False  # do the draws of the clients depend on each other?

    def law(self, n: int, d: int) -> Law:
        return Sure(np.zeros((n, 1)))

    def __call__(self, x: Array, draw: Any) -> Array:
        raise TypeError(f"{type(self).__name__} is not a compressor by itself")

    def omega(self, d: int) -> float:
        return math.inf

    def alpha(self, d: int) -> float:
        return 1 - self.omega(d)

    def efbv(self, d: int) -> tuple[float, float]:
        """From U(omega) = C(0, omega), else B(alpha) in C(sqrt(1 - alpha), 1 - alpha), or 0 without randomness."""
        if math.isfinite(self.omega(d)):
            return 0.0, self.omega(d)
        rest = 1 - self.alpha(d)
        return math.sqrt(rest), 0.0 if self.deterministic else rest

    def absolute(self, d: int) -> float:
        return math.inf

    def growth(self, d: int) -> tuple[float, float]:
        """Of an unbiased compressor; else what every member of B(alpha) has, (1 - r, (1 + r)^2), r^2 = 1 - alpha."""
        if math.isfinite(self.omega(d)):
            return 1.0, 1 + self.omega(d)
        if self.alpha(d) > 0:
            r = math.sqrt(1 - self.alpha(d))
            return 1 - r, (1 + r) ** 2
        return 0.0, math.inf

    def coupling(self, d: int) -> float:
        """B/b, or 1 + r of a member of B(alpha), r^2 = 1 - alpha."""
        (b, B), alpha = self.growth(d), self.alpha(d)
        of_growth = B / b if b > 0 else math.inf
        return min(of_growth, 1 + math.sqrt(1 - alpha)) if alpha > 0 else of_growth

    def floats(self, d: int) -> float:
        return self.bits(d) / FLOAT_BITS

    def bits(self, d: int) -> float:
        return FLOAT_BITS * d

    def one_coordinate(self, d: int) -> Any:
        return None  # what one coordinate does depends on the others

    def extremes(self, d: int) -> Array:
        return np.ones((1, d))


def check_k(k: int) -> None:
    if not (k == int(k) and k >= 1):
        raise ValueError(f"k must be an integer >= 1, got {k}")


def check_p(p: float) -> None:
    if not 0 < p <= 1:
        raise ValueError(f"p must lie in (0, 1], got {p}")


def check_base(base: float) -> None:
    if not 1 < base < math.inf:
        raise ValueError(f"base must be > 1, got {base}")


def kept(k: int, d: int) -> int:
    """k, if there are so many coordinates."""
    if k > d:
        raise ValueError(f"k must be at most d = {d}, got {k}")
    return k


def index_bits(d: int) -> int:
    return math.ceil(math.log2(d)) if d > 1 else 0


def norm_p(x: Array, p: float) -> Array:
    """|x|_p over the last axis, kept: (..., d) -> (..., 1); no overflow."""
    xp = namespace(x)
    size = xp.abs(x)
    top = xp.max(size, axis=-1, keepdims=True)
    if p == math.inf:
        return top
    y = size / xp.where(top > 0, top, xp.ones_like(top))
    return top * xp.sum(y**p, axis=-1, keepdims=True) ** (1 / p)
