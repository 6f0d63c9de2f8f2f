"""Fixed speeds and own data: ASGD solves another problem.

With service times s_k and small steps the mean dynamics rest at the minimiser x_b of sum_k rho_k f_k,
rho_k = (1/s_k)/sum_l 1/s_l, not at that of (1/n) sum_k f_k.  On quadratics, once the transient is over, the
model stays near x_b:  |x_T - x*| >= |x_b - x*|/2  for 1/(80 mu_min) <= gamma <= 1/(16 n L_max), T = 400 (derived; the
factor leaves room for the ripple within a period, of order gamma n L_max).
"""

from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.asgd import ASGD
from proveout.problems.delays import Queues, Simulated
from proveout.theory.assumptions import each_smooth, each_strongly_convex, quadratic
from proveout.theory.statement import (
    Assumption,
    Failure,
    Method,
    Problem,
    Square,
    State,
    Terms,
    Twin,
    at_most,
)

__all__ = ["UNEQUAL_SPEEDS_BIAS", "biased_optimum"]

STEPS = 400

own_data = Assumption("worker k asks f_k alone", lambda P: P.data == "own")
fixed_speeds = Assumption("fixed speeds", lambda P: P.clock.durations == "fixed" and P.clock.busy)


def biased_optimum(P: Problem) -> Array:
    """The minimiser of sum_k rho_k f_k for quadratic f_k: (d,)."""
    H = np.tensordot(P.clock.shares, P.hessians, 1)
    pull = np.tensordot(P.clock.shares, P.grads(np.zeros((P.n, P.d))), 1)
    return np.linalg.solve(H, -pull)


def _distance(P: Problem, m: Method, s: State) -> Terms:
    return (Square(1, s.x - P.x_star),)


def _floor(P: Problem, m: Method, T: int, start: State) -> float:
    return float(np.sum((biased_optimum(P) - P.x_star) ** 2) / 4)


def _allowed(P: Problem, m: Method) -> bool:
    """Small constant steps, and enough of them to forget the start."""
    small = at_most(m.gamma, 1 / (16 * P.n * P.L_max))
    return bool(m.rule == "constant" and small and STEPS * m.gamma * P.mu_min >= 5)


def _on_clock(name: str, clock: Any) -> Twin:
    """The same claim where it is false: another clock, the floor as it was."""

    def edit(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
        floor = _floor(P, m, 0, m.init(P, np.zeros(P.d)))
        return replace(statement, assumes=(), floor=lambda *_: floor), replace(P, clock=clock(P)), m

    return Twin(name, edit)


UNEQUAL_SPEEDS_BIAS = Failure(
    source="Mishchenko et al. 2022; Islamov et al. (AsGrad, arXiv:2310.20452); explicit form derived",
    method=ASGD,
    assumes=(quadratic, own_data, fixed_speeds, each_smooth, each_strongly_convex),
    allows=_allowed,
    measure=_distance,
    floor=_floor,
    steps=STEPS,
    tune=lambda P: ASGD(gamma=1 / (16 * P.n * P.L_max)),
    twins=(
        _on_clock("equal speeds", lambda P: Simulated((1.0,) * P.n)),
        _on_clock("uniform clients with queues", lambda P: Queues(P.n, P.clock.speeds)),
    ),
    claim=r"\|x_T-x^\star\|\ge\tfrac12\|x_b-x^\star\|,\quad x_b=\arg\min\sum_k\rho_kf_k",
)
