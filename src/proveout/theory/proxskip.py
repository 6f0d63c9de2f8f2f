"""Mishchenko et al. (ICML 2022), main theorem, in consensus form.

If each f_i is L_max-smooth and mu_min-strongly convex, 0 < gamma <= 1/L_max and sum_i h_i = 0, then

    E[Psi(next)] <= max{1 - gamma mu_min, 1 - p^2} Psi,
    Psi = sum_i ||x_i - x*||^2 + (gamma/p)^2 sum_i ||h_i - h*_i||^2,   h*_i = grad f_i(x*).
"""

from proveout.arrays import mean_clients, to_clients
from proveout.methods.proxskip import Scaffnew, State
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.statement import OneStep, Square, at_most

__all__ = ["LINEAR_CONVERGENCE"]


def psi(problem, method, state):  # type: ignore[no-untyped-def]
    weight = (method.gamma / method.p) ** 2
    return (
        Square(1, state.x - problem.x_star, core=2),
        Square(weight, state.h - problem.h_star, core=2),
    )


def star(problem, method):  # type: ignore[no-untyped-def]
    return State(x=to_clients(problem.x_star, problem.n), h=problem.h_star)


def shifts_sum_to_zero(problem, method, state):  # type: ignore[no-untyped-def]
    return state._replace(h=state.h - mean_clients(state.h))


LINEAR_CONVERGENCE = OneStep(
    source="Mishchenko et al. 2022, main theorem",
    method=Scaffnew,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda problem, method: at_most(method.gamma, 1 / problem.L_max),
    lyapunov=psi,
    star=star,
    domain=shifts_sum_to_zero,
    rate=lambda problem, method: (1 - method.gamma * problem.mu_min, 1 - method.p**2),
    tune=lambda problem, p: Scaffnew(gamma=1 / problem.L_max, p=p),
    claim=r"E\Psi^{+} \le \max\{1-\gamma\mu,\,1-p^2\}\,\Psi",
)
