"""ProxSkip, Scaffnew, CompressedScaffnew: the method's limit cases, the theorem, its red twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import tree_map
from proveout.methods.gd import GD
from proveout.methods.proxskip import CompressedScaffnew, Draw, MaskedDraw, ProxSkip, Scaffnew, State
from proveout.problems import Quadratics, build
from proveout.problems.composite import L1, Box, Composite
from proveout.run import run
from proveout.theory import proxskip as theory
from proveout.theory.cases.proxskip import CASES
from proveout.theory.lenses import exact, proof
from proveout.theory.statement import always, evaluate
from proveout.theory.twins import Altered
from stems import caught, first_verdict, name, twins_of

seeds = st.integers(0, 10_000)


def small_quadratics(seed, n=3, d=2, kappa=10):
    return build(f"quadratic:n={n},d={d},kappa={kappa},basis=rotated,seed={seed}")


def after(P, m, state, rng, steps=30):
    """States along one random path."""
    states = [state]
    for _ in range(steps):
        states.append(m.step(P, states[-1], m.law(P).sample(rng, ())))
    return states


# ------------------------------------------------------------------ the method


def test_with_p_equal_one_scaffnew_is_gradient_descent():
    P = small_quadratics(0)
    m, gd = Scaffnew(gamma=0.1, p=1.0), GD(gamma=0.1)
    ours, theirs = m.init(P, np.ones(2)), gd.init(P, np.ones(2))
    for _ in range(20):
        ours = m.step(P, ours, Draw(theta=np.array(True)))
        theirs = gd.step(P, theirs, None)
        np.testing.assert_allclose(ours.x, np.broadcast_to(theirs.x, (3, 2)), rtol=1e-13)


def test_scaffnew_is_proxskip_on_the_consensus_problem():
    P = small_quadratics(1)
    lifted = Quadratics(
        A=np.block([[P.A[i] if i == j else np.zeros((2, 2)) for j in range(3)] for i in range(3)])[None],
        b=P.b.reshape(1, 6),
    )

    class Consensus:
        def value(self, x):
            return 0.0

        def prox(self, v, t):
            return np.tile(v.reshape(*v.shape[:-1], 3, 2).mean(axis=-2), 3)

    composite = Composite(lifted, Consensus())
    ours, theirs = Scaffnew(gamma=0.1, p=0.4), ProxSkip(gamma=0.1, p=0.4)
    a, b = ours.init(P, np.ones(2)), theirs.init(composite, np.ones(6))
    for theta in np.random.default_rng(0).random(40) < 0.4:
        draw = Draw(theta=np.array(theta))
        a, b = ours.step(P, a, draw), theirs.step(composite, b, draw)
        np.testing.assert_allclose(a.x.ravel(), b.x, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(a.h.ravel(), b.h, rtol=1e-12, atol=1e-12)


def test_compressed_scaffnew_with_full_masks_is_scaffnew():
    P = small_quadratics(2, n=4)
    compressed, plain = CompressedScaffnew(gamma=0.1, p=0.5, chi=1.0, s=4), Scaffnew(gamma=0.1, p=0.5)
    a, b = compressed.init(P, np.ones(2)), plain.init(P, np.ones(2))
    rng = np.random.default_rng(0)
    for _ in range(40):
        draw = compressed.law(P).sample(rng, ())
        a, b = compressed.step(P, a, draw), plain.step(P, b, Draw(theta=draw.theta))
        np.testing.assert_allclose(a.x, b.x, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(a.h, b.h, rtol=1e-12, atol=1e-12)


def test_every_coordinate_is_sent_by_exactly_s_clients():
    P = small_quadratics(3, n=5, d=3)
    m = CompressedScaffnew(gamma=0.1, p=1.0, chi=0.5, s=2)
    state = State(x=np.arange(15.0).reshape(5, 3), h=np.zeros((5, 3)))
    for seed in range(20):
        draw = m.law(P).sample(np.random.default_rng(seed), ())
        new = m.step(P, state, draw)
        x_hat = state.x - m.gamma * P.grads(state.x)
        touched = new.h != 0
        assert (touched.sum(axis=0) == 2).all()
        np.testing.assert_allclose(new.x[0], (x_hat * touched).sum(axis=0) / 2)


@pytest.mark.parametrize("r", [L1(weight=0.5), Box(low=-0.1, high=0.2)])
def test_proxskip_finds_the_minimiser_of_a_composite_problem(r):
    P = Composite(build("quadratic:n=2,d=4,kappa=10"), r)
    gap = P.x_star - P.prox_r(P.x_star - 0.1 * P.grad(P.x_star), 0.1)  # zero only at the minimiser
    assert np.abs(gap).max() < 1e-13
    trace = run(P, ProxSkip(gamma=1 / P.L, p=0.4), steps=600, seeds=5)
    assert trace["dist2"][-1].max() < 1e-20


def test_box_and_l1_know_their_values():
    x = np.array([[0.5, -2.0], [0.0, 1.0]])
    np.testing.assert_allclose(L1(weight=2.0).value(x), [5.0, 2.0])
    np.testing.assert_allclose(Box(low=-1, high=1).value(x), [np.inf, 0.0])


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Scaffnew(gamma=0.0, p=0.5), "gamma must be > 0, got 0.0"),
        (lambda: ProxSkip(gamma=0.1, p=1.5), r"p must lie in \(0, 1\], got 1.5"),
        (lambda: CompressedScaffnew(gamma=0.1, p=0.5, chi=0.0, s=2), "chi must be > 0, got 0.0"),
        (lambda: CompressedScaffnew(gamma=0.1, p=0.5, chi=0.5, s=1), "s must be >= 2, got 1"),
        (lambda: theory.LINEAR_CONVERGENCE.tune(build("class:n=2"), p=0.5, form="x"), "form must be one of"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_symbol(make, word):
    with pytest.raises(ValueError, match=word):
        make()


def test_costs_count_one_uplink_per_communication():
    P = small_quadratics(0, n=5, d=3)
    theta = np.array([True, False, True])
    cost = CompressedScaffnew(gamma=0.1, p=0.5, chi=0.5, s=2).cost(
        P, MaskedDraw(theta=theta, order=np.tile(np.arange(5), (3, 1)))
    )
    assert cost.up.tolist() == [2, 0, 2]  # ceil(2 * 3 / 5)
    assert cost.down.tolist() == [3, 0, 3]
    assert cost.rounds.tolist() == [1, 0, 1]
    assert cost.gradients.tolist() == [5, 5, 5]


# ------------------------------------------------------------------ the theorem


@given(seed=seeds, p=st.floats(0.05, 1), fraction=st.floats(0.05, 1))
def test_linear_convergence_holds_for_every_step_size_it_allows(seed, p, fraction):
    P = small_quadratics(seed)
    for m in (Scaffnew(gamma=fraction / P.L_max, p=p), ProxSkip(gamma=fraction / P.L_max, p=p)):
        verdict = exact.check(theory.LINEAR_CONVERGENCE, P, m)
        assert (verdict.word, verdict.grade) == ("holds", "exact")


@given(seed=seeds, p=st.floats(0.05, 1), gamma_L=st.floats(0.05, 1.99))
def test_the_sharp_rate_holds_up_to_two_over_l(seed, p, gamma_L):
    P = small_quadratics(seed)
    m = theory.SCAFFNEW_LINEAR_CONVERGENCE.tune(P, p=p, gamma_L=gamma_L)
    assert exact.check(theory.SCAFFNEW_LINEAR_CONVERGENCE, P, m).word == "holds"


@given(seed=seeds, p=st.floats(0.1, 1), share=st.floats(0.1, 1), s=st.integers(2, 4))
def test_the_compressed_rate_holds_for_every_chi_it_allows(seed, p, share, s):
    P = small_quadratics(seed, n=4)
    m = theory.COMPRESSED_LINEAR_CONVERGENCE.tune(P, s=s, p=p)
    m = replace(m, chi=share * m.chi)
    assert exact.check(theory.COMPRESSED_LINEAR_CONVERGENCE, P, m).word == "holds"


@pytest.mark.parametrize("r", [L1(weight=0.5), Box(low=-0.1, high=0.2)])
def test_the_published_theorem_holds_for_proxskip_with_a_regulariser(r):
    P = Composite(build("quadratic:n=2,d=3,kappa=10"), r)
    verdict = exact.check(theory.LINEAR_CONVERGENCE, P, ProxSkip(gamma=1 / P.L_max, p=0.3))
    assert (verdict.word, verdict.grade) == ("holds", "searched")
    assert verdict.ratio > 0.9


def test_without_zero_sum_of_shifts_the_claim_is_false():
    P, m = small_quadratics(0), Scaffnew(gamma=0.1, p=0.3)
    free = replace(theory.LINEAR_CONVERGENCE, domain=None)
    assert exact.check(free, P, m).word == "violated"


@given(seed=seeds, p=st.floats(0.1, 0.9))
def test_forgetting_the_shift_is_violated_for_every_p(seed, p):
    P = small_quadratics(seed)
    m = Scaffnew(gamma=1 / P.L_max, p=p)
    forgetful = Altered(m, lambda problem, state, draw, new: new._replace(h=state.h))
    assert exact.check(theory.SCAFFNEW_LINEAR_CONVERGENCE, P, forgetful).word == "violated"


def test_a_step_past_the_limit_is_not_applicable_and_false_if_allowed():
    P = small_quadratics(0)
    m = Scaffnew(gamma=2.2 / P.L_max, p=0.3)
    assert exact.check(theory.LINEAR_CONVERGENCE, P, m).word == "not applicable"
    lifted = replace(theory.LINEAR_CONVERGENCE, allows=always)
    assert exact.check(lifted, P, m).word == "violated"


def test_rounds_fall_like_the_square_root_of_kappa():
    """sqrt(kappa) log(1/eps) rounds: the bound is met, and 16 times kappa costs at most 4.5 times the rounds."""
    rounds = {}
    for kappa in (25, 400):
        P = build(f"quadratic:n=4,d=3,kappa={kappa}")
        m = theory.ROUND_COMPLEXITY.tune(P)
        start = m.init(P, np.zeros(3))
        eps = 1e-4 * float(evaluate(theory.psi(P, m, start), P))
        bound = theory.ROUND_COMPLEXITY.count(P, m, eps, start)
        trace = run(
            P,
            m,
            steps=int(bound / m.p),
            seeds=32,
            every=1,
            measures={"psi": lambda P, m, s: evaluate(theory.psi(P, m, s), P)},
        )
        first = int(np.argmax(trace["psi"].mean(axis=1) <= eps))
        assert first > 0
        rounds[kappa] = first * m.p
        assert rounds[kappa] <= bound
    assert rounds[400] <= 4.5 * rounds[25]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_every_statement_holds_on_the_first_problem_of_its_case(case):
    verdict = first_verdict(case)
    assert verdict.word == "holds", verdict.note


@pytest.mark.parametrize(("case", "twin"), twins_of(CASES), ids=name)
def test_every_red_twin_is_caught_on_a_problem_of_its_case(case, twin):
    assert caught(case, twin)[-1:] == ["violated"]


@pytest.mark.parametrize(
    ("statement", "choices"),
    [
        (theory.LINEAR_CONVERGENCE, {"p": 0.3}),
        (theory.LINEAR_CONVERGENCE, {"p": 0.3, "form": "proxskip"}),
        (theory.SCAFFNEW_LINEAR_CONVERGENCE, {"p": 0.8, "gamma_L": 1.9}),
        (theory.COMPRESSED_LINEAR_CONVERGENCE, {"s": 2, "p": 0.3}),
    ],
)
def test_the_rates_are_proved_for_the_class(statement, choices):
    P = build("class:n=3,L=10,mu=1")
    verdict = proof.check(statement, P, statement.tune(P, **choices))
    assert (verdict.word, verdict.grade) == ("holds", "proved")


# ------------------------------------------------------------------ backends


@pytest.mark.parametrize(
    "m",
    [
        ProxSkip(gamma=0.1, p=0.5),
        Scaffnew(gamma=0.1, p=0.5),
        CompressedScaffnew(gamma=0.1, p=0.5, chi=0.5, s=2),
    ],
)
def test_numpy_and_torch_take_the_same_steps(m):
    torch = pytest.importorskip("torch")
    P = small_quadratics(0, n=4)
    Q = Quadratics(A=torch.as_tensor(P.A), b=torch.as_tensor(P.b))
    ours, theirs = m.init(P, np.ones((5, 2))), m.init(Q, torch.ones((5, 2), dtype=torch.float64))
    rng = np.random.default_rng(0)
    for _ in range(20):
        draw = m.law(P).sample(rng, (5,))
        ours = m.step(P, ours, draw)
        theirs = m.step(Q, theirs, tree_map(lambda a: torch.as_tensor(np.array(a)), draw))
    np.testing.assert_allclose(ours.x, theirs.x.numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.h, theirs.h.numpy(), rtol=1e-12, atol=1e-13)
