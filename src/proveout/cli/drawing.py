"""`proveout figures` and `proveout tight`."""

import re
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from proveout.cli.checking import one_thread
from proveout.cli.files import can_write, dump, folder, write_with
from proveout.cli.screen import Usage, number, progress, say, table, usage, warn

__all__ = ["draw_panel", "figures", "tight"]

FORMATS = ("png", "pdf", "svg")
RANGE = re.compile(r"(?P<field>\w+)=(?P<low>[^:]+):(?P<high>[^:]+):(?P<count>\d+)")


# ------------------------------------------------------------------ figures


def figures(stems: Sequence[str], out: str, formats: str, *, quick: bool, jobs: int, seed: int) -> int:
    """Write <stem>-<panel>.<format> for every panel; exit code 1 if one of them fails."""
    one_thread()
    kinds = [f.strip() for f in formats.split(",") if f.strip()]
    unknown = [f for f in kinds if f not in FORMATS]
    if unknown or not kinds:
        raise Usage(f"--format must be of {', '.join(FORMATS)}, got {formats!r}")
    tasks = [
        (stem, panel, out, tuple(kinds), quick, seed) for stem in _drawn(stems) for panel in _panels(stem)
    ]
    folder(out)
    from proveout.theory.trial import pool

    with progress("drawing") as tick:
        finished = 0

        def done(k: int, result: Any) -> None:
            nonlocal finished
            finished += 1
            if tick is not None:
                tick(finished, len(tasks))

        results, complete = pool.each(draw_panel, tasks, jobs=jobs, done=done)
    lost = [(task, r) for task, r in zip(tasks, results) if isinstance(r, pool.Lost)]
    for result in results:
        for path in result if isinstance(result, list) else ():
            say(path)
    for task, result in lost:
        warn(f"{task[0]}-{task[1]} was not drawn: {result.reason}")
    if not complete:
        raise KeyboardInterrupt
    return 1 if lost else 0


def _drawn(stems: Sequence[str]) -> list[str]:
    from proveout.theory.catalogue import STEMS

    have = [s for s in STEMS if find_spec(f"proveout.figures.{s}") is not None]
    for stem in stems:
        if stem not in have:
            what = "has no figures" if stem in STEMS else "is no stem"
            raise Usage(f"{stem!r} {what}; stems with figures: {', '.join(have) or 'none'}")
    return [s for s in have if not stems or s in stems]


def _panels(stem: str) -> list[str]:
    return list(import_module(f"proveout.figures.{stem}").PANELS)


def draw_panel(task: tuple[str, str, str, tuple[str, ...], bool, int]) -> list[str]:
    """Measure and draw one panel; the paths written."""
    from proveout.figures.style import render

    stem, name, out, kinds, quick, seed = task
    panel = import_module(f"proveout.figures.{stem}").PANELS[name]
    paths = [str(Path(out) / f"{stem}-{name}.{kind}") for kind in kinds]
    render(panel, panel.measure(seed=seed, quick=quick), paths)
    return paths


# ------------------------------------------------------------------ tight


def tight(
    statement: str, over: Sequence[str], spec: str | None, *, json_file: str | None, out: str | None
) -> int:
    """Claimed rate, certified worst case and best Lyapunov function along a parameter; exit code 0."""
    one_thread()
    can_write(json_file)
    can_write(out, (".png", ".pdf", ".svg"))
    from proveout.problems import build
    from proveout.theory.trial import sources
    from proveout.theory.trial.check import methods_of
    from proveout.theory.trial.judge import describe_method

    with usage():
        named = sources.find([statement])
    if len(named) != 1 or named[0].case.id == named[0].case.stem:
        raise Usage(f"{statement!r} is a stem; name one of {', '.join(n.case.id for n in named)}")
    case = named[0].case
    classes = [p for p in case.problems if p.startswith("class:")]
    spec = spec or (classes[0] if classes else "class:n=3,L=10,mu=1")
    with usage():
        problem = build(spec)
    fitting = [m for m in methods_of(case, problem) if not isinstance(m, Exception) and m is not None]
    if not fitting:
        raise Usage(f"{case.id}: no rule tunes its method on {spec}")
    method = fitting[0]
    asked = [_sweep(o, method) for o in over] or [_here(method)]
    from proveout.theory.lenses.common import Refused
    from proveout.theory.lenses.worstcase import tight as compare

    sweeps = {}
    for field, values in asked:
        try:
            with usage(), progress(f"sweeping {field}"):
                sweeps[field] = {field: values, **compare(case.statement, problem, method, field, values)}
        except Refused as refused:
            raise Usage(f"{case.id} on {spec}: {refused.reason}") from None
    if json_file != "-":
        say(f"{case.id} on {spec}, {describe_method(method)}")
        for field, data in sweeps.items():
            _table(field, data)
    if json_file is not None:
        about = {"id": case.id, "problem": spec, "method": describe_method(method)}
        dump(json_file, {**about, "sweeps": [{"field": f, **d} for f, d in sweeps.items()]})
    if out is not None:
        _plot(out, case.id, sweeps)
    return 0


def _sweep(text: str, method: Any) -> tuple[str, Any]:
    import numpy as np

    match = RANGE.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        low, high, count = float(match["low"]), float(match["high"]), int(match["count"])
    except ValueError:
        raise Usage(f"--over must be FIELD=LOW:HIGH:COUNT, e.g. gamma=0.1:2:40, got {text!r}") from None
    value = getattr(method, match["field"], None)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        able = [f for f, v in vars(method).items() if isinstance(v, float)]
        raise Usage(
            f"--over: no number {match['field']!r} in {type(method).__name__}; fields: {', '.join(able)}"
        )
    if not (0 < low <= high and np.isfinite(high) and count >= 1):
        raise Usage(f"--over: multiples must satisfy 0 < LOW <= HIGH and COUNT >= 1, got {text!r}")
    return match["field"], value * np.linspace(low, high, count)


def _here(method: Any) -> tuple[str, Any]:
    import numpy as np

    for field, value in vars(method).items():
        if isinstance(value, float):
            return field, np.array([value])
    raise Usage(f"{type(method).__name__} has no parameter that is a number; name one with --over")


def _table(field: str, data: dict[str, Any]) -> None:
    names = ("claimed", "worst_low", "worst_up", "best_lyapunov")
    rows = [[number(float(data[k][j]), 9) for k in (field, *names)] for j in range(len(data[field]))]
    table(rows, (field, "claimed", "worst case >=", "worst case <=", "best Lyapunov"))


def _plot(path: str, title: str, sweeps: dict[str, Any]) -> None:
    from proveout.figures.style import Panel, render

    def draw(fig: Any, data: dict[str, Any]) -> None:
        for ax, (field, d) in zip(fig.subplots(1, len(sweeps), squeeze=False)[0], sweeps.items()):
            dot = "o" if len(d[field]) == 1 else ""
            ax.fill_between(d[field], d["worst_low"], d["worst_up"], alpha=0.3, linewidth=0)
            ax.plot(d[field], d["worst_up"], marker=dot, label="exact worst case")
            ax.plot(d[field], d["claimed"], "--", marker=dot, label="claimed")
            ax.plot(d[field], d["best_lyapunov"], ":", marker=dot, label="best Lyapunov function")
            ax.set_xlabel(field)
            ax.set_ylabel("rate")
            ax.set_title(title)
            ax.legend()

    panel = Panel(measure=dict, draw=draw, size=(6.0 * len(sweeps), 3.6))
    write_with(path, lambda temporary: render(panel, sweeps, [str(temporary)]))
