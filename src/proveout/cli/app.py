"""Every command with its options; what they do is imported when they are called."""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from proveout import __version__
from proveout.cli.options import Budget, Jobs, Json, Problems, Scheduler, Seed, Stems, Words
from proveout.cli.screen import Usage, positive, say, warn, whole

__all__ = ["app", "main"]

USAGE, INTERRUPTED, CRASHED = 2, 130, 70

app = typer.Typer(
    help="Optimisation theorems, executable: run, judge, tighten and prove them.",
    add_completion=False,
    rich_markup_mode=None,  # plain help: half the time, and no wider than the terminal
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        say(f"proveout {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        say(context.get_help())
        raise typer.Exit


@app.command("list")
def list_(
    words: Words = None,
    json: Annotated[bool, typer.Option("--json", help="An array of objects.")] = False,
) -> None:
    """Stems and their statements: kind, lenses, source."""
    from proveout.cli import listing

    raise typer.Exit(listing.show(words or [], json))


@app.command()
def check(
    words: Words = None,
    lens: Annotated[
        str | None,
        typer.Option(
            metavar="LENS,...",
            help="exact, moments, membership, worstcase, proof, sampled. Default: the sharpest that applies.",
        ),
    ] = None,
    problem: Problems = None,
    budget: Budget = "quick",
    jobs: Jobs = "0",
    seed: Seed = "0",
    json: Json = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write one self-contained page.")] = None,
    twins: Annotated[bool, typer.Option(help="Judge the red twins for the page, too.")] = True,
    scheduler: Scheduler = None,
    witnesses: Annotated[
        str, typer.Option(metavar="DIR", help="Where witnesses of violations are saved.")
    ] = "witnesses",
) -> None:
    """Judge statements. Exit code 0: nothing violated or inconclusive, 1: violated, 3: only inconclusive."""
    from proveout.cli import checking

    raise typer.Exit(
        checking.check(
            words or [],
            lens=lens,
            problems=problem or [],
            budget=budget,
            jobs=whole("--jobs", jobs),
            seed=whole("--seed", seed),
            json_file=json,
            html_file=html,
            twins=twins,
            witnesses=witnesses,
            scheduler=scheduler,
        )
    )


@app.command()
def mutants(
    words: Words = None,
    budget: Budget = "full",
    jobs: Jobs = "0",
    seed: Seed = "0",
    json: Json = None,
    scheduler: Scheduler = None,
) -> None:
    """Judge the red twins: every altered claim must be refuted. Exit code 1: one survived."""
    from proveout.cli import checking

    raise typer.Exit(
        checking.mutants(
            words or [],
            budget=budget,
            jobs=whole("--jobs", jobs),
            seed=whole("--seed", seed),
            json_file=json,
            scheduler=scheduler,
        )
    )


@app.command()
def tight(
    statement: Annotated[
        str, typer.Argument(metavar="STATEMENT", help="An id, e.g. proxskip.linear_convergence.")
    ],
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=LOW:HIGH:COUNT", help="Sweep a parameter, in multiples of the tuned value."
        ),
    ] = None,
    problem: Annotated[
        str | None, typer.Option(metavar="SPEC", help="Default: the case's first class.")
    ] = None,
    json: Json = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="A plot, .png, .pdf or .svg.")] = None,
) -> None:
    """Claimed rate, exact worst case, best Lyapunov function."""
    from proveout.cli import drawing

    raise typer.Exit(drawing.tight(statement, over or [], problem, json_file=json, out=out))


@app.command()
def separate(
    start: Annotated[
        str, typer.Argument(metavar="A", help="sg1, sg2, breq, trio, con, bvd, bnd, abs, fsml, abc")
    ],
    end: Annotated[str, typer.Argument(metavar="B", help="One of the same, or abc0: abc with A = 0.")],
    json: Json = None,
) -> None:
    """An estimator in A and not in B. Exit code 0: found and confirmed, 1: A implies B, 3: neither."""
    from proveout.cli import separate as separating

    raise typer.Exit(separating.separate(start, end, json))


@app.command()
def run(
    method: Annotated[
        str, typer.Argument(metavar="METHOD", help="STEM.CLASS[:field=value,...]; missing fields are tuned.")
    ],
    problem: Annotated[
        str, typer.Option(metavar="SPEC", help="E.g. logistic:mushrooms,clients=20,kappa=1e3.")
    ],
    steps: Annotated[str, typer.Option(metavar="T", help="Steps of each run.")],
    seeds: Annotated[str, typer.Option(metavar="S", help="Independent runs.")] = "1",
    out: Annotated[str | None, typer.Option(metavar="FILE", help=".parquet, .csv or .npz")] = None,
    every: Annotated[
        str | None, typer.Option(metavar="K", help="Record every K-th step. Default: about 200 of them.")
    ] = None,
    seed: Seed = "0",
) -> None:
    """Run a method and record distance, gap and costs."""
    from proveout.cli import running

    raise typer.Exit(
        running.run(
            method,
            problem,
            steps=whole("--steps", steps),
            seeds=whole("--seeds", seeds, 1),
            out=out,
            every=None if every is None else whole("--every", every, 1),
            seed=whole("--seed", seed),
        )
    )


@app.command()
def passport(
    estimator: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:ESTIMATOR",
            help="Or FILE.py:ESTIMATOR: an estimator, outcomes(problem, x), or (problem, x, rng) -> g.",
        ),
    ],
    problem: Annotated[
        str, typer.Option("--problem", metavar="SPEC", help="E.g. quadratic:n=3,d=4,kappa=10.")
    ] = "quadratic:n=3,d=4,kappa=10,basis=rotated",
    eps: Annotated[
        str | None,
        typer.Option(
            metavar="EPS", help="Target on E f - f* (min E|grad f|^2 without PL). Default: 1e-3 of the start."
        ),
    ] = None,
    ball: Annotated[str | None, typer.Option(metavar="R", help="Only x with |x - x*| <= R.")] = None,
    seed: Seed = "0",
    json: Json = None,
) -> None:
    """Which assumptions a gradient estimator meets, its least constants, and which theorem promises most."""
    from proveout.cli import passport as page

    raise typer.Exit(
        page.show(
            estimator,
            problem,
            eps=None if eps is None else positive("--eps", eps),
            ball=None if ball is None else positive("--ball", ball),
            seed=whole("--seed", seed),
            json_file=json,
        )
    )


@app.command()
def figures(
    stems: Stems = None,
    out: Annotated[str, typer.Option(metavar="DIR", help="Made if missing.")] = "figures",
    format: Annotated[str, typer.Option("--format", metavar="FMT,...", help="png, pdf, svg")] = "png",
    quick: Annotated[bool, typer.Option("--quick", help="Few seeds and steps, to have a look.")] = False,
    jobs: Jobs = "0",
    seed: Seed = "0",
) -> None:
    """Measure and draw the figures of the papers."""
    from proveout.cli import drawing

    raise typer.Exit(
        drawing.figures(
            stems or [], out, format, quick=quick, jobs=whole("--jobs", jobs), seed=whole("--seed", seed)
        )
    )


@app.command()
def replay(
    witness: Annotated[
        str, typer.Argument(metavar="WITNESS.json", help="A witness, or a report that holds some.")
    ],
    cases: Annotated[
        str, typer.Option(metavar="FILE.py", help="Your own file, if the statement is of it; it is run.")
    ] = "",
) -> None:
    """Rebuild both sides of a violation from its file. Exit code 1: reproduced, 0: not, 2: no witness."""
    from proveout.cli import replaying

    raise typer.Exit(replaying.replay(witness, cases))


@app.command()
def cite(stems: Annotated[list[str], typer.Argument(metavar="STEM")]) -> None:
    """Print BibTeX."""
    from proveout.cli import listing

    raise typer.Exit(listing.cite(stems))


# ------------------------------------------------------------------ errors


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and leave with its exit code; a usage error is one line on standard error."""
    _settle()
    refused = typer.BadParameter.__mro__[2]  # ClickException, wherever typer keeps it
    try:
        code = app(args=arguments, prog_name="proveout", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        warn("interrupted")
        code = INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Usage as error:
        warn(str(error))
        code = USAGE
    except Exception as error:
        if not isinstance(error, refused):
            _crash(error)
            code = CRASHED
        else:
            warn(_one_line(error))
            code = USAGE
    sys.exit(code or 0)


def _settle() -> None:
    """Odd characters never stop a line; a polite kill is as good as Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _one_line(error: Any) -> str:
    context = getattr(error, "ctx", None)
    where = "" if context is None else f"{context.command_path.removeprefix('proveout').strip()}: "
    return (where if where != ": " else "") + " ".join(error.format_message().split())


def _crash(error: BaseException) -> None:
    """A mistake of ours: the whole story, and a code of its own, so that it is not read as a verdict."""
    import traceback

    traceback.print_exception(error)
    warn("this is a bug of proveout, please report the lines above")
