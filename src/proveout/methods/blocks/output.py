"""The average over a trajectory that nonconvex theorems speak of, carried along.

A theorem about a random iterate, x_i with probability w_i / sum_{j<T} w_j, i < T, bounds the mean

    sum_{i<T} w_i |grad f(x_i)|^2 / sum_{i<T} w_i;

`Averaged` runs a method and keeps this number, so that "after N steps" means something for it.  The weight
w_i of version i is the number of its jobs; `adaptive`: the total step of its jobs, which nature's schedule
fixes in advance.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.laws import Law
from proveout.methods.blocks.costs import Cost

__all__ = ["Averaged", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  current model
    mean: Array  # (...,)  weighted mean of |grad f|^2 over the models before it
    inner: Any  # state of the method


@dataclass(frozen=True)
class Averaged:
    base: Any  # OrMo, OrMoDA, ASGD: a method with `step_sizes`
    adaptive: bool = False

    @property
    def gamma(self) -> float:
        return float(self.base.gamma)

    @property
    def gamma_eff(self) -> float:
        return float(self.base.gamma_eff)

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0, mean=sqnorm(problem.grad(x0)), inner=self.base.init(problem, x0))

    def law(self, problem: Any) -> Law:
        law: Law = self.base.law(problem)
        return law

    def step(self, problem: Any, state: State, draw: Any) -> State:
        t = state.inner.t
        share = float(_shares(self, problem, max(64, 1 << t.bit_length()))[t])
        mean = state.mean + share * (sqnorm(problem.grad(state.x)) - state.mean)
        inner = self.base.step(problem, state.inner, draw)
        return State(x=inner.x, mean=mean, inner=inner)

    def cost(self, problem: Any, draw: Any) -> Cost:
        """That of the method, and the full gradient that is measured."""
        cost: Cost = self.base.cost(problem, draw)
        return replace(cost, gradients=cost.gradients + problem.n)

    def weights(self, problem: Any, stop: int) -> Array:
        """w_0, .., w_{stop-1}."""
        jobs = problem.clock.jobs(stop)
        steps = self.base.step_sizes(jobs.delay, problem.workers) if self.adaptive else None
        return np.bincount(jobs.index, weights=steps, minlength=stop).astype(float)


@lru_cache(maxsize=64)
def _shares(method: Averaged, problem: Any, stop: int) -> Array:
    """w_t / sum_{i<=t} w_i, t < stop."""
    w = method.weights(problem, stop)
    return w / np.cumsum(w)
