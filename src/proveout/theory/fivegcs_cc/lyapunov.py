"""Lyapunov functions, rates and hypotheses of 5GCS-CC and 5GCS-AB."""

from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.fivegcs_cc import State
from proveout.theory.fivegcs.lyapunov import condition, dual_star, duals_sum, smoothness
from proveout.theory.statement import Method, Number, Problem, Square, Terms, at_most

__all__ = [
    "SHARP",
    "SOURCE",
    "allowed_ab",
    "allowed_cc",
    "conditions",
    "dual_star",
    "duals_sum",
    "each_L",
    "psi_ab",
    "psi_cc",
    "rate_ab",
    "rate_cc",
    "smoothness",
    "star",
]

SOURCE = "Grudzień, Malinovsky, Richtárik (arXiv:2306.03240)"
LSC = 1 / 6  # of (mu/n) |x_hat - y*|^2: what a local solver may be off by
SHARP = 2 / 3  # the same, as far as the proof needs it


def each_L(P: Problem) -> Array:
    """L_i, or L_max for all where only that is known: (n,)."""
    L = getattr(P, "L_i", None)
    return np.full(P.n, float(P.L_max)) if L is None else np.asarray(L, float)


def star(P: Problem, m: Method) -> State:
    return State(x=P.x_star, h=dual_star(P, m), h_sum=-(m.mu * P.x_star))


def conditions(n: int, mu: Number, gamma: Number, duals: Any, c: Any) -> Array:
    """What must be at most 1: 8 mu/(3 n gamma_dual), and gamma_dual (gamma c + 4 mu/(3 n gamma_dual^2)).

    c = n + omega n/C, or c_i = A/w_i + (1 - B) n: (2,) or (2, n).
    """
    tau, c = np.broadcast_arrays(np.asarray(duals, float), np.asarray(c, float))
    margin = 4 * float(mu) / (3 * n * tau)
    return np.stack([2 * margin, float(gamma) * tau * c + margin])


def solves_well(m: Method, L: Array, n: int, most: Number = LSC) -> bool:
    """The local-solver condition (`fivegcs.lyapunov.condition`), for every state: L (n,) are the smoothnesses of the f_i."""
    steep = (L - float(m.mu)) / (n * np.asarray(m.gamma_dual, float))  # L_F / gamma_dual
    pairs = {(float(s), float(kappa)) for s, kappa in zip(steep, L / float(m.mu), strict=True)}
    return all(at_most(condition(m.solver, s, kappa), most) for s, kappa in pairs)


# ------------------------------------------------------------------ compression


def psi_cc(P: Problem, m: Method, state: Any) -> Terms:
    """(1/gamma) |x - x*|^2 + (n/C)(1 + omega)(1/gamma_dual + 1/L_F) sum_i |h_i - h*_i|^2."""
    weight = (1 / m.gamma_dual + 1 / smoothness(P, m)) * (1 + m.omega) * P.n / m.cohort
    return Square(1 / m.gamma, state.x - P.x_star), Square(weight, state.h - dual_star(P, m), core=2)


def rate_cc(P: Problem, m: Method, factor: Number = 1) -> tuple[Number, Number]:
    """1/(1 + factor gamma mu), and 1 - C gamma_dual / (n (1 + omega)(L_F + gamma_dual))."""
    dual = m.gamma_dual * m.cohort / P.n / (1 + m.omega) / (smoothness(P, m) + m.gamma_dual)
    return 1 / (1 + factor * m.gamma * m.mu), 1 - dual


def allowed_cc(P: Problem, m: Method, most: Number = LSC) -> bool:
    c = P.n + float(m.omega) * P.n / m.cohort
    return (
        m.cohort <= P.n
        and 0 < m.mu < P.L_max
        and at_most(m.mu, P.mu_min)
        and at_most(m.compressor.omega(P.d), m.omega)
        and bool((conditions(P.n, m.mu, m.gamma, m.gamma_dual, c) <= 1 + 1e-12).all())
        and solves_well(m, np.array([float(P.L_max)]), P.n, most)
    )


# ------------------------------------------------------------------ sampling


def psi_ab(P: Problem, m: Method, state: Any) -> Terms:
    """(1/gamma) |x - x*|^2 + sum_i (1/p_hat_i)(1/gamma_i + 1/L_Fi) |h_i - h*_i|^2."""
    L_F = (each_L(P) - float(m.mu)) / P.n
    weight = (1 / np.asarray(m.gamma_dual, float) + 1 / L_F) / m.sampling.p_hat(P.n)
    off = state.h - dual_star(P, m)
    if (weight == weight[0]).all():
        return Square(1 / m.gamma, state.x - P.x_star), Square(float(weight[0]), off, core=2)
    return Square(1 / m.gamma, state.x - P.x_star), Square(1, np.sqrt(weight)[:, None] * off, core=2)


def rate_ab(P: Problem, m: Method, p_hat: Array | None = None) -> tuple[Number, Number]:
    """1/(1 + gamma mu), and max_i (L_Fi + (1 - p_hat_i) gamma_i) / (L_Fi + gamma_i)."""
    L_F, tau = (each_L(P) - float(m.mu)) / P.n, np.asarray(m.gamma_dual, float)
    p = m.sampling.p_hat(P.n) if p_hat is None else p_hat
    return 1 / (1 + m.gamma * m.mu), 1 - float(np.min(p * tau / (L_F + tau)))


def allowed_ab(P: Problem, m: Method) -> bool:
    ab, L = m.sampling.ab(P.n), each_L(P)
    return (
        0 < m.mu < float(L.min())
        and at_most(m.mu, P.mu_min)
        and bool((conditions(P.n, m.mu, m.gamma, m.gamma_dual, ab.c) <= 1 + 1e-12).all())
        and solves_well(m, L, P.n)
    )
