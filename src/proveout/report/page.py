"""The parts of the page: what stands at the head, in the index, on each statement's card. All text is escaped."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from proveout import __version__
from proveout.report import document, svg
from proveout.report.mathml import mathml
from proveout.theory.statement import Verdict
from proveout.theory.trial.curves import Curve
from proveout.theory.trial.mutants import Mutant, Mutants, score

__all__ = ["card", "head", "index", "overall"]

ORDER = ("violated", "inconclusive", "na", "sampled", "searched", "exact", "certified", "proved")
NAMES = {"na": "not applicable"}
LARGE = 20_000  # characters of a witness that a page still shows


def kind_of(v: Verdict) -> str:
    """The class of a verdict: its grade if it holds, else its word."""
    return v.grade or {"not applicable": "na"}.get(v.word, v.word)


def overall(rows: Sequence[Verdict]) -> str:
    """The class that stands for several verdicts: the worst word; if all hold, the strongest grade."""
    kinds = {kind_of(v) for v in rows}
    bad = next((k for k in ORDER[:2] if k in kinds), None)
    return bad or next((k for k in reversed(ORDER) if k in kinds), "na")


# ------------------------------------------------------------------ head and index


def head(
    rows: Sequence[Verdict], red: Mutants | None, *, seed: int, budget: str, command: str, complete: bool
) -> str:
    counts = Counter(kind_of(v) for v in rows)
    shown = [(k, counts[k]) for k in reversed(ORDER) if counts[k]]
    statements = len({v.id for v in rows})
    legend = "".join(f'<li class="{k}"><b>{n}</b> {NAMES.get(k, k)}</li>' for k, n in shown)
    about = {"command": f"<code>{escape(command)}</code>", "seed": str(seed), "budget": escape(budget)}
    if red is not None and red.rows:
        about["red twins"] = _twin_counts(red)
    env = {"proveout": __version__, **document.environment()}
    about["versions"] = ", ".join(f"{escape(k)}&nbsp;{escape(v)}" for k, v in env.items())
    pairs = "".join(f"<dt>{k}</dt><dd>{v}</dd>" for k, v in about.items())
    cut = "" if complete else '<p class="warning">Interrupted: only what was finished is shown.</p>'
    return (
        f'<header><p class="mark">proveout</p><h1>{_title(rows)}</h1>'
        f'<p class="soft">{_count(len(rows), "verdict")} on {_count(statements, "statement")}</p>{cut}'
        f'{svg.stacked(shown)}<ul class="key">{legend}</ul><dl class="about">{pairs}</dl></header>'
    )


def _title(rows: Sequence[Verdict]) -> str:
    words = Counter(v.word for v in rows)
    if words["violated"]:
        return f"{_count(words['violated'], 'violation')} found"
    if words["inconclusive"]:
        return f"Nothing violated, {words['inconclusive']} inconclusive"
    return "Everything holds" if words["holds"] else "Nothing was judged"


def _twin_counts(red: Mutants) -> str:
    counts = Counter(r.word for r in red.rows)
    text = ", ".join(f"{counts[w]} {w}" for w in ("killed", "equivalent", "survived", "void") if counts[w])
    value = score(red.rows)
    return text + ("" if value is None else f"; kill score {value:.3f}")


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def index(stems: Mapping[str, Sequence[str]], rows: Mapping[str, Sequence[Verdict]]) -> str:
    """One line per stem, one square per statement."""
    lines = []
    for stem, ids in stems.items():
        dots = "".join(
            f'<a class="{overall(rows[i])}" href="#{escape(i, quote=True)}" title="{escape(i, quote=True)}"></a>'
            for i in ids
        )
        name = escape(stem, quote=True)
        lines.append(f'<li><a href="#{name}">{name}</a><span class="dots">{dots}</span></li>')
    return f"<nav aria-label='Stems'><ul>{''.join(lines)}</ul></nav>" if len(stems) > 1 else ""


# ------------------------------------------------------------------ a statement


def card(case: Any, rows: Sequence[Verdict], curve: Curve | None, twins: Sequence[Mutant]) -> str:
    """One statement: its mathematics, its verdicts, claimed against measured, its red twins."""
    statement, name = case.statement, escape(case.id, quote=True)
    claim = f'<p class="claim">{mathml(statement.claim)}</p>' if statement.claim else ""
    assumed = "; ".join(escape(a.name) for a in statement.assumes)
    hypotheses = f" · {assumed}" if assumed else ""
    two = " two" if curve is not None else ""
    return (
        f'<article id="{name}"><div class="body{two}"><div><header><h3>{escape(case.id.partition(".")[2])}</h3>'
        f'<span class="chip">{escape(statement.kind)}</span>{_word(overall(rows))}</header>{claim}'
        f'<p class="source">{escape(statement.source)}{hypotheses}</p>{_branches(rows, curve)}{_twins(twins)}'
        f"</div>{_figure(curve)}</div>{_table(rows)}{_witnesses(rows)}</article>"
    )


def _word(kind: str, word: str = "") -> str:
    text = (
        f"holds <small>· {kind}</small>"
        if kind not in ("violated", "inconclusive", "na")
        else NAMES.get(kind, kind)
    )
    return f'<span class="word {kind}">{text}</span>'


def _table(rows: Sequence[Verdict]) -> str:
    heads = "".join(
        f'<th scope="col" class="{c}">{h}</th>'
        for h, c in (
            ("problem", "p"),
            ("verdict", "v"),
            ("lens", "l"),
            ("measured / claimed", "r"),
            ("s", "s"),
        )
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(map(_row, rows))}</tbody></table>"


def _row(v: Verdict) -> str:
    states = {"all": "all states"}.get(v.states, v.states)
    how = " · ".join(escape(p) for p in (v.method, states) if p)
    note = f'<span class="note">{escape(v.note)}</span>' if v.note else ""
    return (
        f'<tr><td><span class="mono">{escape(v.problem) or "the block alone"}</span> '
        f'<span class="method">{how}</span>{note}</td>'
        f'<td>{_word(kind_of(v))}</td><td class="lens">{escape(v.lens) or "—"}</td>'
        f'<td class="n">{svg.tightness(v.ratio)}</td><td class="n s">{v.seconds:.2f}</td></tr>'
    )


def _branches(rows: Sequence[Verdict], curve: Curve | None) -> str:
    """Which branches of the rate were never the largest: there the claim was not tested."""
    seen = {b for v in rows for b in v.branches}
    if curve is None or curve.branches < 2 or not seen:
        return ""
    never = [str(b + 1) for b in range(curve.branches) if b not in seen]
    if not never:
        every = "Both" if curve.branches == 2 else f"All {curve.branches}"
        return f'<p class="source">{every} branches of the rate were active somewhere.</p>'
    return (
        f'<p class="source">Branch {", ".join(never)} of {curve.branches} of the rate was active nowhere.</p>'
    )


def _figure(curve: Curve | None) -> str:
    if curve is None:
        return ""
    claim = "claimed floor" if curve.floor else "claimed"
    return (
        f'<figure>{svg.curve(curve)}<figcaption><span class="line"></span>measured, mean and 5–95 % of runs '
        f'<span class="line dash"></span>{claim}<br><span class="mono">{escape(curve.problem)}, '
        f"{escape(curve.method)}</span></figcaption></figure>"
    )


def _twins(twins: Sequence[Mutant]) -> str:
    if not twins:
        return ""
    items = []
    for t in twins:
        how = ", ".join(f"{v.lens} {_figure_of(v)}".strip() for v in t.verdicts) or t.note
        items.append(
            f'<li class="{t.word}">{escape(t.twin)} <span>{t.word}{": " if how else ""}{escape(how)}</span></li>'
        )
    return f'<div class="twins"><span class="soft">Red twins</span><ul>{"".join(items)}</ul></div>'


def _figure_of(v: Verdict) -> str:
    return "" if v.ratio is None else f"{v.ratio:.4g}".replace("inf", "∞")


def _witnesses(rows: Sequence[Verdict]) -> str:
    found = [v for v in rows if v.witness is not None and v.word == "violated"]
    out = []
    for v in found:
        text = json.dumps(v.witness, indent=1)
        body = (
            escape(text) if len(text) <= LARGE else "too long to show; check --json and --witnesses write it"
        )
        out.append(
            f"<details><summary>witness on {escape(v.problem)}, for <code>proveout replay</code></summary>"
            f"<pre>{body}</pre></details>"
        )
    return "".join(out)
