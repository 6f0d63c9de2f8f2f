"""How a row of the table of estimators is written: one statement, two claims per record of constants.

|v|^2 <= (<E g, v> + c)/b,   E|g|^2 <= B |v|^2 + C
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array, inner, sqnorm
from proveout.methods.blocks.assumptions import ABC
from proveout.theory.statement import Membership, Twin
from proveout.theory.twins import statement_with

__all__ = ["SOURCE", "Constants", "abc_sides", "growth", "loose", "row", "sends"]

SOURCE = "Demidovich et al. (NeurIPS 2023), table of estimators"

Constants = Callable[[Any, int], tuple[ABC, ...]]


def growth(block: Any, d: int) -> tuple[ABC, ...]:
    b, B = block.growth(d)
    return (ABC(b=b, B=B),)


def abc_sides(
    constants: Constants = growth, b: float = 1.0, B: float = 1.0, edit: Any = None, slope: Any = None
) -> Any:
    """Two claims per record of constants, one more with `slope` (E|g|^2 <= slope <E g, v>).  Twins: b, B times as much."""

    def sides(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
        d, sent = u.shape[-1], block(u, draw)
        v = (block.gradient(u) if hasattr(block, "gradient") else u)[..., 0, :]
        g = (sent if edit is None else edit(block, sent, u))[..., 0, :]
        G, P, S = sqnorm(v), inner(g, v), sqnorm(g)
        claims: list[tuple[Array, Array]] = []
        for k in constants(block, d):
            claims += [(2 * G - (P + k.c) / (b * k.b), G), (S, B * k.B * G + k.C)]
        if slope is not None:
            claims.append((S + G, slope(block, d) * P + G))
        left, right = zip(*((x + 0 * S, y + 0 * S) for x, y in claims), strict=True)
        return np.stack(left, axis=-1), np.stack(right, axis=-1)

    return sides


def row(
    method: Any,
    tune: Any,
    claim: str,
    *twins: Twin,
    constants: Constants = growth,
    slope: Any = None,
    least: bool = True,
    attained: bool = True,
    dims: tuple[int, ...] = (2, 3),
) -> Membership:
    """One row of the table."""
    tight = (
        statement_with("B 5 % less", sides=abc_sides(constants, B=0.95), least=False),
        statement_with("b 5 % more", sides=abc_sides(constants, b=1.05), least=False),
    )
    return Membership(
        source=SOURCE,
        method=method,
        sides=abc_sides(constants, slope=slope),
        constant=lambda block, d: 1.0,
        least=least,
        attained=attained,
        dims=dims,
        tune=tune,
        claim=claim,
        twins=((*tight, *twins) if least else twins),
    )


def sends(name: str, edit: Any, constants: Constants = growth) -> Twin:
    """edit(block, sent, u): another message."""
    return statement_with(name, sides=abc_sides(constants, edit=edit), least=False)


def loose(constants: Constants, factor: float) -> Twin:
    return statement_with(f"B x {factor:g}", sides=abc_sides(constants, B=factor))
