"""RR-CLI: federated learning with regularised client participation.

Malinovsky, Horváth, Burlachenko, Richtárik (arXiv:2302.03662).  Minimise f = (1/n) sum_i f_i, f_i = (1/m) sum_j f_ij.
C clients take part in a round (`cohort`, a divisor of n); R = n/C rounds are a *meta-epoch*, in which every client
takes part exactly once.  One step is one meta-epoch:

    cut the clients into cohorts S_0 .. S_{R-1}                       (`order`; a fresh uniform cut: reshuffle)
    x <- x_t
    for r = 0 .. R-1:                                                  (one communication round)
        each i in S_r:  pi <- an order of its m components             (`data`; a fresh uniform one)
            y <- x;   for j = 1 .. m:  y <- y - gamma grad f_{i,pi_j}(y);   g_i = (x - y)/(gamma m)
        x <- x - gamma_server (1/C) sum_{S_r} g_i
    x_{t+1} = x_t - gamma_global (x_t - x)/(gamma_server R)

Basic choice: gamma_server = gamma m (the round averages the y's, FedAvg) and gamma_global = gamma_server R (x_{t+1}
is the last x).  C = n: Nastya, whatever gamma_server.  n = C = 1: random reshuffling.

Paper -> code: M clients are n, their n components are m; gamma, eta, theta are gamma, gamma_server, gamma_global.
g_i is computed as the mean of the m gradients met, which it is, and (x_t - x)/(gamma_server R) as the mean of the R
cohort directions, so that tiny steps lose no digits.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, namespace, take, to_clients
from proveout.laws import Each, Joint, Law, Permutation, Split, Sure
from proveout.methods.blocks.costs import Cost

__all__ = ["RRCLI", "Draw", "State"]

ORDERS = ("reshuffle", "once", "cyclic")
DATA = ("reshuffle", "cyclic")


class State(NamedTuple):
    x: Array  # (..., d)  model


class Draw(NamedTuple):
    cohort: Array  # (..., R, C)  clients of the R rounds
    data: Array  # (..., n, m)  every client's order of its components


@dataclass(frozen=True, kw_only=True)
class RRCLI:
    gamma: float  # client step
    gamma_server: float  # cohort step
    gamma_global: float  # step of the meta-epoch
    cohort: int  # clients per round, a divisor of n
    order: Any = "reshuffle"  # "once": one cut, drawn with `seed`; "cyclic": by number; or n client numbers
    data: Any = "reshuffle"  # "cyclic": components by number; or (n, m) numbers
    seed: int = 0  # of the cut that is drawn once

    def __post_init__(self) -> None:
        for name in ("gamma", "gamma_server", "gamma_global"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.cohort >= 1:
            raise ValueError(f"cohort must be >= 1, got {self.cohort}")
        for name, known in (("order", ORDERS), ("data", DATA)):
            given = getattr(self, name)
            if isinstance(given, str) and given not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, or numbers; got {given!r}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0)

    def law(self, problem: Any) -> Law:
        """ValueError if the cohorts do not cut the clients, or clients have no components of equal number."""
        return Joint(Draw(cohort=self._cohorts(problem.n), data=self._data(problem)))

    def _cohorts(self, n: int) -> Law:
        if n % self.cohort:
            raise ValueError(f"cohort must divide n = {n}, got {self.cohort}")
        split = Split(n, self.cohort)
        if isinstance(self.order, str):
            if self.order == "reshuffle":
                return split
            rng = np.random.default_rng([self.seed, 0x0C])
            once = split.sample(rng, ()) if self.order == "once" else np.arange(n)
        else:
            once = np.ravel(self.order)
            if sorted(once.tolist()) != list(range(n)):
                raise ValueError(f"order must hold each of the clients 0..{n - 1} once, got {self.order}")
        return Sure(np.sort(once.reshape(-1, self.cohort), axis=-1))

    def _data(self, problem: Any) -> Law:
        n, m = problem.n, problem.m
        if not getattr(problem, "even", True):
            raise ValueError(
                "every client must have equally many components, got uneven or sparse samples:"
                " build the problem with parts=..., or with even=yes and sparse=no"
            )
        if isinstance(self.data, str):
            if self.data == "reshuffle" and m > 1:
                return Each(n, Permutation(m))
            return Sure(np.tile(np.arange(m), (n, 1)))
        rows = np.asarray(self.data)
        if rows.shape != (n, m) or (np.sort(rows, axis=-1) != np.arange(m)).any():
            raise ValueError(
                f"data must hold an order of 0..{m - 1} for each of {n} clients, got {self.data}"
            )
        return Sure(rows)

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        x, total, xp = state.x, 0, namespace(state.x)
        rounds = int(draw.cohort.shape[-2])
        for r in range(rounds):
            members = draw.cohort[..., r, :]
            g = xp.mean(self.directions(problem, x, members, take(draw.data, members)), axis=-2)
            x, total = x - self.gamma_server * g, total + g
        return State(x=state.x - self.gamma_global / rounds * total)

    def directions(self, problem: Any, x: Array, members: Array, order: Array) -> Array:
        """g_i of a cohort (..., C), each with its order (..., C, m), from one x (..., d): (..., C, d)."""
        local, y, total = problem.at(members), to_clients(x, self.cohort), 0
        m = int(order.shape[-1])
        for j in range(m):
            g = local.on(order[..., j : j + 1]).grads(y)
            y, total = y - self.gamma * g, total + g
        return total / m

    def cost(self, problem: Any, draw: Draw) -> Cost:
        """One pass over all data: n full local gradients, m components of each client at 1/m."""
        one = np.ones(draw.cohort.shape[:-2])
        rounds = problem.n // self.cohort
        return Cost(gradients=problem.n * one, up=problem.d * one, down=problem.d * one, rounds=rounds * one)
