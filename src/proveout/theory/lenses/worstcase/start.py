"""The general admissible state in abstract vectors.

`init` shows which fields are vectors; each becomes fresh letters, shifted by what `star` has of x*, then goes
through `latent` (free vectors -> state) and `domain` (projection on the admissible states).  A projection
needs no equation: what it removes is a direction that no form sees.
"""

from typing import Any

import numpy as np

from proveout.arrays import tree_map
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.abstract import AbstractProblem
from proveout.theory.lenses.worstcase.world import World
from proveout.theory.statement import Method, State

__all__ = ["from_init", "general", "has_clock", "is_vector"]


def is_vector(leaf: Any, size: int) -> bool:
    """Is this field made of abstract vectors (..., size)?"""
    return isinstance(leaf, np.ndarray) and leaf.ndim > 0 and leaf.shape[-1] == size


def has_clock(state: State) -> bool:
    """Does the state count steps?"""
    found: list[bool] = []
    tree_map(lambda leaf: found.append(type(leaf) is int), state)
    return any(found)


def general(statement: Any, P: AbstractProblem, m: Method, model: State, clock: int = 0) -> State:
    """The general admissible state, with a leading axis of length one. Raises Refused for a bad `domain`."""
    star = statement.star(P, m) if statement.star is not None else None
    state = tree_map(lambda leaf: clock if type(leaf) is int else leaf, _fresh(P._world, model, star))
    if getattr(statement, "latent", None) is not None:
        state = statement.latent(P, m, state)
    if statement.domain is None:
        return state
    state = statement.domain(P, m, state)
    tree_map(lambda a, b: _same(P._world, a, b), state, statement.domain(P, m, state))
    return state


def from_init(P: AbstractProblem, m: Method) -> State:
    """Where a method starts from an arbitrary x0."""
    world = P._world
    return m.init(P, (world.space.shared("x0 - x*" if world.optimum else "x0") + world.x_star)[None])


def _fresh(world: World, model: State, star: State | None) -> State:
    """Fresh letters in the places of a state's vectors."""

    def one(name: str, leaf: Any, at: Any) -> Any:
        if hasattr(leaf, "_fields"):
            stars = at if at is not None else (None,) * len(leaf)
            return type(leaf)(*map(one, leaf._fields, leaf, stars))
        if not is_vector(leaf, world.space.capacity):
            return leaf
        client = leaf.ndim >= 2 and leaf.shape[-2] == world.space.n
        rows = world.space.zeros(*leaf.shape[:-1])
        for where in np.ndindex(leaf.shape[: -2 if client else -1]):
            label = name + "".join(f"[{k}]" for k in where)
            rows[where] = world.space.clients(label) if client else world.space.shared(label)
        if at is not None and world.optimum:
            rows[..., 0] = np.broadcast_to(at, leaf.shape)[..., 0]  # the column of x*
        return rows[None]

    return one("state", model, star)


def _same(world: World, a: Any, b: Any) -> None:
    if is_vector(a, world.space.capacity) and not world.space.equal(a, b):
        raise Refused("`domain` is no projection")
