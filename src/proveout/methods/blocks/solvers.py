"""Local solvers of min_y psi_i(y), psi_i(y) = F_i(y) + (tau_i/2) |y - center_i|^2, one problem per client.

    y = solver(F, tau, center, start, luck)      (..., n, d) each; tau one number, or one per client (..., n, 1)

F is a small view of a problem or of a cohort (`split`): F_i(y) = (f_i(y) - (mu/2) |y|^2) / n is convex and
F.L-smooth, psi_i is tau_i-strongly convex and (F.L + tau_i)-smooth.  A solver knows F.grads, F.prox and F.L alone.

    GD(steps)       y <- y - grad psi(y) / (F.L + tau):  |y_K - y*| <= (1 - 1/kappa)^K |start - y*|, kappa = (F.L + tau)/tau
    AGD(steps)      the same at z, z <- y' + beta (y' - y), beta = (sqrt(kappa) - 1) / (sqrt(kappa) + 1)  (Nesterov)
    Exact()         the minimiser, from F.prox
    SVRG(...)       passes of variance-reduced steps over minibatches of the client's own samples

A solver with luck offers it as a law (`law(problem, rows)`, leading axis of the draw's minibatches: the local
step) and is handed its draw; the others have the law of nothing and ignore `luck`.  `gradients(problem)` is what
a solve costs a client, in full local gradients.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array, take
from proveout.laws import Each, Law, Sure

__all__ = ["AGD", "GD", "SVRG", "Exact", "Shifted", "slope", "split"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifted:
    """F_i = (f_i - (mu/2) |.|^2) / n of the clients that `problem` holds."""

    problem: Any  # the whole problem, or `at` a cohort of it, or `on` samples
    mu: Any  # a lower bound of the strong convexity of the f_i
    n: int  # clients of the whole problem
    L: Any  # smoothness of the F_i: a number, or one per client (..., n, 1)

    def grads(self, y: Array) -> Array:
        """(..., n, d) -> (..., n, d)."""
        return (self.problem.grads(y) - self.mu * y) / self.n

    def prox(self, v: Array, t: Any) -> Array:
        """argmin_y F_i(y) + |y - v_i|^2 / (2t): (..., n, d) -> (..., n, d).  ValueError where t mu = n."""
        rest = self.n - self.mu * t  # over t: the curvature that is left for f_i
        if np.any(np.asarray(rest == 0)):
            raise ValueError(f"t mu must differ from n = {self.n}, got t = {t}, mu = {self.mu}")
        return self.problem.prox(self.n * v / rest, t / rest)

    def at(self, clients: Array) -> "Shifted":
        """The same for a cohort: (..., c) client numbers."""
        per_client = getattr(self.L, "ndim", 0) >= 2
        L = take(self.L, clients) if per_client else self.L
        return replace(self, problem=self.problem.at(clients), L=L)

    def on(self, xi: Array) -> "Shifted":
        """The same on minibatches (or noise) xi."""
        return replace(self, problem=self.problem.on(xi))


def split(problem: Any, mu: Any, L: Any = None) -> Shifted:
    """The view of a whole problem; `L` is the smoothness of the f_i (default L_max), maybe one per client (n, 1)."""
    L = problem.L_max if L is None else L
    return Shifted(problem=problem, mu=mu, n=problem.n, L=(L - mu) / problem.n)


def slope(F: Any, tau: Any, center: Array, y: Array) -> Array:
    """grad psi_i(y_i): (..., n, d)."""
    return F.grads(y) + tau * (y - center)


class _Sure:
    """A solver without luck."""

    def law(self, problem: Any, rows: int) -> Law:
        return Sure(np.zeros(1))


def _check_steps(steps: Any) -> None:
    if not (isinstance(steps, (int, np.integer)) and steps >= 0):
        raise ValueError(f"steps must be an integer >= 0, got {steps}")


@dataclass(frozen=True, kw_only=True)
class GD(_Sure):
    steps: int  # 0 returns the start

    def __post_init__(self) -> None:
        _check_steps(self.steps)

    def __call__(self, F: Any, tau: Any, center: Array, start: Array, luck: Any = None) -> Array:
        gamma, y = 1 / (F.L + tau), start
        for _ in range(self.steps):
            y = y - gamma * slope(F, tau, center, y)
        return y

    def gradients(self, problem: Any) -> float:
        return self.steps


@dataclass(frozen=True, kw_only=True)
class AGD(_Sure):
    steps: int  # 0 returns the start, 1 is a step of GD

    def __post_init__(self) -> None:
        _check_steps(self.steps)

    def __call__(self, F: Any, tau: Any, center: Array, start: Array, luck: Any = None) -> Array:
        gamma, root = 1 / (F.L + tau), ((F.L + tau) / tau) ** 0.5
        beta, y, z = (root - 1) / (root + 1), start, start
        for _ in range(self.steps):
            y, old = z - gamma * slope(F, tau, center, z), y
            z = y + beta * (y - old)
        return y

    def gradients(self, problem: Any) -> float:
        return self.steps


@dataclass(frozen=True, kw_only=True)
class Exact(_Sure):
    """The minimiser itself: tau (center - y) = grad F(y)."""

    def __call__(self, F: Any, tau: Any, center: Array, start: Array, luck: Any = None) -> Array:
        return F.prox(center, 1 / tau)

    def gradients(self, problem: Any) -> float:
        return 0


@dataclass(frozen=True, kw_only=True)
class SVRG:
    """Johnson and Zhang (2013): in each pass an anchor w = y with its full gradient, then `steps` steps

    y <- y - gamma (grad F_xi(y) - grad F_xi(w) + grad F(w) + tau (y - center)),     xi a fresh minibatch.
    """

    gamma: float  # step size; at most 1 / (smoothness of a minibatch + tau)
    steps: int  # per pass
    passes: int = 1
    batch: int = 1  # samples per step

    def __post_init__(self) -> None:
        _check_steps(self.steps)
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")
        for name in ("passes", "batch"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")

    def law(self, problem: Any, rows: int) -> Law:
        """Minibatches (passes steps, rows, batch) of `rows` clients, those of the field `cohort` of the draw."""
        return Each(self.passes * self.steps, problem.xi(rows, self.batch, of="cohort"), of=None)

    def __call__(self, F: Any, tau: Any, center: Array, start: Array, luck: Any) -> Array:
        y = start
        for first in range(0, self.passes * self.steps, self.steps):
            anchor, full = y, F.grads(y)
            for k in range(first, first + self.steps):
                part = F.on(luck[..., k, :, :])
                estimate = part.grads(y) - part.grads(anchor) + full
                y = y - self.gamma * (estimate + tau * (y - center))
        return y

    def gradients(self, problem: Any) -> float:
        return float(self.passes * (1 + 2 * self.steps * self.batch / problem.m))
