"""The marginal of the mask, which is all that the theory uses: uniform senders of every coordinate."""

import math
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.masks import CohortMask
from proveout.theory.statement import Membership, Twin
from proveout.theory.tamuna.altered import AlteredMask, unshuffled
from proveout.theory.tamuna.lyapunov import SOURCE

__all__ = ["MASK_MARGINAL"]


@lru_cache(maxsize=16)
def _subsets(n: int, s: int) -> Array:
    """All s-subsets of n clients as masks: (C(n, s), n) bool."""
    rows = np.array(list(combinations(range(n), s)))
    return (rows[..., None] == np.arange(n)).any(axis=-2)


def _excess(block: Any, mask: Array, draw: Any) -> Array:
    """How many members of the cohort send neither floor(s d / c) nor ceil(s d / c) coordinates: (...)."""
    d = mask.shape[-1]
    counts = np.take_along_axis(mask.sum(axis=-1), draw.cohort, axis=-1)
    low, high = block.s * d // block.cohort, -(-block.s * d // block.cohort)
    return np.sum((counts < low) | (counts > high), axis=-1)


def sides(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
    """u gives every s-subset of the clients and every coordinate a weight, (..., C(n, s), d).

    left = the squared weights of the subsets that were drawn (all of them, where the senders are not s),
    times 1 + the number of clients that send too many or too few coordinates;  right = sum of all squares.
    """
    mask = block.mask(u.shape[-1], draw)  # (..., n, d)
    drawn = (mask.mT[..., None, :] > 0.5) == _subsets(block.n, block.s)  # (..., d, C, n)
    hit = drawn.all(axis=-1).mT  # (..., C, d)
    hit = hit | ~hit.any(axis=-2, keepdims=True)
    left = np.sum(np.where(hit, u**2, 0), axis=(-2, -1)) * (1 + _excess(block, mask, draw))
    return left, np.sum(u**2, axis=(-2, -1)) + 0 * left


def _one_sender_more(block: Any, d: int, draw: Any, mask: Array) -> Array:
    """The first coordinate is also sent by the first client that was not to send it."""
    extra = np.argmin(mask[..., 0], axis=-1)
    more = np.arange(mask.shape[-2]) == extra[..., None]
    return np.concatenate([(mask[..., :1] + more[..., None]), mask[..., 1:]], axis=-1)


def _swapped(name: str, **what: Any) -> Twin:
    return Twin(name, lambda statement, P, block: (statement, P, AlteredMask(block, **what)))


MASK_MARGINAL = Membership(  # E u_S^2 <= mean u^2 for every weighting u of the subsets <=> S is uniform
    source=f"{SOURCE}, the sampling pattern",
    method=CohortMask,
    sides=sides,
    constant=lambda block, d: 1 / math.comb(block.n, block.s),
    least=True,
    shape=lambda block, d: (math.comb(block.n, block.s), d),
    tune=lambda P=None, n=4, cohort=3, s=2: CohortMask(n=n, cohort=cohort, s=s),
    claim=r"P(S_k = S) = 1/\tbinom ns;\ \text{a client sends } \lfloor sd/c\rfloor \text{ or } \lceil sd/c\rceil",
    twins=(
        Twin(
            "columns not permuted",
            lambda statement, P, block: (
                statement,
                P,
                AlteredMask(block, law_of=lambda n, d: unshuffled(block)),
            ),
        ),
        _swapped("one row with s+1 ones", edit=_one_sender_more),
        Twin(
            "the cohort is the first clients",
            lambda statement, P, block: (
                statement,
                P,
                AlteredMask(
                    block,
                    law_of=lambda n, d: CohortMask(n=block.cohort, cohort=block.cohort, s=block.s).law(n, d),
                ),
            ),
        ),
    ),
)
