"""Biased SGD: the one-step inequalities and what follows from them."""

import math
from dataclasses import replace
from typing import Any

from proveout.methods.biased_sgd import BiasedSGD, State
from proveout.methods.blocks.compressors import BiasedLazy, BiasedRandK, Lazy, RandK, TopK
from proveout.methods.blocks.estimators import ABC, Affine, Circling, Compressed, Declared, Exact, Minibatch
from proveout.theory.assumptions import pl, smooth
from proveout.theory.statement import (
    Gap,
    Horizon,
    Method,
    Number,
    OneStep,
    Problem,
    Square,
    Terms,
    Twin,
    at_most,
)
from proveout.theory.twins import (
    bound_times,
    field_times,
    noise_times,
    oracle,
    progress_times,
    rate_gap,
    statement_with,
    update_times,
    with_fields,
)

__all__ = [
    "NEGATED",
    "NONCONVEX",
    "NONCONVEX_STEP",
    "PL",
    "PL_SHARP",
    "SOURCE",
    "abc",
    "estimator",
    "gap",
    "nonconvex_bound",
    "nonconvex_limit",
    "pl_limit",
    "star",
    "tuned_nonconvex",
    "tuned_pl",
]

SOURCE = "Demidovich et al. (NeurIPS 2023)"


def abc(P: Problem, m: Method) -> ABC:
    constants: ABC = m.estimator.abc(P)
    return constants


def star(P: Problem, m: Method) -> State | None:
    """The optimum; a function that is only bounded below has none."""
    x = getattr(P, "x_star", None)
    return None if x is None else State(x=x)


def gap(P: Problem, m: Method, state: State) -> Terms:
    return (Gap(1, state.x),)


def noise(P: Problem, m: Method) -> Number:
    k = abc(P, m)
    return m.gamma * k.c + P.L * k.C * m.gamma**2 / 2


# ------------------------------------------------------------------ parameters


def estimator(name: str, k: int = 1) -> Any:
    """An estimator by name; k is a number of coordinates, of components, or 1/p - 1 of lazy and contractive."""
    known: dict[str, Any] = {
        "exact": lambda: Exact(),
        "top_k": lambda: Compressed(TopK(k=k)),
        "rand_k": lambda: Compressed(RandK(k=k)),
        "biased_rand_k": lambda: Compressed(BiasedRandK(k=k)),
        "minibatch": lambda: Minibatch(batch=k),
        "lazy": lambda: Compressed(Lazy(p=1 / (k + 1))),
        "contractive": lambda: Compressed(BiasedLazy(p=1 / (k + 1)), by_class=True),
        "circling": lambda: Circling(coin=False),
        "noisy": lambda: Affine(factors=(0.5, 1.5), shifts=((0.3,), (-0.3,))),
        "shifted": lambda: Affine(factors=(1.0, 1.0), shifts=((1.2,), (0.8,))),
    }
    if name not in known:
        raise ValueError(f"estimator must be one of {', '.join(known)}, got {name!r}")
    return known[name]()


def _built(P: Problem, name: Any, k: int) -> BiasedSGD:
    """With step size 1; ValueError if the estimator asks for more than P has."""
    if isinstance(name, str):
        if name == "minibatch" and not k <= P.n > 1:
            raise ValueError(f"k must be at most n = {P.n}, and n > 1, got {k}")
        if name in ("top_k", "rand_k", "biased_rand_k") and not k <= P.d > 1:
            raise ValueError(f"k must be at most d = {P.d}, and d > 1, got {k}")
        if name == "circling" and P.d != 2:
            raise ValueError(f"circling lives in the plane, got d = {P.d}")
        name = estimator(name, k)
    return BiasedSGD(gamma=1.0, estimator=name)


def nonconvex_limit(P: Problem, m: Method) -> float:
    """b/(L B), inf for B = 0."""
    k = abc(P, m)
    return k.b / (P.L * k.B) if k.B else math.inf


def pl_limit(P: Problem, m: Method) -> float:
    """min{mu b/(L (A + mu B)), 1/(mu b)}."""
    k, mu = abc(P, m), P.mu_pl
    return float(min(mu * k.b / (P.L * (k.A + mu * k.B)), 1 / (mu * k.b)))


def tuned_nonconvex(
    P: Problem, estimator: Any = "top_k", k: int = 1, factor: float = 1.0, horizon: int = 100
) -> BiasedSGD:
    """gamma = min{b/(L B), 1/L, 1/sqrt(L A horizon)}."""
    m = _built(P, estimator, k)
    A = abc(P, m).A
    gamma = min(nonconvex_limit(P, m), 1 / P.L, 1 / math.sqrt(P.L * A * horizon) if A else math.inf)
    return replace(m, gamma=factor * gamma)


def tuned_pl(P: Problem, estimator: Any = "top_k", k: int = 1, factor: float = 1.0) -> BiasedSGD:
    m = _built(P, estimator, k)
    return replace(m, gamma=factor * pl_limit(P, m))


# ------------------------------------------------------------------ twins


def _declared(name: str, change: Any) -> Twin:
    """Other constants than the estimator has."""
    return with_fields(name, lambda P, m: {"estimator": Declared(base=m.estimator, **change(abc(P, m)))})


B_SMALLER = _declared("B - .1", lambda k: {"B": k.B - 0.1})
B_LARGER_B = _declared("b x 1.5", lambda k: {"b": 1.5 * k.b})
C_DROPPED = _declared("C dropped", lambda k: {"C": 0.0})
BIAS_HALVED = _declared("c halved", lambda k: {"c": k.c / 2})
BIAS_DROPPED = _declared("c dropped", lambda k: {"c": 0.0})
A_DROPPED = _declared("A dropped", lambda k: {"A": 0.0})
A_HALVED = _declared("A for 2A", lambda k: {"A": k.A / 2})
NEGATED = oracle("gradient negated", lambda grads, x: -grads(x))


# ------------------------------------------------------------------ nonconvex

NONCONVEX_STEP = OneStep(
    source=SOURCE + ", one step of the nonconvex theorem",
    method=BiasedSGD,
    assumes=(smooth,),
    lyapunov=gap,
    rate=lambda P, m: 1 + P.L * abc(P, m).A * m.gamma**2,
    progress=lambda P, m, state: (
        Square(m.gamma * (abc(P, m).b - P.L * abc(P, m).B * m.gamma / 2), P.grad(state.x)),
    ),
    noise=noise,
    tune=tuned_nonconvex,
    claim=r"E\delta^{+}\le(1+LA\gamma^2)\delta-\gamma(b-LB\gamma/2)\|\nabla f\|^2+\gamma c+LC\gamma^2/2",
    twins=(
        B_SMALLER,
        B_LARGER_B,
        C_DROPPED,
        BIAS_HALVED,
        A_HALVED,
        progress_times(2),
        noise_times(0.5),
        update_times("x", 2),
        NEGATED,
    ),
)


def growth(x: Number, T: int) -> Number:
    """(1 + x)^T, inf where it overflows."""
    return (1 + x) ** T if T * math.log1p(float(x)) < 700 else math.inf


def nonconvex_bound(floor: float = 2.0) -> Any:
    """The bound with `floor` c/b as its last term."""

    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        k, gamma = abc(P, m), m.gamma
        first = 2 * growth(P.L * k.A * gamma**2, T) / (k.b * gamma * max(T, 1))
        return (Gap(first, start.x), P.L * k.C * gamma / k.b + floor * k.c / k.b)

    return bound


NONCONVEX = Horizon(
    source=SOURCE + ", nonconvex theorem",
    method=BiasedSGD,
    assumes=(smooth,),
    allows=lambda P, m: abc(P, m).b > 0 and at_most(m.gamma, nonconvex_limit(P, m)),
    measure=lambda P, m, state: (Square(1, P.grad(state.x)),),
    over="min",
    includes_end=False,
    bound=nonconvex_bound(),
    star=star,
    tune=tuned_nonconvex,
    claim=r"\min_{t<T}E\|\nabla f(x_t)\|^2\le\frac{2(1+LA\gamma^2)^T}{b\gamma T}\delta_0+\frac{LC\gamma}{b}+\frac{2c}{b}",
    twins=(
        field_times("gamma", 3),
        bound_times(0.25),
        C_DROPPED,
        statement_with("floor c/(4b)", bound=nonconvex_bound(0.25)),
        statement_with("floor dropped", bound=nonconvex_bound(0)),
        NEGATED,
        update_times("x", 0),
    ),
)

# ------------------------------------------------------------------ Polyak-Lojasiewicz

PL = OneStep(
    source=SOURCE + ", theorem under the PL condition, one step",
    method=BiasedSGD,
    assumes=(smooth, pl),
    allows=lambda P, m: abc(P, m).b > 0 and at_most(m.gamma, pl_limit(P, m)),
    lyapunov=gap,
    star=star,
    rate=lambda P, m: 1 - m.gamma * P.mu_pl * abc(P, m).b,
    noise=noise,
    tune=tuned_pl,
    claim=r"E\delta^{+}\le(1-\gamma\mu b)\delta+\gamma c+LC\gamma^2/2",
    twins=(
        field_times("gamma", 2.5),
        rate_gap(2.5),
        C_DROPPED,
        BIAS_HALVED,
        BIAS_DROPPED,
        noise_times(0.25),
        update_times("x", 0.25),
        NEGATED,
    ),
)

PL_SHARP = OneStep(
    source=SOURCE + ", theorem under the PL condition, without the last majorisation",
    method=BiasedSGD,
    assumes=(smooth, pl),
    allows=lambda P, m: at_most(P.L * abc(P, m).B * m.gamma, 2 * abc(P, m).b),
    lyapunov=gap,
    star=star,
    rate=lambda P, m: (
        1 - 2 * m.gamma * P.mu_pl * abc(P, m).b + P.L * m.gamma**2 * (abc(P, m).A + P.mu_pl * abc(P, m).B)
    ),
    noise=noise,
    tune=tuned_pl,
    claim=r"E\delta^{+}\le(1-2\gamma\mu b+L\gamma^2(A+\mu B))\,\delta+\gamma c+LC\gamma^2/2",
    twins=(
        field_times("gamma", 2.5),
        B_SMALLER,
        B_LARGER_B,
        A_DROPPED,
        C_DROPPED,
        BIAS_HALVED,
        rate_gap(1.3),
        update_times("x", 0.5),
        NEGATED,
    ),
)
