"""Gradient descent and SGD: the textbook rates, their limits, and the constants of a minibatch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from proveout.arrays import sqnorm
from proveout.methods.blocks.estimators import Minibatch, MinibatchDraw
from proveout.methods.gd import GD, SGD, Draw, State
from proveout.problems import build, federated, logistic
from proveout.run import run
from proveout.testing import quadratics, seeds
from proveout.theory import gd
from proveout.theory.lenses import exact, proof, worstcase
from proveout.theory.trial.mutants import mutants

CLASS = "class:n=1,L=10,mu=1"
fractions = st.floats(0.05, 1)


@given(P=quadratics(), fraction=st.floats(0.05, 3))
def test_contraction_holds_for_every_step_size(P, fraction):
    verdict = exact.check(gd.CONTRACTION, P, GD(gamma=fraction / P.L))
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    one_curvature = P.mu >= P.L * (1 - 1e-12)  # then the rate can be 0, and there is no ratio
    assert verdict.ratio == pytest.approx(1, abs=1e-6) or one_curvature


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.3])
def test_contraction_is_proved_for_the_class(factor):
    P = build(CLASS)
    verdict = proof.check(gd.CONTRACTION, P, gd.CONTRACTION.tune(P, factor=factor))
    assert (verdict.word, verdict.grade) == ("holds", "proved")


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_convex_rate_is_attained_by_some_convex_function(factor):
    P = build("class:n=1,L=10,mu=0")
    verdict = worstcase.check(gd.CONVEX_RATE, P, gd.CONVEX_RATE.tune(P, factor=factor))
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("name", ["PL", "NONCONVEX"])
@pytest.mark.parametrize("factor", [0.3, 1.0, 1.9])
def test_descent_is_proved_without_convexity(name, factor):
    statement, P = getattr(gd, name), build(CLASS)
    verdict = proof.check(statement, P, statement.tune(P, factor=factor))
    assert (verdict.word, verdict.grade) == ("holds", "proved")


def test_the_pl_rate_is_loose_by_what_is_known():
    """At gamma = 1/L the worst factor of the class is (2L - 2mu)/(2L + mu) (Abbaszadehpeivasti et al., arXiv:2204.00647)."""
    P = build(CLASS)
    m = gd.PL.tune(P)
    verdict = worstcase.check(gd.PL, P, m)
    assert verdict.word == "holds"
    assert verdict.ratio * gd.PL.rate(P, m) == pytest.approx(18 / 21, rel=1e-7)


@given(P=quadratics(), fraction=st.floats(0.05, 2))
def test_descent_holds_for_every_step_size_up_to_two_over_L(P, fraction):
    for statement in (gd.PL, gd.NONCONVEX):
        assert exact.check(statement, P, GD(gamma=fraction / P.L)).word == "holds"


def test_beyond_its_limit_a_statement_does_not_speak():
    P = federated()
    for statement, limit in ((gd.PL, 2), (gd.NONCONVEX, 2), (gd.CONVEX_RATE, 1)):
        assert statement.allows(P, GD(gamma=limit / P.L))
        assert not statement.allows(P, GD(gamma=1.001 * limit / P.L))


# ------------------------------------------------------------------ SGD


@given(
    P=quadratics(n=st.integers(2, 5), noise=st.sampled_from([0.0, 1.0])),
    b=st.integers(1, 5),
    fraction=fractions,
)
def test_sgd_statements_hold_for_every_batch_and_step_size(P, b, fraction):
    b = min(b, P.n)
    for statement in (gd.SGD_NONCONVEX, gd.SGD_STRONGLY_CONVEX):
        m = statement.tune(P, batch=b, factor=fraction)
        verdict = exact.check(statement, P, m)
        assert (verdict.word, verdict.grade) == ("holds", "exact")


@given(seed=seeds, b=st.integers(1, 4), noise=st.sampled_from([0.0, 0.7]))
def test_second_moment_of_a_minibatch_in_closed_form(seed, b, noise):
    P, rng = federated(n=4, d=2, noise=noise, seed=seed % 1000), np.random.default_rng(seed)
    estimator, x = Minibatch(batch=b), rng.standard_normal(2)
    prob, draw = estimator.law(P).atoms()
    g = estimator(P, x[None], draw)
    fpc = (4 - b) / (b * 3)
    clients = sqnorm(P.grads(x[None, :])).mean()
    G = sqnorm(P.grad(x))
    np.testing.assert_allclose(prob @ g, P.grad(x), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(prob @ sqnorm(g), fpc * clients + (1 - fpc) * G + noise**2 / b, rtol=1e-10)
    assert clients <= 2 * P.L_max * (P.value(x) - P.f_star + P.gap_star) * (1 + 1e-12)


def test_the_estimator_block_draws_the_minibatch_of_sgd():
    P = federated(n=4, noise=1.0)
    draw = SGD(gamma=0.1, batch=2).law(P).sample(np.random.default_rng(0), (7,))
    x = np.random.default_rng(1).standard_normal((7, P.d))
    new = SGD(gamma=0.1, batch=2).step(P, State(x=x), Draw(cohort=draw.cohort, xi=draw.xi))
    g = Minibatch(batch=2)(P, x, MinibatchDraw(cohort=draw.cohort, xi=draw.xi))
    np.testing.assert_allclose(new.x, x - 0.1 * g, rtol=1e-14)


def test_with_the_full_batch_sgd_is_gradient_descent():
    P = federated(n=4, d=3)
    a, b = (run(P, m, steps=40) for m in (GD(gamma=0.1), SGD(gamma=0.1, batch=4)))
    np.testing.assert_allclose(a["dist2"], b["dist2"], rtol=1e-9)


def test_a_batch_larger_than_n_is_refused():
    with pytest.raises(ValueError, match="batch must be at most n = 3"):
        gd.SGD_NONCONVEX.tune(federated(n=3), batch=4)


# ------------------------------------------------------------------ f_i* of logistic regression


@pytest.mark.parametrize("sparse", ["yes", "no"])
def test_least_values_of_the_clients_agree_with_another_solver(sparse):
    P = logistic(clients=3, m=60, d=4, sparse=sparse)
    for i in range(3):

        def f(x, i=i):
            return float(P.values(np.broadcast_to(x, (3, 4)))[i])

        found = minimize(f, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).fun
        assert P.f_i_star[i] == pytest.approx(found, abs=1e-10)
    assert P.gap_star == pytest.approx(P.f_star - P.f_i_star.mean(), abs=1e-15)
    assert P.gap_star > 0


def test_with_one_client_nothing_is_lost_to_heterogeneity():
    assert logistic(clients=1, m=60, d=4).gap_star == pytest.approx(0, abs=1e-12)


# ------------------------------------------------------------------ red twins


def test_every_twin_of_gd_is_killed():
    rows = mutants(["gd"], budget="quick", jobs=1).rows
    assert len(rows) >= 5
    assert {(r.id, r.twin, r.word) for r in rows if r.word != "killed"} == set()
