"""Counts, normals, points with moments, and uniforms whose outcomes are named."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from proveout.arrays import Array, namespace
from proveout.laws.core import TAIL, Generator, Law

__all__ = ["Geometric", "Normal", "Points", "Uniform", "moment_atoms", "pick", "reported_weights"]


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
        none = xp.arange(k) == k - 1  # where every probability is 0, a run picks the last index
        share = xp.where(total > 0, p / xp.where(total > 0, total, 1), xp.astype(none, p.dtype))
        full = xp.broadcast_to(share, (*lead, k))
        hit = xp.take_along_axis(full, xp.broadcast_to(chosen, lead)[..., None], axis=-1)[..., 0]
        reports.append(xp.where(named, hit * k, 1.0))
    return chosen
