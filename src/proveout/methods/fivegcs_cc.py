"""5GCS with compressed uplinks (5GCS-CC) and with arbitrary client sampling (5GCS-AB).

Grudzień, Malinovsky, Richtárik, "Improving accelerated federated learning with compression and importance
sampling" (arXiv:2306.03240); they extend 5GCS (arXiv:2212.14370).  Minimise f = (1/n) sum_i f_i; with
F_i = (f_i - (mu/2) |.|^2) / n the problem is (mu/2) |x|^2 + sum_i F_i(x), and client i keeps a dual h_i, at the
solution grad F_i(x*).  The server keeps x and the sum of all duals.  A solve of client i is

    y_i ~ argmin_y F_i(y) + (gamma_dual/2) |y - (x_hat + h_i/gamma_dual)|^2,    started at x_hat (`blocks/solvers`)

*5GCS-CC* compresses the change of the duals, Q_i unbiased with E|Q_i(v) - v|^2 <= omega |v|^2:

    x_hat = (x - gamma sum_i h_i) / (1 + gamma mu);   S ~ uniform subset of C clients
    i in S:   q_i = Q_i(grad F_i(y_i) - h_i)          (sent);       h_i' = h_i + q_i / (1 + omega)
    x'    = x_hat - gamma (n/C) sum_{i in S} q_i

*5GCS-AB* draws weights chi_i (`blocks/samplings`), may have one gamma_dual per client, and compresses nothing:

    i with chi_i > 0:   h_i' = grad F_i(y_i)          (h_i' - h_i is sent)
    x'    = x_hat - gamma sum_i chi_i (h_i' - h_i)

The duals of x' and of the running sum move differently: by chi_i, or n (1 + omega)/C, and by 1.

Paper -> code: tau is gamma_dual, u is h, v = sum_i u_i is h_sum, M is n, chi are the sampling's weights.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, last, like, namespace, put, take, to_clients
from proveout.laws import Joint, Law, Subset
from proveout.methods.blocks.compressors import Identity
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.solvers import Exact, split

__all__ = ["ABDraw", "Draw", "FiveGCSAB", "FiveGCSCC", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  server model
    h: Array  # (..., n, d)  duals of the clients
    h_sum: Array  # (..., d)  their sum


class Draw(NamedTuple):
    cohort: Array  # (..., C)  clients of this round
    sent: Any  # the compressors' draw, one row per client of the cohort
    luck: Any  # the solver's


class ABDraw(NamedTuple):
    cohort: Array  # who takes part, as the sampling draws it


def _check(method: Any) -> None:
    if not method.gamma > 0:
        raise ValueError(f"gamma must be > 0, got {method.gamma}")
    if not (np.asarray(method.gamma_dual, float) > 0).all():
        raise ValueError(f"gamma_dual must be > 0, got {method.gamma_dual}")
    if not method.mu >= 0:
        raise ValueError(f"mu must be >= 0, got {method.mu}")


def _start(problem: Any, x0: Array) -> State:
    return State(x=x0, h=0 * to_clients(x0, problem.n), h_sum=0 * x0)


@dataclass(frozen=True, kw_only=True)
class FiveGCSCC:
    gamma: float  # primal step size
    gamma_dual: float  # weight of the quadratic in a solve; the dual step size
    mu: float  # a lower bound of the strong convexity of the f_i
    cohort: int  # clients per round
    omega: float = 0.0  # variance that the duals' damping 1/(1 + omega) is made for
    compressor: Any = field(default_factory=Identity)
    solver: Any = field(default_factory=Exact)

    def __post_init__(self) -> None:
        _check(self)
        if not self.cohort >= 1:
            raise ValueError(f"cohort must be >= 1, got {self.cohort}")
        if not self.omega >= 0:
            raise ValueError(f"omega must be >= 0, got {self.omega}")

    def init(self, problem: Any, x0: Array) -> State:
        return _start(problem, x0)

    def law(self, problem: Any) -> Law:
        return Joint(
            Draw(
                cohort=Subset(problem.n, self.cohort),
                sent=self.compressor.law(self.cohort, problem.d),
                luck=self.solver.law(problem, self.cohort),
            )
        )

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        (x, h, h_sum), gamma, xp = state, self.gamma, namespace(state.x)
        x_hat = (x - gamma * h_sum) / (1 + gamma * self.mu)
        F, own = split(problem, self.mu).at(draw.cohort), take(h, draw.cohort)
        begin = to_clients(x_hat, self.cohort) + 0 * own
        y = self.solver(F, self.gamma_dual, begin + own / self.gamma_dual, begin, draw.luck)
        q = self.compressor(F.grads(y) - own, draw.sent)
        moved = q / (1 + self.omega)
        x_new = x_hat - gamma * problem.n / self.cohort * xp.sum(q, axis=-2)
        return State(x=x_new, h=put(h, draw.cohort, own + moved), h_sum=h_sum + xp.sum(moved, axis=-2))

    def cost(self, problem: Any, draw: Draw) -> Cost:
        one, Q = 1 + 0 * draw.cohort[..., 0], self.compressor
        return Cost(
            gradients=self.cohort * (1 + self.solver.gradients(problem)) * one,
            up=Q.floats(problem.d) * one,
            down=problem.d * one,
            rounds=one,
            bits=Q.bits(problem.d) * one,
        )


@dataclass(frozen=True, kw_only=True)
class FiveGCSAB:
    gamma: float  # primal step size
    gamma_dual: Any  # a number, or one per client, as a tuple
    mu: float  # a lower bound of the strong convexity of the f_i
    sampling: Any  # who takes part, with which weight: `blocks/samplings`
    solver: Any = field(default_factory=Exact)  # one without luck

    def __post_init__(self) -> None:
        _check(self)

    def init(self, problem: Any, x0: Array) -> State:
        return _start(problem, x0)

    def law(self, problem: Any) -> Law:
        return Joint(ABDraw(cohort=self.sampling.law(problem.n)))

    def duals(self, clients: Array, model: Array) -> Any:
        """gamma_dual of some clients: a number, or (..., c, 1)."""
        if np.ndim(self.gamma_dual) == 0:
            return self.gamma_dual
        return take(like(np.asarray(self.gamma_dual), model)[:, None], clients)

    def step(self, problem: Any, state: State, draw: ABDraw) -> State:
        (x, h, h_sum), gamma, xp = state, self.gamma, namespace(state.x)
        x_hat = (x - gamma * h_sum) / (1 + gamma * self.mu)
        clients, chi = self.sampling.members(draw.cohort, h)
        if not clients.shape[-1]:  # nobody came
            return State(x=x_hat, h=h, h_sum=h_sum)
        own, tau = take(h, clients), self.duals(clients, h)
        F = split(problem, self.mu, _smoothness(problem, h)).at(clients)
        begin = to_clients(x_hat, clients.shape[-1]) + 0 * own
        y = self.solver(F, tau, begin + own / tau, begin)
        moved = xp.where(last(chi) > 0, F.grads(y) - own, 0 * own)
        x_new = x_hat - gamma * xp.sum(last(chi) * moved, axis=-2)
        return State(x=x_new, h=put(h, clients, own + moved), h_sum=h_sum + xp.sum(moved, axis=-2))

    def cost(self, problem: Any, draw: ABDraw) -> Cost:
        who = self.sampling.size(draw.cohort)
        reals = problem.d * (who > 0)
        return Cost(
            gradients=who * (1 + self.solver.gradients(problem)),
            up=reals,
            down=reals,
            rounds=1 + 0 * who,
        )


def _smoothness(problem: Any, model: Array) -> Any:
    """L_i of the clients, (n, 1), where they are known; else L_max."""
    L = getattr(problem, "L_i", None)
    return problem.L_max if L is None else like(np.asarray(L), model)[:, None]
