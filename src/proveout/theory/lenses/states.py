"""Admissible states star + P y: what a lens perturbs, in which units, and what it leaves alone.

All float fields of a state, flattened, form R^D.  Integer and boolean fields are the *clock*: never
perturbed, carried along.  The coordinates of every lens are y in R^q,

    state = star + units * (basis y),

with `units` one length per field and `basis` an orthonormal basis of what `domain` allows.  So |y| = 1 means
"as far from star as star is from 0", in every field, and states are restricted to the admissible ones, centred
at star and scaled: three things that no lens can do without.

    coords = coordinates_of(statement, P, m)          # or coordinates(P, m, star=..., domain=..., V=...)
    state  = coords.state(y)                          # (..., q) -> leaves (..., *shape), clocks broadcast
    y      = coords.y(state)                          # the inverse, for admissible states
    coords.outside(state)                             # how far a state leaves the admissible space, in units
    coords.at_clock(state)                            # the same coordinates with another clock

`coords.linear` is False where `domain` is not affine (a ball, a manifold): then `basis` is None and `state`
projects every point; only searches may use such coordinates.  The same holds, with `linear` True, when
D > `limit`: the basis is left implicit, q = D, and `coords.shrink` projects; `coords.with_basis()` makes it
explicit (0.5 s at D = 1200), which only an affine step is worth.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.common import Refused, value
from proveout.theory.lenses.trees import (
    Field,
    clock_of,
    fields_of,
    is_float,
    leaves,
    rebuild,
    rms,
    shaped,
    time_of,
    width,
)
from proveout.theory.statement import Method, Problem, State

__all__ = [
    "EXPLICIT",
    "LAZY",
    "Coordinates",
    "Field",
    "clock_of",
    "coordinates",
    "coordinates_of",
    "is_float",
    "leaves",
    "start_state",
    "time_of",
]

RANK = 1e-10  # of the singular values of a projection, which are 0 or >= 1
TINY = 1e-8  # a field this small against the largest has no length of its own
EXPLICIT = 1200  # D up to which the admissible basis is computed, if it is asked for
LAZY = 150  # D up to which a lens that may not need the basis computes it at once


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The map between y in R^q and admissible states; see the module."""

    star: State  # without leading axes
    fields: tuple[Field, ...]
    units: Array  # (D,)
    basis: Array | None = None  # (D, q) orthonormal; None: the identity, or implicit
    project: Callable[[State], State] | None = None  # the domain, where the basis is implicit
    linear: bool = True

    @property
    def D(self) -> int:
        return len(self.units)

    @property
    def q(self) -> int:
        return self.D if self.basis is None else int(self.basis.shape[1])

    @property
    def explicit(self) -> bool:
        """Are the coordinates a linear bijection (what forms and maps need)?"""
        return self.project is None

    def state(self, y: Array) -> State:
        """(..., q) -> state with leaves (..., *shape)."""
        v = y if self.basis is None else y @ self.basis.T
        state = self.place(v)
        return state if self.project is None else self.project(state)

    def place(self, v: Array) -> State:
        """Scaled flat vector -> state, without any projection: (..., D) -> leaves (..., *shape)."""
        lead = v.shape[:-1]
        values = [
            leaf
            if leaf is None or type(leaf) is int
            else np.broadcast_to(np.asarray(leaf), lead + np.shape(leaf))
            for leaf in leaves(self.star)
        ]
        for f in self.fields:
            moved = (self.units[f.part] * v[..., f.part]).reshape(*lead, *f.shape)
            values[f.leaf] = np.asarray(leaves(self.star)[f.leaf]) + moved
        return rebuild(self.star, values)

    def flat(self, state: State) -> Array:
        """D^-1 (state - star), flattened; fields may carry different leading axes: (..., D)."""
        parts, got = [], leaves(state)
        star = leaves(self.star)
        for f in self.fields:
            a = np.asarray(got[f.leaf]) - star[f.leaf]
            lead = a.shape[: a.ndim - len(f.shape)]
            parts.append(np.broadcast_to(a, lead + f.shape).reshape(*lead, -1) / self.units[f.part])
        lead = np.broadcast_shapes(*(p.shape[:-1] for p in parts))
        return np.concatenate([np.broadcast_to(p, (*lead, p.shape[-1])) for p in parts], axis=-1)

    def y(self, state: State) -> Array:
        """Coordinates of an admissible state: (..., q)."""
        v = self.flat(state)
        return v if self.basis is None else v @ self.basis

    def shrink(self, v: Array) -> Array:
        """Scaled flat vectors -> coordinates of the nearest admissible states: (..., D) -> (..., q)."""
        if self.project is not None:
            return self.flat(self.project(self.place(v)))
        return v if self.basis is None else v @ self.basis

    def outside(self, state: State) -> Array:
        """Distance, in units, of a state from the admissible space: (...)."""
        v = self.flat(state)
        if self.project is not None:
            v = v - self.shrink(v)
        elif self.basis is not None:
            v = v - (v @ self.basis) @ self.basis.T
        else:
            return np.zeros(v.shape[:-1])
        return np.linalg.norm(v, axis=-1)

    def with_basis(self) -> "Coordinates | None":
        """The same coordinates with an explicit basis; None where the domain is not affine or too large."""
        if self.project is None:
            return self
        if not self.linear or self.D > EXPLICIT:
            return None
        return _restricted(replace(self, project=None), self.project, EXPLICIT)

    def at_clock(self, state: State) -> "Coordinates":
        """The same coordinates, clocks taken from `state` (without leading axes)."""
        values = [
            old if old is None or is_float(old) else new
            for old, new in zip(leaves(self.star), leaves(state), strict=True)
        ]
        return replace(self, star=rebuild(self.star, values))


def start_state(P: Problem, m: Method, seed: int = 0) -> State:
    """init at x* where there is one (nothing cancels there), else at a random point of rms 1.

    The centre of coordinates for claims without an optimum.
    """
    x = getattr(P, "x_star", None)
    return m.init(
        P, np.random.default_rng([seed, 0x51A7]).standard_normal(P.d) if x is None else np.asarray(x)
    )


def coordinates_of(
    statement: Any, P: Problem, m: Method, *, seed: int = 0, limit: int = EXPLICIT
) -> Coordinates:
    """Coordinates of a statement with `star`, `domain` and `lyapunov` or `measure` (any may be missing)."""
    V = getattr(statement, "lyapunov", None) or getattr(statement, "measure", None)
    star = getattr(statement, "star", None)
    domain = getattr(statement, "domain", None)
    project = (lambda s: domain(P, m, s)) if domain else None
    centre = star(P, m) if star else start_state(P, m, seed)
    return coordinates(
        P,
        m,
        star=centre if star or project is None else project(centre),
        domain=project,
        V=(lambda s: value(V(P, m, s), P)) if V else None,
        limit=limit,
    )


def coordinates(
    P: Problem,
    m: Method,
    *,
    star: State,
    domain: Callable[[State], State] | None = None,
    V: Callable[[State], Array] | None = None,
    limit: int = EXPLICIT,
) -> Coordinates:
    """Coordinates around `star`; `domain` projects a state on the admissible ones, V helps to find units.

    Raises Refused if star is not finite, not admissible, or the state has no float field.
    """
    star = shaped(star, m.init(P, np.zeros(P.d)))
    plain = Coordinates(star=star, fields=fields_of(star), units=np.ones(width(star)))
    if not plain.fields:
        raise Refused("the state has no float field")
    origin = plain.flat(tree_map(lambda a: 0 * a if is_float(a) else a, star))  # = -star
    if not np.isfinite(origin).all():
        raise Refused("star is not finite", "inconclusive")
    if domain is not None:
        inside = domain(star)
        moved = np.linalg.norm(plain.flat(inside))
        rounding = 1e-10 * float(getattr(P, "L_max", 0.0)) * np.linalg.norm(getattr(P, "x_star", 0.0))
        if moved > 1e-6 * np.linalg.norm(origin) + rounding + 1e-300:
            raise Refused("star is not an admissible state of the statement", "inconclusive")
        plain = replace(plain, star=shaped(inside, star))
    units = _units(plain, origin, domain, V)
    coords = replace(plain, units=units)
    return coords if domain is None else _restricted(coords, domain, limit)


def _probe(fields: tuple[Field, ...], D: int) -> Array:
    """One generic direction of rms 1 per field: (fields, D)."""
    rng = np.random.default_rng(0xF1E1D)
    out = np.zeros((len(fields), D))
    for k, f in enumerate(fields):
        v = rng.standard_normal(f.stop - f.start)
        out[k, f.part] = v / rms(v)
    return out


def _units(
    plain: Coordinates,
    star: Array,
    domain: Callable[[State], State] | None,
    V: Callable[[State], Array] | None,
) -> Array:
    """One length per field: its rms at star, or the length that balances it in V; coupled fields share."""
    fields = plain.fields
    size = np.array([rms(star[f.part]) for f in fields])
    seen = size > TINY * size.max()
    first = int(np.argmax(seen)) if seen.any() else 0
    reference = float(size[first]) if seen.any() else 1.0
    length = np.where(seen, size, 1.0)
    length[first] = reference
    probes = _probe(fields, plain.D)
    if not seen.all() and V is not None:
        s = reference * np.concatenate([0 * probes[:1], probes, -probes])
        states = plain.place(s[:, None, :])
        with np.errstate(all="ignore"):
            values = V(domain(states) if domain else states)
        v = np.broadcast_to(values, (len(s), 1))[:, 0]
        k = len(fields)
        bend = (v[1 : k + 1] + v[k + 1 :]) / 2 - v[0]
        fair = (bend > 1e-12 * np.abs(v).max()) & np.isfinite(bend)
        if fair[first]:
            balanced = reference * np.sqrt(bend[first] / np.where(fair, bend, bend[first]))
            length = np.where(seen | ~fair, length, balanced)
    if domain is not None:
        moved = plain.flat(domain(plain.place(reference * probes[:, None, :])))[:, 0]
        touched = np.array([[rms(row[f.part]) > 1e-9 * reference for f in fields] for row in moved])
        group = touched | touched.T | np.eye(len(fields), dtype=bool)
        for _ in fields:
            group = (group.astype(int) @ group.astype(int)) > 0
        length = np.array([length[row].max() for row in group])
    return np.concatenate([np.full(f.stop - f.start, u) for f, u in zip(fields, length, strict=True)])


def _restricted(coords: Coordinates, domain: Callable[[State], State], limit: int) -> Coordinates:
    """Coordinates of the image of `domain`: a basis, or implicit where it is large or not affine."""

    def image(v: Array) -> Array:
        return coords.flat(domain(coords.place(v)))

    rng = np.random.default_rng(0xD0)
    u, w = rng.standard_normal((2, 4, 1, coords.D)) * np.array([1e-2, 1, 1e2, 1e4])[:, None, None]
    centre = image(np.zeros((1, 1, coords.D)))
    bend = np.abs(image(u - 0.5 * w) - image(u) + 0.5 * image(w) - 0.5 * centre)
    linear = bool((bend.max(axis=-1) <= 1e-8 * (np.abs(u) + np.abs(w)).max(axis=-1)).all())
    if not linear or coords.D > limit:
        return replace(coords, project=domain, linear=linear)
    J = (image(np.eye(coords.D)[:, None, :]) - centre)[:, 0].T  # columns: images of the basis vectors
    if np.abs(J - J.T).max() <= 1e-12:
        w_, q_ = np.linalg.eigh((J + J.T) / 2)
        basis = q_[:, np.abs(w_) > RANK]
    else:
        left, s, _ = np.linalg.svd(J)
        basis = left[:, s > RANK * max(float(s[0]), 1e-300)]
    signs = np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])])
    return replace(coords, basis=basis * signs)
