"""Laws made of laws: independent copies, independent fields, fields behind a coin."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws.core import Generator, Groups, Law, Sure, move_rows, refine, roles
from proveout.laws.finite import Index, Permutation

__all__ = ["Each", "Either", "Joint"]

FEW = 4096  # atoms of an unused field that are listed to show the first


@dataclass(frozen=True)
class Each(Law):
    """n independent copies of a law on a new first axis, one per client (of="rows") or per anything else."""

    n: int
    law: Any
    of: str | None = "rows"

    @property
    def inner(self) -> Law:
        return as_law(self.law)

    @property
    def size(self) -> float:
        return self.inner.size**self.n

    @property
    def count(self) -> float:
        return self.inner.count**self.n

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Any:
        return self.inner.sample(rng, (*shape, self.n))

    def at(self, t: int) -> Law:
        now = self.inner.at(t)
        return self if now is self.inner else Each(self.n, now, self.of)

    def atoms(self) -> tuple[Array, Any]:
        prob, draw = self.inner.atoms()
        which = np.array(list(product(range(len(prob)), repeat=self.n)), dtype=np.int64)
        return np.prod(prob[which], axis=-1), tree_map(lambda v: v[which], draw)

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        if self.of != "rows":
            return Law.orbits(self, n)
        prob, draw = self.inner.atoms()
        counts = list(_compositions(self.n, len(prob)))
        which = np.array([np.repeat(np.arange(len(prob)), c) for c in counts])
        weight = [math.factorial(n) / math.prod(map(math.factorial, c)) for c in counts]
        groups = [[g for g in np.split(np.arange(n), np.cumsum(c)[:-1]) if len(g)] for c in counts]
        chance = np.array(weight) * np.prod(prob[which], axis=-1)
        return chance, tree_map(lambda v: v[which], draw), [[g.tolist() for g in row] for row in groups]

    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance of the flattened draw, where the inner law has moments."""
        mean, cov = self.law.moments()
        return np.tile(mean, self.n), np.kron(np.eye(self.n), cov)

    def act(self, pi: Array, draw: Any) -> Any:
        if self.of != "rows":
            return draw
        inner = self.inner.sample(np.random.default_rng(0), ())
        return tree_map(lambda a, one: move_rows(pi, a, np.ndim(one)), draw, inner)


def as_law(law: Any) -> Law:
    """A law, or a draw of laws read as their joint law."""
    return law if isinstance(law, Law) else Joint(law)


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def _combine(parts: list[tuple[Array, Any]]) -> tuple[Array, list[Any]]:
    """Product of enumerated parts: probabilities multiply, values are indexed."""
    sizes = [len(prob) for prob, _ in parts]
    index = np.unravel_index(np.arange(math.prod(sizes)), sizes)
    prob: Array = 1  # an int, so that Fractions stay Fractions
    for (p, _), i in zip(parts, index, strict=True):
        prob = prob * p[i]
    return np.asarray(prob), [
        tree_map(lambda v, i=i: v[i], value) for (_, value), i in zip(parts, index, strict=True)
    ]


@dataclass(frozen=True)
class Joint(Law):
    """Independent fields: `Joint(Draw(theta=Coin(p), cohort=Subset(n, c)))`.  Fields may be nested draws."""

    draw: Any

    @property
    def fields(self) -> list[Law]:
        return [as_law(field) for field in self.draw]

    @property
    def moves(self) -> bool:
        return any(law.moves for law in self.fields)

    @property
    def size(self) -> float:
        return math.prod(law.size for law in self.fields)

    @property
    def count(self) -> float:
        return math.prod(law.count for law in self.fields)

    def _build(self, values: Any) -> Any:
        return type(self.draw)(*values)

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Any:
        streams = rng.spawn(len(self.draw))
        return self._build(law.sample(r, shape) for law, r in zip(self.fields, streams, strict=True))

    def block(self, rng: Generator, start: int, steps: int) -> Any:
        streams = rng.spawn(len(self.draw))
        return self._build(law.block(r, start, steps) for law, r in zip(self.fields, streams, strict=True))

    def at(self, t: int) -> Law:
        now = [law.at(t) for law in self.fields]
        return self if all(a is b for a, b in zip(now, self.fields, strict=True)) else Joint(self._build(now))

    def atoms(self) -> tuple[Array, Any]:
        prob, values = _combine([law.atoms() for law in self.fields])
        return prob, self._build(values)

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        """One representative of the first field that moves, every atom of the others."""
        names = self.draw._fields
        parts: list[tuple[Array, Any]] = []
        groups: dict[int, list[Groups]] = {}
        reduced = None
        for k, law in enumerate(self.fields):
            if not law.moves:
                parts.append(law.atoms())
            elif law.of in names:  # belongs to the rows of a cohort: one order stands for all
                cohort = names.index(law.of)
                first = isinstance(law, Permutation) and reduced == cohort
                prob, value = law.atoms()
                parts.append((np.ones(1), tree_map(lambda v: v[:1], value)) if first else (prob, value))
                groups[cohort] = _alone(parts[cohort][1], n)
            elif reduced is None:
                prob, value, groups[k] = law.orbits(n)
                parts.append((prob, value))
                reduced = k
            else:
                prob, value = law.atoms()
                parts.append((prob, value))
                groups[k] = [
                    _singles_of(law, tree_map(lambda v, j=j: v[j], value), n) for j in range(len(prob))
                ]
        prob, values = _combine(parts)
        index = np.unravel_index(np.arange(len(prob)), [len(p) for p, _ in parts])
        together = []
        for a in range(len(prob)):
            now: Groups = [list(range(n))]
            for k, split in groups.items():
                now = refine(now, split[index[k][a]])
            together.append(now)
        return prob, self._build(values), together

    def act(self, pi: Array, draw: Any) -> Any:
        names = self.draw._fields
        moved = {name: law.act(pi, getattr(draw, name)) for name, law in zip(names, self.fields, strict=True)}
        for name, law in zip(names, self.fields, strict=True):
            if law.of in names:  # the rows of a cohort follow their client to its new place
                order = np.argsort(np.asarray(pi)[getattr(draw, str(law.of))], axis=-1)
                moved[name] = tree_map(
                    lambda a, o=order: np.take_along_axis(a, o, axis=-1), getattr(draw, name)
                )
        return self._build(moved.values())


def _alone(cohorts: Array, n: int) -> list[Groups]:
    """Every member by itself, the rest together."""
    return [roles(Index(n), cohort, n) for cohort in cohorts]


def _singles_of(law: Law, draw: Any, n: int) -> Groups:
    return roles(law, draw, n) if law.of == "clients" else [[i] for i in range(n)]


def _idle(law: Law) -> Any:
    """What a field shows where it is not used: its first atom, or a fixed sample if it has many."""
    if law.count > FEW:
        return law.sample(np.random.default_rng(0), ())
    _, value = law.atoms()
    return tree_map(lambda v: v[0], value)


@dataclass(frozen=True)
class Either(Law):
    """A joint law with one coin; fields named in `yes` (`no`) are used only if it shows True (False).

    In the other branch they show their first atom, so that the atoms of the two branches add
    instead of multiplying.
    """

    coin: str
    draw: Any
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = {self.coin, *self.yes, *self.no} - set(self.draw._fields)
        if unknown:
            raise ValueError(f"Either: no field named {sorted(unknown)} in {type(self.draw).__name__}")

    @property
    def joint(self) -> Joint:
        return Joint(self.draw)

    @property
    def moves(self) -> bool:
        return self.joint.moves

    def _branch(self, heads: bool) -> Joint:
        idle = self.no if heads else self.yes
        fields = {}
        for name, law in self.draw._asdict().items():
            if name == self.coin:
                law = Sure(np.array(heads))
            elif name in idle:
                law = Sure(_idle(as_law(law)))
            fields[name] = law
        return Joint(type(self.draw)(**fields))

    def _chance(self) -> Any:
        prob, theta = as_law(getattr(self.draw, self.coin)).atoms()
        return {bool(t): p for t, p in zip(theta, prob, strict=True)}

    def _both(self, ask: Callable[[Joint], tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for heads, chance in self._chance().items():
            if chance > 0:
                prob, *rest = ask(self._branch(heads))
                yield chance * prob, *rest

    @property
    def size(self) -> float:
        return sum(self._branch(heads).size for heads, chance in self._chance().items() if chance > 0)

    @property
    def count(self) -> float:
        return sum(self._branch(heads).count for heads, chance in self._chance().items() if chance > 0)

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Any:
        return self.joint.sample(rng, shape)

    def block(self, rng: Generator, start: int, steps: int) -> Any:
        return self.joint.block(rng, start, steps)

    def at(self, t: int) -> Law:
        joint = self.joint
        now = joint.at(t)
        if now is joint or not isinstance(now, Joint):
            return self
        return Either(self.coin, now.draw, self.yes, self.no)

    def atoms(self) -> tuple[Array, Any]:
        prob, draws = zip(*self._both(lambda branch: branch.atoms()), strict=True)
        return np.concatenate(prob), tree_map(lambda *v: np.concatenate(v), *draws)

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        prob, draws, groups = zip(*self._both(lambda branch: branch.orbits(n)), strict=True)
        return np.concatenate(prob), tree_map(lambda *v: np.concatenate(v), *draws), sum(groups, [])

    def act(self, pi: Array, draw: Any) -> Any:
        return self.joint.act(pi, draw)
