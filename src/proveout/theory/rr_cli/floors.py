"""The order of the floor: half the steps leave a quarter of the stationary error (or less), if every client takes
part once per meta-epoch; with fresh cohorts in every round they leave half of it (`fedavg.floor_is_linear`).

The bound is read off the instance: the exact stationary error at twice the steps, over 4, and a transient.
"""

from dataclasses import replace
from typing import Any

from proveout.methods.rr_cli import RRCLI, State
from proveout.theory.assumptions import quadratic
from proveout.theory.fedavg.sampling import distance, each_part_smooth, star
from proveout.theory.fedavg.stationary import halving_bound
from proveout.theory.rr_cli.altered import fresh_cohorts, mid_epoch, undivided_rounds
from proveout.theory.rr_cli.descent import SOURCE, basic, decay, each_part_strongly_convex, is_basic
from proveout.theory.statement import Horizon, Method, Problem, Square, Terms, at_most
from proveout.theory.twins import bound_times, statement_with, unwrap

__all__ = ["FLOOR_ORDER", "doubled", "half_the_floor"]


def doubled(m: Method) -> RRCLI:
    twice: RRCLI = replace(
        unwrap(m), gamma=2 * m.gamma, gamma_server=2 * m.gamma_server, gamma_global=2 * m.gamma_global
    )
    return twice


def half_the_floor(slope: float) -> Any:
    """E|x_T - x*|^2 is at most the stationary error of twice the steps, over 2^slope, and a transient."""

    def bound(P: Problem, m: Method, T: int, start: State) -> Terms:
        away, constant = halving_bound(P, unwrap(m), doubled(m), slope, decay(P, m) ** 2, start, T)
        return Square(away, start.x - P.x_star), constant

    return bound


FLOOR_ORDER = Horizon(
    source=SOURCE + "; measured",
    method=RRCLI,
    assumes=(each_part_smooth, each_part_strongly_convex, quadratic),
    allows=lambda P, m: is_basic(P, m) and at_most(2 * m.gamma * P.L_parts, 1),
    measure=distance,
    bound=half_the_floor(2.0),
    star=star,
    tune=basic,
    claim=r"\lim E\|x_T-x^\star\|^2 \text{ at } \gamma \le \tfrac14 \text{ of that at } 2\gamma",
    twins=(
        fresh_cohorts,
        mid_epoch(),
        statement_with("an eighth", bound=half_the_floor(3.0)),
        bound_times(0.25),
        undivided_rounds,
    ),
)
