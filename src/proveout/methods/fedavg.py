"""FedAvg with client sampling, its special cases, and FedProx.

McMahan et al. (arXiv:1602.05629); Malinovsky, Mishchenko, Richtárik (Nastya, arXiv:2201.11066); Mishchenko, Khaled,
Richtárik (FedRR, arXiv:2102.06704); Li et al. (FedProx, arXiv:1812.06127).

*FedAvg*.  f = (1/n) sum_i f_i, f_i = (1/m) sum_j f_ij.  One round:

    S ~ uniform C-subset of the clients, fresh in every round
    each i in S:  y <- x;   K times  y <- y - gamma g(y);   g_i = (x - y)/(gamma K)
    x' = x - gamma_global (1/C) sum_S g_i              gamma_global = gamma K (the default): x' = mean of the y's

The local gradient g(y) is, by `order`:

    "full"   grad f_i(y), K = local_steps
    "pass"   grad f_{i,pi_k}(y) along one fresh uniform order pi of the components, K = m
    "iid"    the gradient of `batch` samples drawn with repeats (or a noisy one), K = local_steps: local SGD

C = n with "pass" is Nastya, with the default gamma_global FedRR; C = n with "full" and K = 1 is gradient descent.

*FedProx*.  y_i = argmin f_i(y) + |y - x|^2/(2 gamma_prox), or `local_steps` gradient steps of size gamma on it;
x' = mean of the y_i.  Neither method has x* as a fixed point once clients differ and work locally.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, namespace, to_clients
from proveout.laws import Each, Joint, Law, Permutation, Subset, Sure
from proveout.methods.blocks.costs import Cost

__all__ = ["Draw", "FedAvg", "FedProx", "ProxDraw", "State"]

ORDERS = ("full", "pass", "iid")


class State(NamedTuple):
    x: Array  # (..., d)  model


class Draw(NamedTuple):
    cohort: Array  # (..., C)  clients of the round
    data: Array  # pass: (..., C, m) orders; iid: (..., K, C, batch) samples, or (..., K, C, d) noise; full: (..., 1)


class ProxDraw(NamedTuple):
    cohort: Array  # (..., C)


def _check(method: Any) -> None:
    if not method.cohort >= 1:
        raise ValueError(f"cohort must be >= 1, got {method.cohort}")
    for name in ("gamma", "gamma_global", "gamma_prox"):
        value = getattr(method, name, None)
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be > 0, got {value}")


@dataclass(frozen=True, kw_only=True)
class FedAvg:
    gamma: float  # client step
    cohort: int  # clients per round
    order: str = "full"  # what a local step sees: "full", "pass" or "iid"
    local_steps: int | None = None  # K; of a pass it is m
    gamma_global: float | None = None  # server step; None: gamma K, the plain average
    batch: int = 1  # samples of an i.i.d. step

    def __post_init__(self) -> None:
        _check(self)
        if self.order not in ORDERS:
            raise ValueError(f"order must be one of {', '.join(ORDERS)}, got {self.order!r}")
        if self.local_steps is not None and (self.order == "pass" or not self.local_steps >= 1):
            raise ValueError(f"local_steps must be >= 1, and None for a pass, got {self.local_steps}")
        if not self.batch >= 1:
            raise ValueError(f"batch must be >= 1, got {self.batch}")

    def steps(self, problem: Any) -> int:
        """K, the local steps of a round."""
        return int(problem.m) if self.order == "pass" else self.local_steps or 1

    def server_step(self, problem: Any) -> Any:
        return self.gamma * self.steps(problem) if self.gamma_global is None else self.gamma_global

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0)

    def law(self, problem: Any) -> Law:
        return Joint(Draw(cohort=Subset(problem.n, self.cohort), data=self._data(problem)))

    def _data(self, problem: Any) -> Law:
        if self.order == "iid":
            return Each(self.steps(problem), problem.xi(self.cohort, batch=self.batch, of="cohort"), of=None)
        if self.order == "full":
            return Sure(np.zeros(1))
        if not getattr(problem, "even", True):
            raise ValueError(
                "every client must have equally many components for a pass, got uneven or sparse samples"
            )
        if problem.m == 1:
            return Sure(np.zeros((self.cohort, 1), dtype=int))
        return Each(self.cohort, Permutation(problem.m), of="cohort")

    def _part(self, local: Any, data: Array, k: int) -> Any:
        """The problem that local step k sees."""
        if self.order == "full":
            return local
        return local.on(data[..., k : k + 1] if self.order == "pass" else data[..., k, :, :])

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        x, K = state.x, self.steps(problem)
        local, y, total = problem.at(draw.cohort), to_clients(x, self.cohort), 0
        for k in range(K):
            g = self._part(local, draw.data, k).grads(y)
            y, total = y - self.gamma * g, total + g
        return State(x=x - self.server_step(problem) / K * namespace(x).mean(total, axis=-2))

    def cost(self, problem: Any, draw: Draw) -> Cost:
        one, K = np.ones(draw.cohort.shape[:-1]), self.steps(problem)
        share = {"full": K, "pass": 1, "iid": K * min(self.batch, problem.m) / problem.m}[self.order]
        return Cost(gradients=self.cohort * share * one, up=problem.d * one, down=problem.d * one, rounds=one)


@dataclass(frozen=True, kw_only=True)
class FedProx:
    gamma_prox: float  # prox parameter
    cohort: int  # clients per round
    gamma: float | None = None  # step of an inexact local solver
    local_steps: int | None = None  # its steps; None: the exact prox

    def __post_init__(self) -> None:
        _check(self)
        if (self.gamma is None) != (self.local_steps is None):
            raise ValueError(
                f"give gamma and local_steps or neither, got {self.gamma} and {self.local_steps}"
            )
        if self.local_steps is not None and not self.local_steps >= 1:
            raise ValueError(f"local_steps must be >= 1, got {self.local_steps}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0)

    def law(self, problem: Any) -> Law:
        return Joint(ProxDraw(cohort=Subset(problem.n, self.cohort)))

    def step(self, problem: Any, state: State, draw: ProxDraw) -> State:
        local, start = problem.at(draw.cohort), to_clients(state.x, self.cohort)
        y = start if self.local_steps else local.prox(start, self.gamma_prox)
        for _ in range(self.local_steps or 0):
            y = y - self.gamma * (local.grads(y) + (y - start) / self.gamma_prox)
        return State(x=namespace(y).mean(y, axis=-2))

    def cost(self, problem: Any, draw: ProxDraw) -> Cost:
        """The gradients of the inexact solver; an exact prox counts none."""
        one = np.ones(draw.cohort.shape[:-1])
        gradients = self.cohort * (self.local_steps or 0) * one
        return Cost(gradients=gradients, up=problem.d * one, down=problem.d * one, rounds=one)
