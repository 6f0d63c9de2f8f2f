"""Gradient descent for all parameters: r, l >= 0 with mu = 1, L = 1 + l.

contraction   2 gamma (1 - gamma mu) on both pairs of x and x* for short steps, 2 gamma (gamma L - 1) for long
              ones, where gradients are measured in units of L
pl, nonconvex 1 on the pair x -> x', and gamma (1 - gamma L/2) on PL at x; the slack is a multiple of
              |(1 - gamma L) grad f(x) - grad f(x')|^2, whose sign change at 1/L asks for two ranges and units
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from proveout.methods.gd import GD
from proveout.problems.classes import FunctionClass
from proveout.theory import gd
from proveout.theory.certificates.steps import (
    LONG,
    SHORT,
    fast,
    long_step,
    pull,
    short_step,
    slow,
    unit_class,
)
from proveout.theory.lenses.proof import Family
from proveout.theory.statement import Number

__all__ = ["DESCENT_FAMILIES"]

DESCENT: dict[str, Callable[..., Number]] = {
    "(1+r)": lambda r, l: 1 + r,
    "(L+mu)": lambda r, l: 2 + l,
    "(L(1+r)+mu)": lambda r, l: (1 + l) * (1 + r) + 1,
    "L": lambda r, l: 1 + l,
    "(L-mu)": lambda r, l: l,
}


def descent(step: Callable[..., Number], gamma: str, **more: Any) -> Family:
    return Family(
        name="gd.contraction",
        statement=gd.CONTRACTION,
        variables=("r", "l"),
        starts=(0, 1),
        where={"mu": "1", "L": "1+l", "gamma": gamma},
        setting=lambda r, l: (unit_class(l), GD(gamma=step(r, l))),
        multiplier=pull,
        factors=DESCENT,
        before=({},),
        inequalities={"(L-mu)": 1},
        **more,
    )


def half_step(r: Number, L: Number) -> Number:
    return 1 / (L * (1 + r))


def whole_step(r: Number, L: Number) -> Number:
    return (1 + 2 * r) / (L * (1 + r))


def descent_lemma(step: Callable[..., Number], gamma: str, **more: Any) -> Family:
    """f(x') against f(x): the slack is a multiple of |(1 - gamma L) grad f(x) - grad f(x')|^2."""
    fields: dict[str, Any] = {
        "factors": {**DESCENT, "r": lambda r, l: r},
        "variables": ("r", "l"),
        "starts": (0, 1),
        "where": {"mu": "1", "L": "1+l", "gamma": gamma},
        "setting": lambda r, l: (unit_class(l), GD(gamma=step(r, 1 + l))),
        "before": ({},),
        "inequalities": {"(1+r)": 2, "L": 1},
        "units": {"d(x)": "(1+r)", "d(y1)": "r"},
    }
    return Family(**{**fields, **more})


def pl(step: Callable[..., Number], gamma: str) -> Family:
    return descent_lemma(
        step,
        gamma,
        name="gd.pl",
        statement=gd.PL,
        claim="f(x') - f* <= (1 - gamma mu (2 - gamma L)) (f(x) - f*)",
        rates=lambda P, m: (1 - m.gamma * P.mu * (2 - m.gamma * P.L),),
        multiplier=lambda P, m, name: {
            "f_i: x -> y1": 1,
            "PL at x": m.gamma * (1 - m.gamma * P.L / 2),
        }.get(name, 0),
        common={"(1+r)": 4, "L": 2},
    )


def nonconvex(step: Callable[..., Number], gamma: str) -> Family:
    return descent_lemma(
        lambda r: step(r, 1),
        gamma,
        name="gd.nonconvex",
        statement=gd.NONCONVEX,
        variables=("r",),
        starts=(0,),
        where={"L": "1", "gamma": gamma},
        setting=lambda r: (FunctionClass(n=1, L_max=Fraction(1), mu_min=Fraction(-1)), GD(gamma=step(r, 1))),
        claim="f(x') - f* <= (f(x) - f*) - gamma (1 - gamma L/2) |grad f(x)|^2",
        rates=lambda P, m: (1,),
        multiplier=lambda P, m, name: int(name == "f_i: x -> y1"),
        factors={"(1+r)": lambda r: 1 + r, "r": lambda r: r},
        common={"(1+r)": 2},
        inequalities={"(1+r)": 2},
    )


DESCENT_FAMILIES: dict[str, Family] = {
    "gd.contraction.short_steps": descent(
        short_step,
        SHORT,
        claim="|x' - x*|^2 <= (1 - gamma mu)^2 |x - x*|^2",
        rates=lambda P, m: (slow(P, m),),
        common={"(1+r)": 2, "(L+mu)": 2, "(L-mu)": 1},
    ),
    "gd.contraction.long_steps": descent(
        long_step,
        LONG,
        claim="|x' - x*|^2 <= (1 - gamma L)^2 |x - x*|^2",
        rates=lambda P, m: (fast(P, m),),
        common={"(L(1+r)+mu)": 2, "(L-mu)": 1},
        units={"d(x)": "L"},
    ),
    "gd.pl.short_steps": pl(half_step, "1/(L(1+r))"),
    "gd.pl.long_steps": pl(whole_step, "(1+2r)/(L(1+r))"),
    "gd.nonconvex.short_steps": nonconvex(half_step, "1/(L(1+r))"),
    "gd.nonconvex.long_steps": nonconvex(whole_step, "(1+2r)/(L(1+r))"),
}
