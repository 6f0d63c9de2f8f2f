"""A certified upper end: multipliers that are feasible, rounding included.

From any multipliers: clip to their signs, restore the value equations by least squares.  Slater direction, once
per program: the largest tau with S0 = sum t0 N - sum lam0 Q - ... >= tau I, value part 0, b.t0 <= 1.  Then
S + delta S0 / tau >= 0 for delta = max(0, -lambda_min(S)), and up = b.t + delta b.t0 / tau.

Eigenvalues of a k x k slack err by 1e-15 k |S|; MARGIN of |S| is added to delta.
"""

import math

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.lower import MARGIN
from proveout.theory.lenses.worstcase.program import Program
from proveout.theory.lenses.worstcase.solve import (
    Multipliers,
    conic,
    cut,
    multiplier_columns,
    multipliers,
    psd_part,
    svec,
)

__all__ = ["upper"]

EXACT = 1e-12  # relative residual of the value equations after they are restored
ENOUGH = 1e-12  # relative; a repair so small needs no polishing
RESTORE = 50  # rounds of clipping and least squares
ROUNDS = 4  # Newton steps; they converge quadratically
KERNELS = (1e-4, 1e-6)  # of the largest eigenvalue; directions in which S is taken to vanish


class _Slack:
    """S of given multipliers, block by block, and its value part."""

    def __init__(self, data: Program) -> None:
        self.data = data
        self.C, self.N = data.part(0), data.part(1)
        self.minus_values, self.minus_rows = multiplier_columns(data)
        self.rows = np.concatenate([svec(b) for b in data.blocks], axis=1)

    def of(self, t: Array, theta: Array, rest: Array) -> tuple[list[Array], Array]:
        """The blocks of S, and the value part."""
        rows = t @ self.rows[self.N] - theta @ self.rows[self.C] - rest @ self.minus_rows
        values = t @ self.data.values[self.N] - theta @ self.data.values[self.C] - rest @ self.minus_values
        return cut(rows, self.data.sizes), values

    def size(self, t: Array, theta: Array, rest: Array) -> float:
        """How large the things are that add up to S."""
        parts = np.abs(t) @ np.abs(self.rows[self.N]), np.abs(theta) @ np.abs(self.rows[self.C])
        return float(np.max(parts[0] + parts[1] + np.abs(rest) @ np.abs(self.minus_rows), initial=0))


def _flat(dual: Multipliers) -> Array:
    return np.concatenate([dual.lam, dual.nu, *(svec(L) for L in dual.Lam)])


def _signs(data: Program, rest: Array) -> Array:
    """lam >= 0 and Lam PSD."""
    lam, nu, Lam = multipliers(data, rest)
    return np.concatenate([np.maximum(lam, 0), nu, *(svec(psd_part(L)) for L in Lam)])


def _restore(slack: _Slack, t: Array, theta: Array, rest: Array) -> tuple[Array, Array, float]:
    """The nearest multipliers with value part 0 and the right signs; the residual that is left."""
    data = slack.data
    n = len(t)
    jacobian = np.concatenate([data.values[slack.N], -slack.minus_values])  # (n + m, n_F)
    before = np.inf
    for _ in range(RESTORE):
        t, rest = np.maximum(t, 0), _signs(data, rest)
        _, values = slack.of(t, theta, rest)
        worst = float(np.abs(values).max(initial=0))
        if worst <= 1e-16 or worst >= before:
            break
        before = worst
        y = np.concatenate([t, rest])
        active = np.ones(len(y), bool)
        active[n : n + data.counts[2]] = rest[: data.counts[2]] > 0
        step = np.zeros(len(y))
        step[active] = np.linalg.lstsq(jacobian[active].T, -values, rcond=None)[0]
        t, rest = t + step[:n], rest + step[n:]
    t, rest = np.maximum(t, 0), _signs(data, rest)
    _, values = slack.of(t, theta, rest)
    scale = np.abs(np.concatenate([t, rest])) @ np.abs(jacobian) + theta @ np.abs(data.values[slack.C])
    size = max(float(t.max(initial=0)), float(scale.max(initial=0)), 1e-300)
    return t, rest, float(np.abs(values).max(initial=0)) / size


def upper(data: Program, dual: Multipliers) -> tuple[float, Multipliers | None]:
    """The bound that these multipliers prove after repair, and the repaired ones; (inf, None) if none."""
    slack = _Slack(data)
    theta = np.maximum(dual.theta, 0)
    theta = theta / theta.sum() if theta.sum() > 0 else np.eye(len(theta))[0]
    tau, t0, rest0 = _slater(slack)
    if tau <= 0:
        return math.inf, None
    best, proof = math.inf, None
    for below in (None, *KERNELS):
        t, rest = dual.t, _flat(dual)
        if below is not None:
            t, rest = _polished(slack, t, theta, rest, below)
        t, rest, residual = _restore(slack, t, theta, rest)
        delta = _lack(slack, t, theta, rest) / tau
        t, rest = t + delta * t0, rest + delta * rest0
        if residual <= EXACT and data.bounds @ t < best:
            best, proof = float(data.bounds @ t), _unscaled(data, t, theta, rest)
        if delta * float(data.bounds @ t0) <= ENOUGH * best:
            break
    return best, proof


def _lack(slack: _Slack, t: Array, theta: Array, rest: Array) -> float:
    """How much of the identity makes S positive semidefinite, rounding included."""
    S, _ = slack.of(t, theta, rest)
    least = min((float(np.linalg.eigvalsh(s)[0]) for s in S if s.size), default=0.0)
    return max(0.0, -least + MARGIN * slack.size(t, theta, rest))


def _polished(slack: _Slack, t: Array, theta: Array, rest: Array, below: float) -> tuple[Array, Array]:
    """Newton steps onto K' S K = 0, K the vectors that S nearly kills, and onto the value equations.

    Multipliers that are small against the largest one are set to zero.
    """
    data, n = slack.data, len(t)
    t, rest, _ = _restore(slack, t, theta, rest)
    columns = cut(np.concatenate([slack.rows[slack.N], -slack.minus_rows]), data.sizes)
    values = np.concatenate([data.values[slack.N], -slack.minus_values])
    lam = rest[: data.counts[2]]
    active = np.ones(n + len(rest), bool)
    active[n : n + len(lam)] = lam > below * lam.max(initial=0)
    y = np.where(active, np.concatenate([t, rest]), 0.0)
    for _ in range(ROUNDS):
        S, off = slack.of(y[:n], theta, y[n:])
        equations, goal = [values], [-off]
        for b, s in enumerate(S):
            if s.size:
                w, U = np.linalg.eigh(s)
                kernel = U[:, w < below * max(1e-300, w[-1])]
                equations.append(svec(kernel.T @ columns[b] @ kernel))
                goal.append(-svec(kernel.T @ s @ kernel))
        jacobian = np.concatenate(equations, axis=1)[active].T
        y[active] += np.linalg.lstsq(jacobian, np.concatenate(goal), rcond=1e-12)[0]
    return y[:n], y[n:]


def _unscaled(data: Program, t: Array, theta: Array, rest: Array) -> Multipliers:
    """In the trace's units."""
    lam, nu, Lam = multipliers(data, rest)
    q, e = data.units[data.part(2)], data.units[data.part(3)]
    tables = [L / data.units[start] for L, start in zip(Lam, data.table_starts, strict=True)]
    return Multipliers(t, theta, lam / q, nu / e, tables)


def _slater(slack: _Slack) -> tuple[float, Array, Array]:
    """(tau, t0, rest0): sum t0 N - ... >= tau I, value part exactly 0."""
    if "slater" not in slack.data.memory:
        slack.data.memory["slater"] = _strict(slack)
    return slack.data.memory["slater"]  # type: ignore[no-any-return]


def _strict(slack: _Slack) -> tuple[float, Array, Array]:
    data = slack.data
    nN, nQ, m = data.counts[1], data.counts[2], len(slack.minus_rows)
    n_values, n = data.values.shape[1], 1 + nN + m
    eye = np.concatenate([svec(np.eye(k)) for k in data.sizes])
    value_part = np.concatenate([np.zeros((1, n_values)), data.values[slack.N], -slack.minus_values])
    slack_part = np.concatenate([-eye[None], slack.rows[slack.N], -slack.minus_rows])
    limit = np.zeros((2, n))
    limit[0, 1 : 1 + nN], limit[1, 0] = -data.bounds, -1
    tables = sum(k * (k + 1) // 2 for k in data.tables)
    stacked = np.concatenate(
        [value_part.T, np.eye(n)[1 : 1 + nN + nQ], limit, slack_part.T, np.eye(n)[n - tables :]]
    )
    const = np.concatenate([np.zeros(n_values + nN + nQ), [1.0, 1.0], np.zeros(slack_part.shape[1] + tables)])
    psd = (*data.sizes, *data.tables)
    y, _ = conic(-np.eye(n)[0], const, stacked, n_values, nN + nQ + 2, psd)
    t0, rest0, residual = _restore(slack, y[1 : 1 + nN], np.zeros(data.counts[0]), y[1 + nN :])
    S, _ = slack.of(t0, np.zeros(data.counts[0]), rest0)
    least = min((float(np.linalg.eigvalsh(s)[0]) for s in S if s.size), default=1.0)
    tau = least - MARGIN * slack.size(t0, np.zeros(data.counts[0]), rest0)
    return (tau if residual <= EXACT else 0.0), t0, rest0
