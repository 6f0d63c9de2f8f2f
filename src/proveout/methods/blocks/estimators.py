"""Gradient estimators g(x; xi), biased or not, with the constants of the class Biased ABC.

With D = f(x) - f*, G = |grad f(x)|^2, P = <grad f(x), E g>, S = E|g|^2, an estimator is Biased ABC if

    P >= b G - c     and     S <= 2 A D + B G + C     for every x.

Demidovich, Malinovsky, Sokolov, Richtárik, "A guide through the zoo of biased SGD" (arXiv:2305.16296);
unbiased estimators have b = 1, c = 0 (Khaled and Richtárik, arXiv:2002.03329).

    Exact         g = grad f(x)
    Compressed    g = C(grad f(x)), C a compressor
    Minibatch     g = mean over a uniform b-subset of the components, noise added
    Affine        g = m_k grad f(x) + s_k with probability p_k
    Scaled        g = factor times another estimator
    Declared      another estimator, its constants declared by hand
    Circling      the estimator at which the floors 2c/b and c/(mu b) are attained
    ByAssumption  any estimator of a class: known by its assumption, never drawn

Every estimator answers law(problem), g(problem, x, draw) with x (..., d), abc(problem), and per step
gradients(problem), floats(problem), bits(problem).
"""

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, like, namespace, norm, take
from proveout.laws import Coin, Drawn, Each, Joint, Law, Subset, Sure
from proveout.methods.blocks.assumptions import ABC, Assumption
from proveout.methods.blocks.outcomes import Whole, chances, check_outcomes

__all__ = [
    "ABC",
    "Affine",
    "ByAssumption",
    "Circling",
    "Compressed",
    "Declared",
    "Exact",
    "Minibatch",
    "MinibatchDraw",
    "Scaled",
    "asked",
]


@dataclass(frozen=True)
class Exact(Whole):
    def law(self, problem: Any) -> Law:
        return Sure(np.zeros(()))

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        return problem.grad(x)

    def abc(self, problem: Any) -> ABC:
        return ABC()


@dataclass(frozen=True)
class Compressed(Whole):
    compressor: Any

    def law(self, problem: Any) -> Law:
        """One row, which is no client's."""
        law: Law = self.compressor.law(1, problem.d)
        return replace(law, of=None) if isinstance(law, Each) else law

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        return self.compressor(problem.grad(x)[..., None, :], draw)[..., 0, :]

    def abc(self, problem: Any) -> ABC:
        b, B = self.compressor.growth(problem.d)
        return ABC(B=B, b=b)

    def floats(self, problem: Any) -> Any:
        return self.compressor.floats(problem.d)

    def bits(self, problem: Any) -> Any:
        return self.compressor.bits(problem.d)


class MinibatchDraw(NamedTuple):
    cohort: Array  # (..., b)  components of the minibatch
    xi: Array  # (..., b, d)  their gradient noise


@dataclass(frozen=True, kw_only=True)
class Minibatch(Whole):
    """Unbiased.  With fpc = (n - b)/(b max(1, n - 1)), the finite population correction,

    E|g|^2 = fpc mean|grad f_i|^2 + (1 - fpc) G + sigma2/b,   mean|grad f_i|^2 <= 2 L_max (D + gap_star).
    """

    batch: int = 1  # components per step

    def __post_init__(self) -> None:
        if not self.batch >= 1:
            raise ValueError(f"batch must be >= 1, got {self.batch}")

    def law(self, problem: Any) -> Law:
        return Joint(
            MinibatchDraw(cohort=Subset(problem.n, self.batch), xi=problem.xi(self.batch, of="cohort"))
        )

    def __call__(self, problem: Any, x: Array, draw: MinibatchDraw) -> Array:
        g = problem.at(draw.cohort).on(draw.xi).grads(x[..., None, :])
        return namespace(g).mean(g, axis=-2)

    def abc(self, problem: Any) -> ABC:
        n, b = problem.n, self.batch
        fpc = (n - b) / (b * max(1, n - 1))
        noise = getattr(problem, "sigma2", 0.0) / b
        growth = 2 * fpc * problem.L_max * problem.gap_star if fpc else 0.0
        return ABC(A=fpc * problem.L_max, B=1 - fpc, C=growth + noise)

    def gradients(self, problem: Any) -> int:
        return self.batch


@dataclass(frozen=True, kw_only=True)
class Affine(Whole):
    """g = m_k grad f(x) + s_k with probability p_k; a shift of one number s means s (1, .., 1)/sqrt(d).

    With means m = E m_k, s = E s_k and t = E m_k s_k, for every b < m and B > E m_k^2:
    c = |s|^2 / (4 (m - b)),  C = E|s_k|^2 + |t|^2 / (B - E m_k^2); b = m if s = 0, B = E m_k^2 if t = 0.
    """

    factors: tuple[float, ...]  # m_k
    shifts: tuple[tuple[float, ...], ...] = ()  # s_k; none: 0
    probs: tuple[float, ...] = ()  # p_k; none: equal

    def __post_init__(self) -> None:
        check_outcomes(len(self.factors), "factor", self.shifts, self.probs)

    @property
    def p(self) -> Array:
        """(K,) probabilities."""
        return chances(len(self.factors), self.probs)

    def s(self, d: int) -> Array:
        """(K, d) shifts."""
        if not self.shifts:
            return np.zeros((len(self.factors), d))
        rows = np.array(self.shifts, dtype=float)
        return rows if rows.shape[-1] == d else rows / np.sqrt(d) * np.ones(d)

    def law(self, problem: Any) -> Law:
        return Drawn(tuple(self.p), 1, of=None)

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        v = problem.grad(x)
        m, s = like(np.array(self.factors)[:, None], v), like(self.s(x.shape[-1]), v)
        return take(m, draw)[..., 0, :] * v + take(s, draw)[..., 0, :]

    def abc(self, problem: Any) -> ABC:
        p, m, s = self.p, np.array(self.factors), self.s(problem.d)
        mean, square = float(p @ m), float(p @ m**2)
        shift2, cross2 = float(((p @ s) ** 2).sum()), float(((p * m @ s) ** 2).sum())
        b = mean / 2 if shift2 else mean
        B = 2 * square if cross2 else square
        c = shift2 / (4 * (mean - b)) if shift2 else 0.0
        return ABC(
            B=B, C=float(p @ (s**2).sum(axis=1)) + (cross2 / (B - square) if cross2 else 0.0), b=b, c=c
        )


def asked(estimator: Any, problem: Any, draw: Any) -> Any:
    """Component gradients of a step; an estimator that asks for more or fewer by luck counts them with `asked`."""
    if hasattr(estimator, "asked"):
        return estimator.asked(problem, draw)
    return estimator.gradients(problem)


class _Around:
    """An estimator around another one, of the same cost."""

    base: Any

    def law(self, problem: Any) -> Law:
        return self.base.law(problem)  # type: ignore[no-any-return]

    def asked(self, problem: Any, draw: Any) -> Any:
        return asked(self.base, problem, draw)

    def gradients(self, problem: Any) -> Any:
        return self.base.gradients(problem)

    def floats(self, problem: Any) -> Any:
        return self.base.floats(problem)

    def bits(self, problem: Any) -> Any:
        return self.base.bits(problem)


@dataclass(frozen=True)
class Scaled(_Around):
    base: Any
    factor: float

    def __call__(self, problem: Any, x: Array, draw: Any) -> Array:
        return self.factor * self.base(problem, x, draw)

    def abc(self, problem: Any) -> ABC:
        one: ABC = self.base.abc(problem)
        return one.scaled(self.factor)


@dataclass(frozen=True, kw_only=True)
class Declared(_Around):
    """`base` with constants declared by hand, of any class: Declared(base=e, said=SG2(tau=.1, beta=1))."""

    base: Any
    said: Assumption

    def __call__(self, problem: Any, x: Array, draw: Any) -> Array:
        return self.base(problem, x, draw)

    def abc(self, problem: Any) -> ABC:
        return self.said if isinstance(self.said, ABC) else self.base.abc(problem)


@dataclass(frozen=True, kw_only=True)
class Circling(Whole):
    """On f = |x|^2/2 in the plane, with v = grad f(x) and gamma = b/B:

    |v|^2 <= c/(b - B gamma/2):  g = (v - R v)/gamma, R the rotation by theta, cos theta = 1 - B gamma^2/2; else g = v.
    With `coin` theta has a random sign.  Then S = B G, P = B gamma G/2 inside, and x - gamma g keeps |x| for ever.
    """

    B: float = 1.0
    b: float = 0.5
    c: float = 0.25
    coin: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.b <= 1 <= self.B or not self.c > 0:
            raise ValueError(
                f"0 < b <= 1 <= B and c > 0 must hold, got b = {self.b}, B = {self.B}, c = {self.c}"
            )

    @property
    def gamma(self) -> float:
        return self.b / self.B

    @property
    def radius(self) -> float:
        """Where b G - c = P: all iterates that start there stay there."""
        return math.sqrt(2 * self.c / self.b)

    def law(self, problem: Any) -> Law:
        return Coin(0.5) if self.coin else Sure(np.array(True))

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        v = problem.grad(x)
        xp = namespace(v)
        cos = 1 - self.B * self.gamma**2 / 2
        sin = (2 * xp.astype(draw, v.dtype) - 1) * math.sqrt(1 - cos**2)
        turned = xp.stack([cos * v[..., 0] - sin * v[..., 1], sin * v[..., 0] + cos * v[..., 1]], axis=-1)
        inside = norm(v)[..., None] <= self.radius * (1 + 1e-9)
        return xp.where(inside, (v - turned) / self.gamma, v)

    def abc(self, problem: Any) -> ABC:
        return ABC(B=self.B, b=self.b, c=self.c)


@dataclass(frozen=True)
class ByAssumption(Whole):
    """Every estimator that satisfies an assumption: what the worst-case and proof lenses judge."""

    assumption: Assumption

    def law(self, problem: Any) -> Law:
        raise ValueError("assumption names a class of estimators: there is nothing to draw")

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        raise ValueError("assumption names a class of estimators: there is nothing to compute")

    def abc(self, problem: Any) -> ABC:
        if not isinstance(self.assumption, ABC):
            raise ValueError(f"assumption must be ABC, got {type(self.assumption).__name__}")
        return self.assumption
