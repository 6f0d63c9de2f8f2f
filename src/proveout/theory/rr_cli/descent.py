"""The basic choice: descent along every order, linear convergence to a floor of gamma^2, interpolation."""

import math
from dataclasses import replace
from typing import Any

from proveout.methods.rr_cli import RRCLI, State
from proveout.theory.fedavg.sampling import distance, each_part_smooth, known_by_class, star
from proveout.theory.rr_cli.altered import fresh_cohorts, undivided_local, undivided_rounds
from proveout.theory.rr_cli.shadow import distances, distances_of_class, listed, rounds_of
from proveout.theory.statement import (
    Assumption,
    Complexity,
    Horizon,
    Method,
    Number,
    OneStep,
    Problem,
    Square,
    Terms,
    at_most,
)
from proveout.theory.twins import (
    bound_times,
    noise_times,
    rate_gap,
    statement_with,
    unwrap,
    update_times,
    with_fields,
)

__all__ = [
    "INTERPOLATION",
    "LINEAR_CONVERGENCE",
    "PATHWISE_DESCENT",
    "ROUND_COMPLEXITY",
    "SOURCE",
    "basic",
    "decay",
    "each_part_strongly_convex",
    "is_basic",
    "radius_bound",
]

SOURCE = "Malinovsky et al. (arXiv:2302.03662), strongly convex; form recalled, constants derived"

each_part_strongly_convex = Assumption(
    "each component f_ij is mu_parts-strongly convex", lambda P: P.mu_parts > 0, "strongly_convex"
)


def steps_like(P: Problem, gamma: Number, cohort: int) -> dict[str, Number]:
    """The three steps of the basic choice."""
    return {"gamma": gamma, "gamma_server": gamma * P.m, "gamma_global": gamma * P.m * (P.n // cohort)}


def basic(
    P: Problem,
    cohort: int = 1,
    factor: float = 1.0,
    order: Any = "reshuffle",
    data: Any = "reshuffle",
    seed: int = 0,
) -> RRCLI:
    """gamma = factor/L; `order` may also be "reversed" or "sorted" (by the first coordinate of grad f_i(x*))."""
    if P.n % cohort:
        raise ValueError(f"cohort must divide n = {P.n}, got {cohort}")
    if order == "reversed":
        order = tuple(range(P.n))[::-1]
    elif order == "sorted":
        if known_by_class(P):
            raise ValueError("order must not be 'sorted' on a function class: its gradients are unknown")
        order = tuple(int(i) for i in P.h_star[:, 0].argsort())
    m = RRCLI(**steps_like(P, factor / P.L_parts, cohort), cohort=cohort, order=order, data=data, seed=seed)
    m.law(P)  # ValueError where components are missing
    return m


def is_basic(P: Problem, m: Method) -> bool:
    """gamma_server = gamma m, gamma_global = gamma_server R."""
    one, all_ = m.gamma_server / (m.gamma * P.m), m.gamma_global / (m.gamma_server * rounds_of(P, m))
    return all(at_most(a, 1) and at_most(1, a) for a in (one, all_))


def decay(P: Problem, m: Method) -> Number:
    """(1 - gamma mu)^{mR}."""
    return (1 - m.gamma * P.mu_parts) ** (P.m * rounds_of(P, m))


def _weights(P: Problem, m: Method, backwards: bool = False) -> Any:
    """(r, j) -> 2 gamma (1 - gamma mu)^{mR-1-(mr+j)}."""
    last = P.m * rounds_of(P, m) - 1

    def weight(r: int, j: int = 0) -> Number:
        k = P.m * r + j
        return 2 * m.gamma * (1 - m.gamma * P.mu_parts) ** (k if backwards else last - k)

    return weight


def shadow_noise(late: int = 0, backwards: bool = False) -> Any:
    """The sum over the shadow, where the data tells it."""

    def noise(P: Problem, m: Method) -> Number:
        if known_by_class(P):
            return 0
        weight = _weights(P, m, backwards)
        return sum(weight(*at) * D for at, D in distances(P, unwrap(m), late).items())

    return noise


def minus_shadow(backwards: bool = False) -> Any:
    """Of a function class: minus the sum over the shadow, as terms."""

    def progress(P: Problem, m: Method, state: State) -> Terms:
        if not known_by_class(P):
            return ()
        weight = _weights(P, m, backwards)
        return distances_of_class(P, m, lambda r: -weight(r))

    return progress


def _short(P: Problem, m: Method) -> bool:
    return is_basic(P, m) and at_most(m.gamma * P.L_parts, 1)


PATHWISE_DESCENT = OneStep(
    source=SOURCE,
    method=RRCLI,
    assumes=(each_part_smooth, each_part_strongly_convex),
    allows=lambda P, m: _short(P, m) and listed(P, m),
    lyapunov=distance,
    star=star,
    rate=decay,
    noise=shadow_noise(),
    progress=minus_shadow(),
    tune=basic,
    claim=r"\|x^{+}-x^\star\|^2\le(1-\gamma\mu)^{mR}\|x-x^\star\|^2+2\gamma\textstyle\sum_{r,j}"
    r"(1-\gamma\mu)^{mR-1-(mr+j)}\tfrac1C\sum_{S_r}D_{i,\pi_{j+1}}(x_{\star,i}^{r,j})",
    twins=(
        statement_with("component j instead of j+1", noise=shadow_noise(late=1)),
        statement_with("weights reversed", noise=shadow_noise(backwards=True), progress=minus_shadow(True)),
        with_fields("gamma = 2/L", lambda P, m: steps_like(P, 2 / P.L_parts, m.cohort)),
        with_fields("gamma = 1.5/L", lambda P, m: steps_like(P, 1.5 / P.L_parts, m.cohort)),
        noise_times(0.5),
        rate_gap(1.5),
        update_times("x", 2),
        undivided_local,
        undivided_rounds,
    ),
)

# ------------------------------------------------------------------ horizons


def radius_bound(P: Problem, m: Method) -> tuple[Number, Number]:
    """Coefficients of sigma_client2 and sigma_data2 in the bound on 2 sigma_rad^2/L."""
    k, R, n = P.m, rounds_of(P, m), P.n
    client = k**2 * (1 + (R**2 / (4 * (n - 1)) if n > 1 else 0))
    return client, k**2 / (4 * (k - 1)) if k > 1 else 0


def spread(P: Problem, client: Number, data: Number) -> Any:
    """client sigma_client2 + data sigma_data2 as a term; of a class (m = 1) in terms of the gradients at x*."""
    if known_by_class(P):
        return Square(client / P.n, P.h_star, core=2)
    return client * P.sigma_client2 + data * P.sigma_data2


def floor_bound(power: int = 2) -> Any:
    """(1 - gamma mu)^{mRT} |x_0 - x*|^2 + gamma^power (L/mu) {...}."""

    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        scale = m.gamma**power * P.L_parts / P.mu_parts
        client, data = radius_bound(P, m)
        return Square(decay(P, m) ** T, start.x - P.x_star), spread(P, scale * client, scale * data)

    return bound


LINEAR_CONVERGENCE = Horizon(
    source=SOURCE,
    method=RRCLI,
    assumes=(each_part_smooth, each_part_strongly_convex),
    allows=lambda P, m: m.order == "reshuffle" and m.data == "reshuffle" and _short(P, m),
    measure=distance,
    bound=floor_bound(),
    star=star,
    tune=basic,
    claim=r"E\|x_T-x^\star\|^2\le(1-\gamma\mu)^{mRT}\|x_0-x^\star\|^2"
    r"+\tfrac{\gamma^2L}\mu\{m^2[1+\tfrac{R^2}{4(n-1)}]\sigma_c^2+\tfrac{m^2}{4(m-1)}\sigma_d^2\}",
    twins=(
        fresh_cohorts,
        statement_with("a floor of gamma^3", bound=floor_bound(3)),
        statement_with("a floor of gamma^4", bound=floor_bound(4)),
        with_fields("gamma = 3/L", lambda P, m: steps_like(P, 3 / P.L_parts, m.cohort)),
        bound_times(0.5),
        undivided_local,
    ),
)


def _power(power: int, extra: int = 0) -> Any:
    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        factor = (1 - m.gamma * P.mu_parts) ** (power * P.m * rounds_of(P, m) + extra)
        return (Square(factor**T, start.x - P.x_star),)

    return bound


def _interpolates(P: Problem) -> bool:
    """Is every component stationary at x*?  A class is read as its members that are."""
    if known_by_class(P):
        return True
    g = P.part_grads(P.x_star)
    return bool(abs(g).max() <= 1e-10 * P.L_parts * max(1.0, abs(P.x_star).max()))


each_interpolating = Assumption("each component is stationary at x*", _interpolates, "interpolation")

INTERPOLATION = Horizon(  # the square of the rate that the descent gives, and attained
    source=SOURCE + "; sharpened",
    method=RRCLI,
    assumes=(each_part_smooth, each_part_strongly_convex, each_interpolating),
    allows=lambda P, m: is_basic(P, m) and at_most(m.gamma * (P.L_parts + P.mu_parts), 2.0),
    measure=distance,
    bound=_power(2),
    star=star,
    tune=basic,
    claim=r"\nabla f_{ij}(x^\star)=0:\ \|x_T-x^\star\|^2\le(1-\gamma\mu)^{2mRT}\|x_0-x^\star\|^2",
    twins=(
        statement_with("exponent 2mR + 1", bound=_power(2, 1)),
        with_fields("gamma = 2.2/L", lambda P, m: steps_like(P, 2.2 / P.L_parts, m.cohort)),
        undivided_rounds,
        update_times("x", 0.5),
    ),
)

# ------------------------------------------------------------------ rounds


def rounds_needed(power: float = 2.0, factor: float = 1.0) -> Any:
    """Rounds to E|x - x*|^2 <= eps: log(2 |x_0 - x*|^2/eps)/(gamma mu m), inf where the floor is above eps/2.

    With gamma = min{1/L, sqrt(eps mu/(2 L K))}, K = {...}: max{L/(mu m), sqrt(2 L K/(eps mu^3))/m} log(...), 1/T^2.
    """

    def count(P: Problem, m: Method, eps: float, start: State) -> Number:
        client, data = radius_bound(P, m)
        floor = m.gamma**power * P.L_parts / P.mu_parts * (client * P.sigma_client2 + data * P.sigma_data2)
        if not at_most(2 * floor, eps):
            return math.inf
        first = float(((start.x - P.x_star) ** 2).sum())
        epochs = math.ceil(max(0.0, math.log(2 * first / eps)) / (-math.log(decay(P, m))))
        return factor * epochs * rounds_of(P, m)

    return count


def for_target(P: Problem, cohort: int = 1, target: float = 1e-2) -> RRCLI:
    """gamma = min{1/L, sqrt(eps mu/(2 L K))} for eps = target |x*|^2, from x_0 = 0."""
    m = basic(P, cohort)
    client, data = radius_bound(P, m)
    K, eps = client * P.sigma_client2 + data * P.sigma_data2, target * float((P.x_star**2).sum())
    gamma = math.sqrt(eps * P.mu_parts / (2 * P.L_parts * K)) if K else math.inf
    return replace(m, **steps_like(P, min(1 / P.L_parts, gamma), cohort))


ROUND_COMPLEXITY = Complexity(
    source=SOURCE + ", corollary",
    method=RRCLI,
    assumes=LINEAR_CONVERGENCE.assumes,
    allows=LINEAR_CONVERGENCE.allows,
    measure=distance,
    count=rounds_needed(),
    unit="rounds",
    star=star,
    tune=for_target,
    claim=r"E\|x-x^\star\|^2\le\varepsilon\ \text{after}\ \tfrac1{\gamma\mu m}\log\tfrac{2\|x_0-x^\star\|^2}\varepsilon"
    r"\ \text{rounds},\quad \gamma^2\tfrac L\mu\{\dots\}\le\tfrac\varepsilon2",
    twins=(
        fresh_cohorts,
        statement_with("a tenth of the rounds", count=rounds_needed(factor=0.1)),
        statement_with("floor of gamma^4 ignored below eps", count=rounds_needed(power=4.0)),
        update_times("x", 0.25),
    ),
)
