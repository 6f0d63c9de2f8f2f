"""Biased ABC constants of compressed gradients: g = C(v), v = grad f(x).

    top-k           b = k/d, B = 1      (P = S: what is kept is orthogonal to what is not)
    rand-k          b = 1,   B = d/k    (equalities)
    biased rand-k   b = B = k/d         (equalities)

*Two claims in one inequality.*  E|C(v)|^2 <= B |v|^2 and E<C(w), w> >= b |w|^2 hold for all v and w if and only if

    E|C(v)|^2 + B (2 |w|^2 - E<C(w), w>/b) <= B (|v|^2 + |w|^2)    for all v, w:

w = 0 is the first, v = 0 the second.  The input is the pair (v, w), with independent draws.
"""

from typing import Any

from proveout.arrays import Array, inner, sqnorm
from proveout.methods.blocks.compressors import BiasedRandK, RandK, TopK
from proveout.theory.statement import Membership, Twin
from proveout.theory.twins import statement_with

__all__ = ["BIASED_RAND_K_ABC", "RAND_K_ABC", "TOP_K_ABC"]

SOURCE = "Demidovich et al. (NeurIPS 2023), table of estimators"


# ------------------------------------------------------------------ compressors


def growth_sides(b: float = 1.0, scale: Any = None, edit: Any = None) -> Any:
    """u (..., 2, d) is the pair (v, w).  Twins claim b times as much, or change the compressor."""

    def sides(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
        g, d = block(u, draw), u.shape[-1]
        g = (g if edit is None else edit(g, u)) * (1 if scale is None else scale(block, d))
        w, (least, B) = u[..., 1, :], block.growth(d)
        met = inner(g[..., 1, :], w) / (b * least)
        return sqnorm(g[..., 0, :]) + B * (2 * sqnorm(w) - met), sqnorm(u, core=2)

    return sides


def _untied(g: Array, u: Array) -> Array:
    """Entries that tie, to a fifth, with one that was dropped are dropped too."""
    dropped = abs(u) * (g == 0)
    return g * (abs(g) > 1.2 * dropped.max(axis=-1, keepdims=True))


def _membership(kind: Any, claim: str, *twins: Twin) -> Membership:
    return Membership(
        source=SOURCE,
        method=kind,
        sides=growth_sides(),
        constant=lambda block, d: block.growth(d)[1],
        least=True,
        shape=lambda block, d: (2, d),
        dims=(2, 3, 6),
        tune=lambda P=None, k=1: kind(k=k),
        claim=claim,
        twins=(
            statement_with("B 5 % less", constant=lambda block, d: 0.95 * block.growth(d)[1]),
            statement_with("b 5 % more", sides=growth_sides(b=1.05)),
            *twins,
        ),
    )


TOP_K_ABC = _membership(
    TopK,
    r"\langle E g,v\rangle\ge\frac kd\|v\|^2,\quad E\|g\|^2\le\|v\|^2",
    statement_with("scaled by d/k", sides=growth_sides(scale=lambda block, d: d / block.k)),
    statement_with("entries within a fifth of a dropped one are dropped", sides=growth_sides(edit=_untied)),
    statement_with("the smallest entries are kept", sides=growth_sides(edit=lambda g, u: u - g)),
)
RAND_K_ABC = _membership(
    RandK,
    r"\langle E g,v\rangle=\|v\|^2,\quad E\|g\|^2=\frac dk\|v\|^2",
    statement_with("not scaled", sides=growth_sides(scale=lambda block, d: block.k / d)),
)
BIASED_RAND_K_ABC = _membership(
    BiasedRandK,
    r"\langle E g,v\rangle=E\|g\|^2=\frac kd\|v\|^2",
    statement_with("scaled by d/k", sides=growth_sides(scale=lambda block, d: d / block.k)),
)
