"""Convergence of SGD with a biased gradient estimator.

Demidovich, Malinovsky, Sokolov, Richtárik, "A guide through the zoo of biased SGD" (NeurIPS 2023,
arXiv:2305.16296).  f is L-smooth and bounded below; the estimator is Biased ABC with abc = (A, B, C, b, c)
(`blocks/estimators`); D = f(x) - f*, G = |grad f(x)|^2.

    nonconvex_step   E D' <= (1 + L A gamma^2) D - gamma (b - L B gamma/2) G + gamma c + L C gamma^2/2
    nonconvex        gamma <= b/(L B):  min_{t<T} E G_t <= 2 (1 + L A gamma^2)^T D_0/(b gamma T) + L C gamma/b + 2 c/b
    pl               gamma <= min{mu b/(L (A + mu B)), 1/(mu b)}:  E D' <= (1 - gamma mu b) D + gamma c + L C gamma^2/2
    pl_sharp         the same with 1 - 2 gamma mu b + L gamma^2 (A + mu B), gamma <= 2 b/(L B)

The floor of `nonconvex` is 2c/b; the form that ends in c/b fails (`printed_floor_fails`).
"""

from proveout.theory.biased_sgd.blocks import (
    BIASED_RAND_K_ABC,
    MEMBERSHIP_IS_AN_LMI,
    RAND_K_ABC,
    TOP_K_ABC,
)
from proveout.theory.biased_sgd.complexity import NONCONVEX_COMPLEXITY, PL_COMPLEXITY
from proveout.theory.biased_sgd.convergence import NONCONVEX, NONCONVEX_STEP, PL, PL_SHARP
from proveout.theory.biased_sgd.floor import PRINTED_FLOOR_FAILS
from proveout.theory.biased_sgd.reductions import (
    EQUALS_GD,
    EQUALS_SGD,
    RAND_K_EQUALS_BIASED_RAND_K,
    SCALING,
    TOP_K_FINISHES,
)

__all__ = [
    "BIASED_RAND_K_ABC",
    "EQUALS_GD",
    "EQUALS_SGD",
    "MEMBERSHIP_IS_AN_LMI",
    "NONCONVEX",
    "NONCONVEX_COMPLEXITY",
    "NONCONVEX_STEP",
    "PL",
    "PL_COMPLEXITY",
    "PL_SHARP",
    "PRINTED_FLOOR_FAILS",
    "RAND_K_ABC",
    "RAND_K_EQUALS_BIASED_RAND_K",
    "SCALING",
    "TOP_K_ABC",
    "TOP_K_FINISHES",
]
