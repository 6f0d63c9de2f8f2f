"""SCAFFOLD: the rounds by hand, both options, the theorem of one local step, red twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import put
from proveout.methods.gd import GD
from proveout.methods.scaffold import Draw, Scaffold, State
from proveout.problems import Quadratics, build
from proveout.run import run
from proveout.theory import scaffold as theory
from proveout.theory.cases.scaffold import CASES
from proveout.theory.lenses import exact, moments, proof
from proveout.theory.proxskip.altered import edited
from proveout.theory.scaffold.altered import local_points
from proveout.theory.statement import always
from stems import caught, first_verdict, name, twins_of

seeds = st.integers(0, 10_000)
TWO = Quadratics(A=np.array([[[1.0]], [[3.0]]]), b=np.array([[1.0], [-1.0]]))  # x* = 0, h* = (-1, 1)
HERE = State(x=np.array([2.0]), h=np.array([[0.5], [1.5]]), h_bar=np.array([1.0]))


def small_quadratics(seed, n=4, d=2, kappa=10):
    return build(f"quadratic:n={n},d={d},kappa={kappa},basis=rotated,seed={seed}")


# ------------------------------------------------------------------ the method


def test_two_local_steps_of_client_1_by_hand():
    """grad f_1(y) = 3y + 1, correction h_bar - h_1 = -.5: y = 2, 2 - .1(7 - .5) = 1.35, 1.35 - .1(5.05 - .5) = .895."""
    draw = Draw(cohort=np.array([1]))
    new = Scaffold(gamma=0.1, cohort=1, local_steps=2, gamma_server=0.5).step(TWO, HERE, draw)
    assert new.x == pytest.approx([2 + 0.5 * (0.895 - 2)])
    np.testing.assert_allclose(new.h, [[0.5], [(7 + 5.05) / 2]])  # option II: the mean of the local gradients
    assert new.h_bar == pytest.approx([1 + (6.025 - 1.5) / 2])
    new = Scaffold(gamma=0.1, cohort=1, local_steps=2, gamma_server=0.5, option=1).step(TWO, HERE, draw)
    np.testing.assert_allclose(new.h, [[0.5], [7]])  # option I: the gradient at x
    assert new.h_bar == pytest.approx([1 + (7 - 1.5) / 2])


def test_with_one_local_step_both_options_are_one_method():
    P = small_quadratics(0)
    one, two = (Scaffold(gamma=0.05, cohort=2, option=k) for k in (1, 2))
    a, b = one.init(P, np.ones(2)), two.init(P, np.ones(2))
    rng = np.random.default_rng(0)
    for _ in range(30):
        draw = one.law(P).sample(rng, ())
        a, b = one.step(P, a, draw), two.step(P, b, draw)
        np.testing.assert_allclose(a.h, b.h, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(a.x, b.x, rtol=1e-9, atol=1e-12)


def test_one_local_step_of_everybody_is_gradient_descent_to_rounding():
    P = small_quadratics(1)
    m, gd = Scaffold(gamma=0.1, cohort=4), GD(gamma=0.1)
    a, b = m.init(P, np.ones(2)), gd.init(P, np.ones(2))
    for _ in range(30):
        a, b = m.step(P, a, Draw(cohort=np.arange(4))), gd.step(P, b, None)
        np.testing.assert_allclose(a.x, b.x, rtol=1e-13)


@pytest.mark.parametrize("option", [1, 2])
@pytest.mark.parametrize("cohort", [1, 3, 4])
def test_it_converges_to_the_minimiser_with_local_steps_and_idle_clients(option, cohort):
    P = build("quadratic:n=4,d=3,kappa=10,heterogeneity=3")
    m = Scaffold(gamma=0.3 / P.L_max, cohort=cohort, local_steps=5, option=option)
    trace = run(P, m, steps=1500, seeds=3)
    assert trace["dist2"][-1].max() < 1e-18 * trace["dist2"][0].max()


def test_costs_count_the_cohort_and_two_vectors_each_way():
    P = small_quadratics(0, d=3)
    cost = Scaffold(gamma=0.1, cohort=2, local_steps=5).cost(P, Draw(cohort=np.zeros((6, 2), int)))
    assert cost.gradients.tolist() == [10] * 6
    assert cost.up.tolist() == cost.down.tolist() == [6] * 6
    assert cost.rounds.tolist() == [1] * 6


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"gamma": 0.0}, "gamma must be > 0, got 0.0"),
        ({"cohort": 0}, "cohort must be >= 1, got 0"),
        ({"local_steps": 0}, "local_steps must be >= 1, got 0"),
        ({"gamma_server": -1.0}, "gamma_server must be > 0, got -1.0"),
        ({"option": 3}, "option must be 1 or 2, got 3"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_symbol(fields, word):
    with pytest.raises(ValueError, match=word):
        Scaffold(**{"gamma": 0.1, "cohort": 2, **fields})


# ------------------------------------------------------------------ the equalities


@given(
    seed=seeds,
    cohort=st.integers(1, 4),
    local_steps=st.integers(1, 5),
    gamma_L=st.floats(0.01, 1.0),
    gamma_server=st.floats(0.3, 2.0),
    option=st.sampled_from([1, 2]),
)
def test_the_control_variates_are_what_their_formulas_say(
    seed, cohort, local_steps, gamma_L, gamma_server, option
):
    P = small_quadratics(seed)
    m = Scaffold(
        gamma=gamma_L / P.L_max,
        cohort=cohort,
        local_steps=local_steps,
        gamma_server=gamma_server,
        option=option,
    )
    own = theory.OPTION_ONE if option == 1 else theory.OPTION_TWO
    for statement in (own, theory.MEAN_SHIFT, theory.FIXED_POINT):
        assert exact.check(statement, P, m).word == "holds"


def _at_the_end(P, m, state, draw, new):
    """h_i = gradient at the last local point, the server's kept their mean: at rest at x*, but no option."""
    end = local_points(P, m, state, draw.cohort)[-1]
    h = put(state.h, draw.cohort, P.at(draw.cohort).grads(end))
    return new._replace(h=h, h_bar=h.mean(axis=-2))


def test_only_the_options_see_how_the_control_variates_are_renewed():
    """Any rule with the right mean that is at rest at x* passes `equals_gd`, `fixed_point` and `mean_shift`."""
    P, twin = small_quadratics(0), edited("gradient at y for x", _at_the_end)

    def word(statement, **choices):
        return exact.check(*twin.edit(statement, P, theory.tune(P, **choices))).word

    local = {"cohort": 3, "local_steps": 4}
    assert (
        word(theory.EQUALS_GD)
        == word(theory.FIXED_POINT, **local)
        == word(theory.MEAN_SHIFT, **local)
        == "holds"
    )
    assert word(theory.OPTION_ONE, option=1, **local) == "violated"
    assert word(theory.OPTION_TWO, option=2, **local) == "violated"


# ------------------------------------------------------------------ one local step


@given(
    seed=seeds,
    cohort=st.integers(1, 5),
    kappa=st.sampled_from([1, 2, 10, 300]),
    share=st.floats(0.05, 1),
    gamma_server=st.floats(0.2, 5),
)
def test_one_step_convergence_holds_for_every_step_it_allows(seed, cohort, kappa, share, gamma_server):
    P = small_quadratics(seed, n=5, kappa=kappa)
    m = theory.tune(P, cohort=cohort, gamma_L=share / (6 * gamma_server), gamma_server=gamma_server)
    verdict = exact.check(theory.ONE_STEP_CONVERGENCE, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "exact")


@pytest.mark.parametrize(("n", "cohort"), [(2, 1), (5, 1), (5, 4), (20, 7)])
def test_one_step_convergence_is_proved_for_the_class(n, cohort):
    P = build(f"class:n={n},L=10,mu=1")
    verdict = proof.check(theory.ONE_STEP_CONVERGENCE, P, theory.tune(P, cohort=cohort))
    assert (verdict.word, verdict.grade) == ("holds", "proved")


def test_more_local_steps_are_outside_the_theorem():
    P = small_quadratics(0)
    m = theory.tune(P, cohort=2, local_steps=3)
    assert exact.check(theory.ONE_STEP_CONVERGENCE, P, m).word == "not applicable"


def test_a_step_past_the_rule_is_false_somewhere():
    P = build("quadratic:n=1,d=2,kappa=1")
    m = replace(theory.tune(P), gamma=0.5)
    lifted = replace(theory.ONE_STEP_CONVERGENCE, allows=always)
    verdict = exact.check(lifted, P, m)
    assert verdict.word == "violated"
    assert verdict.ratio == pytest.approx(2.5)


@pytest.mark.parametrize("cohort", [1, 2, 4])
def test_the_rounds_are_never_more_than_predicted(cohort):
    P = build("quadratic:n=4,d=2,kappa=20")
    verdict = moments.check(theory.ROUND_COMPLEXITY, P, theory.tune(P, cohort=cohort))
    assert (verdict.word, verdict.grade) == ("holds", "exact")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_every_statement_holds_on_the_first_problem_of_its_case(case):
    verdict = first_verdict(case)
    assert verdict.word == "holds", verdict.note


@pytest.mark.parametrize(("case", "twin"), twins_of(CASES), ids=name)
def test_every_red_twin_is_caught_on_a_problem_of_its_case(case, twin):
    assert caught(case, twin)[-1:] == ["violated"]
