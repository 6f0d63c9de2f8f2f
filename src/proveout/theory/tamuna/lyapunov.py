"""The Lyapunov function of TAMUNA, its rate, its parameter rule, for both forms of the method."""

import math
from typing import Any

from proveout.arrays import mean_clients, to_clients
from proveout.methods.tamuna import State, Tamuna, TamunaVirtual, VirtualState
from proveout.theory.proxskip import chi_max
from proveout.theory.statement import Method, Number, Problem, Square, Terms, at_most, branches
from proveout.theory.twins import unwrap

__all__ = [
    "allowed",
    "chi_max",
    "psi",
    "rate",
    "shift_weight",
    "shifts_sum_to_zero",
    "star",
    "tune",
    "tune_rounds",
    "worst",
]

SOURCE = "Condat, Agarský, Malinovsky, Richtárik (arXiv:2302.09832)"


def shift_weight(P: Problem, m: Method) -> Number:
    """B = gamma (n-1) / (p^2 chi (s-1)): n, not the size of the cohort."""
    return m.gamma / m.p**2 / m.chi * (P.n - 1) / (m.s - 1)


def psi(P: Problem, m: Method, state: Any) -> Terms:
    """(1/gamma) sum_i |x_i - x*|^2 + B sum_i |h_i - h*_i|^2; in the round form all x_i are the server's x."""
    shifts = Square(shift_weight(P, m), state.h - P.h_star, core=2)
    if isinstance(unwrap(m), Tamuna):
        return Square(P.n / m.gamma, state.x - P.x_star), shifts
    return Square(1 / m.gamma, state.x - P.x_star, core=2), shifts


def rate(P: Problem, m: Method) -> tuple[Number, ...]:
    """(1 - gamma mu)^2, (1 - gamma L)^2, 1 - p^2 chi (s-1)/(n-1), of which the largest counts."""
    return (
        (1 - m.gamma * P.mu_min) ** 2,
        (1 - m.gamma * P.L_max) ** 2,
        1 - m.p**2 * m.chi * (m.s - 1) / (P.n - 1),
    )


def worst(P: Problem, m: Method) -> Number:
    return max(branches(rate(P, m)))


def star(P: Problem, m: Method) -> Any:
    if isinstance(unwrap(m), Tamuna):
        return State(x=P.x_star, h=P.h_star)
    return VirtualState(x=to_clients(P.x_star, P.n), h=P.h_star)


def shifts_sum_to_zero(P: Problem, m: Method, state: Any) -> Any:
    return state._replace(h=state.h - mean_clients(state.h))


def allowed(P: Problem, m: Method) -> bool:
    """0 < gamma < 2/L, 0 < chi <= chi_max(n, s), geometric step counts."""
    return (
        0 < m.gamma < 2 / P.L_max
        and at_most(m.chi, chi_max(P.n, m.s))
        and getattr(m, "local_steps", None) is None
    )


def _fields(
    P: Problem,
    cohort: int | None,
    s: int | None,
    p: float | None,
    gamma_L: float | None,
    chi_share: float,
    price: float,
) -> dict[str, Any]:
    c = P.n if cohort is None else cohort
    if not 2 <= c <= P.n:
        raise ValueError(f"cohort must lie in 2..n = {P.n}, got {c}")
    s = max(2, c // P.d, int(price * c)) if s is None else s
    if p is None:
        if not P.mu_min > 0:
            raise ValueError(f"p must be given where mu_min = {P.mu_min}: the rule needs mu_min > 0")
        p = min(1.0, math.sqrt(P.n * P.mu_min / (s * P.L_max)))
    gamma = gamma_L / P.L_max if gamma_L else 2 / (P.L_max + P.mu_min)
    return {"gamma": gamma, "p": p, "chi": chi_share * chi_max(P.n, s), "cohort": c, "s": s}


def tune(
    P: Problem,
    cohort: int | None = None,
    s: int | None = None,
    p: float | None = None,
    gamma_L: float | None = None,
    chi_share: float = 1.0,
    price: float = 0.0,
    batch: int | None = None,
) -> TamunaVirtual:
    """The paper's rule: gamma = 2/(L+mu), chi = chi_max, p = min{1, sqrt(n/(s kappa))}, s = max{2, c/d, price c}.

    gamma_L is gamma times L_max, chi_share is chi over chi_max, price what a real down costs in reals up.
    """
    return TamunaVirtual(**_fields(P, cohort, s, p, gamma_L, chi_share, price), batch=batch)


def tune_rounds(
    P: Problem,
    cohort: int | None = None,
    s: int | None = None,
    p: float | None = None,
    gamma_L: float | None = None,
    chi_share: float = 1.0,
    price: float = 0.0,
    local_steps: int | None = None,
) -> Tamuna:
    """The same rule for the round form."""
    fields = _fields(P, cohort, s, p, gamma_L, chi_share, price)
    return Tamuna(**fields, local_steps=local_steps)
