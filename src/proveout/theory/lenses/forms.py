"""Quadratic forms of terms, and the supremum of the ratio of two forms.

A form on R^q is a symmetric (q+1, q+1) matrix Q: V(star + P y) = (y, 1)' Q (y, 1).

    Q = form(P, m, terms_of, coords)        # terms_of(P, m, state) -> terms or a number; None if not quadratic
    figure, z, grey = sup_ratio(E, B)       # sup of (z'Ez)/(z'Bz) over z
    ys = ray(z)                             # the states that attain it, for a replay
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import NULL, value
from proveout.theory.lenses.states import Coordinates
from proveout.theory.statement import Cross, Gap, Method, Problem, Square

__all__ = ["POLAR", "corner", "evaluate_form", "form", "polarise", "quadratic_in", "ray", "sup_ratio"]

POLAR = 200  # q up to which a form may be read by q^2/2 evaluations
LOST = 1e-12  # of |E|: rounding where B vanishes
HUGE = 1e100  # entries beyond are divided out before products are formed
FORM = 1e-8  # relative agreement of a form with the value it stands for


def form(P: Problem, m: Method, terms_of: Callable[..., Any], coords: Coordinates) -> Array | None:
    """The form of terms in y; None if they are not a quadratic function of the state.

    Squares and crosses take q+1 probes, V = sum_j w_j R_j'R_j.  Gaps on quadratics use the Hessians,
    expanded around x* so that nothing cancels; what is left is polarised (q <= POLAR).  Every form is
    compared with the value itself at 8 random points of lengths .1, 1, 10.
    """
    q = coords.q
    probes = np.concatenate([np.zeros((1, q)), np.eye(q)])
    with np.errstate(all="ignore"):
        terms = terms_of(P, m, coords.state(probes[:, None, :]))
        Q = np.zeros((q + 1, q + 1))
        for k, term in enumerate(terms if isinstance(terms, tuple) else (terms,)):
            part = _part(P, term, q)
            if part is None:
                part = _polarised(P, m, terms_of, k if isinstance(terms, tuple) else None, coords)
            if part is None:
                return None
            Q += part
        rng = np.random.default_rng(0xF0)
        y = rng.standard_normal((8, q)) / np.sqrt(q) * np.array([0.1, 1, 10, 1, 0.1, 1, 10, 10])[:, None]
        want = np.broadcast_to(value(terms_of(P, m, coords.state(y[:, None, :])), P), (8, 1))[:, 0]
    got = evaluate_form(Q, y)
    size = np.abs(got) + evaluate_form(np.diag(np.abs(np.diag(Q))), y) + 1e-300
    return Q if bool((np.abs(got - want) <= FORM * size).all()) else None


def evaluate_form(Q: Array, y: Array) -> Array:
    """(y, 1)' Q (y, 1): (..., q) -> (...)."""
    z = np.concatenate([y, np.ones((*y.shape[:-1], 1))], axis=-1)
    return np.sum(z @ Q * z, axis=-1)


def corner(q: int, number: float) -> Array:
    """The form of a constant."""
    Q = np.zeros((q + 1, q + 1))
    Q[q, q] = number
    return Q


def _part(P: Problem, term: Any, q: int) -> Array | None:
    """The form of one term from its values at the probes 0, e_1, .., e_q; None if that is not enough."""
    if not hasattr(term, "weight"):
        same = np.asarray(term, float)
        return corner(q, float(same.flat[0])) if np.ptp(same) == 0 else None
    weight = np.asarray(term.weight, float)
    if weight.size != 1:
        return None
    w = float(weight.flat[0])
    if isinstance(term, Square):
        R = _rows(term.vector, term.core, q)
        return w * R @ R.T
    if isinstance(term, Cross):
        R, S = _rows(term.u, term.core, q), _rows(term.v, term.core, q)
        return w / 2 * (R @ S.T + S @ R.T)
    if isinstance(term, Gap) and getattr(P, "is_quadratic", False) and hasattr(P, "hessians"):
        return _gap(P, w, term, q)
    return None


def _rows(vector: Array, core: int, q: int) -> Array:
    """Coefficients of an affine vector: row j of e_j, the last row the constant. (q+1, numbers)"""
    vector = np.asarray(vector, float)
    lead = vector.shape[: vector.ndim - core]
    numbers = vector.reshape(*lead, -1)
    R = np.broadcast_to(numbers, (q + 1, 1, numbers.shape[-1]))[:, 0]
    return np.concatenate([R[1:] - R[0], R[:1]])


def _gap(P: Problem, w: float, term: Gap, q: int) -> Array:
    """w (f(z) - f*) or w sum_i (f_i(z_i) - f_i(x*)), expanded around x*."""
    H = np.asarray(P.hessians, float)  # (n, d, d)
    Q = np.zeros((q + 1, q + 1))
    if term.core == 1:
        R = _rows(term.point - P.x_star, 1, q)
        return w / 2 * R @ H.mean(axis=0) @ R.T
    R = _rows(term.point - P.x_star, 2, q).reshape(q + 1, *H.shape[:2])
    HR = (R.swapaxes(0, 1) @ H).swapaxes(0, 1).reshape(q + 1, -1)
    Q = w / 2 * HR @ R.reshape(q + 1, -1).T
    slope = w / 2 * R.reshape(q + 1, -1) @ np.asarray(P.h_star, float).ravel()
    Q[:, q] += slope
    Q[q, :] += slope
    return Q


def _polarised(
    P: Problem, m: Method, terms_of: Callable[..., Any], k: int | None, coords: Coordinates
) -> Array | None:
    if coords.q > POLAR:
        return None

    def number(y: Array) -> Array:
        terms = terms_of(P, m, coords.state(y[:, None, :]))
        one = terms if k is None else (terms[k],)
        return np.broadcast_to(value(one, P), (len(y), 1))[:, 0]

    return polarise(number, coords.q)


def polarise(number: Callable[[Array], Array], q: int) -> Array:
    """The form of a quadratic function from its values at 0, +-e_i and e_i + e_j: number (N, q) -> (N,)."""
    eye = np.eye(q)
    i, j = np.triu_indices(q, 1)
    values = np.asarray(number(np.concatenate([np.zeros((1, q)), eye, -eye, eye[i] + eye[j]])), float)
    c, plus, minus, pairs = values[0], values[1 : q + 1], values[q + 1 : 2 * q + 1], values[2 * q + 1 :]
    Q = np.zeros((q + 1, q + 1))
    Q[np.arange(q), np.arange(q)] = (plus + minus) / 2 - c
    Q[i, j] = Q[j, i] = (pairs - plus[i] - plus[j] + c) / 2
    Q[:q, q] = Q[q, :q] = (plus - minus) / 4
    Q[q, q] = c
    return Q


def quadratic_in(number: Callable[[Array], Array], dim: int, seed: int = 0) -> bool:
    """Is a function of R^dim quadratic?  Third differences along 6 random lines vanish. (N, dim) -> (N,)"""
    rng = np.random.default_rng([seed, dim])
    at, along = rng.standard_normal((2, 6, 1, dim)) * np.array([0.1, 1, 1, 10, 10, 100])[:, None, None]
    points = at + along * np.arange(4)[:, None]
    with np.errstate(all="ignore"):
        v = np.asarray(number(points.reshape(-1, dim)), float).reshape(6, 4)
        third = np.abs(v @ np.array([-1.0, 3, -3, 1]))
    return bool((third <= FORM * np.abs(v).max(axis=1)).all())


# ------------------------------------------------------------------ ratio of two forms


def sup_ratio(E: Array, B: Array, zero: float = 0.0) -> tuple[float, Array, bool]:
    """(figure, z, grey): the supremum of z'Ez / z'Bz, where it is attained, and a warning.

    With E, B >= 0 the claim z'Ez <= z'Bz for all z is figure <= 1.  Jacobi scaling first: without it a
    noise term 1e-12 of V's scale falls below the rank threshold.  Where B vanishes and E does not, or
    B < 0 < E, the figure is inf.  `grey` tells that B has eigenvalues between rounding and NULL, so
    that a figure within 1e-6 of 1 is not to be trusted.  Entries of E up to `zero` are rounding.
    """
    if np.abs(E).max() <= zero and np.diag(B).min() >= 0:
        return 0.0, np.zeros(len(E)), False
    if not np.isfinite(E).all():  # what has overflowed is larger than any bound
        worst = int(np.where(np.isnan(d := np.abs(np.diag(E))), np.inf, d).argmax())
        return np.inf, np.append(np.eye(len(E))[worst, :-1], 1.0), False
    E, B = (E + E.T) / 2, (B + B.T) / 2
    d = np.diag(B).copy()
    d[d <= 0] = d.max() if d.max() > 0 else 1.0
    D = 1 / np.sqrt(d)
    E, B = E * D[:, None] * D, B * D[:, None] * D
    w, U = np.linalg.eigh(B)
    top = max(float(w[-1]), 0.0)
    size = float(np.abs(E).max())
    if w[0] < -1e-9 * max(top, 1e-300):
        return np.inf, _signed(D * U[:, 0]), False
    keep = w > NULL * top
    N = U[:, ~keep]
    if N.shape[1] and size > 0:
        lam, V = np.linalg.eigh(N.T @ (E - B) @ N)
        if lam[-1] > LOST * size:
            return np.inf, _signed(D * (N @ V[:, -1])), False
    if not keep.any():
        return 0.0, np.zeros(len(d)), False
    R = U[:, keep] / np.sqrt(w[keep])
    unit = size if size > HUGE else 1.0
    lam, V = np.linalg.eigh(R.T @ (E / unit) @ R)
    grey = bool(((np.abs(w) > 1e-14 * len(w) * top) & ~keep).any())
    return float(lam[-1]) * unit, _signed(D * (R @ V[:, -1])), grey


def _signed(z: Array) -> Array:
    """Largest entry positive: eigenvectors have no sign of their own."""
    return z * (np.sign(z[np.abs(z).argmax()]) or 1.0)


def ray(z: Array) -> Array:
    """States y that may attain the value of z = (u, tau): u/tau, and u far out both ways. (N, q)"""
    u, tau = z[:-1], z[-1]
    length = float(np.linalg.norm(u))
    if length == 0:
        return np.zeros((1, len(u)))
    scales = 10.0 ** np.arange(-3, 7)
    points = [s * sign * u / length for s in scales for sign in (1.0, -1.0)]
    if abs(tau) > 1e-9 * length:
        points.insert(0, u / tau)
    return np.array([*points, np.zeros(len(u))])
