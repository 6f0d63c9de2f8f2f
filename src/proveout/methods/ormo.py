"""OrMo: ordered momentum for asynchronous SGD.

Shi, Yang, Li, "Ordered Momentum for Asynchronous SGD" (NeurIPS 2024, arXiv:2407.19234).  K workers
(n in the theorems) sample from one f; a server applies one gradient per iteration t = 0, 1, ...  A
gradient carries the version i of the model it was computed at.  Versions are grouped in brackets of
K, b(i) = ceil(i / K) (or floor): a late gradient gets the momentum weight it would have had in order,
and moves the model by the momentum steps it has missed.

    if t >= 1 and b(t) > b(t-1):    x = x - beta u;  u = beta u        (a new bracket opens; old u in both)
    receive g of version i from worker k;  p = b(t) - b(i)
    u' = u + beta^p gamma g
    x' = x - (1 + beta + ... + beta^p) gamma g
    send (x', version t+1) to worker k

`update="vanilla"` moves the model by gamma g only.  OrMoDA takes, for a delay tau = t - i,

    gamma_t = gamma  if tau <= 2K,  else  min{gamma, cap / tau},    cap = (1 - beta) / (4L) proved, 1/(4L) recalled

Paper -> code: w is x, eta is gamma, the effective step eta/(1-beta) is gamma_eff; the step 3 of the
paper is the option `update`, as `step` is a method's name.  Who is sent the model is the clock's word
(`released`): at a synchronous clock nobody restarts before the round is over.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, namespace
from proveout.laws import Law
from proveout.methods.blocks import jobs
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.ranges import step_and_momentum

__all__ = ["OrMo", "OrMoDA", "State", "brackets", "opens"]


class State(NamedTuple):
    x: Array  # (..., d)  model
    u: Array  # (..., d)  momentum, steps inside
    sent: Array  # (..., K, d)  the model on which each worker computes
    index: Array  # (..., K)  its version
    t: int  # updates so far


def brackets(i: Any, workers: int, rule: str) -> Any:
    """Bracket of version i."""
    return -(-i // workers) if rule == "ceil" else i // workers


def opens(t: int, workers: int, rule: str) -> bool:
    """Does a bracket open at iteration t?"""
    return bool(t >= 1 and brackets(t, workers, rule) > brackets(t - 1, workers, rule))


def _check(method: Any) -> None:
    step_and_momentum(method)
    if method.bracket not in ("ceil", "floor"):
        raise ValueError(f"bracket must be 'ceil' or 'floor', got {method.bracket!r}")


def _init(problem: Any, x0: Array) -> State:
    sent, index = jobs.start(problem, x0)
    return State(x=x0, u=0 * x0, sent=sent, index=index, t=0)


def _step(method: Any, problem: Any, state: State, draw: jobs.Draw, ordered: bool = True) -> State:
    (x, u, sent, index, t), beta, rule, K = state, method.beta, method.bracket, problem.workers
    xp = namespace(x)
    if opens(t, K, rule):
        x, u = x - beta * u, beta * u
    i, g = jobs.arrival(problem, sent, index, draw)
    power = beta ** xp.astype(brackets(t, K, rule) - brackets(i, K, rule), x.dtype)  # beta^p, (..., 1)
    g = method.step_sizes(xp.astype(t - i, x.dtype), K) * g
    u_new = u + power * g
    x_new = x - ((1 - beta * power) / (1 - beta) * g if ordered else g)
    sent, index = jobs.reply(sent, index, draw.event, x_new, t + 1)
    return State(x=x_new, u=u_new, sent=sent, index=index, t=t + 1)


@dataclass(frozen=True, kw_only=True)
class OrMo:
    gamma: float  # multiplies each single gradient
    beta: float = 0.9  # momentum
    bracket: str = "ceil"
    update: str = "ordered"  # or "vanilla": the model moves by gamma g only

    def __post_init__(self) -> None:
        _check(self)
        if self.update not in ("ordered", "vanilla"):
            raise ValueError(f"update must be 'ordered' or 'vanilla', got {self.update!r}")

    @property
    def gamma_eff(self) -> float:
        return self.gamma / (1 - self.beta)

    def step_sizes(self, tau: Array, workers: int) -> Array:
        """The step that gradients of delay tau get."""
        return namespace(tau).full_like(tau, self.gamma)

    def init(self, problem: Any, x0: Array) -> State:
        return _init(problem, x0)

    def law(self, problem: Any) -> Law:
        return jobs.law(problem)

    def step(self, problem: Any, state: State, draw: jobs.Draw) -> State:
        return _step(self, problem, state, draw, ordered=self.update == "ordered")

    def cost(self, problem: Any, draw: jobs.Draw) -> Cost:
        return jobs.cost(problem, draw)


@dataclass(frozen=True, kw_only=True)
class OrMoDA:
    gamma: float  # step of a gradient that is not late
    beta: float = 0.9
    cap: float = float("inf")  # a gradient of delay tau > 2K gets at most cap / tau
    bracket: str = "ceil"

    def __post_init__(self) -> None:
        _check(self)
        if not self.cap > 0:
            raise ValueError(f"cap must be > 0, got {self.cap}")

    @property
    def gamma_eff(self) -> float:
        return self.gamma / (1 - self.beta)

    def step_sizes(self, tau: Array, workers: int) -> Array:
        """The step that gradients of delay tau get."""
        return jobs.capped(self.gamma, self.cap, tau, 2 * workers)

    def init(self, problem: Any, x0: Array) -> State:
        return _init(problem, x0)

    def law(self, problem: Any) -> Law:
        return jobs.law(problem)

    def step(self, problem: Any, state: State, draw: jobs.Draw) -> State:
        return _step(self, problem, state, draw)

    def cost(self, problem: Any, draw: jobs.Draw) -> Cost:
        return jobs.cost(problem, draw)
