"""Every case we stand behind, as one written tuple."""

from proveout.theory.cases import (
    Case,
    Stem,
    aggregators,
    asgd,
    biased_sgd,
    centered_clip,
    compressors,
    delays,
    diana,
    fedavg,
    fivegcs,
    fivegcs_cc,
    gd,
    lsvrg,
    ormo,
    proxskip,
    rr_cli,
    scaffold,
    tamuna,
)
from proveout.theory.statement import Statement

__all__ = ["CASES", "STEMS", "case", "find", "name_of"]

_STEMS = (
    gd,
    proxskip,
    diana,
    lsvrg,
    scaffold,
    tamuna,
    fivegcs,
    fivegcs_cc,
    fedavg,
    rr_cli,
    ormo,
    asgd,
    delays,
    biased_sgd,
    compressors,
    centered_clip,
    aggregators,
)

STEMS: dict[str, Stem] = {module.STEM.name: module.STEM for module in _STEMS}
CASES: tuple[Case, ...] = tuple(case for module in _STEMS for case in module.CASES)


def case(identifier: str) -> Case:
    """The case with this id; KeyError if there is none."""
    for one in CASES:
        if one.id == identifier:
            return one
    raise KeyError(identifier)


def find(words: list[str] | tuple[str, ...]) -> tuple[Case, ...]:
    """Cases named by stems or ids, in catalogue order; all if no words. ValueError for an unknown word."""
    known = {c.id for c in CASES} | set(STEMS)
    for word in words:
        if word not in known:
            raise ValueError(f"no stem or statement {word!r}; stems: {', '.join(STEMS)}")
    return tuple(c for c in CASES if not words or c.id in words or c.stem in words)


def name_of(statement: Statement) -> str:
    """The id of a catalogued statement, or ''."""
    return next((c.id for c in CASES if c.statement is statement), "")
