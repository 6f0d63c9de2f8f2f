"""Equalities of 5GCS along every path: invariants, the dual step, and the two classical methods inside it.

*Point-SAGA.*  With the exact prox and C = 1 a step is one of Point-SAGA with prox parameter 1/(n gamma_dual), table
g_i = n h_i and relaxation gamma gamma_dual n: both answers satisfy tau (x_hat - y) = h' - h, so that
x' = x_hat - gamma n (h' - h) = x_hat + gamma gamma_dual n (y - x_hat).

*Chambolle-Pock.*  With the exact prox and C = n nothing is random, and x_hat runs through the iterates of
Chambolle-Pock: x_hat+ is the prox of x_hat - gamma (2 h_sum' - h_sum).
"""

import math
from typing import Any

import numpy as np

from proveout.arrays import Array, namespace, take
from proveout.methods.blocks.solvers import GD, Exact, split
from proveout.methods.fivegcs import FiveGCS, State
from proveout.methods.point_saga import (
    ChambollePock,
    ChambollePockState,
    NoDraw,
    PointSAGA,
    PointSAGADraw,
    PointSAGAState,
)
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.fivegcs.altered import (
    built_from_x,
    change_not_scaled,
    dual_at_x_hat,
    not_divided,
    sum_moved_too_far,
)
from proveout.theory.fivegcs.lyapunov import SOURCE, duals_sum, star, tune
from proveout.theory.statement import Identity, Method, Path, Problem
from proveout.theory.twins import oracle, update_times, with_fields

__all__ = ["DUAL_SUM", "EQUALS_CHAMBOLLE_POCK", "EQUALS_POINT_SAGA", "FIXED_POINT", "MOREAU"]

EACH = (each_smooth, each_strongly_convex)


def stacked(path: Path, field: str) -> Array:
    """One field along the path: (T+1, ...)."""
    fields = [getattr(state, field) for state in path.states]
    return namespace(*fields).stack(list(np.broadcast_arrays(*fields)))


def rows(x: Array, h: Array) -> Array:
    """A model above the table: (..., d), (..., n, d) -> (..., 1 + n, d)."""
    return np.concatenate([x[..., None, :] + 0 * h[..., :1, :], h], axis=-2)


def anywhere(P: Problem, m: Method, rng: Any) -> State:
    """Models and duals anywhere, the server's sum right."""
    h = rng.standard_normal((P.n, P.d))
    return duals_sum(P, m, State(x=rng.standard_normal(P.d), h=h, h_sum=h[0]))


# ------------------------------------------------------------------ invariants

DUAL_SUM = Identity(
    source=SOURCE,
    method=FiveGCS,
    assumes=EACH,
    start=anywhere,
    steps=20,
    sides=lambda P, m, path: (stacked(path, "h_sum"), stacked(path, "h").sum(axis=-2)),
    tune=tune,
    claim=r"v^{t} = \textstyle\sum_i h_i^{t}",
    twins=(sum_moved_too_far, update_times("h_sum", 0), update_times("h", 0.5)),
)


def _at_star(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    at, now = star(P, m), rows(stacked(path, "x"), stacked(path, "h"))
    return now, rows(at.x, at.h) + 0 * now


FIXED_POINT = Identity(
    source=SOURCE,
    method=FiveGCS,
    assumes=EACH,
    start=lambda P, m, rng: star(P, m),
    steps=20,
    sides=_at_star,
    tune=tune,
    claim=r"(x^\star,h^\star)\ \text{is fixed for every cohort and every }K",
    twins=(
        not_divided,
        oracle("gradients rolled by one client", lambda grads, x: namespace(x).roll(grads(x), 1, axis=-2)),
    ),
)

# ------------------------------------------------------------------ the dual step


def _dual_prox(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    """p = prox of tau F* at w if and only if p = grad F((w - p)/tau)."""
    left, right = [], []
    for state, new, draw in zip(path.states, path.states[1:], path.draws, strict=False):
        p, h = take(new.h, draw.cohort), take(state.h, draw.cohort)
        w = h + m.gamma_dual * m.x_hat(state)[..., None, :]
        left.append(p)
        right.append(split(P, m.mu).at(draw.cohort).grads((w - p) / m.gamma_dual))
    return np.stack(left), np.stack(right)


def tune_prox(P: Problem, cohort: int | None = None, mu_share: float = 1.0) -> FiveGCS:
    """The rule, with the exact prox."""
    return tune(P, cohort=cohort, local_steps=math.inf, mu_share=mu_share)


def exactly(P: Problem, m: Any) -> bool:
    return isinstance(m.solver, Exact)


MOREAU = Identity(
    source=SOURCE,
    method=FiveGCS,
    assumes=EACH,
    allows=exactly,
    start=anywhere,
    steps=10,
    sides=_dual_prox,
    tune=tune_prox,
    claim=r"K=\infty:\ h_i^{+}=\operatorname{prox}_{\gamma_dF_i^*}(h_i+\gamma_d\hat x)",
    twins=(
        dual_at_x_hat,
        with_fields("three steps of GD", lambda P, m: {"solver": GD(steps=3)}),
        update_times("h", 0.5),
    ),
)

# ------------------------------------------------------------------ reductions


def _point_saga(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    partner = PointSAGA(gamma=1 / (P.n * m.gamma_dual), mu=m.mu, relax=m.gamma * m.gamma_dual * P.n)
    first = path.states[0]
    states = [PointSAGAState(x=first.x, g=P.n * first.h)]
    for draw in path.draws:
        states.append(partner.step(P, states[-1], PointSAGADraw(j=draw.cohort[..., 0])))
    theirs = [rows(s.x, s.g / P.n) for s in states]
    return rows(stacked(path, "x"), stacked(path, "h")), np.stack(np.broadcast_arrays(*theirs))


EQUALS_POINT_SAGA = Identity(
    source=SOURCE,
    method=FiveGCS,
    assumes=EACH,
    allows=lambda P, m: exactly(P, m) and m.cohort == 1,
    start=anywhere,
    steps=10,
    sides=_point_saga,
    tune=lambda P, mu_share=1.0: tune_prox(P, cohort=1, mu_share=mu_share),
    claim=r"K=\infty,\ C=1:\ \text{Point-SAGA}",
    twins=(change_not_scaled, built_from_x, dual_at_x_hat),
)


def _chambolle_pock(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    partner = ChambollePock(gamma=m.gamma, gamma_dual=m.gamma_dual, mu=m.mu)
    first = path.states[0]
    state = ChambollePockState(x=first.x, h=first.h, h_bar=first.h)
    mine, theirs = [], []
    for before, after in zip(path.states, path.states[1:], strict=False):
        state = partner.step(P, state, NoDraw(nothing=np.zeros(())))
        mine.append(rows(m.x_hat(before), after.h))
        theirs.append(rows(state.x, state.h))
    return np.stack(np.broadcast_arrays(*mine)), np.stack(np.broadcast_arrays(*theirs))


EQUALS_CHAMBOLLE_POCK = Identity(
    source=SOURCE,
    method=FiveGCS,
    assumes=EACH,
    allows=lambda P, m: exactly(P, m) and m.cohort == P.n,
    start=anywhere,
    steps=10,
    sides=_chambolle_pock,
    tune=lambda P, mu_share=1.0: tune_prox(P, mu_share=mu_share),
    claim=r"K=\infty,\ C=n:\ \text{Chambolle-Pock}",
    twins=(built_from_x, dual_at_x_hat, not_divided),
)
