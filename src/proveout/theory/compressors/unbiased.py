"""Unbiased compressors: C in U(omega), with the least omega where it is known.

    identity  0                      lazy     1/p - 1                adaptive  d - 1
    rand-k    d/k - 1                natural  (a + 1/a)/4 - 1/2      ternary   (sqrt(d) - 1)/2
    bernoulli max_j 1/p_j - 1        PermK    n - 1, or d - 1 where d divides n

Dithering has bounds, which are not least (rho = max(1, d^(1/p - 1/2)), l = a^(1-s) rho):

    linear       min{d rho^2/(4 s^2), sqrt(d) rho/s}          exponential  (a + 1/a)/4 - 1/2 + min{sqrt(d) l, d l^2/4}
"""

import math
from typing import Any

import numpy as np

from proveout.methods.blocks.compressors import (
    Adaptive,
    Bernoulli,
    ExponentialDithering,
    Identity,
    Lazy,
    LinearDithering,
    Natural,
    NearestPower,
    PermK,
    RandK,
    ternary,
)
from proveout.methods.blocks.compressors.common import norm_p
from proveout.methods.blocks.compressors.rounding import excess
from proveout.theory.compressors.classes import less, sends, unbiased, without_last
from proveout.theory.twins import statement_with

__all__ = [
    "ADAPTIVE_UNBIASED_UNBIASED",
    "BERNOULLI_UNBIASED",
    "EXPONENTIAL_DITHERING_UNBIASED",
    "IDENTITY_UNBIASED",
    "LAZY_UNBIASED",
    "LINEAR_DITHERING_UNBIASED",
    "NATURAL_UNBIASED",
    "PERMK_UNBIASED",
    "RAND_K_UNBIASED",
    "TERNARY_UNBIASED",
]

LOST = sends("last coordinate never sent", without_last)
HALF = less(0.5)


def _times(factor: Any) -> Any:
    return lambda block, sent, v: factor(block, v.shape[-1]) * sent


IDENTITY_UNBIASED = unbiased(
    Identity,
    lambda P=None: Identity(),
    r"C(v)=v:\ C\in U(0)",
    sends("scaled by .99", _times(lambda block, d: 0.99)),
    LOST,
)

LAZY_UNBIASED = unbiased(
    Lazy,
    lambda P=None, p=0.3: Lazy(p=p),
    r"E\,C(v)=v,\quad E\|C(v)-v\|^2=(1/p-1)\|v\|^2",
    less(),
    sends("not scaled", _times(lambda block, d: block.p)),
    statement_with("1/p for 1/p - 1, claimed least", constant=lambda block, d: 1 / block.p),
    LOST,
)

RAND_K_UNBIASED = unbiased(
    RandK,
    lambda P=None, k=1: RandK(k=k),
    r"E\,C(v)=v,\quad E\|C(v)-v\|^2=(d/k-1)\|v\|^2",
    less(),
    sends("not scaled", _times(lambda block, d: block.k / d)),
    sends("scaled by 1.05 d/k", _times(lambda block, d: 1.05)),
    LOST,
    statement_with("d/k for d/k - 1, claimed least", constant=lambda block, d: block.omega(d) + 1),
    dims=(2, 3, 6),
)

BERNOULLI_UNBIASED = unbiased(
    Bernoulli,
    lambda P=None, probs=(0.2, 0.5, 1.0): Bernoulli(probs=probs),
    r"E\,C(v)=v,\quad E\|C(v)-v\|^2\le(\max_j 1/p_j-1)\|v\|^2",
    less(),
    sends("not scaled", lambda block, sent, v: sent * block.probs),
    statement_with(
        "mean of 1/p_j - 1", constant=lambda block, d: sum(1 / p - 1 for p in block.probs) / len(block.probs)
    ),
    dims=(3, 4),
)

ADAPTIVE_UNBIASED_UNBIASED = unbiased(
    Adaptive,
    lambda P=None: Adaptive(),
    r"E\,C(v)=v,\quad E\|C(v)\|^2=\|v\|_1^2\le d\,\|v\|^2",
    less(),
    sends("not scaled", lambda block, sent, v: v * (sent != 0)),
    sends("scaled by d v_j", lambda block, sent, v: v.shape[-1] * v * (sent != 0)),
)

NATURAL_UNBIASED = unbiased(
    Natural,
    lambda P=None, base=2.0: Natural(base=base),
    r"E\,C(v)=v,\quad\omega=\tfrac14(a+\tfrac1a)-\tfrac12\ (=\tfrac18\text{ for }a=2)",
    less(),
    sends("nearest power", lambda block, sent, v: _nearest(block, v)),
    sends("scaled by 8/9", _times(lambda block, d: 8 / 9)),
    source="Horváth et al. (arXiv:1905.10988)",
    dims=(1, 2),
)


def _nearest(block: Natural, v: Any) -> Any:
    return NearestPower(base=block.base)(v, None)


TERNARY_UNBIASED = unbiased(
    LinearDithering,
    lambda P=None: ternary(),
    r"\|v\|_\infty\,\mathrm{sign}(v_j)\,\mathrm{Bernoulli}:\quad\omega=(\sqrt d-1)/2",
    less(),
    statement_with("sqrt(d) - 1, claimed least", constant=lambda block, d: math.sqrt(d) - 1),
    sends("half of it is sent", lambda block, sent, v: 0.5 * sent),
    source="Wen et al. (arXiv:1705.07878); least constant by direct proof",
)

PERMK_UNBIASED = unbiased(
    PermK,
    lambda P=None, clients=3: PermK(clients=clients),
    r"E\,C_i(v)=v,\quad E\|C_i(v)-v\|^2=(\min\{n,d\}-1)\|v\|^2",
    less(),
    sends("not scaled", lambda block, sent, v: sent / (block.omega(v.shape[-1]) + 1)),
    sends("scaled by d for n, and n for d", lambda block, sent, v: _swapped(block, sent, v.shape[-1])),
    source="Szlendak et al. (arXiv:2110.03300)",
    shape=lambda block, d: (2, block.clients, d),
    dims=(2, 3, 4),
)


def _swapped(block: PermK, sent: Any, d: int) -> Any:
    few, many = sorted((block.clients, d))
    return many / few * sent


def _round(block: LinearDithering, d: int) -> float:
    """The bound for p = 2, whatever p."""
    root = math.sqrt(d) / block.levels
    return min(root**2 / 4, root)


LINEAR_DITHERING_UNBIASED = unbiased(
    LinearDithering,
    lambda P=None, levels=1, p=2.0: LinearDithering(levels=levels, p=p),
    r"E\,C(v)=v,\quad\omega\le\min\{d\varrho^2/(4s^2),\ \sqrt d\,\varrho/s\},\ \varrho=\max\{1,d^{1/p-1/2}\}",
    HALF,
    statement_with("without rho", constant=lambda block, d: _round(block, d)),
    sends("levels rounded down", lambda block, sent, v: _floored(block, v)),
    source="Alistarh et al. (arXiv:1610.02132); sharper bound by direct proof",
    least=False,
    dims=(2, 4),
)


def _floored(block: LinearDithering, v: Any) -> Any:
    """Every entry at the level below it."""
    size = norm_p(v, block.p)
    share = abs(v) / np.where(size > 0, size, 1.0)
    return size * np.sign(v) * np.floor(block.levels * share) / block.levels


EXPONENTIAL_DITHERING_UNBIASED = unbiased(
    ExponentialDithering,
    lambda P=None, levels=3, base=2.0, p=2.0: ExponentialDithering(levels=levels, base=base, p=p),
    r"E\,C(v)=v,\quad\omega\le\tfrac14(a+\tfrac1a)-\tfrac12+\min\{\sqrt d\,\ell,\ d\ell^2/4\},\ \ell=a^{1-s}\varrho",
    HALF,
    statement_with("without the second term", constant=lambda block, d: excess(block.base)),
    sends("scaled by 8/9", _times(lambda block, d: 8 / 9)),
    source="Horváth et al. (arXiv:1905.10988); sharper bound by direct proof",
    least=False,
    dims=(2, 4),
)
