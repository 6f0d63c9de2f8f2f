"""Which theorem then promises most: step size, steps to a target, and what is left.

Under mu-PL the target is E f - f* <= eps, else min_t E|grad f|^2 <= eps.  With the formulas of `biased_sgd.rules` the steps
needed with step size gamma are

    PL          log(D_0/(eps - floor(gamma)))/(-log rate(gamma))
    nonconvex   the least T with 2 (1 + L A gamma^2)^T D_0/(gain gamma T) + floor(gamma) <= eps,

least over gamma up to the theorem's limit.  Constants that trade, (b, c), (B, C), (m, phi2), (M, sigma2), (U, Q), are moved
along their frontiers, one after the other, until nothing is gained.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import ABC, BND, BREQ, BVD, CON, FSML, SG1, SG2, Assumption
from proveout.theory.biased_sgd import rules
from proveout.theory.zoo.affine import Forms
from proveout.theory.zoo.decided import BELOW_ONE, NotThere, additive, decide
from proveout.theory.zoo.pair import feasible_from
from proveout.theory.zoo.rows import Row, rows
from proveout.theory.zoo.standing import Question, Standing

__all__ = ["Goal", "Guarantee", "fall", "guarantees", "steps_to"]

STEPS = np.concatenate(
    [10.0 ** np.linspace(-9, -1, 33)[:-1], np.linspace(0.1, 1, 46)]
)  # shares of the largest step
FRONTIER = 10.0 ** np.array([-4, -3, -2, -1.5, -1, -0.7, -0.4, -0.2, 0.0, 0.2, 0.4, 0.7, 1, 1.5, 2, 3])
ROUNDS = 2


@dataclass(frozen=True)
class Goal:
    """What is wanted of which f: gap0 = f(x_0) - f*; mu = 0 without the PL condition."""

    L: float
    mu: float
    gap0: float
    eps: float
    convex: bool = False  # strongly, with this mu

    @property
    def pl(self) -> bool:
        return self.mu > 0


@dataclass(frozen=True)
class Guarantee:
    """What one theorem promises."""

    theorem: str
    constants: Assumption
    gamma: float
    steps: float  # to the goal; inf if it is never reached
    floor: float  # what is left for ever with this gamma
    least_floor: float  # what is left for ever with the shortest steps
    sure: bool  # do the constants hold, or were they only searched?
    factor: float = (
        1.0  # of the estimator: the theorem is used for factor g, gamma is the step size with g itself
    )

    def as_dict(self) -> dict[str, Any]:
        return {
            "theorem": self.theorem,
            "constants": {k: float(v) for k, v in vars(self.constants).items()},
            "gamma": self.gamma,
            "steps": math.ceil(self.steps) if math.isfinite(self.steps) else None,
            "floor": self.floor,
            "least_floor": self.least_floor,
            "sure": self.sure,
        }


# ------------------------------------------------------------------ steps


def fall(k: Assumption, goal: Goal, gamma: Array, sharp: bool) -> Array:
    """1 - rate, without the rounding of 1."""
    if sharp and isinstance(k, ABC):
        return np.asarray(2 * gamma * goal.mu * k.b - goal.L * gamma**2 * (k.A + goal.mu * k.B))
    return np.asarray(gamma * goal.mu * rules.gain(k))


def _pl(k: Assumption, goal: Goal, sharp: bool) -> tuple[Array, Array, Array]:
    """(gamma, 1 - rate, floor)."""
    if sharp and isinstance(k, ABC):
        growth = goal.L * (k.A / goal.mu + k.B)
        gamma = STEPS * min(2 * k.b / growth if growth else math.inf, 1e3 / goal.L) * (1 - 1e-9)
        less = fall(k, goal, gamma, sharp)
        fits = (less > 0) & (less <= 1) & (goal.L * k.B * gamma <= 2 * k.b)
        return gamma[fits], less[fits], (np.asarray(rules.noise(k, goal.L, gamma)) / less)[fits]
    gamma = STEPS * rules.pl_limit(k, goal.L, goal.mu)
    floor = np.broadcast_to(rules.pl_floor(k, goal.L, goal.mu, gamma), gamma.shape)
    return gamma, fall(k, goal, gamma, sharp), floor


def steps_to(k: Assumption, goal: Goal, sharp: bool = False) -> tuple[float, float, float, float]:
    """(gamma, steps, floor, least floor) of the best step size; steps inf if the goal is out of reach."""
    with np.errstate(all="ignore"):
        if goal.pl:
            gamma, less, floor = _pl(k, goal, sharp)
            left = goal.eps - floor
            enough = np.log(goal.gap0 / np.maximum(left, 1e-300)) / -np.log1p(-np.minimum(less, 1.0))
            steps = np.where(left > 0, enough, np.inf)
        else:
            top = min(float(rules.limit(k, goal.L)), 1e3 / goal.L)
            gamma = STEPS * top
            floor = np.broadcast_to(np.asarray(rules.floor(k, goal.L, gamma), float), gamma.shape)
            steps = np.array(
                [_nonconvex(k, goal, g, goal.eps - f) for g, f in zip(gamma, floor, strict=True)]
            )
    steps = np.where(np.isnan(steps), np.inf, np.maximum(steps, 1.0))
    if not len(gamma):
        return math.nan, math.inf, math.inf, math.inf
    best = (
        int(np.argmin(steps)) if np.isfinite(steps).any() else int(np.flatnonzero(floor <= 2 * floor[0])[-1])
    )
    return float(gamma[best]), float(steps[best]), float(floor[best]), float(floor[0])


def _nonconvex(k: Assumption, goal: Goal, gamma: float, left: float) -> float:
    """The least T with decay(T) D_0 <= left."""
    if not left > 0:
        return math.inf
    A = float(getattr(k, "A", 0.0))
    T = 2 * goal.gap0 / (float(rules.gain(k)) * gamma * left)
    if A == 0:
        return T
    turn = 1 / math.log1p(goal.L * A * gamma**2)  # decay falls up to here
    if float(rules.decay(k, goal.L, gamma, turn)) * goal.gap0 > left:  # type: ignore[arg-type]
        return math.inf
    low, high = T, turn
    for _ in range(60):
        middle = math.sqrt(low * high)
        fits = float(rules.decay(k, goal.L, gamma, middle)) * goal.gap0 <= left  # type: ignore[arg-type]
        low, high = (low, middle) if fits else (middle, high)
    return high


# ------------------------------------------------------------------ frontiers


def _frontier(row: Row, F: Forms, p: str, start: float) -> Iterator[float]:
    """Values of p along its frontier, the present one among them."""
    base, slope = F.of(row.base), F.of(row.slopes[p])
    edge = feasible_from(base, slope if p in row.lower else -slope).value
    limit = -edge if p in row.lower else max(edge, 0.0)
    if p in row.lower:
        share = FRONTIER / (1 + FRONTIER)
        values = limit * share
    elif p in BELOW_ONE:
        values = limit + (1 - limit) * FRONTIER / (1 + FRONTIER)
    else:
        values = limit + max(limit, abs(start), 1e-3) * FRONTIER
    yield start
    yield from map(float, values)


def _improved(k: Assumption, F: Forms, score: Callable[[Assumption], float]) -> Assumption:
    """Constants moved along the frontiers while the score falls."""
    best, value = k, score(k)
    for _ in range(ROUNDS):
        before = value
        for row in rows(type(k)):
            alone = additive(row)
            if alone is None or float(getattr(best, alone)) == 0:
                continue
            p = next(n for n in row.slopes if n not in (alone, "A"))
            for first in _frontier(row, F, p, float(getattr(best, p))):
                try:
                    found = decide(type(k), row, F, {p: first}).constants
                except NotThere:
                    continue
                other = replace(best, **found)
                if other.proper and (new := score(other)) < value:
                    best, value = other, new
        if value >= before * (1 - 1e-3):
            break
    return best


def _score(goal: Goal, sharp: bool) -> Callable[[Assumption], float]:
    """Steps; where the goal is out of reach, a large number that falls with the floor."""

    def score(k: Assumption) -> float:
        _, steps, _, low = steps_to(k, goal, sharp)
        return steps if math.isfinite(steps) else 1e200 * (1 + low)

    return score


# ------------------------------------------------------------------ theorems


def guarantees(asked: Question, standings: dict[str, Standing], goal: Goal) -> tuple[Guarantee, ...]:
    """All theorems that apply, the fewest steps first; those that do not reach the goal last, by what is left."""
    found = []
    for name, kind, sharp in _theorems(goal):
        one = standings[kind.__name__]
        if one.constants is None or not one.constants.proper:
            continue
        k: Assumption = one.constants
        if asked.forms is not None and math.isinf(asked.radius):
            k = _improved(k, asked.forms, _score(goal, sharp))
        found.append(_promise(name, k, goal, one.member, sharp))
    found += list(_rescaled(asked, standings, goal))
    return tuple(
        sorted(found, key=lambda g: (not g.sure, not math.isfinite(g.steps), g.steps, g.least_floor))
    )


def _theorems(goal: Goal) -> Iterator[tuple[str, type[Assumption], bool]]:
    if not goal.pl:
        yield from (
            ("sg1_nonconvex", SG1, False),
            ("sg2_nonconvex", SG2, False),
            ("con_nonconvex", CON, False),
        )
        yield from (
            ("breq_nonconvex", BREQ, False),
            ("bnd_nonconvex", BND, False),
            ("fsml_nonconvex", FSML, False),
        )
        yield "nonconvex", ABC, False
        return
    yield from (
        ("sg1_pl", SG1, False),
        ("sg2_pl", SG2, False),
        ("con_pl", CON, False),
        ("breq_pl", BREQ, False),
    )
    yield "bnd_pl", BND, False
    if goal.convex:
        yield "fsml_strongly_convex", FSML, False
    yield from (("pl", ABC, False), ("pl_sharp", ABC, True))


def _promise(
    name: str, k: Assumption, goal: Goal, sure: bool, sharp: bool = False, factor: float = 1.0
) -> Guarantee:
    gamma, steps, floor, least_floor = steps_to(k, goal, sharp)
    return Guarantee(name, k, factor * gamma, steps, floor, least_floor, sure, factor)


def _rescaled(asked: Question, standings: dict[str, Standing], goal: Goal) -> Iterator[Guarantee]:
    """The theorem for contractive estimators, for the multiple of g that is most contractive."""
    name = "con_pl" if goal.pl else "con_nonconvex"
    bvd = standings[BVD.__name__].constants
    if asked.forms is not None and math.isinf(asked.radius) and asked.forms.kernel is None:
        alpha, factor = _most_contractive(asked.forms)
        if alpha > 1e-9 and abs(factor - 1) > 1e-6:
            yield _promise(name, CON(alpha=alpha), goal, True, factor=factor)
    elif bvd is not None and bvd.proper:
        r, xi = math.sqrt(bvd.eta), bvd.xi  # type: ignore[attr-defined]
        factor = min(1.0, (1 - r) / ((1 - r) ** 2 + xi))
        alpha = 1 - ((1 - factor + factor * r) ** 2 + factor**2 * xi)
        if alpha > 0 and factor < 1:
            yield _promise(name, CON(alpha=alpha), goal, standings[BVD.__name__].member, factor=factor)


def _most_contractive(F: Forms) -> tuple[float, float]:
    """(alpha, factor): the largest alpha with E|factor g - grad f|^2 <= (1 - alpha) G, by golden section."""
    from scipy.optimize import minimize_scalar

    s = F.scalars
    S, size = s.E1 + s.V, float(np.abs(s.G).max())
    if np.abs(S[-1]).max() > 1e-12 * size or np.abs(s.P[-1]).max() > 1e-12 * size:
        return 0.0, 1.0  # something is left where grad f = 0
    G, P, S = (X[:-1, :-1] / size for X in (s.G, s.P, S))

    def rest(factor: float) -> float:
        return float(np.linalg.eigvalsh(factor**2 * S - 2 * factor * P + G)[-1])  # G is the identity here

    top = 2 / max(float(np.linalg.eigvalsh(S)[-1]), 1e-300) ** 0.5
    found = minimize_scalar(rest, bounds=(0.0, top), method="bounded", options={"xatol": 1e-10 * top})
    return 1 - float(found.fun), float(found.x)
