"""Identities along random and adversarial replays."""

from typing import Any

import numpy as np

from exact_subjects import (
    SCAFFNEW,
)
from proveout.arrays import last
from proveout.methods.proxskip import Scaffnew
from proveout.problems import federated
from proveout.theory import twins
from proveout.theory.lenses import exact
from proveout.theory.statement import Identity
from proveout.theory.witness import decode

SHIFT_SUM = Identity(
    source="the shifts sum to zero",
    method=Scaffnew,
    sides=lambda P, m, path: (
        np.stack([s.h.sum(axis=-2) for s in path.states]),
        np.zeros((len(path.states), P.d)),
    ),
)


def test_an_identity_holds_along_its_replays_and_fails_for_a_step_that_breaks_it() -> None:
    P = federated(n=3, d=2, kappa=10)
    m = SCAFFNEW.tune(P, p=0.3)
    verdict = exact.check(SHIFT_SUM, P, m)
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "searched", "visited(204)")
    leaky = twins.step_edit("leak", lambda P, s, draw, new: new._replace(h=new.h + 1e-6))
    altered = leaky.edit(SHIFT_SUM, P, m)
    refuted = exact.check(*altered)
    assert refuted.word == "violated"
    lhs, rhs = exact.sides(*altered, refuted.witness)
    assert lhs >= 100 * rhs
    assert (lhs, rhs) == (decode(refuted.witness["lhs"]), decode(refuted.witness["rhs"]))


def test_the_adversarial_replay_finds_a_draw_too_rare_for_the_random_ones() -> None:
    P = federated(n=3, d=2, kappa=10)
    m = Scaffnew(gamma=1 / P.L_max, p=1e-6)

    def leak(P: Any, s: Any, draw: Any, new: Any) -> Any:
        return new._replace(h=new.h + np.where(last(draw.theta, 2), 1e-3, 0.0))

    assert exact.check(SHIFT_SUM, P, twins.Altered(m, leak)).word == "violated"


def test_an_identity_uses_its_own_start() -> None:
    P = federated(n=2, d=2, kappa=3)
    seen: list[Any] = []

    def start(P: Any, m: Any, rng: Any) -> Any:
        seen.append(1)
        return m.init(P, 5 + 0 * P.x_star)

    held = Identity(
        source="", sides=lambda P, m, path: (path.states[0].x, 5 + 0 * path.states[0].x), start=start
    )
    assert exact.check(held, P, SCAFFNEW.tune(P, p=0.5)).word == "holds"
    assert len(seen) == 4
