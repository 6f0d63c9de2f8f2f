"""Scaffnew for all parameters: t, r, l, m >= 0 with p = 1/(1+t), mu = 1, L = 1 + l, n = 2 + m.

The multipliers are those of gradient descent, times n, for V sums over clients and the inequalities are means.
"""

from collections.abc import Callable
from typing import Any

from proveout.methods.proxskip import Scaffnew
from proveout.theory import proxskip
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

__all__ = ["SCAFFNEW_FAMILIES"]

CLIENTS: dict[str, Callable[..., Number]] = {
    "(1+t)": lambda t, r, l, m: 1 + t,
    "(1+r)": lambda t, r, l, m: 1 + r,
    "(L+mu)": lambda t, r, l, m: 2 + l,
    "(L(1+r)+mu)": lambda t, r, l, m: (1 + l) * (1 + r) + 1,
    "L": lambda t, r, l, m: 1 + l,
    "(L-mu)": lambda t, r, l, m: l,
    "n": lambda t, r, l, m: 2 + m,
}


def scaffnew(step: Callable[..., Number], gamma: str, **more: Any) -> Family:
    fields: dict[str, Any] = {
        "name": "proxskip.scaffnew_linear_convergence",
        "statement": proxskip.SCAFFNEW_LINEAR_CONVERGENCE,
        "variables": ("t", "r", "l", "m"),
        "starts": (0, 0, 1, 0),
        "where": {"mu": "1", "L": "1+l", "gamma": gamma, "p": "1/(1+t)", "n": "2+m"},
        "setting": lambda t, r, l, m: (unit_class(l, 2 + m), Scaffnew(gamma=step(r, l), p=1 / (1 + t))),
        "multiplier": lambda P, m, name: P.n * pull(P, m, name),
        "factors": CLIENTS,
        "inequalities": {"(L-mu)": 1, "n": 1},
    }
    return Family(**{**fields, **more})


SCAFFNEW_FAMILIES: dict[str, Family] = {
    "proxskip.linear_convergence.all_steps": scaffnew(
        lambda r, l: 1 / ((1 + l) * (1 + r)),
        "1/(L(1+r))",
        name="proxskip.linear_convergence",
        statement=proxskip.LINEAR_CONVERGENCE,
        claim="E Psi' <= (1 - gamma mu) sum|x_i - x*|^2 + (1 - p^2) (gamma/p)^2 sum|h_i - h*_i|^2",
        rates=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p**2),
        common={"(1+t)": 1, "(1+r)": 2, "L": 2, "(L-mu)": 1},
        before=({}, {"(1+t)": -2, "(1+r)": 2, "L": 2}),
    ),
    "proxskip.scaffnew_linear_convergence.short_steps": scaffnew(
        short_step,
        SHORT,
        claim="E Psi' <= (1 - gamma mu)^2 sum|x_i - x*|^2 + (1 - p^2) (gamma/p)^2 sum|h_i - h*_i|^2",
        rates=lambda P, m: (slow(P, m), 1 - m.p**2),
        common={"(1+t)": 1, "(1+r)": 2, "(L+mu)": 2, "(L-mu)": 1},
        before=({}, {"(1+t)": -2, "(1+r)": 2, "(L+mu)": 2}),
    ),
    "proxskip.scaffnew_linear_convergence.long_steps": scaffnew(
        long_step,
        LONG,
        claim="E Psi' <= (1 - gamma L)^2 sum|x_i - x*|^2 + (1 - p^2) (gamma/p)^2 sum|h_i - h*_i|^2",
        rates=lambda P, m: (fast(P, m), 1 - m.p**2),
        common={"(1+t)": 1, "(L(1+r)+mu)": 2, "(L-mu)": 1},
        before=({}, {"(1+t)": -2, "(1+r)": -2, "(L(1+r)+mu)": 2}),
        units={"d(x)": "L"},
    ),
}
