"""Small drawings as inline SVG: the curve of a claim, a tightness bar, a stacked bar. Colours are the page's."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from proveout.theory.trial.curves import Curve

__all__ = ["curve", "stacked", "tightness"]

WIDTH, HEIGHT = 380, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 34
FAR = 3.0  # decades below the claim that are worth showing
FULL, TRACK = 64, 80  # a tightness bar: where 1 is, where the bar ends


def curve(c: Curve) -> str:
    """Measured (solid, with the band of runs) against claimed (dashed)."""
    scale = _Scale(c)
    band = [*zip(c.at, c.high), *reversed(list(zip(c.at, c.low)))]
    label = f"measured against claimed on {c.problem}"
    parts = [
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}">',
        _axes(scale, c.unit),
        f'<path class="band" d="{scale.path(band, clip=False)}Z"/>',
        f'<path class="measured" d="{scale.path(zip(c.at, c.measured))}"/>',
        f'<path class="claimed" d="{scale.path(zip(c.claimed_at, c.claimed))}"/>',
        "</svg>",
    ]
    return "".join(parts)


class _Scale:
    """Data to pixels; the vertical axis is logarithmic where the numbers span more than a decade or so."""

    def __init__(self, c: Curve) -> None:
        claimed = c.claimed[np.isfinite(c.claimed) & (c.claimed > 0)]
        measured = c.measured[np.isfinite(c.measured) & (c.measured > 0)]
        both = np.concatenate([claimed, measured])
        self.log = bool(both.max() > 12 * both.min())
        self.x1 = float(max(c.at[-1], 1e-300))
        if self.log:
            floor = (claimed.min() if len(claimed) else both.min()) * 10**-FAR
            low, high = (
                max(both.min(), floor),
                min(both.max(), claimed.max() * 1e3 if len(claimed) else np.inf),
            )
            self.y0, self.y1 = math.log10(low) - 0.1, math.log10(high) + 0.1
        else:
            self.y0, self.y1 = 0.0, 1.08 * float(both.max())

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(value / self.x1, 0.0), 1.0)

    def y(self, value: float) -> float:
        if self.log:
            value = math.log10(value) if value > 0 else self.y0
        share = (value - self.y0) / (self.y1 - self.y0)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(share, 0.0), 1.0)

    def path(self, points: Any, clip: bool = True) -> str:
        """A polyline through the finite points; a line (not a band) ends where it leaves the picture."""
        pixels = []
        for x, y in points:
            if math.isfinite(y) and 0 <= x <= self.x1:
                pixels.append((self.x(x), self.y(y)))
                if clip and self.log and not 10**self.y0 <= y <= 10**self.y1:
                    break
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in pixels) if pixels else "M0 0"

    def ticks(self) -> list[float]:
        if not self.log:
            return [k * self.y1 / 1.08 / 4 for k in range(5)]
        first, last = math.ceil(self.y0), math.floor(self.y1)
        step = max(1, math.ceil((last - first) / 5))
        return [10.0**k for k in range(first, last + 1, step)]


def _axes(scale: _Scale, unit: str) -> str:
    parts = []
    for tick in scale.ticks():
        y = scale.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_number(tick, scale.log)}</text>'
        )
    for value in _round_steps(scale.x1):
        anchor = "start" if value == 0 else "end" if value > 0.97 * scale.x1 else "middle"
        text = f"{value:.6g}" if value < 1e5 else f"{value:.0e}".replace("e+0", "e")
        parts.append(f'<text x="{scale.x(value):.1f}" y="{HEIGHT - 17}" text-anchor="{anchor}">{text}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 3}" text-anchor="middle">{escape(unit)}</text>')
    return "".join(parts)


def _round_steps(end: float) -> list[float]:
    """0, step, 2 step, ... up to the end, with a step of 1, 2 or 5 times a power of ten."""
    raw = end / 5
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= raw * (1 - 1e-9)) if raw > 0 else 1.0
    return [k * step for k in range(int(end / step + 1e-9) + 1)]


def _number(value: float, log: bool) -> str:
    if log and not 1e-3 < value < 1e4:
        power = str(round(math.log10(value))).replace("-", "−")
        return f'10<tspan dy="-4" font-size="8">{power}</tspan>'
    return f"{value:.3g}"


def tightness(ratio: float | None) -> str:
    """measured / claimed on a track whose mark is 1; nothing where there is no number."""
    if ratio is None or math.isnan(ratio):
        return ""
    length = TRACK if math.isinf(ratio) else min(max(ratio, 0.0) * FULL, TRACK)
    over = " over" if ratio > 1 + 1e-7 else ""
    shown = "∞" if math.isinf(ratio) else f"{ratio:.4f}" if 1e-3 <= abs(ratio) < 1e3 else f"{ratio:.2g}"
    return (
        f'<span class="figure">{shown}</span>'
        f'<svg class="bar{over}" viewBox="0 0 {TRACK} 10" width="{TRACK}" height="10" aria-hidden="true">'
        f'<rect class="track" x="0" y="3" width="{FULL}" height="4" rx="2"/>'
        f'<rect class="fill" x="0" y="3" width="{length:.1f}" height="4" rx="2"/>'
        f'<line class="one" x1="{FULL}" x2="{FULL}" y1="0" y2="10"/></svg>'
    )


def stacked(parts: Sequence[tuple[str, int]]) -> str:
    """One bar of all verdicts: (class, count) from left to right."""
    total = sum(count for _, count in parts) or 1
    x, out = 0.0, []
    for name, count in parts:
        width = 1000 * count / total
        if count:
            out.append(
                f'<rect class="{name}" x="{x:.2f}" y="0" width="{max(width - 2, 1):.2f}" height="12"/>'
            )
        x += width
    return f'<svg class="stacked" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">{"".join(out)}</svg>'
