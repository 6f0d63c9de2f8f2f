"""What theorems about delays read from a path or a clock: delays, jobs in flight, the jobs of a horizon."""

from typing import Any

import numpy as np

from proveout.arrays import Array, take
from proveout.problems.delays import Jobs, Queues
from proveout.theory.statement import Assumption, Method, Path, Problem

__all__ = [
    "all_busy",
    "beta_of",
    "delays",
    "exact_gradients",
    "in_order",
    "job_weights",
    "jobs_of",
    "known_data",
    "newest",
    "one_function",
    "others",
    "worker",
]

exact_gradients = Assumption("gradients are exact", lambda P: not P.noisy)
known_data = Assumption(
    "a worker asks one function at all its jobs",
    lambda P: P.data == "shared" or not isinstance(P.clock, Queues),
)
one_function = Assumption("all workers ask the same f", lambda P: P.data == "shared")
all_busy = Assumption("a worker restarts as soon as it has delivered", lambda P: P.clock.busy)
in_order = Assumption("the order of arrivals is known in advance", lambda P: P.clock.given)


def beta_of(m: Method) -> Any:
    """The method's momentum, 0 where it has none."""
    return getattr(m, "beta", 0.0)


def worker(path: Path, t: int) -> Array:
    """Who delivers at update t: (...,)."""
    return np.asarray(path.draws[t].event.worker)


def delays(path: Path) -> Array:
    """tau_t of every update, from the versions that the states keep: (T, ...)."""
    return np.stack(
        [
            s.t - take(np.asarray(s.index), worker(path, t)[..., None], core=0)[..., 0]
            for t, s in enumerate(path.states[:-1])
        ]
    )


def others(path: Path, t: int, workers: int) -> Array:
    """Jobs in flight just after update t - 1 but that of worker k_{t-1}: (..., K) bool."""
    return worker(path, t - 1)[..., None] != np.arange(workers)


def newest(P: Problem, path: Path, t: int) -> Array:
    """g_t: the gradient at x_t of the worker to whom it was sent, k_{t-1}; without noise. (..., d)"""
    return P.at(worker(path, t - 1)[..., None]).grads(path.states[t].x[..., None, :])[..., 0, :]


# ------------------------------------------------------------------ the jobs of a horizon


def jobs_of(P: Problem, T: int) -> Jobs:
    """The J = T - 1 + n jobs whose gradients are taken at x_0, .., x_{T-1}, late ones included."""
    jobs: Jobs = P.clock.jobs(T)
    return jobs


def job_weights(P: Problem, m: Method, T: int, adaptive: bool = False) -> Array:
    """How often (adaptive: with which total effective step) the gradient at x_t is used, t < T: (T,)."""
    jobs = jobs_of(P, T)
    if not adaptive:
        return np.bincount(jobs.index, minlength=T).astype(float)
    steps = np.asarray(m.step_sizes(jobs.delay, P.workers)) / (1 - beta_of(m))
    return np.bincount(jobs.index, weights=steps, minlength=T)
