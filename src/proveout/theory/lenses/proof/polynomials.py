"""Exact polynomials from exact samples: tensor interpolation at integer nodes."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import numpy as np

from proveout.arrays import Array

__all__ = ["Point", "Table", "evaluate", "interpolate"]

Point = tuple[int, ...]
Table = dict[Point, Array]  # {exponents: coefficients (m,)}

MOST_NODES = 16  # per variable; a function that needs more is no polynomial of a sensible degree


def interpolate(sample: Callable[[Point], Array], starts: Point) -> Table:
    """The polynomial map with these values (m,) at integer points >= `starts`.

    The degree in each variable is found along a line, with one node more than it needs, and confirmed off
    the grid: one step beyond it along every variable, and twice along all of them at once.
    Raises ValueError if no degree below MOST_NODES fits, or if a point off the grid contradicts.
    """
    at = cache(sample)
    counts = [_degree(at, starts, axis) + 1 for axis in range(len(starts))]
    nodes = [range(s, s + c) for s, c in zip(starts, counts, strict=True)]
    table = np.array([at(p) for p in product(*nodes)]).reshape(*counts, -1)
    for axis, (start, count) in enumerate(zip(starts, counts, strict=True)):
        table = np.moveaxis(np.tensordot(_coefficients(start, count), table, axes=(1, axis)), 0, axis)
    found = {e: table[e] for e in product(*map(range, counts)) if table[e].any()}
    for point in _beyond(starts, counts):
        if not np.array_equal(evaluate(found, point), at(point)):
            raise ValueError(f"no polynomial of degrees {[c - 1 for c in counts]}: refuted at {point}")
    return found


def evaluate(table: Table, point: Sequence[int]) -> Array:
    """The polynomials at a point: (m,)."""
    powers = [prod(Fraction(x) ** k for x, k in zip(point, e, strict=True)) for e in table]
    return sum(p * c for p, c in zip(powers, table.values(), strict=True))


def _degree(at: Callable[[Point], Array], starts: Point, axis: int) -> int:
    """The degree in one variable, on the line where all others are at their second node."""
    base = tuple(s + 1 for s in starts)
    rows: list[Array] = []  # divided differences of order 0, 1, ..., ending at the newest node
    for count in range(MOST_NODES):
        new = [at((*base[:axis], starts[axis] + count, *base[axis + 1 :]))]
        for order, old in enumerate(rows):
            new.append((new[-1] - old) / Fraction(order + 1))
        if rows and not new[-1].any():
            return count - 1
        rows = new
    raise ValueError(f"variable {axis}: no polynomial of degree < {MOST_NODES - 1}")


def _beyond(starts: Point, counts: Sequence[int]) -> Iterator[Point]:
    ends = tuple(s + c for s, c in zip(starts, counts, strict=True))
    for axis in range(len(starts)):
        yield tuple(end if k == axis else s for k, (s, end) in enumerate(zip(starts, ends, strict=True)))
    yield ends
    yield tuple(end + k % 2 for k, end in enumerate(ends))


def _coefficients(start: int, count: int) -> Array:
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
