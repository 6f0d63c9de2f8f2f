"""l2-regularised federated logistic regression, dense and sparse, on real or synthetic data.

    f_i(x) = (1/m_i) sum_j log(1 + exp(-y_ij <a_ij, x>)) + (l2/2) ||x||^2,    f = (1/n) sum_i f_i

Constants are exact: the Hessian at 0 is sum_j a a'/(4 m_i) + l2 I and no Hessian is larger, and l2 is
the infimum of its least eigenvalue (along any direction that no sample is orthogonal to, the data
term vanishes at infinity).  x* by Newton's method until it stalls.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from proveout.arrays import Array
from proveout.problems.data import Samples, load, synthetic
from proveout.problems.data import split as cut
from proveout.problems.dense import Logistic
from proveout.problems.losses import top as largest
from proveout.problems.nonconvex import Regularised
from proveout.problems.sparse import SparseLogistic
from proveout.problems.sums import FiniteSums

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
    even: str = "no",
    parts: int = 0,
    nonconvex: float = 0.0,
    spec: str = "",
) -> Any:
    """Federated logistic regression on a shipped set, a LIBSVM file, or m x d synthetic samples.

    kappa sets l2 so that L_max / mu_min = kappa (default 100); or give l2 itself.  `split` is
    "uniform", "label" or "order"; `sparse` is "yes", "no", or "auto" (below 20 % density and large).
    `even` drops the samples that would make clients uneven.  parts > 0 cuts every client into so many equal blocks,
    its components (`FiniteSums`), and kappa is then theirs, L_parts / mu_parts.  nonconvex > 0 takes the regulariser
    nonconvex sum_j x_j^2/(1 + x_j^2) in place of l2 (`Regularised`).

    Raises ValueError naming the argument, the value and the rule.
    """
    if kappa and l2:
        raise ValueError(f"give kappa or l2, not both, got kappa = {kappa}, l2 = {l2}")
    if l2 < 0 or not np.isfinite(l2):
        raise ValueError(f"l2 must be > 0 for a strongly convex problem, got {l2}")
    if nonconvex and (kappa or l2 or parts):
        raise ValueError(f"nonconvex goes without kappa, l2 and parts, got nonconvex = {nonconvex}")
    kappa = 0.0 if l2 else kappa or 100.0
    if not l2 and not (kappa > 1 and np.isfinite(kappa)):
        raise ValueError(f"kappa must be > 1, got {kappa}")
    samples: Samples = synthetic(m, d, seed) if data == "synthetic" else load(data)
    if even not in ("yes", "no"):
        raise ValueError(f"even must be 'yes' or 'no', got {even!r}")
    if not parts >= 0:
        raise ValueError(f"parts must be >= 0, got {parts}")
    if sparse not in ("auto", "yes", "no"):
        raise ValueError(f"sparse must be 'auto', 'yes' or 'no', got {sparse!r}")
    signed = csr_matrix(samples.features.multiply(samples.labels[:, None]))
    rows = cut(samples, clients, split, seed)
    if parts or even == "yes":
        rows = _trimmed(rows, max(parts, 1))
    blocks = [signed[block] for own in rows for block in np.split(own, max(parts, 1))] if parts else []
    shards = [signed[own] for own in rows]
    if not l2 and not nonconvex:
        l2 = max(largest(z) / (4 * z.shape[0]) for z in blocks or shards) / (kappa - 1)
    if sparse == "auto":
        dense_floats = len(shards) * max(z.shape[0] for z in shards) * signed.shape[1]
        density = signed.nnz / max(1, signed.shape[0] * signed.shape[1])
        sparse = "yes" if density < 0.2 and dense_floats > 2e6 else "no"
    build = _sparse if sparse == "yes" else _dense
    if nonconvex:
        return Regularised(base=build(shards, 0.0, ""), lam=nonconvex, spec=spec)
    if not parts:
        return build(shards, l2, spec)
    return FiniteSums(whole=build(shards, l2, ""), parts=build(blocks, l2, ""), spec=spec)


def _trimmed(rows: list[Array], parts: int) -> list[Array]:
    """As many samples for every client, a multiple of `parts`: what is left over is dropped."""
    size = min(len(own) for own in rows) // parts * parts
    if not size:
        raise ValueError(
            f"parts must be at most {min(len(own) for own in rows)}, the samples of a client, got {parts}"
        )
    return [own[:size] for own in rows]


def _sparse(shards: list[csr_matrix], l2: float, spec: str) -> SparseLogistic:
    return SparseLogistic(shards=tuple(shards), l2=l2, spec=spec)


def _dense(shards: list[csr_matrix], l2: float, spec: str) -> Logistic:
    longest = max(z.shape[0] for z in shards)
    Z = np.zeros((len(shards), longest, shards[0].shape[1]))
    weight = np.zeros((len(shards), longest))
    for i, z in enumerate(shards):
        Z[i, : z.shape[0]] = z.toarray()
        weight[i, : z.shape[0]] = 1 / z.shape[0]
    return Logistic(Z=Z, weight=weight, l2=l2, shards=tuple(shards), spec=spec)
