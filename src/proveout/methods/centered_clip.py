"""Robust SGD with worker momentum.

Karimireddy, He, Jaggi, "Learning from history for Byzantine robust optimization" (ICML 2021,
arXiv:2012.10333).  n workers, the last n_byz of them Byzantine; f is the mean over the good ones.

    each good worker:   g_i = grad f_i(x; xi_i)
                        u_i' = beta u_i + (1 - beta) g_i,   u_i' = g_i in the first step
                        send u_i'
    each bad worker:    send anything (the problem's `attack`)
    server:             v' = rule(messages; center v),   x' = x - gamma v'

The rule is a block (`blocks/aggregators`); centered clipping starts at its own previous output v, which
is therefore a field of the state.  With the mean and n_byz = 0 this is momentum SGD in averaging form,
with beta = 0 minibatch SGD.

Paper -> code: eta is gamma, tau is `lam`, m is u, 1 - beta is the paper's alpha.  Byzantine workers keep
an honest momentum too: it is what an attack on "the own message" turns around.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, to_clients
from proveout.laws import Joint, Law, Sure
from proveout.methods.blocks.aggregators import Mean
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.ranges import step_and_momentum
from proveout.problems.attacks import Context, forge

__all__ = ["Draw", "RobustMomentumSGD", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  server model
    u: Array  # (..., n, d)  worker momenta
    v: Array  # (..., d)  last aggregate, center of the next one
    memory: Any  # of the attack
    t: int  # clock


class Draw(NamedTuple):
    xi: Any  # gradient noise or minibatches of all workers
    rule: Any  # of a randomised rule
    attack: Any  # of a randomised attack


@dataclass(frozen=True, kw_only=True)
class RobustMomentumSGD:
    gamma: float  # step size
    beta: float = 0.9  # momentum
    rule: Any = field(default_factory=Mean)
    batch: int | None = None  # samples per worker; None: all (quadratics: their noise)

    def __post_init__(self) -> None:
        step_and_momentum(self)

    def init(self, problem: Any, x0: Array) -> State:
        attack = getattr(problem, "attack", None)
        return State(
            x=x0,
            u=0 * to_clients(x0, problem.n),
            v=0 * x0,
            memory=None if attack is None else attack.init(problem, x0),
            t=0,
        )

    def law(self, problem: Any) -> Law:
        attack = getattr(problem, "attack", None)
        return Joint(
            Draw(
                xi=problem.xi(problem.n, self.batch),
                rule=self.rule.law(problem.n),
                attack=Sure(np.zeros(())) if attack is None else attack.law(problem, problem.n),
            )
        )

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        (x, u, v, memory, t), (gamma, beta) = state, (self.gamma, self.beta)
        g = problem.on(draw.xi).grads(x[..., None, :])
        u_new = g if t == 0 else beta * u + (1 - beta) * g
        sent, memory = self.messages(problem, state, u_new, draw)
        v_new = self.rule(sent, getattr(problem, "n_byz", 0), v, draw.rule)
        return State(x=x - gamma * v_new, u=u_new, v=v_new, memory=memory, t=t + 1)

    def messages(self, problem: Any, state: State, u_new: Array, draw: Draw) -> tuple[Array, Any]:
        """What arrives at the server, (..., n, d), and the attack's memory."""
        if getattr(problem, "attack", None) is None:
            return u_new, state.memory
        n_byz, radii = problem.n_byz, getattr(self.rule, "radii", None)
        context = Context(
            honest=u_new,
            byzantine=problem.byzantine,
            x=state.x,
            g=state.v,
            gamma=self.gamma,
            radius=None if radii is None else radii[0],
            aggregate=lambda sent: self.rule(sent, n_byz, state.v, draw.rule),
        )
        return forge(problem, context, state.memory, draw.attack)

    def cost(self, problem: Any, draw: Draw) -> Cost:
        each = 1 if self.batch is None else self.batch
        return Cost(gradients=problem.n * each, up=problem.d, down=problem.d, rounds=1)
