"""Arguments and options that several commands share."""

from typing import Annotated

import typer

__all__ = ["Budget", "Jobs", "Json", "Problems", "Scheduler", "Seed", "Stems", "Words"]

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME",
        help="Stems, ids, or FILE.py of your own that defines CASES. Default: the whole catalogue.",
    ),
]
Stems = Annotated[list[str] | None, typer.Argument(metavar="STEM", help="Default: all of the catalogue.")]
Problems = Annotated[
    list[str] | None,
    typer.Option(
        "--problem",
        metavar="SPEC",
        help="In place of the cases' problems, e.g. quadratic:n=10,d=5,kappa=100.",
    ),
]
Jobs = Annotated[str, typer.Option("--jobs", "-j", metavar="N", help="Processes; 0: as many as it is worth.")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", metavar="HOST:PORT", help="Work on this Dask cluster.")
]
Seed = Annotated[str, typer.Option("--seed", metavar="S", help="Verdicts and runs are functions of it.")]
Budget = Annotated[str, typer.Option("--budget", metavar="quick|full|deep", help="How hard to search.")]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write JSON; - is standard output.")]
