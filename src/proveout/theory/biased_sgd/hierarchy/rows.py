"""Rows that several arrows share."""

from proveout.theory.biased_sgd.hierarchy.formula import Formula, constant

__all__ = ["FIRST", "SECOND", "SG1_SIZE", "SG1_SLOPE", "SG2_SIZE"]

FIRST = Formula(constant(1, 0))
SECOND = Formula(constant(0, 1))
SG1_SLOPE = Formula(  # P >= (alpha/beta) G
    lambda a: (1 / a.beta, 1 / a.beta), lift=lambda b, t, s: b, clear=lambda b, t, s: t + s
)
SG1_SIZE = Formula(constant(0, 2), lambda a: a.beta, clear=lambda b, t, s: t + s)  # S <= beta^2 G
SG2_SIZE = Formula(constant(0, 2), lambda a: a.beta)  # S <= beta^2 G
