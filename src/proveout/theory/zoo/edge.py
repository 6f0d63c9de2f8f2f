"""The least c with c B - E >= 0 (B >= 0), in closed form, with a dual that proves it.

Split R^q into the range and the kernel of B.  On the kernel -E must be >= 0 (the *corner*), and its null space there
must not meet E in the range (the *cross* or range condition): else there is no c at all.  Where both hold,
c is the largest eigenvalue of the Schur complement, and the eigenvector completes to a point z with

    z'Ez / z'Bz = c,

a lower bound that needs no solver.  If there is no c the answer is a z with z'Bz = 0 < z'Ez, or, where only the cross
term fails, a curve z + w/s, s -> inf, along which E/B grows without bound: then `value` is inf and `weak` is true.
"""

from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array

__all__ = ["Edge", "least_multiple", "smallest"]

NULL = 1e-11  # of the top eigenvalue, after scaling: an eigenvalue of B that is zero
ZERO = 1e-10  # of |E|, after scaling: a corner or a cross term that is zero
FEASIBLE = 1e-8  # of the scale: by how much a least eigenvalue may fall below 0


@dataclass(frozen=True, eq=False)
class Edge:
    value: float  # the least c; inf if there is none
    z: Array  # (q,) where it is attained, or what forbids it
    bound: float  # z'Ez / z'Bz: no smaller c will do
    slack: float  # least eigenvalue of c B - E over its scale
    weak: bool = False  # is it the cross term alone that forbids it?

    @property
    def gap(self) -> float:
        """(value - bound) relative to the value."""
        if not np.isfinite(self.value):
            return 0.0
        return abs(self.value - self.bound) / max(abs(self.value), 1e-300) if self.value else abs(self.bound)


def smallest(Q: Array, size: float = 0.0) -> tuple[float, Array]:
    """Least eigenvalue of Q over its size (or a given one), and the vector."""
    w, U = np.linalg.eigh(_sym(Q))
    return float(w[0]) / max(size, float(np.abs(Q).max()), 1e-300), U[:, 0]


def least_multiple(E: Array, B: Array) -> Edge:
    """The least c with c B - E >= 0; B >= 0."""
    E, B = _sym(E), _sym(B)
    D = _scaling(E, B)
    Es, Bs = E * D[:, None] * D, B * D[:, None] * D
    size = max(float(np.abs(Es).max()), 1e-300)
    w, U = np.linalg.eigh(Bs)
    keep = w > NULL * max(float(w[-1]), 1e-300)
    R, N = U[:, keep], U[:, ~keep]
    lam, W = np.linalg.eigh(-N.T @ Es @ N)  # must be >= 0
    if len(lam) and lam[0] < -ZERO * size:
        return Edge(np.inf, D * (N @ W[:, 0]), np.inf, float(lam[0] / size))
    flat = lam <= ZERO * size
    cross = R.T @ Es @ (N @ W)
    if flat.any() and np.abs(cross[:, flat]).max(initial=0.0) > ZERO * size:
        u, _, v = np.linalg.svd(cross[:, flat])
        return Edge(np.inf, D * (R @ u[:, 0]), np.inf, -float(np.abs(cross[:, flat]).max() / size), weak=True)
    lift = (N @ W[:, ~flat]) @ (cross[:, ~flat] / lam[~flat]).T  # kernel part that goes with a range part
    if not keep.any():
        return Edge(-np.inf, D * U[:, 0], -np.inf, 0.0)
    root = R / np.sqrt(w[keep])
    inner = root.T @ (Es @ R + Es @ lift) @ (R.T @ root)
    mu, T = np.linalg.eigh((inner + inner.T) / 2)
    z = D * ((R + lift) @ (R.T @ root) @ T[:, -1])
    value = float(mu[-1])
    bound = float(z @ E @ z) / float(z @ B @ z)
    return Edge(value, z, bound, smallest(value * B - E, float(np.abs(E).max()))[0])


def _sym(Q: Array) -> Array:
    Q = np.asarray(Q, float)
    return (Q + Q.T) / 2


def _scaling(E: Array, B: Array) -> Array:
    """Units in which B has diagonal 1; where it has none, E is made as large there as elsewhere."""
    d, e = np.diag(B), np.abs(np.diag(E))
    there = d > 1e-28 * float(np.abs(d).max(initial=0.0))
    D = np.where(there, 1 / np.sqrt(np.where(there, d, 1.0)), 0.0)
    size = float((np.abs(E) * D[:, None] * D).max(initial=0.0)) or 1.0
    cross = (np.abs(E) * D).max(axis=1, initial=0.0)
    own = np.where(e > 0, np.sqrt(size / np.where(e > 0, e, 1.0)), size / np.where(cross > 0, cross, size))
    return np.where(there, D, own)
