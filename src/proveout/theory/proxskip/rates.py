"""One-step contractions of ProxSkip, Scaffnew and CompressedScaffnew, and the rounds they cost."""

import math
from dataclasses import replace

from proveout.arrays import mean_clients, namespace, to_clients
from proveout.methods.proxskip import CompressedScaffnew, ProxSkip, Scaffnew, State
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.statement import (
    Complexity,
    Method,
    Number,
    OneStep,
    Problem,
    Square,
    Terms,
    at_most,
    log_ratio,
)
from proveout.theory.twins import (
    branch_dropped,
    field_times,
    oracle,
    rate_gap,
    rolled,
    statement_with,
    unwrap,
    update_times,
    weight_times,
    with_fields,
)

__all__ = [
    "COMPRESSED_LINEAR_CONVERGENCE",
    "LINEAR_CONVERGENCE",
    "ROUND_COMPLEXITY",
    "SCAFFNEW_LINEAR_CONVERGENCE",
    "chi_max",
    "psi",
    "shifts_sum_to_zero",
    "star",
]

SOURCE = "Mishchenko et al. 2022 (arXiv:2202.09357), main theorem"


def chi_max(n: int, s: int) -> float:
    """n (s-1) / (s (n-1)), the largest admissible chi: in (1/2, 1], and 1 for s = n."""
    return n * (s - 1) / (s * (n - 1)) if s != n else 1.0


def _one(m: Method) -> bool:
    """Is it ProxSkip itself, with one x and one h?"""
    return isinstance(unwrap(m), ProxSkip)


def shift_weight(P: Problem, m: Method) -> Number:
    """Weight of the shifts in Psi."""
    if isinstance(unwrap(m), CompressedScaffnew):
        return (m.gamma / m.p) ** 2 / m.chi * (P.n - 1) / (m.s - 1)
    return (m.gamma / m.p) ** 2


def psi(P: Problem, m: Method, state: State) -> Terms:
    at, core = star(P, m), 1 if _one(m) else 2
    return Square(1, state.x - at.x, core), Square(shift_weight(P, m), state.h - at.h, core)


def star(P: Problem, m: Method) -> State:
    if _one(m):
        return State(x=P.x_star, h=P.grad(P.x_star))
    return State(x=to_clients(P.x_star, P.n), h=P.h_star)


def shifts_sum_to_zero(P: Problem, m: Method, state: State) -> State:
    """Without it the claim about clients is false; ProxSkip itself asks nothing of h."""
    return state if _one(m) else state._replace(h=state.h - mean_clients(state.h))


def _published(P: Problem, p: float, form: str = "scaffnew") -> Method:
    """gamma = 1/L_max, for the consensus form or for ProxSkip itself."""
    forms = {"scaffnew": Scaffnew, "proxskip": ProxSkip}
    if form not in forms:
        raise ValueError(f"form must be one of {', '.join(forms)}, got {form!r}")
    return forms[form](gamma=1 / P.L_max, p=p)


def _gamma(P: Problem, gamma_L: float | None) -> float:
    """The step with gamma L_max = gamma_L; default the best one, 2/(L_max + mu_min)."""
    return float(gamma_L / P.L_max if gamma_L else 2 / (P.L_max + P.mu_min))


def _unsquared(P: Problem, m: Method, state: State) -> Terms:
    first, second = psi(P, m, state)
    return first, replace(second, weight=m.gamma / m.p)


LINEAR_CONVERGENCE = OneStep(
    source=SOURCE,
    method=(Scaffnew, ProxSkip),
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: at_most(m.gamma, 1 / P.L_max),
    lyapunov=psi,
    star=star,
    domain=shifts_sum_to_zero,
    rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p**2),
    tune=_published,
    claim=r"E\Psi^{+} \le \max\{1-\gamma\mu,\,1-p^2\}\,\Psi",
    twins=(
        update_times("h", 0),
        update_times("h", 2),
        update_times("x", 0.5),
        with_fields("gamma = 2.2/L", lambda P, m: {"gamma": 2.2 / P.L_max}),
        statement_with("weight gamma/p", lyapunov=_unsquared),
        weight_times(1, 4),
        rate_gap(2),
        *(branch_dropped(k) for k in range(2)),
    ),
)

SCAFFNEW_LINEAR_CONVERGENCE = replace(
    LINEAR_CONVERGENCE,
    source=f"{SOURCE}, sharpened by the identity of arXiv:2302.09832 at s = n",
    method=Scaffnew,
    allows=lambda P, m: 0 < m.gamma < 2 / P.L_max,
    rate=lambda P, m: ((1 - m.gamma * P.mu_min) ** 2, (1 - m.gamma * P.L_max) ** 2, 1 - m.p**2),
    tune=lambda P, p, gamma_L=None: Scaffnew(gamma=_gamma(P, gamma_L), p=p),
    claim=r"E\Psi^{+} \le \max\{(1-\gamma\mu)^2,\,(1-\gamma L)^2,\,1-p^2\}\,\Psi",
    twins=(
        update_times("h", 0),
        update_times("h", 0.5),
        rolled("h"),
        oracle("gradients rolled by one client", lambda grads, x: namespace(x).roll(grads(x), 1, axis=-2)),
        oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x)),
        rate_gap(1.1),
        *(branch_dropped(k) for k in range(3)),
    ),
)

COMPRESSED_LINEAR_CONVERGENCE = OneStep(
    source="Condat, Agarský, Richtárik (arXiv:2210.13277), main theorem",
    method=CompressedScaffnew,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: 0 < m.gamma < 2 / P.L_max and at_most(m.chi, chi_max(P.n, m.s)),
    lyapunov=psi,
    star=star,
    domain=shifts_sum_to_zero,
    rate=lambda P, m: (
        (1 - m.gamma * P.mu_min) ** 2,
        (1 - m.gamma * P.L_max) ** 2,
        1 - m.p**2 * m.chi * (m.s - 1) / (P.n - 1),
    ),
    tune=lambda P, s, p, gamma_L=None: CompressedScaffnew(
        gamma=_gamma(P, gamma_L), p=p, chi=chi_max(P.n, s), s=s
    ),
    claim=r"E\Psi^{+} \le \max\{(1-\gamma\mu)^2,\,(1-\gamma L)^2,\,1-p^2\chi\tfrac{s-1}{n-1}\}\,\Psi",
    twins=(
        field_times("chi", 1.5),
        update_times("h", 0),
        rolled("h"),
        weight_times(1, 0.25),
        rate_gap(1.1),
        *(branch_dropped(k) for k in range(3)),
    ),
)


def _sqrt_kappa(P: Problem) -> float:
    return math.sqrt(P.L_max / P.mu_min)


ROUND_COMPLEXITY = Complexity(
    source=f"{SOURCE}, corollary",
    method=Scaffnew,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: (
        at_most(m.gamma, 1 / P.L_max)
        and at_most(1, m.gamma * P.L_max)
        and at_most(m.p * _sqrt_kappa(P), 1.0)
        and at_most(1, m.p * _sqrt_kappa(P))
    ),
    measure=psi,
    count=lambda P, m, eps, start: _sqrt_kappa(P) * log_ratio(psi(P, m, start), P, eps),
    unit="rounds",
    star=star,
    domain=shifts_sum_to_zero,
    tune=lambda P: Scaffnew(gamma=1 / P.L_max, p=1 / _sqrt_kappa(P)),
    claim=r"E\Psi \le \varepsilon \text{ after } \sqrt{\kappa}\,\log(\Psi^0/\varepsilon) \text{ rounds}",
    twins=(
        with_fields("p = 1/kappa", lambda P, m: {"p": P.mu_min / P.L_max}),
        update_times("h", 0),
        update_times("h", 0.1),
        with_fields("gamma / 10", lambda P, m: {"gamma": m.gamma / 10}),
    ),
)
