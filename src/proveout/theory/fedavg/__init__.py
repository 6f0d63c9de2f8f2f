"""FedAvg with client sampling: what a fresh cohort in every round costs, and why local work drifts.

One round with S a uniform C-subset, K local steps gamma, server step gamma_global (x' = x - gamma_global mean_S g_i):

    client_sampling   E|x' - x*|^2 <= (1 - gamma_global mu/2)|x - x*|^2
                                      + 8 gamma_global L B_0 + 2 gamma_global^2 (n - C)/(C (n-1)) sigma_client2
    floor_is_linear   half the steps, half the stationary error (a quarter, if C = n)
    drifts            K >= 2 full local steps, or FedProx: the mean iterate converges to another point than x*
    nastya            C = n: the recalled constants of Nastya

B_0 = gamma^2 [(K-1)(2K-1)/6 sigma_client2 + (K+1)/6 sigma_data2 1_{K>1}], the spread of the local models.
"""

from proveout.theory.fedavg.drift import DRIFTS
from proveout.theory.fedavg.sampling import CLIENT_SAMPLING, FLOOR_IS_LINEAR, NASTYA, basic

__all__ = ["CLIENT_SAMPLING", "DRIFTS", "FLOOR_IS_LINEAR", "NASTYA", "basic"]
