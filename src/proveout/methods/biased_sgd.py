"""SGD with a biased gradient estimator.

Demidovich, Malinovsky, Sokolov, Richtárik, "A guide through the zoo of biased SGD" (NeurIPS 2023,
arXiv:2305.16296).  Minimise f, bounded below by f*.

    draw xi,    g = g(x; xi)                  (E g need not be grad f(x))
    x' = x - gamma g

The estimator is a block (`blocks/estimators`, `blocks/clientwise`): compressed gradients, minibatches, sampled clients.
It has no memory; everything but x, its cost included, is its own affair.  `ScheduledSGD` takes gamma = schedule.at(t)
in step t (`blocks/schedules`) and so counts its steps.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proveout.arrays import Array
from proveout.laws import Joint, Law
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.estimators import Exact, asked

__all__ = ["BiasedSGD", "Counted", "Draw", "ScheduledSGD", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  model


class Counted(NamedTuple):
    x: Array  # (..., d)  model
    t: int  # steps so far


class Draw(NamedTuple):
    estimate: Any  # the estimator's draw


@dataclass(frozen=True, kw_only=True)
class BiasedSGD:
    gamma: float  # step size
    estimator: Any = field(default_factory=Exact)

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0)

    def law(self, problem: Any) -> Law:
        return Joint(Draw(estimate=self.estimator.law(problem)))

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        g = self.estimator(problem, state.x, draw.estimate)
        return State(x=state.x - self.gamma * g)

    def cost(self, problem: Any, draw: Draw) -> Cost:
        return _cost(self.estimator, problem, draw)


@dataclass(frozen=True, kw_only=True)
class ScheduledSGD:
    schedule: Any  # at(t) -> step size
    estimator: Any = field(default_factory=Exact)

    def init(self, problem: Any, x0: Array) -> Counted:
        return Counted(x=x0, t=0)

    def law(self, problem: Any) -> Law:
        return Joint(Draw(estimate=self.estimator.law(problem)))

    def step(self, problem: Any, state: Counted, draw: Draw) -> Counted:
        (x, t), gamma = state, self.schedule.at(state.t)
        return Counted(x=x - gamma * self.estimator(problem, x, draw.estimate), t=t + 1)

    def cost(self, problem: Any, draw: Draw) -> Cost:
        return _cost(self.estimator, problem, draw)


def _cost(e: Any, problem: Any, draw: Draw) -> Cost:
    return Cost(
        gradients=asked(e, problem, getattr(draw, "estimate", None)),
        up=e.floats(problem),
        down=problem.d,
        rounds=1,
        bits=e.bits(problem),
    )
