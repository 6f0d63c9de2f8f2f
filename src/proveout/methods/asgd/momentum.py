"""Three ways to add momentum to asynchronous SGD without ordering it.

*NaiveASGDm*: heavy ball on whatever arrives,

    u' = beta u + gamma g,   x' = x - u'

*ShiftedMomentum* (Giladi et al., ICLR 2020, arXiv:1909.12340): the momentum is as stale as the gradient;
each worker has a copy v_k of the momentum that went with its model,

    u' = beta v_k + gamma g,   x' = x - u',   worker k is sent (x', u')

*SMEGA2* (Cohen, Hakimi, Schuster, ICPP 2022): the momentum is refreshed once in K arrivals, and workers
compute at a look-ahead.  State x, u, gradient sum G, s = t+1 mod K:

    G = G + g;   x' = x - gamma (g + beta u)                                            (old u)
    if s = 0:    u = beta u + G / K;   G = 0
    worker k is sent  x' - gamma beta [(K + s (beta - 1)) u + (s/K) G]      (u, G after the update)
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, last, namespace, take
from proveout.laws import Law
from proveout.methods.blocks import jobs
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.ranges import step_and_momentum

__all__ = ["SMEGA2", "NaiveASGDm", "NaiveState", "ShiftedMomentum", "ShiftedState", "SmegaState"]


class NaiveState(NamedTuple):
    x: Array  # (..., d)  model
    u: Array  # (..., d)  momentum, step inside
    sent: Array  # (..., K, d)  the model on which each worker computes
    index: Array  # (..., K)  its version
    t: int


class ShiftedState(NamedTuple):
    x: Array  # (..., d)  model
    sent: Array  # (..., K, d)  the model on which each worker computes
    v: Array  # (..., K, d)  the momentum that went with it, step inside
    index: Array  # (..., K)  its version
    t: int


class SmegaState(NamedTuple):
    x: Array  # (..., d)  model
    u: Array  # (..., d)  momentum, without the step
    total: Array  # (..., d)  sum G of the gradients since the last refresh
    sent: Array  # (..., K, d)  the look-ahead on which each worker computes
    index: Array  # (..., K)  version of the model behind it
    t: int


@dataclass(frozen=True, kw_only=True)
class NaiveASGDm:
    gamma: float  # multiplies each single gradient
    beta: float = 0.9

    def __post_init__(self) -> None:
        step_and_momentum(self)

    @property
    def gamma_eff(self) -> float:
        return self.gamma / (1 - self.beta)

    def init(self, problem: Any, x0: Array) -> NaiveState:
        sent, index = jobs.start(problem, x0)
        return NaiveState(x=x0, u=0 * x0, sent=sent, index=index, t=0)

    def law(self, problem: Any) -> Law:
        return jobs.law(problem)

    def step(self, problem: Any, state: NaiveState, draw: jobs.Draw) -> NaiveState:
        x, u, sent, index, t = state
        _, g = jobs.arrival(problem, sent, index, draw)
        u_new = self.beta * u + self.gamma * g
        x_new = x - u_new
        sent, index = jobs.reply(sent, index, draw.event, x_new, t + 1)
        return NaiveState(x=x_new, u=u_new, sent=sent, index=index, t=t + 1)

    def cost(self, problem: Any, draw: jobs.Draw) -> Cost:
        return jobs.cost(problem, draw)


@dataclass(frozen=True, kw_only=True)
class ShiftedMomentum:
    gamma: float  # multiplies each single gradient
    beta: float = 0.9

    def __post_init__(self) -> None:
        step_and_momentum(self)

    @property
    def gamma_eff(self) -> float:
        return self.gamma / (1 - self.beta)

    def init(self, problem: Any, x0: Array) -> ShiftedState:
        sent, index = jobs.start(problem, x0)
        return ShiftedState(x=x0, sent=sent, v=0 * sent, index=index, t=0)

    def law(self, problem: Any) -> Law:
        return jobs.law(problem)

    def step(self, problem: Any, state: ShiftedState, draw: jobs.Draw) -> ShiftedState:
        x, sent, v, index, t = state
        _, g = jobs.arrival(problem, sent, index, draw)
        u_new = self.beta * take(v, draw.event.worker[..., None])[..., 0, :] + self.gamma * g
        x_new = x - u_new
        v = namespace(v).where(last(draw.event.released), u_new[..., None, :], v)
        sent, index = jobs.reply(sent, index, draw.event, x_new, t + 1)
        return ShiftedState(x=x_new, sent=sent, v=v, index=index, t=t + 1)

    def cost(self, problem: Any, draw: jobs.Draw) -> Cost:
        return jobs.cost(problem, draw)


@dataclass(frozen=True, kw_only=True)
class SMEGA2:
    gamma: float  # multiplies each single gradient
    beta: float = 0.9

    def __post_init__(self) -> None:
        step_and_momentum(self)

    @property
    def gamma_eff(self) -> float:
        return self.gamma / (1 - self.beta)

    def init(self, problem: Any, x0: Array) -> SmegaState:
        sent, index = jobs.start(problem, x0)
        return SmegaState(x=x0, u=0 * x0, total=0 * x0, sent=sent, index=index, t=0)

    def law(self, problem: Any) -> Law:
        return jobs.law(problem)

    def step(self, problem: Any, state: SmegaState, draw: jobs.Draw) -> SmegaState:
        (x, u, total, sent, index, t), gamma, beta, K = state, self.gamma, self.beta, problem.workers
        _, g = jobs.arrival(problem, sent, index, draw)
        s = (t + 1) % K
        x_new = x - gamma * (g + beta * u)
        total = total + g
        if s == 0:
            u, total = beta * u + total / K, 0 * total
        ahead = x_new - gamma * beta * ((K + s * (beta - 1)) * u + s / K * total)
        sent, index = jobs.reply(sent, index, draw.event, ahead, t + 1)
        return SmegaState(x=x_new, u=u, total=total, sent=sent, index=index, t=t + 1)

    def cost(self, problem: Any, draw: jobs.Draw) -> Cost:
        return jobs.cost(problem, draw)
