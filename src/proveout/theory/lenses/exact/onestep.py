"""A one-step claim on a problem with data: both sides at any states, with what rounding may add.

claim = claim_of(statement, P, m, budget, clock)      # Refused if it cannot be enumerated
lhs, rhs = claim.sides(states)                        # states (S, 1, ...) -> (S,), (S,)
claim.figures(y)                                      # (S, q) -> lhs/rhs, rounding at star taken off
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.common import (
    BUDGETS,
    RATE,
    Atoms,
    Budget,
    Refused,
    expectation,
    lead_of,
    ratio,
    value,
    worst_rate,
)
from proveout.theory.lenses.exact.counting import CountedProblem
from proveout.theory.lenses.reduce import atoms_for
from proveout.theory.lenses.states import LAZY, Coordinates, coordinates_of, time_of
from proveout.theory.statement import Gap, Method, OneStep, Problem, State

__all__ = ["Claim", "batch_of", "claim_of", "one_step_sides"]

EPS = 2.0**-52
SMALL = 64 * EPS
PASSES = 8.0  # times that a step and V read or write one float of a next state
ORACLE = 6  # multiply-adds of an oracle in the time of one float elsewhere
STAR = 1e-6  # a star that moves by more than this (V-norm, against |y| = 1) is no fixed point


@dataclass(frozen=True, eq=False)
class Claim:
    """lhs = E[V(next)|s] + progress(s) against rhs = rate V(s) + noise."""

    statement: OneStep
    P: Problem
    m: Method
    coords: Coordinates
    atoms: Atoms
    rate: float
    active: tuple[int, ...]
    noise: float
    phi: float = 0.0  # residual of star in V-norm: within 2 phi sqrt(rhs) + phi^2 of it nothing is decided
    floor: float = 0.0  # absolute rounding of V: eps |f*| of its gaps, (eps |star|)^2 of its squares

    def cost(self) -> float:
        """Floats that both sides read and write at one state: what the budget of a search counts."""
        counted = CountedProblem(self.P)
        replace(self, P=counted).sides(self.coords.state(np.zeros((1, 1, self.coords.q))))
        return PASSES * self.atoms.size * self.coords.D + counted.seen.floats / ORACLE

    def V(self, states: State) -> Array:
        """V at states (S, 1, ...): (S,)."""
        return _row(value(self.statement.lyapunov(self.P, self.m, states), self.P), states)

    def sides(self, states: State) -> tuple[Array, Array]:
        """(lhs, rhs) at states (S, 1, ...), raw."""
        lhs = expectation(self.P, self.m, self.statement.lyapunov, states, self.atoms, self.coords.D)
        with np.errstate(all="ignore"):
            if self.statement.progress is not None:
                lhs = lhs + _row(value(self.statement.progress(self.P, self.m, states), self.P), states)
            return lhs, self.rate * self.V(states) + self.noise

    def eased(self, states: State) -> tuple[Array, Array, Array]:
        """(lhs/rhs with the benefit of rounding, lhs, rhs): a step that hits star exactly misses it by eps."""
        lhs, rhs = self.sides(states)
        with np.errstate(all="ignore"):
            tiny = self.floor + (SMALL * SMALL) * self.V(states)
            slack = tiny + self.phi**2 + 2 * self.phi * np.sqrt(np.maximum(rhs, 0))
            return ratio(np.maximum(lhs - slack, 0), rhs + self.floor * (rhs != 0)), lhs, rhs

    def figures(self, y: Array) -> Array:
        """lhs/rhs at y (S, q), rounding taken off; NaN where there is nothing to compare."""
        return self.eased(self.coords.state(y[:, None, :]))[0]


def _row(number: Any, states: State) -> Array:
    return np.broadcast_to(np.asarray(number, float), (lead_of(states), 1))[:, 0]


def claim_of(
    statement: OneStep,
    P: Problem,
    m: Method,
    budget: Budget,
    coords: Coordinates | None = None,
    seed: int = 0,
) -> Claim:
    """The claim with its coordinates, atoms and rounding; Refused if that is not possible.

    Inconclusive if star is not a fixed point although nothing shows that the optimum itself is right.
    """
    return _with_rounding(
        _bare(statement, P, m, budget, coords or coordinates_of(statement, P, m, seed=seed, limit=LAZY))
    )


def _bare(statement: OneStep, P: Problem, m: Method, budget: Budget, coords: Coordinates) -> Claim:
    def V(states: State) -> Array:
        return np.asarray(value(statement.lyapunov(P, m, states), P))

    law = m.law(P).at(time_of(coords.star))
    atoms = atoms_for(P, m, law, coords, V, budget)
    rate, active = worst_rate(statement, P, m)
    noise = float(statement.noise(P, m)) if statement.noise else 0.0
    return Claim(statement, P, m, coords, atoms, rate + RATE, active, noise)


def _with_rounding(claim: Claim) -> Claim:
    coords, q = claim.coords, claim.coords.q
    star = coords.state(np.zeros((1, 1, q)))
    away = np.random.default_rng(0x1E).standard_normal((8, 1, q)) / np.sqrt(q)
    scale = float(np.nanmax(claim.V(coords.state(away)), initial=0.0))
    phi = _residual(claim, star, float(np.sqrt(scale)))
    return replace(claim, phi=phi, floor=_floor(claim, star) + SMALL**2 * scale)


def _residual(claim: Claim, star: State, length: float) -> float:
    """How far (V-norm) star may move because it is known to rounding only; `length` is that of |y| = 1.

    Every move below STAR is rounding, unless the claim has noise: then it is the noise, but for what x*
    misses stationarity by.  A larger move is the method's doing if x* is stationary; if not, or if nobody
    can tell, a claim about an optimum is not judged.
    """
    (lhs,), (rhs,) = claim.sides(star)
    moved = float(np.sqrt(max(lhs - rhs, 0.0))) if np.isfinite(lhs) and np.isfinite(rhs) else np.inf
    missed, eps = _stationarity(claim.P), 8 * EPS * length
    if claim.noise > 0:
        return max(eps, min(100 * missed, 1e-13) * length)
    if moved <= STAR * length:
        return max(moved, eps)
    if claim.statement.star is not None and missed > 1e-8:
        why = (
            f"star is not a fixed point: the step moves it by {moved:.1e} in V-norm, and x* is not stationary"
        )
        raise Refused(why, "inconclusive")
    return eps


def _stationarity(P: Problem) -> float:
    """|grad f(x*)| against L|x*| + max |h*|; inf where that cannot be asked."""
    x = getattr(P, "x_star", None)
    if x is None or not hasattr(P, "grad"):
        return float("inf")
    with np.errstate(all="ignore"):
        scale = float(getattr(P, "L", 1.0)) * float(np.linalg.norm(x))
        h = getattr(P, "h_star", None)
        scale += 0.0 if h is None else float(np.abs(h).max())
        return float(np.linalg.norm(P.grad(np.asarray(x)[None, :]))) / (scale or 1.0)


def _floor(claim: Claim, star: State) -> float:
    """What a difference of function values cannot resolve: 64 eps |f*|, weighted."""
    P, total = claim.P, 0.0
    for terms_of in (claim.statement.lyapunov, claim.statement.progress):
        terms = terms_of(P, claim.m, star) if terms_of else ()
        for term in terms if isinstance(terms, tuple) else ():
            if isinstance(term, Gap):
                size = abs(P.f_star) if term.core == 1 else float(np.abs(P.values(P.x_star[None, :])).sum())
                total += float(np.max(np.abs(term.weight))) * size
    return SMALL * total


def one_step_sides(statement: OneStep, P: Problem, m: Method, state: State) -> tuple[float, float]:
    """(lhs, rhs) at one state without leading axes, every draw enumerated, through `step`."""
    coords = coordinates_of(statement, P, m, limit=LAZY).at_clock(state)
    claim = _bare(statement, P, m, BUDGETS["deep"], coords)
    (lhs,), (rhs,) = claim.sides(batch_of(state))
    return float(lhs), float(rhs)


def batch_of(state: State) -> State:
    """One state as a batch: leaves (1, 1, ...); plain ints stay."""
    return tree_map(lambda a: a if type(a) is int else np.asarray(a)[None, None], state)
