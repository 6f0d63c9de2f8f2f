"""Clocks without service times: a written order, or i.i.d. arrivals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import quad

from proveout.arrays import Array
from proveout.laws import Given, Law, Sure
from proveout.problems.delays.clock import Clock, Event, Schedule, one_hot

__all__ = ["Order", "Race"]


@dataclass(frozen=True)
class Order(Clock):
    """Workers deliver in a written order, repeated for ever; every arrival takes 1/K seconds.

    barrier: nobody restarts before all have delivered, so that each K arrivals are one synchronous round.
    """

    order: tuple[int, ...]
    barrier: bool = False

    def __post_init__(self) -> None:
        if not self.order or sorted(set(self.order)) != list(range(max(self.order) + 1)):
            raise ValueError(f"order must name the workers 0, 1, .. without a hole, got {self.order}")
        rounds = np.array(self.order)[: len(self.order) // self.workers * self.workers]
        whole = len(rounds) == len(self.order)
        each_once = (np.sort(rounds.reshape(-1, self.workers)) == np.arange(self.workers)).all()
        if self.barrier and not (whole and each_once):
            raise ValueError(f"order must consist of rounds of all workers at a barrier, got {self.order}")

    @property
    def workers(self) -> int:  # type: ignore[override]
        return max(self.order) + 1

    clients = workers

    @property
    def busy(self) -> bool:  # type: ignore[override]
        return not self.barrier

    def arrivals(self, local_steps: Any = 1) -> Law:
        return Given(self._events(len(self.order), ()), cycle=True)

    def _events(self, stop: int, steps: tuple[int, ...]) -> Event:
        worker = np.array(self.order, dtype=np.int64)[np.arange(stop) % len(self.order)]
        released = one_hot(worker, self.workers)
        if self.barrier:
            ends = np.arange(1, stop + 1) % self.workers == 0
            released = np.broadcast_to(ends[:, None], released.shape)
        return Event(worker, worker, np.full(stop, 1 / self.workers), released)


class _Shares(Law):
    """A worker delivers with the probability of its share, and restarts at once."""

    def __init__(self, shares: Array, seconds: float) -> None:
        self.shares, self.seconds = shares, seconds

    @property
    def size(self) -> int:
        return len(self.shares)

    def _event(self, worker: Array) -> Event:
        return Event(worker, worker, np.full(np.shape(worker), self.seconds), one_hot(worker, self.size))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Event:
        edges = np.cumsum(self.shares[:-1])
        return self._event(np.asarray(np.searchsorted(edges, rng.random(shape), side="right")))

    def atoms(self) -> tuple[Array, Event]:
        return self.shares, self._event(np.arange(self.size))


@dataclass(frozen=True)
class Race(Clock):
    """Memoryless service times: the next arrival is worker k's with probability (1/s_k) / sum_l 1/s_l.

    The order is drawn, not given: an expectation is over the order too.  speeds = (): all s_k = 1.
    """

    workers: int = 2
    speeds: tuple[float, ...] = ()  # mean seconds per job

    given = False

    def __post_init__(self) -> None:
        if not self.workers >= 1:
            raise ValueError(f"workers must be >= 1, got {self.workers}")
        if self.speeds and (len(self.speeds) != self.workers or min(self.speeds) <= 0):
            raise ValueError(f"speeds must be {self.workers} numbers > 0, got {self.speeds}")

    @property
    def clients(self) -> int:  # type: ignore[override]
        return self.workers

    @property
    def _rates(self) -> Array:
        return 1 / np.array(self.speeds or (1.0,) * self.workers)

    @property
    def shares(self) -> Array:
        """The probability of each worker's arrival."""
        return self._rates / self._rates.sum()

    def arrivals(self, local_steps: Any = 1) -> Law:
        return _Shares(self.shares, 1 / float(self._rates.sum()))

    def rounds(self) -> Law:
        """The mean of the slowest of the K times: the integral of P(max > t)."""
        longer = lambda t: 1 - np.prod(1 - np.exp(-t * self._rates))
        return Sure(np.array(quad(longer, 0, np.inf, limit=200)[0]))

    def schedule(self, stop: int, local_steps: Any = 1) -> Schedule:
        raise ValueError("a race has no schedule: its arrivals are drawn")
