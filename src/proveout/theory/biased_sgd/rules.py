"""The formulas of the theorems: step limits, rates, floors and counts, from the constants of an assumption alone.

Whatever is known of the estimator, all theorems say the same thing of D = f(x) - f* and G = |grad f(x)|^2:

    E D' <= (1 + L A gamma^2) D - (gamma/2) gain G + noise(gamma)        for gamma <= limit

               gain         limit          noise                                  A
    SG1        alpha/beta   1/(beta L)     0                                      0
    SG2        tau          1/(beta L)     0                                      0
    BREQ       rho          rho/(zeta L)   0                                      0
    CON        alpha        1/L            0                                      0
    BND        1 - m        1/((M + 1) L)  gamma phi2/2 + gamma^2 L sigma2/2      0
    FSML       q            q/((U + u2) L) gamma^2 L Q/2                          0
    ABC        b            b/(B L)        gamma c + gamma^2 L C/2                A

Beznosikov et al. (arXiv:2002.12410); Khirirat et al. (2018); Ajalloeian and Stich (2020); Bottou, Curtis, Nocedal (2018);
Demidovich et al. (arXiv:2305.16296).  Hence, with the steps of the last column of the second table for A > 0,

    nonconvex   min_{t<T} E G_t <= 2 (1 + L A gamma^2)^T D_0/(gain gamma T) + 2 noise/(gain gamma)
    mu-PL       E D' <= (1 - gamma mu gain) D + noise(gamma),   floor noise/(gamma mu gain)

where ABC under PL needs gamma <= min{mu b/(L (A + mu B)), 1/(mu b)}.  Every formula is a ratio of polynomials in the
constants, so that Fractions stay Fractions.
"""

import math
from typing import Any

from proveout.methods.blocks.assumptions import ABC, BND, BREQ, CON, FSML, SG1, SG2, Assumption
from proveout.theory.statement import Number

__all__ = [
    "THEOREMS",
    "decay",
    "floor",
    "gain",
    "limit",
    "noise",
    "pl_floor",
    "pl_limit",
    "pl_rate",
    "pl_sharp_rate",
    "pl_steps",
]

THEOREMS: tuple[type[Assumption], ...] = (SG1, SG2, BREQ, CON, BND, FSML, ABC)


def _unknown(k: Any) -> ValueError:
    return ValueError(f"k must be one of {', '.join(c.__name__ for c in THEOREMS)}, got {type(k).__name__}")


def gain(k: Assumption) -> Number:
    """What a step gains: the share of (gamma/2) |grad f|^2 by which f falls."""
    match k:
        case SG1():
            return k.alpha / k.beta
        case SG2():
            return k.tau
        case BREQ():
            return k.rho
        case CON():
            return k.alpha
        case BND():
            return 1 - k.m
        case FSML():
            return k.q
        case ABC():
            return k.b
    raise _unknown(k)


def limit(k: Assumption, L: Number) -> Number:
    """The largest step size; inf where B = 0 sets none."""
    match k:
        case SG1() | SG2():
            return 1 / (k.beta * L)
        case BREQ():
            return k.rho / (k.zeta * L)
        case CON():
            return 1 / L
        case BND():
            return 1 / ((k.M + 1) * L)
        case FSML():
            return k.q / ((k.U + k.u2) * L)
        case ABC():
            return k.b / (k.B * L) if k.B else math.inf
    raise _unknown(k)


def noise(k: Assumption, L: Number, gamma: Number) -> Number:
    """What a step adds."""
    match k:
        case BND():
            return gamma * k.phi2 / 2 + gamma**2 * L * k.sigma2 / 2
        case FSML():
            return gamma**2 * L * k.Q / 2
        case ABC():
            return gamma * k.c + gamma**2 * L * k.C / 2
        case SG1() | SG2() | BREQ() | CON():
            return 0
    raise _unknown(k)


def growth(k: Assumption, L: Number, gamma: Number) -> Number:
    """By how much f(x) - f* may grow, relative: L A gamma^2."""
    return L * k.A * gamma**2 if isinstance(k, ABC) else 0


def decay(k: Assumption, L: Number, gamma: Number, T: int) -> Number:
    """The factor of D_0 in the nonconvex bound: 2 (1 + L A gamma^2)^T/(gain gamma T), inf where it overflows."""
    more = growth(k, L, gamma)
    if T * math.log1p(float(more)) > 700:
        return math.inf
    return 2 * (1 + more) ** T / (gain(k) * gamma * max(T, 1))


def floor(k: Assumption, L: Number, gamma: Number) -> Number:
    """What is left of min E |grad f|^2 for ever: 2 noise/(gain gamma)."""
    return 2 * noise(k, L, gamma) / (gain(k) * gamma)


# ------------------------------------------------------------------ Polyak-Lojasiewicz


def pl_limit(k: Assumption, L: Number, mu: Number) -> Number:
    """The largest step size under the PL condition."""
    if isinstance(k, ABC):
        return min(mu * k.b / (L * (k.A + mu * k.B)), 1 / (mu * k.b))
    return limit(k, L)


def pl_rate(k: Assumption, mu: Number, gamma: Number) -> Number:
    return 1 - gamma * mu * gain(k)


def pl_sharp_rate(k: ABC, L: Number, mu: Number, gamma: Number) -> Number:
    """theta = 1 - 2 gamma mu b + L gamma^2 (A + mu B): the best factor, see `one_step_worst_case`."""
    return 1 - 2 * gamma * mu * k.b + L * gamma**2 * (k.A + mu * k.B)


def pl_floor(k: Assumption, L: Number, mu: Number, gamma: Number) -> Number:
    """What is left of E f - f* for ever: noise/(gamma mu gain)."""
    return noise(k, L, gamma) / (gamma * mu * gain(k))


def pl_steps(k: Assumption, L: Number, mu: Number) -> Number:
    """Steps per factor e of the noiseless part at the largest step size: 1/(gamma mu gain)."""
    return 1 / (pl_limit(k, L, mu) * mu * gain(k))
