"""Biased SGD: sampled clients, clients that round, growth of the clients' gradients, the nonconvex problem."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.arrays import inner, sqnorm
from proveout.figures import biased_sgd as figures
from proveout.figures.style import render
from proveout.methods.biased_sgd import BiasedSGD, Draw
from proveout.methods.blocks.assumptions import ABC, BND
from proveout.methods.blocks.clientwise import ClientWise, CohortMean, SampledMean, SampledSum, shares
from proveout.methods.blocks.compressors import NearestPower, RandK, TopK
from proveout.methods.blocks.estimators import Declared, Scaled
from proveout.problems import Quadratics, build, federated
from proveout.run import run
from proveout.testing import seeds
from proveout.theory import biased_sgd as theory
from proveout.theory import zoo
from proveout.theory.biased_sgd.growth import dissimilarity
from proveout.theory.biased_sgd.measured import decay_of_rand_k, paper_step
from proveout.theory.biased_sgd.rounding import MeanError, push
from proveout.theory.biased_sgd.sampling import apart_constants, equal_share, mean_iterate
from proveout.theory.lenses import exact, membership, moments, sampled

PAIR = Quadratics(A=np.ones((2, 1, 1)), b=np.array([[0.0], [1.0]]))  # x^2/2 and (x-1)^2/2
UNEQUAL = SampledMean(probs=(0.9, 0.3))


def expectation(P, e, x):
    """E g at one point (d,), and E|g|^2."""
    prob, draw = e.law(P).atoms()
    g = e(P, np.broadcast_to(x, (len(prob), P.d)), draw)
    return prob @ g, prob @ sqnorm(g)


def enumerated(p):
    """w_i by all 2^n cohorts."""
    w = np.zeros(len(p))
    for came in product([0, 1], repeat=len(p)):
        chance = np.prod([q if c else 1 - q for c, q in zip(came, p, strict=True)])
        w += chance * np.array(came) / max(1, sum(came))
    return w


# ------------------------------------------------------------------ shares


def test_e4_shares_of_the_clients():
    np.testing.assert_allclose(shares(0.4, 3), 0.261333, atol=5e-7)
    assert 3 * shares(0.4, 3)[0] == pytest.approx(0.784, rel=1e-14)
    np.testing.assert_allclose(shares((0.2, 0.5, 0.9), 3), (0.09, 0.255, 0.615), rtol=1e-14)
    np.testing.assert_allclose(shares((0.9, 0.3), 2), (0.765, 0.165), rtol=1e-14)


@given(p=st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_the_generating_function_gives_what_enumeration_gives(p):
    np.testing.assert_allclose(shares(tuple(p), len(p)), enumerated(p), rtol=1e-11)


@given(p=st.lists(st.floats(0.01, 0.99), min_size=2, max_size=300))
def test_shares_sum_to_the_chance_that_somebody_comes(p):
    assert shares(tuple(p), len(p)).sum() == pytest.approx(1 - np.prod(1 - np.array(p)), rel=1e-9)


def test_certain_clients_share_alike():
    np.testing.assert_allclose(shares(1.0, 5), 0.2, rtol=1e-14)
    np.testing.assert_allclose(shares((1.0, 1.0, 0.5), 3), enumerated([1.0, 1.0, 0.5]), rtol=1e-13)


# ------------------------------------------------------------------ estimators


@given(seed=seeds)
def test_the_means_of_both_estimators(seed):
    rng = np.random.default_rng(seed)
    P = federated(n=4, d=3, basis="rotated", seed=seed % 97)
    p, x = tuple(rng.uniform(0.1, 1, 4)), rng.standard_normal(3)
    grads = P.grads(np.tile(x, (4, 1)))
    np.testing.assert_allclose(expectation(P, SampledMean(probs=p), x)[0], shares(p, 4) @ grads, atol=1e-11)
    np.testing.assert_allclose(expectation(P, SampledSum(probs=p), x)[0], P.grad(x), atol=1e-11)


@pytest.mark.parametrize("kind", [SampledMean, SampledSum])
@given(seed=seeds, p=st.floats(0.05, 1), scale=st.sampled_from([1e-2, 1.0, 1e2]))
def test_the_constants_of_equal_sampling_hold_everywhere(kind, seed, p, scale):
    P = federated(n=4, d=2, basis="rotated", seed=seed % 97)
    x = P.x_star + scale * np.random.default_rng(seed).standard_normal(2)
    e = kind(probs=p)
    k, (mean, second), v = e.abc(P), expectation(P, e, x), P.grad(x)
    G, D = v @ v, P.value(x) - P.f_star
    assert inner(mean, v) >= k.b * G - k.c - 1e-9 * (1 + G)
    assert second <= 2 * k.A * D + k.B * G + k.C + 1e-9 * (1 + second)


def test_when_everybody_comes_it_is_the_gradient():
    P, x = federated(n=3, d=2), np.ones((1, 2))
    np.testing.assert_allclose(SampledMean(probs=1.0)(P, x, np.ones((1, 3), bool)), P.grad(x), rtol=1e-13)
    assert SampledMean(probs=1.0).abc(P).b == pytest.approx(1)


@pytest.mark.parametrize("kind", [SampledMean, SampledSum])
def test_when_nobody_comes_the_model_stays(kind):
    P, x, nobody = federated(n=3, d=2), np.ones((2, 2)), np.zeros((2, 3), bool)
    assert (kind(probs=0.5)(P, x, nobody) == 0).all()
    mixed = np.array([[False, False, False], [True, False, True]])
    g = kind(probs=0.5)(P, x, mixed)
    assert (g[0] == 0).all()
    assert (g[1] != 0).any()


def test_the_cost_of_sampled_clients_is_what_was_drawn():
    P = federated(n=5, d=2)
    m = BiasedSGD(gamma=0.1, estimator=SampledMean(probs=(0.1, 0.2, 0.3, 0.4, 1.0)))
    draw = m.law(P).sample(np.random.default_rng(0), (50,))
    np.testing.assert_array_equal(m.cost(P, draw).gradients, draw.estimate.sum(axis=-1))
    assert m.estimator.gradients(P) == pytest.approx(2.0)


def test_wrong_probabilities_are_refused():
    for bad in (0.0, 1.5, (0.5, -0.1)):
        with pytest.raises(ValueError, match="probs must"):
            SampledMean(probs=bad)
    with pytest.raises(ValueError, match="equal"):
        UNEQUAL.abc(PAIR)
    with pytest.raises(ValueError, match="client"):
        ClientWise(NearestPower()).abc(PAIR)
    with pytest.raises(ValueError, match="n = 2"):
        theory.DISSIMILAR_SAMPLING.tune(PAIR, probs=(0.1, 0.2, 0.3))


# ------------------------------------------------------------------ unequal probabilities


def test_the_correlation_is_negative_between_the_two_minimisers():
    x = np.array([0.338709677])
    mean, _ = expectation(PAIR, UNEQUAL, x)
    assert PAIR.grad(x)[0] == pytest.approx(-0.16129, abs=1e-5)
    assert mean[0] == pytest.approx(0.15, abs=1e-8)
    assert PAIR.grad(x)[0] * mean[0] < 0
    zero, _ = expectation(PAIR, UNEQUAL, np.array([0.165 / 0.93]))
    assert abs(zero[0]) < 1e-15
    assert 0.165 / 0.93 == pytest.approx(0.1774, abs=5e-5)


def test_no_b_goes_with_c_zero_where_probabilities_differ():
    found = zoo.least(ABC, BiasedSGD(gamma=0.1, estimator=UNEQUAL), PAIR, c=0.0)
    assert found is None or not found.b > 1e-9
    assert zoo.least(
        ABC, BiasedSGD(gamma=0.1, estimator=SampledMean(probs=0.6)), PAIR, c=0.0
    ).b == pytest.approx(1 - 0.4**2)


def test_the_mean_iterate_goes_to_the_weighted_minimiser():
    m = BiasedSGD(gamma=0.02, estimator=UNEQUAL)
    trace = run(
        PAIR, m, steps=400, seeds=500, x0=np.zeros(1), measures={"x": lambda P, m, s: s.x[:, 0]}, every=400
    )
    said = mean_iterate(PAIR, m, 400, m.init(PAIR, np.zeros(1)))[0]
    assert said == pytest.approx(0.165 / 0.93, abs=1e-3)
    assert trace["x"][-1].mean() == pytest.approx(said, abs=0.02)
    statement = theory.INDEPENDENT_SAMPLING_UNEQUAL_FAILS
    assert moments.check(statement, PAIR, m).grade == "exact"


@given(p=st.floats(0.05, 0.95), n=st.integers(2, 4))
def test_equal_sampling_has_the_constant_of_the_claim(p, n):
    assert equal_share(CohortMean(probs=p), n) == pytest.approx(1 - (1 - p) ** n)
    verdict = membership.check(theory.INDEPENDENT_SAMPLING_ABC, None, CohortMean(probs=p))
    assert (verdict.grade, verdict.ratio) == ("exact", pytest.approx(1, abs=1e-9))


@given(seed=seeds, p=st.tuples(st.floats(0.3, 1), st.floats(0.3, 1)))
def test_bounded_dissimilarity_gives_the_c_that_unequal_sampling_needs(seed, p):
    P = federated(n=2, d=2, kappa=1.3, basis="rotated", seed=seed % 97)
    m = theory.DISSIMILAR_SAMPLING.tune(P, probs=p)
    verdict = membership.check(theory.DISSIMILAR_SAMPLING, P, m)
    assert verdict.word in ("holds", "not applicable")  # the latter where v D1 exceeds the mean share


def test_where_the_shares_differ_too_much_there_is_no_b():
    a = theory.DISSIMILAR_SAMPLING.given.least(
        federated(n=2, d=3, kappa=50, basis="rotated"), BiasedSGD(gamma=0.1, estimator=UNEQUAL)
    )
    with pytest.raises(ValueError, match="w_bar"):
        apart_constants()(a)


@given(seed=seeds)
def test_dissimilarity_holds_everywhere(seed):
    P = federated(n=3, d=3, kappa=5, basis="rotated", seed=seed % 97)
    k, x = dissimilarity(P), P.x_star + np.random.default_rng(seed).standard_normal((200, 3)) * 3
    off = P.grads(np.tile(x[:, None], (1, 3, 1))) - P.grad(x)[:, None]
    assert (sqnorm(off, core=2) / 3 <= k.D1_2 * sqnorm(P.grad(x)) + k.D0_2 + 1e-9).all()


def test_clients_of_one_curvature_differ_by_a_constant():
    P = federated(n=3, d=2, kappa=1)
    assert dissimilarity(P) == (0.0, pytest.approx(P.zeta2))


# ------------------------------------------------------------------ rounding


def test_averaged_roundings_point_the_wrong_way():
    P = Quadratics(A=np.ones((3, 1, 1)), b=-np.array([[1.45], [1.6], [-3.01]]))
    x = np.zeros((1, 1))  # the gradients are 1.45, 1.6, -3.01
    e = ClientWise(NearestPower())
    g = e(P, x, e.law(P).sample(np.random.default_rng(0), (1,)))
    assert P.grad(x)[0, 0] == pytest.approx(0.01333, abs=5e-6)
    assert g[0, 0] == pytest.approx(-1 / 3)
    one = NearestPower()(P.grad(x)[..., None, :], np.zeros((1, 1, 1)))
    assert (one * P.grad(x)[0, 0] > 0).all()  # one client is fine


@settings(max_examples=10)
@given(seed=seeds)
def test_rounding_stays_away_wherever_it_is_pushed(seed):
    P = federated(n=3, d=1, kappa=1, seed=seed % 997)
    e, r = push(P)
    if e == 0 or r < 1e-3:
        return
    m = theory.DISTRIBUTED_ROUNDING_FAILS.tune(P)
    at = P.x_star[None]
    assert m.estimator(P, at, np.zeros((1, 3, 1)))[0, 0] == pytest.approx(e)
    beyond = at - math.copysign(r * (1 + 1e-9), e)
    assert m.estimator(P, beyond, np.zeros((1, 3, 1)))[0, 0] != pytest.approx(e)
    assert sampled.check(theory.DISTRIBUTED_ROUNDING_FAILS, P, m).word in ("holds", "not applicable")
    x, steps = P.x_star + np.array([-1.0, 0.0, 1.0])[:, None], math.ceil((r + 1) / (m.gamma * abs(e)))
    assert (theory.DISTRIBUTED_ROUNDING_FAILS.floor(P, m, steps, m.init(P, x)) > 0).all()


def test_a_wrong_neighbourhood_of_rounding_is_found():
    P = federated(n=3, d=2, kappa=2, basis="rotated")
    m = theory.DISSIMILAR_ROUNDING.tune(P)
    a = theory.DISSIMILAR_ROUNDING.given.least(P, m)
    assert a.kappa == pytest.approx(1 / 9)
    right = theory.DISSIMILAR_ROUNDING.constants(a)
    assert MeanError().figure(P, m, right) <= 1
    assert MeanError().figure(P, m, BND(m=right.m / 4, phi2=right.phi2 / 4)) > 1
    with pytest.raises(ValueError, match="luck"):
        MeanError().figure(P, BiasedSGD(gamma=0.1, estimator=ClientWise(RandK(k=1))), right)
    with pytest.raises(ValueError, match="below"):
        theory.DISSIMILAR_ROUNDING.tune(P, compressor="top_k", k=2)


def test_clientwise_estimators_say_what_they_send():
    P, e = federated(n=3, d=4), ClientWise(TopK(k=2))
    assert (e.gradients(P), e.floats(P)) == (3, 2)
    assert e.bits(P) == TopK(k=2).bits(4)


# ------------------------------------------------------------------ finite sums


@pytest.mark.parametrize("name", ["FINITE_SUM_GROWTH", "QUADRATICS_NEED_NO_A"])
@given(seed=seeds, kappa=st.floats(1, 20))
def test_growth_holds_on_every_quadratic(name, seed, kappa):
    P = federated(n=3, d=2, kappa=kappa, basis="rotated", seed=seed % 97)
    statement = getattr(theory, name)
    assert membership.check(statement, P, statement.tune(P)).word == "holds"


# ------------------------------------------------------------------ the nonconvex problem


def test_the_nonconvex_regulariser_has_the_constants_it_says():
    P = build("logistic:a1a,clients=10,nonconvex=1")
    assert (P.mu, P.f_star, P.gap_star) == (-0.5, 0.0, 0.0)
    base = build("logistic:a1a,clients=10,l2=1e-12")
    np.testing.assert_allclose(P.L_i, base.L_i + 2, rtol=1e-9)
    assert P.L == pytest.approx(base.L + 2)
    assert P.L_max == P.L_i.max()
    rng = np.random.default_rng(0)
    for scale in (0.0, 0.3, 1.0, 3.0):
        x, u = scale * rng.standard_normal(P.d), rng.standard_normal(P.d)
        u /= np.linalg.norm(u)
        h = 1e-5
        assert (P.value(x + h * u) - P.value(x - h * u)) / (2 * h) == pytest.approx(P.grad(x) @ u, abs=1e-6)
        bend = (P.grad(x + h * u) - P.grad(x - h * u)) @ u / (2 * h)
        assert -0.5 - 1e-6 <= bend <= P.L + 1e-6
    x = rng.standard_normal((7, P.d))
    np.testing.assert_allclose(
        P.at(np.array([2, 5])).grads(x[:, None]), P.grads(np.tile(x[:, None], (1, 10, 1)))[:, [2, 5]]
    )
    assert (
        sqnorm(P.grads(np.tile(x[:, None], (1, 10, 1)))).mean(axis=-1).max() <= 2 * P.L_max * P.value(x).max()
    )


def test_the_nonconvex_problem_refuses_what_it_cannot_be():
    for spec in (
        "logistic:a1a,nonconvex=1,kappa=10",
        "logistic:a1a,nonconvex=-1",
        "logistic:a1a,nonconvex=1,l2=.1",
    ):
        with pytest.raises(ValueError, match="nonconvex|lam"):
            build(spec)


def test_the_nonconvex_theorem_holds_on_the_nonconvex_problem():
    P = build("logistic:synthetic,m=12,d=2,clients=6,nonconvex=1")
    for estimator in ("sampled", "minibatch"):
        m = theory.NONCONVEX_STEP.tune(P, estimator=estimator)
        assert exact.check(theory.NONCONVEX_STEP, P, m).word == "holds"


# ------------------------------------------------------------------ what was measured


@given(p=st.floats(0.01, 0.5))
def test_the_papers_step_grows_like_the_root_of_p(p):
    P = build("logistic:synthetic,m=12,d=2,clients=12,nonconvex=1")
    assert paper_step(P, 2 * p, 100) / paper_step(P, p, 100) == pytest.approx(math.sqrt(2))


def test_the_moments_of_rand_k_are_exact():
    P = build("quadratic:n=1,d=4,kappa=10")
    gamma, k = 0.03, 2
    W = decay_of_rand_k(P, k, gamma)
    m = BiasedSGD(gamma=gamma, estimator=theory.convergence.estimator("rand_k", k))
    x0 = P.x_star + np.array([1.0, -2.0, 0.5, 1.0])
    prob, draw = m.law(P).atoms()
    states = m.step(P, m.init(P, np.tile(x0, (len(prob), 1))), draw)
    y = x0 - P.x_star
    assert prob @ (P.value(states.x) - P.f_star) == pytest.approx(y @ W[1] @ y, rel=1e-12)
    again = [m.step(P, m.init(P, np.tile(x, (len(prob), 1))), draw).x for x in states.x]
    twice = prob @ np.array([prob @ (P.value(x) - P.f_star) for x in again])
    assert twice == pytest.approx(y @ W[2] @ y, rel=1e-12)


def test_a_sampled_step_is_the_mean_of_those_who_came():
    P = federated(n=3, d=2)
    m = BiasedSGD(gamma=0.1, estimator=SampledMean(probs=0.5))
    x = np.ones((1, 2))
    new = m.step(P, m.init(P, x), Draw(estimate=np.array([[True, False, True]])))
    grads = P.grads(np.ones((3, 2)))
    np.testing.assert_allclose(new.x[0], x[0] - 0.1 * (grads[0] + grads[2]) / 2)


# ------------------------------------------------------------------ figure


def test_more_clients_make_the_papers_rule_faster_on_real_data(tmp_path):
    panel = figures.PANELS["sampling"]
    data = panel.measure(quick=True)
    ends = [data[f"paper {p}"][-1] for p in data["p"]]
    assert ends[0] > ends[1] > ends[2]
    steps = [data[f"gamma paper {p}"] for p in data["p"]]
    assert steps[2] / steps[0] == pytest.approx(math.sqrt(50), rel=1e-12)
    assert all(data[f"corrected {p}"][-1] < data[f"paper {p}"][-1] for p in data["p"])
    render(panel, data, [str(tmp_path / "sampling.png")])


def test_an_estimator_around_sampled_clients_costs_what_they_cost():
    P, draw = federated(n=3, d=2), np.array([[True, False, True], [False, False, False]])
    for e in (Scaled(SampledMean(probs=0.5), 2.0), Declared(base=SampledMean(probs=0.5), said=ABC())):
        np.testing.assert_array_equal(e.asked(P, draw), [2, 0])
        assert BiasedSGD(gamma=0.1, estimator=e).cost(P, Draw(estimate=draw)).gradients[0] == 2
