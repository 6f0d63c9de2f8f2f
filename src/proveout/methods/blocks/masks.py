"""Sender masks: which clients of a cohort send which coordinates, every coordinate by exactly s of them.

Condat, Agarský, Malinovsky, Richtárik, "TAMUNA" (arXiv:2302.09832); Condat, Agarský, Richtárik,
"Provably Doubly Accelerated Federated Learning" (arXiv:2210.13277).

A fixed 0/1 template T (d, c) has exactly s ones in every row; a uniform permutation of its *columns*
deals them to the c clients of the cohort (rows are never permuted).  With numbers from 0:

    d s >= c   row k has ones at columns s k, .., s k + s - 1 (mod c): columns have floor or ceil(s d / c) ones
    d s <= c   column i < d s has one single one, in row i mod d: the other clients send nothing

Hence the senders of any one coordinate are a uniform s-subset of the cohort; if the cohort is a
uniform c-subset of n clients, they are a uniform s-subset of all n.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, like, put
from proveout.laws import Joint, Law, Permutation, Subset, Sure

__all__ = ["CohortMask", "MaskDraw", "columns_law", "senders", "template", "uplink"]


@lru_cache(maxsize=64)
def template(d: int, c: int, s: int) -> Array:
    """The 0/1 template: (d, c) bool, s ones per row, read-only.

    Raises ValueError unless 1 <= s <= c and d >= 1.
    """
    if not d >= 1:
        raise ValueError(f"d must be >= 1, got {d}")
    if not 1 <= s <= c:
        raise ValueError(f"s must lie in 1..c = {c}, got {s}")
    one = np.arange(d * s)
    rows = np.zeros((d, c), bool)
    if d * s >= c:
        rows[one // s, one % c] = True
    else:
        rows[one % d, one] = True
    rows.flags.writeable = False
    return rows


def senders(columns: Array, d: int, s: int, model: Array) -> Array:
    """The mask q, 1 where a client sends: (..., c) column numbers -> (..., c, d), of the dtype of `model`.

    With s = c everybody sends everything, whatever the columns, and q is (1, 1).
    """
    c = columns.shape[-1]
    if s == c:
        return like(np.ones((1, 1), bool), model)
    return like(template(d, c, s).T, model)[columns]


def columns_law(c: int, s: int) -> Law:
    """How the columns are dealt to a cohort; with s = c all are equal, so that one deal stands for all."""
    return Sure(np.arange(c)) if s == c else Permutation(c, of="cohort")


def uplink(d: int, c: int, s: int) -> int:
    """Reals sent by the busiest client of a cohort: ceil(s d / c)."""
    return -(-s * d // c)


class MaskDraw(NamedTuple):
    cohort: Array  # (..., c)  clients of the round
    columns: Array  # (..., c)  the template's column that each of them gets


@dataclass(frozen=True, kw_only=True)
class CohortMask:
    """The mask over all n clients as a block: zero for those outside the cohort."""

    n: int  # clients
    cohort: int  # clients per round
    s: int  # senders per coordinate

    def __post_init__(self) -> None:
        if not 1 <= self.s <= self.cohort <= self.n:
            raise ValueError(
                f"1 <= s <= cohort <= n must hold, got s = {self.s}, cohort = {self.cohort}, n = {self.n}"
            )

    def law(self, n: int, d: int) -> Law:
        return Joint(MaskDraw(cohort=Subset(self.n, self.cohort), columns=columns_law(self.cohort, self.s)))

    def mask(self, d: int, draw: Any) -> Array:
        """(..., n, d), 1 where a client sends."""
        q = np.broadcast_to(senders(draw.columns, d, self.s, np.zeros(1)), (*draw.columns.shape, d))
        return put(np.zeros((self.n, d)), draw.cohort, q)

    def __call__(self, x: Array, draw: Any) -> Array:
        """What reaches the server: (..., n, d) -> (..., n, d)."""
        return like(self.mask(x.shape[-1], draw), x) * x
