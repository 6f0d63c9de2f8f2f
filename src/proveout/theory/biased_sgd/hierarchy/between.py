"""The arrows between the earlier assumptions.

kappa = 1 - 1/delta; r = root of kappa, or of eta.

    SG1(alpha, beta)   => SG2(alpha/beta, beta)
                       => FSML(alpha/beta, beta^2, U, 0), U = beta^2/4 if alpha <= beta^2/2 else alpha - alpha^2/beta^2
    SG2(tau, beta)     => SG1(tau^2, beta),  BREQ(tau, beta^2)
                       => FSML(tau, beta^2, U, 0), U = beta^2/4 if tau <= beta/2 else tau beta - tau^2
    BREQ(rho, zeta)    => SG1(rho^2, zeta/rho),  SG2(rho, zeta/rho),  FSML(rho, zeta, zeta - rho^2, 0)
    CON(delta)         => BVD(kappa, kappa),  SG1((1-r)^2, 1+r),  SG2(1-r, 1+r);   paper's: beta = 2, 1-r -> 1/(2 delta)
    BVD(eta, xi)       => BREQ(1-r, (1+r)^2 + xi),  BND(eta, 0, xi/(1-r)^2, 0)
                       => CON(1/delta = 1 - eta - xi)      only if eta + xi < 1
    FSML(q, u2, U, 0)  => BREQ(q, u2 + U)                  only if Q = 0
    ABS(Delta2)        => BND(0, Delta2, 0, Delta2)
"""

from dataclasses import replace

from proveout.methods.blocks.assumptions import ABS, BND, BREQ, BVD, CON, FSML, SG1, SG2
from proveout.theory.biased_sgd.hierarchy.arrow import arrow
from proveout.theory.biased_sgd.hierarchy.formula import root
from proveout.theory.statement import Number
from proveout.theory.twins import statement_with

__all__ = [
    "ABS_IMPLIES_BND",
    "BREQ_IMPLIES_FSML",
    "BREQ_IMPLIES_SG1",
    "BREQ_IMPLIES_SG2",
    "BVD_IMPLIES_BND",
    "BVD_IMPLIES_BREQ",
    "BVD_IMPLIES_CON",
    "CON_IMPLIES_BVD",
    "CON_IMPLIES_SG1",
    "CON_IMPLIES_SG2",
    "FSML_IMPLIES_BREQ",
    "SG1_IMPLIES_FSML",
    "SG1_IMPLIES_SG2",
    "SG2_IMPLIES_BREQ",
    "SG2_IMPLIES_FSML",
    "SG2_IMPLIES_SG1",
]

# ------------------------------------------------------------------ the trio


def _sg1_room(a: SG1) -> bool:
    return bool(a.alpha <= a.beta**2)


def _sg2_room(a: SG2) -> bool:
    return bool(a.tau <= a.beta)


def _breq_room(a: BREQ) -> bool:
    return bool(a.zeta >= a.rho**2)


def spread(tau: Number, beta: Number) -> Number:
    """The least U with V <= U G, given P >= tau G and S <= beta P."""
    return tau * beta - tau**2 if tau > beta / 2 else beta**2 / 4


def sg1_to_fsml(a: SG1) -> FSML:
    tau = a.alpha / a.beta
    return FSML(q=tau, u2=a.beta**2, U=spread(tau, a.beta), Q=0)


def sg2_to_fsml(a: SG2) -> FSML:
    return FSML(q=a.tau, u2=a.beta**2, U=spread(a.tau, a.beta), Q=0)


SG1_IMPLIES_SG2 = arrow(
    name="sg1_implies_sg2",
    given=SG1,
    then=SG2,
    constants=lambda a: SG2(tau=a.alpha / a.beta, beta=a.beta),
    sharp=("tau", "beta"),
    allows=_sg1_room,
    claim=r"\text{SG1}(\alpha,\beta)\Rightarrow\text{SG2}(\alpha/\beta,\beta)",
)
SG1_IMPLIES_FSML = arrow(
    name="sg1_implies_fsml",
    given=SG1,
    then=FSML,
    constants=sg1_to_fsml,
    sharp=("q", "u2", "U"),
    allows=_sg1_room,
    claim=r"\text{SG1}(\alpha,\beta)\Rightarrow q=\tfrac\alpha\beta,\ u=\beta,\ Q=0,\ "
    r"U=\tfrac{\beta^2}4\ (\alpha\le\tfrac{\beta^2}2),\ \alpha-\tfrac{\alpha^2}{\beta^2}\text{ else}",
    twins=(statement_with("U = beta^2/8", constants=lambda a: replace(sg1_to_fsml(a), U=a.beta**2 / 8)),),
)
SG2_IMPLIES_SG1 = arrow(
    name="sg2_implies_sg1",
    given=SG2,
    then=SG1,
    constants=lambda a: SG1(alpha=a.tau**2, beta=a.beta),
    sharp=("alpha", "beta"),
    allows=_sg2_room,
    claim=r"\text{SG2}(\tau,\beta)\Rightarrow\text{SG1}(\tau^2,\beta)",
    twins=(
        statement_with("alpha = 2 tau^2", constants=lambda a: SG1(alpha=2 * a.tau**2, beta=a.beta)),
        statement_with("alpha = tau beta", constants=lambda a: SG1(alpha=a.tau * a.beta, beta=a.beta)),
    ),
)
SG2_IMPLIES_BREQ = arrow(
    name="sg2_implies_breq",
    given=SG2,
    then=BREQ,
    constants=lambda a: BREQ(rho=a.tau, zeta=a.beta**2),
    sharp=("rho", "zeta"),
    allows=_sg2_room,
    claim=r"\text{SG2}(\tau,\beta)\Rightarrow\text{BREQ}(\tau,\beta^2)",
    twins=(statement_with("zeta = beta", constants=lambda a: BREQ(rho=a.tau, zeta=a.beta)),),
)
SG2_IMPLIES_FSML = arrow(
    name="sg2_implies_fsml",
    given=SG2,
    then=FSML,
    constants=sg2_to_fsml,
    sharp=("q", "u2", "U"),
    allows=_sg2_room,
    claim=r"\text{SG2}(\tau,\beta)\Rightarrow q=\tau,\ u=\beta,\ Q=0,\ "
    r"U=\tfrac{\beta^2}4\ (\tau\le\tfrac\beta2),\ \tau\beta-\tau^2\text{ else}",
    twins=(
        statement_with("U = beta^2/8", constants=lambda a: replace(sg2_to_fsml(a), U=a.beta**2 / 8)),
        statement_with(
            "the second U always", constants=lambda a: replace(sg2_to_fsml(a), U=a.tau * a.beta - a.tau**2)
        ),
    ),
)
BREQ_IMPLIES_SG1 = arrow(
    name="breq_implies_sg1",
    given=BREQ,
    then=SG1,
    constants=lambda a: SG1(alpha=a.rho**2, beta=a.zeta / a.rho),
    sharp=("alpha", "beta"),
    allows=_breq_room,
    claim=r"\text{BREQ}(\rho,\zeta)\Rightarrow\text{SG1}(\rho^2,\zeta/\rho)",
)
BREQ_IMPLIES_SG2 = arrow(
    name="breq_implies_sg2",
    given=BREQ,
    then=SG2,
    constants=lambda a: SG2(tau=a.rho, beta=a.zeta / a.rho),
    sharp=("tau", "beta"),
    allows=_breq_room,
    claim=r"\text{BREQ}(\rho,\zeta)\Rightarrow\text{SG2}(\rho,\zeta/\rho)",
)
BREQ_IMPLIES_FSML = arrow(
    name="breq_implies_fsml",
    given=BREQ,
    then=FSML,
    constants=lambda a: FSML(q=a.rho, u2=a.zeta, U=a.zeta - a.rho**2, Q=0),
    sharp=("q", "u2", "U"),
    allows=_breq_room,
    claim=r"\text{BREQ}(\rho,\zeta)\Rightarrow\text{FSML}(\rho,\sqrt\zeta,\zeta-\rho^2,0)",
)

# ------------------------------------------------------------------ contraction, bias and variance, noise


def bvd_to_bnd(a: BVD) -> BND:
    return BND(m=a.eta, phi2=0, M=a.xi / (1 - root(a.eta)) ** 2, sigma2=0)


CON_IMPLIES_BVD = arrow(
    name="con_implies_bvd",
    given=CON,
    then=BVD,
    constants=lambda a: BVD(eta=1 - a.alpha, xi=1 - a.alpha),
    sharp=("eta", "xi"),
    claim=r"\text{CON}(\delta)\Rightarrow\text{BVD}(\kappa,\kappa),\ \kappa=1-1/\delta",
    twins=(
        statement_with("half each", constants=lambda a: BVD(eta=(1 - a.alpha) / 2, xi=(1 - a.alpha) / 2)),
    ),
)
CON_IMPLIES_SG1 = arrow(
    name="con_implies_sg1",
    given=CON,
    then=SG1,
    constants=lambda a: SG1(alpha=(1 - root(1 - a.alpha)) ** 2, beta=1 + root(1 - a.alpha)),
    printed=lambda a: SG1(alpha=a.alpha**2 / 4, beta=2),
    sharp=("alpha", "beta"),
    claim=r"\text{CON}(\delta)\Rightarrow\text{SG1}((1-\sqrt\kappa)^2,1+\sqrt\kappa)",
)
CON_IMPLIES_SG2 = arrow(
    name="con_implies_sg2",
    given=CON,
    then=SG2,
    constants=lambda a: SG2(tau=1 - root(1 - a.alpha), beta=1 + root(1 - a.alpha)),
    printed=lambda a: SG2(tau=a.alpha / 2, beta=2),
    sharp=("tau", "beta"),
    claim=r"\text{CON}(\delta)\Rightarrow\text{SG2}(1-\sqrt\kappa,1+\sqrt\kappa)",
    twins=(
        statement_with(
            "the paper's constants with tau = 1/delta", printed=lambda a: SG2(tau=a.alpha, beta=2)
        ),
    ),
)
BVD_IMPLIES_BREQ = arrow(
    name="bvd_implies_breq",
    given=BVD,
    then=BREQ,
    constants=lambda a: BREQ(rho=1 - root(a.eta), zeta=(1 + root(a.eta)) ** 2 + a.xi),
    sharp=("rho", "zeta"),
    claim=r"\text{BVD}(\eta,\xi)\Rightarrow\text{BREQ}(1-\sqrt\eta,(1+\sqrt\eta)^2+\xi)",
    twins=(
        statement_with(
            "zeta = 1 + eta + xi", constants=lambda a: BREQ(rho=1 - root(a.eta), zeta=1 + a.eta + a.xi)
        ),
    ),
)
BVD_IMPLIES_BND = arrow(
    name="bvd_implies_bnd",
    given=BVD,
    then=BND,
    constants=bvd_to_bnd,
    sharp=("m", "M"),
    claim=r"\text{BVD}(\eta,\xi)\Rightarrow\text{BND}(\eta,0,\xi/(1-\sqrt\eta)^2,0)",
    twins=(
        statement_with(
            "xi/(1 - root eta) for its square",
            constants=lambda a: replace(bvd_to_bnd(a), M=a.xi / (1 - root(a.eta))),
        ),
    ),
)
BVD_IMPLIES_CON = arrow(
    name="bvd_implies_con",
    given=BVD,
    then=CON,
    constants=lambda a: CON(alpha=1 - a.eta - a.xi),
    sharp=("alpha",),
    allows=lambda a: a.eta + a.xi < 1,
    condition="eta + xi < 1",
    claim=r"\text{BVD}(\eta,\xi),\ \eta+\xi<1\Rightarrow\text{CON}(1/\delta=1-\eta-\xi)",
    twins=(
        statement_with(
            "eta + xi < 1.1 allowed",
            allows=lambda P, a: a.eta + a.xi < 1.1,
            constants=lambda a: CON(alpha=1 - a.eta - a.xi if a.eta + a.xi < 1 else 0.01),
        ),
        statement_with("1/delta = 1 - max", constants=lambda a: CON(alpha=1 - max(a.eta, a.xi))),
    ),
)
FSML_IMPLIES_BREQ = arrow(
    name="fsml_implies_breq",
    given=FSML,
    then=BREQ,
    constants=lambda a: BREQ(rho=a.q, zeta=a.u2 + a.U),
    sharp=("rho", "zeta"),
    allows=lambda a: a.Q == 0 and a.u2 >= a.q**2,
    condition="Q = 0",
    claim=r"\text{FSML}(q,u,U,0)\Rightarrow\text{BREQ}(q,u^2+U)",
    twins=(
        statement_with(
            "Q > 0 allowed, added to zeta",
            allows=lambda P, a: a.u2 >= a.q**2,
            constants=lambda a: BREQ(rho=a.q, zeta=a.u2 + a.U + a.Q),
        ),
    ),
)
ABS_IMPLIES_BND = arrow(
    name="abs_implies_bnd",
    given=ABS,
    then=BND,
    constants=lambda a: BND(m=0, phi2=a.Delta2, M=0, sigma2=a.Delta2),
    sharp=("phi2", "sigma2"),
    claim=r"\text{ABS}(\Delta^2)\Rightarrow\text{BND}(0,\Delta^2,0,\Delta^2)",
)
