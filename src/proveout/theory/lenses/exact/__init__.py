"""The exact lens: one-step claims at all states, or at the worst states that a search finds; identities."""

from proveout.theory.lenses.exact.lens import (
    Worst,
    check,
    replay_exact,
    sharp_numbers,
    sides,
    worst_state,
)

__all__ = [
    "Worst",
    "check",
    "replay_exact",
    "sharp_numbers",
    "sides",
    "worst_state",
]
