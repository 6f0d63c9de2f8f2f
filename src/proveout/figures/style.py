"""How all figures look: one palette (safe for colour-blind readers), one set of sizes, one Panel record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["COLOURS", "RC", "Panel", "log_axis", "render"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
RC: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 160,
    "svg.hashsalt": "proveout",
}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Numbers first, ink second: `measure` is pure and tested, `draw` is dumb and short.

    measure(seed=0, quick=False) -> dict of arrays and strings;  draw(fig, data) -> None
    """

    measure: Callable[..., dict[str, Any]]
    draw: Callable[[Any, dict[str, Any]], None]
    size: tuple[float, float] = (6.0, 3.6)  # inches


def log_axis(ax: Any, xlabel: str, ylabel: str) -> None:
    ax.set_yscale("log")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)


def render(panel: Panel, data: dict[str, Any], paths: list[str]) -> None:
    """Draw the panel and write it to every path; the format follows the suffix."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from cycler import cycler

    settings: Any = {**RC, "axes.prop_cycle": cycler(color=list(COLOURS))}
    with plt.rc_context(settings):
        fig = plt.figure(figsize=panel.size)
        panel.draw(fig, data)
        for path in paths:
            fig.savefig(path, metadata={"Date": None} if path.endswith("svg") else None)
        plt.close(fig)
