"""A row implied by other rows, as a certificate that `theory/verify.py` accepts.

The certificate has three blocks: the Gram matrix (in the frame of `cone`), V and D.  It says that the row's negative is
>= 0 wherever the negatives of the source rows are: slack = -row + sum_i lam_i row_i has noise >= 0 and PSD blocks.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, product
from typing import Any

import numpy as np

from proveout.methods.blocks.assumptions import Scalars
from proveout.theory.scalars.cone import Frame, Row, gram, minus, plus, times
from proveout.theory.verify import digest, fault

__all__ = ["certificate", "holds_by", "rational"]

FORMAT = "proveout-certificate/1"
DENOMINATORS = (1, 2, 4, 6, 12, 36, 60, 180, 720, 5040, 10**4, 10**5)
SMALL = 1e-6  # of the largest scalar: one that is zero
FLOATS = 1e-9  # relative; by how much a dual slack in floats may miss its cone


def rational(rows: Sequence[Row]) -> bool:
    return all(isinstance(x, (int, Fraction)) for row in rows for x in row)


def certificate(
    sources: Sequence[Row],
    target: Row,
    guess: Sequence[float],
    frame: Frame,
    point: Scalars | None = None,
    name: str = "",
) -> dict[str, Any] | None:
    """A certificate with multipliers near `guess`; None if none is found or a number is not rational.

    `point` are the scalars at which the row is an equality, if it is tight.
    """
    if not rational([*sources, target]) or not rational([Scalars(*v) for v in frame]):
        return None
    tight = [] if point is None else _tight(sources, target, guess, frame, point)
    for multipliers in chain(_near(guess), tight):
        found = _write(sources, target, multipliers, frame, name)
        if fault(found) is None:
            return found
    return None


def _near(guess: Sequence[float]) -> Iterator[tuple[Fraction, ...]]:
    """Simple fractions near the floats, one denominator for all first, then one for each."""
    if not np.isfinite(np.array(guess, float)).all():
        return
    seen = set()
    for top in DENOMINATORS:
        found = tuple(Fraction(g).limit_denominator(top) for g in guess)
        if found not in seen:
            seen.add(found)
            yield found
    choices = [sorted({Fraction(g).limit_denominator(t) for t in (1, 4, 12, 720)}) for g in guess]
    if len(choices) < 4:
        yield from product(*choices)


def _tight(
    sources: Sequence[Row], target: Row, guess: Sequence[float], frame: Frame, point: Scalars
) -> Iterator[tuple[Fraction, ...]]:
    """Multipliers whose slack vanishes at the point: linear equations, solved exactly near the guess."""
    if not np.isfinite(np.array(guess, float)).all():
        return
    for top in (60, 10**3, 10**4):
        equations = []
        for read in _vanishing(frame, point, top):
            equations.append([*(read(row) for row in sources), read(target)])
        found = _solve(equations, guess)
        if found is not None and min(found, default=Fraction(0)) >= 0:
            yield found


def _vanishing(frame: Frame, point: Scalars, top: int) -> Iterator[Callable[[Row], Fraction]]:
    """Linear forms of a row that are 0 for the slack: its parts where the point is not zero."""
    size = max(abs(float(x)) for x in point)
    for name in ("D", "V", "one"):
        if getattr(point, name) > SMALL * size:
            yield lambda row, name=name: Fraction(getattr(row, name))  # type: ignore[misc]
    G, P, E1 = (float(x) for x in (point.G, point.P, point.E1))
    if max(G, E1) <= SMALL * size or not frame:
        return
    if len(frame) == 1:
        yield lambda row: Fraction(gram(row, frame)[0][0])
    elif G * E1 - P * P > SMALL * size * size:
        for i, j in ((0, 0), (0, 1), (1, 1)):
            yield lambda row, i=i, j=j: Fraction(gram(row, frame)[i][j])  # type: ignore[misc]
    else:
        slope = Fraction(P / G).limit_denominator(top) if G > SMALL * size else Fraction(0)
        kernel = (Fraction(1), slope) if G > SMALL * size else (Fraction(0), Fraction(1))
        for i in (0, 1):
            yield lambda row, i=i: sum(  # type: ignore[misc]
                (Fraction(x) * z for x, z in zip(gram(row, frame)[i], kernel, strict=True)), Fraction(0)
            )


def _solve(equations: list[list[Fraction]], guess: Sequence[float]) -> tuple[Fraction, ...] | None:
    """A solution near the guess: the largest unknowns are solved for, the others rounded; None if there is none."""
    n, rows = len(guess), [list(e) for e in equations]
    pivots: dict[int, int] = {}  # unknown -> its equation
    for column in sorted(range(n), key=lambda j: -abs(guess[j])):
        k = next((k for k, r in enumerate(rows) if k not in pivots.values() and r[column]), None)
        if k is None:
            continue
        pivots[column] = k
        rows[k] = [x / rows[k][column] for x in rows[k]]
        for i, r in enumerate(rows):
            if i != k and r[column]:
                rows[i] = [x - r[column] * y for x, y in zip(r, rows[k], strict=True)]
    if any(r[n] for i, r in enumerate(rows) if i not in pivots.values()):
        return None
    found = [Fraction(g).limit_denominator(720) for g in guess]
    for column, k in pivots.items():
        free = (rows[k][j] * found[j] for j in range(n) if j not in pivots)
        found[column] = rows[k][n] - sum(free, Fraction(0))
    return tuple(found)


def _write(
    sources: Sequence[Row], target: Row, multipliers: Sequence[Fraction], frame: Frame, name: str
) -> dict[str, Any]:
    zero = _form(Scalars(), frame)
    used = [
        {"name": f"row {k}", "multiplier": str(lam), "form": _form(times(-1, row), frame)}
        for k, (row, lam) in enumerate(zip(sources, multipliers, strict=True))
        if lam
    ]
    body = {
        "format": FORMAT,
        "statement": name,
        "parameters": {},
        "basis": [[f"{u} grad f + {v} E g" for u, v in frame], ["V"], ["D"]],
        "sizes": [len(frame), 1, 1],
        "n_values": 0,
        "rate": "0",
        "before": zero,
        "after": _form(target, frame),
        "inequalities": used,
    }
    return {**body, "sha256": digest(body)}


def _form(row: Row, frame: Frame) -> dict[str, Any]:
    M, size = gram(row, frame), len(frame)
    entries = [[i, j, str(Fraction(M[i][j]))] for i in range(size) for j in range(i, size) if M[i][j]]
    alone = [[[0, 0, str(Fraction(x))]] if x else [] for x in (row.V, row.D)]
    return {"blocks": [entries, *alone], "values": [], "noise": str(Fraction(row.one))}


def holds_by(sources: Sequence[Row], target: Row, multipliers: Sequence[float], frame: Frame) -> bool:
    """The same in floats: does the slack lie in the dual cone, to FLOATS of its size?"""
    lam = np.maximum(np.array(multipliers, float), 0)
    if not np.isfinite(lam).all():
        return False
    parts = [times(k, row) for k, row in zip(lam.tolist(), sources, strict=True)]
    slack = minus(plus(Scalars(), *parts), target)
    size = 1 + max(abs(float(x)) for row in (*parts, target) for x in row)
    M = np.array(gram(slack, frame), float).reshape(len(frame), len(frame))
    low = float(np.linalg.eigvalsh(M)[0]) if len(frame) else 0.0
    return bool(min(low, *(float(x) for x in (slack.V, slack.D, slack.one))) >= -FLOATS * size)
