"""Linear convergence with one local step, and the rounds that it costs."""

from proveout.methods.scaffold import Scaffold, State
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.scaffold.altered import no_mean, sign_of_h
from proveout.theory.scaffold.lyapunov import SOURCE, psi, server_has_the_mean, star, tune
from proveout.theory.statement import Complexity, Method, OneStep, Problem, at_most, log_ratio
from proveout.theory.twins import (
    branch_dropped,
    rate_gap,
    rolled,
    statement_with,
    update_times,
    weight_times,
    with_fields,
)

__all__ = ["ONE_STEP_CONVERGENCE", "ROUND_COMPLEXITY"]

ONE_STEP_CONVERGENCE = OneStep(
    source=f"{SOURCE} at one local step, which is minibatch SAGA; derived",
    method=Scaffold,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: m.local_steps == 1 and at_most(m.gamma * m.gamma_server * 6 * P.L_max, 1),
    lyapunov=psi,
    star=star,
    domain=server_has_the_mean,
    rate=lambda P, m: (1 - m.gamma * m.gamma_server * P.mu_min, 1 - 1 / 2 * (m.cohort / P.n)),
    tune=tune,
    claim=r"K = 1:\quad E\Psi^{+}\le\max\{1-\gamma\mu,\,1-\tfrac C{2n}\}\,\Psi,\quad"
    r"\Psi = \|x-x^\star\|^2+\tfrac{4\gamma^2}C\sum_i\|h_i-\nabla f_i(x^\star)\|^2",
    twins=(
        with_fields("gamma x 3", lambda P, m: {"gamma": 3 * m.gamma}),
        update_times("h", 0),
        update_times("h", 2),
        update_times("x", 0.5),
        rolled("h"),
        no_mean,
        weight_times(1, 4),
        rate_gap(2),
        *(branch_dropped(k) for k in range(2)),
    ),
)


def _rounds(P: Problem, m: Method, eps: float, start: State) -> float:
    """max{1/(gamma_e mu), 2n/C} log(Psi_0/eps)."""
    longest = max(1 / (m.gamma * m.gamma_server * P.mu_min), 2 * P.n / m.cohort)
    return float(longest) * log_ratio(psi(P, m, start), P, eps)


ROUND_COMPLEXITY = Complexity(
    source=ONE_STEP_CONVERGENCE.source,
    method=Scaffold,
    assumes=(each_smooth, each_strongly_convex),
    allows=ONE_STEP_CONVERGENCE.allows,
    measure=psi,
    count=_rounds,
    unit="rounds",
    star=star,
    domain=server_has_the_mean,
    tune=tune,
    claim=r"K = 1:\ E\Psi\le\varepsilon \text{ after } \max\{\tfrac1{\gamma\mu},\tfrac{2n}C\}"
    r"\log\tfrac{\Psi^0}\varepsilon \text{ rounds: } O((\kappa+\tfrac nC)\log\tfrac1\varepsilon)",
    twins=(
        statement_with("a third of the rounds", count=lambda *args: _rounds(*args) / 3),
        update_times("h", 0),
        rolled("h"),
        no_mean,
        sign_of_h,
    ),
)
