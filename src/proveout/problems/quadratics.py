"""Federated quadratics f_i(x) = 1/2 <x, A_i x> - <b_i, x>, with every constant in closed form.

`federated` draws them from dials: conditioning, heterogeneity, common or rotated eigenbases,
finitely supported gradient noise (so that expectations stay finite sums).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from proveout.arrays import Array, apply, inner, like, namespace, take
from proveout.laws import Each, Law, Points, Sure
from proveout.problems.components import Components
from proveout.problems.sums import sum_of_quadratics

__all__ = ["Quadratics", "federated"]


@dataclass(frozen=True, eq=False)
class Quadratics(Components):
    A: Array  # (n, d, d)  symmetric; convex problems have A_i >= 0
    b: Array  # (n, d)
    noise: Array | None = None  # (K, d)  support of the gradient noise, mean zero, the same for every client
    spec: str = ""

    is_quadratic = True
    m = 1

    def __post_init__(self) -> None:
        for name, a in (("A", self.A), ("b", self.b)):
            if type(a) is np.ndarray and a.dtype.kind == "f" and not np.isfinite(a).all():
                raise ValueError(f"{name} must be finite, got nan or inf at {_where(a)}")
        if self.A.shape[-3] < 1:
            raise ValueError(f"n must be >= 1, got {self.A.shape[-3]}")

    @property
    def n(self) -> int:  # type: ignore[override]
        return int(self.A.shape[-3])

    @property
    def d(self) -> int:  # type: ignore[override]
        return int(self.A.shape[-1])

    # ---- oracles: leading batch axes are free

    def grads(self, x: Array) -> Array:
        """Each client's gradient at its own point: (..., n, d) -> (..., n, d)."""
        return apply(self.A, self._each(x)) - self.b

    def grad(self, x: Array) -> Array:
        """(..., d) -> (..., d)."""
        if self.A.ndim == 3 and self.b.ndim == 2:
            return x @ self._A_mean - self._b_mean
        return namespace(x).mean(self.grads(x[..., None, :]), axis=-2)

    def values(self, x: Array) -> Array:
        """Each client's value at its own point: (..., n, d) -> (..., n)."""
        x = self._each(x)
        return inner(x, apply(self.A, x) / 2 - self.b)

    def value(self, x: Array) -> Array:
        """(..., d) -> (...)."""
        return inner(x, x @ self._A_mean / 2 - self._b_mean)

    def prox(self, v: Array, t: Any) -> Array:
        """argmin_y f_i(y) + |y - v_i|^2 / (2t), t one number or one per client (..., n, 1): (..., n, d) -> (..., n, d)."""
        return apply(self._resolvent(t), self._each(v) + t * self.b)

    def _resolvent(self, t: Any) -> Array:
        """(I + t_i A_i)^-1, remembered for a t that is one number: (n, d, d)."""
        eye = like(np.eye(self.d, dtype=int), self.A)
        if getattr(t, "ndim", 0):
            return _inverse(eye + t[..., None] * self.A)
        if t not in self._resolvents:
            self._resolvents[t] = _inverse(eye + t * self.A)
        return self._resolvents[t]

    @cached_property
    def _resolvents(self) -> dict[Any, Array]:
        return {}

    def _each(self, x: Array) -> Array:
        """One point per client, also where one point (..., 1, d) serves all."""
        if x.shape[-2] == self.n:
            return x
        return namespace(x).broadcast_to(x, (*x.shape[:-2], self.n, x.shape[-1]))

    def at(self, clients: Array) -> "Quadratics":
        """The problem of a cohort: (..., c) client numbers."""
        return type(self)(A=take(self.A, clients, core=2), b=take(self.b, clients), noise=self.noise)

    def xi(self, clients: int | None = None, batch: int = 1, of: str = "rows") -> Law:
        """The law of the gradient noise of `clients` rows, averaged over nothing: draws (clients, d)."""
        rows = self.n if clients is None else clients
        if self.noise is None:
            return Sure(np.zeros((rows, 1)))
        return Each(rows, Points(self.noise), of)

    def on(self, xi: Array) -> "Quadratics":
        """The problem whose gradients carry the noise xi (..., n, d)."""
        return self if self.noise is None else type(self)(A=self.A, b=self.b - xi, noise=self.noise)

    # ---- constants of the whole

    @cached_property
    def _A_mean(self) -> Array:
        return self.A.mean(axis=-3)

    @cached_property
    def _b_mean(self) -> Array:
        return self.b.mean(axis=-2)

    @cached_property
    def _eig(self) -> Array:
        return np.linalg.eigvalsh(np.asarray(self.A, float))  # (n, d)

    @cached_property
    def _eig_mean(self) -> Array:
        return np.linalg.eigvalsh(np.asarray(self._A_mean, float))

    @cached_property
    def L_i(self) -> Array:
        return self._eig[:, -1]

    @cached_property
    def mu_i(self) -> Array:
        return self._eig[:, 0]

    @cached_property
    def L_max(self) -> float:
        return float(self._eig.max())

    @cached_property
    def mu_min(self) -> float:
        return float(self._eig.min())

    @cached_property
    def L(self) -> float:
        return float(np.abs(self._eig_mean).max())

    @cached_property
    def mu(self) -> float:
        return float(self._eig_mean.min())

    @cached_property
    def mu_pl(self) -> float:
        """Least eigenvalue of the mean Hessian that is not zero (Polyak-Lojasiewicz constant)."""
        return float(self._eig_mean[self._eig_mean > 1e-12 * self._eig_mean.max()].min())

    @cached_property
    def x_star(self) -> Array:
        """The minimiser (of least norm, if f is flat somewhere), after one refinement."""
        if self._eig_mean.min() < -1e-12 * self.L:
            raise ValueError(f"f has no minimiser: least eigenvalue {self._eig_mean.min()} < 0")
        pinv = np.linalg.pinv(self._A_mean, rcond=1e-12, hermitian=True)
        x = pinv @ self._b_mean
        return x + pinv @ (self._b_mean - self._A_mean @ x)

    @cached_property
    def f_star(self) -> float:
        return float(self.value(self.x_star))

    @cached_property
    def h_star(self) -> Array:
        """(n, d) gradients of the clients at x*."""
        return self.grads(self.x_star[None, :])

    @cached_property
    def f_i_star(self) -> Array:
        """(n,) least values of the clients."""
        x = np.stack([np.linalg.pinv(a, hermitian=True) @ b for a, b in zip(self.A, self.b, strict=True)])
        return self.values(x)

    @cached_property
    def gap_star(self) -> float:
        """f* - mean_i f_i* = mean_i <h*_i, A_i^+ h*_i> / 2, >= 0 and without cancellation."""
        inverse = np.linalg.pinv(self.A, hermitian=True)
        return float(inner(self.h_star, apply(inverse, self.h_star)).mean() / 2)

    @cached_property
    def zeta2(self) -> float:
        """Heterogeneity at the optimum: mean_i |grad f_i(x*)|^2."""
        return float((self.h_star**2).sum(axis=-1).mean())

    @cached_property
    def sigma2(self) -> float:
        """E |noise|^2 of one client's gradient."""
        return 0.0 if self.noise is None else float((self.noise**2).sum(axis=-1).mean())

    @property
    def hessians(self) -> Array:
        return self.A


def federated(
    n: int = 3,
    d: int = 2,
    kappa: float = 10.0,
    heterogeneity: float = 1.0,
    basis: str = "common",
    noise: float = 0.0,
    seed: int = 0,
    mu: float = 1.0,
    m: int = 1,
    inner: float = 0.5,
    bend: float = 0.0,
    spread: float = 1.0,
    spec: str = "",
) -> Any:
    """Quadratics with mu_min = mu, L_max = mu kappa, exactly, for every n and d >= 2 (d = 1: over clients).

    heterogeneity scales the clients' minimisers apart (0: one minimiser for all);
    spread makes their L_i unequal: the last client keeps its curvatures, those of the first above mu are divided by
    spread, by powers of it in between;
    basis="rotated" gives every client its own eigenbasis; noise is the standard deviation of one
    client's gradient noise, two equiprobable points +- noise (1, .., 1)/sqrt(d).
    With m > 1 every f_i is the mean of m quadratics, and mu and kappa are those of the n m components
    (`FiniteSums`; `inner` scales the minimisers inside one client apart, bend > 0 makes components indefinite).

    Raises ValueError naming the argument, the value and the rule.
    """
    for name, value, low in (("n", n, 1), ("d", d, 1), ("m", m, 1)):
        if not (isinstance(value, (int, np.integer)) and value >= low):
            raise ValueError(f"{name} must be an integer >= {low}, got {value}")
    if m > 1 or bend:
        if noise:
            raise ValueError(f"noise must be 0 where clients have components, got {noise}")
        if spread != 1:
            raise ValueError(f"spread must be 1 where clients have components, got {spread}")
        parts = federated(n=n * m, d=d, kappa=kappa, basis=basis, seed=seed, mu=mu)
        return sum_of_quadratics(parts, m, heterogeneity, inner, bend, seed, spec)
    if not (np.isfinite(mu) and mu > 0):
        raise ValueError(f"mu must be > 0 for a strongly convex problem, got {mu}")
    if not (np.isfinite(kappa) and kappa >= 1):
        raise ValueError(f"kappa must be >= 1, got {kappa}")
    for name, dial in (("heterogeneity", heterogeneity), ("noise", noise)):
        if not (np.isfinite(dial) and dial >= 0):
            raise ValueError(f"{name} must be >= 0 and finite, got {dial}")
    if basis not in ("common", "rotated"):
        raise ValueError(f"basis must be 'common' or 'rotated', got {basis!r}")
    if not (np.isfinite(spread) and spread >= 1):
        raise ValueError(f"spread must be >= 1, got {spread}")
    rng = np.random.default_rng(seed)
    ladder = kappa ** np.linspace(0, 1, d) if d > 1 else kappa ** rng.random((n, 1))
    eig = np.clip(ladder * rng.uniform(0.5, 1, size=(n, d)), 1, kappa)
    if d > 1:
        eig[:, 0], eig[:, -1] = 1, kappa
    elif n > 1:
        eig[0], eig[-1] = 1, kappa
    else:
        eig[0] = kappa
    if spread > 1 and n > 1:
        eig = 1 + (eig - 1) * spread ** (np.linspace(0, 1, n)[:, None] - 1)
    A = eig[:, :, None] * np.eye(d)
    if basis == "rotated":
        q = np.linalg.qr(rng.standard_normal((n, d, d)))[0]
        A = (q * eig[:, None, :]) @ q.mT
        A = (A + A.mT) / 2
    A = mu * A
    centre = rng.standard_normal(d)
    minimisers = centre + heterogeneity * rng.standard_normal((n, d))
    b = apply(A, minimisers)
    support = noise / np.sqrt(d) * np.array([[1.0], [-1.0]]) * np.ones(d) if noise else None
    return Quadratics(A=A, b=b, noise=support, spec=spec)


def _inverse(M: Array) -> Array:
    """Of definite matrices (..., d, d), in Fractions too."""
    if M.dtype != object:
        return namespace(M).linalg.inv(M)
    d = M.shape[-1]
    M = np.concatenate([M, np.broadcast_to(np.eye(d, dtype=int), M.shape)], axis=-1)
    for i in range(d):
        row = M[..., i : i + 1, :] / M[..., i : i + 1, i : i + 1]
        M = M - M[..., :, i : i + 1] * row
        M[..., i : i + 1, :] = row
    return M[..., d:]


def _where(a: Array) -> tuple[int, ...]:
    return tuple(int(i[0]) for i in np.nonzero(~np.isfinite(a)))
