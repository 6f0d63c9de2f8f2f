"""The semidefinite program of a claim as arrays: scaled, and without directions that no datum sees.

    maximise  min_k <C_k, y>   over  y = (G, F)  with  G >= 0,  <Q_q, y> >= 0,  <E_e, y> = 0,  T(y) >= 0,
                                                      <N_j, y> <= b_j

is the worst case; its dual has few variables, the multipliers, and is what the solver sees:

    minimise  sum_j b_j t_j   with   S = sum_j t_j N_j - sum_k theta_k C_k - sum_q lam_q Q_q
                                         - sum_e nu_e E_e - <Lam, T>   PSD in every block, value part 0,
    t, theta, lam >= 0,  sum theta = 1,  Lam PSD,  nu free.

The multipliers are a proof: rate N - C = S + sum lam_q Q_q + ... >= 0.  The noise scalar is a block of size one.

Scaling (nobody has to choose units): every block by g^-1/2, g the diagonal of N and C (where both are 0: of
the Q); then every condition and every value column by its maximum.  All are congruences or scalings of multipliers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.forms import Form
from proveout.theory.lenses.worstcase.trace import Trace
from proveout.theory.statement import Number

__all__ = ["Point", "Program", "program"]

UNSEEN = 1e-9  # of the largest singular value; a direction that no datum sees shows 1e-16


@dataclass(frozen=True, eq=False)
class Point:
    """A Gram matrix and function values: factors W_b with G_b = W_b W_b', and F."""

    factors: tuple[Array, ...]
    values: Array

    @property
    def grams(self) -> list[Array]:
        return [W @ W.T for W in self.factors]

    def of(self, form: Form) -> float:
        """The form's value here; the last factor belongs to the noise scalar."""
        *grams, one = self.grams
        return float(Form(form.blocks, form.values).at(grams, self.values) + float(form.noise) * one[0, 0])


@dataclass(frozen=True, eq=False)
class Program:
    """Scaled data: per block (m, k, k), values (m, n_F); the m rows are C, N, Q, E, then the tables T."""

    blocks: list[Array]
    values: Array
    counts: tuple[int, int, int, int]  # of C, N, Q, E
    tables: tuple[int, ...]  # sizes of the matrices T
    bounds: Array  # (n_N,)
    units: Array  # (m,): the rows were divided by these
    lifts: list[Array]  # per block (k_full, k): G_full = lift G lift'
    value_units: Array  # (n_F,)
    memory: dict[str, Any] = field(default_factory=dict)  # strictly feasible points, found once

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(b.shape[-1] for b in self.blocks)

    def part(self, which: int) -> slice:
        """Rows of C, N, Q, E (0..3) or of everything in T (4)."""
        starts = np.cumsum([0, *self.counts, sum(k * k for k in self.tables)])
        return slice(int(starts[which]), int(starts[which + 1]))

    @property
    def table_starts(self) -> list[int]:
        """First row of each matrix T."""
        squares = [0, *(k * k for k in self.tables)]
        return [int(sum(self.counts) + s) for s in np.cumsum(squares)[:-1]]

    def lift(self, grams: Sequence[Array], values: Array) -> Point:
        """A point of the scaled program in the trace's own units."""
        factors = []
        for lift, G in zip(self.lifts, grams, strict=True):
            w, U = np.linalg.eigh(G) if G.size else (np.zeros(0), G)
            factors.append(lift @ (U * np.sqrt(np.maximum(w, 0))))
        return Point(tuple(factors), values / self.value_units)


def program(
    trace: Trace,
    choices: Sequence[Form],
    normals: Sequence[Form],
    bounds: Sequence[Number] = (1.0,),
    *,
    scaled: bool = True,
) -> Program:
    """The program for C = `choices` and N = `normals` over the conditions of a trace.

    Raises ValueError for data that are not finite.
    """
    groups = (
        list(choices),
        list(normals),
        [c.form for c in trace.inequalities],
        [c.form for c in trace.equalities],
    )
    forms = [f for group in groups for f in group] + [
        f for _, table in trace.matrices for row in table for f in row
    ]
    blocks = [np.array([f.blocks[b] for f in forms], float) for b in range(len(forms[0].blocks))]
    blocks.append(np.array([f.noise for f in forms], float).reshape(-1, 1, 1))
    values = np.array([f.values for f in forms], float).reshape(len(forms), -1)
    if not all(np.isfinite(part).all() for part in (*blocks, values)):
        raise ValueError("the forms of the claim hold nan or inf")
    counts = tuple(map(len, groups))
    tables = tuple(len(table) for _, table in trace.matrices)
    raw = Program(
        blocks=blocks,
        values=values,
        counts=counts,  # type: ignore[arg-type]
        tables=tables,
        bounds=np.array(bounds, float),
        units=np.ones(len(forms)),
        lifts=[np.eye(b.shape[-1]) for b in blocks],
        value_units=np.ones(values.shape[1]),
    )
    return _compress(_scale(raw) if scaled else raw)


def _scale(raw: Program) -> Program:
    free = sum(raw.counts[:2])  # C and N keep their size: rates are read off them
    blocks, lifts = [], []
    for block in raw.blocks:
        s = _diagonal(block, free) ** -0.5
        blocks.append(block * s * s[:, None])
        lifts.append(np.diag(s))
    column = np.abs(raw.values).max(axis=0, initial=0)
    column = np.where(column > 0, column, 1)
    values = raw.values / column
    units = np.ones(len(values))
    size = np.max(
        [np.abs(b).max(axis=(1, 2), initial=0) for b in blocks] + [np.abs(values).max(axis=1, initial=0)],
        axis=0,
    )
    units[free:] = _together(size[free:], raw)
    blocks = [b / units[:, None, None] for b in blocks]
    return Program(blocks, values / units[:, None], raw.counts, raw.tables, raw.bounds, units, lifts, column)


def _diagonal(block: Array, free: int) -> Array:
    """g of one block: diagonals of C and N, or of the conditions, each divided by its maximum."""
    diagonals = np.abs(np.diagonal(block, axis1=1, axis2=2))
    g = diagonals[:free].max(axis=0)
    top = np.abs(block[free:]).max(axis=(1, 2), initial=0)
    rest = (diagonals[free:] / np.where(top > 0, top, 1)[:, None]).max(axis=0, initial=0)
    g = np.where(g > 0, g, rest)
    return np.asarray(np.where(g > 0, g, 1.0))


def _together(size: Array, raw: Program) -> Array:
    """Entries of one matrix T share their unit."""
    size, start = np.where(size > 0, size, 1), raw.counts[2] + raw.counts[3]
    for k in raw.tables:
        size[start : start + k * k] = size[start : start + k * k].max()
        start += k * k
    return size


def _compress(raw: Program) -> Program:
    """Keep only directions that some datum sees; the others would make every slack singular.

    Equations alone do not count: a direction that only they see may be 0, with multiplier 0.
    """
    blocks, lifts = [], []
    for block, lift in zip(raw.blocks, raw.lifts, strict=True):
        data = np.delete(block, raw.part(3), axis=0)
        top = np.abs(data).max(axis=(1, 2), initial=0)
        rows = (data / np.where(top > 0, top, 1)[:, None, None]).reshape(-1, block.shape[-1])
        seen = np.abs(rows).max(axis=0, initial=0) > 0
        basis = np.eye(len(seen))[:, seen]
        if seen.any():
            _, s, Vt = np.linalg.svd(rows[:, seen], full_matrices=False)
            if not (s > UNSEEN * s[0]).all():
                basis = basis @ Vt[s > UNSEEN * s[0]].T
        blocks.append(basis.T @ block @ basis)
        lifts.append(lift @ basis)
    return Program(blocks, raw.values, raw.counts, raw.tables, raw.bounds, raw.units, lifts, raw.value_units)
