"""What a step costs, from the draw alone."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Cost"]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Cost of a step, or of a block of steps (arrays over the draws' leading axes).

    gradients  component gradients over all clients (one local full gradient of one client counts 1)
    up, down   floats sent by, received by the busiest client
    rounds     communications of a cohort
    seconds    simulated wall clock, where a clock decides
    bits       bits sent by the busiest client (0: not counted)
    """

    gradients: Any = 0
    up: Any = 0
    down: Any = 0
    rounds: Any = 0
    seconds: Any = 0
    bits: Any = 0
