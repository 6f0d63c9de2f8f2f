"""Clocks without service times: a written order, or i.i.d. arrivals."""

from dataclasses import dataclass
from typing import Any

import numpy as np

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


class _Uniformly(Law):
    """A uniform worker delivers and restarts at once."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    @property
    def size(self) -> int:
        return self.workers

    def _event(self, worker: Array) -> Event:
        seconds = np.full(np.shape(worker), 1 / self.workers)
        return Event(worker, worker, seconds, one_hot(worker, self.workers))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Event:
        return self._event(np.asarray(rng.integers(self.workers, size=shape)))

    def atoms(self) -> tuple[Array, Event]:
        return np.full(self.workers, 1 / self.workers), self._event(np.arange(self.workers))


@dataclass(frozen=True)
class Race(Clock):
    """K workers of one rate with memoryless service times: each arrival is a uniform worker's."""

    workers: int = 2

    given = False

    def __post_init__(self) -> None:
        if not self.workers >= 1:
            raise ValueError(f"workers must be >= 1, got {self.workers}")

    @property
    def clients(self) -> int:  # type: ignore[override]
        return self.workers

    def arrivals(self, local_steps: Any = 1) -> Law:
        return _Uniformly(self.workers)

    def rounds(self) -> Law:
        """The mean of the slowest of K exponential times of mean 1."""
        return Sure(np.array(np.sum(1 / np.arange(1, self.workers + 1))))

    def schedule(self, stop: int, local_steps: Any = 1) -> Schedule:
        raise ValueError("a race has no schedule: its arrivals are drawn")
