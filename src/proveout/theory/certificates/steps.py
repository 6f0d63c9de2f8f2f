"""Ranges of step sizes as half lines, and the multipliers that belong to them.

Units are chosen so that mu = 1 (L = 1 where the claim has no mu): the claims are homogeneous in f.
gamma = 2/((L+mu)(1+r)) runs over (0, 2/(L+mu)], `short`, where (1 - gamma mu)^2 is the larger of the two
branches; gamma = 2(1+r)/(L(1+r)+mu) over [2/(L+mu), 2/L), `long`, where (1 - gamma L)^2 is.
"""

from fractions import Fraction

from proveout.problems.classes import FunctionClass
from proveout.theory.statement import Method, Number, Problem

__all__ = ["LONG", "SHORT", "fast", "long_step", "pull", "short_step", "slow", "unit_class"]

SHORT = "2/((L+mu)(1+r))"
LONG = "2(1+r)/(L(1+r)+mu)"


def unit_class(l: Number, n: Number = 1) -> FunctionClass:
    """mu = 1, L = 1 + l."""
    return FunctionClass(n=int(n), L_max=1 + l, mu_min=Fraction(1))


def short_step(r: Number, l: Number) -> Number:
    return 2 / ((2 + l) * (1 + r))


def long_step(r: Number, l: Number) -> Number:
    return 2 * (1 + r) / ((1 + l) * (1 + r) + 1)


def slow(P: Problem, m: Method) -> Number:
    return (1 - m.gamma * P.mu_min) ** 2


def fast(P: Problem, m: Method) -> Number:
    return (1 - m.gamma * P.L_max) ** 2


def pull(P: Problem, m: Method, name: str) -> Number:
    """2 gamma (1 - gamma mu), or 2 gamma (gamma L - 1) where that is larger."""
    return 2 * m.gamma * max(1 - m.gamma * P.mu_min, m.gamma * P.L_max - 1)
