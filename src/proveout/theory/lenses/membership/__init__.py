"""Membership lens: E left <= constant E right for all inputs, the expectation taken over the draws of a block."""

from proveout.theory.lenses.membership.lens import (
    check,
    largest,
    sides,
)

__all__ = [
    "check",
    "largest",
    "sides",
]
