"""Float multipliers to start from: the slack made as positive definite as can be."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import sparse

from proveout.arrays import Array
from proveout.theory.lenses.proof.task import Task

__all__ = ["Scaled", "centre"]


@dataclass(frozen=True, eq=False)
class Scaled:
    """A task in floats, brought to one scale: S = const + sum_q y_q data_q, lam_q = y_q / unit_q."""

    diagonal: list[Array]  # (k_b,) congruence of each block
    blocks: list[Array]  # (1 + n_q, k_b, k_b): the target, then -Q_q
    values: Array  # (1 + n_q, n_F)
    noise: Array  # (1 + n_q,)
    unit: Array  # (n_q,)


def scaled(task: Task) -> Scaled:
    forms = (task.target, *(q * Fraction(-1) for q in task.inequalities))
    diagonal = [_diagonal(task, b) for b in range(len(task.before.blocks))]
    blocks = [
        np.array([f.blocks[b].astype(float) for f in forms]) * s * s[:, None] for b, s in enumerate(diagonal)
    ]
    size = np.array([np.abs(block).max(axis=(1, 2), initial=0) for block in blocks]).max(axis=0, initial=0)
    unit = np.where(size > 0, size, 1)[1:]
    divide = np.r_[1.0, unit]
    values = np.array([f.values.astype(float) for f in forms]) / divide[:, None]
    noise = np.array([float(f.noise) for f in forms]) / divide
    return Scaled(diagonal, [m / divide[:, None, None] for m in blocks], values, noise, unit)


def _diagonal(task: Task, b: int) -> Array:
    """g^-1/2, g the larger diagonal entry of before and after, or else of the inequalities."""
    sizes = [
        np.abs(np.diagonal(f.blocks[b]).astype(float)) for f in (task.before, task.after, *task.inequalities)
    ]
    g = np.maximum(sizes[0], sizes[1])
    rest = np.max([s / max(s.max(initial=0), 1e-300) for s in sizes[2:]], axis=0) if sizes[2:] else g
    g = np.where(g > 0, g, rest)
    return np.asarray(np.where(g > 0, g, 1.0) ** -0.5)


def centre(task: Task) -> tuple[Array, Scaled]:
    """Multipliers (n_q,) that maximise t <= 1 with S >= t I on every scaled block."""
    import clarabel

    data = scaled(task)
    n, n_values = len(data.unit), data.values.shape[1]
    eyes = [np.eye(block.shape[1])[None] for block in data.blocks]
    rows = np.concatenate([_svec(b) for b in data.blocks], axis=1)  # (1 + n_q, entries)
    minus_t = -np.concatenate([_svec(e) for e in eyes], axis=1)
    none = np.zeros((1, n_values)), np.zeros((1, 1))
    columns = np.concatenate(  # one row per variable t, y_1, ..., y_n
        [
            np.concatenate([none[0], none[1], -np.eye(1 + n)[:1], minus_t], axis=1),
            np.concatenate([data.values[1:], data.noise[1:, None], np.eye(1 + n)[1:], rows[1:]], axis=1),
        ]
    )
    const = np.concatenate([data.values[0], data.noise[:1], [1.0], np.zeros(n), rows[0]])
    cones = [clarabel.ZeroConeT(n_values)] if n_values else []
    cones += [clarabel.NonnegativeConeT(2 + n)]
    cones += [clarabel.PSDTriangleConeT(b.shape[1]) for b in data.blocks if b.shape[1]]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    quadratic, cost = sparse.csc_matrix((1 + n, 1 + n)), np.r_[-1.0, np.zeros(n)]
    solver = clarabel.DefaultSolver(quadratic, cost, sparse.csc_matrix(-columns.T), const, cones, settings)
    y = np.nan_to_num(np.array(solver.solve().x)[1:])
    return np.maximum(y, 0) / data.unit, data


def _svec(m: Array) -> Array:
    """Upper triangles, column by column, off-diagonal entries times sqrt 2: (q, k, k) -> (q, k(k+1)/2)."""
    j, i = np.tril_indices(m.shape[-1])
    return np.asarray(m[:, i, j] * np.where(i == j, 1.0, 2**0.5))
