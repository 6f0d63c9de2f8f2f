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
from proveout.theory.judge import is_class
from proveout.theory.lenses.common import Atoms, atoms_of, expectation, value
from proveout.theory.lenses.runs import starts, trajectory
from proveout.theory.statement import Method, Path, Problem, State, Statement, branches

__all__ = ["EFFECT", "has_effect", "stand_in"]

EFFECT = 1e-6  # relative; the smallest change that counts
RUNS, STEPS = 16, 6
DRAWS = 512  # sampled where a law has more atoms
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
    close = np.abs(a - b) <= EFFECT * np.maximum(np.abs(a), np.abs(b))
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
        yield from _along(statement, P, m, rng)


# ------------------------------------------------------------------ one step


def _candidates(statement: Any, P: Problem, m: Method, seed: int) -> Iterator[State]:
    """Visited states and their neighbours near and far, leaves (S, 1, ...)."""
    rng = np.random.default_rng(seed)
    for batch in trajectory(P, m, starts(P, RUNS, seed), 3, rng):
        if batch.t in (0, 3):
            for scale in (0.0, 0.1, 10.0):
                state = tree_map(lambda a, scale=scale: _shaken(a, scale, rng), batch.state)
                if statement.domain is not None:
                    state = statement.domain(P, m, state)
                yield tree_map(lambda a: a[:, None] if np.ndim(a) else a, state)


def _shaken(a: Array, scale: float, rng: np.random.Generator) -> Array:
    if not (isinstance(a, np.ndarray) and a.dtype.kind == "f" and scale):
        return a
    size = math.sqrt(float(np.mean(a**2))) or 1.0
    return a + scale * size * rng.standard_normal(a.shape)


def _one_step(statement: Any, P: Problem, m: Method, states: State) -> Iterator[Array]:
    sizes: list[int] = []
    tree_map(lambda a: sizes.append(np.size(a)), states)
    yield expectation(P, m, statement.lyapunov, states, _draws(m.law(P)), width=max(1, sum(sizes) // RUNS))
    now = tree_map(lambda a: a[:, 0] if np.ndim(a) else a, states)
    if statement.progress is not None:
        yield value(statement.progress(P, m, now), P)
    rate = max(float(r) for r in branches(statement.rate(P, m)))
    noise = 0 if statement.noise is None else statement.noise(P, m)
    yield rate * value(statement.lyapunov(P, m, now), P) + noise


def _draws(law: Any) -> Atoms:
    try:
        return atoms_of(law, limit=DRAWS)
    except Exception:  # too many, or continuous
        draw = law.sample(np.random.default_rng(0), (DRAWS,))
        return Atoms(prob=np.full(DRAWS, 1 / DRAWS), draw=draw)


# ------------------------------------------------------------------ along paths


def _along(statement: Any, P: Problem, m: Method, rng: np.random.Generator) -> Iterator[Array]:
    """Horizon, Complexity, Failure: the measure on the way and what is claimed of it."""
    first = None
    for batch in trajectory(P, m, starts(P, RUNS), STEPS, rng):
        first = batch.state if first is None else first
        yield value(statement.measure(P, m, batch.state), P)
    if statement.kind == "Complexity":
        yield np.array([float(np.max(statement.count(P, m, eps, first))) for eps in EPSILONS])
        return
    claimed = statement.floor if statement.kind == "Failure" else statement.bound
    for T in HORIZONS:
        yield value(claimed(P, m, T, first), P)
    if statement.kind == "Horizon":
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
        shape = (d,) if statement.shape is None else tuple(statement.shape(block, d))
        n = shape[-2] if len(shape) > 1 else 1
        u = rng.standard_normal((RUNS, *(shape if len(shape) > 1 else (1, d))))
        draw = block.law(n, d).sample(np.random.default_rng(0), (RUNS,))
        left, right = statement.sides(block, u, draw)
        yield np.asarray(left, float)
        yield float(statement.constant(block, d)) * np.asarray(right, float)
