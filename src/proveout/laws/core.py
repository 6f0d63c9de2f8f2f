"""What every law answers, and the two laws without luck."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from proveout.arrays import Array, tree_map

__all__ = ["TAIL", "Generator", "Given", "Groups", "Law", "Sure", "move_rows", "refine", "roles"]

Generator: TypeAlias = np.random.Generator
Groups: TypeAlias = list[list[int]]
TAIL = 1e-12  # mass at which an unbounded discrete law is cut; never renormalised


class Law(ABC):
    """What every law answers; a law fills in `sample`, `atoms` and its `of`."""

    of: str | None = None

    @property
    @abstractmethod
    def size(self) -> float:
        """How many draws there are, or inf."""

    @property
    def moves(self) -> bool:
        """Does renaming clients move anything?"""
        return self.of is not None

    @property
    def count(self) -> float:
        """How many atoms `atoms()` returns."""
        return self.size

    @abstractmethod
    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Any:
        """A draw whose arrays have the leading axes `shape`."""

    @abstractmethod
    def atoms(self) -> tuple[Array, Any]:
        """All draws with their probabilities; ValueError if there are none to list."""

    def block(self, rng: Generator, start: int, steps: int) -> Any:
        return self.sample(rng, (steps,))

    def at(self, t: int) -> "Law":
        return self

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        prob, draw = self.atoms()
        groups = [roles(self, tree_map(lambda a, k=k: a[k], draw), n) for k in range(len(prob))]
        return prob, draw, groups

    def act(self, pi: Array, draw: Any) -> Any:
        """Rename clients: pi[i] is the new number of client i.  Arrays may carry leading axes."""
        if self.of == "clients":
            return np.asarray(pi)[draw]
        if self.of == "rows":
            raise TypeError(f"{type(self).__name__} does not say how its rows move")
        return draw


def roles(law: Law, draw: Any, n: int) -> Groups:
    """Split the clients by their role in one draw of a law that names clients or has their rows."""
    if law.of == "clients":
        seen = np.asarray(draw).ravel()
        named = [[int(i)] for i in dict.fromkeys(seen.tolist())]
        rest = [i for i in range(n) if i not in set(seen.tolist())]
        return named + ([rest] if rest else [])
    return [list(range(n))]


def refine(first: Groups, second: Groups) -> Groups:
    parts = [[i for i in a if i in set(b)] for a in first for b in second]
    return [part for part in parts if part]


def move_rows(pi: Array, draw: Any, core: int) -> Any:
    """Row i becomes row pi[i]; `core` trailing axes follow the client axis."""
    back = np.argsort(np.asarray(pi))
    return tree_map(
        lambda a: np.take(a, back, axis=-1 - core) if core == 0 else a[..., back, *(slice(None),) * core],
        draw,
    )


@dataclass(frozen=True, eq=False)
class Sure(Law):
    """Always `value` (an array, or nested NamedTuples of arrays)."""

    value: Any
    of: str | None = None

    size = 1

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Any:
        return tree_map(lambda v: np.array(np.broadcast_to(np.asarray(v), shape + np.shape(v))), self.value)

    def atoms(self) -> tuple[Array, Any]:
        return np.ones(1), tree_map(lambda v: np.asarray(v)[None], self.value)


@dataclass(frozen=True, eq=False)
class Given(Law):
    """What time decides (a schedule, an order, a bell): step t sees values[t].

    `cycle` repeats the list; otherwise a run past its end is a ValueError.
    """

    values: Any  # leaves (T, ...)
    cycle: bool = False

    size = 1

    @cached_property
    def length(self) -> int:
        lengths: list[int] = []
        tree_map(lambda v: lengths.append(len(v)), self.values)
        return lengths[0]

    def _clock(self, t: Array) -> Array:
        if self.cycle:
            return t % self.length
        if np.size(t) and np.max(t) >= self.length:
            raise ValueError(f"Given: step {int(np.max(t))} lies past the schedule of {self.length} steps")
        return t

    def at(self, t: int) -> Law:
        t = int(self._clock(np.asarray(t)))
        return Sure(tree_map(lambda v: np.asarray(v)[t], self.values))

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Any:
        return self.at(0).sample(rng, shape)

    def atoms(self) -> tuple[Array, Any]:
        return self.at(0).atoms()

    def block(self, rng: Generator, start: int, steps: int) -> Any:
        t = self._clock(np.arange(start, start + steps))
        return tree_map(lambda v: np.asarray(v)[t], self.values)
