"""TAMUNA for all parameters: t, r, l, a, b >= 0 with p = 1/(1+t), mu = 1, L = 1 + l, cohorts of c = 2 + b among
n = c + 1 + a clients, s = c senders per coordinate, chi = chi_max.

The multipliers are those of gradient descent, times n and times the weight 1/gamma of |x|^2 in Psi.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from proveout.methods.tamuna import TamunaVirtual
from proveout.theory import tamuna
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
from proveout.theory.statement import Method, Number, Problem

__all__ = ["COHORT_FAMILIES"]

COHORTS: dict[str, Callable[..., Number]] = {
    "(1+t)": lambda t, r, l, a, b: 1 + t,
    "(1+r)": lambda t, r, l, a, b: 1 + r,
    "(L+mu)": lambda t, r, l, a, b: 2 + l,
    "(L(1+r)+mu)": lambda t, r, l, a, b: (1 + l) * (1 + r) + 1,
    "L": lambda t, r, l, a, b: 1 + l,
    "(L-mu)": lambda t, r, l, a, b: l,
    "n": lambda t, r, l, a, b: 3 + a + b,
    "(n-1)": lambda t, r, l, a, b: 2 + a + b,
    "c": lambda t, r, l, a, b: 2 + b,
    "(c-1)": lambda t, r, l, a, b: 1 + b,
}


def cohorts(step: Callable[..., Number], gamma: str, **more: Any) -> Family:
    def setting(t: Number, r: Number, l: Number, a: Number, b: Number) -> tuple[Problem, Method]:
        n, c = int(3 + a + b), int(2 + b)
        chi: Number = Fraction(n * (c - 1), c * (n - 1))
        return unit_class(l, n), TamunaVirtual(gamma=step(r, l), p=1 / (1 + t), chi=chi, cohort=c, s=c)

    return Family(
        name="tamuna.linear_convergence",
        statement=tamuna.LINEAR_CONVERGENCE,
        variables=("t", "r", "l", "a", "b"),
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


COHORT_FAMILIES: dict[str, Family] = {
    "tamuna.linear_convergence.short_steps": cohorts(
        short_step,
        SHORT,
        claim="E Psi' <= (1 - gamma mu)^2 (1/gamma) sum|x_i - x*|^2 + (1 - p^2 chi (s-1)/(n-1)) B sum|h_i - h*_i|^2",
        rates=lambda P, m: (slow(P, m), shift_rate(P, m)),
        common={"(1+t)": 1, "(1+r)": 1, "(L+mu)": 1, "(L-mu)": 1, "n": 1, "(c-1)": 2},
        before=(
            {"(1+r)": -1, "(L+mu)": -1},
            {"(1+t)": -2, "(1+r)": 1, "(L+mu)": 1, "n": 1, "(c-1)": 2, "(n-1)": -2, "c": -1},
        ),
    ),
    "tamuna.linear_convergence.long_steps": cohorts(
        long_step,
        LONG,
        claim="E Psi' <= (1 - gamma L)^2 (1/gamma) sum|x_i - x*|^2 + (1 - p^2 chi (s-1)/(n-1)) B sum|h_i - h*_i|^2",
        rates=lambda P, m: (fast(P, m), shift_rate(P, m)),
        common={"(1+t)": 1, "(1+r)": 1, "(L(1+r)+mu)": 1, "(L-mu)": 1, "n": 1, "(c-1)": 2},
        before=(
            {"(1+r)": 1, "(L(1+r)+mu)": -1},
            {"(1+t)": -2, "(1+r)": -1, "(L(1+r)+mu)": 1, "n": 1, "(c-1)": 2, "(n-1)": -2, "c": -1},
        ),
        units={"d(x)": "L"},
    ),
}
