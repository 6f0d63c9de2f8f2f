"""5GCS: accelerated local training with client sampling.

Grudzień, Malinovsky, Richtárik (AISTATS 2023, arXiv:2212.14370).  Each f_i is L-smooth and mu-strongly convex (L is
L_max here, mu any positive lower bound of mu_min), C of n clients take part in a round, L_F = (L - mu)/n, gamma_d is
gamma_dual.  If gamma_d >= 8 mu/(3n), 1/gamma_d - gamma n >= 4 mu/(3 n gamma_d^2), and the local solver meets its
condition (`local`) with 1/6, one round contracts

    Psi = |x - x*|^2/gamma + (n/C) (1/gamma_d + 1/L_F) sum_i |h_i - h*_i|^2,
    E Psi' <= (1 - min{gamma mu/(1 + gamma mu), (C/n) gamma_d/(L_F + gamma_d)}) Psi.

Rooms: `rates` (one round), `local` (what a solver owes), `rounds` (steps, rounds, cohorts), `identities`.
"""

from proveout.theory.fivegcs.identities import (
    DUAL_SUM,
    EQUALS_CHAMBOLLE_POCK,
    EQUALS_POINT_SAGA,
    FIXED_POINT,
    MOREAU,
)
from proveout.theory.fivegcs.local import HALF_THE_LOCAL_STEPS, LOCAL_SOLVER_CONDITION
from proveout.theory.fivegcs.lyapunov import psi, rate, star, tune
from proveout.theory.fivegcs.rates import EXACT_PROX_RATE, LINEAR_CONVERGENCE, SAGA_LIKE_RATE, SHARP_RATE
from proveout.theory.fivegcs.rounds import (
    ACCELERATED_STEPS_NEED_LOCAL_WORK,
    ROUND_COMPLEXITY,
    ROUNDS_FOLLOW_COHORT,
    STEP_RULE,
)

__all__ = [
    "ACCELERATED_STEPS_NEED_LOCAL_WORK",
    "DUAL_SUM",
    "EQUALS_CHAMBOLLE_POCK",
    "EQUALS_POINT_SAGA",
    "EXACT_PROX_RATE",
    "FIXED_POINT",
    "HALF_THE_LOCAL_STEPS",
    "LINEAR_CONVERGENCE",
    "LOCAL_SOLVER_CONDITION",
    "MOREAU",
    "ROUNDS_FOLLOW_COHORT",
    "ROUND_COMPLEXITY",
    "SAGA_LIKE_RATE",
    "SHARP_RATE",
    "STEP_RULE",
    "psi",
    "rate",
    "star",
    "tune",
]
