"""What biased SGD reduces to, path by path."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.biased_sgd import BiasedSGD, State
from proveout.methods.blocks.compressors import BiasedRandK, RandK, TopK
from proveout.methods.blocks.estimators import Compressed, Exact, Minibatch, Scaled
from proveout.methods.gd import GD, SGD
from proveout.methods.gd import Draw as SGDDraw
from proveout.methods.gd import State as GDState
from proveout.theory.statement import Assumption, Identity, Method, Path, Problem
from proveout.theory.twins import statement_with, step_edit, with_fields

__all__ = ["EQUALS_GD", "EQUALS_SGD", "RAND_K_EQUALS_BIASED_RAND_K", "SCALING", "TOP_K_FINISHES"]

SOURCE = "Demidovich et al. (NeurIPS 2023)"


def followed(P: Problem, other: Method, state: Any, draws: Any) -> Array:
    """The models of another method on the given draws: (T, ..., d)."""
    xs = []
    for draw in draws:
        state = other.step(P, state, draw)
        xs.append(state.x)
    return np.stack(xs)


def models(path: Path) -> Array:
    """The models after each step: (T, ..., d)."""
    return np.stack([s.x for s in path.states[1:]])


def against(other: Callable[[Problem, Method], Method]) -> Any:
    """Sides: the run, and another method on the same draws."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        return models(path), followed(P, other(P, m), path.states[0], path.draws)

    return sides


def _compressed(kind: Any) -> Any:
    def tune(P: Problem, k: int = 1) -> BiasedSGD:
        if k > P.d:
            raise ValueError(f"k must be at most d = {P.d}, got {k}")
        return BiasedSGD(gamma=k / (P.d * P.L), estimator=Compressed(kind(k=k)))

    return tune


def _biased_rand_k(power: float, k: int = 0) -> Callable[[Problem, Method], Method]:
    """BiasedRandK with gamma (d/k)^power."""

    def other(P: Problem, m: Method) -> BiasedSGD:
        kept = m.estimator.compressor.k
        scale = (P.d / kept) ** power
        return BiasedSGD(gamma=m.gamma * scale, estimator=Compressed(BiasedRandK(k=kept)))

    return other


RAND_K_EQUALS_BIASED_RAND_K = Identity(
    source=SOURCE,
    method=BiasedSGD,
    allows=lambda P, m: isinstance(m.estimator, Compressed) and isinstance(m.estimator.compressor, RandK),
    sides=against(_biased_rand_k(1)),
    tune=_compressed(RandK),
    claim=r"\text{rand-}k,\ \gamma\ =\ \text{biased rand-}k,\ \gamma d/k",
    twins=(
        statement_with("gamma k/d", sides=against(_biased_rand_k(-1))),
        statement_with("the same gamma", sides=against(_biased_rand_k(0))),
    ),
)


# ------------------------------------------------------------------ top-k on the simplest problem

round_ball = Assumption("f = |x - x*|^2/2", lambda P: getattr(P, "mu", 0) == getattr(P, "L", 1) == 1)


def _finished(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    last = path.states[math.ceil(P.d / m.estimator.compressor.k)].x
    return last, P.x_star + 0 * last


def _one_step_early(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    last = path.states[math.ceil(P.d / m.estimator.compressor.k) - 1].x
    return last, P.x_star + 0 * last


def _tied(P: Problem, m: Method, rng: np.random.Generator) -> State:
    """A start whose coordinates all tie."""
    return State(x=P.x_star + rng.choice([-1.0, 1.0], size=P.d))


def _waits_for_ties(problem: Problem, state: State, draw: Any, new: State) -> State:
    """Coordinates that tie with one that is not moved do not move either."""
    off, moved = abs(problem.grad(state.x)), new.x != state.x
    bar = np.max(np.where(moved, 0, off), axis=-1, keepdims=True)
    return State(x=np.where(moved & (off > bar * (1 + 1e-9)), new.x, state.x))


TOP_K_FINISHES = Identity(
    source=SOURCE + "; finite termination by inspection",
    method=BiasedSGD,
    assumes=(round_ball,),
    allows=lambda P, m: (
        m.gamma == 1 and isinstance(m.estimator, Compressed) and isinstance(m.estimator.compressor, TopK)
    ),
    sides=_finished,
    start=_tied,
    steps=6,
    tune=lambda P, k=1: replace(_compressed(TopK)(P, k), gamma=1.0),
    claim=r"H=I,\ \gamma=1:\ x_{\lceil d/k\rceil}=x^\star",
    twins=(
        step_edit("entries that tie are dropped", _waits_for_ties),
        statement_with("one step earlier", sides=_one_step_early),
        with_fields("gamma = .9", lambda P, m: {"gamma": 0.9}),
    ),
)


# ------------------------------------------------------------------ scaling, GD, SGD


def _rescaled(power: float) -> Callable[[Problem, Method], Method]:
    """(2.5 g, gamma 2.5^power)."""
    return lambda P, m: BiasedSGD(gamma=m.gamma * 2.5**power, estimator=Scaled(m.estimator, 2.5))


SCALING = Identity(
    source=SOURCE,
    method=BiasedSGD,
    sides=against(_rescaled(-1)),
    tune=_compressed(TopK),
    claim=r"(\lambda g,\gamma)=(g,\lambda\gamma)",
    twins=(
        statement_with("gamma not divided", sides=against(_rescaled(0))),
        statement_with("gamma / lambda^2", sides=against(_rescaled(-2))),
    ),
)


def _gd_sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    start = GDState(x=path.states[0].x)
    return models(path), followed(P, GD(gamma=m.gamma), start, [None] * len(path.draws))


EQUALS_GD = Identity(
    source=SOURCE,
    method=BiasedSGD,
    allows=lambda P, m: isinstance(m.estimator, Exact),
    sides=_gd_sides,
    tune=lambda P: BiasedSGD(gamma=1 / P.L, estimator=Exact()),
    claim=r"g=\nabla f:\ \text{gradient descent}",
    twins=(
        with_fields("top-k instead", lambda P, m: {"estimator": Compressed(TopK(k=1))}),
        with_fields("scaled by 1.1", lambda P, m: {"estimator": Scaled(m.estimator, 1.1)}),
    ),
)


def _sgd_sides(shift: int = 0, scale: float = 1.0) -> Any:
    """SGD on the same minibatches; twins take those of another step, or another step size."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        draws = [SGDDraw(cohort=d.estimate.cohort, xi=d.estimate.xi) for d in path.draws]
        draws = draws[shift:] + draws[:shift]
        other = SGD(gamma=scale * m.gamma, batch=m.estimator.batch)
        return models(path), followed(P, other, GDState(x=path.states[0].x), draws)

    return sides


def _minibatch(P: Problem, batch: int = 1) -> BiasedSGD:
    if batch > P.n:
        raise ValueError(f"batch must be at most n = {P.n}, got {batch}")
    return BiasedSGD(gamma=0.5 / P.L_max, estimator=Minibatch(batch=batch))


EQUALS_SGD = Identity(
    source=SOURCE,
    method=BiasedSGD,
    allows=lambda P, m: isinstance(m.estimator, Minibatch),
    sides=_sgd_sides(),
    tune=_minibatch,
    claim=r"g=\frac1b\sum_{i\in B}\nabla f_i:\ \text{SGD on the same minibatches}",
    twins=(
        statement_with("minibatches of the step before", sides=_sgd_sides(shift=1)),
        statement_with("1.1 gamma", sides=_sgd_sides(scale=1.1)),
    ),
)
