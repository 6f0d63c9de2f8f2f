"""5GCS: accelerated local training with client sampling.

Grudzień, Malinovsky, Richtárik, "Can 5th generation local training methods support client sampling? Yes!"
(AISTATS 2023, arXiv:2212.14370).  With F_i = (f_i - (mu/2) |.|^2) / n, mu a lower bound of the strong convexity,

    f(x) = (1/n) sum_i f_i(x) = (mu/2) |x|^2 + sum_i F_i(x)  =  max_h  (mu/2) |x|^2 + sum_i <x, h_i> - F_i*(h_i).

The server keeps x and h_sum = sum_i h_i, client i its dual h_i (h*_i = grad F_i(x*), mu x* + sum_i h*_i = 0).
A round is a step of the method of Chambolle and Pock on a random cohort of C clients:

    server:           x_hat = (x - gamma h_sum) / (1 + gamma mu)                     (prox of the quadratic)
    each i in cohort: y_i ~ argmin_y F_i(y) + (gamma_dual/2) |y - (x_hat + h_i/gamma_dual)|^2
                      by a local solver that starts at x_hat;   h_i' = grad F_i(y_i)
    server:           h_sum' = h_sum + sum_{i in cohort} (h_i' - h_i)
                      x' = x_hat - gamma (n/C) (h_sum' - h_sum)

The solver is a record of `blocks/solvers`: GD(steps=K), K = 0 included (h_i' = grad F_i(x_hat), without local
training), AGD(steps=K), SVRG, or Exact(), K = infinity, a minibatch Point-SAGA.  Idle clients keep their h_i.

Paper -> code: M is n, u is h, v is h_sum, the dual step tau is gamma_dual, the cohort S has C = cohort clients.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, namespace, put, take, to_clients
from proveout.laws import Joint, Law, Subset
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.solvers import split

__all__ = ["Draw", "FiveGCS", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  server model
    h: Array  # (..., n, d)  duals of the clients
    h_sum: Array  # (..., d)  their sum, kept by the server


class Draw(NamedTuple):
    cohort: Array  # (..., C)  clients of this round
    luck: Array  # (..., K, C, batch)  minibatches of the local solver, if it has luck


@dataclass(frozen=True, kw_only=True)
class FiveGCS:
    gamma: float  # primal step
    gamma_dual: float  # dual step; its inverse is the parameter of the clients' prox
    mu: float  # lower bound of the strong convexity of the f_i
    cohort: int  # clients per round
    solver: Any  # local solver

    def __post_init__(self) -> None:
        for name in ("gamma", "gamma_dual"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.mu >= 0:
            raise ValueError(f"mu must be >= 0, got {self.mu}")
        if not self.cohort >= 1:
            raise ValueError(f"cohort must be >= 1, got {self.cohort}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0, h=0 * to_clients(x0, problem.n), h_sum=0 * x0)

    def law(self, problem: Any) -> Law:
        luck = self.solver.law(problem, self.cohort)
        return Joint(Draw(cohort=Subset(problem.n, self.cohort), luck=luck))

    def x_hat(self, state: State) -> Array:
        """What the server sends: (..., d)."""
        return (state.x - self.gamma * state.h_sum) / (1 + self.gamma * self.mu)

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        F, x_hat = split(problem, self.mu).at(draw.cohort), self.x_hat(state)
        h, start = take(state.h, draw.cohort), to_clients(x_hat, self.cohort)
        y = self.solver(F, self.gamma_dual, start + h / self.gamma_dual, start + 0 * h, draw.luck)
        h_new = F.grads(y)
        moved = namespace(h).sum(h_new - h, axis=-2)
        return State(
            x=x_hat - self.gamma * problem.n / self.cohort * moved,  # from x_hat; n/C on the change only
            h=put(state.h, draw.cohort, h_new),
            h_sum=state.h_sum + moved,
        )

    def cost(self, problem: Any, draw: Draw) -> Cost:
        one = 1 + 0 * draw.cohort[..., 0]
        local = self.solver.gradients(problem) + 1  # of one client: the solver's, and one at its answer
        return Cost(gradients=self.cohort * local * one, up=problem.d * one, down=problem.d * one, rounds=one)
