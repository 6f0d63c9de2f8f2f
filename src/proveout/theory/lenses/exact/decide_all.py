"""A one-step claim at all states at once: affine step, quadratic V and progress.

A quadratic polynomial is nonnegative on R^q iff its (q+1) x (q+1) matrix is positive semidefinite.  So with
E = sum_k p_k T_k' Q T_k + progress and B = rate Q + noise e e' the claim holds at *every* state iff B - E >= 0;
its figure is the top eigenvalue of (E, B), its worst state the eigenvector.

    claim = explicit(claim)                      # None: not worth it
    decided = all_states(claim, budget)          # (figure, states that may attain it, doubt) or None
    sharp(claim, budget)                         # best rate and least noise on this instance
"""

from dataclasses import dataclass, replace

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.affine import is_affine, pullback, read_maps
from proveout.theory.lenses.common import ROUNDING, VIOLATION, Budget
from proveout.theory.lenses.exact.onestep import Claim
from proveout.theory.lenses.forms import corner, form, ray, sup_ratio
from proveout.theory.lenses.states import Coordinates

__all__ = ["Sides", "all_states", "explicit", "forms_of", "sharp"]


def explicit(claim: Claim) -> Claim | None:
    """The claim in coordinates that forms and maps can be read in; only an affine step is worth them."""
    if claim.coords.explicit:
        return claim
    if not claim.coords.linear or not is_affine(claim.P, claim.m, claim.coords, claim.atoms):
        return None
    coords = claim.coords.with_basis()
    return replace(claim, coords=coords) if coords else None


@dataclass(frozen=True, eq=False)
class Sides:
    """The forms of a claim on R^q, each (q+1, q+1): lhs, rhs and V."""

    lhs: Array
    rhs: Array
    V: Array


def forms_of(claim: Claim, budget: Budget) -> Sides | None:
    """The forms of both sides; None if the step is not affine, or V or progress not quadratic."""
    P, m, coords, statement = claim.P, claim.m, claim.coords, claim.statement
    maps = read_maps(P, m, coords, claim.atoms, budget)
    if maps is None:
        return None
    Q = form(P, m, statement.lyapunov, replace(coords, basis=None))
    if Q is None:
        return None
    V = _restricted(Q, coords)
    if claim.noise == 0:
        V = _vanishing_at_star(V)
    E = pullback(maps, Q)
    if statement.progress is not None:
        G = form(P, m, statement.progress, coords)
        if G is None:
            return None
        E = E + G
    B = claim.rate * V + corner(coords.q, claim.noise)
    if claim.noise > 0:  # b_k is known to phi only: 2 phi |A y| <= ROUNDING |A y|^2 + phi^2 / ROUNDING
        B[-1, -1] += 2 * claim.phi * np.sqrt(claim.noise) + claim.phi**2 / ROUNDING
    return Sides(lhs=E, rhs=B, V=V)


def all_states(claim: Claim, budget: Budget) -> tuple[float, Array, str] | None:
    """(figure, states that may attain it, doubt) by linear algebra; None if something is not quadratic."""
    forms = forms_of(claim, budget)
    if forms is None:
        return None
    figure, z, grey = sup_ratio(forms.lhs, forms.rhs, zero=_rounding(forms))
    points = ray(z)
    doubt = ""
    if figure <= 1 + ROUNDING:
        low, z = _least(forms.rhs - forms.lhs, forms.rhs)
        if low < -VIOLATION:
            figure, points = 1 - low, np.concatenate([ray(z), points])
        elif low < -10 * ROUNDING:
            doubt = f"ill-conditioned: rhs - lhs has the eigenvalue {low:.1e}"
    if grey and abs(figure - 1) < 1e-6:
        doubt = "ill-conditioned: rank of the right side is not clear and the figure is within 1e-6 of 1"
    return figure, points, doubt


def sharp(claim: Claim, budget: Budget) -> tuple[float, float] | None:
    """(best rate with the claimed noise, least noise at the claimed rate) on this instance, over all states.

    None where all states cannot be decided; inf where no rate, or no noise, would do.
    """
    ready = explicit(claim)
    forms = forms_of(ready, budget) if ready else None
    return None if forms is None else (_best_rate(forms, claim.noise), _least_noise(forms, claim.rate))


def _best_rate(forms: Sides, noise: float) -> float:
    """The least r with lhs <= r V + noise."""
    q = len(forms.V) - 1
    if noise == 0:
        return sup_ratio(forms.lhs, forms.V, zero=_rounding(forms))[0]

    def fits(r: float) -> bool:
        return sup_ratio(forms.lhs, r * forms.V + corner(q, noise))[0] <= 1 + ROUNDING

    low, high = 0.0, 1.0
    while not fits(high):
        low, high = high, 4 * high
        if high > 1e9:
            return float("inf")
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _least_noise(forms: Sides, rate: float) -> float:
    """The least t >= 0 with lhs <= rate V + t: E_ss + r' (rate V_yy - E_yy)^-1 r, a Schur complement."""
    M = rate * forms.V - forms.lhs
    d = np.maximum(np.diag(rate * forms.V)[:-1], 0)
    D = 1 / np.sqrt(np.where(d > 0, d, d.max(initial=0.0) or 1.0))
    w, U = np.linalg.eigh(M[:-1, :-1] * D[:, None] * D)
    r = U.T @ (D * M[:-1, -1])
    keep = w > ROUNDING
    scale = max(abs(float(M[-1, -1])), 1e-300)
    if (w < -ROUNDING).any() or (r[~keep] ** 2 > ROUNDING * scale).any():
        return float("inf")
    return max(0.0, float(np.sum(r[keep] ** 2 / w[keep]) - M[-1, -1]))


def _rounding(forms: Sides) -> float:
    return float(1e-24 * np.abs(forms.V).max(initial=0.0))


def _restricted(Q: Array, coords: Coordinates) -> Array:
    """A form on R^D in the coordinates y."""
    if coords.basis is None:
        return Q
    D, q = coords.basis.shape
    S = np.zeros((D + 1, q + 1))
    S[:D, :q], S[D, q] = coords.basis, 1
    return S.T @ Q @ S


def _vanishing_at_star(Q: Array) -> Array:
    """V(star) = 0 to rounding, V >= 0: then the border vanishes too, and is set to 0 (else Jacobi scaling
    would blow the rounding up)."""
    if abs(Q[-1, -1]) > 1e-12 * np.abs(np.diag(Q)).max(initial=0.0):
        return Q
    Q = Q.copy()
    Q[-1, :] = Q[:, -1] = 0.0
    return Q


def _least(M: Array, B: Array) -> tuple[float, Array]:
    """Least eigenvalue of B - E, Jacobi-scaled by B, and its vector: also right where E is indefinite."""
    d = np.diag(B).copy()
    top = float(d.max(initial=0.0))
    d[d <= 0] = top if top > 0 else 1.0
    D = 1 / np.sqrt(d)
    w, U = np.linalg.eigh((M + M.T) / 2 * D[:, None] * D)
    return float(w[0]), D * U[:, 0]
