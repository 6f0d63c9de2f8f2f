"""What a Gram matrix and values must satisfy to come from functions of the class, as forms.

One inequality per orbit and ordered pair of points, averaged over the clients of the orbit (`classes` has
the table); with noise that an oracle has seen, they hold in expectation (`rules` has what is known of noise).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.classes import is_finite
from proveout.theory.lenses.worstcase.forms import Form
from proveout.theory.lenses.worstcase.luck import Residual
from proveout.theory.lenses.worstcase.reduce import Layout
from proveout.theory.lenses.worstcase.rules import (
    Condition,
    form_of,
    orthogonality,
    residual_conditions,
    variance_conditions,
    whole,
)
from proveout.theory.lenses.worstcase.world import Point
from proveout.theory.statement import Number, Problem

__all__ = ["Condition", "equalities", "inequalities", "matrices"]

Vector = tuple[Array, Array]


def inequalities(layout: Layout, base: Problem) -> list[Condition]:
    """All conditions form >= 0."""
    found = [c for o in range(len(layout.own)) for c in _orbit(layout, o)]
    found += list(_of_f(layout))
    for residual in layout.world.luck.residuals:
        found += list(residual_conditions(layout, residual))
    for noise in layout.world.luck.noises:
        if noise.kept and noise.omega is not None:
            found += list(variance_conditions(layout, noise))
    zeta2 = getattr(base, "zeta2", None)
    if zeta2 is not None and layout.world.optimum and layout.world.space.n > 1:
        square = Residual(
            "heterogeneity", ((-layout.world.space.one / layout.world.space.n, layout.world.h_star),), zeta2
        )
        found += [Condition("mean |h*|^2 <= zeta2", whole(layout, square))]
    return found


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
            yield Condition(name, form_of(layout, blocks, _difference(points[p], points[q])))
    if klass.M is not None:
        for point in points:
            slope = layout.vector(o, point.g + _star(layout, o))
            minus = [-b for b in layout.product(o, slope, slope)]
            yield Condition(
                f"{_tag(layout, o)}: |grad({point.name})| <= M", form_of(layout, minus, {}, klass.M**2)
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
    klass = layout.world.space.orbits[o].klass
    return _quadratic_part(layout, o, klass.L, klass.mu, (D, d, g))


def _quadratic_part(
    layout: Layout, o: int, L: Number, mu: Number, pair: tuple[Vector, Vector, Vector]
) -> list[Array]:
    (D, d, g), one = pair, layout.world.space.one
    mu = mu * one
    parts: list[tuple[Number, Vector, Vector]] = [(one, g, D)]
    if is_finite(L):
        L = L * one
        scale = one / (2 * (1 - mu / L))
        parts += [(scale / L, d, d), (scale * mu, D, D), (-2 * scale * mu / L, d, D)]
    else:
        parts += [(mu / 2, D, D)]
    blocks = [np.full((k, k), 0 * one) for k in layout.sizes]
    for weight, u, v in parts:
        if weight:
            blocks = [a - weight * b for a, b in zip(blocks, layout.product(o, u, v), strict=True)]
    return blocks


# ------------------------------------------------------------------ f = mean f_i


@dataclass(frozen=True, eq=False)
class _Mean:
    """A point that all clients share, with the means of their gradients and values."""

    name: str
    x: Vector
    g: Vector
    values: dict[int, Number]
    star: bool


def _of_f(layout: Layout) -> Iterator[Condition]:
    """Conditions on f at points that all clients share: f* only, PL, more convexity than the f_i have."""
    world, one = layout.world, layout.world.space.one
    klass = world.space.orbits[0].klass
    if (world.optimum and klass.pl is None and klass.mean is None) or klass.closed:
        return
    points = list(_means(layout))
    for p in points:
        square = layout.product(0, p.g, p.g)
        if not world.optimum:
            scale = -one / (2 * klass.L)
            yield Condition(f"f({p.name}) >= f*", form_of(layout, [scale * b for b in square], p.values))
        if klass.pl is not None and not p.star:
            scaled = {symbol: -2 * klass.pl * w for symbol, w in p.values.items()}
            yield Condition(f"PL at {p.name}", form_of(layout, square, scaled))
    if klass.mean is not None:
        yield from _convexity(layout, points, *klass.mean)


def _convexity(layout: Layout, points: list[_Mean], L: Number, mu: Number) -> Iterator[Condition]:
    for p, q in permutations(points, 2):
        pair = _minus(layout, p.x, q.x), _minus(layout, p.g, q.g), q.g
        symbols = {**p.values, **q.values}
        values = {symbol: p.values.get(symbol, 0) - q.values.get(symbol, 0) for symbol in symbols}
        blocks = _quadratic_part(layout, 0, L, mu, pair)
        yield Condition(f"f: {p.name} -> {q.name}", form_of(layout, blocks, values))


def _means(layout: Layout) -> Iterator[_Mean]:
    world = layout.world
    shares = [world.space.one * orbit.size / world.space.n for orbit in world.space.orbits]
    for k, point in enumerate(world.points[0]):
        same = [_find(layout, o, point) for o in range(len(layout.own))]
        if all(p is not None for p in same):
            alpha, x = layout.vector(0, point.x)
            g = sum(w * layout.vector(o, p.g)[1] for o, (w, p) in enumerate(zip(shares, same, strict=True)))  # type: ignore[union-attr]
            values = {p.value: w for w, p in zip(shares, same, strict=True) if p.value is not None}  # type: ignore[union-attr]
            yield _Mean(point.name, (0 * alpha, x), (0 * alpha, g), values, world.optimum and k == 0)


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
        table = [[form_of(layout, layout.product(o, u, v), {}) for v in right] for u in left]
        out.append((f"{_tag(layout, o)} quadratic", table))
    return out


def _quadratics(layout: Layout) -> Iterator[tuple[int, list[Vector], list[Vector]]]:
    world = layout.world
    for o, orbit in enumerate(world.space.orbits):
        points = world.points[o][1:]
        if orbit.klass.quadratic and orbit.klass.L != orbit.klass.mu and points:
            x = [layout.vector(o, p.x - world.x_star) for p in points]
            yield o, x, [layout.vector(o, p.g) for p in points]


def equalities(layout: Layout) -> list[Condition]:
    """All conditions form = 0."""
    found = []
    for o, x, g in _quadratics(layout):
        for p, q in combinations(range(len(x)), 2):
            left, right = layout.product(o, x[p], g[q]), layout.product(o, g[p], x[q])
            blocks = [a - b for a, b in zip(left, right, strict=True)]
            found.append(Condition(f"{_tag(layout, o)} symmetric", form_of(layout, blocks, {})))
    seen: set[tuple[int, int, int]] = set()
    for noise in layout.world.luck.noises:
        if noise.kept:
            for letter in noise.letters:
                found += list(orthogonality(layout, noise, letter, seen))
    return found
