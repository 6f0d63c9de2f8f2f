"""The rows of an assumption as affine functions of its constants: read off the record, nothing is written twice."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from proveout.methods.blocks.assumptions import Assumption, Scalars

__all__ = ["Row", "names", "rows"]


@dataclass(frozen=True)
class Row:
    """base + sum_j c_j slope_j: the inequality <row, scalars> <= 0."""

    base: Scalars
    slopes: dict[str, Scalars]  # of the constants that stand in it, in the order of `parts`
    lower: tuple[str, ...]  # those of them that are lower bounds

    def at(self, constants: dict[str, Any]) -> Scalars:
        """The row with these constants; the others are 0."""
        row = self.base
        for name, value in constants.items():
            if name in self.slopes:
                row = Scalars(*(a + value * b for a, b in zip(row, self.slopes[name], strict=True)))
        return row

    def split(self, given: Mapping[str, float]) -> tuple[dict[str, float], list[str]]:
        """(held, free) of its constants; A is 0 unless it is given."""
        held = {n: float(given[n]) for n in self.slopes if n in given}
        if "A" in self.slopes:
            held.setdefault("A", 0.0)
        return held, [n for n in self.slopes if n not in held]

    def sides(self, constants: dict[str, Any]) -> tuple[Scalars, Scalars]:
        """(left, right) with left <= right: a lower bound stands on the left with its factor, an upper one on the right."""
        zero = Scalars()
        left, right = zero, zero
        for name, value in constants.items():
            if name in self.slopes:
                term = Scalars(*(value * b for b in self.slopes[name]))
                if name in self.lower:
                    left = _plus(left, term, 1)
                else:
                    right = _plus(right, term, -1)
        return (left, _plus(right, self.base, -1)) if self.lower else (_plus(left, self.base, 1), right)


def _plus(a: Scalars, b: Scalars, sign: int) -> Scalars:
    return Scalars(*(x + sign * y for x, y in zip(a, b, strict=True)))


def names(kind: type[Assumption]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def rows(kind: type[Assumption]) -> tuple[Row, ...]:
    """The rows of an assumption."""
    if kind not in _ROWS:
        _ROWS[kind] = _read(kind)
    return _ROWS[kind]


_ROWS: dict[type[Assumption], tuple[Row, ...]] = {}


def _read(kind: type[Assumption]) -> tuple[Row, ...]:
    every = names(kind)
    zero = dict.fromkeys(every, 0)
    base = kind(**zero).rows()
    found = []
    for i, part in enumerate(kind.parts):
        slopes = {name: _plus(kind(**{**zero, name: 1}).rows()[i], base[i], -1) for name in part}
        found.append(Row(base[i], slopes, tuple(n for n in part if n in kind.lower)))
    return tuple(found)
