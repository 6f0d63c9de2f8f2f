"""TAMUNA: local training, compression and partial participation at once.

Condat, Agarský, Malinovsky, Richtárik (arXiv:2302.09832).  Minimise (1/n) sum_i f_i(x) over n clients,
of which a cohort of c takes part in a round; every coordinate is sent by exactly s of them (mask q,
`blocks/masks`).  The server keeps x, client i a control variate h_i, sum_i h_i = 0.

*Round form* (`Tamuna`), what is implemented:

    Omega ~ uniform c-subset of the clients;  q ~ columns of the template, permuted;  K ~ local steps
    each i in Omega:   x_i <- x;   K times:  x_i <- x_i - gamma (grad f_i(x_i) - h_i)
    server:            x'   = (1/s) sum_{i in Omega} q_i x_i
    each i in Omega:   h_i' = h_i + (p chi / gamma) q_i (x' - x_i)           (the same round, the same mask)

K is the same for the whole cohort: geometric, P(K = k) = (1-p)^(k-1) p, as the theory wants, or the
constant `local_steps`.  With a constant, minibatch gradients are allowed (`batch`).

*Iteration form* (`TamunaVirtual`), what the theorem speaks about: every client, idle ones too, holds x_i;

    x_hat_i = x_i - gamma (grad f_i(x_i) - h_i);   theta ~ Bernoulli(p)
    theta = 0:   x_i' = x_hat_i,  h_i' = h_i
    theta = 1:   draw Omega, q;   x_i' = x_bar = (1/s) sum_{i in Omega} q_i x_hat_i  for all i = 1..n,
                 h_i' = h_i + (p chi / gamma) q_i (x_bar - x_hat_i)

Drawing Omega at the end of a round instead of its beginning changes no law that is used.  The theory
asks 0 < gamma < 2/L and 0 < chi <= n (s-1) / (s (n-1)): n, not c.

Paper -> code: the paper's eta is p chi.  s = c is the first version of the paper, c = n is
CompressedScaffnew, s = c = n with chi = 1 is Scaffnew.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, last, namespace, put, take, to_clients
from proveout.laws import Coin, Each, Either, Geometric, Joint, Law, Subset, Sure
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.masks import columns_law, senders, uplink

__all__ = ["Draw", "State", "Tamuna", "TamunaVirtual", "VirtualDraw", "VirtualState"]


class State(NamedTuple):
    x: Array  # (..., d)  server model
    h: Array  # (..., n, d)  control variates, summing to zero over clients


class Draw(NamedTuple):
    cohort: Array  # (..., c)  clients of this round
    columns: Array  # (..., c)  the template's column of each
    steps: Array  # (...,)  local steps of this round
    xi: Array  # (..., K, c, batch)  minibatches of the K local steps


class VirtualState(NamedTuple):
    x: Array  # (..., n, d)  iterates of all clients
    h: Array  # (..., n, d)  control variates, summing to zero over clients


class VirtualDraw(NamedTuple):
    theta: Array  # (...,)  bool: does this iteration communicate?
    cohort: Array  # (..., c)
    columns: Array  # (..., c)
    xi: Array  # (..., n, batch)  minibatches


def _check(method: Any) -> None:
    if not method.gamma > 0:
        raise ValueError(f"gamma must be > 0, got {method.gamma}")
    if not 0 < method.p <= 1:
        raise ValueError(f"p must lie in (0, 1], got {method.p}")
    if not method.chi > 0:
        raise ValueError(f"chi must be > 0, got {method.chi}")
    if not 2 <= method.s <= method.cohort:
        raise ValueError(f"s must lie in 2..cohort = {method.cohort}, got {method.s}")
    if method.batch is not None and not method.batch >= 1:
        raise ValueError(f"batch must be >= 1 or None, got {method.batch}")


def _share(method: Any, problem: Any) -> float:
    """What one local gradient costs, in full local gradients."""
    return method.batch / problem.m if method.batch else 1


@dataclass(frozen=True, kw_only=True)
class Tamuna:
    gamma: float  # step size
    p: float  # inverse of the mean number of local steps
    chi: float  # step of the control variates, over p
    cohort: int  # clients per round
    s: int  # senders per coordinate; s = cohort: no compression
    local_steps: int | None = None  # None: geometric with mean 1/p
    batch: int | None = None  # samples per local gradient; None: all of them

    def __post_init__(self) -> None:
        _check(self)
        if self.local_steps is not None and not self.local_steps >= 1:
            raise ValueError(f"local_steps must be >= 1 or None, got {self.local_steps}")
        if self.batch is not None and self.local_steps is None:
            raise ValueError(
                "batch needs constant local_steps: the minibatches of a round are drawn before it"
            )

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0, h=0 * to_clients(x0, problem.n))

    def law(self, problem: Any) -> Law:
        K, c = self.local_steps, self.cohort
        return Joint(
            Draw(
                cohort=Subset(problem.n, c),
                columns=columns_law(c, self.s),
                steps=Geometric(self.p) if K is None else Sure(np.array(K)),
                xi=Each(K, problem.xi(c, self.batch, of="cohort"), of=None)
                if K and self.batch
                else Sure(np.zeros(1)),
            )
        )

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        gamma, xp = self.gamma, namespace(state.x)
        local, h = problem.at(draw.cohort), take(state.h, draw.cohort)
        x = to_clients(state.x, self.cohort)
        for k in range(int(draw.steps.max())):
            part = local.on(draw.xi[..., k, :, :]) if self.batch else local
            x = xp.where(last(k < draw.steps, 2), x - gamma * (part.grads(x) - h), x)
        q = senders(draw.columns, problem.d, self.s, x)
        x_bar = xp.sum(q * x, axis=-2) / self.s  # by s, not by c
        h_new = h + self.p * self.chi / gamma * q * (x_bar[..., None, :] - x)
        return State(x=x_bar, h=put(state.h, draw.cohort, h_new))

    def cost(self, problem: Any, draw: Draw) -> Cost:
        one = 1 + 0 * draw.steps
        return Cost(
            gradients=self.cohort * draw.steps * _share(self, problem),
            up=uplink(problem.d, self.cohort, self.s) * one,
            down=problem.d * one,
            rounds=one,
        )


@dataclass(frozen=True, kw_only=True)
class TamunaVirtual:
    gamma: float  # step size
    p: float  # probability of communicating
    chi: float  # step of the control variates, over p
    cohort: int  # clients per communication
    s: int  # senders per coordinate; s = cohort: no compression
    batch: int | None = None  # samples (or one noise vector) per gradient; None: exact gradients

    def __post_init__(self) -> None:
        _check(self)

    def init(self, problem: Any, x0: Array) -> VirtualState:
        x = to_clients(x0, problem.n)
        return VirtualState(x=x, h=0 * x)

    def law(self, problem: Any) -> Law:
        draw = VirtualDraw(
            theta=Coin(self.p),
            cohort=Subset(problem.n, self.cohort),
            columns=columns_law(self.cohort, self.s),
            xi=problem.xi(problem.n, self.batch) if self.batch else Sure(np.zeros((problem.n, 1)), of=None),
        )
        return Either("theta", draw, yes=("cohort", "columns"))

    def step(self, problem: Any, state: VirtualState, draw: VirtualDraw) -> VirtualState:
        (x, h), gamma, xp = state, self.gamma, namespace(state.x)
        theta = last(draw.theta, 2)
        part = problem.on(draw.xi) if self.batch else problem
        x_hat = x - gamma * (part.grads(x) - h)
        sent, kept = take(x_hat, draw.cohort), take(h, draw.cohort)
        q = senders(draw.columns, problem.d, self.s, x)
        x_bar = xp.sum(q * sent, axis=-2, keepdims=True) / self.s  # by s, not by c
        corrected = kept + self.p * self.chi / gamma * q * (x_bar - sent)
        x_new = xp.where(theta, x_bar, x_hat)
        h_new = xp.where(theta, put(h, draw.cohort, corrected), h)
        return VirtualState(x=x_new, h=h_new)

    def cost(self, problem: Any, draw: VirtualDraw) -> Cost:
        theta = 1 * draw.theta
        return Cost(
            gradients=problem.n * _share(self, problem) + 0 * theta,
            up=uplink(problem.d, self.cohort, self.s) * theta,
            down=problem.d * theta,
            rounds=theta,
        )
