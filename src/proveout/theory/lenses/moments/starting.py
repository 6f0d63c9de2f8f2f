"""From which states a horizon is judged: all admissible ones, or all that `init` makes.

A space of starts has coordinates s in R^q, |s| = 1 meaning as far from the centre as the centre is from 0, and
a homogeneous matrix `lift` into the coordinates of the chain, (y, 1) = lift (s, 1).

    admissible(coords, plain)      statements with a `domain`: every state it allows
    initial(P, m, coords)          the others: init(x0) for all x0
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import AFFINE, Refused
from proveout.theory.lenses.states import Coordinates
from proveout.theory.statement import Method, Problem, State

__all__ = ["Starts", "admissible", "initial"]


@dataclass(frozen=True, eq=False)
class Starts:
    """Coordinates of starts; what forms read them from (`q`, `state`) is as in `Coordinates`."""

    q: int
    lift: Array  # (D, q + 1)
    state: Callable[[Array], State]  # (..., q) -> leaves (..., *shape)
    zero: Array  # (q,)  where a run starts by default
    of: Callable[[Array], Array]  # x0 (d,) -> (q,), the coordinates of init(x0)

    def z(self, s: Array) -> Array:
        """Homogeneous coordinates of starts: (S, q) -> (S, D)."""
        return np.asarray(np.concatenate([s, np.ones((len(s), 1))], axis=1) @ self.lift.T)

    def some(self, many: int, seed: int = 0) -> Array:
        """The default start, random directions at lengths 1e-2 .. 1e2, some axes: (S, q)."""
        rng = np.random.default_rng([seed, self.q])
        v = rng.standard_normal((many, self.q)) / np.sqrt(self.q) * 10 ** rng.uniform(-2, 2, size=(many, 1))
        return np.concatenate([self.zero[None], v, np.eye(self.q)[: many // 4]])


def admissible(coords: Coordinates, chain: Coordinates, P: Problem, m: Method) -> Starts:
    """All states of `coords`, in the coordinates of the chain (the same, or all float fields)."""
    q = coords.q
    lift = np.zeros((chain.q + 1, q + 1))
    lift[-1, -1] = 1
    lift[:-1, :-1] = np.eye(q) if chain.basis is not None or coords.basis is None else coords.basis
    here = coords.at_clock(m.init(P, np.zeros(P.d)))

    def of(x0: Array) -> Array:
        return np.asarray(here.y(m.init(P, x0)))

    return Starts(q, lift, here.state, of(np.zeros(P.d)), of)


def initial(P: Problem, m: Method, chain: Coordinates) -> Starts:
    """init(x0) for all x0 = centre + unit s; Refused if init is not affine or not admissible."""
    x_star = getattr(P, "x_star", None)
    centre = np.zeros(P.d) if x_star is None else np.asarray(x_star, float)
    unit = float(np.sqrt(np.mean(centre**2))) or 1.0

    def state(s: Array) -> State:
        return m.init(P, centre + unit * s)

    here = chain.at_clock(state(np.zeros(P.d)))
    probes = np.concatenate([np.zeros((1, P.d)), np.eye(P.d)])
    y = np.asarray(here.y(state(probes)))
    lift = np.zeros((chain.q + 1, P.d + 1))
    lift[:-1, :-1], lift[:-1, -1], lift[-1, -1] = (y[1:] - y[0]).T, y[0], 1
    test = np.random.default_rng(0x57A).standard_normal((4, P.d)) * np.array([1e-2, 1, 1, 1e2])[:, None]
    got, want = here.y(state(test)), test @ lift[:-1, :-1].T + y[0]
    size = np.abs(want).max(axis=1) + 1
    if not (np.abs(got - want).max(axis=1) <= AFFINE * size).all():
        raise Refused("init is not affine in x0")
    if float(np.max(here.outside(state(test)) / size)) > AFFINE:
        raise Refused("init leads out of the admissible states", "inconclusive")
    return Starts(P.d, lift, state, -centre / unit, lambda x0: (x0 - centre) / unit)
