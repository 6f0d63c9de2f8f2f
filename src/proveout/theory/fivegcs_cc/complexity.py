"""Rounds until E Psi <= eps: of 5GCS-CC, and of 5GCS-AB with one draw per round by importance.

*Importance.*  With q_i proportional to sqrt(n) + sqrt(L_i/mu) put D = n + sum_i sqrt(L_i/(n mu)).  Then
1/q_i <= D and sqrt(L_Fi/mu)/q_i <= D, so that with gamma mu = 1/(2 D), legal for n >= 3 as min_i q_i >= 1/D, and
gamma_i = q_i/(2 gamma) both decrements of the rate are at least 1/(1 + 2 D):

    1 + 1/(gamma mu) = 1 + 2 D,      1/q_i + 2 gamma L_Fi/q_i^2 <= D + D.

Uniform draws satisfy the same with D = n + sqrt(n L_max/mu).
"""

import math
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.samplings import Multi, importance
from proveout.methods.blocks.solvers import Exact
from proveout.methods.fivegcs_cc import FiveGCSAB, FiveGCSCC
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.fivegcs_cc.altered import no_damping, server_drops
from proveout.theory.fivegcs_cc.lyapunov import (
    SOURCE,
    allowed_ab,
    allowed_cc,
    duals_sum,
    each_L,
    psi_ab,
    psi_cc,
    rate_ab,
    star,
)
from proveout.theory.fivegcs_cc.rules import best_gamma, step_rule, tune_ab, tune_cc
from proveout.theory.statement import Complexity, Method, Problem, at_most, log_ratio
from proveout.theory.twins import field_times, statement_with, with_fields

__all__ = ["CC_ROUND_COMPLEXITY", "IMPORTANCE_COMPLEXITY", "importance_count", "round_count", "uniform_count"]

EACH = (each_smooth, each_strongly_convex)


# ------------------------------------------------------------------ compression


def round_count(n: int, kappa: float, cohort: int, omega: float, spread: bool = True) -> float:
    """max{1 + 16 Z/3, (n/C)(1 + omega) + 3 Z/8} rounds per log 1/eps, Z = sqrt((n/C) kappa (1 + omega)(1 + omega/C))."""
    Z = math.sqrt(n / cohort * kappa * (1 + omega) * (1 + omega / cohort if spread else 1))
    return max(1 + 16 / 3 * Z, n / cohort * (1 + omega) + 3 / 8 * Z)


def _rounds(P: Problem, m: Method, eps: float, start: Any, spread: bool = True) -> float:
    kappa = float(P.L_max) / float(m.mu)
    return round_count(P.n, kappa, m.cohort, m.omega, spread) * log_ratio(psi_cc(P, m, start), P, eps)


def _by_rule(P: Problem, m: Method) -> bool:
    gamma, dual = step_rule(P.n, float(P.L_max), float(m.mu), m.cohort, m.omega)
    return bool(np.allclose([m.gamma, m.gamma_dual], [gamma, dual], rtol=1e-9))


CC_ROUND_COMPLEXITY = Complexity(
    source=f"{SOURCE}, rounds of 5GCS-CC",
    method=FiveGCSCC,
    assumes=EACH,
    allows=lambda P, m: allowed_cc(P, m) and _by_rule(P, m),
    measure=psi_cc,
    count=_rounds,
    unit="rounds",
    star=star,
    domain=duals_sum,
    tune=tune_cc,
    claim=r"T\ge\max\{1+\tfrac{16}3Z,\ \tfrac nC(1+\omega)+\tfrac38Z\}\log\tfrac1\varepsilon,\ "
    r"Z=\sqrt{\tfrac nC\kappa(1+\omega)(1+\tfrac\omega C)}",
    twins=(
        statement_with(
            "Z without 1 + omega/C", count=lambda P, m, eps, start: _rounds(P, m, eps, start, spread=False)
        ),
        statement_with("a quarter of the rounds", count=lambda *args: _rounds(*args) / 4),
        field_times("gamma", 0.1),
        no_damping,
        server_drops,
    ),
)

# ------------------------------------------------------------------ sampling


def importance_count(L: Array, mu: float) -> float:
    """1 + 2 D, D = n + sum_i sqrt(L_i/(n mu)): rounds per log 1/eps with one draw by importance."""
    n = len(L)
    return 1 + 2 * (n + float(np.sqrt(np.asarray(L, float) / (n * mu)).sum()))


def uniform_count(L: Array, mu: float) -> float:
    """1 + 2 D, D = n + sqrt(n L_max/mu): rounds per log 1/eps with one uniform draw."""
    n = len(L)
    return 1 + 2 * (n + math.sqrt(n * float(np.max(L)) / mu))


def _important(P: Problem, m: Method) -> bool:
    """One draw by importance, exact solves, and steps at least as good as those of the proof."""
    if not (isinstance(m.sampling, Multi) and m.sampling.draws == 1 and isinstance(m.solver, Exact)):
        return False
    L = each_L(P)
    known = np.allclose(m.sampling.q(P.n), importance(L, float(m.mu)), rtol=1e-9)
    return bool(known) and P.n >= 3


def _draws(P: Problem, m: Method, eps: float, start: Any) -> float:
    return importance_count(each_L(P), float(m.mu)) * log_ratio(psi_ab(P, m, start), P, eps)


def tune_importance(P: Problem, **choices: Any) -> FiveGCSAB:
    return tune_ab(P, **{**choices, "sampling": "importance", "cohort": 1})


def uniform_draws(P: Problem, m: Method) -> dict[str, Any]:
    """The fields of uniform draws with their own best steps."""
    uniform = Multi(draws=m.sampling.draws)
    gamma = best_gamma(float(m.mu), each_L(P), uniform)
    return {"sampling": uniform, "gamma": gamma, "gamma_dual": float(1 / (2 * gamma * uniform.ab(P.n).c[0]))}


IMPORTANCE_COMPLEXITY = Complexity(
    source=f"{SOURCE}, importance sampling; constants derived",
    method=FiveGCSAB,
    assumes=EACH,
    allows=lambda P, m: (
        allowed_ab(P, m)
        and _important(P, m)
        and at_most(max(rate_ab(P, m)), 1 - 1 / importance_count(each_L(P), float(m.mu)))
    ),
    measure=psi_ab,
    count=_draws,
    unit="rounds",
    star=star,
    domain=duals_sum,
    tune=tune_importance,
    claim=r"q_i\propto\sqrt n+\sqrt{L_i/\mu},\ C=1:\ "
    r"T\ge\Big(1+2n+2\textstyle\sum_i\sqrt{L_i/(n\mu)}\Big)\log\tfrac1\varepsilon",
    twins=(
        with_fields("uniform draws", uniform_draws),
        statement_with("a quarter of the rounds", count=lambda *args: _draws(*args) / 4),
        field_times("gamma", 0.1),
        server_drops,
    ),
)
