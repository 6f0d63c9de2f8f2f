"""Aggregation rules: N messages, of which n_byz may be anything, to one vector.

    rule.law(N)                               draws of a randomised rule; Sure for the others
    rule(messages, n_byz, center, draw)       (..., N, d) -> (..., d); `center` (..., d) comes from the
                                              method's State and is ignored by most: blocks have no memory
    rule.kappa(N, n_byz)                      |A - mean|^2 <= kappa V for every honest subset, or inf

Rows that are not finite: sorting rules see +-inf as extreme (nan as +inf); centered clipping lets such a
row move nothing; the mean has no defence.

    Mean            (1/N) sum_i m_i
    CoordinateMedian  per coordinate the middle value, the mean of the two middle ones for even N
    TrimmedMean     per coordinate the mean without the n_byz smallest and n_byz largest
    CenteredClip    v <- v + (1/N) sum_i (m_i - v) min(1, lam/|m_i - v|), from v = center, for every lam given
                    (Karimireddy, He, Jaggi, arXiv:2012.10333)

kappa of the two sorting rules: Allouah et al. (arXiv:2302.01772), r = n_byz/(N - 2 n_byz).
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proveout.arrays import Array, last, namespace, norm
from proveout.laws import Law, Sure

__all__ = [
    "CenteredClip",
    "CoordinateMedian",
    "Mean",
    "Poll",
    "TrimmedMean",
    "cdelta",
    "clip",
    "clip_radii",
]


def cdelta(kappa: float, n_good: int) -> float:
    """c delta of E|A - mean|^2 <= c delta rho^2 from kappa: kappa (n_good - 1)/(2 n_good)."""
    return kappa * (n_good - 1) / (2 * n_good)


def _excess(N: int, n_byz: int) -> float:
    """n_byz/(N - 2 n_byz), the least kappa of any rule; inf without an honest majority."""
    return n_byz / (N - 2 * n_byz) if 2 * n_byz < N else math.inf


@dataclass(frozen=True)
class Mean:
    def law(self, N: int) -> Law:
        return Sure(np.zeros(()))

    def __call__(self, messages: Array, n_byz: int, center: Array, draw: Array) -> Array:
        return namespace(messages).mean(messages, axis=-2)

    def kappa(self, N: int, n_byz: int) -> float:
        return math.inf if n_byz else 0.0


def _sorted(messages: Array) -> Array:
    """(..., N, d) -> (..., d, N), each coordinate in ascending order, nan last."""
    xp = namespace(messages)
    columns = messages.mT
    if xp is np:
        return np.sort(np.ascontiguousarray(columns), axis=-1)
    return xp.sort(xp.where(xp.isnan(columns), xp.inf, columns), axis=-1)


@dataclass(frozen=True)
class CoordinateMedian:
    def law(self, N: int) -> Law:
        return Sure(np.zeros(()))

    def __call__(self, messages: Array, n_byz: int, center: Array, draw: Array) -> Array:
        N, ordered = messages.shape[-2], _sorted(messages)
        low, high = ordered[..., (N - 1) // 2], ordered[..., N // 2]
        return low if N % 2 else (low + high) / 2

    def kappa(self, N: int, n_byz: int) -> float:
        return 4 * (1 + _excess(N, n_byz)) ** 2


@dataclass(frozen=True)
class TrimmedMean:
    def law(self, N: int) -> Law:
        return Sure(np.zeros(()))

    def __call__(self, messages: Array, n_byz: int, center: Array, draw: Array) -> Array:
        N = messages.shape[-2]
        if not 0 <= 2 * n_byz < N:
            raise ValueError(f"n_byz must lie below N/2 = {N / 2}, got {n_byz}")
        return namespace(messages).mean(_sorted(messages)[..., n_byz : N - n_byz], axis=-1)

    def kappa(self, N: int, n_byz: int) -> float:
        r = _excess(N, n_byz)
        return 6 * r * (1 + r) if n_byz else 0.0


def clip(v: Array, lam: Any) -> Array:
    """v min(1, lam/|v|), row by row; a row that is not finite becomes 0: (..., d) -> (..., d)."""
    xp = namespace(v)
    finite = xp.all(xp.isfinite(v), axis=-1, keepdims=True)
    v = xp.where(finite, v, 0 * xp.where(finite, v, xp.ones_like(v)))
    top = xp.max(xp.abs(v), axis=-1, keepdims=True)
    top = xp.where(top > 0, top, xp.ones_like(top))  # so that squares neither overflow nor vanish
    unit = v / top
    size = last(norm(unit)) * top
    small = size <= lam
    return xp.where(small, v, lam * (v / xp.where(small, xp.ones_like(size), size)))


@dataclass(frozen=True, kw_only=True)
class CenteredClip:
    lam: Any  # clip radius, one for all inner steps or one per step
    steps: int = field(default=1)  # inner steps, where `lam` is one number

    def __post_init__(self) -> None:
        if not self.steps >= 1:
            raise ValueError(f"steps must be >= 1, got {self.steps}")
        for lam in self.radii:
            if not lam > 0:
                raise ValueError(f"lam must be > 0, got {lam}")

    @property
    def radii(self) -> tuple[float, ...]:
        return tuple(self.lam) if isinstance(self.lam, (tuple, list)) else (self.lam,) * self.steps

    def law(self, N: int) -> Law:
        return Sure(np.zeros(()))

    def inner(self, messages: Array, center: Array, lam: float) -> Array:
        """One inner step."""
        moves = clip(messages - center[..., None, :], lam)
        return center + namespace(messages).mean(moves, axis=-2)

    def __call__(self, messages: Array, n_byz: int, center: Array, draw: Array) -> Array:
        for lam in self.radii:
            center = self.inner(messages, center, lam)
        return center

    def kappa(self, N: int, n_byz: int) -> float:
        return math.inf  # without knowing the spread and a start near the mean


def clip_radii(
    delta: float, pair2: float, start: float, steps: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The radius rule: radii lam_1.. and guarantees B_0, B_1.. for |v_l - mean|, if |v_0 - mean| <= start.

    With V <= pair2/2:  lam_l^2 = (1 - delta)(B_{l-1}^2 + pair2/2)/(4 delta),
    B_l = sqrt(delta (1 - delta)(B_{l-1}^2 + pair2/2)) + delta B_{l-1}.
    """
    radii, bounds = [], [start]
    for _ in range(steps):
        spread2 = bounds[-1] ** 2 + pair2 / 2
        radii.append(math.sqrt((1 - delta) * spread2 / (4 * delta)))
        bounds.append(math.sqrt(delta * (1 - delta) * spread2) + delta * bounds[-1])
    return tuple(radii), tuple(bounds)


@dataclass(frozen=True, kw_only=True)
class Poll:
    """A rule with the numbers it meets: n messages, the last n_byz of them from the enemy."""

    rule: Any
    n: int
    n_byz: int
    pair2: float = math.inf  # promised: mean squared distance of honest pairs, at most
    start: float = math.inf  # promised: distance of the center from the honest mean, at most

    def __post_init__(self) -> None:
        if not 0 <= self.n_byz < self.n:
            raise ValueError(f"n_byz must lie in 0..n-1 = {self.n - 1}, got {self.n_byz}")

    @property
    def n_good(self) -> int:
        return self.n - self.n_byz

    @property
    def delta(self) -> float:
        return self.n_byz / self.n

    def law(self, n: int, d: int) -> Law:
        return self.rule.law(self.n)  # type: ignore[no-any-return]

    def __call__(self, messages: Array, center: Array, draw: Array) -> Array:
        return self.rule(messages, self.n_byz, center, draw)

    def extremes(self, d: int) -> Array:
        """(K, n_good + 1, d): a center at 0 and honest messages two radii away, or at the center: all, one, half."""
        far = np.zeros((3, self.n_good + 1, d))
        for row, many in zip(far, (self.n_good, 1, self.n_good // 2), strict=True):
            row[1 : 1 + many, 0] = 2 * getattr(self.rule, "radii", (1.0,))[0]
        return far
