"""The passport of an estimator on a problem: which assumptions it meets, with which least constants, and what follows."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from proveout.methods.blocks.assumptions import ASSUMPTIONS, Scalars
from proveout.theory.statement import Problem
from proveout.theory.zoo.best import Goal, Guarantee, guarantees
from proveout.theory.zoo.standing import Question, Standing

__all__ = ["Passport", "passport"]

UNBIASED = 1e-10  # of G: a bias that is rounding
TARGET = 1e-3  # of the start, unless eps is given


@dataclass(frozen=True, eq=False)
class Passport:
    """Printed by `str`; `as_dict` for machines."""

    estimator: str
    problem: str
    how: str  # how its x were looked at
    goal: Goal
    start: str  # what gap0 is
    unbiased: bool | None  # None: by a sample, not refuted
    standings: dict[str, Standing] = field(repr=False)
    guarantees: tuple[Guarantee, ...] = field(repr=False)
    reachable: tuple[float, Guarantee] | None = (
        None  # where the goal is not: twice what is left, and how to get there
    )

    @property
    def best(self) -> Guarantee | None:
        """The guarantee of fewest steps that is sure and reaches the goal."""
        return next((g for g in self.guarantees if g.sure and math.isfinite(g.steps)), None)

    def __str__(self) -> str:
        from proveout.theory.zoo.pages import text

        return text(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        from proveout.theory.zoo.pages import plain

        return plain(self)


def passport(
    estimator: Any,
    P: Problem,
    *,
    eps: float | None = None,
    gap0: float | None = None,
    ball: float = math.inf,
    seed: int = 0,
) -> Passport:
    """The passport of an estimator.

    eps: target on E f - f* where f is PL, else on min E|grad f|^2; default 1e-3 of its value at 0.
    gap0: f(x_0) - f*, by default at x_0 = 0.  ball: only |x - x*| <= ball counts (then no theorem is applied, as iterates
    may leave it).
    Raises ValueError naming the argument, the value and the rule.
    """
    _check(P)
    asked = Question(estimator, P, seed, ball)
    standings = {kind.__name__: asked.standing(kind, {}) for kind in ASSUMPTIONS.values()}
    goal, start = _goal(P, eps, gap0)
    promised = guarantees(asked, standings, goal) if math.isinf(ball) else ()
    return Passport(
        estimator=asked.who.name,
        problem=str(getattr(P, "spec", "") or f"{type(P).__name__} in R^{P.d}"),
        how=_how(asked),
        goal=goal,
        start=start,
        unbiased=_unbiased(asked),
        standings=standings,
        guarantees=promised,
        reachable=_reachable(asked, standings, goal, promised),
    )


def _reachable(
    asked: Question, standings: dict[str, Standing], goal: Goal, promised: tuple[Guarantee, ...]
) -> tuple[float, Guarantee] | None:
    """Where no sure theorem reaches the goal: (twice the least that is left, the best promise for that)."""
    low = min((g.least_floor for g in promised if g.sure), default=math.inf)
    if not math.isfinite(low) or any(g.sure and math.isfinite(g.steps) for g in promised):
        return None
    again = guarantees(asked, standings, replace(goal, eps=2 * low))
    first = next((g for g in again if g.sure and math.isfinite(g.steps)), None)
    return None if first is None else (2 * low, first)


def _check(P: Problem) -> None:
    for name, what in (
        ("d", "a dimension d"),
        ("grad", "a gradient grad(x)"),
        ("value", "values value(x)"),
        ("L", "its L"),
    ):
        if not hasattr(P, name):
            raise ValueError(f"problem must have {what}, got {type(P).__name__}: a class: SPEC has no data")
    try:
        low = float(P.f_star)
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"problem must know f*, the infimum of f (f_star), got {type(P).__name__}: {error}"
        ) from None
    if not math.isfinite(low):
        raise ValueError(f"problem must be bounded below, f_star must be finite, got {low}")


def _goal(P: Problem, eps: float | None, gap0: float | None) -> tuple[Goal, str]:
    for name, value in (("eps", eps), ("gap0", gap0)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be > 0 and finite, got {value}")
    start = "given"
    if gap0 is None:
        gap0, start = float(P.value(np.zeros(P.d)) - P.f_star), "at x_0 = 0"
        if not gap0 > 1e-12 * max(1.0, abs(float(P.f_star))):
            gap0, start = 1.0, "set to 1, since x_0 = 0 is optimal"
    mu = float(getattr(P, "mu_pl", getattr(P, "mu", 0.0)) or 0.0)
    mu = max(mu, 0.0)
    L = float(P.L)
    if eps is None:
        eps = TARGET * (gap0 if mu > 0 else 2 * L * gap0)
    convex = float(getattr(P, "mu", 0.0) or 0.0) >= mu * (1 - 1e-12) > 0
    return Goal(L=L, mu=mu, gap0=gap0, eps=float(eps), convex=convex), start


def _how(asked: Question) -> str:
    where = "all x" if math.isinf(asked.radius) else f"all x with |x - x*| <= {asked.radius:g}"
    if asked.forms is not None:
        return f"quadratic f, affine outcomes: decided for {where}"
    points = asked.cloud
    if not asked.who.exact:
        return f"sampled at {len(points.x)} points, 99.9 % confidence at each"
    seen = "gradients" if points.gradients else "points x"
    return f"all outcomes at {len(points.x)} {seen}, searched"


def _unbiased(asked: Question) -> bool | None:
    """E g = grad f for every x?"""
    bias = Scalars(G=1, P=-2, E1=1)
    if asked.forms is not None:
        return bool(
            asked.forms.kernel is None
            and not np.abs(asked.forms.of(bias)).max() > UNBIASED * asked.forms.size
        )
    value, error = asked.cloud.of(bias)
    G = np.asarray(asked.cloud.measured.values.G)
    if asked.who.exact:
        return bool((value <= UNBIASED * G + asked.cloud.zero(bias)).all())
    return False if (value - error > asked.cloud.zero(bias)).any() else None
