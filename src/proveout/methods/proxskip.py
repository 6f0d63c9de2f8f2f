"""ProxSkip, its consensus form Scaffnew, and CompressedScaffnew.

Mishchenko, Malinovsky, Stich, Richtárik, "ProxSkip: Yes! Local gradient steps provably lead to
communication acceleration! Finally!" (ICML 2022, arXiv:2202.09357).

*ProxSkip* minimises f(x) + r(x), r proximable (`problem.prox_r(v, t)`; a problem without one has r = 0):

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
(`blocks/masks`) with exactly s senders per coordinate and takes chi in place of 1; if theta = 1,

    x_i'    = (1/s) sum_j q_j x_hat_j,   h_i' = h_i + (p chi/gamma) q_i (x_i' - x_hat_i)

Paper -> code: the server average is taken of x_hat alone, as the shifts sum to zero; the mask's
columns are dealt out by a uniform order of the clients, `order[a]` is the client that gets column a.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, last, like, mean_clients, namespace, put, to_clients
from proveout.laws import Coin, Either, Joint, Law, Permutation, Sure
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.masks import template, uplink

__all__ = ["CompressedScaffnew", "Draw", "MaskedDraw", "ProxSkip", "Scaffnew", "State"]


class State(NamedTuple):
    x: Array  # (..., n, d)  client iterates; ProxSkip: (..., d)
    h: Array  # (..., n, d)  client shifts, summing to zero over clients; ProxSkip: (..., d)


class Draw(NamedTuple):
    theta: Array  # (...,)  bool: does this iteration communicate (take the prox)?


class MaskedDraw(NamedTuple):
    theta: Array  # (...,)  bool: does this iteration communicate?
    order: Array  # (..., n)  the client that gets column a of the template


def _check(method: Any) -> None:
    if not method.gamma > 0:
        raise ValueError(f"gamma must be > 0, got {method.gamma}")
    if not 0 < method.p <= 1:
        raise ValueError(f"p must lie in (0, 1], got {method.p}")


@dataclass(frozen=True, kw_only=True)
class ProxSkip:
    gamma: float  # step size
    p: float  # probability of taking the prox

    def __post_init__(self) -> None:
        _check(self)

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0, h=0 * x0)

    def law(self, problem: Any) -> Law:
        return Joint(Draw(theta=Coin(self.p)))

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        (x, h), (theta,), gamma, p = state, draw, self.gamma, self.p
        prox = getattr(problem, "prox_r", None)
        x_hat = x - gamma * (problem.grad(x) - h)
        moved = x_hat - gamma / p * h
        x_new = namespace(x).where(last(theta), moved if prox is None else prox(moved, gamma / p), x_hat)
        h_new = h + p / gamma * (x_new - x_hat)
        return State(x=x_new, h=h_new)

    def cost(self, problem: Any, draw: Draw) -> Cost:
        floats = problem.d * draw.theta
        return Cost(gradients=problem.n + 0 * draw.theta, up=floats, down=floats, rounds=1 * draw.theta)


@dataclass(frozen=True, kw_only=True)
class Scaffnew:
    gamma: float  # step size
    p: float  # probability of communicating

    def __post_init__(self) -> None:
        _check(self)

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


@dataclass(frozen=True, kw_only=True)
class CompressedScaffnew:
    gamma: float  # step size
    p: float  # probability of communicating
    chi: float  # step of the shifts, over p
    s: int  # senders per coordinate

    def __post_init__(self) -> None:
        _check(self)
        if not self.chi > 0:
            raise ValueError(f"chi must be > 0, got {self.chi}")
        if not self.s >= 2:
            raise ValueError(f"s must be >= 2, got {self.s}")

    def init(self, problem: Any, x0: Array) -> State:
        x = to_clients(x0, problem.n)
        return State(x=x, h=0 * x)

    def law(self, problem: Any) -> Law:
        n = problem.n
        order = Sure(np.arange(n)) if self.s == n else Permutation(n, of="clients")
        return Either("theta", MaskedDraw(theta=Coin(self.p), order=order), yes=("order",))

    def step(self, problem: Any, state: State, draw: MaskedDraw) -> State:
        (x, h), (theta, order), gamma, p = state, draw, self.gamma, self.p
        xp = namespace(x)
        columns = like(template(problem.d, problem.n, self.s).T, x)  # (n, d)
        q = put(0 * columns, order, columns)  # client order[a] gets column a
        x_hat = x - gamma * (problem.grads(x) - h)
        x_bar = xp.sum(q * x_hat, axis=-2, keepdims=True) / self.s
        x_new = xp.where(last(theta, 2), x_bar, x_hat)
        h_new = xp.where(last(theta, 2), h + p * self.chi / gamma * q * (x_bar - x_hat), h)
        return State(x=x_new, h=h_new)

    def cost(self, problem: Any, draw: MaskedDraw) -> Cost:
        theta = 1 * draw.theta
        return Cost(
            gradients=problem.n + 0 * theta,
            up=uplink(problem.d, problem.n, self.s) * theta,
            down=problem.d * theta,
            rounds=theta,
        )
