"""Rounds: the rule for the steps, how many rounds it costs, what the cohort and the local work do to them."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.methods.blocks.solvers import GD
from proveout.methods.fivegcs import FiveGCS, State
from proveout.theory.assumptions import each_smooth, each_strongly_convex, quadratic
from proveout.theory.decay import first_below, worst_shares
from proveout.theory.fivegcs.altered import built_from_x, change_not_scaled
from proveout.theory.fivegcs.lyapunov import (
    SOURCE,
    allowed,
    dual_step,
    duals_sum,
    kappa,
    primal_step,
    psi,
    rate,
    star,
    tune,
)
from proveout.theory.fivegcs.rates import tune_saga
from proveout.theory.statement import Complexity, Failure, Implication, Method, Problem, evaluate, log_ratio
from proveout.theory.twins import field_times, statement_with, update_times, with_fields

__all__ = [
    "ACCELERATED_STEPS_NEED_LOCAL_WORK",
    "ROUNDS_FOLLOW_COHORT",
    "ROUND_COMPLEXITY",
    "STEP_RULE",
    "shares",
]

EACH = (each_smooth, each_strongly_convex)

# ------------------------------------------------------------------ the rule


@dataclass(frozen=True)
class _ByTheRule:
    """The given class: who follows the rule, with L, mu, n, C of the problem."""

    def least(self, P: Problem, m: Method) -> tuple[float, ...]:
        return float(P.L_max), float(m.mu), P.n, m.cohort


@dataclass(frozen=True)
class _Conditions:
    """The conditions of the theorem on gamma and gamma_dual, each as a share that may not exceed 1."""

    product: bool = True  # is gamma gamma_dual n = 1/2 claimed, too?

    def least(self, P: Problem, m: Method) -> dict[str, float]:
        small = float(m.mu) / (3 * P.n * m.gamma_dual)
        product = m.gamma * m.gamma_dual * P.n
        return {
            "8 mu/(3n) over gamma_dual": 8 * small,
            "gamma n gamma_dual + 4 mu/(3n gamma_dual)": 4 * small + product,
            "2 gamma gamma_dual n": 2 * product,
            "1/(2 gamma gamma_dual n)": 1 / (2 * product),
        }

    def figure(self, P: Problem, m: Method, constants: Any) -> float:
        return max(self.least(P, m).values())


STEP_RULE = Implication(
    source=f"{SOURCE}, corollary on the step sizes",
    method=FiveGCS,
    assumes=EACH,
    given=_ByTheRule(),
    then=_Conditions(),
    constants=lambda a: a,
    tune=tune,
    claim=r"\gamma=\tfrac3{16}\sqrt{\tfrac{C}{L\mu n}},\ \gamma_d=\tfrac83\sqrt{\tfrac{L\mu}{nC}}:\quad"
    r"\gamma\gamma_d n=\tfrac12,\ \gamma_d\ge\tfrac{8\mu}{3n},\ \tfrac1{\gamma_d}-\gamma n\ge\tfrac{4\mu}{3n\gamma_d^2}",
    twins=(
        with_fields("1/n missing in F_i: gamma_dual n", lambda P, m: {"gamma_dual": P.n * m.gamma_dual}),
        with_fields("1/n missing in F_i: gamma/n", lambda P, m: {"gamma": m.gamma / P.n}),
        with_fields(
            "n/C upside down",
            lambda P, m: {"gamma_dual": m.gamma_dual * m.cohort / P.n, "gamma": m.gamma * P.n / m.cohort},
        ),
    ),
)

# ------------------------------------------------------------------ rounds


def _rounds(P: Problem, m: Method, eps: float, start: State, upside_down: bool = False) -> float:
    """max{1 + 16 Z/3, n/C + 3 Z/8} log(Psi(start)/eps), Z = sqrt(n kappa/C)."""
    share = m.cohort / P.n if upside_down else P.n / m.cohort
    Z = math.sqrt(share * kappa(P, m))
    return float(max(1 + 16 * Z / 3, P.n / m.cohort + 3 * Z / 8)) * log_ratio(psi(P, m, start), P, eps)


ROUND_COMPLEXITY = Complexity(
    source=f"{SOURCE}, corollary on the rounds",
    method=FiveGCS,
    assumes=EACH,
    allows=lambda P, m: allowed(P, m) and _by_rule(P, m),
    measure=psi,
    count=_rounds,
    unit="rounds",
    star=star,
    domain=duals_sum,
    tune=tune,
    claim=r"E\Psi\le\varepsilon \text{ after } \max\{1+\tfrac{16}3Z,\ \tfrac nC+\tfrac38Z\}\log(\Psi^0/\varepsilon)"
    r"\text{ rounds},\ Z=\sqrt{n\kappa/C}",
    twins=(
        statement_with(
            "Z = sqrt(C kappa/n)", count=lambda P, m, eps, start: _rounds(P, m, eps, start, upside_down=True)
        ),
        statement_with(
            "without the constant 16/3", count=lambda P, m, eps, start: 3 / 16 * _rounds(P, m, eps, start)
        ),
        with_fields("no local steps", lambda P, m: {"solver": GD(steps=0)}),
        field_times("gamma", 1 / 16),
        built_from_x,
    ),
)


def _by_rule(P: Problem, m: Any) -> bool:
    rule = primal_step(P.n, m.cohort, P.L_max, m.mu), dual_step(P.n, m.cohort, P.L_max, m.mu)
    return bool(np.allclose(rule, (m.gamma, m.gamma_dual), rtol=1e-12, atol=0))


LONGEST = 2**14  # rounds that are counted, at most


@lru_cache(maxsize=32)
def shares(P: Problem, m: FiveGCS) -> Array:
    """sup over all admissible states of E Psi_t / Psi_0, for t = 0, 1, .. (`decay`): (T+1,)."""
    n, d, at = P.n, P.d, star(P, m)
    weights = np.array([t.weight for t in psi(P, m, at)])
    lengths = np.repeat(1 / np.sqrt(weights), (1, n))[:, None]  # coordinates in which Psi = |y|^2
    y = lengths * np.eye((n + 1) * d).reshape(-1, n + 1, d)
    states = duals_sum(P, m, State(x=at.x + y[:, 0], h=at.h + y[:, 1:], h_sum=at.h_sum))
    prob, draw = m.law(P).atoms()
    new = m.step(P, tree_map(lambda a: a[:, None], states), draw)
    moved = np.concatenate([(new.x - at.x)[..., None, :], new.h - at.h], axis=-2) / lengths
    maps = np.sqrt(prob)[:, None, None] * moved.reshape(len(y), len(prob), -1).transpose(1, 2, 0)
    return worst_shares(maps, LONGEST)


def _rounds_of_all(P: Problem, m: Method, eps: float, start: State, power: float = 0.5) -> float:
    """(n/C)^power times the rounds of full participation until E Psi is eps, from its worst start."""
    share = eps / float(np.max(evaluate(psi(P, m, start), P)))
    return float((P.n / m.cohort) ** power * first_below(shares(P, tune(P)), share, LONGEST))


def _primal_decides(P: Problem, m: Method) -> bool:
    """Is the model's branch of the rate the larger one?"""
    x, h = rate(P, m)
    return bool(x >= h)


ROUNDS_FOLLOW_COHORT = Complexity(
    source=f"{SOURCE}, experiments; measured",
    method=FiveGCS,
    assumes=(*EACH, quadratic),
    allows=lambda P, m: allowed(P, m) and _by_rule(P, m) and _primal_decides(P, m),
    measure=psi,
    count=_rounds_of_all,
    unit="rounds",
    star=star,
    domain=duals_sum,
    tune=tune,
    claim=r"\text{a cohort of } C \text{ needs } \sqrt{n/C} \text{ times the rounds of full participation}",
    twins=(
        statement_with(
            "rounds independent of C",
            count=lambda P, m, eps, start: _rounds_of_all(P, m, eps, start, power=0.0),
        ),
        statement_with(
            "(n/C)^(1/3)", count=lambda P, m, eps, start: _rounds_of_all(P, m, eps, start, power=1 / 3)
        ),
        field_times("gamma", 0.9),
        change_not_scaled,
        update_times("h", 0.01),
    ),
)

# ------------------------------------------------------------------ no acceleration without local work

GROWTH = 2.0  # of Psi per round, at least


def tune_without_work(P: Problem, cohort: int | None = None, local_steps: int = 0) -> FiveGCS:
    return tune(P, cohort=cohort, local_steps=local_steps)


ACCELERATED_STEPS_NEED_LOCAL_WORK = Failure(
    source=f"{SOURCE}, experiments; derived",
    method=FiveGCS,
    assumes=(*EACH, quadratic),
    allows=lambda P, m: (
        _by_rule(P, m)
        and kappa(P, m) >= 1000 * (1 - 1e-9)
        and isinstance(m.solver, GD)
        and (m.solver.steps == 0 or m.solver.steps == 1 and m.cohort == P.n)
    ),
    measure=psi,
    floor=lambda P, m, T, start: GROWTH**T * float(np.max(evaluate(psi(P, m, start), P))),
    steps=100,
    tune=tune_without_work,
    claim=r"K=0\ (K=1 \text{ at } C=n),\ \kappa\ge1000:\quad E\Psi^{100}\ge2^{100}\,\Psi^0",
    twins=(
        with_fields("K by the rule", lambda P, m: {"solver": tune(P, cohort=m.cohort).solver}),
        with_fields("the step without local work", lambda P, m: {"gamma": tune_saga(P).gamma}),
        with_fields("two local steps", lambda P, m: {"solver": GD(steps=2)}),
    ),
)
