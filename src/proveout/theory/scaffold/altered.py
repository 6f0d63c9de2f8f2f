"""Local paths recomputed beside `step`, and altered steps for red twins."""

from typing import Any

import numpy as np

from proveout.arrays import Array, put, take
from proveout.methods.scaffold import Draw, State
from proveout.theory.proxskip.altered import edited
from proveout.theory.statement import Method, Path, Problem
from proveout.theory.twins import oracle

__all__ = [
    "LOUDER",
    "along",
    "anywhere",
    "at_the_end",
    "idle_too",
    "local_points",
    "new_model",
    "no_mean",
    "no_server",
    "one_more",
    "per_cohort",
    "sign_of_h",
]


def anywhere(P: Problem, m: Method, rng: Any) -> State:
    """A random start with h_bar = mean of the h_i."""
    h = rng.standard_normal((P.n, P.d))
    return State(x=rng.standard_normal(P.d), h=h, h_bar=h.mean(axis=0))


def local_points(P: Problem, m: Method, state: State, cohort: Array) -> list[Array]:
    """y_i after 0, 1, ..., K local steps: K + 1 arrays (..., C, d)."""
    local, correction = P.at(cohort), state.h_bar[..., None, :] - take(state.h, cohort)
    points = [state.x[..., None, :] + 0 * correction]
    for _ in range(m.local_steps):
        points.append(points[-1] - m.gamma * (local.grads(points[-1]) + correction))
    return points


def along(path: Path, field: str) -> Array:
    return np.stack([getattr(state, field) for state in path.states])


def _no_mean(P: Problem, m: Method, state: State, draw: Draw, new: State) -> State:
    return m.step(P, state._replace(h_bar=0 * state.h_bar), draw)  # type: ignore[no-any-return]


def _sign(P: Problem, m: Method, state: State, draw: Draw, new: State) -> State:
    return new._replace(x=m.step(P, state._replace(h=-state.h), draw).x)


def _per_cohort(P: Problem, m: Method, state: State, draw: Draw, new: State) -> State:
    return new._replace(h_bar=state.h_bar + P.n / m.cohort * (new.h_bar - state.h_bar))


def _renewed(name: str, h_of: Any) -> Any:
    """The cohort's control variates by another formula, h_of(P, m, state, cohort, new) -> (..., C, d)."""

    def edit(P: Problem, m: Method, state: State, draw: Draw, new: State) -> State:
        return new._replace(h=put(state.h, draw.cohort, h_of(P, m, state, draw.cohort, new)))

    return edited(name, edit)


def _idle_too(P: Problem, m: Method, state: State, draw: Draw, new: State) -> State:
    return new._replace(h=P.grads(state.x[..., None, :]))


def _second_option(
    P: Problem, m: Method, s: State, cohort: Array, origin: Array, shift: Array, K: int
) -> Array:
    """h_i - shift + (origin - y_i) / (K gamma): (..., C, d)."""
    end = local_points(P, m, s, cohort)[-1]
    return take(s.h, cohort) - shift[..., None, :] + (origin[..., None, :] - end) / (K * m.gamma)


no_mean = edited("no h_bar in the local step", _no_mean)
sign_of_h = edited("sign of h_i in the local step", _sign)
per_cohort = edited("1/C for 1/n in the server's control variate", _per_cohort)
idle_too = edited("idle clients renew their h too", _idle_too)
at_the_end = _renewed(
    "gradient at y for x", lambda P, m, s, cohort, new: P.at(cohort).grads(local_points(P, m, s, cohort)[-1])
)
no_server = _renewed(
    "h_bar not taken off",
    lambda P, m, s, cohort, new: _second_option(P, m, s, cohort, s.x, 0 * s.h_bar, m.local_steps),
)
one_more = _renewed(
    "K + 1 for K",
    lambda P, m, s, cohort, new: _second_option(P, m, s, cohort, s.x, s.h_bar, m.local_steps + 1),
)
new_model = _renewed(
    "the server's new x for x",
    lambda P, m, s, cohort, new: _second_option(P, m, s, cohort, new.x, s.h_bar, m.local_steps),
)
LOUDER = oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x))
