"""Synchronous momentum SGD with K workers, in two forms.

*SSGDmRounds*: one step is a round; the sum of all gradients enters, so gamma multiplies a single one,

    u' = beta u + gamma sum_k g_k,   x' = x - u'                     (wall clock: the slowest worker)

*SSGDm*: one gradient at a time, for a synchronous clock (`barrier`), whose rounds start at K | t:

    if K | t:    x = x - beta u;  u = beta u
    u' = u + gamma g,   x' = x - gamma g;   the model is sent when the round is over
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, namespace, to_clients
from proveout.laws import Joint, Law
from proveout.methods.blocks import jobs
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.ranges import step_and_momentum

__all__ = ["RoundDraw", "RoundState", "SSGDm", "SSGDmRounds", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  model
    u: Array  # (..., d)  momentum, step inside
    sent: Array  # (..., K, d)  the model of the round
    index: Array  # (..., K)  its version
    t: int


class RoundState(NamedTuple):
    x: Array  # (..., d)
    u: Array  # (..., d)


class RoundDraw(NamedTuple):
    xi: Array  # (..., K, .)  noise of the round's gradients
    seconds: Array  # (...,)  duration of the round


@dataclass(frozen=True, kw_only=True)
class SSGDm:
    gamma: float  # multiplies each single gradient
    beta: float = 0.9

    def __post_init__(self) -> None:
        step_and_momentum(self)

    @property
    def gamma_eff(self) -> float:
        return self.gamma / (1 - self.beta)

    def init(self, problem: Any, x0: Array) -> State:
        sent, index = jobs.start(problem, x0)
        return State(x=x0, u=0 * x0, sent=sent, index=index, t=0)

    def law(self, problem: Any) -> Law:
        return jobs.law(problem)

    def step(self, problem: Any, state: State, draw: jobs.Draw) -> State:
        x, u, sent, index, t = state
        if t % problem.workers == 0:
            x, u = x - self.beta * u, self.beta * u
        _, g = jobs.arrival(problem, sent, index, draw)
        u_new, x_new = u + self.gamma * g, x - self.gamma * g
        sent, index = jobs.reply(sent, index, draw.event, x_new, t + 1)
        return State(x=x_new, u=u_new, sent=sent, index=index, t=t + 1)

    def cost(self, problem: Any, draw: jobs.Draw) -> Cost:
        return jobs.cost(problem, draw)


@dataclass(frozen=True, kw_only=True)
class SSGDmRounds:
    gamma: float  # multiplies each single gradient
    beta: float = 0.9

    def __post_init__(self) -> None:
        step_and_momentum(self)

    @property
    def gamma_eff(self) -> float:
        return self.gamma / (1 - self.beta)

    def init(self, problem: Any, x0: Array) -> RoundState:
        return RoundState(x=x0, u=0 * x0)

    def law(self, problem: Any) -> Law:
        return Joint(RoundDraw(xi=problem.xi(problem.workers), seconds=problem.clock.rounds()))

    def step(self, problem: Any, state: RoundState, draw: RoundDraw) -> RoundState:
        x, u = state
        g = problem.on(draw.xi).grads(to_clients(x, problem.workers))
        u_new = self.beta * u + self.gamma * namespace(g).sum(g, axis=-2)
        return RoundState(x=x - u_new, u=u_new)

    def cost(self, problem: Any, draw: RoundDraw) -> Cost:
        one = 0 * draw.seconds + 1
        return Cost(
            gradients=problem.workers * one,
            up=problem.d * one,
            down=problem.d * one,
            rounds=one,
            seconds=draw.seconds,
        )
