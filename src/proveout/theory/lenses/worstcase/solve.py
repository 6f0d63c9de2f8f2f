"""One call of CLARABEL.  Its status word is never read; `enclosure` decides what its numbers are worth."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.program import Program

__all__ = [
    "TOLERANCE",
    "Multipliers",
    "Solution",
    "conic",
    "cut",
    "multiplier_columns",
    "multipliers",
    "psd_part",
    "smat",
    "solve",
    "svec",
]

TOLERANCE = 1e-10  # asked of the solver


@dataclass(frozen=True, eq=False)
class Multipliers:
    """t of N, theta of C, lam of Q, nu of E, Lam of the matrices T (k, k)."""

    t: Array
    theta: Array
    lam: Array
    nu: Array
    Lam: list[Array]


@dataclass(frozen=True, eq=False)
class Solution:
    dual: Multipliers
    grams: list[Array]
    values: Array


@lru_cache(maxsize=256)
def _triangle(k: int) -> tuple[Array, Array, Array]:
    """Rows i <= columns j, column by column, and the weight of the entry in svec."""
    j, i = np.tril_indices(k)
    return i, j, np.where(i == j, 1.0, 2**0.5)


def svec(a: Array) -> Array:
    """Upper triangles, column by column, off-diagonal entries times sqrt 2: (..., k, k) -> (..., k(k+1)/2)."""
    i, j, weight = _triangle(a.shape[-1])
    return np.asarray(a[..., i, j] * weight)


def smat(v: Array, k: int) -> Array:
    """The inverse of svec: (..., k(k+1)/2) -> (..., k, k)."""
    i, j, weight = _triangle(k)
    out = np.zeros((*v.shape[:-1], k, k))
    out[..., i, j] = out[..., j, i] = v / weight
    return out


def psd_part(a: Array) -> Array:
    """The nearest positive semidefinite matrix."""
    w, U = np.linalg.eigh(a) if a.size else (np.zeros(0), a)
    return np.asarray((U * np.maximum(w, 0)) @ U.T)


def conic(
    cost: Array,
    const: Array,
    rows: Array,
    zeros: int,
    positives: int,
    psd: tuple[int, ...],
    tolerance: float = TOLERANCE,
) -> tuple[Array, Array]:
    """min cost.y with const + rows y in {0}^zeros x R+^positives x PSD blocks: (y, dual z)."""
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
    matrix = sparse.csc_matrix(-rows)
    solver = clarabel.DefaultSolver(sparse.csc_matrix((n, n)), cost, matrix, const, cones, settings)
    try:
        found = solver.solve()
    except (
        BaseException
    ) as error:  # the solver's own crash on an ill-conditioned matrix is no exception of Python
        if type(error).__name__ != "PanicException":
            raise
        return np.zeros(n), np.zeros(len(const))
    return np.nan_to_num(np.array(found.x)), np.nan_to_num(np.array(found.z))


def multiplier_columns(data: Program) -> tuple[Array, Array]:
    """The data of (lam, nu, svec Lam): what each subtracts from the slack, values (m, n_F) and svec (m, s)."""
    rows = np.concatenate([svec(b) for b in data.blocks], axis=1)
    first = data.part(2).start
    end = data.part(3).stop
    parts = [(data.values[first:end], rows[first:end])]
    for k, start in zip(data.tables, data.table_starts, strict=True):
        j, i = np.tril_indices(k)
        weight = np.where(i == j, 0.5, 0.5**0.5)[:, None]  # <Lam, T> sees the symmetric part of T
        for_each = []
        for source in (data.values, rows):
            table = source[start : start + k * k].reshape(k, k, -1)
            for_each.append((table[i, j] + table[j, i]) * weight)
        parts.append((for_each[0], for_each[1]))
    return np.concatenate([v for v, _ in parts]), np.concatenate([r for _, r in parts])


def solve(data: Program, tolerance: float = TOLERANCE) -> Solution:
    """The least sum b_j t_j with its multipliers, and the worst case that is its dual."""
    nC, nN, nQ, _ = data.counts
    rows = np.concatenate([svec(b) for b in data.blocks], axis=1)
    C, N = data.part(0), data.part(1)
    minus_values, minus_rows = multiplier_columns(data)
    value_part = np.concatenate([data.values[N], data.values[C][:1] - data.values[C][1:], -minus_values])
    slack_part = np.concatenate([rows[N], rows[C][:1] - rows[C][1:], -minus_rows])
    m, positive = len(slack_part), nN + nC - 1 + nQ
    widths = [k * (k + 1) // 2 for k in data.tables]
    simplex = np.zeros((1, m))
    simplex[0, nN : nN + nC - 1] = -1  # theta_0 = 1 - the others
    stacked = np.concatenate(
        [value_part.T, np.eye(m)[:positive], simplex, slack_part.T, np.eye(m)[m - sum(widths) :]]
    )
    const = np.concatenate(
        [-data.values[C][0], np.zeros(positive), [1.0], -rows[C][0], np.zeros(sum(widths))]
    )
    cost = np.zeros(m)
    cost[:nN] = data.bounds
    n_values = data.values.shape[1]
    y, z = conic(cost, const, stacked, n_values, positive + 1, (*data.sizes, *data.tables), tolerance)
    t, rest, tail = np.split(y, [nN, nN + nC - 1])
    return Solution(
        Multipliers(t, np.r_[1 - rest.sum(), rest], *multipliers(data, tail)),
        cut(z[n_values + positive + 1 :], data.sizes),
        z[:n_values],
    )


def multipliers(data: Program, y: Array) -> tuple[Array, Array, list[Array]]:
    """(lam, nu, Lam) from the vector that `multiplier_columns` multiplies."""
    lam, nu, tail = np.split(y, np.cumsum(data.counts[2:]))
    return lam, nu, cut(tail, data.tables)


def cut(v: Array, sizes: tuple[int, ...]) -> list[Array]:
    """svec of several matrices one after the other, as matrices: (..., sum) -> list of (..., k, k)."""
    out, start = [], 0
    for k in sizes:
        end = start + k * (k + 1) // 2
        out.append(smat(v[..., start:end], k))
        start = end
    return out
