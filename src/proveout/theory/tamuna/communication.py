"""What the rate costs in rounds and in reals sent, and two measured claims about the real costs."""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.masks import uplink
from proveout.methods.tamuna import Tamuna, TamunaVirtual
from proveout.run import model, run
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.statement import Complexity, Method, Number, Problem, Square, evaluate
from proveout.theory.tamuna.lyapunov import (
    SOURCE,
    allowed,
    chi_max,
    psi,
    rate,
    shifts_sum_to_zero,
    star,
    tune,
    tune_rounds,
    worst,
)
from proveout.theory.twins import statement_with, update_times, with_fields

__all__ = [
    "ROUNDS_IGNORE_COHORT",
    "ROUND_COMPLEXITY",
    "UPLINK_BEATS_SCAFFNEW",
    "UPLINK_COMPLEXITY",
    "iterations",
    "reference_rounds",
]


def iterations(r: Number, P: Problem, m: Method, eps: float, start: Any) -> float:
    """log(Psi(start)/eps) / (-log r): after so many iterations the bound r^t Psi(start) is eps."""
    ratio = float(np.max(evaluate(psi(P, m, start), P))) / eps
    if ratio <= 1:
        return 0.0
    return math.log(ratio) / -math.log(r) if r > 0 else 1.0


def _rounds(P: Problem, m: Method, eps: float, start: Any) -> float:
    return m.p * iterations(worst(P, m), P, m, eps, start)


def _reals(P: Problem, m: Method, eps: float, start: Any) -> float:
    return uplink(P.d, m.cohort, m.s) * _rounds(P, m, eps, start)


def _rounds_with_p(P: Problem, m: Method, eps: float, start: Any) -> float:
    """p for p^2 in the rate."""
    r = max(*rate(P, m)[:2], 1 - m.p * m.chi * (m.s - 1) / (P.n - 1))
    return m.p * iterations(r, P, m, eps, start)


ROUND_COMPLEXITY = Complexity(  # at p = min{1, sqrt(n/(s kappa))}: O(sqrt(n kappa/s) + n/s) log 1/eps
    source=f"{SOURCE}, complexity",
    method=TamunaVirtual,
    assumes=(each_smooth, each_strongly_convex),
    allows=allowed,
    measure=psi,
    count=_rounds,
    unit="rounds",
    star=star,
    domain=shifts_sum_to_zero,
    tune=tune,
    claim=r"E\Psi \le \varepsilon \text{ after } p\log(\Psi^0/\varepsilon)/(-\log r) \text{ rounds}",
    twins=(
        statement_with("p for p^2 in the rate", count=_rounds_with_p),
        statement_with("1/p of the rounds", count=lambda *args: args[1].p * _rounds(*args)),
        update_times("h", 0),
        with_fields("chi / 20", lambda P, m: {"chi": m.chi / 20}),
    ),
)

UPLINK_COMPLEXITY = replace(
    ROUND_COMPLEXITY,
    count=_reals,
    unit="up",
    claim=r"E\Psi \le \varepsilon \text{ after } \lceil sd/c\rceil\,p\log(\Psi^0/\varepsilon)/(-\log r) \text{ reals sent}",
    twins=(
        statement_with("one real per round for ceil(s d/c)", count=_rounds),
        statement_with("p for p^2 in the rate", count=lambda *args: uplink(args[0].d, args[1].cohort, args[1].s) * _rounds_with_p(*args)),
        update_times("h", 0),
    ),
)

# ------------------------------------------------------------------ measured

SEEDS = 32  # of a reference run
SLACK = 1.25  # "the same number of rounds" up to so much


def _distance(P: Problem, m: Method, state: Any) -> tuple[Square, ...]:
    """|x - x*|^2 of the server's model."""
    return (Square(1, state.x - P.x_star),)


@lru_cache(maxsize=16)
def _decay(P: Problem, m: Tamuna) -> Array:
    """Mean of |x - x*|^2 over seeds after 0, 1, 2, ... rounds, relative to the start: (R+1,)."""
    log = math.log(1e8)
    steps = math.ceil(m.p * log / -math.log(worst(P, m)) / 2)
    trace = run(P, m, steps=steps, seeds=SEEDS, every=1)
    mean = trace["dist2"].mean(axis=1)
    return np.asarray(mean / mean[0])


def reference_rounds(P: Problem, m: Tamuna, share: float) -> float:
    """Rounds until the mean of |x - x*|^2 first is `share` of its start; ValueError if that is not seen."""
    below = np.flatnonzero(_decay(P, m) <= share)
    if not len(below):
        raise ValueError(f"share = {share:g} of the start is not reached in the reference run")
    return float(below[0])


def _share(P: Problem, m: Method, eps: float, start: Any) -> float:
    return eps / float(np.max(evaluate(_distance(P, m, start), P)))


def _as_full(P: Problem, m: Tamuna, s: int) -> Tamuna:
    """Full participation with s senders per coordinate, by the paper's rule."""
    return tune_rounds(P, cohort=P.n, s=s)


def _same_rounds(P: Problem, m: Method, eps: float, start: Any) -> float:
    return SLACK * reference_rounds(P, _as_full(P, m, m.s), _share(P, m, eps, start))


ROUNDS_IGNORE_COHORT = Complexity(
    source=f"{SOURCE}, measured",
    method=Tamuna,
    assumes=(each_smooth, each_strongly_convex),
    allows=allowed,
    measure=_distance,
    count=_same_rounds,
    unit="rounds",
    tune=tune_rounds,
    claim=r"\text{at fixed } s \text{ a cohort of any size needs the rounds of full participation}",
    twins=(
        statement_with(
            "s = c in full participation",
            count=lambda P, m, eps, start: SLACK * reference_rounds(P, _as_full(P, m, P.n), _share(P, m, eps, start)),
        ),
    ),
)


def _scaffnew_reals(P: Problem, m: Method, eps: float, start: Any) -> float:
    return P.d * reference_rounds(P, _as_full(P, m, P.n), _share(P, m, eps, start))


UPLINK_BEATS_SCAFFNEW = Complexity(
    source=f"{SOURCE}, measured",
    method=Tamuna,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: allowed(P, m) and m.cohort == P.n,
    measure=_distance,
    count=_scaffnew_reals,
    unit="up",
    tune=tune_rounds,
    claim=r"c = n,\ s \ll n:\ \text{fewer reals sent than Scaffnew, whose masks are full}",
    twins=(
        statement_with("price 1 for the downlink: all reals counted", unit="down"),
    ),
)
