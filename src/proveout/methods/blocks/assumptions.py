"""The assumptions on gradient estimators, as values.

At one point x, with the expectation over the estimator's draw only,

    D = f(x) - f*,   G = |grad f(x)|^2,   P = <grad f(x), E g>,   E1 = |E g|^2,   V = E|g - E g|^2,
    S = E|g|^2 = E1 + V,   Bias = |E g - grad f|^2 = E1 - 2 P + G,   MSE = E|g - grad f|^2 = Bias + V.

Every assumption is a set of inequalities that are *linear in (D, G, P, E1, V, 1)* and affine in its constants:

    SG1    alpha G <= S <= beta P                          Beznosikov et al. (arXiv:2002.12410), first set
    SG2    max(tau G, S/beta) <= P                         ibid., second set
    CON    MSE <= (1 - alpha) G                            contractive, delta = 1/alpha; Stich et al. (2018)
    BVD    Bias <= eta G,  V <= xi G                       Condat et al. (arXiv:2205.04180), eta squared
    BREQ   P >= rho G,  S <= zeta G                        Khirirat et al. (2018)
    BND    Bias <= m G + phi2,  V <= M E1 + sigma2         Ajalloeian and Stich (2020)
    ABS    MSE <= Delta2                                   Sahu et al. (2021)
    FSML   P >= q G,  E1 <= u2 G,  V <= U G + Q            Bottou, Curtis, Nocedal (2018), u2 = u^2
    ABC    P >= b G - c,  S <= 2 A D + B G + C             Demidovich et al. (arXiv:2305.16296), Biased ABC

for every x.  `rows()` are these inequalities in the order above, each in the form <row, scalars> <= 0; `parts`
says which constants stand in which row; a constant named in `lower` is a lower bound (larger = stronger), any
other an upper bound.  `proper` is False where the constants say nothing useful (eta = 1 admits g = 0).
"""

from dataclasses import astuple, dataclass
from typing import Any, ClassVar, NamedTuple

__all__ = [
    "ABC",
    "ABS",
    "ASSUMPTIONS",
    "BND",
    "BREQ",
    "BVD",
    "CON",
    "FSML",
    "SG1",
    "SG2",
    "Assumption",
    "Scalars",
]


class Scalars(NamedTuple):
    """The scalars of an estimator at one point, or the coefficients of an inequality in them."""

    D: Any = 0  # f(x) - f*
    G: Any = 0  # |grad f|^2
    P: Any = 0  # <grad f, E g>
    E1: Any = 0  # |E g|^2
    V: Any = 0  # E |g - E g|^2
    one: Any = 0  # 1


def second(k: Any = 1) -> Scalars:
    """k S."""
    return Scalars(E1=k, V=k)


def bias(k: Any = 1) -> Scalars:
    return Scalars(G=k, P=-2 * k, E1=k)


def _sum(*rows: Scalars) -> Scalars:
    return Scalars(*(sum(column) for column in zip(*rows, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """The constants of one assumption."""

    lower: ClassVar[tuple[str, ...]] = ()
    parts: ClassVar[tuple[tuple[str, ...], ...]] = ()
    needs_gap: ClassVar[bool] = False  # does D stand in it?

    def rows(self) -> tuple[Scalars, ...]:
        """The inequalities, each <row, scalars> <= 0."""
        raise TypeError(f"{type(self).__name__} has no inequalities")

    @property
    def proper(self) -> bool:
        return all(value >= 0 for value in astuple(self))

    def scaled(self, factor: Any) -> "Assumption | None":
        """The constants of factor times the estimator, factor > 0; None if the class is not closed under it."""
        return None


@dataclass(frozen=True, kw_only=True)
class SG1(Assumption):
    alpha: Any
    beta: Any

    lower = ("alpha",)
    parts = (("alpha",), ("beta",))

    def rows(self) -> tuple[Scalars, ...]:
        return _sum(Scalars(G=self.alpha), second(-1)), _sum(second(), Scalars(P=-self.beta))

    @property
    def proper(self) -> bool:
        return bool(self.alpha > 0 and self.beta > 0)

    def scaled(self, factor: Any) -> "SG1":
        return SG1(alpha=factor**2 * self.alpha, beta=factor * self.beta)


@dataclass(frozen=True, kw_only=True)
class SG2(Assumption):
    tau: Any
    beta: Any

    lower = ("tau",)
    parts = (("tau",), ("beta",))

    def rows(self) -> tuple[Scalars, ...]:
        return Scalars(G=self.tau, P=-1), _sum(second(), Scalars(P=-self.beta))

    @property
    def proper(self) -> bool:
        return bool(self.tau > 0 and self.beta > 0)

    def scaled(self, factor: Any) -> "SG2":
        return SG2(tau=factor * self.tau, beta=factor * self.beta)


@dataclass(frozen=True, kw_only=True)
class CON(Assumption):
    alpha: Any  # 1/delta

    lower = ("alpha",)
    parts = (("alpha",),)

    def rows(self) -> tuple[Scalars, ...]:
        return (_sum(bias(), Scalars(V=1, G=self.alpha - 1)),)

    @property
    def delta(self) -> Any:
        return 1 / self.alpha

    @property
    def proper(self) -> bool:
        return bool(0 < self.alpha <= 1)


@dataclass(frozen=True, kw_only=True)
class BVD(Assumption):
    eta: Any
    xi: Any

    parts = (("eta",), ("xi",))

    def rows(self) -> tuple[Scalars, ...]:
        return _sum(bias(), Scalars(G=-self.eta)), Scalars(V=1, G=-self.xi)

    @property
    def proper(self) -> bool:
        return bool(0 <= self.eta < 1 and self.xi >= 0)


@dataclass(frozen=True, kw_only=True)
class BREQ(Assumption):
    rho: Any
    zeta: Any

    lower = ("rho",)
    parts = (("rho",), ("zeta",))

    def rows(self) -> tuple[Scalars, ...]:
        return Scalars(G=self.rho, P=-1), _sum(second(), Scalars(G=-self.zeta))

    @property
    def proper(self) -> bool:
        return bool(self.rho > 0 and self.zeta > 0)

    def scaled(self, factor: Any) -> "BREQ":
        return BREQ(rho=factor * self.rho, zeta=factor**2 * self.zeta)


@dataclass(frozen=True, kw_only=True)
class BND(Assumption):
    m: Any = 0
    phi2: Any = 0  # phi^2
    M: Any = 0
    sigma2: Any = 0  # sigma^2

    parts = (("m", "phi2"), ("M", "sigma2"))

    def rows(self) -> tuple[Scalars, ...]:
        return (
            _sum(bias(), Scalars(G=-self.m, one=-self.phi2)),
            Scalars(V=1, E1=-self.M, one=-self.sigma2),
        )

    @property
    def proper(self) -> bool:
        return bool(0 <= self.m < 1 and min(self.phi2, self.M, self.sigma2) >= 0)


@dataclass(frozen=True, kw_only=True)
class ABS(Assumption):
    Delta2: Any  # Delta^2

    parts = (("Delta2",),)

    def rows(self) -> tuple[Scalars, ...]:
        return (_sum(bias(), Scalars(V=1, one=-self.Delta2)),)


@dataclass(frozen=True, kw_only=True)
class FSML(Assumption):
    q: Any
    u2: Any  # u^2
    U: Any = 0
    Q: Any = 0

    lower = ("q",)
    parts = (("q",), ("u2",), ("U", "Q"))

    def rows(self) -> tuple[Scalars, ...]:
        return (
            Scalars(G=self.q, P=-1),
            Scalars(E1=1, G=-self.u2),
            Scalars(V=1, G=-self.U, one=-self.Q),
        )

    @property
    def proper(self) -> bool:
        return bool(self.q > 0 and self.u2 > 0 and min(self.U, self.Q) >= 0)

    def scaled(self, factor: Any) -> "FSML":
        r2 = factor**2
        return FSML(q=factor * self.q, u2=r2 * self.u2, U=r2 * self.U, Q=r2 * self.Q)


@dataclass(frozen=True, kw_only=True)
class ABC(Assumption):
    """Biased ABC; the constants of the exact gradient unless given.  b = 1, c = 0 and E g = grad f: the unbiased ABC."""

    A: Any = 0.0
    B: Any = 1.0
    C: Any = 0.0
    b: Any = 1.0
    c: Any = 0.0

    lower = ("b",)
    parts = (("b", "c"), ("A", "B", "C"))
    needs_gap = True

    def rows(self) -> tuple[Scalars, ...]:
        return (
            Scalars(G=self.b, P=-1, one=-self.c),
            _sum(second(), Scalars(D=-2 * self.A, G=-self.B, one=-self.C)),
        )

    @property
    def proper(self) -> bool:
        return bool(self.b > 0 and min(self.A, self.B, self.C, self.c) >= 0)

    def scaled(self, factor: Any) -> "ABC":
        r2 = factor**2
        return ABC(A=r2 * self.A, B=r2 * self.B, C=r2 * self.C, b=factor * self.b, c=factor * self.c)


ASSUMPTIONS: dict[str, type[Assumption]] = {
    c.__name__.lower(): c for c in (SG1, SG2, BREQ, CON, BVD, BND, ABS, FSML, ABC)
}
