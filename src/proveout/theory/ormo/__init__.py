"""Theorems about OrMo: identities, limit cases, rates, counts of gradients, critical steps."""

from proveout.theory.ormo.complexity import ADAPTIVE_COMPLEXITY, BOUNDED_GRADIENT_COMPLEXITY
from proveout.theory.ormo.critical import CRITICAL_STEP
from proveout.theory.ormo.horizons import (
    ADAPTIVE_CONVEX,
    ADAPTIVE_NONCONVEX,
    CONVEX,
    NONCONVEX_BOUNDED_DELAY,
    NONCONVEX_BOUNDED_GRADIENT,
)
from proveout.theory.ormo.identities import (
    ITERATE_GAP,
    MOMENTUM_GAP,
    ORDERED_VIRTUAL_ITERATE,
    VIRTUAL_ITERATE,
)
from proveout.theory.ormo.reductions import (
    CEIL_IS_NOT_SSGDM,
    EQUALS_ASGD,
    EQUALS_HEAVY_BALL,
    EQUALS_ORMO,
    EQUALS_SSGDM,
    SSGDM_SPLIT,
    VANILLA_BREAKS_IDENTITY,
)
from proveout.theory.ormo.rivals import BEATS_ASGD

__all__ = [
    "ADAPTIVE_COMPLEXITY",
    "ADAPTIVE_CONVEX",
    "ADAPTIVE_NONCONVEX",
    "BEATS_ASGD",
    "BOUNDED_GRADIENT_COMPLEXITY",
    "CEIL_IS_NOT_SSGDM",
    "CONVEX",
    "CRITICAL_STEP",
    "EQUALS_ASGD",
    "EQUALS_HEAVY_BALL",
    "EQUALS_ORMO",
    "EQUALS_SSGDM",
    "ITERATE_GAP",
    "MOMENTUM_GAP",
    "NONCONVEX_BOUNDED_DELAY",
    "NONCONVEX_BOUNDED_GRADIENT",
    "ORDERED_VIRTUAL_ITERATE",
    "SSGDM_SPLIT",
    "VANILLA_BREAKS_IDENTITY",
    "VIRTUAL_ITERATE",
]
