"""Membership is a matrix inequality: on a quadratic every assumption is decided, and its least constants are known twice.

f = <y, Hy>/2, y = x - x*, g_k = M_k grad f(x) + s_k.  Every scalar (D, G, P, E1, V) is a quadratic polynomial of y, a
quadratic polynomial is >= 0 everywhere iff its (d+1) x (d+1) matrix is positive semidefinite, and every assumption is linear
in the scalars and in its constants: a linear matrix inequality.  The left side holds the closed forms of `theory.zoo`
(generalised eigenvalues, Schur complements, after the corner and range tests), the right side what a semidefinite program
finds: the constant taken back into the interval [dual bound, primal value] that was checked, SOLVER wide at either end;
-1 where there are no constants.  Without shifts

    tau = lambda_min(P, H^2),  zeta = lambda_max(S, H^2),  beta = lambda_max(S, P),  ...;

with them c*(b) = s'H X_b^{-1} H s/4, X_b = sym(H Gbar) - b H^2, s = E s_k, attained at x* - X_b^{-1} H s/2.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array, inner
from proveout.methods.biased_sgd import BiasedSGD
from proveout.methods.blocks.assumptions import ASSUMPTIONS, Assumption, Scalars
from proveout.methods.blocks.compressors import TopK
from proveout.methods.blocks.estimators import Affine, Compressed, Minibatch
from proveout.theory.assumptions import quadratic
from proveout.theory.biased_sgd.choices import estimator
from proveout.theory.statement import Identity, Method, Path, Problem
from proveout.theory.twins import statement_with
from proveout.theory.zoo.affine import Forms
from proveout.theory.zoo.decided import NotThere, additive, decide
from proveout.theory.zoo.rows import Row, rows
from proveout.theory.zoo.sdp import least_by_sdp
from proveout.theory.zoo.standing import Question

__all__ = ["MEMBERSHIP_IS_AN_LMI", "frontier", "least_constants"]

SOLVER = 1e-7  # relative; what an interior point method may be off
NONE = -1.0  # there are no constants


def closed(kind: type[Assumption], row: Row, F: Forms) -> dict[str, float] | None:
    """The least constants of a row in closed form."""
    try:
        return decide(kind, row, F, {}).constants
    except NotThere:
        return None


def without_corner(kind: type[Assumption], row: Row, F: Forms) -> dict[str, float] | None:
    """The same with all shifts forgotten: eigenvalues of the d x d blocks."""
    s = F.scalars
    scalars = Scalars(_block(s.D), _block(s.G), _block(s.P), _block(s.E1), _block(s.V), s.one)
    return closed(kind, row, Forms(scalars, F.outward, F.x_star, F.kernel))


def _block(X: Array) -> Array:
    out = np.array(X)
    out[-1], out[:, -1] = 0.0, 0.0
    return out


@lru_cache(maxsize=16)
def _tables(P: Problem, m: Method, corner: bool) -> tuple[Array, Array]:
    """(closed forms, those taken into the intervals of the programs), one entry per row of every assumption."""
    F = Question(m.estimator, P).forms
    if F is None:
        raise ValueError("estimator must be affine in x for every outcome")
    left, right = [], []
    for kind in ASSUMPTIONS.values():
        for row in rows(kind):
            found = (closed if corner else without_corner)(kind, row, F)
            here, there = _compared(kind, row, F, found)
            left.append(here)
            right.append(there)
    return np.array(left), np.array(right)


def _compared(
    kind: type[Assumption], row: Row, F: Forms, found: dict[str, float] | None
) -> tuple[float, float]:
    """(the constant that is least, what the program says of it), the others being held."""
    alone = additive(row)
    name = alone or next(iter(row.slopes))
    held = {} if found is None else {n: v for n, v in found.items() if n != name}
    if found is None and alone is not None:  # constants that do for some additive one, if any do
        held = {
            n: 0.0 if n == "A" else 0.999999 if n == "m" else 1e-6 if n in row.lower else 1e6
            for n in row.slopes
        }
        held.pop(name)
    constants, solved = least_by_sdp(kind, row, F, {name: 1.0}, held, np.inf)
    fails = not np.isfinite(solved.value) or solved.slack < -1e-8 or solved.gap > 1e-6
    says = not fails and _says(row, name, constants[name])
    if found is None:
        return NONE, NONE if not says else constants[name]
    if not says:
        return found[name], NONE
    ends = sorted((constants[name], -solved.bound if name in row.lower else solved.bound))
    room = SOLVER * max(1.0, abs(ends[1]))
    return found[name], float(np.clip(found[name], ends[0] - room, ends[1] + room))


def _says(row: Row, name: str, value: float) -> bool:
    if name in row.lower:
        return value > SOLVER
    return value < 1 - SOLVER if name == "eta" else value < 1 / SOLVER


def lmi_sides(scale: float = 1.0, corner: bool = True) -> Any:
    """Closed forms against programs; twins scale the closed forms, or leave the corner out."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        left, right = _tables(P, m, corner)
        return np.where(left > 0, scale * left, left), right

    return sides


# ------------------------------------------------------------------ by name


def least_constants(P: Problem, m: Method) -> dict[str, float]:
    """Least (largest for alpha, tau) constants of the homogeneous classes, where there are no shifts.

    tau: P >= tau G; beta: S <= beta P; zeta: S <= zeta G; kappa: MSE <= kappa G; eta: Bias <= eta G; xi: V <= xi G;
    u2: E1 <= u2 G; alpha: S >= alpha G; M: V <= M E1.
    """
    from proveout.theory.zoo.edge import least_multiple

    F = Question(m.estimator, P).forms
    if F is None:
        raise ValueError("estimator must be affine in x for every outcome")
    s = F.scalars
    S, bias = s.E1 + s.V, s.E1 - 2 * s.P + s.G
    pairs = {
        "beta": (S, s.P),
        "zeta": (S, s.G),
        "kappa": (bias + s.V, s.G),
        "eta": (bias, s.G),
        "xi": (s.V, s.G),
        "u2": (s.E1, s.G),
        "M": (s.V, s.E1),
    }
    found = {name: least_multiple(E[:-1, :-1], B[:-1, :-1]).value for name, (E, B) in pairs.items()}
    for name, B in (("alpha", S), ("tau", s.P)):
        found[name] = -least_multiple(-B[:-1, :-1], s.G[:-1, :-1]).value
    return found


def frontier(P: Problem, m: Method, b: float) -> tuple[float, float]:
    """c*(b) in closed form, and b G - P at the point where it is attained, asked of the estimator itself."""
    e = m.estimator
    H = P.hessians.mean(axis=0)
    factor, shift = float(e.p @ np.array(e.factors)), e.p @ e.s(P.d)
    X, cross = (factor - b) * H @ H, H @ shift
    value = float(cross @ np.linalg.solve(X, cross)) / 4
    x = P.x_star - np.linalg.solve(X, cross) / 2
    prob, draw = e.law(P).atoms()
    v = P.grad(x)
    correlation = float(prob @ inner(e(P, x[None, :], draw), v))
    return value, b * float(v @ v) - correlation


def _tuned(P: Problem, name: str = "rand_k", k: int = 1) -> BiasedSGD:
    if name == "minibatch" and not k <= P.n:
        raise ValueError(f"k must be at most n = {P.n}, got {k}")
    return BiasedSGD(gamma=1 / P.L, estimator=estimator(name, k))


MEMBERSHIP_IS_AN_LMI = Identity(
    source="Demidovich et al. (NeurIPS 2023); least constants by direct proof",
    method=BiasedSGD,
    assumes=(quadratic,),
    allows=lambda P, m: (
        isinstance(m.estimator, (Affine, Compressed, Minibatch))
        and not isinstance(getattr(m.estimator, "compressor", None), TopK)
    ),
    sides=lmi_sides(),
    steps=1,
    tune=_tuned,
    claim=r"c^\star(b)=\tfrac14\bar s^\top H X_b^{-1}H\bar s;\ \text{least constants of all nine: closed form}=\text{SDP}",
    twins=(
        statement_with("constants 5 % less", sides=lmi_sides(0.95)),
        statement_with("constants 5 % more", sides=lmi_sides(1.05)),
        statement_with("constants 1e-4 more", sides=lmi_sides(1 + 1e-4)),
        statement_with("corner test left out", sides=lmi_sides(corner=False)),
    ),
)
