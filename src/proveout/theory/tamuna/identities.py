"""Equalities: the exact one-step identity behind the theorem, invariants, reductions to simpler methods."""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array, last, mean_clients, namespace, sqnorm, to_clients, tree_map
from proveout.methods.gd import GD, NoDraw
from proveout.methods.gd import State as ModelState
from proveout.methods.proxskip import CompressedScaffnew, Draw, MaskedDraw, Scaffnew
from proveout.methods.proxskip import State as ClientState
from proveout.methods.tamuna import State, Tamuna, TamunaVirtual, VirtualState
from proveout.theory.proxskip.altered import local_step, no_shift, own_coin
from proveout.theory.proxskip.identities import (
    both,
    consensus,
    gd_path,
    rolled_oracle,
    shifted_consensus,
    stacked,
)
from proveout.theory.statement import Assumption, Identity, Method, Path, Problem, Square, at_most, evaluate
from proveout.theory.tamuna.altered import mask_off_by_one, mean_over_cohort
from proveout.theory.tamuna.lyapunov import SOURCE, chi_max, shift_weight, star, tune, tune_rounds
from proveout.theory.twins import field_times, oracle, rolled, statement_with, update_times

__all__ = [
    "EQUALS_COMPRESSED_SCAFFNEW",
    "EQUALS_GD",
    "EQUALS_LOCAL_GD",
    "EQUALS_SCAFFNEW",
    "EXACT_IDENTITY",
    "FIXED_POINT",
    "SHIFT_SUM",
]


def anywhere(P: Problem, m: Method, rng: Any) -> VirtualState:
    """Clients anywhere, shifts anywhere with sum zero."""
    x, h = rng.standard_normal((2, P.n, P.d))
    return VirtualState(x=x, h=h - mean_clients(h))


def anywhere_at_all(P: Problem, m: Method, rng: Any) -> Any:
    """Shifts whose sum need not vanish."""
    x, h = rng.standard_normal((2, P.n, P.d))
    return VirtualState(x=x, h=h) if isinstance(m.init(P, x[0]), VirtualState) else State(x=x[0], h=h)


# ------------------------------------------------------------------ the identity of one iteration


def identity_sides(weight: Callable[[Problem, Method], Any]) -> Callable[..., tuple[Array, Array]]:
    """E Psi(next) by enumeration, and the closed form, with `weight` as the weight B of the shifts."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        B, gamma = weight(P, m), m.gamma
        now = VirtualState(x=stacked(path, "x")[:-1], h=stacked(path, "h")[:-1])  # (T, n, d)
        prob, draw = m.law(P).atoms()
        new = m.step(P, tree_map(lambda a: a[..., None, :, :], now), draw)  # (T, K, n, d)
        after = evaluate((Square(1 / gamma, new.x - P.x_star, 2), Square(B, new.h - P.h_star, 2)), P)
        w, y = now.x - gamma * P.grads(now.x), local_step(P, m, now)
        w_star = P.x_star - gamma * P.h_star
        spread = sqnorm(y - mean_clients(y), 2)
        closed = (
            sqnorm(w - w_star, 2) / gamma
            + (B - gamma) * sqnorm(now.h - P.h_star, 2)
            - m.p / gamma * (chi_max(P.n, m.s) - m.chi) * spread
        )
        return after @ prob, closed

    return sides


EXACT_IDENTITY = Identity(
    source=f"{SOURCE}, derived",
    method=TamunaVirtual,
    steps=10,
    start=anywhere,
    sides=identity_sides(shift_weight),
    tune=tune,
    claim=(
        r"E\Psi^{+} = \tfrac1\gamma\sum_i\|w_i-w_i^\star\|^2 + (B-\gamma)\sum_i\|h_i-h_i^\star\|^2"
        r" - \tfrac p\gamma(\chi_{\max}-\chi)\sum_i\|y_i-\bar y\|^2"
    ),
    twins=(
        statement_with(
            "the cohort's size for n in B",
            sides=identity_sides(lambda P, m: m.gamma / m.p**2 / m.chi * (m.cohort - 1) / (m.s - 1)),
        ),
        mask_off_by_one,
        statement_with("sum of shifts is not 0", start=anywhere_at_all),
        mean_over_cohort,
        rolled("h"),
    ),
)

# ------------------------------------------------------------------ invariants

SHIFT_SUM = Identity(
    source=SOURCE,
    method=(TamunaVirtual, Tamuna),
    steps=20,
    start=anywhere_at_all,
    sides=lambda P, m, path: (
        mean_clients(stacked(path, "h")),
        mean_clients(path.states[0].h) + 0 * mean_clients(stacked(path, "h")),
    ),
    tune=lambda P, form="virtual", **choices: {"virtual": tune, "rounds": tune_rounds}[form](P, **choices),
    claim=r"\textstyle\sum_i h_i^{t+1} = \sum_i h_i^t",
    twins=(mask_off_by_one, mean_over_cohort),
)


def at_star(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    at = star(P, m)
    x = at.x if isinstance(at, VirtualState) else at.x[None]
    xs = stacked(path, "x") if isinstance(at, VirtualState) else stacked(path, "x")[..., None, :]
    path_of = np.concatenate([xs, stacked(path, "h")], axis=-2)
    return path_of, np.concatenate([x, at.h], axis=-2) + 0 * path_of


FIXED_POINT = Identity(
    source=SOURCE,
    method=(TamunaVirtual, Tamuna),
    steps=20,
    start=lambda P, m, rng: star(P, m),
    sides=at_star,
    tune=SHIFT_SUM.tune,
    claim=r"(x^\star, h^\star)\ \text{is fixed for every cohort, mask and step count}",
    twins=(mean_over_cohort, rolled_oracle),
)

# ------------------------------------------------------------------ reductions


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
