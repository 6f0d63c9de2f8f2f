"""Decisions on the sorted cone v_1 >= v_2 >= ... >= 0, for operators that see signs and order only up to renaming.

Top-k, scaled sign, ternary and adaptive sparsification are not linear, but if both sides do not change when
entries are permuted or change sign (tested), and are quadratic where the order is fixed (tested, for every
number m of nonzero entries), then with v = y_1 (1, 0, ..) + y_2 (1, 1, 0, ..) + ... they are quadratic forms in
y >= 0.  The supremum of y'Ey/(c y'Ry) over a cone y >= 0 is attained inside a face, at an eigenvector of the
face's pencil that has positive entries; all 2^m - 1 faces are asked.

A pair (v, w) with w free: the forms in (y, w) must not contain w (then E C(v) = v), else the supremum is infinite.
"""

from collections.abc import Callable
from itertools import chain, combinations

import numpy as np
from scipy.linalg import eigh

from proveout.arrays import Array
from proveout.theory.lenses.forms import evaluate_form, polarise
from proveout.theory.lenses.membership.companion import companion
from proveout.theory.lenses.membership.inequality import Found, Inequality

__all__ = ["chamber"]

FORM = 1e-9  # relative agreement of a form with the value it stands for
MOST = 8  # coordinates
NEAR = 1e-8  # how far inside the cone a point is moved where the supremum is only approached


def chamber(ineq: Inequality) -> Found | None:
    """A decision for all inputs, or None."""
    d, pair = ineq.shape[-1], ineq.shape[:-1] == (2, 1)
    if not (pair or ineq.shape == (1, d)) or d > MOST or ineq.constant <= 0 or not _symmetric(ineq):
        return None
    best: Found | None = None
    for m in range(1, d + 1):
        found = _sorted(ineq, m, pair)
        if found is None:
            return None
        best = found if best is None or found.figure > best.figure else best
    return best


def _symmetric(ineq: Inequality) -> bool:
    """Do both sides ignore signs and order (of both rows of a pair together)?"""
    d = ineq.shape[-1]
    rng = np.random.default_rng([12, d])
    z = rng.standard_normal((40, ineq.q // d, d)) * 10 ** rng.uniform(-2, 2, size=(40, 1, 1))
    z[::4] *= rng.random((10, 1, d)) < 0.5
    order, sign = np.argsort(rng.random((40, d)), axis=1), rng.choice([-1.0, 1.0], size=(40, 1, d))
    moved = np.take_along_axis(z, order[:, None, :], axis=-1) * sign
    flat, other = z.reshape(40, -1), moved.reshape(40, -1)
    size = FORM * ineq.size(flat) + 1e-300
    return all((np.abs(a - b) <= size).all() for a, b in zip(ineq.both(flat), ineq.both(other), strict=True))


def _sorted(ineq: Inequality, m: int, pair: bool) -> Found | None:
    """The supremum over v with m nonzero entries."""
    d = ineq.shape[-1]
    rays = np.tri(d)[:m]  # row i: the first i + 1 entries are 1
    base = np.concatenate([np.full(m, 2.0), np.zeros(d if pair else 0)])

    def inputs(s: Array) -> Array:
        y = s + base
        return np.concatenate([y[:, :m] @ rays, y[:, m:]], axis=1)

    back = np.eye(len(base) + 1)
    back[:-1, -1] = -base
    forms = []
    for side in (0, 1):
        Q = back.T @ polarise(lambda s, k=side: ineq.both(inputs(s))[k], len(base)) @ back  # type: ignore[misc]
        if np.abs(Q[-1]).max() > FORM * len(Q) * np.abs(Q).max():
            return None
        Q[-1], Q[:, -1] = 0.0, 0.0  # homogeneous, and it must agree as such
        forms.append(Q)
    if not _agree(ineq, forms, inputs, base, m):
        return None
    E, R = (Q[:m, :m] for Q in forms)
    if pair and np.abs(forms[0][m:-1, :-1]).max() > FORM * np.abs(forms[0]).max():
        return _biased(ineq, rays)
    figure, y = _over_cone(E, ineq.constant * R)
    return Found(figure, _witness(ineq, y, rays, pair), True, "all", "sorted cone")


def _agree(
    ineq: Inequality, forms: list[Array], inputs: Callable[[Array], Array], base: Array, m: int
) -> bool:
    """Are the sides these forms at points of all shapes and sizes, ties among them?"""
    rng = np.random.default_rng([13, m])
    y = rng.exponential(size=(60, len(base))) * 10 ** rng.uniform(-2, 2, size=(60, 1))
    y[::2, : m - 1] *= rng.random((30, m - 1)) < 0.5  # ties, but v_m > 0
    y[:, m:] *= rng.choice([-1.0, 1.0], size=(60, len(base) - m))
    z = inputs(y - base)
    size = ineq.size(z) + 1e-300
    for Q, value in zip(forms, ineq.both(z), strict=True):
        if not (
            np.abs(evaluate_form(Q, y) - value) <= FORM * (size + evaluate_form(np.abs(Q), np.abs(y)))
        ).all():
            return False
    return True


def _over_cone(E: Array, R: Array) -> tuple[float, Array]:
    """sup of y'Ey/y'Ry over y >= 0, y not 0, and where."""
    m = len(E)
    best, at = -np.inf, np.eye(m)[0]
    for face in chain.from_iterable(combinations(range(m), k) for k in range(1, m + 1)):
        I = list(face)
        values, vectors = eigh(E[np.ix_(I, I)], R[np.ix_(I, I)])
        for value, vector in zip(values, vectors.T, strict=True):
            v = vector * np.sign(vector[np.abs(vector).argmax()])
            if value > best and v.min() >= -1e-9 * v.max():
                best, at = float(value), np.zeros(m)
                at[I] = np.maximum(v, 0)
    return best, at / at.max()


def _witness(ineq: Inequality, y: Array, rays: Array, pair: bool) -> Array:
    """The input at y, or just inside the cone if the supremum is only approached at y."""
    v = np.stack([y @ rays, (y + NEAR) @ rays])
    z = np.concatenate([v, v], axis=1) if pair else v
    return np.asarray(z[int(np.nan_to_num(ineq.figures(z), nan=-1).argmax())])


def _biased(ineq: Inequality, rays: Array) -> Found | None:
    """w enters, so that the supremum is infinite: a point where that shows."""
    pair = companion(ineq)
    v = np.random.default_rng(14).exponential(size=(20, len(rays))) @ rays
    slopes = np.zeros(1) if pair is None else np.abs(pair.slopes(v)[2]).max(axis=0)
    if pair is None or not slopes.max() > 0:
        return None
    return Found(np.inf, pair.whole(v[int(slopes.argmax())]), True, "all", "sorted cone, biased")
