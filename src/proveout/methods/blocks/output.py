"""A random iterate as the output, as theorems about averages over a trajectory ask for it.

    after T steps, x = x_i with probability w_i / sum_{j<T} w_j,   i = 0, .., T-1

by a coin per step: at step t the current model replaces the output with probability w_t / sum_{i<=t} w_i.
The weight w_i of version i is the number of its jobs; `adaptive`: the total step of its jobs, which nature's
schedule fixes in advance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, last, namespace
from proveout.laws import Coin, Joint, Law
from proveout.methods.blocks.costs import Cost

__all__ = ["Coins", "Draw", "RandomIterate", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  the output
    inner: Any  # state of the method; its x is the current model


class Draw(NamedTuple):
    inner: Any  # draw of the method
    chosen: Array  # (...,)  bool: does the current model become the output?


@dataclass(frozen=True, eq=False)
class Coins(Law):
    """One coin per step, with its own probability."""

    chance: Callable[[int], Array]  # stop -> probabilities of steps 0..stop-1

    size = 2

    def at(self, t: int) -> Law:
        return Coin(float(self.chance(t + 1)[t]))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return self.at(0).sample(rng, shape)

    def atoms(self) -> tuple[Array, Array]:
        prob, theta = self.at(0).atoms()
        return prob, theta

    def block(self, rng: np.random.Generator, start: int, steps: int) -> Array:
        return np.asarray(rng.random(steps) < self.chance(start + steps)[start:])


@dataclass(frozen=True)
class RandomIterate:
    base: Any  # OrMo, OrMoDA, ASGD: a method with `step_sizes`
    adaptive: bool = False

    @property
    def gamma(self) -> float:
        return float(self.base.gamma)

    @property
    def gamma_eff(self) -> float:
        return float(self.base.gamma_eff)

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0, inner=self.base.init(problem, x0))

    def law(self, problem: Any) -> Law:
        coins = Coins(lambda stop: _chances(self, problem, stop))
        return Joint(Draw(inner=self.base.law(problem), chosen=coins))

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        x = namespace(state.x).where(last(draw.chosen), state.inner.x, state.x)
        return State(x=x, inner=self.base.step(problem, state.inner, draw.inner))

    def cost(self, problem: Any, draw: Draw) -> Cost:
        cost: Cost = self.base.cost(problem, draw.inner)
        return cost

    def weights(self, problem: Any, stop: int) -> Array:
        """w_0, .., w_{stop-1}."""
        jobs = problem.clock.jobs(stop)
        steps = self.base.step_sizes(jobs.delay, problem.workers) if self.adaptive else None
        return np.bincount(jobs.index, weights=steps, minlength=stop).astype(float)


def _chances(method: RandomIterate, problem: Any, stop: int) -> Array:
    return _all_chances(method, problem, max(64, 1 << (stop - 1).bit_length()))[:stop]


@lru_cache(maxsize=64)
def _all_chances(method: RandomIterate, problem: Any, stop: int) -> Array:
    w = method.weights(problem, stop)
    return w / np.cumsum(w)
