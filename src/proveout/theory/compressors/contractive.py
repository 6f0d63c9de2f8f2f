"""Contractive and absolute compressors: C in B(alpha), A(Delta^2), with the best constants.

rand-k (not scaled)  k/d       top-k     k/d       adaptive (not scaled)  1/d     lazy (not scaled)  p
nearest power        8/9       scaled sign  1/d (approached)             rank r   r/min(m, q)
PowerSGD, fresh Q    r/min(m, q): Q = r columns of the identity is enough, see `blocks/compressors/low_rank`

threshold w          d w^2 (approached)          rounding  d/(4 scale^2), floor d/scale^2 (approached)
"""

from typing import Any

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.methods.blocks.compressors import (
    BiasedAdaptive,
    BiasedLazy,
    BiasedRandK,
    IntegerRounding,
    LowRank,
    NearestPower,
    PowerSGD,
    ScaledSign,
    Threshold,
    TopK,
)
from proveout.theory.compressors.classes import (
    absolute,
    absolute_sides,
    contractive,
    contractive_sides,
    nearly_tied_dropped,
    sends,
    without_last,
)
from proveout.theory.twins import statement_with

__all__ = [
    "ADAPTIVE_CONTRACTIVE",
    "LAZY_CONTRACTIVE",
    "LOW_RANK_CONTRACTIVE",
    "NEAREST_POWER_CONTRACTIVE",
    "POWER_SGD",
    "RAND_K_CONTRACTIVE",
    "ROUNDING_ABSOLUTE",
    "SCALED_SIGN_CONTRACTIVE",
    "THRESHOLD_ABSOLUTE",
    "TOP_K_CONTRACTIVE",
]


def _sends(name: str, edit: Any) -> Any:
    return sends(name, edit, of=contractive_sides)


def _times(factor: Any) -> Any:
    return lambda block, sent, v: factor(block, v.shape[-1]) * sent


LOST = _sends("last coordinate never sent", without_last)

RAND_K_CONTRACTIVE = contractive(
    BiasedRandK,
    lambda P=None, k=1: BiasedRandK(k=k),
    r"E\|C(v)-v\|^2=(1-k/d)\|v\|^2",
    _sends("scaled by d/k", _times(lambda block, d: d / block.k)),
    LOST,
    dims=(2, 3, 6),
)

TOP_K_CONTRACTIVE = contractive(
    TopK,
    lambda P=None, k=1: TopK(k=k),
    r"\|C(v)-v\|^2\le(1-k/d)\|v\|^2",
    _sends("entries within a fifth of a dropped one are dropped", nearly_tied_dropped),
    _sends("the smallest entries are kept", lambda block, sent, v: v - sent),
    LOST,
    dims=(2, 3, 6),
)

LAZY_CONTRACTIVE = contractive(
    BiasedLazy,
    lambda P=None, p=0.3: BiasedLazy(p=p),
    r"E\|C(v)-v\|^2=(1-p)\|v\|^2",
    _sends("scaled by 1/p", _times(lambda block, d: 1 / block.p)),
    LOST,
)

NEAREST_POWER_CONTRACTIVE = contractive(
    NearestPower,
    lambda P=None, base=2.0: NearestPower(base=base),
    r"\|C(v)-v\|^2\le\left(\tfrac{a-1}{a+1}\right)^2\|v\|^2\ (=\tfrac19\|v\|^2\text{ for }a=2)",
    _sends("rounded down", lambda block, sent, v: _down(block, sent, v)),
    _sends("scaled by 9/8", _times(lambda block, d: 9 / 8)),
    dims=(1, 2),
)


def _down(block: NearestPower, sent: Array, v: Array) -> Array:
    return sent / (block.base ** (abs(sent) > abs(v)))


SCALED_SIGN_CONTRACTIVE = contractive(
    ScaledSign,
    lambda P=None: ScaledSign(),
    r"\left\|\tfrac{\|v\|_1}{d}\mathrm{sign}(v)-v\right\|^2\le(1-\tfrac1d)\|v\|^2",
    _sends("scaled by the Euclidean norm", lambda block, sent, v: _euclid(sent, v)),
    _sends("twice as long", _times(lambda block, d: 2)),
    source="Karimireddy et al. (arXiv:1901.09847)",
)


def _euclid(sent: Array, v: Array) -> Array:
    return np.sqrt(sqnorm(v))[..., None] * np.sign(v)


ADAPTIVE_CONTRACTIVE = contractive(
    BiasedAdaptive,
    lambda P=None: BiasedAdaptive(),
    r"E\|C(v)-v\|^2=\|v\|^2-\|v\|_3^3/\|v\|_1\le(1-\tfrac1d)\|v\|^2",
    _sends("scaled by |v|_1/|v_j|", lambda block, sent, v: _unbiased(sent, v)),
    LOST,
)


def _unbiased(sent: Array, v: Array) -> Array:
    return abs(v).sum(axis=-1, keepdims=True) * np.sign(sent)


LOW_RANK_CONTRACTIVE = contractive(
    LowRank,
    lambda P=None, rank=1, rows=2: LowRank(rank=rank, rows=rows),
    r"\|C(X)-X\|_F^2\le\left(1-\tfrac{r}{\min\{m,q\}}\right)\|X\|_F^2",
    _sends("the smallest singular values are kept", lambda block, sent, v: v - sent),
    LOST,
    source="Vogels et al. (arXiv:1905.13727)",
    dims=(4, 6, 9),
)

POWER_SGD = contractive(
    PowerSGD,
    lambda P=None, rank=1, rows=2: PowerSGD(rank=rank, rows=rows, columns=True),
    r"Q\text{ fresh}:\quad E\|PP^\top X-X\|_F^2\le\left(1-\tfrac{r}{\min\{m,q\}}\right)\|X\|_F^2",
    statement_with(
        "Q kept from another matrix",
        sides=lambda block, u, draw: _warm(block, u, draw),
        shape=lambda block, d: (2, 1, d),
    ),
    _sends("P not orthonormal", lambda block, sent, v: 1.5 * sent),
    _sends("X - P P'X is sent", lambda block, sent, v: v - sent),
    source="Vogels et al. (arXiv:1905.13727); constant by direct proof",
    dims=(4, 6, 9),
)


def _warm(block: PowerSGD, u: Array, draw: Any) -> tuple[Array, Array]:
    """Q is what the previous message, of another matrix, left behind."""
    v, before = u[..., 0, :, :], u[..., 1, :, :]
    _, Q = block.warm(before, block.start(before, draw))
    sent, _ = block.warm(v, Q)
    return sqnorm(sent - v, core=2), sqnorm(v, core=2)


# ------------------------------------------------------------------ absolute

THRESHOLD_ABSOLUTE = absolute(
    Threshold,
    lambda P=None, w=0.5: Threshold(w=w),
    r"\|C(v)-v\|^2\le d\,w^2",
    sends("kept above 2w", lambda block, sent, v: sent * (abs(sent) >= 2 * block.w), of=absolute_sides),
    sends("shrunk by 2w", lambda block, sent, v: sent - 2 * block.w * (sent != 0), of=absolute_sides),
    statement_with("w^2, whatever d", constant=lambda block, d: block.w**2),
    source="Sahu et al. (2021)",
    attained=False,
)

ROUNDING_ABSOLUTE = absolute(
    IntegerRounding,
    lambda P=None, scale=4.0, mode="nearest": IntegerRounding(scale=scale, mode=mode),
    r"E\|C(v)-v\|^2\le d/(4\chi^2)\ (\text{nearest, random}),\quad\le d/\chi^2\ (\text{floor})",
    sends("rounded up from .4", lambda block, sent, v: _from(block, v, 0.4), of=absolute_sides),
    statement_with("d/(8 scale^2)", constant=lambda block, d: d / (8 * block.scale**2)),
    source="Sahu et al. (2021)",
    attained=False,
)


def _from(block: IntegerRounding, v: Array, share: float) -> Array:
    return np.ceil(block.scale * v - share) / block.scale
