"""Figures of centered clipping.

clip_steps   distance of the center from the honest mean over inner steps, under the worst attack: the
             radius rule against constant radii, with the guarantee B_l and its floor
"""

from typing import Any

import numpy as np

from proveout.figures.style import Panel, log_axis
from proveout.methods.blocks.aggregators import CenteredClip, Poll, clip_radii
from proveout.problems.attacks import ClipWorst, Context

__all__ = ["PANELS"]

START = 30.0  # distance of the first center, in units of the honest spread
SHARES = (0.1, 0.2, 0.3, 0.4)


def distances(poll: Poll, good: Any, center: Any) -> Any:
    """|v_l - mean| for l = 0.. under the worst attack of every inner step: (S, n_good, d), (S, d) -> (L + 1, S)."""
    mean = good.mean(axis=-2)
    bad = np.arange(poll.n) >= poll.n_good
    honest = np.concatenate([good, np.zeros((*good.shape[:-2], poll.n_byz, good.shape[-1]))], axis=-2)
    out = [np.linalg.norm(center - mean, axis=-1)]
    for lam in poll.rule.radii:
        context = Context(honest=honest, byzantine=bad, g=center, radius=lam)
        forged, _ = ClipWorst()(context, None, None)
        center = poll.rule.inner(np.where(bad[:, None], forged, honest), center, lam)
        out.append(np.linalg.norm(center - mean, axis=-1))
    return np.stack(out)


def inputs(n_good: int, n_byz: int, d: int, many: int, seed: int) -> tuple[Any, Any]:
    """Honest messages with V = 1 of several shapes, and centers START away.

    A third of them are the hardest for any rule: n_byz rows at one point, the others at another, and the center beyond.
    """
    rng = np.random.default_rng(seed)
    good = rng.standard_normal((many, n_good, d))
    good[::3] = 0
    good[::3, :n_byz, 0] = 1
    good[1::3] *= rng.exponential(size=(len(good[1::3]), n_good, 1)) ** 2  # heavy tails
    good -= good.mean(axis=-2, keepdims=True)
    good /= np.sqrt((good**2).sum(axis=-1).mean(axis=-1))[:, None, None]
    away = rng.standard_normal((many, d))
    away[::3] = -np.eye(d)[0]
    return good, START * away / np.linalg.norm(away, axis=-1, keepdims=True)


def measure(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Largest distance over the inputs, per share of Byzantine rows and per rule for the radius."""
    n, d, steps, many = (10, 3, 10, 30) if quick else (20, 5, 25, 300)
    data: dict[str, Any] = {"l": np.arange(steps + 1), "shares": np.array(SHARES)}
    for delta in SHARES:
        n_byz = round(delta * n)
        good, center = inputs(n - n_byz, n_byz, d, many, seed)
        radii, bounds = clip_radii(n_byz / n, 2.0, START, steps)
        poll = Poll(rule=CenteredClip(lam=radii), n=n, n_byz=n_byz)
        key = f"{delta:g}"
        data[f"rule {key}"] = distances(poll, good, center).max(axis=1)
        data[f"bound {key}"] = np.array(bounds)
        data[f"floor {key}"] = np.sqrt(n_byz / n / (1 - 2 * n_byz / n))
    n_byz = round(0.2 * n)
    good, center = inputs(n - n_byz, n_byz, d, many, seed)
    for lam in (0.3, 3.0, 30.0):
        poll = Poll(rule=CenteredClip(lam=lam, steps=steps), n=n, n_byz=n_byz)
        data[f"constant {lam:g}"] = distances(poll, good, center).max(axis=1)
    return data


def draw(fig: Any, data: dict[str, Any]) -> None:
    left, right = fig.subplots(1, 2, sharey=True)
    for k, delta in enumerate(data["shares"]):
        key = f"{delta:g}"
        left.plot(data["l"], data[f"rule {key}"], color=f"C{k}", label=f"{key}")
        left.plot(data["l"], data[f"bound {key}"], "--", color=f"C{k}", linewidth=1)
    left.legend(title="share of Byzantine rows", ncols=2)
    left.set_title("radius rule (dashed: guarantee)")
    log_axis(left, "inner steps", "largest distance from the honest mean")
    right.plot(data["l"], data["rule 0.2"], color="C1", label="radius rule")
    for k, lam in enumerate((0.3, 3.0, 30.0)):
        right.plot(data["l"], data[f"constant {lam:g}"], color=f"C{k + 4}", label=f"constant {lam:g}")
    right.axhline(data["floor 0.2"], color="C7", linestyle=":", label="least for any rule")
    right.set_ylim(top=300)
    right.legend(ncols=2, loc="upper center")
    right.set_title("share 0.2")
    right.set_xlabel("inner steps")


PANELS = {"clip_steps": Panel(measure=measure, draw=draw, size=(7.0, 3.2))}
