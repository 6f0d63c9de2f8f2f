"""How a claim is traced, on which class, and with which draws."""

from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import Law
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.classes import class_of, speaks_of_f
from proveout.theory.lenses.worstcase.space import NotSymmetric, Orbit
from proveout.theory.statement import Problem

__all__ = ["ATOMS", "Draws", "Settings", "base_problem", "draws_of", "floats", "orbits_of", "rational"]

ATOMS = 4096  # draws of a whole trace, at most
FULL = 24  # clients that are not exchangeable, at most: the full Gram matrix takes 20 s and 1 GB there


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to trace.

    full    every client its own orbit: the full Gram matrix
    exact   object arrays of Fraction instead of floats
    tilt    gradients around h*: better conditioned
    blocks  compressors are replaced by what is known of them
    inner   only members of the class that can be drawn: enough to refute, where `conditions` are necessary only
            (strongly convex for PL, noise of two points, compressors that scale)
    steps   T of a horizon
    clock   value of the state's integer fields at the start of one step
    trusted skip the tests that clients are exchangeable and the step is linear (a sweep has made them)
    """

    full: bool = False
    exact: bool = False
    tilt: bool = True
    blocks: bool = True
    inner: bool = False
    steps: int = 1
    clock: int = 0
    trusted: bool = False


class _OneFunction:
    """A class problem as one function."""

    n = 1

    def __init__(self, base: Problem) -> None:
        self._base = base

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._base, name)


def base_problem(statement: Any, problem: Problem) -> Problem:
    """The class problem as the statement means it: one function, if `assumes` speaks of f alone."""
    if problem.n == 1 or not speaks_of_f(statement.assumes):
        return problem
    if is_dataclass(problem) and not isinstance(problem, type):
        return replace(problem, n=1)
    return _OneFunction(problem)


def floats(record: Any) -> Any:
    """A record with every Fraction in it, at any depth, as a float."""
    if isinstance(record, Fraction):
        return float(record)
    if not is_dataclass(record) or isinstance(record, type):
        return record
    old = {f.name: getattr(record, f.name) for f in fields(record) if f.init}
    new = {name: floats(value) for name, value in old.items()}
    changed = {name: value for name, value in new.items() if value is not old[name]}
    return replace(record, **changed) if changed else record


@dataclass(frozen=True, eq=False)
class Draws:
    """Representative draws of one step: weights, values, and the groups of clients of each."""

    prob: Array  # (K,)
    draw: Any  # leaves (K, ...)
    groups: list[list[list[int]]]

    @property
    def trivial(self) -> bool:
        return all(len(g) == 1 for g in self.groups)


def draws_of(law: Law, n: int, settings: Settings) -> Draws:
    """One representative per orbit of draws, or all of them. Raises Refused if there are too many."""
    try:
        if settings.full or n == 1:
            if n > FULL:
                raise Refused(
                    f"too large: {n} clients that are not exchangeable, at most {FULL}", "inconclusive"
                )
            if not law.count <= ATOMS:
                raise Refused(f"{law.count:g} atoms, at most {ATOMS} fit the full Gram matrix")
            prob, draw = law.atoms()
            groups = [[[i] for i in range(n)]] * len(prob)
        else:
            prob, draw, groups = law.orbits(n)
    except (TypeError, OverflowError) as error:
        raise Refused(f"the law cannot be enumerated: {error}") from None
    keep = np.flatnonzero(np.asarray(prob) != 0)
    prob, draw = np.asarray(prob)[keep], tree_map(lambda a: np.asarray(a)[keep], draw)
    sorted_groups = [[sorted(g) for g in groups[k]] for k in keep]
    return Draws(rational(prob) if settings.exact else prob.astype(float), draw, sorted_groups)


def rational(prob: Array) -> Array:
    """Probabilities as fractions. Raises ValueError if they are none."""
    out = np.array([Fraction(p).limit_denominator(10**9) for p in prob], dtype=object)
    if out.sum() != 1:
        raise ValueError("not rational: the probabilities of the law are no simple fractions")
    return out


def orbits_of(statement: Any, base: Problem, draws: Draws, settings: Settings) -> list[Orbit]:
    """Clients by class; in each the tracked ones: the first two of every group of every draw."""
    n = base.n
    L = getattr(base, "L_i", None) if n > 1 else None
    constants = [(base.L_max, base.mu_min)] * n if L is None else list(zip(L, base.mu_i, strict=True))
    kinds: dict[Any, list[int]] = {}
    for i, pair in enumerate(constants):
        kinds.setdefault((*pair, i) if settings.full else pair, []).append(i)
    if len(kinds) > 1 and not settings.full and not draws.trivial:
        raise NotSymmetric("clients of several classes under a law that picks clients")
    orbits = []
    for (L_i, mu_i, *_), members in kinds.items():
        inside, tracked = set(members), set(members[:2])
        for groups in draws.groups:
            for group in groups:
                tracked.update([i for i in group if i in inside][:2])
        klass = class_of(statement.assumes, base, L_i, mu_i, settings.inner)
        orbits.append(Orbit(tuple(members), tuple(sorted(tracked)), klass))
    return orbits
