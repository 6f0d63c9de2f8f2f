"""The points where functions were asked, and the oracles.

The oracle answers one gradient per distinct (client, point).  It is *tilted*:

    grad f_i(x) = d_i(x) + h*_i,    f_i(x) - f_i(x*) = F_i(x) + <h*_i, x - x*>,    sum_i h*_i = 0,

with d_i = 0, F_i = 0 at x*: the tilted function is in the same class, and interpolation sees (x, d, F) only.
"""

from dataclasses import dataclass, field

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.luck import Luck
from proveout.theory.lenses.worstcase.space import Full, NotSymmetric, Space
from proveout.theory.statement import Number

__all__ = ["Full", "NotSymmetric", "Point", "World"]


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


@dataclass(eq=False)
class World:
    """The points that one trace has created, with the space they live in."""

    space: Space
    luck: Luck
    tilt: bool = True
    points: list[list[Point]] = field(default_factory=list)  # per orbit
    values: int = 0  # value symbols so far

    def __post_init__(self) -> None:
        space = self.space
        self.optimum = all(orbit.klass.optimum for orbit in space.orbits)
        self.x_star = space.shared("x*") if self.optimum else space.zeros()
        still = all(orbit.klass.still for orbit in space.orbits)
        own = self.optimum and space.n > 1 and not still
        self.h_star = space.centred("h*") if own else space.zeros(space.n)
        self.points = [[] for _ in space.orbits]
        for o, orbit in enumerate(space.orbits):
            if self.optimum:
                g = space.zeros() if self.tilt else self.h_star[orbit.clients[0]]
                self.points[o].append(Point(o, "x*", self.x_star, g, self._symbol(o)))

    # ---- oracles, for the clients `who` at their rows (c, D)

    def point(self, o: int, row: Array) -> Point:
        """The point of an orbit: known, or new with fresh gradient and value."""
        known = next((p for p in self.points[o] if self.space.equal(p.x, row)), None)
        return known or self._new(o, row, self._slope(o, row))

    def _slope(self, o: int, row: Array) -> Array:
        """The tilted gradient at a new point: a fresh letter, unless L = mu leaves no choice."""
        klass = self.space.orbits[o].klass
        if klass.L == klass.mu and self.tilt:
            return klass.mu * (row - self.x_star)
        return self._gradient_letter(o, f"d({self._name(o, row)})", self.luck.carried(row[None]))

    def _gradient_letter(self, o: int, name: str, depends: frozenset[int]) -> Array:
        g = self.space.zeros()
        g[self.space.letter(name, o, depends=depends).start] = self.space.one
        return g

    def _new(self, o: int, row: Array, g: Array) -> Point:
        if self.luck.masked and self.luck.several:
            raise Refused("an oracle is asked after a coordinate mask: d = 1 does not stand for every d")
        self.luck.keep(row[None])
        new = Point(o, self._name(o, row), row, g, self._symbol(o))
        self.points[o].append(new)
        return new

    def _symbol(self, o: int) -> int | None:
        """A fresh value symbol; none at x* (F = 0 there) and where the value follows from x and g."""
        klass = self.space.orbits[o].klass
        if (klass.optimum and not self.points[o]) or klass.closed:
            return None
        self.values += 1
        return self.values - 1

    def _name(self, o: int, row: Array) -> str:
        shift = row - self.x_star
        hit = np.flatnonzero(shift != 0)
        if len(hit) == 1 and shift[hit[0]] == 1:
            return next(l.name for l in self.space.letters if l.start <= hit[0] < l.start + l.width)
        return f"y{len(self.points[o])}"

    def gradients(self, rows: Array, who: Array) -> Array:
        """grad f_i at each row: (c, D) -> (c, D)."""
        out = self.space.zeros(len(who))
        for o, row, at in self.space.asked(rows, who):
            out[at] = self.space.spread(o, self.point(o, row).g, who[at])
        return out + self.h_star[who] if self.tilt else out

    def prox(self, rows: Array, who: Array, t: Number) -> Array:
        """argmin_y f_i(y) + |y - row_i|^2 / (2t): y = row - t grad f_i(y), an implicit new point."""
        out = self.space.zeros(len(who))
        for o, row, at in self.space.asked(rows, who):
            z = row - t * self.h_star[self.space.orbits[o].clients[0]] if self.tilt else row
            known = next((p for p in self.points[o] if self.space.equal(p.x + t * p.g, z)), None)
            out[at] = self.space.spread(o, (known or self._implicit(o, z, t)).x, who[at])
        return out

    def _implicit(self, o: int, z: Array, t: Number) -> Point:
        klass = self.space.orbits[o].klass
        if klass.L == klass.mu and self.tilt:
            x = (z + t * klass.mu * self.x_star) / (self.space.one + t * klass.mu)
            return self._new(o, x, klass.mu * (x - self.x_star))
        g = self._gradient_letter(o, f"d(prox {len(self.points[o])})", self.luck.carried(z[None]))
        return self._new(o, z - t * g, g)
