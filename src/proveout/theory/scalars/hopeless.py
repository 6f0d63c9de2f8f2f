"""Scalars that lie in a class with no constants.

At scalars s each row of a class is affine in its constants, and the constants of different rows are different.  So s is
hopeless if some row is > 0 for every choice of its constants in their range: the infimum over the range is > 0, or is
0 and not attained (eta < 1, b > 0).  The same holds for limits of scalars s(x)/r(x) along points x, r > 0: if the row
is > 0 at the limit for every choice, then for each choice it is > 0 at points far enough.
"""

import math
from typing import Any

from proveout.methods.blocks.assumptions import Assumption, Scalars
from proveout.methods.blocks.variants import ranges
from proveout.theory.scalars.cone import Row, value
from proveout.theory.zoo.rows import rows

__all__ = ["hopeless", "infimum", "why"]


def infimum(kind: type[Assumption], k: int, point: Scalars) -> tuple[Any, bool]:
    """(infimum of row k at the point over all proper constants, is it attained?)."""
    row, allowed = rows(kind)[k], ranges(kind)
    total, attained = value(row.base, point), True
    for name, slope in row.slopes.items():
        at = value(slope, point)
        low, high, has_low, has_high = allowed[name]
        if at == 0:
            continue
        edge, closed = (low, has_low) if at > 0 else (high, has_high)
        if edge in (math.inf, -math.inf):
            return -math.inf, False
        total, attained = total + edge * at, attained and closed
    return total, attained


def hopeless(kind: type[Assumption], point: Row) -> int | None:
    """The first row that no constants satisfy at these scalars; None if every row can be satisfied."""
    for k in range(len(kind.parts)):
        low, attained = infimum(kind, k, point)
        if low > 0 or (low == 0 and not attained):
            return k
    return None


def why(kind: type[Assumption], point: Row) -> str:
    """In words: which quantity is too large there."""
    k = hopeless(kind, point)
    if k is None:
        return ""
    G, one = point.G, point.one
    S, bias = point.E1 + point.V, point.E1 - 2 * point.P + point.G
    where = "where grad f = 0" if G == 0 and one else "far out" if not one else f"where G = {_s(G)}"
    row = rows(kind)[k].base
    if row.E1 and row.V:
        name, size = ("E|g - grad f|^2", bias + point.V) if row.P else ("E|g|^2", S)
    elif row.V:
        name, size = "E|g - E g|^2", point.V
    elif row.E1:
        name, size = ("|E g - grad f|^2", bias) if row.P else ("|E g|^2", point.E1)
    else:
        name, size = "<grad f, E g>", point.P
    if G and not one:
        return f"{name} = {_s(size / G)} G"
    if not one:
        return f"{name} = {_s(size / point.D)} D {where}, G/D -> 0"
    return f"{name} = {_s(size)} {where}"


def _s(x: Any) -> str:
    return f"{float(x):.4g}"
