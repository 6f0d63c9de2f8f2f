"""Compressors made of compressors.

    Scaled     lam C                              U(omega): B(1 - lam^2 omega - (1 - lam)^2), best lam = 1/(1 + omega)
    Composed   outer(inner(x)), independent       U((1 + omega_1)(1 + omega_2) - 1)
    LazyApply  C with probability p, else 0; scaled by 1/p or not    U((1 + omega)/p - 1), resp. B(p alpha)
    Averaged   mean of independent copies         U(omega/copies)
    Induced    C_1(x) + C_2(x - C_1(x))           U((1 - alpha_1) omega_2)
    Damped     lam x                              B(1 - (1 - lam)^2), an extreme member of its class

C(eta, omega) scales to C(1 - lam + lam eta, lam^2 omega).
Beznosikov et al. (arXiv:2002.12410); Horváth, Richtárik (arXiv:2006.11077); Condat, Li, Richtárik (arXiv:2205.04180).
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, last, namespace
from proveout.laws import Coin, Each, Joint, Law
from proveout.methods.blocks.compressors.common import Compressor, check_p

__all__ = [
    "Averaged",
    "Composed",
    "Damped",
    "Gate",
    "Induced",
    "LazyApply",
    "Pair",
    "Scaled",
]


class Pair(NamedTuple):
    first: Any
    second: Any


class Gate(NamedTuple):
    open: Array  # (..., n)  bool
    message: Any


class _Random(Compressor):
    deterministic = False


@dataclass(frozen=True, kw_only=True)
class Damped(Compressor):
    factor: float

    def __call__(self, x: Array, draw: Any) -> Array:
        return self.factor * x

    def omega(self, d: int) -> float:
        return 0.0 if self.factor == 1 else math.inf

    def alpha(self, d: int) -> float:
        return 1 - (1 - self.factor) ** 2

    def efbv(self, d: int) -> tuple[float, float]:
        return abs(1 - self.factor), 0.0

    def growth(self, d: int) -> tuple[float, float]:
        return self.factor, self.factor**2


@dataclass(frozen=True, kw_only=True)
class Scaled(_Random):
    compressor: Any
    factor: float

    def law(self, n: int, d: int) -> Law:
        return self.compressor.law(n, d)  # type: ignore[no-any-return]

    def __call__(self, x: Array, draw: Any) -> Array:
        return self.factor * self.compressor(x, draw)

    def omega(self, d: int) -> float:
        return float(self.compressor.omega(d)) if self.factor == 1 else math.inf

    def efbv(self, d: int) -> tuple[float, float]:
        eta, omega = self.compressor.efbv(d)
        return abs(1 - self.factor) + self.factor * eta, self.factor**2 * omega

    def alpha(self, d: int) -> float:
        if self.factor == 1:
            return float(self.compressor.alpha(d))
        eta, omega = self.efbv(d)
        return 1 - eta**2 - omega

    def coupling(self, d: int) -> float:
        return self.factor * float(self.compressor.coupling(d))

    def growth(self, d: int) -> tuple[float, float]:
        b, B = self.compressor.growth(d)
        return self.factor * b, self.factor**2 * B

    def bits(self, d: int) -> float:
        return float(self.compressor.bits(d))

    def floats(self, d: int) -> float:
        return float(self.compressor.floats(d))

    def extremes(self, d: int) -> Array:
        return self.compressor.extremes(d)


@dataclass(frozen=True, kw_only=True)
class Composed(_Random):
    outer: Any
    inner: Any

    def law(self, n: int, d: int) -> Law:
        return Joint(Pair(self.inner.law(n, d), self.outer.law(n, d)))

    def __call__(self, x: Array, draw: Pair) -> Array:
        return self.outer(self.inner(x, draw.first), draw.second)

    def omega(self, d: int) -> float:
        return float((1 + self.outer.omega(d)) * (1 + self.inner.omega(d)) - 1)

    def alpha(self, d: int) -> float:
        """Of an unbiased outer one: (1 - omega) alpha if <C(x), x> = |C(x)|^2 of the inner one (B = 1), else by
        |inner(x)| <= (1 + r)|x|, r^2 = 1 - alpha.
        """
        omega, alpha = self.outer.omega(d), float(self.inner.alpha(d))
        if math.isfinite(self.omega(d)):
            return super().alpha(d)
        if not math.isfinite(omega + alpha):
            return -math.inf
        if omega < 1 and self.inner.growth(d) == (alpha, 1.0):
            return float((1 - omega) * alpha)
        r = math.sqrt(1 - alpha)
        return float(1 - r**2 - omega * (1 + r) ** 2)

    def coupling(self, d: int) -> float:
        """Of an unbiased outer one."""
        return (1 + float(self.outer.omega(d))) * float(self.inner.coupling(d))

    def growth(self, d: int) -> tuple[float, float]:
        """Of an unbiased outer one."""
        b, B = self.inner.growth(d)
        omega = self.outer.omega(d)
        return (b, (1 + omega) * B) if math.isfinite(omega) else (0.0, math.inf)

    def bits(self, d: int) -> float:
        return float(min(self.outer.bits(d), self.inner.bits(d)))

    def extremes(self, d: int) -> Array:
        return np.concatenate([self.inner.extremes(d), self.outer.extremes(d)])


@dataclass(frozen=True, kw_only=True)
class LazyApply(_Random):
    compressor: Any
    p: float
    scaled: bool = True

    def __post_init__(self) -> None:
        check_p(self.p)

    def law(self, n: int, d: int) -> Law:
        return Joint(Gate(Each(n, Coin(self.p)), self.compressor.law(n, d)))

    def __call__(self, x: Array, draw: Gate) -> Array:
        sent = self.compressor(x, draw.message)
        sent = 1 / self.p * sent if self.scaled else sent
        return namespace(x).where(last(draw.open), sent, 0 * sent)

    def omega(self, d: int) -> float:
        if not self.scaled and self.p != 1:
            return math.inf
        return float((1 + self.compressor.omega(d)) / self.p - 1)

    def alpha(self, d: int) -> float:
        return super().alpha(d) if self.scaled else self.p * float(self.compressor.alpha(d))

    def coupling(self, d: int) -> float:
        return float(self.compressor.coupling(d)) / (self.p if self.scaled else 1)

    def growth(self, d: int) -> tuple[float, float]:
        b, B = self.compressor.growth(d)
        return (b, B / self.p) if self.scaled else (self.p * b, self.p * B)

    def bits(self, d: int) -> float:
        return self.p * float(self.compressor.bits(d))  # expected

    def floats(self, d: int) -> float:
        return self.p * float(self.compressor.floats(d))

    def extremes(self, d: int) -> Array:
        return self.compressor.extremes(d)


@dataclass(frozen=True, kw_only=True)
class Averaged(_Random):
    compressor: Any
    copies: int

    def law(self, n: int, d: int) -> Law:
        return Each(self.copies, self.compressor.law(n, d), of=None)

    def __call__(self, x: Array, draw: Any) -> Array:
        return namespace(x).mean(self.compressor(x[..., None, :, :], draw), axis=-3)

    def omega(self, d: int) -> float:
        return float(self.compressor.omega(d)) / self.copies

    def alpha(self, d: int) -> float:
        return max(float(self.compressor.alpha(d)), 1 - self.omega(d))

    def bits(self, d: int) -> float:
        return self.copies * float(self.compressor.bits(d))

    def floats(self, d: int) -> float:
        return self.copies * float(self.compressor.floats(d))

    def extremes(self, d: int) -> Array:
        return self.compressor.extremes(d)


@dataclass(frozen=True, kw_only=True)
class Induced(_Random):
    contractive: Any  # C_1
    unbiased: Any  # C_2

    def law(self, n: int, d: int) -> Law:
        return Joint(Pair(self.contractive.law(n, d), self.unbiased.law(n, d)))

    def __call__(self, x: Array, draw: Pair) -> Array:
        sent = self.contractive(x, draw.first)
        return sent + self.unbiased(x - sent, draw.second)

    def omega(self, d: int) -> float:
        return float((1 - self.contractive.alpha(d)) * self.unbiased.omega(d))

    def bits(self, d: int) -> float:
        return float(self.contractive.bits(d) + self.unbiased.bits(d))

    def floats(self, d: int) -> float:
        return float(self.contractive.floats(d) + self.unbiased.floats(d))

    def extremes(self, d: int) -> Array:
        return self.contractive.extremes(d)
