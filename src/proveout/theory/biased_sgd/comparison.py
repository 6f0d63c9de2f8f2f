"""What the general theorem costs: every dedicated theorem beside Biased ABC with the constants that it implies.

Under the PL condition, steps per factor e of the noiseless part in units of L/mu, at the largest step sizes:

             dedicated       through ABC                  gain
    SG1      beta^2/alpha    beta^4/alpha^2               beta^2/alpha
    SG2      beta/tau        beta^2/tau^2                 beta/tau
    CON      delta           8 delta^2 (2 - 1/delta)      8 (2 delta - 1)
    BND      (M+1)/(1-m)     8 (M+1)(1+m)/(1-m)^2         8 (1+m)/(1-m)
    BREQ     zeta/rho^2      the same                     1
    FSML     (U+u2)/q^2      the same                     1

ABC forgets that S <= beta P.  `comparison` makes the table from the step limits (`rules`) and the implications
(`hierarchy`); the formulas of the last column are written out, and judged.

one_step_worst_case: E D' <= D - gamma P + (L gamma^2/2) S is tight for smooth f, so the best factor that ABC, PL and
smoothness prove is a semidefinite program in the scalars,

    max  D - gamma P + (L gamma^2/2)(E1 + V)   s.t.  ABC,  2 mu D <= G <= 2 L D,  [[G, P], [P, E1]] >= 0,

and its value is theta D + gamma c + L C gamma^2/2, theta that of `pl_sharp`.
"""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array
from proveout.methods.biased_sgd import BiasedSGD, State
from proveout.methods.blocks.assumptions import (
    ABC,
    ASSUMPTIONS,
    BND,
    BREQ,
    CON,
    FSML,
    SG1,
    SG2,
    Assumption,
    Scalars,
)
from proveout.theory.assumptions import pl, smooth
from proveout.theory.biased_sgd import rules
from proveout.theory.biased_sgd.choices import held, tuned, tuned_pl
from proveout.theory.biased_sgd.convergence import NEGATED, SOURCE, abc, gap, star
from proveout.theory.biased_sgd.hierarchy import to_abc
from proveout.theory.scalars import cone
from proveout.theory.statement import Complexity, Identity, Method, Number, Path, Problem, at_most, log_ratio
from proveout.theory.twins import statement_with, update_times

__all__ = [
    "DEDICATED_BEATS_ABC",
    "ONE_STEP_WORST_CASE",
    "Compared",
    "comparison",
    "one_step_value",
    "through_abc",
]

KINDS: tuple[type[Assumption], ...] = (SG1, SG2, CON, BREQ, BND, FSML)


def through_abc(k: Assumption, recalled: bool = True) -> ABC:
    """The Biased ABC constants that an assumption implies: the paper's, or the sharp ones."""
    statement: Any = getattr(to_abc, f"{type(k).__name__}_IMPLIES_ABC")
    return _recalled(k) if recalled and isinstance(k, CON) else statement.constants(k)


def _recalled(k: CON) -> ABC:
    return ABC(A=0, B=2 * (2 - k.alpha), C=0, b=k.alpha / 2, c=0)


def gain(k: Assumption) -> Number:
    """How many times fewer steps the dedicated theorem needs."""
    match k:
        case SG1():
            return k.beta**2 / k.alpha
        case SG2():
            return k.beta / k.tau
        case CON():
            return 8 * (2 / k.alpha - 1)
        case BND():
            return 8 * (1 + k.m) / (1 - k.m)
    return 1


class Compared(NamedTuple):
    name: str
    dedicated: float  # steps per factor e, in units of L/mu
    general: float  # through ABC
    gain: float  # as the formula says


def comparison(*known: Assumption) -> tuple[Compared, ...]:
    """The table, for the constants that are given."""
    return tuple(
        Compared(
            type(k).__name__,
            float(rules.pl_steps(k, 1, 1)),
            float(rules.pl_steps(through_abc(k), 1, 1)),
            float(gain(k)),
        )
        for k in known
    )


# ------------------------------------------------------------------ steps that are saved


def _kind(m: Method) -> type[Assumption]:
    """The class that the estimator of the method declares."""
    return type(getattr(m.estimator, "said", None) or m.estimator.assumption)


def counted(saved: Any = gain, general: Any = through_abc) -> Any:
    """Steps to E D <= eps: what ABC needs, divided by the gain."""

    def count(P: Problem, m: Method, eps: float, start: State) -> Number:
        k = held(P, m, _kind(m))
        steps = rules.pl_steps(general(k), P.L, P.mu_pl) / saved(k)
        return float(steps) * log_ratio(gap(P, m, start), P, eps)

    return count


def _allowed(P: Problem, m: Method) -> bool:
    k = held(P, m, _kind(m))
    limit = rules.pl_limit(k, P.L, P.mu_pl)
    still = not rules.noise(k, P.L, m.gamma)
    return bool(k.proper and still and at_most(m.gamma, limit) and at_most(limit, m.gamma))


def _tuned(P: Problem, kind: str = "sg1", estimator: Any = "rand_k", k: int = 1) -> BiasedSGD:
    if kind not in ASSUMPTIONS or ASSUMPTIONS[kind] not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(c.__name__.lower() for c in KINDS)}, got {kind!r}")
    m: BiasedSGD = tuned(ASSUMPTIONS[kind])(P, estimator, k)
    return m


DEDICATED_BEATS_ABC = Complexity(
    source=f"{SOURCE} beside the earlier theorems; complexities derived",
    method=BiasedSGD,
    assumes=(smooth, pl),
    allows=_allowed,
    measure=gap,
    count=counted(),
    star=star,
    tune=_tuned,
    claim=r"\tfrac{\beta^2}\alpha,\ \tfrac\beta\tau,\ \delta,\ \tfrac{M+1}{1-m}\text{ for }\tfrac{\beta^4}{\alpha^2},"
    r"\ \tfrac{\beta^2}{\tau^2},\ 8\delta^2(2-\tfrac1\delta),\ \tfrac{8(M+1)(1+m)}{(1-m)^2};"
    r"\ \text{BREQ, FSML gain nothing}",
    twins=(
        statement_with("BREQ and FSML gain 2", count=counted(lambda k: 2 if gain(k) == 1 else gain(k))),
        statement_with(
            "delta for delta^2 in CON through ABC",
            count=counted(
                general=lambda k: (
                    replace(_recalled(k), b=math.sqrt(k.alpha) / 2) if isinstance(k, CON) else through_abc(k)
                )
            ),
        ),
        statement_with("twice the gain", count=counted(lambda k: 2 * gain(k))),
        update_times("x", 0.25),
        NEGATED,
    ),
)


# ------------------------------------------------------------------ the best factor


def one_step_value(k: ABC, L: float, mu: float, gamma: float, D: float, price: float = 1.0) -> float:
    """The largest D - gamma P + (L gamma^2/2)(E1 + V) at this D, by the semidefinite program."""
    sources = (
        *k.rows(),
        Scalars(D=2 * mu, G=-1),
        Scalars(D=-2 * L, G=1),
        Scalars(D=1, one=-D),
        Scalars(D=-1, one=D),
    )
    square = price * L * gamma**2 / 2
    objective = Scalars(D=1, P=-gamma, E1=square, V=square)
    found = cone.least(sources, objective, Scalars(one=-1))
    return found.theta if found.sound else math.nan


GAPS = (0.1, 1.0, 10.0)


def best_sides(rate: Any = rules.pl_sharp_rate, noise: Any = rules.noise, price: float = 1.0) -> Any:
    """Values of the program, and the formula, at several D."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        k = abc(P, m)
        values = [one_step_value(k, P.L, P.mu_pl, m.gamma, D, price) for D in GAPS]
        said = [rate(k, P.L, P.mu_pl, m.gamma) * D + noise(k, P.L, m.gamma) for D in GAPS]
        return np.array(values), np.array(said)

    return sides


def _rate_with(change: Any) -> Any:
    """The sharp rate with other constants."""
    return lambda k, *rest: rules.pl_sharp_rate(replace(k, **change(k)), *rest)


ONE_STEP_WORST_CASE = Identity(
    source=f"{SOURCE}; best factor by the descent inequality, derived",
    method=BiasedSGD,
    assumes=(smooth, pl),
    allows=lambda P, m: at_most(P.L * abc(P, m).B * m.gamma, 2 * abc(P, m).b),
    sides=best_sides(),
    steps=1,
    tune=tuned_pl,
    claim=r"\max\{\delta-\gamma P+\tfrac{L\gamma^2}2S:\ \text{ABC},\ 2\mu\delta\le G\le2L\delta\}="
    r"(1-2\gamma\mu b+L\gamma^2(A+\mu B))\,\delta+\gamma c+\tfrac{LC\gamma^2}2",
    twins=(
        statement_with(
            "1 - gamma mu b", sides=best_sides(lambda k, L, mu, gamma: rules.pl_rate(k, mu, gamma))
        ),
        statement_with(
            "half the noise", sides=best_sides(noise=lambda k, L, gamma: rules.noise(k, L, gamma) / 2)
        ),
        statement_with("A for 2A", sides=best_sides(_rate_with(lambda k: {"A": k.A / 2}))),
        statement_with("B 5 % more", sides=best_sides(_rate_with(lambda k: {"B": 1.05 * k.B}))),
        statement_with("E1 and V at half price", sides=best_sides(price=0.5)),
    ),
)
