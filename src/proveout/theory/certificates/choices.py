"""Statements that ship a certificate at one choice of parameters: name -> (statement, class SPEC, choices)."""

from typing import Any

from proveout.theory import gd, proxskip, tamuna
from proveout.theory.statement import Statement

__all__ = ["CHOICES"]

CHOICES: dict[str, tuple[Statement, str, dict[str, Any]]] = {
    "gd.contraction": (gd.CONTRACTION, "class:n=1,L=10,mu=1", {}),
    "gd.pl": (gd.PL, "class:n=1,L=10,mu=1", {}),
    "gd.nonconvex": (gd.NONCONVEX, "class:n=1,L=10,mu=1", {}),
    "gd.convex_rate": (gd.CONVEX_RATE, "class:n=1,L=10,mu=0", {}),
    "proxskip.linear_convergence": (proxskip.LINEAR_CONVERGENCE, "class:n=3,L=10,mu=1", {"p": 0.3}),
    "proxskip.scaffnew_linear_convergence": (
        proxskip.SCAFFNEW_LINEAR_CONVERGENCE,
        "class:n=3,L=10,mu=1",
        {"p": 0.3},
    ),
    "tamuna.linear_convergence": (
        tamuna.LINEAR_CONVERGENCE,
        "class:n=5,L=10,mu=1",
        {"cohort": 3, "s": 3, "p": 0.5},
    ),
}
