"""Exact constants of regularised logistic losses, and their minimiser by Newton's method.

The Hessian at 0 is sum_j a a'/(4 m_i) + l2 I and no Hessian is larger; l2 is the infimum of its least
eigenvalue (along any direction that no sample is orthogonal to, the data term vanishes at infinity).
"""

from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix
from scipy.special import expit

from proveout.arrays import Array, namespace

__all__ = ["Constants", "each", "slopes", "softplus", "top"]


class Constants:
    """Constants of the whole, from `shards` (one CSR of label-signed rows per client) and `l2`."""

    shards: tuple[csr_matrix, ...]
    l2: float
    n: int
    d: int

    @cached_property
    def L_i(self) -> Array:
        return np.array([top(z) / (4 * z.shape[0]) for z in self.shards]) + self.l2

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


def top(z: csr_matrix) -> float:
    """Largest eigenvalue of z'z, from the smaller Gram matrix."""
    gram = z @ z.T if z.shape[0] < z.shape[1] else z.T @ z
    return float(np.linalg.eigvalsh(gram.toarray())[-1])


def each(x: Array, n: int) -> Array:
    return x if x.shape[-2] == n else namespace(x).broadcast_to(x, (*x.shape[:-2], n, x.shape[-1]))


def slopes(weight: Array, margins: Array) -> Array:
    """weight / (1 + exp(margins)): minus the slopes of the weighted logistic losses."""
    if type(margins) is not np.ndarray:
        return weight / (1 + namespace(margins).exp(margins))
    with np.errstate(over="ignore"):  # exp = inf is right: the slope is 0
        out = np.exp(margins)
    out += 1
    return np.divide(weight, out, out=out)


def softplus(t: Array) -> Array:
    xp = namespace(t)
    return xp.logaddexp(xp.zeros_like(t), t)
