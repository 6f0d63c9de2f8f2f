"""Replay a witness: rebuild both sides of one violation from its file alone, through `step`.

The file names the statement, the red twin if the claim was an altered one, and the lens; it holds problem,
parameters, state and draw bit for bit.  It never names code to run: a statement of a user's own file is
replayed only if the user names that file again.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from proveout.theory.statement import Method, Problem, Statement
from proveout.theory.trial import judge, sources
from proveout.theory.trial.check import case_of
from proveout.theory.twins import Altered, unwrap
from proveout.theory.witness import FORMAT, decode, trust

__all__ = ["Replayed", "read", "rebuild", "replay"]

VIOLATION = 1e-7  # relative; as the lenses', which is 100 times their rounding
HELD = ("verdicts", "mutants")  # lists of a report that `check --json` or `mutants --json` wrote


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """Both sides, recomputed: a claim lhs <= rhs, violated if lhs is larger by more than rounding."""

    statement: str
    twin: str | None
    problem: str
    method: str
    lens: str
    lhs: float
    rhs: float
    stored: tuple[float, float]  # lhs and rhs as the file has them

    @property
    def reproduced(self) -> bool:
        if math.isnan(self.lhs) or math.isnan(self.rhs) or math.isinf(self.rhs):
            return False
        return self.lhs > self.rhs + VIOLATION * abs(self.rhs)

    @property
    def ratio(self) -> float | None:
        return self.lhs / self.rhs if self.rhs and math.isfinite(self.lhs / self.rhs) else None


def read(path: str | Path) -> list[dict[str, Any]]:
    """The witnesses of a file: one, or those inside a report; ValueError if it holds none."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no JSON file: {error}") from None
    found = list(_witnesses(data))
    if not found:
        raise ValueError(f"{path} holds no witness (a JSON object with format {FORMAT!r})")
    return found


def _witnesses(data: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(data, dict):
        return
    if data.get("format") == FORMAT:
        yield data
    for name in HELD:
        rows = data.get(name)
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("word") in ("violated", "killed"):
                yield from _witnesses(row.get("witness"))


def replay(witness: dict[str, Any], cases: str = "") -> Replayed:
    """Recompute both sides; ValueError, with the reason, if the witness does not determine them.

    `cases`: the user's file or module that holds the statement, if it is not of the catalogue.
    """
    try:
        statement, problem, method = rebuild(witness, cases)
        lens = witness["lens"]
        if lens not in judge.LENSES:
            raise ValueError(f"no lens {lens!r}; lenses: {', '.join(judge.LENSES)}")
        with np.errstate(all="ignore"):
            lhs, rhs = import_module(judge.LENSES[lens]).sides(statement, problem, method, witness)
        return Replayed(
            statement=witness["statement"],
            twin=witness.get("twin"),
            problem=judge.name_of_problem(problem),
            method=judge.describe_method(method),
            lens=lens,
            lhs=float(lhs),
            rhs=float(rhs),
            stored=(float(decode(witness["lhs"])), float(decode(witness["rhs"]))),
        )
    except KeyError as error:
        raise ValueError(f"the witness cannot be rebuilt: it has no {error}") from error
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"the witness cannot be rebuilt: {type(error).__name__}: {error}") from error


def rebuild(witness: dict[str, Any], cases: str = "") -> tuple[Statement, Problem, Method]:
    """The statement (or its twin), problem and method that a witness speaks of."""
    from proveout.problems import build

    statement = _statement(witness, cases)
    stored = witness["problem"]
    problem = build(stored) if isinstance(stored, str) else decode(stored)
    method = decode(witness["method"])
    if not witness.get("twin"):
        return statement, problem, method
    twin = next((t for t in statement.twins if t.name == witness["twin"]), None)
    if twin is None:
        raise ValueError(f"{witness['statement']} has no twin {witness['twin']!r}")
    before = decode(witness["before"]) if "before" in witness else method
    statement, problem, altered = twin.edit(statement, problem, before)
    return statement, problem, _around(altered, method)


def _statement(witness: dict[str, Any], cases: str) -> Statement:
    name = witness["statement"]
    if not name:
        raise ValueError("the witness names no statement: it was made outside the catalogue")
    if cases:
        for case in sources.load(cases):
            for kind in _methods(case.statement):
                trust(kind.__module__)
    elif witness.get("source"):
        raise ValueError(
            f"its statement is of {witness['source']!r}: name that file with --cases, which runs it"
        )
    try:
        statement: Statement = case_of(cases, name).statement
    except (KeyError, StopIteration):
        raise ValueError(f"no statement {name!r} in {cases or 'the catalogue'}") from None
    return statement


def _methods(statement: Statement) -> tuple[type, ...]:
    kinds = statement.method
    return kinds if isinstance(kinds, tuple) else (kinds,) if kinds is not None else ()


def _around(altered: Method, inner: Method) -> Method:
    """The edits of `altered` around the parameters that the witness holds."""
    if isinstance(altered, Altered):
        return replace(altered, base=_around(altered.base, inner))
    return inner if type(unwrap(altered)) is type(inner) else altered
