"""The scalars that an estimator can have at one point, and linear programs over them.

The scalars (D, G, P, E1, V, 1) of an estimator (`methods/blocks/assumptions`) satisfy

    D >= 0,   V >= 0,   [[G, P], [P, E1]] positive semidefinite,

and whatever satisfies this is realised (`realise`).  With one >= 0 in place of 1 they form a cone; its dual is

    w_D, w_V, w_one >= 0   and   [[w_G, w_P/2], [w_P/2, w_E1]] positive semidefinite.

Assumptions are rows, <row, scalars> <= 0.  `least` finds the least theta for which rows r_i imply base + theta unit:

    min theta   such that   sum_i lam_i r_i - base - theta unit   lies in the dual cone,   lam >= 0.

Its multipliers are a proof by summing inequalities; its own dual is the worst point, <unit, scalars> = -1.

*Rows that force equality.*  If a row lies in the dual cone itself (Bias <= 0, say), it holds with equality, and if its
Gram part is not zero the Gram matrix lives on the kernel of that part: E g is a multiple of grad f.  A proof may
then need infinite multipliers, so the kernel is taken as the new `Frame` first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.methods.blocks.assumptions import Scalars

__all__ = ["FULL", "Frame", "Solved", "frame_of", "gram", "least", "minus", "plus", "times", "value"]

Row = Scalars
Frame = tuple[tuple[Any, Any], ...]  # basis vectors, as combinations of (grad f, E g)

FULL: Frame = ((1, 0), (0, 1))
ROOT2 = math.sqrt(2)
SOLVED = 1e-8  # relative residual and gap at which a solution is believed


def plus(*rows: Row) -> Row:
    return Scalars(*(sum(column) for column in zip(*rows, strict=True)))


def times(k: Any, row: Row) -> Row:
    return Scalars(*(k * x for x in row))


def minus(a: Row, b: Row) -> Row:
    return plus(a, times(-1, b))


def value(row: Row, point: Row) -> Any:
    """<row, scalars>."""
    return sum(a * b for a, b in zip(row, point, strict=True))


def half(x: Any) -> Any:
    """x/2, exactly for ints and Fractions."""
    return x / 2 if isinstance(x, float) else Fraction(x) / 2


def gram(row: Row, frame: Frame = FULL) -> list[list[Any]]:
    """The Gram part of a row, 2 x 2 or smaller, in a frame; entries keep their kind of number."""

    def entry(u: Any, v: Any) -> Any:
        return row.G * u[0] * v[0] + half(row.P) * (u[0] * v[1] + u[1] * v[0]) + row.E1 * u[1] * v[1]

    return [[entry(u, v) for v in frame] for u in frame]


def frame_of(sources: Sequence[Row]) -> Frame:
    """The directions left to the Gram matrix by the rows that force equality; decided exactly."""
    frame = FULL
    for row in sources:
        if min(row.D, row.V, row.one) < 0 or row.one != 0 or len(frame) < 2:
            continue
        a, b, c = row.G, half(row.P), row.E1
        if min(a, c) < 0 or (a, b, c) == (0, 0, 0):
            continue
        if a * c == b * b:  # rank one, kernel orthogonal to (a, b) ~ (b, c)
            frame = ((-b / (a if isinstance(a, float) else Fraction(a)), 1),) if a else ((1, 0),)
        elif a * c > b * b:
            frame = ()
    return tuple((_exact(u), _exact(v)) for u, v in frame)


def _exact(x: Any) -> Any:
    return int(x) if x == int(x) else x


@dataclass(frozen=True, eq=False)
class Solved:
    """theta = inf: no multiplier does, the point is a direction along which the row is violated for every theta."""

    theta: float
    multipliers: tuple[float, ...]
    point: Row
    sound: bool  # residuals and gap are small


def least(sources: Sequence[Row], base: Row, unit: Row, frame: Frame = FULL) -> Solved:
    """The least theta for which the source rows imply <base + theta unit, scalars> <= 0."""
    import clarabel
    from scipy.sparse import csc_matrix

    columns = [_flat(times(-1.0, r), frame) for r in sources] + [_flat(times(1.0, unit), frame)]
    k, size = len(sources), len(frame)
    A = np.concatenate([np.array(columns, float).T, -np.eye(k, k + 1)])
    b = np.concatenate([-np.array(_flat(base, frame), float), np.zeros(k)])
    cones = [clarabel.NonnegativeConeT(3)]
    if size:
        cones.append(clarabel.PSDTriangleConeT(size))
    if k:
        cones.append(clarabel.NonnegativeConeT(k))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    settings.max_threads = 1
    q = np.zeros(k + 1)
    q[-1] = 1.0
    found = clarabel.DefaultSolver(csc_matrix((k + 1, k + 1)), q, csc_matrix(A), b, cones, settings).solve()
    x, z = np.array(found.x), np.array(found.z)
    point = _point(z, frame)
    if "Infeasible" in str(found.status):
        sound = value(base, point) > 0 and all(value(r, point) < SOLVED for r in sources)
        return Solved(math.inf, (math.nan,) * k, point, bool(sound))
    slack = b - A @ x
    lower = -float(b @ z)
    scale = 1 + abs(x[-1])
    sound = (
        _negative(slack, size) < SOLVED * (1 + float(np.abs(x).max()))
        and _negative(z, size) < SOLVED * (1 + float(np.abs(z).max()))
        and float(np.abs(A.T @ z + q).max()) < SOLVED * (1 + float(np.abs(z).max()))
        and abs(x[-1] - lower) < SOLVED * scale
    )
    return Solved(float(x[-1]), tuple(np.maximum(x[:-1], 0).tolist()), point, bool(sound))


def _flat(row: Row, frame: Frame) -> list[float]:
    """(D, V, one, upper triangle of the Gram part, off-diagonal entries times the root of 2)."""
    M = gram(row, frame)
    out = [row.D, row.V, row.one]
    if len(frame) == 1:
        out.append(M[0][0])
    elif len(frame) == 2:
        out += [M[0][0], ROOT2 * M[0][1], M[1][1]]
    return [float(v) for v in out]


def _point(z: Any, frame: Frame) -> Row:
    """The scalars that a dual solution is."""
    D, V, one = (float(v) for v in z[:3])
    if len(frame) == 2:
        M = np.array([[z[3], z[4] / ROOT2], [z[4] / ROOT2, z[5]]])
    else:
        M = np.array([[z[3]]]) if frame else np.zeros((0, 0))
    F = np.array([[float(x) for x in v] for v in frame]).reshape(len(frame), 2)
    full = F.T @ M @ F
    return Scalars(D=D, G=float(full[0, 0]), P=float(full[0, 1]), E1=float(full[1, 1]), V=V, one=one)


def _negative(s: Any, size: int) -> float:
    """How far a slack (or a dual solution) lies outside its cone."""
    psd = 3 + (size * (size + 1)) // 2
    bad = max(0.0, -float(np.concatenate([s[:3], s[psd:]]).min()))
    if size == 1:
        bad = max(bad, -float(s[3]))
    elif size == 2:
        M = np.array([[s[3], s[4] / ROOT2], [s[4] / ROOT2, s[5]]])
        bad = max(bad, -float(np.linalg.eigvalsh(M)[0]))
    return bad
