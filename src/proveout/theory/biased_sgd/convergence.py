"""Biased SGD: the one-step inequalities and what follows from them."""

from dataclasses import replace
from typing import Any

from proveout.methods.biased_sgd import BiasedSGD, State
from proveout.methods.blocks.estimators import ABC, Declared
from proveout.theory.assumptions import pl, smooth
from proveout.theory.biased_sgd import rules
from proveout.theory.biased_sgd.choices import estimator, held, tuned_nonconvex, tuned_pl
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
    "declared",
    "estimator",
    "gap",
    "nonconvex_bound",
    "star",
]

SOURCE = "Demidovich et al. (NeurIPS 2023)"


def abc(P: Problem, m: Method) -> ABC:
    constants: ABC = held(P, m, ABC)
    return constants


def star(P: Problem, m: Method) -> State | None:
    """The optimum; a function that is only bounded below has none."""
    x = getattr(P, "x_star", None)
    return None if x is None else State(x=x)


def gap(P: Problem, m: Method, state: Any) -> Terms:
    return (Gap(1, state.x),)


def noise(P: Problem, m: Method) -> Number:
    return rules.noise(abc(P, m), P.L, m.gamma)


# ------------------------------------------------------------------ twins


def declared(name: str, kind: Any, change: Any) -> Twin:
    """Other constants of this class than the estimator has: change(constants) -> {name: value}."""

    def fields(P: Problem, m: Method) -> dict[str, Any]:
        k = held(P, m, kind)
        return {"estimator": Declared(base=m.estimator, said=replace(k, **change(k)))}

    return with_fields(name, fields)


B_SMALLER = declared("B - .1", ABC, lambda k: {"B": k.B - 0.1})
B_LARGER_B = declared("b x 1.5", ABC, lambda k: {"b": 1.5 * k.b})
C_DROPPED = declared("C dropped", ABC, lambda k: {"C": 0.0})
BIAS_HALVED = declared("c halved", ABC, lambda k: {"c": k.c / 2})
BIAS_DROPPED = declared("c dropped", ABC, lambda k: {"c": 0.0})
A_DROPPED = declared("A dropped", ABC, lambda k: {"A": 0.0})
A_HALVED = declared("A for 2A", ABC, lambda k: {"A": k.A / 2})
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


def nonconvex_bound(floor: Number = 2) -> Any:
    """The bound with `floor` c/b as its last term."""

    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        k, gamma = abc(P, m), m.gamma
        return (Gap(rules.decay(k, P.L, gamma, T), start.x), P.L * k.C * gamma / k.b + floor * k.c / k.b)

    return bound


NONCONVEX = Horizon(
    source=SOURCE + ", nonconvex theorem",
    method=BiasedSGD,
    assumes=(smooth,),
    allows=lambda P, m: abc(P, m).b > 0 and at_most(m.gamma, rules.limit(abc(P, m), P.L)),
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
    allows=lambda P, m: abc(P, m).b > 0 and at_most(m.gamma, rules.pl_limit(abc(P, m), P.L, P.mu_pl)),
    lyapunov=gap,
    star=star,
    rate=lambda P, m: rules.pl_rate(abc(P, m), P.mu_pl, m.gamma),
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
    rate=lambda P, m: rules.pl_sharp_rate(abc(P, m), P.L, P.mu_pl, m.gamma),
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
