"""A compressor on consecutive blocks of `size` entries: U(max_b omega_b), B(min_b alpha_b), at one draw per block.

Beznosikov et al. (arXiv:2002.12410).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, namespace
from proveout.laws import Joint, Law, Sure
from proveout.methods.blocks.compressors.common import Compressor

__all__ = ["Blocks", "Blockwise"]


class Blocks(NamedTuple):
    whole: Any  # of n times (number of whole blocks) rows
    rest: Any  # of the last, shorter block


@dataclass(frozen=True, kw_only=True)
class Blockwise(Compressor):
    compressor: Any
    size: int  # of a block; the last one may be shorter

    deterministic = False

    def __post_init__(self) -> None:
        if not self.size >= 1:
            raise ValueError(f"size must be >= 1, got {self.size}")

    def _cut(self, d: int) -> tuple[int, int]:
        return divmod(d, self.size)

    def _lengths(self, d: int) -> list[int]:
        whole, rest = self._cut(d)
        return [self.size] * whole + [rest] * (rest > 0)

    def law(self, n: int, d: int) -> Law:
        whole, rest = self._cut(d)
        nothing = Sure(np.zeros(()))
        return Joint(
            Blocks(
                self.compressor.law(n * whole, self.size) if whole else nothing,
                self.compressor.law(n, rest) if rest else nothing,
            )
        )

    def __call__(self, x: Array, draw: Blocks) -> Array:
        xp, (n, d) = namespace(x), x.shape[-2:]
        whole, rest = self._cut(d)
        parts = []
        if whole:
            rows = x[..., : whole * self.size].reshape(*x.shape[:-2], n * whole, self.size)
            sent = self.compressor(rows, draw.whole)
            parts.append(sent.reshape(*sent.shape[:-2], n, whole * self.size))
        if rest:
            parts.append(self.compressor(x[..., whole * self.size :], draw.rest))
        if len(parts) == 1:
            return parts[0]
        lead = np.broadcast_shapes(*(p.shape[:-1] for p in parts))
        return xp.concat([xp.broadcast_to(p, (*lead, p.shape[-1])) for p in parts], axis=-1)

    def omega(self, d: int) -> float:
        return max(float(self.compressor.omega(k)) for k in self._lengths(d))

    def alpha(self, d: int) -> float:
        return min(float(self.compressor.alpha(k)) for k in self._lengths(d))

    def absolute(self, d: int) -> float:
        return sum(float(self.compressor.absolute(k)) for k in self._lengths(d))

    def coupling(self, d: int) -> float:
        return max(float(self.compressor.coupling(k)) for k in self._lengths(d))

    def growth(self, d: int) -> tuple[float, float]:
        b, B = zip(*(self.compressor.growth(k) for k in self._lengths(d)))
        return min(b), max(B)

    def bits(self, d: int) -> float:
        return sum(float(self.compressor.bits(k)) for k in self._lengths(d))

    def floats(self, d: int) -> float:
        return sum(float(self.compressor.floats(k)) for k in self._lengths(d))

    def extremes(self, d: int) -> Array:
        """The extremes of the first block, 0 elsewhere."""
        first = self.compressor.extremes(self._lengths(d)[0])
        return np.concatenate([first, np.zeros((len(first), d - first.shape[1]))], axis=1)
