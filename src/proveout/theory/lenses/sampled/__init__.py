"""Sampled lens: claims about long runs, by e-values; only for what algebra cannot do."""

from proveout.theory.lenses.sampled.lens import (
    check,
    sides,
)

__all__ = [
    "check",
    "sides",
]
