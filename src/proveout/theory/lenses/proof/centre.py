"""Float multipliers to start from: the slack made as positive definite as can be."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.proof.task import Task
from proveout.theory.lenses.worstcase.solve import conic, svec

__all__ = ["Scaled", "centre", "scaled"]


@dataclass(frozen=True, eq=False)
class Scaled:
    """A task in floats, brought to one scale: S = const + sum_q y_q data_q, lam_q = y_q / unit_q."""

    diagonal: list[Array]  # (k_b,) congruence of each block
    blocks: list[Array]  # (1 + n_q, k_b, k_b): the target, then -Q_q
    values: Array  # (1 + n_q, n_F)
    noise: Array  # (1 + n_q,)
    unit: Array  # (n_q,)

    def slack(self, multipliers: Array) -> list[Array]:
        """The scaled blocks of S."""
        weights = np.r_[1.0, multipliers * self.unit]
        return [np.tensordot(weights, block, axes=1) for block in self.blocks]


def scaled(task: Task, diagonal: list[Array] | None = None) -> Scaled:
    """The task in floats; the congruence is read off `before` and `after` unless it is given."""
    forms = (task.target, *(q * Fraction(-1) for q in task.inequalities))
    if diagonal is None:
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


def centre(data: Scaled) -> tuple[float, Array]:
    """(t, multipliers (n_q,)) that maximise t <= 1 with S >= t I on every scaled block."""
    n, n_values = len(data.unit), data.values.shape[1]
    rows = np.concatenate([svec(b) for b in data.blocks], axis=1)  # (1 + n_q, entries)
    eye = np.concatenate([svec(np.eye(b.shape[1])) for b in data.blocks])
    columns = np.zeros((n_values + 2 + n + len(eye), 1 + n))  # of t, y_1, ..., y_n
    columns[:n_values, 1:] = data.values[1:].T
    columns[n_values, 1:] = data.noise[1:]
    columns[n_values + 1, 0] = -1  # t <= 1
    columns[n_values + 2 : n_values + 2 + n, 1:] = np.eye(n)
    columns[n_values + 2 + n :] = np.concatenate([-eye[:, None], rows[1:].T], axis=1)
    const = np.concatenate([data.values[0], data.noise[:1], [1.0], np.zeros(n), rows[0]])
    cost = np.r_[-1.0, np.zeros(n)]
    y, _ = conic(cost, const, columns, n_values, 2 + n, tuple(b.shape[1] for b in data.blocks))
    return float(y[0]), np.maximum(y[1:], 0) / data.unit
