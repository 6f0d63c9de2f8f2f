"""Gradient descent and minibatch SGD.

    GD    x' = x - gamma grad f(x)
    SGD   x' = x - gamma (1/b) sum_{i in B} (grad f_i(x) + noise_i),   B a uniform b-subset of the n components

Nesterov, "Lectures on Convex Optimization" (2018); Khaled and Richtárik (arXiv:2002.03329) for SGD
under expected smoothness.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, namespace
from proveout.laws import Joint, Law, Subset, Sure
from proveout.methods.blocks.costs import Cost

__all__ = ["GD", "SGD", "Draw", "NoDraw", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  model


class NoDraw(NamedTuple):
    nothing: Array  # (...,)  always 0: the method has no luck


class Draw(NamedTuple):
    cohort: Array  # (..., b)  components of the minibatch
    xi: Array  # (..., b, d)  their gradient noise


@dataclass(frozen=True, kw_only=True)
class GD:
    gamma: float  # step size

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0)

    def law(self, problem: Any) -> Law:
        return Joint(NoDraw(nothing=Sure(np.zeros(()))))

    def step(self, problem: Any, state: State, draw: NoDraw) -> State:
        return State(x=state.x - self.gamma * problem.grad(state.x))

    def cost(self, problem: Any, draw: NoDraw) -> Cost:
        one = 1 + 0 * draw.nothing
        return Cost(gradients=problem.n * one, up=problem.d * one, down=problem.d * one, rounds=one)


@dataclass(frozen=True, kw_only=True)
class SGD:
    gamma: float  # step size
    batch: int = 1  # components per step

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")
        if not self.batch >= 1:
            raise ValueError(f"batch must be >= 1, got {self.batch}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0)

    def law(self, problem: Any) -> Law:
        xi = problem.xi(self.batch, of="cohort")
        return Joint(Draw(cohort=Subset(problem.n, self.batch), xi=xi))

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        part = problem.at(draw.cohort).on(draw.xi)
        g = part.grads(state.x[..., None, :])
        return State(x=state.x - self.gamma * namespace(g).mean(g, axis=-2))

    def cost(self, problem: Any, draw: Draw) -> Cost:
        one = np.ones(draw.cohort.shape[:-1])
        return Cost(gradients=self.batch * one, up=problem.d * one, down=problem.d * one, rounds=one)
