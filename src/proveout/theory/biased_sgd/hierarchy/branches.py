"""Arrows whose constants have branches, and the frontiers: formulas range by range."""

from proveout.methods.blocks.assumptions import BVD, SG1, SG2
from proveout.methods.blocks.variants import ABSAt, BNDAt
from proveout.theory.biased_sgd.hierarchy.formula import (
    Everywhere,
    Formula,
    constant,
    radius,
    root,
    share,
    squared,
)
from proveout.theory.biased_sgd.hierarchy.rows import FIRST, SG1_SIZE, SG1_SLOPE, SG2_SIZE
from proveout.theory.statement import Number

__all__ = ["abs_frontier", "bnd_frontier", "bvd_multiple", "sg1_to_fsml", "sg2_to_fsml"]


def _low(*v: Number) -> Number:
    return v[1] + v[2]


def sg1_to_fsml() -> tuple[Everywhere, ...]:
    """alpha <= beta^2/2, then alpha >= beta^2/2."""
    names = ("beta", "t", "s")
    low = Everywhere(
        names,
        {"alpha": "beta^2 t/(2 (t + s))"},
        lambda b, t, s: SG1(alpha=b**2 * share(t, s) / 2, beta=b),
        (SG1_SLOPE, SG1_SIZE, Formula(constant(0, 1), lambda a: a.beta / 2, clear=_low)),
    )
    high = Everywhere(
        names,
        {"alpha": "beta^2 (2 t + s)/(2 (t + s))"},
        lambda b, t, s: SG1(alpha=b**2 * (1 + share(t, s)) / 2, beta=b),
        (
            SG1_SLOPE,
            SG1_SIZE,
            Formula(
                lambda a: (2 * a.alpha / a.beta**2 - 1, 2 * a.alpha / a.beta**2),
                lambda a: a.alpha / a.beta,
                lift=_low,
                clear=lambda *v: _low(*v) ** 2,
            ),
        ),
    )
    return low, high


def sg2_to_fsml() -> tuple[Everywhere, ...]:
    """tau <= beta/2, then tau >= beta/2."""
    low = Everywhere(
        ("tau", "w"),
        {"beta": "2 tau + w"},
        lambda tau, w: SG2(tau=tau, beta=2 * tau + w),
        (FIRST, SG2_SIZE, Formula(constant(0, 1), lambda a: a.beta / 2)),
    )
    high = Everywhere(
        ("u", "w"),
        {"tau": "u + w", "beta": "2 u + w"},
        lambda u, w: SG2(tau=u + w, beta=2 * u + w),
        (FIRST, SG2_SIZE, Formula(lambda a: (2 * a.tau - a.beta, 1), lambda a: a.tau)),
    )
    return low, high


def _factor(a: BVD) -> Number:
    r = radius(a)
    return (1 - r) / ((1 - r) ** 2 + a.xi)


def _multiple(a: BVD) -> tuple[Number, ...]:
    r, f = radius(a), _factor(a)
    return f * (1 - f * (1 - r)) / r, f**2


def bvd_multiple() -> tuple[Everywhere, ...]:
    """xi <= r (1 - r): lambda = 1; then xi >= r (1 - r)."""
    low = Everywhere(
        ("t", "s", "x", "y"),
        {"eta": "r^2", "r": "t/(t + s)", "xi": "r (1 - r) x/(x + y)"},
        lambda t, s, x, y: BVD(eta=share(t, s) ** 2, xi=share(t, s) * share(s, t) * share(x, y)),
        (Formula(constant(1, 1), clear=lambda t, s, x, y: (t + s) ** 2 * (x + y)),),
    )
    high = Everywhere(
        ("t", "s", "x"),
        {"eta": "r^2", "r": "t/(t + s)", "xi": "r (1 - r) + x"},
        lambda t, s, x: BVD(eta=share(t, s) ** 2, xi=share(t, s) * share(s, t) + x),
        (
            Formula(
                _multiple,
                lambda a: 1 - radius(a),
                lift=lambda t, s, x: t * (s + (t + s) * x) ** 2,
                clear=squared,
            ),
        ),
    )
    return low, high


def abs_frontier() -> Everywhere:
    return Everywhere(
        ("t", "s", "x", "Delta2"),
        {"b": "s/(t + s)", "B": "1 + x"},
        lambda t, s, x, Delta2: ABSAt(Delta2=Delta2, b=share(s, t), B=1 + x),
        (
            Formula(lambda a: (1 / (4 * (1 - a.b)),), lambda a: 2 * a.b - 1, lambda t, *v: 4 * t, squared),
            Formula(lambda a: (a.B / (a.B - 1),), lambda a: a.B, lambda t, s, x, Delta2: x),
        ),
    )


def bnd_frontier() -> tuple[Everywhere, ...]:
    """1 - b = (z + m/z)/2 runs over all numbers above root m with z > root m; so does (B/(M+1) - 1 - m)/2.

    The first row has nothing to do with B, M and sigma2, the second nothing with b: each has a range of its own.
    """

    def pair(t: Number, s: Number, over: Number) -> tuple[Number, Number]:
        p = share(t, s)
        z = p + over
        return p**2, (z + p**2 / z) / 2

    def first(t: Number, s: Number, over: Number, phi2: Number) -> BNDAt:
        m, k = pair(t, s, over)
        return BNDAt(m=m, phi2=phi2, b=1 - k, B=1 + m + 2 * k)

    def second(t: Number, s: Number, over: Number, phi2: Number, M: Number, sigma2: Number) -> BNDAt:
        m, k = pair(t, s, over)
        return BNDAt(m=m, phi2=phi2, M=M, sigma2=sigma2, b=1 - k, B=(M + 1) * (1 + m + 2 * k))

    def near(a: BNDAt) -> Number:
        return 1 - a.b + root((1 - a.b) ** 2 - a.m)

    def far(a: BNDAt) -> Number:
        k = (a.B / (a.M + 1) - 1 - a.m) / 2
        return k + root(k**2 - a.m)

    def over(t: Number, s: Number, y: Number, *rest: Number) -> Number:
        return 2 * (t + y * (t + s))

    names, where = ("t", "s", "y", "phi2"), {"m": "p^2", "p": "t/(t + s)", "z": "p + y"}
    low = Formula(lambda a: (1 / (2 * near(a)), 0), lambda a: 1 - near(a), over, squared)
    high = Formula(lambda a: ((a.M + 1) * (1 + 1 / far(a)), 1), lambda a: 1 + far(a), over, squared)
    return (
        Everywhere(names, where, first, (low, None)),
        Everywhere((*names, "M", "sigma2"), where, second, (None, high)),
    )
