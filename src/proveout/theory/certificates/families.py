"""Statements that ship a certificate for all parameters: what is proved, where, and by which multipliers.

Units are chosen so that mu = 1 (L = 1 where the claim has no mu): the claims are homogeneous in f.
Each range of a step size is a half line: gamma = 2/((L+mu)(1+s)) runs over (0, 2/(L+mu)], `short`, where
(1 - gamma mu)^2 is the larger of the two branches; gamma = 2(1+s)/(L(1+s)+mu) over [2/(L+mu), 2/L), `long`,
where (1 - gamma L)^2 is.  In the long range gradients are measured in units of L.

The multipliers: 2 gamma (1 - gamma mu) on both pairs of x and x* for short steps, 2 gamma (gamma L - 1) for
long ones, times n where V sums over clients (the inequalities are means) and times the weight of |x|^2 in V.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from proveout.methods.gd import GD
from proveout.methods.proxskip import Scaffnew
from proveout.methods.tamuna import TamunaVirtual
from proveout.problems.classes import FunctionClass
from proveout.theory import gd, proxskip, tamuna
from proveout.theory.lenses.proof import Family
from proveout.theory.statement import Method, Number, Problem

__all__ = ["FAMILIES"]

SHORT, LONG = "2/((L+mu)(1+s))", "2(1+s)/(L(1+s)+mu)"


def unit_class(l: Number, n: Number = 1) -> FunctionClass:
    """mu = 1, L = 1 + l."""
    return FunctionClass(n=int(n), L_max=1 + l, mu_min=Fraction(1))


def short_step(s: Number, l: Number) -> Number:
    return 2 / ((2 + l) * (1 + s))


def long_step(s: Number, l: Number) -> Number:
    return 2 * (1 + s) / ((1 + l) * (1 + s) + 1)


def slow(P: Problem, m: Method) -> Number:
    return (1 - m.gamma * P.mu_min) ** 2


def fast(P: Problem, m: Method) -> Number:
    return (1 - m.gamma * P.L_max) ** 2


def pull(P: Problem, m: Method, name: str) -> Number:
    """2 gamma (1 - gamma mu), or 2 gamma (gamma L - 1) where that is larger."""
    return 2 * m.gamma * max(1 - m.gamma * P.mu_min, m.gamma * P.L_max - 1)


# ------------------------------------------------------------------ gradient descent: s, l

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


# ------------------------------------------------------------------ Scaffnew: t, s, l, m

CLIENTS: dict[str, Callable[..., Number]] = {
    "(1+t)": lambda t, s, l, m: 1 + t,
    "(1+s)": lambda t, s, l, m: 1 + s,
    "(L+mu)": lambda t, s, l, m: 2 + l,
    "(L(1+s)+mu)": lambda t, s, l, m: (1 + l) * (1 + s) + 1,
    "L": lambda t, s, l, m: 1 + l,
    "(L-mu)": lambda t, s, l, m: l,
    "n": lambda t, s, l, m: 2 + m,
}


def scaffnew(step: Callable[..., Number], gamma: str, **more: Any) -> Family:
    fields: dict[str, Any] = {
        "name": "proxskip.scaffnew_linear_convergence",
        "statement": proxskip.SCAFFNEW_LINEAR_CONVERGENCE,
        "variables": ("t", "s", "l", "m"),
        "starts": (0, 0, 1, 0),
        "where": {"mu": "1", "L": "1+l", "gamma": gamma, "p": "1/(1+t)", "n": "2+m"},
        "setting": lambda t, s, l, m: (unit_class(l, 2 + m), Scaffnew(gamma=step(s, l), p=1 / (1 + t))),
        "multiplier": lambda P, m, name: P.n * pull(P, m, name),
        "factors": CLIENTS,
        "inequalities": {"(L-mu)": 1, "n": 1},
    }
    return Family(**{**fields, **more})


# ------------------------------------------------------------------ TAMUNA: t, s, l, a, b

COHORTS: dict[str, Callable[..., Number]] = {
    "(1+t)": lambda t, s, l, a, b: 1 + t,
    "(1+s)": lambda t, s, l, a, b: 1 + s,
    "(L+mu)": lambda t, s, l, a, b: 2 + l,
    "(L(1+s)+mu)": lambda t, s, l, a, b: (1 + l) * (1 + s) + 1,
    "L": lambda t, s, l, a, b: 1 + l,
    "(L-mu)": lambda t, s, l, a, b: l,
    "n": lambda t, s, l, a, b: 3 + a + b,
    "(n-1)": lambda t, s, l, a, b: 2 + a + b,
    "c": lambda t, s, l, a, b: 2 + b,
    "(c-1)": lambda t, s, l, a, b: 1 + b,
}


def cohorts(step: Callable[..., Number], gamma: str, **more: Any) -> Family:
    def setting(t: Number, s: Number, l: Number, a: Number, b: Number) -> tuple[Problem, Method]:
        n, c = int(3 + a + b), int(2 + b)
        chi: Number = Fraction(n * (c - 1), c * (n - 1))
        return unit_class(l, n), TamunaVirtual(gamma=step(s, l), p=1 / (1 + t), chi=chi, cohort=c, s=c)

    return Family(
        name="tamuna.linear_convergence",
        statement=tamuna.LINEAR_CONVERGENCE,
        variables=("t", "s", "l", "a", "b"),
        starts=(0, 0, 1, 0, 0),
        where={
            "mu": "1",
            "L": "1+l",
            "gamma": gamma,
            "p": "1/(1+t)",
            "c": "2+b",
            "s": "c",
            "n": "c+1+a",
            "chi": "n(c-1)/(c(n-1))",
        },
        setting=setting,
        multiplier=lambda P, m, name: P.n * pull(P, m, name) / m.gamma,
        factors=COHORTS,
        inequalities={"(L-mu)": 1, "n": 1},
        **more,
    )


def shift_rate(P: Problem, m: Method) -> Number:
    return 1 - m.p**2 * m.chi * (m.s - 1) / (P.n - 1)


FAMILIES: dict[str, Family] = {
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
    "proxskip.linear_convergence.all_steps": scaffnew(
        lambda s, l: 1 / ((1 + l) * (1 + s)),
        "1/(L(1+s))",
        name="proxskip.linear_convergence",
        statement=proxskip.LINEAR_CONVERGENCE,
        claim="E Psi' <= (1 - gamma mu) sum|x_i - x*|^2 + (1 - p^2) (gamma/p)^2 sum|h_i - h*_i|^2",
        rates=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p**2),
        common={"(1+t)": 1, "(1+s)": 2, "L": 2, "(L-mu)": 1},
        before=({}, {"(1+t)": -2, "(1+s)": 2, "L": 2}),
    ),
    "proxskip.scaffnew_linear_convergence.short_steps": scaffnew(
        short_step,
        SHORT,
        claim="E Psi' <= (1 - gamma mu)^2 sum|x_i - x*|^2 + (1 - p^2) (gamma/p)^2 sum|h_i - h*_i|^2",
        rates=lambda P, m: (slow(P, m), 1 - m.p**2),
        common={"(1+t)": 1, "(1+s)": 2, "(L+mu)": 2, "(L-mu)": 1},
        before=({}, {"(1+t)": -2, "(1+s)": 2, "(L+mu)": 2}),
    ),
    "proxskip.scaffnew_linear_convergence.long_steps": scaffnew(
        long_step,
        LONG,
        claim="E Psi' <= (1 - gamma L)^2 sum|x_i - x*|^2 + (1 - p^2) (gamma/p)^2 sum|h_i - h*_i|^2",
        rates=lambda P, m: (fast(P, m), 1 - m.p**2),
        common={"(1+t)": 1, "(L(1+s)+mu)": 2, "(L-mu)": 1},
        before=({}, {"(1+t)": -2, "(1+s)": -2, "(L(1+s)+mu)": 2}),
        units={"d(x)": "L"},
    ),
    "tamuna.linear_convergence.short_steps": cohorts(
        short_step,
        SHORT,
        claim="E Psi' <= (1 - gamma mu)^2 (1/gamma) sum|x_i - x*|^2 + (1 - p^2 chi (s-1)/(n-1)) B sum|h_i - h*_i|^2",
        rates=lambda P, m: (slow(P, m), shift_rate(P, m)),
        common={"(1+t)": 1, "(1+s)": 1, "(L+mu)": 1, "(L-mu)": 1, "n": 1, "(c-1)": 2},
        before=(
            {"(1+s)": -1, "(L+mu)": -1},
            {"(1+t)": -2, "(1+s)": 1, "(L+mu)": 1, "n": 1, "(c-1)": 2, "(n-1)": -2, "c": -1},
        ),
    ),
    "tamuna.linear_convergence.long_steps": cohorts(
        long_step,
        LONG,
        claim="E Psi' <= (1 - gamma L)^2 (1/gamma) sum|x_i - x*|^2 + (1 - p^2 chi (s-1)/(n-1)) B sum|h_i - h*_i|^2",
        rates=lambda P, m: (fast(P, m), shift_rate(P, m)),
        common={"(1+t)": 1, "(1+s)": 1, "(L(1+s)+mu)": 1, "(L-mu)": 1, "n": 1, "(c-1)": 2},
        before=(
            {"(1+s)": 1, "(L(1+s)+mu)": -1},
            {"(1+t)": -2, "(1+s)": -1, "(L(1+s)+mu)": 1, "n": 1, "(c-1)": 2, "(n-1)": -2, "c": -1},
        ),
        units={"d(x)": "L"},
    ),
}
