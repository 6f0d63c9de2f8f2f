"""Two claims about iterations that no formula covers; the rival is run, or its moments are, beside the method.

top_k_needs_fewer_steps   at equal sparsity top-k with gamma = 1/L needs, from any start, at most half of the iterations that
                          rand-k with gamma = k/(d L) needs from its worst start (biased rand-k with gamma = 1/L is the
                          same method).  From one and the same start it can take two thirds of them.
                          On a diagonal Hessian E D_t of rand-k is exact: with M_ij = P(i, j are kept)/(k/d)^2,
                          W -> W - gamma (H W + W H) + gamma^2 H (M o W) H pulls the form of D back by one step
more_clients_faster       biased independent sampling by the rule gamma = 1/sqrt(L A K), A = L_max/p: the step grows like
                          sqrt p, so that five times as many clients need at most half of the iterations
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.methods.biased_sgd import BiasedSGD, State
from proveout.methods.blocks.clientwise import SampledMean
from proveout.methods.blocks.compressors import RandK, TopK
from proveout.methods.blocks.estimators import Compressed
from proveout.run import run
from proveout.theory.assumptions import smooth
from proveout.theory.biased_sgd.convergence import SOURCE, gap
from proveout.theory.statement import Assumption, Complexity, Method, Number, Problem, Square, evaluate
from proveout.theory.twins import statement_with, step_edit, with_fields

__all__ = ["MORE_CLIENTS_FASTER", "TOP_K_NEEDS_FEWER_STEPS", "decay_of_rand_k", "paper_step"]

LONGEST = 4000  # iterations of a rival, at most


# ------------------------------------------------------------------ top-k


def _diagonal(P: Problem) -> bool:
    """One diagonal Hessian?"""
    H = P.hessians
    return bool(getattr(P, "is_quadratic", False) and P.n == 1 and (H == H * np.eye(P.d)).all())


@lru_cache(maxsize=16)
def decay_of_rand_k(P: Problem, k: int, gamma: float) -> Array:
    """Forms W_t with E D_t = y_0' W_t y_0, for t = 0, 1, ..., LONGEST or until they are 1e-8 of W_0: (T + 1, d, d)."""
    d, h = P.d, np.diag(P.hessians[0])
    pairs = (k - 1) / max(1, d - 1) * d / k
    M = np.full((d, d), pairs) + (d / k - pairs) * np.eye(d)
    W = np.diag(h) / 2
    found: list[Array] = []
    while len(found) <= LONGEST and (not found or np.abs(W).max() > 1e-8 * np.abs(found[0]).max()):
        found.append(W)
        W = W - gamma * (h[:, None] * W + W * h) + gamma**2 * h[:, None] * (M * W) * h
    return np.array(found)


def _rival(share: float = 0.5) -> Any:
    """`share` of the steps that rand-k needs from its worst start."""

    def count(P: Problem, m: Method, eps: float, start: State) -> Number:
        k = m.estimator.compressor.k
        W = decay_of_rand_k(P, k, k / (P.d * P.L))
        root = np.sqrt(np.diag(W[0]))
        worst = np.linalg.eigvalsh(W / root / root[:, None])[:, -1]
        below = np.flatnonzero(worst <= eps / np.max(evaluate(gap(P, m, start), P)))
        return float(share * below[0]) if len(below) else math.inf

    return count


def _top_k(P: Problem, k: int = 1) -> BiasedSGD:
    if not k < P.d:
        raise ValueError(f"k must be below d = {P.d}, got {k}")
    return BiasedSGD(gamma=1 / P.L, estimator=Compressed(TopK(k=k)))


TOP_K_NEEDS_FEWER_STEPS = Complexity(
    source=f"{SOURCE}; measured",
    method=BiasedSGD,
    assumes=(Assumption("f is quadratic with one diagonal Hessian", _diagonal),),
    allows=lambda P, m: (
        isinstance(m.estimator, Compressed) and isinstance(m.estimator.compressor, (TopK, RandK))
    ),
    measure=gap,
    count=_rival(),
    tune=_top_k,
    claim=r"\text{top-}k,\ \gamma=\tfrac1L:\ \text{at most half of the iterations of rand-}k,\ \gamma=\tfrac k{dL}",
    twins=(
        with_fields(
            "gamma = k/(d L) for top-k", lambda P, m: {"gamma": m.estimator.compressor.k / (P.d * P.L)}
        ),
        statement_with("a sixth of the iterations", count=_rival(1 / 6)),
        step_edit(
            "the smallest coordinates",
            lambda P, s, draw, new: State(x=s.x - 1 / P.L * P.grad(s.x) + s.x - new.x),
        ),
    ),
)


# ------------------------------------------------------------------ sampled clients


ITERATIONS = 50  # K of the rule
DEEPEST = 0.05  # share of the start; below, the mean of |grad f|^2 hides in rare runs
FEWER = 5  # the rival's clients come so many times less often


def paper_step(P: Problem, p: float, iterations: int) -> float:
    """gamma = 1/sqrt(L A K), A = L_max/p."""
    return float(math.sqrt(p / (P.L * P.L_max * iterations)))


def _sampled(P: Problem, p: float = 0.5, iterations: int = ITERATIONS) -> BiasedSGD:
    return BiasedSGD(gamma=paper_step(P, p, iterations), estimator=SampledMean(probs=p))


@lru_cache(maxsize=16)
def _mean_gradients(P: Problem, m: Method, x0: tuple[float, ...]) -> Array:
    """Mean of |grad f|^2 over 64 runs, at t = 0, 1, ..., 400."""
    trace = run(
        P,
        m,
        steps=400,
        seeds=64,
        every=1,
        x0=np.array(x0),
        measures={"G": lambda P, m, s: sqnorm(P.grad(s.x))},
    )
    return np.asarray(trace["G"].mean(axis=1))


def _fewer_clients(share: float = 0.5) -> Any:
    def count(P: Problem, m: Method, eps: float, start: State) -> Number:
        p = m.estimator.probs
        rival = BiasedSGD(gamma=paper_step(P, p / FEWER, ITERATIONS), estimator=SampledMean(probs=p / FEWER))
        means = _mean_gradients(P, rival, tuple(np.ravel(start.x).tolist()))
        below = np.flatnonzero(means <= eps)
        return float(share * below[0]) if len(below) and eps >= DEEPEST * means[0] else math.inf

    return count


MORE_CLIENTS_FASTER = Complexity(
    source=f"{SOURCE}, experiments; measured",
    method=BiasedSGD,
    assumes=(smooth,),
    allows=lambda P, m: isinstance(m.estimator, SampledMean),
    measure=lambda P, m, state: (Square(1, P.grad(state.x)),),
    count=_fewer_clients(),
    tune=_sampled,
    claim=r"\gamma=\sqrt{p/(LL_{\max}K)}:\ 5p\text{ needs at most half of the iterations of }p",
    twins=(
        with_fields("the step of p", lambda P, m: {"gamma": m.gamma / math.sqrt(FEWER)}),
        statement_with("a quarter of the iterations", count=_fewer_clients(0.25)),
        with_fields("gamma ~ 1/p", lambda P, m: {"gamma": m.gamma / FEWER}),
    ),
)
