"""Figures of TAMUNA.

totalcom      gap over TotalCom = reals up + price x reals down, per client, on regularised logistic regression:
              full participation and a tenth of the clients, price 0 and .1
rounds        rounds and reals up until |x - x*|^2 <= 1e-6 |x_0 - x*|^2 on the deterministic recipe, and the
              rounds that the rate predicts
worst_factor  the claimed rate over chi, the exact worst factor of the function class, and typical states
even_steps    a constant even number of local steps with gamma = 2/(L+mu) stalls; odd, shorter or random ones do not
comparison, crossover      the table of the federated papers from measurements (`figures/comparison`)
"""

from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array, mean_clients, tree_map
from proveout.figures import comparison
from proveout.figures.race import (
    compressed_scaffnew,
    curves,
    gradient_descent,
    lineup,
    race,
    recipe,
    scaffnew,
    tamuna,
)
from proveout.figures.style import Panel, log_axis
from proveout.methods.tamuna import TamunaVirtual, VirtualState
from proveout.problems import Quadratics, build
from proveout.problems.quadratics import federated
from proveout.run import run
from proveout.theory import tamuna as theory
from proveout.theory.lenses import worstcase
from proveout.theory.statement import always, evaluate
from proveout.theory.tamuna.lyapunov import tune, tune_rounds

__all__ = [
    "PANELS",
    "measure_even_steps",
    "measure_rounds",
    "measure_totalcom",
    "measure_worst_factor",
    "recipe",
]

FLOOR = 1e-12  # gaps below are rounding


# ------------------------------------------------------------------ totalcom


METHOD_COLOURS = {  # the first that fits
    "GD": "C0",
    "DIANA": "C5",
    "SCAFFOLD": "C4",
    "5GCS": "C6",
    "Scaffnew": "C1",
    "TAMUNA, s = c": "C3",
    "TAMUNA": "C2",
}


USUAL = {"clients": 100, "kappa": 1000.0, "reals": 1.2e4, "seeds": 3, "most": 15_000}
QUICK = {"clients": 10, "kappa": 30.0, "reals": 1e3, "seeds": 2, "most": 2000}


def measure_totalcom(
    seed: int = 0, quick: bool = False, data: str = "mushrooms", **sizes: Any
) -> dict[str, Any]:
    """Curves of every method, per price and participation; `data` is a shipped set or the path of a LIBSVM file.

    sizes: clients, kappa; runs end when a client has spent `reals` or after `most` steps; `seeds` runs of each method.
    """
    size = {**(QUICK if quick else USUAL), **sizes}
    n = int(size["clients"])
    P = build(f"logistic:{data},clients={n},kappa={size['kappa']:g},seed={seed}")
    out: dict[str, Any] = {
        "prices": np.array([0.0, 0.1]),
        "cohorts": np.array([n, n // 5 if quick else n // 10]),
    }
    spend = {"reals": size["reals"], "most": size["most"], "seeds": size["seeds"], "seed": seed}
    for c in out["cohorts"]:
        lines = curves(P, {price: lineup(P, int(c), price) for price in out["prices"].tolist()}, **spend)
        for (price, name), (spent, gap) in lines.items():
            out[f"{price:g} {c} {name} x"] = spent
            out[f"{price:g} {c} {name} y"] = np.maximum(gap, FLOOR)
    return out


def draw_totalcom(fig: Any, data: dict[str, Any]) -> None:
    axes = fig.subplots(2, 2, sharey=True)
    for row, c in zip(axes, data["cohorts"], strict=True):
        for ax, price in zip(row, data["prices"], strict=True):
            start = f"{price:g} {c} "
            names = [k[len(start) : -2] for k in data if k.startswith(start) and k.endswith(" x")]
            for name in names:
                colour = next(c for kind, c in METHOD_COLOURS.items() if name.startswith(kind))
                ax.plot(data[f"{start}{name} x"] / 1000, data[f"{start}{name} y"], color=colour, label=name)
            ax.set_title(f"c = {c} of {data['cohorts'][0]} clients, price {price:g}")
            log_axis(
                ax, "TotalCom: thousand reals per client", "gap / gap at the start" if price == 0 else ""
            )
            ax.set_ylim(FLOOR, 3)
            ax.legend(loc="lower left", fontsize=7)


# ------------------------------------------------------------------ rounds


def measure_rounds(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Per problem and method: median rounds, reals up, and the rounds that the rate predicts."""
    sizes = ((10, 5),) if quick else ((50, 20), (20, 100))
    out: dict[str, Any] = {"problems": np.array([f"n = {n}, d = {d}" for n, d in sizes])}
    for n, d in sizes:
        P = recipe(n, d, 100.0 if quick else 1000.0, seed)
        table = {"GD": gradient_descent(P), "Scaffnew": scaffnew(P)}
        table |= {f"c = n, s = {s}": compressed_scaffnew(P, s) for s in (2, 5) if s < n}
        table["c = .2 n, s = c"] = tamuna(P, cohort=max(2, n // 5), s=max(2, n // 5))
        table["c = .5 n, s = 2"] = tamuna(P, cohort=n // 2, s=2)
        table["c = .2 n, s = 2"] = tamuna(P, cohort=max(2, n // 5), s=2)
        rows = [race(P, runner, seed=seed) for runner in table.values()]
        key = f"n = {n}, d = {d}"
        out[f"{key} methods"] = np.array(list(table))
        for what in ("rounds", "up", "predicted"):
            out[f"{key} {what}"] = np.array([row[what] for row in rows])
    return out


def draw_rounds(fig: Any, data: dict[str, Any]) -> None:
    axes = np.atleast_2d(fig.subplots(len(data["problems"]), 2, sharex="col"))
    for (left, right), key in zip(axes, data["problems"], strict=True):
        methods = list(data[f"{key} methods"])
        y = np.arange(len(methods))[::-1]
        for ax, what in ((left, "rounds"), (right, "up")):
            values = data[f"{key} {what}"]
            ax.barh(y, values, color="C0", height=0.6)
            for at, value in zip(y, values, strict=True):
                ax.text(value * 0.9, at, f"{value:.0f}", va="center", ha="right", color="white", fontsize=7)
            ax.set_xscale("log")
            ax.set_xlim(10, 8 * values.max())
            ax.set_yticks(y, methods if what == "rounds" else [""] * len(methods))
            ax.grid(axis="y", visible=False)
        left.plot(data[f"{key} predicted"], y, "|", color="C1", markersize=12)
        left.set_title(f"{key}: rounds (mark: predicted)")
        right.set_title(f"{key}: reals sent by a client")


# ------------------------------------------------------------------ worst factor


def measure_worst_factor(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Claim, worst case of the class (L = 10, mu = 1) and typical states on one instance, over chi / chi_max."""
    n, c, p = (4, 2, 0.5) if quick else (10, 2, 0.5)
    P = build(f"class:n={n},L=10,mu=1")
    instance = federated(n=n, d=3, kappa=10, basis="rotated", seed=seed)
    anyway = replace(theory.LINEAR_CONVERGENCE, allows=always)
    top = theory.chi_max(n, c)
    shares = np.linspace(0.2, 2.0, 7 if quick else 37)
    claim, exact, typical = [], [], []
    for share in shares:
        m = tune(P, cohort=c, s=c, p=p, chi_share=float(share))
        claim.append(max(theory.rate(P, m)))
        exact.append(worstcase.check(anyway, P, m).ratio * claim[-1])
        typical.append(_typical(instance, m, seed))
    return {
        "share": shares,
        "claim": np.array(claim),
        "exact": np.array(exact),
        "typical": np.array(typical),  # (chi, 3): least, median, largest of random states
        "cohort_share": theory.chi_max(c, c) / top,
        "n": n,
        "c": c,
    }


def _typical(P: Quadratics, m: TamunaVirtual, seed: int, many: int = 200) -> list[float]:
    """E Psi(next) / Psi at random states: least, median, largest."""
    rng = np.random.default_rng(seed)
    x, h = rng.standard_normal((2, many, 1, P.n, P.d))
    states = VirtualState(x=P.x_star + x, h=P.h_star + m.p / m.gamma * (h - mean_clients(h)))
    prob, draw = m.law(P).atoms()
    now = evaluate(theory.psi(P, m, states), P)[:, 0]
    new: Array = evaluate(theory.psi(P, m, m.step(P, states, tree_map(lambda a: a[None], draw))), P) @ prob
    return [float(q) for q in np.quantile(new / now, (0, 0.5, 1))]


def draw_worst_factor(fig: Any, data: dict[str, Any]) -> None:
    ax = fig.subplots()
    ax.fill_between(
        data["share"],
        data["typical"][:, 0],
        data["typical"][:, 2],
        color="C7",
        alpha=0.25,
        label="200 random states",
    )
    ax.plot(
        data["share"],
        data["exact"],
        color="C1",
        linewidth=3,
        alpha=0.6,
        label="worst case of the class (SDP)",
    )
    ax.plot(data["share"], data["claim"], "--", color="C0", label="claimed rate")
    ax.axvline(1, color="C6", linewidth=0.8)
    ax.text(1, ax.get_ylim()[0], r" $\chi_{\max}(n)$", va="bottom")
    ax.axvline(data["cohort_share"], color="C6", linewidth=0.8, linestyle=":")
    ax.text(data["cohort_share"], ax.get_ylim()[0], r"with $c$ for $n$ ", va="bottom", ha="right")
    ax.set_xlabel(r"$\chi / \chi_{\max}$")
    ax.set_ylabel(r"factor of $E\,\Psi$ per iteration")
    ax.set_title(f"n = {data['n']} clients, cohort {data['c']}, kappa = 10, p = 1/2")
    ax.legend()


# ------------------------------------------------------------------ even steps


def measure_even_steps(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """|x - x*|^2 over rounds on rotated quadratics, s = 2, for several counts of local steps."""
    n, d, kappa, rounds = (8, 4, 100, 400) if quick else (50, 20, 400, 6000)
    P = federated(n=n, d=d, kappa=kappa, basis="rotated", heterogeneity=1.0, seed=seed)
    out: dict[str, Any] = {"title": f"n = c = {n}, d = {d}, kappa = {kappa}, s = 2, gamma = 2/(L+mu)"}
    for name, counts, short in (
        ("3 steps", 3, False),
        ("4 steps", 4, False),
        ("5 steps", 5, False),
        ("geometric, mean 4", None, False),
        ("4 steps, gamma = 1/L", 4, True),
    ):
        m = tune_rounds(P, s=2, p=1 / (counts or 4), gamma_L=1.0 if short else None, local_steps=counts)
        trace = run(P, m, steps=rounds, seeds=2, seed=seed, every=max(1, rounds // 200))
        out["rounds"] = trace.t
        out[name] = np.maximum(trace["dist2"].mean(axis=1) / trace["dist2"][0].mean(), 1e-20)
    return out


def draw_even_steps(fig: Any, data: dict[str, Any]) -> None:
    ax = fig.subplots()
    for name in (k for k in data if k not in ("rounds", "title")):
        ax.plot(data["rounds"], data[name], label=name)
    log_axis(ax, "rounds", r"$\|x-x^\star\|^2 / \|x^0-x^\star\|^2$")
    ax.set_title(str(data["title"]))
    ax.legend()


PANELS = {
    "totalcom": Panel(measure=measure_totalcom, draw=draw_totalcom, size=(8.0, 6.0)),
    "rounds": Panel(measure=measure_rounds, draw=draw_rounds, size=(7.5, 5.0)),
    "worst_factor": Panel(measure=measure_worst_factor, draw=draw_worst_factor, size=(5.5, 3.6)),
    "even_steps": Panel(measure=measure_even_steps, draw=draw_even_steps, size=(5.5, 3.6)),
    **comparison.PANELS,
}
