"""Gradient descent for all parameters: s, l >= 0 with mu = 1, L = 1 + l.

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
    "(1+s)": lambda s, l: 1 + s,
    "(L+mu)": lambda s, l: 2 + l,
    "(L(1+s)+mu)": lambda s, l: (1 + l) * (1 + s) + 1,
    "L": lambda s, l: 1 + l,
    "(L-mu)": lambda s, l: l,
}


def descent(step: Callable[..., Number], gamma: str, **more: Any) -> Family:
    return Family(
        name="gd.contraction",
        statement=gd.CONTRACTION,
        variables=("s", "l"),
        starts=(0, 1),
        where={"mu": "1", "L": "1+l", "gamma": gamma},
        setting=lambda s, l: (unit_class(l), GD(gamma=step(s, l))),
        multiplier=pull,
        factors=DESCENT,
        before=({},),
        inequalities={"(L-mu)": 1},
        **more,
    )


def half_step(s: Number, L: Number) -> Number:
    return 1 / (L * (1 + s))


def whole_step(s: Number, L: Number) -> Number:
    return (1 + 2 * s) / (L * (1 + s))


def descent_lemma(step: Callable[..., Number], gamma: str, **more: Any) -> Family:
    """f(x') against f(x): the slack is a multiple of |(1 - gamma L) grad f(x) - grad f(x')|^2."""
    fields: dict[str, Any] = {
        "factors": {**DESCENT, "s": lambda s, l: s},
        "variables": ("s", "l"),
        "starts": (0, 1),
        "where": {"mu": "1", "L": "1+l", "gamma": gamma},
        "setting": lambda s, l: (unit_class(l), GD(gamma=step(s, 1 + l))),
        "before": ({},),
        "inequalities": {"(1+s)": 2, "L": 1},
        "units": {"d(x)": "(1+s)", "d(y1)": "s"},
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
        common={"(1+s)": 4, "L": 2},
    )


def nonconvex(step: Callable[..., Number], gamma: str) -> Family:
    return descent_lemma(
        lambda s: step(s, 1),
        gamma,
        name="gd.nonconvex",
        statement=gd.NONCONVEX,
        variables=("s",),
        starts=(0,),
        where={"L": "1", "gamma": gamma},
        setting=lambda s: (FunctionClass(n=1, L_max=Fraction(1), mu_min=Fraction(-1)), GD(gamma=step(s, 1))),
        claim="f(x') - f* <= (f(x) - f*) - gamma (1 - gamma L/2) |grad f(x)|^2",
        rates=lambda P, m: (1,),
        multiplier=lambda P, m, name: int(name == "f_i: x -> y1"),
        factors={"(1+s)": lambda s: 1 + s, "s": lambda s: s},
        common={"(1+s)": 2},
        inequalities={"(1+s)": 2},
    )


DESCENT_FAMILIES: dict[str, Family] = {
    "gd.contraction.short_steps": descent(
        short_step,
        SHORT,
        claim="|x' - x*|^2 <= (1 - gamma mu)^2 |x - x*|^2",
        rates=lambda P, m: (slow(P, m),),
        common={"(1+s)": 2, "(L+mu)": 2, "(L-mu)": 1},
    ),
    "gd.contraction.long_steps": descent(
        long_step,
        LONG,
        claim="|x' - x*|^2 <= (1 - gamma L)^2 |x - x*|^2",
        rates=lambda P, m: (fast(P, m),),
        common={"(L(1+s)+mu)": 2, "(L-mu)": 1},
        units={"d(x)": "L"},
    ),
    "gd.pl.short_steps": pl(half_step, "1/(L(1+s))"),
    "gd.pl.long_steps": pl(whole_step, "(1+2s)/(L(1+s))"),
    "gd.nonconvex.short_steps": nonconvex(half_step, "1/(L(1+s))"),
    "gd.nonconvex.long_steps": nonconvex(whole_step, "(1+2s)/(L(1+s))"),
}
