"""Races: methods with the parameters of their theorems, until a target, with everything that they cost.

    lineup(P, cohort, price)       who takes part, by name: GD, DIANA, SCAFFOLD, Scaffnew, 5GCS, CompressedScaffnew, TAMUNA
    race(P, runner)                medians at the finish |x - x*|^2 <= target |x_0 - x*|^2: rounds, gradients, reals, bits
    curves(P, lineups, ...)        TotalCom and gap along runs

Reals up and down, and bits, are those of the busiest client (of one that takes part); gradients are the component
gradients of all clients, over n.  TotalCom = up + price x down.  `predicted` is what the rate of the theorem says for
|x - x*|^2 in place of its Lyapunov function: p log(1/target) / (-log rate) rounds, p rounds per iteration.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.compressors import FLOAT_BITS
from proveout.methods.fedavg import FedAvg
from proveout.methods.gd import GD
from proveout.methods.proxskip import CompressedScaffnew, Scaffnew
from proveout.methods.tamuna import TamunaVirtual
from proveout.problems import Quadratics
from proveout.run import Trace, run
from proveout.theory import diana, fivegcs, fivegcs_cc, scaffold
from proveout.theory import tamuna as theory
from proveout.theory.fivegcs_cc.rules import tune_cc
from proveout.theory.statement import branches
from proveout.theory.tamuna.lyapunov import tune, tune_rounds

__all__ = [
    "FINISH",
    "LOCAL_STEPS",
    "TARGET",
    "Runner",
    "compressed_five_gcs",
    "compressed_scaffnew",
    "curves",
    "dianas",
    "fedavg",
    "five_gcs",
    "gradient_descent",
    "lineup",
    "local_scaffold",
    "lucky",
    "one_step_scaffold",
    "predicted",
    "race",
    "recipe",
    "scaffnew",
    "tamuna",
    "total",
]

TARGET = 1e-6  # of |x_0 - x*|^2
FINE = 4000  # recorded points of a race
SHARES = (0.02, 0.1, 0.25, 0.5, 1.0)  # of the steps that are allowed; runs are as long as they must be
LOCAL_STEPS = 32  # of SCAFFOLD, for which no theorem has a rule
FINISH = ("rounds", "gradients", "up", "down", "bits", "predicted")


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A method, and what a theorem says of it."""

    method: Any
    order: str = ""  # rounds over log(1/eps), up to constants
    rate: float | None = None  # the claimed factor per iteration, where a theorem speaks of these parameters
    p: float = 1.0  # rounds per iteration of that theorem, in the mean
    per_step: float = 1.0  # rounds per step of the method, in the mean
    most: int = 4000  # steps of a race, where nothing is claimed


def lucky(P: Any, m: Any) -> bool:
    """Is any draw random?"""
    return bool(m.law(P).count != 1)


def recipe(n: int, d: int, kappa: float = 1000.0, seed: int = 0) -> Quadratics:
    """Diagonal quadratics whose mean is as ill conditioned as they are: curvatures kappa^(j/(d-1)) U[.5, 1]."""
    rng = np.random.default_rng(seed)
    curved = np.clip(kappa ** np.linspace(0, 1, d) * rng.uniform(0.5, 1, (n, d)), 1, kappa)
    curved[:, 0], curved[:, -1] = 1, kappa
    return Quadratics(A=curved[:, :, None] * np.eye(d), b=rng.standard_normal((n, d)))


# ------------------------------------------------------------------ who takes part


def gradient_descent(P: Any) -> Runner:
    gap = (P.L_max - P.mu_min) / (P.L_max + P.mu_min)
    return Runner(method=GD(gamma=2 / (P.L_max + P.mu_min)), rate=float(gap**2), order="kappa")


def scaffnew(P: Any) -> Runner:
    rule = tune(P, cohort=P.n, s=P.n)
    m = Scaffnew(gamma=rule.gamma, p=rule.p)
    return Runner(method=m, rate=_of_tamuna(P, rule), p=m.p, per_step=m.p, order="sqrt(kappa)")


def compressed_scaffnew(P: Any, s: int) -> Runner:
    """TAMUNA with c = n, in the form where all clients are one batch."""
    rule = tune(P, cohort=P.n, s=s)
    m = CompressedScaffnew(gamma=rule.gamma, p=rule.p, chi=rule.chi, s=s)
    order = "sqrt(n kappa/s) + n/s"
    return Runner(method=m, rate=_of_tamuna(P, rule), p=m.p, per_step=m.p, order=order)


def tamuna(P: Any, cohort: int, s: int) -> Runner:
    """The round form: one step is one round."""
    m = tune_rounds(P, cohort=cohort, s=s)
    rate = _of_tamuna(P, tune(P, cohort=cohort, s=s))
    return Runner(method=m, rate=rate, p=m.p, order="sqrt(n kappa/s) + n/s")


def dianas(P: Any, k: int | None = None, price: float = 0.0) -> Runner:
    """Rand-k; by default the k with the least (k + price d) max{kappa (1 + 6 omega/n), 2 (1 + omega)}."""
    if k is None:
        ks = np.arange(1, P.d + 1)
        omega = P.d / ks - 1
        most = np.maximum(P.L_max / P.mu_min * (1 + 6 * omega / P.n), 2 * (1 + omega))
        k = int(ks[np.argmin((ks + price * P.d) * most)])
    m = diana.tune(P, k=k)
    claimed = _claimed(diana.LINEAR_CONVERGENCE, P, m)
    return Runner(method=m, rate=claimed, order="kappa (1 + omega/n) + omega")


def one_step_scaffold(P: Any, cohort: int) -> Runner:
    """One local step, with the step size of its theorem."""
    m = scaffold.tune(P, cohort=cohort)
    return Runner(method=m, rate=_claimed(scaffold.ONE_STEP_CONVERGENCE, P, m), order="kappa + n/C")


def local_scaffold(P: Any, cohort: int, local_steps: int = LOCAL_STEPS) -> Runner:
    """Many local steps of size 1/L_max: a tuned choice."""
    m = scaffold.tune(P, cohort=cohort, local_steps=local_steps, gamma_L=1.0)
    return Runner(method=m, order="kappa + n/C")


def fedavg(P: Any, cohort: int, local_steps: int = LOCAL_STEPS) -> Runner:
    """Local steps of size 1/L_max without control variates: its limit is not x*."""
    m = FedAvg(gamma=1 / P.L_max, cohort=cohort, local_steps=local_steps)
    return Runner(method=m, order="never", most=200)


def five_gcs(P: Any, cohort: int, local_steps: Any = "accelerated") -> Runner:
    m = fivegcs.tune(P, cohort=cohort, local_steps=local_steps)
    return Runner(method=m, rate=_claimed(fivegcs.LINEAR_CONVERGENCE, P, m), order="n/C + sqrt(n kappa/C)")


def compressed_five_gcs(P: Any, cohort: int, k: int | None = None) -> Runner:
    """Rand-k, by default k = d/C, about the best of its theory."""
    k = max(1, P.d // cohort) if k is None else k
    m = tune_cc(P, cohort=cohort, k=k, local_steps="rule")
    order = "(1+omega) n/C + sqrt((1+omega)(1+omega/C) n kappa/C)"
    return Runner(method=m, rate=_claimed(fivegcs_cc.CC_LINEAR_CONVERGENCE, P, m), order=order)


def _claimed(statement: Any, P: Any, m: Any) -> float:
    return float(max(branches(statement.rate(P, m))))


def _of_tamuna(P: Any, m: TamunaVirtual) -> float:
    return float(max(theory.rate(P, m)))


def lineup(P: Any, cohort: int | None = None, price: float = 0.0) -> dict[str, Runner]:
    """The methods that can run with that cohort, by name; s of TAMUNA and k of DIANA are the rules' for this price."""
    c = P.n if cohort is None else cohort
    s = tune(P, cohort=c, price=price).s
    local = {f"SCAFFOLD, {LOCAL_STEPS} steps": local_scaffold(P, c), "5GCS": five_gcs(P, c)}
    if c == P.n:
        sparse = dianas(P, price=price)
        whole = {"GD": gradient_descent(P), f"DIANA, k = {sparse.method.compressor.k}": sparse, **local}
        return {**whole, "Scaffnew": scaffnew(P), f"TAMUNA, s = {s}": compressed_scaffnew(P, s)}
    small = {f"TAMUNA, s = {s}": tamuna(P, c, s)} if s < c else {}
    return {**local, f"TAMUNA, s = c = {c}": tamuna(P, c, c), **small}


# ------------------------------------------------------------------ to the finish


def predicted(runner: Runner, target: float = TARGET) -> float:
    """Rounds that the claimed rate says; NaN where nothing is claimed."""
    if runner.rate is None:
        return math.nan
    return float(runner.p * math.log(1 / target) / -math.log(runner.rate))


def race(P: Any, runner: Runner, target: float = TARGET, seeds: int = 5, seed: int = 0) -> dict[str, float]:
    """Medians over seeds at the first recorded step where |x - x*|^2 <= target |x_0 - x*|^2 (`FINISH`).

    Infinite costs if that is not reached: within the rounds that the claimed rate says, or `runner.most` steps.
    """
    said = predicted(runner, target)
    steps = runner.most if math.isnan(said) else math.ceil(said / runner.per_step)
    trace = _arrival(P, runner.method, target, steps, seeds, seed)
    there = trace["dist2"] <= target * trace["dist2"][0]
    arrived, first, columns = there.any(axis=0), there.argmax(axis=0), np.arange(trace.seeds)
    costs = {name: trace[name] for name in FINISH[:-1]}
    costs["gradients"] = costs["gradients"] / P.n
    if not costs["bits"].any():  # not counted: every real is a float
        costs["bits"] = FLOAT_BITS * costs["up"]
    spent = {name: np.where(arrived, cost[first, columns], math.inf) for name, cost in costs.items()}
    return {**{name: float(np.median(cost)) for name, cost in spent.items()}, "predicted": said}


def _arrival(P: Any, m: Any, target: float, steps: int, seeds: int, seed: int) -> Trace:
    """A run until all seeds have arrived, `steps` at most; a longer run begins like a shorter one."""
    every = max(1, steps // FINE)
    for share in SHARES:
        some = min(steps, every * math.ceil(share * steps / every))
        trace = run(P, m, steps=some, seeds=seeds if lucky(P, m) else 1, seed=seed, every=every)
        if (trace["dist2"] <= target * trace["dist2"][0]).any(axis=0).all():
            break
    return trace


def total(finish: dict[str, Any], price: float) -> Any:
    """TotalCom = reals up + price x reals down."""
    return finish["up"] + price * finish["down"] if price else finish["up"]


# ------------------------------------------------------------------ along the way


def curves(
    P: Any, lineups: dict[float, dict[str, Runner]], *, reals: float, most: int, seeds: int, seed: int
) -> dict[tuple[float, str], tuple[Array, Array]]:
    """Per price and name TotalCom and the median gap over that of the start, until `reals` are spent or `most` steps made.

    A method that runs at several prices is run once.
    """
    every = [(price, name, one.method) for price, line in lineups.items() for name, one in line.items()]
    lengths: dict[Any, list[int]] = {}
    for price, _, m in every:
        lengths.setdefault(m, []).append(_steps(P, m, reals, price, most))
    traces = {m: _trace(P, m, steps, seeds if lucky(P, m) else 1, seed) for m, steps in lengths.items()}
    out = {}
    for price, name, m in every:
        spent = (traces[m]["up"] + price * traces[m]["down"]).mean(axis=1)
        gap = np.median(traces[m]["gap"], axis=1) / traces[m]["gap"][0, 0]
        out[price, name] = spent[spent <= reals], gap[spent <= reals]
    return out


def _trace(P: Any, m: Any, steps: list[int], seeds: int, seed: int) -> Trace:
    """About a hundred points of the shortest of several runs, and as long as the longest."""
    return run(P, m, steps=max(steps), seeds=seeds, seed=seed, every=max(1, min(steps) // 100))


def _steps(P: Any, m: Any, reals: float, price: float, most: int) -> int:
    """Steps after which a client has sent (and received) `reals`, on average."""
    draw = m.law(P).sample(np.random.default_rng(0), (4096,))
    cost = m.cost(P, draw)
    return int(min(most, reals / (np.mean(cost.up) + price * np.mean(cost.down))))
