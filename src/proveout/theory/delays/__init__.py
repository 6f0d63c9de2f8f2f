"""The clock of asynchronous methods: identities of any schedule, and what other theorems read from it."""

from proveout.theory.delays.counting import (
    COUNTING,
    GAP,
    GEOMETRIC_DELAY,
    LATE_COUNT,
    ONE_JOB_PER_VERSION,
    SHARES,
)

__all__ = ["COUNTING", "GAP", "GEOMETRIC_DELAY", "LATE_COUNT", "ONE_JOB_PER_VERSION", "SHARES"]
