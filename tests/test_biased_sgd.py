"""Biased SGD: the estimators' constants, the worked examples, the theorems on them, the red twins."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import inner, sqnorm
from proveout.figures import biased_sgd as figures
from proveout.figures.style import render
from proveout.methods.biased_sgd import BiasedSGD, Draw
from proveout.methods.blocks.assumptions import SG2
from proveout.methods.blocks.compressors import FLOAT_BITS, BiasedRandK, RandK, TopK
from proveout.methods.blocks.estimators import (
    ABC,
    Affine,
    Circling,
    Compressed,
    Declared,
    Exact,
    Minibatch,
    Scaled,
)
from proveout.problems import Quadratics, build, federated
from proveout.run import run
from proveout.testing import quadratics, seeds
from proveout.theory import biased_sgd as theory
from proveout.theory.biased_sgd import rules
from proveout.theory.biased_sgd.convergence import nonconvex_bound
from proveout.theory.biased_sgd.floor import BoundHolds, InABC, circle
from proveout.theory.biased_sgd.lmi import frontier, least_constants
from proveout.theory.lenses import exact, proof, worstcase
from proveout.theory.statement import evaluate
from proveout.theory.trial.check import check

ESTIMATORS = [
    Exact(),
    Compressed(TopK(k=1)),
    Compressed(RandK(k=1)),
    Compressed(BiasedRandK(k=2)),
    Minibatch(batch=2),
    Affine(factors=(0.5, 1.5), shifts=((0.3,), (-0.3,))),
    Affine(factors=(1.0, 3.0), shifts=((0.1, 0.2, 0.0), (0.4, 0.0, 0.0)), probs=(0.75, 0.25)),
    Scaled(Compressed(RandK(k=1)), 0.4),
]
each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)


def moments(P, estimator, x):
    """P = <grad f, E g>, S = E|g|^2, G, D at points (N, d)."""
    prob, draw = estimator.law(P).atoms()
    v = P.grad(x)
    g = estimator(P, x[:, None, :], _one(draw))
    g = np.broadcast_to(g, (len(x), len(prob), P.d))
    return inner(g, v[:, None, :]) @ prob, sqnorm(g) @ prob, sqnorm(v), P.value(x) - P.f_star


def _one(draw):
    return type(draw)(*(a[None] for a in draw)) if hasattr(draw, "_fields") else draw[None]


# ------------------------------------------------------------------ constants


@each
@given(seed=seeds, scale=st.sampled_from([1e-2, 1.0, 1e2]))
def test_the_constants_of_every_estimator_hold_everywhere(estimator, seed, scale):
    P = federated(n=3, d=3, basis="rotated", noise=0.5, seed=seed % 97)
    x = P.x_star + scale * np.random.default_rng(seed).standard_normal((50, 3))
    k = estimator.abc(P)
    correlation, second, G, D = moments(P, estimator, x)
    assert (correlation >= k.b * G - k.c - 1e-9 * (1 + G)).all()
    assert (second <= 2 * k.A * D + k.B * G + k.C + 1e-9 * (1 + second)).all()


def test_scaling_the_estimator_scales_its_constants():
    one = Affine(factors=(1.0, 3.0), shifts=((0.1,), (0.4,)))
    P = federated(d=3)
    k, r = one.abc(P), Scaled(one, 2.0).abc(P)
    assert (r.A, r.B, r.C, r.b, r.c) == (4 * k.A, 4 * k.B, 4 * k.C, 2 * k.b, 2 * k.c)


def test_declared_constants_replace_those_of_the_estimator():
    P = federated(d=4)
    e = Compressed(TopK(k=1))
    assert e.abc(P) == ABC(b=0.25)
    assert Declared(base=e, said=ABC(B=0.9, b=0.25)).abc(P) == ABC(B=0.9, b=0.25)
    assert Declared(base=e, said=SG2(tau=0.25, beta=1.0)).abc(P) == ABC(b=0.25)


def test_costs_are_the_estimators():
    P = federated(n=3, d=4)
    for estimator, gradients, floats in (
        (Exact(), 3, 4),
        (Compressed(TopK(k=2)), 3, 2),
        (Minibatch(batch=2), 2, 4),
    ):
        cost = BiasedSGD(gamma=0.1, estimator=estimator).cost(P, None)
        assert (cost.gradients, cost.up, cost.down) == (gradients, floats, 4)
    assert BiasedSGD(gamma=0.1, estimator=Compressed(TopK(k=2))).cost(P, None).bits == 2 * (FLOAT_BITS + 2)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: BiasedSGD(gamma=0),
        lambda: Minibatch(batch=0),
        lambda: Affine(factors=(1.0, 2.0), shifts=((1.0,),)),
        lambda: Affine(factors=(1.0, 2.0), probs=(0.5, 0.6)),
        lambda: Circling(b=1.5),
        lambda: theory.PL.tune(federated(d=3), estimator="top_k", k=4),
        lambda: theory.PL.tune(federated(n=3), estimator="minibatch", k=4),
        lambda: theory.PL.tune(federated(), estimator="no such"),
    ],
)
def test_wrong_parameters_are_refused(bad):
    with pytest.raises(ValueError, match="must"):
        bad()


# ------------------------------------------------------------------ E1: membership by generalised eigenvalues


@given(P=quadratics(d=st.just(3)))
def test_e1_rand_one_in_three_dimensions(P):
    keys = ("alpha", "tau", "zeta", "beta", "kappa", "eta", "xi", "u2", "M")
    biased = (1 / 3, 1 / 3, 1 / 3, 1, 2 / 3, 4 / 9, 2 / 9, 1 / 9, 2)
    scaled = (3, 1, 3, 3, 2, 0, 2, 1, 2)
    for block, expected in ((BiasedRandK(k=1), biased), (RandK(k=1), scaled)):
        found = least_constants(P, BiasedSGD(gamma=0.1, estimator=Compressed(block)))
        assert [found[key] for key in keys] == pytest.approx(expected, abs=1e-6)


# ------------------------------------------------------------------ E2: additive error


def test_e2_additive_error_in_closed_form():
    P = federated(d=3, basis="rotated")
    one = Affine(factors=(1.0, 1.0), shifts=((0.3, 0, 0), (0.3, 0.2, 0)))
    k = one.abc(P)
    assert one.p @ sqnorm(one.s(3)) == pytest.approx(0.11)  # absolute error
    assert sqnorm(one.p @ one.s(3)) == pytest.approx(0.10)  # bias
    assert one.p @ sqnorm(one.s(3) - one.p @ one.s(3)) == pytest.approx(0.01)  # variance
    assert k.c / k.b == pytest.approx(0.1)
    three = Affine(factors=(3.0,), shifts=((0.3, 0, 0),)).abc(P)
    assert three.c / three.b == pytest.approx(0.01)


@given(P=quadratics(), share=st.floats(0.05, 0.95))
def test_the_least_c_is_attained_where_the_closed_form_says(P, share):
    e = Affine(factors=(1.0, 2.0), shifts=((0.3,), (-0.1,)))
    closed, attained = frontier(P, BiasedSGD(gamma=0.1, estimator=e), 1.5 * share)
    assert closed == pytest.approx(attained, rel=1e-6, abs=1e-9)
    assert closed == pytest.approx(sqnorm(e.p @ e.s(P.d)) / (4 * 1.5 * (1 - share)), rel=1e-6)


# ------------------------------------------------------------------ E3: the floor


@pytest.mark.parametrize("coin", [True, False])
def test_e3_every_iterate_keeps_its_norm(coin):
    P, _ = circle()
    m = BiasedSGD(gamma=0.5, estimator=Circling(coin=coin))
    trace = run(P, m, steps=200, seeds=8, x0=np.array([1.0, 0.0]), every=1)
    np.testing.assert_allclose(trace["dist2"], 1, rtol=1e-12)
    np.testing.assert_allclose(trace["gap"], 0.5, rtol=1e-12)  # = c/(mu b)


def test_e3_right_sides_of_the_theorem_and_of_the_form_that_fails():
    P, e = circle()
    m = BiasedSGD(gamma=0.5, estimator=e)
    assert rules.limit(e.abc(P), P.L) == 0.5
    start = m.init(P, np.array([1.0, 0.0]))
    for T, right, printed in ((10, 1.4, 0.9), (20, 1.2, 0.7), (50, 1.08, 0.58), (200, 1.02, 0.52)):
        assert evaluate(nonconvex_bound()(P, m, T, start), P) == pytest.approx(right, rel=1e-12)
        assert evaluate(nonconvex_bound(1)(P, m, T, start), P) == pytest.approx(printed, rel=1e-12)


def test_e3_is_in_the_class_it_says_and_in_no_smaller_one():
    P, e = circle()
    assert InABC().least(P, e) == ABC(B=1.0, b=0.5, c=0.25)
    assert BoundHolds(floor=2).least(P, e) == pytest.approx(1 / 1.02)
    assert BoundHolds(floor=1).least(P, e) is None
    for tighter in ({"c": 0.24}, {"B": 0.9}, {"b": 0.55}):
        assert InABC().least(P, Tighter(tighter)) is None


class Tighter:
    """The estimator of E3 with other constants."""

    base, radius = Circling(), Circling().radius

    def __init__(self, constants):
        self.constants = constants

    def law(self, P):
        return self.base.law(P)

    def __call__(self, P, x, draw):
        return self.base(P, x, draw)

    def abc(self, P):
        return replace(self.base.abc(P), **self.constants)


def test_e3_makes_the_pl_theorem_tight():
    P, e = circle()
    m = BiasedSGD(gamma=0.5, estimator=e)
    assert rules.pl_limit(e.abc(P), P.L, P.mu) == 0.5
    state = m.init(P, np.array([1.0, 0.0]))
    claimed = evaluate(theory.PL.lyapunov(P, m, state), P) * theory.PL.rate(P, m) + theory.PL.noise(P, m)
    assert claimed == pytest.approx(0.5, rel=1e-14)


# ------------------------------------------------------------------ the theorems


@each
@given(
    P=quadratics(n=st.integers(2, 4), d=st.just(3), noise=st.sampled_from([0.0, 1.0])),
    factor=st.floats(0.1, 1),
)
def test_the_one_step_theorems_hold_for_every_step_size_they_allow(estimator, P, factor):
    for statement in (theory.NONCONVEX_STEP, theory.PL, theory.PL_SHARP):
        m = statement.tune(P, estimator=estimator, factor=factor)
        assert exact.check(statement, P, m, seed=1).word == "holds"


@pytest.mark.parametrize("statement", [theory.PL, theory.PL_SHARP], ids=["pl", "pl_sharp"])
def test_every_unbiased_compressor_at_once(statement):
    P = build("class:n=1,L=10,mu=1")
    m = statement.tune(P, estimator="lazy", k=1)
    assert proof.check(statement, P, m).grade == "proved"
    assert 0.99 < worstcase.check(statement, P, m).ratio < 1  # nearly tight over all of them with omega = 1


@given(seed=seeds)
def test_the_pl_bound_follows_a_run_of_top_k(seed):
    P = federated(n=1, d=4, kappa=5, seed=seed % 1000)
    m = theory.PL.tune(P, estimator="top_k", k=2)
    trace = run(P, m, steps=100, every=1)
    rate = theory.PL.rate(P, m)
    assert (trace["gap"][:, 0] <= rate**trace.t * trace["gap"][0] * (1 + 1e-9) + 1e-12).all()


def test_complexities_are_those_of_the_paper_at_the_papers_step_size():
    P = federated(d=3)
    start = BiasedSGD(gamma=1.0).init(P, np.zeros(3))
    gap0 = float(P.value(start.x) - P.f_star)
    m = BiasedSGD(gamma=1.0, estimator=Affine(factors=(0.5, 1.5), shifts=((0.3,), (-0.3,))))
    k, eps, mu = m.estimator.abc(P), 0.05, P.mu_pl
    gamma = min(k.b / (P.L * k.B), k.b * eps / (2 * P.L * k.C))
    count = theory.NONCONVEX_COMPLEXITY.count(P, replace(m, gamma=gamma), eps, start)
    assert count == pytest.approx(12 * gap0 * P.L / (k.b * eps) * max(k.B / k.b, 2 * k.C / (k.b * eps)))
    gamma = min(rules.pl_limit(k, P.L, mu), mu * k.b * eps / (P.L * k.C))
    count = theory.PL_COMPLEXITY.count(P, replace(m, gamma=gamma), eps, start)
    most = max(1, P.L * (k.A + mu * k.B) / (mu * k.b) ** 2, P.L * k.C / ((mu * k.b) ** 2 * eps))
    assert count == pytest.approx(most * math.log(2 * gap0 / eps))
    assert theory.PL_COMPLEXITY.count(P, replace(m, gamma=gamma), eps / 10, start) == math.inf


@pytest.mark.parametrize("name", ["TOP_K_ABC", "RAND_K_ABC", "BIASED_RAND_K_ABC"])
@pytest.mark.parametrize("k", [1, 2])
def test_constants_of_the_compressors_are_least(name, k):
    statement = getattr(theory, name)
    verdict = check(statement, None, statement.tune(k=k))
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-9)


# ------------------------------------------------------------------ reductions


@given(seed=seeds, k=st.integers(1, 3))
def test_rand_k_is_biased_rand_k_with_a_longer_step(seed, k):
    P = federated(d=4)
    x = np.random.default_rng(seed).standard_normal((5, 4))
    draw = Compressed(RandK(k=k)).law(P).sample(np.random.default_rng(seed), (5,))
    a = BiasedSGD(gamma=0.1, estimator=Compressed(RandK(k=k)))
    b = BiasedSGD(gamma=0.1 * 4 / k, estimator=Compressed(BiasedRandK(k=k)))
    one, other = (m.step(P, m.init(P, x), Draw(estimate=draw)) for m in (a, b))
    np.testing.assert_allclose(one.x, other.x, rtol=1e-13, atol=1e-14)


@given(seed=seeds, d=st.integers(2, 7), k=st.integers(1, 7))
def test_top_k_finishes_in_d_over_k_steps_on_the_round_problem(seed, d, k):
    k = min(k, d)
    P = Quadratics(A=np.eye(d)[None], b=np.random.default_rng(seed).standard_normal((1, d)))
    m = theory.TOP_K_FINISHES.tune(P, k=k)
    x0 = P.x_star + np.random.default_rng(seed).choice([-1.0, 1.0, 2.0], size=d)  # ties
    steps = math.ceil(d / k)
    trace = run(P, m, steps=steps, x0=x0, every=1)
    assert trace["dist2"][-1, 0] < 1e-28
    assert (trace["dist2"][:-1] > 0.5).all()


def test_identities_hold_on_real_data_too():
    P = build("logistic:a1a,clients=10,kappa=100")
    for statement in (
        theory.EQUALS_GD,
        theory.EQUALS_SGD,
        theory.SCALING,
        theory.RAND_K_EQUALS_BIASED_RAND_K,
    ):
        assert check(statement, P, statement.tune(P)).word == "holds"


def test_the_floor_c_over_b_fails():
    assert check(theory.PRINTED_FLOOR_FAILS, None, None).word == "holds"


# ------------------------------------------------------------------ figure, red twins


def test_top_1_needs_at_most_half_the_iterations_of_rand_1(tmp_path):
    data = figures.PANELS["top_k"].measure(quick=True)
    half = data["kept"] <= data["dimension"] / 4
    assert (2 * data["steps_top"][half] <= data["steps_rand"][half]).all()
    assert (data["top"] <= data["bound"] * (1 + 1e-9)).all()
    assert (data["rand"] <= data["bound"] * (1 + 1e-9)).all()
    render(figures.PANELS["top_k"], data, [str(tmp_path / "top_k.png")])


def test_top_1_takes_3424_iterations_on_the_ladder():
    P = figures.ladder(50)
    assert figures.reached(P, BiasedSGD(gamma=1 / P.L, estimator=Compressed(TopK(k=1))), 5000, 0) == 3424
