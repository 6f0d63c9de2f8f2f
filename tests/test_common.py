"""What all lenses share: the decision, ratios, laws as atoms, expectations."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from exact_subjects import (
    CLIP,
    DIANA,
    SCAFFNEW,
    Adaptive,
    DianaState,
    ManySteps,
    Slowing,
    Ticking,
    diana_psi,
)
from proveout.laws import Coin, Joint
from proveout.methods import proxskip
from proveout.problems import Quadratics, federated
from proveout.theory.lenses import exact
from proveout.theory.lenses.common import (
    BUDGETS,
    ROUNDING,
    Refused,
    atoms_of,
    decide,
    expectation,
    ratio,
    worst_rate,
)
from proveout.theory.lenses.exact.onestep import claim_of
from proveout.theory.statement import OneStep, evaluate

# ------------------------------------------------------------------ laws


def test_an_infinite_law_is_cut_and_the_verdict_says_so() -> None:
    P = Quadratics(A=np.eye(1)[None], b=np.ones((1, 1)))
    m = ManySteps(gamma=0.5, p=0.4)
    mean = lambda P, m: m.p * 0.25 / (1 - 0.25 * (1 - m.p))  # E (1/4)^l
    claim = OneStep(source="", lyapunov=CLIP.lyapunov, star=CLIP.star, rate=mean)
    verdict = exact.check(claim, P, m)
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-10)
    assert "cut at tail mass 1e-12" in verdict.note
    assert exact.check(replace(claim, rate=lambda P, m: 0.999 * mean(P, m)), P, m).word == "violated"


def test_named_outcomes_are_weighed_with_what_pick_reports() -> None:
    P = federated(n=1, d=4, kappa=6)
    m = Adaptive(gamma=0.1 / P.L)
    claim = claim_of(replace(CLIP, method=Adaptive), P, m, BUDGETS["quick"])
    y = np.random.default_rng(0).standard_normal((20, P.d))
    lhs, rhs = claim.sides(claim.coords.state(y[:, None, :]))
    v = claim.coords.state(y).x - P.x_star
    g = P.grad(claim.coords.state(y).x)
    want = (v**2).sum(-1) - 2 * m.gamma * (g * v).sum(-1) + m.gamma**2 * np.abs(g).sum(-1) ** 2
    np.testing.assert_allclose(lhs, want, rtol=1e-12)
    np.testing.assert_allclose(rhs, (v**2).sum(-1), rtol=1e-12)


def test_the_clock_is_enumerated_and_the_law_of_its_time_is_used() -> None:
    P = federated(n=1, d=2, kappa=4)
    m = Slowing(gamma=1 / P.L)
    star = lambda P, m: Ticking(x=P.x_star, t=0)
    never = OneStep(source="", lyapunov=CLIP.lyapunov, star=star, rate=lambda P, m: 1)
    verdict = exact.check(never, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "searched")  # later clocks were not looked at
    assert "clocks" in verdict.states
    first = (1 - m.gamma * P.mu) ** 2  # the forced first step meets it, later ones do not
    wrong = exact.check(replace(never, rate=lambda P, m: first), P, m)
    assert wrong.word == "violated"
    assert wrong.witness["state"]["fields"]["t"] > 0


def test_the_decision_needs_the_replay_and_leaves_a_gap_between_its_words() -> None:
    assert decide(1 + ROUNDING / 2) == "holds"
    assert decide(1 + 1e-8, 2.0) == "inconclusive"
    assert decide(2.0, 2.0) == "violated"
    assert decide(2.0, 1.0) == decide(2.0) == decide(float("nan"), 2.0) == decide(None) == "inconclusive"
    assert decide(np.inf, np.inf) == "violated"


def test_ratios_of_zeros_and_infinities() -> None:
    lhs = np.array([0.0, 1.0, np.inf, 1.0, 1.0, np.nan, 0.0])
    rhs = np.array([0.0, 0.0, 1.0, np.inf, 2.0, 1.0, -1.0])
    got = ratio(lhs, rhs)
    np.testing.assert_array_equal(got, [0.0, np.inf, np.inf, np.nan, 0.5, np.nan, np.inf])


def test_a_branch_of_the_rate_is_active_only_if_it_leads() -> None:
    P = federated(n=2, d=1, kappa=10)
    at = lambda *rates: worst_rate(replace(SCAFFNEW, rate=lambda P, m: rates), P, None)
    assert at(0.9, 0.5) == (0.9, (0,))
    assert at(0.5, 0.9) == (0.9, (1,))
    assert at(0.9, 0.9) == (0.9, ())
    assert at(0.999, 0.9985) == (0.999, (0,))
    assert at(0.7) == (0.7, (0,))


def test_expectations_do_not_depend_on_how_they_are_cut() -> None:
    P = federated(n=4, d=2, kappa=10)
    m = DIANA.tune(P)
    atoms = atoms_of(m.law(P))
    rng = np.random.default_rng(0)
    states = DianaState(x=rng.standard_normal((7, 1, 2)), h=rng.standard_normal((7, 1, 4, 2)))
    whole = expectation(P, m, diana_psi, states, atoms, width=1)
    for width in (4e6, 1e6, 3e5):
        np.testing.assert_allclose(expectation(P, m, diana_psi, states, atoms, width), whole, rtol=1e-13)
    for i in range(2):
        one = DianaState(x=states.x[i, 0], h=states.h[i, 0])
        loop = sum(p * after(P, m, one, atoms.one(k)) for k, p in enumerate(atoms.prob))
        assert loop == pytest.approx(whole[i], rel=1e-13)


def after(P: Any, m: Any, state: Any, draw: Any) -> Any:
    """V of the next state under one draw, without any batch."""
    return evaluate(diana_psi(P, m, m.step(P, state, draw)), P)


def test_a_law_that_does_not_sum_to_one_is_refused() -> None:
    class Short(Coin):
        def atoms(self) -> Any:
            return np.array([0.5, 0.4]), np.array([False, True])

    with pytest.raises(Refused, match="sum to"):
        atoms_of(Joint(proxskip.Draw(theta=Short(0.5))))


def test_an_unknown_budget_is_a_value_error() -> None:
    P = federated(n=2, d=1, kappa=3)
    with pytest.raises(ValueError, match="budget"):
        exact.check(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.5), budget="huge")
