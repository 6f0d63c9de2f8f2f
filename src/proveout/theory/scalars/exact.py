"""Affine estimators on f = h|x - x*|^2/2, read exactly: the scalars as quadratic forms with rational entries.

The estimator is asked at x* and at the points with gradients e_1, .., e_d; what it answers are fractions to rounding.
With z = (v, 1), v = grad f(x), every scalar is z'Xz, and a row holds at every x iff its matrix is negative
semidefinite: decided by elimination in fractions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.methods.blocks.assumptions import Assumption, Scalars
from proveout.theory.scalars.cone import Row
from proveout.theory.verify import psd

__all__ = ["Forms", "forms", "member", "probe"]

DENOMINATOR = 10**6  # largest of a fraction that a float may stand for
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Forms:
    """Symmetric matrices (d+1, d+1) of Fractions."""

    matrices: Scalars
    d: int

    def of(self, row: Row) -> Array:
        return sum((Fraction(k) * X for k, X in zip(row, self.matrices, strict=True)), Fraction(0))

    def holds(self, row: Row) -> bool:
        """Does the row hold at every x?  Decided exactly."""
        return psd([[-x for x in line] for line in self.of(row)])

    def at(self, z: Array) -> Scalars:
        """The scalars at z = (v, 1); of a direction z = (v, 0) their limit over |v|^2."""
        return Scalars(*(z @ X @ z for X in self.matrices))

    def ends(self) -> Iterator[Scalars]:
        """Where the classes are decided: at the optimum and far out."""
        one = np.array([Fraction(0)] * self.d + [Fraction(1)], dtype=object)
        yield self.at(one)
        for k in range(self.d):
            far = np.array([Fraction(int(j == k)) for j in range(self.d)] + [Fraction(0)], dtype=object)
            yield self.at(far)


def forms(P: Any, estimator: Any) -> Forms:
    """The forms; ValueError if f is not h|x - x*|^2/2, the estimator not affine or its numbers not rational."""
    h = _curvature(P)
    d = int(P.d)
    prob, draw = estimator.law(P).atoms()
    v = np.concatenate([np.zeros((1, d)), np.eye(d), np.arange(2.0, d + 2.0)[None]])
    g = probe(P, estimator, P.x_star + v / float(h), draw)  # (d+2, K, d)
    s = _fractions(g[0])
    M = np.moveaxis(_fractions(g[1 : d + 1] - g[:1]), 0, -1)  # (K, d, d)
    said = s + M @ _fractions(v[-1])
    if np.abs(np.asarray(said - g[-1], float)).max() > ROUNDING * max(1.0, float(np.abs(g).max())):
        raise ValueError("the estimator is not affine in the gradient")
    return _assembled(_fractions(np.asarray(prob, float)), M, s, h, d)


def probe(P: Any, estimator: Any, x: Array, draw: Any) -> Array:
    """(N, d) points, draws with leading axis K -> (N, K, d)."""
    g = estimator(P, x[:, None, :], tree_map(lambda a: np.asarray(a)[None], draw))
    K = len(np.asarray(_leaf(draw)))
    return np.broadcast_to(g, (len(x), K, x.shape[-1]))


def _leaf(draw: Any) -> Any:
    while isinstance(draw, tuple):
        draw = draw[0]
    return draw


def _curvature(P: Any) -> Fraction:
    H = np.asarray(P.hessians, float).mean(axis=0) if getattr(P, "is_quadratic", False) else np.zeros((1, 1))
    if H[0, 0] <= 0 or np.abs(H - H[0, 0] * np.eye(len(H))).max() > 0:
        raise ValueError("f must be h|x - x*|^2/2")
    return Fraction(float(H[0, 0])).limit_denominator(DENOMINATOR)


def _fractions(a: Array) -> Array:
    flat = [Fraction(float(x)).limit_denominator(DENOMINATOR) for x in np.ravel(a)]
    if any(abs(float(f) - x) > ROUNDING * max(1.0, abs(x)) for f, x in zip(flat, np.ravel(a), strict=True)):
        raise ValueError("the estimator's numbers are not simple fractions")
    out = np.empty(len(flat), dtype=object)
    out[:] = flat
    return out.reshape(np.shape(a))


def _assembled(p: Array, M: Array, s: Array, h: Fraction, d: int) -> Forms:
    zero = np.full((d + 1, d + 1), Fraction(0), dtype=object)
    maps = np.concatenate([M, s[:, :, None]], axis=2)  # (K, d, d+1)
    mean = sum(pk * m for pk, m in zip(p, maps, strict=True))
    own, one = zero.copy(), zero.copy()
    own[:d, :d] = np.array([[Fraction(int(i == j)) for j in range(d)] for i in range(d)], dtype=object)
    one[d, d] = Fraction(1)
    cross = own[:, :d] @ mean
    V = sum((pk * (m - mean).T @ (m - mean) for pk, m in zip(p, maps, strict=True)), zero)
    found = Scalars(own / (2 * h), own, (cross + cross.T) / 2, mean.T @ mean, V, one)
    return Forms(found, d)


def member(record: Assumption, found: Any) -> int | None:
    """The first row that some x violates; None if the estimator is a member with these constants."""
    return next((k for k, row in enumerate(record.rows()) if not found.holds(row)), None)
