"""Delays: clocks, schedules, and problems that are served by workers."""

from proveout.problems.delays.clock import HORIZON, Clock, Event, Jobs, Schedule
from proveout.problems.delays.orders import Order, Race
from proveout.problems.delays.presets import CLOCKS, asynchronous, clock
from proveout.problems.delays.problem import Asynchronous, Copies
from proveout.problems.delays.timed import DURATIONS, Queues, Simulated

__all__ = [
    "CLOCKS",
    "DURATIONS",
    "HORIZON",
    "Asynchronous",
    "Clock",
    "Copies",
    "Event",
    "Jobs",
    "Order",
    "Queues",
    "Race",
    "Schedule",
    "Simulated",
    "asynchronous",
    "clock",
]
