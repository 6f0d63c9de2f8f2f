"""Least constants of one row on the forms of a quadratic, in closed form.

Constants that trade against each other: given all but one, that one is least.  Given none, the additive one is 0 if it
can be; else (b, c) and (m, phi2) minimise the neighbourhood, c/b and phi2/(1 - m), by t = 1/b and t = 1/(1 - m):

    c/b = r:  r e + t P - G >= 0            phi2/(1 - m) = r:  r e + t (G - Bias) - G >= 0,  t >= 1

and (M, sigma2), (U, Q), (B, C) minimise q + p q0/p0, where p0 is the least p and q0 the least q.  A is 0: on quadratics it
is never needed, D <= G/(2 lambda_min+).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import Assumption, Scalars
from proveout.theory.zoo.affine import Forms
from proveout.theory.zoo.edge import FEASIBLE, Edge, least_multiple, smallest
from proveout.theory.zoo.pair import Pair, best_pair, edge_of, feasible_from
from proveout.theory.zoo.rows import Row
from proveout.theory.zoo.witness import Witness, pointwise

__all__ = [
    "BELOW_ONE",
    "NIL",
    "SURE",
    "Found",
    "NotThere",
    "additive",
    "decide",
    "frontier_of",
    "holds",
    "refused",
]

SURE = 1e-9  # distance of a constant from where it says nothing, relative to the scale of the estimator
BELOW_ONE = ("eta", "m")  # must be < 1
NIL = 1e-12  # relative; a constant that is 0 but for rounding


@dataclass(frozen=True, eq=False)
class Found:
    """The least constants of one row."""

    constants: dict[str, float]
    gap: float  # relative, between the value and its dual bound
    slack: float  # least eigenvalue of the row's matrix over its scale, >= -1e-8
    z: Array | None = field(default=None, repr=False)  # where it is attained


class NotThere(Exception):
    """No constants satisfy a row; `witness` shows it."""

    def __init__(self, witness: Witness) -> None:
        super().__init__(witness.text)
        self.witness = witness


def additive(row: Row) -> str | None:
    """The constant that stands alone, where another one stands beside it."""
    alone = [n for n, s in row.slopes.items() if s.one != 0 and not any(s[:-1])]
    return alone[0] if alone and len(row.slopes) > 1 else None


def decide(kind: type[Assumption], row: Row, F: Forms, given: Mapping[str, float]) -> Found:
    """The least constants of a row, those in `given` being held.

    Raises NotThere if there are none.
    """
    if F.kernel is not None:
        raise NotThere(_kernel(kind, row, F))
    held, free = row.split(given)
    if not free:
        return _held(kind, row, F, held)
    if len(free) == 1:
        return _one(kind, row, F, held, free[0])
    return _two(kind, row, F, held, *sorted(free, key=lambda n: n == additive(row)))


def holds(row: Row, F: Forms, constants: Mapping[str, float]) -> tuple[float, Array]:
    """(slack, z): the least eigenvalue of the row's matrix over its scale, and its vector."""
    return smallest(-F.of(row.at(dict(constants))), F.size)


def _held(kind: type[Assumption], row: Row, F: Forms, held: dict[str, float]) -> Found:
    slack, z = holds(row, F, held)
    if slack < -FEASIBLE:
        raise NotThere(refused(kind, row, F, next(iter(row.slopes)), z, held))
    return Found(held, 0.0, slack, z)


# ------------------------------------------------------------------ one constant


def _one(kind: type[Assumption], row: Row, F: Forms, held: dict[str, float], name: str) -> Found:
    E, B = F.of(row.at(held)), _slope(row, F, name)
    low, z = smallest(B, F.size)
    if low < -FEASIBLE:
        raise NotThere(refused(kind, row, F, name, z, held))
    edge = least_multiple(E, B)
    if not np.isfinite(edge.value):
        z = smallest(-E)[1] if edge.weak else edge.z
        raise NotThere(refused(kind, row, F, name, z, held))
    size = F.size / max(float(np.abs(B).max()), 1e-300)
    value = -edge.value if name in row.lower else edge.value
    if abs(value) <= NIL * size:
        value, edge = 0.0, Edge(0.0, edge.z, 0.0, edge.slack)
    if not _says_something(row, name, value, size):
        raise NotThere(refused(kind, row, F, name, edge.z, held))
    if name not in row.lower and value < 0:
        value, edge = 0.0, Edge(0.0, edge.z, 0.0, edge.slack)
    found = {**held, name: float(value)}
    return Found(found, edge.gap, min(holds(row, F, found)[0], 0.0), edge.z)


def _slope(row: Row, F: Forms, name: str) -> Array:
    """B >= 0 of the row E <= c B; for a lower bound of E <= -c B."""
    return F.of(row.slopes[name]) if name in row.lower else -F.of(row.slopes[name])


def _says_something(row: Row, name: str, value: float, size: float) -> bool:
    if name in row.lower:
        return bool(value > SURE * size)
    return bool(value < 1 - SURE) if name in BELOW_ONE else bool(np.isfinite(value))


# ------------------------------------------------------------------ two that trade


def _two(kind: type[Assumption], row: Row, F: Forms, held: dict[str, float], p: str, q: str) -> Found:
    W, X = F.of(row.at(held)), _slope(row, F, p)
    block = feasible_from(W, X)
    size = F.size / max(float(np.abs(X).max()), 1e-300)
    least = -block.value if p in row.lower else block.value
    if not np.isfinite(block.value) or not _says_something(row, p, least, size):
        raise NotThere(refused(kind, row, F, p, block.z, held))
    try:
        return _one(kind, row, F, {**held, q: 0.0}, p)
    except NotThere:
        pass
    pair = (
        _neighbourhood(W, X, p) if p in (*row.lower, *BELOW_ONE) else _balanced(W, X, max(block.value, 0.0))
    )
    if not np.isfinite(pair.value):
        raise NotThere(refused(kind, row, F, p, block.z, held))
    first, second = pair.t, pair.r
    if p in row.lower:
        first, second = 1 / pair.t, pair.r / pair.t
    elif p in BELOW_ONE:
        first, second = 1 - 1 / pair.t, pair.r / pair.t
    found = {**held, p: float(first), q: float(max(second, 0.0))}
    return Found(found, pair.gap, min(holds(row, F, found)[0], 0.0), pair.z)


def _neighbourhood(W: Array, X: Array, p: str) -> Pair:
    """Least c/b or phi2/(1 - m)."""
    if p in BELOW_ONE:
        return best_pair(X, X - W, low=1.0)
    return best_pair(X, -W)


def _balanced(W: Array, X: Array, p0: float) -> Pair:
    """Least q + p q0/p0."""
    if p0 <= NIL * float(np.abs(W).max()) / max(float(np.abs(X).max()), 1e-300):
        p0 = 0.0
    at = np.append(-np.linalg.lstsq(X[:-1, :-1], X[:-1, -1], rcond=1e-12)[0], 1.0)
    q0 = float(at @ W @ at)
    if p0 == 0 or q0 <= 0:
        far = max(2 * p0, 0.0)
        edge = edge_of(W, X, far)
        Y = np.outer(edge.z, edge.z) / edge.z[-1] ** 2 if edge.z[-1] else 0 * W
        return Pair(far, edge.value, edge.value, edge.bound, Y, edge.z, edge.slack)
    return best_pair(W, X, weight=q0 / p0)


def frontier_of(kind: type[Assumption], row: Row, F: Forms, given: Mapping[str, float]) -> float:
    """The least additive constant of a row, the other ones being given; inf if there is none."""
    alone = additive(row)
    try:
        return decide(kind, row, F, given).constants[str(alone)]
    except NotThere:
        return float("inf")


# ------------------------------------------------------------------ witnesses


def refused(
    kind: type[Assumption], row: Row, F: Forms, name: str, z: Array, held: Mapping[str, float] = {}
) -> Witness:
    """A point, or a ray, that no constant `name` survives."""
    x, direction = F.point(z)
    y = np.append((z[:-1] if direction is None else 1e3 * z[:-1] / np.linalg.norm(z[:-1])), 1.0)
    if direction is None:
        y[:-1] /= z[-1]
    scalars = Scalars(*(float(y @ X @ y) for X in F.scalars))
    lhs, rhs, text = pointwise(kind, row, name, scalars)
    where = "" if direction is None else ", and so on along the ray"
    given = "".join(f", {n} = {v:g}" for n, v in held.items() if v)
    return Witness(x, lhs, rhs, f"{text}{given}{where}", direction)


def _kernel(kind: type[Assumption], row: Row, F: Forms) -> Witness:
    v = np.asarray(F.kernel)
    return Witness(
        F.x_star + v,
        1.0,
        0.0,
        "f is constant along a line on which the estimator moves: G = D = 0, S grows",
        v,
    )
