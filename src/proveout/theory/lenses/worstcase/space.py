"""Abstract vectors: letters and rows of coefficients.

A vector is a row of coefficients over the basis e_1..e_D of an unknown Hilbert space (last axis = basis,
fixed capacity D).  Only inner products matter, and they are linear in the Gram matrix of the basis, so
any step made of linear combinations runs on such rows unchanged.  Rows are plain float arrays, or object
arrays of Fraction (`exact`).

A *letter* is a named unknown vector.  A shared letter takes one column.  A letter of an orbit of clients
(clients with one class and one role) stands for one vector per client, and takes one column for each
*tracked* client of the orbit: all rows are kept, but a client that is not tracked has no column of its own.
That loses nothing: coefficients on different columns never mix, and the step treats the clients of a
group alike, so two clients of each group show the whole pattern.  Full mode = every client its own orbit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.classes import Class
from proveout.theory.statement import Number

__all__ = ["Full", "Letter", "NotSymmetric", "Orbit", "Space"]

SAME = 1e-10  # relative; coefficients of one point reached on two ways differ by 1e-14
DUST = 1e-14  # of the largest coefficient, letters have 1; what cancelled


class Full(Exception):
    """All columns are taken: run again with twice the capacity."""


class NotSymmetric(Exception):
    """Something distinguishes clients of one orbit: the reduction does not apply."""


@dataclass(frozen=True)
class Orbit:
    """Exchangeable clients: one class, tracked clients in ascending order (at least two if there are two)."""

    clients: tuple[int, ...]
    tracked: tuple[int, ...]
    klass: Class

    @property
    def size(self) -> int:
        return len(self.clients)


@dataclass(eq=False)
class Letter:
    """A named unknown vector, or one per client of an orbit."""

    name: str
    start: int  # first column
    width: int  # columns
    orbit: int | None = None
    noise: Any = None  # the Noise that it is, if it is one
    depends: frozenset[int] = frozenset()  # numbers of the noises that it may be correlated with


@dataclass(eq=False)
class Space:
    """The letters that one trace has created."""

    orbits: Sequence[Orbit]
    capacity: int
    exact: bool = False
    letters: list[Letter] = field(default_factory=list)
    used: int = 0  # columns so far

    def __post_init__(self) -> None:
        self.n = sum(orbit.size for orbit in self.orbits)
        self.owner = np.zeros(self.n, int)
        for o, orbit in enumerate(self.orbits):
            self.owner[list(orbit.clients)] = o
        self.place = {client: k for orbit in self.orbits for k, client in enumerate(orbit.tracked)}
        self._own: list[list[int]] = [[] for _ in self.orbits]  # first columns of the orbit's letters

    # ---- rows

    @property
    def one(self) -> Number:
        return Fraction(1) if self.exact else 1.0

    def zeros(self, *lead: int) -> Array:
        if not self.exact:
            return np.zeros((*lead, self.capacity))
        return np.full((*lead, self.capacity), Fraction(0), dtype=object)

    def clean(self, rows: Array) -> Array:
        """Zero where coefficients have cancelled: dust would become a direction of its own."""
        if self.exact:
            return rows
        return np.where(np.abs(rows) < DUST * np.abs(rows).max(initial=1.0), 0.0, rows)

    def letter(self, name: str, orbit: int | None = None, **more: Any) -> Letter:
        width = 1 if orbit is None else len(self.orbits[orbit].tracked)
        if self.used + width > self.capacity:
            raise Full
        new = Letter(name, self.used, width, orbit, **more)
        self.letters.append(new)
        self.used += width
        if orbit is not None:
            self._own[orbit].append(new.start)
        return new

    def shared(self, name: str) -> Array:
        """A fresh unknown vector, (D,)."""
        row = self.zeros()
        row[self.letter(name).start] = self.one
        return row

    def clients(self, name: str, **more: Any) -> Array:
        """A fresh unknown vector for every client, (n, D)."""
        rows = self.zeros(self.n)
        for o in range(len(self.orbits)):
            self.write(rows, self.letter(name, o, **more))
        return rows

    def write(self, rows: Array, letter: Letter) -> None:
        """Give the rows of all clients a letter of theirs."""
        for k, client in enumerate(self.orbits[letter.orbit].tracked):  # type: ignore[index]
            rows[client, letter.start + k] = self.one

    def centred(self, name: str) -> Array:
        """Fresh client vectors that sum to zero: e_i - mean e, on all tracked columns."""
        rows = self.clients(name)
        first = self.letters[-len(self.orbits)].start
        rows[:, first : self.used] = rows[:, first : self.used] - self.one / self.n
        return rows

    def columns(self, o: int, client: int) -> Array:
        """The columns of a tracked client, one per letter of its orbit."""
        return np.array(self._own[o], dtype=int) + self.place[client]

    # ---- patterns: what all clients of an orbit have in common

    def spread(self, o: int, row: Array, who: Array) -> Array:
        """Rows of the clients `who`, given the row of the orbit's first client: (D,) -> (len(who), D).

        A client has the row's own coefficients on its own columns, and one coefficient for all others of an orbit.
        """
        base = row.copy()
        for other, orbit in enumerate(self.orbits):
            seen = orbit.tracked[1 if other == o and len(orbit.tracked) > 1 else 0]
            for client in orbit.tracked:
                base[self.columns(other, client)] = row[self.columns(other, seen)]
        own = row[self.columns(o, self.orbits[o].tracked[0])]
        rows = np.repeat(base[None], len(who), axis=0)
        for client in self.orbits[o].tracked:
            at = np.flatnonzero(who == client)
            if len(at):
                rows[np.ix_(at, self.columns(o, client))] = own
        return rows

    def patterns(self, o: int, rows: Array, who: Array) -> list[tuple[Array, Array]]:
        """Inverse of `spread`: (row of the orbit's first client, positions in `who` that follow it).

        Clients in different roles may follow different patterns.  Raises NotSymmetric for rows that follow
        none: own coefficients, and equal ones for all other clients of an orbit.
        """
        found, left = [], np.ones(len(who), bool)
        while left.any():
            at = next((k for k in np.flatnonzero(left) if int(who[k]) in self.place), None)
            if at is None:
                raise NotSymmetric("an oracle is asked at points that depend on who is drawn")
            first, seen = self.columns(o, self.orbits[o].tracked[0]), self.columns(o, int(who[at]))
            row = rows[at].copy()
            row[first], row[seen] = rows[at][seen], rows[at][first]
            alike = left & self._alike(self.spread(o, row, who), rows)
            if not alike[at]:
                raise NotSymmetric("an oracle is asked at points that depend on who is drawn")
            found.append((row, np.flatnonzero(alike)))
            left &= ~alike
        return found

    def _alike(self, a: Array, b: Array) -> Array:
        """Which rows are equal?"""
        if self.exact:
            return np.asarray((a == b).all(axis=-1))
        return np.abs(a - b).max(axis=-1, initial=0) <= SAME * np.maximum(
            1.0, np.abs(a).max(axis=-1, initial=0)
        )

    def equal(self, a: Array, b: Array) -> bool:
        """The same vectors, to SAME in floats?"""
        return a.shape == b.shape and bool(self._alike(a, b).all())

    def asked(self, rows: Array, who: Array) -> Iterator[tuple[int, Array, Array]]:
        """(orbit, row of its first client, positions in `who`) for every pattern of the rows (c, D)."""
        owners = self.owner[who]
        for o in dict.fromkeys(owners.tolist()):
            at = np.flatnonzero(owners == o)
            for row, inside in self.patterns(o, rows[at], who[at]):
                yield o, row, at[inside]
