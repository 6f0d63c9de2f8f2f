"""One self-contained page of verdicts: no network, no script, readable on a phone and in print."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from proveout.report import page
from proveout.theory.statement import Verdict
from proveout.theory.trial import sources
from proveout.theory.trial.curves import Curve
from proveout.theory.trial.mutants import Mutant, Mutants

__all__ = ["html"]


def html(
    rows: Sequence[Verdict],
    *,
    words: Sequence[str] = (),
    command: str = "",
    curves: Mapping[str, Curve] | None = None,
    red: Mutants | None = None,
    seed: int = 0,
    budget: str = "quick",
    complete: bool = True,
) -> str:
    """The page of these verdicts; `words` named the statements, `red` are their twins if they were judged."""
    by_id: dict[str, list[Verdict]] = {}
    for row in rows:
        by_id.setdefault(row.id, []).append(row)
    twins: dict[str, list[Mutant]] = {}
    for twin in red.rows if red is not None else ():
        twins.setdefault(twin.id, []).append(twin)
    cases = {named.case.id: named.case for named in sources.find(tuple(words)) if named.case.id in by_id}
    stems: dict[str, list[str]] = {}
    for identifier, case in cases.items():
        stems.setdefault(case.stem, []).append(identifier)
    command = command or " ".join(("proveout check", *words))
    parts = [page.head(rows, red, seed=seed, budget=budget, command=command, complete=complete)]
    parts.append(page.index(stems, by_id))
    for stem, ids in stems.items():
        cards = (page.card(cases[i], by_id[i], (curves or {}).get(i), twins.get(i, ())) for i in ids)
        parts.append(
            f'<section class="stem" id="{escape(stem, quote=True)}">{_heading(stem)}{"".join(cards)}</section>'
        )
    style = (files("proveout.report") / "style.css").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(command)}</title><style>{style}</style></head>"
        f'<body><div class="page">{"".join(parts)}{_FOOTER}</div></body></html>\n'
    )


def _heading(stem: str) -> str:
    from proveout.theory.catalogue import STEMS

    if stem not in STEMS:
        return f"<header><h2>{escape(stem)}</h2></header>"
    return f'<header><h2>{escape(STEMS[stem].title)}</h2><p class="soft mono">{escape(stem)}</p></header>'


_FOOTER = (
    "<footer><p><b>Grades.</b> <i>proved</i>: an exact rational certificate for the function class; "
    "<i>certified</i>: a semidefinite bound, its residuals re-checked; <i>exact</i>: this instance, all randomness, "
    "all states, to rounding; <i>searched</i>: this instance, all randomness, states searched; <i>sampled</i>: runs "
    "against an upper confidence bound. A verdict speaks of its problem and parameters alone.</p>"
    "<p><b>Measured / claimed</b> is the worst quotient of both sides of the claim; the mark is 1, where a claim is "
    "tight. Curves illustrate: they start at one point, a claim speaks of all.</p></footer>"
)
