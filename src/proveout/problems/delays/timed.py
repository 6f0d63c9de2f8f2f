"""Clocks with service times, simulated on a heap.

Durations come from counter-based streams, Philox(key=[seed, (k << 32) + j]) for job j of worker k: a
worker's timeline does not change when another one is added.  Times are sums of durations, ties go to
the smallest worker.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.laws import Law, Sure
from proveout.problems.delays.clock import Clock, Event, one_hot

__all__ = ["DURATIONS", "Queues", "Simulated"]

DURATIONS = ("fixed", "exp", "lognormal", "gamma", "uniform")


class _Timed(Clock):
    """Clocks with a duration per job."""

    speeds: tuple[float, ...]  # mean seconds per job and local step
    durations: str
    shape: float
    seed: int

    def _check(self) -> None:
        if not self.speeds or min(self.speeds) <= 0:
            raise ValueError(f"speeds must be > 0 seconds per job, got {self.speeds}")
        if self.durations not in DURATIONS:
            raise ValueError(f"durations must be one of {', '.join(DURATIONS)}, got {self.durations!r}")
        if self.durations in ("lognormal", "gamma") and not self.shape > 0:
            raise ValueError(f"shape must be > 0 for {self.durations} durations, got {self.shape}")

    @property
    def clients(self) -> int:  # type: ignore[override]
        return len(self.speeds)

    def stream(self, k: int, j: int) -> np.random.Generator:
        """The stream of job j of worker k."""
        return np.random.Generator(np.random.Philox(key=[self.seed, (k << 32) + j]))

    def duration(self, k: int, j: int) -> float:
        """Seconds per local step of job j of worker k; the mean is speeds[k]."""
        mean = self.speeds[k]
        if self.durations == "fixed":
            return mean
        rng = self.stream(k, j)
        if self.durations == "exp":
            return float(mean * rng.exponential())
        if self.durations == "lognormal":
            return float(mean * np.exp(self.shape * rng.standard_normal() - self.shape**2 / 2))
        if self.durations == "gamma":
            return float(mean * rng.gamma(self.shape) / self.shape)
        return float(mean * rng.uniform(0.5, 1.5))

    @property
    def shares(self) -> Array:
        """Long-run share of the updates that each worker delivers, for always busy workers."""
        rates = 1 / np.array(self.speeds)
        return rates / rates.sum()

    def rounds(self) -> Law:
        """The slowest of all clients' durations, round by round."""
        return _RoundTimes(self)

    def dylu(self, local_steps: int) -> tuple[int, ...]:
        """Dynamic local updates: floor(v_k / max v * H) steps, at least 1, v = local steps per second."""
        v = 1 / np.array(self.speeds)
        return tuple(np.maximum(np.floor(v / v.max() * local_steps + 1e-12), 1).astype(int).tolist())


@dataclass(frozen=True, eq=False)
class _RoundTimes(Law):
    clock: _Timed

    size = 1

    def at(self, t: int) -> Law:
        return Sure(self.block(np.random.default_rng(0), t, 1)[0])

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return self.at(0).sample(rng, shape)

    def atoms(self) -> tuple[Array, Any]:
        return self.at(0).atoms()

    def block(self, rng: np.random.Generator, start: int, steps: int) -> Array:
        clients = range(self.clock.clients)
        return np.array(
            [max(self.clock.duration(k, j) for k in clients) for j in range(start, start + steps)]
        )


@dataclass(frozen=True)
class Simulated(_Timed):
    """Each worker computes, delivers, restarts: at once, or with a grace window (see above)."""

    speeds: tuple[float, ...]
    durations: str = "fixed"
    shape: float = 1.0  # nu of lognormal, the shape of gamma durations
    grace: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        self._check()
        if self.grace is not None and not self.grace >= 0:
            raise ValueError(f"grace must be None or >= 0 seconds, got {self.grace}")

    @property
    def workers(self) -> int:  # type: ignore[override]
        return len(self.speeds)

    @property
    def busy(self) -> bool:  # type: ignore[override]
        return self.grace is None

    def _events(self, stop: int, steps: tuple[int, ...]) -> Event:
        K = self.workers
        running = [(steps[k] * self.duration(k, 0), k) for k in range(K)]
        heapify(running)
        started, waiting, opened, before = [1] * K, [], np.inf, 0.0
        worker, seconds = np.empty(stop, dtype=np.int64), np.empty(stop)
        released = np.zeros((stop, K), dtype=bool)
        for t in range(stop):
            now, k = heappop(running)
            worker[t], seconds[t], before = k, now - before, now
            waiting.append(k)
            opened = min(opened, now)
            if self.grace is None or not running or running[0][0] > opened + self.grace:
                for w in waiting:
                    heappush(running, (now + steps[w] * self.duration(w, started[w]), w))
                    started[w] += 1
                released[t, waiting] = True
                waiting, opened = [], np.inf
        return Event(worker, worker, seconds, released)


@dataclass(frozen=True)
class Queues(_Timed):
    """`workers` jobs are always in flight; each new one joins the queue of a uniformly drawn client.

    A client serves its queue in order, one job at a time, at its own speed.
    """

    workers: int
    speeds: tuple[float, ...]
    durations: str = "fixed"
    shape: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._check()
        if not self.workers >= 1:
            raise ValueError(f"workers must be >= 1, got {self.workers}")

    def _events(self, stop: int, steps: tuple[int, ...]) -> Event:
        queue: list[list[int]] = [[] for _ in self.speeds]
        started, before = [0] * self.clients, 0.0
        running: list[tuple[float, int]] = []
        worker, client = np.empty((2, stop), dtype=np.int64)
        seconds = np.empty(stop)

        def begin(c: int, now: float) -> None:
            heappush(running, (now + steps[c] * self.duration(c, started[c]), c))
            started[c] += 1

        def dispatch(slot: int, job: int, now: float) -> None:
            c = int(self.stream(self.clients, job).integers(self.clients))
            queue[c].append(slot)
            if len(queue[c]) == 1:
                begin(c, now)

        for slot in range(self.workers):
            dispatch(slot, slot, 0.0)
        for t in range(stop):
            now, c = heappop(running)
            worker[t], client[t], seconds[t], before = queue[c].pop(0), c, now - before, now
            if queue[c]:
                begin(c, now)
            dispatch(int(worker[t]), self.workers + t, now)
        return Event(worker, client, seconds, one_hot(worker, self.workers))
