"""DIANA: compressed gradient differences, learned shifts.

Mishchenko, Gorbunov, Takáč, Richtárik, "Distributed learning with compressed gradient differences"
(arXiv:1901.09269).  Minimise (1/n) sum_i f_i(x); Q_i is unbiased, E|Q_i(v) - v|^2 <= omega |v|^2, and
independent over clients (`blocks/compressors`).  Client i and the server keep a shift h_i:

    m_i  = Q_i(grad f_i(x) - h_i)                        (sent by client i)
    x'   = x - gamma (1/n) sum_i (h_i + m_i)
    h_i' = h_i + eta m_i

Paper -> code: the paper's alpha is eta.  The server's h = (1/n) sum_i h_i is the mean of the clients', so
that it is read off and not kept twice.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proveout.arrays import Array, mean_clients, to_clients
from proveout.laws import Joint, Law
from proveout.methods.blocks.compressors import Identity
from proveout.methods.blocks.costs import Cost

__all__ = ["Diana", "Draw", "State"]


class State(NamedTuple):
    x: Array  # (..., d)  server model
    h: Array  # (..., n, d)  shifts


class Draw(NamedTuple):
    sent: Any  # the compressors' draw, one row per client


@dataclass(frozen=True, kw_only=True)
class Diana:
    gamma: float  # step size
    eta: float  # step of the shifts
    compressor: Any = field(default_factory=Identity)

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be > 0, got {self.gamma}")
        if not 0 < self.eta <= 1:
            raise ValueError(f"eta must lie in (0, 1], got {self.eta}")

    def init(self, problem: Any, x0: Array) -> State:
        return State(x=x0, h=0 * to_clients(x0, problem.n))

    def law(self, problem: Any) -> Law:
        return Joint(Draw(sent=self.compressor.law(problem.n, problem.d)))

    def step(self, problem: Any, state: State, draw: Draw) -> State:
        x, h = state
        sent = self.compressor(problem.grads(x[..., None, :]) - h, draw.sent)
        x_new = x - self.gamma * mean_clients(h + sent)[..., 0, :]
        return State(x=x_new, h=h + self.eta * sent)

    def cost(self, problem: Any, draw: Draw) -> Cost:
        d, Q = problem.d, self.compressor
        return Cost(gradients=problem.n, up=Q.floats(d), down=d, rounds=1, bits=Q.bits(d))
