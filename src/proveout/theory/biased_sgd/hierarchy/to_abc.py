"""Every assumption implies Biased ABC, with explicit constants.

kappa = 1 - 1/delta, r = root of kappa (CON) or of eta (BVD).  The sharp values come from P >= G - sqrt(G Bias) and
S <= (sqrt G + sqrt Bias)^2 + V; the paper's, which are weaker, from Young's inequality.

              B                     C                       b            c           paper's B, b
    SG1       beta^2                0                       alpha/beta   0
    SG2       beta^2                0                       tau          0
    BREQ      zeta                  0                       rho          0
    CON       (1 + r)^2             0                       1 - r        0           2 (2 - 1/delta), 1/(2 delta)
    BVD       (1 + r)^2 + xi        0                       1 - r        0           2 (1 + xi + eta), (1 - eta)/2
    BND       2 (M+1)(m+1)          2 (M+1) phi2 + sigma2   (1 - m)/2    phi2/2
    ABS       2                     2 Delta2                1/2          Delta2/2
    FSML      U + u2                Q                       q            0
    unbiased  B                     C                       1            0           (A kept)

For BND and ABS the pairs (b, c) and (B, C) lie on the frontier of what is true:

    c*(b) = phi2 (k - sqrt(k^2 - m))/(2 m), k = 1 - b < 1, b < 1 - sqrt m;        phi2/(4 k) where m = 0
    C*(B) = sigma2 + (M+1) phi2 (1 + (k - sqrt(k^2 - m))/m), k = (B/(M+1) - 1 - m)/2 > sqrt m;  1 + 1/(2 k) where m = 0
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from proveout.methods.blocks.assumptions import ABC, ABS, BND, BREQ, BVD, CON, FSML, SG1, SG2
from proveout.methods.blocks.variants import ABSAt, BNDAt, UnbiasedABC
from proveout.theory.biased_sgd.hierarchy.arrow import arrow, too_good
from proveout.theory.biased_sgd.hierarchy.formula import root
from proveout.theory.statement import Number
from proveout.theory.twins import statement_with

__all__ = [
    "ABS_ABC_FRONTIER",
    "ABS_IMPLIES_ABC",
    "BND_ABC_FRONTIER",
    "BND_IMPLIES_ABC",
    "BREQ_IMPLIES_ABC",
    "BVD_IMPLIES_ABC",
    "CON_IMPLIES_ABC",
    "FSML_IMPLIES_ABC",
    "SG1_IMPLIES_ABC",
    "SG2_IMPLIES_ABC",
    "UNBIASED_IMPLIES_ABC",
    "least_c",
    "least_growth",
]


def homogeneous(B: Number, b: Number) -> ABC:
    return ABC(A=0, B=B, C=0, b=b, c=0)


def con_to_abc(a: CON) -> ABC:
    r = root(1 - a.alpha)
    return homogeneous((1 + r) ** 2, 1 - r)


def bvd_to_abc(a: BVD) -> ABC:
    r = root(a.eta)
    return homogeneous((1 + r) ** 2 + a.xi, 1 - r)


def bnd_to_abc(a: BND) -> ABC:
    C = 2 * (a.M + 1) * a.phi2 + a.sigma2
    return ABC(A=0, B=2 * (a.M + 1) * (a.m + 1), C=C, b=(1 - a.m) / 2, c=a.phi2 / 2)


def least_c(m: Number, phi2: Number, b: Number) -> Number:
    """The least c with P >= b G - c, given Bias <= m G + phi2."""
    k = 1 - b
    return phi2 * (k - root(k**2 - m)) / (2 * m) if m else phi2 / (4 * k)


def least_growth(a: Any, B: Number) -> Number:
    """The least C with S <= B G + C, given BND."""
    k = (B / (a.M + 1) - 1 - a.m) / 2
    share = (k - root(k**2 - a.m)) / a.m if a.m else 1 / (2 * k)
    return a.sigma2 + (a.M + 1) * a.phi2 * (1 + share)


def bnd_at(a: BNDAt) -> ABC:
    return ABC(A=0, B=a.B, C=least_growth(a, a.B), b=a.b, c=least_c(a.m, a.phi2, a.b))


def abs_at(a: ABSAt) -> ABC:
    return ABC(A=0, B=a.B, C=a.Delta2 * a.B / (a.B - 1), b=a.b, c=a.Delta2 / (4 * (1 - a.b)))


# ------------------------------------------------------------------ statements

SG1_IMPLIES_ABC = arrow(
    name="sg1_implies_abc",
    given=SG1,
    then=ABC,
    constants=lambda a: homogeneous(a.beta**2, a.alpha / a.beta),
    sharp=("b", "B"),
    allows=lambda a: a.alpha <= a.beta**2,
    claim=r"\text{SG1}(\alpha,\beta)\Rightarrow b=\alpha/\beta,\ B=\beta^2",
    twins=(statement_with("b = alpha", constants=lambda a: homogeneous(a.beta**2, a.alpha)),),
)
SG2_IMPLIES_ABC = arrow(
    name="sg2_implies_abc",
    given=SG2,
    then=ABC,
    constants=lambda a: homogeneous(a.beta**2, a.tau),
    sharp=("b", "B"),
    allows=lambda a: a.tau <= a.beta,
    claim=r"\text{SG2}(\tau,\beta)\Rightarrow b=\tau,\ B=\beta^2",
    twins=(statement_with("B = beta", constants=lambda a: homogeneous(a.beta, a.tau)),),
)
BREQ_IMPLIES_ABC = arrow(
    name="breq_implies_abc",
    given=BREQ,
    then=ABC,
    constants=lambda a: homogeneous(a.zeta, a.rho),
    sharp=("b", "B"),
    allows=lambda a: a.zeta >= a.rho**2,
    claim=r"\text{BREQ}(\rho,\zeta)\Rightarrow b=\rho,\ B=\zeta",
)
CON_IMPLIES_ABC = arrow(
    name="con_implies_abc",
    given=CON,
    then=ABC,
    constants=con_to_abc,
    printed=lambda a: homogeneous(2 * (2 - a.alpha), a.alpha / 2),
    sharp=("b", "B"),
    claim=r"\text{CON}(\delta)\Rightarrow b=1-\sqrt\kappa,\ B=(1+\sqrt\kappa)^2,\ \kappa=1-1/\delta",
    twins=(
        statement_with("b = 1/delta", constants=lambda a: replace(con_to_abc(a), b=a.alpha)),
        statement_with(
            "the paper's constants with b = 1/delta",
            printed=lambda a: homogeneous(2 * (2 - a.alpha), a.alpha),
        ),
    ),
)
BVD_IMPLIES_ABC = arrow(
    name="bvd_implies_abc",
    given=BVD,
    then=ABC,
    constants=bvd_to_abc,
    printed=lambda a: homogeneous(2 * (1 + a.xi + a.eta), (1 - a.eta) / 2),
    sharp=("b", "B"),
    claim=r"\text{BVD}(\eta,\xi)\Rightarrow b=1-\sqrt\eta,\ B=(1+\sqrt\eta)^2+\xi",
    twins=(statement_with("b = 1 - eta", constants=lambda a: replace(bvd_to_abc(a), b=1 - a.eta)),),
)
BND_IMPLIES_ABC = arrow(
    name="bnd_implies_abc",
    given=BND,
    then=ABC,
    constants=bnd_to_abc,
    sharp=("b", "B", "c", "C"),
    claim=r"\text{BND}\Rightarrow b=\tfrac{1-m}2,\ c=\tfrac{\varphi^2}2,\ B=2(M+1)(m+1),\ C=2(M+1)\varphi^2+\sigma^2",
    twins=(
        statement_with("C without M", constants=lambda a: replace(bnd_to_abc(a), C=2 * a.phi2 + a.sigma2)),
    ),
)
ABS_IMPLIES_ABC = arrow(
    name="abs_implies_abc",
    given=ABS,
    then=ABC,
    constants=lambda a: abs_at(ABSAt(Delta2=a.Delta2, b=Fraction(1, 2), B=2)),
    sharp=("b", "B", "c", "C"),
    claim=r"\text{ABS}(\Delta^2)\Rightarrow b=\tfrac12,\ c=\tfrac{\Delta^2}2,\ B=2,\ C=2\Delta^2",
)
FSML_IMPLIES_ABC = arrow(
    name="fsml_implies_abc",
    given=FSML,
    then=ABC,
    constants=lambda a: ABC(A=0, B=a.U + a.u2, C=a.Q, b=a.q, c=0),
    sharp=("b", "B"),
    allows=lambda a: a.u2 >= a.q**2,
    claim=r"\text{FSML}(q,u,U,Q)\Rightarrow b=q,\ B=U+u^2,\ C=Q",
    twins=(
        statement_with("C left out", constants=lambda a: ABC(A=0, B=a.U + a.u2, C=0, b=a.q, c=0)),
        statement_with("B without U", constants=lambda a: ABC(A=0, B=a.u2, C=a.Q, b=a.q, c=0)),
    ),
)
UNBIASED_IMPLIES_ABC = arrow(
    name="unbiased_implies_abc",
    given=UnbiasedABC,
    then=ABC,
    constants=lambda a: ABC(A=a.A, B=a.B, C=a.C, b=1, c=0),
    sharp=("b", "B", "C", "A"),
    claim=r"E g=\nabla f,\ S\le 2AD+BG+C\ \Rightarrow\ b=1,\ c=0",
)
BND_ABC_FRONTIER = arrow(
    name="bnd_abc_frontier",
    given=BNDAt,
    then=ABC,
    constants=bnd_at,
    sharp=("b", "c", "B", "C"),
    allows=lambda a: a.b < 1 - root(a.m) and a.B > (a.M + 1) * (1 + root(a.m)) ** 2,
    claim=r"c^\star(b)=\frac{\varphi^2(k-\sqrt{k^2-m})}{2m},\ k=1-b,\ \text{least; }C^\star(B)\text{ likewise}",
    twins=(statement_with("1.1 b with the same c", constants=too_good(bnd_at, b=1.1)),),
)
ABS_ABC_FRONTIER = arrow(
    name="abs_abc_frontier",
    given=ABSAt,
    then=ABC,
    constants=abs_at,
    sharp=("b", "c", "B", "C"),
    allows=lambda a: a.b < 1 < a.B,
    claim=r"c^\star(b)=\frac{\Delta^2}{4(1-b)},\ C^\star(B)=\Delta^2\frac B{B-1}",
    twins=(statement_with("1.1 b with the same c", constants=too_good(abs_at, b=1.1)),),
)
