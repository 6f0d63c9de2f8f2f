"""ProxSkip, Scaffnew and CompressedScaffnew: linear convergence with rare communication.

Mishchenko, Malinovsky, Stich, Richtárik (ICML 2022), main theorem.  If each f_i is L_max-smooth and
mu_min-strongly convex, 0 < gamma <= 1/L_max and sum_i h_i = 0, then

    E[Psi(next)] <= max{1 - gamma mu_min, 1 - p^2} Psi,
    Psi = sum_i ||x_i - x*||^2 + (gamma/p)^2 sum_i ||h_i - h*_i||^2,   h*_i = grad f_i(x*).

Condat, Agarský, Richtárik (arXiv:2210.13277).  With s senders per coordinate, gamma < 2/L_max and
chi <= n (s-1) / (s (n-1)),

    E[Psi(next)] <= max{(1 - gamma mu_min)^2, (1 - gamma L_max)^2, 1 - p^2 chi (s-1)/(n-1)} Psi,
    Psi = sum_i ||x_i - x*||^2 + gamma^2 (n-1) / (p^2 chi (s-1)) sum_i ||h_i - h*_i||^2.

At s = n, chi = 1 this sharpens the first: squares in place of 1 - gamma mu_min, and gamma up to 2/L_max.
"""

from proveout.theory.proxskip.identities import EQUALS_GD, FIXED_POINT, SHIFT_SUM
from proveout.theory.proxskip.rates import (
    COMPRESSED_LINEAR_CONVERGENCE,
    LINEAR_CONVERGENCE,
    ROUND_COMPLEXITY,
    SCAFFNEW_LINEAR_CONVERGENCE,
    chi_max,
    psi,
    star,
)

__all__ = [
    "COMPRESSED_LINEAR_CONVERGENCE",
    "EQUALS_GD",
    "FIXED_POINT",
    "LINEAR_CONVERGENCE",
    "ROUND_COMPLEXITY",
    "SCAFFNEW_LINEAR_CONVERGENCE",
    "SHIFT_SUM",
    "chi_max",
    "psi",
    "star",
]
