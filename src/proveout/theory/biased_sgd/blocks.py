"""Biased ABC constants of compressed gradients: g = C(v), v = grad f(x).

    top-k           b = k/d, B = 1      (P = S: what is kept is orthogonal to what is not)
    rand-k          b = 1,   B = d/k    (equalities)
    biased rand-k   b = B = k/d         (equalities)

*Two claims in one inequality.*  E|C(v)|^2 <= B |v|^2 and E<C(w), w> >= b |w|^2 hold for all v and w if and only if

    E|C(v)|^2 + B (2 |w|^2 - E<C(w), w>/b) <= B (|v|^2 + |w|^2)    for all v, w:

w = 0 is the first, v = 0 the second.  The input is the pair (v, w), with independent draws.

On a quadratic f = <x, Hx>/2 (x* = 0) an affine estimator g_k = m_k v + s_k is in a class if and only if a
(d+1) x (d+1) matrix is positive semidefinite, since a quadratic polynomial is >= 0 everywhere iff its matrix
is.  Without shifts the least constants are generalised eigenvalues; with them

    c*(b) = 1/4 s'H X_b^{-1} H s,   X_b = sym(H Gbar) - b H^2,   Gbar = m H,   s = E s_k.
"""

from typing import Any

import numpy as np
from scipy.linalg import eigh

from proveout.arrays import Array, inner, sqnorm
from proveout.methods.biased_sgd import BiasedSGD
from proveout.methods.blocks.compressors import BiasedRandK, RandK, TopK
from proveout.methods.blocks.estimators import Affine, Compressed
from proveout.theory.assumptions import quadratic
from proveout.theory.biased_sgd.convergence import estimator
from proveout.theory.statement import Identity, Membership, Method, Path, Problem, Twin
from proveout.theory.twins import statement_with

__all__ = ["BIASED_RAND_K_ABC", "MEMBERSHIP_IS_AN_LMI", "RAND_K_ABC", "TOP_K_ABC", "least_constants"]

SOURCE = "Demidovich et al. (NeurIPS 2023), table of estimators"


# ------------------------------------------------------------------ compressors


def growth_sides(b: float = 1.0, scale: Any = None, edit: Any = None) -> Any:
    """u (..., 2, d) is the pair (v, w).  Twins claim b times as much, or change the compressor."""

    def sides(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
        g, d = block(u, draw), u.shape[-1]
        g = (g if edit is None else edit(g, u)) * (1 if scale is None else scale(block, d))
        w, (least, B) = u[..., 1, :], block.growth(d)
        met = inner(g[..., 1, :], w) / (b * least)
        return sqnorm(g[..., 0, :]) + B * (2 * sqnorm(w) - met), sqnorm(u, core=2)

    return sides


def _untied(g: Array, u: Array) -> Array:
    """Entries that tie, to a fifth, with one that was dropped are dropped too."""
    dropped = abs(u) * (g == 0)
    return g * (abs(g) > 1.2 * dropped.max(axis=-1, keepdims=True))


def _membership(kind: Any, claim: str, *twins: Twin) -> Membership:
    return Membership(
        source=SOURCE,
        method=kind,
        sides=growth_sides(),
        constant=lambda block, d: block.growth(d)[1],
        least=True,
        shape=lambda block, d: (2, d),
        dims=(2, 3, 6),
        tune=lambda P=None, k=1: kind(k=k),
        claim=claim,
        twins=(
            statement_with("B 5 % less", constant=lambda block, d: 0.95 * block.growth(d)[1]),
            statement_with("b 5 % more", sides=growth_sides(b=1.05)),
            *twins,
        ),
    )


TOP_K_ABC = _membership(
    TopK,
    r"\langle E g,v\rangle\ge\frac kd\|v\|^2,\quad E\|g\|^2\le\|v\|^2",
    statement_with("scaled by d/k", sides=growth_sides(scale=lambda block, d: d / block.k)),
    statement_with("entries within a fifth of a dropped one are dropped", sides=growth_sides(edit=_untied)),
    statement_with("the smallest entries are kept", sides=growth_sides(edit=lambda g, u: u - g)),
)
RAND_K_ABC = _membership(
    RandK,
    r"\langle E g,v\rangle=\|v\|^2,\quad E\|g\|^2=\frac dk\|v\|^2",
    statement_with("not scaled", sides=growth_sides(scale=lambda block, d: block.k / d)),
)
BIASED_RAND_K_ABC = _membership(
    BiasedRandK,
    r"\langle E g,v\rangle=E\|g\|^2=\frac kd\|v\|^2",
    statement_with("scaled by d/k", sides=growth_sides(scale=lambda block, d: d / block.k)),
)


# ------------------------------------------------------------------ quadratics: eigenvalues


def outcomes(P: Problem, m: Method) -> tuple[Array, Array]:
    """Probabilities (K,) and matrices M_k (K, d, d), g_k = M_k v, read off by the unit vectors."""
    prob, draw = m.estimator.law(P).atoms()
    H = P.hessians.mean(axis=0)
    x = P.x_star + np.linalg.solve(H, np.eye(P.d)).T  # rows with gradient e_j
    g = m.estimator(P, x[:, None, :], draw[None])  # (d, K, d)
    return prob, np.moveaxis(g, 0, -1)


def least_constants(P: Problem, m: Method) -> dict[str, float]:
    """Least (largest for tau) constants of the homogeneous classes, as generalised eigenvalues in x.

    tau: P >= tau G; beta: S <= beta P; zeta: S <= zeta G; kappa: E|g - v|^2 <= kappa G; eta: |E g - v|^2 <= eta G;
    xi: E|g - Eg|^2 <= xi G; u2: |E g|^2 <= u2 G; alpha: S >= alpha G; M: E|g - Eg|^2 <= M |E g|^2.
    """
    H = P.hessians.mean(axis=0)
    prob, M = outcomes(P, m)
    bar = np.tensordot(prob, M, axes=1)
    mean = bar @ H
    S = np.einsum("k,kia,kib->ab", prob, M @ H, M @ H)
    N, E1 = H @ H, mean.T @ mean
    PX = (H @ mean + mean.T @ H) / 2
    off = mean - H

    def top(A: Array, B: Array) -> float:
        return float(eigh((A + A.T) / 2, (B + B.T) / 2, eigvals_only=True)[-1])

    return {
        "alpha": -top(-S, N),
        "tau": -top(-PX, N),
        "beta": top(S, PX),
        "zeta": top(S, N),
        "kappa": top(S - 2 * PX + N, N),
        "eta": top(off.T @ off, N),
        "xi": top(S - E1, N),
        "u2": top(E1, N),
        "M": top(S - E1, E1),
    }


def frontier(P: Problem, m: Method, b: float) -> tuple[float, float]:
    """c*(b) in closed form, and b G - P at the point where it is attained, asked of the estimator itself."""
    e = m.estimator
    H = P.hessians.mean(axis=0)
    factor, shift = float(e.p @ np.array(e.factors)), e.p @ e.s(P.d)
    X, cross = (factor - b) * H @ H, H @ shift
    closed = float(cross @ np.linalg.solve(X, cross)) / 4
    x = P.x_star - np.linalg.solve(X, cross) / 2
    prob, draw = e.law(P).atoms()
    v = P.grad(x)
    correlation = float(prob @ inner(e(P, x[None, :], draw), v))
    return closed, b * float(v @ v) - correlation


def lmi_sides(shrink: float = 1.0) -> Any:
    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        if isinstance(m.estimator, Affine):
            both = [
                frontier(P, m, share * float(m.estimator.p @ np.array(m.estimator.factors)))
                for share in (0.2, 0.5, 0.8)
            ]
            closed, attained = (np.array(side) for side in zip(*both, strict=True))
            return shrink * closed, attained
        found = least_constants(P, m)
        b, B = m.estimator.compressor.growth(P.d)
        return np.array([found["tau"], found["zeta"]]), np.array([b, shrink * B])

    return sides


def _lmi(P: Problem, name: str = "rand_k", k: int = 1) -> BiasedSGD:
    return BiasedSGD(gamma=1 / P.L, estimator=estimator(name, k))


MEMBERSHIP_IS_AN_LMI = Identity(
    source="Demidovich et al. (NeurIPS 2023); least constants by direct proof",
    method=BiasedSGD,
    assumes=(quadratic,),
    allows=lambda P, m: (
        isinstance(m.estimator, (Affine, Compressed))
        and not isinstance(getattr(m.estimator, "compressor", None), TopK)
    ),
    sides=lmi_sides(),
    steps=1,
    tune=_lmi,
    claim=r"c^\star(b)=\tfrac14\bar s^\top H X_b^{-1}H\bar s;\ b,\ B\ \text{are generalised eigenvalues}",
    twins=(
        statement_with("c or B 5 % less", sides=lmi_sides(0.95)),
        statement_with("c or B 5 % more", sides=lmi_sides(1.05)),
    ),
)
