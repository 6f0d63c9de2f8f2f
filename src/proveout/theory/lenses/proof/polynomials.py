"""Exact polynomials from exact samples: tensor interpolation at integer nodes."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np

from proveout.arrays import Array

__all__ = ["interpolate"]

MOST_NODES = 16  # per variable; a function that needs more is no polynomial of a sensible degree


def interpolate(
    sample: Callable[[tuple[int, ...]], Array], starts: tuple[int, ...]
) -> dict[tuple[int, ...], Array]:
    """{exponents: coefficients (m,)} of a polynomial map, given its values (m,) at integer points >= `starts`.

    The degree in each variable is found along one line and confirmed on the whole grid by one node more
    than it needs; ValueError if the extra node contradicts it.
    """
    seen: dict[tuple[int, ...], Array] = {}

    def at(point: tuple[int, ...]) -> Array:
        if point not in seen:
            seen[point] = sample(point)
        return seen[point]

    counts = [_nodes(at, starts, axis) for axis in range(len(starts))]
    grid = np.array([at(p) for p in product(*(range(s, s + c) for s, c in zip(starts, counts, strict=True)))])
    table = grid.reshape(*counts, -1)
    for axis, (start, count) in enumerate(zip(starts, counts, strict=True)):
        table = np.moveaxis(np.tensordot(_vandermonde(start, count), table, axes=(1, axis)), 0, axis)
        if table.take(-1, axis=axis).any():
            raise ValueError(f"not a polynomial of degree {count - 2} in variable {axis}")
    exponents = product(*(range(c - 1) for c in counts))
    return {e: table[e] for e in exponents if table[e].any()}


def _nodes(at: Callable[[tuple[int, ...]], Array], starts: tuple[int, ...], axis: int) -> int:
    """Nodes for one variable: its degree on a line, and two more."""
    rows: list[Array] = []  # the divided differences of order 0, 1, ..., newest last in each
    for count in range(1, MOST_NODES + 1):
        point = (*starts[:axis], starts[axis] + count - 1, *starts[axis + 1 :])
        new = [at(point)]
        for order, old in enumerate(rows):
            new.append((new[-1] - old) / Fraction(order + 1))
        rows = new
        if count > 1 and not new[-1].any():
            return count
    raise ValueError(f"variable {axis}: no polynomial of degree < {MOST_NODES - 1}")


def _vandermonde(start: int, count: int) -> Array:
    """Inverse Vandermonde matrix of the nodes start, ..., start + count - 1: values -> coefficients."""
    columns = []
    for k in range(count):  # the k-th Lagrange polynomial, lowest power first
        c = [Fraction(1)]
        for j in range(count):
            if j != k:
                scale = Fraction(1, k - j)
                shifted = [Fraction(0), *c]
                c = [(a - (start + j) * b) * scale for a, b in zip(shifted, [*c, Fraction(0)], strict=True)]
        columns.append(c)
    return np.array(columns, dtype=object).T
