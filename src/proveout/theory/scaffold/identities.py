"""Equalities along every path: what the control variates are, the fixed point, gradient descent as a limit."""

from typing import Any

import numpy as np

from proveout.arrays import Array, mean_clients, put
from proveout.methods.scaffold import Scaffold, State
from proveout.theory.proxskip.identities import gd_path, rolled_oracle
from proveout.theory.scaffold.altered import (
    LOUDER,
    along,
    anywhere,
    at_the_end,
    idle_too,
    local_points,
    new_model,
    no_mean,
    no_server,
    one_more,
    per_cohort,
    sign_of_h,
)
from proveout.theory.scaffold.lyapunov import SOURCE, star, tune
from proveout.theory.statement import Identity, Method, Path, Problem
from proveout.theory.twins import rolled, update_times, with_fields

__all__ = ["EQUALS_GD", "FIXED_POINT", "MEAN_SHIFT", "OPTION_ONE", "OPTION_TWO"]

EQUALS_GD = Identity(
    source=SOURCE,
    method=Scaffold,
    allows=lambda P, m: m.local_steps == 1 and m.cohort == P.n and m.gamma_server == 1,
    start=anywhere,
    sides=lambda P, m, path: (
        along(path, "x"),
        gd_path(P, m.gamma, path.states[0].x, len(path.draws)),
    ),
    tune=tune,
    claim=r"K = 1,\ C = n,\ \gamma_s = 1:\quad x^{t+1} = x^t-\gamma\nabla f(x^t)",
    twins=(
        no_mean,
        with_fields("two local steps", lambda P, m: {"local_steps": 2}),
        with_fields("one client idle", lambda P, m: {"cohort": P.n - 1}),
        update_times("x", 0.5),
        LOUDER,
    ),
)

FIXED_POINT = Identity(
    source=SOURCE,
    method=Scaffold,
    steps=20,
    start=lambda P, m, rng: star(P, m),
    sides=lambda P, m, path: (
        _everything(path),
        np.concatenate([_rows(part) for part in star(P, m)], axis=-2) + 0 * _everything(path),
    ),
    tune=tune,
    claim=r"(x^\star, \nabla f_i(x^\star)) \text{ is fixed for every cohort}",
    twins=(sign_of_h, rolled_oracle, LOUDER),
)


def _rows(part: Array) -> Array:
    return part if part.ndim == 2 else part[None]


def _everything(path: Path) -> Array:
    """Models and control variates along the path: (T+1, n+2, d)."""
    fields = [along(path, name) for name in State._fields]
    return np.concatenate([f if f.ndim == 3 else f[:, None] for f in fields], axis=-2)


MEAN_SHIFT = Identity(
    source=SOURCE,
    method=Scaffold,
    start=anywhere,
    sides=lambda P, m, path: (along(path, "h_bar"), mean_clients(along(path, "h"))[..., 0, :]),
    tune=tune,
    claim=r"\bar h^t = \tfrac1n\textstyle\sum_i h_i^t",
    twins=(per_cohort, update_times("h_bar", 0), update_times("h", 0.5), idle_too),
)


def _renewals(P: Problem, m: Method, path: Path, h_of: Any) -> tuple[Array, Array]:
    """Control variates along the path, and what a formula h_of(state, cohort) says that they are."""
    told = [
        put(state.h, draw.cohort, h_of(state, draw.cohort))
        for state, draw in zip(path.states[:-1], path.draws, strict=True)
    ]
    return along(path, "h")[1:], np.stack(told)


OPTION_ONE = Identity(
    source=SOURCE,
    method=Scaffold,
    allows=lambda P, m: m.option == 1,
    steps=20,
    start=anywhere,
    sides=lambda P, m, path: _renewals(P, m, path, lambda s, cohort: P.at(cohort).grads(s.x[..., None, :])),
    tune=lambda P, **choices: tune(P, **{"option": 1, **choices}),
    claim=r"i\in S:\ h_i^{t+1} = \nabla f_i(x^t),\qquad i\notin S:\ h_i^{t+1} = h_i^t",
    twins=(
        at_the_end,
        idle_too,
        update_times("h", 0.5),
        rolled("h"),
        with_fields("option II", lambda P, m: {"option": 2}),
    ),
)

OPTION_TWO = Identity(
    source=f"{SOURCE}; read off the local steps",
    method=Scaffold,
    allows=lambda P, m: m.option == 2,
    steps=20,
    start=anywhere,
    sides=lambda P, m, path: _renewals(P, m, path, lambda s, cohort: _mean_gradient(P, m, s, cohort)),
    tune=tune,
    claim=r"i\in S:\ h_i^{t+1} = \tfrac1K\textstyle\sum_{k<K}\nabla f_i(y_{i,k}),\qquad i\notin S:\ h_i^{t+1} = h_i^t",
    twins=(no_server, one_more, new_model, idle_too, update_times("h", 0.5), rolled("h")),
)


def _mean_gradient(P: Problem, m: Method, state: State, cohort: Array) -> Array:
    """Mean of the K local gradients of each client: (..., C, d)."""
    points = local_points(P, m, state, cohort)[:-1]
    return np.mean([P.at(cohort).grads(y) for y in points], axis=0)
