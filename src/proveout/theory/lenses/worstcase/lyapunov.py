"""The best Lyapunov function of a shape: free weights of V, the least rate that any of them proves.

Terms T_0, T_1, ... with forms N_k (now) and C_k (expected next): V = N_0 + sum_k w_k N_k, T_0 the anchor, w_k >= 0
for squares and for f - f*, free for cross terms.  At a fixed rate the search is linear in weights and multipliers:

    minimise s   with   rate V - sum w C - sum lam Q + s I  PSD,  value part 0,
                        V - POSITIVE N_0 - sum lam' Q       PSD,  value part 0                    (so V > 0)

Bisection on the rate, in which only a certificate decides: the weights found at the middle are fixed, their worst
case is certified as usual, and the search goes down only if that is at most the middle.  Loose feasibility tests
find rates that are false in the fourth digit.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.draws import Settings
from proveout.theory.lenses.worstcase.forms import Form, total
from proveout.theory.lenses.worstcase.program import Program, program
from proveout.theory.lenses.worstcase.solve import conic, multiplier_columns, solve, svec
from proveout.theory.lenses.worstcase.trace import Trace, trace
from proveout.theory.lenses.worstcase.upper import upper
from proveout.theory.lenses.worstcase.world import NotSymmetric
from proveout.theory.statement import Cross, Gap, Method, OneStep, Problem, Square, State, Terms

__all__ = ["Best", "Menu", "best_weights", "fields_menu"]

STEPS = 28  # halvings of the interval of rates
NEAR = 1e-8  # a certified rate so close to the middle counts as reached
POSITIVE = 1e-6  # of N_0, by which V stays above 0
TINY = 1e-9  # of the reference form; a V that vanishes somewhere is certified >= 0 up to rounding only
ABOVE = (1e-7, 1e-6, 1e-5, 1e-4)  # rates tried beyond the last that failed
LIMIT = 1e4  # of a weight, against the anchor's term; beyond, numbers mean nothing
Menu = Callable[[Problem, Method, State], Terms]


@dataclass(frozen=True, eq=False)
class Best:
    """The least certified rate, and V = sum_k weights_k terms_k (the first is the anchor)."""

    rate: float
    weights: Array
    terms: tuple[Any, ...]  # on abstract vectors; the statement's own come first
    published: float  # certified worst case of the statement's own V


def best_weights(
    statement: OneStep,
    problem: Problem,
    method: Method,
    *,
    menu: Menu | str | None = None,
    settings: Settings | None = None,
) -> Best:
    """The best rate of V's own terms, and of those of a menu.

    menu: None, terms (P, m, state) -> tuple, or "fields": squares of every field minus its optimum, their cross
    terms, and squares of client means.  Progress and noise are left out: what is sought is a contraction.
    Raises Refused if the statement has no reading.
    """
    if not isinstance(statement, OneStep):
        raise Refused("weights of V: only a one-step statement has a V")
    extra = fields_menu(statement) if menu == "fields" else menu
    own = statement.lyapunov

    def lyapunov(P: Problem, m: Method, state: State) -> Terms:
        return (*own(P, m, state), *(extra(P, m, state) if callable(extra) else ()))

    wider = replace(statement, lyapunov=lyapunov, progress=None, noise=None)
    found = _traced(wider, problem, method, settings or Settings())
    terms = lyapunov(found.problem, method, found.state)
    first = len(own(found.problem, method, found.state))
    keep = _independent(found, first)
    before, after = ([_homogeneous(forms[k]) for k in keep] for forms in (found.before, found.after))
    search = _Search(found, before, after, [_nonnegative(found, terms[k]) for k in keep])
    start = np.array([1.0 if k < first else 0.0 for k in keep])
    rate, weights = search.run(start)
    return Best(rate, weights, tuple(terms[k] for k in keep), search.certified(start))


def _traced(statement: Any, problem: Problem, method: Method, settings: Settings) -> Trace:
    try:
        return trace(statement, problem, method, settings)
    except NotSymmetric:
        return trace(statement, problem, method, replace(settings, full=True))


def _nonnegative(found: Trace, term: Any) -> bool:
    """Is the term >= 0 on the class, so that its weight must be?"""
    return isinstance(term, Square) or (isinstance(term, Gap) and (term.core == 1 or found.problem.n == 1))


def _homogeneous(form: Form) -> Form:
    return replace(form, noise=0 * form.noise)


def _independent(found: Trace, first: int) -> list[int]:
    """The statement's own terms, and those of the menu that are not combinations of the ones before."""
    data = np.array([_flat(N, C) for N, C in zip(found.before, found.after, strict=True)])
    keep = list(range(first))
    for k in range(first, len(data)):
        rest = data[k] - np.linalg.lstsq(data[keep].T, data[k], rcond=None)[0] @ data[keep]
        if np.abs(rest).max(initial=0) > NEAR * np.abs(data[k]).max(initial=0) > 0:
            keep.append(k)
    return keep


def _flat(*forms: Form) -> Array:
    return np.concatenate([part.ravel() for f in forms for part in (*f.blocks, f.values)])


# ------------------------------------------------------------------ the search


class _Search:
    """Bisection over rates for one set of forms."""

    def __init__(
        self, found: Trace, before: Sequence[Form], after: Sequence[Form], signs: Sequence[bool]
    ) -> None:
        self.trace, self.before, self.after = found, before, after
        self.signs = np.array(signs)
        self.data = program(found, after, before, np.ones(len(before)).tolist())
        rows = np.concatenate(
            [_svecs(self.data)[self.data.part(1)], self.data.values[self.data.part(1)]], axis=1
        )
        self.unit = np.abs(rows).max(axis=1) / np.abs(rows[0]).max()  # size of N_k against the anchor's
        self.reference = _reference([*before, *after])

    def certified(self, weights: Array) -> float:
        """The worst case of V with these weights, inf if V is not proved >= 0."""
        V, new = self._mix(self.before, weights), self._mix(self.after, weights)
        if not self._nonnegative(weights):
            return math.inf
        return _least(program(self.trace, [new], [V]))

    def _mix(self, forms: Sequence[Form], weights: Array) -> Form:
        return total([w * f for w, f in zip(weights, forms, strict=True)])

    def _nonnegative(self, weights: Array) -> bool:
        """V >= POSITIVE/2 N_0, up to TINY of the reference form."""
        if not (weights[~self.signs] != 0).any():
            return True
        short = self.before[0] * (POSITIVE / 2) - self._mix(self.before, weights)
        return _least(program(self.trace, [short], [self.reference])) <= TINY

    def run(self, start: Array) -> tuple[float, Array]:
        """Bisection, then a few rates just above the last that failed, where the search has more room."""
        best, weights = self.certified(start), start
        low, high = 0.0, best if math.isfinite(best) else 1.0
        for _ in range(STEPS):
            middle = (low + high) / 2
            rate, candidate = self._at(middle)
            if rate < best:
                best, weights = rate, candidate
            low, high = (low, min(middle, rate)) if rate <= middle + NEAR else (middle, high)
            if high - low < NEAR / 10:
                break
        for above in ABOVE:
            rate, candidate = self._at(low + above)
            if rate < best:
                best, weights = rate, candidate
        return best, weights

    def _at(self, rate: float) -> tuple[float, Array]:
        """(certified rate, weights) of the search at a rate."""
        weights = self._weights(rate)
        return (math.inf if weights is None else self.certified(weights)), np.asarray(weights)

    def _weights(self, rate: float) -> Array | None:
        """The weights that come nearest to proving this rate."""
        data, m = self.data, len(self.before)
        rows, (minus_values, minus_rows) = _svecs(data), multiplier_columns(data)
        C, N, q = data.part(0), data.part(1), len(minus_rows)
        unit = self.unit[:, None]
        eye = np.concatenate([svec(np.eye(k)) for k in data.sizes])[None]
        V, V_values = rows[N] / unit, data.values[N] / unit
        gap, gap_values = rate * V - rows[C] / unit, rate * V_values - data.values[C] / unit
        none = np.zeros((1, data.values.shape[1]))
        # variables: weights of terms 1.., lam, lam', s
        columns = (
            np.concatenate([gap_values[1:], -minus_values, 0 * minus_values, none]).T,
            np.concatenate([V_values[1:], 0 * minus_values, -minus_values, none]).T,
            np.concatenate([gap[1:], -minus_rows, 0 * minus_rows, eye]).T,
            np.concatenate([V[1:], 0 * minus_rows, -minus_rows, 0 * eye]).T,
        )
        identity = np.eye(m - 1 + 2 * q + 1)
        positive = [k for k in range(m - 1) if self.signs[k + 1]]
        for first in (m - 1, m - 1 + q):
            positive += range(first, first + data.counts[2])
        limits = np.concatenate([identity[positive], identity[-1:], -identity[: m - 1], identity[: m - 1]])
        bounds = np.concatenate([np.zeros(len(positive)), [1.0], np.full(2 * (m - 1), LIMIT)])
        tables = [identity[end - self._width : end] for end in (m - 1 + q, m - 1 + 2 * q)]
        const = (
            gap_values[0],
            (1 - POSITIVE) * V_values[0],
            bounds,
            gap[0],
            (1 - POSITIVE) * V[0],
            np.zeros(2 * self._width),
        )
        y, _ = conic(
            identity[-1],
            np.concatenate(const),
            np.concatenate([*columns[:2], limits, *columns[2:], *tables]),
            2 * data.values.shape[1],
            len(limits),
            (*data.sizes, *data.sizes, *data.tables, *data.tables),
        )
        found = np.r_[1.0, y[: m - 1]] / self.unit
        return np.where(self.signs, np.maximum(found, 0), found) if np.isfinite(found).all() else None

    @property
    def _width(self) -> int:
        return sum(k * (k + 1) // 2 for k in self.data.tables)


def _reference(forms: Sequence[Form]) -> Form:
    """A positive form: the largest diagonal entries, so that nobody's units matter."""
    sizes = [
        np.max([np.abs(np.diagonal(f.blocks[b])) for f in forms], axis=0) for b in range(len(forms[0].blocks))
    ]
    blocks = tuple(np.diag(np.where(g > 0, g, g.max(initial=0))) for g in sizes)
    return Form(blocks, 0 * forms[0].values)


def _svecs(data: Program) -> Array:
    return np.concatenate([svec(b) for b in data.blocks], axis=1)


def _least(data: Program) -> float:
    return upper(data, solve(data).dual)[0]


# ------------------------------------------------------------------ menus


def fields_menu(statement: OneStep) -> Menu:
    """Squares of every field minus its optimum, cross terms of fields of one shape, squares of client means."""

    def menu(P: Problem, m: Method, state: State) -> Terms:
        star = statement.star(P, m) if statement.star is not None else (None,) * len(state)
        size = P.x_star.shape[-1]
        vectors = []
        for field, at in zip(state, star, strict=True):
            if getattr(field, "ndim", 0) and field.shape[-1] == size:
                client = field.ndim >= 2 and field.shape[-2] == P.n and (at is None or at.ndim >= 2)
                vectors.append((field if at is None else field - at, 2 if client else 1))
        terms: list[Any] = [Square(1.0, v, core) for v, core in vectors]
        terms += [Square(1.0 * P.n, v.mean(axis=-2)) for v, core in vectors if core == 2 and P.n > 1]
        terms += [Cross(1.0, u, v, a) for (u, a), (v, b) in combinations(vectors, 2) if a == b]
        return tuple(terms)

    return menu
