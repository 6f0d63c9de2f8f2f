"""The table of estimators: Biased ABC constants of g = C(v), v = grad f(x), with A = 0.

    <E g, v> >= b |v|^2 - c,   E|g|^2 <= B |v|^2 + C,   for every v

    estimator                 b           B                          c           C
    adaptive sparsification   1/d         1                          0           0
    unbiased rounding         1           (rho + 1/rho + 2)/4        0           0          rho: largest ratio of neighbours
    natural compression       1           9/8                        0           0
    biased rounding           2/(1+rho)   (2 rho/(1+rho))^2          0           0          E|g|^2 <= sqrt(B) <E g, v> too
    exponential dithering     1           (a+1/a+2)/4 + h min{1,h}   0           0          h = d^(1/min{p,2}) a^(1-s)
    natural dithering         1           the same with a = 2        0           0
    dithering of top-k        k/d         the same with k for d      0           0
    Gaussian smoothing        1           d + 2                      0           tau^2/4 (d+4) ((tr H)^2 + 2 tr H^2)
    hard threshold w          1           1                          d w^2       0
    integer rounding          1/2         2                          Delta^2/2   2 Delta^2  Delta^2 of the rounding
    biased dithering          1           d                          0           0
    scaled sign               1/d         1                          0           0

All constants are least but those of dithering.  Smoothing is an equality, on quadratics.  The two claims of a row are
judged as two: |v|^2 <= (<E g, v> + c)/b, and the second moment.

Demidovich et al. (arXiv:2305.16296), table of estimators; constants that are better than the table's by direct proof.
"""

import math
from typing import Any

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import ABC
from proveout.methods.blocks.compressors import (
    BiasedAdaptive,
    ExponentialDithering,
    Natural,
    NearestRounding,
    NormSign,
    Rounding,
    ScaledSign,
    TopKDithering,
)
from proveout.theory.biased_sgd.absolute import INTEGER_ABC, SMOOTHING_ABC, THRESHOLD_ABC
from proveout.theory.biased_sgd.rows import abc_sides, growth, loose, row, sends
from proveout.theory.twins import statement_with

__all__ = [
    "ADAPTIVE_ABC",
    "BIASED_DITHERING_ABC",
    "BIASED_ROUNDING_ABC",
    "EXP_DITHERING_ABC",
    "INTEGER_ABC",
    "NATURAL_ABC",
    "NATURAL_DITHERING_ABC",
    "SIGN_ABC",
    "SMOOTHING_ABC",
    "THRESHOLD_ABC",
    "TOP_K_DITHERING_ABC",
    "UNBIASED_ROUNDING_ABC",
]

# ------------------------------------------------------------------ sparsifying, rounding

ADAPTIVE_ABC = row(
    BiasedAdaptive,
    lambda P=None: BiasedAdaptive(),
    r"\langle Eg,v\rangle=E\|g\|^2=\|v\|_3^3/\|v\|_1\in[\tfrac1d\|v\|^2,\|v\|^2]",
    sends("scaled by d", lambda block, sent, u: u.shape[-1] * sent),
)

UNBIASED_ROUNDING_ABC = row(
    Rounding,
    lambda P=None, base=2.0, marks=(1,): Rounding(base=base, marks=marks),
    r"b=1,\quad B=\tfrac14\sup_k\left(\tfrac{a_k}{a_{k+1}}+\tfrac{a_{k+1}}{a_k}+2\right)",
    sends("to the nearest", lambda block, sent, u: _nearest(block, u)),
    dims=(1, 2),
)

NATURAL_ABC = row(
    Natural,
    lambda P=None: Natural(),
    r"b=1,\quad B=\tfrac98",
    sends("scaled by 8/9", lambda block, sent, u: 8 / 9 * sent),
    sends("rounded up", lambda block, sent, u: sent * 2.0 ** (abs(sent) < abs(u))),
    dims=(1, 2),
)


def _nearest(block: Rounding, u: Array) -> Array:
    return NearestRounding(base=block.base, marks=block.marks)(u, None)


BIASED_ROUNDING_ABC = row(
    NearestRounding,
    lambda P=None, base=2.0, marks=(1,): NearestRounding(base=base, marks=marks),
    r"b=\inf_k\tfrac{2a_k}{a_k+a_{k+1}},\quad B=\sup_k\left(\tfrac{2a_{k+1}}{a_k+a_{k+1}}\right)^2,"
    r"\quad\|g\|^2\le\sqrt B\,\langle g,v\rangle",
    sends("rounded down", lambda block, sent, u: sent / block.ratio ** (abs(sent) > abs(u))),
    statement_with(
        "|g|^2 <= <g, v>",
        sides=abc_sides(growth, slope=lambda block, d: 0.5 + block.slopes()[1] / 2),
        least=False,
    ),
    slope=lambda block, d: block.slopes()[1],
    dims=(1, 2),
)

# ------------------------------------------------------------------ dithering


def recalled(block: Any, d: int) -> float:
    """H: the table's B of dithering in dimension d."""
    a, p = block.base, block.p
    h = d ** (1 / min(p, 2)) * a ** (1 - block.levels)
    return float((a + 1 / a + 2) / 4 + h * min(1.0, h))


def dithered(block: Any, d: int) -> tuple[ABC, ...]:
    """The table's constants, and the sharper ones."""
    return ABC(B=recalled(block, d)), ABC(B=1 + block.omega(d))


def top_dithered(block: TopKDithering, d: int) -> tuple[ABC, ...]:
    b = block.k / d
    H = recalled(block, block.k)
    return ABC(b=b, B=recalled(block, d) ** 2), ABC(b=b, B=H), ABC(b=b, B=1 + block.dithering.omega(block.k))


EXP_DITHERING_ABC = row(
    ExponentialDithering,
    lambda P=None, levels=5, base=3.0, p=2.0: ExponentialDithering(levels=levels, base=base, p=p),
    r"b=1,\quad B=\tfrac14(a+\tfrac1a+2)+h\min\{1,h\},\quad h=d^{1/r}a^{1-s},\ r=\min\{p,2\}",
    loose(dithered, 0.8),
    sends("scaled by .9", lambda block, sent, u: 0.9 * sent, dithered),
    statement_with("b 5 % more", sides=abc_sides(dithered, b=1.05)),
    constants=dithered,
    least=False,
    dims=(3,),
)

NATURAL_DITHERING_ABC = row(
    ExponentialDithering,
    lambda P=None, levels=3, p=2.0: ExponentialDithering(levels=levels, base=2.0, p=p),
    r"b=1,\quad B=\tfrac98+h\min\{1,h\},\quad h=d^{1/r}2^{1-s},\ r=\min\{p,2\}",
    loose(dithered, 0.9),
    statement_with("b 5 % more", sides=abc_sides(dithered, b=1.05)),
    sends("without sign", lambda block, sent, u: abs(sent), dithered),
    constants=dithered,
    least=False,
    dims=(3,),
)

TOP_K_DITHERING_ABC = row(
    TopKDithering,
    lambda P=None, k=2, levels=2, base=2.0: TopKDithering(k=k, levels=levels, base=base),
    r"b=\tfrac kd,\quad B=H_a\text{ with }k\text{ for }d,\quad E\|g\|^2\le H_a\langle Eg,v\rangle",
    loose(top_dithered, 0.8),
    statement_with("b 5 % more", sides=abc_sides(top_dithered, b=1.05)),
    sends("scaled by d/k", lambda block, sent, u: u.shape[-1] / block.k * sent, top_dithered),
    constants=top_dithered,
    slope=lambda block, d: recalled(block, block.k),
    least=False,
    dims=(3,),
)

# ------------------------------------------------------------------ signs

BIASED_DITHERING_ABC = row(
    NormSign,
    lambda P=None: NormSign(),
    r"\|v\|\,\mathrm{sign}(v):\quad b=1,\quad B=d",
    sends("divided by the square root of d", lambda block, sent, u: sent / math.sqrt(u.shape[-1])),
)

SIGN_ABC = row(
    ScaledSign,
    lambda P=None: ScaledSign(),
    r"\tfrac{\|v\|_1}d\mathrm{sign}(v):\quad b=\tfrac1d,\quad B=1",
    sends("scaled by d", lambda block, sent, u: u.shape[-1] * sent),
)
