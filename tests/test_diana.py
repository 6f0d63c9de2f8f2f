"""DIANA: the method by hand, its second moments, the theorem, its red twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.methods.blocks.compressors import Identity, Lazy, RandK
from proveout.methods.diana import Diana, Draw, State
from proveout.problems import Quadratics, build
from proveout.run import run
from proveout.theory import diana as theory
from proveout.theory.cases.diana import CASES
from proveout.theory.lenses import exact, moments, proof, worstcase
from proveout.theory.statement import always, evaluate
from stems import caught, first_verdict, name, twins_of

seeds = st.integers(0, 10_000)
TWO = Quadratics(A=np.array([[[1.0]], [[3.0]]]), b=np.array([[1.0], [-1.0]]))  # x* = 0, h* = (-1, 1)


def small_quadratics(seed, n=3, d=3, kappa=10):
    return build(f"quadratic:n={n},d={d},kappa={kappa},basis=rotated,seed={seed}")


# ------------------------------------------------------------------ the method


def test_one_round_by_hand():
    m = Diana(gamma=0.1, eta=0.5, compressor=Lazy(p=0.5))
    state = State(x=np.array([2.0]), h=np.array([[0.5], [1.0]]))
    new = m.step(TWO, state, Draw(sent=np.array([True, False])))
    # grads (1, 7); client 0 sends (1 - .5)/p = 1, client 1 nothing; server: (.5 + 1)/2 + (1 + 0)/2
    assert new.x == pytest.approx([2 - 0.1 * (0.75 + 0.5)])
    np.testing.assert_allclose(new.h, [[0.5 + 0.5 * 1], [1.0]])


def test_without_compression_and_with_eta_one_the_shifts_are_the_last_gradients():
    P, m = small_quadratics(0), Diana(gamma=0.01, eta=1.0)
    state = m.init(P, np.ones(3))
    new = m.step(P, state, m.law(P).sample(np.random.default_rng(0), ()))
    np.testing.assert_allclose(new.h, P.grads(state.x[None]), rtol=1e-14)
    np.testing.assert_allclose(new.x, state.x - 0.01 * P.grad(state.x), rtol=1e-14)


def test_costs_are_those_of_the_compressor():
    P = small_quadratics(0, d=6)
    cost = Diana(gamma=0.1, eta=0.5, compressor=RandK(k=2)).cost(P, None)
    assert (cost.gradients, cost.up, cost.down, cost.rounds, cost.bits) == (3, 2, 6, 1, 64)
    cost = Diana(gamma=0.1, eta=0.5).cost(P, None)
    assert (cost.up, cost.down) == (6, 6)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Diana(gamma=0.0, eta=0.5), "gamma must be > 0, got 0.0"),
        (lambda: Diana(gamma=0.1, eta=1.5), r"eta must lie in \(0, 1\], got 1.5"),
        (lambda: theory.tune(TWO, k=1, p=0.5), "give k or p, not both"),
        (lambda: theory.tune(TWO, k=2), "k must be at most d = 1, got 2"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_symbol(make, word):
    with pytest.raises(ValueError, match=word):
        make()


def test_the_rule_is_that_of_the_theorem():
    m = theory.tune(small_quadratics(0, n=4, d=6), k=2)  # omega = 2
    assert m.eta == pytest.approx(1 / 3)
    assert m.gamma == pytest.approx(1 / (10 * (1 + 12 / 4)))


def test_it_converges_to_the_minimiser_where_compressed_gradients_do_not():
    P = build("quadratic:n=5,d=4,kappa=10,heterogeneity=3")
    m = theory.tune(P, k=1)
    trace = run(P, m, steps=6000, seeds=4)
    assert trace["dist2"][-1].max() < 1e-20 * trace["dist2"][0].max()
    frozen = theory.no_shift.edit(theory.LINEAR_CONVERGENCE, P, m)[2]
    assert run(P, frozen, steps=6000, seeds=4)["dist2"][-1].min() > 1e-6


# ------------------------------------------------------------------ the theorem


@given(
    seed=seeds,
    k=st.integers(1, 2),
    kappa=st.sampled_from([1, 3, 30, 300]),
    share=st.floats(0.05, 1),
    slower=st.floats(0.05, 1),
)
def test_linear_convergence_holds_for_all_steps_it_allows(seed, k, kappa, share, slower):
    P = small_quadratics(seed, kappa=kappa)
    m = theory.tune(P, k=k, share=share)
    verdict = exact.check(theory.LINEAR_CONVERGENCE, P, replace(m, eta=slower * m.eta))
    assert (verdict.word, verdict.grade) == ("holds", "exact")


@given(seed=seeds, p=st.floats(0.05, 0.95), n=st.integers(1, 4))
def test_it_holds_for_all_or_nothing(seed, p, n):
    P = small_quadratics(seed, n=n, d=2)
    assert exact.check(theory.LINEAR_CONVERGENCE, P, theory.tune(P, p=p)).word == "holds"


@given(seed=seeds, k=st.integers(1, 3), eta=st.floats(0.05, 1), gamma=st.floats(0.01, 0.5))
def test_the_second_moments_are_equalities_for_every_step_size(seed, k, eta, gamma):
    P = small_quadratics(seed)
    m = Diana(gamma=gamma, eta=eta, compressor=RandK(k=k))
    assert exact.check(theory.SECOND_MOMENTS, P, m).word == "holds"


def test_the_second_moments_are_not_enumerated_beyond_reason():
    P = build("logistic:a1a,clients=5,kappa=100")
    assert exact.check(theory.SECOND_MOMENTS, P, theory.tune(P, k=1)).word == "not applicable"


def test_without_variance_the_theorem_does_not_speak():
    P = small_quadratics(0)
    for m in (theory.tune(P), theory.tune(P, k=3), theory.tune(P, p=1.0)):
        assert exact.check(theory.LINEAR_CONVERGENCE, P, m).word == "not applicable"
        assert exact.check(theory.EQUALS_GD, P, m).word == "holds"


@pytest.mark.parametrize("p", [0.5, 0.2])
@pytest.mark.parametrize("n", [1, 4])
def test_it_is_proved_for_every_compressor_of_that_variance(n, p):
    P = build(f"class:n={n},L=10,mu=1")
    verdict = proof.check(theory.LINEAR_CONVERGENCE, P, theory.tune(P, p=p))
    assert (verdict.word, verdict.grade) == ("holds", "proved")


def test_the_worst_case_agrees_with_the_enumerated_worst_state():
    """A quadratic is a member of the class: its worst factor is at most that of the class, which is at most 1."""
    P = build("quadratic:n=3,d=2,kappa=10")
    m = theory.tune(P, k=1)
    one = exact.check(theory.LINEAR_CONVERGENCE, P, m).ratio
    klass = build("class:n=3,L=10,mu=1")
    whole = worstcase.check(theory.LINEAR_CONVERGENCE, klass, theory.tune(klass, p=0.5)).ratio
    assert m.compressor.omega(2) == 1
    assert one <= whole * (1 + 1e-9) <= 1


NAMED = (
    (theory.fast_shift, "quadratic:n=2,d=2,kappa=2", 1, 1.752299),
    (theory.long_step, "quadratic:n=2,d=2,kappa=2", 1, 2.011387),
    (theory.shared, "quadratic:n=4,d=8,kappa=1", 2, 1.262470),
)


@pytest.mark.parametrize(("twin", "spec", "k", "figure"), NAMED, ids=lambda v: getattr(v, "name", v))
def test_the_named_instances_refute_their_twins(twin, spec, k, figure):
    P = build(spec)
    verdict = exact.check(*twin.edit(theory.LINEAR_CONVERGENCE, P, theory.tune(P, k=k)))
    assert verdict.word == "violated"
    assert verdict.ratio == pytest.approx(figure, abs=1e-6)


def test_a_shared_mask_is_no_worse_where_one_coordinate_counts():
    """n = 1: one mask for all clients is the method itself."""
    P = build("quadratic:n=1,d=3,kappa=10")
    assert exact.check(*theory.shared.edit(theory.LINEAR_CONVERGENCE, P, theory.tune(P, k=1))).word == "holds"


def test_steps_past_the_rule_are_not_applicable():
    P = small_quadratics(0)
    m = theory.tune(P, k=1, share=1.01)
    assert exact.check(theory.LINEAR_CONVERGENCE, P, m).word == "not applicable"
    assert exact.check(replace(theory.LINEAR_CONVERGENCE, allows=always), P, m).word == "holds"


@pytest.mark.parametrize("kappa", [1, 10, 100])
def test_the_rounds_are_never_more_than_predicted(kappa):
    P = build(f"quadratic:n=3,d=3,kappa={kappa}")
    m = theory.tune(P, k=1)
    verdict = moments.check(theory.ROUND_COMPLEXITY, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    start = m.init(P, np.zeros(3))
    eps = 1e-6 * float(evaluate(theory.psi(P, m, start), P))
    omega = 2
    predicted = theory.ROUND_COMPLEXITY.count(P, m, eps, start)
    assert predicted == pytest.approx(
        max(P.L_max / P.mu_min * (1 + 6 * omega / 3), 2 * (1 + omega)) * np.log(1e6), rel=1e-9
    )


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_every_statement_holds_on_the_first_problem_of_its_case(case):
    verdict = first_verdict(case)
    assert verdict.word == "holds", verdict.note


@pytest.mark.parametrize(("case", "twin"), twins_of(CASES), ids=name)
def test_every_red_twin_is_caught_on_a_problem_of_its_case(case, twin):
    assert caught(case, twin)[-1:] == ["violated"]


def test_the_default_sends_everything():
    assert Diana(gamma=0.1, eta=1.0).compressor == Identity()
