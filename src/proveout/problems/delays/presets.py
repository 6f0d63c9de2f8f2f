"""Clocks by name, and a problem with one in a single call (the SPEC family `async`)."""

from typing import Any

from proveout.problems.delays.clock import Clock
from proveout.problems.delays.orders import Order, Race
from proveout.problems.delays.problem import Asynchronous
from proveout.problems.delays.timed import DURATIONS, Simulated

__all__ = ["CLOCKS", "asynchronous", "clock"]

CLOCKS = ("robin", "sync", "straggler", "race", *DURATIONS)


def clock(
    name: str = "robin",
    workers: int = 4,
    slow: float = 0.0,
    ratio: float = 10.0,
    speeds: str = "",
    grace: float | None = None,
    seed: int = 0,
    shape: float = 1.0,
) -> Clock:
    """`robin`, `sync` (rounds), `straggler` (worker 0 delivers once in `ratio` rounds of the others),
    `race` (i.i.d. arrivals), or the durations of a simulated clock.  In the last two the share `slow` of the
    workers takes `ratio` seconds per job, the others one, unless `speeds` lists the seconds ("1:1.3:2.6").

    Raises ValueError naming the argument, the value and the rule.
    """
    if name not in CLOCKS:
        raise ValueError(f"clock must be one of {', '.join(CLOCKS)}, got {name!r}")
    if not workers >= 1:
        raise ValueError(f"workers must be >= 1, got {workers}")
    if name == "straggler":
        if workers < 2 or int(ratio) < 1:
            raise ValueError(f"a straggler needs workers >= 2, ratio >= 1, got {workers}, {ratio}")
        return Order(tuple(range(1, workers)) * int(ratio) + (0,))
    if name in ("robin", "sync"):
        return Order(tuple(range(workers)), barrier=name == "sync")
    if not 0 <= slow <= 1:
        raise ValueError(f"slow must lie in [0, 1], got {slow}")
    many = round(slow * workers)
    listed = _numbers("speeds", speeds) if speeds else (float(ratio),) * many + (1.0,) * (workers - many)
    if name == "race":
        return Race(len(listed), listed if len(set(listed)) > 1 else ())
    return Simulated(listed, durations=name, shape=shape, grace=grace, seed=seed)


def asynchronous(
    base: Any,
    data: str = "shared",
    workers: int = 4,
    clock_name: str = "robin",
    order: str = "",
    batch: int = 0,
    spec: str = "",
    **dials: Any,
) -> Asynchronous:
    """`base` served by workers; `order` ("0:0:1") is a written order, repeated, in place of a named clock."""
    if order:
        ticking: Clock = Order(tuple(int(k) for k in _numbers("order", order)))
    else:
        ticking = clock(clock_name, workers, **dials)
    return Asynchronous(base, ticking, data=data, batch=batch, spec=spec)


def _numbers(name: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(v) for v in text.split(":"))
    except ValueError:
        raise ValueError(f"{name} must be numbers separated by ':', got {text!r}") from None
