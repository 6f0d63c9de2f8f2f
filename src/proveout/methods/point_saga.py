"""The two classical methods that meet in 5GCS: one random prox per step, and all of them.

*Point-SAGA*: Defazio, "A simple practical accelerated method for finite sums" (NeurIPS 2016).  Minimise
(mu/2) |x|^2 + (1/n) sum_i phi_i(x), phi_i = f_i - (mu/2) |.|^2; g_i is the gradient of phi_i where it was visited last.
With s = relax gamma,

    x_hat = (x - s mean(g)) / (1 + s mu)
    j ~ uniform;   z = x_hat + gamma g_j;   y = prox_{gamma phi_j}(z);   g_j' = (z - y)/gamma
    x'    = x_hat + relax (y - x_hat)

The published method is relax = 1, mu = 0: x' = prox_{gamma f_j}(x + gamma (g_j - mean(g))).

*Chambolle-Pock* (J. Math. Imaging Vis. 2011, theta = 1, extrapolated duals) on the same sum, F_i = phi_i / n:

    x'   = (x - gamma sum_i h_bar_i) / (1 + gamma mu)
    h_i' = prox_{gamma_dual F_i*}(h_i + gamma_dual x'),   h_bar' = 2 h' - h
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, mean_clients, namespace, put, take, to_clients
from proveout.laws import Index, Joint, Law, Sure
from proveout.methods.blocks.costs import Cost

__all__ = [
    "ChambollePock",
    "ChambollePockState",
    "NoDraw",
    "PointSAGA",
    "PointSAGADraw",
    "PointSAGAState",
]


class PointSAGAState(NamedTuple):
    x: Array  # (..., d)
    g: Array  # (..., n, d)  table of gradients


class PointSAGADraw(NamedTuple):
    j: Array  # (...,)  the function of this step


class ChambollePockState(NamedTuple):
    x: Array  # (..., d)
    h: Array  # (..., n, d)  duals
    h_bar: Array  # (..., n, d)  extrapolated duals


class NoDraw(NamedTuple):
    nothing: Array  # ()


def _check(method: Any, *names: str) -> None:
    for name in names:
        if not getattr(method, name) > 0:
            raise ValueError(f"{name} must be > 0, got {getattr(method, name)}")
    if not method.mu >= 0:
        raise ValueError(f"mu must be >= 0, got {method.mu}")


@dataclass(frozen=True, kw_only=True)
class PointSAGA:
    gamma: float  # prox parameter; gamma mu < 1
    mu: float = 0  # curvature that is taken out of the f_i
    relax: float = 1  # share of the way to the prox

    def __post_init__(self) -> None:
        _check(self, "gamma", "relax")
        if not self.gamma * self.mu < 1:
            raise ValueError(f"gamma mu must be < 1, got {self.gamma * self.mu}")

    def init(self, problem: Any, x0: Array) -> PointSAGAState:
        return PointSAGAState(x=x0, g=0 * to_clients(x0, problem.n))

    def law(self, problem: Any) -> Law:
        return Joint(PointSAGADraw(j=Index(problem.n)))

    def step(self, problem: Any, state: PointSAGAState, draw: PointSAGADraw) -> PointSAGAState:
        (x, g), gamma, s, j = state, self.gamma, self.relax * self.gamma, draw.j[..., None]
        x_hat = (x - s * mean_clients(g)[..., 0, :]) / (1 + s * self.mu)
        z = x_hat[..., None, :] + gamma * take(g, j)
        rest = 1 - gamma * self.mu  # prox_{gamma phi}(z) = prox_{gamma/rest f}(z/rest)
        y = problem.at(j).prox(z / rest, gamma / rest)
        return PointSAGAState(
            x=x_hat + self.relax * (y[..., 0, :] - x_hat),
            g=put(g, j, (z - y) / gamma),
        )

    def cost(self, problem: Any, draw: PointSAGADraw) -> Cost:
        one = 1 + 0 * draw.j
        return Cost(gradients=0 * one, up=problem.d * one, down=problem.d * one, rounds=one)


@dataclass(frozen=True, kw_only=True)
class ChambollePock:
    gamma: float  # primal step
    gamma_dual: float  # dual step; n gamma_dual must differ from mu
    mu: float  # curvature that is taken out of the f_i

    def __post_init__(self) -> None:
        _check(self, "gamma", "gamma_dual")

    def init(self, problem: Any, x0: Array) -> ChambollePockState:
        h = 0 * to_clients(x0, problem.n)
        return ChambollePockState(x=x0, h=h, h_bar=h)

    def law(self, problem: Any) -> Law:
        return Joint(NoDraw(nothing=Sure(np.zeros(()))))

    def step(self, problem: Any, state: ChambollePockState, draw: NoDraw) -> ChambollePockState:
        (x, h, h_bar), tau, n = state, self.gamma_dual, problem.n
        x_new = (x - self.gamma * namespace(h).sum(h_bar, axis=-2)) / (1 + self.gamma * self.mu)
        w = h + tau * x_new[..., None, :]
        rest = n * tau - self.mu  # prox_{F/tau}(w/tau) = prox_{f/rest}(n w/rest)
        h_new = w - tau * problem.prox(n * w / rest, 1 / rest)  # Moreau
        return ChambollePockState(x=x_new, h=h_new, h_bar=2 * h_new - h)

    def cost(self, problem: Any, draw: NoDraw) -> Cost:
        one = 1 + 0 * draw.nothing
        return Cost(gradients=0 * one, up=problem.d * one, down=problem.d * one, rounds=one)
