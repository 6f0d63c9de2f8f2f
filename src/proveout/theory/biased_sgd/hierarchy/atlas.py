"""The map: what the judged statements say of every ordered pair of assumptions.

Arrows that were found to hold are closed under composition; assumptions that imply each other are one node (SG1, SG2
and BREQ are); a pair of nodes without an arrow needs a witness that was found to separate them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from proveout.theory.biased_sgd.hierarchy import apart, between, to_abc
from proveout.theory.biased_sgd.hierarchy.arrow import Arrow
from proveout.theory.statement import NonImplication

__all__ = ["NAMES", "NOT", "Atlas", "arrows", "chart", "direct", "ids", "label", "path", "table", "witnesses"]

NAMES = ("con", "bvd", "sg1", "sg2", "breq", "fsml", "bnd", "abs", "abc")
TRIO = ("sg1", "sg2", "breq")
IMPLIES = "_implies_"
NOT = "_not_"
Pair = tuple[str, str]


@dataclass(frozen=True)
class Atlas:
    """Nodes are tuples of names; pairs are pairs of nodes."""

    nodes: tuple[tuple[str, ...], ...]
    implied: frozenset[tuple[tuple[str, ...], tuple[str, ...]]]
    apart: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = field(
        default_factory=dict
    )  # id of the witness
    arrows: tuple[Pair, ...] = ()  # that were judged to hold, between names

    @property
    def pairs(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        return [(a, b) for a in self.nodes for b in self.nodes if a != b]

    @property
    def unknown(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Pairs with neither an arrow nor a witness."""
        return [p for p in self.pairs if p not in self.implied and p not in self.apart]

    @property
    def contradictions(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        return [p for p in self.pairs if p in self.implied and p in self.apart]


def _statements(module: Any, kind: type) -> dict[str, Any]:
    return {k.lower(): v for k, v in vars(module).items() if k.isupper() and isinstance(v, kind)}


def arrows() -> dict[str, Arrow]:
    """Statements "a_implies_b" between the nine assumptions, conditional ones too."""
    every = {**_statements(between, Arrow), **_statements(to_abc, Arrow)}
    return {k: v for k, v in every.items() if set(k.split(IMPLIES)) <= set(NAMES)}


def witnesses() -> dict[str, NonImplication]:
    """Statements "a_not_b"; "trio" stands for SG1, SG2 and BREQ."""
    known = {*NAMES, "trio"}
    return {k: v for k, v in _statements(apart, NonImplication).items() if set(k.split(NOT)) <= known}


def ids() -> tuple[str, ...]:
    """Everything that the map rests on."""
    return tuple(f"biased_sgd.{k}" for k in (*arrows(), *witnesses()))


def chart(holds: Callable[[str], bool]) -> Atlas:
    """The map, given which statements (by id) hold."""
    found = [_pair(k, IMPLIES) for k, v in arrows().items() if not v.condition and holds(f"biased_sgd.{k}")]
    reach = closure(NAMES, found)
    nodes = tuple(
        dict.fromkeys(tuple(b for b in NAMES if b == a or {(a, b), (b, a)} <= reach) for a in NAMES)
    )
    implied = frozenset((a, b) for a in nodes for b in nodes if a != b and (a[0], b[0]) in reach)
    shown: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}
    for name in witnesses():
        if not holds(f"biased_sgd.{name}"):
            continue
        for a, b in _meant(*_pair(name, NOT)):
            pair = (_node(nodes, a), _node(nodes, b))
            if pair[0] != pair[1]:
                shown.setdefault(pair, name)
    return Atlas(nodes=nodes, implied=implied, apart=shown, arrows=tuple(found))


def _pair(name: str, word: str) -> Pair:
    a, _, b = name.partition(word)
    return a, b


def _meant(a: str, b: str) -> list[Pair]:
    """A witness in the trio is one in BREQ; one outside it lies in none of the three."""
    return [("breq" if a == "trio" else a, one) for one in (TRIO if b == "trio" else (b,))]


def _node(nodes: Iterable[tuple[str, ...]], name: str) -> tuple[str, ...]:
    return next(n for n in nodes if name in n)


def closure(names: Iterable[str], found: Iterable[Pair]) -> set[Pair]:
    """All pairs that compositions of the given ones reach (Warshall)."""
    every, reach = list(names), set(found)
    for k in every:
        reach |= {(a, b) for a in every for b in every if (a, k) in reach and (k, b) in reach and a != b}
    return reach


def path(atlas: Atlas, start: str, end: str) -> list[Pair]:
    """The fewest arrows from one assumption to another; empty if there is no way."""
    before: dict[str, str] = {start: ""}
    queue = [start]
    for name in queue:
        for a, b in atlas.arrows:
            if a == name and b not in before:
                before[b] = a
                queue.append(b)
    steps: list[Pair] = []
    at = end
    while at in before and before[at]:
        steps.append((before[at], at))
        at = before[at]
    return steps[::-1] if at == start else []


def direct(atlas: Atlas) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The arrows between nodes that are no composition of others."""
    between_nodes = atlas.implied
    return [
        (a, b)
        for a, b in atlas.pairs
        if (a, b) in between_nodes
        and not any((a, k) in between_nodes and (k, b) in between_nodes for k in atlas.nodes)
    ]


def name_of(node: tuple[str, ...]) -> str:
    return "trio" if len(node) > 1 else node[0]


def label(name: str) -> str:
    """ "X1", ..: the witness of a non-implication."""
    _, estimator = witnesses()[name].witness()
    return next((k for k, v in apart.WITNESSES.items() if v is estimator), "?")


def table(atlas: Atlas) -> list[str]:
    """The map as text: does the row imply the column?"""
    heads = [name_of(n) for n in atlas.nodes]
    wide = max(map(len, heads)) + 2

    def cell(a: tuple[str, ...], b: tuple[str, ...]) -> str:
        if a == b:
            return "."
        known = "=>" if (a, b) in atlas.implied else ""
        return known + (label(atlas.apart[a, b]) if (a, b) in atlas.apart else "") or "?"

    lines = ["".join(x.ljust(wide) for x in ("", *heads))]
    for a, head in zip(atlas.nodes, heads, strict=True):
        lines.append("".join(x.ljust(wide) for x in (head, *(cell(a, b) for b in atlas.nodes))))
    return [line.rstrip() for line in lines]
