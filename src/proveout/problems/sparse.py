"""Sparse logistic regression: one block-diagonal CSR product for all clients, or for a cohort."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit

from proveout.arrays import Array, sqnorm
from proveout.laws import Law, Sure
from proveout.problems.losses import Constants
from proveout.problems.proximal import proximal

__all__ = ["SparseLogistic"]


@dataclass(frozen=True, eq=False)
class SparseLogistic(Constants):
    """Logistic regression on one CSR matrix per client."""

    shards: tuple[csr_matrix, ...]  # one (m_i, d) per client
    l2: float
    spec: str = ""

    is_quadratic = False
    even = False  # samples are not asked for one by one

    @property
    def n(self) -> int:  # type: ignore[override]
        return len(self.shards)

    @property
    def d(self) -> int:  # type: ignore[override]
        return int(self.shards[0].shape[1])

    @property
    def m(self) -> int:
        return int(max(z.shape[0] for z in self.shards))

    @cached_property
    def _whole(self) -> "_Blocks":
        rows, _ = self._rows
        sizes = np.array([z.shape[0] for z in self.shards])
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return _Blocks(rows, starts, np.arange(self.n), self.l2)

    def grads(self, x: Array) -> Array:
        """Each client's gradient at its own point: (..., n, d) -> (..., n, d)."""
        return self._whole.grads(x)

    def values(self, x: Array) -> Array:
        return self._whole.values(x)

    def prox(self, v: Array, t: Any) -> Array:
        """argmin_y f_i(y) + |y - v_i|^2 / (2t): (..., n, d) -> (..., n, d)."""
        return self._whole.prox(v, t)

    def grad(self, x: Array) -> Array:
        z, w = self._rows
        flat = x.reshape(-1, self.d).T
        out = z.T @ (-w[:, None] * expit(-(z @ flat)))
        return out.T.reshape(x.shape) + self.l2 * x

    def value(self, x: Array) -> Array:
        z, w = self._rows
        flat = x.reshape(-1, self.d).T
        return (w @ np.logaddexp(0, -(z @ flat))).reshape(x.shape[:-1]) + self.l2 / 2 * sqnorm(x)

    def xi(self, clients: int | None = None, batch: int | None = None, of: str = "rows") -> Law:
        """Every sample, always: minibatches need the dense form.  ValueError if `batch` is given."""
        if batch is not None:
            raise ValueError(
                f"batch must be None on sparse data, got {batch}: build the problem with sparse=no"
            )
        return Sure(np.zeros((self.n if clients is None else clients, 1)))

    def on(self, xi: Array) -> "SparseLogistic":
        """Itself; ValueError for sample numbers."""
        _every_sample(xi)
        return self

    def at(self, clients: Array) -> "_Blocks":
        """The problem of a cohort: (..., c) client numbers."""
        whole = self._whole
        return _Blocks(whole.rows, whole.starts, np.asarray(clients), self.l2)


class _Blocks:
    """Clients (..., c) of a sparse problem as one block-diagonal matrix; built at the first question."""

    def __init__(self, rows: csr_matrix, starts: Array, clients: Array, l2: float) -> None:
        self.rows, self.starts, self.clients, self.l2 = rows, starts, clients, l2
        self.n, self.d = clients.shape[-1], rows.shape[1]

    def on(self, xi: Array) -> "_Blocks":
        _every_sample(xi)
        return self

    @cached_property
    def _matrix(self) -> tuple[csr_matrix, Array, Array]:
        """(block-diagonal (R, blocks d), weight per row (R,), first row of each block)."""
        flat = self.clients.ravel()
        sizes = self.starts[flat + 1] - self.starts[flat]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        block = np.repeat(np.arange(len(flat)), sizes)
        rows = np.arange(ends[-1]) - np.repeat(ends[:-1] - self.starts[flat], sizes)
        picked = self.rows[rows]
        per_row = np.diff(picked.indptr)
        columns = picked.indices.astype(np.int64) + np.repeat(block * self.d, per_row)
        matrix = csr_matrix((picked.data, columns, picked.indptr), shape=(len(rows), len(flat) * self.d))
        return matrix, 1 / np.repeat(sizes, sizes), ends[:-1]

    def _points(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Points as columns of a (blocks d, batch) matrix, and the full shape of x."""
        shape = np.broadcast_shapes(x.shape[:-2], self.clients.shape[:-1]) + (self.n, self.d)
        x = np.broadcast_to(x, shape)
        if self.clients.ndim == 1:
            return x.reshape(-1, self.n * self.d).T, shape
        if shape[:-2] != self.clients.shape[:-1]:
            raise ValueError(
                f"a cohort per batch entry needs points of batch {self.clients.shape[:-1]}, got {shape[:-2]}"
            )
        return x.reshape(-1, 1), shape

    def grads(self, x: Array) -> Array:
        matrix, weight, _ = self._matrix
        columns, shape = self._points(x)
        out = matrix.T @ (weight[:, None] * expit(-(matrix @ columns)))
        return self.l2 * np.broadcast_to(x, shape) - out.T.reshape(shape)

    def values(self, x: Array) -> Array:
        matrix, weight, first = self._matrix
        columns, shape = self._points(x)
        losses = np.add.reduceat(weight[:, None] * np.logaddexp(0, -(matrix @ columns)), first, axis=0)
        return losses.T.reshape(shape[:-1]) + self.l2 / 2 * sqnorm(np.broadcast_to(x, shape))

    def prox(self, v: Array, t: Any) -> Array:
        """One client's samples at a time, all its points at once; t one number or one per client (..., c, 1)."""
        lead = np.broadcast_shapes(v.shape[:-2], self.clients.shape[:-1], np.shape(t)[:-2])
        v = np.broadcast_to(v, (*lead, self.n, self.d))
        t, who = (np.broadcast_to(a, v.shape[:-1]) for a in (np.reshape(t, np.shape(t)[:-1]), self.clients))
        out = np.empty(v.shape)
        for i in np.unique(who):
            z, hit = self.rows[self.starts[i] : self.starts[i + 1]].toarray(), who == i
            weight = np.full((1, len(z)), 1 / len(z))
            out[hit] = proximal(z[None], weight, self.l2, v[hit][:, None, :], t[hit][:, None, None])[:, 0]
        return out

    def grad(self, x: Array) -> Array:
        return np.asarray(self.grads(x[..., None, :]).mean(axis=-2))


def _every_sample(xi: Array) -> None:
    if np.asarray(xi).dtype.kind in "iu":
        raise ValueError("sample numbers need the dense form: build the problem with sparse=no")
