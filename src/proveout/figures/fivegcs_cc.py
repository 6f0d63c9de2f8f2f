"""Figures of 5GCS-CC and 5GCS-AB.

uplink      rounds against their bound, and reals sent until |x - x*|^2 <= 1e-6 |x_0 - x*|^2, over the number k of
            coordinates kept, on the deterministic recipe; total cost for a real down at price 0 and .1
importance  rounds of uniform draws over rounds by importance, counted and predicted, over the spread of the L_i
clients     regularised logistic regression on many clients: compression and importance over rounds and reals sent
"""

from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.figures.style import Panel, log_axis
from proveout.methods.fivegcs_cc import FiveGCSAB
from proveout.problems import Quadratics, build
from proveout.run import run
from proveout.theory import fivegcs_cc as theory
from proveout.theory.fivegcs_cc.complexity import round_count

__all__ = ["PANELS", "measure_clients", "measure_importance", "measure_uplink", "recipe"]

TARGET = 1e-6  # of |x_0 - x*|^2
PRICES = (0.0, 0.1)
FLOOR = 1e-12  # gaps below are rounding


def recipe(n: int, d: int, kappa: float, spread: float = 1.0, seed: int = 0) -> Quadratics:
    """Diagonal quadratics whose mean is as ill conditioned as they are; L_i from kappa/spread to kappa."""
    rng = np.random.default_rng(seed)
    eig = np.clip(kappa ** np.linspace(0, 1, d) * rng.uniform(0.5, 1, (n, d)), 1, kappa)
    eig[:, 0], eig[:, -1] = 1, kappa
    eig = 1 + (eig - 1) * spread ** (np.linspace(0, 1, n)[:, None] - 1)
    return Quadratics(A=eig[:, :, None] * np.eye(d), b=rng.standard_normal((n, d)))


def _rounds(P: Any, m: Any, most: int, seeds: int, seed: int) -> float:
    """Median over seeds of the first recorded round below the target; nan if there is none."""
    trace = run(P, m, steps=most, seeds=seeds, seed=seed, every=max(1, most // 2000))
    there = trace["dist2"] <= TARGET * trace["dist2"][0]
    first = np.where(there.any(axis=0), trace.t[there.argmax(axis=0)].astype(float), np.nan)
    return float(np.median(first))


# ------------------------------------------------------------------ uplink


def measure_uplink(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Per k: median rounds, the bound of the corollary, and what is sent."""
    n, d, kappa, C = (6, 4, 10.0, 2) if quick else (20, 20, 1000.0, 5)
    P, kept = recipe(n, d, kappa, seed=seed), (4, 2, 1) if quick else (20, 14, 10, 7, 5, 4, 3, 2, 1)
    rounds, bound, steps = [], [], []
    for k in kept:
        m = theory.tune_cc(P, cohort=C, k=k)
        bound.append(round_count(n, kappa, C, m.omega) * np.log(1 / TARGET))
        rounds.append(_rounds(P, m, int(0.6 * bound[-1]) + 200, 1 if quick else 3, seed))
        steps.append(theory.tune_cc(P, cohort=C, k=k, local_steps="rule").solver.steps)
    return {
        "k": np.array(kept),
        "rounds": np.array(rounds),
        "bound": np.array(bound),
        "local_steps": np.array(steps),
        **{f"total {price:g}": np.array(rounds) * (np.array(kept) + price * d) for price in PRICES},
        "title": f"n = {n}, d = {d}, kappa = {kappa:g}, C = {C}",
        "best": d / C,
    }


def draw_uplink(fig: Any, data: dict[str, Any]) -> None:
    left, right = fig.subplots(1, 2)
    k = data["k"]
    left.plot(k, data["bound"], "--", color="C7", label="bound of the theorem")
    left.plot(k, data["rounds"], "o-", label="rounds, median")
    for price, colour in zip(PRICES, ("C0", "C1"), strict=True):
        cost = data[f"total {price:g}"] / 1000
        name = "reals up" if not price else f"up + {price:g} down"
        right.plot(k, cost, "o-", color=colour, label=name)
        at = int(np.nanargmin(cost))
        right.plot(k[at], cost[at], "o", color=colour, markersize=10, markerfacecolor="none")
    right.axvline(data["best"], color="C7", linewidth=0.8, linestyle=":")
    right.text(data["best"], right.get_ylim()[1], " $k = d/C$", va="top", color="C7")
    for ax, title in ((left, str(data["title"])), (right, "what a client's slot sends")):
        ax.set_xscale("log")
        ax.set_xticks(k, [str(one) for one in k])
        ax.minorticks_off()
        ax.set_xlabel("coordinates kept, k")
        ax.set_title(title)
        ax.legend()
    left.set_yscale("log")
    left.set_ylabel(r"rounds until $\|x-x^\star\|^2\leq 10^{-6}\,\|x^0-x^\star\|^2$")
    right.set_ylabel("thousand reals")
    right.set_ylim(0)


# ------------------------------------------------------------------ importance


def measure_importance(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Rounds of uniform draws over rounds by importance: counted, and 1/rho over 1/rho."""
    n, d, kappa = (5, 2, 100.0) if quick else (10, 3, 1e4)
    cohorts = (1,) if quick else (1, 2, 5)
    spreads = np.array([1.0, 100]) if quick else np.logspace(0, 4, 9)
    out: dict[str, Any] = {
        "spread": spreads,
        "cohorts": np.array(cohorts),
        "title": f"n = {n}, kappa = {kappa:g}",
    }
    for C in cohorts:
        table = np.array([_race(recipe(n, d, kappa, s, seed), C, 2 if quick else 6, seed) for s in spreads])
        for j, name in enumerate(("uniform", "importance", "uniform rho", "importance rho")):
            out[f"{C} {name}"] = table[:, j]
    return out


def _race(P: Quadratics, C: int, seeds: int, seed: int) -> list[float]:
    """Median rounds, and 1/rho, of uniform draws and of draws by importance."""
    rounds, rho = [], []
    for kind in ("multi", "importance"):
        m: FiveGCSAB = theory.tune_ab(P, sampling=kind, cohort=C, mu_share=0.999)
        rho.append(1 / (1 - max(theory.rate_ab(P, m))))
        rounds.append(_rounds(P, m, int(10 * rho[-1]), seeds, seed))
    return [*rounds, *rho]


def draw_importance(fig: Any, data: dict[str, Any]) -> None:
    left, right = fig.subplots(1, 2)
    for j, C in enumerate(data["cohorts"]):
        colour, times = f"C{j}", data[f"{C} uniform"] / data[f"{C} importance"]
        predicted = data[f"{C} uniform rho"] / data[f"{C} importance rho"]
        left.plot(data["spread"], predicted, "-", color=colour, linewidth=3, alpha=0.35)
        left.plot(data["spread"], times, "o", color=colour, label=f"C = {C}")
        right.plot(data["spread"], data[f"{C} uniform"], "s--", color=colour)
        right.plot(data["spread"], data[f"{C} importance"], "o-", color=colour)
    left.plot([], [], "-", color="C7", linewidth=3, alpha=0.35, label="predicted, ratio of the rates")
    right.plot([], [], "s--", color="C7", label="uniform")
    right.plot([], [], "o-", color="C7", label="importance")
    for ax in (left, right):
        ax.set_xscale("log")
        ax.set_xlabel(r"$L_{\max}/L_{\min}$")
        ax.legend()
    left.set_ylabel("rounds of uniform draws / by importance")
    left.set_ylim(0.9)
    right.set_yscale("log")
    right.set_ylabel(r"rounds until $10^{-6}$")
    left.set_title(str(data["title"]))
    right.set_title("rounds, C draws each")


# ------------------------------------------------------------------ clients


def measure_clients(
    seed: int = 0,
    quick: bool = False,
    data: str = "mushrooms",
    clients: int = 100,
    cohort: int = 10,
    kappa: float = 100.0,
    rounds: int = 0,
    split: str = "label",
) -> dict[str, Any]:
    """Gap over rounds and reals sent; `data` is a shipped set or the path of a LIBSVM file."""
    if quick:
        clients, cohort, kappa, rounds = 10, 2, 5.0, rounds or 40
    P = build(f"logistic:{data},clients={clients},kappa={kappa:g},split={split},seed={seed}")
    C, d, steps = cohort, P.d, rounds or 1500
    contestants: dict[str, Any] = {"all coordinates": theory.tune_cc(P, cohort=C)}
    for k in (max(1, d // 2), max(1, d // C)):
        contestants[f"k = {k} of {d}"] = theory.tune_cc(P, cohort=C, k=k)
    for kind, name in (("multi", "uniform draws"), ("importance", "by importance")):
        contestants[name] = theory.tune_ab(P, sampling=kind, cohort=C)
    out: dict[str, Any] = {
        "names": np.array(list(contestants)),
        "spread": P.L_i.max() / P.L_i.min(),
        "title": f"{data.rsplit('/', 1)[-1]}, n = {P.n}, d = {d}, C = {C}, kappa = {kappa:g}",
    }
    for name, m in contestants.items():
        trace = run(P, m, steps=steps, seeds=1, seed=seed, every=max(1, steps // 80))
        out[f"{name} rounds"] = trace.t
        out[f"{name} up"] = trace["up"].mean(axis=1)
        out[f"{name} gap"] = _relative(trace["gap"])
        out[f"{name} gradients"] = trace["gradients"].mean(axis=1)
    return out


def _relative(gap: Array) -> Array:
    return np.maximum(gap.mean(axis=1) / gap[0].mean(), FLOOR)


def draw_clients(fig: Any, data: dict[str, Any]) -> None:
    left, right = fig.subplots(1, 2, sharey=True)
    for name in data["names"]:
        dashes = "--" if "draws" in name or "importance" in name else "-"
        left.plot(data[f"{name} rounds"], data[f"{name} gap"], dashes)
        right.plot(data[f"{name} up"] / 1000, data[f"{name} gap"], dashes, label=name)
    log_axis(left, "rounds", "gap / gap at the start")
    log_axis(right, "thousand reals sent by a client's slot", "")
    left.set_title(str(data["title"]))
    right.set_title(rf"$L_{{\max}}/L_{{\min}}$ = {float(data['spread']):.2f}")
    right.legend(loc="upper right")


PANELS = {
    "uplink": Panel(measure=measure_uplink, draw=draw_uplink, size=(7.5, 3.4)),
    "importance": Panel(measure=measure_importance, draw=draw_importance, size=(7.5, 3.4)),
    "clients": Panel(measure=measure_clients, draw=draw_clients, size=(7.5, 3.4)),
}
