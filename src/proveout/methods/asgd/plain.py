"""Asynchronous SGD with four step rules.

    x' = x - gamma_t g

    constant     gamma_t = gamma
    koloskova    gamma if tau <= K, else min{gamma, cap / tau}, cap = 1/(4L)
                 (Koloskova, Stich, Jaggi, NeurIPS 2022, arXiv:2206.08307)
    mishchenko   gamma K / max{K, tau}      (Mishchenko, Bach, Even, Woodworth, NeurIPS 2022, arXiv:2206.07638)
    drop         gamma if tau <= 2K, else 0

`restart="stale"` sends the worker the model before its own gradient, as some public code does: every
later delay of that worker is larger by one.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, namespace
from proveout.laws import Law
from proveout.methods.blocks import jobs
from proveout.methods.blocks.costs import Cost

__all__ = ["ASGD", "RULES", "State"]

RULES = ("constant", "koloskova", "mishchenko", "drop")


class State(NamedTuple):
    x: Array  # (..., d)  model
    sent: Array  # (..., K, d)  the model on which each worker computes
    index: Array  # (..., K)  its version
    t: int  # updates so far


@dataclass(frozen=True, kw_only=True)
class ASGD:
    gamma: float  # step size of a fresh gradient
    rule: str = "constant"
    cap: float = float("inf")  # koloskova: at most cap / tau for a late gradient
    restart: str = "new"

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {self.rule!r}")
        if not self.cap > 0:
            raise ValueError(f"cap must be > 0, got {self.cap}")
        if self.restart not in ("new", "stale"):
            raise ValueError(f"restart must be 'new' or 'stale', got {self.restart!r}")

    @property
    def gamma_eff(self) -> float:
        return self.gamma

    def step_sizes(self, tau: Array, workers: int) -> Array:
        """The step that gradients of delay tau get."""
        xp = namespace(tau)
        full = xp.full_like(tau, self.gamma)
        if self.rule == "koloskova":
            return jobs.capped(self.gamma, self.cap, tau, workers)
        if self.rule == "mishchenko":
            return self.gamma * workers / xp.where(tau > workers, tau, xp.full_like(tau, workers))
        if self.rule == "drop":
            return xp.where(tau > 2 * workers, xp.zeros_like(tau), full)
        return full

    def init(self, problem: Any, x0: Array) -> State:
        sent, index = jobs.start(problem, x0)
        return State(x=x0, sent=sent, index=index, t=0)

    def law(self, problem: Any) -> Law:
        return jobs.law(problem)

    def step(self, problem: Any, state: State, draw: jobs.Draw) -> State:
        x, sent, index, t = state
        i, g = jobs.arrival(problem, sent, index, draw)
        tau = namespace(x).astype(t - i, x.dtype)
        x_new = x - self.step_sizes(tau, problem.workers) * g
        stale = self.restart == "stale"
        sent, index = jobs.reply(sent, index, draw.event, x if stale else x_new, t if stale else t + 1)
        return State(x=x_new, sent=sent, index=index, t=t + 1)

    def cost(self, problem: Any, draw: jobs.Draw) -> Cost:
        return jobs.cost(problem, draw)
