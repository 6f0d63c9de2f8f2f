"""What estimators share: the price of a full gradient, and a choice among K outcomes."""

import math
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.compressors import FLOAT_BITS

__all__ = ["Whole", "chances", "check_outcomes"]


class Whole:
    """An estimator that computes the full gradient and sends d floats."""

    def gradients(self, problem: Any) -> int:
        return int(problem.n)

    def floats(self, problem: Any) -> Any:
        return problem.d

    def bits(self, problem: Any) -> Any:
        return FLOAT_BITS * problem.d


def check_outcomes(K: int, one: str, shifts: tuple[Any, ...], probs: tuple[float, ...]) -> None:
    """K outcomes, each made of `one`, with as many shifts and probabilities, or none; ValueError if not."""
    for name, value in (("shifts", shifts), ("probs", probs)):
        if len(value) not in (0, K):
            raise ValueError(f"{name} must have one entry per {one}, {K}, got {len(value)}")
    if probs and not (min(probs) >= 0 and math.isclose(sum(probs), 1, rel_tol=1e-12)):
        raise ValueError(f"probs must be >= 0 and sum to 1, got {probs}")


def chances(K: int, probs: tuple[float, ...]) -> Array:
    """(K,) probabilities; equal ones if none are given."""
    return np.array(probs) if probs else np.full(K, 1 / K)
