"""`proveout list` and `proveout cite`."""

from collections.abc import Sequence
from typing import Any

from proveout.cli.files import dump
from proveout.cli.screen import Usage, coloured, say, table, usage

__all__ = ["cite", "describe", "show"]


def show(words: Sequence[str], as_json: bool) -> int:
    """List statements; exit code 0."""
    from proveout.theory.catalogue import STEMS
    from proveout.theory.trial import sources

    with usage():
        entries = [describe(named.case) for named in sources.find(list(words))]
    if as_json:
        dump("-", entries)
        return 0
    stems = list(dict.fromkeys(e["stem"] for e in entries))
    for stem in stems:
        title = f"  {STEMS[stem].title}" if stem in STEMS else ""
        say(coloured(stem, "bold") + title)
        table(
            [
                (f"  {e['id'].partition('.')[2]}", e["kind"], ",".join(e["lenses"]), e["source"])
                for e in entries
                if e["stem"] == stem
            ]
        )
        say()
    say(
        f"{_count(entries, 'statement')} in {_count(stems, 'stem')}; `proveout check STEM.STATEMENT` judges one"
    )
    return 0


def describe(case: Any) -> dict[str, Any]:
    """What `list --json` says of a case."""
    from proveout.theory.trial.judge import lenses_for

    statement = case.statement
    kinds = statement.method if isinstance(statement.method, tuple) else (statement.method,)
    family = [p.startswith("class:") for p in case.problems] or [None]
    some = [None if f is None else _like(f) for f in dict.fromkeys(family)]
    able = {lens for P in some for lens in lenses_for(statement, P, case.lenses)}
    return {
        "id": case.id,
        "stem": case.stem,
        "kind": statement.kind,
        "source": statement.source,
        "method": " or ".join(k.__name__ for k in kinds if k is not None),
        "lenses": [lens for lens in lenses_for(statement, None, case.lenses) if lens in able],
        "problems": list(case.problems),
        "twins": [twin.name for twin in statement.twins],
        "claim": statement.claim,
    }


def _like(on_class: bool) -> Any:
    """A problem of the kind, to ask which lenses would judge it."""
    from proveout.problems.classes import FunctionClass

    return FunctionClass() if on_class else ()


def _count(things: Sequence[Any], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def cite(stems: Sequence[str]) -> int:
    """Print the BibTeX of stems (or of the stems of ids)."""
    from proveout.theory.catalogue import STEMS

    names = dict.fromkeys(word.partition(".")[0] for word in stems)
    for name in names:
        if name not in STEMS:
            raise Usage(f"no stem {name!r}; stems: {', '.join(STEMS)}")
    say("\n\n".join(STEMS[name].cite.strip() for name in names))
    return 0
