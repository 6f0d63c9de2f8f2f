"""Reductions to simpler methods, on the same draws."""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array, last, namespace, to_clients
from proveout.methods.gd import GD, NoDraw
from proveout.methods.gd import State as ModelState
from proveout.methods.proxskip import CompressedScaffnew, Draw, MaskedDraw, Scaffnew
from proveout.methods.proxskip import State as ClientState
from proveout.methods.tamuna import State, Tamuna, TamunaVirtual, VirtualState
from proveout.theory.proxskip.altered import no_shift, own_coin
from proveout.theory.proxskip.identities import (
    both,
    consensus,
    gd_path,
    shifted_consensus,
    stacked,
)
from proveout.theory.statement import Assumption, Identity, Method, Path, Problem, at_most
from proveout.theory.tamuna.altered import mask_off_by_one, mean_over_cohort
from proveout.theory.tamuna.identities import anywhere
from proveout.theory.tamuna.lyapunov import SOURCE, tune, tune_rounds
from proveout.theory.twins import field_times, oracle, statement_with, update_times

__all__ = ["EQUALS_COMPRESSED_SCAFFNEW", "EQUALS_GD", "EQUALS_LOCAL_GD", "EQUALS_SCAFFNEW"]


def full(P: Problem, m: Method) -> bool:
    return bool(m.cohort == P.n)


def _follow(P: Problem, other: Method, path: Path, draw_of: Callable[[Any], Any]) -> Array:
    """Models and shifts of another method on the same draws: (T+1, ..., 2n, d)."""
    states = [ClientState(x=path.states[0].x, h=path.states[0].h)]
    for draw in path.draws:
        states.append(other.step(P, states[-1], draw_of(draw)))
    return both(Path(states=tuple(states), draws=path.draws))


def _as_masked(draw: Any) -> MaskedDraw:
    """The cohort is everybody: client i has column columns[i], so column a goes to client argsort(columns)[a]."""
    return MaskedDraw(theta=draw.theta, order=np.argsort(draw.columns, axis=-1))


EQUALS_COMPRESSED_SCAFFNEW = Identity(
    source=SOURCE,
    method=TamunaVirtual,
    allows=full,
    steps=20,
    start=anywhere,
    sides=lambda P, m, path: (
        both(path),
        _follow(P, CompressedScaffnew(gamma=m.gamma, p=m.p, chi=m.chi, s=m.s), path, _as_masked),
    ),
    tune=tune,
    claim=r"c = n:\ \text{CompressedScaffnew}",
    twins=(own_coin, no_shift, mask_off_by_one),
)

EQUALS_SCAFFNEW = Identity(
    source=SOURCE,
    method=TamunaVirtual,
    allows=lambda P, m: full(P, m) and m.s == P.n and at_most(1, m.chi) and at_most(m.chi, 1.0),
    steps=20,
    start=anywhere,
    sides=lambda P, m, path: (
        both(path),
        _follow(P, Scaffnew(gamma=m.gamma, p=m.p), path, lambda draw: Draw(theta=draw.theta)),
    ),
    tune=lambda P, **choices: tune(P, **{"s": P.n, **choices}),
    claim=r"s = c = n,\ \chi = 1:\ \text{Scaffnew}",
    twins=(own_coin, field_times("chi", 0.5), no_shift),
)

EQUALS_GD = Identity(
    source=SOURCE,
    method=TamunaVirtual,
    allows=lambda P, m: full(P, m) and m.s == P.n and at_most(1, m.p),
    start=lambda P, m, rng: VirtualState(*consensus(P, m, rng)),
    sides=lambda P, m, path: (
        stacked(path, "x"),
        gd_path(P, m.gamma, path.states[0].x[..., 0, :], len(path.draws))[..., None, :]
        + 0 * stacked(path, "x"),
    ),
    tune=lambda P, **choices: tune(P, **{"s": P.n, "p": 1.0, **choices}),
    claim=r"p = 1,\ s = c = n,\ h = 0:\ \text{gradient descent}",
    twins=(
        statement_with(
            "sum of shifts is not 0", start=lambda P, m, rng: VirtualState(*shifted_consensus(P, m, rng))
        ),
        update_times("x", 0.5),
        oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x)),
    ),
)


def _alike(P: Problem) -> bool:
    """Are all f_i one function? Asked at a few points."""
    g = P.grads(np.random.default_rng(0).standard_normal((4, 1, P.d)))
    return bool(np.abs(g - g[:, :1]).max() <= 1e-12 * np.abs(g).max())


def _local_gd(P: Problem, m: Method, path: Path) -> Array:
    descent, states = GD(gamma=m.gamma), [path.states[0].x]
    for draw in path.draws:
        x = states[-1]
        for k in range(int(np.max(draw.steps))):
            stepped = descent.step(P, ModelState(x=x), NoDraw(nothing=np.zeros(()))).x
            x = namespace(x).where(last(k < draw.steps), stepped, x)
        states.append(x)
    return namespace(x).stack(states)


EQUALS_LOCAL_GD = Identity(  # whatever the cohort, the mask and chi
    source=SOURCE,
    method=Tamuna,
    assumes=(Assumption("all f_i are equal", _alike),),
    sides=lambda P, m, path: (stacked(path, "x"), _local_gd(P, m, path)),
    tune=tune_rounds,
    claim=r"f_1 = \dots = f_n,\ h = 0:\ \text{as many gradient steps per round as local steps}",
    twins=(
        mean_over_cohort,
        update_times("x", 0.5),
        oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x)),
        statement_with(
            "sum of shifts is not 0",
            start=lambda P, m, rng: State(
                x=rng.standard_normal(P.d), h=to_clients(rng.standard_normal(P.d), P.n)
            ),
        ),
    ),
)
