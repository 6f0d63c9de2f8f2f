"""Many independent tasks on processes: what is finished survives a crash, a lost worker and Ctrl-C.

A task is a small picklable value and `work(task)` a function of a module, so the same call runs in this
process, on local processes with one BLAS thread each, or on the cluster of an active
`joblib.parallel_config(backend="dask", ...)`.
"""

import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from multiprocessing import current_process
from typing import Any

__all__ = ["Lost", "describe", "each"]

PATIENCE = 1.0  # seconds in this process before others are worth starting (a worker imports for about one)

Work = Callable[[Any], Any]


@dataclass(frozen=True)
class Lost:
    """What stands in place of the result of a task that raised or whose process died."""

    reason: str


def each(
    work: Work,
    tasks: Sequence[Any],
    *,
    jobs: int = 0,
    weight: Callable[[Any], float] | None = None,
    done: Callable[[int, Any], None] | None = None,
) -> tuple[list[Any], bool]:
    """Results in the order of the tasks, and whether all were finished.

    jobs = 1: in this process; N > 1: on so many processes, heaviest first; 0: light tasks here, and the
    rest on all cores if there is much of it.  `done(k, result)` is called as they come.  After Ctrl-C
    the results so far are returned, None for the others.
    """
    if jobs < 0:
        raise ValueError(f"jobs must be >= 0, got {jobs}")
    results: list[Any] = [None] * len(tasks)
    order = sorted(range(len(tasks)), key=lambda k: -weight(tasks[k]) if weight else 0)
    try:
        for k, result in _stream(work, tasks, order, jobs):
            results[k] = result
            if done is not None:
                done(k, result)
    except KeyboardInterrupt:
        return results, False
    return results, True


def _stream(work: Work, tasks: Sequence[Any], order: list[int], jobs: int) -> Iterator[tuple[int, Any]]:
    if jobs == 0 and _default_backend():
        since = time.perf_counter()
        while order and time.perf_counter() - since < PATIENCE:
            k = order.pop()
            yield k, _guarded(work, tasks[k])
        jobs = _cores() if len(order) > 1 else 1
    if jobs == 1 or not order:
        for k in order:
            yield k, _guarded(work, tasks[k])
        return
    while order:
        left = list(order)
        try:
            for k, result in _parallel(work, tasks, left, jobs):
                order.remove(k)
                yield k, result
        except BrokenExecutor:  # a process died: its task is among the first that are not back
            for k in order[: 2 * max(jobs, 1)]:
                order.remove(k)
                yield k, _alone(work, tasks, k)


def _parallel(work: Work, tasks: Sequence[Any], order: list[int], jobs: int) -> Iterator[tuple[int, Any]]:
    from joblib import Parallel, delayed

    with _one_thread():
        pool = Parallel(n_jobs=jobs or -1, return_as="generator_unordered", batch_size=1)
        yield from pool(delayed(_numbered)(work, tasks[k], k) for k in order)


def _alone(work: Work, tasks: Sequence[Any], k: int) -> Any:
    """One task on processes of its own, so that only it is lost if it kills them."""
    try:
        return next(_parallel(work, tasks, [k], 2))[1]
    except BrokenExecutor as error:
        return Lost(f"its process died: {str(error).partition('.')[0]}")


def _numbered(work: Work, task: Any, k: int) -> tuple[int, Any]:
    if current_process().name.startswith("Loky") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    return k, _guarded(work, task)


def _guarded(work: Work, task: Any) -> Any:
    try:
        return work(task)
    except Exception as error:
        return Lost(describe(error))


def describe(error: BaseException) -> str:
    """An exception in one line: its type, its text, where it was raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<")]
    where = f" ({frames[-1].filename.rpartition('proveout/')[2]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"


def _default_backend() -> bool:
    from joblib.parallel import get_active_backend

    return type(get_active_backend()[0]).__name__ == "LokyBackend"


def _one_thread() -> AbstractContextManager[Any]:
    if not _default_backend():
        return nullcontext()
    from joblib import parallel_config

    config: AbstractContextManager[Any] = parallel_config(backend="loky", inner_max_num_threads=1)
    return config


def _cores() -> int:
    from joblib import cpu_count

    return int(cpu_count())
