"""l2-regularised federated logistic regression, dense and sparse, on real or synthetic data.

    f_i(x) = (1/m_i) sum_j log(1 + exp(-y_ij <a_ij, x>)) + (l2/2) ||x||^2,    f = (1/n) sum_i f_i

Constants are exact: the Hessian at 0 is sum_j a a'/(4 m_i) + l2 I and no Hessian is larger, and l2 is
the infimum of its least eigenvalue (along any direction that no sample is orthogonal to, the data
term vanishes at infinity).  x* by Newton's method until it stalls.
"""

import numpy as np
from scipy.sparse import csr_matrix

from proveout.problems.data import Samples, load, synthetic
from proveout.problems.data import split as cut
from proveout.problems.dense import Logistic
from proveout.problems.losses import top as largest
from proveout.problems.sparse import SparseLogistic

__all__ = ["Logistic", "SparseLogistic", "logistic"]


def logistic(
    data: str = "synthetic",
    clients: int = 5,
    kappa: float = 0.0,
    l2: float = 0.0,
    split: str = "uniform",
    seed: int = 0,
    sparse: str = "auto",
    m: int = 200,
    d: int = 10,
    spec: str = "",
) -> Logistic | SparseLogistic:
    """Federated logistic regression on a shipped set, a LIBSVM file, or m x d synthetic samples.

    kappa sets l2 so that L_max / mu_min = kappa (default 100); or give l2 itself.  `split` is
    "uniform", "label" or "order"; `sparse` is "yes", "no", or "auto" (below 20 % density and large).

    Raises ValueError naming the argument, the value and the rule.
    """
    if kappa and l2:
        raise ValueError(f"give kappa or l2, not both, got kappa = {kappa}, l2 = {l2}")
    if l2 < 0 or not np.isfinite(l2):
        raise ValueError(f"l2 must be > 0 for a strongly convex problem, got {l2}")
    kappa = 0.0 if l2 else kappa or 100.0
    if not l2 and not (kappa > 1 and np.isfinite(kappa)):
        raise ValueError(f"kappa must be > 1, got {kappa}")
    samples: Samples = synthetic(m, d, seed) if data == "synthetic" else load(data)
    signed = csr_matrix(samples.features.multiply(samples.labels[:, None]))
    shards = tuple(signed[rows] for rows in cut(samples, clients, split, seed))
    if not l2:
        top = max(largest(z) / (4 * z.shape[0]) for z in shards)
        l2 = top / (kappa - 1)
    if sparse not in ("auto", "yes", "no"):
        raise ValueError(f"sparse must be 'auto', 'yes' or 'no', got {sparse!r}")
    dense_floats = len(shards) * max(z.shape[0] for z in shards) * signed.shape[1]
    density = signed.nnz / max(1, signed.shape[0] * signed.shape[1])
    if sparse == "yes" or sparse == "auto" and density < 0.2 and dense_floats > 2e6:
        return SparseLogistic(shards=shards, l2=l2, spec=spec)
    longest = max(z.shape[0] for z in shards)
    Z = np.zeros((len(shards), longest, signed.shape[1]))
    weight = np.zeros((len(shards), longest))
    for i, z in enumerate(shards):
        Z[i, : z.shape[0]] = z.toarray()
        weight[i, : z.shape[0]] = 1 / z.shape[0]
    return Logistic(Z=Z, weight=weight, l2=l2, shards=shards, spec=spec)
