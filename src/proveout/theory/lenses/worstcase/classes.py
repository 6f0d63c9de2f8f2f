"""Function classes and the conditions that points of one function must meet.

Write D = x_p - x_q, d = g_p - g_q for an ordered pair of points; the optimum is a point with g = F = 0.

    F(mu, L)      F_p - F_q - <g_q, D> - [|d|^2/L + mu |D|^2 - (2 mu/L) <d, D>] / (2 (1 - mu/L)) >= 0
    L = inf       F_p - F_q - <g_q, D> - (mu/2) |D|^2 >= 0
    L = mu        d = mu D: substituted, no new vector
    quadratics    <x_p, g_q> = <g_p, x_q>, the matrix <L x_p - g_p, g_q - mu x_q> is PSD, F = <x, g>/2
    |g| <= M      M^2 - |g_p|^2 >= 0
    f* only       F_p - |g_p|^2/(2L) >= 0, no minimiser (nonconvex; mu = -L)
    interpolation grad f_i(x*) = 0 for every i: no letter h*
    PL            |g_p|^2 - 2 mu_pl F_p >= 0                                      (necessary only)
    f more convex than the f_i: the second line for the means of values and gradients (necessary only)

The first four are necessary and sufficient for a function of the class to pass through the points:
Taylor, Hendrickx, Glineur (arXiv:1502.05666); quadratics: Bousselmi, Hendrickx, Glineur (arXiv:2302.08781).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from proveout.theory.statement import Number, Problem

__all__ = ["Class", "class_of", "is_finite", "speaks_of_f"]

SUFFICIENT = {"smooth", "convex", "strongly_convex", "quadratic", "lipschitz", "interpolation"}


@dataclass(frozen=True, kw_only=True)
class Class:
    """The class of one function; `exact`: its conditions are sufficient."""

    L: Number
    mu: Number
    optimum: bool = True  # is there a minimiser, or a least value only?
    quadratic: bool = False
    M: Number | None = None  # bound of the gradients
    pl: Number | None = None  # of f
    mean: tuple[Number, Number] | None = None  # L, mu of f, where they do not follow from the f_i
    still: bool = False  # is x* stationary for every function?
    exact: bool = True

    @property
    def closed(self) -> bool:
        """Does the value at a point follow from the point and its gradient?"""
        return self.quadratic or bool(self.L == self.mu)


def speaks_of_f(assumes: Sequence[Any]) -> bool:
    """Do the hypotheses speak of f alone (then it is one function), or of every f_i?"""
    named = [a for a in assumes if a.klass is not None]
    return bool(named) and not any(a.name.startswith("each") for a in named)


def class_of(assumes: Sequence[Any], problem: Problem, L: Number, mu: Number, inner: bool = False) -> Class:
    """The class that the hypotheses describe, with the constants given.

    `inner`: a subclass with sufficient conditions: strongly convex for PL, every f_i what f is.
    """
    each, of_f = _words(assumes)
    if inner:
        of_f = of_f - {"pl"} | ({"strongly_convex"} if "pl" in of_f | each else set())
        each, of_f = each - {"pl"} | of_f, set()
    pl = "pl" in each | of_f
    convex = "convex" in each or "strongly_convex" in each
    mean = _of_mean(each, of_f, problem)
    return Class(
        L=L if "smooth" in each else math.inf,
        mu=mu if "strongly_convex" in each else 0 * mu if convex or "smooth" not in each else -L,
        optimum=convex or "quadratic" in each or mean is not None,
        quadratic="quadratic" in each,
        M=getattr(problem, "M", None) if "lipschitz" in each else None,
        pl=getattr(problem, "mu_pl", mu) if pl else None,
        mean=mean,
        still="interpolation" in each,
        exact=each <= SUFFICIENT and not pl and mean is None,
    )


def _words(assumes: Sequence[Any]) -> tuple[set[str], set[str]]:
    """What is assumed of every f_i, and of f besides; of one function, everything is of the first kind."""
    named = [a for a in assumes if a.klass is not None]
    each = {a.klass for a in named if a.name.startswith("each")}
    of_f = {a.klass for a in named if not a.name.startswith("each")}
    if not each:
        return of_f or {"smooth", "strongly_convex"}, set()
    return each, of_f


def _of_mean(each: set[str], of_f: set[str], problem: Problem) -> tuple[Number, Number] | None:
    """L and mu of f, if its convexity is more than that of the f_i."""
    if "strongly_convex" in of_f and "strongly_convex" not in each:
        return math.inf, problem.mu
    if "convex" in of_f and not each & {"convex", "strongly_convex"}:
        return math.inf, 0
    return None


def is_finite(L: Number) -> bool:
    """Is a smoothness constant a number?"""
    return not (isinstance(L, float) and math.isinf(L))
