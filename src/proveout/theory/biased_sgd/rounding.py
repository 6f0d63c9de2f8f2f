"""Distributed rounding: every client rounds its own gradient to the nearest power of two, the server averages.

    distributed_rounding_fails   c = 0 is false where the clients differ, although every client's rounding is contractive.
                                 In one dimension with f_i = (x - m_i)^2/2 the estimate at x* is a constant e != 0 up to the
                                 first threshold, at distance r: the iterates go there from either side, and stay
                                 r away up to one step
    dissimilar_rounding          with mean_i |grad f_i - grad f|^2 <= D1^2 G + D0^2 and kappa = 1 - alpha of the compressor,
                                 |g - grad f|^2 <= kappa mean_i |grad f_i|^2: BND(kappa (1 + D1^2), kappa D0^2, 0, 0)

Both hold for every contractive compressor that is applied client by client; one client is fine.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.methods.biased_sgd import BiasedSGD, State
from proveout.methods.blocks.assumptions import BND
from proveout.methods.blocks.clientwise import ClientWise
from proveout.methods.blocks.compressors import NearestPower, Rounding, TopK
from proveout.methods.blocks.estimators import Compressed
from proveout.theory.assumptions import quadratic
from proveout.theory.biased_sgd.convergence import SOURCE, gap
from proveout.theory.biased_sgd.growth import dissimilarity
from proveout.theory.statement import Assumption, Failure, Implication, Method, Number, Problem, Twin
from proveout.theory.twins import Altered, statement_with, with_fields

__all__ = ["DISSIMILAR_ROUNDING", "DISTRIBUTED_ROUNDING_FAILS", "MeanError", "push"]

PLACE = f"{SOURCE}, distributed general biased rounding"


# ------------------------------------------------------------------ failure


def _line(P: Problem) -> bool:
    """f_i = (x - m_i)^2/2 for all clients?"""
    return bool(P.d == 1 and getattr(P, "is_quadratic", False) and (P.hessians == 1).all())


def push(P: Problem) -> tuple[float, float]:
    """(e, r): the estimate at x*, and how far away in the direction of -e the first client's rounding changes.

    Thresholds are the middles 1.5 * 2^k of neighbouring powers.
    """
    g = P.h_star[:, 0]
    e = float((np.sign(g) * _nearest(np.abs(g))).mean())
    towards = -math.copysign(1.0, e)
    k = np.floor(np.log2(np.abs(g) / 1.5))
    marks = 1.5 * np.exp2(np.where(np.sign(g) == towards, k + 1, k))
    return e, float(np.abs(marks - np.abs(g)).min())


def _nearest(size: Array) -> Array:
    low = np.exp2(np.floor(np.log2(size)))
    return np.asarray(np.where(size - low < 2 * low - size, low, 2 * low))


def _largest(P: Problem) -> float:
    """No estimate between x* and the threshold, or one step beyond, is longer: 4/3 mean |grad f_i|, with room."""
    return float(4 / 3 * np.abs(P.h_star).mean() + 4 / 3 * push(P)[1])


def stays_away(P: Problem, m: Method, T: int, start: State) -> Number:
    """(r - one step)^2/2, once the iterates have come there: up to the threshold a step is at least gamma |e|.

    The mean of roundings does not fall as x grows, so that nothing holds them up on the way.
    """
    e, r = push(P)
    way = r - (start.x - P.x_star)[..., 0] * -np.sign(e)
    there = m.gamma * abs(e) * T >= way
    return np.where(there, max(0.0, r - m.gamma * _largest(P)) ** 2 / 2, 0.0)


def _settled(P: Problem, m: Method) -> bool:
    """Is there a push at x*, and a step short against r?"""
    e, r = push(P)
    return e != 0 and 2 * m.gamma * _largest(P) <= r


def _round(P: Problem, share: float = 0.1) -> BiasedSGD:
    """One step is at most `share` of r."""
    return BiasedSGD(gamma=share * push(P)[1] / _largest(P), estimator=ClientWise(NearestPower()))


def _alike(P: Problem) -> Problem:
    return replace(P, b=P.b * 0 + P.b.mean(axis=0))


DISTRIBUTED_ROUNDING_FAILS = Failure(
    source=f"{PLACE}, with c = 0",
    method=BiasedSGD,
    assumes=(Assumption("f_i = (x - m_i)^2/2 on the line", _line),),
    allows=lambda P, m: isinstance(m.estimator, ClientWise) and _settled(P, m),
    measure=gap,
    floor=stays_away,
    steps=2000,
    tune=_round,
    claim=r"g=\tfrac1n\sum_i\mathcal C(\nabla f_i):\ \delta_T\ge\tfrac12(r-\gamma\max|g|)^2\text{ for large }T,"
    r"\text{ at every step size}",
    twins=(
        with_fields(
            "one client: the mean is rounded", lambda P, m: {"estimator": Compressed(NearestPower())}
        ),
        with_fields("unbiased rounding", lambda P, m: {"estimator": ClientWise(Rounding())}),
        Twin("clients alike", lambda s, P, m: (s, P, Altered(m, sees=_alike))),
        statement_with("twice as far", floor=lambda P, m, T, start: 4 * stays_away(P, m, T, start)),
    ),
)


# ------------------------------------------------------------------ bounded dissimilarity


class Apart(NamedTuple):
    kappa: float  # 1 - alpha of the compressor
    D1_2: float
    D0_2: float


@dataclass(frozen=True)
class Contractive:
    """Every client's compressor is contractive, and the clients' gradients are not far apart."""

    def least(self, P: Problem, m: Method) -> Apart:
        return Apart(1 - m.estimator.compressor.alpha(P.d), *dissimilarity(P))


@dataclass(frozen=True)
class MeanError:
    """BND with M = sigma2 = 0, for estimators without luck: the largest |g - grad f|^2/(m G + phi2), searched."""

    exact = False
    points: int = 20_000

    def least(self, P: Problem, m: Method) -> None:
        return None

    def figure(self, P: Problem, m: Method, k: BND) -> float:
        """At points of all sizes, and around the best of them."""
        rng = np.random.default_rng(0)
        size = math.sqrt(max(k.phi2, float(P.zeta2))) / P.mu
        x = P.x_star + size * self._cloud(rng, P.d) * 10.0 ** rng.uniform(-3, 2, (self.points, 1))
        for radius in (0.3, 0.03, 0.003):
            best = x[int(self._ratios(P, m, k, x).argmax())]
            around = best + radius * np.linalg.norm(best - P.x_star) * self._cloud(rng, P.d)
            x = np.concatenate([best[None], around])
        return float(self._ratios(P, m, k, x).max())

    def _cloud(self, rng: np.random.Generator, d: int) -> Array:
        return np.asarray(rng.standard_normal((self.points, d)))

    @staticmethod
    def _ratios(P: Problem, m: Method, k: BND, x: Array) -> Array:
        prob, draw = m.estimator.law(P).atoms()
        if len(prob) > 1:
            raise ValueError("estimator must be one without luck")
        v = P.grad(x)
        left, right = sqnorm(m.estimator(P, x, draw) - v), k.m * sqnorm(v) + k.phi2
        return np.where(right > 0, left / np.where(right > 0, right, 1), np.where(left > 0, np.inf, 0.0))


def _bnd(bias: float = 1.0, spread: float = 1.0) -> Any:
    return lambda a: BND(m=bias * a.kappa * (1 + spread * a.D1_2), phi2=bias * spread * a.kappa * a.D0_2)


def _clientwise(P: Problem, compressor: str = "power", k: int = 1) -> BiasedSGD:
    if compressor == "top_k" and not k < P.d:
        raise ValueError(f"k must be below d = {P.d}, got {k}")
    kind = TopK(k=k) if compressor == "top_k" else NearestPower()
    return BiasedSGD(gamma=1 / P.L, estimator=ClientWise(kind))


DISSIMILAR_ROUNDING = Implication(
    source=f"{PLACE}; derived for bounded dissimilarity",
    method=BiasedSGD,
    assumes=(quadratic,),
    allows=lambda P, m: isinstance(m.estimator, ClientWise),
    given=Contractive(),
    then=MeanError(),
    constants=_bnd(),
    tune=_clientwise,
    claim=r"\|g-\nabla f\|^2\le\kappa(1+D_1^2)\|\nabla f\|^2+\kappa D_0^2",
    twins=(
        statement_with("D0 = D1 = 0", constants=_bnd(spread=0.0)),
        statement_with("kappa / 4", constants=_bnd(bias=0.25)),
        statement_with("kappa D0^2 dropped", constants=lambda a: replace(_bnd()(a), phi2=0.0)),
    ),
)
