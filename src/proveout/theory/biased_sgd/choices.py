"""Estimators by name, what is known of them, and the parameter rules of the theorems.

For random sparsification, lazy sending and random factors P = b G, S = B G and E1 = b^2 G are equalities, and the
least constants of every class follow from b and B; top-k has P = S = E1 between (k/d) G and G, and V = 0.  Shifts that
are independent of the factors add to bias and variance.
"""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from proveout.methods.biased_sgd import BiasedSGD
from proveout.methods.blocks.assumptions import ABC, BND, BREQ, CON, FSML, SG1, SG2, Assumption
from proveout.methods.blocks.clientwise import SampledMean
from proveout.methods.blocks.compressors import BiasedLazy, BiasedRandK, Lazy, RandK, TopK
from proveout.methods.blocks.estimators import (
    Affine,
    ByAssumption,
    Circling,
    Compressed,
    Declared,
    Exact,
    Minibatch,
)
from proveout.theory.biased_sgd import rules
from proveout.theory.statement import Method, Problem

__all__ = ["constants", "estimator", "held", "tuned", "tuned_nonconvex", "tuned_pl"]

ANY: dict[str, Assumption] = {  # every estimator of a class; the numbers are examples, with nothing special
    "any_sg1": SG1(alpha=0.4, beta=1.25),
    "any_sg2": SG2(tau=0.4, beta=1.25),
    "any_con": CON(alpha=0.25),
    "any_bnd": BND(m=0.25, phi2=0.3, M=0.5, sigma2=0.7),
    "any_fsml": FSML(q=0.5, u2=0.75, U=0.5, Q=0.6),
    "any_abc": ABC(A=0.5, B=1.25, C=0.75, b=0.5, c=0.25),
    "any_homogeneous": ABC(B=1.5, b=0.5),
}


# ------------------------------------------------------------------ estimators by name


def estimator(name: str, k: int = 1) -> Any:
    """An estimator by name; k is a number of coordinates, of components, or 1/p - 1 of lazy sending."""
    known: dict[str, Any] = {
        "exact": lambda: Exact(),
        "top_k": lambda: Compressed(TopK(k=k)),
        "rand_k": lambda: Compressed(RandK(k=k)),
        "biased_rand_k": lambda: Compressed(BiasedRandK(k=k)),
        "minibatch": lambda: Minibatch(batch=k),
        "sampled": lambda: SampledMean(probs=0.4),
        "lazy": lambda: Compressed(Lazy(p=1 / (k + 1))),
        "biased_lazy": lambda: Compressed(BiasedLazy(p=1 / (k + 1))),
        "circling": lambda: Circling(coin=False),
        "shrunk": lambda: Affine(factors=(0.25, 0.75)),
        "noisy": lambda: Affine(factors=(0.5, 1.5), shifts=((0.3,), (-0.3,))),
        "centred": lambda: Affine(factors=(0.4, 0.4, 1.2, 1.2), shifts=((0.5,), (-0.5,), (0.5,), (-0.5,))),
        "shifted": lambda: Affine(factors=(1.0, 1.0), shifts=((1.2,), (0.8,))),
        **{key: lambda k=k: ByAssumption(k) for key, k in ANY.items()},
    }
    if name not in known:
        raise ValueError(f"estimator must be one of {', '.join(known)}, got {name!r}")
    return known[name]()


def _built(P: Problem, name: Any, k: int) -> BiasedSGD:
    """With step size 1; ValueError if the estimator asks for more than P has, or for less."""
    if isinstance(name, str):
        if name == "minibatch" and not k <= P.n > 1:
            raise ValueError(f"k must be at most n = {P.n}, and n > 1, got {k}")
        if name == "sampled" and not P.n > 1:
            raise ValueError(f"sampled needs n > 1, got {P.n}")
        if name in ("top_k", "rand_k", "biased_rand_k") and not k <= P.d > 1:
            raise ValueError(f"k must be at most d = {P.d}, and d > 1, got {k}")
        if name == "circling" and P.d != 2:
            raise ValueError(f"circling lives in the plane, got d = {P.d}")
        name = estimator(name, k)
    if isinstance(name, SampledMean) and not hasattr(P, "grads"):
        raise ValueError("estimator must be one that a class of functions knows, got sampled clients")
    if isinstance(name, ByAssumption) and hasattr(P, "grads"):
        raise ValueError("estimator must be one that can be drawn on a problem with data, got a whole class")
    return BiasedSGD(gamma=1.0, estimator=name)


# ------------------------------------------------------------------ what is known of them


def held(P: Problem, m: Method, kind: type[Assumption]) -> Any:
    """The constants of one class that the estimator of a method declares; ValueError if it declares none."""
    if kind is ABC:
        return m.estimator.abc(P)
    e = m.estimator
    while e is not None:
        for said in (getattr(e, "said", None), getattr(e, "assumption", None)):
            if isinstance(said, kind):
                return said
        e = getattr(e, "base", None)
    raise ValueError(f"estimator declares no constants of {kind.__name__}")


class Facts(NamedTuple):
    """Least and largest ratios to G, and squared lengths of the shifts."""

    alpha: float  # S >= alpha G
    b: float  # P >= b G
    B: float  # S <= B G
    e1: float  # E1 <= e1 G
    beta: float  # S <= beta P
    bias: float  # Bias <= bias G
    U: float  # V <= U G
    M: float  # V <= M E1
    shift2: float = 0.0  # of the mean shift
    noise2: float = 0.0  # variance of the shifts


def constants(kind: type[Assumption], e: Any, P: Problem) -> Assumption:
    """Least constants of one class, for the estimators that have them in closed form; ValueError else."""
    k = _facts(e, P)
    if k.shift2 and kind is not BND or k.noise2 and kind not in (BND, FSML):
        raise ValueError(f"estimator is in no class {kind.__name__}")
    makers: dict[type[Assumption], Any] = {
        SG1: lambda: SG1(alpha=k.alpha, beta=k.beta),
        SG2: lambda: SG2(tau=k.b, beta=k.beta),
        BREQ: lambda: BREQ(rho=k.b, zeta=k.B),
        CON: lambda: CON(alpha=1 - k.bias - k.U),
        BND: lambda: BND(m=k.bias, phi2=k.shift2, M=k.M, sigma2=k.noise2),
        FSML: lambda: FSML(q=k.b, u2=k.e1, U=k.U, Q=k.noise2),
    }
    if kind not in makers:
        raise ValueError(f"kind must be one of {', '.join(c.__name__ for c in makers)}, got {kind.__name__}")
    return makers[kind]()  # type: ignore[no-any-return]


def _facts(e: Any, P: Problem) -> Facts:
    if isinstance(e, Compressed) and isinstance(e.compressor, TopK):
        share = e.compressor.k / P.d
        return Facts(alpha=share, b=share, B=1.0, e1=1.0, beta=1.0, bias=1 - share, U=0.0, M=0.0)
    if isinstance(e, Exact):
        return _isotropic(1.0, 1.0)
    if isinstance(e, Compressed) and isinstance(e.compressor, (RandK, BiasedRandK, Lazy, BiasedLazy)):
        return _isotropic(*e.compressor.growth(P.d))
    if not isinstance(e, Affine):
        raise ValueError(f"estimator {type(e).__name__} has no constants in closed form")
    p, s, m = e.p, e.s(P.d), np.array(e.factors)
    mean, b = p @ s, float(p @ m)
    shift2, cross = float(mean @ mean), float(abs((p * m) @ s - b * mean).max())
    if cross > 1e-15 or shift2 and b != 1:
        raise ValueError("estimator: its shifts depend on its factors, or its mean is biased in two ways")
    return _isotropic(b, float(p @ m**2))._replace(
        shift2=shift2, noise2=max(0.0, float(p @ (s**2).sum(axis=1)) - shift2)
    )


def _isotropic(b: float, B: float) -> Facts:
    """P = b G, S = B G, E1 = b^2 G."""
    return Facts(
        alpha=B, b=b, B=B, e1=b**2, beta=B / b, bias=(1 - b) ** 2, U=B - b**2, M=max(0.0, B / b**2 - 1)
    )


# ------------------------------------------------------------------ parameter rules


def tuned_nonconvex(
    P: Problem, estimator: Any = "top_k", k: int = 1, factor: float = 1.0, horizon: int = 100
) -> BiasedSGD:
    """gamma = min{b/(L B), 1/L, 1/sqrt(L A horizon)}."""
    m = _built(P, estimator, k)
    abc = held(P, m, ABC)
    longest = 1 / math.sqrt(P.L * abc.A * horizon) if abc.A else math.inf
    return replace(m, gamma=factor * min(rules.limit(abc, P.L), 1 / P.L, longest))


def tuned_pl(P: Problem, estimator: Any = "top_k", k: int = 1, factor: float = 1.0) -> BiasedSGD:
    """gamma = min{mu b/(L (A + mu B)), 1/(mu b)}."""
    m = _built(P, estimator, k)
    return replace(m, gamma=factor * rules.pl_limit(held(P, m, ABC), P.L, P.mu_pl))


def tuned(kind: type[Assumption]) -> Any:
    """The rule of a dedicated theorem: its largest step; constants are declared where the estimator does not."""

    def tune(P: Problem, estimator: Any = "top_k", k: int = 1, factor: float = 1.0) -> BiasedSGD:
        m = _built(P, estimator, k)
        if isinstance(m.estimator, ByAssumption):
            said = held(P, m, kind)
        else:
            said = constants(kind, m.estimator, P)
            m = replace(m, estimator=Declared(base=m.estimator, said=said))
        if not said.proper:
            raise ValueError(f"estimator must be in {kind.__name__} with useful constants, got {said}")
        return replace(m, gamma=factor * rules.limit(said, P.L))

    return tune
