"""What randomness and compressors leave behind: noise and residual vectors, known by an inequality only."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.space import Letter, Space
from proveout.theory.statement import Number

__all__ = ["Luck", "Noise", "Residual"]


@dataclass(eq=False)
class Noise:
    """Centred random vectors e with E|e|^2 <= omega |v|^2 + const, independent of each other and of the past.

    One per client (`clients`: letters of the orbits), else one shared letter per row of v.
    `kept`: some oracle was asked at a point that carries it, so that it stays a vector of the Gram matrix.
    """

    number: int
    letters: list[Letter]
    v: Array | None  # (rows, D)
    omega: Number  # None: its size is bound by some other rule, so that it stays a vector
    const: Number
    clients: bool
    kept: bool = False


@dataclass(frozen=True, eq=False)
class Residual:
    """A rule between rows: sum_k weight_k |rows_k|^2 + const >= 0, row by row; of one row also function values."""

    name: str
    squares: tuple[tuple[Number, Array], ...]
    const: Number = 0
    values: tuple[tuple[int, Number], ...] = ()  # symbol, coefficient


@dataclass(eq=False)
class Luck:
    """The noises and rules that one trace has created.

    inner: random fields show two points instead of being abstract.
    masked: a step has read d, as a coordinate mask does.  At d = 1 a mask covers a whole vector, which stands
    for every d as long as sums of squares are all that is asked of masked vectors, and no oracle.
    several: an oracle is being asked at points that differ between draws.
    """

    space: Space
    inner: bool = False
    noises: list[Noise] = field(default_factory=list)
    residuals: list[Residual] = field(default_factory=list)
    stepping: bool = False
    masked: bool = False
    several: bool = False
    epoch: int = 0  # number of the current step: fresh noise in each
    names: int = 0  # of random fields that became abstract
    memory: dict[Any, list[Any]] = field(default_factory=dict)  # what was asked for, by its key

    def carried(self, rows: Array) -> frozenset[int]:
        """The noises that rows carry, or that their letters may be correlated with."""
        if not self.noises:
            return frozenset()
        seen = (rows != 0).any(axis=0)
        found: set[int] = set()
        for letter in self.space.letters:
            if seen[letter.start : letter.start + letter.width].any():
                found |= letter.depends | ({letter.noise.number} if letter.noise else set())
        return frozenset(found)

    def keep(self, rows: Array) -> None:
        """These rows enter a condition: the noises that they carry stay vectors."""
        for number in self.carried(rows):
            self.noises[number].kept = True

    def noise(self, key: Any, v: Array | None, omega: Number, const: Number, clients: bool) -> Noise:
        """The centred noise of `key` on the rows v; a new one if it has not been asked for."""
        known = self.memory.setdefault(key, [])
        for noise in known:
            if v is None or self.space.equal(noise.v, v):
                return noise  # type: ignore[no-any-return]
        new = Noise(len(self.noises), [], v, omega, const, clients, kept=omega is None)
        self.noises.append(new)
        known.append(new)
        depends = frozenset() if v is None else self.carried(v)
        over = range(len(self.space.orbits)) if clients else [None] * (1 if v is None else len(v))
        new.letters = [self.space.letter(f"e{new.number}", o, noise=new, depends=depends) for o in over]
        return new

    def noise_rows(self, noise: Noise, who: Array | None = None) -> Array:
        """Its rows: one per client of `who`, or one per letter."""
        if noise.clients:
            rows = self.space.zeros(self.space.n)
            for letter in noise.letters:
                self.space.write(rows, letter)
            return rows if who is None else rows[who]
        rows = self.space.zeros(len(noise.letters))
        for k, letter in enumerate(noise.letters):
            rows[k, letter.start] = self.space.one
        return rows

    def residual(self, key: Any, v: Array, factor: Number) -> Array:
        """Fresh rows r with |r_i|^2 <= factor |v_i|^2, one per row of v (client rows if there are n)."""
        known = self.memory.setdefault(key, [])
        for rule in known:
            if self.space.equal(rule.squares[0][1], v):
                return rule.squares[1][1]
        name, depends = f"r{len(self.residuals)}", self.carried(v)
        self.keep(v)
        if len(v) == self.space.n:
            rows = self.space.clients(name, depends=depends)
        else:
            rows = np.stack([self.space.zeros()] * len(v))
            for row in rows:
                row[self.space.letter(name, depends=depends).start] = self.space.one
        known.append(Residual(name, ((factor, v), (-self.space.one, rows))))
        self.residuals.append(known[-1])
        return rows

    def bounded(self, key: Any, const: Number) -> Array:
        """Fresh vectors of the clients with |s_i|^2 <= const, (n, D); the same ones for the same key."""
        known = self.memory.setdefault(key, [])
        if not known:
            rows = self.space.clients(f"s{len(self.residuals)}")
            known.append(rows)
            self.residuals.append(
                Residual(f"|s{len(self.residuals)}|^2 <= sigma2", ((-self.space.one, rows),), const)
            )
        return known[0]

    def fresh_name(self) -> int:
        """A number for the law of an abstract random field."""
        self.names += 1
        return self.names
