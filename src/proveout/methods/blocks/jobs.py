"""Jobs of asynchronous workers: what they hold, what arrives, what they are sent.

The state of a method keeps `sent` (..., K, d), the model on which each worker computes, `index`
(..., K), its version, and the clock t, an int.  A gradient is computed when it arrives, so `init` needs
no luck; its law is the same as if it had been computed when the model was sent.
"""

from typing import Any, NamedTuple

from proveout.arrays import Array, namespace, take, to_clients
from proveout.laws import Joint, Law
from proveout.methods.blocks.costs import Cost
from proveout.problems.delays import Event

__all__ = ["Draw", "arrival", "capped", "cost", "law", "reply", "start"]


class Draw(NamedTuple):
    event: Event  # who delivers, and who restarts afterwards
    xi: Array  # (..., 1, .)  noise of the arriving gradient


def law(problem: Any) -> Law:
    return Joint(Draw(event=problem.clock.arrivals(), xi=problem.xi(1)))


def start(problem: Any, x0: Array) -> tuple[Array, Array]:
    """Every worker holds version 0: (sent, index)."""
    sent = to_clients(x0, problem.workers)
    xp = namespace(sent)
    return sent, xp.zeros_like(sent[..., 0], dtype=xp.int64)


def arrival(problem: Any, sent: Array, index: Array, draw: Draw) -> tuple[Array, Array]:
    """Version (..., 1) and gradient (..., d) of the job that arrives."""
    event, k = draw.event, draw.event.worker[..., None]
    part = problem.at(event.client[..., None]).on(draw.xi)
    return take(index, k, core=0), part.grads(take(sent, k))[..., 0, :]


def reply(sent: Array, index: Array, event: Event, model: Array, version: int) -> tuple[Array, Array]:
    """The released workers are sent `model` (..., d) as that version: (sent, index)."""
    xp = namespace(sent)
    return (
        xp.where(event.released[..., None], model[..., None, :], sent),
        xp.where(event.released, xp.full_like(index, version), index),
    )


def capped(gamma: float, cap: float, tau: Array, patience: float) -> Array:
    """gamma, but at most cap / tau for gradients of delay tau > patience."""
    xp = namespace(tau)
    late = tau > patience
    most = cap / xp.where(late, tau, xp.ones_like(tau))
    return xp.where(late & (most < gamma), most, xp.full_like(tau, gamma))


def cost(problem: Any, draw: Draw) -> Cost:
    one = 0 * draw.event.seconds + 1
    return Cost(
        gradients=one, up=problem.d * one, down=problem.d * one, rounds=one, seconds=draw.event.seconds
    )
