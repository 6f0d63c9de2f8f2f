"""Figures of RR-CLI: every client once per meta-epoch (a fresh order, or one order for ever) against fresh cohorts.

floors   stationary error over the client step: exactly, on small quadratics; measured, on the deterministic recipe and
         on real data (mushrooms; any LIBSVM file by path)
rounds   error after T rounds at the best step, with fitted exponents and their confidence bands
"""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from proveout.arrays import Array
from proveout.figures.style import Panel, log_axis
from proveout.methods.fedavg import FedAvg
from proveout.problems import FiniteSums, Quadratics, build
from proveout.problems.sums import group
from proveout.run import run
from proveout.theory.fedavg.stationary import stationary_error
from proveout.theory.rr_cli import basic

__all__ = ["PANELS", "recipe"]

RULES = {"reshuffle": "reshuffled", "once": "shuffled once", "fresh": "fresh cohorts"}
COLOUR = {"reshuffle": "C0", "once": "C2", "fresh": "C1"}
LEVEL = 0.95  # of the confidence bands


def recipe(n: int = 20, m: int = 5, d: int = 10, seed: int = 0) -> FiniteSums:
    """Diagonal quadratics: eigenvalues clip(20^(k/(d-1)) u, 1, 20), b_ij = N(0, I)_i + N(0, I)_ij/2."""
    rng = np.random.default_rng(seed)
    eig = np.clip(20 ** np.linspace(0, 1, d) * rng.uniform(0.5, 1, (n * m, d)), 1, 20)
    eig[:, 0], eig[:, -1] = 1, 20
    b = np.repeat(rng.standard_normal((n, d)), m, axis=0) + rng.standard_normal((n * m, d)) / 2
    return group(Quadratics(A=eig[:, :, None] * np.eye(d), b=b), m)


def method(P: Any, rule: str, cohort: int, factor: float, seed: int) -> Any:
    """Basic choice with gamma = factor/L, or FedAvg with the same local work."""
    m = basic(P, cohort, factor, seed=seed)
    if rule == "fresh":
        return FedAvg(gamma=m.gamma, cohort=cohort, order="pass")
    return replace(m, order=rule)


def slope(x: Array, y: Array) -> Array:
    """Exponents of y ~ x^s, one per row of y: (K,), (S, K) -> (S,)."""
    u = np.log(x) - np.log(x).mean()
    return np.asarray(np.log(y) @ u / (u @ u))


def band(values: Array) -> tuple[float, float]:
    """(mean, half width of its LEVEL confidence interval) of independent numbers."""
    n = len(values)
    if n < 2:
        return float(values.mean()), float("nan")
    half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return float(values.mean()), float(half)


# ------------------------------------------------------------------ floors


def measured_floor(P: Any, rule: str, cohort: int, factor: float, seed: int, seeds: int) -> float:
    """Mean |x - x*|^2 at the ends of meta-epochs, over the second half of a run from x*."""
    m, R = method(P, rule, cohort, factor, seed), P.n // cohort
    settle = P.L_parts / (factor * P.mu_parts * P.m * R)  # meta-epochs in which errors fall by e
    epochs = int(np.clip(6 * settle, 20, 3000))
    per = R if rule == "fresh" else 1
    trace = run(P, m, steps=per * epochs, seeds=seeds, x0=P.x_star, every=per, seed=seed)
    return float(trace["dist2"][epochs // 2 :].mean())


def measure_floors(
    seed: int = 0, quick: bool = False, data: str = "mushrooms", clients: int = 20
) -> dict[str, Any]:
    """Arrays (problems, steps) per setting and rule, keyed "<setting>/<rule>"."""
    small = [
        f"quadratic:n=4,d=2,m=2,kappa=20,basis=rotated,seed={seed + k}" for k in range(3 if quick else 8)
    ]
    real = f"logistic:{data},clients={clients},parts=4,kappa=100,split=label"
    settings: dict[str, tuple[list[Any], int, Any]] = {
        "n = 4, C = 2, exact": ([build(s) for s in small], 2, 0.4 * 0.5 ** np.arange(4 if quick else 8)),
        "n = 20, C = 2": ([recipe(seed=seed + k) for k in range(3)], 2, 10 ** -np.linspace(0, 2, 5)),
        f"{data}, n = {clients}, C = 4": ([build(real)], 4, 10 ** -np.linspace(0, 1.5, 4)),
    }
    if quick:
        settings = dict(list(settings.items())[:1])
    out: dict[str, Any] = {"settings": list(settings)}
    for name, (problems, cohort, factors) in settings.items():
        out[f"{name}/steps"] = factors
        for rule in RULES:
            rows = []
            for k, P in enumerate(problems):
                if "exact" in name:
                    rows.append([stationary_error(P, method(P, rule, cohort, f, seed + k)) for f in factors])
                else:
                    rows.append([measured_floor(P, rule, cohort, f, seed + k, 8) for f in factors])
            out[f"{name}/{rule}"] = np.array(rows)
    return out


def draw_floors(fig: Any, data: dict[str, Any]) -> None:
    axes = fig.subplots(1, len(data["settings"]), squeeze=False)[0]
    for ax, name in zip(axes, data["settings"], strict=True):
        x = data[f"{name}/steps"]
        for rule, label in RULES.items():
            y = data[f"{name}/{rule}"]
            last = slice(max(0, len(x) - 3), None)
            mean, half = band(slope(x[last], y[:, last]))
            text = f"{label}: {mean:.2f}" + ("" if np.isnan(half) else rf" $\pm$ {half:.2f}")
            ax.plot(x, np.exp(np.log(y).mean(axis=0)), "o-", color=COLOUR[rule], markersize=3, label=text)
            ax.fill_between(x, y.min(axis=0), y.max(axis=0), color=COLOUR[rule], alpha=0.15, linewidth=0)
        ax.set_xscale("log")
        log_axis(ax, r"client step $\gamma L$", r"stationary $E\,\|x-x^\star\|^2$" if ax is axes[0] else "")
        ax.set_title(name)
        ax.legend(title="slope at small steps")


# ------------------------------------------------------------------ rounds


def best_errors(
    P: Any, rule: str, cohort: int, rounds: Array, factors: Array, seed: int, seeds: int
) -> Array:
    """Least over the steps of the mean |x - x*|^2 after so many rounds, from x_0 = 0: (rounds,)."""
    R, found = P.n // cohort, []
    per = R if rule == "fresh" else 1
    for f in factors:
        m = method(P, rule, cohort, float(f), seed)
        trace = run(P, m, steps=int(rounds[-1]) // R * per, seeds=seeds, every=per, seed=seed)
        found.append(trace["dist2"].mean(axis=1)[rounds // R])
    return np.asarray(np.nan_to_num(found, nan=np.inf).min(axis=0))


def measure_rounds(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """(problems, rounds) of errors per rule on the recipe."""
    rounds = 100 * 2 ** np.arange(2 if quick else 6)
    factors = 10 ** -np.linspace(0, 2.4, 3 if quick else 11)
    problems = [
        recipe(**({"n": 4, "d": 2, "m": 2} if quick else {}), seed=seed + k) for k in range(2 if quick else 4)
    ]
    out: dict[str, Any] = {
        "rounds": rounds,
        "title": f"n = {problems[0].n}, C = 2, m = {problems[0].m}: best step",
    }
    for rule in RULES:
        rows = [
            best_errors(P, rule, 2, rounds, factors, seed + k, 2 if quick else 4)
            for k, P in enumerate(problems)
        ]
        out[rule] = np.array(rows)
    return out


def draw_rounds(fig: Any, data: dict[str, Any]) -> None:
    ax, x = fig.subplots(), data["rounds"]
    for rule, label in RULES.items():
        y = data[rule]
        mean, half = band(slope(x, y))
        centre = np.log(y).mean(axis=0)
        text = rf"{label}: $T^{{{mean:.2f} \pm {half:.2f}}}$"
        ax.plot(x, np.exp(centre), "o-", color=COLOUR[rule], markersize=4, label=text)
        u = np.log(x) - np.log(x).mean()
        for ends in ((mean - half, mean + half),):
            low, high = (np.exp(centre.mean() + s * u) for s in ends)
            ax.fill_between(
                x, np.minimum(low, high), np.maximum(low, high), color=COLOUR[rule], alpha=0.2, linewidth=0
            )
    ax.set_xscale("log")
    log_axis(ax, "rounds T", r"$E\,\|x-x^\star\|^2$ at the best step")
    ax.set_xticks(x, [str(int(t)) for t in x])
    ax.set_xticks([], minor=True)
    ax.set_title(str(data["title"]))
    ax.legend(title=f"fitted exponent, {LEVEL:.0%} band over problems")


PANELS = {
    "floors": Panel(measure=measure_floors, draw=draw_floors, size=(10.5, 3.6)),
    "rounds": Panel(measure=measure_rounds, draw=draw_rounds, size=(5.5, 3.8)),
}
