"""Equalities: the exact identity of one iteration behind the theorem, and what never changes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array, mean_clients, sqnorm, tree_map
from proveout.methods.tamuna import State, Tamuna, TamunaVirtual, VirtualState
from proveout.theory.proxskip.altered import local_step
from proveout.theory.proxskip.identities import (
    rolled_oracle,
    stacked,
)
from proveout.theory.statement import Identity, Method, Path, Problem, Square, evaluate
from proveout.theory.tamuna.altered import mask_off_by_one, mean_over_cohort
from proveout.theory.tamuna.lyapunov import SOURCE, chi_max, shift_weight, star, tune, tune_rounds
from proveout.theory.twins import rolled, statement_with

__all__ = ["EXACT_IDENTITY", "FIXED_POINT", "SHIFT_SUM", "anywhere"]


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
