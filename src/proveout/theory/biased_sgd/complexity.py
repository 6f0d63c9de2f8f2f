"""How many steps biased SGD needs: corollaries of the two theorems.

Both are judged at the last iterate.  The nonconvex corollary speaks of the least E G over the run, so there the
judged claim is the stronger one.
"""

import math
from typing import Any

from proveout.methods.biased_sgd import BiasedSGD, State
from proveout.theory.assumptions import pl, smooth
from proveout.theory.biased_sgd import rules
from proveout.theory.biased_sgd.choices import tuned_nonconvex, tuned_pl
from proveout.theory.biased_sgd.convergence import (
    NEGATED,
    SOURCE,
    abc,
    gap,
    star,
)
from proveout.theory.statement import Complexity, Method, Number, Problem, Square, at_most
from proveout.theory.twins import field_times, statement_with, update_times

__all__ = ["NONCONVEX_COMPLEXITY", "PL_COMPLEXITY"]


def nonconvex_count(drop_C: bool = False, drop_c: bool = False, factor: float = 12.0) -> Any:
    """Steps to E G <= eps: 12 D_0/(b gamma e) with e = eps - 2c/b, inf where gamma is too long for e.

    With gamma = min{1/sqrt(L A T), b/(L B), b e/(2 L C)} this is (12 D_0 L/(b e)) max{B/b, 12 D_0 A/(b e), 2C/(b e)}.
    """

    def count(P: Problem, m: Method, eps: float, start: State) -> Number:
        k = abc(P, m)
        left = eps - (0 if drop_c else 2 * k.c / k.b)
        if left <= 0 or not (drop_C or at_most(2 * P.L * k.C * m.gamma, k.b * left)):
            return math.inf
        T = factor * float(P.value(start.x) - P.f_star) / (k.b * m.gamma * left)
        return T if P.L * k.A * m.gamma**2 * T <= 1 else math.inf

    return count


def pl_count(drop_C: bool = False, drop_c: bool = False, factor: float = 1.0) -> Any:
    """Steps to E D <= eps: log(2 D_0/e)/(gamma mu b) with e = eps - c/(mu b), inf where gamma is too long for e.

    With the largest gamma allowed and gamma <= mu b e/(L C) this is
    max{1, L (A + mu B)/(mu b)^2, L C/((mu b)^2 e)} log(2 D_0/e).
    """

    def count(P: Problem, m: Method, eps: float, start: State) -> Number:
        k, mu = abc(P, m), P.mu_pl
        left = eps - (0 if drop_c else k.c / (mu * k.b))
        if left <= 0 or not (drop_C or at_most(P.L * k.C * m.gamma, mu * k.b * left)):
            return math.inf
        D0 = float(P.value(start.x) - P.f_star)
        return factor * max(0.0, math.log(2 * D0 / left)) / (m.gamma * mu * k.b)

    return count


NONCONVEX_COMPLEXITY = Complexity(
    source=SOURCE + ", corollary of the nonconvex theorem",
    method=BiasedSGD,
    assumes=(smooth,),
    allows=lambda P, m: abc(P, m).b > 0 and at_most(m.gamma, rules.limit(abc(P, m), P.L)),
    measure=lambda P, m, state: (Square(1, P.grad(state.x)),),
    count=nonconvex_count(),
    star=star,
    tune=tuned_nonconvex,
    claim=r"T\ge\frac{12\delta_0L}{b\varepsilon}\max\{\frac Bb,\frac{12\delta_0A}{b\varepsilon},\frac{2C}{b\varepsilon}\}"
    r"\Rightarrow\min_tE\|\nabla f\|^2\le\varepsilon+2c/b",
    twins=(
        statement_with("12 -> .1", count=nonconvex_count(factor=0.1)),
        statement_with("C dropped", count=nonconvex_count(drop_C=True)),
        statement_with("C and c dropped", count=nonconvex_count(drop_C=True, drop_c=True)),
        field_times("gamma", 3),
        NEGATED,
    ),
)

PL_COMPLEXITY = Complexity(
    source=SOURCE + ", corollary of the theorem under the PL condition",
    method=BiasedSGD,
    assumes=(smooth, pl),
    allows=lambda P, m: abc(P, m).b > 0 and at_most(m.gamma, rules.pl_limit(abc(P, m), P.L, P.mu_pl)),
    measure=gap,
    count=pl_count(),
    star=star,
    tune=tuned_pl,
    claim=r"T\ge\max\{1,\frac{L(A+\mu B)}{\mu^2b^2},\frac{LC}{\mu^2b^2\varepsilon}\}\log\frac{2\delta_0}{\varepsilon}"
    r"\Rightarrow E\delta_T\le\varepsilon+\frac{c}{\mu b}",
    twins=(
        statement_with("a quarter of the steps", count=pl_count(factor=0.25)),
        statement_with("C dropped", count=pl_count(drop_C=True)),
        statement_with("C and c dropped", count=pl_count(drop_C=True, drop_c=True)),
        update_times("x", 0.1),
        NEGATED,
    ),
)
