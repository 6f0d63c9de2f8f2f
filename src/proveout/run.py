"""run(problem, method, ...) -> Trace: many seeds as one batch, measured on the way.

Seed s of `seed` has a stream of its own, keyed by (seed, s, block, field), so its draws are the same
bit for bit whatever the batch, the number of seeds or the machine; iterates agree to ROUNDING (a
matrix product may sum in another order for another batch width).  Blocks are drawn whole and cut, so
a longer run begins like a shorter one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from proveout.arrays import Array, mean_clients, namespace, sqnorm, tree_map
from proveout.methods.blocks.costs import Cost

__all__ = ["ROUNDING", "Trace", "run"]

ROUNDING = 1e-9  # relative; room for some million float64 roundings
BLOCK_BYTES = 2**24  # draws of one block of steps, at most
SHARED, OWN = 64, 8  # seeds per chunk: when all clients compute, when each seed has its own cohort

Measure = Callable[[Any, Any, Any], Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """What happened: R recorded steps of S seeds."""

    t: Array  # (R,) recorded steps, 0 first
    measures: dict[str, Array]  # name -> (R, S)
    costs: dict[str, Array]  # field of Cost -> (R, S), cumulative
    state: Any  # the last state, leading axis S
    diverged: Array  # (S,) the first step with a value that is not finite, or -1
    problem: Any
    method: Any
    steps: int
    seeds: int
    seed: int

    def __getitem__(self, name: str) -> Array:
        return self.measures[name] if name in self.measures else self.costs[name]


def run(
    problem: Any,
    method: Any,
    *,
    steps: int,
    seeds: int = 1,
    x0: Array | None = None,
    measures: Mapping[str, Measure] | None = None,
    every: int | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
    convert: Callable[[Any], Any] | None = None,
    keep: bool = False,
) -> Trace:
    """Run `method` on `problem` for `steps` steps and `seeds` seeds, from x0 (d,) (default 0).

    Records `dist2` and `gap` of the model (the field `x`, its mean over clients) where the problem
    has x_star and f_star, the given measures, each (problem, method, state) -> (S,), and all costs,
    at every `every`-th step (default: about 200 points) and at the last.  A seed whose state is no
    longer finite is reported in `diverged` with its step.  `progress` is called with steps done;
    `convert` turns NumPy draws and x0 into another backend's arrays.  With `keep`, Ctrl-C returns the
    seeds that were finished (`Trace.seeds` says how many), if any were, instead of raising.

    Raises ValueError for steps < 0, seeds < 1, every < 1, or x0 of another shape.
    """
    for name, value, low in (("steps", steps, 0), ("seeds", seeds, 1), ("every", every or 1, 1)):
        if value < low:
            raise ValueError(f"{name} must be >= {low}, got {value}")
    start = np.zeros(problem.d) if x0 is None else np.asarray(x0, float)
    if start.shape != (problem.d,):
        raise ValueError(f"x0 must have shape ({problem.d},), got {start.shape}")
    every = every or max(1, steps // 200)
    times = np.unique(np.append(np.arange(0, steps + 1, every), steps))
    asked = {**_standard(problem), **(measures or {})}
    convert = convert or (lambda tree: tree)
    width = OWN if _has_cohort(method, problem) else SHARED
    parts = []
    try:
        for first in range(0, seeds, width):
            batch = range(first, min(first + width, seeds))
            parts.append(_chunk(problem, method, start, times, asked, seed, batch, progress, convert))
    except KeyboardInterrupt:
        if not (keep and parts):
            raise
    measured, costs, states, diverged = zip(*parts, strict=True)
    return Trace(
        t=times,
        measures={k: np.concatenate([m[k] for m in measured], axis=1) for k in asked},
        costs={f.name: np.concatenate([c[f.name] for c in costs], axis=1) for f in fields(Cost)},
        state=tree_map(lambda *a: a[0] if type(a[0]) is int else namespace(a[0]).concat(a, axis=0), *states),
        diverged=np.concatenate(diverged),
        problem=problem,
        method=method,
        steps=steps,
        seeds=sum(len(d) for d in diverged),
        seed=seed,
    )


def model(problem: Any, state: Any) -> Array:
    """The model a user would keep: the field `x`, its mean where it has a client axis. (S, d)"""
    x = state.x
    return mean_clients(x)[..., 0, :] if x.ndim == 3 else x


def _standard(problem: Any) -> dict[str, Measure]:
    out: dict[str, Measure] = {}
    if getattr(problem, "x_star", None) is not None:
        out["dist2"] = lambda P, m, s: sqnorm(model(P, s) - P.x_star)
    if getattr(problem, "f_star", None) is not None:
        out["gap"] = lambda P, m, s: P.value(model(P, s)) - P.f_star
    return out


def _has_cohort(method: Any, problem: Any) -> bool:
    fields_of = getattr(getattr(method.law(problem), "draw", None), "_fields", ())
    return "cohort" in fields_of


def _draw_block(method: Any, problem: Any, seed: int, batch: range, block: int, length: int) -> Any:
    """Draws of a block of steps, stacked (T, S, ...), each seed from its own stream."""
    law = method.law(problem)
    draws = [
        law.block(
            np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(s, block))), block * length, length
        )
        for s in batch
    ]
    return tree_map(lambda *a: np.stack(a, axis=1), *draws)


def _block_length(method: Any, problem: Any) -> int:
    """Steps per block: a power of two that follows from the law's bytes per step alone."""
    sizes: list[int] = []
    tree_map(
        lambda a: sizes.append(np.asarray(a).nbytes), method.law(problem).sample(np.random.default_rng(0), ())
    )
    return int(2 ** np.clip(np.log2(BLOCK_BYTES / SHARED / max(1, sum(sizes))) // 1, 0, 10))


def _chunk(
    problem: Any,
    method: Any,
    start: Array,
    times: Array,
    asked: dict[str, Measure],
    seed: int,
    batch: range,
    progress: Callable[[int], None] | None,
    convert: Callable[[Any], Any],
) -> tuple[dict[str, Array], dict[str, Array], Any, Array]:
    S = len(batch)
    state = method.init(problem, convert(np.broadcast_to(start, (S, problem.d)).copy()))
    length = _block_length(method, problem)
    measured: dict[str, list[Array]] = {k: [] for k in asked}
    spent: dict[str, list[Array]] = {f.name: [] for f in fields(Cost)}
    total = {f.name: np.zeros(S) for f in fields(Cost)}
    diverged = np.full(S, -1)

    def record() -> None:
        for k, f in asked.items():
            measured[k].append(np.broadcast_to(np.asarray(_numpy(f(problem, method, state)), float), (S,)))
        for k, v in total.items():
            spent[k].append(v.copy())

    with np.errstate(all="ignore"):
        record()
        t, block, draws, host, costs = 0, -1, None, None, None
        for target in times[1:]:
            while t < target:
                if t // length != block:
                    block = t // length
                    host = _draw_block(method, problem, seed, batch, block, length)
                    cost = method.cost(problem, host)
                    costs = {k: np.broadcast_to(getattr(cost, k), (length, S)) for k in total}
                    draws = convert(host)
                end = min(int(target), (block + 1) * length)
                before, lo = state, t - block * length
                for k in range(lo, end - block * length):
                    state = method.step(problem, state, tree_map(lambda a, k=k: a[k], draws))
                for name in total:
                    total[name] = total[name] + costs[name][lo : end - block * length].sum(axis=0)  # type: ignore[index]
                bad = ~_finite(state, S) & (diverged < 0)
                if bad.any():
                    diverged[bad] = _first_bad(problem, method, before, draws, lo, end - t, bad, t)
                t = end
            record()
            if progress is not None:
                progress(int(target))
    return (
        {k: np.stack(v) for k, v in measured.items()},
        {k: np.stack(v) for k, v in spent.items()},
        state,
        diverged,
    )


def _numpy(a: Any) -> Array:
    return a.detach().cpu().numpy() if hasattr(a, "detach") else a


def _finite(state: Any, S: int) -> Array:
    ok = np.ones(S, bool)

    def look(a: Any) -> None:
        nonlocal ok
        a = _numpy(a)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.ndim and a.shape[0] == S:
            ok = ok & np.isfinite(a.reshape(S, -1)).all(axis=1)

    tree_map(look, state)
    return ok


def _first_bad(
    problem: Any, method: Any, state: Any, draws: Any, lo: int, steps: int, bad: Array, t: int
) -> Array:
    """Replay one recorded stretch to find the step at which each seed left the finite numbers."""
    S = len(bad)
    first = np.full(S, -1)
    for k in range(steps):
        state = method.step(problem, state, tree_map(lambda a, k=lo + k: a[k], draws))
        now = ~_finite(state, S) & (first < 0)
        first[now] = t + k + 1
    return first[bad]
