"""5GCS with compression (5GCS-CC) and with arbitrary client sampling (5GCS-AB).

Grudzień, Malinovsky, Richtárik (arXiv:2306.03240).  Each f_i is L_i-smooth and mu-strongly convex (L = L_max),
F_i = (f_i - (mu/2) |.|^2)/n is convex with L_Fi = (L_i - mu)/n, h*_i = grad F_i(x*); the local solver meets the
condition of `fivegcs.local`.

*CC*: unbiased compressors of variance omega.  If gamma_dual >= 8 mu/(3n) and
1/gamma_dual - gamma (n + omega n/C) >= 4 mu/(3 n gamma_dual^2), then from any state

    Psi = |x - x*|^2 / gamma + (n/C)(1 + omega)(1/gamma_dual + 1/L_F) sum_i |h_i - h*_i|^2,
    E Psi(next) <= (1 - min{gamma mu/(1 + gamma mu), C gamma_dual/(n (1 + omega)(L_F + gamma_dual))}) Psi.

*AB*: a sampling with the AB inequality, c_i = A/w_i + (1 - B) n, p_hat_i the probability that client i comes.  If
gamma_i >= 8 mu/(3n) and 1/gamma_i - gamma c_i >= 4 mu/(3 n gamma_i^2) for all i, then from any state

    Psi = |x - x*|^2 / gamma + sum_i (1/p_hat_i)(1/gamma_i + 1/L_Fi) |h_i - h*_i|^2,
    E Psi(next) <= max{1/(1 + gamma mu), max_i (L_Fi + (1 - p_hat_i) gamma_i)/(L_Fi + gamma_i)} Psi.

Rooms: `rates` (one step), `rules` (steps, local steps, best gamma), `complexity` (rounds), `inequality` (the AB
constants), `measured` (what compression and importance buy), `identities`, `damping`.
"""

from proveout.theory.fivegcs_cc.complexity import CC_ROUND_COMPLEXITY, IMPORTANCE_COMPLEXITY
from proveout.theory.fivegcs_cc.damping import DAMPING_IS_NEEDED
from proveout.theory.fivegcs_cc.identities import (
    AB_EQUALS_FIVEGCS,
    AB_EQUALS_POINT_SAGA,
    CC_EQUALS_FIVEGCS,
    FIXED_POINT,
)
from proveout.theory.fivegcs_cc.inequality import (
    INDEPENDENT_SAMPLING_AB,
    MULTI_SAMPLING_AB,
    NICE_SAMPLING_AB,
)
from proveout.theory.fivegcs_cc.lyapunov import psi_ab, psi_cc, rate_ab, rate_cc, star
from proveout.theory.fivegcs_cc.measured import COMPRESSION_PAYS, IMPORTANCE_PAYS
from proveout.theory.fivegcs_cc.rates import AB_LINEAR_CONVERGENCE, CC_LINEAR_CONVERGENCE, CC_SHARP_RATE
from proveout.theory.fivegcs_cc.rules import (
    AB_SIMPLE_RULE,
    CC_LOCAL_STEPS,
    CC_STEP_RULE,
    best_gamma,
    decrements,
    largest_gamma,
    tune_ab,
    tune_cc,
)

__all__ = [
    "AB_EQUALS_FIVEGCS",
    "AB_EQUALS_POINT_SAGA",
    "AB_LINEAR_CONVERGENCE",
    "AB_SIMPLE_RULE",
    "CC_EQUALS_FIVEGCS",
    "CC_LINEAR_CONVERGENCE",
    "CC_LOCAL_STEPS",
    "CC_ROUND_COMPLEXITY",
    "CC_SHARP_RATE",
    "CC_STEP_RULE",
    "COMPRESSION_PAYS",
    "DAMPING_IS_NEEDED",
    "FIXED_POINT",
    "IMPORTANCE_COMPLEXITY",
    "IMPORTANCE_PAYS",
    "INDEPENDENT_SAMPLING_AB",
    "MULTI_SAMPLING_AB",
    "NICE_SAMPLING_AB",
    "best_gamma",
    "decrements",
    "largest_gamma",
    "psi_ab",
    "psi_cc",
    "rate_ab",
    "rate_cc",
    "star",
    "tune_ab",
    "tune_cc",
]
