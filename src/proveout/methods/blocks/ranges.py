"""Ranges of parameters that many methods share."""

from typing import Any

__all__ = ["step_and_momentum"]


def step_and_momentum(method: Any) -> None:
    """Raises ValueError unless gamma > 0 and 0 <= beta < 1."""
    if not method.gamma > 0:
        raise ValueError(f"gamma must be > 0, got {method.gamma}")
    if not 0 <= method.beta < 1:
        raise ValueError(f"beta must lie in [0, 1), got {method.beta}")
