"""Counting delays: identities of any schedule, whatever the speeds.

K workers (n in the literature on this page), A_t jobs in flight just before update t, i_j the version that
job j reads, tau_t the delay of the job applied at update t (Mishchenko et al., arXiv:2206.07638; Koloskova et
al., arXiv:2206.08307, who call A_t the concurrency):

    counting             sum_{t<T} tau_t + sum_{j in flight at T} (T - i_j) = sum_{t<T} (A_t - 1)
    late_count           #{t < T: tau_t > 2K} <= (K-1) T / (2K+1) < T/2        (all busy: A_t = K)
    gap                  tau = t before a worker's first arrival, else the updates between its arrivals
    one_job_per_version  versions 1, 2, .. belong to one job each, version 0 to K jobs
    shares               fixed speeds: worker k delivers a share (1/s_k) / sum_l 1/s_l, mean delay sum_{l != k} s_k/s_l
    geometric_delay      i.i.d. uniform arrivals: P(tau_t = j) = (1/K)(1 - 1/K)^j for j < t

The average delay is bounded by the concurrency; only the maximal delay is not.
"""

from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.methods.asgd import ASGD
from proveout.theory.delays.arrivals import all_busy, delays, worker
from proveout.theory.statement import Assumption, Identity, Method, Path, Problem
from proveout.theory.twins import statement_with, with_fields

__all__ = ["COUNTING", "GAP", "GEOMETRIC_DELAY", "LATE_COUNT", "ONE_JOB_PER_VERSION", "SHARES"]

SOURCE = "Mishchenko et al. 2022; Koloskova et al. 2022"


def _tune(P: Problem, gamma: float = 0.1) -> ASGD:
    return ASGD(gamma=gamma / P.workers / P.L)


def _sides(residual: bool) -> Any:
    def counting(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        """Both sides for every T: (T, ...)."""
        K, tau = P.workers, delays(path)
        waiting = np.zeros((*np.shape(worker(path, 0)), K), dtype=bool)
        left, right, aged = [], [], 0
        for t, draw in enumerate(path.draws):
            aged = aged + (K - waiting.sum(axis=-1)) - 1
            right.append(aged)
            arrived = worker(path, t)[..., None] == np.arange(K)
            waiting = (waiting | arrived) & ~np.asarray(draw.event.released)
            ages = np.where(waiting, 0, t + 1 - np.asarray(path.states[t + 1].index)).sum(axis=-1)
            left.append(tau[: t + 1].sum(axis=0) + (ages if residual else 0))
        return np.stack(left).astype(float), np.stack(right).astype(float)

    return counting


def _late(patience: float) -> Any:
    def late_count(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        """The count, and where it exceeds the limit, against itself and the limit: (2, T, ...)."""
        K, tau = P.workers, delays(path)
        T = np.arange(1, len(tau) + 1).reshape(-1, *(1,) * (tau.ndim - 1))
        limit = np.floor((K - 1) * T / (2 * K + 1))
        count = np.cumsum(tau > patience * K, axis=0)
        return np.stack([count, np.maximum(count, limit)]), np.stack([count, limit + 0.0 * tau])

    return late_count


def _gaps(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    """Delays against the updates since the same worker's last arrival."""
    tau, K = delays(path), P.workers
    last = np.full((*tau.shape[1:], K), -1)
    gaps = []
    for t in range(len(tau)):
        mine = worker(path, t)[..., None] == np.arange(K)
        gaps.append(t - 1 - np.where(mine, last, 0).sum(axis=-1))
        last = np.where(mine, t, last)
    return tau.astype(float), np.stack(gaps).astype(float)


def _versions(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    """All versions handed out so far, in order, against 0, .., 0, 1, .., T."""
    tau, held = delays(path), np.moveaxis(np.asarray(path.states[-1].index), -1, 0)
    T = len(tau)
    applied = np.arange(T).reshape(-1, *(1,) * (tau.ndim - 1)) - tau
    found = np.sort(np.concatenate([applied, np.broadcast_to(held, (P.workers, *tau.shape[1:]))]), axis=0)
    wanted = np.concatenate([np.zeros(P.workers), np.arange(1, T + 1)])
    return found.astype(float), wanted.reshape(-1, *(1,) * (tau.ndim - 1)) + 0.0 * found


COUNTING = Identity(
    source=SOURCE,
    method=ASGD,
    sides=_sides(residual=True),
    tune=_tune,
    twins=(
        with_fields("stale restart", lambda P, m: {"restart": "stale"}),
        statement_with("jobs in flight left out", sides=_sides(residual=False)),
    ),
    claim=r"\sum_{t<T}\tau_t+\sum_{j\in C_T}(T-i_j)=\sum_{t<T}(A_t-1)",
)

LATE_COUNT = Identity(
    source=SOURCE,
    method=ASGD,
    assumes=(all_busy,),
    sides=_late(2),
    steps=200,
    tune=_tune,
    twins=(statement_with("late means tau > n", sides=_late(1)),),
    claim=r"\#\{t<T:\tau_t>2n\}\le(n-1)T/(2n+1)",
)

GAP = Identity(
    source=SOURCE,
    method=ASGD,
    assumes=(all_busy,),
    sides=_gaps,
    tune=_tune,
    twins=(with_fields("stale restart", lambda P, m: {"restart": "stale"}),),
    claim=r"\tau_{a_1}=a_1,\quad \tau_{a_{m+1}}=a_{m+1}-a_m-1",
)

ONE_JOB_PER_VERSION = Identity(
    source=SOURCE,
    method=ASGD,
    assumes=(all_busy,),
    sides=_versions,
    tune=_tune,
    twins=(with_fields("stale restart", lambda P, m: {"restart": "stale"}),),
    claim=r"\{i_j\}=\{0^{n},1,2,\dots,T\}",
)


# ------------------------------------------------------------------ shares and distributions


def _exact(speeds: tuple[float, ...]) -> bool:
    """Are sums of these durations free of rounding?"""
    return all(float(s * 1024).is_integer() for s in speeds)


fixed_speeds = Assumption(
    "fixed speeds, multiples of 1/1024 seconds",
    lambda P: P.clock.durations == "fixed" and P.clock.busy and _exact(P.clock.speeds),
)
memoryless = Assumption(
    "arrivals are i.i.d. and uniform", lambda P: not (P.clock.given or P.clock.speeds or P.noisy)
)


def _period(speeds: tuple[float, ...]) -> tuple[int, Array]:
    """Arrivals per hyperperiod of fixed speeds, in all and of each worker."""
    parts = [Fraction(s) for s in speeds]
    whole = Fraction(lcm(*(f.numerator for f in parts)), gcd(*(f.denominator for f in parts)))
    each = np.array([int(whole / f) for f in parts])
    return int(each.sum()), each


def _shares(equal: bool) -> Any:
    def shares(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        """Shares and mean delays over the second hyperperiod, in which everything repeats: (2, K)."""
        s, K = np.array(P.clock.speeds), P.workers
        total, _ = _period(P.clock.speeds)
        done = P.clock.schedule(2 * total)
        who, tau = done.worker[total:], done.delay[total:]
        counts = np.bincount(who, minlength=K)
        found = np.stack([counts / total, np.bincount(who, weights=tau, minlength=K) / counts])
        rates = np.ones(K) if equal else 1 / s
        return found, np.stack([rates / rates.sum(), s * rates.sum() - s * rates])

    return shares


def _geometric(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    """P(tau_T = j), j < T, over all orders of T + 1 arrivals, against the geometric law: (T,)."""
    K, T = P.workers, len(path.draws)
    prob, draw = m.law(P).at(0).atoms()
    state, chance = m.init(P, np.zeros((1, P.d))), np.ones(1)
    for _ in range(T):
        wide = tree_map(lambda a: a if type(a) is int else a[:, None], state)
        after = m.step(P, wide, tree_map(lambda a: a[None], draw))
        state = tree_map(lambda a: a if type(a) is int else a.reshape(-1, *a.shape[2:]), after)
        chance = (chance[:, None] * prob).ravel()
    tau = T - np.asarray(state.index)  # of the worker that delivers next: uniform
    found = [(chance[:, None] * (tau == j)).sum() / K for j in range(T)]
    return np.array(found), (1 - 1 / K) ** np.arange(T) / K


SHARES = Identity(
    source=SOURCE,
    method=ASGD,
    assumes=(fixed_speeds,),
    sides=_shares(equal=False),
    steps=1,
    tune=_tune,
    twins=(statement_with("equal shares", sides=_shares(equal=True)),),
    claim=r"\rho_k=\frac{1/s_k}{\sum_l 1/s_l},\quad \bar\tau_k=\sum_{l\ne k}s_k/s_l",
)

GEOMETRIC_DELAY = Identity(
    source=SOURCE,
    method=ASGD,
    assumes=(memoryless,),
    sides=_geometric,
    steps=6,
    tune=_tune,
    twins=(with_fields("stale restart", lambda P, m: {"restart": "stale"}),),
    claim=r"P(\tau=j)=\tfrac1n(1-\tfrac1n)^j",
)
