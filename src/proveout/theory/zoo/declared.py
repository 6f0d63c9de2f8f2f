"""Constants that follow from what an estimator or its compressor says of itself.

A compressor's classes, with r = sqrt(1 - alpha):

    growth (b, B)     BREQ(b, B), ABC
    coupling beta     SG2(b, beta), SG1(b^2, beta); at most B/b, and 1 + r of a contractive one
    alpha             CON
    efbv (eta, omega) BVD(eta^2, omega), BND(eta^2, 0, omega/(1 - eta)^2, 0), E1 <= (1 + eta)^2 G
    absolute Delta^2  ABS, BND(0, Delta^2, 0, Delta^2 or 0 without randomness), ABC(0, 2, 2 Delta^2, 1/2, Delta^2/2)
"""

import math
from typing import Any

from proveout.methods.blocks.assumptions import ABC, ABS, BND, BREQ, BVD, CON, FSML, SG1, SG2, Assumption
from proveout.theory.statement import Problem

__all__ = ["declared"]


def declared(kind: type[Assumption], estimator: Any, P: Problem) -> Assumption | None:
    """Constants with which the estimator is known to be a member, or None."""
    said = getattr(estimator, "said", None)
    if isinstance(said, kind):
        return said
    if hasattr(estimator, "factor") and hasattr(estimator, "base"):
        one = declared(kind, estimator.base, P)
        return None if one is None else one.scaled(estimator.factor)
    if hasattr(estimator, "base"):
        return declared(kind, estimator.base, P)
    block = getattr(estimator, "compressor", None)
    if block is not None:
        found = _compressor(kind, block, P.d)
        if found is not None:
            return found
    if kind is ABC and hasattr(estimator, "abc"):
        k = estimator.abc(P)
        return k if isinstance(k, ABC) and k.proper and all(map(math.isfinite, vars(k).values())) else None
    return None


def _compressor(kind: type[Assumption], block: Any, d: int) -> Assumption | None:
    b, B = (float(v) for v in block.growth(d))
    alpha = float(block.alpha(d))
    eta, omega = (float(v) for v in block.efbv(d)) if hasattr(block, "efbv") else _split(block, d, alpha)
    Delta2 = float(block.absolute(d)) if hasattr(block, "absolute") else math.inf
    grows = b > 0 and math.isfinite(B)
    beta = min(B / b if grows else math.inf, 1 + math.sqrt(1 - alpha) if alpha > 0 else math.inf)
    beta = min(beta, float(block.coupling(d))) if hasattr(block, "coupling") else beta
    u2 = min(B if grows else math.inf, (1 + eta) ** 2)
    makers: dict[type[Assumption], tuple[bool, Any]] = {
        SG1: (grows, lambda: SG1(alpha=b**2, beta=beta)),
        SG2: (grows, lambda: SG2(tau=b, beta=beta)),
        BREQ: (grows, lambda: BREQ(rho=b, zeta=B)),
        CON: (alpha > 0, lambda: CON(alpha=alpha)),
        BVD: (eta < 1 and math.isfinite(omega), lambda: BVD(eta=eta**2, xi=omega)),
        BND: (eta < 1 and math.isfinite(omega), lambda: BND(m=eta**2, M=omega / (1 - eta) ** 2)),
        FSML: (grows and math.isfinite(omega), lambda: FSML(q=b, u2=u2, U=min(omega, B))),
        ABC: (grows, lambda: ABC(B=B, b=b)),
        ABS: (math.isfinite(Delta2), lambda: ABS(Delta2=Delta2)),
    }
    if math.isfinite(Delta2):
        sure = bool(getattr(block, "deterministic", False))
        makers[BND] = (True, lambda: BND(phi2=Delta2, sigma2=0.0 if sure else Delta2))
        if not grows:
            makers[ABC] = (True, lambda: ABC(B=2.0, C=2 * Delta2, b=0.5, c=Delta2 / 2))
    fits, make = makers[kind]
    return make() if fits else None


def _split(block: Any, d: int, alpha: float) -> tuple[float, float]:
    """(eta, omega) of a compressor that knows omega and alpha only."""
    if math.isfinite(block.omega(d)):
        return 0.0, float(block.omega(d))
    return math.sqrt(1 - alpha), 1 - alpha
