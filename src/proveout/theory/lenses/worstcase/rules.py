"""Conditions on vectors that are known by an inequality only: noise that an oracle has seen, residuals.

    E|e|^2 <= omega |v|^2 + const,    <e, u> = 0 for every letter u that does not depend on e,
    <e_i, e_j> = 0 for i != j,        |r|^2 <= factor |v|^2,

where products with noise are expectations (a Gram matrix in L2).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.forms import Form
from proveout.theory.lenses.worstcase.luck import Noise, Residual
from proveout.theory.lenses.worstcase.reduce import Layout
from proveout.theory.lenses.worstcase.space import Letter, NotSymmetric
from proveout.theory.statement import Number

__all__ = ["Condition", "form_of", "orthogonality", "residual_conditions", "variance_conditions", "whole"]


@dataclass(frozen=True, eq=False)
class Condition:
    """form >= 0, or = 0, for every function of the class; the name says where it comes from."""

    name: str
    form: Form


def form_of(
    layout: Layout, blocks: tuple[Array, ...] | list[Array], values: dict[int, Number], noise: Number = 0
) -> Form:
    row = np.full(layout.world.values, layout.world.space.one * 0)
    for symbol, coefficient in values.items():
        row[symbol] = row[symbol] + coefficient
    return Form(tuple(blocks), row, noise)


def everyone(layout: Layout) -> list[list[int]]:
    return [list(orbit.clients) for orbit in layout.world.space.orbits]


def whole(layout: Layout, residual: Residual) -> Form:
    """sum over all rows of the rule."""
    u = layout.world.space.used
    P = sum(w * (rows[:, :u].T @ rows[:, :u]) for w, rows in residual.squares)
    values = dict(residual.values)
    return form_of(layout, layout.blocks(np.asarray(P), everyone(layout)), values, residual.const)


def residual_conditions(layout: Layout, residual: Residual) -> Iterator[Condition]:
    """One inequality per orbit of clients (its mean), or per row."""
    world, count = layout.world, len(residual.squares[0][1])
    if count == world.space.n:
        parts = [list(orbit.clients) for orbit in world.space.orbits]
    else:
        parts = [[k] for k in range(count)]
        if world.space.n > len(world.space.orbits):
            raise NotSymmetric("a rule binds the rows of a cohort")
    for at in parts:
        squares = tuple((w * world.space.one / len(at), rows[at]) for w, rows in residual.squares)
        yield Condition(residual.name, whole(layout, replace(residual, squares=squares)))


def variance_conditions(layout: Layout, noise: Noise) -> Iterator[Condition]:
    """omega |v|^2 + const - |e|^2 >= 0, in expectation."""
    rows = layout.world.luck.noise_rows(noise)
    v = noise.v if noise.v is not None else 0 * rows
    name = f"variance of e{noise.number}"
    yield from residual_conditions(
        layout, Residual(name, ((noise.omega, v), (-layout.world.space.one, rows)), noise.const)
    )


def orthogonality(
    layout: Layout, noise: Noise, letter: Letter, seen: set[tuple[int, int, int]]
) -> Iterator[Condition]:
    """The noise is orthogonal to everything that does not depend on it, and independent over clients."""
    o, k = next((o, k) for one, o, k in _places(layout) if one is letter)
    for other, orbit, j in _places(layout):
        if other is letter:
            if o in layout.pairs:
                yield _independent(layout, o, k)
        elif noise.number not in other.depends:
            cells = [(-1, _slot(layout, o, k), _slot(layout, orbit, j))]
            if o == orbit and o in layout.pairs:
                cells.append((layout.pairs.index(o), k, j))
            for block, row, column in cells:
                key = (block, min(row, column), max(row, column))
                if key not in seen:
                    seen.add(key)
                    yield _entry(layout, block, row, column, f"<{letter.name}, {other.name}> = 0")


def _places(layout: Layout) -> list[tuple[Letter, int, int]]:
    """Every letter with its orbit (-1: shared) and its place there."""
    found = [(letter, -1, k) for k, letter in enumerate(layout.shared)]
    for o, letters in enumerate(layout.own):
        found += [(letter, o, k) for k, letter in enumerate(letters)]
    return found


def _slot(layout: Layout, o: int, k: int) -> int:
    return k if o < 0 else int(layout.slots[o].start) + k


def _entry(layout: Layout, block: int, row: int, column: int, name: str) -> Condition:
    blocks = [np.full((k, k), layout.world.space.one * 0) for k in layout.sizes]
    blocks[block][row, column] = blocks[block][column, row] = layout.world.space.one
    return Condition(name, form_of(layout, blocks, {}))


def _independent(layout: Layout, o: int, k: int) -> Condition:
    """sum_{i != j} <e_i, e_j> = 0: A_kk = n |mean e|^2."""
    blocks = [np.full((s, s), layout.world.space.one * 0) for s in layout.sizes]
    blocks[layout.pairs.index(o)][k, k] = layout.world.space.one
    slot, n = layout.slots[o].start + k, layout.world.space.orbits[o].size
    blocks[-1][slot, slot] = -layout.world.space.one * (n if layout.world.space.exact else 1)
    return Condition(
        f"<{layout.own[o][k].name}_i, {layout.own[o][k].name}_j> = 0", form_of(layout, blocks, {})
    )
