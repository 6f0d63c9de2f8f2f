"""Explicit rates of OrMo and OrMoDA, on average over the trajectory, for every order independent of the noise.

n workers, gamma_e = gamma/(1 - beta), J = T - 1 + n gradients (those of x_0, .., x_{T-1}; x_0 counts n times),
Delta = f(x_0) - f*, R^2 = |x_0 - x*|^2, sigma^2 the variance of a gradient, E-bar the mean over the J gradients;
G^2 >= sup_{t<T} E|grad f(x_t)|^2, tau_max the largest of the J delays.

    nonconvex_bounded_gradient   gamma_e <= 1/(2Ln):
        E-bar|grad f|^2 <= 4 Delta/(gamma_e J) + 2 L gamma_e sigma^2
                           + 4 L^2 gamma_e^2 [n^2 G^2/(1-beta)^2 + n sigma^2/(1-beta^2)]
    nonconvex_bounded_delay      gamma_e <= min{1/(2Ln), sqrt((1-beta)/(8 L^2 n (tau_max + beta n/(1-beta))))}:
        E-bar|grad f|^2 <= 8 Delta/(gamma_e J) + 4 L gamma_e sigma^2 + 8 gamma_e^2 L^2 n sigma^2/(1-beta^2)
    adaptive_nonconvex           gamma_e <= (1-beta)/(4Ln), cap <= (1-beta)/(4L), mean with the weights gamma_j:
        <= 8 Delta/sum_j gamma_j + 6 L gamma_e sigma^2     (<= 16 Delta/(gamma_e T) + 6 L gamma_e sigma^2)
    convex                       gamma_e <= min{1/(4L), 1/(2nL), sqrt((1-beta)/(16 L^2 n (tau_max + beta n/(1-beta))))}:
        E-bar f - f* <= R^2/(2 gamma_e J) + gamma_e sigma^2/2 + 4 gamma_e^2 L n sigma^2/(1-beta^2)
    adaptive_convex              gamma_e <= (1-beta)/(8nL), cap as above:
        <= R^2/(2 sum_j gamma_j) + gamma_e sigma^2     (<= R^2/(gamma_e T) + gamma_e sigma^2)

gamma_j = gamma_t/(1-beta) is the effective step that the gradient of job j gets on arrival.  Rates of the paper
without explicit constants; these forms are derived (descent of f at the ordered virtual iterate).
"""

from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.ormo import OrMo, OrMoDA
from proveout.theory.assumptions import convex as is_convex
from proveout.theory.assumptions import quadratic, smooth
from proveout.theory.delays.arrivals import all_busy, beta_of, in_order, job_weights, one_function
from proveout.theory.ormo.identities import PAPER
from proveout.theory.ormo.responses import gradient_bound
from proveout.theory.statement import Gap, Horizon, Method, Problem, Square, State, Terms, at_most
from proveout.theory.twins import statement_with, with_fields

__all__ = [
    "ADAPTIVE_CONVEX",
    "ADAPTIVE_NONCONVEX",
    "CONVEX",
    "NONCONVEX_BOUNDED_DELAY",
    "NONCONVEX_BOUNDED_GRADIENT",
    "delay_limit",
    "noiseless",
    "too_long",
]


def star(P: Problem, m: Method) -> State:
    return m.init(P, P.x_star)


def squared_gradient(P: Problem, m: Method, s: State) -> Terms:
    return (Square(1, P.grad(s.x)),)


def gap(P: Problem, m: Method, s: State) -> Terms:
    return (Gap(1, s.x),)


def _spoken(T: int) -> None:
    """T = 1 averages the start alone."""
    if T < 2:
        raise ValueError(f"T must be >= 2, got {T}")


def over_jobs(P: Problem, m: Method, T: int) -> Array:
    """Weights of a mean over the J gradients: (T,)."""
    w = job_weights(P, m, T)
    return w / w.sum()


def over_steps(P: Problem, m: Method, T: int) -> Array:
    """The same, each gradient with its effective step: (T,)."""
    w = job_weights(P, m, T, adaptive=True)
    return w / w.sum()


def delay_limit(P: Problem, beta: float, factor: float) -> float:
    """sqrt((1-beta)/(factor L^2 n (tau_max + beta n/(1-beta)))), inf where nothing is ever late."""
    n = P.workers
    late = P.clock.tau_max + beta * n / (1 - beta)
    return float(np.sqrt((1 - beta) / (factor * n * late)) / P.L) if late else float("inf")


# ------------------------------------------------------------------ bounds


def _bounded_gradient(P: Problem, m: Method, T: int, start: State) -> Terms:
    _spoken(T)
    g, n, beta, s2 = m.gamma_eff, P.workers, beta_of(m), P.sigma2_bound
    G2 = gradient_bound(P, m, T, start)
    late = 4 * P.L**2 * g**2 * (n**2 * G2 / (1 - beta) ** 2 + n * s2 / (1 - beta**2))
    return (Gap(4 / (g * (T - 1 + n)), start.x), 2 * P.L * g * s2 + late)


def _bounded_delay(P: Problem, m: Method, T: int, start: State) -> Terms:
    _spoken(T)
    g, n, s2 = m.gamma_eff, P.workers, P.sigma2_bound
    noise = 4 * P.L * g * s2 + 8 * g**2 * P.L**2 * n * s2 / (1 - beta_of(m) ** 2)
    return (Gap(8 / (g * (T - 1 + n)), start.x), noise)


def _adaptive_nonconvex(P: Problem, m: Method, T: int, start: State) -> Terms:
    _spoken(T)
    total = float(job_weights(P, m, T, adaptive=True).sum())
    return (Gap(8 / total, start.x), 6 * P.L * m.gamma_eff * P.sigma2_bound)


def _convex(P: Problem, m: Method, T: int, start: State) -> Terms:
    _spoken(T)
    g, n, s2 = m.gamma_eff, P.workers, P.sigma2_bound
    noise = g * s2 / 2 + 4 * g**2 * P.L * n * s2 / (1 - beta_of(m) ** 2)
    return (Square(1 / (2 * g * (T - 1 + n)), start.x - P.x_star), noise)


def _adaptive_convex(P: Problem, m: Method, T: int, start: State) -> Terms:
    _spoken(T)
    total = float(job_weights(P, m, T, adaptive=True).sum())
    return (Square(1 / (2 * total), start.x - P.x_star), m.gamma_eff * P.sigma2_bound)


def _delay_step(P: Problem, beta: float) -> float:
    return float(min(1 / (2 * P.L * P.workers), delay_limit(P, beta, 8)))


def _convex_step(P: Problem, beta: float) -> float:
    return float(min(1 / (4 * P.L), 1 / (2 * P.L * P.workers), delay_limit(P, beta, 16)))


def _constant(limit: Any) -> Any:
    """tune: OrMo with a fraction of the largest effective step."""

    def tune(P: Problem, beta: float = 0.5, fraction: float = 1.0) -> OrMo:
        return OrMo(gamma=(1 - beta) * fraction * limit(P, beta), beta=beta)

    return tune


def _adaptive(share: float) -> Any:
    """tune: OrMoDA with gamma_e = share (1 - beta)/(Ln)."""

    def tune(P: Problem, beta: float = 0.5, fraction: float = 1.0) -> OrMoDA:
        gamma = (1 - beta) ** 2 * fraction * share / (P.L * P.workers)
        return OrMoDA(gamma=gamma, beta=beta, cap=(1 - beta) / (4 * P.L))

    return tune


def _allowed(share: float) -> Any:
    def allows(P: Problem, m: Method) -> bool:
        room = 1 - beta_of(m)
        late = at_most(m.cap, room / (4 * P.L))
        return as_published(m) and late and at_most(m.gamma_eff, share * room / (P.L * P.workers))

    return allows


def as_published(m: Method) -> bool:
    """Ceil brackets and the ordered update."""
    return getattr(m, "bracket", "ceil") == "ceil" and getattr(m, "update", "ordered") == "ordered"


def noiseless(bound: Any) -> Any:
    """The twin whose bound has lost its noise terms."""
    return statement_with(
        "noise terms dropped", bound=lambda *a: tuple(t for t in bound(*a) if hasattr(t, "weight"))
    )


too_long = with_fields("gamma_e = 4/L", lambda P, m: {"gamma": 4 * (1 - beta_of(m)) / P.L})
ANY_ORDER = (smooth, one_function, all_busy, in_order)


def _squared(name: str, bound: Any) -> Any:
    """The twin with J^2 in place of J in the first term."""

    def edit(P: Problem, m: Method, T: int, start: State) -> Terms:
        first, *rest = bound(P, m, T, start)
        return (replace(first, weight=first.weight / (T - 1 + P.workers)), *rest)

    return statement_with(name, bound=edit)


NONCONVEX_BOUNDED_GRADIENT = Horizon(
    source=f"{PAPER}, theorem on constant steps (explicit form derived)",
    method=OrMo,
    assumes=(*ANY_ORDER, quadratic),
    allows=lambda P, m: as_published(m) and at_most(m.gamma_eff, 1 / (2 * P.L * P.workers)),
    measure=squared_gradient,
    over="mean",
    weights=over_jobs,
    includes_end=False,
    bound=_bounded_gradient,
    star=star,
    tune=_constant(lambda P, beta: (1 - beta) / (4 * P.L * P.workers)),
    twins=(noiseless(_bounded_gradient), _squared("J^2 for J", _bounded_gradient)),
    claim=r"\bar E\|\nabla f\|^2\le\frac{4\Delta}{\gamma_eJ}+2L\gamma_e\sigma^2"
    r"+4L^2\gamma_e^2\big[\frac{n^2G^2}{(1-\beta)^2}+\frac{n\sigma^2}{1-\beta^2}\big]",
)

NONCONVEX_BOUNDED_DELAY = Horizon(
    source=f"{PAPER}, constant steps under bounded delay (derived)",
    method=OrMo,
    assumes=ANY_ORDER,
    allows=lambda P, m: as_published(m) and at_most(m.gamma_eff, _delay_step(P, beta_of(m))),
    measure=squared_gradient,
    over="mean",
    weights=over_jobs,
    includes_end=False,
    bound=_bounded_delay,
    star=star,
    tune=_constant(_delay_step),
    twins=(too_long, noiseless(_bounded_delay)),
    claim=r"\bar E\|\nabla f\|^2\le\frac{8\Delta}{\gamma_eJ}+4L\gamma_e\sigma^2+\frac{8\gamma_e^2L^2n\sigma^2}{1-\beta^2}",
)

ADAPTIVE_NONCONVEX = Horizon(
    source=f"{PAPER}, theorem on OrMo-DA (explicit form derived)",
    method=OrMoDA,
    assumes=ANY_ORDER,
    allows=_allowed(0.25),
    measure=squared_gradient,
    over="mean",
    weights=over_steps,
    includes_end=False,
    bound=_adaptive_nonconvex,
    star=star,
    tune=_adaptive(0.25),
    twins=(too_long, noiseless(_adaptive_nonconvex)),
    claim=r"\frac{\sum_j\gamma_jE\|\nabla f\|^2}{\sum_j\gamma_j}\le\frac{8\Delta}{\sum_j\gamma_j}+6L\gamma_e\sigma^2",
)

CONVEX = Horizon(
    source=f"{PAPER}, convex f, constant steps under bounded delay (derived)",
    method=OrMo,
    assumes=(*ANY_ORDER, is_convex),
    allows=lambda P, m: as_published(m) and at_most(m.gamma_eff, _convex_step(P, beta_of(m))),
    measure=gap,
    over="mean",
    weights=over_jobs,
    includes_end=False,
    bound=_convex,
    star=star,
    tune=_constant(_convex_step),
    twins=(too_long, noiseless(_convex)),
    claim=r"\bar Ef-f^*\le\frac{R^2}{2\gamma_eJ}+\frac{\gamma_e\sigma^2}2+\frac{4\gamma_e^2Ln\sigma^2}{1-\beta^2}",
)

ADAPTIVE_CONVEX = Horizon(
    source=f"{PAPER}, convex f, OrMo-DA (derived)",
    method=OrMoDA,
    assumes=(*ANY_ORDER, is_convex),
    allows=_allowed(0.125),
    measure=gap,
    over="mean",
    weights=over_steps,
    includes_end=False,
    bound=_adaptive_convex,
    star=star,
    tune=_adaptive(0.125),
    twins=(too_long, noiseless(_adaptive_convex)),
    claim=r"\frac{\sum_j\gamma_j(Ef-f^*)}{\sum_j\gamma_j}\le\frac{R^2}{2\sum_j\gamma_j}+\gamma_e\sigma^2",
)
