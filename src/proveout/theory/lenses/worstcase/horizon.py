"""T steps: paths of abstract states, and the measures of a Horizon statement along them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.abstract import AbstractProblem, stepped
from proveout.theory.lenses.worstcase.draws import ATOMS, Draws, Settings, draws_of
from proveout.theory.lenses.worstcase.start import is_vector
from proveout.theory.lenses.worstcase.world import NotSymmetric
from proveout.theory.statement import Horizon, Method, State

__all__ = ["measures", "paths"]

DRAWN = 8  # paths of several steps where members of the class are drawn: every path asks at points of its own


def paths(
    P: AbstractProblem, m: Method, first: State, draws: Draws, settings: Settings
) -> tuple[list[State], Array]:
    """States 0..T on all paths, leaves (K^T, ...), and the paths' probabilities (K^T,)."""
    T = settings.steps
    if not settings.full and T > 1 and not draws.trivial:
        raise NotSymmetric("cohorts of several steps have no common representative")
    most = DRAWN if settings.inner and T > 1 else ATOMS
    if len(draws.prob) ** T > most:
        raise Refused(f"{len(draws.prob)}^{T} paths, at most {most}")
    states, prob = [first], draws.prob[:1] * 0 + P._world.space.one
    for t in range(T):
        now = draws if t == 0 else draws_of(m.law(P).at(t), P.n, settings)
        states, prob = _advance(P, m, states, prob, now)
    return states, prob


def _advance(
    P: AbstractProblem, m: Method, states: list[State], prob: Array, draws: Draws
) -> tuple[list[State], Array]:
    """One step of every path; all states of the history get the axis of the new draw."""
    K, S, size = len(draws.prob), len(prob), P._world.space.capacity

    def repeat(a: Any) -> Any:
        if not is_vector(a, size):
            return a
        return np.repeat(np.repeat(a, S, axis=0) if len(a) < S else a, K, axis=0)

    wide = [tree_map(repeat, s) for s in states]
    draw = tree_map(lambda a: np.tile(np.asarray(a), (S, *(1,) * (np.ndim(a) - 1))), draws.draw)
    return [*wide, stepped(P, m, wide[-1], draw)], np.multiply.outer(prob, draws.prob).ravel()


def measures(
    statement: Horizon, P: AbstractProblem, m: Method, states: Sequence[State], T: int
) -> list[list[tuple[Any, Any]]]:
    """The measures of which the least expectation counts (one, unless over = "min"), as (weight, term)."""
    over = statement.over
    terms: Callable[[State], Any] = lambda s: statement.measure(P, m, s)
    if over == "last":
        return [[(1, term) for term in terms(states[-1])]]
    used = list(states if statement.includes_end else states[:-1])
    if over == "min":
        return [[(1, term) for term in terms(s)] for s in used]
    weights = (
        statement.weights(P, m, T) if statement.weights is not None else [P._world.space.one] * len(used)
    )
    if len(weights) != len(used):
        raise ValueError(f"weights must have {len(used)} entries, got {len(weights)}")
    scaled = [w / sum(weights) for w in weights]
    if over == "mean":
        return [[(w, term) for w, s in zip(scaled, used, strict=True) for term in terms(s)]]
    return [[(1, term) for term in terms(_mean(used, scaled, P._world.space.capacity))]]


def _mean(states: Sequence[State], weights: Sequence[Any], size: int) -> State:
    """Vectors averaged, everything else from the last state."""

    def mean(*leaves: Any) -> Any:
        if not is_vector(leaves[-1], size):
            return leaves[-1]
        return sum(w * leaf for w, leaf in zip(weights, leaves, strict=True))

    return tree_map(mean, *states)
