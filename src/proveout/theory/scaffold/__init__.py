"""SCAFFOLD (Karimireddy et al., arXiv:1910.06378): what its control variates are, and its rate with one local step.

Along every path, for every option, cohort, number of local steps and start with h_bar = mean of the h_i:

    h_bar = (1/n) sum_i h_i;   idle clients keep their h_i;
    option I    h_i' = grad f_i(x);      option II    h_i' = mean of the K local gradients of client i;
    (x*, grad f_i(x*)) is at rest;  K = 1, C = n, gamma_server = 1 is gradient descent.

One local step (K = 1, both options alike) is minibatch SAGA.  With gamma_e = gamma gamma_server <= 1/(6 L_max),

    E[Psi(next)] <= max{1 - gamma_e mu_min, 1 - C/(2n)} Psi,
    Psi = |x - x*|^2 + (4 gamma_e^2 / C) sum_i |h_i - grad f_i(x*)|^2,

so that max{6 kappa, 2n/C} log(Psi_0/eps) rounds are enough.  With D = f(x) - f* and s the sum of squares in Psi:
E|estimate|^2 <= 4 L D + (2/n) s and E s' <= (1 - C/n) s + 2 C L D; the terms in D sum to -2 gamma_e (1 - 6 gamma_e L) D.
For K > 1 the paper has the same order, kappa + n/C: no gain from local steps.
"""

from proveout.theory.scaffold.identities import EQUALS_GD, FIXED_POINT, MEAN_SHIFT, OPTION_ONE, OPTION_TWO
from proveout.theory.scaffold.lyapunov import psi, star, tune
from proveout.theory.scaffold.rates import ONE_STEP_CONVERGENCE, ROUND_COMPLEXITY

__all__ = [
    "EQUALS_GD",
    "FIXED_POINT",
    "MEAN_SHIFT",
    "ONE_STEP_CONVERGENCE",
    "OPTION_ONE",
    "OPTION_TWO",
    "ROUND_COMPLEXITY",
    "psi",
    "star",
    "tune",
]
