"""The rows of the table of estimators whose error does not vanish with the gradient: c or C is not 0.

    hard threshold w   b = B = 1, c = d w^2: E|g|^2 = <E g, v> >= |v|^2 - d w^2
    integer rounding   b = 1/2, B = 2, c = Delta^2/2, C = 2 Delta^2, as for every error of at most Delta
    Gaussian smoothing E g = v, E|g|^2 = (d + 2)|v|^2 + tau^2/4 (d + 4) ((tr H)^2 + 2 tr H^2) on quadratics

Demidovich et al. (arXiv:2305.16296); constants that are better than the table's by direct proof.
"""

from typing import Any

import numpy as np

from proveout.arrays import Array, inner, sqnorm
from proveout.methods.blocks.assumptions import ABC
from proveout.methods.blocks.compressors import IntegerRounding, Threshold
from proveout.methods.blocks.smoothing import SmoothedQuadratic, smooth_abc
from proveout.theory.biased_sgd.rows import SOURCE, abc_sides, row, sends
from proveout.theory.statement import Membership
from proveout.theory.twins import statement_with

__all__ = ["INTEGER_ABC", "SMOOTHING_ABC", "THRESHOLD_ABC", "by_error", "kept"]


def by_error(block: Any, d: int) -> tuple[ABC, ...]:
    """What follows from E|g - v|^2 <= Delta^2 alone."""
    D = block.absolute(d)
    return (ABC(B=2.0, C=2 * D, b=0.5, c=D / 2),)


def kept(block: Threshold, d: int) -> tuple[ABC, ...]:
    """Better: E|g|^2 = <E g, v> >= |v|^2 - d w^2."""
    return (ABC(B=1.0, b=1.0, c=block.absolute(d)),)


THRESHOLD_ABC = row(
    Threshold,
    lambda P=None, w=0.5: Threshold(w=w),
    r"\|g\|^2=\langle g,v\rangle\ge\|v\|^2-d\,w^2:\quad b=B=1,\ c=d\,w^2",
    statement_with(
        "c 5 % less", sides=abc_sides(lambda block, d: (ABC(c=0.95 * block.absolute(d)),)), least=False
    ),
    sends("scaled by 1.1", lambda block, sent, u: 1.1 * sent, kept),
    constants=kept,
    attained=False,
    dims=(1, 2, 3),
)

INTEGER_ABC = row(
    IntegerRounding,
    lambda P=None, scale=4.0, mode="nearest": IntegerRounding(scale=scale, mode=mode),
    r"b=\tfrac12,\ B=2,\ c=\tfrac{\Delta^2}2,\ C=2\Delta^2,\quad\Delta^2=\tfrac d{4\chi^2}\ (\text{floor}:\tfrac d{\chi^2})",
    statement_with(
        "c halved",
        sides=abc_sides(lambda block, d: (ABC(B=2, C=2e9, b=0.5, c=block.absolute(d) / 4),)),
        least=False,
    ),
    statement_with(
        "C halved",
        sides=abc_sides(lambda block, d: (ABC(B=2, C=block.absolute(d), b=0.5, c=1e9),)),
        least=False,
    ),
    constants=by_error,
    attained=False,
    dims=(1, 2, 3),
)

# ------------------------------------------------------------------ smoothing


def smoothing_sides(spread: float = 4.0, double: float = 2.0) -> Any:
    """E g = v, E|g|^2 = (d + 2) G + C, each both ways, and the constants for smooth functions.  Twins change C."""

    def sides(block: SmoothedQuadratic, u: Array, draw: Any) -> tuple[Array, Array]:
        d, x = u.shape[-1], u[..., 0, :, :]
        w, v = u[..., 1, 0, :], block.gradient(x)[..., 0, :]
        g = block(x, draw)[..., 0, :]
        h = block.h(d)
        C = block.radius**2 / 4 * (d + spread) * (h.sum() ** 2 + double * (h**2).sum())
        G, W, S, k = sqnorm(v), sqnorm(w), sqnorm(g), smooth_abc(d, h.max(), block.radius)
        exact = (d + 2) * G + C + 0 * S
        claims = (
            (inner(g, w) + G + W, inner(v, w) + G + W + 0 * S),
            (S, exact),
            (exact, S),
            (S, k.B * G + k.C + 0 * S),
            (2 * G - (inner(g, v) + k.c) / k.b, G + 0 * S),
        )
        left, right = zip(*claims, strict=True)
        return np.stack(left, axis=-1), np.stack(right, axis=-1)

    return sides


SMOOTHING_ABC = Membership(
    source=SOURCE + "; on quadratics exact",
    method=SmoothedQuadratic,
    sides=smoothing_sides(),
    constant=lambda block, d: 1.0,
    shape=lambda block, d: (2, 1, d),
    dims=(1, 2, 3),
    tune=lambda P=None, radius=0.5, curvatures=(1.0, 10.0): SmoothedQuadratic(
        radius=radius, curvatures=curvatures
    ),
    claim=r"Eg=v,\quad E\|g\|^2=(d+2)\|v\|^2+\tfrac{\tau^2}4(d+4)\left((\mathrm{tr}H)^2+2\,\mathrm{tr}H^2\right)",
    twins=(
        statement_with("d + 2 for d + 4", sides=smoothing_sides(spread=2.0)),
        statement_with("tr H^2 once", sides=smoothing_sides(double=1.0)),
    ),
)
