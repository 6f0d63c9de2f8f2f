"""The comparison table of the federated papers, regenerated from measurements.

comparison   per method: rounds (measured, and what its rate predicts), gradients, TotalCom at price 0 and .1 until
             |x - x*|^2 <= 1e-6 |x_0 - x*|^2, on two recipes of quadratics and on logistic regression
crossover    rounds over kappa: who is below whom, from where on
"""

import math
from typing import Any

import numpy as np

from proveout.figures import race as r
from proveout.figures.style import Panel, log_axis
from proveout.problems import build

__all__ = ["PANELS", "measure_comparison", "measure_crossover", "rows", "table"]

PRICES = (0.0, 0.1)
HEAD = (
    "method",
    "rounds, order",
    "predicted",
    "rounds",
    "gradients",
    "up",
    "down",
    "bits",
    "price 0",
    "price .1",
)


# ------------------------------------------------------------------ the table


def starters(P: Any, k: int) -> dict[str, r.Runner]:
    """All methods, with everybody and with a fifth of the clients; k coordinates for DIANA."""
    few = max(2, P.n // 5)
    everybody = {
        "GD": r.gradient_descent(P),
        f"DIANA, k = {k}": r.dianas(P, k),
        "SCAFFOLD, 1 step": r.one_step_scaffold(P, P.n),
        f"SCAFFOLD, {r.LOCAL_STEPS} steps": r.local_scaffold(P, P.n),
        f"FedAvg, {r.LOCAL_STEPS} steps": r.fedavg(P, P.n),
        "5GCS": r.five_gcs(P, P.n),
        "Scaffnew": r.scaffnew(P),
        "CompressedScaffnew, s = 2": r.compressed_scaffnew(P, 2),
        "CompressedScaffnew, s = n/4": r.compressed_scaffnew(P, max(2, P.n // 4)),
    }
    some = {
        f"SCAFFOLD, {r.LOCAL_STEPS} steps": r.local_scaffold(P, few),
        "5GCS": r.five_gcs(P, few),
        "5GCS-CC, k = d/C": r.compressed_five_gcs(P, few),
        "TAMUNA, s = C": r.tamuna(P, few, few),
        "TAMUNA, s = 2": r.tamuna(P, few, 2),
    }
    return everybody | {f"{name}, C = n/5": runner for name, runner in some.items()}


def contests(seed: int, quick: bool) -> dict[str, tuple[Any, int]]:
    """Problem and DIANA's k, by name."""
    if quick:
        return {"quadratics, n = 10, d = 5": (r.recipe(10, 5, 30.0, seed), 1)}
    return {
        "quadratics, n = 50, d = 20": (r.recipe(50, 20, 1000.0, seed), 1),
        "quadratics, n = 20, d = 100": (r.recipe(20, 100, 1000.0, seed), 10),
        "logistic a1a, n = 20, d = 119": (build(f"logistic:a1a,clients=20,kappa=1000,seed={seed}"), 12),
    }


def measure_comparison(seed: int = 0, quick: bool = False, seeds: int = 5) -> dict[str, Any]:
    """Per problem: the methods, the orders of their rounds, and every cost at the finish."""
    problems = contests(seed, quick)
    out: dict[str, Any] = {"problems": np.array(list(problems))}
    for key, (P, k) in problems.items():
        runners = starters(P, k)
        finishes = [r.race(P, runner, seeds=seeds, seed=seed) for runner in runners.values()]
        out[f"{key} methods"] = np.array(list(runners))
        out[f"{key} order"] = np.array([runner.order for runner in runners.values()])
        for what in r.FINISH:
            out[f"{key} {what}"] = np.array([finish[what] for finish in finishes])
    return out


def rows(data: dict[str, Any], key: str) -> list[tuple[str, ...]]:
    """The table of one problem, in the columns of HEAD."""
    cost = {what: data[f"{key} {what}"] for what in r.FINISH}
    numbers = [cost[what] for what in ("predicted", "rounds", "gradients", "up", "down", "bits")]
    numbers += [r.total(cost, price) for price in PRICES]
    words = zip(data[f"{key} methods"], data[f"{key} order"], strict=True)
    return [(*word, *(_number(column[j]) for column in numbers)) for j, word in enumerate(words)]


def _number(value: float) -> str:
    return "–" if math.isnan(value) else "never" if math.isinf(value) else f"{value:.0f}"


def table(data: dict[str, Any]) -> str:
    """All problems as Markdown."""
    parts = []
    for key in data["problems"]:
        lines = [HEAD, ("---",) * len(HEAD), *rows(data, key)]
        parts.append(f"{key}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))
    return "\n\n".join(parts) + "\n"


def draw_comparison(fig: Any, data: dict[str, Any]) -> None:
    axes = fig.subplots(len(data["problems"]), 3, squeeze=False)
    for line, key in zip(axes, data["problems"], strict=True):
        cost = {what: data[f"{key} {what}"] for what in r.FINISH}
        y = np.arange(len(data[f"{key} methods"]))[::-1]
        totals = [r.total(cost, price) for price in PRICES]
        _bars(line[0], y, [cost["rounds"]], ["C0"])
        line[0].plot(cost["predicted"], y, "|", color="C1", markersize=9, markeredgewidth=2)
        _bars(line[1], y, [cost["gradients"]], ["C2"])
        _bars(line[2], y, totals, ["C0", "C3"])
        line[0].set_yticks(y, data[f"{key} methods"])
        line[0].set_title(f"{key}: rounds (mark: predicted)", loc="right")
        line[1].set_title("gradients per client")
        line[2].set_title(f"TotalCom, price {PRICES[0]:g} (above) and {PRICES[1]:g}")


def _bars(ax: Any, y: Any, values: list[Any], colours: list[str]) -> None:
    """A bar per number, one under the other, the number in it; `never` where a method does not arrive."""
    finite = np.concatenate([v[np.isfinite(v)] for v in values])
    low, height = finite.min() / 8, 0.76 / len(values)
    for k, (numbers, colour) in enumerate(zip(values, colours, strict=True)):
        at = y + height * ((len(values) - 1) / 2 - k)
        ax.barh(at, np.where(np.isfinite(numbers), numbers, low), color=colour, height=height)
        for place, number in zip(at, numbers, strict=True):
            if np.isfinite(number):
                ax.text(
                    number * 0.93, place, f"{number:.0f}", va="center", ha="right", color="white", fontsize=6
                )
            elif k == 0:
                ax.text(low * 1.2, place, "never", va="center", fontsize=6)
    ax.set_xscale("log")
    ax.set_xlim(low, 4 * finite.max())
    ax.set_yticks(y, [""] * len(y))
    ax.grid(axis="y", visible=False)


# ------------------------------------------------------------------ crossover


def measure_crossover(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Rounds to the target over kappa on the recipe, n = d = 20; and what the rates predict."""
    n, kappas = (5, (10.0, 100.0)) if quick else (20, tuple(10 ** (1 + 0.5 * j) for j in range(6)))
    out: dict[str, Any] = {"kappa": np.array(kappas), "n": n}
    found: dict[str, list[tuple[float, float]]] = {}
    for kappa in kappas:
        P = r.recipe(n, n, kappa, seed)
        for name, runner in _runners(P).items():
            finish = r.race(P, runner, seeds=3, seed=seed)
            found.setdefault(name, []).append((finish["rounds"], finish["predicted"]))
    for name, pairs in found.items():
        out[name], out[f"{name} predicted"] = np.array(pairs).T
    return out


def _runners(P: Any) -> dict[str, r.Runner]:
    few = max(2, P.n // 5)
    return {
        "GD": r.gradient_descent(P),
        "SCAFFOLD, 1 step": r.one_step_scaffold(P, P.n),
        "5GCS": r.five_gcs(P, P.n),
        "5GCS, C = n/5": r.five_gcs(P, few),
        "Scaffnew": r.scaffnew(P),
        "TAMUNA, s = C = n/5": r.tamuna(P, few, few),
    }


def draw_crossover(fig: Any, data: dict[str, Any]) -> None:
    ax = fig.subplots()
    names = [k for k in data if k not in ("kappa", "n") and not k.endswith(" predicted")]
    for j, name in enumerate(names):
        ax.plot(data["kappa"], data[name], "o-", color=f"C{j}", markersize=3, label=name)
        ax.plot(data["kappa"], data[f"{name} predicted"], ":", color=f"C{j}", linewidth=1)
    ax.set_xscale("log")
    log_axis(ax, r"$\kappa$", r"rounds until $\|x-x^\star\|^2$ fell by $10^6$ (dotted: predicted)")
    ax.set_title(f"quadratics, n = d = {data['n']}")
    ax.legend()


PANELS = {
    "comparison": Panel(measure=measure_comparison, draw=draw_comparison, size=(10.5, 10.0)),
    "crossover": Panel(measure=measure_crossover, draw=draw_crossover, size=(6.0, 4.4)),
}
