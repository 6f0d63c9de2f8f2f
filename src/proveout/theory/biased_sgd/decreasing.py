"""Steps that decrease: neighbourhoods that noise causes vanish, the one that bias causes stays.

    decreasing_steps   ABC under PL, the horizon T known in advance (`Halfway`): with a = mu b and
                       h = max{L (A + mu B)/(mu b), mu b},
                       E D_T <= (32 h/a) e^{-a T/(2h)} D_0 + 18 L C/(a^2 T) + c/a
    fsml_decreasing    FSML, gamma_k = beta/(g0 + k), k >= 1, beta > 1/(q mu), gamma_1 <= q/(L (U + u2)):
                       E D_k <= nu/(g0 + k),  nu = max{beta^2 L Q/(2 (beta q mu - 1)), (g0 + 1) D_1}

The first follows from the lemma of Stich (arXiv:1907.04232), the second is Theorem 4.7 of Bottou et al. (2018).
"""

import math
from dataclasses import replace
from typing import Any

from proveout.methods.biased_sgd import Counted, ScheduledSGD
from proveout.methods.blocks.assumptions import FSML
from proveout.methods.blocks.schedules import Halfway, Harmonic
from proveout.theory.assumptions import pl, smooth, strongly_convex
from proveout.theory.biased_sgd import rules
from proveout.theory.biased_sgd.choices import held, tuned, tuned_pl
from proveout.theory.biased_sgd.convergence import NEGATED, SOURCE, abc, gap
from proveout.theory.statement import Gap, Horizon, Method, Number, Problem, Terms, at_most, evaluate
from proveout.theory.twins import bound_times, statement_with, update_times, with_fields

__all__ = ["DECREASING_STEPS", "FSML_DECREASING", "stiffness"]


def star(P: Problem, m: Method) -> Counted:
    return Counted(x=P.x_star, t=0)


# ------------------------------------------------------------------ T known in advance


def stiffness(P: Problem, m: Method) -> tuple[float, float]:
    """(a, h): curvature that is felt, and the inverse of the largest step."""
    k, mu = abc(P, m), P.mu_pl
    return mu * k.b, max(P.L * (k.A + mu * k.B) / (mu * k.b), mu * k.b)


def halfway_bound(first: float = 32.0, second: float = 18.0, third: float = 1.0) -> Any:
    """ValueError at any other horizon than the one that was known in advance."""

    def bound(P: Problem, m: Method, T: int, start: Counted) -> Terms:
        if T != m.schedule.horizon:
            raise ValueError(f"T must be the horizon {m.schedule.horizon}, got {T}")
        (a, h), k = stiffness(P, m), abc(P, m)
        floor = second * P.L * k.C / (a**2 * T) + third * k.c / a
        return (Gap(first * h / a * math.exp(-a * T / (2 * h)), start.x), floor)

    return bound


def _halfway(P: Problem, estimator: Any = "rand_k", k: int = 1, horizon: int = 100) -> ScheduledSGD:
    m = tuned_pl(P, estimator, k)
    a, h = stiffness(P, m)
    return ScheduledSGD(schedule=Halfway(peak=1 / h, curvature=a, horizon=horizon), estimator=m.estimator)


DECREASING_STEPS = Horizon(
    source=f"{SOURCE}; steps and lemma of Stich (arXiv:1907.04232)",
    method=ScheduledSGD,
    assumes=(smooth, pl),
    allows=lambda P, m: (
        isinstance(m.schedule, Halfway)
        and abc(P, m).b > 0
        and at_most(m.schedule.peak * stiffness(P, m)[1], 1.0)
        and at_most(stiffness(P, m)[0], m.schedule.curvature)
    ),
    measure=gap,
    bound=halfway_bound(),
    star=star,
    tune=_halfway,
    claim=r"E\delta_T\le\tfrac{32h}a\delta_0e^{-aT/(2h)}+\tfrac{18LC}{a^2T}+\tfrac ca,\ a=\mu b,"
    r"\ h=\max\{\tfrac{L(A+\mu B)}{\mu b},\mu b\}",
    twins=(
        statement_with("18 -> 1/4", bound=halfway_bound(second=0.25)),
        statement_with("C dropped, c/(4a)", bound=halfway_bound(second=0.0, third=0.25)),
        with_fields("steps x 3", lambda P, m: {"schedule": replace(m.schedule, peak=3 * m.schedule.peak)}),
        update_times("x", 0.05),
        NEGATED,
    ),
)


# ------------------------------------------------------------------ FSML


def harmonic_bound(second: float = 2.0, shift: float = 0.0) -> Any:
    """nu/(g0 + 1 + T) after T steps, of the states 1, 2, ...; twins halve a constant, or shift k."""

    def bound(P: Problem, m: Method, T: int, start: Counted) -> Number:
        k, (beta, g0) = held(P, m, FSML), (m.schedule.scale, m.schedule.offset)
        left = beta**2 * P.L * k.Q / (second * (beta * k.q * P.mu - 1))
        return max(left, (g0 + 1) * float(evaluate(gap(P, m, start), P))) / (g0 + 1 + T + shift)

    return bound


def _harmonic(P: Problem, estimator: Any = "centred", k: int = 1, excess: float = 2.0) -> ScheduledSGD:
    """beta = excess/(q mu) and the least g0 that is allowed."""
    m = tuned(FSML)(P, estimator, k)
    said = held(P, m, FSML)
    beta = excess / (said.q * P.mu)
    offset = max(0.0, beta / rules.limit(said, P.L) - 1)
    return ScheduledSGD(schedule=Harmonic(scale=beta, offset=offset), estimator=m.estimator)


class _Stuck(Harmonic):
    """The first step size, for ever."""

    def at(self, t: int) -> float:
        return super().at(0)


def _harmonic_allowed(P: Problem, m: Method) -> bool:
    k = held(P, m, FSML)
    return bool(
        isinstance(m.schedule, Harmonic)
        and k.proper
        and m.schedule.scale * k.q * P.mu > 1
        and at_most(m.schedule.at(0), rules.limit(k, P.L))
    )


FSML_DECREASING = Horizon(
    source="Bottou, Curtis, Nocedal (2018), Theorem 4.7",
    method=ScheduledSGD,
    assumes=(smooth, strongly_convex),
    allows=_harmonic_allowed,
    measure=gap,
    bound=harmonic_bound(),
    star=star,
    tune=_harmonic,
    claim=r"\gamma_k=\tfrac\beta{g_0+k}:\ E\delta_k\le\tfrac\nu{g_0+k},\ "
    r"\nu=\max\{\tfrac{\beta^2LQ}{2(\beta q\mu-1)},(g_0+1)\delta_1\}",
    twins=(
        bound_times(0.25),
        statement_with("variance / 4", bound=harmonic_bound(8.0)),
        with_fields(
            "beta = 1/(4 q mu)", lambda P, m: {"schedule": replace(m.schedule, scale=m.schedule.scale / 8)}
        ),
        with_fields(
            "constant steps",
            lambda P, m: {"schedule": _Stuck(scale=m.schedule.scale, offset=m.schedule.offset)},
        ),
        with_fields("steps x 4", lambda P, m: {"schedule": replace(m.schedule, scale=4 * m.schedule.scale)}),
        update_times("x", 0.05),
        NEGATED,
    ),
)
