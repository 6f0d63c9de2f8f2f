"""Altered steps of the family Scaffnew, CompressedScaffnew, TAMUNA (iteration form), for red twins."""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array, last, namespace
from proveout.theory.statement import Method, Problem, State, Twin
from proveout.theory.twins import Altered

__all__ = ["edited", "local_step", "no_shift", "own_coin"]


def edited(name: str, edit: Callable[..., Any]) -> Twin:
    """edit(P, m, state, draw, new) -> new, applied after the true step."""
    return Twin(
        name,
        lambda statement, P, m: (statement, P, Altered(m, lambda Q, s, d, new: edit(Q, m, s, d, new))),
    )


def local_step(P: Problem, m: Method, state: State) -> Array:
    """x_hat_i = x_i - gamma (grad f_i(x_i) - h_i)."""
    return state.x - m.gamma * (P.grads(state.x) - state.h)


def _own_coin(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    xp = namespace(new.x)
    deaf = last(draw.theta, 2) & (np.arange(P.n) == 0)[:, None]
    return new._replace(x=xp.where(deaf, local_step(P, m, state), new.x), h=xp.where(deaf, state.h, new.h))


def _no_shift(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    """x_hat without + gamma h: a whole step of the same method from h = 0, the shifts put back."""
    bare = m.step(P, state._replace(h=0 * state.h), draw)
    return new._replace(x=bare.x, h=state.h + bare.h)


own_coin = edited("client 0 has its own coin: tails where the others saw heads", _own_coin)
no_shift = edited("no shift in the local step", _no_shift)
