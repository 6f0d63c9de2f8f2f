"""Three step sizes: gamma m <= 1/(5L), gamma_server R <= 1/(5L), gamma_global <= 1/L.

The components are convex (or only smooth, `nonconvex`) and L-smooth, f is mu-strongly convex.  The meta-epoch is a
gradient step of length gamma_global whose gradients are taken at drifted points; their mean squared drift at an optimum is

    B     = gamma_server^2 (R^2-1)/(6(n-1)) sigma_client2
            + gamma^2 [(m-1)(2m-1)/6 sigma_client2 + (m+1)/6 1_{m>1} sigma_data2]         on average over orders
    B_arb = gamma_server^2 R(R-1)/2 sigma_client2 + gamma^2 m(m-1)/2 (sigma_client2 + sigma_data2)    for every order
"""

from dataclasses import replace
from typing import Any

from proveout.methods.rr_cli import RRCLI, State
from proveout.theory.assumptions import strongly_convex
from proveout.theory.fedavg.sampling import (
    distance,
    drift,
    each_part_convex,
    each_part_smooth,
    known_by_class,
    star,
)
from proveout.theory.rr_cli.altered import fresh_cohorts, undivided_rounds
from proveout.theory.rr_cli.descent import basic, spread
from proveout.theory.rr_cli.shadow import rounds_of
from proveout.theory.statement import Gap, Horizon, Method, Number, OneStep, Problem, Square, Terms, at_most
from proveout.theory.twins import (
    bound_times,
    field_times,
    noise_times,
    rate_gap,
    statement_with,
    update_times,
)

__all__ = [
    "CONVEX_AVERAGE",
    "NONCONVEX",
    "THREE_STEPS",
    "THREE_STEPS_ANY_ORDER",
    "average_drift",
    "three",
    "worst_drift",
]

SOURCE = "Malinovsky et al. (arXiv:2302.03662), three step sizes; derived"


def three(
    P: Problem,
    cohort: int = 1,
    factor: float = 1.0,
    share: float = 1.0,
    order: Any = "reshuffle",
    data: Any = "reshuffle",
) -> RRCLI:
    """gamma = factor/(5 L m), gamma_server = factor/(5 L R), gamma_global = share/L."""
    m = basic(P, cohort, order=order, data=data)
    L, R = P.L_parts, P.n // cohort
    return replace(m, gamma=factor / (5 * L * P.m), gamma_server=factor / (5 * L * R), gamma_global=share / L)


def allowed(P: Problem, m: Method) -> bool:
    L, R = P.L_parts, rounds_of(P, m)
    local, rounds = 5 * L * m.gamma * P.m, 5 * L * m.gamma_server * R
    return at_most(local, 1) and at_most(rounds, 1) and at_most(L * m.gamma_global, 1)


def shuffled(P: Problem, m: Method) -> bool:
    return allowed(P, m) and m.order == "reshuffle" and m.data == "reshuffle"


def average_drift(P: Problem, m: Method) -> tuple[Number, Number]:
    """Coefficients of sigma_client2 and sigma_data2 in B."""
    R = rounds_of(P, m)
    rounds = m.gamma_server**2 * (R**2 - 1) / (6 * (P.n - 1)) if P.n > 1 else 0
    return rounds + m.gamma**2 * drift(P.m, 1, 0), m.gamma**2 * drift(P.m, 0, 1)


def worst_drift(P: Problem, m: Method) -> tuple[Number, Number]:
    """The same of B_arb."""
    R = rounds_of(P, m)
    data = m.gamma**2 * P.m * (P.m - 1) / 2
    return m.gamma_server**2 * R * (R - 1) / 2 + data, data


def drift_noise(drift_of: Any) -> Any:
    """8 gamma_global L B, where the data tells it."""

    def noise(P: Problem, m: Method) -> Number:
        if known_by_class(P):
            return 0
        client, data = drift_of(P, m)
        return 8 * m.gamma_global * P.L_parts * (client * P.sigma_client2 + data * P.sigma_data2)

    return noise


def gap_less_noise(drift_of: Any) -> Any:
    """(gamma_global/3)(f - f*), less the noise where only the class is known."""

    def progress(P: Problem, m: Method, state: State) -> Terms:
        gain = Gap(m.gamma_global / 3, state.x)
        if not known_by_class(P):
            return (gain,)
        client, _ = drift_of(P, m)
        return gain, Square(-8 * m.gamma_global * P.L_parts * client / P.n, P.h_star, core=2)

    return progress


def rate(P: Problem, m: Method) -> Number:
    return 1 - m.gamma_global * P.mu / 2


THREE_STEPS = OneStep(
    source=SOURCE,
    method=RRCLI,
    assumes=(each_part_smooth, each_part_convex, strongly_convex),
    allows=shuffled,
    lyapunov=distance,
    star=star,
    rate=rate,
    progress=gap_less_noise(average_drift),
    noise=drift_noise(average_drift),
    tune=three,
    claim=r"E\|x^{+}-x^\star\|^2\le(1-\tfrac{\gamma_g\mu}2)\|x-x^\star\|^2-\tfrac{\gamma_g}3(f(x)-f^\star)+8\gamma_gLB",
    twins=(
        field_times("gamma_global", 4),
        rate_gap(4),
        noise_times(0.01),
        fresh_cohorts,
        undivided_rounds,
    ),
)

THREE_STEPS_ANY_ORDER = OneStep(
    source=SOURCE,
    method=RRCLI,
    assumes=THREE_STEPS.assumes,
    allows=allowed,
    lyapunov=distance,
    star=star,
    rate=rate,
    progress=gap_less_noise(worst_drift),
    noise=drift_noise(worst_drift),
    tune=three,
    claim=r"\text{every order: } \|x^{+}-x^\star\|^2\le(1-\tfrac{\gamma_g\mu}2)\|x-x^\star\|^2"
    r"-\tfrac{\gamma_g}3(f(x)-f^\star)+8\gamma_gLB_{arb}",
    twins=(
        statement_with(
            "B for B_arb", noise=drift_noise(average_drift), progress=gap_less_noise(average_drift)
        ),
        field_times("gamma_global", 4),
        rate_gap(4),
        noise_times(0.01),
        undivided_rounds,
    ),
)

# ------------------------------------------------------------------ without strong convexity


def average_bound(power: int = 1) -> Any:
    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        client, data = average_drift(P, m)
        first = Square(3 / (4 * m.gamma_global * T**power), start.x - P.x_star)
        return first, spread(P, 6 * P.L_parts * client, 6 * P.L_parts * data)

    return bound


CONVEX_AVERAGE = Horizon(
    source=SOURCE,
    method=RRCLI,
    assumes=(each_part_smooth, each_part_convex),
    allows=shuffled,
    measure=lambda P, m, state: (Gap(1, state.x),),
    over="mean",
    includes_end=False,
    bound=average_bound(),
    star=star,
    tune=three,
    claim=r"\tfrac1T\textstyle\sum_{t<T}E f(x_t)-f^\star\le\tfrac{3\|x_0-x^\star\|^2}{4\gamma_gT}+6LB",
    twins=(
        statement_with("1/T^2", bound=average_bound(2)),
        field_times("gamma_global", 2.2),
        update_times("x", 0.1),
        bound_times(0.5),
    ),
)


def gap(P: Problem, m: Method, state: State) -> Terms:
    return (Gap(1, state.x),)


def descent(gain: float = 0.4, loss: float = 2.5) -> Any:
    """gain gamma_global |grad f(x)|^2 - loss gamma_global L^2 B(x)."""

    def progress(P: Problem, m: Method, state: State) -> Terms:
        client, data = average_drift(P, m)
        scale, x = loss * m.gamma_global * P.L_parts**2, state.x
        g = P.grads(x[..., None, :])
        terms = [
            Square(gain * m.gamma_global, P.grad(x)),
            Square(-scale * client / P.n, g - P.grad(x)[..., None, :], core=2),
        ]
        if not known_by_class(P) and P.m > 1:
            own = P.part_grads(x)
            own = own - own.mean(axis=-2, keepdims=True)
            terms.append(Square(-scale * data / (P.n * P.m), own, core=3))
        return tuple(terms)

    return progress


NONCONVEX = OneStep(
    source=SOURCE,
    method=RRCLI,
    assumes=(each_part_smooth,),
    allows=shuffled,
    lyapunov=gap,
    rate=lambda P, m: 1,
    progress=descent(),
    tune=three,
    claim=r"E f(x^{+})\le f(x)-\tfrac{2\gamma_g}5\|\nabla f(x)\|^2+\tfrac52\gamma_gL^2B(x)",
    twins=(
        field_times("gamma_global", 4),
        statement_with("2 gamma_global for (2/5) gamma_global", progress=descent(gain=2.0)),
        statement_with("B(x) dropped", progress=descent(loss=0.0)),
        update_times("x", 0),
        undivided_rounds,
    ),
)
