"""Exact linear algebra on lists of Fractions."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.proof.task import Task
from proveout.theory.lenses.worstcase.forms import Form

__all__ = ["compress", "echelon", "kernel", "pivots", "simple", "solve_near"]

Row = list[Fraction]


def echelon(
    rows: Sequence[Sequence[Fraction]], order: Sequence[int]
) -> tuple[list[Row], list[int], list[Row]]:
    """Form row echelon form with pivots in the columns `order`: (rows, pivot columns, what is left)."""
    left: list[Row] = [list(r) for r in rows]
    kept: list[Row] = []
    pivot: list[int] = []
    for column in order:
        k = next((k for k, r in enumerate(left) if r[column]), None)
        if k is None:
            continue
        head = left.pop(k)
        head = [x / head[column] for x in head]
        left = [_eliminate(r, head, column) for r in left]
        kept = [_eliminate(r, head, column) for r in kept] + [head]
        pivot.append(column)
    return kept, pivot, left


def _eliminate(row: Row, by: Row, column: int) -> Row:
    f = row[column]
    return [x - f * y for x, y in zip(row, by, strict=True)] if f else row


def solve_near(equations: Sequence[Row], guess: Array, denominators: Sequence[int]) -> Iterator[Row]:
    """Rational solutions of E y = b near the floats `guess`, one per denominator; equations are rows (E | b).

    The largest entries of the guess are solved for, the small ones stay free and are rounded.
    """
    n = len(guess)
    rows, pivot, left = echelon(equations, sorted(range(n), key=lambda j: -abs(guess[j])))
    if any(r[n] for r in left):
        return  # the equations contradict each other
    for denominator in denominators:
        y = [Fraction(float(g)).limit_denominator(denominator) for g in guess]
        free = [j for j in range(n) if j not in pivot and y[j]]
        for row, column in zip(rows, pivot, strict=True):
            y[column] = row[n] - sum((row[j] * y[j] for j in free), Fraction(0))
        yield y


def kernel(matrix: Array, below: float) -> Array:
    """Eigenvectors of a float matrix with eigenvalue < `below`, (r, k), in echelon form by complete pivoting.

    A rational kernel then has simple entries, none larger than 1.
    """
    values, vectors = np.linalg.eigh(matrix)
    basis = vectors[:, values < below].T.copy()
    done: list[int] = []
    for _ in range(len(basis)):
        free = [k for k in range(len(basis)) if k not in done]
        k, column = divmod(int(np.abs(basis[free]).argmax()), basis.shape[1])
        basis[free[k]] /= basis[free[k], column]
        others = np.arange(len(basis)) != free[k]
        basis[others] -= basis[others, column, None] * basis[free[k]]
        done.append(free[k])
    return basis


def simple(vector: Array, diagonal: Array, denominator: int, zero: float) -> Row:
    """A kernel vector in its own units, (k,), its largest entry 1, the others simple fractions.

    Entries below `zero` are 0; of the others the reciprocal is rounded, so that the error is relative.
    """
    own = np.where(np.abs(vector) > zero, vector, 0) * diagonal
    own = own / own[np.abs(own).argmax()]
    return [1 / Fraction(1 / float(x)).limit_denominator(denominator) if x else Fraction(0) for x in own]


def pivots(matrices: Sequence[Array]) -> list[int]:
    """Coordinates whose principal submatrices decide positive semidefiniteness of every combination.

    All rows of all matrices span a space; its pivot columns determine the others.
    """
    rows = {tuple(row) for m in matrices for row in m.tolist() if any(row)}
    return sorted(echelon(sorted(rows), range(len(matrices[0])))[1])


def compress(task: Task) -> Task:
    """The same task on pivot coordinates: directions that no form sees are dropped, nothing is lost."""
    forms = (task.before, task.after, *task.inequalities)
    keep = [pivots([f.blocks[b] for f in forms]) for b in range(len(task.before.blocks))]

    def cut(form: Form) -> Form:
        blocks = tuple(m[np.ix_(k, k)] for m, k in zip(form.blocks, keep, strict=True))
        return Form(blocks, form.values, form.noise)

    return Task(cut(task.before), cut(task.after), tuple(map(cut, task.inequalities)), task.rate)
