"""Steps counted from the worst start: for claims that compare two counted runs of affine methods.

A method whose draws move the deviation y from its star by matrices A_k, |y|^2 being what is measured, has

    sup over y_0 of E|y_t|^2 / |y_0|^2 = largest eigenvalue of W_t,    W_0 = I,  W_{t+1} = sum_k p_k A_k' W_t A_k.
"""

import numpy as np

from proveout.arrays import Array

__all__ = ["first_below", "worst_shares"]

FINEST = 1e-6  # share of the start down to which steps are counted


def worst_shares(maps: Array, longest: int) -> Array:
    """maps (K, q, q) = sqrt(p_k) A_k -> the supremum for t = 0, 1, .. until it is FINEST, at most `longest`: (T+1,)."""
    W, found = np.eye(maps.shape[-1]), [1.0]
    while found[-1] > FINEST and len(found) <= longest:
        W = maps.reshape(-1, len(W)).T @ (W @ maps).reshape(-1, len(W))
        found.append(float(np.linalg.eigvalsh(W)[-1]))
    return np.array(found)


def first_below(shares: Array, share: float, longest: int) -> int:
    """The first t at which the share is reached; `longest` if it is not."""
    below = np.flatnonzero(shares <= share * (1 + 1e-9))
    return int(below[0]) if len(below) else longest
