"""Equalities along every path: reduction to gradient descent, the fixed point, the sum of the shifts."""

from typing import Any

import numpy as np

from proveout.arrays import Array, mean_clients, namespace, to_clients
from proveout.methods.gd import GD, NoDraw
from proveout.methods.gd import State as ModelState
from proveout.methods.proxskip import CompressedScaffnew, Scaffnew, State
from proveout.theory.proxskip.altered import no_shift, own_coin
from proveout.theory.proxskip.rates import SOURCE, chi_max, star
from proveout.theory.statement import Identity, Method, Path, Problem, at_most
from proveout.theory.twins import oracle, statement_with, update_times

__all__ = ["EQUALS_GD", "FIXED_POINT", "SHIFT_SUM", "both", "gd_path", "rolled_oracle", "stacked"]


def stacked(path: Path, field: str) -> Array:
    """One field along the path: (T+1, ..., n, d)."""
    fields = [getattr(state, field) for state in path.states]
    return namespace(*fields).stack(list(np.broadcast_arrays(*fields)))


def both(path: Path, axis: int = -2) -> Array:
    """Models and shifts along the path, one under the other: (T+1, ..., 2n or 1+n, d)."""
    return np.concatenate([stacked(path, "x"), stacked(path, "h")], axis=axis)


def gd_path(P: Problem, gamma: float, x0: Array, steps: int) -> Array:
    """Iterates of gradient descent: (..., d) -> (T+1, ..., d)."""
    descent, states = GD(gamma=gamma), [ModelState(x=x0)]
    for _ in range(steps):
        states.append(descent.step(P, states[-1], NoDraw(nothing=np.zeros(()))))
    return namespace(x0).stack([s.x for s in states])


def anywhere(P: Problem, m: Method, rng: Any) -> State:
    """Clients and shifts anywhere: sum_i h_i need not vanish."""
    x, h = rng.standard_normal((2, P.n, P.d))
    return State(x=x, h=h)


def consensus(P: Problem, m: Method, rng: Any) -> State:
    """All clients at one point, no shifts."""
    x = to_clients(rng.standard_normal(P.d), P.n)
    return State(x=x, h=0 * x)


def shifted_consensus(P: Problem, m: Method, rng: Any) -> State:
    state = consensus(P, m, rng)
    return state._replace(h=state.h + rng.standard_normal((1, P.d)))


def _any_form(P: Problem, p: float, s: int | None = None) -> Method:
    gamma = 2 / (P.L_max + P.mu_min)
    return CompressedScaffnew(gamma=gamma, p=p, chi=chi_max(P.n, s), s=s) if s else Scaffnew(gamma=gamma, p=p)


rolled_oracle = oracle(
    "gradients rolled by one client", lambda grads, x: namespace(x).roll(grads(x), 1, axis=-2)
)

EQUALS_GD = Identity(  # with p = 1 and sum_i h_i = 0 the common iterate makes a gradient step
    source=SOURCE,
    method=Scaffnew,
    allows=lambda P, m: at_most(1, m.p),
    start=consensus,
    sides=lambda P, m, path: (
        stacked(path, "x"),
        gd_path(P, m.gamma, path.states[0].x[..., 0, :], len(path.draws))[..., None, :]
        + 0 * stacked(path, "x"),
    ),
    tune=lambda P: Scaffnew(gamma=2 / (P.L_max + P.mu_min), p=1.0),
    claim=r"p = 1,\ h = 0:\quad x^{t+1} = x^t - \gamma\nabla f(x^t)",
    twins=(
        statement_with("sum of shifts is not 0", start=shifted_consensus),
        update_times("x", 0.5),
        oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x)),
    ),
)

FIXED_POINT = Identity(  # (x*, h*) stays where it is, whatever is drawn
    source=SOURCE,
    method=(Scaffnew, CompressedScaffnew),
    start=lambda P, m, rng: star(P, m),
    sides=lambda P, m, path: (both(path), np.concatenate(list(star(P, m)), axis=-2) + 0 * both(path)),
    steps=20,
    tune=_any_form,
    claim=r"(x^\star, h^\star)\ \text{is fixed for every draw}",
    twins=(no_shift, rolled_oracle),
)

SHIFT_SUM = Identity(  # sum_i h_i never changes
    source=SOURCE,
    method=(Scaffnew, CompressedScaffnew),
    start=anywhere,
    sides=lambda P, m, path: (
        mean_clients(stacked(path, "h")),
        mean_clients(path.states[0].h) + 0 * mean_clients(stacked(path, "h")),
    ),
    tune=_any_form,
    claim=r"\textstyle\sum_i h_i^{t+1} = \sum_i h_i^t",
    twins=(own_coin,),
)
