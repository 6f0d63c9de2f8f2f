"""Theorems about asynchronous SGD: rates, identities, critical steps, and its bias on own data."""

from proveout.theory.asgd.bias import UNEQUAL_SPEEDS_BIAS
from proveout.theory.asgd.horizons import CONVEX, CONVEX_ADAPTIVE, NONCONVEX_ADAPTIVE, NONCONVEX_DELAY
from proveout.theory.asgd.identities import (
    IMPLICIT_MOMENTUM,
    MEAN_CRITICAL_STEP,
    NAIVE_CRITICAL_STEP,
    SHIFTED_CRITICAL_STEP,
    SMEGA2_CRITICAL_STEP,
    VIRTUAL_ITERATE,
)

__all__ = [
    "CONVEX",
    "CONVEX_ADAPTIVE",
    "IMPLICIT_MOMENTUM",
    "MEAN_CRITICAL_STEP",
    "NAIVE_CRITICAL_STEP",
    "NONCONVEX_ADAPTIVE",
    "NONCONVEX_DELAY",
    "SHIFTED_CRITICAL_STEP",
    "SMEGA2_CRITICAL_STEP",
    "UNEQUAL_SPEEDS_BIAS",
    "VIRTUAL_ITERATE",
]
