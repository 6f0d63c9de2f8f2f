"""TAMUNA: linear convergence with local training, compression and partial participation.

Condat, Agarský, Malinovsky, Richtárik (arXiv:2302.09832).  Each f_i is L-smooth and mu-strongly convex (L, mu
are L_max, mu_min here), c clients take part in a round, s of them send any given coordinate.  For
0 < gamma < 2/L, 0 < chi <= chi_max = n (s-1) / (s (n-1)) and sum_i h_i = 0, one iteration contracts

    Psi = (1/gamma) sum_i |x_i - x*|^2 + B sum_i |h_i - h*_i|^2,     B = gamma (n-1) / (p^2 chi (s-1)),
    E[Psi(next)] <= r Psi,     r = max{(1 - gamma mu)^2, (1 - gamma L)^2, 1 - p^2 chi (s-1)/(n-1)}.

It follows from an exact identity: with w_i = x_i - gamma grad f_i(x_i), y_i = x_hat_i - x*,

    E[Psi(next)] = (1/gamma) sum_i |w_i - w*_i|^2 + (B - gamma) sum_i |h_i - h*_i|^2
                   - (p/gamma) (chi_max - chi) sum_i |y_i - y_bar|^2.

Rooms: `rates` (one step, one round, the model), `sums` (convex clients), `communication` and `measured` (rounds
and reals), `identities` and `reductions`, `masks` (who sends what), `stall` (even counts).
"""

from proveout.theory.tamuna.communication import ROUND_COMPLEXITY, UPLINK_COMPLEXITY
from proveout.theory.tamuna.identities import EXACT_IDENTITY, FIXED_POINT, SHIFT_SUM
from proveout.theory.tamuna.lyapunov import chi_max, psi, rate, star
from proveout.theory.tamuna.masks import MASK_MARGINAL
from proveout.theory.tamuna.measured import ROUNDS_IGNORE_COHORT, UPLINK_BEATS_SCAFFNEW
from proveout.theory.tamuna.rates import (
    LINEAR_CONVERGENCE,
    MODEL_CONVERGENCE,
    ONE_ROUND,
    STOCHASTIC_GRADIENTS,
)
from proveout.theory.tamuna.reductions import (
    EQUALS_COMPRESSED_SCAFFNEW,
    EQUALS_GD,
    EQUALS_LOCAL_GD,
    EQUALS_SCAFFNEW,
)
from proveout.theory.tamuna.stall import EVEN_LOCAL_STEPS_STALL
from proveout.theory.tamuna.sums import CONVEX_AVERAGE, DISAGREEMENT_SUM

__all__ = [
    "CONVEX_AVERAGE",
    "DISAGREEMENT_SUM",
    "EQUALS_COMPRESSED_SCAFFNEW",
    "EQUALS_GD",
    "EQUALS_LOCAL_GD",
    "EQUALS_SCAFFNEW",
    "EVEN_LOCAL_STEPS_STALL",
    "EXACT_IDENTITY",
    "FIXED_POINT",
    "LINEAR_CONVERGENCE",
    "MASK_MARGINAL",
    "MODEL_CONVERGENCE",
    "ONE_ROUND",
    "ROUNDS_IGNORE_COHORT",
    "ROUND_COMPLEXITY",
    "SHIFT_SUM",
    "STOCHASTIC_GRADIENTS",
    "UPLINK_BEATS_SCAFFNEW",
    "UPLINK_COMPLEXITY",
    "chi_max",
    "psi",
    "rate",
    "star",
]
