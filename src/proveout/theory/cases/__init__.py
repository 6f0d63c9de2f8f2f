"""Cases: on which problems, with which parameters, each statement is judged. One file per stem."""

from dataclasses import dataclass, field
from typing import Any

from proveout.theory.statement import Statement

__all__ = ["Case", "Stem"]


@dataclass(frozen=True, kw_only=True)
class Stem:
    """A paper or a toolbox: what `proveout cite` and the report say of it."""

    name: str
    title: str
    cite: str  # BibTeX
    paper: bool = True  # papers owe a figure file


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A statement with what it is judged on.

    problems  SPECs; `class:` problems go to the worst-case and proof lenses, the others to the rest.
              Empty for statements about blocks alone (Membership, Implication): one row, problem None.
    choices   what `tune` is asked for, one dict or several; each problem meets each of them
              (a ValueError of `tune` makes that pair `not applicable`).
    lenses    the lenses that may judge it; empty: all that apply, sharpest first.
    """

    id: str
    statement: Statement
    problems: tuple[str, ...] = ()
    choices: Any = field(default_factory=dict)  # dict or tuple of dicts
    lenses: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        return self.id.partition(".")[0]

    @property
    def settings(self) -> tuple[dict[str, Any], ...]:
        return (self.choices,) if isinstance(self.choices, dict) else tuple(self.choices)
