"""Convergence of SGD with a biased gradient estimator.

Demidovich, Malinovsky, Sokolov, Richtárik, "A guide through the zoo of biased SGD" (NeurIPS 2023,
arXiv:2305.16296).  f is L-smooth and bounded below; D = f(x) - f*, G = |grad f(x)|^2; abc = (A, B, C, b, c) are the
constants of Biased ABC (`blocks/assumptions`).

    nonconvex_step   E D' <= (1 + L A gamma^2) D - gamma (b - L B gamma/2) G + gamma c + L C gamma^2/2
    nonconvex        gamma <= b/(L B):  min_{t<T} E G_t <= 2 (1 + L A gamma^2)^T D_0/(b gamma T) + L C gamma/b + 2 c/b
    pl               gamma <= min{mu b/(L (A + mu B)), 1/(mu b)}:  E D' <= (1 - gamma mu b) D + gamma c + L C gamma^2/2
    pl_sharp         the same with 1 - 2 gamma mu b + L gamma^2 (A + mu B), gamma <= 2 b/(L B)

The floor of `nonconvex` is 2c/b; the form that ends in c/b fails (`printed_floor_fails`).  Rooms: `rules` (all step
limits, rates, floors), `dedicated` and `decreasing` (the theorems made for one assumption, and for decreasing
steps), `comparison`, `sampling` and `rounding` (estimators made of the clients' gradients), `measured`, `hierarchy`
(implications), `table` and `lmi` (constants of estimators), `reductions`.
"""

from proveout.theory.biased_sgd.blocks import (
    BIASED_RAND_K_ABC,
    RAND_K_ABC,
    TOP_K_ABC,
)
from proveout.theory.biased_sgd.comparison import DEDICATED_BEATS_ABC, ONE_STEP_WORST_CASE, comparison
from proveout.theory.biased_sgd.complexity import NONCONVEX_COMPLEXITY, PL_COMPLEXITY
from proveout.theory.biased_sgd.convergence import NONCONVEX, NONCONVEX_STEP, PL, PL_SHARP
from proveout.theory.biased_sgd.decreasing import DECREASING_STEPS, FSML_DECREASING
from proveout.theory.biased_sgd.dedicated import (
    BND_NONCONVEX,
    BND_PL,
    CON_PL,
    FSML_NONCONVEX,
    FSML_STRONGLY_CONVEX,
    SG1_PL,
    SG2_PL,
)
from proveout.theory.biased_sgd.floor import PRINTED_FLOOR_FAILS
from proveout.theory.biased_sgd.growth import FINITE_SUM_GROWTH, QUADRATICS_NEED_NO_A
from proveout.theory.biased_sgd.hierarchy import *  # noqa: F403
from proveout.theory.biased_sgd.hierarchy import __all__ as _arrows
from proveout.theory.biased_sgd.lmi import MEMBERSHIP_IS_AN_LMI
from proveout.theory.biased_sgd.measured import MORE_CLIENTS_FASTER, TOP_K_NEEDS_FEWER_STEPS
from proveout.theory.biased_sgd.reductions import (
    EQUALS_GD,
    EQUALS_SGD,
    RAND_K_EQUALS_BIASED_RAND_K,
    SCALING,
    TOP_K_FINISHES,
)
from proveout.theory.biased_sgd.rounding import DISSIMILAR_ROUNDING, DISTRIBUTED_ROUNDING_FAILS
from proveout.theory.biased_sgd.sampling import (
    DISSIMILAR_SAMPLING,
    INDEPENDENT_SAMPLING_ABC,
    INDEPENDENT_SAMPLING_UNEQUAL_FAILS,
)
from proveout.theory.biased_sgd.table import *  # noqa: F403
from proveout.theory.biased_sgd.table import __all__ as _table

__all__ = [
    "BIASED_RAND_K_ABC",
    "BND_NONCONVEX",
    "BND_PL",
    "CON_PL",
    "DECREASING_STEPS",
    "DEDICATED_BEATS_ABC",
    "DISSIMILAR_ROUNDING",
    "DISSIMILAR_SAMPLING",
    "DISTRIBUTED_ROUNDING_FAILS",
    "EQUALS_GD",
    "EQUALS_SGD",
    "FINITE_SUM_GROWTH",
    "FSML_DECREASING",
    "FSML_NONCONVEX",
    "FSML_STRONGLY_CONVEX",
    "INDEPENDENT_SAMPLING_ABC",
    "INDEPENDENT_SAMPLING_UNEQUAL_FAILS",
    "MEMBERSHIP_IS_AN_LMI",
    "MORE_CLIENTS_FASTER",
    "NONCONVEX",
    "NONCONVEX_COMPLEXITY",
    "NONCONVEX_STEP",
    "ONE_STEP_WORST_CASE",
    "PL",
    "PL_COMPLEXITY",
    "PL_SHARP",
    "PRINTED_FLOOR_FAILS",
    "QUADRATICS_NEED_NO_A",
    "RAND_K_ABC",
    "RAND_K_EQUALS_BIASED_RAND_K",
    "SCALING",
    "SG1_PL",
    "SG2_PL",
    "TOP_K_ABC",
    "TOP_K_FINISHES",
    "TOP_K_NEEDS_FEWER_STEPS",
    "comparison",
    *_arrows,
    *_table,
]
