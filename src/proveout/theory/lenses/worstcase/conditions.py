"""What a Gram matrix and values must satisfy to come from functions of the class, as forms.

One inequality per orbit and ordered pair of points, averaged over the clients of the orbit (`classes` has
the table).  Besides: bounds of noise and residual vectors, and, for noise that an oracle has seen,

    <e, u> = 0 for every letter u that does not depend on e,    <e_i, e_j> = 0 for i != j,

where products are expectations (a Gram matrix in L2; the pair inequalities hold in expectation).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.forms import Form
from proveout.theory.lenses.worstcase.luck import Noise, Residual
from proveout.theory.lenses.worstcase.reduce import Layout
from proveout.theory.lenses.worstcase.space import Letter, NotSymmetric
from proveout.theory.lenses.worstcase.world import Point
from proveout.theory.statement import Number, Problem

__all__ = ["Condition", "equalities", "inequalities", "matrices"]

Vector = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class Condition:
    """form >= 0, or = 0, for every function of the class; the name says where it comes from."""

    name: str
    form: Form


def inequalities(layout: Layout, base: Problem) -> list[Condition]:
    """All conditions form >= 0."""
    found = [c for o in range(len(layout.own)) for c in _orbit(layout, o)]
    found += list(_of_f(layout))
    for residual in layout.world.luck.residuals:
        found += list(_residual(layout, residual))
    for noise in layout.world.luck.noises:
        if noise.kept:
            found += list(_variance(layout, noise))
    zeta2 = getattr(base, "zeta2", None)
    if zeta2 is not None and layout.world.optimum and layout.world.space.n > 1:
        square = Residual(
            "heterogeneity", ((-layout.world.space.one / layout.world.space.n, layout.world.h_star),), zeta2
        )
        found += [Condition("mean |h*|^2 <= zeta2", _whole(layout, square))]
    return found


def _form(
    layout: Layout, blocks: tuple[Array, ...] | list[Array], values: dict[int, Number], noise: Number = 0
) -> Form:
    row = np.full(layout.world.values, layout.world.space.one * 0)
    for symbol, coefficient in values.items():
        row[symbol] = row[symbol] + coefficient
    return Form(tuple(blocks), row, noise)


def _minus(layout: Layout, u: Vector, v: Vector) -> Vector:
    return layout.world.space.clean(u[0] - v[0]), layout.world.space.clean(u[1] - v[1])


def _tag(layout: Layout, o: int) -> str:
    return "f_i" if len(layout.own) == 1 else f"f_i[{o}]"


# ------------------------------------------------------------------ points of one function


def _orbit(layout: Layout, o: int) -> Iterator[Condition]:
    klass, points = layout.world.space.orbits[o].klass, layout.world.points[o]
    x = [layout.vector(o, p.x) for p in points]
    g = [layout.vector(o, p.g) for p in points]
    if not klass.closed:
        for p, q in permutations(range(len(points)), 2):
            blocks = _pair(layout, o, _minus(layout, x[p], x[q]), _minus(layout, g[p], g[q]), g[q])
            name = f"{_tag(layout, o)}: {points[p].name} -> {points[q].name}"
            yield Condition(name, _form(layout, blocks, _difference(points[p], points[q])))
    if klass.M is not None:
        for point in points:
            slope = layout.vector(o, point.g + _star(layout, o))
            minus = [-b for b in layout.product(o, slope, slope)]
            yield Condition(
                f"{_tag(layout, o)}: |grad({point.name})| <= M", _form(layout, minus, {}, klass.M**2)
            )


def _star(layout: Layout, o: int) -> Array:
    """h*_i of the orbit's first client, where the oracle was tilted."""
    world = layout.world
    return world.h_star[world.space.orbits[o].clients[0]] * (
        world.space.one if world.tilt else world.space.one * 0
    )


def _difference(p: Point, q: Point) -> dict[int, Number]:
    """F_p - F_q as coefficients."""
    return {**({p.value: 1} if p.value is not None else {}), **({q.value: -1} if q.value is not None else {})}


def _pair(layout: Layout, o: int, D: Vector, d: Vector, g: Vector) -> list[Array]:
    """The quadratic part of the inequality of F(mu, L) for one ordered pair."""
    klass, one = layout.world.space.orbits[o].klass, layout.world.space.one
    mu = klass.mu * one
    parts: list[tuple[Number, Vector, Vector]] = [(one, g, D)]
    if klass.smooth:
        L = klass.L * one
        scale = one / (2 * (1 - mu / L))
        parts += [(scale / L, d, d), (scale * mu, D, D), (-2 * scale * mu / L, d, D)]
    else:
        parts += [(mu / 2, D, D)]
    blocks = [np.full((k, k), 0 * one) for k in layout.sizes]
    for weight, u, v in parts:
        if weight:
            blocks = [a - weight * b for a, b in zip(blocks, layout.product(o, u, v), strict=True)]
    return blocks


def _of_f(layout: Layout) -> Iterator[Condition]:
    """Conditions on f = mean f_i, at points that all clients share: f* only, and PL."""
    world = layout.world
    klass = world.space.orbits[0].klass
    if world.optimum and klass.pl is None:
        return
    for point in world.points[0]:
        same = [_find(layout, o, point) for o in range(len(layout.own))]
        if (world.optimum and point is world.points[0][0]) or any(p is None for p in same):
            continue
        weights = [world.space.one * orbit.size / world.space.n for orbit in world.space.orbits]
        beta = sum(w * layout.vector(o, p.g)[1] for o, (w, p) in enumerate(zip(weights, same, strict=True)))  # type: ignore[union-attr]
        blocks = layout.product(
            0, (0 * layout.vector(0, point.g)[0], beta), (0 * layout.vector(0, point.g)[0], beta)
        )
        values = {
            p.value: w for w, p in zip(weights, same, strict=True) if p is not None and p.value is not None
        }
        if not world.optimum:
            scale = -world.space.one / (2 * klass.L)
            yield Condition(f"f({point.name}) >= f*", _form(layout, [scale * b for b in blocks], values))
        if klass.pl is not None:
            scaled = {symbol: -2 * klass.pl * w for symbol, w in values.items()}
            yield Condition(f"PL at {point.name}", _form(layout, blocks, scaled))


def _find(layout: Layout, o: int, point: Point) -> Point | None:
    """The point of an orbit that is this one, if it is one point for all clients."""
    alpha, _ = layout.vector(0, point.x)
    if 0 in layout.pairs and (alpha != 0).any():
        return None
    return next((p for p in layout.world.points[o] if layout.world.space.equal(p.x, point.x)), None)


def matrices(layout: Layout) -> list[tuple[str, list[list[Form]]]]:
    """For orbits of quadratics: matrices of forms that must be PSD, <L x_p - g_p, g_q - mu x_q> around x*."""
    out = []
    for o, x, g in _quadratics(layout):
        klass = layout.world.space.orbits[o].klass
        left = [(klass.L * a[0] - b[0], klass.L * a[1] - b[1]) for a, b in zip(x, g, strict=True)]
        right = [(b[0] - klass.mu * a[0], b[1] - klass.mu * a[1]) for a, b in zip(x, g, strict=True)]
        table = [[_form(layout, layout.product(o, u, v), {}) for v in right] for u in left]
        out.append((f"{_tag(layout, o)} quadratic", table))
    return out


def _quadratics(layout: Layout) -> Iterator[tuple[int, list[Vector], list[Vector]]]:
    world = layout.world
    for o, orbit in enumerate(world.space.orbits):
        points = world.points[o][1:]
        if orbit.klass.quadratic and orbit.klass.L != orbit.klass.mu and points:
            x = [layout.vector(o, p.x - world.x_star) for p in points]
            yield o, x, [layout.vector(o, p.g) for p in points]


# ------------------------------------------------------------------ noise and residuals


def _everyone(layout: Layout) -> list[list[int]]:
    return [list(orbit.clients) for orbit in layout.world.space.orbits]


def _whole(layout: Layout, residual: Residual) -> Form:
    """sum over all rows of the rule."""
    u = layout.world.space.used
    P = sum(w * (rows[:, :u].T @ rows[:, :u]) for w, rows in residual.squares)
    return _form(layout, layout.blocks(np.asarray(P), _everyone(layout)), {}, residual.const)


def _residual(layout: Layout, residual: Residual) -> Iterator[Condition]:
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
        yield Condition(residual.name, _whole(layout, Residual(residual.name, squares, residual.const)))


def _variance(layout: Layout, noise: Noise) -> Iterator[Condition]:
    """omega |v|^2 + const - |e|^2 >= 0, in expectation."""
    rows = layout.world.luck.noise_rows(noise)
    v = noise.v if noise.v is not None else 0 * rows
    name = f"variance of e{noise.number}"
    yield from _residual(
        layout, Residual(name, ((noise.omega, v), (-layout.world.space.one, rows)), noise.const)
    )


def equalities(layout: Layout) -> list[Condition]:
    """All conditions form = 0."""
    found = []
    for o, x, g in _quadratics(layout):
        for p, q in combinations(range(len(x)), 2):
            left, right = layout.product(o, x[p], g[q]), layout.product(o, g[p], x[q])
            blocks = [a - b for a, b in zip(left, right, strict=True)]
            found.append(Condition(f"{_tag(layout, o)} symmetric", _form(layout, blocks, {})))
    seen: set[tuple[int, int, int]] = set()
    for noise in layout.world.luck.noises:
        if noise.kept:
            for letter in noise.letters:
                found += list(_orthogonal(layout, noise, letter, seen))
    return found


def _orthogonal(
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
    return Condition(name, _form(layout, blocks, {}))


def _independent(layout: Layout, o: int, k: int) -> Condition:
    """sum_{i != j} <e_i, e_j> = 0: A_kk = n |mean e|^2."""
    blocks = [np.full((s, s), layout.world.space.one * 0) for s in layout.sizes]
    blocks[layout.pairs.index(o)][k, k] = layout.world.space.one
    slot, n = layout.slots[o].start + k, layout.world.space.orbits[o].size
    blocks[-1][slot, slot] = -layout.world.space.one * (n if layout.world.space.exact else 1)
    return Condition(f"<{layout.own[o][k].name}_i, {layout.own[o][k].name}_j> = 0", _form(layout, blocks, {}))
