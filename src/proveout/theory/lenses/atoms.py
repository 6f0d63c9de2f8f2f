"""Every draw of a step with its probability, and exact expectations over them.

Batches: states carry the leading axes (S, 1), draws (1, K); a step then answers (S, K, ...), or keeps an
axis of length one where no draw (or no state) touched a field.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import Law, reported_weights
from proveout.theory.lenses.sizes import CHUNK, TAIL
from proveout.theory.statement import Method, Number, Problem, State, Terms, Word, evaluate

__all__ = ["Atoms", "Refused", "atoms_of", "expectation", "lead_of", "value"]


class Refused(Exception):
    """A lens cannot judge, with the reason; `check` turns it into a verdict and never lets it out."""

    def __init__(self, reason: str, word: Word = "not applicable") -> None:
        super().__init__(reason)
        self.reason = reason
        self.word: Word = word


@dataclass(frozen=True, eq=False)
class Atoms:
    """All draws of one step with their probabilities; `note` says what was cut or replaced."""

    prob: Array  # (K,)
    draw: Any  # leaves (K, ...)
    note: str = ""

    @property
    def size(self) -> int:
        return len(self.prob)

    def part(self, first: int, end: int) -> Any:
        """Draws first..end-1 with the leading axes (1, end - first)."""
        return tree_map(lambda a: np.asarray(a)[None, first:end], self.draw)

    def one(self, k: int) -> Any:
        """Draw k, without leading axes."""
        return tree_map(lambda a: np.asarray(np.asarray(a)[k]), self.draw)


def atoms_of(law: Law, limit: float = math.inf) -> Atoms:
    """Enumerate a law; atoms of probability zero are dropped.

    Raises Refused if it is continuous or has more than `limit` atoms.  An unbounded discrete law is cut
    at TAIL and not renormalised: with V >= 0 the expectation is a lower bound.
    """
    try:
        count = law.count
    except (AttributeError, TypeError, ValueError) as error:
        raise Refused(f"the law cannot be enumerated: {error}") from None
    if not math.isfinite(count):
        raise Refused("the law is continuous and its step is not affine in the draw: no atoms")
    if count > limit:
        raise Refused(f"too large: {count:.3g} atoms, the budget has room for {max(limit, 0):.3g}")
    prob, draw = law.atoms()
    keep = np.asarray(prob) != 0
    if not keep.all():
        prob, draw = prob[keep], tree_map(lambda a: np.asarray(a)[keep], draw)
    total = float(sum(prob)) if prob.dtype == object else math.fsum(prob)
    note = ""
    if not math.isfinite(law.size):
        note = f"law cut at tail mass {TAIL:g}"
    elif abs(total - 1) > 1e-12:
        raise Refused(f"the probabilities of the law sum to {total!r}", "inconclusive")
    return Atoms(prob=prob, draw=draw, note=note)


def value(terms: Any, P: Problem) -> Array:
    """Terms, or a plain number or array, as a number: (...)."""
    return evaluate(terms, P) if isinstance(terms, tuple) else terms


def expectation(
    P: Problem,
    m: Method,
    terms_of: Callable[[Problem, Method, State], Terms | Number],
    states: State,
    atoms: Atoms,
    width: float = 1,
) -> Array:
    """E[terms_of(P, m, step(P, s, draw))] at every state: leaves (S, 1, ...) -> (S,).

    One call of `step` holds at most CHUNK floats (`width` = floats per state and atom): states are split
    first (a gradient at the state is then asked once for all draws), atoms only if one state is too much;
    chunk sums are added with fsum.  Probabilities are multiplied by what `pick` reports.  Chunks depend on
    sizes alone, so the result is reproducible.
    """
    S, K = lead_of(states), atoms.size
    columns = int(np.clip(CHUNK // max(width, 1), 1, K))
    rows = int(np.clip(CHUNK // (max(width, 1) * columns), 1, S))
    out = np.empty(S)
    with np.errstate(all="ignore"):
        for s in range(0, S, rows):
            some = rows_of(states, s, s + rows)
            parts = [
                _partial(P, m, terms_of, some, atoms, k, min(k + columns, K)) for k in range(0, K, columns)
            ]
            out[s : s + rows] = parts[0] if len(parts) == 1 else [_fsum(column) for column in zip(*parts)]
    return out


def _fsum(values: Any) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # inf and NaN among the chunks
        return float(np.sum(values))


def _partial(
    P: Problem, m: Method, terms_of: Any, states: State, atoms: Atoms, first: int, end: int
) -> Array:
    S, K = lead_of(states), end - first
    with reported_weights() as reports:
        after = m.step(P, states, atoms.part(first, end))
    V = np.broadcast_to(value(terms_of(P, m, after), P), (S, K))
    prob = atoms.prob[first:end]
    for report in reports:
        if report.ndim < 2 or not {report.shape[0], S} <= {1, S} or not {report.shape[1], K} <= {1, K}:
            raise Refused("a named outcome was picked inside a branch: its probability is not per state")
        prob = prob * report.prod(axis=tuple(range(2, report.ndim)))
    if reports:
        V = np.where(prob > 0, V, 0.0)
    return V @ prob if prob.ndim == 1 else (V * prob).sum(axis=1)


def lead_of(states: State) -> int:
    """S, of states with leaves (S, 1, ...); clocks that are plain ints are common to the batch."""
    sizes: list[int] = []
    tree_map(lambda a: sizes.append(a.shape[0]) if hasattr(a, "shape") and a.ndim else None, states)
    return max(sizes, default=1)


def rows_of(states: State, first: int, end: int) -> State:
    """States first..end-1 of a batch."""
    return tree_map(
        lambda a: a[first:end] if hasattr(a, "shape") and a.ndim and a.shape[0] > 1 else a, states
    )
