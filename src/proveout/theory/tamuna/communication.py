"""What the rate costs in rounds and in reals sent."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from proveout.methods.blocks.masks import uplink
from proveout.methods.tamuna import TamunaVirtual
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.statement import Complexity, Method, Number, Problem, evaluate
from proveout.theory.tamuna.altered import mean_over_cohort
from proveout.theory.tamuna.lyapunov import (
    SOURCE,
    allowed,
    psi,
    rate,
    shifts_sum_to_zero,
    star,
    tune,
    worst,
)
from proveout.theory.twins import rolled, statement_with, update_times

__all__ = [
    "ROUND_COMPLEXITY",
    "UPLINK_COMPLEXITY",
    "iterations",
]


def iterations(r: Number, P: Problem, m: Method, eps: float, start: Any) -> float:
    """log(Psi(start)/eps) / (-log r): after so many iterations the bound r^t Psi(start) is eps."""
    ratio = float(np.max(evaluate(psi(P, m, start), P))) / eps
    if ratio <= 1:
        return 0.0
    return math.log(ratio) / -math.log(r) if r > 0 else 1.0


def _rounds(P: Problem, m: Method, eps: float, start: Any) -> float:
    return float(m.p * iterations(worst(P, m), P, m, eps, start))


def _reals(P: Problem, m: Method, eps: float, start: Any) -> float:
    return uplink(P.d, m.cohort, m.s) * _rounds(P, m, eps, start)


def _rounds_with_p(P: Problem, m: Method, eps: float, start: Any) -> float:
    """p for p^2 in the rate."""
    r = max(*rate(P, m)[:2], 1 - m.p * m.chi * (m.s - 1) / (P.n - 1))
    return float(m.p * iterations(r, P, m, eps, start))


def _reals_with_p(P: Problem, m: Method, eps: float, start: Any) -> float:
    return uplink(P.d, m.cohort, m.s) * _rounds_with_p(P, m, eps, start)


ROUND_COMPLEXITY = Complexity(  # at p = min{1, sqrt(n/(s kappa))}: O(sqrt(n kappa/s) + n/s) log 1/eps
    source=f"{SOURCE}, complexity",
    method=TamunaVirtual,
    assumes=(each_smooth, each_strongly_convex),
    allows=allowed,
    measure=psi,
    count=_rounds,
    unit="rounds",
    star=star,
    domain=shifts_sum_to_zero,
    tune=tune,
    claim=r"E\Psi \le \varepsilon \text{ after } p\log(\Psi^0/\varepsilon)/(-\log r) \text{ rounds}",
    twins=(
        statement_with("p for p^2 in the rate", count=_rounds_with_p),
        statement_with("1/p of the rounds", count=lambda *args: args[1].p * _rounds(*args)),
        update_times("h", 0),
        mean_over_cohort,
        rolled("h"),
    ),
)

UPLINK_COMPLEXITY = replace(
    ROUND_COMPLEXITY,
    count=_reals,
    unit="up",
    claim=r"E\Psi \le \varepsilon \text{ after } \lceil sd/c\rceil\,p\log(\Psi^0/\varepsilon)/(-\log r) \text{ reals sent}",
    twins=(
        statement_with("one real per round for ceil(s d/c)", count=_rounds),
        statement_with("p for p^2 in the rate", count=_reals_with_p),
        update_times("h", 0),
    ),
)
