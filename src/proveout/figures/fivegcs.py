"""Figures of 5GCS.

cohorts      rounds until |x - x*|^2 <= 1e-6 |x_0 - x*|^2 over the cohort's size, on the deterministic recipe: exact
             prox, K steps of GD, twice the primal step; the bound of the theory and the line sqrt(n/C)
local_steps  without local work the accelerated steps diverge: error over rounds for several K, and the exact factor
             of the squared error per round over K for several kappa, all clients in every round
real         regularised logistic regression: error over rounds and over participations of clients, several cohorts,
             GD and Scaffnew
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import tree_map
from proveout.figures.style import Panel, log_axis
from proveout.figures.tamuna import recipe
from proveout.methods.blocks.solvers import GD as LocalGD
from proveout.methods.blocks.solvers import Exact
from proveout.methods.fivegcs import FiveGCS, State
from proveout.methods.gd import GD
from proveout.methods.proxskip import Scaffnew
from proveout.problems import build
from proveout.run import run
from proveout.theory.fivegcs import star, tune

__all__ = ["PANELS", "bound", "growth", "measure_cohorts", "measure_local_steps", "measure_real", "rounds"]

TARGET = 1e-6  # of |x_0 - x*|^2
FLOOR = 1e-12  # gaps below are rounding
LOCAL_STEPS = 5  # on real data
BLOWN_UP = 1e6  # of the start: a run that has diverged


def rounds(P: Any, m: Any, limit: int, seeds: int = 1, seed: int = 0) -> float:
    """Median rounds until the target; nan if it is not reached within `limit`."""
    with np.errstate(all="ignore"):
        trace = run(P, m, steps=limit, seeds=seeds, seed=seed, every=1)
    there = trace["dist2"] <= TARGET * trace["dist2"][0]
    return float(np.median(np.where(there.any(axis=0), there.argmax(axis=0), np.nan)))


def bound(P: Any, m: FiveGCS) -> float:
    """max{1 + 16 Z/3, n/C + 3 Z/8} log(1/target), Z = sqrt(n kappa/C)."""
    n, C = P.n, m.cohort
    Z = math.sqrt(n / C * P.L_max / m.mu)
    return float(max(1 + 16 * Z / 3, n / C + 3 * Z / 8) * math.log(1 / TARGET))


# ------------------------------------------------------------------ cohorts


def measure_cohorts(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Rounds for every cohort size: bound, exact prox, K = 3, twice the primal step, and GD with everybody."""
    n, d, condition = (4, 3, 10.0) if quick else (20, 20, 1000.0)
    P = recipe(n, d, condition, seed)
    cohorts = [1, 2, 4] if quick else [1, 2, 3, 5, 7, 10, 14, 20]
    out: dict[str, list[float]] = {"bound": [], "exact": [], "K = 3": [], "twice gamma": []}
    for C in cohorts:
        m = tune(P, cohort=C, local_steps=math.inf)
        limit = int(0.6 * bound(P, m))
        out["bound"].append(bound(P, m))
        out["exact"].append(rounds(P, m, limit, seed=seed))
        out["K = 3"].append(rounds(P, replace(m, solver=LocalGD(steps=3)), limit, seed=seed))
        out["twice gamma"].append(rounds(P, replace(m, gamma=2 * m.gamma), limit // 2, seed=seed))
    descent = GD(gamma=2 / (P.L_max + P.mu_min))
    return {
        "cohort": np.array(cohorts),
        **{k: np.array(v) for k, v in out.items()},
        "gd": rounds(P, descent, int(10 * condition)),
        "title": f"n = {n}, d = {d}, kappa = {condition:g}",
    }


def draw_cohorts(fig: Any, data: dict[str, Any]) -> None:
    ax = fig.subplots()
    C = data["cohort"]
    ax.plot(C, data["bound"], "--", color="C7", label="bound of the theory")
    ax.plot(C, data["exact"][-1] * np.sqrt(C[-1] / C), "-", color="C4", linewidth=4, alpha=0.5)
    ax.plot([], [], "-", color="C4", linewidth=4, alpha=0.5, label=r"$T_n\sqrt{n/C}$")
    ax.plot(C, data["exact"], "o", color="C0", label="exact prox")
    ax.plot(C, data["K = 3"], "x", color="C1", markersize=8, label="K = 3 steps of GD")
    ax.plot(C, data["twice gamma"], "s", color="C2", markersize=4, label=r"exact prox, $2\gamma$")
    ax.axhline(data["gd"], color="C6", linewidth=0.8)
    ax.text(C[-1], data["gd"] * 1.04, "GD, all clients", va="bottom", ha="right", fontsize=7)
    ax.set_xscale("log")
    ax.set_xticks(C, [str(c) for c in C])
    ax.minorticks_off()
    log_axis(ax, "cohort C", r"rounds until $\|x-x^\star\|^2\leq 10^{-6}\|x^0-x^\star\|^2$")
    ax.set_title(data["title"])
    ax.legend(loc="upper right", fontsize=7)


# ------------------------------------------------------------------ local steps

SOLVERS = {f"K = {k}": LocalGD(steps=k) for k in (0, 1, 2)} | {"exact prox": Exact()}


def growth(P: Any, m: FiveGCS) -> float:
    """Squared spectral radius of a round without luck: the factor of the squared error per round."""
    n, d, at = P.n, P.d, star(P, m)
    y = np.eye((n + 1) * d).reshape(-1, n + 1, d)
    state = State(x=at.x + y[:, 0], h=at.h + y[:, 1:], h_sum=at.h_sum + y[:, 1:].sum(axis=1))
    new = m.step(P, state, tree_map(lambda a: a[0], m.law(P).atoms()[1]))
    moved = np.concatenate([(new.x - at.x)[:, None, :], new.h - at.h], axis=1)
    return float(np.abs(np.linalg.eigvals(moved.reshape(len(y), -1))).max() ** 2)


def measure_local_steps(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """|x - x*|^2 over rounds for several K with all clients, and the factor per round over K for several kappa."""
    n, d, condition, steps = (4, 3, 100.0, 60) if quick else (20, 20, 1000.0, 1500)
    P = recipe(n, d, condition, seed)
    conditions, most = ([30.0, 100.0], 3) if quick else ([1e2, 1e3, 1e4, 1e5], 30)
    out: dict[str, Any] = {"n": n, "kappa": condition, "names": list(SOLVERS), "K": np.arange(most + 1)}
    for name, solver in SOLVERS.items():
        with np.errstate(all="ignore"):
            trace = run(P, replace(tune(P), solver=solver), steps=steps, seed=seed, every=1)
            error = trace["dist2"][:, 0] / trace["dist2"][0, 0]
        out[name] = np.where(error < BLOWN_UP, error, np.nan)
    for k in conditions:
        Q = recipe(3, 4 if quick else 30, k, seed)
        out[f"kappa = {k:g}"] = np.array(
            [growth(Q, replace(tune(Q), solver=LocalGD(steps=K))) for K in out["K"]]
        )
    return out


def draw_local_steps(fig: Any, data: dict[str, Any]) -> None:
    left, right = fig.subplots(1, 2)
    for name, style in zip(data["names"], ("-", "-", "-", "--"), strict=True):
        left.plot(np.arange(len(data[name])) + 1, data[name], style, label=name)
    log_axis(left, "rounds", r"$\|x-x^\star\|^2 / \|x^0-x^\star\|^2$")
    left.set_xscale("log")
    left.set_title(f"C = n = {data['n']}, kappa = {data['kappa']:g}")
    left.legend(loc="lower left")
    for name in (k for k in data if k.startswith("kappa = ")):
        right.plot(data["K"], data[name], "o-", markersize=4, label=name)
    right.axhline(1, color="C6", linewidth=0.8)
    log_axis(right, "local steps K", "factor of the squared error per round")
    right.set_title("C = n")
    right.legend()


# ------------------------------------------------------------------ real data


def measure_real(seed: int = 0, quick: bool = False, data: str = "mushrooms") -> dict[str, Any]:
    """Curves of 5GCS with several cohorts, GD and Scaffnew; `data` is a shipped set or the path of a LIBSVM file."""
    n, condition, steps = (5, 10, 40) if quick else (20, 1000, 2000)
    P = build(f"logistic:{data},clients={n},kappa={condition},seed={seed}")
    out: dict[str, Any] = {"title": f"{data}: n = {n} clients, kappa = {condition}"}
    for name, m, clients in _contestants(P):
        length = int(steps / m.p) if isinstance(m, Scaffnew) else steps
        trace = run(P, m, steps=length, seed=seed, every=max(1, length // 300))
        done = trace["gap"][:, 0] / trace["gap"][0, 0]
        made = trace["rounds"][:, 0] if not isinstance(m, GD) else trace.t
        alive = np.append(True, done[:-1] > FLOOR)  # up to the first point at rounding
        out[f"{name} rounds"], out[f"{name} clients"] = made[alive], clients * made[alive]
        out[f"{name} gap"] = np.maximum(done[alive], FLOOR)
    return out


def _contestants(P: Any) -> list[tuple[str, Any, int]]:
    """(name, method, clients per round)."""
    gamma = 2 / (P.L_max + P.mu_min)
    found: list[tuple[str, Any, int]] = [
        ("GD", GD(gamma=gamma), P.n),
        ("Scaffnew", Scaffnew(gamma=gamma, p=math.sqrt(P.mu_min / P.L_max)), P.n),
    ]
    for C in (P.n, max(2, P.n // 4), 1):
        m = tune(P, cohort=C)
        found.append(
            (f"5GCS, C = {C}", replace(m, solver=LocalGD(steps=min(LOCAL_STEPS, m.solver.steps))), C)
        )
    return found


def draw_real(fig: Any, data: dict[str, Any]) -> None:
    names = [k.removesuffix(" gap") for k in data if k.endswith(" gap")]
    axes = fig.subplots(1, 2, sharey=True)
    for ax, what, label in zip(
        axes, ("rounds", "clients"), ("rounds", "participations of clients"), strict=True
    ):
        for name in names:
            ax.plot(np.maximum(data[f"{name} {what}"], 1), data[f"{name} gap"], label=name)
        log_axis(ax, label, "gap / gap at the start" if what == "rounds" else "")
        ax.set_xscale("log")
        ax.set_ylim(FLOOR, 3)
    axes[0].set_title(data["title"])
    axes[1].set_title(f"K = {LOCAL_STEPS} local steps")
    axes[1].legend(loc="lower left", fontsize=7)


PANELS = {
    "cohorts": Panel(measure=measure_cohorts, draw=draw_cohorts, size=(5.5, 4.0)),
    "local_steps": Panel(measure=measure_local_steps, draw=draw_local_steps, size=(7.5, 3.6)),
    "real": Panel(measure=measure_real, draw=draw_real, size=(7.5, 3.6)),
}
