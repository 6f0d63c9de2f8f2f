"""The map of the assumptions of biased SGD, as the rows of a check found it."""

from collections.abc import Sequence
from typing import Any

__all__ = ["lines"]

STEM = "biased_sgd"


def lines(rows: Sequence[Any]) -> list[str]:
    """A short block if all statements of the map are among the rows, else nothing."""
    words: dict[str, set[str]] = {}
    for row in rows:
        if row.id.startswith(STEM):
            words.setdefault(row.id, set()).add(row.word)
    if not words:
        return []
    from proveout.theory.biased_sgd.hierarchy import atlas

    if not set(atlas.ids()) <= set(words):
        return []
    found = atlas.chart(lambda name: "holds" in words[name] and words[name] <= {"holds", "not applicable"})
    return ["", *said(found), *("  " + line for line in atlas.table(found)), ""]


def said(found: Any) -> list[str]:
    """How many pairs are decided, and what of them is doubtful."""
    pairs = len(found.pairs)
    head = (
        f"the map: of {pairs} ordered pairs {len(found.implied)} implied, {len(found.apart)} with a witness"
    )
    doubts = []
    if found.unknown:
        doubts.append(f"{len(found.unknown)} open (?)")
    if found.contradictions:
        doubts.append(f"{len(found.contradictions)} with both: a contradiction")
    return [", ".join([head, *doubts]) + " (does the row imply the column?)"]
