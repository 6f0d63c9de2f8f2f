"""Coins, indices, cohorts, orders: finitely many outcomes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations, product
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.laws.core import Generator, Groups, Law, Sure, move_rows, roles

__all__ = ["Coin", "Drawn", "Independent", "Index", "Owner", "Permutation", "Split", "Subset"]


@dataclass(frozen=True)
class Coin(Law):
    """True with probability p; `first` forces the value of step 0."""

    p: Any
    first: bool | None = None

    size = 2

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"p must lie in [0, 1], got {self.p}")

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(rng.random(shape) < float(self.p))

    def atoms(self) -> tuple[Array, Array]:
        dtype = object if isinstance(self.p, Fraction) else float
        return np.array([1 - self.p, self.p], dtype=dtype), np.array([False, True])

    def at(self, t: int) -> Law:
        return Sure(np.array(self.first)) if t == 0 and self.first is not None else self

    def block(self, rng: Generator, start: int, steps: int) -> Array:
        theta = self.sample(rng, (steps,))
        if start == 0 and self.first is not None:
            theta[0] = self.first
        return theta


@dataclass(frozen=True)
class Index(Law):
    """A uniform number below n."""

    n: int
    of: str | None = "clients"

    @property
    def size(self) -> int:
        return self.n

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return rng.integers(self.n, size=shape)

    def atoms(self) -> tuple[Array, Array]:
        return np.full(self.n, 1 / self.n), np.arange(self.n)

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        if self.of != "clients":
            return Law.orbits(self, n)
        return np.ones(1), np.zeros(1, int), [roles(self, 0, n)]


@dataclass(frozen=True)
class Subset(Law):
    """A uniform c-subset of n, as sorted indices (c,)."""

    n: int
    c: int
    of: str | None = "clients"

    def __post_init__(self) -> None:
        if not 1 <= self.c <= self.n:
            raise ValueError(f"c must lie in 1..n = {self.n}, got {self.c}")

    @property
    def size(self) -> int:
        return math.comb(self.n, self.c)

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        if self.c == self.n:
            return np.broadcast_to(np.arange(self.n), (*shape, self.n)).copy()
        keys: Array = rng.random((*shape, self.n), dtype=np.float32)
        if 4 * self.c < self.n:
            keys = np.argpartition(keys, self.c, axis=-1)[..., : self.c]
        else:
            keys = np.argsort(keys, axis=-1, kind="stable")[..., : self.c]
        return np.sort(keys, axis=-1)

    def atoms(self) -> tuple[Array, Array]:
        sets = np.array(list(combinations(range(self.n), self.c)), dtype=np.int64)
        return np.full(len(sets), 1 / len(sets)), sets

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        if self.of != "clients":
            return Law.orbits(self, n)
        members, rest = list(range(self.c)), list(range(self.c, n))
        return np.ones(1), np.arange(self.c)[None], [[members] + ([rest] if rest else [])]

    def act(self, pi: Array, draw: Any) -> Any:
        return np.sort(Law.act(self, pi, draw), axis=-1)

    def mask_moments(self) -> tuple[Array, Array]:
        """Mean and covariance of the indicator vector of the subset, (n,) and (n, n)."""
        n, c = self.n, self.c
        cov = np.zeros((1, 1)) if n == 1 else c * (n - c) / (n * (n - 1)) * (np.eye(n) - 1 / n)
        return np.full(n, c / n), cov


@dataclass(frozen=True)
class Drawn(Law):
    """c i.i.d. numbers with weights q, repeats allowed: ints (c,)."""

    q: Sequence[float]
    c: int
    of: str | None = "clients"

    @property
    def size(self) -> int:
        return int(len(self.q) ** self.c)

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return rng.choice(len(self.q), size=(*shape, self.c), p=np.asarray(self.q, float))

    def atoms(self) -> tuple[Array, Array]:
        draws = np.array(list(product(range(len(self.q)), repeat=self.c)), dtype=np.int64)
        return np.prod(np.asarray(self.q, float)[draws], axis=-1), draws


@dataclass(frozen=True)
class Independent(Law):
    """Each of n enters on its own: a bool mask (n,), since its size varies."""

    p: Any  # a number or one per entry
    n: int
    of: str | None = "rows"

    @property
    def size(self) -> int:
        return int(2**self.n)

    @property
    def probs(self) -> Array:
        return np.broadcast_to(np.asarray(self.p, float), (self.n,))

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return rng.random((*shape, self.n)) < self.probs

    def atoms(self) -> tuple[Array, Array]:
        masks = np.array(list(product([False, True], repeat=self.n)))
        return np.prod(np.where(masks, self.probs, 1 - self.probs), axis=-1), masks

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        if self.of != "rows" or np.ptp(self.probs) > 0:
            prob, masks = self.atoms()
            return prob, masks, [[[i] for i in range(n)] if self.of else [list(range(n))]] * len(prob)
        p = float(self.probs[0])
        sizes = range(n + 1)
        prob = np.array([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in sizes])
        masks = np.arange(n) < np.arange(n + 1)[:, None]
        groups = [[g for g in (list(range(k)), list(range(k, n))) if g] for k in sizes]
        return prob, masks, groups

    def act(self, pi: Array, draw: Any) -> Any:
        return move_rows(pi, draw, 0) if self.of == "rows" else draw


@dataclass(frozen=True)
class Permutation(Law):
    """A uniform permutation of n, ints (n,).  `of` names the cohort whose rows it reorders, if any."""

    n: int
    of: str | None = None

    @property
    def size(self) -> int:
        return math.factorial(self.n)

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return np.argsort(rng.random((*shape, self.n)), axis=-1)

    def atoms(self) -> tuple[Array, Array]:
        orders = np.array(list(permutations(range(self.n))), dtype=np.int64).reshape(-1, self.n)
        return np.full(len(orders), 1 / len(orders)), orders

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        """An order of the clients themselves: renaming them leads from any order to any other."""
        if self.of != "clients" or self.n != n:
            return Law.orbits(self, n)
        return np.ones(1), np.arange(n)[None], [[[i] for i in range(n)]]


@dataclass(frozen=True)
class Split(Law):
    """All n cut into ordered cohorts of c, each sorted: ints (n / c, c)."""

    n: int
    c: int
    of: str | None = "clients"

    def __post_init__(self) -> None:
        if self.n % self.c:
            raise ValueError(f"c must divide n = {self.n}, got {self.c}")

    @property
    def size(self) -> int:
        return int(math.factorial(self.n) // math.factorial(self.c) ** (self.n // self.c))

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        order = np.argsort(rng.random((*shape, self.n)), axis=-1)
        return np.sort(order.reshape(*shape, self.n // self.c, self.c), axis=-1)

    def atoms(self) -> tuple[Array, Array]:
        def cut(rest: tuple[int, ...]) -> Iterator[list[tuple[int, ...]]]:
            if not rest:
                yield []
            for head in combinations(rest, self.c) if rest else ():
                for tail in cut(tuple(i for i in rest if i not in head)):
                    yield [head, *tail]

        splits = np.array(list(cut(tuple(range(self.n)))), dtype=np.int64)
        return np.full(len(splits), 1 / len(splits)), splits

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        cohorts = np.arange(self.n).reshape(1, -1, self.c)
        return np.ones(1), cohorts, [[row.tolist() for row in cohorts[0]]]

    def act(self, pi: Array, draw: Any) -> Any:
        return np.sort(Law.act(self, pi, draw), axis=-1)


@dataclass(frozen=True)
class Owner(Law):
    """Who owns each coordinate (n divides d: ints (d,)), or which coordinate each client owns (ints (n,))."""

    n: int
    d: int

    def __post_init__(self) -> None:
        if max(self.n, self.d) % min(self.n, self.d):
            raise ValueError(f"n and d must divide one another, got n = {self.n}, d = {self.d}")

    @property
    def of(self) -> str:  # type: ignore[override]
        return "clients" if self.d >= self.n else "rows"

    @property
    def _labels(self) -> Array:
        return np.repeat(np.arange(min(self.n, self.d)), max(self.n, self.d) // min(self.n, self.d))

    @property
    def size(self) -> int:
        few, many = min(self.n, self.d), max(self.n, self.d)
        return int(math.factorial(many) // math.factorial(many // few) ** few)

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return self._labels[np.argsort(rng.random((*shape, max(self.n, self.d))), axis=-1)]

    def atoms(self) -> tuple[Array, Array]:
        rows = sorted(set(permutations(self._labels.tolist())))
        return np.full(len(rows), 1 / len(rows)), np.array(rows)

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        prob, rows = self.atoms()
        return prob, rows, [[[i] for i in range(n)]] * len(prob)

    def act(self, pi: Array, draw: Any) -> Any:
        return np.asarray(pi)[draw] if self.d >= self.n else move_rows(pi, draw, 0)
