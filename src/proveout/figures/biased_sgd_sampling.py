"""Panel `sampling` of biased SGD: clients that come on their own, at the step sizes that theory allows.

Logistic regression on real data, every sample a client, with the nonconvex regulariser lam sum x_j^2/(1 + x_j^2), lam = 1;
gamma = 1/sqrt(L A K) for K iterations, from x_0 ~ N(0, I).

    mean over those who came, A = L_max/p                  the paper's rule
    the same, A = L_max (1 - (1-p)^n)                      what Jensen's inequality allows: all p alike
    unbiased sum, A = (1/p - 1) L_max/n, gamma <= 1/L      its comparator
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.figures.style import Panel, log_axis
from proveout.methods.biased_sgd import BiasedSGD
from proveout.methods.blocks.clientwise import SampledMean, SampledSum
from proveout.problems import build
from proveout.problems.data import load
from proveout.run import run

__all__ = ["SAMPLING", "measure", "rules"]

CHANCES = (0.01, 0.1, 0.5)
NAMES = ("mean of those who came, $A=L_{\\max}/p$", "the same, $A=L_{\\max}(1-(1-p)^n)$", "unbiased sum")


def rules(P: Any, p: float, steps: int) -> Iterator[tuple[str, BiasedSGD]]:
    """The three methods with their step sizes for K = steps iterations."""
    mean, total = SampledMean(probs=p), SampledSum(probs=p)
    for name, e, A in (
        ("paper", mean, P.L_max / p),
        ("corrected", mean, mean.abc(P).A),
        ("unbiased", total, total.abc(P).A),
    ):
        gamma = float(1 / np.sqrt(P.L * A * steps))
        yield name, BiasedSGD(gamma=min(1 / P.L, gamma) if name == "unbiased" else gamma, estimator=e)


def measure(seed: int = 0, quick: bool = False, data: str = "a1a") -> dict[str, Any]:
    """|grad f|^2 along one run of each method and p; `data` is a shipped set or the path of a LIBSVM file."""
    clients = 100 if quick else len(load(data).labels)
    steps = 300 if quick else 5000
    P = build(f"logistic:{data},clients={clients},nonconvex=1")
    x0 = np.random.default_rng(seed).standard_normal(P.d)
    found: dict[str, Any] = {"p": np.array(CHANCES), "L": P.L, "L_max": P.L_max, "steps": steps, "data": data}
    for p in CHANCES:
        for name, method in rules(P, p, steps):
            trace = run(P, method, steps=steps, every=10, x0=x0, seed=seed, measures={"G": _slope})
            found[f"{name} {p}"] = trace["G"][:, 0]
            found[f"gamma {name} {p}"] = method.gamma
            found["t"] = trace.t
    return found


def _slope(P: Any, m: Any, state: Any) -> Array:
    return sqnorm(P.grad(state.x))


def draw(fig: Any, data: dict[str, Any]) -> None:
    axes = fig.subplots(1, 3, sharey=True)
    for ax, name, title in zip(axes, ("paper", "corrected", "unbiased"), NAMES, strict=True):
        for k, p in enumerate(data["p"]):
            label = rf"$p={p:g}$, $\gamma={data[f'gamma {name} {p}']:.2g}$"
            ax.plot(data["t"], data[f"{name} {p}"], color=f"C{k}", linewidth=1.1, label=label)
        log_axis(ax, "iterations", r"$\|\nabla f(x_t)\|^2$" if name == "paper" else "")
        ax.set_title(title)
        ax.legend(loc="lower left" if name == "paper" else "upper right")


SAMPLING = Panel(measure=measure, draw=draw, size=(9.0, 3.2))
