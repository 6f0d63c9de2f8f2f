"""The vocabulary of theorems: statements, terms, assumptions, twins, verdicts.

Everything here is a frozen record.  `P` is a problem, `m` a method, `s` a state; functions of a
statement take them first, in this order.  Hypotheses (`assumes` about the problem, `allows` about
the parameters) are kept apart from the conclusion.

A Lyapunov function, a progress, a measure or a bound is a tuple of *terms*, so that numbers, quadratic
forms, Gram matrices and free weights are readings of one definition:

    Square(w, v)    w |v|^2            core = 2 sums over clients (last two axes)
    Cross(w, u, v)  w <u, v>
    Gap(w, z)       w (f(z) - f*)      core = 2: w sum_i (f_i(z_i) - f_i(x*))

A plain number inside such a tuple is a constant term.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from proveout.arrays import Array, inner, namespace, sqnorm

__all__ = [
    "Assumption",
    "Complexity",
    "Cross",
    "Failure",
    "Gap",
    "Grade",
    "Horizon",
    "Identity",
    "Implication",
    "Membership",
    "NonImplication",
    "OneStep",
    "Path",
    "Square",
    "Statement",
    "Terms",
    "Twin",
    "Verdict",
    "Word",
    "always",
    "at_most",
    "branches",
    "evaluate",
    "log_ratio",
]

Number: TypeAlias = Any  # int, float, or Fraction in the proof lens
Problem: TypeAlias = Any
Method: TypeAlias = Any
State: TypeAlias = Any


# ------------------------------------------------------------------ terms


@dataclass(frozen=True, eq=False)
class Square:
    weight: Number
    vector: Array  # (..., d), or (..., n, d) with core = 2
    core: int = 1


@dataclass(frozen=True, eq=False)
class Cross:
    weight: Number
    u: Array
    v: Array
    core: int = 1


@dataclass(frozen=True, eq=False)
class Gap:
    weight: Number
    point: Array  # (..., d); with core = 2 one point per client, (..., n, d)
    core: int = 1


Term: TypeAlias = Any  # Square | Cross | Gap | Number
Terms: TypeAlias = tuple[Term, ...]


def evaluate(terms: Terms, problem: Problem) -> Array:
    """The number that terms stand for on a problem with data: (...)."""
    total: Array = 0  # an int, so that Fractions stay Fractions
    for term in terms:
        if isinstance(term, Square):
            total = total + term.weight * sqnorm(term.vector, term.core)
        elif isinstance(term, Cross):
            total = total + term.weight * inner(term.u, term.v, term.core)
        elif isinstance(term, Gap):
            total = total + term.weight * gap(problem, term.point, term.core)
        else:
            total = total + term
    return total


def log_ratio(terms: Terms, problem: Problem, eps: float) -> float:
    """log(value / eps) of the terms at a start, the largest of several, and 0 if they are below eps already."""
    value = float(np.max(evaluate(terms, problem)))
    return max(0.0, math.log(value / eps)) if value > 0 else 0.0


def gap(problem: Problem, point: Array, core: int = 1) -> Array:
    """f(point) - f*, or with core = 2 the sum over clients of f_i(point_i) - f_i(x*)."""
    if core == 1:
        return problem.value(point) - problem.f_star
    xp = namespace(point)
    star = problem.values(problem.x_star[None, :])
    return xp.sum(problem.values(point) - star, axis=-1)


# ------------------------------------------------------------------ hypotheses


@dataclass(frozen=True)
class Assumption:
    """A named predicate on problems; `klass` is its row in the table of interpolation classes."""

    name: str
    holds: Callable[[Problem], bool]
    klass: str | None = None


def always(problem: Problem, method: Method) -> bool:
    return True


def at_most(a: Number, b: Number) -> bool:
    """a <= b, for limits that a parameter rule meets with equality."""
    return bool(a <= b * (1 + 1e-12)) if not isinstance(b, int) or b else bool(a <= 0)


def branches(rate: Any) -> tuple[Number, ...]:
    """A rate may be one number or a tuple of branches, of which the largest counts."""
    return tuple(rate) if isinstance(rate, (tuple, list)) else (rate,)


# ------------------------------------------------------------------ statements


@dataclass(frozen=True)
class Twin:
    """A red twin: `edit(statement, P, m)` gives the altered triple that must be refuted."""

    name: str
    edit: Callable[[Any, Problem, Method], tuple[Any, Problem, Method]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Statement:
    source: str
    method: Any = None  # the class, or a tuple of classes, that the claim is about
    assumes: tuple[Assumption, ...] = ()
    allows: Callable[[Problem, Method], bool] = always
    twins: tuple[Twin, ...] = ()
    tune: Callable[..., Method] | None = None  # tune(P, **choices); ValueError if the choices do not fit P
    claim: str = ""  # the conclusion in one line of LaTeX, for reports

    @property
    def kind(self) -> str:
        return next(c.__name__ for c in type(self).__mro__ if c.__name__ in KINDS)


@dataclass(frozen=True, kw_only=True, eq=False)
class OneStep(Statement):
    """E[V(next) | s] <= rate V(s) - progress(s) + noise, for every admissible state s."""

    lyapunov: Callable[[Problem, Method, State], Terms]
    rate: Callable[[Problem, Method], Any]
    progress: Callable[[Problem, Method, State], Terms] | None = None
    noise: Callable[[Problem, Method], Number] | None = None
    star: Callable[[Problem, Method], State] | None = None  # None: the claim has no optimum
    domain: Callable[[Problem, Method, State], State] | None = None  # projection on the admissible states
    latent: Callable[[Problem, Method, State], State] | None = None  # free vectors -> state


@dataclass(frozen=True, kw_only=True, eq=False)
class Horizon(Statement):
    """E[measure] <= bound(P, m, T, start); the bound is a number or terms of the start."""

    measure: Callable[[Problem, Method, State], Terms]
    bound: Callable[[Problem, Method, int, State], Any]
    over: Literal["last", "mean", "min", "mean_iterate"] = "last"
    weights: Callable[[Problem, Method, int], Array] | None = None  # of a mean, (T,) or (T+1,); default equal
    includes_end: bool = True  # do mean and min run over t = 0..T (True) or 0..T-1?
    star: Callable[[Problem, Method], State] | None = None
    domain: Callable[[Problem, Method, State], State] | None = None


@dataclass(frozen=True)
class Path:
    """A trajectory: states has T+1 entries, draws has T."""

    states: tuple[State, ...]
    draws: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Identity(Statement):
    """An equality along every trajectory: `sides(P, m, path) -> (left, right)`, arrays of one shape."""

    sides: Callable[[Problem, Method, Path], tuple[Array, Array]]
    steps: int = 50
    start: Callable[[Problem, Method, Any], State] | None = (
        None  # (P, m, rng); default: init at a random point
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Membership(Statement):
    """E left <= constant E right for all inputs u; `method` is the class of the block.

    Sides may carry several claims on a last axis: each must hold and, with `least`, each must be attained.
    """

    sides: Callable[[Any, Array, Any], tuple[Array, Array]]  # (block, u, draw)
    constant: Callable[[Any, int], Number]
    least: bool = False
    attained: bool = True  # is the supremum attained (then `least` is tested to 1e-6, else to 1e-3)?
    dims: tuple[int, ...] = (1, 2, 3, 6)
    shape: Callable[[Any, int], tuple[int, ...]] | None = None  # of u; default (d,)


@dataclass(frozen=True, kw_only=True, eq=False)
class Complexity(Statement):
    """E measure <= eps after at most count(P, m, eps, start) of `unit`."""

    measure: Callable[[Problem, Method, State], Any]
    count: Callable[[Problem, Method, float, State], Number]
    unit: str = "steps"  # or a field of Cost
    star: Callable[[Problem, Method], State] | None = None
    domain: Callable[[Problem, Method, State], State] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Failure(Statement):
    """E measure at T >= floor: the method provably does not converge on the problem of its case."""

    measure: Callable[[Problem, Method, State], Any]
    floor: Callable[[Problem, Method, int, State], Number]
    steps: int = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Implication(Statement):
    """Membership in `given` with constants a implies membership in `then` with constants(a)."""

    given: Any
    then: Any
    constants: Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class NonImplication(Statement):
    """The witness lies in `given` and, with no constants, in `then`."""

    given: Any
    then: Any
    witness: Callable[[], tuple[Problem, Any]]


KINDS = (
    "OneStep",
    "Horizon",
    "Identity",
    "Membership",
    "Complexity",
    "Failure",
    "Implication",
    "NonImplication",
)


# ------------------------------------------------------------------ verdicts

Word: TypeAlias = Literal["holds", "violated", "inconclusive", "not applicable"]
Grade: TypeAlias = Literal["proved", "certified", "exact", "searched", "sampled"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A word, a grade (only with `holds`), a figure measured / claimed, and a witness if `violated`."""

    word: Word
    lens: str
    id: str = ""
    problem: str = ""
    method: str = ""  # in words, "Scaffnew(gamma=0.1, p=0.3)": tells rows of one case apart
    grade: Grade | None = None
    ratio: float | None = None  # measured / claimed, 1 = tight; None where there is no number
    states: str = ""  # "all", "searched(N)", "visited(N)"
    branches: tuple[int, ...] = ()  # numbers of the rate's branches seen active
    note: str = ""
    seconds: float = 0.0
    witness: dict[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.grade is not None) != (self.word == "holds"):
            raise ValueError(f"a grade goes with 'holds' and only with it, got {self.word!r}, {self.grade!r}")

    @property
    def green(self) -> bool:
        return self.word == "holds"
