"""One round of 5GCS: the published rate, a sharper one, the exact prox, no local work at all."""

import math
from typing import Any

from proveout.methods.blocks.solvers import GD, Exact
from proveout.methods.fivegcs import FiveGCS, State
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.fivegcs.altered import built_from_x, change_not_scaled, dual_at_x_hat, no_local_work
from proveout.theory.fivegcs.lyapunov import (
    SOURCE,
    allowed,
    dual_rate,
    duals_sum,
    fits,
    needed,
    psi,
    rate,
    smoothness,
    star,
    steps_fit,
    tune,
    weighted,
)
from proveout.theory.statement import Method, Number, OneStep, Problem, Terms, at_most
from proveout.theory.twins import (
    branch_dropped,
    field_times,
    rate_gap,
    rate_is,
    rolled,
    update_times,
    weight_times,
    with_fields,
)

__all__ = ["EXACT_PROX_RATE", "LINEAR_CONVERGENCE", "SAGA_LIKE_RATE", "SHARP_RATE", "tune_saga"]

EACH = (each_smooth, each_strongly_convex)


def primal(m: Method, factor: Number = 2) -> Number:
    """1 - factor gamma mu / (1 + factor gamma mu)."""
    return 1 / (1 + factor * m.gamma * m.mu)


LINEAR_CONVERGENCE = OneStep(
    source=f"{SOURCE}, main theorem",
    method=FiveGCS,
    assumes=EACH,
    allows=allowed,
    lyapunov=psi,
    star=star,
    domain=duals_sum,
    rate=rate,
    tune=tune,
    claim=r"E\Psi^{+} \le \Bigl(1-\min\bigl\{\tfrac{\gamma\mu}{1+\gamma\mu},"
    r"\tfrac{C}{n}\tfrac{\gamma_d}{L_F+\gamma_d}\bigr\}\Bigr)\Psi",
    twins=(
        field_times("gamma", 4),
        field_times("gamma", 16),
        no_local_work,
        built_from_x,
        change_not_scaled,
        rolled("h"),
        update_times("h", 0),
        rate_gap(4),
    ),
)

SHARP_RATE = OneStep(  # 2/3 in place of 1/6 in the local-solver condition
    source=f"{SOURCE}, main theorem; derived",
    method=FiveGCS,
    assumes=EACH,
    allows=lambda P, m: fits(P, m) and steps_fit(P, m) and at_most(3 * needed(P, m), 2),
    lyapunov=psi,
    star=star,
    domain=duals_sum,
    rate=lambda P, m: (primal(m), dual_rate(P, m)),
    tune=lambda P, **choices: tune(P, **choices, limit=2 / 3),
    claim=r"\text{local-solver condition with } \tfrac23:\quad E\Psi^{+} \le \Bigl(1-\min\bigl\{"
    r"\tfrac{2\gamma\mu}{1+2\gamma\mu},\tfrac{C}{n}\tfrac{\gamma_d}{L_F+\gamma_d}\bigr\}\Bigr)\Psi",
    twins=(
        rate_is("3 gamma mu/(1 + 3 gamma mu)", lambda P, m: (primal(m, 3), dual_rate(P, m))),
        with_fields("gamma gamma_dual n = 4", lambda P, m: {"gamma": 4 / (P.n * m.gamma_dual)}),
        branch_dropped(0),
        change_not_scaled,
        built_from_x,
        update_times("h", 0.25),
        weight_times(1, 0.25),
    ),
)

# ------------------------------------------------------------------ the two ends


def psi_exact(P: Problem, m: Method, state: State) -> Terms:
    """The dual weight is (n/C) (1/gamma_dual + 2/L_F)."""
    return weighted(P, m, state, 1 / m.gamma_dual + 2 / smoothness(P, m))


def tune_exact(P: Problem, cohort: int | None = None, product: float = 1.0, mu_share: float = 1.0) -> FiveGCS:
    """The exact prox, gamma_dual by the rule, gamma gamma_dual n = product."""
    m = tune(P, cohort=cohort, local_steps=math.inf, mu_share=mu_share)
    return FiveGCS(
        gamma=product / (m.gamma_dual * P.n),
        gamma_dual=m.gamma_dual,
        mu=m.mu,
        cohort=m.cohort,
        solver=m.solver,
    )


EXACT_PROX_RATE = OneStep(
    source=f"{SOURCE}, exact prox; derived",
    method=FiveGCS,
    assumes=EACH,
    allows=lambda P, m: (
        fits(P, m) and isinstance(m.solver, Exact) and at_most(m.gamma * m.gamma_dual * P.n, 1)
    ),
    lyapunov=psi_exact,
    star=star,
    domain=duals_sum,
    rate=lambda P, m: (primal(m), dual_rate(P, m, 2)),
    tune=tune_exact,
    claim=r"K=\infty,\ \gamma\gamma_d n\le1:\quad E\Psi^{+} \le \Bigl(1-\min\bigl\{"
    r"\tfrac{2\gamma\mu}{1+2\gamma\mu},\tfrac{C}{n}\tfrac{2\gamma_d}{L_F+2\gamma_d}\bigr\}\Bigr)\Psi",
    twins=(
        with_fields("gamma gamma_dual n = 2", lambda P, m: {"gamma": 2 / (P.n * m.gamma_dual)}),
        rate_is("3 gamma mu/(1 + 3 gamma mu)", lambda P, m: (primal(m, 3), dual_rate(P, m, 2))),
        branch_dropped(1),
        change_not_scaled,
        built_from_x,
        dual_at_x_hat,
    ),
)


def psi_saga(P: Problem, m: Method, state: State) -> Terms:
    """The dual weight is (n/C) 4 gamma n."""
    return weighted(P, m, state, 4 * m.gamma * P.n)


def tune_saga(P: Problem, cohort: int | None = None, gamma_L: float = 1 / 3) -> FiveGCS:
    """No local step, gamma = gamma_L/(L - mu); gamma_dual plays no role."""
    m = tune(P, cohort=cohort, local_steps=0)
    return FiveGCS(
        gamma=gamma_L / (P.L_max - m.mu), gamma_dual=m.gamma_dual, mu=m.mu, cohort=m.cohort, solver=m.solver
    )


def without_work(m: Any) -> bool:
    return isinstance(m.solver, GD) and m.solver.steps == 0


SAGA_LIKE_RATE = OneStep(
    source=f"{SOURCE}, no local steps; derived",
    method=FiveGCS,
    assumes=EACH,
    allows=lambda P, m: fits(P, m) and without_work(m) and at_most(3 * m.gamma * (P.L_max - m.mu), 1),
    lyapunov=psi_saga,
    star=star,
    domain=duals_sum,
    rate=lambda P, m: (primal(m), 1 - m.cohort / (2 * P.n)),
    tune=tune_saga,
    claim=r"K=0,\ \gamma\le\tfrac1{3(L-\mu)}:\quad E\Psi^{+} \le \Bigl(1-\min\bigl\{"
    r"\tfrac{2\gamma\mu}{1+2\gamma\mu},\tfrac{C}{2n}\bigr\}\Bigr)\Psi",
    twins=(
        with_fields("gamma = 1/(L - mu)", lambda P, m: {"gamma": 1 / (P.L_max - m.mu)}),
        rate_is("C/n for C/(2n)", lambda P, m: (primal(m), 1 - m.cohort / P.n)),
        branch_dropped(1),
        change_not_scaled,
        built_from_x,
        update_times("h", 0.25),
    ),
)
