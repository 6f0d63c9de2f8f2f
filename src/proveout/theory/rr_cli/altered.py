"""Altered meta-epochs of RR-CLI, for red twins."""

from typing import Any

import numpy as np

from proveout.arrays import Array, namespace, take
from proveout.laws import Each, Joint, Law, Subset, Sure
from proveout.theory.statement import Method, Problem, Square, State, Terms, Twin
from proveout.theory.twins import law_with, statement_with, step_edit

__all__ = ["fixed_data", "fresh_cohorts", "half_way", "mid_epoch", "undivided_local", "undivided_rounds"]


def _with_replacement(P: Problem, m: Method) -> Law:
    """R independent uniform cohorts."""
    cohorts = Each(P.n // m.cohort, Subset(P.n, m.cohort), of=None)
    return Joint(m.law(P).draw._replace(cohort=cohorts))


def _fixed_data(P: Problem, m: Method) -> Law:
    return Joint(m.law(P).draw._replace(data=Sure(np.tile(np.arange(P.m), (P.n, 1)))))


fresh_cohorts = law_with("cohorts with replacement over rounds", _with_replacement)
fixed_data = law_with("data in a fixed order", _fixed_data)


def half_way(P: Problem, m: Method, x: Array, draw: Any) -> Array:
    """The model after half of the rounds: (..., d)."""
    xp = namespace(x)
    for r in range(draw.cohort.shape[-2] // 2):
        members = draw.cohort[..., r, :]
        x = x - m.gamma_server * xp.mean(m.directions(P, x, members, take(draw.data, members)), axis=-2)
    return x


def _half_way_distance(P: Problem, m: Method, state: State) -> Terms:
    """E|x_half - x*|^2 over the orders of the meta-epoch that begins at the state."""
    prob, draw = m.law(P).atoms()
    x = half_way(P, m, state.x[..., None, :], draw)
    return (Square(1, np.sqrt(prob)[:, None] * (x - P.x_star), core=2),)


def mid_epoch() -> Twin:
    return statement_with("iterates in the middle of a meta-epoch", measure=_half_way_distance)


def _times(factor: Any) -> Any:
    def edit(P: Problem, state: State, draw: Any, new: State) -> State:
        return new._replace(x=state.x + factor(P, draw) * (new.x - state.x))

    return edit


undivided_local = step_edit("no division by gamma m", _times(lambda P, draw: max(P.m, 1.5)))
undivided_rounds = step_edit(
    "no division by gamma_server R", _times(lambda P, draw: max(draw.cohort.shape[-2], 1.5))
)
