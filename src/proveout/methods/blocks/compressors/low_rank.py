"""Matrices of low rank: x is read as a matrix of `rows` rows, X (m, q) with m q = d.

    LowRank   the best approximation of rank r (SVD)         B(r/min(m, q)), attained at equal singular values
    PowerSGD  P P'X, P an orthonormal basis of the columns of X Q, Q (q, r) random and fresh in every call: Gaussian,
              or (`columns`) r columns of the identity, so that P spans r columns of X.  B(r/min(m, q)), resp. B(r/q)

*Why.*  The r columns of X in S lie in the span of P, so |P'X|^2 >= |X_S|^2, and E|X_S|^2 = (r/q)|X|^2 for a uniform S.
The span of a Gaussian Q is that of r columns of a random rotation O, and X O is as good as X; if m < q, replace
R^q by the row space of X, in which Q is Gaussian too.  Equality at orthogonal columns of equal length.

PowerSGD with a warm start, `warm(x, Q)`, is a projection for any Q: |C(x) - x| <= |x|, and no more: X Q = 0 sends 0.
Vogels, Karimireddy, Jaggi (arXiv:1905.13727).
"""

import math
from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array, like, namespace
from proveout.laws import Each, Law, Normal, Subset
from proveout.methods.blocks.compressors.common import FLOAT_BITS, Compressor

__all__ = ["LowRank", "PowerSGD"]


@dataclass(frozen=True, kw_only=True)
class _Matrix(Compressor):
    rank: int
    rows: int  # m

    def __post_init__(self) -> None:
        if not self.rank >= 1:
            raise ValueError(f"rank must be >= 1, got {self.rank}")
        if not self.rows >= 1:
            raise ValueError(f"rows must be >= 1, got {self.rows}")

    def shape(self, d: int) -> tuple[int, int]:
        """(m, q); ValueError if `rows` does not divide d, or the rank is too large."""
        if d % self.rows:
            raise ValueError(f"rows must divide d = {d}, got {self.rows}")
        m, q = self.rows, d // self.rows
        if self.rank > min(m, q):
            raise ValueError(f"rank must be at most {min(m, q)} for a {m} x {q} matrix, got {self.rank}")
        return m, q

    def matrix(self, x: Array) -> Array:
        """(..., d) -> (..., m, q)."""
        return x.reshape(*x.shape[:-1], *self.shape(x.shape[-1]))

    def law(self, n: int, d: int) -> Law:
        self.shape(d)
        return super().law(n, d)

    def omega(self, d: int) -> float:
        return 0.0 if self.alpha(d) == 1 else math.inf

    def alpha(self, d: int) -> float:
        return self.rank / min(self.shape(d))

    def coupling(self, d: int) -> float:
        return 1.0

    def growth(self, d: int) -> tuple[float, float]:
        return self.alpha(d), 1.0  # a projection: <C(x), x> = |C(x)|^2

    def bits(self, d: int) -> float:
        return FLOAT_BITS * self.rank * sum(self.shape(d))

    def floats(self, d: int) -> float:
        return self.rank * sum(self.shape(d))

    def extremes(self, d: int) -> Array:
        return np.stack([np.eye(*self.shape(d)).ravel(), np.eye(d)[0]])


@dataclass(frozen=True, kw_only=True)
class LowRank(_Matrix):
    def __call__(self, x: Array, draw: Array) -> Array:
        xp, r = namespace(x), self.rank
        U, s, V = xp.linalg.svd(self.matrix(x), full_matrices=False)
        return ((U[..., :r] * s[..., None, :r]) @ V[..., :r, :]).reshape(x.shape)


@dataclass(frozen=True, kw_only=True)
class PowerSGD(_Matrix):
    columns: bool = False

    deterministic = False

    def law(self, n: int, d: int) -> Law:
        q = self.shape(d)[1]
        return Each(n, Subset(q, self.rank, of=None) if self.columns else Normal(q * self.rank))

    def __call__(self, x: Array, draw: Array) -> Array:
        return self.warm(x, self.start(x, draw))[0]

    def start(self, x: Array, draw: Array) -> Array:
        """Q (..., q, r), from a draw."""
        if not self.columns:
            return draw.reshape(*draw.shape[:-1], -1, self.rank)
        q = self.shape(x.shape[-1])[1]
        return namespace(x).astype(like(np.arange(q), draw)[:, None] == draw[..., None, :], x.dtype)

    def alpha(self, d: int) -> float:
        return self.rank / (self.shape(d)[1] if self.columns else min(self.shape(d)))

    def warm(self, x: Array, Q: Array) -> tuple[Array, Array]:
        """(C(x), the next Q), from any Q (..., q, r): P = orth(X Q), Q' = X'P, C(x) = P Q''."""
        X = self.matrix(x)
        P = namespace(x).linalg.qr(X @ Q)[0]
        new = X.mT @ P
        return (P @ new.mT).reshape(*P.shape[:-2], x.shape[-1]), new

    def efbv(self, d: int) -> tuple[float, float]:
        rest = 1 - self.alpha(d)
        return math.sqrt(rest), rest
