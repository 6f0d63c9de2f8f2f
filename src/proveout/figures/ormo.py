"""Figures of OrMo.

curves     logistic regression on a1a, n = 8 and 32 workers of equal speed or a quarter of them ten times slower:
           the gap over gradients, and over simulated seconds against synchronous SGD with momentum
critical   the largest stable effective step over n, round robin on a quadratic, exactly
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.figures.style import Panel, log_axis
from proveout.methods.asgd import ASGD, SMEGA2, NaiveASGDm, ShiftedMomentum, SSGDmRounds
from proveout.methods.ormo import OrMo
from proveout.problems import Quadratics, build
from proveout.problems.delays import Asynchronous, Order
from proveout.run import Trace, run
from proveout.theory.delays.periodic import critical_step

__all__ = ["PANELS"]

BETA = 0.9
STEPS = (0.1, 0.2, 0.4, 0.8)  # effective steps that are tried, in units of 1/L
ROUND_STEPS = (0.4, 0.8, 1.6, 3.2, 6.4, 12.8)  # the same of a synchronous round, for the sum of n gradients
METHODS: dict[str, Callable[[float], Any]] = {  # effective step -> method
    "naive": lambda g: NaiveASGDm(gamma=(1 - BETA) * g, beta=BETA),
    "ASGD": lambda g: ASGD(gamma=g),
    "shifted": lambda g: ShiftedMomentum(gamma=(1 - BETA) * g, beta=BETA),
    "SMEGA2": lambda g: SMEGA2(gamma=(1 - BETA) * g, beta=BETA),
    "OrMo": lambda g: OrMo(gamma=(1 - BETA) * g, beta=BETA),
}
COLOUR = {"naive": "C3", "ASGD": "C0", "shifted": "C4", "SMEGA2": "C2", "OrMo": "C1", "SSGDm": "C6"}


def best(P: Any, make: Callable[[float], Any], grid: Any, steps: int, seeds: int, seed: int) -> Trace:
    """The trace with the least mean gap over the last tenth of the run."""
    traces = [run(P, make(g / P.L), steps=steps, seeds=seeds, seed=seed) for g in grid]
    ends = [np.nan_to_num(t["gap"][-max(1, len(t.t) // 10) :].mean(), nan=np.inf) for t in traces]
    return traces[int(np.argmin(ends))]


def synchronous(P: Any, seconds: float, seeds: int, seed: int) -> Trace:
    """SSGDm for as long as that takes, its step chosen in the same way."""
    rounds = P.clock.rounds().block(np.random.default_rng(0), 0, 2000).cumsum()
    count = max(2, int(np.searchsorted(rounds, seconds)))
    grid = np.array(ROUND_STEPS) / P.workers
    return best(P, lambda g: SSGDmRounds(gamma=(1 - BETA) * g, beta=BETA), grid, count, seeds, seed)


def measure_curves(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Mean gaps over seeds, keyed "<setting>/<method>", with the gradients and seconds of their points."""
    settings = {"n = 8, equal": (8, ""), "n = 8, a quarter slow": (8, ",slow=.25")}
    steps, seeds, base = 2000, 8, "a1a,clients=1,kappa=1000"
    if quick:
        steps, seeds, base = 60, 2, "synthetic,clients=1,m=40,d=4,kappa=100"
    else:
        settings |= {"n = 32, equal": (32, ""), "n = 32, a quarter slow": (32, ",slow=.25")}
    data: dict[str, Any] = {"settings": list(settings)}
    for name, (n, slow) in settings.items():
        P = build(f"async:workers={n},clock=exp,batch=16{slow},seed={seed}/logistic:{base}")
        grid = STEPS[1:3] if quick else STEPS
        traces = {k: best(P, make, grid, steps, seeds, seed) for k, make in METHODS.items()}
        end = float(traces["OrMo"]["seconds"][-1, 0])
        traces["SSGDm"] = synchronous(P, 4 * end, seeds, seed)
        for k, trace in traces.items():
            data[f"{name}/{k}"] = trace["gap"].mean(axis=1)
            data[f"{name}/{k}/gradients"] = trace["gradients"][:, 0]
            data[f"{name}/{k}/seconds"] = trace["seconds"][:, 0]
            data[f"{name}/{k}/step"] = float(trace.method.gamma_eff * P.L)
    return data


def smooth(curve: Array, width: int = 7) -> Array:
    """Running median: (R,) -> (R,)."""
    padded = np.pad(curve, width // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=-1)


def draw_curves(fig: Any, data: dict[str, Any]) -> None:
    settings = data["settings"]
    axes = fig.subplots(2, len(settings), sharey=True, squeeze=False)
    for (top, bottom), name in zip(axes.T, settings, strict=True):
        for k in METHODS:
            top.plot(data[f"{name}/{k}/gradients"], smooth(data[f"{name}/{k}"]), color=COLOUR[k], label=k)
        for k in ("SSGDm", "ASGD", "OrMo"):
            t = np.maximum(data[f"{name}/{k}/seconds"], 0.3)
            bottom.plot(t, smooth(data[f"{name}/{k}"], 3), color=COLOUR[k], label=k)
        bottom.set_xscale("log")
        top.set_title(name)
        first = name == settings[0]
        log_axis(top, "gradients", r"$f(x)-f^\star$" if first else "")
        log_axis(bottom, "simulated seconds", r"$f(x)-f^\star$" if first else "")
    axes[0, 0].legend()
    axes[1, 0].legend()


def measure_critical(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """gamma_e L at which the one-period matrix has spectral radius 1, over n."""
    n = np.array([1, 2, 4] if quick else [1, 2, 3, 4, 6, 8, 11, 16, 23, 32])
    data: dict[str, Any] = {"n": n}
    unit = Quadratics(A=np.ones((1, 1, 1)), b=np.zeros((1, 1)))
    for k, make in METHODS.items():
        found = []
        for workers in n.tolist():
            m = make(0.01)
            P = Asynchronous(unit, Order(tuple(range(workers))))
            found.append(critical_step(P, m) * m.gamma_eff / m.gamma)
        data[k] = np.array(found)
    return data


def draw_critical(fig: Any, data: dict[str, Any]) -> None:
    left, right = fig.subplots(1, 2)
    n = data["n"]
    for k in METHODS:
        style = "--" if k == "SMEGA2" else "-"
        left.loglog(n, data[k], "o" + style, color=COLOUR[k], markersize=3, label=k)
        right.semilogx(n, data[k] / data["ASGD"], "o" + style, color=COLOUR[k], markersize=3)
    left.set_xlabel("workers, round robin")
    left.set_ylabel(r"largest stable $\gamma_e L$")
    left.legend()
    right.set_xlabel("workers, round robin")
    right.set_ylabel("the same, over that of ASGD")
    right.set_ylim(0, 6)
    for ax in (left, right):
        ax.set_xticks([k for k in (1, 2, 4, 8, 16, 32) if k <= n.max()])
        ax.set_xticks([], minor=True)
        ax.xaxis.set_major_formatter("{x:.0f}")


PANELS = {
    "curves": Panel(measure=measure_curves, draw=draw_curves, size=(11.0, 5.2)),
    "critical": Panel(measure=measure_critical, draw=draw_critical, size=(7.0, 3.2)),
}
