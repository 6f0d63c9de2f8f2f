"""Clocks: who delivers a gradient when, and who is then sent the new model.  Timing depends on no iterate.

The server applies one job's result per update t = 0, 1, ...  A job reads version i of the model (the
model after i updates); its delay is tau = t - i, so a fresh gradient has delay 0.  After update t the
workers named in `released` are sent version t + 1.

    Order      a written order, repeated (round robin, a straggler, bursts); `barrier`: synchronous rounds
    Race       i.i.d. uniform arrivals, that is exponential service times of one rate
    Simulated  service times per worker on a heap, ties to the smallest worker; `grace` collects arrivals
    Queues     clients with first-in-first-out queues, a fixed number of jobs in flight

Grace (Liu et al., arXiv:2401.09135, Algorithm 2): the first arrival opens a window of `grace` seconds;
whoever arrives inside it waits, and all of them restart together with the newest model, at the time
of the last of them.  grace = None: everybody restarts at once, also at ties; grace = 0: exact ties are merged.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import Law, Sure

__all__ = ["HORIZON", "Clock", "Event", "Jobs", "Schedule", "one_hot"]

HORIZON = 1024  # updates over which `tau_max` looks
LIMIT = 2**17  # a job that has not arrived by then counts as lost: its delay is infinite


class Event(NamedTuple):
    worker: Array  # (...,)  int: whose result is applied
    client: Array  # (...,)  int: on whose data (the worker's own, unless clients queue)
    seconds: Array  # (...,)  simulated time since the previous arrival
    released: Array  # (..., K)  bool: who is sent the new model afterwards


class Schedule(NamedTuple):
    """The first T updates as bookkeeping."""

    worker: Array  # (T,)
    client: Array  # (T,)
    index: Array  # (T,)  version that the applied gradient was computed at
    delay: Array  # (T,)
    time: Array  # (T,)  absolute
    held: Array  # (K,)  versions in flight after the last update; -1: waiting for a release


class Jobs(NamedTuple):
    """All jobs of version <= T-1, also those that arrive later, in the order of their versions."""

    index: Array  # (N,)
    delay: Array  # (N,)  inf: never arrives


class Clock:
    """What every clock answers; a clock fills in `workers` and `_events` (Race: `arrivals`)."""

    workers: int
    clients: int
    given = True  # is the order known in advance?
    busy = True  # does everybody restart at once, so that always all workers compute?

    def _events(self, stop: int, steps: tuple[int, ...]) -> Event:
        raise TypeError(f"{type(self).__name__} has no order that is known in advance")

    def arrivals(self, local_steps: Any = 1) -> Law:
        """The law of the events; a worker's service time is multiplied by its number of local steps."""
        return Timeline(self, _per_worker(local_steps, self.clients))

    def rounds(self) -> Law:
        """The law of the seconds that a synchronous round takes, all workers starting together."""
        return Sure(np.ones(()))

    def schedule(self, stop: int, local_steps: Any = 1) -> Schedule:
        """The first `stop` updates."""
        events = _cut(_timeline(self, _per_worker(local_steps, self.clients), _power(stop)), 0, stop)
        held = np.zeros(self.workers, dtype=np.int64)
        index = np.empty(stop, dtype=np.int64)
        for t in range(stop):
            k = events.worker[t]
            index[t], held[k] = held[k], -1
            held[events.released[t]] = t + 1
        delay, time = np.arange(stop) - index, np.cumsum(events.seconds)
        return Schedule(events.worker, events.client, index, delay, time, held)

    @lru_cache(maxsize=512)  # noqa: B019  clocks are few, small and frozen
    def jobs(self, stop: int, local_steps: Any = 1) -> Jobs:
        """Delays of all jobs of version < stop; the schedule is followed until the last of them arrives."""
        ahead = stop
        while True:
            done = self.schedule(ahead, local_steps)
            lost = done.held[(done.held >= 0) & (done.held < stop)]
            if not len(lost) or ahead >= LIMIT:
                break
            ahead = min(2 * ahead + self.workers, LIMIT)
        mine = done.index < stop
        index = np.concatenate([done.index[mine], lost])
        delay = np.concatenate([done.delay[mine], np.full(len(lost), np.inf)])
        order = np.argsort(index, kind="stable")
        return Jobs(index[order], delay[order])

    @cached_property
    def tau_max(self) -> float:
        """The largest delay of a job of version < HORIZON."""
        return float(self.jobs(HORIZON).delay.max()) if self.given else float("inf")


@dataclass(frozen=True, eq=False)
class Timeline(Law):
    """Step t sees event t of a clock, simulated as far as asked."""

    clock: Clock
    steps: tuple[int, ...]

    size = 1

    def at(self, t: int) -> Law:
        return Sure(tree_map(lambda v: v[t], _timeline(self.clock, self.steps, _power(t + 1))))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        return self.at(0).sample(rng, shape)

    def atoms(self) -> tuple[Array, Any]:
        return self.at(0).atoms()

    def block(self, rng: np.random.Generator, start: int, steps: int) -> Any:
        return _cut(_timeline(self.clock, self.steps, _power(start + steps)), start, start + steps)


@lru_cache(maxsize=128)
def _timeline(clock: Clock, steps: tuple[int, ...], stop: int) -> Event:
    return clock._events(stop, steps)


def _power(stop: int) -> int:
    return int(2 ** np.ceil(np.log2(max(stop, 64))))


def _cut(events: Event, start: int, stop: int) -> Event:
    return Event(*(v[start:stop] for v in events))


def _per_worker(local_steps: Any, workers: int) -> tuple[int, ...]:
    steps = tuple(np.broadcast_to(local_steps, (workers,)).tolist())
    if min(steps) < 1:
        raise ValueError(f"local_steps must be >= 1, got {local_steps}")
    return steps


def one_hot(worker: Array, workers: int) -> Array:
    return np.asarray(worker)[..., None] == np.arange(workers)
