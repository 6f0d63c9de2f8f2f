"""Figures of biased SGD.

map       the assumptions on estimators: every arrow with its constants, every missing one with its witness
sampling  clients that come on their own, on real data (`biased_sgd_sampling`)
top_k     at equal sparsity the biased compressor wins: top-k against rand-k on an ill-conditioned quadratic
"""

from typing import Any

import numpy as np

from proveout.figures.biased_sgd_map import MAP
from proveout.figures.biased_sgd_sampling import SAMPLING
from proveout.figures.style import Panel, log_axis
from proveout.methods.biased_sgd import BiasedSGD
from proveout.methods.blocks.compressors import RandK, TopK
from proveout.methods.blocks.estimators import Compressed
from proveout.problems.quadratics import Quadratics
from proveout.run import Trace, run

__all__ = ["PANELS"]

TARGET = 1e-4  # of f(x_0)
WINDOW = 9000  # iterations drawn


def ladder(d: int) -> Quadratics:
    """f = <x, diag(10^-2 .. 1) x>/2: mu = .01, L = 1."""
    return Quadratics(A=np.diag(np.logspace(-2, 0, d))[None], b=np.zeros((1, d)))


def compare(d: int, k: int, steps: int, seeds: int, seed: int) -> tuple[Trace, Trace]:
    """Top-k with gamma = 1/L and rand-k with its own largest step k/(d L), both from (1, .., 1)."""
    P, x0 = ladder(d), np.ones(d)
    top = BiasedSGD(gamma=1 / P.L, estimator=Compressed(TopK(k=k)))
    rand = BiasedSGD(gamma=k / (d * P.L), estimator=Compressed(RandK(k=k)))
    every = max(1, steps // 500)
    return (
        run(P, top, steps=steps, x0=x0, every=every),
        run(P, rand, steps=steps, seeds=seeds, x0=x0, every=every, seed=seed),
    )


def reached(P: Quadratics, method: Any, limit: int, seed: int) -> int:
    """The first step with f <= TARGET f(x_0), from (1, .., 1); -1 if that takes more than `limit`."""
    state = method.init(P, np.ones(P.d))
    goal, law = TARGET * P.value(state.x), method.law(P)
    rng = np.random.default_rng(seed)
    for t in range(limit):
        if P.value(state.x) <= goal:
            return t
        state = method.step(P, state, law.sample(rng, ()))
    return -1


def measure(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Curves of f/f(x_0) with k = 1, and the steps to TARGET over k."""
    d = 10 if quick else 50
    steps, seeds = (1200, 4) if quick else (WINDOW, 16)
    top, rand = compare(d, 1, steps, seeds, seed)
    P = ladder(d)
    f0 = float(P.value(np.ones(d)))
    gap = rand["gap"] / f0
    kept = np.array([1, 2, 5] if quick else [1, 2, 3, 5, 10, 25, 50])
    counts = {"top": [], "rand": []}  # type: dict[str, list[int]]
    for k in kept.tolist():
        t, r = (
            BiasedSGD(gamma=1 / P.L, estimator=Compressed(TopK(k=k))),
            BiasedSGD(gamma=k / (d * P.L), estimator=Compressed(RandK(k=k))),
        )
        counts["top"].append(reached(P, t, 4 * WINDOW, seed))
        counts["rand"].append(int(np.median([reached(P, r, 4 * WINDOW, seed + s) for s in range(3)])))
    bound = (1 - P.mu * (1 / P.L) * (1 / d)) ** top.t
    return {
        "t": top.t,
        "top": top["gap"][:, 0] / f0,
        "rand": np.median(gap, axis=1),
        "rand_low": gap.min(axis=1),
        "rand_high": gap.max(axis=1),
        "bound": bound,
        "kept": kept,
        "steps_top": np.array(counts["top"]),
        "steps_rand": np.array(counts["rand"]),
        "dimension": d,
    }


def draw(fig: Any, data: dict[str, Any]) -> None:
    left, right = fig.subplots(1, 2, width_ratios=(3, 2))
    t = data["t"]
    left.plot(t, data["top"], label="top-1, step 1/L", color="C0")
    left.plot(t, data["rand"], label="rand-1, step 1/(dL)", color="C1")
    left.fill_between(t, data["rand_low"], data["rand_high"], color="C1", alpha=0.25, linewidth=0)
    left.plot(t, data["bound"], "--", color="C7", label=r"guarantee of both, $(1-\mu/(dL))^t$")
    left.axhline(TARGET, color="C6", linewidth=0.8, linestyle=":")
    log_axis(left, "iterations", r"$f(x)/f(x_0)$")
    left.set_ylim(1e-7, 2)
    left.legend(loc="lower left")
    right.loglog(data["kept"], data["steps_rand"], "s-", color="C1", label="rand-k")
    right.loglog(data["kept"], data["steps_top"], "o-", color="C0", label="top-k")
    right.set_xlabel(f"coordinates kept, of {data['dimension']}")
    right.set_ylabel(r"iterations to $10^{-4}f(x_0)$")
    right.legend()


PANELS = {"map": MAP, "sampling": SAMPLING, "top_k": Panel(measure=measure, draw=draw, size=(7.0, 3.2))}
