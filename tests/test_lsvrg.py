"""L-SVRG: a step by hand, the limit cases, the theorem, red twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.methods.gd import GD
from proveout.methods.lsvrg import LSVRG, Draw, State
from proveout.problems import Quadratics, build
from proveout.run import run
from proveout.testing import Counting
from proveout.theory import lsvrg as theory
from proveout.theory.cases.lsvrg import CASES
from proveout.theory.lenses import exact, moments, proof, worstcase
from proveout.theory.statement import always
from stems import caught, first_verdict, name, twins_of

seeds = st.integers(0, 10_000)
TWO = Quadratics(A=np.array([[[1.0]], [[3.0]]]), b=np.array([[1.0], [-1.0]]))  # grads x - 1, 3x + 1


def small_quadratics(seed, n=3, d=2, kappa=10):
    return build(f"quadratic:n={n},d={d},kappa={kappa},basis=rotated,seed={seed}")


# ------------------------------------------------------------------ the method


def test_a_step_by_hand():
    state = State(x=np.array([2.0]), w=np.array([1.0]), g=np.array([2.0]))
    m = LSVRG(gamma=0.1, p=0.5)
    stay = m.step(TWO, state, Draw(j=np.array(1), theta=np.array(False)))
    assert stay.x == pytest.approx([2 - 0.1 * (7 - 4 + 2)])
    assert (stay.w, stay.g) == (1.0, 2.0)
    refreshed = m.step(TWO, state, Draw(j=np.array(0), theta=np.array(True)))
    assert refreshed.x == pytest.approx([2 - 0.1 * (1 - 0 + 2)])
    assert (refreshed.w, refreshed.g) == (2.0, 4.0)  # the old x, and the mean gradient there


def test_with_one_component_it_is_gradient_descent_for_every_coin():
    P = small_quadratics(0, n=1)
    m, gd = LSVRG(gamma=0.1, p=0.3), GD(gamma=0.1)
    a, b = m.init(P, np.ones(2)), gd.init(P, np.ones(2))
    rng = np.random.default_rng(0)
    for _ in range(40):
        a, b = m.step(P, a, m.law(P).sample(rng, ())), gd.step(P, b, None)
        np.testing.assert_allclose(a.x, b.x, rtol=1e-10, atol=1e-14)


def test_with_p_equal_one_and_components_that_differ_it_is_not():
    """The anchor is the last iterate: from the second step on the estimate depends on the component."""
    P = build("quadratic:n=3,d=1,kappa=10,basis=rotated")
    m = LSVRG(gamma=0.02, p=1.0)
    start = m.step(P, m.init(P, np.ones(1)), Draw(j=np.array(0), theta=np.array(True)))
    np.testing.assert_allclose(start.x, 1 - 0.02 * P.grad(np.ones(1)))
    nexts = [m.step(P, start, Draw(j=np.array(j), theta=np.array(True))).x for j in range(3)]
    assert np.ptp(nexts) > 1e-4
    np.testing.assert_allclose(np.mean(nexts, axis=0), start.x - 0.02 * P.grad(start.x))  # unbiased


def test_a_refresh_and_only_a_refresh_costs_a_full_gradient():
    P, m = small_quadratics(0, n=5), LSVRG(gamma=0.01, p=0.5)
    counting = Counting(P)
    state = m.init(P, np.ones((1, 2)))
    for theta in (False, True, False):
        before = counting.count
        draw = Draw(j=np.array([3]), theta=np.array([theta]))
        state = m.step(counting, state, draw)
        assert counting.count - before == (7 if theta else 2) == m.cost(P, draw).gradients[0]


def test_it_converges_to_the_minimiser():
    P = build("quadratic:n=10,d=3,kappa=10,heterogeneity=3")
    trace = run(P, theory.tune(P), steps=4000, seeds=4)
    assert trace["dist2"][-1].max() < 1e-20 * trace["dist2"][0].max()
    assert trace["gradients"][-1].mean() == pytest.approx(3 * 4000, rel=0.05)  # three per step at p = 1/n


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: LSVRG(gamma=0.0, p=0.5), "gamma must be > 0, got 0.0"),
        (lambda: LSVRG(gamma=0.1, p=0.0), r"p must lie in \(0, 1\], got 0.0"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_symbol(make, word):
    with pytest.raises(ValueError, match=word):
        make()


# ------------------------------------------------------------------ the theorem


@given(
    seed=seeds,
    n=st.integers(1, 6),
    kappa=st.sampled_from([1, 2, 10, 300]),
    p=st.floats(0.01, 1),
    share=st.floats(0.05, 1),
)
def test_linear_convergence_holds_for_every_step_it_allows(seed, n, kappa, p, share):
    P = small_quadratics(seed, n=n, kappa=kappa)
    verdict = exact.check(theory.LINEAR_CONVERGENCE, P, LSVRG(gamma=share / (6 * P.L_max), p=p))
    assert (verdict.word, verdict.grade) == ("holds", "exact")


@given(seed=seeds, p=st.floats(0.05, 1), gamma=st.floats(0.001, 0.2))
def test_the_kept_gradient_is_that_of_the_anchor(seed, p, gamma):
    assert (
        exact.check(theory.ANCHOR_GRADIENT, small_quadratics(seed), LSVRG(gamma=gamma, p=p)).word == "holds"
    )


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_it_is_proved_for_the_class(n):
    P = build(f"class:n={n},L=10,mu=1")
    verdict = proof.check(theory.LINEAR_CONVERGENCE, P, theory.tune(P))
    assert (verdict.word, verdict.grade) == ("holds", "proved")


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_exact_worst_rate_at_p_1_over_n_is_697_over_720(n):
    """At L = 10, mu = 1 the published 59/60 is loose by that factor, whatever n."""
    P = build(f"class:n={n},L=10,mu=1")
    verdict = worstcase.check(theory.LINEAR_CONVERGENCE, P, theory.tune(P))
    assert verdict.ratio * 59 / 60 == pytest.approx(697 / 720, rel=1e-8)


def test_three_times_the_step_is_refuted_by_two_and_a_half():
    P = build("quadratic:n=1,d=2,kappa=1")
    m = LSVRG(gamma=3 / (6 * P.L_max), p=1.0)
    assert exact.check(theory.LINEAR_CONVERGENCE, P, m).word == "not applicable"
    verdict = exact.check(replace(theory.LINEAR_CONVERGENCE, allows=always), P, m)
    assert verdict.word == "violated"
    assert verdict.ratio == pytest.approx(2.5, rel=1e-12)


@pytest.mark.parametrize("p", [0.05, 0.25, 1.0])
def test_the_gradients_are_never_more_than_predicted(p):
    P = build("quadratic:n=4,d=2,kappa=10")
    verdict = moments.check(theory.GRADIENT_COMPLEXITY, P, theory.tune(P, p=p))
    assert (verdict.word, verdict.grade) == ("holds", "exact")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_every_statement_holds_on_the_first_problem_of_its_case(case):
    verdict = first_verdict(case)
    assert verdict.word == "holds", verdict.note


@pytest.mark.parametrize(("case", "twin"), twins_of(CASES), ids=name)
def test_every_red_twin_is_caught_on_a_problem_of_its_case(case, twin):
    assert caught(case, twin)[-1:] == ["violated"]
