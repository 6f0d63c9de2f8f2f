"""Function classes and the conditions that points of one function must meet.

Write D = x_p - x_q, d = g_p - g_q for an ordered pair of points; the optimum is a point with g = F = 0.

    F(mu, L)      F_p - F_q - <g_q, D> - [|d|^2/L + mu |D|^2 - (2 mu/L) <d, D>] / (2 (1 - mu/L)) >= 0
    L = inf       F_p - F_q - <g_q, D> - (mu/2) |D|^2 >= 0
    L = mu        d = mu D: substituted, no new vector
    quadratics    <x_p, g_q> = <g_p, x_q>, the matrix <L x_p - g_p, g_q - mu x_q> is PSD, F = <x, g>/2
    |g| <= M      M^2 - |g_p|^2 >= 0
    f* only       F_p - |g_p|^2/(2L) >= 0, no minimiser (nonconvex; mu = -L)
    PL            |g_p|^2 - 2 mu_pl F_p >= 0                                      (necessary only)

The first four are necessary and sufficient for a function of the class to pass through the points:
Taylor, Hendrickx, Glineur (arXiv:1502.05666); quadratics: Bousselmi, Hendrickx, Glineur (arXiv:2302.08781).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from proveout.theory.statement import Number, Problem

__all__ = ["Class", "class_of", "speaks_of_f"]

SUFFICIENT = {"smooth", "convex", "strongly_convex", "quadratic", "lipschitz"}


@dataclass(frozen=True, kw_only=True)
class Class:
    """The class of one function; `exact`: its conditions are sufficient."""

    L: Number
    mu: Number
    optimum: bool = True  # is there a minimiser, or a least value only?
    quadratic: bool = False
    M: Number | None = None  # bound of the gradients
    pl: Number | None = None
    exact: bool = True

    @property
    def closed(self) -> bool:
        """Does the value at a point follow from the point and its gradient?"""
        return self.quadratic or bool(self.L == self.mu)

    @property
    def smooth(self) -> bool:
        return not (isinstance(self.L, float) and math.isinf(self.L))


def speaks_of_f(assumes: Sequence[Any]) -> bool:
    """Do the hypotheses speak of f alone (then it is one function), or of every f_i?"""
    named = [a for a in assumes if a.klass is not None]
    return bool(named) and not any(a.name.startswith("each") for a in named)


def class_of(assumes: Sequence[Any], problem: Problem, L: Number, mu: Number, inner: bool = False) -> Class:
    """The class that the hypotheses describe, with the constants given.

    `inner`: strongly convex functions stand for those with the PL inequality.
    """
    of_f = speaks_of_f(assumes)
    words = {a.klass for a in assumes if a.klass is not None and (of_f or a.name.startswith("each"))}
    if not words:
        words = {"smooth", "strongly_convex"}
    if inner and "pl" in words:
        words, mu = words - {"pl"} | {"strongly_convex"}, getattr(problem, "mu_pl", mu)
    convex = "convex" in words or "strongly_convex" in words
    return Class(
        L=L if "smooth" in words else math.inf,
        mu=mu if "strongly_convex" in words else 0 * L if convex or "smooth" not in words else -L,
        optimum=convex or "quadratic" in words,
        quadratic="quadratic" in words,
        M=getattr(problem, "M", None) if "lipschitz" in words else None,
        pl=getattr(problem, "mu_pl", mu) if "pl" in words else None,
        exact=words <= SUFFICIENT,
    )
