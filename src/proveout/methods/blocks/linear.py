"""Linear estimators g = M_k grad f(x) + s_k with probability p_k, M_k a matrix.

Every point of scalars (G, P, E1, V) that is possible is realised at every x by one of them, in the plane:

    g = (p I + q J +- v I) grad f(x),   J = [[0, -1], [1, 0]],   signs with probability 1/2,

has P = p G, E1 = (p^2 + q^2) G, V = v^2 G.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, apply, like, take
from proveout.laws import Drawn, Law
from proveout.methods.blocks.outcomes import Whole, chances, check_outcomes

__all__ = ["Linear", "turned"]

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Linear(Whole):
    matrices: tuple[Matrix, ...]  # M_k, (d, d)
    shifts: tuple[tuple[float, ...], ...] = ()  # s_k, (d,); none: 0
    probs: tuple[float, ...] = ()  # p_k; none: equal

    def __post_init__(self) -> None:
        K, M = len(self.matrices), np.array(self.matrices, dtype=float)
        if M.ndim != 3 or M.shape[1] != M.shape[2]:
            raise ValueError(f"matrices must be square and of one size, got shape {M.shape}")
        check_outcomes(K, "matrix", self.shifts, self.probs)
        if self.shifts and np.array(self.shifts).shape != (K, M.shape[1]):
            raise ValueError(f"shifts must have {M.shape[1]} entries each, got {self.shifts}")

    @property
    def p(self) -> Array:
        """(K,) probabilities."""
        return chances(len(self.matrices), self.probs)

    def law(self, problem: Any) -> Law:
        return Drawn(tuple(self.p.tolist()), 1, of=None)

    def __call__(self, problem: Any, x: Array, draw: Array) -> Array:
        """(..., d), draw (..., 1) -> (..., d)."""
        v = problem.grad(x)
        M = like(np.array(self.matrices, dtype=float), v)
        g = apply(take(M, draw, core=2)[..., 0, :, :], v)
        if not self.shifts:
            return g
        return g + take(like(np.array(self.shifts, dtype=float), v), draw)[..., 0, :]


def turned(
    p: float = 1, q: float = 0, v: float = 0, shift: tuple[float, float] = (0, 0), noise: float = 0
) -> Linear:
    """g = (p I + q J +- v I) grad f + shift +- (noise, 0) in the plane; one outcome where nothing is random."""
    signs = (1, -1) if v or noise else (0,)
    return Linear(
        matrices=tuple(((p + e * v, -q), (q, p + e * v)) for e in signs),
        shifts=tuple((shift[0] + e * noise, shift[1]) for e in signs) if noise or any(shift) else (),
    )
