"""Altered steps of 5GCS, for red twins."""

from collections.abc import Callable
from typing import Any

from proveout.arrays import namespace, put, take, to_clients
from proveout.methods.blocks.solvers import GD, split
from proveout.methods.fivegcs import State
from proveout.theory.statement import Method, Problem, Twin
from proveout.theory.twins import Altered, with_fields

__all__ = [
    "built_from_x",
    "change_not_scaled",
    "dual_at_x_hat",
    "edited",
    "no_local_work",
    "not_divided",
    "sum_moved_too_far",
]


def edited(name: str, edit: Callable[..., Any]) -> Twin:
    """edit(P, m, state, draw, new) -> new, applied after the true step."""
    return Twin(
        name,
        lambda statement, P, m: (statement, P, Altered(m, lambda Q, s, d, new: edit(Q, m, s, d, new))),
    )


def _from_x(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    return new._replace(x=new.x + state.x - m.x_hat(state))


def _not_scaled(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    x_hat = m.x_hat(state)
    return new._replace(x=x_hat + (new.x - x_hat) * m.cohort / P.n)


def _at_x_hat(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    """The cohort's duals are gradients at x_hat, not at the answers of the solver."""
    x_hat = m.x_hat(state)
    h = split(P, m.mu).at(draw.cohort).grads(to_clients(x_hat, m.cohort) + 0 * take(state.h, draw.cohort))
    moved = namespace(h).sum(h - take(state.h, draw.cohort), axis=-2)
    return State(
        x=x_hat - m.gamma * P.n / m.cohort * moved,
        h=put(state.h, draw.cohort, h),
        h_sum=state.h_sum + moved,
    )


def _too_far(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    return new._replace(h_sum=state.h_sum + (new.h_sum - state.h_sum) * P.n / m.cohort)


def _not_divided(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    """The step from a state that lies 1 + gamma mu times as far: x_hat = x - gamma h_sum."""
    far = 1 + m.gamma * m.mu
    moved = state._replace(x=far * state.x + m.gamma * (1 - far) * state.h_sum)
    return m.step(P, moved, draw)  # type: ignore[no-any-return]


built_from_x = edited("x' built from x", _from_x)
change_not_scaled = edited("factor n/C missing in x'", _not_scaled)
dual_at_x_hat = edited("h' is the gradient at x_hat, not at y", _at_x_hat)
sum_moved_too_far = edited("h_sum moved by (n/C) times the change", _too_far)
not_divided = edited("no division by 1 + gamma mu", _not_divided)
no_local_work = with_fields("no local steps", lambda P, m: {"solver": GD(steps=0)})
