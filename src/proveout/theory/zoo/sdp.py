"""Least constants as semidefinite programs: on a ball, for any weights, and as a second opinion on the closed forms.

    minimise  w'c    subject to    base + sum_j c_j slope_j >= 0,    c_j >= low_j.

The solver's word counts for nothing.  Primal: the least eigenvalue at its c.  Dual: from its matrix Y points z_i are
taken (eigenvectors, and null vectors of the primal matrix), and a linear program finds weights a_i >= 0 with
sum_i a_i z_i' slope_j z_i = w_j (<= w_j where low_j is finite); then w'c >= -sum_i a_i z_i' base z_i + low'(w - ...) for
every feasible c, by adding up inequalities at points.

Restricted to |x - x*| <= R the row needs Q - lam (R^2 e - |y|^2) >= 0 for one lam >= 0 (S-procedure, exact for one ball).
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Assumption
from proveout.theory.zoo.affine import Forms
from proveout.theory.zoo.rows import Row

__all__ = ["Solved", "least_by_sdp", "minimise"]

TINY = 1e-9  # of the scale: a feasible direction shorter than this is the solver's rounding


@dataclass(frozen=True, eq=False)
class Solved:
    c: Array  # (k,)
    value: float  # w'c; inf if the solver found none
    bound: float  # no feasible c is below it
    slack: float  # least eigenvalue over the scale
    points: Array  # (m, q) the z_i that carry the dual

    @property
    def gap(self) -> float:
        return abs(self.value - self.bound) / max(1.0, abs(self.value))


def minimise(weights: Array, base: Array, slopes: list[Array], low: Array) -> Solved:
    """The program; `low` may hold -inf."""
    import cvxpy

    cp: Any = cvxpy

    q, k = len(base), len(slopes)
    size = max(float(np.abs(base).max()), *(float(np.abs(S).max()) for S in slopes), 1e-300)
    units = np.array([max(float(np.abs(S).max()), 1e-300) / size for S in slopes])  # c_j = u_j/units_j
    c = cp.Variable(k)
    matrix = base / size + sum(c[j] * (S / (size * units[j])) for j, S in enumerate(slopes))
    psd = cp.bmat([[matrix]]) >> 0 if q == 1 else (matrix + matrix.T) / 2 >> 0
    finite = np.isfinite(low)
    sides = [c[j] >= float(low[j] * units[j]) for j in range(k) if finite[j]]
    scaled = np.asarray(weights, float) / units
    top = max(float(np.abs(scaled).max()), 1e-300)
    program = cp.Problem(cp.Minimize((scaled / top) @ c), [psd, *sides])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "may be inaccurate": what counts is checked below
            program.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    except cp.error.SolverError:
        return _none(q, k)
    if c.value is None or psd.dual_value is None or program.status not in ("optimal", "optimal_inaccurate"):
        return _none(q, k)
    found = c.value / units
    Q = base + sum(found[j] * S for j, S in enumerate(slopes))
    Q = np.asarray((Q + Q.T) / 2)
    slack = float(np.linalg.eigvalsh(Q)[0]) / max(size, float(np.abs(Q).max()))
    points, bound = _dual(np.asarray(weights, float), base, slopes, low, psd.dual_value, Q)
    return Solved(found, float(weights @ found), bound, slack, points)


def _none(q: int, k: int) -> Solved:
    return Solved(np.full(k, np.nan), np.inf, -np.inf, np.nan, np.zeros((0, q)))


def _dual(
    weights: Array, base: Array, slopes: list[Array], low: Array, Y: Array, Q: Array
) -> tuple[Array, float]:
    """Points and the bound they carry."""
    from scipy.optimize import linprog

    q = len(base)
    points = np.concatenate([np.linalg.eigh((Y + Y.T) / 2)[1].T, np.linalg.eigh(Q)[1].T, np.eye(q)])
    rows = np.array([[z @ S @ z for z in points] for S in slopes])
    gains = np.array([-z @ base @ z for z in points])
    finite = np.isfinite(low)
    start = np.where(finite, low, 0.0)
    cost = -(gains - start @ rows)  # bound = gains'a + low'(w - rows a)
    unit = np.maximum(np.abs(rows).max(axis=1), 1e-300)
    answer = linprog(
        cost,
        A_ub=(rows / unit[:, None])[finite] if finite.any() else None,
        b_ub=(weights / unit)[finite] if finite.any() else None,
        A_eq=(rows / unit[:, None])[~finite] if (~finite).any() else None,
        b_eq=(weights / unit)[~finite] if (~finite).any() else None,
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if answer.x is None:
        return points[:0], -np.inf
    a = np.maximum(answer.x, 0.0)
    return points[a > 0], float(-cost @ a + start @ weights)


def least_by_sdp(
    kind: type[Assumption],
    row: Row,
    F: Forms,
    weights: Mapping[str, float],
    held: Mapping[str, float],
    radius: float,
) -> tuple[dict[str, float], Solved]:
    """The constants of a row that minimise `weights` (maximise, for lower bounds) on |x - x*| <= radius."""
    names = [n for n in row.slopes if n not in held]
    signs = np.array([-1.0 if n in row.lower else 1.0 for n in names])
    slopes = [-s * F.of(row.slopes[n]) for n, s in zip(names, signs, strict=True)]  # c = sign * constant
    low = np.array([-np.inf if n in row.lower else 0.0 for n in names])
    w = np.array([abs(weights.get(n, 0.0)) for n in names])
    if np.isfinite(radius):
        slopes, low, w = [*slopes, F.ball - radius**2 * F.one], np.append(low, 0.0), np.append(w, 0.0)
    solved = minimise(w, -F.of(row.at(dict(held))), slopes, low)
    values = {n: float(s * c) for n, s, c in zip(names, signs, solved.c, strict=False)}
    return {**held, **values}, solved
