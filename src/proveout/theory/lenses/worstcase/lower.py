"""A certified lower end: a Gram matrix and values that are feasible, rounding included.

From any (G, F): scale it to N <= b, project it on the equations, and mix it with a strictly feasible point y0
(conditions >= tau, G0 >= tau I) just enough to be feasible: theta = d/(d + tau), d its worst violation.
Before that, Gauss-Newton steps in the factors of G bring the active conditions to equality, so that d is
rounding.  Where the worst case may be infinite, points far along the solver's direction are tried too.
"""

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.program import Point, Program
from proveout.theory.lenses.worstcase.solve import Solution, conic, cut, psd_part, svec

__all__ = ["MARGIN", "lower"]

MARGIN = 1e-13  # relative; rounding of the entries and eigenvalues of a slack, or of a Gram matrix
RAYS = (1.0, 1e2, 1e4, 1e6)  # how far to follow a direction
ACTIVE = 1e-6  # conditions so close to equality are taken to be active
ROUNDS = 6  # Gauss-Newton converges quadratically


class _Primal:
    """Points y = (svec of the blocks, F) and the forms on them."""

    def __init__(self, data: Program) -> None:
        self.data = data
        rows = np.concatenate([svec(b) for b in data.blocks], axis=1)
        self.forms = np.concatenate([rows, data.values], axis=1)
        self.C, self.N, self.Q, self.E = (self.forms[data.part(k)] for k in range(4))
        self.width = rows.shape[1]

    def grams(self, y: Array) -> list[Array]:
        return cut(y[: self.width], self.data.sizes)

    def tables(self, y: Array) -> list[Array]:
        out = []
        for k, start in zip(self.data.tables, self.data.table_starts, strict=True):
            T = (self.forms[start : start + k * k] @ y).reshape(k, k)
            out.append((T + T.T) / 2)
        return out

    def violation(self, y: Array) -> float:
        """How far y is from the cones, rounding included; equations are not counted."""
        found = [-float((self.Q @ y).min(initial=0))]
        for G in (*self.grams(y), *self.tables(y)):
            if G.size:
                found.append(-float(np.linalg.eigvalsh(G)[0]))
        return max(0.0, *found) + MARGIN * float((np.abs(self.forms) @ np.abs(y)).max(initial=0))

    def onto_equations(self, y: Array) -> Array:
        if not len(self.E):
            return y
        return np.asarray(y - np.linalg.lstsq(self.E, self.E @ y, rcond=None)[0])

    def normal(self, y: Array) -> Array | None:
        """y scaled so that the tightest N_j . y is b_j; None if no N_j sees it."""
        used = float((self.N @ y / self.data.bounds).max(initial=0))
        return y / used if used > 0 else None


def lower(data: Program, found: Solution) -> tuple[float, Point | None]:
    """The largest value found at a feasible point, and the point in the trace's units; (0, None) if none is."""
    primal = _Primal(data)
    tau, y0 = _interior(primal)
    if tau <= 0:
        return 0.0, None
    y = np.concatenate([*(svec(psd_part(G)) for G in found.grams), found.values])
    far = y / max(1e-300, float(np.abs(y).max(initial=0)))
    best, point = 0.0, None
    for candidate in (y, _polished(primal, y, found.dual.lam), *(y0 + k * far for k in RAYS)):
        scaled = None if candidate is None else primal.normal(primal.onto_equations(candidate))
        if scaled is None:
            continue
        d = primal.violation(scaled)
        theta = d / (d + tau)
        mixed = (1 - theta) * scaled + theta * y0
        low = float((primal.C @ mixed).min())
        if low > best:
            best, point = low, mixed
    return best, None if point is None else data.lift(primal.grams(point), point[primal.width :])


def _polished(primal: _Primal, y: Array, lam: Array) -> Array | None:
    """Gauss-Newton in the factors of G (which stays PSD) onto N.y = b, E.y = 0 and the active Q.y = 0."""
    start = primal.normal(y)
    if start is None:
        return None
    factors, F = [_root(G) for G in primal.grams(start)], start[primal.width :]
    used = primal.N @ start >= primal.data.bounds * (1 - ACTIVE)
    active = primal.Q @ start < ACTIVE * float(np.abs(start).max(initial=0))
    active |= lam > ACTIVE * lam.max(initial=0)
    forms = np.concatenate([primal.N[used], primal.E, primal.Q[active]])
    goal = np.concatenate([primal.data.bounds[used], np.zeros(len(forms) - int(used.sum()))])
    for _ in range(ROUNDS):
        now = np.concatenate([*(svec(W @ W.T) for W in factors), F])
        jacobian = np.concatenate([_slopes(primal, row, factors) for row in forms])
        step = np.linalg.lstsq(jacobian, goal - forms @ now, rcond=1e-12)[0]
        for W in factors:
            W += step[: W.size].reshape(W.shape)
            step = step[W.size :]
        F = F + step
    return np.concatenate([*(svec(W @ W.T) for W in factors), F])


def _root(G: Array) -> Array:
    w, U = np.linalg.eigh(G) if G.size else (np.zeros(0), G)
    return np.asarray(U * np.sqrt(np.maximum(w, 0)))


def _slopes(primal: _Primal, row: Array, factors: list[Array]) -> Array:
    """The derivative of one form in (factors, F), as a row."""
    parts = [2 * (A @ W).ravel() for A, W in zip(primal.grams(row), factors, strict=True)]
    return np.concatenate([*parts, row[primal.width :]])[None]


def _interior(primal: _Primal) -> tuple[float, Array]:
    """(tau, y0): every condition >= tau, N <= b, equations met."""
    if "interior" not in primal.data.memory:
        primal.data.memory["interior"] = _strict(primal)
    return primal.data.memory["interior"]  # type: ignore[no-any-return]


def _strict(primal: _Primal) -> tuple[float, Array]:
    data = primal.data
    dim, nE = primal.forms.shape[1], len(primal.E)
    eye = np.concatenate([svec(np.eye(k)) for k in data.sizes])
    zeros = np.concatenate([primal.E, np.zeros((nE, 1))], axis=1)
    positive = np.concatenate(
        [
            np.concatenate([primal.Q, -np.ones((len(primal.Q), 1))], axis=1),
            np.concatenate([-primal.N, np.zeros((len(primal.N), 1))], axis=1),
            -np.eye(dim + 1)[dim:],
        ]
    )
    psd_rows = [np.concatenate([np.eye(dim)[: primal.width], -eye[:, None]], axis=1)]
    for k, start in zip(data.tables, data.table_starts, strict=True):
        T = primal.forms[start : start + k * k].reshape(k, k, -1)
        sym = svec(np.moveaxis(T + T.swapaxes(0, 1), -1, 0) / 2).T
        psd_rows.append(np.concatenate([sym, -svec(np.eye(k))[:, None]], axis=1))
    const = np.concatenate(
        [np.zeros(nE + len(primal.Q)), data.bounds, [1.0], np.zeros(sum(map(len, psd_rows)))]
    )
    psd = (*data.sizes, *data.tables)
    y, _ = conic(
        -np.eye(dim + 1)[dim], const, np.concatenate([zeros, positive, *psd_rows]), nE, len(positive), psd
    )
    y0 = primal.normal(primal.onto_equations(y[:dim]))
    if y0 is None:
        return 0.0, y[:dim]
    inside = [float((primal.Q @ y0).min(initial=1.0))]
    inside += [float(np.linalg.eigvalsh(G)[0]) for G in (*primal.grams(y0), *primal.tables(y0)) if G.size]
    return min(inside) - MARGIN * float((np.abs(primal.forms) @ np.abs(y0)).max(initial=0)), y0
