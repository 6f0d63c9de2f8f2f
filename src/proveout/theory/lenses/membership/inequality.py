"""The inequality of a Membership, E left <= constant E right, for one block in one dimension.

Inputs u are batches (S, 1, *shape) against draws (1, K, ...); flat, z = (S, q).  Rounding: what is below
NOISE |u|^2 counts as claimed, so that inputs at which both sides vanish (all rows equal) decide nothing.

A statement may make several claims at once: its sides then carry one more axis, (S, K, claims), and each claim
is an inequality of its own.
"""

import inspect
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.laws import reported_weights
from proveout.theory.lenses.common import CHUNK, Atoms, Refused, atoms_of

__all__ = ["Found", "Inequality", "extremes", "inequality", "law_of", "shape_of"]

NOISE = 1e-22  # of |u|^2: squares of rounding errors
CANCELLED = 1e-13  # of the sum of absolute values over draws
ATOMS = 200_000  # draws of one block, at most


@dataclass(frozen=True, eq=False)
class Found:
    """The largest E left / (constant E right) of one dimension."""

    figure: float
    z: Array  # (q,) where it was reached
    exact: bool
    looked: str  # "all", "searched(N)"
    how: str


@dataclass(frozen=True, eq=False)
class Inequality:
    statement: Any
    block: Any
    d: int
    shape: tuple[int, ...]  # of u, at least two axes
    atoms: Atoms | None  # None: the block has no law
    constant: float
    claim: int = 0  # of several

    @property
    def q(self) -> int:
        return math.prod(self.shape)

    @property
    def width(self) -> int:
        """Floats of one input under all draws."""
        return self.q * (self.atoms.size if self.atoms else 1)

    def products(self, z: Array) -> tuple[Array, Array]:
        """prob_k left_k(u) and prob_k right_k(u), one column per draw: (S, q) -> (S, K), (S, K)."""
        left, right, reports = self._sides(z)
        S, K = len(z), self.atoms.size if self.atoms else 1
        left, right = (a[..., self.claim] if np.ndim(a) == 3 else a for a in (left, right))
        prob: Array = self.atoms.prob if self.atoms else np.ones(1)
        for report in reports:
            prob = prob * report.prod(axis=tuple(range(2, np.ndim(report))))
        prob = np.broadcast_to(np.asarray(prob, float), (S, K))
        left, right = (np.broadcast_to(np.asarray(a, float), (S, K)) for a in (left, right))
        return np.where(prob > 0, prob * left, 0.0), np.where(prob > 0, prob * right, 0.0)

    def _sides(self, z: Array) -> tuple[Array, Array, list[Array]]:
        """Both sides for every draw, and what `pick` reports of the draws' probabilities."""
        u = np.asarray(z, float).reshape(len(z), 1, *self.shape)
        with np.errstate(all="ignore"), reported_weights() as reports:
            draw = self.atoms.part(0, self.atoms.size) if self.atoms else None
            left, right = self.statement.sides(self.block, u, draw)
        return left, right, reports

    def claims(self) -> list["Inequality"]:
        """One inequality per claim of the statement."""
        left, right, _ = self._sides(np.ones((1, self.q)))
        count = max(np.shape(a)[2] if np.ndim(a) == 3 else 1 for a in (left, right))
        return [replace(self, claim=k) for k in range(count)]

    def both(self, z: Array) -> tuple[Array, Array]:
        """E left and E right at inputs (S, q): (S,), (S,).  What the draws cancel up to rounding is 0."""
        rows = max(1, int(CHUNK // self.width))
        parts = [self.products(z[k : k + rows]) for k in range(0, len(z), rows)]
        left, right = (np.concatenate([_total(p[j]) for p in parts]) for j in (0, 1))
        return left, right

    def size(self, z: Array) -> Array:
        """E |left| + E |right|, the scale of rounding: (S, q) -> (S,)."""
        rows = max(1, int(CHUNK // self.width))
        parts = [self.products(z[k : k + rows]) for k in range(0, len(z), rows)]
        return np.concatenate([np.abs(p[0]).sum(axis=1) + np.abs(p[1]).sum(axis=1) for p in parts])

    def figures(self, z: Array) -> Array:
        """E left / (constant E right): (S, q) -> (S,)."""
        return self.ratios(*self.both(z), z)

    def ratios(self, left: Array, right: Array, z: Array) -> Array:
        """left / (constant right) up to rounding: (S,), (S,), (S, any) -> (S,)."""
        noise = NOISE if self.constant else CANCELLED  # a claim of 0 is met up to rounding, not of its square
        claimed = self.constant * right + noise * np.sum(z * z, axis=-1)
        with np.errstate(all="ignore"):
            out = np.where(claimed > 0, left / claimed, np.where(left > 0, np.inf, np.nan))
        return np.where(np.isfinite(claimed), out, np.nan)


def _total(products: Array) -> Array:
    """Sum over draws: (S, K) -> (S,)."""
    total = products.sum(axis=1)
    return np.where(np.abs(total) <= CANCELLED * np.abs(products).sum(axis=1), 0.0, total)


def inequality(statement: Any, block: Any, d: int) -> Inequality:
    """Refused if the block does not speak of this dimension, or has too many draws."""
    try:
        shape = shape_of(statement, block, d)
        law = law_of(block, shape)
        constant = float(statement.constant(block, d))
    except ValueError as error:
        raise Refused(f"d = {d}: {error}") from None
    if math.isnan(constant):
        raise Refused(f"d = {d}: the constant is not a number", "inconclusive")
    atoms = None if law is None else atoms_of(law, limit=min(ATOMS, CHUNK * 10 // math.prod(shape)))
    return Inequality(statement, block, d, shape, atoms, constant)


def shape_of(statement: Any, block: Any, d: int) -> tuple[int, ...]:
    """The shape of u: the statement's, or one row of d numbers."""
    shape = tuple(int(k) for k in statement.shape(block, d)) if statement.shape else (d,)
    return (1,) * (2 - len(shape)) + shape


def law_of(block: Any, shape: tuple[int, ...]) -> Any:
    """law(n, d) of a compressor, law(n) of a rule or a sampling, law() of a dial; None if there is none."""
    if not hasattr(block, "law"):
        return None
    wanted = [p for p in inspect.signature(block.law).parameters.values() if p.default is p.empty]
    return block.law(*shape[-2:][: len(wanted)])


def extremes(ineq: Any) -> Array:
    """Inputs that the block exports, as starts: (S, q); one row (d,) serves all rows."""
    if not hasattr(ineq.block, "extremes"):
        return np.empty((0, ineq.q))
    try:
        points = ineq.block.extremes(ineq.d)
    except ValueError:  # it has none in this dimension
        return np.empty((0, ineq.q))
    out = []
    for u in points:
        u = np.asarray(u, float)
        if u.size == ineq.q:
            out.append(u.ravel())
        elif u.ndim == 1 and u.shape[-1] == ineq.shape[-1]:
            out.append(np.broadcast_to(u, ineq.shape).ravel())
    return np.array(out).reshape(-1, ineq.q)
