"""Where an estimator stands: one assumption, its least constants, how they are known, or what forbids them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Assumption
from proveout.theory.statement import Problem
from proveout.theory.zoo.affine import Forms, forms
from proveout.theory.zoo.cloud import Cloud, cloud
from proveout.theory.zoo.decided import NotThere, additive, decide, frontier_of
from proveout.theory.zoo.declared import declared
from proveout.theory.zoo.rows import names, rows
from proveout.theory.zoo.searched import Grows, search
from proveout.theory.zoo.subject import Subject, subject
from proveout.theory.zoo.witness import Witness

__all__ = ["WORDS", "Question", "Standing", "frontier", "least", "standing"]


WORDS = ("least", "at most", "at least", "grows", "violated", "undecided")
ATTAINED = 1e-6  # relative; a known constant that a search reaches


@dataclass(frozen=True, eq=False)
class Standing:
    """One assumption.  `word`:

    least       decided: no smaller constants will do (`gap`: relative distance of the dual bound)
    at most     these constants are known to do; smaller ones than `bounds` do not
    at least    searched: smaller constants fail at the points in `where`; whether these do is not known
    grows       searched: no constants were found, what is needed grows with |x - x*|
    violated    `witness`: no constants do
    undecided   on a ball: neither constants nor a point against them were found
    """

    kind: type[Assumption]
    word: str
    constants: Assumption | None
    how: str = ""
    gap: float = 0.0
    slack: float = 0.0
    bounds: dict[str, float] = field(default_factory=dict)
    where: dict[str, Array] = field(default_factory=dict, repr=False)  # points x by constant
    witness: Witness | None = None
    gradients: bool = False  # are the points of `where` and `witness` gradients?

    @property
    def member(self) -> bool:
        """Is it known that the constants do?"""
        return self.word in ("least", "at most")


@dataclass(frozen=True, eq=False)
class Question:
    """An estimator on a problem; what several assumptions ask is computed once."""

    estimator: Any
    P: Problem
    seed: int = 0
    radius: float = math.inf  # only x with |x - x*| <= radius count

    def __post_init__(self) -> None:
        if not self.radius > 0:
            raise ValueError(f"ball must be > 0, got {self.radius}")

    @cached_property
    def who(self) -> Subject:
        return subject(self.estimator, self.P, self.seed)

    @cached_property
    def forms(self) -> Forms | None:
        """None also where a ball is asked and the estimator moves along flat directions."""
        found = forms(self.who, self.P)
        return (
            None if found is not None and found.kernel is not None and math.isfinite(self.radius) else found
        )

    @cached_property
    def cloud(self) -> Cloud:
        return cloud(self.who.estimator, self.P, self.seed, self.radius)

    def standing(self, kind: type[Assumption], given: dict[str, float]) -> Standing:
        unknown = sorted(set(given) - set(names(kind)))
        if unknown:
            raise ValueError(
                f"{kind.__name__} has the constants {', '.join(names(kind))}, got {', '.join(unknown)}"
            )
        try:
            if self.forms is not None:
                return _decided(kind, self.forms, given, self.radius)
            return _looked(kind, self, given)
        except NotThere as no:
            how = "decided" if self.who.exact else "searched"
            gradients = self.forms is None and self.cloud.gradients
            return Standing(kind, "violated", None, how, witness=no.witness, gradients=gradients)


def standing(
    kind: type[Assumption],
    estimator: Any,
    P: Problem,
    *,
    ball: float = math.inf,
    seed: int = 0,
    **given: float,
) -> Standing:
    """Where the estimator stands with an assumption, constants in `given` being held; `ball`: only |x - x*| <= ball."""
    asked = estimator if isinstance(estimator, Question) else Question(estimator, P, seed, ball)
    return asked.standing(kind, given)


def least(
    kind: type[Assumption],
    estimator: Any,
    P: Problem,
    *,
    ball: float = math.inf,
    seed: int = 0,
    **given: float,
) -> Assumption | None:
    """The least constants with which the estimator is a member, or None if it is with none.

    Where they cannot be decided: known ones if there are any, else those of a search.
    """
    return standing(kind, estimator, P, ball=ball, seed=seed, **given).constants


def frontier(
    kind: type[Assumption], estimator: Any, P: Problem, name: str, **given: float
) -> Callable[[float], float]:
    """value of `name` -> least additive constant beside it: c*(b), phi2*(m), sigma2*(M), Q*(U), C*(B); inf if none."""
    asked = estimator if isinstance(estimator, Question) else Question(estimator, P)
    F = asked.forms
    if F is None:
        raise ValueError(
            "a frontier needs a quadratic problem and an estimator that is affine for every outcome"
        )
    row = next((r for r in rows(kind) if name in r.slopes and additive(r) not in (None, name)), None)
    if row is None:
        raise ValueError(
            f"name must be a constant of {kind.__name__} that trades against another, got {name!r}"
        )
    return lambda value: frontier_of(kind, row, F, {**given, name: value})


def _decided(kind: type[Assumption], F: Forms, given: dict[str, float], radius: float) -> Standing:
    """All x, or all of a ball."""
    from proveout.theory.zoo.ball import Undecided, decide_on_ball

    try:
        found = [
            decide(kind, row, F, given) if math.isinf(radius) else decide_on_ball(kind, row, F, given, radius)
            for row in rows(kind)
        ]
    except Undecided as reason:
        return Standing(kind, "undecided", None, str(reason))
    constants: dict[str, float] = {}
    where: dict[str, Array] = {}
    for one in found:
        constants |= one.constants
        if one.z is not None:
            where |= {n: F.point(one.z)[0] for n in one.constants}
    gap, slack = max(f.gap for f in found), min(f.slack for f in found)
    return Standing(kind, "least", kind(**constants), "decided", gap, slack, dict(constants), where)


def _looked(kind: type[Assumption], asked: Question, given: dict[str, float]) -> Standing:
    """By what is known of the estimator, and by a search."""
    known = declared(kind, asked.who.estimator, asked.P)
    points = asked.cloud
    if known is not None:
        given = {**_traded(kind, known), **given}
    found: dict[str, float] = {}
    where: dict[str, Array] = {}
    try:
        for row in rows(kind):
            constants, at = search(kind, row, points, given)
            found, where = found | constants, where | at
    except Grows as reason:
        if known is None:
            return Standing(kind, "grows", None, f"searched: {reason}", gradients=points.gradients)
        found = {}
    if known is None or not _agree(kind, known, given):
        return Standing(
            kind, "at least", kind(**found), "searched", bounds=found, where=where, gradients=points.gradients
        )
    attained = all(_near(found.get(n, math.nan), float(v)) for n, v in vars(known).items())
    word = (
        "least"
        if attained and (points.gradients or not found.keys() - where.keys() - given.keys())
        else "at most"
    )
    how = "known, attained" if word == "least" else "known"
    return Standing(kind, word, known, how, bounds=found, where=where, gradients=points.gradients)


def _traded(kind: type[Assumption], known: Assumption) -> dict[str, float]:
    """What to hold of constants that trade, so that a search can be compared: additive ones that are 0, else the others."""
    held: dict[str, float] = {}
    for row in rows(kind):
        alone = additive(row)
        if alone is not None and getattr(known, alone) == 0:
            held |= {n: float(getattr(known, n)) for n in row.slopes if n in (alone, "A")}
        elif alone is not None:
            held |= {n: float(getattr(known, n)) for n in row.slopes if n != alone}
    return held


def _agree(kind: type[Assumption], known: Assumption, given: dict[str, float]) -> bool:
    """Are the constants that are held at least what is known?"""
    return all(
        given[n] <= getattr(known, n) if n in kind.lower else given[n] >= getattr(known, n) for n in given
    )


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= ATTAINED * max(abs(a), abs(b), 1e-9)
