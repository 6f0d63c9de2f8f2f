"""The formulas of all arrows, by the name of the statement (`formula` says what they are)."""

from fractions import Fraction
from typing import Any

from proveout.methods.blocks.assumptions import ABS, BND, BREQ, BVD, CON, FSML, SG1, SG2
from proveout.methods.blocks.variants import UnbiasedABC
from proveout.theory.biased_sgd.hierarchy.branches import (
    abs_frontier,
    bnd_frontier,
    bvd_multiple,
    sg1_to_fsml,
    sg2_to_fsml,
)
from proveout.theory.biased_sgd.hierarchy.formula import (
    Everywhere,
    Formula,
    constant,
    radius,
    share,
    squared,
)
from proveout.theory.biased_sgd.hierarchy.rows import FIRST, SECOND, SG1_SIZE, SG1_SLOPE, SG2_SIZE
from proveout.theory.statement import Number

__all__ = ["FORMULAS"]

HALF = Fraction(1, 2)

# ------------------------------------------------------------------ contraction, bias and variance

SHARE = "t/(t + s)"


def _con(*rows: Formula) -> Everywhere:
    where = {"kappa": "r^2", "r": SHARE}
    return Everywhere(("t", "s"), where, lambda t, s: CON(alpha=1 - share(t, s) ** 2), rows)


def _bvd(*rows: Formula) -> Everywhere:
    where = {"eta": "r^2", "r": SHARE, "xi": "x"}
    return Everywhere(("t", "s", "x"), where, lambda t, s, x: BVD(eta=share(t, s) ** 2, xi=x), rows)


def _twice(t: Number, *rest: Number) -> Number:
    return 2 * t


def _padded(a: Any, first: Number, second: Number) -> tuple[Number, ...]:
    """Multipliers of Bias (or MSE) and, for BVD, of V."""
    return (first,) if isinstance(a, CON) else (first, second)


LEAST = Formula(  # P >= (1 - r) G
    lambda a: _padded(a, 1 / (2 * radius(a)), 0), lambda a: 1 - radius(a), _twice, squared
)
LARGEST = Formula(  # S <= ((1 + r)^2 + xi) G
    lambda a: _padded(a, (1 + radius(a)) / radius(a), 1), lambda a: 1 + radius(a), _twice, squared
)
STEEPEST = Formula(  # S <= (1 + r) P
    lambda a: ((1 + radius(a)) / (2 * radius(a)),),
    lambda a: 1 + radius(a),
    _twice,
    lambda *v: squared(*v) ** 2,
)
LONGEST = Formula(  # S >= (1 - r)^2 G
    lambda a: ((1 - radius(a)) / radius(a),), lambda a: 1 - radius(a), _twice, squared
)
VARIANCE = Formula(  # V <= xi/(1 - r)^2 E1
    lambda a: (a.xi / (radius(a) * (1 - radius(a))), 1),
    lambda a: 1 - radius(a),
    lambda t, s, x: t * s**2,
    squared,
)

# ------------------------------------------------------------------ the trio


def _sg1(*rows: Formula) -> Everywhere:
    where = {"beta": "beta", "alpha": "beta^2 t/(t + s)"}
    return Everywhere(("beta", "t", "s"), where, lambda b, t, s: SG1(alpha=b**2 * share(t, s), beta=b), rows)


def _sg2(*rows: Formula) -> Everywhere:
    where = {"tau": "tau", "beta": "tau + w"}
    return Everywhere(("tau", "w"), where, lambda tau, w: SG2(tau=tau, beta=tau + w), rows)


def _breq(*rows: Formula) -> Everywhere:
    where = {"rho": "rho", "zeta": "rho^2 + w"}
    return Everywhere(("rho", "w"), where, lambda rho, w: BREQ(rho=rho, zeta=rho**2 + w), rows)


SG1_BETA = Formula(constant(0, 1), clear=lambda b, t, s: t + s)  # S <= beta P
SG1_MULTIPLE = Formula(
    lambda a: (1 / a.beta**2, 2 / a.beta**2), lift=lambda b, t, s: b**2, clear=lambda b, t, s: t + s
)
SG2_LONG = Formula(lambda a: (2 * a.tau, 0), lambda a: a.tau)  # S >= tau^2 G
SG2_MULTIPLE = Formula(lambda a: (1 / a.beta, 1 / a.beta**2), lift=lambda tau, w: (tau + w) ** 2)
BREQ_LONG = Formula(lambda a: (2 * a.rho, 0), lambda a: a.rho)  # S >= rho^2 G
BREQ_STEEP = Formula(lambda a: (a.zeta / a.rho, 1), lift=lambda rho, w: rho)  # S <= (zeta/rho) P
BREQ_SPREAD = Formula(lambda a: (2 * a.rho, 1), lambda a: a.rho)  # V <= (zeta - rho^2) G
BREQ_MULTIPLE = Formula(
    lambda a: (2 * a.rho / a.zeta, a.rho**2 / a.zeta**2), lift=lambda rho, w: (rho**2 + w) ** 2
)

# ------------------------------------------------------------------ noise


def _fsml(quiet: bool, *rows: Formula) -> Everywhere:
    names = ("q", "w", "U") if quiet else ("q", "w", "U", "Q")
    where = {"u2": "q^2 + w"}
    return Everywhere(names, where, lambda q, w, U, Q=0: FSML(q=q, u2=q**2 + w, U=U, Q=Q), rows)


def _bnd(*rows: Formula) -> Everywhere:
    return Everywhere(
        ("t", "s", "phi2", "M", "sigma2"),
        {"m": "t/(t + s)"},
        lambda t, s, phi2, M, sigma2: BND(m=share(t, s), phi2=phi2, M=M, sigma2=sigma2),
        rows,
    )


def _abs(*rows: Formula) -> Everywhere:
    return Everywhere(("Delta2",), {}, lambda Delta2: ABS(Delta2=Delta2), rows)


def _mixed(t: Number, s: Number, w: Number) -> Number:
    return t + s + w


SINGLE: dict[str, Everywhere] = {
    "con_implies_bvd": _con(
        Formula(constant(1), clear=squared), Formula(constant(1), lambda a: 1, clear=squared)
    ),
    "con_implies_sg1": _con(LONGEST, STEEPEST),
    "con_implies_sg2": _con(LEAST, STEEPEST),
    "con_implies_abc": _con(LEAST, LARGEST),
    "bvd_implies_breq": _bvd(LEAST, LARGEST),
    "bvd_implies_bnd": _bvd(Formula(constant(1, 0), clear=squared), VARIANCE),
    "bvd_implies_abc": _bvd(LEAST, LARGEST),
    "bvd_implies_con": Everywhere(
        ("t", "s", "w"),
        {"eta": "t/(t + s + w)", "xi": "s/(t + s + w)"},
        lambda t, s, w: BVD(eta=t / _mixed(t, s, w), xi=s / _mixed(t, s, w)),
        (Formula(constant(1, 1), clear=_mixed),),
    ),
    "sg1_implies_sg2": _sg1(SG1_SLOPE, SG1_BETA),
    "sg1_implies_abc": _sg1(SG1_SLOPE, SG1_SIZE),
    "sg1_scales_to_con": _sg1(SG1_MULTIPLE),
    "sg2_implies_sg1": _sg2(SG2_LONG, SECOND),
    "sg2_implies_breq": _sg2(FIRST, SG2_SIZE),
    "sg2_implies_abc": _sg2(FIRST, SG2_SIZE),
    "sg2_scales_to_con": _sg2(SG2_MULTIPLE),
    "breq_implies_sg1": _breq(BREQ_LONG, BREQ_STEEP),
    "breq_implies_sg2": _breq(FIRST, BREQ_STEEP),
    "breq_implies_fsml": _breq(FIRST, SECOND, BREQ_SPREAD),
    "breq_implies_abc": _breq(FIRST, SECOND),
    "breq_scales_to_con": _breq(BREQ_MULTIPLE),
    "fsml_implies_breq": _fsml(True, Formula(constant(1, 0, 0)), Formula(constant(0, 1, 1))),
    "fsml_implies_abc": _fsml(False, Formula(constant(1, 0, 0)), Formula(constant(0, 1, 1))),
    "bnd_implies_abc": _bnd(
        Formula(constant(HALF, 0), clear=lambda t, s, *v: t + s),
        Formula(lambda a: (2 * (a.M + 1), 1), lambda a: 2, clear=lambda t, s, *v: t + s),
    ),
    "abs_implies_bnd": _abs(Formula(constant(1)), Formula(constant(1), lambda a: 1)),
    "abs_implies_abc": _abs(Formula(constant(HALF)), Formula(constant(2), lambda a: 2)),
    "unbiased_implies_abc": Everywhere(
        ("A", "B", "C"), {}, lambda A, B, C: UnbiasedABC(A=A, B=B, C=C), (Formula(constant(0, 0)), SECOND)
    ),
}
FORMULAS: dict[str, tuple[Everywhere, ...]] = {
    **{name: (one,) for name, one in SINGLE.items()},
    "sg1_implies_fsml": sg1_to_fsml(),
    "sg2_implies_fsml": sg2_to_fsml(),
    "bvd_scales_to_con": bvd_multiple(),
    "abs_abc_frontier": (abs_frontier(),),
    "bnd_abc_frontier": bnd_frontier(),
}
