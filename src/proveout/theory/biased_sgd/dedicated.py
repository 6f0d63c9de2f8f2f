"""The theorems that were made for one assumption each: better than Biased ABC where S <= beta P couples the two bounds.

For gamma <= `rules.limit` (1/(beta L); 1/L; 1/((M + 1) L); q/((U + u2) L)) and the PL condition, one step at a time:

    sg1_pl, sg2_pl         E D' <= (1 - gamma mu alpha/beta) D,   (1 - gamma mu tau) D      Beznosikov et al. 2020
    con_pl                 E D' <= (1 - gamma mu/delta) D                                   ibid.
    bnd_pl                 E D' <= (1 - gamma mu (1 - m)) D + (gamma/2)(phi2 + gamma L sigma2)
                                                                                            Ajalloeian and Stich 2020
    fsml_strongly_convex   E D' - nu <= (1 - gamma mu q)(D - nu),   nu = gamma L Q/(2 mu q) Bottou et al. 2018

and without the PL condition, as means over t < T,

    bnd_nonconvex          2 D_0/(T gamma (1 - m)) + (gamma L sigma2 + phi2)/(1 - m)
    fsml_nonconvex         2 D_0/(T gamma q) + gamma L Q/q

On `class:` problems the estimator is every estimator of its assumption at once.
"""

from typing import Any

from proveout.methods.biased_sgd import BiasedSGD, State
from proveout.methods.blocks.assumptions import BND, CON, FSML, SG1, SG2, Assumption
from proveout.theory.assumptions import pl, smooth, strongly_convex
from proveout.theory.biased_sgd import rules
from proveout.theory.biased_sgd.choices import held, tuned
from proveout.theory.biased_sgd.convergence import NEGATED, declared, gap, star
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
    rate_gap,
    statement_with,
    update_times,
)

__all__ = [
    "BND_NONCONVEX",
    "BND_PL",
    "CON_PL",
    "FSML_NONCONVEX",
    "FSML_STRONGLY_CONVEX",
    "SG1_PL",
    "SG2_PL",
]

Kind = type[Assumption]


def _allows(kind: Kind) -> Any:
    def allows(P: Problem, m: Method) -> bool:
        k = held(P, m, kind)
        return k.proper and at_most(m.gamma, rules.limit(k, P.L))

    return allows


def _contraction(kind: Kind, source: str, claim: str, *twins: Twin, convex: bool = False) -> OneStep:
    """E D' <= (1 - gamma mu gain) D + noise."""

    def rate(P: Problem, m: Method) -> Number:
        return rules.pl_rate(held(P, m, kind), P.mu_pl, m.gamma)

    def noise(P: Problem, m: Method) -> Number:
        return rules.noise(held(P, m, kind), P.L, m.gamma)

    return OneStep(
        source=source,
        method=BiasedSGD,
        assumes=(smooth, strongly_convex if convex else pl),
        allows=_allows(kind),
        lyapunov=gap,
        star=star,
        rate=rate,
        noise=noise if kind in (BND, FSML) else None,
        tune=tuned(kind),
        claim=claim,
        twins=(field_times("gamma", 4), rate_gap(2.5), update_times("x", 0.2), NEGATED, *twins),
    )


BEZNOSIKOV = "Beznosikov, Horváth, Richtárik, Safaryan (arXiv:2002.12410)"

SG1_PL = _contraction(
    SG1,
    f"{BEZNOSIKOV}, first set of assumptions",
    r"\gamma\le\frac1{\beta L}:\ E\delta^+\le(1-\tfrac\alpha\beta\gamma\mu)\,\delta",
    declared("alpha and beta exchanged", SG1, lambda k: {"alpha": k.beta, "beta": k.alpha}),
    declared("alpha x 2.5", SG1, lambda k: {"alpha": 2.5 * k.alpha}),
)
SG2_PL = _contraction(
    SG2,
    f"{BEZNOSIKOV}, second set of assumptions",
    r"\gamma\le\frac1{\beta L}:\ E\delta^+\le(1-\tau\gamma\mu)\,\delta",
    declared("tau x 2.5", SG2, lambda k: {"tau": 2.5 * k.tau}),
    statement_with(
        "beta for tau", rate=lambda P, m: 1 - m.gamma * P.mu_pl * held(P, m, SG2).beta / held(P, m, SG2).tau
    ),
)
CON_PL = _contraction(
    CON,
    f"{BEZNOSIKOV}, contractive estimators",
    r"\gamma\le\frac1L:\ E\delta^+\le(1-\tfrac{\gamma\mu}\delta)\,\delta",
    declared("delta / 3", CON, lambda k: {"alpha": 3 * k.alpha}),
)
BND_PL = _contraction(
    BND,
    "Ajalloeian and Stich (2020), bounded noise and bias",
    r"\gamma\le\frac1{(M+1)L}:\ E\delta^+\le(1-\gamma(1-m)\mu)\,\delta+\tfrac\gamma2(\varphi^2+\gamma L\sigma^2)",
    declared("m dropped", BND, lambda k: {"m": 0 * k.m, "phi2": k.phi2 / 4}),
    declared("sigma2 dropped", BND, lambda k: {"sigma2": 0 * k.sigma2}),
    declared("phi2 dropped", BND, lambda k: {"phi2": 0 * k.phi2}),
    noise_times(0.4),
)
FSML_STRONGLY_CONVEX = _contraction(
    FSML,
    "Bottou, Curtis, Nocedal (2018), Theorem 4.6",
    r"\gamma\le\frac q{L(U+u^2)}:\ E\delta^+-\nu\le(1-\gamma q\mu)(\delta-\nu),\ \nu=\tfrac{\gamma LQ}{2\mu q}",
    declared("Q halved", FSML, lambda k: {"Q": k.Q / 2}),
    declared("q x 2.5", FSML, lambda k: {"q": 2.5 * k.q}),
    convex=True,
)


# ------------------------------------------------------------------ nonconvex


def _bound(kind: Kind, floor: Number = 1) -> Any:
    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        k = held(P, m, kind)
        return (Gap(rules.decay(k, P.L, m.gamma, T), start.x), floor * rules.floor(k, P.L, m.gamma))

    return bound


def _mean(kind: Kind, source: str, claim: str, *twins: Twin) -> Horizon:
    return Horizon(
        source=source,
        method=BiasedSGD,
        assumes=(smooth,),
        allows=_allows(kind),
        measure=lambda P, m, state: (Square(1, P.grad(state.x)),),
        over="mean",
        includes_end=False,
        bound=_bound(kind),
        star=star,
        tune=tuned(kind),
        claim=claim,
        twins=(
            field_times("gamma", 4),
            bound_times(0.25),
            statement_with("floor / 4", bound=_bound(kind, 0.25)),
            update_times("x", 0.1),
            NEGATED,
            *twins,
        ),
    )


BND_NONCONVEX = _mean(
    BND,
    "Ajalloeian and Stich (2020), bounded noise and bias, nonconvex",
    r"\tfrac1T\sum_{t<T}E\|\nabla f(x_t)\|^2\le\frac{2\delta_0}{T\gamma(1-m)}+\frac{\gamma L\sigma^2+\varphi^2}{1-m}",
    statement_with("floor / 2", bound=_bound(BND, 0.5)),
    declared("phi2 dropped", BND, lambda k: {"phi2": 0 * k.phi2}),
    declared("sigma2 dropped", BND, lambda k: {"sigma2": 0 * k.sigma2}),
)
FSML_NONCONVEX = _mean(
    FSML,
    "Bottou, Curtis, Nocedal (2018), Theorem 4.8",
    r"\tfrac1T\sum_{t<T}E\|\nabla f(x_t)\|^2\le\frac{\gamma LQ}{q}+\frac{2\delta_0}{Tq\gamma}",
    declared("Q dropped", FSML, lambda k: {"Q": 0 * k.Q}),
)
