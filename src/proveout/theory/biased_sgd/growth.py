"""What smoothness and curvature alone say of the clients' gradients.

finite_sum_growth      mean_i |grad f_i|^2 <= 2 L_max (D + gap_star): of one component drawn uniformly, A = L_max,
                       B = 0, C = 2 L_max gap_star
quadratics_need_no_a   D <= G/(2 lam), lam the least positive curvature: (A, B) -> (0, B + A/lam)
dissimilarity          the least D0^2 with mean_i |grad f_i - grad f|^2 <= D1^2 G + D0^2, on quadratics
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigh

from proveout.methods.biased_sgd import BiasedSGD
from proveout.methods.blocks.assumptions import ABC
from proveout.methods.blocks.estimators import Minibatch
from proveout.theory.assumptions import quadratic
from proveout.theory.biased_sgd.choices import estimator as named
from proveout.theory.biased_sgd.convergence import SOURCE
from proveout.theory.statement import Implication, Method, Problem
from proveout.theory.twins import statement_with
from proveout.theory.zoo import Class

__all__ = ["FINITE_SUM_GROWTH", "QUADRATICS_NEED_NO_A", "Dissimilarity", "dissimilarity"]


# ------------------------------------------------------------------ finite sums


class Sum(NamedTuple):
    L_max: float
    gap_star: float


@dataclass(frozen=True)
class FiniteSum:
    """Smooth f_i, each bounded below."""

    def least(self, P: Problem, m: Method) -> Sum:
        return Sum(float(P.L_max), float(P.gap_star))


def _growth(A: float = 1.0, C: float = 1.0) -> Any:
    """One component, drawn uniformly: E|g|^2 = mean_i |grad f_i|^2."""
    return lambda a: ABC(A=A * a.L_max, B=0.0, C=2 * C * a.L_max * a.gap_star)


FINITE_SUM_GROWTH = Implication(
    source=f"{SOURCE}, finite sums",
    method=BiasedSGD,
    assumes=(quadratic,),
    allows=lambda P, m: isinstance(m.estimator, Minibatch) and m.estimator.batch == 1,
    given=FiniteSum(),
    then=Class(ABC),
    constants=_growth(),
    tune=lambda P: BiasedSGD(gamma=1 / P.L, estimator=Minibatch(batch=1)),
    claim=r"\tfrac1n\sum_i\|\nabla f_i(x)\|^2\le 2L_{\max}(\delta+\Delta^\star)",
    twins=(
        statement_with("L_max (D + gap_star)", constants=_growth(0.5, 0.5)),
        statement_with("gap_star / 4", constants=_growth(C=0.25)),
        statement_with("gap_star dropped", constants=_growth(C=0.0)),
    ),
)


class Curved(NamedTuple):
    k: ABC
    lam: float  # the least positive eigenvalue of the Hessian


@dataclass(frozen=True)
class CurvedABC:
    """Biased ABC on a quadratic, with the constants that the estimator declares."""

    def least(self, P: Problem, m: Method) -> Curved:
        values = np.linalg.eigvalsh(P.hessians.mean(axis=0))
        return Curved(m.estimator.abc(P), float(values[values > 1e-12 * values[-1]][0]))


def _without_a(share: float = 1.0) -> Any:
    return lambda a: replace(a.k, A=0.0, B=a.k.B + share * a.k.A / a.lam)


QUADRATICS_NEED_NO_A = Implication(
    source=f"{SOURCE}, remark; derived",
    method=BiasedSGD,
    assumes=(quadratic,),
    allows=lambda P, m: m.estimator.abc(P).A > 0,
    given=CurvedABC(),
    then=Class(ABC),
    constants=_without_a(),
    tune=lambda P, estimator="minibatch", k=1: BiasedSGD(gamma=1 / P.L, estimator=named(estimator, k)),
    claim=r"\delta\le\tfrac1{2\lambda^+_{\min}}\|\nabla f\|^2:\ (A,B)\to(0,\,B+A/\lambda^+_{\min})",
    twins=(
        statement_with("A dropped", constants=_without_a(0.0)),
        statement_with("A/(4 lam)", constants=_without_a(0.25)),
        statement_with("A/(2 lam), C dropped", constants=lambda a: replace(_without_a(0.5)(a), C=0.0)),
    ),
)


# ------------------------------------------------------------------ dissimilarity


class Dissimilarity(NamedTuple):
    """mean_i |grad f_i - grad f|^2 <= D1_2 G + D0_2."""

    D1_2: float
    D0_2: float


def dissimilarity(P: Problem) -> Dissimilarity:
    """On quadratics: D1_2 twice the least that is possible, and the least D0_2 beside it.

    Minus to plus infinity, mean_i |(H_i - H) y + s_i|^2 - D1_2 |H y|^2 is largest where its gradient vanishes.
    """
    H = P.hessians.mean(axis=0)
    off, s = P.hessians - H, P.h_star
    M, cross = np.einsum("iab,iac->bc", off, off) / P.n, np.einsum("iab,ia->b", off, s) / P.n
    least = float(eigh(M, H @ H, eigvals_only=True)[-1])
    if least < 1e-14:
        return Dissimilarity(0.0, float(P.zeta2))
    return Dissimilarity(2 * least, float(P.zeta2 + cross @ np.linalg.solve(2 * least * H @ H - M, cross)))
