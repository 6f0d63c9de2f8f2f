"""Without the damping 1/(1 + omega) the duals of 5GCS-CC do not converge once omega >= 1.

In a direction in which every f_i has curvature mu, F_i is flat: grad F_i(y) = h*_i there, whatever y.  So a client
of the cohort moves its dual by a Q(h*_i - h_i), a = 1 without damping, and in this direction

    E |h_i' - h*_i|^2 = (1 + (C/n)((1 - a)^2 + a^2 omega - 1)) |h_i - h*_i|^2,

for compressors of variance exactly omega on each coordinate.  With a = 1 the factor is 1 + (C/n)(omega - 1) >= 1;
with a = 1/(1 + omega) it is 1 - C/(n (1 + omega)), what the theorem has for L_F = 0.
"""

from typing import Any

import numpy as np

from proveout.methods.blocks.compressors import Identity, Lazy, RandK
from proveout.methods.fivegcs_cc import FiveGCSCC
from proveout.theory.fivegcs_cc.lyapunov import SOURCE, dual_star
from proveout.theory.fivegcs_cc.rules import tune_cc
from proveout.theory.statement import Assumption, Failure, Method, Problem, Square, Terms
from proveout.theory.twins import statement_with, with_fields

__all__ = ["DAMPING_IS_NEEDED", "flat_first"]


def _flat_first(P: Problem) -> bool:
    """Is the first coordinate a mode of curvature mu_min for every client?"""
    row = np.zeros(P.d)
    row[0] = P.mu_min
    return P.is_quadratic and bool(np.abs(P.A[:, 0, :] - row).max() <= 1e-12 * P.L_max)


def dual_error(P: Problem, m: Method, state: Any) -> Terms:
    return (Square(1, state.h - dual_star(P, m), core=2),)


def flat_part(P: Problem, m: Method, T: int, start: Any, damping: float = 1.0) -> Any:
    """The error of the duals in the flat coordinate after T rounds, exactly: a part of all of it."""
    factor = (1 - damping) ** 2 + damping**2 * m.compressor.omega(P.d)
    grown = (1 + m.cohort / P.n * (factor - 1)) ** T
    return grown * np.sum((start.h - dual_star(P, m))[..., 0] ** 2, axis=-1)


def tune_undamped(P: Problem, **choices: Any) -> FiveGCSCC:
    """The paper's steps for this omega, without its damping."""
    m = tune_cc(P, **choices)
    return FiveGCSCC(
        gamma=m.gamma,
        gamma_dual=m.gamma_dual,
        mu=m.mu,
        cohort=m.cohort,
        omega=0.0,
        compressor=m.compressor,
        solver=m.solver,
    )


flat_first = Assumption("the first coordinate is a mode of curvature mu_min for every client", _flat_first)

DAMPING_IS_NEEDED = Failure(
    source=f"{SOURCE}; derived",
    method=FiveGCSCC,
    assumes=(flat_first,),
    allows=lambda P, m: (
        m.omega == 0
        and m.mu == P.mu_min
        and isinstance(m.compressor, (Lazy, RandK))
        and m.compressor.omega(P.d) >= 1
    ),
    measure=dual_error,
    floor=flat_part,
    steps=100,
    tune=tune_undamped,
    claim=r"h_i^{+}=h_i+q_i,\ \omega\ge1:\ E\textstyle\sum_i\|h_i^T-h_i^\star\|^2 \ge"
    r" \big(1+\tfrac Cn(\omega-1)\big)^T\,\|\text{flat part of } h^0-h^\star\|^2",
    twins=(
        with_fields("with 1/(1 + omega)", lambda P, m: {"omega": m.compressor.omega(P.d)}),
        with_fields("nothing is compressed", lambda P, m: {"compressor": Identity()}),
        with_fields("half the damping", lambda P, m: {"omega": m.compressor.omega(P.d) / 2}),
        statement_with(
            "growth of all clients at once",
            floor=lambda P, m, T, start: flat_part(P, m, T, start) * 1.05**T,
        ),
    ),
)
