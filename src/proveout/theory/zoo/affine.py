"""Quadratics and estimators that are affine for every outcome: the scalars as forms.

f(x) - f* = <y, Hy>/2 with y = x - x*, and g_k = M_k w + s_k with probability p_k, w = Hy = grad f(x).  H = U diag(h) U';
a point is z = (omega, 1) with w = rho U omega (rho: the size of the shifts, so that both matter), and

    G  = rho^2 |omega|^2          D = rho^2 <omega, omega/h>/2      E g = rho M omega + s
    P  = rho^2 <omega, M omega> + rho <omega, U's>                  E1 = |E g|^2,   V = E|g - E g|^2

are forms z'Xz.  A quadratic polynomial is >= 0 on R^d iff its form is >= 0: an inequality that is linear in the scalars
holds for all x iff a matrix is positive semidefinite.

Along ker H nothing but G = D = 0 happens: an estimator that moves there is in none of the classes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Scalars
from proveout.theory.statement import Problem
from proveout.theory.zoo.subject import Subject

__all__ = ["Forms", "forms", "hessian"]

AFFINE = 1e-8  # relative agreement of the maps with what they stand for
SHIFT = 1e-12  # of the size of what cancels at x*: a shift that is rounding
ROUNDING = 2e-15  # relative; per row of a form
FLAT = 1e-12  # of the top eigenvalue: directions along which f is constant
SCALES = 10.0 ** np.array([-3, -3, -1, 0, 0, 1, 3, 3, 6])
ENTRIES = 4_000_000  # floats of all maps at once
LIMIT = 60_000_000  # floats of all maps, at most


@dataclass(frozen=True, eq=False)
class Forms:
    """The scalars as symmetric forms in z = (omega, 1): (r+1, r+1)."""

    scalars: Scalars
    outward: Array  # (r, d): omega -> y = x - x*
    x_star: Array  # (d,)
    kernel: Array | None = None  # (d,) a direction of ker H along which the estimator moves

    def of(self, row: Scalars) -> Array:
        """The form of an inequality; entries that are rounding of what cancels in them are 0."""
        terms = [float(k) * X for k, X in zip(row, self.scalars, strict=True) if k != 0]
        if not terms:
            return 0 * self.one
        size = np.sqrt(sum(np.abs(float(k)) * d for k, d in zip(row, self._diagonals, strict=True)))
        Q = np.asarray(sum(terms))
        return np.where(np.abs(Q) <= ROUNDING * len(Q) * size[:, None] * size, 0.0, Q)

    @cached_property
    def _diagonals(self) -> list[Array]:
        """Sizes of the diagonals; what P weighs is between G and E1."""
        own = [np.abs(np.diag(X)) for X in self.scalars]
        own[2] = np.maximum(own[1], own[3])
        return own

    @cached_property
    def size(self) -> float:
        """Size of S and G."""
        return float(max(np.abs(self.scalars.G).max(), np.abs(self.scalars.E1 + self.scalars.V).max()))

    def point(self, z: Array, far: float = 1e3) -> tuple[Array, Array | None]:
        """The x that z stands for; if z is a direction, a point far out on it, and the direction."""
        y, tau = z[:-1] @ self.outward, float(z[-1])
        size = float(np.linalg.norm(z[:-1]))
        if abs(tau) * far * 1e3 > size:
            return self.x_star + y / tau, None
        return self.x_star + far * y / size, y / np.linalg.norm(y)

    @property
    def one(self) -> Array:
        return np.asarray(self.scalars.one)

    @property
    def ball(self) -> Array:
        """|x - x*|^2."""
        Q = np.zeros_like(self.one)
        Q[:-1, :-1] = self.outward @ self.outward.T
        return Q


def hessian(P: Problem) -> Array:
    """(d, d), by the problem's word or by its gradients."""
    if hasattr(P, "hessians"):
        H = np.asarray(P.hessians, float)
        return np.asarray(H.mean(axis=0) if H.ndim == 3 else H)
    x = np.concatenate([np.zeros((1, P.d)), np.eye(P.d)])
    g = np.asarray(P.grad(x), float)
    H = g[1:] - g[0]
    return np.asarray((H + H.T) / 2)


def forms(who: Subject, P: Problem) -> Forms | None:
    """The forms; None if f is not a convex quadratic or the estimator not affine in x for every outcome."""
    if not getattr(P, "is_quadratic", False) or not who.exact:
        return None
    H = hessian(P)
    h, U = np.linalg.eigh((H + H.T) / 2)
    keep = h > FLAT * h[-1]
    if h[0] < -FLAT * h[-1] or h[-1] <= 0:
        return None
    x_star = np.asarray(P.x_star, float)
    out = U[:, keep].T / h[keep, None]  # (r, d): gradient coordinates -> y
    unit = max(1.0, float(h[-1] * np.linalg.norm(x_star)))  # a length of gradients at which little is lost
    prob, g = who.outcomes(P, x_star[None])
    K, d = g.shape[1:]
    if K * d * (len(out) + 1) > LIMIT:
        return None
    maps = _maps(who, P, x_star, unit * out, unit, (prob[0], g[0]))
    if maps is None:
        return None
    p, M, s = maps
    flat = _moves(who, P, x_star, U[:, ~keep].T, s)
    if flat is None and not _affine(who, P, x_star, out, h[keep], unit, maps):
        return None
    rounding = SHIFT * _cancels(P, x_star, h[-1])
    if np.abs(s).max(initial=0.0) <= rounding:
        s = 0 * s
    bar = p @ s
    if np.abs(bar).max() <= rounding:
        bar = 0 * bar
    return _assembled(p, M, s, bar, (U[:, keep], h[keep], out), x_star, flat)


def _cancels(P: Problem, x_star: Array, top: float) -> float:
    """Size of the numbers whose difference an estimate at x* is."""
    own = getattr(P, "b", None)
    return float(
        top * np.linalg.norm(x_star) + (0 if own is None else np.abs(np.asarray(own, float)).max()) + 1e-300
    )


def _maps(
    who: Subject, P: Problem, x_star: Array, steps: Array, unit: float, here: tuple[Array, Array]
) -> tuple[Array, Array, Array] | None:
    """p (K,), M (K, d, r), s (K, d) by probing; None if the probabilities move."""
    p, s = here
    prob, g = who.outcomes(P, x_star + steps)
    if prob.shape[1] != len(p) or np.abs(prob - p).max() > 1e-12:
        return None
    return p, np.moveaxis(g - s, 0, -1) / unit, s


def _moves(who: Subject, P: Problem, x_star: Array, flat: Array, s: Array) -> Array | None:
    """A direction of ker H along which some outcome moves."""
    for v in flat:
        _, g = who.outcomes(P, x_star + np.array([[1.0], [10.0]]) * v)
        if g.shape[1:] != s.shape or np.abs(g - s).max() > AFFINE * (1 + np.abs(s).max()):
            return np.asarray(v)
    return None


def _affine(
    who: Subject,
    P: Problem,
    x_star: Array,
    out: Array,
    h: Array,
    unit: float,
    maps: tuple[Array, Array, Array],
) -> bool:
    """Do the maps say what the estimator does?  At points, and at gradients, isotropic at every scale."""
    p, M, s = maps
    rng = np.random.default_rng(0x200)
    z = rng.standard_normal((2, len(SCALES), len(h)))
    z[1] *= h / h[-1]  # isotropic points rather than isotropic gradients
    omega = (z * (unit * SCALES)[:, None]).reshape(-1, len(h))
    prob, g = who.outcomes(P, x_star + omega @ out)
    if prob.shape[1] != len(p) or np.abs(prob - p).max() > 1e-12:
        return False
    far = np.linalg.norm(omega, axis=-1)[:, None]
    for k in range(0, len(p), max(1, ENTRIES // (M.shape[1] * len(omega)))):
        part = slice(k, k + max(1, ENTRIES // (M.shape[1] * len(omega))))
        said = np.moveaxis(M[part] @ omega.T, -1, 0) + s[part]
        size = np.linalg.norm(said, axis=-1) + np.linalg.norm(s[part], axis=-1) + 1e-4 * far + 1e-4 * unit
        if not (np.linalg.norm(g[:, part] - said, axis=-1) <= AFFINE * size).all():
            return False
    return True


def _assembled(
    p: Array, M: Array, s: Array, bar: Array, f: tuple[Array, Array, Array], x_star: Array, flat: Array | None
) -> Forms:
    (U, h, out), r = f, len(f[1])
    rho = float(np.sqrt(p @ (s**2).sum(axis=1))) or 1.0
    mean = np.concatenate([rho * np.tensordot(p, M, axes=1), bar[:, None]], axis=1)  # (d, r+1)
    own = np.concatenate([rho * np.eye(r), np.zeros((r, 1))], axis=1)  # gradient: (r, r+1)
    P_ = own.T @ (U.T @ mean)
    V = np.zeros((r + 1, r + 1))
    step = max(1, ENTRIES // (M.shape[1] * (r + 1)))
    rounding = ROUNDING * len(mean) * np.abs(mean).max()
    for k in range(0, len(p), step):
        off = np.concatenate([rho * M[k : k + step], s[k : k + step, :, None]], axis=2) - mean
        off[np.abs(off) <= rounding] = 0.0
        off *= np.sqrt(p[k : k + step])[:, None, None]
        off = off.reshape(-1, r + 1)
        V += off.T @ off
    one = np.zeros((r + 1, r + 1))
    one[r, r] = 1
    D = own.T @ (own / h[:, None]) / 2
    found = Scalars(D, own.T @ own, (P_ + P_.T) / 2, mean.T @ mean, V, one)
    return Forms(found, rho * out, x_star, flat)
