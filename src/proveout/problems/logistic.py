"""l2-regularised federated logistic regression, dense and sparse, on real or synthetic data.

    f_i(x) = (1/m_i) sum_j log(1 + exp(-y_ij <a_ij, x>)) + (l2/2) ||x||^2,    f = (1/n) sum_i f_i

Constants are exact: the Hessian at 0 is sum_j a a'/(4 m_i) + l2 I and no Hessian is larger, and l2 is
the infimum of its least eigenvalue (along any direction that no sample is orthogonal to, the data
term vanishes at infinity).  x* by Newton's method until it stalls.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix
from scipy.special import expit

from proveout.arrays import Array, apply, last, namespace, sqnorm, take
from proveout.laws import Each, Index, Law, Sure, Uniform
from proveout.problems.data import Samples, load, synthetic
from proveout.problems.data import split as cut

__all__ = ["Logistic", "SparseLogistic", "logistic"]

ALL = -1  # the sample number that stands for "every sample"


class _Constants:
    """Constants of the whole, from `shards` (one CSR of label-signed rows per client) and `l2`."""

    shards: tuple[csr_matrix, ...]
    l2: float
    n: int
    d: int

    @cached_property
    def L_i(self) -> Array:
        return np.array([_top(z) / (4 * z.shape[0]) for z in self.shards]) + self.l2

    @cached_property
    def L_max(self) -> float:
        return float(self.L_i.max())

    @cached_property
    def mu_i(self) -> Array:
        return np.full(self.n, float(self.l2))

    @property
    def mu_min(self) -> float:
        return float(self.l2)

    @property
    def mu(self) -> float:
        return float(self.l2)

    @property
    def mu_pl(self) -> float:
        return float(self.l2)

    @cached_property
    def _rows(self) -> tuple[csr_matrix, Array]:
        """All rows stacked and their weights 1/(n m_i)."""
        from scipy.sparse import vstack

        weights = np.concatenate([np.full(z.shape[0], 1 / (self.n * z.shape[0])) for z in self.shards])
        return csr_matrix(vstack(self.shards)), weights

    @cached_property
    def L(self) -> float:
        return float(np.linalg.eigvalsh(_hessian(*self._rows, self.l2, np.zeros(self.d)))[-1])

    @cached_property
    def x_star(self) -> Array:
        """The minimiser: damped Newton steps until the gradient no longer shrinks."""
        return _minimiser(*self._rows, self.l2)

    @cached_property
    def f_i_star(self) -> Array:
        """(n,) least values of the clients."""
        least = []
        for z in self.shards:
            w = np.full(z.shape[0], 1 / z.shape[0])
            least.append(_loss(z, w, self.l2, _minimiser(z, w, self.l2)))
        return np.array(least)

    @cached_property
    def gap_star(self) -> float:
        """f* - mean_i f_i*, >= 0."""
        return float(self.f_star - self.f_i_star.mean())

    @cached_property
    def f_star(self) -> float:
        return float(self.value(self.x_star))  # type: ignore[attr-defined]

    @cached_property
    def h_star(self) -> Array:
        """(n, d) gradients of the clients at x*."""
        return self.grads(np.broadcast_to(self.x_star, (self.n, self.d)))  # type: ignore[attr-defined]

    @cached_property
    def zeta2(self) -> float:
        return float((self.h_star**2).sum(axis=-1).mean())

    @property
    def hessians(self) -> Array:
        """(n, d, d) at x*."""
        parts = []
        for z in self.shards:
            s = expit(z @ self.x_star)
            weighted = z.multiply((s * (1 - s) / z.shape[0])[:, None]).tocsr()
            parts.append(np.asarray((weighted.T @ z).todense()) + self.l2 * np.eye(self.d))
        return np.stack(parts)


def _loss(z: csr_matrix, w: Array, l2: float, x: Array) -> float:
    """sum_j w_j log(1 + exp(-<z_j, x>)) + l2/2 |x|^2."""
    return float(w @ np.logaddexp(0, -(z @ x)) + l2 / 2 * (x @ x))


def _hessian(z: csr_matrix, w: Array, l2: float, x: Array) -> Array:
    s = expit(z @ x)
    weighted = z.multiply((w * s * (1 - s))[:, None]).tocsr()
    return np.asarray((weighted.T @ z).todense()) + l2 * np.eye(z.shape[1])


def _minimiser(z: csr_matrix, w: Array, l2: float) -> Array:
    """Damped Newton steps from 0 until the gradient no longer shrinks."""
    top = float(np.linalg.eigvalsh(_hessian(z, w, l2, np.zeros(z.shape[1])))[-1])
    x = np.zeros(z.shape[1])
    best, size = x, np.inf
    for _ in range(100):
        g = z.T @ (-w * expit(-(z @ x))) + l2 * x
        if np.linalg.norm(g) < size:
            best, size = x, float(np.linalg.norm(g))
        elif size < 1e-10 * max(1.0, top):
            return best
        step = cho_solve(cho_factor(_hessian(z, w, l2, x)), g)
        t, now = 1.0, _loss(z, w, l2, x)
        while _loss(z, w, l2, x - t * step) > now - 1e-4 * t * (g @ step) and t > 1e-4 and size > 1e-9:
            t /= 2
        x = x - t * step
    return best


def _top(z: csr_matrix) -> float:
    """Largest eigenvalue of z'z, from the smaller Gram matrix."""
    gram = z @ z.T if z.shape[0] < z.shape[1] else z.T @ z
    return float(np.linalg.eigvalsh(gram.toarray())[-1])


@dataclass(frozen=True, eq=False)
class Logistic(_Constants):
    """Dense: rows padded to the longest client, with weight 0."""

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
    def m(self) -> int:
        return int(self.Z.shape[-2])

    @property
    def d(self) -> int:  # type: ignore[override]
        return int(self.Z.shape[-1])

    @cached_property
    def _rows_first(self) -> Array:
        """Z, laid out so that the product with a batch of points runs at the speed of the second one."""
        if type(self.Z) is not np.ndarray or self.Z.ndim > 3:
            return self.Z
        return np.ascontiguousarray(self.Z.mT).mT

    def grads(self, x: Array) -> Array:
        """Each client's gradient at its own point: (..., n, d) -> (..., n, d)."""
        x = _each(x, self.n)
        return self.l2 * x - apply(self.Z.mT, _slopes(self.weight, apply(self._rows_first, x)))

    def grad(self, x: Array) -> Array:
        return namespace(x).mean(self.grads(x[..., None, :]), axis=-2)

    def values(self, x: Array) -> Array:
        """(..., n, d) -> (..., n)."""
        x = _each(x, self.n)
        xp = namespace(x)
        losses = xp.sum(self.weight * _softplus(-apply(self.Z, x)), axis=-1)
        return losses + self.l2 / 2 * sqnorm(x)

    def value(self, x: Array) -> Array:
        return namespace(x).mean(self.values(x[..., None, :]), axis=-1)

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


@dataclass(frozen=True, eq=False)
class SparseLogistic(_Constants):
    """The same on sparse rows: one block-diagonal CSR product for all clients, or for a cohort."""

    shards: tuple[csr_matrix, ...]  # one (m_i, d) per client
    l2: float
    spec: str = ""

    is_quadratic = False

    @property
    def n(self) -> int:  # type: ignore[override]
        return len(self.shards)

    @property
    def d(self) -> int:  # type: ignore[override]
        return int(self.shards[0].shape[1])

    @property
    def m(self) -> int:
        return max(z.shape[0] for z in self.shards)

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

    def grad(self, x: Array) -> Array:
        z, w = self._rows
        flat = x.reshape(-1, self.d).T
        out = z.T @ (-w[:, None] * expit(-(z @ flat)))
        return out.T.reshape(x.shape) + self.l2 * x

    def value(self, x: Array) -> Array:
        z, w = self._rows
        flat = x.reshape(-1, self.d).T
        return (w @ np.logaddexp(0, -(z @ flat))).reshape(x.shape[:-1]) + self.l2 / 2 * sqnorm(x)

    def at(self, clients: Array) -> "_Blocks":
        """The problem of a cohort: (..., c) client numbers."""
        whole = self._whole
        return _Blocks(whole.rows, whole.starts, np.asarray(clients), self.l2)


class _Blocks:
    """Clients (..., c) of a sparse problem as one block-diagonal matrix; built at the first question."""

    def __init__(self, rows: csr_matrix, starts: Array, clients: Array, l2: float) -> None:
        self.rows, self.starts, self.clients, self.l2 = rows, starts, clients, l2
        self.n, self.d = clients.shape[-1], rows.shape[1]

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

    def grad(self, x: Array) -> Array:
        return np.asarray(self.grads(x[..., None, :]).mean(axis=-2))


def _each(x: Array, n: int) -> Array:
    return x if x.shape[-2] == n else namespace(x).broadcast_to(x, (*x.shape[:-2], n, x.shape[-1]))


def _slopes(weight: Array, margins: Array) -> Array:
    """weight / (1 + exp(margins)): minus the slopes of the weighted logistic losses."""
    if type(margins) is not np.ndarray:
        return weight / (1 + namespace(margins).exp(margins))
    with np.errstate(over="ignore"):  # exp = inf is right: the slope is 0
        out = np.exp(margins)
    out += 1
    return np.divide(weight, out, out=out)


def _softplus(t: Array) -> Array:
    xp = namespace(t)
    return xp.logaddexp(xp.zeros_like(t), t)


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
    spec: str = "",
) -> Logistic | SparseLogistic:
    """Federated logistic regression on a shipped set, a LIBSVM file, or m x d synthetic samples.

    kappa sets l2 so that L_max / mu_min = kappa (default 100); or give l2 itself.  `split` is
    "uniform", "label" or "order"; `sparse` is "yes", "no", or "auto" (below 20 % density and large).

    Raises ValueError naming the argument, the value and the rule.
    """
    if kappa and l2:
        raise ValueError(f"give kappa or l2, not both, got kappa = {kappa}, l2 = {l2}")
    if l2 < 0 or not np.isfinite(l2):
        raise ValueError(f"l2 must be > 0 for a strongly convex problem, got {l2}")
    kappa = 0.0 if l2 else kappa or 100.0
    if not l2 and not (kappa > 1 and np.isfinite(kappa)):
        raise ValueError(f"kappa must be > 1, got {kappa}")
    samples: Samples = synthetic(m, d, seed) if data == "synthetic" else load(data)
    signed = csr_matrix(samples.features.multiply(samples.labels[:, None]))
    shards = tuple(signed[rows] for rows in cut(samples, clients, split, seed))
    if not l2:
        top = max(_top(z) / (4 * z.shape[0]) for z in shards)
        l2 = top / (kappa - 1)
    if sparse not in ("auto", "yes", "no"):
        raise ValueError(f"sparse must be 'auto', 'yes' or 'no', got {sparse!r}")
    dense_floats = len(shards) * max(z.shape[0] for z in shards) * signed.shape[1]
    density = signed.nnz / max(1, signed.shape[0] * signed.shape[1])
    if sparse == "yes" or sparse == "auto" and density < 0.2 and dense_floats > 2e6:
        return SparseLogistic(shards=shards, l2=l2, spec=spec)
    longest = max(z.shape[0] for z in shards)
    Z = np.zeros((len(shards), longest, signed.shape[1]))
    weight = np.zeros((len(shards), longest))
    for i, z in enumerate(shards):
        Z[i, : z.shape[0]] = z.toarray()
        weight[i, : z.shape[0]] = 1 / z.shape[0]
    return Logistic(Z=Z, weight=weight, l2=l2, shards=shards, spec=spec)
