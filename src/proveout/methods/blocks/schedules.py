"""Step sizes that depend on the clock: schedule.at(t) is the step of iteration t = 0, 1, ...

    Harmonic(scale, offset)        scale/(offset + t + 1)
    Halfway(peak, curvature, horizon)
        h = 1/peak, a = curvature, T = horizon:  1/h  if T <= h/a or t < ceil(T/2),
        else 2/(2 h + a (t - ceil(T/2))): the last half falls like 2/(a t)

Bottou, Curtis, Nocedal (2018), Theorem 4.7; Stich (arXiv:1907.04232), the choice that knows T in advance.
"""

from dataclasses import dataclass

__all__ = ["Halfway", "Harmonic"]


@dataclass(frozen=True, kw_only=True)
class Harmonic:
    scale: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (self.scale > 0 and self.offset > -1):
            raise ValueError(
                f"scale must be > 0 and offset > -1, got scale = {self.scale}, offset = {self.offset}"
            )

    def at(self, t: int) -> float:
        return self.scale / (self.offset + t + 1)


@dataclass(frozen=True, kw_only=True)
class Halfway:
    peak: float  # 1/h, the constant step of the first half
    curvature: float  # a
    horizon: int  # T

    def __post_init__(self) -> None:
        if not (self.peak > 0 and self.curvature > 0 and self.horizon >= 1):
            raise ValueError(
                "peak and curvature must be > 0 and horizon >= 1, got "
                f"{self.peak}, {self.curvature}, {self.horizon}"
            )

    @property
    def middle(self) -> int:
        """ceil(T/2)"""
        return -(-self.horizon // 2)

    def at(self, t: int) -> float:
        if self.horizon * self.curvature * self.peak <= 1 or t < self.middle:
            return self.peak
        return 2 * self.peak / (2 + self.curvature * self.peak * (t - self.middle))
