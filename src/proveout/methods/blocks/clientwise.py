"""Gradient estimators made of the clients' own gradients: sampled clients, clients that compress.

    SampledMean   (1/|S|) sum_{i in S} grad f_i(x), 0 if nobody comes;  i is in S with probability p_i, on its own.
                  The server need not know the p_i.  Biased: E g = sum_i w_i grad f_i, w_i = E[1_{i in S}/|S|]
    SampledSum    (1/n) sum_{i in S} grad f_i(x)/p_i, its unbiased comparator
    ClientWise    (1/n) sum_i C(grad f_i(x)), C a compressor

`CohortMean` is what the server of the first does, as a block: rows (..., n, d) -> their mean over S.

The shares w_i follow from the generating function of |S| without i,

    w_i = p_i E[1/(1 + |S \\ i|)] = p_i int_0^1 prod_{j != i} (1 - p_j + p_j t) dt,

a polynomial, integrated exactly by Gauss's rule; for equal p, n w_i = 1 - (1 - p)^n.  By Jensen E|g|^2 <= sum_i w_i
|grad f_i|^2, and |grad f_i|^2 <= 2 L_i (f_i - f_i*), so that A = n max_i w_i L_i, B = 0, C = 2 A gap_star always
hold; for equal p also b = 1 - (1 - p)^n, c = 0.  For unequal p no b > 0 goes with c = 0 where the clients' gradients
do not vanish together.

Demidovich, Malinovsky, Sokolov, Richtárik (arXiv:2305.16296), biased independent sampling, distributed rounding.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, last, namespace
from proveout.laws import Law
from proveout.methods.blocks.assumptions import ABC
from proveout.methods.blocks.compressors import FLOAT_BITS
from proveout.methods.blocks.samplings import Independent

__all__ = ["ClientWise", "CohortMean", "SampledMean", "SampledSum", "shares"]


def shares(probs: Any, n: int) -> Array:
    """w_i = E[1_{i in S}/|S|], with 0 for the empty S: (n,)."""
    p = Independent(probs=probs).p_hat(n)
    if np.ptp(p) == 0:
        return -np.expm1(n * np.log1p(-np.minimum(p, 1 - 2.0**-53))) / n
    nodes, weights = np.polynomial.legendre.leggauss(n // 2 + 1)
    t = (1 + nodes[:, None]) / 2
    logs = np.log1p(-p * (1 - t))  # (nodes, n), finite: t > 0
    return np.asarray(p * (weights / 2 @ np.exp(logs.sum(axis=1, keepdims=True) - logs)))


def _mean(rows: Array, came: Array) -> Array:
    """Mean of the rows that came, 0 if none did: (..., c, d), (..., c) bool -> (..., d)."""
    xp = namespace(rows)
    one = xp.astype(came, rows.dtype)
    many = xp.sum(one, axis=-1, keepdims=True)
    return xp.sum(last(one / xp.where(many > 0, many, 1 + many)) * rows, axis=-2)


@dataclass(frozen=True, kw_only=True)
class CohortMean:
    probs: Any = 0.5  # p_i: one number, or one per client

    def __post_init__(self) -> None:
        Independent(probs=self.probs)

    def law(self, n: int, d: int) -> Law:
        return Independent(probs=self.probs).law(n)

    def __call__(self, u: Array, draw: Array) -> Array:
        return _mean(u, draw)


@dataclass(frozen=True, kw_only=True)
class _Sampled:
    probs: Any = 0.5  # p_i: one number, or one per client

    def __post_init__(self) -> None:
        Independent(probs=self.probs)

    def law(self, problem: Any) -> Law:
        return Independent(probs=self.probs).law(problem.n)

    def _cohort(self, problem: Any, x: Array, draw: Array) -> tuple[Array, Array]:
        """Gradients of the cohort (..., c, d) and 1/p_i (..., c), 0 for rows that stand for nobody."""
        like_h = namespace(x).broadcast_to(x[..., None, :], (*x.shape[:-1], problem.n, x.shape[-1]))
        clients, chi = Independent(probs=self.probs).members(draw, like_h)
        if not clients.shape[-1]:  # nobody came
            return 0 * like_h, 0 * like_h[..., 0]
        return problem.at(clients).grads(x[..., None, :]), chi

    def asked(self, problem: Any, draw: Array) -> Array:
        """Component gradients per step: (...,)."""
        return draw.sum(axis=-1)

    def gradients(self, problem: Any) -> float:
        """Their expectation."""
        return float(Independent(probs=self.probs).p_hat(problem.n).sum())

    def floats(self, problem: Any) -> Any:
        return problem.d

    def bits(self, problem: Any) -> Any:
        return FLOAT_BITS * problem.d


@dataclass(frozen=True, kw_only=True)
class SampledMean(_Sampled):
    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        grads, chi = self._cohort(problem, x, draw)
        return _mean(grads, chi > 0)

    def abc(self, problem: Any) -> ABC:
        """With c = 0, so for equal p only.

        Raises ValueError for unequal p.
        """
        w = shares(self.probs, problem.n)
        if np.ptp(w) > 1e-12 * w.max():
            raise ValueError(f"probs must be equal for c = 0, got {self.probs}")
        A, C = self.growth(problem)
        return ABC(A=A, B=0.0, C=C, b=float(w.sum()), c=0.0)

    def growth(self, problem: Any) -> tuple[float, float]:
        """(A, C), for any p."""
        A = float(problem.n * (shares(self.probs, problem.n) * problem.L_i).max())
        return A, 2 * A * float(problem.gap_star)


@dataclass(frozen=True, kw_only=True)
class SampledSum(_Sampled):
    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        grads, chi = self._cohort(problem, x, draw)
        return namespace(grads).sum(last(chi) * grads, axis=-2) / problem.n

    def abc(self, problem: Any) -> ABC:
        """E|g|^2 = G + mean_i (1/p_i - 1)|grad f_i|^2/n."""
        n = problem.n
        A = float(((1 / Independent(probs=self.probs).p_hat(n) - 1) * problem.L_i).max()) / n
        return ABC(A=A, C=2 * A * float(problem.gap_star))


@dataclass(frozen=True)
class ClientWise:
    """Contraction of every client's C says nothing about the mean where the gradients differ: no constants."""

    compressor: Any

    def law(self, problem: Any) -> Law:
        return self.compressor.law(problem.n, problem.d)  # type: ignore[no-any-return]

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        sent = self.compressor(problem.grads(x[..., None, :]), draw)
        return namespace(sent).mean(sent, axis=-2)

    def abc(self, problem: Any) -> ABC:
        raise ValueError("compressor: no constants hold for its average over clients that differ")

    def gradients(self, problem: Any) -> int:
        return int(problem.n)

    def floats(self, problem: Any) -> Any:
        return self.compressor.floats(problem.d)

    def bits(self, problem: Any) -> Any:
        return self.compressor.bits(problem.d)
