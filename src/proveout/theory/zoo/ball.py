"""Least constants on a ball |x - x*| <= R: the S-procedure, one semidefinite program per row.

Constants that trade are chosen as on the whole space (`decided`); a row that no constants satisfy is shown at a point of
the ball, and one for which neither a program nor a point is found is not decided.
"""

from collections.abc import Mapping

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Assumption
from proveout.theory.zoo.affine import Forms
from proveout.theory.zoo.decided import BELOW_ONE, SURE, Found, NotThere, additive, refused
from proveout.theory.zoo.edge import FEASIBLE
from proveout.theory.zoo.rows import Row
from proveout.theory.zoo.sdp import Solved, least_by_sdp, minimise
from proveout.theory.zoo.witness import Witness, inequality

__all__ = ["Undecided", "decide_on_ball"]

POINTS = 4000  # of the ball, where a violation is looked for
GAP = 1e-6  # relative; a program whose bound is farther off is not believed


class Undecided(Exception):
    """Neither constants nor a point against them."""


def decide_on_ball(
    kind: type[Assumption], row: Row, F: Forms, given: Mapping[str, float], radius: float
) -> Found:
    """The least constants of a row on the ball.

    Raises NotThere if there are none, Undecided if neither is found.
    """
    held, free = row.split(given)
    if point := _against(kind, row, F, free, held, radius):
        raise NotThere(point)
    trade = additive(row) if len(free) == 2 else None
    p = next((n for n in free if n != trade), "")
    if trade and p in (*row.lower, *BELOW_ONE):
        constants, solved = _neighbourhood(row, F, held, p, trade, radius)
    else:
        weights = {n: 1.0 for n in free}
        if trade:
            weights[p] = float(np.abs(F.of(row.slopes[p])).max())
        constants, solved = least_by_sdp(kind, row, F, weights, held, radius)
    if not (np.isfinite(solved.value) and solved.slack >= -FEASIBLE and solved.gap <= GAP):
        raise Undecided(f"{kind.__name__}: the program stopped at a gap of {solved.gap:.1e}")
    if not all(_proper(row, n, constants[n]) for n in free):
        raise Undecided(f"{kind.__name__}: {constants} say nothing, and no point against it was found")
    return Found(
        {n: max(v, 0.0) for n, v in constants.items()}, solved.gap, min(solved.slack, 0.0), _where(solved)
    )


def _proper(row: Row, name: str, value: float) -> bool:
    if name in row.lower:
        return value > SURE
    return value < 1 - SURE if name in BELOW_ONE else True


def _where(solved: Solved) -> Array | None:
    inside = [z for z in solved.points if abs(z[-1]) > 1e-6 * np.abs(z).max()]
    return inside[0] if inside else None


def _neighbourhood(
    row: Row, F: Forms, held: dict[str, float], p: str, q: str, radius: float
) -> tuple[dict[str, float], Solved]:
    """Least c/b or phi2/(1 - m) on the ball."""
    base, slope = F.of(row.at(held)), F.of(row.slopes[p])
    ball = F.ball - radius**2 * F.one
    if p in BELOW_ONE:
        W, X, low = -slope, -slope - base, 1.0
    else:
        W, X, low = slope, -base, 0.0
    s = minimise(np.array([0.0, 1.0, 0.0]), -W, [X, F.one, ball], np.array([low, 0.0, 0.0]))
    t, r = (float(v) for v in s.c[:2])
    first = 1 - 1 / t if p in BELOW_ONE else 1 / t if t > 0 else np.inf
    return {**held, p: first, q: r / t if t > 0 else np.inf}, s


def _against(
    kind: type[Assumption], row: Row, F: Forms, free: list[str], held: dict[str, float], radius: float
) -> Witness | None:
    """A point of the ball that no constants survive; pairs with an additive constant have none."""
    if len(free) != 1 or row.slopes[free[0]].one != 0:
        return None
    left, right, link = inequality(kind, row, free[0])
    rng = np.random.default_rng(0xBA11)
    v = rng.standard_normal((POINTS, len(F.outward)))
    size = np.sqrt(np.einsum("ni,ij,nj->n", v, F.ball[:-1, :-1], v))
    reach = radius * np.where(
        rng.random(POINTS) < 0.5, 10.0 ** rng.uniform(-6, 0, POINTS), rng.random(POINTS)
    )
    z = np.concatenate([v * (reach / size)[:, None], np.ones((POINTS, 1))], axis=1)
    z = np.concatenate([np.eye(len(F.one))[-1:], z])
    a, b = (np.einsum("ni,ij,nj->n", z, F.of(side), z) for side in (left, right))
    excess = a - b if link == "<" else np.where(b <= 1e-14 * F.size, a - b, -np.inf)
    best = int(np.argmax(np.where(a > 1e-12 * F.size, excess, -np.inf)))
    if not (excess[best] > 0 and a[best] > 1e-12 * F.size):
        return None
    return refused(kind, row, F, free[0], z[best], held)
