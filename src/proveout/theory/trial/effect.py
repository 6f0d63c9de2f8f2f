"""Does a red twin change anything?  One that moves neither side of its claim, at any candidate, is `void`.

Both sides are computed for the statement and for its twin at the same states and from the same seeds.
Where that cannot be done the twin is taken to have an effect, and the lenses judge it.
"""

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.membership.inequality import law_of, shape_of
from proveout.theory.statement import Method, Path, Problem, State, Statement, branches, evaluate
from proveout.theory.trial.judge import is_class

__all__ = ["EFFECT", "has_effect", "stand_in"]

EFFECT = 1e-6  # relative; the smallest change that counts
RUNS, STEPS = 16, 6
DRAWS = 64  # sampled where a law has more atoms
HORIZONS = (1, 2, 5, 20, 100)
EPSILONS = (1e-2, 1e-4)
OVER = ("last", "mean", "min", "mean_iterate")

Triple = tuple[Any, Any, Any]  # statement, problem, method


def has_effect(before: Triple, after: Triple, seed: int = 0) -> bool:
    """Does a side of the claim move by more than EFFECT, relative, at some candidate?"""
    kind = before[0].kind
    if kind in ("Implication", "NonImplication"):
        return _other_record(before[0], after[0]) or after[1] is not before[1] or after[2] != before[2]
    if is_class(before[1]):
        known = stand_in(before[1])
        before, after = (before[0], known, before[2]), (after[0], known, after[2])
    try:
        with np.errstate(all="ignore"):
            return any(
                _moved(a, b) for a, b in zip(_sides(before, before, seed), _sides(after, before, seed))
            )
    except Exception:  # the sides of an altered claim may be anything: the lenses will say
        return True


def stand_in(cls: Any) -> Problem:
    """A problem with data of a function class: quadratics with its n, L and mu (L/100 where mu <= 0)."""
    from proveout.problems import federated

    mu = float(cls.mu_min) if cls.mu_min > 0 else float(cls.L_max) / 100
    return federated(n=cls.n, d=3, kappa=float(cls.L_max) / mu, mu=mu, basis="rotated")


def _other_record(a: Statement, b: Statement) -> bool:
    changed = [f.name for f in fields(a) if getattr(a, f.name) is not getattr(b, f.name)]
    return any(name not in ("allows", "assumes", "twins", "tune") for name in changed)


def _moved(a: Array, b: Array) -> bool:
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        return True
    close = np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) <= EFFECT * np.maximum(np.abs(a), np.abs(b)))
    return not bool(np.all(close | (a == b) | (np.isnan(a) & np.isnan(b))))


def _sides(triple: Triple, base: Triple, seed: int) -> Iterator[Array]:
    """Numbers of both sides; states come from `base`, so that a twin is asked at the same ones."""
    statement, P, m = triple
    rng = np.random.default_rng(seed)
    if statement.kind == "OneStep":
        for states in _candidates(*base, seed):
            yield from _one_step(statement, P, m, states)
    elif statement.kind == "Membership":
        yield from _membership(statement, m, rng)
    elif statement.kind == "Identity":
        for _ in range(3):
            yield from _identity(statement, P, m, rng)
    else:
        yield from _along(statement, P, m, seed)


# ------------------------------------------------------------------ one step


def _starts(P: Problem, seed: int) -> Array:
    """Zero (or ones, if zero is the optimum), then points around x* at three scales: (RUNS, d)."""
    star = getattr(P, "x_star", None)
    centre = np.zeros(P.d) if star is None else np.asarray(star, float)
    size = float(np.linalg.norm(centre))
    noise = np.random.default_rng(seed).standard_normal((RUNS, P.d))
    rows = centre + noise * (size or 1.0) * 10.0 ** np.resize([0.0, -2.0, 2.0], RUNS)[:, None]
    rows[0] = 0.0 if size else 1.0
    return rows


def _walk(P: Problem, m: Method, seed: int, steps: int) -> Iterator[State]:
    """States of a batch of runs, leaves (RUNS, ...)."""
    rng, law = np.random.default_rng(seed), m.law(P)
    state = m.init(P, _starts(P, seed))
    yield state
    for t in range(steps):
        state = m.step(P, state, law.at(t).sample(rng, (RUNS,)))
        yield state


def _candidates(statement: Any, P: Problem, m: Method, seed: int) -> Iterator[State]:
    """Visited states and their neighbours near and far, leaves (RUNS, 1, ...)."""
    rng = np.random.default_rng(seed)
    for t, visited in enumerate(_walk(P, m, seed, 3)):
        for scale in (0.0, 0.1, 10.0) if t in (0, 3) else ():
            state = tree_map(lambda a, scale=scale: _shaken(a, scale, rng), visited)
            if statement.domain is not None:
                state = statement.domain(P, m, state)
            yield tree_map(lambda a: a[:, None] if np.ndim(a) else a, state)


def _shaken(a: Array, scale: float, rng: np.random.Generator) -> Array:
    if not (isinstance(a, np.ndarray) and a.dtype.kind == "f" and scale):
        return a
    size = math.sqrt(float(np.mean(a**2))) or 1.0
    return a + scale * size * rng.standard_normal(a.shape)


def _one_step(statement: Any, P: Problem, m: Method, states: State) -> Iterator[Array]:
    prob, draw = _draws(m.law(P))
    after = m.step(P, states, tree_map(lambda a: np.asarray(a)[None], draw))
    yield np.broadcast_to(_value(statement.lyapunov(P, m, after), P), (RUNS, len(prob))) @ prob
    now = tree_map(lambda a: a[:, 0] if np.ndim(a) else a, states)
    if statement.progress is not None:
        yield _value(statement.progress(P, m, now), P)
    rate = max(float(r) for r in branches(statement.rate(P, m)))
    noise = 0 if statement.noise is None else statement.noise(P, m)
    yield rate * _value(statement.lyapunov(P, m, now), P) + noise


def _draws(law: Any) -> tuple[Array, Any]:
    if law.count <= DRAWS:
        prob, draw = law.atoms()
        return np.asarray(prob, float), draw
    return np.full(DRAWS, 1 / DRAWS), law.sample(np.random.default_rng(0), (DRAWS,))


def _value(terms: Any, P: Problem) -> Array:
    return evaluate(terms, P) if isinstance(terms, tuple) else terms


# ------------------------------------------------------------------ along paths


def _along(statement: Any, P: Problem, m: Method, seed: int) -> Iterator[Array]:
    """Horizon, Complexity, Failure: the measure on the way and what is claimed of it."""
    for state in _walk(P, m, seed, STEPS):
        yield _value(statement.measure(P, m, state), P)
    kind = statement.kind
    claimed = {"Complexity": "count", "Failure": "floor", "Horizon": "bound"}[kind]
    for x0 in _starts(P, seed)[:3]:
        start = m.init(P, x0)
        for at in EPSILONS if kind == "Complexity" else HORIZONS:
            try:
                yield _value(getattr(statement, claimed)(P, m, at, start), P)
            except ValueError:  # the statement says nothing of so short a horizon
                yield np.array(np.nan)
    if kind == "Horizon":
        yield np.array([OVER.index(statement.over), statement.includes_end])
        if statement.weights is not None:
            yield statement.weights(P, m, STEPS)


def _identity(statement: Any, P: Problem, m: Method, rng: np.random.Generator) -> Iterator[Array]:
    if statement.start is not None:
        state = statement.start(P, m, rng)
    else:
        state = m.init(P, rng.standard_normal(P.d))
    states, draws, law = [state], [], m.law(P)
    for t in range(min(statement.steps, 2 * STEPS)):
        draws.append(law.at(t).sample(rng, ()))
        states.append(m.step(P, states[-1], draws[-1]))
    yield from statement.sides(P, m, Path(states=tuple(states), draws=tuple(draws)))


def _membership(statement: Any, block: Any, rng: np.random.Generator) -> Iterator[Array]:
    for d in statement.dims:
        shape = shape_of(statement, block, d)
        law = law_of(block, shape)
        u = rng.standard_normal((RUNS, 1, *shape))
        draw = None if law is None else law.sample(np.random.default_rng(0), (1, DRAWS))
        left, right = statement.sides(block, u, draw)
        yield np.asarray(left, float)
        yield float(statement.constant(block, d)) * np.asarray(right, float)
