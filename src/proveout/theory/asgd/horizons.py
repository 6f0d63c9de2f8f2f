"""Explicit rates of ASGD: the theorems of `ormo` at beta = 0, with any of its step rules.

    nonconvex_delay      gamma <= min{1/(2Ln), 1/(L sqrt(8 n tau_max))}:
        E-bar|grad f|^2 <= 8 Delta/(gamma J) + 4 L gamma sigma^2 + 8 gamma^2 L^2 n sigma^2
    nonconvex_adaptive   gamma <= 1/(4Ln):  <= 8 Delta/sum_j gamma_j + 6 L gamma sigma^2, weights gamma_j
    convex               gamma <= min{1/(4L), 1/(2nL), 1/(4L sqrt(n tau_max))}:
        E-bar f - f* <= R^2/(2 gamma J) + gamma sigma^2/2 + 4 gamma^2 L n sigma^2
    convex_adaptive      gamma <= 1/(8nL):  <= R^2/(2 sum_j gamma_j) + gamma sigma^2

The adaptive proofs use of the rule only that gamma_j <= gamma and gamma_j tau_j <= max{2 n gamma, 1/(4L)}: so
they cover late gradients scaled by cap/tau (koloskova, cap <= 1/(4L)), by n/tau (mishchenko) and dropped ones.
"""

from dataclasses import replace
from typing import Any

from proveout.methods.asgd import ASGD
from proveout.theory.ormo import horizons as ormo
from proveout.theory.statement import Method, Problem, at_most

__all__ = ["CONVEX", "CONVEX_ADAPTIVE", "NONCONVEX_ADAPTIVE", "NONCONVEX_DELAY"]

SOURCE = "Koloskova, Stich, Jaggi 2022; Mishchenko et al. 2022 (explicit form derived)"


def _constant(limit: Any) -> dict[str, Any]:
    """Fields of a theorem with a constant step."""
    return dict(
        source=SOURCE,
        method=ASGD,
        allows=lambda P, m: m.rule == "constant" and at_most(m.gamma, limit(P)),
        tune=lambda P, fraction=1.0: ASGD(gamma=fraction * limit(P)),
    )


def _adaptive(share: float) -> dict[str, Any]:
    """Fields of a theorem with delay-adaptive steps."""

    def allows(P: Problem, m: Method) -> bool:
        late = m.rule != "constant" and (m.rule != "koloskova" or at_most(m.cap, 1 / (4 * P.L)))
        return late and at_most(m.gamma, share / (P.L * P.workers))

    def tune(P: Problem, rule: str = "koloskova", fraction: float = 1.0) -> ASGD:
        return ASGD(gamma=fraction * share / (P.L * P.workers), rule=rule, cap=1 / (4 * P.L))

    return dict(source=SOURCE, method=ASGD, allows=allows, tune=tune)


def _delay_step(P: Problem) -> float:
    return float(min(1 / (2 * P.L * P.workers), ormo.delay_limit(P, 0.0, 8)))


def _convex_step(P: Problem) -> float:
    return float(min(1 / (4 * P.L), 1 / (2 * P.L * P.workers), ormo.delay_limit(P, 0.0, 16)))


NONCONVEX_DELAY = replace(ormo.NONCONVEX_BOUNDED_DELAY, **_constant(_delay_step))
NONCONVEX_ADAPTIVE = replace(ormo.ADAPTIVE_NONCONVEX, **_adaptive(0.25))
CONVEX = replace(ormo.CONVEX, **_constant(_convex_step))
CONVEX_ADAPTIVE = replace(ormo.ADAPTIVE_CONVEX, **_adaptive(0.125))
