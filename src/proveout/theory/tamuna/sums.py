"""Convex clients (mu = 0 allowed): sums of gaps and of disagreements along a run."""

from typing import Any

from proveout.arrays import mean_clients
from proveout.methods.tamuna import TamunaVirtual
from proveout.theory.assumptions import each_convex, each_smooth
from proveout.theory.statement import Cross, Gap, Horizon, Method, Number, Problem, Square, Terms
from proveout.theory.tamuna.altered import mean_over_cohort
from proveout.theory.tamuna.lyapunov import SOURCE, allowed, chi_max, psi, shifts_sum_to_zero, star, tune
from proveout.theory.twins import bound_times, rolled, statement_with, update_times, with_fields

__all__ = ["CONVEX_AVERAGE", "DISAGREEMENT_SUM"]


def _times_start(P: Problem, m: Method, factor: Number, start: Any) -> Terms:
    """factor Psi(start), as terms."""
    return tuple(Square(factor * t.weight, t.vector, t.core) for t in psi(P, m, start))


def bregman(P: Problem, m: Method, state: Any) -> Terms:
    """sum_i D_i(x_i), D_i(x) = f_i(x) - f_i(x*) - <h*_i, x - x*> >= 0."""
    return Gap(1, state.x, core=2), Cross(-1, P.h_star, state.x - P.x_star, core=2)


CONVEX_AVERAGE = Horizon(  # D_i is convex: the bound holds for sum_i D_i(mean_t x_i) all the more
    source=f"{SOURCE}, convex case",
    method=TamunaVirtual,
    assumes=(each_smooth, each_convex),
    allows=allowed,
    measure=bregman,
    over="mean",
    includes_end=True,
    bound=lambda P, m, T, start: _times_start(P, m, 1 / (2 - m.gamma * P.L_max) / (T + 1), start),
    star=star,
    domain=shifts_sum_to_zero,
    tune=tune,
    claim=r"\tfrac1{T+1}\textstyle\sum_{t\le T}\sum_i E D_i(x_i^t) \le \Psi^0/((2-\gamma L)(T+1))",
    twins=(
        with_fields("gamma = 2.5/L", lambda P, m: {"gamma": 2.5 / P.L_max}),
        statement_with(
            "1/(T+1)^2",
            bound=lambda P, m, T, s: _times_start(P, m, 1 / (2 - m.gamma * P.L_max) / (T + 1) ** 2, s),
        ),
        update_times("h", 0),
        bound_times(0.25),
    ),
)


def disagreement(P: Problem, m: Method, state: Any) -> Terms:
    """V = sum_i |x_hat_i - mean x_hat|^2 after the local step."""
    x_hat = state.x - m.gamma * (P.grads(state.x) - state.h)
    return (Square(1, x_hat - mean_clients(x_hat), core=2),)


def _per_step(P: Problem, m: Method, n: int, T: int) -> Number:
    """gamma / (p (chi_max - chi)) / (T + 1), with chi_max = n (s-1) / (s (n-1))."""
    room = (n * (m.s - 1) - m.chi * m.s * (n - 1)) / (m.s * (n - 1))
    return m.gamma / (m.p * room) / (T + 1)


DISAGREEMENT_SUM = Horizon(
    source=f"{SOURCE}, convex case, from the exact identity",
    method=TamunaVirtual,
    assumes=(each_smooth, each_convex),
    allows=lambda P, m: allowed(P, m) and m.chi < chi_max(P.n, m.s),
    measure=disagreement,
    over="mean",
    includes_end=True,
    bound=lambda P, m, T, start: _times_start(P, m, _per_step(P, m, P.n, T), start),
    star=star,
    domain=shifts_sum_to_zero,
    tune=lambda P, **choices: tune(P, **{"chi_share": 0.5, **choices}),
    claim=r"\textstyle\sum_{t\le T} E V^t \le \gamma\Psi^0/(p(\chi_{\max}-\chi))",
    twins=(
        statement_with(
            "chi_max with the cohort's size for n",
            bound=lambda P, m, T, s: _times_start(P, m, _per_step(P, m, m.cohort, T), s),
        ),
        statement_with(
            "1/(T+1)^2", bound=lambda P, m, T, s: _times_start(P, m, _per_step(P, m, P.n, T) / (T + 1), s)
        ),
        update_times("h", 0),
        rolled("h"),
        mean_over_cohort,
        bound_times(0.5),
    ),
)
