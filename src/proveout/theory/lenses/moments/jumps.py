"""Jump-linear systems: the linear algebra behind mean-square rates.

Maps A_k lead from clock i to clock j; S_i is a second moment at clock i.

    forward  S_j+ = sum A_k S_i A_k',   adjoint  W_i+ = sum A_k' W_j A_k        (sqrt(p_k) multiplied into A_k)

The map is positive, so its spectral radius rho is an eigenvalue with a positive semidefinite eigenvector (Perron
and Frobenius for cones).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs, gmres

from proveout.arrays import Array
from proveout.theory.lenses.common import Refused

__all__ = ["Jumps", "bracket", "operator_radius", "orthonormal", "reachable", "resolvent", "spectral_radius"]

DENSE = 400  # numbers in S, up to which the operator is a matrix
SPARSE = 200  # q up to which ARPACK is asked
DROP = 1e-7  # of a direction already spanned: the rounding in it, 1e-16 / DROP, must stay below DROP itself
SPECK = 1e-13  # of the longest column


@dataclass(frozen=True, eq=False)
class Jumps:
    sizes: tuple[int, ...]  # q_i of every clock
    edges: tuple[tuple[int, int, Array], ...]  # (i, j, (K, q_j, q_i))

    def forward(self, S: list[Array]) -> list[Array]:
        out = [np.zeros((q, q)) for q in self.sizes]
        for i, j, A in self.edges:
            out[j] += _sum(A, S[i])
        return out

    def adjoint(self, W: list[Array]) -> list[Array]:
        out = [np.zeros((q, q)) for q in self.sizes]
        for i, j, A in self.edges:
            out[i] += _sum(A.swapaxes(-1, -2), W[j])
        return out

    def restricted(self, R: list[Array]) -> "Jumps":
        """Within the spaces with orthonormal bases R_i (q_i, r_i)."""
        edges = tuple((i, j, R[j].T @ A @ R[i]) for i, j, A in self.edges)
        return Jumps(tuple(r.shape[1] for r in R), edges)

    def transposed(self) -> "Jumps":
        return Jumps(self.sizes, tuple((j, i, A.swapaxes(-1, -2)) for i, j, A in self.edges))


def _sum(A: Array, S: Array) -> Array:
    """sum_k A_k S A_k' by one product: (K, a, b), (b, b) -> (a, a)."""
    K, a, b = A.shape
    wide = (A @ S).transpose(1, 0, 2).reshape(a, K * b)
    return np.asarray(wide @ A.transpose(0, 2, 1).reshape(K * b, a))


# ------------------------------------------------------------------ reachable spaces


def reachable(jumps: Jumps, columns: list[Array]) -> list[Array]:
    """Orthonormal bases of the smallest spaces that contain the columns and are mapped into one another."""
    R = [np.zeros((q, 0)) for q in jumps.sizes]
    scale = max((float(np.abs(A).max(initial=0.0)) for _, _, A in jumps.edges), default=0.0)
    new = [orthonormal(r, c) for r, c in zip(R, columns, strict=True)]
    while any(n.shape[1] for n in new):
        R = [np.concatenate([r, n], axis=1) for r, n in zip(R, new, strict=True)]
        met: list[list[Array]] = [[np.zeros((q, 0))] for q in jumps.sizes]
        for i, j, A in jumps.edges:
            met[j].extend(A @ new[i])
        new = [orthonormal(r, np.concatenate(cols, axis=1), scale) for r, cols in zip(R, met, strict=True)]
    return R


def orthonormal(basis: Array, columns: Array, scale: float = 0.0) -> Array:
    """An orthonormal basis of what the columns add to the span of `basis`: (q, r), (q, c) -> (q, r').

    Columns below SPECK of `scale` (and of the longest) are rounding.
    """
    size = np.linalg.norm(columns, axis=0)
    keep = size > SPECK * max(scale, float(size.max(initial=0.0)), 1e-200)
    columns = columns[:, keep] / size[keep]
    if columns.shape[1] > 4 * len(basis):  # as many random mixtures span the same space
        mix = np.random.default_rng(0).standard_normal((columns.shape[1], 2 * len(basis)))
        columns = columns @ mix / np.sqrt(columns.shape[1])
    for _ in range(2):
        columns = columns - basis @ (basis.T @ columns)
    if not columns.shape[1] or basis.shape[1] == len(basis):
        return np.zeros((len(basis), 0))
    left, s, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, s > DROP][:, : len(basis) - basis.shape[1]])


# ------------------------------------------------------------------ spectra


def spectral_radius(jumps: Jumps) -> float:
    """rho of the second-moment operator."""
    return operator_radius(jumps.forward, jumps.sizes)


def operator_radius(forward: Callable[[list[Array]], list[Array]], sizes: tuple[int, ...]) -> float:
    """Spectral radius of a positive map of second moments; dense where small, else ARPACK from the identity,
    which lies in the interior of the cone and so is never orthogonal to the answer."""
    total = sum(q * q for q in sizes)
    if max(sizes, default=0) > SPARSE:
        raise Refused(f"too large: the spectrum of second moments of R^{max(sizes)}, at most {SPARSE}")
    apply = _flat(forward, sizes)
    if total <= DENSE:
        columns = [apply(e) for e in np.eye(total)]
        return float(np.abs(np.linalg.eigvals(np.stack(columns, axis=1))).max()) if total else 0.0
    start = np.concatenate([np.eye(q).ravel() for q in sizes])
    if not apply(apply(apply(start))).any():
        return 0.0
    operator = LinearOperator((total, total), matvec=apply, dtype=float)
    for ncv in (20, 60):
        try:
            found = eigs(operator, k=1, ncv=min(ncv, total), v0=start, tol=1e-10, return_eigenvectors=False)
            return float(np.abs(found).max())
        except ArpackNoConvergence:
            continue
    raise Refused("the eigenvalue iteration did not converge", "inconclusive")


def _flat(f: Callable[[list[Array]], list[Array]], sizes: tuple[int, ...]) -> Callable[[Array], Array]:
    cuts = np.cumsum([q * q for q in sizes])[:-1]

    def apply(v: Array) -> Array:
        parts = np.split(np.ravel(v), cuts)
        return np.concatenate(
            [s.ravel() for s in f([p.reshape(q, q) for p, q in zip(parts, sizes, strict=True)])]
        )

    return apply


def bracket(forward: Callable[[list[Array]], list[Array]], S: list[Array]) -> tuple[float, float]:
    """Collatz and Wielandt: for S > 0 the eigenvalues of S^-1/2 A(S) S^-1/2 enclose rho."""
    low, high = np.inf, -np.inf
    for s, image in zip(S, forward(S), strict=True):
        w, U = np.linalg.eigh((s + s.T) / 2)
        if len(w) and w[0] <= 0:
            raise ValueError(f"S must be positive definite, least eigenvalue {w[0]}")
        half = U / np.sqrt(w)
        found = np.linalg.eigvalsh(half.T @ ((image + image.T) / 2) @ half)
        low, high = min(low, float(found[0])), max(high, float(found[-1]))
    return low, high


def resolvent(jumps: Jumps, r: float) -> list[Array]:
    """W with r W - adjoint(W) = I; positive definite for r > rho."""
    sizes = jumps.sizes
    apply = _flat(jumps.adjoint, sizes)
    total = sum(q * q for q in sizes)
    eye = np.concatenate([np.eye(q).ravel() for q in sizes])
    if total <= 1600:
        matrix = np.stack([apply(e) for e in np.eye(total)], axis=1)
        flat = np.linalg.solve(r * np.eye(total) - matrix, eye)
    else:
        operator = LinearOperator((total, total), matvec=lambda v: r * np.ravel(v) - apply(v), dtype=float)
        flat, failed = gmres(operator, eye, x0=eye / r, rtol=1e-8, restart=100, maxiter=20)
        if failed:
            raise Refused("the Lyapunov equation did not converge", "inconclusive")
    cuts = np.cumsum([q * q for q in sizes])[:-1]
    parts = [p.reshape(q, q) for p, q in zip(np.split(flat, cuts), sizes, strict=True)]
    return [(p + p.T) / 2 for p in parts]
