"""How many gradients until a random iterate has E|grad f|^2 <= eps: corollaries without the maximal delay.

The iterate is x_i with probability proportional to the number of jobs of version i (OrMoDA: to their effective
steps), i < N; its mean |grad f|^2 is carried along (`Averaged`).  With the step tuned to eps the explicit rates

    bounded_gradient_complexity   (4 sqrt 2 + 2 sqrt 2/(1-beta^2)) sqrt(L Delta sigma^2/J) + 8 (nLG Delta/((1-beta) J))^{2/3}
                                  + 8 n L Delta/J <= eps,   J = N - 1 + n
        gamma_e = min{1/(2Ln), sqrt(2 Delta/(L sigma^2 J)), ((1-beta)^2 Delta/(L^2 n^2 G^2 J))^{1/3}}
    adaptive_complexity           8 sqrt 6 sqrt(L Delta sigma^2/N) + 64 n L Delta/((1-beta) N) <= eps
        gamma_e = min{(1-beta)/(4nL), sqrt(8 Delta/(3 L sigma^2 N))}

give N(eps).  For an eps that the step is not tuned to, the count is the larger of N(eps) and of what the theorem
behind it (nonconvex_bounded_gradient, adaptive_nonconvex) needs with the step as it is, so that the claim is
always one that was made.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.output import Averaged
from proveout.methods.ormo import OrMo, OrMoDA
from proveout.theory.assumptions import quadratic, smooth
from proveout.theory.delays.arrivals import all_busy, beta_of, in_order, one_function
from proveout.theory.ormo.identities import PAPER
from proveout.theory.ormo.responses import gradient_bound
from proveout.theory.statement import Complexity, Gap, Method, Problem, State, at_most, evaluate
from proveout.theory.twins import statement_with

__all__ = ["ADAPTIVE_COMPLEXITY", "BOUNDED_GRADIENT_COMPLEXITY"]

LONGEST = 10**15  # steps: a larger count is called infinite
LOOK = 256  # steps over which sup E|grad f|^2 is computed; it is attained early under a stable step


def _delta(P: Problem, start: State) -> float:
    return float(np.max(evaluate((Gap(1, start.x),), P)))


@lru_cache(maxsize=64)
def _largest(P: Problem, m: Method, x0: tuple[float, ...]) -> float:
    return float(gradient_bound(P, m, LOOK, m.init(P, np.array(x0))))


def _G2(P: Problem, m: Method, start: State) -> float:
    """sup E|grad f(x_t)|^2 over the first LOOK steps from the start."""
    rows = np.reshape(start.x, (-1, P.d)).tolist()
    return max(_largest(P, m.base, tuple(row)) for row in rows)


def _least(holds: Callable[[float], bool]) -> float:
    """The smallest N >= 1 with holds(N), for a claim that stays true; inf beyond LONGEST."""
    high = 1
    while not holds(high):
        high *= 2
        if high > LONGEST:
            return float("inf")
    low = high // 2
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (low, mid) if holds(mid) else (mid, high)
    return float(high)


# ------------------------------------------------------------------ explicit rates: J -> E|grad f|^2


def _rate(P: Problem, beta: float, delta: float, G2: float, J: float, n: int) -> float:
    noise = (4 * 2**0.5 + 2 * 2**0.5 / (1 - beta**2)) * np.sqrt(P.L * delta * P.sigma2_bound / J)
    late = 8 * (n * P.L * np.sqrt(G2) * delta / ((1 - beta) * J)) ** (2 / 3)
    return float(noise + late + 8 * n * P.L * delta / J)


def _step(P: Problem, beta: float, delta: float, G2: float, J: float) -> float:
    L, n, s2 = P.L, P.workers, P.sigma2_bound
    by_noise = np.sqrt(2 * delta / (L * s2 * J)) if s2 else np.inf
    by_delay = ((1 - beta) ** 2 * delta / (L**2 * n**2 * G2 * J)) ** (1 / 3)
    return float(min(1 / (2 * L * n), by_noise, by_delay))


def _adaptive_rate(P: Problem, beta: float, delta: float, N: float) -> float:
    noise = 8 * np.sqrt(6 * P.L * delta * P.sigma2_bound / N)
    return float(noise + 64 * P.workers * P.L * delta / ((1 - beta) * N))


def _adaptive_step(P: Problem, beta: float, delta: float, N: float) -> float:
    by_noise = np.sqrt(8 * delta / (3 * P.L * P.sigma2_bound * N)) if P.sigma2_bound else np.inf
    return float(min((1 - beta) / (4 * P.L * P.workers), by_noise))


# ------------------------------------------------------------------ counts


def _count(P: Problem, m: Method, eps: float, start: State) -> float:
    g, n, beta, s2, delta = m.gamma_eff, P.workers, beta_of(m.base), P.sigma2_bound, _delta(P, start)
    G2 = _G2(P, m, start)
    floor = 2 * P.L * g * s2
    floor += 4 * P.L**2 * g**2 * (n**2 * G2 / (1 - beta) ** 2 + n * s2 / (1 - beta**2))
    tuned = _least(lambda N: _rate(P, beta, delta, G2, N - 1 + n, n) <= eps)
    return max(tuned, _least(lambda N: 4 * delta / (g * (N - 1 + n)) + floor <= eps))


def _adaptive_count(P: Problem, m: Method, eps: float, start: State) -> float:
    g, beta, delta = m.gamma_eff, beta_of(m.base), _delta(P, start)
    floor = 6 * P.L * g * P.sigma2_bound
    tuned = _least(lambda N: _adaptive_rate(P, beta, delta, N) <= eps)
    return max(tuned, _least(lambda N: 16 * delta / (g * N) + floor <= eps))


def _forgetful(P: Problem, m: Method, eps: float, start: State) -> float:
    """The twin's claim: the rate with n = 1, and no doubt about the step."""
    beta, delta, G2 = beta_of(m.base), _delta(P, start), _G2(P, m, start)
    return _least(lambda N: _rate(P, beta, delta, G2, N, n=1) <= eps)


def _sequential(P: Problem, m: Method, eps: float, start: State) -> float:
    """The twin's claim: as fast as sequential SGD with gamma = 1/(2L), 4 L Delta/N <= eps without noise."""
    return float(np.ceil(4 * P.L * _delta(P, start) / eps))


def _start(P: Problem) -> tuple[float, float]:
    """(Delta, |grad f|^2) at x_0 = 0."""
    x0 = np.zeros(P.d)
    return float(P.value(x0) - P.f_star), float(np.sum(P.grad(x0) ** 2))


def _tune(P: Problem, eps: float = 0.1, beta: float = 0.5) -> Averaged:
    """The step for E|grad f|^2 <= eps |grad f(0)|^2 from x_0 = 0; G^2 and the step by fixed point."""
    (delta, G2), n = _start(P), P.workers
    target, gamma = eps * G2, 0.0
    for _ in range(20):
        N = _least(lambda N, G2=G2: _rate(P, beta, delta, G2, N - 1 + n, n) <= target)  # type: ignore[misc]
        gamma = _step(P, beta, delta, G2, N - 1 + n)
        m = Averaged(OrMo(gamma=(1 - beta) * gamma, beta=beta))
        now = _largest(P, m.base, (0.0,) * P.d)
        if now <= G2 * (1 + 1e-9):
            return m
        G2 = now
    raise ValueError(f"eps must be above the noise that this problem leaves, got {eps}")


def _tune_adaptive(P: Problem, eps: float = 0.1, beta: float = 0.5) -> Averaged:
    """The step for E|grad f|^2 <= eps |grad f(0)|^2 from x_0 = 0."""
    delta, square = _start(P)
    N = _least(lambda N: _adaptive_rate(P, beta, delta, N) <= eps * square)
    gamma = (1 - beta) * _adaptive_step(P, beta, delta, N)
    return Averaged(OrMoDA(gamma=gamma, beta=beta, cap=(1 - beta) / (4 * P.L)), adaptive=True)


def _mean(P: Problem, m: Method, s: State) -> Array:
    return s.mean


def _allowed(kind: type, share: Callable[[float], float]) -> Any:
    def allows(P: Problem, m: Method) -> bool:
        return isinstance(m.base, kind) and at_most(m.gamma_eff, share(beta_of(m.base)) / (P.L * P.workers))

    return allows


BOUNDED_GRADIENT_COMPLEXITY = Complexity(
    source=f"{PAPER}, theorem on constant steps (explicit form derived)",
    method=Averaged,
    assumes=(smooth, quadratic, one_function, all_busy, in_order),
    allows=_allowed(OrMo, lambda beta: 0.5),
    measure=_mean,
    count=_count,
    tune=_tune,
    twins=(
        statement_with("L for nL", count=_forgetful),
        statement_with("as fast as sequential SGD", count=_sequential),
    ),
    claim=r"O\big(\sqrt{L\Delta\sigma^2/T}+(nLG\Delta/T)^{2/3}+nL\Delta/T\big)",
)

ADAPTIVE_COMPLEXITY = Complexity(
    source=f"{PAPER}, theorem on OrMo-DA (explicit form derived)",
    method=Averaged,
    assumes=(smooth, one_function, all_busy, in_order),
    allows=_allowed(OrMoDA, lambda beta: (1 - beta) / 4),
    measure=_mean,
    count=_adaptive_count,
    tune=_tune_adaptive,
    twins=(statement_with("as fast as sequential SGD", count=_sequential),),
    claim=r"O\big(\sqrt{L\Delta\sigma^2/T}+nL\Delta/T\big)",
)
