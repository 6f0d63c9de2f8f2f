"""One-step claims along paths, by runs: for laws that cannot be enumerated.

Per step the ratio R = (V(s') + progress(s)) / (rate V(s) + noise) is nonnegative with conditional mean <= 1.
Two tests share the alarm, wealth = mean of both:

*Binned.*  Steps are ordered time-major (all paths at t, then at t + 1).  Bets may depend on the present state:
one mixture wealth per half a decade of V(s)/V(start), their mean over a fixed list of bins (an empty bin is 1)
is still a supermartingale.

*Select, then test.*  Half of the work looks for the worst state among those visited, scaled and perturbed, with
common random numbers; fresh draws at that state are independent runs of one number.  Only they can confirm.
"""

import math
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.common import (
    CHUNK,
    FENCE,
    Budget,
    Refused,
    Watch,
    decide,
    value,
    worst_rate,
)
from proveout.theory.lenses.sampled.evalues import LAMBDAS, terms_of_wealth
from proveout.theory.lenses.sampled.runs import (
    deterministic,
    entropy,
    starts,
    steps_within,
    stored,
    trajectory,
)
from proveout.theory.lenses.sampled.selected import judge
from proveout.theory.lenses.states import Coordinates, coordinates_of
from proveout.theory.statement import Method, Problem, State, Verdict
from proveout.theory.witness import decode

__all__ = ["binned", "check", "sides"]

BINS = np.arange(-24, 8)  # half decades of V(s) / V(start)
PATHS, STEPS = 64, 100
TRIES = 64  # common draws of the search for a worst state, at most
SEARCH = 2e7  # floats of the next states in that search


def check(statement: Any, P: Problem, m: Method, size: Budget, seed: int, watch: Watch) -> Verdict:
    """Judge a OneStep by sampling; the caller has asked whether it applies."""
    lucky = not deterministic(m.law(P))
    key = entropy(seed, statement, P, m)
    rng = np.random.default_rng(np.random.SeedSequence(key, spawn_key=(0,)))
    visited, wealth = (
        binned(statement, P, m, rng, min(STEPS, steps_within(P, m, PATHS, size)))
        if lucky
        else (_orbit(P, m, rng), -math.inf)
    )
    coords = coordinates_of(statement, P, m, seed=seed)
    y = _candidates(coords, visited, rng)
    K = int(np.clip(SEARCH / (len(y) * coords.D), 4, TRIES)) if lucky else 1
    tries = _draws(P, m, rng, (1, K))
    rows = max(1, int(CHUNK // (K * coords.D)))
    figures = np.concatenate(
        [
            _ratios(statement, P, m, coords.state(y[k : k + rows, None]), tries).mean(axis=1)
            for k in range(0, len(y), rows)
        ]
    )
    if np.isnan(figures).all():
        raise Refused("no state gives numbers on both sides", "inconclusive")
    worst = coords.state(y[int(np.nanargmax(figures))])
    states = f"searched({len(y)})"
    if not lucky:
        figure = float(np.nanmax(figures))
        witness = _witness(statement, P, m, worst, 0, 0)
        return watch.verdict(
            decide(figure, figure), figure=figure, grade="searched", states=states, witness=witness
        )
    R = _fresh(statement, P, m, worst, size.runs, key)
    note = f"{size.runs} fresh draws at the worst of {len(y)} states, paths' wealth 1e{wealth / math.log(10):.1f}"
    witness = _witness(statement, P, m, worst, size.runs, key)
    return judge(watch, R, wealth, states=states, note=note, witness=witness)


def sides(statement: Any, P: Problem, m: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """Mean of V(s') + progress(s) over the stored draws at the stored state, and rate V(s) + noise."""
    more = {k: decode(v) for k, v in witness["more"].items()}
    return _sides_at(statement, P, m, decode(witness["state"]), int(more["runs"]), int(more["seed"], 16))


def _sides_at(
    statement: Any, P: Problem, m: Method, state: State, runs: int, key: int
) -> tuple[float, float]:
    R = _fresh(statement, P, m, state, runs, key)
    one = tree_map(lambda a: np.asarray(a)[None, None] if type(a) is not int else a, state)
    rhs = float(np.asarray(_rhs(statement, P, m, one)).reshape(-1)[0])
    return float(R.mean()) * rhs, rhs


# ------------------------------------------------------------------ the ratio


def _rhs(statement: Any, P: Problem, m: Method, states: State) -> Array:
    rate, _ = worst_rate(statement, P, m)
    noise = statement.noise(P, m) if statement.noise else 0.0
    return rate * np.asarray(value(statement.lyapunov(P, m, states), P)) + noise


def _ratios(statement: Any, P: Problem, m: Method, states: State, draws: Any) -> Array:
    """R at states with leading axes (S, 1) and draws (1, K): (S, K); NaN where nothing is claimed."""
    after = m.step(P, states, draws)
    lhs = np.asarray(value(statement.lyapunov(P, m, after), P))
    if statement.progress:
        lhs = lhs + value(statement.progress(P, m, states), P)
    rhs = _rhs(statement, P, m, states)
    lhs, rhs = np.broadcast_arrays(lhs, rhs)
    return np.where(rhs > 0, lhs / np.where(rhs > 0, rhs, 1), np.where(lhs > 0, np.inf, np.nan))


def _draws(P: Problem, m: Method, rng: Any, shape: tuple[int, ...]) -> Any:
    return m.law(P).at(1).sample(rng, shape)


def _fresh(statement: Any, P: Problem, m: Method, state: State, runs: int, key: int) -> Array:
    """Independent ratios at one state; one ratio where the method has no luck."""
    rng = np.random.default_rng(np.random.SeedSequence(key, spawn_key=(1,)))
    draws = _draws(P, m, rng, (1, max(1, runs)))
    states = tree_map(lambda a: np.asarray(a)[None, None] if type(a) is not int else a, state)
    R = _ratios(statement, P, m, states, draws)
    return np.asarray(np.broadcast_to(R, (1, max(1, runs)))[0], float)


def _witness(
    statement: Any, P: Problem, m: Method, state: State, runs: int, key: int
) -> dict[str, Any] | None:
    lhs, rhs = _sides_at(statement, P, m, state, runs, key)
    return stored(P, m, state=state, lhs=lhs, rhs=rhs, runs=runs, seed=hex(key))


# ------------------------------------------------------------------ along paths


def binned(statement: Any, P: Problem, m: Method, rng: Any, steps: int) -> tuple[list[State], float]:
    """States of some paths (leaves (S, ...)), and the largest log wealth reached on the way."""
    x0 = np.concatenate([starts(P, 1), starts(P, PATHS, 1)[1:]])
    acc = np.zeros((len(BINS), len(LAMBDAS)))
    visited: list[State] = []
    best, before, first = -math.inf, None, None
    for now in trajectory(P, m, m.init(P, x0), PATHS, steps, rng):
        V = np.broadcast_to(np.asarray(value(statement.lyapunov(P, m, now.state), P), float), (PATHS,))
        if before is not None:
            R = _along(statement, P, m, before[0], V)
            acc += _bets(before[1], first, R)
            total = np.where(np.isnan(acc), np.inf, acc)
            best = max(best, float(np.logaddexp.reduce(total, axis=None) - math.log(acc.size)))
        first = V if first is None else first
        before = (now.state, V)
        visited.append(now.state)
    return visited, best


def _along(statement: Any, P: Problem, m: Method, state: State, after: Array) -> Array:
    lhs = after + (value(statement.progress(P, m, state), P) if statement.progress else 0.0)
    rhs = np.broadcast_to(_rhs(statement, P, m, state), lhs.shape)
    return np.where(rhs > 0, lhs / np.where(rhs > 0, rhs, 1), np.where(lhs > 0, np.inf, 1.0))


def _bets(V: Array, first: Any, R: Array) -> Array:
    """Log increments per bin and bet: (bins, J).  Where V leaves the list of bins nothing is bet."""
    place = np.floor(2 * np.log10(np.maximum(V, 1e-300) / np.maximum(first, 1e-300))) - BINS[0]
    out = np.zeros((len(BINS), len(LAMBDAS)))
    inside = (place >= 0) & (place < len(BINS)) & ~np.isnan(R)
    np.add.at(out, place[inside].astype(int), terms_of_wealth(R[inside]))
    return out


def _orbit(P: Problem, m: Method, rng: Any) -> list[State]:
    """States of a method without luck, from a few starts."""
    return [now.state for now in trajectory(P, m, m.init(P, starts(P, 8)), 8, 20, rng)]


def _candidates(coords: Coordinates, visited: list[State], rng: Any) -> Array:
    """Visited states, the same nearer and farther, random ones at all scales: (S, q)."""
    some = visited[:: max(1, len(visited) // 8)]
    y = np.concatenate([np.asarray(coords.y(s)).reshape(-1, coords.q) for s in some])
    y = y[rng.permutation(len(y))[:200]]
    scaled = y * 10 ** rng.uniform(-2, 2, size=(len(y), 1))
    z = rng.standard_normal((200, coords.q)) / math.sqrt(coords.q) * 10 ** rng.uniform(-3, 3, size=(200, 1))
    all_y = np.concatenate([y, scaled, z])
    size = np.linalg.norm(all_y, axis=1)
    kept = all_y[np.isfinite(size) & (size >= FENCE[0]) & (size <= FENCE[1])]
    if not len(kept):
        raise Refused("no state inside the fence", "inconclusive")
    return np.asarray(kept)
