"""The papers' rules for steps, local steps and probabilities, and that they meet the theorems' conditions."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.compressors import Identity, Lazy, RandK
from proveout.methods.blocks.samplings import AB, Independent, Multi, Nice, Table, importance, root_importance
from proveout.methods.blocks.solvers import GD, Exact
from proveout.methods.fivegcs_cc import FiveGCSAB, FiveGCSCC
from proveout.theory.fivegcs.local import LOCAL_SOLVER_CONDITION, LocalWork
from proveout.theory.fivegcs_cc.lyapunov import SOURCE, conditions, each_L
from proveout.theory.statement import Implication, Method, Problem, at_most
from proveout.theory.twins import bound_times, statement_with, with_fields

__all__ = [
    "AB_SIMPLE_RULE",
    "CC_LOCAL_STEPS",
    "CC_STEP_RULE",
    "best_gamma",
    "decrements",
    "largest_gamma",
    "local_steps_rule",
    "step_rule",
    "tune_ab",
    "tune_cc",
]

# ------------------------------------------------------------------ compression


def step_rule(n: int, L: Any, mu: Any, cohort: int, omega: Any) -> tuple[float, float]:
    """gamma = 1/(2 gamma_dual n (1 + omega/C)), gamma_dual = (8/3) sqrt(mu L (1 + omega)/(n C (1 + omega/C)))."""
    dual = 8 / 3 * math.sqrt(mu * L * (1 + omega) / (n * (cohort + omega)))
    return 1 / (2 * dual * n * (1 + omega / cohort)), dual


def local_steps_rule(n: int, kappa: float, cohort: int, omega: float) -> int:
    """K >= (2 + (3/4) sqrt(kappa (C + omega)/(n (1 + omega)))) log(4 kappa) steps of gradient descent."""
    root = math.sqrt(kappa * (cohort + omega) / (n * (1 + omega)))
    return math.ceil((2 + 3 / 4 * root) * math.log(4 * kappa))


def tune_cc(
    P: Problem,
    cohort: int = 1,
    k: int | None = None,
    p: float | None = None,
    local_steps: int | str | None = None,
) -> FiveGCSCC:
    """The paper's steps.  Rand-k, or everything with probability p, or no compression.

    local_steps: a number of steps of gradient descent, or "rule"; None: exact solves where the prox is closed.
    """
    if not 1 <= cohort <= P.n:
        raise ValueError(f"cohort must lie in 1..n = {P.n}, got {cohort}")
    if not 0 < P.mu_min < P.L_max:
        raise ValueError(f"mu_min must lie in (0, L_max = {P.L_max}), got {P.mu_min}")
    if k is not None and p is not None:
        raise ValueError(f"give k or p, not both, got k = {k}, p = {p}")
    compressor: Any = Identity() if p is None else Lazy(p=p)
    if k is not None:
        compressor = RandK(k=k)
    omega = compressor.omega(P.d)
    gamma, dual = step_rule(P.n, P.L_max, P.mu_min, cohort, omega)
    rule = local_steps_rule(P.n, P.L_max / P.mu_min, cohort, omega)
    return FiveGCSCC(
        gamma=gamma,
        gamma_dual=dual,
        mu=P.mu_min,
        cohort=cohort,
        omega=omega,
        compressor=compressor,
        solver=solver_of(P, local_steps, rule),
    )


def solver_of(P: Problem, local_steps: int | str | None, rule: int) -> Any:
    """Exact solves where the prox is closed (quadratics, classes) and nothing else is asked for."""
    if local_steps is None and getattr(P, "is_quadratic", True):
        return Exact()
    return GD(steps=rule if local_steps in (None, "rule") else int(local_steps))


class _Rounds:
    """Any 5GCS-CC: n, L, mu, C and omega, which the rule reads."""

    def least(self, P: Problem, m: Method) -> dict[str, float]:
        return {"n": P.n, "L": float(P.L_max), "mu": float(m.mu), "cohort": m.cohort, "omega": m.omega}


class _LegalSteps:
    """(gamma, gamma_dual) for which the theorem speaks: both of its conditions, over 1."""

    def least(self, P: Problem, m: Method) -> None:
        return None

    def figure(self, P: Problem, m: Method, steps: tuple[float, float]) -> float:
        c = P.n + float(m.omega) * P.n / m.cohort
        return float(conditions(P.n, m.mu, *steps, c).max())


CC_STEP_RULE = Implication(
    source=f"{SOURCE}, step sizes of 5GCS-CC",
    method=FiveGCSCC,
    given=_Rounds(),
    then=_LegalSteps(),
    constants=lambda a: step_rule(**a),
    tune=tune_cc,
    claim=r"\gamma_d=\tfrac83\sqrt{\tfrac{\mu L}{nC}\tfrac{1+\omega}{1+\omega/C}},\ "
    r"\gamma=\tfrac1{2\gamma_d n(1+\omega/C)}:\ \gamma_d\ge\tfrac{8\mu}{3n},\ "
    r"\tfrac1{\gamma_d}-\gamma(n+\omega\tfrac nC)\ge\tfrac{4\mu}{3n\gamma_d^2}",
    twins=(
        statement_with(
            "omega dropped from gamma",
            constants=lambda a: (step_rule(**{**a, "omega": 0})[0], step_rule(**a)[1]),
        ),
        statement_with(
            "gamma without the factor 1/2",
            constants=lambda a: (2 * step_rule(**a)[0], step_rule(**a)[1]),
        ),
        statement_with(
            "4/3 for 8/3 in gamma_dual",
            constants=lambda a: (2 * step_rule(**a)[0], step_rule(**a)[1] / 2),
        ),
    ),
)


def _enough_steps(P: Problem, m: Method) -> bool:
    """gamma_dual >= 8 mu/(3n) and K >= 2 (1 + L/(n gamma_dual)) log 4 kappa: the rule, read off gamma_dual."""
    if not (isinstance(m.solver, GD) and m.start == 1 and at_most(m.mu, P.mu_min)):
        return False
    needed = 2 * (1 + P.L_max / (P.n * m.gamma_dual)) * math.log(4 * P.L_max / m.mu)
    return at_most(8 * m.mu, 3 * P.n * m.gamma_dual) and at_most(needed, m.solver.steps)


def tune_work(P: Problem, **choices: Any) -> LocalWork:
    """The clients' part of `tune_cc`, with the paper's number of local steps."""
    m = tune_cc(P, **{"local_steps": "rule", **choices})
    return LocalWork(gamma_dual=m.gamma_dual, mu=m.mu, cohort=m.cohort, solver=m.solver)


CC_LOCAL_STEPS = replace(  # of compression the condition knows gamma_dual alone
    LOCAL_SOLVER_CONDITION,
    source=f"{SOURCE}, gradient descent as local solver of 5GCS-CC",
    allows=_enough_steps,
    tune=tune_work,
    claim=r"K \ge \big(2+\tfrac34\sqrt{\tfrac{\kappa(C+\omega)}{n(1+\omega)}}\big)\log 4\kappa:"
    r"\ \text{local-solver condition}",
    twins=(
        with_fields("one step", lambda P, m: {"solver": GD(steps=1)}),
        with_fields("start at 0", lambda P, m: {"start": 0.0}),
        with_fields("an eighth of the steps", lambda P, m: {"solver": GD(steps=m.solver.steps // 8)}),
        bound_times(1e-10),
    ),
)

# ------------------------------------------------------------------ sampling


def largest_gamma(n: int, mu: float, ab: AB) -> float:
    """3 n / (16 mu max_i c_i): up to here gamma_i = 1/(2 gamma c_i) is legal."""
    return float(3 * n / (16 * mu * ab.c.max()))


def decrements(gamma: float, mu: float, L: Array, sampling: Any) -> tuple[float, float]:
    """gamma mu/(1 + gamma mu) and min_i p_hat_i gamma_i/(L_Fi + gamma_i) for gamma_i = 1/(2 gamma c_i)."""
    n = len(L)
    steep = 2 * gamma * sampling.ab(n).c * (np.asarray(L, float) - mu) / n  # L_Fi / gamma_i
    return gamma * mu / (1 + gamma * mu), float(np.min(sampling.p_hat(n) / (1 + steep)))


def best_gamma(mu: float, L: Array, sampling: Any) -> float:
    """Where both decrements are equal (one grows, one falls), by bisection, or the largest legal gamma."""
    high = largest_gamma(len(L), mu, sampling.ab(len(L)))
    low, (grows, falls) = 0.0, decrements(high, mu, L, sampling)
    if grows <= falls:
        return high
    for _ in range(100):
        middle = (low + high) / 2
        grows, falls = decrements(middle, mu, L, sampling)
        low, high = (middle, high) if grows < falls else (low, middle)
    return low


def sampling_of(P: Problem, kind: str, cohort: int, mu: float) -> Any:
    """A sampling by name, of about `cohort` clients."""
    if not 1 <= cohort <= P.n:
        raise ValueError(f"cohort must lie in 1..n = {P.n}, got {cohort}")
    n, ladder = P.n, cohort / P.n * np.linspace(0.5, 1.5, P.n)
    ladder[-1] = 1.0  # the last client always comes
    kinds: dict[str, Any] = {
        "nice": lambda: Nice(cohort=cohort),
        "multi": lambda: Multi(draws=cohort),
        "importance": lambda: Multi(draws=cohort, probs=importance(each_L(P), mu)),
        "uneven": lambda: Multi(draws=cohort, probs=tuple((np.linspace(0.3, 1.7, n) / n).tolist())),
        "root": lambda: Multi(draws=cohort, probs=root_importance(each_L(P))),
        "even": lambda: Independent(probs=cohort / n),
        "independent": lambda: Independent(probs=tuple(np.minimum(1.0, ladder).tolist())),
        "table": lambda: ring(n, cohort),
    }
    if kind not in kinds:
        raise ValueError(f"sampling must be one of {', '.join(kinds)}, got {kind!r}")
    return kinds[kind]()


def ring(n: int, cohort: int) -> Table:
    """`cohort` neighbours in a ring, later ones more often; now and then everybody, and nobody."""
    rings = tuple(tuple(sorted((i + j) % n for j in range(cohort))) for i in range(n))
    share = 0.8 * np.arange(1, n + 1) / (n * (n + 1) / 2)
    rest = 1 - float(share.sum())
    return Table(subsets=(*rings, tuple(range(n)), ()), probs=(*share.tolist(), rest / 2, rest / 2))


def tune_ab(
    P: Problem,
    sampling: str = "nice",
    cohort: int = 1,
    gamma_share: float | None = None,
    mu_share: float | None = None,
    local_steps: int | str | None = None,
) -> FiveGCSAB:
    """gamma_i = 1/(2 gamma c_i), gamma the best one, or `gamma_share` of the largest legal one.

    mu is mu_min; where some L_i equals it, .9 mu_min (any lower bound will do); or `mu_share` of it.
    K >= 2 max_i (1 + L_Fi/gamma_i) log 4 kappa local steps, or exact solves, as in `tune_cc`.
    """
    if not P.mu_min > 0:
        raise ValueError(f"the rule needs mu_min > 0, got {P.mu_min}")
    L = each_L(P)
    flat = float(L.min()) <= float(P.mu_min) * (1 + 1e-6)
    mu = (mu_share or (0.9 if flat else 1)) * P.mu_min
    chosen = sampling_of(P, sampling, cohort, float(mu))
    ab = chosen.ab(P.n)
    gamma = (
        gamma_share * largest_gamma(P.n, float(mu), ab) if gamma_share else best_gamma(float(mu), L, chosen)
    )
    duals = tuple((1 / (2 * gamma * ab.c)).tolist())
    steep = 1 + float(np.max((L - float(mu)) / P.n * 2 * gamma * ab.c))
    return FiveGCSAB(
        gamma=gamma,
        gamma_dual=duals[0] if len(set(duals)) == 1 else duals,
        mu=mu,
        sampling=chosen,
        solver=solver_of(P, local_steps, math.ceil(2 * steep * math.log(4 * float(L.max() / mu)))),
    )


class _Sampled:
    """Any 5GCS-AB: n, mu and the c_i of its sampling."""

    def least(self, P: Problem, m: Method) -> tuple[float, ...]:
        return P.n, float(m.mu), *m.sampling.ab(P.n).c.tolist()


class _LegalDuals:
    """(gamma, gamma_1, .., gamma_n) for which the theorem speaks: both of its conditions, over 1."""

    def least(self, P: Problem, m: Method) -> None:
        return None

    def figure(self, P: Problem, m: Method, steps: tuple[float, ...]) -> float:
        gamma, *duals = steps
        return float(conditions(P.n, m.mu, gamma, duals, m.sampling.ab(P.n).c).max())


def simple_rule(a: tuple[float, ...], share: float = 1.0, factor: float = 1.0) -> tuple[float, ...]:
    """gamma = share 3n/(16 mu max c_i), gamma_i = factor/(2 gamma c_i)."""
    n, mu, *c = a
    gamma = share * 3 * n / (16 * mu * max(c))
    return gamma, *(factor / (2 * gamma * one) for one in c)


AB_SIMPLE_RULE = Implication(
    source=f"{SOURCE}; derived",
    method=FiveGCSAB,
    given=_Sampled(),
    then=_LegalDuals(),
    constants=simple_rule,
    tune=tune_ab,
    claim=r"\gamma\le\tfrac{3n}{16\mu\max_i c_i},\ \gamma_i=\tfrac1{2\gamma c_i}:\ "
    r"\gamma_i\ge\tfrac{8\mu}{3n},\ \tfrac1{\gamma_i}-\gamma c_i\ge\tfrac{4\mu}{3n\gamma_i^2}",
    twins=(
        statement_with("gamma twice the limit", constants=lambda a: simple_rule(a, share=2)),
        statement_with("gamma_i = 1/(gamma c_i)", constants=lambda a: simple_rule(a, factor=2)),
        statement_with(
            "c_i = A/w_i", constants=lambda a: simple_rule((*a[:2], *(c - a[0] / 2 for c in a[2:])))
        ),
    ),
)
