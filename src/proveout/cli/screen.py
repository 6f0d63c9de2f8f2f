"""What a user sees: lines, aligned tables, colours and a progress bar where there is a terminal."""

import contextlib
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "COLOURS",
    "Usage",
    "coloured",
    "figure",
    "number",
    "positive",
    "progress",
    "say",
    "table",
    "usage",
    "warn",
    "whole",
]

COLOURS = {
    "holds": "32",
    "violated": "1;31",
    "inconclusive": "33",
    "not applicable": "2",
    "killed": "32",
    "equivalent": "36",
    "survived": "1;31",
    "void": "2",
    "bold": "1",
}


WIDE = 64  # a longer cell stands out of its column rather than pushing the others away


class Usage(Exception):
    """What the user wrote cannot be done; the text is one clear line."""


@contextlib.contextmanager
def usage() -> Iterator[None]:
    """A ValueError in here is about what the user wrote."""
    try:
        yield
    except ValueError as error:
        raise Usage(" ".join(str(error).split())) from error


def whole(name: str, text: str, low: int = 0) -> int:
    """An option that is an integer >= low, or Usage with what was written."""
    try:
        value = int(float(text))
        if value != float(text):
            raise ValueError
    except (ValueError, OverflowError):
        raise Usage(f"{name} must be an integer >= {low}, got {text!r}") from None
    if value < low:
        raise Usage(f"{name} must be an integer >= {low}, got {text}")
    return value


def positive(name: str, text: str) -> float:
    """An option that is a number > 0, or Usage with what was written."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise Usage(f"{name} must be a number > 0, got {text!r}")
    return value


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")


def warn(text: str) -> None:
    sys.stderr.write(f"proveout: {text}\n")


def coloured(text: str, name: str) -> str:
    """The text in the colour of a word, on a terminal that wants colours."""
    if name not in COLOURS or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{COLOURS[name]}m{text}\x1b[0m"


def number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}g}"


def figure(ratio: float | None) -> str:
    """measured / claimed, with the digits that show how tight a claim is."""
    if ratio is None or not 1e-3 <= abs(ratio) < 1e3:
        return number(ratio)
    return f"{ratio:.4f}"


def table(rows: Sequence[Sequence[str]], heads: Sequence[str] = (), paint: int | None = None) -> None:
    """Aligned columns, two spaces apart; cells of column `paint` in the colour of their word."""
    body = [list(heads), *map(list, rows)] if heads else [list(r) for r in rows]
    columns = zip(*body) if body else ()
    widths = [max([len(c) for c in column if len(c) <= WIDE], default=0) for column in columns]
    for k, row in enumerate(body):
        cells = [cell.ljust(w) for cell, w in zip(row, widths)]
        head = bool(heads) and k == 0
        if paint is not None and not head:
            cells[paint] = coloured(cells[paint], row[paint].partition(" (")[0])
        line = "  ".join(cells).rstrip()
        say(coloured(line, "bold") if head else line)


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """tick(done, total) on a bar, where standard error is a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
