"""Points at which an estimator is asked where nothing can be decided: a spread at all scales, and a search for each ratio.

An estimator that sees the gradient alone, on an f whose gradient takes every value (strongly convex), has on f the
constants it has on |v|^2/2: there the points are gradients v.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.assumptions import ASSUMPTIONS, Scalars
from proveout.theory.statement import Problem
from proveout.theory.zoo.rows import Row, rows
from proveout.theory.zoo.scalars import Measured, joined, measure
from proveout.theory.zoo.subject import Subject, subject

__all__ = ["Cloud", "Gradients", "cloud", "ratio", "sees_gradients_alone", "sides"]

NEAR, FAR = 1e-4, 1e6  # distances from x*, in units
EVALUATIONS = 3000  # of a search, at most
FEWEST = 250  # of a search that is worth it
WORK = 1e9  # floats of all points
CALLS = 8000  # points where every one is a call
ROUNDING = 1e-11  # relative; a combination of scalars that is zero
SAMPLED = 240  # points where every call is one sample


@dataclass(frozen=True)
class Gradients:
    """|v|^2/2 on R^d: what an estimator that sees the gradient alone is asked on."""

    d: int

    n, L, mu, mu_pl, L_max, mu_min, f_star, is_quadratic = 1, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, True

    @property
    def x_star(self) -> Array:
        return np.zeros(self.d)

    def grad(self, x: Array) -> Array:
        return x

    def value(self, x: Array) -> Array:
        return (x * x).sum(axis=-1) / 2


def sees_gradients_alone(estimator: Any) -> Any:
    """The compressor whose output the estimator is, up to a factor; None if it is not of that kind."""
    while hasattr(estimator, "base"):
        estimator = estimator.base
    return getattr(estimator, "compressor", None)


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points and the scalars there; `gradients`: are the points gradients?"""

    x: Array  # (N, d)
    measured: Measured
    distance: Array  # (N,) |x - x*|
    unit: float = 1.0  # the length that counts as one
    gradients: bool = False
    bounded: bool = False  # on a ball?

    def of(self, row: Scalars) -> tuple[Array, Array]:
        """(value, half width) of a combination of the scalars at every point."""
        value = sum(float(k) * v for k, v in zip(row, self.measured.values, strict=True))
        error = sum(abs(float(k)) * v for k, v in zip(row, self.measured.error, strict=True))
        return np.asarray(value), np.asarray(error)

    def zero(self, row: Scalars) -> Array:
        """What counts as nothing at each point."""
        return nothing(row, self.measured.values, float(self.measured.values.G[0]))


def nothing(row: Scalars, s: Scalars, least: float) -> Array:
    """Rounding of a combination of the scalars; `least` is |grad f|^2 at x*, which is rounding."""
    E1, lost = np.maximum(s.E1, 0), 1e6 * least
    size = Scalars(
        D=ROUNDING * s.D,
        G=ROUNDING * s.G + lost,
        P=np.sqrt((ROUNDING**2 * s.G + lost) * (E1 + np.abs(s.V) + lost)),
        E1=ROUNDING * E1 + lost,
        V=ROUNDING * (np.abs(s.V) + ROUNDING * E1) + lost,
        one=0 * s.G,
    )
    return np.asarray(sum(abs(float(k)) * v for k, v in zip(row, size, strict=True)) + 1e-300)


def cloud(estimator: Any, P: Problem, seed: int = 0, radius: float = math.inf) -> Cloud:
    """The points of a search over x (or over gradients)."""
    block = sees_gradients_alone(estimator)
    onto = block is not None and getattr(P, "mu", 0) > 0 and math.isinf(radius)
    where: Any = Gradients(P.d) if onto else P
    who = subject(estimator, where, seed)
    star = np.asarray(getattr(where, "x_star", np.zeros(P.d)), float)
    unit = 1.0 if onto else max(1.0, float(np.linalg.norm(star)))
    room = _room(who, where, star)
    starts = _spread(where, star, unit, block, seed, radius)
    keep = np.random.default_rng(seed).permutation(len(starts))[: max(SAMPLED, room // 2)]
    starts = np.concatenate([star[None], starts[np.sort(keep)]])
    first = measure(who, where, starts)
    x, parts = [starts], [first]
    if who.exact and room // 2 >= FEWEST * len(_targets()):
        for target in _targets():
            x.append(
                _searched(
                    who, where, target, star, unit, (starts, first), radius, room // (2 * len(_targets()))
                )
            )
            parts.append(measure(who, where, x[-1]))
    points = np.concatenate(x)
    values, errors = joined([p.values for p in parts]), joined([p.error for p in parts])
    distance = np.linalg.norm(points - star, axis=1)
    return Cloud(points, Measured(values, errors, who.exact), distance, unit, onto, math.isfinite(radius))


def _room(who: Subject, P: Any, star: Array) -> int:
    """How many points may be asked."""
    if not who.exact:
        return SAMPLED if not who.cheap else 4 * SAMPLED
    if not who.cheap:
        return CALLS
    data = getattr(P, "Z", getattr(P, "A", None))
    floats = getattr(data, "size", 0) or sum(getattr(s, "nnz", 0) for s in getattr(P, "shards", ()))
    return int(
        np.clip(WORK / (who.outcomes(P, star[None])[0].shape[1] * len(star) + floats), 2 * SAMPLED, 40_000)
    )


def _spread(P: Any, star: Array, unit: float, block: Any, seed: int, radius: float) -> Array:
    """Points at all scales, isotropic in x, sparse, and isotropic in the gradient where f is quadratic."""
    rng, d = np.random.default_rng([seed, 1]), len(star)
    z = [
        rng.standard_normal((240, d)),
        np.eye(d)[: min(d, 40)],
        np.ones((1, d)),
        np.sign(rng.standard_normal((40, d))),
    ]
    z.append(rng.standard_normal((80, d)) * (rng.random((80, d)) < max(0.3, 1.5 / d)))
    if hasattr(P, "hessians"):
        z.append(
            rng.standard_normal((120, d))
            @ np.linalg.pinv(np.asarray(P.hessians).mean(axis=0), hermitian=True)
        )
    y = np.concatenate(z)
    y = y / np.maximum(np.linalg.norm(y, axis=1, keepdims=True), 1e-300)
    near, far = (NEAR * unit, FAR * unit) if math.isinf(radius) else (1e-4 * radius, radius)
    spread = [star + y * np.exp(rng.uniform(math.log(near), math.log(far), (len(y), 1))) for _ in range(3)]
    if block is not None and isinstance(P, Gradients) and hasattr(block, "extremes"):
        spread.append(np.asarray(block.extremes(d), float))
    return np.concatenate(spread)


# ------------------------------------------------------------------ searches


def _targets() -> list[tuple[Row, str]]:
    """Rows of one constant, each ratio once."""
    seen: dict[Any, tuple[Row, str]] = {}
    for kind in ASSUMPTIONS.values():
        for row in rows(kind):
            name = next(iter(row.slopes))
            slope = row.slopes[name]
            if slope.one == 0:
                seen.setdefault((tuple(map(float, row.base)), tuple(map(float, slope))), (row, name))
    return list(seen.values())


def ratio(E: Array, B: Array, zero_E: Array, zero_B: Array) -> Array:
    """E/B; inf where B is not positive and E is, -inf where neither is."""
    with np.errstate(all="ignore"):
        none = np.where(E > zero_E, np.inf, -np.inf)
        return np.where(
            B > zero_B, np.where(np.abs(E) <= zero_E, 0.0, E) / np.where(B > zero_B, B, 1.0), none
        )


def sides(row: Row, name: str) -> tuple[Scalars, Scalars]:
    """(E, B) of the row E <= c B, of a lower bound E <= -c B."""
    slope = row.slopes[name]
    return row.base, slope if name in row.lower else Scalars(*(-k for k in slope))


def _searched(
    who: Subject,
    P: Any,
    target: tuple[Row, str],
    star: Array,
    unit: float,
    asked: tuple[Array, Measured],
    radius: float,
    evaluations: int,
) -> Array:
    """The best point of one search, also nearer to and farther from x*: (<= 3, d)."""
    from proveout.theory.lenses.membership.optimise import maximise

    bounded = math.isfinite(radius)
    near, far = (1e-4 * radius, radius) if bounded else (NEAR * unit, FAR * unit)
    least = float(asked[1].values.G[0])

    def values(x: Array, s: Scalars) -> Array:
        size = np.linalg.norm(x - star, axis=1)
        one, two = sides(*target)
        e, b = (np.asarray(sum(float(k) * v for k, v in zip(row, s, strict=True))) for row in (one, two))
        value = ratio(e, b, nothing(one, s, least), nothing(two, s, least))
        fits = (size >= near) & (size <= far * (1 + 1e-9))
        return np.where(fits, np.minimum(value, 1e30), -np.inf)

    def inside(z: Array) -> Array:
        """Back onto the ball, where there is one."""
        return (
            z * np.minimum(1, far / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-300))
            if bounded
            else z
        )

    def objective(z: Array) -> Array:
        x = star + inside(z)
        return values(x, measure(who, P, x).values)

    starts = asked[0][np.argsort(-values(asked[0], asked[1].values), kind="stable")[:24]] - star
    evaluations = min(evaluations, EVALUATIONS)
    best = maximise(objective, len(star), starts=starts, evaluations=evaluations, scale_free=False).point
    best = inside(best[None])[0]
    around = np.array([1.0, 0.1, 10.0])[:, None] * best
    size = np.linalg.norm(around, axis=1)
    return np.asarray(star + around[(size >= near) & (size <= far * (1 + 1e-9))])
