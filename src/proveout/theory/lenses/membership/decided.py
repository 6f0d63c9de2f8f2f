"""Decisions of an inequality of a Membership for all inputs, without a search.

    quadratic    both sides are quadratic in u for every draw: a generalised eigenvalue decides all u
    sorted       quadratic on the sorted cone v_1 >= v_2 >= ... >= 0 (`chamber`)
    separable    both sides are sums of one function of the coordinates: a supremum over one number, by a grid
                 of 1e4 points and golden section, over one period (multiplicative or additive) where there is one
    one number   no scale: u = (1, ..., 1) and its negative

What entitles a decision (quadratic, separable, scale free, periodic) is tested on inputs of all scales, with
ties, zeros and the block's extremes among them.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.forms import evaluate_form, polarise, ray, sup_ratio
from proveout.theory.lenses.membership.chamber import chamber
from proveout.theory.lenses.membership.companion import REACH, Companion, Tied, companion
from proveout.theory.lenses.membership.inequality import Found, Inequality, extremes

__all__ = ["decided", "scale_free"]

GRID = 10_000  # points of a supremum over one number
FORM = 1e-8  # relative agreement of a form with the value it stands for
TESTS = 40  # lines, and 5 times as many points, on which a form is tested
GOLDEN = 0.6180339887498949
TINY = 1e-14  # entries of a form that are rounding, relative to the largest of both sides


def decided(ineq: Inequality) -> Found | None:
    """A decision for all inputs, or None."""
    return _quadratic(ineq) or _one_number(ineq) or _lines(ineq) or chamber(ineq)


def _samples(ineq: Inequality | Tied) -> Array:
    """Inputs at all scales, kinks and extremes among them."""
    rng = np.random.default_rng([7, ineq.q])
    z = rng.standard_normal((5 * TESTS, ineq.q))
    z[::5] = np.sign(z[::5])
    z[1::5] *= rng.random((TESTS, ineq.q)) < 0.4
    z[2::5] = z[2::5, :1]
    return np.concatenate([z * 10 ** rng.uniform(-3, 3, size=(5 * TESTS, 1)), extremes(ineq)])


def scale_free(ineq: Inequality) -> bool:
    """Does the ratio ignore the length of u?"""
    z = _samples(ineq)[: 2 * TESTS]
    one = ineq.figures(z)
    return all(np.allclose(one, ineq.figures(c * z), rtol=1e-9, equal_nan=True) for c in (3.0, 0.1))


def _quadratic(ineq: Inequality) -> Found | None:
    """Both sides are quadratic forms, for every draw or at least in expectation: their generalised eigenvalue."""
    if ineq.q > 200 or not _bends_nowhere(ineq):
        return None
    E = polarise(lambda z: ineq.both(z)[0], ineq.q)
    R = polarise(lambda z: ineq.both(z)[1], ineq.q)
    z = _samples(ineq)
    rounding = ineq.size(z) + 1e-300
    for Q, value in zip((E, R), ineq.both(z), strict=True):
        size = evaluate_form(np.abs(Q), np.abs(z)) + rounding
        if not (np.abs(evaluate_form(Q, z) - value) <= FORM * size).all():
            return None
    tiny = TINY * max(float(np.abs(E).max()), float(np.abs(R).max()))
    E = np.where(np.abs(E) < tiny, 0.0, E)
    w, U = np.linalg.eigh(E)
    negative = (U * np.maximum(-w, 0)) @ U.T if w[0] < -1e-12 * max(float(w[-1]), 1e-300) else 0.0 * E
    figure, top, grey = sup_ratio(E + negative, ineq.constant * R + negative)
    if grey and abs(figure - 1) < 1e-6:
        return None
    points = ray(top)
    values = np.nan_to_num(ineq.figures(points), nan=-1.0)
    good = points[values >= values.max() - 1e-9 * abs(values.max())]  # of equal ones the nearest to length 1
    best = good[np.abs(np.log(np.linalg.norm(good, axis=1) + 1e-300)).argmin()]
    return Found(float(figure), best, True, "all", "eigenvalue")


def _bends_nowhere(ineq: Inequality) -> bool:
    """Third differences along random lines vanish, for every draw or summed over draws."""
    rng = np.random.default_rng([8, ineq.q])
    at, along = rng.standard_normal((2, TESTS, 1, ineq.q)) * 10 ** rng.uniform(-3, 3, size=(2, TESTS, 1, 1))
    z = (at + along * np.arange(4)[:, None]).reshape(-1, ineq.q)
    sides = [side.reshape(TESTS, 4, -1) for side in ineq.products(z)]
    return all(map(_straight, sides)) or all(_straight(v.sum(axis=-1, keepdims=True)) for v in sides)


def _straight(v: Array) -> bool:
    """(lines, 4 points, draws)"""
    third = np.abs(-v[:, 0] + 3 * v[:, 1] - 3 * v[:, 2] + v[:, 3])
    return bool((third <= FORM * np.abs(v).max(axis=1) + 1e-300).all())


# ------------------------------------------------------------------ one number


def _lines(ineq: Inequality) -> Found | None:
    """Of a pair (v, w) with w affine, where the operator works by coordinates: w = v, and is there a bias?"""
    pair: Companion | None = companion(ineq)
    if pair is None or not _separable(Tied(ineq, 1 + REACH)):
        return None
    line = Tied(ineq)
    found = _one_number(line)
    if found is None:
        return None
    spans = [np.logspace(-6, 6, GRID // 5)]
    spans += [p ** np.linspace(0, 1, GRID // 5) for p in _periods(ineq.block) if p > 1]
    t = np.concatenate([*spans, extremes(ineq).ravel()])
    v = np.concatenate([t, -t])[:, None] * np.ones(pair.q)
    biased = np.abs(pair.slopes(v)[2]).max(axis=0)
    if biased.max() > 0:
        return Found(np.inf, pair.whole(v[int(biased.argmax())]), True, "all", "one number, biased")
    return replace(found, z=line.whole(found.z))


def _one_number(ineq: Inequality | Tied) -> Found | None:
    """The supremum over u = (t, ..., t), which is the supremum over all u if both sides are separable."""
    if ineq.shape[0] != 1 or not _separable(ineq):
        return None

    def g(t: Array) -> Array:
        return np.nan_to_num(ineq.figures(np.repeat(t[:, None], ineq.q, axis=1)), nan=-1.0, posinf=np.inf)

    rng = np.random.default_rng(9)
    t = np.exp(rng.uniform(-6, 6, 200)) * rng.choice([-1.0, 1.0], 200)
    kinks = extremes(ineq).ravel()
    if np.allclose(g(t), g(np.sign(t)), rtol=1e-9):
        return _found(g, np.array([1.0, -1.0]), ineq.q, True, "one number, no scale")
    for period in _periods(ineq.block):
        if period > 1 and np.allclose(g(t * period), g(t), rtol=1e-9, atol=1e-12):
            one = period ** np.linspace(0, 1, GRID)
            where = np.concatenate([one, -one, kinks])
            return _found(g, where, ineq.q, True, f"one number, t ~ {period:g} t")
        if np.allclose(g(t + period), g(t), rtol=1e-7, atol=1e-9 * max(float(g(t).max()), 0.0)):
            where = np.concatenate([period * np.linspace(-0.5, 0.5, GRID + 1), kinks])
            return _found(g, where, ineq.q, True, f"one number, t ~ t + {period:g}")
    one = np.logspace(-6, 6, GRID)
    return _found(g, np.concatenate([one, -one, kinks]), ineq.q, False, "one number, 1e-6 to 1e6")


def _separable(ineq: Inequality | Tied) -> bool:
    """side(u) - side(0) = sum_j (side(u_j e_1) - side(0)) for both sides."""
    z = _samples(ineq)[:TESTS]
    zero = np.zeros((1, ineq.q))
    alone = np.zeros((z.size, ineq.q))
    alone[:, 0] = z.ravel()
    each, whole, base = ineq.both(alone), ineq.both(z), ineq.both(zero)
    for one, total, nothing in zip(each, whole, base, strict=True):
        parts = one.reshape(z.shape) - nothing
        size = np.abs(parts).sum(axis=1) + np.abs(nothing) + 1e-300
        if not (np.abs(parts.sum(axis=1) + nothing - total) <= FORM * size).all():
            return False
    return True


def _periods(block: Any) -> list[float]:
    """Candidates of a period: 2, 1, and the numbers among the block's fields, with their inverses."""
    numbers = [1.0, 2.0]
    for name in getattr(block, "__dataclass_fields__", ()):
        x = getattr(block, name)
        if isinstance(x, (int, float)) and not isinstance(x, bool) and x > 0:
            numbers += [float(x), 1 / float(x)]
    return list(dict.fromkeys(numbers))


def _found(g: Any, t: Array, q: int, exact: bool, how: str) -> Found:
    """The best of a grid, refined by golden section in the cells of its five best points."""
    values = g(t)
    best, top = float(t[values.argmax()]), float(values.max())
    k = np.argsort(-values, kind="stable")[:5]
    low, high = (t[np.maximum(k - 1, 0)], t[np.minimum(k + 1, len(t) - 1)]) if len(t) > 2 else (t[k], t[k])
    cell = np.abs(high - low) <= np.abs(t[k]) + 1
    low, high = low[cell], high[cell]
    for _ in range(40 if np.isfinite(top) and len(low) else 0):
        a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        x = np.concatenate([a, b])
        v = g(x)
        left = v[: len(a)] > v[len(a) :]
        low, high = np.where(left, low, a), np.where(left, b, high)
        if v.max() > top:
            best, top = float(x[v.argmax()]), float(v.max())
    looked = "all" if exact else f"searched({len(t)})"
    return Found(top, np.full(q, best), exact, looked, how)
