"""The rational ladder: float multipliers of an SDP become fractions that prove the same inequality.

Given rational forms before, after, Q_q and a rational rate, find lam_q >= 0 in Q such that

    S = rate before - after - sum_q lam_q Q_q    has every block PSD, value part 0, noise >= 0.

 1. centre: floats with S as positive definite as can be (unless multipliers are handed in);
 2. round: solve the value equations exactly for the largest multipliers, round the free ones with
    denominators 12, 60, ..., 1e6; each candidate is tested exactly, nothing is believed;
 3. kernel: if none passes, the slack must be singular.  Read its kernel off the eigenvectors with tiny
    eigenvalue, round it, add S k = 0 to the equations and round again.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.proof.centre import Scaled, centre, scaled
from proveout.theory.lenses.proof.rational import Row, compress, kernel, simple, solve_near
from proveout.theory.lenses.proof.task import Task, proves

__all__ = ["climb"]

DENOMINATORS = (12, 60, 1_000, 10_000, 1_000_000)
KERNELS = (1e-4, 1e-3, 1e-5)  # eigenvalues of the scaled slack that are taken for zero
ENTRIES = ((12, 1e-3), (100, 1e-3), (2_000, 1e-3), (2_000, 1e-6))  # (denominator, what is taken for zero)
NEGLIGIBLE = 1e-9  # a multiplier, against the largest one
HOPELESS = -1e-3  # least eigenvalue of the best scaled slack: no rounding makes that PSD
PLAUSIBLE = 1e-9  # relative; an eigenvalue below it is no rounding error
FLAT = 1e-6  # a diagonal entry of the scaled slack that says nothing about scale


def climb(task: Task, start: Array | None = None) -> Row | None:
    """Rational multipliers that prove the task, one per inequality, or None if none was found.

    The floats to start from may be handed in.  Else they are solved for, if need be a second time in the
    scale of the slack itself: a small but essential direction is then as sharp as the others.
    """
    small = compress(task)
    data = scaled(small)
    if start is not None:
        return _round(small, np.maximum(np.asarray(start, float), 0), data)
    t, guess = centre(data)
    if t < HOPELESS:
        return None
    found = _round(small, guess, data)
    if found is None:
        data = scaled(small, _rescaled(data, guess))
        found = _round(small, centre(data)[1], data)
    return found


def _rescaled(data: Scaled, guess: Array) -> list[Array]:
    diagonals = [np.diagonal(s) for s in data.slack(guess)]
    return [d * np.maximum(s, FLAT) ** -0.5 for d, s in zip(data.diagonal, diagonals, strict=True)]


def _round(task: Task, guess: Array, data: Scaled) -> Row | None:
    guess = _without_ties(task, guess)
    for equations in _equations(task, guess, data):
        for lam in _rounded(equations, guess):
            if _plausible(data, lam) and proves(task, lam):
                return lam
    return None


def _plausible(data: Scaled, lam: Row) -> bool:
    """A look in floats before the exact test: no negative multiplier, no clearly negative eigenvalue."""
    if min(lam, default=Fraction(0)) < 0:
        return False
    slack = data.slack(np.array(lam, float))
    return all(
        np.linalg.eigvalsh(s)[:1] > -PLAUSIBLE * (1 + np.abs(s).max(initial=0)) for s in slack if len(s)
    )


def _without_ties(task: Task, guess: Array) -> Array:
    """Of an equality, given as form >= 0 and -form >= 0, only the difference of the multipliers counts."""
    out = guess.copy()
    seen: dict[tuple[Fraction, ...], int] = {}
    for k, form in enumerate(task.inequalities):
        parts = [x for block in form.blocks for x in block.ravel()] + [*form.values, form.noise]
        j = seen.get(tuple(-x for x in parts))
        if j is not None:
            out[[j, k]] -= min(out[j], out[k])
        seen[tuple(parts)] = k
    return out


def _rounded(equations: list[Row], guess: Array) -> Iterator[Row]:
    """Round on the multipliers that count; the negligible ones are zero."""
    active = np.flatnonzero(guess > NEGLIGIBLE * guess.max(initial=0))
    cut = [[*(row[j] for j in active), row[-1]] for row in equations]
    for found in solve_near(cut, guess[active], DENOMINATORS):
        lam = [Fraction(0)] * len(guess)
        for j, y in zip(active, found, strict=True):
            lam[j] = y
        yield lam


def _equations(task: Task, guess: Array, data: Scaled) -> Iterator[list[Row]]:
    """First the value equations alone, then with the kernel of the slack, at several tolerances."""
    q = task.inequalities
    value = [[*(form.values[s] for form in q), task.target.values[s]] for s in range(len(task.target.values))]
    yield value
    seen = set()
    slacks = data.slack(guess)
    for below, rounding in product(KERNELS, ENTRIES):
        rows = list(value)
        for b, (slack, s) in enumerate(zip(slacks, data.diagonal, strict=True)):
            for k in kernel(slack, below):
                rows += _annihilate(task, b, simple(k, s, *rounding))
        if (key := tuple(map(tuple, rows))) not in seen:
            seen.add(key)
            yield rows


def _annihilate(task: Task, b: int, k: Row) -> list[Row]:
    """S k = 0 as equations on lam: sum_q lam_q Q_q k = (rate before - after) k, a row per coordinate."""
    vector = np.array(k, dtype=object)
    sides = [form.blocks[b] @ vector for form in (*task.inequalities, task.target)]
    return [list(row) for row in zip(*sides, strict=True)]
