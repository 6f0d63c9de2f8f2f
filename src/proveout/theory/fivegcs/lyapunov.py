"""The Lyapunov function of 5GCS, what it asks of a local solver, the rule for steps and local steps."""

import math
from dataclasses import replace
from typing import Any

from proveout.arrays import Array, namespace
from proveout.methods.blocks.solvers import AGD, GD, Exact
from proveout.methods.fivegcs import FiveGCS, State
from proveout.theory.statement import Method, Number, Problem, Square, Terms, at_most

__all__ = [
    "SOURCE",
    "allowed",
    "dual_star",
    "dual_step",
    "duals_sum",
    "fits",
    "kappa",
    "local_steps_rule",
    "needed",
    "primal_step",
    "psi",
    "rate",
    "residuals",
    "smoothness",
    "star",
    "tune",
]

SOURCE = "Grudzień, Malinovsky, Richtárik (AISTATS 2023, arXiv:2212.14370)"


# ------------------------------------------------------------------ constants and the optimum


def smoothness(P: Problem, m: Method) -> Number:
    """L_F = (L - mu)/n."""
    return (P.L_max - m.mu) / P.n


def kappa(P: Problem, m: Method) -> Number:
    return P.L_max / m.mu


def dual_star(P: Problem, m: Method) -> Array:
    """h*_i = grad F_i(x*): (n, d)."""
    return (P.h_star - m.mu * P.x_star) / P.n


def star(P: Problem, m: Method) -> State:
    return State(x=P.x_star, h=dual_star(P, m), h_sum=-(m.mu * P.x_star))


def duals_sum(P: Problem, m: Method, state: State) -> State:
    """The admissible states: the server's sum is the sum."""
    return state._replace(h_sum=namespace(state.h).sum(state.h, axis=-2))


# ------------------------------------------------------------------ the claim


def weighted(P: Problem, m: Method, state: State, dual_weight: Number) -> Terms:
    """|x - x*|^2 / gamma + (n/C) dual_weight sum_i |h_i - h*_i|^2."""
    return (
        Square(1 / m.gamma, state.x - P.x_star),
        Square(dual_weight * P.n / m.cohort, state.h - dual_star(P, m), core=2),
    )


def psi(P: Problem, m: Method, state: State) -> Terms:
    """|x - x*|^2 / gamma + (n/C) (1/gamma_dual + 1/L_F) sum_i |h_i - h*_i|^2."""
    return weighted(P, m, state, 1 / m.gamma_dual + 1 / smoothness(P, m))


def dual_rate(P: Problem, m: Method, factor: Number = 1) -> Number:
    """1 - (C/n) factor gamma_dual / (L_F + factor gamma_dual)."""
    tau = factor * m.gamma_dual
    return 1 - m.cohort * tau / (P.n * (smoothness(P, m) + tau))


def rate(P: Problem, m: Method) -> tuple[Number, Number]:
    return 1 / (1 + m.gamma * m.mu), dual_rate(P, m)


# ------------------------------------------------------------------ hypotheses


def residuals(solver: Any, k: Number) -> tuple[Number, Number]:
    """(a, b): |y - y*|^2 <= a |x_hat - y*|^2 and |grad psi(y)|^2 <= b tau^2 |x_hat - y*|^2 for every F.

    k is the condition number (L_F + tau)/tau of psi.  Infinite for a solver of which nothing is known here.
    """
    if isinstance(solver, Exact):
        return 0, 0
    if isinstance(solver, GD):
        a = (1 - 1 / k) ** (2 * solver.steps)
        return a, k * k * a
    if isinstance(solver, AGD) and solver.steps:
        a = (k + 1) * (1 - k**-0.5) ** solver.steps
        return a, k * a
    return math.inf, math.inf


def condition(solver: Any, steep: Number, kappa: Number) -> Number:
    """The constant c with which the local-solver condition surely holds, steep = L_F/tau, kappa = L/mu:

    4 mu L_F^2/(3 n tau^2) |y - y*|^2 + L_F/tau^2 |grad psi(y)|^2 <= c (mu/n) |x_hat - y*|^2.
    """
    a, b = residuals(solver, 1 + steep)
    return a * 4 * steep**2 / 3 + b * (kappa - 1)


def needed(P: Problem, m: Method) -> Number:
    """`condition` for every F of the class; the theorem asks for 1/6 at most."""
    return condition(m.solver, smoothness(P, m) / m.gamma_dual, kappa(P, m))


def fits(P: Problem, m: Method) -> bool:
    """mu is a lower bound, F is not linear, the cohort is one of the n clients."""
    return bool(0 < m.mu and at_most(m.mu, P.mu_min) and m.mu < P.L_max and m.cohort <= P.n)


def steps_fit(P: Problem, m: Method) -> bool:
    """gamma_dual >= 8 mu/(3n)  and  1/gamma_dual - gamma n >= 4 mu/(3 n gamma_dual^2)."""
    small = m.mu / (3 * P.n * m.gamma_dual)
    return at_most(8 * small, 1) and at_most(4 * small + m.gamma * m.gamma_dual * P.n, 1)


def allowed(P: Problem, m: Method) -> bool:
    return fits(P, m) and steps_fit(P, m) and at_most(6 * needed(P, m), 1)


# ------------------------------------------------------------------ the rule


def primal_step(n: int, cohort: int, L: float, mu: float) -> float:
    return 3 / 16 * math.sqrt(cohort / (L * mu * n))


def dual_step(n: int, cohort: int, L: float, mu: float) -> float:
    return 8 / 3 * math.sqrt(L * mu / (n * cohort))


def local_steps_rule(n: int, cohort: int, k: float, kind: str = "rule") -> int:
    """How many steps suffice, k = L/mu: of GD the paper's "rule" and its "half", of AGD "accelerated"."""
    root = 3 / 8 * math.sqrt(cohort / n * k)
    if kind == "accelerated":  # K >= sqrt(k_psi) log(6 k (k_psi + 1)^2), k_psi <= 1 + root
        return math.ceil(math.sqrt(1 + root) * math.log(6 * k * (2 + root) ** 2))
    if kind not in ("rule", "half"):
        raise ValueError(
            f"local_steps must be a number, 'rule', 'half', 'accelerated' or 'fewest', got {kind!r}"
        )
    return math.ceil((2 if kind == "rule" else 1) * (root + 1) * math.log(4 * k))


def solver_for(n: int, cohort: int, k: float, local_steps: Any) -> Any:
    """GD(steps=K), Exact() for K = inf, or GD or AGD with as many steps as the named rule says."""
    if isinstance(local_steps, str):
        steps = local_steps_rule(n, cohort, k, local_steps)
        return AGD(steps=steps) if local_steps == "accelerated" else GD(steps=steps)
    return Exact() if local_steps == math.inf else GD(steps=local_steps)


def fewest(P: Problem, m: Any, limit: float) -> Any:
    """As many steps of GD as surely meet the condition with the constant `limit`, and no more."""
    steps = 0
    while not at_most(needed(P, replace(m, solver=GD(steps=steps))) / limit, 1):
        steps += 1
    return replace(m, solver=GD(steps=steps))


def tune(
    P: Problem,
    cohort: int | None = None,
    local_steps: Any = "rule",
    mu_share: float = 1.0,
    limit: float = 1 / 6,
) -> FiveGCS:
    """gamma = (3/16) sqrt(C/(L mu n)), gamma_dual = (8/3) sqrt(L mu/(n C)), mu = mu_share mu_min.

    local_steps: a number, inf for the exact prox, "rule", "half", "accelerated", or "fewest": what `needed` asks for
    (with `limit` for 1/6).  ValueError if mu = L.
    """
    n, C, mu = P.n, P.n if cohort is None else cohort, mu_share * P.mu_min
    if not 1 <= C <= n:
        raise ValueError(f"cohort must lie in 1..n = {n}, got {C}")
    if not 0 < mu < P.L_max:
        raise ValueError(f"mu must lie in (0, L_max = {P.L_max}), got {mu}: choose mu_share")
    m = FiveGCS(
        gamma=primal_step(n, C, P.L_max, mu),
        gamma_dual=dual_step(n, C, P.L_max, mu),
        mu=mu,
        cohort=C,
        solver=solver_for(n, C, P.L_max / mu, 0 if local_steps == "fewest" else local_steps),
    )
    return fewest(P, m, limit) if local_steps == "fewest" else m
