"""Looking for the worst state of a nonlinear step: candidates, then the ascent of many chains.

Objective: the figure lhs/rhs, inside the fence FENCE[0] <= |y| <= FENCE[1]; nearer to star the ascent would
walk into rounding noise and "refute" true claims.  Everything follows from the seed.

    found = search(claim, budget, seed)       # Found(y, figure, evaluated, blind)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import FENCE, Budget
from proveout.theory.lenses.exact.candidates import CANDIDATES, candidates
from proveout.theory.lenses.exact.onestep import Claim

__all__ = ["Found", "evolve", "search"]

CHILDREN = 8
LOST, OUTSIDE = -1.0, -2.0  # below every figure


@dataclass(frozen=True, eq=False)
class Found:
    """The worst state that a search saw."""

    y: Array  # (q,)
    figure: float  # NaN if there was nothing to compare anywhere
    evaluated: int
    skipped: int = 0  # candidates at which there was nothing to compare
    blind: Array | None = None  # a state at which lhs is NaN, also nearer to star


def search(claim: Claim, budget: Budget, seed: int = 0) -> Found:
    """Candidates, then evolution from the best of them (and, at budget deep, quasi-Newton steps)."""
    many, generations = _affordable(claim, budget)
    points = candidates(claim, many, seed)
    values = _fenced(claim.figures, points)
    blind = _blind(claim, points, values)
    S = budget.chains
    order = np.argsort(-values, kind="stable")
    rest = np.arange(len(points))
    starts = np.concatenate([order[: S // 2], rest[len(rest) // 3 :][: S - S // 2]])[:S]
    y, figure, used = evolve(claim.figures, points[starts], values[starts], generations, seed)
    total = len(points) + used
    if len(order) and values[order[0]] > figure:
        y, figure = points[order[0]], float(values[order[0]])
    if budget.name == "deep":
        y, figure, used = _polish(claim, y, figure)
        total += used
    figure = float(figure) if figure >= 0 else float("nan")
    return Found(y, figure, total, int((values == LOST).sum()), blind)


def _affordable(claim: Claim, budget: Budget) -> tuple[int, int]:
    """(candidates, generations) that the floats of the budget pay for; never less than 16 and 1."""
    share = min(
        1.0, budget.work / (claim.cost() * (CANDIDATES + CHILDREN * budget.chains * budget.generations))
    )
    return max(16, int(share * CANDIDATES)), max(1, int(share * budget.generations))


def _fenced(objective: Callable[[Array], Array], y: Array) -> Array:
    """The objective inside the fence; LOST where there is nothing to compare, OUTSIDE the fence: (N,)."""
    length = np.linalg.norm(y, axis=-1)
    inside = (length >= FENCE[0]) & (length <= FENCE[1])
    out = np.full(len(y), OUTSIDE)
    if inside.any():
        out[inside] = np.nan_to_num(objective(y[inside]), nan=LOST, posinf=np.inf)
    return out


def _blind(claim: Claim, points: Array, values: Array) -> Array | None:
    """A state at which lhs is NaN although rhs is finite, and still is a thousand times nearer to star."""
    lost = points[values == LOST]
    for scale in (1.0, 1e-3):
        if not len(lost):
            return None
        lhs, rhs = claim.sides(claim.coords.state(scale * lost[:, None, :]))
        lost = lost[np.isnan(lhs) & np.isfinite(rhs)]
    return lost[0] if len(lost) else None


# ------------------------------------------------------------------ ascent


def evolve(
    objective: Callable[[Array], Array], starts: Array, values: Array, generations: int, seed: int = 0
) -> tuple[Array, float, int]:
    """Many chains in one batch: (S, q) starts with their values -> (best y, its value, evaluations).

    child = y + sigma rms(y) z, two of eight sparse, the last a pure rescaling; the best child is kept if
    better; sigma *= 1.6 on success, else 0.8.  Gradient-free, survives kinks.
    """
    rng = np.random.default_rng([seed, 0xE70])
    y, best = starts.copy(), values.copy()
    S, q = y.shape
    if not S:
        return np.zeros(q), LOST, 0
    sigma = np.full(S, 0.5)
    sparse = min(1.0, 1.5 / q)
    for _ in range(generations):
        z = rng.standard_normal((S, CHILDREN, q))
        z[:, -3:-1] *= rng.random((S, 2, q)) < sparse
        scale = sigma * np.sqrt(np.mean(y**2, axis=1))
        children = y[:, None, :] + scale[:, None, None] * z
        children[:, -1] = y * np.exp(sigma * rng.standard_normal(S))[:, None]
        figures = _fenced(objective, children.reshape(-1, q)).reshape(S, CHILDREN)
        pick = figures.argmax(axis=1)
        top = figures[np.arange(S), pick]
        won = top > best
        y = np.where(won[:, None], children[np.arange(S), pick], y)
        best = np.where(won, top, best)
        sigma = np.clip(np.where(won, 1.6, 0.8) * sigma, 1e-8, 3)
    k = int(best.argmax())
    return y[k], float(best[k]), S * CHILDREN * generations


def _polish(claim: Claim, y: Array, figure: float) -> tuple[Array, float, int]:
    """L-BFGS on log(lhs/rhs) with central differences, all points of a gradient in one call."""
    from scipy.optimize import minimize

    q, count = len(y), 0
    length = float(np.linalg.norm(y)) or 1.0
    steps = 1e-6 * np.concatenate([np.zeros((1, q)), np.eye(q), -np.eye(q)])

    def value(u: Array) -> tuple[float, Array]:
        nonlocal count
        count += len(steps)
        with np.errstate(all="ignore"):
            logs = np.log(_fenced(claim.figures, length * (u + steps)))
        slope = (logs[1 : q + 1] - logs[q + 1 :]) / 2e-6
        if not np.isfinite(logs).all():
            return 1e300, np.zeros(q)
        return -float(logs[0]), -slope

    if q > 400 or not 0 < figure < np.inf:
        return y, figure, 0
    found = minimize(value, y / length, jac=True, method="L-BFGS-B", options={"maxiter": 60})
    better = float(_fenced(claim.figures, length * found.x[None])[0])
    return (length * found.x, better, count) if better > figure else (y, figure, count)
