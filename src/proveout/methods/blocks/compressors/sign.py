"""Signs, with sign(0) = 0.

    ScaledSign  (|x|_1/d) sign(x)   B(1/d), approached as x -> e_1 with no entry 0; |C(x)|^2 <= <C(x), x>
    NormSign    |x| sign(x)         <C(x), x> >= |x|^2, |C(x)|^2 <= d |x|^2, both attained; not contractive for d > 2
    Sign        sign(x)             in no class: not homogeneous

|C(x) - x|^2 = |x|^2 - (|x|_1^2/d)(2 - nnz/d) for ScaledSign, nnz the number of nonzero entries.
Karimireddy et al. (arXiv:1901.09847); Beznosikov et al. (arXiv:2002.12410).
"""

import math
from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array, namespace
from proveout.methods.blocks.compressors.common import FLOAT_BITS, Compressor, norm_p

__all__ = ["NormSign", "ScaledSign", "Sign"]

NEARLY = 1e-9  # entries of the input at which ScaledSign is nearly worst


def _nearly_one(d: int) -> Array:
    """(1, NEARLY, .., NEARLY), e_1 and 1."""
    spike = np.full(d, NEARLY)
    spike[0] = 1
    return np.stack([spike, np.eye(d)[0], np.ones(d)])


@dataclass(frozen=True)
class ScaledSign(Compressor):
    def __call__(self, x: Array, draw: Array) -> Array:
        return norm_p(x, 1) / x.shape[-1] * namespace(x).sign(x)

    def omega(self, d: int) -> float:
        return 0.0 if d == 1 else math.inf

    def alpha(self, d: int) -> float:
        return 1 / d

    def coupling(self, d: int) -> float:
        return 1.0

    def growth(self, d: int) -> tuple[float, float]:
        return 1 / d, 1.0

    def bits(self, d: int) -> float:
        return FLOAT_BITS + d

    def extremes(self, d: int) -> Array:
        return _nearly_one(d)


@dataclass(frozen=True)
class NormSign(Compressor):
    def __call__(self, x: Array, draw: Array) -> Array:
        return norm_p(x, 2) * namespace(x).sign(x)

    def omega(self, d: int) -> float:
        return 0.0 if d == 1 else math.inf

    def growth(self, d: int) -> tuple[float, float]:
        return 1.0, float(d)

    def alpha(self, d: int) -> float:
        """|C(x) - x|^2 <= (d - 1)|x|^2, approached where x -> e_1."""
        return 2.0 - d

    def bits(self, d: int) -> float:
        return FLOAT_BITS + d

    def extremes(self, d: int) -> Array:
        return _nearly_one(d)


@dataclass(frozen=True)
class Sign(Compressor):
    def __call__(self, x: Array, draw: Array) -> Array:
        return namespace(x).sign(x)

    def bits(self, d: int) -> float:
        return d

    def one_coordinate(self, d: int) -> "Sign":
        return self
