"""Samplings of clients: random weights chi_1, .., chi_n >= 0 with E chi_i = 1; client i takes part iff chi_i > 0.

    Nice(cohort)             a uniform subset of `cohort` clients, chi = n / cohort on it
    Independent(probs)       a coin per client, chi_i = 1 / p_i; nobody may come, p_i = 1 is allowed
    Multi(draws, probs)      `draws` i.i.d. clients with repeats, chi_i = (times drawn) / (draws q_i)
    Table(subsets, probs)    one of some subsets, chi_i = 1 / p_hat_i on it

p_hat_i = P(chi_i > 0).  The *AB inequality* measures the variance of a sampling, for all vectors a_1, .., a_n:

    E|sum_i (chi_i - 1) a_i|^2 <= sum_i (A/w_i) |a_i|^2 - B |sum_i a_i|^2

    nice         A/w_i = n (n - C) / (C (n - 1)),   B = (n - C) / (C (n - 1))       with equality
    independent  A/w_i = 1/p_i - 1,                 B = 0                           with equality
    multi        A/w_i = 1/(C q_i),                 B = 1/C                         with equality
    table        K <= diag(A/w) - B 1 1' for the covariance K_ij = P(i, j come)/(p_hat_i p_hat_j) - 1 of chi

Grudzień, Malinovsky, Richtárik (arXiv:2306.03240); the inequality, in sums, of "Sharper rates and flexible
framework for nonconvex SGD with client and data sampling".  Every sampling answers

    law(n)             the draw: client numbers where their count is fixed, else a mask over all clients
    weights(draw, h)   chi (..., n), for a table h (..., n, d) that tells n, dtype and device
    members(draw, h)   who takes part, each client once, and its chi: (..., c), (..., c).  c is the largest
                       cohort of the batch; rows that stand for nobody have chi = 0
    size(draw)         how many take part: (...,)
    p_hat(n), ab(n)    (n,), and the record `AB`
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from proveout.arrays import Array, first_occurrence, last, like, namespace, put, take_along
from proveout.laws import Drawn, Law, Subset
from proveout.laws import Independent as Coins
from proveout.laws.core import Generator, Groups, move_rows

__all__ = ["AB", "Independent", "Multi", "Nice", "Table", "importance", "root_importance"]

SUM = 1e-9  # probabilities sum to one up to this
GRID = 201  # values of B among which a table finds its own


@dataclass(frozen=True, eq=False)
class AB:
    """E|sum_i (chi_i - 1) a_i|^2 <= sum_i A_w_i |a_i|^2 - B |sum_i a_i|^2."""

    A_w: Array  # (n,)  A / w_i
    B: float

    @property
    def c(self) -> Array:
        """c_i = A/w_i + (1 - B) n, which limits the steps of 5GCS-AB: (n,)."""
        return self.A_w + (1 - self.B) * len(self.A_w)


def _each(probs: Any, n: int) -> Array:
    """One number for all clients, or one per client: (n,)."""
    p = np.asarray(probs, float)
    if p.ndim and p.shape != (n,):
        raise ValueError(f"probs must be one number or n = {n} of them, got {p.size}")
    return np.broadcast_to(p, (n,))


def _check_sum(probs: Any) -> None:
    p = np.asarray(probs, float)
    if not ((p > 0).all() and abs(p.sum() - 1) <= SUM):
        raise ValueError(f"probs must be > 0 and sum to 1, got {probs}")


def _members(weights: Array) -> tuple[Array, Array]:
    """Clients of positive weight first, as many as the largest cohort has: (..., n) -> (..., c), (..., c)."""
    xp = namespace(weights)
    absent = xp.astype(weights <= 0, xp.int64)
    most = weights.shape[-1] - int(xp.min(xp.sum(absent, axis=-1)))
    clients = xp.argsort(absent, axis=-1, stable=True)[..., :most]
    return clients, take_along(weights, clients)


class _Masked:
    """Samplings whose draw says who comes, (..., n) bool: chi_i = 1/p_hat_i for those."""

    def p_hat(self, n: int) -> Array:
        raise TypeError(f"{type(self).__name__} has no probabilities")

    def weights(self, draw: Array, h: Array) -> Array:
        chi = like(1 / self.p_hat(h.shape[-2]), h)
        return namespace(h).where(draw, chi, 0 * chi)

    def members(self, draw: Array, h: Array) -> tuple[Array, Array]:
        return _members(self.weights(draw, h))

    def size(self, draw: Array) -> Array:
        return draw.sum(axis=-1)


@dataclass(frozen=True, kw_only=True)
class Nice:
    cohort: int  # clients per round

    def __post_init__(self) -> None:
        if not self.cohort >= 1:
            raise ValueError(f"cohort must be >= 1, got {self.cohort}")

    def law(self, n: int) -> Law:
        return Subset(n, self.cohort)

    def weights(self, draw: Array, h: Array) -> Array:
        clients, chi = self.members(draw, h)
        return put(0 * h[..., :1], clients, last(chi))[..., 0]

    def members(self, draw: Array, h: Array) -> tuple[Array, Array]:
        chi = like(np.full(self.cohort, h.shape[-2] / self.cohort), h)
        return draw, namespace(h).broadcast_to(chi, draw.shape)

    def size(self, draw: Array) -> Array:
        return self.cohort + 0 * draw[..., 0]

    def p_hat(self, n: int) -> Array:
        return np.full(n, self.cohort / n)

    def ab(self, n: int) -> AB:
        B = (n - self.cohort) / (self.cohort * max(1, n - 1))
        return AB(A_w=np.full(n, n * B), B=B)


@dataclass(frozen=True, kw_only=True)
class Independent(_Masked):
    probs: Any  # a number, or one per client

    def __post_init__(self) -> None:
        p = np.asarray(self.probs, float)
        if not ((p > 0) & (p <= 1)).all():
            raise ValueError(f"probs must lie in (0, 1], got {self.probs}")

    def law(self, n: int) -> Law:
        return Coins(self.p_hat(n), n)

    def p_hat(self, n: int) -> Array:
        return _each(self.probs, n)

    def ab(self, n: int) -> AB:
        return AB(A_w=1 / self.p_hat(n) - 1, B=0.0)


@dataclass(frozen=True, kw_only=True)
class Multi:
    """A client drawn twice works once and counts twice."""

    draws: int  # clients drawn per round
    probs: tuple[float, ...] | None = None  # of one draw; None: uniform

    def __post_init__(self) -> None:
        if not self.draws >= 1:
            raise ValueError(f"draws must be >= 1, got {self.draws}")
        if self.probs is not None:
            _check_sum(self.probs)

    def q(self, n: int) -> Array:
        """Probabilities of one draw: (n,)."""
        return np.full(n, 1 / n) if self.probs is None else _each(self.probs, n)

    def law(self, n: int) -> Law:
        return Drawn(self.q(n), self.draws)

    def weights(self, draw: Array, h: Array) -> Array:
        xp, n = namespace(h), h.shape[-2]
        times = xp.sum(xp.astype(last(draw) == like(np.arange(n), draw), xp.int64), axis=-2)
        return times * like(1 / (self.draws * self.q(n)), h)

    def members(self, draw: Array, h: Array) -> tuple[Array, Array]:
        return _members(self.weights(draw, h))

    def size(self, draw: Array) -> Array:
        return first_occurrence(draw).sum(axis=-1)

    def p_hat(self, n: int) -> Array:
        return -np.expm1(self.draws * np.log1p(-np.minimum(self.q(n), 1 - 2.0**-53)))

    def ab(self, n: int) -> AB:
        return AB(A_w=1 / (self.draws * self.q(n)), B=1 / self.draws)


@dataclass(frozen=True)
class Listed(Law):
    """One of some subsets of the clients: a mask (n,), as their sizes differ."""

    masks: Any  # (K, n) bool
    probs: tuple[float, ...]
    of: str | None = "rows"

    @property
    def size(self) -> int:
        return len(self.probs)

    def sample(self, rng: Generator, shape: tuple[int, ...]) -> Array:
        return self.masks[rng.choice(self.size, size=shape, p=np.asarray(self.probs) / sum(self.probs))]

    def atoms(self) -> tuple[Array, Array]:
        return np.asarray(self.probs, float), self.masks

    def orbits(self, n: int) -> tuple[Array, Any, list[Groups]]:
        prob, masks = self.atoms()
        return prob, masks, [[[i] for i in range(n)]] * len(prob)

    def act(self, pi: Array, draw: Any) -> Any:
        return move_rows(pi, draw, 0)


@dataclass(frozen=True)
class Table(_Masked):
    """An arbitrary sampling: subset k comes with probability probs[k].

    Its w_i are proportional to 1/(K_ii + B), which gives back the rows of `nice`, `independent` and `multi`
    above; A is then least, a generalised eigenvalue, and B makes max_i c_i least unless it is given.
    """

    subsets: tuple[tuple[int, ...], ...]  # client numbers
    probs: tuple[float, ...]
    B: float | None = None

    def __post_init__(self) -> None:
        _check_sum(self.probs)
        if len(self.subsets) != len(self.probs):
            raise ValueError(f"probs must be one per subset, {len(self.subsets)}, got {len(self.probs)}")
        if self.B is not None and not self.B <= 1:
            raise ValueError(f"B must be <= 1, got {self.B}")

    def _masks(self, n: int) -> Array:
        """(K, n) bool; ValueError if a number is no client or a client never comes."""
        masks = np.zeros((len(self.subsets), n), bool)
        for row, subset in zip(masks, self.subsets, strict=True):
            if not all(0 <= i < n for i in subset):
                raise ValueError(f"subsets must hold client numbers below n = {n}, got {subset}")
            row[list(subset)] = True
        if not masks.any(axis=0).all():
            raise ValueError(
                f"subsets must cover all clients, {int(np.argmin(masks.any(axis=0)))} is in none"
            )
        return masks

    def law(self, n: int) -> Law:
        return Listed(self._masks(n), self.probs)

    def p_hat(self, n: int) -> Array:
        return np.minimum(np.asarray(self.probs) @ self._masks(n), 1.0)

    def covariance(self, n: int) -> Array:
        """K_ij = P(i, j come)/(p_hat_i p_hat_j) - 1: (n, n)."""
        masks, p = self._masks(n).astype(float), self.p_hat(n)
        return (masks.T * np.asarray(self.probs)) @ masks / np.outer(p, p) - 1

    def ab(self, n: int) -> AB:
        known = self._known
        if n not in known:
            K = self.covariance(n)
            tried = [self.B] if self.B is not None else [*np.linspace(0, 1, GRID)]
            known[n] = min((_least(K, float(B)) for B in tried), key=lambda ab: round(float(ab.c.max()), 9))
        return known[n]

    @cached_property
    def _known(self) -> dict[int, AB]:
        return {}


def _least(K: Array, B: float) -> AB:
    """The least A for w_i proportional to 1/(K_ii + B): K + B 1 1' <= A diag(1/w)."""
    form = K + B
    scale = np.maximum(np.diag(form), 0.0)
    root = np.where(scale > 1e-14, 1 / np.sqrt(np.where(scale > 1e-14, scale, 1.0)), 0.0)
    top = float(np.linalg.eigvalsh(form * np.outer(root, root))[-1])
    return AB(A_w=max(top, 0.0) * scale, B=B)


def importance(L: Array, mu: float) -> tuple[float, ...]:
    """q_i proportional to sqrt(n) + sqrt(L_i / mu): one draw then needs O(n + sum_i sqrt(L_i/(n mu))) rounds."""
    s = math.sqrt(len(L)) + np.sqrt(np.asarray(L, float) / mu)
    return tuple((s / s.sum()).tolist())


def root_importance(L: Array) -> tuple[float, ...]:
    """q_i proportional to sqrt(L_i)."""
    s = np.sqrt(np.asarray(L, float))
    return tuple((s / s.sum()).tolist())
