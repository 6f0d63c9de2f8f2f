"""The proximal points of logistic losses, to rounding, by damped Newton steps.

    argmin_y phi(y),   phi(y) = sum_j w_j log(1 + exp(-<z_j, y>)) + (l2/2) |y|^2 + |y - v|^2 / (2t)

Along a Newton step s the third derivative of phi is at most r times the second, r = max_j |<z_j, s>|: the step
times log(1 + r)/r always decreases phi (Bach 2010), and for small r whole steps converge quadratically.  Else the
best of this share and 1, 1/2, 1/4, ... is taken.  Curvature 1/t may be negative, as long as l2 + 1/t > 0.
"""

from typing import Any

import numpy as np

from proveout.arrays import Array, apply, inner, last, like, namespace, sqnorm
from proveout.problems.losses import slopes, softplus

__all__ = ["proximal"]

ROWS = 2**22  # numbers of weighted samples held at once
STEPS = 200  # at most
NEAR = 0.1  # r below which whole steps are safe
HALVES = tuple(0.5**k for k in range(12))  # shares of a step that are tried
SMALL = 1e-10  # what may be left of the gradient, relative to its parts


def proximal(Z: Array, weight: Array, l2: float, v: Array, t: Any) -> Array:
    """Z (..., n, m, d), weight (..., n, m), v (..., n, d), t a number or (..., n, 1) -> (..., n, d).

    Raises ValueError where l2 + 1/t <= 0.
    """
    if not np.all(np.asarray(l2 + 1 / t) > 0):
        raise ValueError(f"l2 + 1/t must be > 0, got l2 = {l2}, t = {t}")
    n, m, d = Z.shape[-3:]
    lead = np.broadcast_shapes(Z.shape[:-3], v.shape[:-2], getattr(t, "shape", ())[:-2])
    xp = namespace(v)
    points = xp.reshape(xp.broadcast_to(v, (*lead, n, d)), (-1, n, d))
    few = max(1, ROWS // (n * m * d))

    def part(a: Any, core: int, rows: slice) -> Any:
        """Entries of the flattened batch; what has no batch is whole."""
        if getattr(a, "ndim", 0) <= core:
            return a
        return xp.reshape(xp.broadcast_to(a, lead + tuple(a.shape[-core:])), (-1, *a.shape[-core:]))[rows]

    out = [
        _solve(part(Z, 3, rows), part(weight, 2, rows), l2, points[rows], part(t, 2, rows))
        for rows in (slice(k, k + few) for k in range(0, len(points), few))
    ]
    return xp.reshape(xp.concat(out, axis=0), (*lead, n, d)) if out else points


def _solve(Z: Array, weight: Array, l2: float, v: Array, t: Any) -> Array:
    """For a batch (B, n, d) that fits in memory."""
    xp = namespace(v)
    bend = 1 / t
    ridge = l2 + (bend[..., None] if getattr(bend, "ndim", 0) >= 2 else bend)
    square, used = ridge * like(np.eye(Z.shape[-1]), v), weight + (weight == 0)

    def gradient(y: Array, slope: Array) -> Array:
        return l2 * y + (y - v) * bend - apply(Z.mT, slope)

    def at(y: Array) -> tuple[Array, Array, Array]:
        margins = apply(Z, y)
        slope = slopes(weight, margins)
        return margins, slope, gradient(y, slope)

    y = v * bend / (l2 + bend)  # the minimiser without samples
    margins, slope, g = at(y)
    for _ in range(STEPS):
        hessian = (Z * (slope * (1 - slope / used))[..., None]).mT @ Z + square
        step = xp.linalg.solve(hessian, g[..., None])[..., 0]
        moved = apply(Z, step)
        r = xp.max(xp.abs(moved), axis=-1)
        along = inner(step, l2 * y + (y - v) * bend), inner(step * (l2 + bend), step) / 2
        share, least = 1 + 0 * r, 0 * r  # of the step; what it changes phi by
        for tried in (*HALVES, xp.log1p(r) / (r + (r == 0))) if bool(xp.any(r >= NEAR)) else ():
            now = tried + 0 * r
            data = xp.sum(weight * (softplus(last(now) * moved - margins) - softplus(-margins)), axis=-1)
            gone = data - now * along[0] + now * now * along[1]
            share, least = xp.where((r >= NEAR) & (gone < least), now, share), xp.minimum(gone, least)
        new = y - last(share) * step
        size, (margins, slope, its) = sqnorm(g), at(new)
        better = (r >= NEAR) | (sqnorm(its) < size)
        y, g = xp.where(last(better), new, y), xp.where(last(better), its, g)
        if not bool(xp.any((r >= NEAR) | (sqnorm(its) < size / 4))):
            break
    _refuse_unsolved(g, (l2 * y, y * bend, v * bend))
    return y


def _refuse_unsolved(g: Array, parts: tuple[Array, ...]) -> None:
    xp = namespace(g)
    size = 1 + sum(sqnorm(p) for p in parts)
    left = float(xp.max(sqnorm(g) / size)) ** 0.5
    if not left <= SMALL:
        raise RuntimeError(f"prox: a gradient of relative size {left:.1e} is left")
