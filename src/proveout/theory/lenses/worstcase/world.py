"""Abstract vectors: letters, rows of coefficients, and the points where functions were asked.

A vector is a row of coefficients over the basis e_1..e_D of an unknown Hilbert space (last axis = basis,
fixed capacity D).  Only inner products matter, and they are linear in the Gram matrix of the basis, so
any step made of linear combinations runs on such rows unchanged.  Rows are plain float arrays, or object
arrays of Fraction (`exact`).

A *letter* is a named unknown vector.  A shared letter takes one column.  A letter of an orbit of clients
(clients with one class and one role) stands for one vector per client, and takes one column for each
*tracked* client of the orbit: all rows are kept, but a client that is not tracked has no column of its own.
That loses nothing: coefficients on different columns never mix, and the step treats the clients of a
group alike, so two clients of each group show the whole pattern.  Full mode = every client its own orbit.

The oracle answers one gradient per distinct (client, point).  It is *tilted*:

    grad f_i(x) = d_i(x) + h*_i,    f_i(x) - f_i(x*) = F_i(x) + <h*_i, x - x*>,    sum_i h*_i = 0,

with d_i = 0, F_i = 0 at x*: the tilted function is in the same class, and interpolation sees (x, d, F) only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.classes import Class
from proveout.theory.statement import Number

__all__ = ["Full", "Letter", "Noise", "NotSymmetric", "Orbit", "Point", "Residual", "World"]

SAME = 1e-10  # relative; coefficients of one point reached on two ways differ by 1e-14


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
    noise: "Noise | None" = None
    depends: frozenset[int] = frozenset()  # numbers of the noises that it may be correlated with


@dataclass(eq=False)
class Noise:
    """Centred random vectors e with E|e|^2 <= omega |v|^2 + const, independent of each other and of the past.

    One per client (`clients`: letters of the orbits), else one shared letter per row of v.
    `kept`: some oracle was asked at a point that carries it, so that it stays a vector of the Gram matrix.
    """

    number: int
    letters: list[Letter]
    v: Array | None  # (rows, D)
    omega: Number
    const: Number
    clients: bool
    kept: bool = False


@dataclass(eq=False)
class Point:
    """A point where the functions of an orbit were asked: rows of the orbit's first client.

    value: number of its value symbol F; None: F = <x - x*, g> / 2 (quadratics).
    """

    orbit: int
    name: str
    x: Array  # (D,)
    g: Array  # (D,) tilted gradient
    value: int | None


@dataclass(frozen=True, eq=False)
class Residual:
    """A rule between rows: sum_k weight_k |rows_k|^2 + const >= 0, row by row."""

    name: str
    squares: tuple[tuple[Number, Array], ...]
    const: Number = 0


@dataclass(eq=False)
class World:
    """The letters, points and rules that one trace has created."""

    orbits: Sequence[Orbit]
    capacity: int
    exact: bool = False
    tilt: bool = True
    letters: list[Letter] = field(default_factory=list)
    points: list[list[Point]] = field(default_factory=list)  # per orbit
    noises: list[Noise] = field(default_factory=list)
    residuals: list[Residual] = field(default_factory=list)
    values: int = 0  # value symbols so far
    used: int = 0  # columns so far
    epoch: int = 0  # number of the current step: fresh noise in each
    memory: dict[Any, list[Any]] = field(default_factory=dict)  # noises and residuals that were asked for
    names: int = 0  # of random fields that became abstract

    def __post_init__(self) -> None:
        self.n = sum(orbit.size for orbit in self.orbits)
        self.owner = np.zeros(self.n, int)
        for o, orbit in enumerate(self.orbits):
            self.owner[list(orbit.clients)] = o
        self.place = {client: k for orbit in self.orbits for k, client in enumerate(orbit.tracked)}
        self._own: list[list[int]] = [[] for _ in self.orbits]  # first columns of the orbit's letters
        self.optimum = all(orbit.klass.optimum for orbit in self.orbits)
        self.x_star = self.shared("x*") if self.optimum else self.zeros()
        self.h_star = self._centred("h*") if self.optimum and self.n > 1 else self.zeros(self.n)
        self.points = [[] for _ in self.orbits]
        for o, orbit in enumerate(self.orbits):
            if self.optimum:
                g = self.zeros() if self.tilt else self.h_star[orbit.clients[0]]
                self.points[o].append(Point(o, "x*", self.x_star, g, self._symbol(o)))

    # ---- rows

    @property
    def one(self) -> Number:
        return Fraction(1) if self.exact else 1.0

    def zeros(self, *lead: int) -> Array:
        if not self.exact:
            return np.zeros((*lead, self.capacity))
        return np.full((*lead, self.capacity), Fraction(0), dtype=object)

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
            self._write(rows, self.letter(name, o, **more))
        return rows

    def _write(self, rows: Array, letter: Letter) -> None:
        for k, client in enumerate(self.orbits[letter.orbit].tracked):  # type: ignore[index]
            rows[client, letter.start + k] = self.one

    def _centred(self, name: str) -> Array:
        """Fresh client vectors that sum to zero: e_i - mean e, on all tracked columns."""
        rows = self.clients(name)
        columns = np.arange(self.used)[[letter.name == name for letter in self.letters for _ in range(letter.width)]]
        rows[:, columns] = rows[:, columns] - self.one / self.n
        return rows

    def columns(self, o: int, client: int) -> Array:
        """The columns of a tracked client, one per letter of its orbit."""
        return np.array(self._own[o], dtype=int) + self.place[client]

    # ---- patterns: what all clients of an orbit have in common

    def spread(self, o: int, row: Array, who: Array) -> Array:
        """Rows of the clients `who`, given the row of the orbit's first client: (D,) -> (len(who), D)."""
        first, *others = self.orbits[o].tracked
        own = self.columns(o, first)
        base = row.copy()
        base[own] = row[self.columns(o, others[0])] if others else self.one * 0
        rows = np.repeat(base[None], len(who), axis=0)
        for client in self.orbits[o].tracked:
            at = np.flatnonzero(who == client)
            if len(at):
                rows[np.ix_(at, self.columns(o, client))] = row[own]
        return rows

    def canonical(self, o: int, rows: Array, who: Array) -> Array:
        """The row that the orbit's first client would have: inverse of `spread`.

        Raises NotSymmetric if the rows are not one pattern: own coefficients, and equal ones for all others.
        """
        at = next((k for k, client in enumerate(who.tolist()) if client in self.place), None)
        if at is None:
            raise NotSymmetric("no tracked client among those that are asked")
        first, seen = self.columns(o, self.orbits[o].tracked[0]), self.columns(o, int(who[at]))
        row = rows[at].copy()
        row[first], row[seen] = rows[at][seen], rows[at][first]
        if not self._equal(self.spread(o, row, who), rows):
            raise NotSymmetric("an oracle is asked at points that depend on who is drawn")
        return row

    def _equal(self, a: Array, b: Array) -> bool:
        if self.exact:
            return bool((a == b).all())
        return bool(np.abs(a - b).max(initial=0) <= SAME * max(1.0, float(np.abs(a).max(initial=0))))

    def parts(self, who: Array) -> Iterator[tuple[int, Array]]:
        """(orbit, positions in `who`) for every orbit that is asked."""
        owners = self.owner[who]
        for o in dict.fromkeys(owners.tolist()):
            yield o, np.flatnonzero(owners == o)

    # ---- oracles, for the clients `who` at their rows (c, D)

    def point(self, o: int, rows: Array, who: Array) -> Point:
        """The point of an orbit at these rows: known, or new with fresh gradient and value."""
        row = self.canonical(o, rows, who)
        known = next((p for p in self.points[o] if self._equal(p.x, row)), None)
        return known or self._new(o, row, self._slope(o, row))

    def _slope(self, o: int, row: Array) -> Array:
        """The tilted gradient at a new point: a fresh letter, unless L = mu leaves no choice."""
        klass = self.orbits[o].klass
        if klass.L == klass.mu and self.tilt:
            return klass.mu * (row - self.x_star)
        return self._gradient_letter(o, f"d({self._name(o, row)})", self.carried(row[None]))

    def _gradient_letter(self, o: int, name: str, depends: frozenset[int]) -> Array:
        g = self.zeros()
        g[self.letter(name, o, depends=depends).start] = self.one
        return g

    def _new(self, o: int, row: Array, g: Array) -> Point:
        self._keep(row[None])
        new = Point(o, self._name(o, row), row, g, self._symbol(o))
        self.points[o].append(new)
        return new

    def _symbol(self, o: int) -> int | None:
        """A fresh value symbol; none at x* (F = 0 there) and where the value follows from x and g."""
        klass = self.orbits[o].klass
        if (klass.optimum and not self.points[o]) or klass.closed:
            return None
        self.values += 1
        return self.values - 1

    def _name(self, o: int, row: Array) -> str:
        shift = row - self.x_star
        hit = np.flatnonzero(shift != 0)
        if len(hit) == 1 and shift[hit[0]] == 1:
            return next(l.name for l in self.letters if l.start <= hit[0] < l.start + l.width)
        return f"y{len(self.points[o])}"

    def gradients(self, rows: Array, who: Array) -> Array:
        """grad f_i at each row: (c, D) -> (c, D)."""
        out = self.zeros(len(who))
        for o, at in self.parts(who):
            out[at] = self.spread(o, self.point(o, rows[at], who[at]).g, who[at])
        return out + self.h_star[who] if self.tilt else out

    def prox(self, rows: Array, who: Array, t: Number) -> Array:
        """argmin_y f_i(y) + |y - row_i|^2 / (2t): y = row - t grad f_i(y), an implicit new point."""
        out = self.zeros(len(who))
        for o, at in self.parts(who):
            z = self.canonical(o, rows[at], who[at])
            tilted = z - t * self.h_star[self.orbits[o].clients[0]] if self.tilt else z
            known = next((p for p in self.points[o] if self._equal(p.x + t * p.g, tilted)), None)
            out[at] = self.spread(o, (known or self._implicit(o, tilted, t)).x, who[at])
        return out

    def _implicit(self, o: int, z: Array, t: Number) -> Point:
        klass = self.orbits[o].klass
        if klass.L == klass.mu and self.tilt:
            x = (z + t * klass.mu * self.x_star) / (self.one + t * klass.mu)
            return self._new(o, x, klass.mu * (x - self.x_star))
        g = self._gradient_letter(o, f"d(prox {len(self.points[o])})", self.carried(z[None]))
        return self._new(o, z - t * g, g)

    # ---- blocks that are known by an inequality only

    def carried(self, rows: Array) -> frozenset[int]:
        """The noises that rows carry, or that their letters may be correlated with."""
        if not self.noises:
            return frozenset()
        seen = (rows != 0).any(axis=0)
        found: set[int] = set()
        for letter in self.letters:
            if seen[letter.start : letter.start + letter.width].any():
                found |= letter.depends | ({letter.noise.number} if letter.noise else set())
        return frozenset(found)

    def _keep(self, rows: Array) -> None:
        """These rows enter a condition: the noises that they carry stay vectors."""
        for number in self.carried(rows):
            self.noises[number].kept = True

    def noise(self, key: Any, v: Array | None, omega: Number, const: Number, clients: bool) -> Noise:
        """The centred noise of `key` on the rows v; a new one if it has not been asked for."""
        known = self.memory.setdefault(key, [])
        for noise in known:
            if v is None or self._equal(noise.v, v):
                return noise  # type: ignore[no-any-return]
        new = Noise(len(self.noises), [], v, omega, const, clients)
        self.noises.append(new)
        known.append(new)
        depends = frozenset() if v is None else self.carried(v)
        over = range(len(self.orbits)) if clients else [None] * (1 if v is None else len(v))
        new.letters = [self.letter(f"e{new.number}", o, noise=new, depends=depends) for o in over]
        return new

    def noise_rows(self, noise: Noise, who: Array | None = None) -> Array:
        """Its rows: one per client of `who`, or one per letter."""
        if noise.clients:
            rows = self.zeros(self.n)
            for letter in noise.letters:
                self._write(rows, letter)
            return rows if who is None else rows[who]
        rows = self.zeros(len(noise.letters))
        for k, letter in enumerate(noise.letters):
            rows[k, letter.start] = self.one
        return rows

    def residual(self, key: Any, v: Array, factor: Number) -> Array:
        """Fresh rows r with |r_i|^2 <= factor |v_i|^2, one per row of v (client rows if there are n)."""
        known = self.memory.setdefault(key, [])
        for rule in known:
            if self._equal(rule.squares[0][1], v):
                return rule.squares[1][1]
        name, depends = f"r{len(self.residuals)}", self.carried(v)
        self._keep(v)
        if len(v) == self.n:
            rows = self.clients(name, depends=depends)
        else:
            rows = np.stack([self.zeros()] * len(v))
            for row in rows:
                row[self.letter(name, depends=depends).start] = self.one
        known.append(Residual(name, ((factor, v), (-self.one, rows))))
        self.residuals.append(known[-1])
        return rows

    def fresh_name(self) -> int:
        """A number for the law of an abstract random field."""
        self.names += 1
        return self.names
