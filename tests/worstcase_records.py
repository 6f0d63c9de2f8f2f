"""Methods and statements that only the tests of the worst-case lens use: twenty lines each, as a user would write them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import last, mean_clients, namespace, put, take, to_clients
from proveout.laws import Coin, Index, Joint, Law, Subset, Sure
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.statement import Cross, Gap, OneStep, Square

EACH = (each_smooth, each_strongly_convex)


class X(NamedTuple):
    x: Any  # (..., d)


class J(NamedTuple):
    j: Any  # (...,)  the function that is asked


class Nothing(NamedTuple):
    nothing: Any


def sure() -> Law:
    return Joint(Nothing(Sure(np.zeros(()))))


# ------------------------------------------------------------------ one function out of n


@dataclass(frozen=True, kw_only=True)
class FiniteSumSGD:
    gamma: Any

    def init(self, problem, x0):
        return X(x0)

    def law(self, problem):
        return Joint(J(Index(problem.n)))

    def step(self, problem, state, draw):
        g = problem.at(draw.j[..., None]).grads(state.x[..., None, :])
        return X(state.x - self.gamma * g[..., 0, :])


class SagaState(NamedTuple):
    x: Any  # (..., d)
    phi: Any  # (..., n, d)  where each function was asked last
    table: Any  # (..., n, d)  its gradient there


@dataclass(frozen=True, kw_only=True)
class SAGA:
    gamma: Any

    def init(self, problem, x0):
        phi = to_clients(x0, problem.n)
        return SagaState(x0, phi, 0 * phi)

    def law(self, problem):
        return Joint(J(Index(problem.n)))

    def step(self, problem, state, draw):
        x, phi, table = state
        j = draw.j[..., None]
        g = problem.at(j).grads(x[..., None, :])
        x_new = x - self.gamma * (g - take(table, j) + mean_clients(table))[..., 0, :]
        return SagaState(x_new, put(phi, j, 0 * g + x[..., None, :]), put(table, j, g))


def saga_latent(P, m, free):
    return free._replace(table=P.grads(free.phi))


def saga_published(P, m, state):
    """c |x - x*|^2 + mean f_i(phi_i) - f_i(x*) - <h*_i, phi_i - x*> (Defazio, Bach, Lacoste-Julien 2014)."""
    c = 1 / (2 * m.gamma * (1 - m.gamma * P.mu_min) * P.n)
    h = P.h_star + 0 * state.phi
    return (
        Square(c, state.x - P.x_star),
        Gap(1 / P.n, state.phi, core=2),
        Cross(-1 / P.n, h, state.phi - P.x_star, core=2),
    )


SAGA_LINEAR = OneStep(
    source="Defazio, Bach, Lacoste-Julien (2014)",
    method=SAGA,
    assumes=EACH,
    lyapunov=saga_published,
    star=lambda P, m: SagaState(P.x_star, to_clients(P.x_star, P.n), P.h_star),
    latent=saga_latent,
    rate=lambda P, m: 1 - m.gamma * P.mu_min,
    tune=lambda P: SAGA(gamma=1 / (2 * (P.mu_min * P.n + P.L_max))),
)


class AnchorState(NamedTuple):
    x: Any
    w: Any  # (..., d)  anchor


class AnchorDraw(NamedTuple):
    j: Any
    refresh: Any


@dataclass(frozen=True, kw_only=True)
class LSVRG:
    gamma: Any
    p: Any

    def init(self, problem, x0):
        return AnchorState(x0, x0)

    def law(self, problem):
        return Joint(AnchorDraw(Index(problem.n), Coin(self.p)))

    def step(self, problem, state, draw):
        x, w = state
        part = problem.at(draw.j[..., None])
        g = part.grads(x[..., None, :]) - part.grads(w[..., None, :])
        x_new = x - self.gamma * (g[..., 0, :] + problem.grad(w))
        return AnchorState(x_new, namespace(x).where(last(draw.refresh), x, w))


LSVRG_LINEAR = OneStep(
    source="Kovalev, Horváth, Richtárik (2020)",
    method=LSVRG,
    assumes=EACH,
    lyapunov=lambda P, m, s: (
        Square(1, s.x - P.x_star),
        Square(4 * m.gamma**2 / m.p / P.n, P.grads(s.w[..., None, :]) - P.h_star, core=2),
    ),
    star=lambda P, m: AnchorState(P.x_star, P.x_star),
    rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p / 2),
    tune=lambda P, p: LSVRG(gamma=1 / (6 * P.L_max), p=p),
)


# ------------------------------------------------------------------ compression


@dataclass(frozen=True)
class Unbiased:
    """Any unbiased compressor with this variance."""

    variance: Any

    def law(self, n, d):
        return Sure(np.zeros((n, 1)))

    def omega(self, d):
        return self.variance

    def __call__(self, x, draw):
        return x


@dataclass(frozen=True)
class Contractive:
    """Any compressor with |C(x) - x|^2 <= (1 - delta) |x|^2."""

    delta: Any

    def law(self, n, d):
        return Sure(np.zeros((n, 1)))

    def omega(self, d):
        return np.inf

    def alpha(self, d):
        return self.delta

    def __call__(self, x, draw):
        return x


class ShiftState(NamedTuple):
    x: Any  # (..., d)
    h: Any  # (..., n, d)


class Sent(NamedTuple):
    sent: Any


@dataclass(frozen=True, kw_only=True)
class Diana:
    gamma: Any
    alpha: Any
    M: Any
    Q: Any

    def init(self, problem, x0):
        return ShiftState(x0, 0 * to_clients(x0, problem.n))

    def law(self, problem):
        return Joint(Sent(self.Q.law(problem.n, problem.d)))

    def step(self, problem, state, draw):
        x, h = state
        q = self.Q(problem.grads(x[..., None, :]) - h, draw.sent)
        x_new = x - self.gamma * mean_clients(h + q)[..., 0, :]
        return ShiftState(x_new, h + self.alpha * q)


def diana(P, omega):
    gamma, alpha = 1 / (P.L_max * (1 + 6 * omega / P.n)), 1 / (1 + omega)
    return Diana(gamma=gamma, alpha=alpha, M=4 * omega * gamma**2 / (P.n * alpha), Q=Unbiased(omega))


DIANA_LINEAR = OneStep(
    source="Mishchenko, Gorbunov, Takáč, Richtárik (2019)",
    method=Diana,
    assumes=EACH,
    lyapunov=lambda P, m, s: (
        Square(1, s.x - P.x_star),
        Square(m.M / P.n, s.h - P.h_star, core=2),
    ),
    star=lambda P, m: ShiftState(P.x_star, P.h_star),
    rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.alpha / 2),
    tune=diana,
)


@dataclass(frozen=True, kw_only=True)
class EF21:
    gamma: Any
    C: Any

    def init(self, problem, x0):
        return ShiftState(x0, 0 * to_clients(x0, problem.n))

    def law(self, problem):
        return Joint(Sent(self.C.law(problem.n, problem.d)))

    def step(self, problem, state, draw):
        x, g = state
        x_new = x - self.gamma * mean_clients(g)[..., 0, :]
        return ShiftState(x_new, g + self.C(problem.grads(x_new[..., None, :]) - g, draw.sent))


EF21_STEP = OneStep(
    source="Richtárik, Sokolov, Fatkhullin (2021)",
    method=EF21,
    assumes=EACH,
    lyapunov=lambda P, m, s: (
        Gap(1, s.x),
        Square(0.5 / P.n, s.h - P.grads(s.x[..., None, :]), core=2),
    ),
    star=lambda P, m: ShiftState(P.x_star, P.h_star),
    rate=lambda P, m: 0.97,
)


# ------------------------------------------------------------------ momentum, one function


class Two(NamedTuple):
    x: Any
    old: Any


@dataclass(frozen=True, kw_only=True)
class Momentum:
    """y = x + b (x - old),  z = x + c (x - old),  x' = y - gamma grad f(z)."""

    gamma: Any
    b: Any
    c: Any = 0.0

    def init(self, problem, x0):
        return Two(x0, x0)

    def law(self, problem):
        return sure()

    def look(self, state):
        return state.x + self.c * (state.x - state.old)

    def step(self, problem, state, draw):
        y = state.x + self.b * (state.x - state.old)
        return Two(y - self.gamma * problem.grad(self.look(state)), state.x)


def heavy_ball(L, mu):
    r = (L**0.5 - mu**0.5) / (L**0.5 + mu**0.5)
    return Momentum(gamma=4 / (L**0.5 + mu**0.5) ** 2, b=r**2)


def triple_momentum(L, mu):
    """Van Scoy, Freeman, Lynch (2018)."""
    rho = 1 - (mu / L) ** 0.5
    return Momentum(
        gamma=(1 + rho) / L,
        b=rho**2 / (2 - rho),
        c=rho**2 / ((1 + rho) * (2 - rho)),
    )


# ------------------------------------------------------------------ cohorts with local work


class Cohort(NamedTuple):
    cohort: Any  # (..., c)


@dataclass(frozen=True, kw_only=True)
class LocalProx:
    """5GCS: a cohort solves its dual prox by K gradient steps. F_i = (f_i - mu/2 |.|^2)/n."""

    gamma: Any
    tau: Any
    mu: Any
    L: Any
    cohort: int
    K: int

    def init(self, problem, x0):
        return ShiftState(x0, 0 * to_clients(x0, problem.n))

    def law(self, problem):
        return Joint(Cohort(Subset(problem.n, self.cohort)))

    def step(self, problem, state, draw):
        n, x, u = problem.n, state.x, state.h
        part, kept = problem.at(draw.cohort), take(u, draw.cohort)
        x_hat = (x - self.gamma * u.sum(axis=-2)) / (1 + self.gamma * self.mu)
        centre = x_hat[..., None, :]
        y, rate = centre + 0 * kept, (self.L - self.mu) / n + self.tau
        for _ in range(self.K):
            slope = (part.grads(y) - self.mu * y) / n
            y = y - 1 / rate * (slope + self.tau * (y - centre) - kept)
        u_new = put(u, draw.cohort, (part.grads(y) - self.mu * y) / n)
        moved = (u_new - u).sum(axis=-2)
        return ShiftState(x_hat - self.gamma * n / self.cohort * moved, u_new)


def local_prox(P, cohort, K):
    n, product = P.n, P.L_max * P.mu_min
    return LocalProx(
        gamma=3 / 16 * (cohort / (product * n)) ** 0.5,
        tau=8 / 3 * (product / (n * cohort)) ** 0.5,
        mu=P.mu_min,
        L=P.L_max,
        cohort=cohort,
        K=K,
    )


def local_prox_psi(P, m, s):
    weight = P.n / m.cohort * (1 / m.tau + P.n / (P.L_max - P.mu_min))
    return (
        Square(1 / m.gamma, s.x - P.x_star),
        Square(weight, s.h - (P.h_star - P.mu_min * P.x_star) / P.n, core=2),
    )


LOCAL_PROX_LINEAR = OneStep(
    source="Grudzień, Malinovsky, Richtárik (2023)",
    method=LocalProx,
    assumes=EACH,
    lyapunov=local_prox_psi,
    star=lambda P, m: ShiftState(P.x_star, (P.h_star - P.mu_min * P.x_star) / P.n),
    rate=lambda P, m: (
        1 / (1 + m.gamma * P.mu_min),
        1 - m.cohort / P.n * m.tau / ((P.L_max - P.mu_min) / P.n + m.tau),
    ),
    tune=local_prox,
)
