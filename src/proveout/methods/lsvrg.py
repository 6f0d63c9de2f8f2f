"""L-SVRG: variance reduction with an anchor that moves when a coin says so.

Kovalev, Horváth, Richtárik, "Don't jump through hoops and remove those loops: SVRG and Katyusha are better
without the outer loop" (arXiv:1901.08689).  Minimise (1/n) sum_i f_i(x); the anchor w is kept with its full
gradient g = grad f(w):

    j ~ uniform,  theta ~ Bernoulli(p)
    x' = x - gamma (grad f_j(x) - grad f_j(w) + g)
    theta = 1:   w' = x,  g' = grad f(x)        (the old x)
    theta = 0:   w' = w,  g' = g

A step costs two component gradients and n more at a refresh; `init` asks for n besides, to start with w = x0.
Read as a distributed method, component j is a client that gets x and sends its difference (d reals each way), and at
a refresh every client sends its gradient (d more).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, choose, last, namespace
from proveout.laws import Coin, Index, Joint, Law
from proveout.methods.blocks.costs import Cost

__all__ = ["LSVRG", "Draw", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  model
    w: Array  # (..., d)  anchor
    g: Array  # (..., d)  grad f(w)


class Draw(NamedTuple):
    j: Array  # (...,)  the component that is asked
    theta: Array  # (...,)  bool: is the anchor refreshed?


@dataclass(frozen=True, kw_only=True)
class LSVRG:
    gamma: float  # step size
    p: float  # probability of a refresh

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")
        if not 0 < self.p <= 1:
            raise ValueError(f"p must lie in (0, 1], got {self.p}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0, w=x0, g=problem.grad(x0))

    def law(self, problem: Any) -> Law:
        return Joint(Draw(j=Index(problem.n), theta=Coin(self.p)))

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        (x, w, g), (j, theta) = state, draw
        part = problem.at(j[..., None])
        moved = part.grads(x[..., None, :]) - part.grads(w[..., None, :])
        return State(
            x=x - self.gamma * (moved[..., 0, :] + g),
            w=namespace(x).where(last(theta), x, w),
            g=choose(theta, lambda x, g: problem.grad(x), lambda x, g: g, x, g),
        )

    def cost(self, problem: Any, draw: Draw) -> Cost:
        floats = problem.d * (1 + draw.theta)
        return Cost(gradients=2 + problem.n * draw.theta, up=floats, down=floats, rounds=1 + draw.theta)
