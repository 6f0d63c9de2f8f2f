"""Centered clipping as a block: one inner step, and the radius rule.

The input is the center and the honest messages, (n_good + 1, d); Byzantine rows are set to the exact worst
(`ClipWorst`), in the radius rule anew before every inner step.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array, namespace, norm, sqnorm
from proveout.methods.blocks.aggregators import CenteredClip, Poll, clip_radii
from proveout.problems.attacks import ClipWorst, Context
from proveout.theory.statement import Membership, Problem, Twin, always
from proveout.theory.twins import statement_with, with_fields

__all__ = ["CLIP_STEP", "RADIUS_RULE"]

SOURCE = "Karimireddy, He, Jaggi (ICML 2021)"


def clip_allowed(P: Problem, block: Poll) -> bool:
    return isinstance(block.rule, CenteredClip) and 0 < 2 * block.n_byz < block.n


def rows(block: Poll, d: int) -> tuple[int, int]:
    """The center, then the honest messages."""
    return (block.n_good + 1, d)


def worst_step(block: Poll, center: Array, good: Array, lam: float) -> Array:
    """One inner step from `center` (..., d), the Byzantine rows at the exact worst."""
    xp = namespace(good)
    bad = np.arange(block.n) >= block.n_good
    honest = xp.concat([good, xp.zeros_like(good[..., :1, :]) + np.zeros((block.n_byz, 1))], axis=-2)
    context = Context(honest=honest, byzantine=bad, g=center, radius=lam)
    forged, _ = ClipWorst()(context, None, None)
    return block.rule.inner(xp.where(bad[:, None], forged, honest), center, lam)


def spread(center: Array, good: Array) -> tuple[Array, Array, Array]:
    """x_bar (..., d), D (...), V (...)."""
    mean = namespace(good).mean(good, axis=-2)
    V = namespace(good).mean(sqnorm(good - mean[..., None, :]), axis=-1)
    return mean, norm(center - mean), V


def clip_sides(quarter: float = 4.0, share: float = 1.0) -> Any:
    """Sides of clip_step; twins change the constant of the first term and the share of the second."""

    def sides(block: Poll, u: Array, draw: Any) -> tuple[Array, Array]:
        center, good, delta = u[..., 0, :], u[..., 1:, :], block.delta
        lam = block.rule.radii[0]
        mean, D, V = spread(center, good)
        right = (1 - delta) * (D**2 + V) / (quarter * lam) + share * delta * (lam + D)
        return norm(worst_step(block, center, good, lam) - mean), right

    return sides


def _without_spread(block: Poll, u: Array, draw: Any) -> tuple[Array, Array]:
    center, good, lam = u[..., 0, :], u[..., 1:, :], block.rule.radii[0]
    mean, D, _ = spread(center, good)
    right = (1 - block.delta) * D**2 / (4 * lam) + block.delta * (lam + D)
    return norm(worst_step(block, center, good, lam) - mean), right


def _without_distance(block: Poll, u: Array, draw: Any) -> tuple[Array, Array]:
    center, good, lam = u[..., 0, :], u[..., 1:, :], block.rule.radii[0]
    mean, D, V = spread(center, good)
    right = (1 - block.delta) * (D**2 + V) / (4 * lam) + block.delta * lam
    return norm(worst_step(block, center, good, lam) - mean), right


def _honest_weight(block: Poll, u: Array, draw: Any) -> tuple[Array, Array]:
    center, good, lam = u[..., 0, :], u[..., 1:, :], block.rule.radii[0]
    mean, _, _ = spread(center, good)
    moved = worst_step(block, center, good, lam) - center
    return norm(center + block.n / block.n_good * moved - mean), clip_sides()(block, u, draw)[1]


CLIP_STEP = Membership(
    source=SOURCE + ", centered clipping, one step; constants by direct proof",
    method=Poll,
    allows=clip_allowed,
    sides=clip_sides(),
    constant=lambda block, d: 1.0,
    least=True,
    shape=rows,
    dims=(1, 2, 3),
    tune=lambda P=None, n=5, n_byz=1, lam=1.0: Poll(rule=CenteredClip(lam=lam), n=n, n_byz=n_byz),
    claim=r"\|v^{+}-\bar x\|\le(1-\delta)(D^2+V)/(4\lambda)+\delta(\lambda+D)",
    twins=(
        statement_with("8 lam for 4 lam", sides=clip_sides(quarter=8.0)),
        statement_with("delta twice too small", sides=clip_sides(share=0.5)),
        statement_with("V dropped", sides=_without_spread),
        statement_with("D dropped from the Byzantine part", sides=_without_distance),
        statement_with("weight 1/n_good", sides=_honest_weight),
    ),
)


def _within(block: Poll, u: Array) -> tuple[Array, Array]:
    """The center and the honest messages, pulled in to what was promised: V <= pair2/2, D <= start."""
    center, good = u[..., 0, :], u[..., 1:, :]
    mean, D, V = spread(center, good)
    shrink = np.sqrt(np.minimum(1, block.pair2 / 2 / np.where(V > 0, V, 1)))
    pull = np.minimum(1, block.start / np.where(D > 0, D, 1))
    moved = mean[..., None, :] + shrink[..., None, None] * (good - mean[..., None, :])
    return mean + pull[..., None] * (center - mean), moved


def radius_sides(block: Poll, u: Array, draw: Any) -> tuple[Array, Array]:
    """max_l |v_l - x_bar|/B_l against 1."""
    center, good = _within(block, u)
    mean = spread(center, good)[0]
    radii = block.rule.radii
    _, bounds = clip_radii(block.delta, block.pair2, block.start, len(radii))
    left = 0.0
    for lam, bound in zip(radii, bounds[1:], strict=True):
        center = worst_step(block, center, good, lam)
        left = np.maximum(left, norm(center - mean) / bound)
    return left, 1 + 0 * left


def by_rule(n: int, n_byz: int, pair2: float, start: float, steps: int) -> Poll:
    """Centered clipping with the radii of the rule."""
    if not 0 < 2 * n_byz < n:
        raise ValueError(f"n_byz must lie in 1..(n-1)/2 for n = {n}, got {n_byz}")
    radii, _ = clip_radii(n_byz / n, pair2, start, steps)
    return Poll(rule=CenteredClip(lam=radii), n=n, n_byz=n_byz, pair2=pair2, start=start)


def _with_radii(name: str, radii: Any) -> Twin:
    """Other radii, the same promise."""
    return with_fields(name, lambda P, m: {"rule": CenteredClip(lam=tuple(radii(m)))})


def _understated(statement: Membership, P: Problem, m: Poll) -> tuple[Membership, Problem, Poll]:
    """Radii and bounds for one Byzantine row less than there are."""
    few = by_rule(m.n, 1, m.pair2, m.start, len(m.rule.radii))

    def sides(block: Poll, u: Array, draw: Any) -> tuple[Array, Array]:
        center, good = _within(block, u)
        mean = spread(center, good)[0]
        _, bounds = clip_radii(few.delta, block.pair2, block.start, len(block.rule.radii))
        left = 0.0
        for lam, bound in zip(block.rule.radii, bounds[1:], strict=True):
            center = worst_step(block, center, good, lam)
            left = np.maximum(left, norm(center - mean) / bound)
        return left, 1 + 0 * left

    return replace(statement, sides=sides, allows=always), P, replace(m, rule=few.rule, n_byz=2)


RADIUS_RULE = Membership(
    source=SOURCE + ", radius rule in closed form; constants by direct proof",
    method=Poll,
    allows=clip_allowed,
    sides=radius_sides,
    constant=lambda block, d: 1.0,
    shape=rows,
    dims=(1, 2),
    tune=lambda P=None, n=5, n_byz=1, pair2=2.0, start=3.0, steps=4: by_rule(n, n_byz, pair2, start, steps),
    claim=r"\|v_l-\bar x\|\le B_l\to\sqrt{\delta\rho^2/(2(1-2\delta))}",
    twins=(
        _with_radii("constant lam = .1 rho", lambda m: [0.1 * m.pair2**0.5] * len(m.rule.radii)),
        _with_radii("radii x 2", lambda m: [2 * lam for lam in m.rule.radii]),
        _with_radii("radii / 2", lambda m: [lam / 2 for lam in m.rule.radii]),
        _with_radii("the first radius for all steps", lambda m: [m.rule.radii[0]] * len(m.rule.radii)),
        Twin("one Byzantine row more than the rule knows", _understated),
    ),
)
