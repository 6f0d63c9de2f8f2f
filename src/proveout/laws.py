"""Randomness as values: which draws exist, how likely they are, what moves when clients are renamed.

    law.sample(rng, shape)      a draw whose arrays have the leading axes `shape`
    law.block(rng, start, T)    the draws of steps start..start+T-1 on a leading axis (clocks differ from `sample`)
    law.atoms()                 (prob (K,), draw): all K draws stacked on a leading axis
    law.size                    K, or inf; law.count is what atoms() returns (a cut law is finite there)
    law.at(t)                   the law of step t
    law.orbits(n)               (prob, draw, groups): one draw per class under renaming of the n clients;
                                groups[k] splits the clients by their role in draw k
    law.moments()               mean and covariance of the flattened draw (laws of float vectors only)
    law.act(pi, draw)           the same draw after client i has been renamed pi[i]

A law says what moves by `of`: "clients" (its values are client numbers), "rows" (its first axis is
the clients'), the name of a cohort field (its first axis belongs to that cohort's rows), or None.
A `Draw` filled with laws describes; a `Draw` filled with arrays is what happened.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations, permutations, product
from typing import Any, TypeAlias

import numpy as np

from proveout.arrays import Array, namespace, tree_map

__all__ = [
    "Coin",
    "Drawn",
    "Each",
    "Either",
    "Geometric",
    "Given",
    "Independent",
    "Index",
    "Joint",
    "Law",
    "Normal",
    "Owner",
    "Permutation",
    "Points",
    "Split",
    "Subset",
    "Sure",
    "Uniform",
    "moment_atoms",
    "pick",
    "reported_weights",
]

Generator: TypeAlias = np.random.Generator
Groups: TypeAlias = list[list[int]]
TAIL = 1e-12  # mass at which an unbounded discrete law is cut; never renormalised


class Law:
    """What every law answers; a law fills in `sample`, `atoms` and its `of`."""

    of: str | None = None

    @property
    def size(self) -> float:
        raise NotImplementedError

    @property
    def count(self) -> float:
        """How many atoms `atoms()` returns."""
        return self.size

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Any:
        raise NotImplementedError

    def atoms(self) -> tuple[Array, Any]:
        raise NotImplementedError

    def block(self, rng: Generator, start: int, steps: int) -> Any:
        return self.sample(rng, (steps,))

    def at(self, t: int) -> "Law":
        return self

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        prob, draw = self.atoms()
        roles = [_roles(self, tree_map(lambda a, k=k: a[k], draw), n) for k in range(len(prob))]
        return prob, draw, roles

    def act(self, pi: Array, draw: Any) -> Any:
        """Rename clients: pi[i] is the new number of client i.  Arrays may carry leading axes."""
        if self.of == "clients":
            return np.asarray(pi)[draw]
        if self.of == "rows":
            raise NotImplementedError(f"{type(self).__name__} must say how its rows move")
        return draw


def _roles(law: Law, draw: Any, n: int) -> Groups:
    """Split the clients by their role in one draw of a law that names clients or has their rows."""
    if law.of == "clients":
        seen = np.asarray(draw).ravel()
        named = [[int(i)] for i in dict.fromkeys(seen.tolist())]
        rest = [i for i in range(n) if i not in set(seen.tolist())]
        return named + ([rest] if rest else [])
    return [list(range(n))]


def _refine(first: Groups, second: Groups) -> Groups:
    parts = [[i for i in a if i in set(b)] for a in first for b in second]
    return [part for part in parts if part]


def _sensitive(law: Any) -> bool:
    """Does renaming clients move anything in this law?"""
    if isinstance(law, Law):
        return law.of is not None or isinstance(law, (Joint, Either)) and law.moves
    return any(_sensitive(field) for field in law)


# ------------------------------------------------------------------ one value, no luck


@dataclass(frozen=True, eq=False)
class Sure(Law):
    """Always `value` (an array, or nested NamedTuples of arrays)."""

    value: Any
    of: str | None = None

    size = 1

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Any:
        return tree_map(
            lambda v: np.array(np.broadcast_to(np.asarray(v), shape + np.shape(v))), self.value
        )

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


# ------------------------------------------------------------------ coins and indices


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
        return np.ones(1), np.zeros(1, int), [_roles(self, 0, n)]


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
        keys = rng.random((*shape, self.n), dtype=np.float32)
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
        return len(self.q) ** self.c

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
        return _move_rows(pi, draw, 0) if self.of == "rows" else draw


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
        return math.factorial(self.n) // math.factorial(self.c) ** (self.n // self.c)

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
    """Who owns each coordinate (d >= n, n | d: ints (d,)) or which coordinate each client owns (n > d, d | n: ints (n,))."""

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
        return math.factorial(many) // math.factorial(many // few) ** few

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return self._labels[np.argsort(rng.random((*shape, max(self.n, self.d))), axis=-1)]

    def atoms(self) -> tuple[Array, Array]:
        rows = sorted(set(permutations(self._labels.tolist())))
        return np.full(len(rows), 1 / len(rows)), np.array(rows)

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        prob, rows = self.atoms()
        return prob, rows, [[[i] for i in range(n)]] * len(prob)

    def act(self, pi: Array, draw: Any) -> Any:
        return np.asarray(pi)[draw] if self.d >= self.n else _move_rows(pi, draw, 0)


# ------------------------------------------------------------------ infinite laws


@dataclass(frozen=True)
class Geometric(Law):
    """P(l) = (1-p)^(l-1) p, l = 1, 2, ...; its atoms are cut at tail mass TAIL and not renormalised."""

    p: float

    size = math.inf

    def __post_init__(self) -> None:
        if not 0 < self.p <= 1:
            raise ValueError(f"p must lie in (0, 1], got {self.p}")

    @property
    def count(self) -> int:
        return 1 if self.p == 1 else math.ceil(math.log(TAIL) / math.log1p(-self.p))

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(rng.geometric(self.p, size=shape))

    def atoms(self) -> tuple[Array, Array]:
        steps = np.arange(1, self.count + 1)
        return self.p * (1 - self.p) ** (steps - 1), steps


@dataclass(frozen=True)
class Normal(Law):
    """A standard normal vector (d,); with `nodes`, its atoms are a Gauss-Hermite grid (exact for
    polynomials of degree <= 2 nodes - 1 per coordinate)."""

    d: int
    nodes: int = 0

    @property
    def size(self) -> float:
        return self.nodes**self.d if self.nodes else math.inf

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return rng.standard_normal((*shape, self.d))

    def atoms(self) -> tuple[Array, Array]:
        if not self.nodes:
            raise ValueError("Normal has no atoms unless `nodes` is given")
        x, w = np.polynomial.hermite_e.hermegauss(self.nodes)
        grid = np.array(list(product(range(self.nodes), repeat=self.d)))
        return np.prod((w / w.sum())[grid], axis=-1), x[grid]

    def moments(self) -> tuple[Array, Array]:
        return np.zeros(self.d), np.eye(self.d)


@dataclass(frozen=True, eq=False)
class Points(Law):
    """One of finitely many given vectors, uniformly: (d,) out of values (K, d)."""

    values: Array  # (K, d)

    @property
    def size(self) -> int:
        return len(self.values)

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return self.values[rng.integers(len(self.values), size=shape)]

    def atoms(self) -> tuple[Array, Array]:
        return np.full(len(self.values), 1 / len(self.values)), self.values

    def moments(self) -> tuple[Array, Array]:
        return self.values.mean(axis=0), np.cov(self.values.T, bias=True).reshape(2 * self.values.shape[1:])


@dataclass(frozen=True)
class Uniform(Law):
    """Uniform numbers of shape `shape`, for `pick`.

    With `outcomes`, its atoms are named outcomes: entry -1-j stands for "j is picked", and `pick`
    reports the probability of what was named (see `reported_weights`).
    """

    shape: tuple[int, ...] = ()
    outcomes: int = 0

    @property
    def size(self) -> float:
        return self.outcomes ** math.prod(self.shape) if self.outcomes else math.inf

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(rng.random((*shape, *self.shape)))

    def atoms(self) -> tuple[Array, Array]:
        if not self.outcomes:
            raise ValueError("Uniform has no atoms unless `outcomes` is given")
        names = np.array(list(product(range(self.outcomes), repeat=math.prod(self.shape))), dtype=float)
        names = names.reshape(-1, *self.shape)
        return np.full(len(names), 1 / len(names)), -1 - names


def moment_atoms(law: Any) -> tuple[Array, Array]:
    """2r equiprobable points with the mean and covariance (of rank r) of a law that has `moments`.

    Exact in place of the law's atoms wherever only the first two moments enter.
    """
    mean, cov = law.moments()
    w, q = np.linalg.eigh(cov)
    keep = w > 1e-14 * max(float(w.max()), 1e-300)
    root = q[:, keep] * np.sqrt(w[keep])  # (D, r)
    r = int(keep.sum())
    shape = np.shape(law.sample(np.random.default_rng(0), ()))
    if r == 0:
        return np.ones(1), mean.reshape(1, *shape)
    points = np.concatenate([mean + np.sqrt(r) * root.T, mean - np.sqrt(r) * root.T])
    return np.full(2 * r, 0.5 / r), points.reshape(-1, *shape)


_reports: ContextVar[list[Array] | None] = ContextVar("reports", default=None)


@contextmanager
def reported_weights() -> Iterator[list[Array]]:
    """Collect what `pick` reports: arrays that multiply the atoms' reference probabilities."""
    token = _reports.set([])
    try:
        yield _reports.get()  # type: ignore[misc]
    finally:
        _reports.reset(token)


def pick(p: Array, u: Array) -> Array:
    """The index that `u` selects from probabilities p: (..., k), (...) -> (...) ints.

    `u` is uniform in [0, 1), or a named outcome -1-j of `Uniform(..., outcomes=k)`.
    """
    xp = namespace(p)
    cumulative = xp.cumulative_sum(p, axis=-1)
    total = cumulative[..., -1:]
    k = p.shape[-1]
    chosen = xp.sum(xp.astype(cumulative <= u[..., None] * total, xp.int64), axis=-1)
    chosen = xp.minimum(chosen, xp.asarray(k - 1))
    reports = _reports.get()
    named = u < 0
    if reports is not None and bool(xp.any(named)):
        chosen = xp.where(named, xp.astype(-1 - u, xp.int64), chosen)
        lead = np.broadcast_shapes(p.shape[:-1], chosen.shape)
        full = xp.broadcast_to(p / xp.where(total > 0, total, 1), (*lead, k))
        hit = xp.take_along_axis(full, xp.broadcast_to(chosen, lead)[..., None], axis=-1)[..., 0]
        reports.append(xp.where(named, hit * k, 1.0))
    return chosen


# ------------------------------------------------------------------ compositions


def _move_rows(pi: Array, draw: Any, core: int) -> Any:
    """Row i becomes row pi[i]; `core` trailing axes follow the client axis."""
    back = np.argsort(np.asarray(pi))
    return tree_map(lambda a: np.take(a, back, axis=-1 - core) if core == 0 else a[..., back, *(slice(None),) * core], draw)


@dataclass(frozen=True)
class Each(Law):
    """n independent copies of a law on a new first axis, one per client (of="rows") or per anything else."""

    n: int
    law: Any
    of: str | None = "rows"

    @property
    def inner(self) -> Law:
        return _as_law(self.law)

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
        groups = [
            [g for g in np.split(np.arange(n), np.cumsum(c)[:-1]) if len(g)] for c in counts
        ]
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
        return tree_map(
            lambda a, one: _move_rows(pi, a, np.ndim(one)), draw, inner
        )


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def _as_law(law: Any) -> Law:
    return law if isinstance(law, Law) else Joint(law)


def _combine(parts: list[tuple[Array, Any]]) -> tuple[Array, list[Any]]:
    """Product of enumerated parts: probabilities multiply, values are indexed."""
    sizes = [len(prob) for prob, _ in parts]
    index = np.unravel_index(np.arange(math.prod(sizes)), sizes)
    prob: Array = 1.0
    for (p, _), i in zip(parts, index, strict=True):
        prob = prob * p[i]
    return np.asarray(prob), [tree_map(lambda v, i=i: v[i], value) for (_, value), i in zip(parts, index, strict=True)]


@dataclass(frozen=True)
class Joint(Law):
    """Independent fields: `Joint(Draw(theta=Coin(p), cohort=Subset(n, c)))`.  Fields may be nested draws."""

    draw: Any

    @property
    def fields(self) -> list[Law]:
        return [_as_law(field) for field in self.draw]

    @property
    def moves(self) -> bool:
        return _sensitive(self.draw)

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
            if not _sensitive(law):
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
                groups[k] = [_singles_of(law, tree_map(lambda v, j=j: v[j], value), n) for j in range(len(prob))]
        prob, values = _combine(parts)
        index = np.unravel_index(np.arange(len(prob)), [len(p) for p, _ in parts])
        together = []
        for a in range(len(prob)):
            now: Groups = [list(range(n))]
            for k, roles in groups.items():
                now = _refine(now, roles[index[k][a]])
            together.append(now)
        return prob, self._build(values), together

    def act(self, pi: Array, draw: Any) -> Any:
        names = self.draw._fields
        moved = {name: law.act(pi, getattr(draw, name)) for name, law in zip(names, self.fields, strict=True)}
        for name, law in zip(names, self.fields, strict=True):
            if law.of in names:  # the rows of a cohort follow their client to its new place
                order = np.argsort(np.asarray(pi)[getattr(draw, law.of)], axis=-1)
                moved[name] = tree_map(lambda a, o=order: np.take_along_axis(a, o, axis=-1), getattr(draw, name))
        return self._build(moved.values())


def _alone(cohorts: Array, n: int) -> list[Groups]:
    """Every member by itself, the rest together."""
    return [_roles(Index(n), cohort, n) for cohort in cohorts]


def _singles_of(law: Law, draw: Any, n: int) -> Groups:
    return _roles(law, draw, n) if law.of == "clients" else [[i] for i in range(n)]


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
                _, value = _as_law(law).atoms()
                law = Sure(tree_map(lambda v: v[0], value))
            fields[name] = law
        return Joint(type(self.draw)(**fields))

    def _chance(self) -> Any:
        prob, theta = _as_law(getattr(self.draw, self.coin)).atoms()
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
        now = self.joint.at(t)
        return self if now is self.joint else Either(self.coin, now.draw, self.yes, self.no) if isinstance(now, Joint) else self

    def atoms(self) -> tuple[Array, Any]:
        prob, draws = zip(*self._both(lambda branch: branch.atoms()), strict=True)
        return np.concatenate(prob), tree_map(lambda *v: np.concatenate(v), *draws)

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        prob, draws, groups = zip(*self._both(lambda branch: branch.orbits(n)), strict=True)
        return np.concatenate(prob), tree_map(lambda *v: np.concatenate(v), *draws), sum(groups, [])

    def act(self, pi: Array, draw: Any) -> Any:
        return self.joint.act(pi, draw)
