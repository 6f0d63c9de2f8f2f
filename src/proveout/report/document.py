"""Verdicts and twins as plain JSON documents."""

import math
import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from proveout import __version__
from proveout.theory.statement import Verdict
from proveout.theory.trial.mutants import Mutants, score

__all__ = ["environment", "of_check", "of_mutants", "row", "summary"]

PACKAGES = ("numpy", "scipy", "cvxpy", "clarabel", "joblib")
WORDS = ("holds", "violated", "inconclusive", "not applicable")
GRADES = ("proved", "certified", "exact", "searched", "sampled")


def of_check(rows: Sequence[Verdict], *, seed: int, budget: str, complete: bool = True) -> dict[str, Any]:
    """What `check --json` writes."""
    return {
        "version": __version__,
        "seed": seed,
        "budget": budget,
        "complete": complete,
        "environment": environment(),
        "summary": summary(rows),
        "verdicts": [row(v) for v in rows],
    }


def of_mutants(found: Mutants, *, seed: int, budget: str) -> dict[str, Any]:
    """What `mutants --json` writes."""
    counts = Counter(r.word for r in found.rows)
    return {
        "version": __version__,
        "seed": seed,
        "budget": budget,
        "complete": found.complete,
        "environment": environment(),
        "score": score(found.rows),
        "summary": {w: counts[w] for w in ("killed", "equivalent", "survived", "void")},
        "without_twins": list(found.bare),
        "mutants": [
            {
                "id": r.id,
                "twin": r.twin,
                "word": r.word,
                "lenses": list(r.lenses),
                "verdicts": [row(v) for v in r.verdicts],
                "note": r.note,
                "seconds": r.seconds,
                "witness": next((v.witness for v in r.verdicts if v.witness), None),
            }
            for r in found.rows
        ],
    }


def row(v: Verdict) -> dict[str, Any]:
    """One verdict; `ratio` is null where it is infinite or absent."""
    return {
        "id": v.id,
        "problem": v.problem,
        "method": v.method,
        "lens": v.lens,
        "word": v.word,
        "grade": v.grade,
        "ratio": v.ratio if v.ratio is not None and math.isfinite(v.ratio) else None,
        "states": v.states,
        "branches": list(v.branches),
        "note": v.note,
        "seconds": round(v.seconds, 4),
        "witness": v.witness,
    }


def summary(rows: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """Counts by word and by grade."""
    words, grades = Counter(str(v.word) for v in rows), Counter(str(v.grade) for v in rows)
    return {"word": {w: words[w] for w in WORDS}, "grade": {g: grades[g] for g in GRADES}}


def environment() -> dict[str, str]:
    """Versions that a verdict may depend on in its last digits."""
    found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
