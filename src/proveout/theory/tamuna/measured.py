"""What the cohort and the masks really cost: two claims about counted rounds and reals, without a formula.

*Rounds ignore the cohort.*  Where the coordinates do not mix (diagonal Hessians) the law of each coordinate's
senders, a uniform s-subset of all clients, is all that matters: at fixed s a cohort of any size needs exactly the
rounds of full participation.  These are counted here: shares[t] = sup E Psi_t / Psi_0 over all admissible starts.

*Uplink beats Scaffnew* (measured).  With c = n and s << n a client sends ceil(s d / n) reals per round in place of
d; it needs more rounds than Scaffnew, but by less than that factor, so that for the same reals Scaffnew is left
with the larger error.  This asks for shifts h* that are small beside x0 - x*.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array, mean_clients
from proveout.methods.blocks.masks import uplink
from proveout.methods.proxskip import CompressedScaffnew, Scaffnew
from proveout.methods.tamuna import TamunaVirtual, VirtualState
from proveout.run import run
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.decay import first_below, worst_shares
from proveout.theory.statement import Assumption, Complexity, Failure, Method, Problem, Square, evaluate
from proveout.theory.tamuna.altered import mean_over_cohort
from proveout.theory.tamuna.lyapunov import (
    SOURCE,
    allowed,
    psi,
    shift_weight,
    shifts_sum_to_zero,
    star,
    tune,
)
from proveout.theory.twins import statement_with, unwrap, update_times, with_fields

__all__ = ["ROUNDS_IGNORE_COHORT", "UPLINK_BEATS_SCAFFNEW", "mean_decay", "shares"]

LONGEST = 2**13  # iterations that are counted, at most
SEEDS = 64  # of a reference run
MARGIN = 2.0  # "the larger error": at least so many times


def _apart(P: Problem) -> bool:
    return bool((P.A == P.A * np.eye(P.d)).all())


@lru_cache(maxsize=16)
def shares(P: Problem, m: TamunaVirtual) -> Array:
    """sup over all admissible states of E Psi_t / Psi_0, for t = 0, 1, .. (`decay`): (T+1,)."""
    n, d = P.n, P.d
    lengths = np.array([math.sqrt(m.gamma), 1 / math.sqrt(shift_weight(P, m))])[:, None, None]
    y = np.eye(2 * n * d).reshape(-1, 2, n, d)  # coordinates in which Psi = |y|^2
    y[:, 1] -= mean_clients(y[:, 1])
    at = np.stack(list(star(P, m)))
    states = VirtualState(*np.moveaxis(at + lengths * y, 1, 0)[:, :, None])
    prob, draw = m.law(P).atoms()
    new = np.stack(np.broadcast_arrays(*m.step(P, states, draw)), axis=2)  # (2nd, K, 2, n, d)
    maps = ((new - at) / lengths).reshape(*new.shape[:2], -1)
    maps = np.sqrt(prob)[:, None, None] * maps.transpose(1, 2, 0)  # sqrt(p_k) A_k: (K, 2nd, 2nd)
    return worst_shares(maps, LONGEST)


def _rounds_of_all(P: Problem, m: Method, eps: float, start: Any, s: int | None = None) -> float:
    """Rounds of full participation by the rule, with the same s or another, until E Psi <= eps from the worst start."""
    share = eps / float(np.max(evaluate(psi(P, m, start), P)))
    everybody = tune(P, cohort=P.n, s=s or m.s)
    return float(everybody.p * first_below(shares(P, everybody), share, LONGEST))


ROUNDS_IGNORE_COHORT = Complexity(
    source=f"{SOURCE}, experiments; derived for coordinates that do not mix",
    method=TamunaVirtual,
    assumes=(each_smooth, each_strongly_convex, Assumption("all Hessians are diagonal", _apart)),
    allows=lambda P, m: allowed(P, m) and unwrap(m) == tune(P, cohort=m.cohort, s=m.s),
    measure=psi,
    count=_rounds_of_all,
    unit="rounds",
    star=star,
    domain=shifts_sum_to_zero,
    tune=tune,
    claim=r"\text{at fixed } s \text{ a cohort of any size needs the rounds of full participation}",
    twins=(
        statement_with(
            "s = c: full participation sends full masks",
            count=lambda P, m, eps, start: _rounds_of_all(P, m, eps, start, s=P.n),
        ),
        with_fields("half of chi", lambda P, m: {"chi": m.chi / 2}),
        mean_over_cohort,
        update_times("h", 0.5),
    ),
)

# ------------------------------------------------------------------ reals


@lru_cache(maxsize=64)
def mean_decay(P: Problem, m: Method, x0: tuple[float, ...], steps: int) -> Array:
    """Mean of |x - x*|^2 over seeds after 0, 1, 2, ... iterations, relative to the start: (steps + 1,)."""
    trace = run(P, m, steps=steps, seeds=SEEDS, every=1, x0=np.array(x0))
    mean = trace["dist2"].mean(axis=1)
    return np.asarray(mean / mean[0])


def distance(P: Problem, m: Method, state: Any) -> tuple[Square, ...]:
    """|x - x*|^2 of the mean model."""
    return (Square(1, mean_clients(state.x) - P.x_star, core=2),)


def _left_over(
    P: Problem,
    m: Method,
    T: int,
    start: Any,
    s: int | None = None,
    cohort: int | None = None,
    full: int | None = None,
    price: float = 0.0,
) -> float:
    """MARGIN times the mean error of compressed masks, for the reals that Scaffnew spends in T iterations.

    The error is that of full participation; `cohort` counts the reals of a smaller one, `full` those of a full mask.
    """
    rule = tune(P, cohort=P.n, s=s)
    other = CompressedScaffnew(gamma=rule.gamma, p=rule.p, chi=rule.chi, s=rule.s)
    spent = m.p * T * ((full or P.d) + price * P.d)
    per_step = other.p * (uplink(P.d, cohort or P.n, other.s) + price * P.d)
    x0 = np.reshape(start.x, (-1, P.d))[0]
    share = mean_decay(P, other, tuple(x0.tolist()), math.floor(spent / per_step))[-1]
    return float(MARGIN * share * np.sum((x0 - P.x_star) ** 2))


UPLINK_BEATS_SCAFFNEW = Failure(
    source=f"{SOURCE}, experiments; measured",
    method=Scaffnew,
    assumes=(each_smooth, each_strongly_convex),
    measure=distance,
    floor=_left_over,
    steps=300,
    tune=lambda P: Scaffnew(gamma=2 / (P.L_max + P.mu_min), p=math.sqrt(P.mu_min / P.L_max)),
    claim=r"\text{for the same reals up: } E\|x_{\text{Scaffnew}}-x^\star\|^2 \ge 2\cdot"
    r"\text{mean over 64 runs of } \|x_{s\ll n}-x^\star\|^2",
    twins=(
        statement_with(
            "s = 2 at price .1",
            floor=lambda P, m, T, start: _left_over(P, m, T, start, s=2, price=0.1),
        ),
        statement_with(
            "reals of a cohort of s clients",
            floor=lambda P, m, T, start: _left_over(P, m, T, start, cohort=tune(P, cohort=P.n).s),
        ),
        statement_with(
            "one real per round of Scaffnew too",
            floor=lambda P, m, T, start: _left_over(P, m, T, start, full=1),
        ),
    ),
)
