"""Terms read as quadratic forms.

V, progress, measures and bounds are tuples of terms.  On abstract vectors a term is a quadratic form of the
letters plus a linear form of the value symbols plus a constant:

    Square(w, v)     w sum_i v_i v_i'
    Cross(w, u, v)   w sum_i (u_i v_i' + v_i u_i') / 2
    Gap(w, z)        w sum_i (F_i(z_i) + <h*_i, z_i - x*>),  a mean over clients for core = 1

`read` asks the oracles that a term needs and keeps the form of every atom over the columns of the trace;
`reduce.Layout` turns it into a `Form` on the invariant Gram matrices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.abstract import AbstractProblem
from proveout.theory.lenses.worstcase.world import World
from proveout.theory.statement import Cross, Gap, Number, Square

__all__ = ["Form", "Raw", "read", "total"]

DUST = 1e-14  # of what was added up; coefficients that cancelled


@dataclass(frozen=True, eq=False)
class Form:
    """sum_b <blocks_b, G_b> + <values, F> + noise * 1, a linear function of (G, F)."""

    blocks: tuple[Array, ...]  # symmetric, (k_b, k_b)
    values: Array  # (n_F,)
    noise: Number = 0  # coefficient of the homogenised constant

    __array_ufunc__ = None  # a NumPy scalar on the left must not broadcast over it

    def __add__(self, other: "Form") -> "Form":
        blocks = tuple(a + b for a, b in zip(self.blocks, other.blocks, strict=True))
        return Form(blocks, self.values + other.values, self.noise + other.noise)

    def __mul__(self, scale: Number) -> "Form":
        return Form(tuple(scale * b for b in self.blocks), scale * self.values, scale * self.noise)

    __rmul__ = __mul__

    def __neg__(self) -> "Form":
        return -1 * self

    def __sub__(self, other: "Form") -> "Form":
        return self + -other

    def at(self, grams: Sequence[Array], values: Array) -> Number:
        """Its value at Gram matrices and function values."""
        parts = [(b * G).sum() for b, G in zip(self.blocks, grams, strict=True) if b.size]
        return sum(parts, self.noise) + (self.values * values).sum()


def total(forms: Sequence[Form]) -> Form:
    """The sum of at least one form."""
    result = forms[0]
    for form in forms[1:]:
        result = result + form
    return result


@dataclass(eq=False)
class Raw:
    """A term over the columns of a trace: one matrix per atom, not yet weighted by probability."""

    quad: list[Array] = field(default_factory=list)  # (K or 1, u, u), u = columns in use when it was read
    values: dict[int, Number] = field(default_factory=dict)  # symbol -> coefficient, expectation taken
    const: Number = 0

    def matrices(self, count: int, size: int, like: Array) -> Array:
        """Their sum, (count, size, size); of a constant term zeros, exact where `like` is."""
        kind = self.quad[0].dtype if self.quad else like.dtype
        out = np.zeros((count, size, size), dtype=kind)
        for quad in self.quad:
            u = quad.shape[-1]
            out[:, :u, :u] = out[:, :u, :u] + quad
        return out


def read(problem: AbstractProblem, term: Any, prob: Array) -> Raw:
    """One term as a form.  prob: (K,) weights of the leading axis of its vectors.

    Raises ValueError for vectors whose leading axis is not the atoms', TypeError for what is no term.
    """
    world, raw = problem._world, Raw()
    if isinstance(term, Square):
        rows = _rows(world, term.vector, term.core, prob)
        raw.quad.append(_product(world, rows, rows, term.weight))
    elif isinstance(term, Cross):
        u, v = (_rows(world, a, term.core, prob) for a in (term.u, term.v))
        raw.quad.append(_product(world, u, v, term.weight))
    elif isinstance(term, Gap):
        _gap(world, raw, term, prob)
    elif np.ndim(term) == 0 and isinstance(term + 0, (int, float, np.number, type(world.space.one))):
        raw.const = term
    else:
        raise TypeError(f"not a term of abstract vectors: {type(term).__name__} of shape {np.shape(term)}")
    return raw


def _rows(world: World, vector: Array, core: int, prob: Array) -> Array:
    """(K or 1, rows, D): leading axes are the atoms, core - 1 axes before the last are summed."""
    if not isinstance(vector, np.ndarray) or vector.shape[-1] != world.space.capacity:
        raise ValueError(f"a term must hold vectors, got shape {np.shape(vector)}")
    split = vector.ndim - core
    lead = tuple(a for a in vector.shape[:split] if a != 1)
    if split < 0 or lead not in ((), (len(prob),)):
        raise ValueError(f"a term has leading axes {vector.shape[: max(split, 0)]} for {len(prob)} atoms")
    return world.space.clean(vector.reshape(len(prob) if lead else 1, -1, world.space.capacity))


def _product(world: World, u: Array, v: Array, weight: Number) -> Array:
    """weight sum_i (u_i v_i' + v_i u_i') / 2 over the columns in use: (K, rows, D) -> (K, used, used)."""
    same, u, v = u is v, u[..., : world.space.used], v[..., : world.space.used]
    square = u.swapaxes(-1, -2) @ v
    if not world.space.exact:
        size = np.abs(u).swapaxes(-1, -2) @ np.abs(v)
        square = np.where(np.abs(square) < DUST * size, 0.0, square)
    if not same:
        square = (square + square.swapaxes(-1, -2)) * (world.space.one / 2)
    return np.asarray(weight * square)


def _gap(world: World, raw: Raw, term: Gap, prob: Array) -> None:
    """Values at the points of a Gap: symbols where they are unknown, products where they follow."""
    everyone = np.arange(world.space.n)
    rows = _rows(world, term.point, term.core, prob)
    rows = np.repeat(rows, world.space.n, axis=1) if rows.shape[1] == 1 else rows
    weight = term.weight if term.core == 2 else term.weight * (world.space.one / world.space.n)
    chance = prob if len(rows) == len(prob) else np.array([prob.sum()])
    half, slope = (
        np.stack([world.space.zeros(world.space.n)] * len(rows)),
        np.stack([world.space.zeros(world.space.n)] * len(rows)),
    )
    world.luck.several = bool((rows != rows[:1]).any())
    for k, each in enumerate(rows):
        for o, row, at in world.space.asked(each, everyone):
            point = world.point(o, row)
            if point.value is not None:
                raw.values[point.value] = raw.values.get(point.value, 0) + weight * len(at) * chance[k]
            elif world.space.orbits[o].klass.closed:
                half[k, at] = (each[at] - world.x_star) * (world.space.one / 2)
                slope[k, at] = world.space.spread(o, point.g, at)
    raw.quad.append(_product(world, half, slope, weight))
    if world.optimum and world.tilt and world.space.n > 1:
        raw.quad.append(_product(world, world.h_star[None], rows - world.x_star, weight))
