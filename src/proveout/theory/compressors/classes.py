"""The classes of compressors as inequalities, and how their red twins are made.

    U(omega)   E C(v) = v  and  E|C(v) - v|^2 <= omega |v|^2
    B(alpha)   E|C(v) - v|^2 <= (1 - alpha) |v|^2
    A(Delta2)  E|C(v) - v|^2 <= Delta2

*Two claims in one inequality.*  C is in U(omega) if and only if, for all v and w,

    E|C(v) - w|^2 - |v - w|^2  =  E|C(v) - v|^2 + 2 <E C(v) - v, v - w>  <=  omega |v|^2:

at w = v it is the variance, and as w goes to infinity it is bounded only if E C(v) = v.  The input is the pair (v, w).

Beznosikov, Horváth, Richtárik, Safaryan, "On biased compression for distributed learning" (arXiv:2002.12410).
"""

from collections.abc import Callable
from typing import Any

from proveout.arrays import Array, inner, sqnorm
from proveout.theory.statement import Membership, Number, Twin
from proveout.theory.twins import statement_with

__all__ = [
    "SOURCE",
    "absolute",
    "absolute_sides",
    "contractive",
    "contractive_sides",
    "less",
    "nearly_tied_dropped",
    "sends",
    "unbiased",
    "unbiased_sides",
    "without_last",
]

SOURCE = "Beznosikov et al. (arXiv:2002.12410)"

Edit = Callable[[Any, Array, Array], Array]  # (block, what is sent, input) -> what is sent instead


def unbiased_sides(edit: Edit | None = None) -> Any:
    """u (..., 2, rows, d) is the pair (v, w)."""

    def sides(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
        v, w = u[..., 0, :, :], u[..., 1, :, :]
        sent = block(v, draw)
        off = (sent if edit is None else edit(block, sent, v)) - v
        return sqnorm(off, core=2) + 2 * inner(off, v - w, core=2), sqnorm(v, core=2)

    return sides


def contractive_sides(edit: Edit | None = None) -> Any:
    """u (..., 1, d)."""

    def sides(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
        sent = block(u, draw)
        return sqnorm((sent if edit is None else edit(block, sent, u)) - u, core=2), sqnorm(u, core=2)

    return sides


def absolute_sides(edit: Edit | None = None) -> Any:
    relative = contractive_sides(edit)
    return lambda block, u, draw: (relative(block, u, draw)[0], 1.0)


def _omega(block: Any, d: int) -> Number:
    return block.omega(d)


def _rest(block: Any, d: int) -> Number:
    return 1 - block.alpha(d)


def _delta2(block: Any, d: int) -> Number:
    return block.absolute(d)


def _pair(block: Any, d: int) -> tuple[int, ...]:
    return (2, 1, d)


def unbiased(method: Any, tune: Any, claim: str, *twins: Twin, **more: Any) -> Membership:
    """C in U(omega(d)), and with no smaller omega."""
    said = {"source": SOURCE, "least": True, "dims": (2, 3, 4), "shape": _pair, **more}
    return Membership(
        method=method,
        sides=unbiased_sides(),
        constant=_omega,
        tune=tune,
        claim=claim,
        twins=twins,
        **said,
    )


def contractive(method: Any, tune: Any, claim: str, *twins: Twin, **more: Any) -> Membership:
    """C in B(alpha(d)), and with no larger alpha."""
    said = {"source": SOURCE, "least": True, "dims": (2, 3, 4), **more}
    return Membership(
        method=method,
        sides=contractive_sides(),
        constant=_rest,
        tune=tune,
        claim=claim,
        twins=(
            statement_with("alpha 5 % more", constant=lambda block, d: 1 - 1.05 * block.alpha(d)),
            *twins,
        ),
        **said,
    )


def absolute(method: Any, tune: Any, claim: str, *twins: Twin, **more: Any) -> Membership:
    """C in A(absolute(d)), and with no smaller constant."""
    said = {"source": SOURCE, "least": True, "dims": (1, 2, 3), **more}
    return Membership(
        method=method,
        sides=absolute_sides(),
        constant=_delta2,
        tune=tune,
        claim=claim,
        twins=(
            statement_with("Delta^2 5 % less", constant=lambda block, d: 0.95 * block.absolute(d)),
            *twins,
        ),
        **said,
    )


# ------------------------------------------------------------------ twins


def less(factor: float = 0.95) -> Twin:
    """A smaller omega."""
    return statement_with(
        f"omega x {factor:g}", constant=lambda block, d: factor * block.omega(d), least=False
    )


def sends(name: str, edit: Edit, of: Any = unbiased_sides) -> Twin:
    """Another message than the compressor's: edit(block, sent, v)."""
    return statement_with(name, sides=of(edit))


def without_last(block: Any, sent: Array, v: Array) -> Array:
    """The last coordinate is lost."""
    return sent * ([1.0] * (sent.shape[-1] - 1) + [0.0])


def nearly_tied_dropped(block: Any, sent: Array, v: Array) -> Array:
    """Entries that tie, to a fifth, with one that was dropped are dropped too."""
    dropped = abs(v) * (sent == 0)
    return sent * (abs(sent) > 1.2 * dropped.max(axis=-1, keepdims=True))
