"""One-step claims in exact arithmetic: the step run on object arrays of Fractions.

`float -> Fraction` is exact, so a rational step on a rational problem gives both sides as Fractions: a
violation confirmed here is a theorem about this instance.

    replay_exact(statement, P, m, state) -> (lhs, rhs) as Fractions, or None if something is not rational
"""

from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.problems.quadratics import Quadratics
from proveout.theory.lenses.common import value
from proveout.theory.lenses.states import time_of
from proveout.theory.statement import Method, OneStep, Problem, State, branches
from proveout.theory.twins import Altered

__all__ = ["rational", "rational_method", "rational_problem", "replay_exact"]


def rational(a: Any) -> Any:
    """A float, or an array with floats, exactly as Fractions; anything else as it is."""
    if isinstance(a, (float, np.floating)):
        return Fraction(float(a))
    if isinstance(a, np.ndarray) and a.dtype.kind in "fO":
        flat = [Fraction(float(v)) if isinstance(v, (float, np.floating)) else v for v in a.ravel()]
        out = np.empty(len(flat), dtype=object)
        out[:] = flat
        return out.reshape(a.shape)
    return a


def rational_problem(P: Quadratics) -> Quadratics:
    """A quadratic problem in Fractions: x* solved exactly, L and mu the rationals that the floats are."""
    exact = Quadratics(A=rational(P.A), b=rational(P.b), noise=None if P.noise is None else rational(P.noise))
    known = exact.__dict__
    for name in ("L", "mu", "L_max", "mu_min"):
        known[name] = Fraction(getattr(P, name))
    known["x_star"] = solve(exact.A.mean(axis=0), exact.b.mean(axis=0))
    known["f_star"] = exact.value(known["x_star"])
    return exact


def solve(A: Array, b: Array) -> Array:
    """Gauss elimination in Fractions; ValueError if A is singular."""
    n = len(b)
    M = [[*A[i], b[i]] for i in range(n)]
    for i in range(n):
        pivot = next((k for k in range(i, n) if M[k][i] != 0), None)
        if pivot is None:
            raise ValueError("A must be regular, got a singular matrix")
        M[i], M[pivot] = M[pivot], M[i]
        M[i] = [v / M[i][i] for v in M[i]]
        for k in range(n):
            if k != i and M[k][i] != 0:
                M[k] = [v - M[k][i] * w for v, w in zip(M[k], M[i], strict=True)]
    out = np.empty(n, dtype=object)
    out[:] = [row[n] for row in M]
    return out


def rational_method(m: Any) -> Any:
    """A record with its float fields (and those of the records it holds) as Fractions."""
    if isinstance(m, Altered):
        return replace(m, base=rational_method(m.base))
    if not is_dataclass(m) or isinstance(m, type):
        return rational(m)
    return replace(m, **{f.name: rational_method(getattr(m, f.name)) for f in fields(m) if f.init})


def replay_exact(statement: OneStep, P: Problem, m: Method, state: State) -> tuple[Fraction, Fraction] | None:
    """(lhs, rhs) at one state without leading axes; None where the step, V or the problem is not rational.

    The state is projected by `domain` in Fractions, so that it is admissible exactly.
    """
    if type(P) is not Quadratics:
        return None
    try:
        exact, method = rational_problem(P), rational_method(m)
        one = tree_map(rational, state)
        if statement.domain is not None:
            one = statement.domain(exact, method, one)
        prob, draws = method.law(exact).at(time_of(state)).atoms()
        lhs: Any = Fraction(0)
        for k, p in enumerate(rational(prob)):
            if p != 0:
                draw = tree_map(lambda a, k=k: rational(np.asarray(a)[k]), draws)
                after = method.step(exact, one, draw)
                lhs += p * value(statement.lyapunov(exact, method, after), exact)
        if statement.progress is not None:
            lhs += value(statement.progress(exact, method, one), exact)
        rhs = max(branches(statement.rate(exact, method))) * value(
            statement.lyapunov(exact, method, one), exact
        )
        if statement.noise is not None:
            rhs += statement.noise(exact, method)
    except (TypeError, AttributeError, ValueError, ArithmeticError):
        return None
    sides = tuple(s if isinstance(s, (Fraction, int)) else None for s in (_scalar(lhs), _scalar(rhs)))
    return None if None in sides else (Fraction(sides[0]), Fraction(sides[1]))  # type: ignore[arg-type]


def _scalar(a: Any) -> Any:
    return a.item() if isinstance(a, np.ndarray) and a.size == 1 else a
