"""Biased independent sampling: the mean over the clients that came, whose probabilities the server does not know.

    independent_sampling_abc   equal p: <E g, v> = b |v|^2 and E|g|^2 <= b mean_i |v_i|^2, b = 1 - (1-p)^n, least.
                               With `finite_sum_growth` A = L_max b, B = 0, C = 2 A gap_star, c = 0
    independent_sampling_unequal_fails
                               unequal p: c = 0 is false.  For f_i = |x - m_i|^2/2 the mean iterate goes to
                               sum_i w_i m_i/sum_i w_i, at any step size: E D_T >= |E x_T - x*|^2/2 > 0
    dissimilar_sampling        with mean_i |grad f_i - grad f|^2 <= D1^2 G + D0^2, wbar the mean of n w_i, v their
                               deviation:  b = wbar - v D1 - eps/2,  c = v^2 D0^2/(2 eps),  A = n max w_i L_i

eps is wbar - v D1, which halves b.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, inner, sqnorm
from proveout.laws import Joint, Law
from proveout.methods.biased_sgd import BiasedSGD, Draw, State
from proveout.methods.blocks.assumptions import ABC
from proveout.methods.blocks.clientwise import CohortMean, SampledMean, SampledSum, shares
from proveout.methods.blocks.samplings import Table
from proveout.theory.assumptions import quadratic
from proveout.theory.biased_sgd.convergence import SOURCE, gap
from proveout.theory.biased_sgd.growth import dissimilarity
from proveout.theory.statement import (
    Assumption,
    Failure,
    Implication,
    Membership,
    Method,
    Number,
    Problem,
    Twin,
)
from proveout.theory.twins import Altered, law_with, statement_with, with_fields
from proveout.theory.zoo import Class

__all__ = [
    "DISSIMILAR_SAMPLING",
    "INDEPENDENT_SAMPLING_ABC",
    "INDEPENDENT_SAMPLING_UNEQUAL_FAILS",
]

PLACE = f"{SOURCE}, biased independent sampling"


# ------------------------------------------------------------------ equal probabilities


def cohort_sides(b: Any = None) -> Any:
    """u (..., 2, n, d) is the pair (v, w); S(v) <= b mean|v_i|^2 and <E g(w), wbar> = b |wbar|^2 in one inequality.

    Twins claim another b for the correlation.
    """

    def sides(block: Any, u: Array, draw: Array) -> tuple[Array, Array]:
        v, w = u[..., 0, :, :], u[..., 1, :, :]
        n, mean = u.shape[-2], w.mean(axis=-2)
        share = equal_share(block, n) if b is None else b(block, n)
        met = inner(block(w, draw), mean) / share
        second = sqnorm(block(v, draw)) / equal_share(block, n)
        return second + 2 * sqnorm(mean) - met, sqnorm(v, core=2) / n + sqnorm(mean)

    return sides


def equal_share(block: Any, n: int) -> float:
    """b = 1 - (1 - p)^n."""
    return float(shares(block.probs, n).sum())


@dataclass(frozen=True)
class _SomebodyComes:
    """The cohort, drawn again until somebody comes."""

    base: CohortMean

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "base":
            raise AttributeError(name)
        return getattr(self.base, name)

    def law(self, n: int, d: int) -> Law:
        prob, masks = self.base.law(n, d).atoms()
        some = masks.any(axis=-1)
        subsets = tuple(tuple(np.flatnonzero(mask).tolist()) for mask in masks[some])
        return Table(subsets=subsets, probs=tuple(prob[some] / prob[some].sum())).law(n)

    def __call__(self, u: Array, draw: Array) -> Array:
        return self.base(u, draw)


INDEPENDENT_SAMPLING_ABC = Membership(
    source=f"{PLACE}; constants derived",
    method=CohortMean,
    allows=lambda P, block: np.ptp(np.asarray(block.probs, float)) == 0,
    sides=cohort_sides(),
    constant=lambda block, d: 1.0,
    least=True,
    shape=lambda block, d: (2, 3, d),
    dims=(1, 2),
    tune=lambda P=None, p=0.4: CohortMean(probs=p),
    claim=r"p_i=p:\ \langle E g,\nabla f\rangle=b\|\nabla f\|^2,\ E\|g\|^2\le 2L_{\max}b\,(\delta+\Delta^\star),"
    r"\ b=1-(1-p)^n",
    twins=(
        Twin(
            "drawn again when nobody came",
            lambda s, P, block: (replace(s, method=None), P, _SomebodyComes(block)),
        ),
        statement_with("b = 1", sides=cohort_sides(lambda block, n: 1.0)),
        statement_with("b = n p", sides=cohort_sides(lambda block, n: n * block.probs)),
        statement_with("2 % less", constant=lambda block, d: 0.98),
        with_fields("unequal p", lambda P, block: {"probs": (block.probs, block.probs / 2, block.probs / 4)}),
    ),
)


# ------------------------------------------------------------------ unequal probabilities


def _round(P: Problem) -> bool:
    """f_i = |x - m_i|^2/2 for all clients?"""
    return bool(getattr(P, "is_quadratic", False) and (P.hessians == np.eye(P.d)).all())


def mean_iterate(P: Problem, m: Method, T: int, start: State) -> Array:
    """E x_T for f_i = |x - m_i|^2/2: it goes to sum_i w_i m_i/sum_i w_i."""
    w = shares(m.estimator.probs, P.n)
    limit = w @ P.b / w.sum()
    return limit + (1 - m.gamma * w.sum()) ** T * (start.x - limit)


def kept_away(P: Problem, m: Method, T: int, start: State) -> Number:
    """|E x_T - x*|^2/2 <= E D_T, by Jensen."""
    return sqnorm(mean_iterate(P, m, T, start) - P.x_star) / 2


def _equal(P: Problem, m: Method) -> Law:
    return Joint(Draw(estimate=SampledMean(probs=float(np.mean(m.estimator.probs))).law(P)))


def _alike(P: Problem) -> Problem:
    return replace(P, b=P.b * 0 + P.b.mean(axis=0))


def _probabilities(P: Problem, probs: tuple[float, ...] = (0.9, 0.3), gamma: float = 0.02) -> BiasedSGD:
    if len(probs) != P.n:
        raise ValueError(f"probs must be one per client, n = {P.n}, got {len(probs)}")
    return BiasedSGD(gamma=gamma, estimator=SampledMean(probs=probs))


INDEPENDENT_SAMPLING_UNEQUAL_FAILS = Failure(
    source=f"{PLACE}, with c = 0 for unequal probabilities",
    method=BiasedSGD,
    assumes=(Assumption("f_i = |x - m_i|^2/2", _round),),
    allows=lambda P, m: isinstance(m.estimator, SampledMean) and np.ptp(np.asarray(m.estimator.probs)) > 0,
    measure=gap,
    floor=kept_away,
    steps=1000,
    tune=_probabilities,
    claim=r"p_i\ne p_j:\ E\delta_T\ge\tfrac12\|Ex_T-x^\star\|^2,\ Ex_T\to\textstyle\sum w_im_i/\sum w_i"
    r"\ne x^\star\text{ at every step size}",
    twins=(
        law_with("equal p", _equal),
        with_fields("unbiased sum", lambda P, m: {"estimator": SampledSum(probs=m.estimator.probs)}),
        Twin("one minimiser for all", lambda s, P, m: (s, P, Altered(m, sees=_alike))),
        statement_with("twice as far", floor=lambda P, m, T, start: 4 * kept_away(P, m, T, start)),
    ),
)


# ------------------------------------------------------------------ bounded dissimilarity


class SampledApart(NamedTuple):
    """What is known of a sampled mean: shares, dissimilarity, growth."""

    w_bar: float  # mean n w_i
    v: float  # their standard deviation
    D1: float
    D0: float
    A: float
    C: float


@dataclass(frozen=True)
class Sampled:
    def least(self, P: Problem, m: Method) -> SampledApart:
        nw = P.n * shares(m.estimator.probs, P.n)
        apart = np.sqrt(dissimilarity(P))
        return SampledApart(float(nw.mean()), float(nw.std()), *map(float, apart), *m.estimator.growth(P))


def apart_constants(bias: float = 1.0, slope: float = 1.0) -> Any:
    """ABC of a sampled mean; ValueError where b would not be positive.  Twins scale v D0 and v D1."""

    def constants(a: SampledApart) -> ABC:
        eps = a.w_bar - slope * a.v * a.D1
        if not eps > 0:
            raise ValueError(f"w_bar must be > v D1, got {a.w_bar} and {a.v * a.D1}")
        return ABC(A=a.A, B=0.0, C=a.C, b=eps / 2, c=bias * (a.v * a.D0) ** 2 / (2 * eps))

    return constants


DISSIMILAR_SAMPLING = Implication(
    source=f"{PLACE}; derived for bounded dissimilarity",
    method=BiasedSGD,
    assumes=(quadratic,),
    allows=lambda P, m: isinstance(m.estimator, SampledMean),
    given=Sampled(),
    then=Class(ABC),
    constants=apart_constants(),
    tune=_probabilities,
    claim=r"b=\bar w-vD_1-\tfrac\epsilon2,\quad c=\tfrac{v^2D_0^2}{2\epsilon},\quad A=n\max_iw_iL_i,\ C=2A\Delta^\star",
    twins=(
        statement_with("D0 = 0", constants=apart_constants(bias=0.0)),
        statement_with("c / 20", constants=apart_constants(bias=0.05)),
        statement_with("b = wbar", constants=lambda a: replace(apart_constants()(a), b=a.w_bar)),
        statement_with("gap_star dropped", constants=lambda a: replace(apart_constants()(a), C=0.0)),
    ),
)
