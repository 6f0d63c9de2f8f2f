"""Tests of claims E X <= B for X >= 0, valid at any stopping time, and when a sample is enough for `holds`.

*Refuting.*  Y = X/B.  Under the claim every lam in [0, 1] makes prod_s (1 + lam (Y_s - 1)) a nonnegative
supermartingale from 1, and so does the mixture over a fixed grid,

    log W_n = logmeanexp_j sum_{s <= n} log(1 + lam_j (Y_s - 1)),     lam_j = 2^-j, j = 0..10.

Ville: P(sup_n W_n >= 1/alpha) <= alpha, so we may stop whenever we like; we refute at alpha = ALARM.

*Confirming.*  X >= 0 has deviations bounded on one side (mu - X <= mu), so the lower tail of the mean obeys
Bernstein's inequality with the variance v alone: with L = ln(1/beta), m the mean and s2 the variance of n runs,

    UCB = (m + sqrt(2 v L / n)) / (1 - 2 L / (3 n)),    v = VARIANCE s2,

`holds` iff UCB <= B and the guards pass.  Without an assumption, if X <= M surely: empirical Bernstein (Maurer
and Pontil, arXiv:0907.3740).
"""

import math

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import ALARM, MISS

__all__ = [
    "ASSUMPTION",
    "FEWEST",
    "LAMBDAS",
    "VARIANCE",
    "bounded_upper",
    "e_bh",
    "guard",
    "log_wealth",
    "refutes",
    "runs_that_refute",
    "terms_of_wealth",
    "upper",
]

LAMBDAS = 2.0 ** -np.arange(11)
VARIANCE = 4.0  # the variance is at most so many times the sample's
FEWEST = 500  # runs, below which nothing is confirmed
ASSUMPTION = (
    "assumes that the variance is at most 4 times the sample's; blind to paths rarer than 7/n = {:.2g}"
)


def terms_of_wealth(Y: Array) -> Array:
    """log(1 + lam_j (Y - 1)) of normalised runs: (...) -> (..., J); -inf allowed.  NaN counts as 0."""
    Y = np.nan_to_num(np.asarray(Y, float), nan=0.0, posinf=np.inf)[..., None]
    with np.errstate(all="ignore"):
        bets = np.log1p(LAMBDAS * (Y - 1))
    return np.where(np.isposinf(Y), np.inf, np.where(LAMBDAS * (Y - 1) <= -1, -np.inf, bets))


def log_wealth(Y: Array) -> Array:
    """log W_1, ..., log W_n of runs in their order: (n,) -> (n,).  Y = inf gives infinite wealth for ever."""
    with np.errstate(invalid="ignore"):  # inf - inf: an infinite run outweighs a lost bet
        total = np.cumsum(terms_of_wealth(Y), axis=0)
    return _log_mean_exp(np.where(np.isnan(total), np.inf, total))


def _log_mean_exp(a: Array) -> Array:
    """Over the last axis: (..., J) -> (...)."""
    top = a.max(axis=-1, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(all="ignore"):
        out = np.log(np.exp(a - safe).mean(axis=-1)) + safe[..., 0]
    return np.where(np.isinf(top[..., 0]), top[..., 0], out)


def refutes(logs: Array, alpha: float = ALARM) -> bool:
    """Did the wealth reach 1/alpha at some time?"""
    return bool(np.max(logs, initial=-np.inf) >= -math.log(alpha))


def runs_that_refute(defect: float, cv: float) -> float:
    """Runs that refute a claim too small by `defect` (relative) at coefficient of variation cv, up to a factor 2."""
    return max(14 / math.log1p(defect), 28 * (cv * (1 + defect) / defect) ** 2)


def upper(X: Array, beta: float = MISS) -> float:
    """The upper confidence bound of E X of the docstring; inf for fewer than 2 L/3 runs."""
    n, L = len(X), math.log(1 / beta)
    scale = 1 - 2 * L / (3 * n)
    if scale <= 0:
        return math.inf
    return float((X.mean() + math.sqrt(2 * VARIANCE * X.var(ddof=1) * L / n)) / scale)


def bounded_upper(X: Array, most: float, beta: float = MISS) -> float:
    """Empirical Bernstein for 0 <= X <= most: no assumption."""
    n, L = len(X), math.log(2 / beta)
    return float(X.mean() + math.sqrt(2 * X.var(ddof=1) * L / n) + 7 * most * L / (3 * (n - 1)))


def guard(X: Array) -> str | None:
    """Why this sample may not confirm anything; None if it may."""
    n = len(X)
    if n < FEWEST:
        return f"{n} runs, {FEWEST} needed to confirm"
    if not np.isfinite(X).all():
        return "some runs are not finite"
    mean, var = float(X.mean()), float(X.var(ddof=1))
    if var <= 1e-12 * mean**2:
        return "the sample has no variance"
    kurtosis = float(((X - mean) ** 4).mean() / var**2)
    if kurtosis > n / 100:
        return f"kurtosis {kurtosis:.3g} > n/100: {math.ceil(100 * kurtosis)} runs needed"
    if X.max() > 0.05 * X.sum():
        return "one run carries more than 5 % of the sum"
    return None


def e_bh(logs: Array, q: float = 1e-3) -> Array:
    """Which of m claims the e-BH procedure rejects at level q, from their log wealths: (m,) -> (m,) bool.

    Sorted downwards, the first k = max{j : W_(j) >= m/(j q)}; valid under any dependence (Wang and Ramdas,
    arXiv:2009.02824).
    """
    logs = np.asarray(logs, float)
    m = len(logs)
    order = np.argsort(-logs, kind="stable")
    passed = np.flatnonzero(logs[order] >= np.log(m / (np.arange(1, m + 1) * q)))
    chosen = np.zeros(m, bool)
    if len(passed):
        chosen[order[: passed[-1] + 1]] = True
    return chosen
