"""SCAFFOLD: local steps corrected by control variates, under client sampling.

Karimireddy, Kale, Mohri, Reddi, Stich, Suresh, "SCAFFOLD: Stochastic controlled averaging for federated
learning" (arXiv:1910.06378).  Minimise (1/n) sum_i f_i(x).  The server keeps x and a control variate h_bar,
client i keeps h_i, and h_bar = (1/n) sum_i h_i at the start.  One round, K local steps:

    S ~ uniform C-subset of the clients
    each i in S:   y_i <- x;   K times:  y_i <- y_i - gamma (grad f_i(y_i) - h_i + h_bar)
                   option I    h_i' = grad f_i(x)
                   option II   h_i' = h_i - h_bar + (x - y_i) / (K gamma)
    server:        x'     = x + gamma_server (1/C) sum_{i in S} (y_i - x)
                   h_bar' = h_bar + (1/n) sum_{i in S} (h_i' - h_i)          (by n, not by C)
    i not in S:    h_i' = h_i

Paper -> code: eta_l is gamma, eta_g is gamma_server, c_i and c are h_i and h_bar; gradients are exact, so that
option I takes the first local gradient and asks for no other.  With K = 1 both options are one method.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, namespace, put, take, to_clients
from proveout.laws import Joint, Law, Subset
from proveout.methods.blocks.costs import Cost

__all__ = ["Draw", "Scaffold", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  server model
    h: Array  # (..., n, d)  control variates of the clients
    h_bar: Array  # (..., d)  control variate of the server


class Draw(NamedTuple):
    cohort: Array  # (..., C)  clients of this round


@dataclass(frozen=True, kw_only=True)
class Scaffold:
    gamma: float  # local step size
    cohort: int  # clients per round
    local_steps: int = 1
    gamma_server: float = 1.0  # step size of the server
    option: int = 2  # how the control variates are renewed: 1 or 2

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")
        if not self.cohort >= 1:
            raise ValueError(f"cohort must be >= 1, got {self.cohort}")
        if not self.local_steps >= 1:
            raise ValueError(f"local_steps must be >= 1, got {self.local_steps}")
        if not self.gamma_server > 0:
            raise ValueError(f"gamma_server must be > 0, got {self.gamma_server}")
        if self.option not in (1, 2):
            raise ValueError(f"option must be 1 or 2, got {self.option}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0, h=0 * to_clients(x0, problem.n), h_bar=0 * x0)

    def law(self, problem: Any) -> Law:
        return Joint(Draw(cohort=Subset(problem.n, self.cohort)))

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        x, (gamma, K), xp = state.x[..., None, :], (self.gamma, self.local_steps), namespace(state.x)
        local, h, h_bar = problem.at(draw.cohort), take(state.h, draw.cohort), state.h_bar[..., None, :]
        y = x + 0 * h
        first = g = local.grads(y)
        for k in range(K):
            g = local.grads(y) if k else first
            y = y - gamma * (g - h + h_bar)
        h_new = first if self.option == 1 else h - h_bar + 1 / (K * gamma) * (x - y)
        moved = xp.sum(h_new - h, axis=-2) / problem.n  # by n, not by C
        return State(
            x=state.x + self.gamma_server * xp.mean(y - x, axis=-2),
            h=put(state.h, draw.cohort, h_new),
            h_bar=state.h_bar + moved,
        )

    def cost(self, problem: Any, draw: Draw) -> Cost:
        one = np.ones(draw.cohort.shape[:-1])
        floats = 2 * problem.d * one  # model and control variate, both ways
        return Cost(gradients=self.cohort * self.local_steps * one, up=floats, down=floats, rounds=one)
