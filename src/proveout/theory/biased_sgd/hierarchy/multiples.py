"""Multiples of estimators that are contractive.

g/beta of SG1(alpha, beta)          delta = beta^2/alpha
g/beta of SG2(tau, beta)            delta = beta/tau
(rho/zeta) g of BREQ(rho, zeta)     delta = zeta/rho^2
lambda g of BVD(eta, xi)            1 - 1/delta = (1 - lambda + lambda r)^2 + lambda^2 xi,  r = root of eta,
                                    best lambda = min{1, (1-r)/((1-r)^2 + xi)}
"""

from dataclasses import replace

from proveout.methods.blocks.assumptions import BREQ, BVD, SG1, SG2
from proveout.methods.blocks.variants import ScaledCON
from proveout.theory.biased_sgd.hierarchy.arrow import arrow
from proveout.theory.biased_sgd.hierarchy.formula import root
from proveout.theory.statement import Number
from proveout.theory.twins import statement_with

__all__ = [
    "BREQ_SCALES_TO_CON",
    "BVD_SCALES_TO_CON",
    "SG1_SCALES_TO_CON",
    "SG2_SCALES_TO_CON",
    "best_factor",
    "scaled_bvd",
]


def best_factor(a: BVD) -> Number:
    """The multiple of a BVD estimator that contracts most."""
    r = root(a.eta)
    return min(1, (1 - r) / ((1 - r) ** 2 + a.xi))


def scaled_bvd(a: BVD, factor: Number) -> ScaledCON:
    r = root(a.eta)
    return ScaledCON(alpha=1 - (1 - factor + factor * r) ** 2 - factor**2 * a.xi, factor=factor)


SG1_SCALES_TO_CON = arrow(
    name="sg1_scales_to_con",
    given=SG1,
    then=ScaledCON,
    constants=lambda a: ScaledCON(alpha=a.alpha / a.beta**2, factor=1 / a.beta),
    sharp=("alpha",),
    allows=lambda a: a.alpha <= a.beta**2,
    claim=r"g\in\text{SG1}(\alpha,\beta)\Rightarrow g/\beta\in\text{CON}(\beta^2/\alpha)",
    twins=(statement_with("lambda = 1", constants=lambda a: ScaledCON(alpha=a.alpha / a.beta**2, factor=1)),),
)
SG2_SCALES_TO_CON = arrow(
    name="sg2_scales_to_con",
    given=SG2,
    then=ScaledCON,
    constants=lambda a: ScaledCON(alpha=a.tau / a.beta, factor=1 / a.beta),
    sharp=("alpha",),
    allows=lambda a: a.tau <= a.beta,
    claim=r"g\in\text{SG2}(\tau,\beta)\Rightarrow g/\beta\in\text{CON}(\beta/\tau)",
    twins=(statement_with("lambda = 1", constants=lambda a: ScaledCON(alpha=a.tau / a.beta, factor=1)),),
)
BREQ_SCALES_TO_CON = arrow(
    name="breq_scales_to_con",
    given=BREQ,
    then=ScaledCON,
    constants=lambda a: ScaledCON(alpha=a.rho**2 / a.zeta, factor=a.rho / a.zeta),
    sharp=("alpha",),
    allows=lambda a: a.zeta >= a.rho**2,
    claim=r"g\in\text{BREQ}(\rho,\zeta)\Rightarrow(\rho/\zeta)g\in\text{CON}(\zeta/\rho^2)",
    twins=(
        statement_with("lambda = 1", constants=lambda a: ScaledCON(alpha=a.rho**2 / a.zeta, factor=1)),
        statement_with(
            "lambda = 1/rho", constants=lambda a: ScaledCON(alpha=a.rho**2 / a.zeta, factor=1 / a.rho)
        ),
    ),
)
BVD_SCALES_TO_CON = arrow(
    name="bvd_scales_to_con",
    given=BVD,
    then=ScaledCON,
    constants=lambda a: scaled_bvd(a, best_factor(a)),
    sharp=("alpha",),
    claim=r"g\in\text{BVD}(\eta,\xi)\Rightarrow\lambda g\in\text{CON},\ "
    r"\lambda=\min\{1,\tfrac{1-\sqrt\eta}{(1-\sqrt\eta)^2+\xi}\}",
    twins=(
        statement_with("lambda = 1", constants=lambda a: replace(scaled_bvd(a, best_factor(a)), factor=1)),
    ),
)
