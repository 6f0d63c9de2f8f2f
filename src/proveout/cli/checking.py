"""`proveout check` and `proveout mutants`."""

import os
import re
import shlex
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

from proveout.cli import atlas
from proveout.cli.files import can_write, dump, folder, write
from proveout.cli.screen import Usage, coloured, figure, progress, say, table, usage, warn

__all__ = ["check", "mutants"]

PART = re.compile(r"^\w+|\w+=[^,()]+")  # of a method in words: its class, its fields
VIOLATED, INCONCLUSIVE, SURVIVED, INTERRUPTED = 1, 3, 1, 130


def one_thread() -> None:
    """Many processes, one BLAS thread each; read by libraries that are not loaded yet."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def cluster(address: str | None) -> AbstractContextManager[Any]:
    """The processes of a Dask cluster, if there is an address; Usage if it cannot be reached."""
    if address is None:
        return nullcontext()
    from joblib import parallel_config

    try:
        import_module("distributed")
        config: AbstractContextManager[Any] = parallel_config(backend="dask", scheduler_host=address)
    except ImportError:
        raise Usage("--scheduler needs Dask: pip install distributed") from None
    except (OSError, ValueError) as error:
        raise Usage(f"--scheduler {address}: no Dask scheduler answers there ({error})") from None
    return config


# ------------------------------------------------------------------ check


def check(
    words: Sequence[str],
    *,
    lens: str | None,
    problems: Sequence[str],
    budget: str,
    jobs: int,
    seed: int,
    json_file: str | None,
    html_file: str | None,
    twins: bool,
    witnesses: str = "witnesses",
    scheduler: str | None = None,
) -> int:
    """Judge, print, write; the exit code says the worst word."""
    one_thread()
    can_write(json_file, (".json",))
    can_write(html_file, (".html", ".htm"))
    from proveout.report import document
    from proveout.theory.trial.check import check_cases

    since = time.perf_counter()
    lenses = [name.strip() for name in (lens or "").split(",") if name.strip()]
    with cluster(scheduler), usage(), progress("checking") as tick:
        done = check_cases(words, lenses, problems, budget, seed, jobs, on_pair=tick)
    quiet = "-" in (json_file, html_file)
    if not quiet:
        _print(done.rows, time.perf_counter() - since)
        for line in atlas.lines(done.rows):
            say(line)
    if json_file is not None:
        dump(json_file, document.of_check(done.rows, seed=seed, budget=budget, complete=done.complete))
    _save(done.rows, witnesses, quiet)
    if html_file is not None:
        with cluster(scheduler):
            command = _command(words, lens, problems)
            _page(words, done, html_file, command, budget=budget, jobs=jobs, seed=seed, twins=twins)
    if not done.complete:
        warn(f"interrupted: {len(done.rows)} rows were finished")
        return INTERRUPTED
    found = {row.word for row in done.rows}
    return VIOLATED if "violated" in found else INCONCLUSIVE if "inconclusive" in found else 0


def _print(rows: Sequence[Any], seconds: float) -> None:
    cells = [
        (
            r.id,
            "; ".join(filter(None, (r.problem, _apart(r, rows)))),
            r.lens,
            r.word + (f" ({r.grade})" if r.grade else ""),
            figure(r.ratio),
            f"{r.seconds:.2f}",
        )
        for r in rows
    ]
    table(cells, ("statement", "problem", "lens", "verdict", "figure", "seconds"), paint=3)
    for row in rows:
        if row.word != "holds" and row.note:
            say(f"{row.id} on {row.problem or 'its block'}: {coloured(row.word, row.word)}: {row.note}")
    say(_total(rows, seconds))


def _apart(row: Any, rows: Sequence[Any]) -> str:
    """What tells this row's method from others of the same statement and problem: "p=0.3"."""
    alike = [r for r in rows if (r.id, r.problem) == (row.id, row.problem)]
    values = [set(PART.findall(r.method)) for r in alike if r.method]
    common = set.intersection(*values) if values else set()
    return ",".join(part for part in PART.findall(row.method) if part not in common)


def _total(rows: Sequence[Any], seconds: float) -> str:
    words, grades = Counter(r.word for r in rows), Counter(r.grade for r in rows if r.grade)
    how = ", ".join(
        f"{grades[g]} {g}" for g in ("proved", "certified", "exact", "searched", "sampled") if grades[g]
    )
    parts = [f"{words['holds']} {'holds' if words['holds'] == 1 else 'hold'}" + (f" ({how})" if how else "")]
    parts += [f"{words[w]} {w}" for w in ("violated", "inconclusive", "not applicable") if words[w]]
    return f"{', '.join(parts)}; {seconds:.1f} s"


def _save(rows: Sequence[Any], witnesses: str, quiet: bool) -> None:
    """One file per violation, ready for `proveout replay`."""
    violated = [r for r in rows if r.word == "violated" and r.witness is not None]
    if not violated:
        return
    place = folder(witnesses)
    seen: Counter[str] = Counter()
    for row in violated:
        seen[row.id] += 1
        name = re.sub(r"[^\w.-]", "_", f"{row.id}-{seen[row.id]}.json")
        dump(str(place / name), row.witness)
        if not quiet:
            say(f"witness: proveout replay {Path(witnesses) / name}")


def _command(words: Sequence[str], lens: str | None, problems: Sequence[str]) -> str:
    """What was asked, to be typed again; budget and seed have lines of their own."""
    options = [*(("--lens", lens) if lens else ()), *(o for p in problems for o in ("--problem", p))]
    return shlex.join(["proveout", "check", *words, *options])


def _page(
    words: Sequence[str],
    done: Any,
    path: str,
    command: str,
    *,
    budget: str,
    jobs: int,
    seed: int,
    twins: bool,
) -> None:
    from proveout import report
    from proveout.theory.trial.curves import curves
    from proveout.theory.trial.mutants import mutants as judge_twins

    red, lines = None, {}
    if done.complete:
        with progress("measuring") as tick:
            lines = curves(words, seed=seed, jobs=jobs, on_curve=tick)
    if twins and done.complete:
        with progress("red twins") as tick:
            red = judge_twins(words, budget=budget, seed=seed, jobs=jobs, on_twin=tick)
    page = report.html(
        done.rows,
        words=words,
        command=command,
        curves=lines,
        red=red,
        seed=seed,
        budget=budget,
        complete=done.complete,
    )
    write(path, page)


# ------------------------------------------------------------------ mutants


def mutants(
    words: Sequence[str],
    *,
    budget: str,
    jobs: int,
    seed: int,
    json_file: str | None,
    scheduler: str | None = None,
) -> int:
    """Judge red twins, print the kill matrix; exit code 1 if one survived."""
    one_thread()
    can_write(json_file, (".json",))
    from proveout.report import document
    from proveout.theory.trial.mutants import mutants as judge_twins
    from proveout.theory.trial.mutants import score

    since = time.perf_counter()
    with cluster(scheduler), usage(), progress("red twins") as tick:
        found = judge_twins(words, budget=budget, seed=seed, jobs=jobs, on_twin=tick)
    if json_file != "-":
        _matrix(found.rows)
        if found.bare:
            say(f"without twins: {', '.join(found.bare)}")
        value = score(found.rows)
        counts = Counter(r.word for r in found.rows)
        total = ", ".join(
            f"{counts[w]} {w}" for w in ("killed", "equivalent", "survived", "void") if counts[w]
        )
        rate = "" if value is None else f"; kill score {value:.3f}"
        say(f"{total or 'no twins'}{rate}; {time.perf_counter() - since:.1f} s")
    if json_file is not None:
        dump(json_file, document.of_mutants(found, seed=seed, budget=budget))
    if not found.complete:
        warn(f"interrupted: {len(found.rows)} twins were finished")
        return INTERRUPTED
    return SURVIVED if any(r.word == "survived" for r in found.rows) else 0


def _matrix(rows: Sequence[Any]) -> None:
    """One line per twin: what became of it, and each lens's figure where it killed."""
    from proveout.theory.trial.judge import LENSES

    used = {v.lens for r in rows for v in r.verdicts}
    lenses = [name for name in LENSES if name in used]
    cells = []
    for r in rows:
        by = {v.lens: v for v in r.verdicts}
        alone = r.word == "killed" and len(r.lenses) == 1
        figures = [
            (figure(by[k].ratio) or "inf") + ("!" if alone else "") if k in by else "." for k in lenses
        ]
        cells.append((r.id, r.twin, r.word, *figures))
    table(cells, ("statement", "twin", "fate", *lenses), paint=2)
    if any(len(r.lenses) == 1 for r in rows):
        say("! killed by this lens alone: it has no backup")
    for r in rows:
        if r.word == "survived" and r.note:
            say(f"{r.id}, {r.twin}: {coloured('survived', 'survived')}: {r.note}")
        if r.word == "equivalent":
            say(f"{r.id}, {r.twin}: equivalent, {', '.join(f'{v.grade} on {v.problem}' for v in r.verdicts)}")
