"""The classes of compressors, with least constants.

Beznosikov, Horváth, Richtárik, Safaryan, "On biased compression for distributed learning" (arXiv:2002.12410).

    U(omega)   E C(v) = v  and  E|C(v) - v|^2 <= omega |v|^2
    B(alpha)   E|C(v) - v|^2 <= (1 - alpha) |v|^2

*Two claims in one inequality.*  C is in U(omega) if and only if, for all v and w,

    E|C(v) - w|^2 - |v - w|^2 <= omega |v|^2,

since the left side is E|C(v) - v|^2 + 2 <E C(v) - v, v - w>: at w = v it is the variance, and as w goes to
infinity it is bounded only if E C(v) = v.  The input is the pair (v, w).
"""

from typing import Any

from proveout.arrays import Array, sqnorm
from proveout.methods.blocks.compressors import BiasedRandK, Identity, RandK, TopK
from proveout.theory.statement import Membership, Number, Twin
from proveout.theory.twins import statement_with

__all__ = ["IDENTITY_UNBIASED", "RAND_K_CONTRACTIVE", "RAND_K_UNBIASED", "TOP_K_CONTRACTIVE"]

SOURCE = "Beznosikov et al. (arXiv:2002.12410)"


def unbiased(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
    """u (..., 2, d) is the pair (v, w); the second client's draw is not used."""
    return _against(block(u, draw), u)


def _against(sent: Array, u: Array) -> tuple[Array, Array]:
    v, w = u[..., 0, :], u[..., 1, :]
    return sqnorm(sent[..., 0, :] - w) - sqnorm(v - w), sqnorm(v)


def contractive(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
    """u (..., 1, d)."""
    return sqnorm(block(u, draw) - u, core=2), sqnorm(u, core=2)


def pair(block: Any, d: int) -> tuple[int, int]:
    return (2, d)


def _omega(block: Any, d: int) -> Number:
    return block.omega(d)


def _one_minus_alpha(block: Any, d: int) -> Number:
    return 1 - block.alpha(d)


def _sends(name: str, sides: Any) -> Twin:
    return statement_with(name, sides=sides)


def _rand_k(P: Any = None, k: int = 1) -> RandK:
    return RandK(k=k)


IDENTITY_UNBIASED = Membership(
    source=SOURCE,
    method=Identity,
    sides=unbiased,
    constant=_omega,
    shape=pair,
    least=True,
    tune=lambda P=None: Identity(),
    claim=r"C(v)=v:\ C\in U(0)",
    twins=(
        _sends("scaled by .99", lambda block, u, draw: _against(0.99 * block(u, draw), u)),
        _sends(
            "last coordinate never sent", lambda block, u, draw: _against(_without_last(block(u, draw)), u)
        ),
    ),
)

RAND_K_UNBIASED = Membership(
    source=SOURCE,
    method=RandK,
    sides=unbiased,
    constant=_omega,
    shape=pair,
    dims=(2, 3, 6),
    least=True,
    tune=_rand_k,
    claim=r"E\,C(v)=v,\quad E\|C(v)-v\|^2=(d/k-1)\|v\|^2",
    twins=(
        statement_with("omega 5 % less", constant=lambda block, d: 0.95 * block.omega(d)),
        _sends("not scaled", lambda block, u, draw: _against(block.k / u.shape[-1] * block(u, draw), u)),
        _sends("scaled by 1.05 d/k", lambda block, u, draw: _against(1.05 * block(u, draw), u)),
        _sends(
            "last coordinate never sent", lambda block, u, draw: _against(_without_last(block(u, draw)), u)
        ),
        statement_with("d/k for d/k - 1, claimed least", constant=lambda block, d: block.omega(d) + 1),
    ),
)

RAND_K_CONTRACTIVE = Membership(
    source=SOURCE,
    method=BiasedRandK,
    sides=contractive,
    constant=_one_minus_alpha,
    dims=(2, 3, 6),
    least=True,
    tune=lambda P=None, k=1: BiasedRandK(k=k),
    claim=r"E\|C(v)-v\|^2=(1-k/d)\|v\|^2",
    twins=(
        statement_with("alpha 5 % more", constant=lambda block, d: 1 - 1.05 * block.alpha(d)),
        _sends("scaled by d/k", lambda block, u, draw: _error(u.shape[-1] / block.k * block(u, draw), u)),
        _sends("last coordinate never sent", lambda block, u, draw: _error(_without_last(block(u, draw)), u)),
    ),
)

TOP_K_CONTRACTIVE = Membership(
    source=SOURCE,
    method=TopK,
    sides=contractive,
    constant=_one_minus_alpha,
    dims=(2, 3, 6),
    least=True,
    tune=lambda P=None, k=1: TopK(k=k),
    claim=r"\|C(v)-v\|^2\le(1-k/d)\|v\|^2",
    twins=(
        statement_with("alpha 5 % more", constant=lambda block, d: 1 - 1.05 * block.alpha(d)),
        _sends(
            "entries within a fifth of a dropped one are dropped",
            lambda block, u, draw: _error(_untied(block(u, draw), u), u),
        ),
        _sends("the smallest entries are kept", lambda block, u, draw: _error(u - block(u, draw), u)),
        _sends("last coordinate never sent", lambda block, u, draw: _error(_without_last(block(u, draw)), u)),
    ),
)


def _error(sent: Array, u: Array) -> tuple[Array, Array]:
    return sqnorm(sent - u, core=2), sqnorm(u, core=2)


def _without_last(sent: Array) -> Array:
    """The last coordinate is lost."""
    keep = [1.0] * (sent.shape[-1] - 1) + [0.0]
    return sent * keep


def _untied(sent: Array, u: Array) -> Array:
    """Entries that tie, to a fifth, with one that was dropped are dropped too."""
    dropped = abs(u) * (sent == 0)
    return sent * (abs(sent) > 1.2 * dropped.max(axis=-1, keepdims=True))
