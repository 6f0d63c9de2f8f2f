"""One call of CLARABEL.  Its status word is never read; `enclosure` decides what its numbers are worth."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.program import Program

__all__ = ["Multipliers", "Solution", "conic", "smat", "solve", "svec"]

TOLERANCE = 1e-10  # asked of the solver


@dataclass(frozen=True, eq=False)
class Multipliers:
    """t of N, theta of C, lam of Q, nu of E, Lam of T (flattened one after the other)."""

    t: Array
    theta: Array
    lam: Array
    nu: Array
    Lam: Array


@dataclass(frozen=True, eq=False)
class Solution:
    dual: Multipliers
    grams: list[Array]
    values: Array


def svec(a: Array) -> Array:
    """Upper triangles, column by column, off-diagonal entries times sqrt 2: (..., k, k) -> (..., k(k+1)/2)."""
    j, i = np.tril_indices(a.shape[-1])
    return np.asarray(a[..., i, j] * np.where(i == j, 1.0, 2**0.5))


def smat(v: Array, k: int) -> Array:
    """The inverse of svec."""
    j, i = np.tril_indices(k)
    out = np.zeros((k, k))
    out[i, j] = out[j, i] = v * np.where(i == j, 1.0, 0.5**0.5)
    return out


def conic(
    cost: Array, const: Array, columns: Array, zeros: int, positives: int, psd: tuple[int, ...], tolerance: float
) -> tuple[Array, Array]:
    """min cost.y, const + columns y in {0}^zeros x R+^positives x PSD blocks: (y, dual z)."""
    import clarabel

    cones = [clarabel.ZeroConeT(zeros)] if zeros else []
    cones += [clarabel.NonnegativeConeT(positives)] if positives else []
    cones += [clarabel.PSDTriangleConeT(k) for k in psd if k]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    settings.tol_infeas_abs = settings.tol_infeas_rel = tolerance
    n = len(cost)
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix((n, n)), cost, sparse.csc_matrix(-columns), const, cones, settings
    )
    found = solver.solve()
    return np.nan_to_num(np.array(found.x)), np.nan_to_num(np.array(found.z))


def solve(data: Program, tolerance: float = TOLERANCE) -> Solution:
    """The least sum b_j t_j with its multipliers, and the worst case that is its dual."""
    nC, nN, nQ, nE = data.counts
    rows = np.concatenate([svec(b) for b in data.blocks], axis=1)
    C, N, Q, E, T = (slice(*data.part(k).indices(len(rows))) for k in range(5))
    signs = np.r_[np.zeros(0)]
    # variables: t, theta_1.., lam, nu, svec(Lam) of each T
    tables, widths = _table_columns(data, rows[T], data.values[T])
    psd_columns = np.concatenate([rows[N], -(rows[C][1:] - rows[C][:1]), -rows[Q], -rows[E], -tables[0]])
    value_columns = np.concatenate(
        [data.values[N], -(data.values[C][1:] - data.values[C][:1]), -data.values[Q], -data.values[E], -tables[1]]
    )
    m = len(psd_columns)
    free = np.r_[nN + nC - 1 + nQ : nN + nC - 1 + nQ + nE]
    positive = np.eye(m)[[k for k in range(nN + nC - 1 + nQ) if k not in set(free)]]
    simplex = np.zeros((1, m))
    simplex[0, nN : nN + nC - 1] = -1
    Lam = np.eye(m)[m - sum(widths) :]
    columns = np.concatenate([value_columns.T, positive, simplex, psd_columns.T, Lam])
    const = np.concatenate(
        [-data.values[C][0], np.zeros(len(positive)), [1.0], -rows[C][0], np.zeros(sum(widths))]
    )
    cost = np.zeros(m)
    cost[:nN] = data.bounds
    psd = (*data.sizes, *data.tables)
    y, z = conic(cost, const, columns, data.values.shape[1], len(positive) + 1, psd, tolerance)
    del signs
    return _read(data, y, z)


def _table_columns(data: Program, rows: Array, values: Array) -> tuple[tuple[Array, Array], list[int]]:
    """<Lam, T> as columns of svec(Lam): symmetrise each table."""
    out_rows, out_values, widths, start = [], [], [], 0
    for k in data.tables:
        j, i = np.tril_indices(k)
        weight = np.where(i == j, 0.5, 0.5**0.5)[:, None]
        for source, out in ((rows, out_rows), (values, out_values)):
            table = source[start : start + k * k].reshape(k, k, -1)
            out.append((table[i, j] + table[j, i]) * weight)
        start += k * k
        widths.append(len(i))
    empty = np.zeros((0, rows.shape[1])), np.zeros((0, values.shape[1]))
    return (np.concatenate([empty[0], *out_rows]), np.concatenate([empty[1], *out_values])), widths


def _read(data: Program, y: Array, z: Array) -> Solution:
    nC, nN, nQ, nE = data.counts
    t, rest, lam, nu, tail = np.split(y, np.cumsum([nN, nC - 1, nQ, nE]))
    Lam, start = [], 0
    for k in data.tables:
        width = k * (k + 1) // 2
        Lam.append(smat(tail[start : start + width], k).ravel())
        start += width
    theta = np.r_[1 - rest.sum(), rest]
    n_values = data.values.shape[1]
    grams, at = [], n_values + nN + nC - 1 + nQ + 1
    for k in data.sizes:
        width = k * (k + 1) // 2
        grams.append(smat(z[at : at + width], k))
        at += width
    return Solution(Multipliers(t, theta, lam, nu, np.concatenate([np.zeros(0), *Lam])), grams, z[:n_values])
