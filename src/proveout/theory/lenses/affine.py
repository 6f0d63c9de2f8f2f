"""Affine steps: reading A_k and b_k of every draw from the step itself, and testing that this is allowed.

In coordinates y (see `states`), an affine step is y' = A_k y + b_k for draw k.

    maps = read_maps(P, m, coords, atoms, budget)     # None: the step is not affine
    maps.A (K, D, q), maps.b (K, D), maps.prob (K,)   # into all of R^D, in units
    maps.inside()  -> (A (K, q, q), b (K, q))         # the same within the admissible space (moments)
    maps.T()       -> (K, q+1, q+1)                   # homogeneous, [[A, b], [0, 1]], within the space
    maps.clocks    -> the clock leaves after the step, each a plain int or an array (K, ...)
    pullback(maps, Q) -> sum_k p_k T_k' Q T_k         # the form of E V(next), Q a form on R^D

The test of affinity is made at lengths 1e-3 .. 1e6: a clipped or thresholded step is affine near star.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, apply
from proveout.laws import reported_weights
from proveout.theory.lenses.common import AFFINE, CHUNK, Atoms, Budget, Refused
from proveout.theory.lenses.states import Coordinates, is_float, leaves
from proveout.theory.statement import Method, Problem

__all__ = ["Maps", "is_affine", "pullback", "read_maps"]

SCALES = np.array([1e-3, 1, 1e3, 1e6]).repeat(2)
STORED = 5e7  # floats of all A_k, at most


@dataclass(frozen=True, eq=False)
class Maps:
    """The affine maps of one step, one per draw."""

    coords: Coordinates
    prob: Array  # (K,)
    A: Array  # (K, D, q)  into all states, in units, relative to star
    b: Array  # (K, D)
    clocks: tuple[Any, ...]  # clock leaves after the step

    def inside(self) -> tuple[Array, Array]:
        """(A (K, q, q), b (K, q)); Refused if some draw leads out of the admissible states."""
        U = self.coords.basis
        if U is None:
            return self.A, self.b
        A, b = U.T @ self.A, self.b @ U
        size = np.abs(self.A).max() + np.abs(self.b).max() + 1
        left = np.abs(self.A - U @ A).max() + np.abs(self.b - b @ U.T).max()
        if left > AFFINE * size:
            raise Refused(f"the step leaves the admissible states (by {left:.1e} units)", "inconclusive")
        return A, b

    def T(self) -> Array:
        """Homogeneous maps within the admissible space: (K, q+1, q+1)."""
        return _homogeneous(*self.inside())


def _homogeneous(A: Array, b: Array) -> Array:
    K, D, q = A.shape
    T = np.zeros((K, D + 1, q + 1))
    T[:, :D, :q], T[:, :D, q], T[:, D, q] = A, b, 1
    return T


def read_maps(P: Problem, m: Method, coords: Coordinates, atoms: Atoms, budget: Budget) -> Maps | None:
    """The maps of every draw, or None if the step is not affine (or its draws depend on the state).

    Raises Refused if they are too large for the budget.
    """
    if not coords.explicit:
        return None
    K, q, D = atoms.size, coords.q, coords.D
    if not is_affine(P, m, coords, atoms):
        return None
    if q > budget.dimension or K * q * D > STORED or K * q * D * 1.0 * q > budget.flops:
        raise Refused(f"too large: {K} draws of a map of R^{q}")
    A, b = np.empty((K, D, q)), np.empty((K, D))
    clocks: list[list[Any]] = []
    probes = np.concatenate([np.zeros((1, q)), np.eye(q)])
    step = max(1, int(CHUNK // ((q + 1) * D)))
    for k in range(0, K, step):
        out, after = _next(P, m, coords, atoms, probes, k, min(k + step, K))
        b[k : k + step] = out[0]
        A[k : k + step] = np.moveaxis(out[1:] - out[0], 0, -1)
        clocks.append(after)
    maps = Maps(coords, atoms.prob, A, b, _joined(clocks, K))
    return maps if _agrees(P, m, maps, atoms) else None


def is_affine(P: Problem, m: Method, coords: Coordinates, atoms: Atoms) -> bool:
    """f(u + v) - f(u) - f(v) + f(0) = 0 at every length and for (some of) the draws, to AFFINE.

    Once along isotropic points, once along points whose *gradients* are isotropic: where f is ill
    conditioned, nearly all points have gradients in one direction, and a sparsifier looks affine there.
    """
    rng = np.random.default_rng(0xAFF)
    points = rng.standard_normal((2, len(SCALES), coords.q))
    steep = _gradients_everywhere(P, coords, rng)
    u, v = (
        np.concatenate([points, steep], axis=1) * np.resize(SCALES, points.shape[1] + steep.shape[1])[:, None]
    )
    y = np.concatenate([np.zeros((1, coords.q)), u, v, u + v])
    end = max(1, min(atoms.size, int(CHUNK // (len(y) * coords.D))))
    try:
        out, _ = _next(P, m, coords, atoms, y, 0, end)
    except _StateDependent:
        return False
    one, two, both = np.split(out[1:], 3)
    size = np.linalg.norm(one, axis=-1) + np.linalg.norm(two, axis=-1) + np.linalg.norm(out[0], axis=-1)
    size += _room(u + v)
    bend = np.linalg.norm(both - one - two + out[0], axis=-1)
    return bool((bend <= 10 * AFFINE * size).all())


def _gradients_everywhere(P: Problem, coords: Coordinates, rng: np.random.Generator) -> Array:
    """Pairs of points (2, N, q) whose gradients have no preferred direction; none but on quadratics."""
    if not getattr(P, "is_quadratic", False) or not hasattr(P, "hessians"):
        return np.zeros((2, 0, coords.q))
    H = np.asarray(P.hessians, float)
    own, mean = np.linalg.pinv(H, hermitian=True), np.linalg.pinv(H.mean(axis=0), hermitian=True)
    rows = rng.standard_normal((2 * len(SCALES), coords.D))
    for field in coords.fields:
        if field.shape in (H.shape[1:2], H.shape[:2]):
            w = rows[:, field.part].reshape(-1, *field.shape)
            x = w @ mean if len(field.shape) == 1 else apply(own, w)
            x = x.reshape(len(rows), -1)
            rows[:, field.part] = x / np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    return coords.shrink(rows).reshape(2, len(SCALES), coords.q)


def _room(y: Array) -> Array:
    """A step that sends far points near star errs by the rounding of the far ones: (N, 1)."""
    return 1 + 1e-4 * np.linalg.norm(y, axis=-1, keepdims=True)


class _StateDependent(Exception):
    """Draw probabilities or clocks depend on the state."""


def _next(
    P: Problem, m: Method, coords: Coordinates, atoms: Atoms, y: Array, first: int, end: int
) -> tuple[Array, list[Any]]:
    """Next states of (N, q) points under draws first..end-1, flat in units (N, k, D), and their clocks."""
    with np.errstate(all="ignore"), reported_weights() as reports:
        after = m.step(P, coords.state(y[:, None, :]), atoms.part(first, end))
    if reports:
        raise _StateDependent
    out = np.broadcast_to(coords.flat(after), (len(y), end - first, coords.D))
    clocks = []
    for leaf in leaves(after):
        if leaf is None or is_float(leaf):
            continue
        if isinstance(leaf, int):
            clocks.append(leaf)
            continue
        full = np.broadcast_to(
            leaf, np.broadcast_shapes(leaf.shape, (len(y), end - first) + (1,) * (leaf.ndim - 2))
        )
        if (full != full[:1]).any():
            raise _StateDependent
        clocks.append(full[0])
    return out, clocks


def _joined(parts: list[list[Any]], K: int) -> tuple[Any, ...]:
    """Clock leaves of all chunks: plain ints stay, arrays are stacked to (K, ...)."""
    return tuple(c[0] if isinstance(c[0], int) else np.concatenate(c)[:K] for c in zip(*parts, strict=True))


def _agrees(P: Problem, m: Method, maps: Maps, atoms: Atoms) -> bool:
    """|step - (A y + b)| <= AFFINE (|A y| + |b| + 1 + 1e-4 |y|) at two random points of each length, for every draw."""
    coords, K = maps.coords, atoms.size
    y = np.random.default_rng(0xA9).standard_normal((len(SCALES), coords.q)) * SCALES[:, None]
    step = max(1, int(CHUNK // (len(y) * coords.D)))
    for k in range(0, K, step):
        out, _ = _next(P, m, coords, atoms, y, k, min(k + step, K))
        linear = np.moveaxis(maps.A[k : k + step] @ y.T, -1, 0)
        gap = np.linalg.norm(out - linear - maps.b[k : k + step], axis=-1)
        size = np.linalg.norm(linear, axis=-1) + np.linalg.norm(maps.b[k : k + step], axis=-1) + _room(y)
        if not (gap <= AFFINE * size).all():
            return False
    return True


def pullback(maps: Maps, Q: Array) -> Array:
    """sum_k p_k T_k' Q T_k for a form Q on R^D: the form of E V(next) in y. (q+1, q+1)"""
    K, D, q = maps.A.shape
    total = np.zeros((q + 1, q + 1))
    step = max(1, int(CHUNK // ((D + 1) * (q + 1))))
    for k in range(0, K, step):
        T = _homogeneous(maps.A[k : k + step], maps.b[k : k + step])
        F = (T * np.sqrt(maps.prob[k : k + step])[:, None, None]).swapaxes(0, 1).reshape(D + 1, -1)
        G = (Q @ F).reshape(D + 1, -1, q + 1).swapaxes(0, 1).reshape(-1, q + 1)
        total += F.reshape(D + 1, -1, q + 1).swapaxes(0, 1).reshape(-1, q + 1).T @ G
    return (total + total.T) / 2
