"""One round of FedAvg with a sampled cohort, its floor, and Nastya."""

from dataclasses import replace
from typing import Any

from proveout.methods.fedavg import FedAvg, State
from proveout.theory.assumptions import quadratic, strongly_convex
from proveout.theory.fedavg.altered import fresh_step, no_division
from proveout.theory.fedavg.stationary import halving_bound
from proveout.theory.statement import (
    Assumption,
    Horizon,
    Method,
    Number,
    OneStep,
    Problem,
    Square,
    Terms,
    at_most,
)
from proveout.theory.twins import bound_times, field_times, noise_times, rate_gap, statement_with

__all__ = [
    "CLIENT_SAMPLING",
    "FLOOR_IS_LINEAR",
    "NASTYA",
    "basic",
    "distance",
    "drift",
    "each_part_convex",
    "each_part_smooth",
    "known_by_class",
    "star",
]

SOURCE = "Malinovsky et al. (arXiv:2302.03662), with-replacement counterpart; derived"

each_part_smooth = Assumption("each component f_ij is L_parts-smooth", lambda P: P.L_parts > 0, "smooth")
each_part_convex = Assumption("each component f_ij is convex", lambda P: P.mu_parts >= 0, "convex")


def star(P: Problem, m: Method) -> State:
    return State(x=P.x_star)


def distance(P: Problem, m: Method, state: State) -> Terms:
    return (Square(1, state.x - P.x_star),)


def known_by_class(P: Problem) -> bool:
    """Is this a function class, so that the gradients at x* are unknown vectors?"""
    return not hasattr(P, "values")


def smoothness(P: Problem, m: Method) -> Number:
    """Of what a local step sees."""
    return P.L_max if m.order == "full" else P.L_parts


def drift(K: int, client: Number, data: Number) -> Number:
    """B_0/gamma^2: mean squared distance of the K local models from x at an optimum, to leading order."""
    return (K - 1) * (2 * K - 1) * client / 6 + ((K + 1) * data / 6 if K > 1 else 0)


def basic(
    P: Problem, cohort: int = 1, order: str = "pass", local_steps: int | None = None, factor: float = 1.0
) -> FedAvg:
    """gamma = factor/(5 L K), gamma_global = factor/(2 L)."""
    if not cohort <= P.n:
        raise ValueError(f"cohort must be at most n = {P.n}, got {cohort}")
    m = FedAvg(gamma=1.0, cohort=cohort, order=order, local_steps=local_steps)
    L, K = smoothness(P, m), m.steps(P)
    return replace(m, gamma=factor / (5 * L * K), gamma_global=factor / (2 * L))


def averaging(
    P: Problem, cohort: int = 1, order: str = "pass", local_steps: int | None = None, factor: float = 1.0
) -> FedAvg:
    """gamma = factor/(5 L K), and the plain average of the local models."""
    return replace(basic(P, cohort, order, local_steps, factor), gamma_global=None)


def fpc(P: Problem, m: Method) -> Number:
    """Variance of a mean over C of n without replacement, for variance one."""
    return (P.n - m.cohort) / (m.cohort * (P.n - 1)) if P.n > 1 else 0


def _coefficients(P: Problem, m: Method) -> tuple[Number, Number]:
    """What multiplies sigma_client2 and sigma_data2 in the round's noise."""
    theta, K = m.server_step(P), m.steps(P)
    scale = 8 * theta * smoothness(P, m) * m.gamma**2
    client = scale * drift(K, 1, 0) + 2 * theta**2 * fpc(P, m)
    return client, scale * drift(K, 0, 1) if m.order == "pass" else 0


def sampling_noise(P: Problem, m: Method) -> Number:
    """The noise, where the data tells it."""
    if known_by_class(P):
        return 0
    client, data = _coefficients(P, m)
    return client * P.sigma_client2 + data * P.sigma_data2


def minus_noise(P: Problem, m: Method, state: State) -> Terms:
    """Of a function class: -noise, in terms of the gradients at x*."""
    if not known_by_class(P):
        return ()
    return (Square(-_coefficients(P, m)[0] / P.n, P.h_star, core=2),)


def _allows(P: Problem, m: Method) -> bool:
    L = smoothness(P, m)
    return (
        m.order != "iid" and at_most(5 * L * m.gamma * m.steps(P), 1) and at_most(2 * L * m.server_step(P), 1)
    )


def _without_sampling(P: Problem, m: Method) -> Number:
    return (
        8
        * m.server_step(P)
        * smoothness(P, m)
        * m.gamma**2
        * drift(m.steps(P), P.sigma_client2, P.sigma_data2 if m.order == "pass" else 0)
    )


def _cohort_for_n(P: Problem, m: Method) -> Number:
    """(n - C)/(C (n-1)) with C for n in the denominator's first factor: divided by n C instead of C^2."""
    theta = m.server_step(P)
    return _without_sampling(P, m) + 2 * theta**2 * (P.n - m.cohort) / (P.n * (P.n - 1)) * P.sigma_client2


def rate(P: Problem, m: Method) -> Number:
    return 1 - m.server_step(P) * P.mu / 2


CLIENT_SAMPLING = OneStep(
    source=SOURCE,
    method=FedAvg,
    assumes=(each_part_smooth, each_part_convex, strongly_convex),
    allows=_allows,
    lyapunov=distance,
    star=star,
    rate=rate,
    noise=sampling_noise,
    progress=minus_noise,
    tune=basic,
    claim=r"E\|x^{+}-x^\star\|^2\le(1-\tfrac{\gamma_g\mu}2)\|x-x^\star\|^2+8\gamma_gLB_0"
    r"+2\gamma_g^2\tfrac{n-C}{C(n-1)}\sigma_c^2",
    twins=(
        statement_with("no sampling term", noise=_without_sampling, progress=None),
        statement_with("n for C in the sampling term", noise=_cohort_for_n, progress=None),
        noise_times(0.25),
        rate_gap(4),
        field_times("gamma_global", 4),
        no_division,
    ),
)


def _contraction(P: Problem, m: Method) -> Number:
    """Of one round, squared: each local step contracts by 1 - gamma mu_parts, and x' lies between x and the mean."""
    share = m.server_step(P) / (m.gamma * m.steps(P))
    moved = (1 - m.gamma * P.mu_parts) ** m.steps(P)
    return (1 - share * (1 - moved)) ** 2


def _doubled(m: Method) -> FedAvg:
    theta = m.gamma_global
    return FedAvg(
        gamma=2 * m.gamma,
        cohort=m.cohort,
        order=m.order,
        local_steps=m.local_steps,
        gamma_global=None if theta is None else 2 * theta,
    )


def half_the_floor(slope: float) -> Any:
    """E|x_T - x*|^2 is at most the stationary error of twice the steps, over 2^slope, and a transient."""

    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        here = replace(_doubled(m), gamma=m.gamma, gamma_global=m.gamma_global)
        away, constant = halving_bound(P, here, _doubled(m), slope, _contraction(P, m), start, T)
        return Square(away, start.x - P.x_star), constant

    return bound


def _sampled_cohorts(P: Problem, m: Method) -> bool:
    K = m.steps(P)
    return (
        m.cohort < P.n
        and m.order != "iid"
        and at_most(2 * m.gamma * P.L_parts, 1)
        and at_most(m.server_step(P), m.gamma * K)
    )


FLOOR_IS_LINEAR = Horizon(
    source=SOURCE,
    method=FedAvg,
    assumes=(each_part_smooth, quadratic, strongly_convex),
    allows=_sampled_cohorts,
    measure=distance,
    bound=half_the_floor(1.0),
    star=star,
    tune=averaging,
    claim=r"C<n:\ \lim E\|x_T-x^\star\|^2 \text{ at } \gamma \le \tfrac12 \text{ of that at } 2\gamma",
    twins=(
        statement_with("quadratic floor: a quarter", bound=half_the_floor(2.0)),
        statement_with("a third", bound=half_the_floor(1.6)),
        bound_times(0.5),
        fresh_step("half a cohort", lambda m: max(1, m.cohort // 2)),
        no_division,
    ),
)


def nastya_bound(factor: float) -> Any:
    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        K = m.steps(P)
        spread = (K + 1) * P.sigma_client2 + P.sigma_data2
        constant = factor * m.gamma**2 * K * P.L_parts / P.mu * spread
        return Square(rate(P, m) ** T, start.x - P.x_star), constant

    return bound


NASTYA = Horizon(  # recalled constants: reported
    source="Malinovsky, Mishchenko, Richtárik (arXiv:2201.11066), strongly convex, constants as recalled",
    method=FedAvg,
    assumes=(each_part_smooth, each_part_convex, strongly_convex),
    allows=lambda P, m: (
        m.order == "pass"
        and m.cohort == P.n
        and at_most(5 * P.L_parts * m.gamma * m.steps(P), 1)
        and at_most(m.server_step(P) * P.L_parts, 1)
    ),
    measure=distance,
    bound=nastya_bound(4.5),
    star=star,
    tune=lambda P, factor=1.0, share=1.0: replace(
        basic(P, cohort=P.n, factor=factor), gamma_global=share / P.L_parts
    ),
    claim=r"C=n:\ E\|x_T-x^\star\|^2\le(1-\tfrac{\gamma_g\mu}2)^T\|x_0-x^\star\|^2"
    r"+\tfrac92\tfrac{\gamma^2mL}\mu\big((m+1)\sigma_c^2+\sigma_d^2\big)",
    twins=(
        statement_with("no floor", bound=nastya_bound(0.0)),
        statement_with("floor / 5000", bound=nastya_bound(9e-4)),
        field_times("gamma_global", 4),
        fresh_step("half the clients", lambda m: max(1, m.cohort // 2)),
        bound_times(0.5),
    ),
)
