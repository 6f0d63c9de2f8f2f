"""Moments lens: horizons of affine methods and quadratic measures, exactly, for all starts at once."""

from proveout.theory.lenses.moments.lens import (
    certificate,
    check,
    critical_step,
    mean_square_rate,
    period_matrix,
    rate_of_period,
    sides,
)

__all__ = [
    "certificate",
    "check",
    "critical_step",
    "mean_square_rate",
    "period_matrix",
    "rate_of_period",
    "sides",
]
