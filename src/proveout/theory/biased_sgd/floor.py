"""The floor of the nonconvex theorem: 2c/b is attained, c/b fails.

f = |x|^2/2 in the plane and the estimator `Circling` with (A, B, C, b, c) = (0, 1, 0, 1/2, 1/4): at the largest step
allowed, gamma = b/(L B) = 1/2, every iterate from |x_0| = 1 keeps |grad f|^2 = 1 = 2c/b and f - f* = 1/2 = c/(mu b).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import sqnorm
from proveout.methods.biased_sgd import BiasedSGD
from proveout.methods.blocks.estimators import ABC, Circling
from proveout.problems.quadratics import Quadratics
from proveout.theory.biased_sgd import rules
from proveout.theory.biased_sgd.convergence import nonconvex_bound
from proveout.theory.statement import NonImplication, Problem, evaluate
from proveout.theory.twins import statement_with

__all__ = ["PRINTED_FLOOR_FAILS", "BoundHolds", "InABC", "circle"]


def circle() -> tuple[Problem, Any]:
    """|x|^2/2 in the plane, and the estimator that goes around in circles."""
    return Quadratics(A=np.eye(2)[None], b=np.zeros((1, 2))), Circling()


@dataclass(frozen=True)
class InABC:
    """Is an estimator that sees |x| alone (up to rotation) in Biased ABC with the constants it says?"""

    def least(self, P: Problem, estimator: Any) -> ABC | None:
        """Its constants, or None.

        P, S and G are proportional to |x|^2 on both sides of the estimator's radius, so the inequalities are affine in
        |x|^2 there and the ends of the two pieces decide.
        """
        k: ABC = estimator.abc(P)
        radius = estimator.radius
        x = np.array([0, radius, radius * (1 + 1e-6), 1e6 * radius])[:, None, None] * np.array([1.0, 0.0])
        prob, draw = estimator.law(P).atoms()
        g, v = estimator(P, x + P.x_star, draw), P.grad(x + P.x_star)[:, 0]
        correlation = (g * v[:, None, :]).sum(axis=-1) @ prob
        second, G = sqnorm(g) @ prob, sqnorm(v)
        slack = 1e-9 * (1 + G)
        first = correlation >= k.b * G - k.c - slack
        growth = second <= k.B * G + k.C + slack
        return k if bool((first & growth).all()) else None


@dataclass(frozen=True)
class BoundHolds:
    """Does the nonconvex bound, with `floor` c/b as its last term, hold along the run from |x_0| = radius?"""

    floor: float
    horizons: tuple[int, ...] = (10, 20, 50, 200)

    def least(self, P: Problem, estimator: Any) -> float | None:
        """The largest measured/claimed over the horizons, or None if it exceeds 1."""
        m = BiasedSGD(gamma=rules.limit(estimator.abc(P), P.L), estimator=estimator)
        state = start = m.init(P, P.x_star + estimator.radius * np.array([1.0, 0.0]))
        draws = m.law(P).sample(np.random.default_rng(0), (max(self.horizons),))
        low, worst = np.inf, 0.0
        for t in range(max(self.horizons)):
            low = min(low, float(sqnorm(P.grad(state.x))))  # the same on every path
            state = m.step(P, state, type(draws)(estimate=draws.estimate[t]))
            if t + 1 in self.horizons:
                claimed = float(evaluate(nonconvex_bound(self.floor)(P, m, t + 1, start), P))
                worst = max(worst, low / claimed)
        return worst if worst <= 1 + 1e-9 else None


PRINTED_FLOOR_FAILS = NonImplication(
    source="Demidovich et al. (NeurIPS 2023), nonconvex theorem with the floor c/b",
    given=InABC(),
    then=BoundHolds(floor=1),
    witness=circle,
    claim=r"\text{Biased ABC}\not\Rightarrow\min_{t<T}E\|\nabla f\|^2\le"
    r"\frac{2\delta_0}{b\gamma T}+\frac{LC\gamma}{b}+\frac cb",
    twins=(
        statement_with("floor 2c/b", then=BoundHolds(floor=2)),
        statement_with("floor 4c/b", then=BoundHolds(floor=4)),
        statement_with("the first ten steps only", then=BoundHolds(floor=1, horizons=(5,))),
    ),
)
