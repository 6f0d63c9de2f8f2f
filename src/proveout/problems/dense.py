"""Dense logistic regression: rows padded to the longest client, one gemm per client over the whole batch."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from proveout.arrays import Array, apply, last, namespace, sqnorm, take
from proveout.laws import Each, Index, Law, Sure, Uniform
from proveout.problems.components import Components
from proveout.problems.losses import Constants, each, slopes, softplus
from proveout.problems.proximal import proximal

__all__ = ["Logistic"]

ALL = -1  # the sample number that stands for "every sample"
CACHE = 2**15  # floats of margins held at once


@dataclass(frozen=True, eq=False)
class Logistic(Constants, Components):
    """Dense: rows padded to the longest client, with weight 0.  The components of a client are its samples."""

    Z: Array  # (n, m, d)  label-signed samples y a
    weight: Array  # (n, m)  1/m_i, and 0 where padded
    l2: float
    shards: tuple[csr_matrix, ...] = ()  # whole problems only
    spec: str = ""

    is_quadratic = False

    @property
    def n(self) -> int:  # type: ignore[override]
        return int(self.Z.shape[-3])

    @property
    def m(self) -> int:  # type: ignore[override]
        return int(self.Z.shape[-2])

    @cached_property
    def even(self) -> bool:
        """Have all clients the same number of samples?"""
        return bool((self.weight > 0).all())

    @property
    def parts(self) -> "Logistic":
        """The problem of n m clients with one sample each."""
        Z = self.Z.reshape(-1, 1, self.d)
        return Logistic(Z=Z, weight=1 + 0 * Z[..., 0], l2=self.l2)

    @cached_property
    def L_parts(self) -> float:
        return float(sqnorm(self.Z).max()) / 4 + self.l2

    @property
    def mu_parts(self) -> float:
        return float(self.l2)

    @property
    def d(self) -> int:  # type: ignore[override]
        return int(self.Z.shape[-1])

    def grads(self, x: Array) -> Array:
        """Each client's gradient at its own point: (..., n, d) -> (..., n, d)."""
        x = each(x, self.n)
        if type(x) is np.ndarray and type(self.Z) is np.ndarray and self.Z.ndim == 3:
            return self.l2 * x - self._pull(x)
        return self.l2 * x - apply(self.Z.mT, slopes(self.weight, apply(self.Z, x)))

    def _pull(self, x: Array) -> Array:
        """sum_j weight_ij slope(margin_ij) z_ij, a few clients at a time.

        Their samples are read from memory once for both products, and their margins stay in the cache.
        """
        n, m, d = self.Z.shape
        points = np.ascontiguousarray(x.reshape(-1, n, d).transpose(1, 2, 0))  # (n, d, batch)
        out = np.empty((n, points.shape[-1], d), dtype=np.result_type(x, self.Z))
        few = max(1, CACHE // max(1, points.shape[-1] * m))
        for first in range(0, n, few):
            part = slice(first, first + few)
            slope = slopes(self.weight[part, :, None], self.Z[part] @ points[part])  # (few, m, batch)
            np.matmul(slope.mT, self.Z[part], out=out[part])
        return out.swapaxes(0, 1).reshape(x.shape)

    def grad(self, x: Array) -> Array:
        return namespace(x).mean(self.grads(x[..., None, :]), axis=-2)

    def values(self, x: Array) -> Array:
        """(..., n, d) -> (..., n)."""
        x = each(x, self.n)
        xp = namespace(x)
        losses = xp.sum(self.weight * softplus(-apply(self.Z, x)), axis=-1)
        return losses + self.l2 / 2 * sqnorm(x)

    def value(self, x: Array) -> Array:
        return namespace(x).mean(self.values(x[..., None, :]), axis=-1)

    def prox(self, v: Array, t: Any) -> Array:
        """argmin_y f_i(y) + |y - v_i|^2 / (2t), t one number or one per client (..., n, 1): (..., n, d) -> (..., n, d)."""
        return proximal(self.Z, self.weight, self.l2, each(v, self.n), t)

    def at(self, clients: Array) -> "Logistic":
        """The problem of a cohort: (..., c) client numbers; data is gathered once."""
        return Logistic(Z=take(self.Z, clients, core=2), weight=take(self.weight, clients), l2=self.l2)

    def xi(self, clients: int | None = None, batch: int | None = None, of: str = "rows") -> Law:
        """Minibatch sample numbers of `clients` rows, i.i.d. with repeats; batch=None: all samples."""
        rows = self.n if clients is None else clients
        if batch is None:
            return Sure(np.full((rows, 1), ALL))
        even = type(self.weight) is not np.ndarray or bool((self.weight > 0).all())
        inner: Law = Index(self.m, of=None) if even else Uniform()
        return Each(rows, Each(batch, inner, of=None), of)

    def on(self, xi: Array) -> "Logistic":
        """The minibatch problem: sample numbers, or uniforms where clients are uneven, (..., n, batch)."""
        xp = namespace(xi)
        if xp.isdtype(xi.dtype, "real floating"):
            sizes = xp.sum(xp.astype(self.weight > 0, xi.dtype), axis=-1)
            xi = xp.astype(xp.floor(xi * last(sizes)), xp.int64)
        elif bool(xp.all(xi == ALL)):
            return self
        Z = take(self.Z, xi)
        return Logistic(Z=Z, weight=0 * Z[..., 0] + 1 / xi.shape[-1], l2=self.l2)
