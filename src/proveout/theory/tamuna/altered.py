"""Altered steps, laws and masks of TAMUNA, for red twins."""

from typing import Any

import numpy as np

from proveout.arrays import Array, last, like, namespace, put
from proveout.laws import Geometric, Joint, Law, Subset, Sure
from proveout.methods.blocks.masks import MaskDraw, senders
from proveout.methods.tamuna import Tamuna
from proveout.theory.proxskip.altered import edited, local_step
from proveout.theory.statement import Method, Problem, State, Twin
from proveout.theory.twins import Altered, unwrap

__all__ = ["AlteredMask", "mask_off_by_one", "mean_over_cohort", "mean_steps_times", "unshuffled"]


def full_mask(P: Problem, m: Method, draw: Any, x: Array) -> Array:
    """q over all n clients, zero outside the cohort: (..., n, d)."""
    xp = namespace(x)
    q = senders(draw.columns, P.d, m.s, x)
    q = xp.broadcast_to(q, (*draw.cohort.shape, q.shape[-1]))
    return put(like(xp.zeros((P.n, q.shape[-1])), x), draw.cohort, q)


def _redone(P: Problem, m: Method, state: State, draw: Any, new: State, over: Any, shift: int) -> State:
    """The communication once more: the sum over `over` in place of s, the shifts' mask moved by `shift` clients."""
    xp = namespace(state.h)
    q = full_mask(P, m, draw, state.h)
    if isinstance(unwrap(m), Tamuna):
        sent, theta = _after_local_steps(P, m, state, draw), draw.steps > 0
    else:
        sent, theta = local_step(P, m, state), draw.theta
    x_bar = xp.sum(q * sent, axis=-2, keepdims=True) / over
    moved = state.h + m.p * m.chi / m.gamma * xp.roll(q, shift, axis=-2) * (x_bar - sent)
    h_new = xp.where(last(theta, 2), moved, state.h)
    if isinstance(unwrap(m), Tamuna):
        return new._replace(x=x_bar[..., 0, :], h=h_new)
    return new._replace(x=xp.where(last(theta, 2), x_bar, sent), h=h_new)


def _after_local_steps(P: Problem, m: Method, state: State, draw: Any) -> Array:
    """Every client, idle ones too, after the round's local steps: (..., n, d)."""
    x = state.x[..., None, :] + 0 * state.h
    for k in range(int(draw.steps.max())):
        x = namespace(x).where(last(k < draw.steps, 2), x - m.gamma * (P.grads(x) - state.h), x)
    return x


mean_over_cohort = edited(
    "the server divides by the size of the cohort, not by s",
    lambda P, m, state, draw, new: _redone(P, m, state, draw, new, m.cohort, 0),
)
mask_off_by_one = edited(
    "the shifts use the next client's mask",
    lambda P, m, state, draw, new: _redone(P, m, state, draw, new, m.s, 1),
)


def mean_steps_times(factor: float) -> Twin:
    """Geometric step counts of another mean; the step keeps its p."""

    def law(problem: Problem, m: Method) -> Law:
        return Joint(m.law(problem).draw._replace(steps=Geometric(m.p / factor)))

    return Twin(
        f"step counts of mean {factor:g}/p",
        lambda statement, P, m: (statement, P, Altered(m, law_of=lambda problem: law(problem, m))),
    )


class AlteredMask(Altered):
    """A `CohortMask` with another law or an edited mask."""

    def law(self, n: Any, d: Any = None) -> Law:
        law: Law = (self.law_of or self.base.law)(n, d)
        return law

    def mask(self, d: int, draw: Any) -> Array:
        return (
            self.edit(self.base, d, draw, self.base.mask(d, draw)) if self.edit else self.base.mask(d, draw)
        )

    def __call__(self, x: Array, draw: Any) -> Array:
        return self.mask(x.shape[-1], draw) * x


def unshuffled(block: Any) -> Law:
    """Columns go to the cohort in the order of the clients' numbers."""
    return Joint(MaskDraw(cohort=Subset(block.n, block.cohort), columns=Sure(np.arange(block.cohort))))
