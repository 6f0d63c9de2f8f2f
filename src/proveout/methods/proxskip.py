"""ProxSkip and its consensus form Scaffnew.

Mishchenko, Malinovsky, Stich, Richtárik, "ProxSkip: Yes! Local gradient steps provably lead to
communication acceleration! Finally!" (ICML 2022, arXiv:2202.09357).

*ProxSkip* minimises f(x) + r(x), r proximable (`problem.prox_r(v, t)`; absent: r = 0):

    x_hat = x - gamma (grad f(x) - h)
    theta ~ Bernoulli(p)
    x'    = prox_{(gamma/p) r}(x_hat - (gamma/p) h)  if theta = 1  else  x_hat
    h'    = h + (p/gamma) (x' - x_hat)

*Scaffnew* is ProxSkip on the consensus problem (1/n) sum_i f_i: client i keeps x_i and a shift h_i,
sum_i h_i = 0, and the prox of the consensus constraint is the average:

    x_hat_i = x_i - gamma (grad f_i(x_i) - h_i)                (local step)
    theta ~ Bernoulli(p)                                       (one coin for everybody)
    x_i'    = mean_j x_hat_j  if theta = 1  else  x_hat_i      (communicate, or not)
    h_i'    = h_i + (p/gamma) (x_i' - x_hat_i)                 (correct the shift)

*CompressedScaffnew* (Condat, Agarský, Richtárik, arXiv:2210.13277) communicates through a mask q
with exactly s senders per coordinate and takes chi in place of 1:

    x_i'    = (1/s) sum_j q_j x_hat_j,   h_i' = h_i + (p chi/gamma) q_i (x_i' - x_hat_i)

Paper -> code: the server average is taken of x_hat alone, as the shifts sum to zero.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, last, mean_clients, namespace, to_clients
from proveout.laws import Coin, Joint, Law
from proveout.methods.blocks.costs import Cost

__all__ = ["Draw", "Scaffnew", "State"]


class State(NamedTuple):
    x: Array  # (..., n, d)  client iterates
    h: Array  # (..., n, d)  client shifts, summing to zero over clients


class Draw(NamedTuple):
    theta: Array  # (...,)  bool: does this iteration communicate?


@dataclass(frozen=True, kw_only=True)
class Scaffnew:
    gamma: float  # step size
    p: float  # probability of communicating

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")
        if not 0 < self.p <= 1:
            raise ValueError(f"p must lie in (0, 1], got {self.p}")

    def init(self, problem: Any, x0: Array) -> State:
        x = to_clients(x0, problem.n)
        return State(x=x, h=0 * x)

    def law(self, problem: Any) -> Law:
        return Joint(Draw(theta=Coin(self.p)))

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        (x, h), (theta,), gamma, p = state, draw, self.gamma, self.p
        xp = namespace(x)
        x_hat = x - gamma * (problem.grads(x) - h)
        x_bar = mean_clients(x_hat)
        x_new = xp.where(last(theta, 2), x_bar, x_hat)
        h_new = h + p / gamma * (x_new - x_hat)  # keeps sum_i h_i = 0
        return State(x=x_new, h=h_new)

    def cost(self, problem: Any, draw: Draw) -> Cost:
        floats = problem.d * draw.theta
        return Cost(gradients=problem.n + 0 * draw.theta, up=floats, down=floats, rounds=1 * draw.theta)
