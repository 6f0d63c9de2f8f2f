"""Shipped certificates: exact proofs of catalogued statements, each a JSON file beside this one.

    names()         what there is
    load(name)      one certificate, as stored
    make(name)      the same, made anew from the statement
    accepted(name)  is the stored one valid, and does it prove the statement as it stands today?
    write(folder)   all of them made anew, as files:  python -m proveout.theory.certificates FOLDER [NAME ...]

`STATEMENT.json` holds at one choice of parameters, `STATEMENT.WHERE.json` for all parameters that its
`parameters` and `variables` describe.  `python verify.py FILE` checks the arithmetic of either.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from proveout.problems.spec import build
from proveout.theory.certificates.choices import CHOICES
from proveout.theory.certificates.families import FAMILIES
from proveout.theory.lenses.proof import accepts, accepts_family, certificate, family_certificate
from proveout.theory.statement import Method, Problem, Statement

__all__ = ["CHOICES", "FAMILIES", "accepted", "load", "make", "names", "write"]


def names() -> tuple[str, ...]:
    """The names of all shipped certificates."""
    return (*CHOICES, *FAMILIES)


def load(name: str) -> dict[str, Any]:
    """A certificate as stored; KeyError for an unknown name."""
    _known(name)
    text = files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def make(name: str) -> dict[str, Any]:
    """A certificate made anew, from the statement and its `step`; KeyError for an unknown name."""
    _known(name)
    if name in FAMILIES:
        return family_certificate(FAMILIES[name])
    statement, problem, method = _instance(name)
    return certificate(statement, problem, method, name=name)


def accepted(name: str) -> bool:
    """Is the stored certificate valid, and does it prove the statement as it stands?"""
    if name in FAMILIES:
        return accepts_family(FAMILIES[name], load(name))
    statement, problem, method = _instance(name)
    return accepts(statement, problem, method, load(name), name=name)


def _instance(name: str) -> tuple[Statement, Problem, Method]:
    statement, spec, choices = CHOICES[name]
    problem = build(spec)
    if statement.tune is None:
        raise ValueError(f"{name}: the statement has no rule for parameters")
    return statement, problem, statement.tune(problem, **choices)


def write(folder: str | Path, chosen: Sequence[str] = ()) -> None:
    """Make certificates anew (default: all of them, some minutes) and write them as files."""
    for name in chosen or names():
        text = json.dumps(make(name), separators=(",", ":"))
        Path(folder, f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _known(name: str) -> None:
    if name not in names():
        raise KeyError(f"no certificate {name!r}; there are: {', '.join(names())}")
