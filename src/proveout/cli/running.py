"""`proveout run`: a method on a problem, recorded to a table."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proveout.cli import words
from proveout.cli.files import can_write, write_with
from proveout.cli.screen import Usage, number, progress, say, table, usage

__all__ = ["run"]

INTERRUPTED = 130
SUFFIXES = (".parquet", ".csv", ".npz")


def run(
    method: str, spec: str, *, steps: int, seeds: int, out: str | None, every: int | None, seed: int
) -> int:
    """Run and record; exit code 0, or 130 if Ctrl-C cut it short after some seeds."""
    can_write(out, SUFFIXES)
    if out == "-":
        raise Usage("--out must be a file: .parquet, .csv or .npz")
    if out is not None and out.endswith(".parquet"):
        _arrow()
    import proveout
    from proveout.problems import build
    from proveout.theory.trial.judge import describe_method, is_class

    with usage():
        problem = build(spec)
    if is_class(problem):
        raise Usage(f"--problem {spec}: a function class has no data to run on; take quadratic: or logistic:")
    m = words.method(method, problem)
    with usage(), progress("running") as tick:
        watch = None if tick is None else _Steps(tick, steps, seeds)
        trace = proveout.run(
            problem, m, steps=steps, seeds=seeds, every=every, seed=seed, progress=watch, keep=True
        )
    if trace.seeds < seeds:
        say(f"interrupted: {trace.seeds} of {seeds} seeds were finished")
    many = "" if trace.seeds == 1 else "s"
    say(f"{describe_method(m)} on {spec}, {steps} steps, {trace.seeds} seed{many}")
    _summary(trace)
    if out is not None:
        about = {
            "version": proveout.__version__,
            "method": describe_method(m, digits=17),
            "problem": spec,
            "steps": steps,
            "seeds": trace.seeds,
            "seed": seed,
        }
        write_with(out, lambda path: _WRITERS[Path(out).suffix.lower()](path, trace, about))
        say(f"written: {out}")
    return 0 if trace.seeds == seeds else INTERRUPTED


class _Steps:
    """Progress over chunks of seeds: `run` tells the step, and starts again with the next chunk."""

    def __init__(self, tick: Any, steps: int, seeds: int) -> None:
        self.tick, self.steps, self.seeds = tick, steps, seeds
        self.before, self.last = 0, 0

    def __call__(self, step: int) -> None:
        if step <= self.last:
            self.before += self.last
        self.last = step
        self.tick(self.before + step, max(self.steps, self.before + step))


def _summary(trace: Any) -> None:
    import numpy as np

    with np.errstate(all="ignore"):
        rows = [
            (name, number(v[0].mean()), number(v[-1].mean()), number(np.median(v[-1])), number(v[-1].max()))
            for name, v in {**trace.measures, **trace.costs}.items()
            if name in trace.measures or v.any()
        ]
    table(rows, ("", "start", "end: mean", "median", "largest"))
    bad = trace.diverged >= 0
    if bad.any():
        say(
            f"{int(bad.sum())} of {trace.seeds} seeds diverged, the first at step {trace.diverged[bad].min()}"
        )


# ------------------------------------------------------------------ files


def _columns(trace: Any) -> dict[str, Any]:
    """One row per recorded step and seed."""
    import numpy as np

    R, S = len(trace.t), trace.seeds
    columns = {"step": np.repeat(trace.t, S), "seed": np.tile(np.arange(S), R)}
    return {**columns, **{k: v.reshape(-1) for k, v in {**trace.measures, **trace.costs}.items()}}


def _csv(path: Path, trace: Any, about: dict[str, Any]) -> None:
    columns = _columns(trace)

    def lines() -> Iterator[str]:
        yield ",".join(columns)
        for row in zip(*(c.tolist() for c in columns.values())):
            yield ",".join(map(repr, row))

    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines())


def _npz(path: Path, trace: Any, about: dict[str, Any]) -> None:
    import numpy as np

    np.savez_compressed(
        path, t=trace.t, diverged=trace.diverged, about=json.dumps(about), **trace.measures, **trace.costs
    )


def _arrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise Usage(
            "--out *.parquet needs pyarrow: pip install 'proveout[data]', or write .csv or .npz"
        ) from None
    return pyarrow


def _parquet(path: Path, trace: Any, about: dict[str, Any]) -> None:
    arrow = _arrow()
    sheet = arrow.table(_columns(trace)).replace_schema_metadata({"proveout": json.dumps(about)})
    arrow.parquet.write_table(sheet, str(path))


_WRITERS = {".csv": _csv, ".npz": _npz, ".parquet": _parquet}
