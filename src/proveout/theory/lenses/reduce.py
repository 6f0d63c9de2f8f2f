"""Fewer atoms, same expectation.

If the step is affine in a float field xi of the draw (noise added, a mask multiplied: no `where`, no
comparison) and V is quadratic in the next state, only the mean and the covariance of xi enter.  The field's
law is then replaced by `moment_atoms`, 2r equiprobable points with these moments: exact for every state,
also when the step is nonlinear in the state, and it makes Gaussian noise enumerable.  Coins stay.

    atoms, note = atoms_for(P, m, law, coords, V, budget)     # V(state) -> (...), or None
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.laws import Either, Joint, Law, Sure, moment_atoms
from proveout.theory.lenses.common import AFFINE, Atoms, Budget, atoms_of
from proveout.theory.lenses.forms import quadratic_in
from proveout.theory.lenses.states import Coordinates
from proveout.theory.statement import Method, Problem, State

__all__ = ["MomentLaw", "atoms_for", "fewer_atoms"]

OTHERS = 4096  # draws of the other fields for which affinity in one field is tested


@dataclass(frozen=True, eq=False)
class MomentLaw(Law):
    """Stands for a law of float vectors wherever only its first two moments enter."""

    law: Law

    def _points(self) -> tuple[Array, Array]:
        return moment_atoms(self.law)

    @property
    def of(self) -> str | None:  # type: ignore[override]
        return self.law.of

    @property
    def size(self) -> float:
        return len(self._points()[0])

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        return self.law.sample(rng, shape)

    def atoms(self) -> tuple[Array, Any]:
        return self._points()


def atoms_for(
    P: Problem,
    m: Method,
    law: Law,
    coords: Coordinates,
    V: Callable[[State], Array] | None,
    budget: Budget,
) -> Atoms:
    """The atoms of a law, by moment atoms where that is exact and shorter; Refused if there are too many."""
    reduced, names = fewer_atoms(P, m, law, coords, V)
    atoms = atoms_of(reduced, limit=budget.pairs / coords.D)
    if not names:
        return atoms
    return replace(atoms, note="; ".join(filter(None, (atoms.note, f"moment atoms for {', '.join(names)}"))))


def fewer_atoms(
    P: Problem, m: Method, law: Law, coords: Coordinates, V: Callable[[State], Array] | None
) -> tuple[Law, tuple[str, ...]]:
    """The law with MomentLaw in place of the fields that pass the tests, and their names."""
    if V is None or not isinstance(law, (Joint, Either)):
        return law, ()
    names = [name for name, field in _fields(law) if _shorter(field)]
    names = [name for name in names if _affine_in(P, m, law, coords, name)]
    if not names or not quadratic_in(lambda y: V(coords.state(y[:, None, :]))[:, 0], coords.q):
        return law, ()
    fields = {name: MomentLaw(getattr(law.draw, name)) for name in names}
    return replace(law, draw=law.draw._replace(**fields)), tuple(names)


def _fields(law: Joint | Either) -> Iterator[tuple[str, Any]]:
    yield from zip(law.draw._fields, law.draw, strict=True)


def _shorter(field: Any) -> bool:
    """Does this field have moments, and more atoms than they need?"""
    if not isinstance(field, Law) or isinstance(field, (Sure, MomentLaw)) or not hasattr(field, "moments"):
        return False
    try:
        _, cov = field.moments()
        count = field.count
    except (AttributeError, TypeError):
        return False
    return not math.isfinite(count) or 2 * max(1, int(np.linalg.matrix_rank(cov))) < count


def _affine_in(P: Problem, m: Method, law: Joint | Either, coords: Coordinates, name: str) -> bool:
    """At 3 states, for every draw of the other fields (at most OTHERS of them) and random real values of
    this one: the step at the mid-point is the mean of the steps."""
    rng = np.random.default_rng(0x3A1)
    field = np.asarray(getattr(law.draw, name).sample(rng, (64,)))
    if field.dtype.kind != "f":
        return False
    spread = float(np.abs(field).max()) or 1.0
    others = replace(law, draw=law.draw._replace(**{name: Sure(field[0])}))
    if others.count > OTHERS:
        return False
    rest = atoms_of(others)
    draw = rest.part(0, rest.size)
    states = coords.state(rng.standard_normal((3, 1, coords.q)))
    one, two = spread * rng.standard_normal((2, 1, rest.size, *field.shape[1:]))
    out = []
    with np.errstate(all="ignore"):
        for xi in (one, two, (one + two) / 2):
            try:
                out.append(coords.flat(m.step(P, states, draw._replace(**{name: xi}))))
            except (IndexError, TypeError, ValueError):
                return False
    bend = np.abs(out[2] - (out[0] + out[1]) / 2)
    return bool((bend <= 10 * AFFINE * (np.abs(out[0]) + np.abs(out[1]) + 1).max()).all())
