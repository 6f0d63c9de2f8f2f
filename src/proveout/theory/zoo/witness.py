"""Points that forbid an assumption, whatever its constants, with both sides of the inequality there."""

from dataclasses import dataclass, field

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import CON, Assumption, Scalars
from proveout.theory.zoo.rows import Row

__all__ = ["Witness", "inequality", "naming", "pointwise", "show"]

NAMES = {
    Scalars(D=1): "D",
    Scalars(D=2): "2 D",
    Scalars(G=1): "G",
    Scalars(P=1): "P",
    Scalars(E1=1): "E1",
    Scalars(V=1): "V",
    Scalars(one=1): "1",
    Scalars(E1=1, V=1): "S",
    Scalars(G=1, P=-2, E1=1): "Bias",
    Scalars(G=1, P=-2, E1=1, V=1): "MSE",
    Scalars(): "0",
}


@dataclass(frozen=True, eq=False)
class Witness:
    """left <= right is asked for every x by every member, with some factor; at x there is none that would do.

    With a direction: no constants do along x* + t direction, t -> inf, and x is a point on it.
    """

    x: Array = field(repr=False)  # (d,)
    lhs: float
    rhs: float
    text: str
    direction: Array | None = field(default=None, repr=False)  # (d,) of length 1


def naming(row: Scalars) -> str:
    """The combination of scalars in words: S, Bias, MSE, P, ..."""
    key = Scalars(*(float(k) for k in row))
    for known, name in NAMES.items():
        if tuple(float(k) for k in known) == tuple(key):
            return name
    parts = [f"{k:+g} {n}" for k, n in zip(key, Scalars._fields, strict=True) if k]
    return " ".join(parts).replace("+1 ", "+ ").replace("-1 ", "- ").removeprefix("+ ").replace(" one", "")


def inequality(kind: type[Assumption], row: Row, name: str) -> tuple[Scalars, Scalars, str]:
    """(left, right, link): what every constant `name` that says something asks of the scalars."""
    slope = row.slopes[name]
    if kind is CON:
        return Scalars(*(a + b for a, b in zip(row.base, slope))), slope, "<"
    negative = Scalars(*(-k for k in row.base))
    if name in row.lower:
        return slope, negative, "<= const."
    right = Scalars(*(-k for k in slope))
    return row.base, right, "<" if name in ("eta", "m") else "<= const."


def pointwise(kind: type[Assumption], row: Row, name: str, scalars: Scalars) -> tuple[float, float, str]:
    """Both sides at one point, and a sentence."""
    left, right, link = inequality(kind, row, name)
    lhs, rhs = (
        float(sum(k * float(v) for k, v in zip(side, scalars, strict=True))) for side in (left, right)
    )
    if right.one:
        return lhs, rhs, f"{naming(left)} {link}: {show(lhs)}"
    return lhs, rhs, f"{naming(left)} {link} {naming(right)}: {show(lhs)} against {show(rhs)}"


def show(value: float) -> str:
    return f"{value:.4g}" if abs(value) >= 1e-12 else "0"
