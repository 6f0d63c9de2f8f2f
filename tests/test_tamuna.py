"""TAMUNA: worked examples to the digit, both forms of the method, the theorem, its red twins."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.arrays import mean_clients, sqnorm, tree_map
from proveout.figures import tamuna as figures
from proveout.figures.style import render
from proveout.laws import Geometric
from proveout.methods.blocks.masks import CohortMask, senders, template, uplink
from proveout.methods.tamuna import Draw, State, Tamuna, TamunaVirtual, VirtualDraw, VirtualState
from proveout.problems import Quadratics, build
from proveout.theory import tamuna as theory
from proveout.theory.cases.tamuna import CASES
from proveout.theory.lenses import exact, membership, moments, proof, worstcase
from proveout.theory.statement import OneStep, evaluate
from proveout.theory.tamuna.measured import shares
from proveout.theory.trial.check import check

seeds = st.integers(0, 10_000)
U1 = Quadratics(A=np.array([1.0, 2, 4])[:, None, None], b=np.array([1.0, -2, 3])[:, None])
U2 = Quadratics(
    A=np.array([np.diag(v) for v in [(1.0, 3), (2, 5), (4, 1), (5, 2)]]),
    b=np.array([(1.0, 0), (0, 1), (-1, 2), (3, -2)]),
)
U1_FIELDS = {"gamma": 1 / 4, "p": 1 / 2, "chi": 3 / 4, "cohort": 2, "s": 2}
U2_FIELDS = {"gamma": 1 / 3, "p": 0.4, "chi": 2 / 3, "cohort": 3, "s": 2}
U2_SHIFTS = np.array([(1.0, -1), (0, 2), (-2, 0), (1, -1)])


def small_quadratics(seed, n=4, d=2, kappa=10):
    return build(f"quadratic:n={n},d={d},kappa={kappa},basis=rotated,seed={seed}")


def psi(P, m, state):
    return evaluate(theory.psi(P, m, state), P)


def expected(P, m, state):
    """E Psi(next) by enumeration."""
    prob, draw = m.law(P).atoms()
    return prob @ psi(P, m, m.step(P, tree_map(lambda a: a[None], state), draw))


# ------------------------------------------------------------------ worked examples


def test_example_1_one_iteration_and_one_round():
    m, rounds = TamunaVirtual(**U1_FIELDS), Tamuna(**U1_FIELDS)
    np.testing.assert_allclose(U1.x_star, [2 / 7])
    np.testing.assert_allclose(U1.h_star.ravel(), [-5 / 7, 18 / 7, -13 / 7])
    assert max(theory.rate(U1, m)) == pytest.approx(0.90625, rel=1e-14)
    state = VirtualState(x=np.ones((3, 1)), h=np.zeros((3, 1)))
    assert psi(U1, m, state) == pytest.approx(34.312925170068, rel=1e-13)
    assert expected(U1, m, state) == pytest.approx(27.2057823129252, rel=1e-14)
    server = State(x=np.ones(1), h=np.zeros((3, 1)))
    assert psi(U1, rounds, server) == pytest.approx(34.312925170068, rel=1e-13)
    assert expected(U1, rounds, server) == pytest.approx(21.2772108843537, rel=1e-11)


def test_example_2_one_iteration_and_one_round():
    m, rounds = TamunaVirtual(**U2_FIELDS), Tamuna(**U2_FIELDS)
    np.testing.assert_allclose(U2.x_star, [0.25, 1 / 11])
    assert max(theory.rate(U2, m)) == pytest.approx(0.964444444444444, rel=1e-14)
    state = VirtualState(x=np.zeros((4, 2)), h=U2_SHIFTS)
    assert psi(U2, m, state) == pytest.approx(457.812629132231, rel=1e-14)
    assert expected(U2, m, state) == pytest.approx(440.948992768595, rel=1e-14)
    assert expected(U2, rounds, State(x=np.zeros(2), h=U2_SHIFTS)) == pytest.approx(
        395.299281368883, rel=1e-11
    )


def test_example_2_replay_of_two_rounds():
    m, state = Tamuna(**U2_FIELDS), State(x=np.zeros(2), h=U2_SHIFTS)
    for cohort, columns, steps in (((0, 1, 3), (2, 0, 1), 2), ((1, 2, 3), (0, 2, 1), 3)):
        draw = Draw(cohort=np.array(cohort), columns=np.array(columns), steps=np.array(steps), xi=np.zeros(1))
        state = m.step(U2, state, draw)
    np.testing.assert_allclose(state.x, [0.5094650205761317, 1.0580246913580247], rtol=1e-15)
    h = [
        (1, -0.7333333333333333),
        (0.5102880658436215, 2.0128395061728397),
        (-2, -0.27950617283950624),
        (0.48971193415637854, -1),
    ]
    np.testing.assert_allclose(state.h, h, rtol=1e-14)


def rows(*lines):
    return np.array([[c == "1" for c in line] for line in lines])


def test_example_3_templates():
    np.testing.assert_array_equal(template(5, 6, 2), rows("110000", "001100", "000011", "110000", "001100"))
    np.testing.assert_array_equal(template(3, 10, 2), rows("1001000000", "0100100000", "0010010000"))
    wide = template(5, 7, 2)
    assert (wide.sum(axis=1) == 2).all()
    assert set(wide.sum(axis=0)) == {1, 2}
    np.testing.assert_array_equal(template(2, 3, 2), rows("110", "101"))


def test_example_4_the_mean_of_powers_of_the_rate_is_no_bound_for_a_round():
    P = Quadratics(A=np.array([0.2, 1.8])[:, None, None], b=np.array([0.2 * 5 + 1, 1.8 * 5 - 1])[:, None])
    m = Tamuna(gamma=1.0, p=0.6, chi=1.0, cohort=2, s=2)
    r = max(theory.rate(P, m))
    assert r == pytest.approx(0.64, rel=1e-13)
    tempting = m.p * r / (1 - (1 - m.p) * r)
    assert tempting == pytest.approx(0.516129, abs=1e-6)
    state = State(x=P.x_star - 5, h=P.h_star + np.array([[1.0], [-1.0]]))
    assert psi(P, m, state) == pytest.approx(55.5555555556, abs=1e-10)
    assert expected(P, m, state) == pytest.approx(30.6863703448, abs=1e-9)
    twin = next(t for t in theory.ONE_ROUND.twins if t.name.startswith("factor"))
    verdict = exact.check(*twin.edit(theory.ONE_ROUND, P, m))
    assert verdict.word == "violated"
    assert verdict.ratio * tempting == pytest.approx(0.552436, abs=1e-6)  # the worst state
    assert exact.check(theory.ONE_ROUND, P, m).word == "holds"


# ------------------------------------------------------------------ masks


@given(d=st.integers(1, 40), c=st.integers(2, 30), data=st.data())
def test_every_row_of_the_template_has_s_ones_and_columns_are_even(d, c, data):
    s = data.draw(st.integers(1, c))
    t = template(d, c, s)
    assert (t.sum(axis=1) == s).all()
    counts = t.sum(axis=0)
    assert counts.max() <= uplink(d, c, s) == -(-s * d // c)
    assert counts.min() >= s * d // c


def test_full_masks_ask_for_no_template():
    assert senders(np.arange(4), 10**9, 4, np.zeros(1)).tolist() == [[1.0]]


@pytest.mark.parametrize("fields", [{}, {"n": 5, "cohort": 4}, {"cohort": 4, "s": 3}, {"cohort": 3, "s": 3}])
def test_the_senders_of_a_coordinate_are_a_uniform_subset(fields):
    block = theory.MASK_MARGINAL.tune(None, **fields)
    verdict = membership.check(theory.MASK_MARGINAL, None, block)
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert verdict.ratio == pytest.approx(1)


@pytest.mark.parametrize("twin", theory.MASK_MARGINAL.twins, ids=lambda t: t.name)
def test_altered_masks_are_violated(twin):
    altered = twin.edit(theory.MASK_MARGINAL, None, theory.MASK_MARGINAL.tune(None))
    assert membership.check(*altered).word == "violated"


def test_a_mask_keeps_what_is_sent_and_drops_the_rest():
    block = CohortMask(n=5, cohort=3, s=2)
    x = np.arange(1.0, 21).reshape(5, 4)
    draw = block.law(5, 4).sample(np.random.default_rng(0), (7,))
    sent = block(x, draw)
    assert sent.shape == (7, 5, 4)
    assert ((sent == 0) | (sent == x)).all()
    assert ((sent != 0).sum(axis=1) == 2).all()


# ------------------------------------------------------------------ the two forms


@pytest.mark.parametrize(
    "spec", ["quadratic:n=5,d=3,kappa=10,basis=rotated", "logistic:a1a,clients=6,kappa=100"]
)
@pytest.mark.parametrize("s", [2, 3])
def test_a_round_equals_its_iterations_bit_for_bit(spec, s):
    P = build(spec)
    rounds = theory.ONE_ROUND.tune(P, cohort=3, s=s, p=0.3)
    virtual = theory.LINEAR_CONVERGENCE.tune(P, cohort=3, s=s, p=0.3)
    x0 = np.linspace(-1, 1, P.d)
    server, clients = rounds.init(P, x0), virtual.init(P, x0)
    rng, idle = np.random.default_rng(0), np.zeros((P.n, 1))
    for _ in range(6):
        draw = rounds.law(P).sample(rng, ())
        server = rounds.step(P, server, draw)
        for k in range(int(draw.steps)):
            theta = np.array(k + 1 == draw.steps)
            clients = virtual.step(P, clients, VirtualDraw(theta, draw.cohort, draw.columns, idle))
        np.testing.assert_array_equal(clients.x, np.broadcast_to(server.x, clients.x.shape))
        np.testing.assert_array_equal(clients.h, server.h)


def test_a_batch_of_rounds_with_unequal_counts_equals_a_loop():
    P = small_quadratics(0)
    m = Tamuna(gamma=0.05, p=0.3, chi=0.5, cohort=3, s=2)
    draws = m.law(P).sample(np.random.default_rng(3), (6,))
    assert len(set(draws.steps.tolist())) > 1
    together = m.step(P, m.init(P, np.ones((6, 2))), draws)
    for k in range(6):
        alone = m.step(P, m.init(P, np.ones(2)), tree_map(lambda a, k=k: a[k], draws))
        np.testing.assert_allclose(together.x[k], alone.x, rtol=1e-13)
        np.testing.assert_allclose(together.h[k], alone.h, rtol=1e-12, atol=1e-14)


@given(seed=seeds, c=st.integers(2, 4))
def test_one_iteration_does_not_see_the_size_of_the_cohort(seed, c):
    P = small_quadratics(seed)
    rng = np.random.default_rng(seed)
    x, h = rng.standard_normal((2, 4, 2))
    state = VirtualState(x=x, h=h - mean_clients(h))
    fields = {"gamma": 0.1, "p": 0.4, "chi": 0.6, "s": 2}
    values = [expected(P, TamunaVirtual(cohort=k, **fields), state) for k in (c, 4)]
    assert values[0] == pytest.approx(values[1], rel=1e-13)


def test_both_forms_run_on_abstract_vectors():
    """d = 1 clients whose vectors are rows of coefficients: the mask covers a whole vector."""

    class Abstract:
        n, d = 3, 1

        def grads(self, x):
            return 2 * x

        def at(self, clients):
            return self

    P, x0 = Abstract(), np.eye(4)[0]
    fields = {"gamma": 0.1, "p": 0.5, "chi": 0.5, "cohort": 3, "s": 2}
    for m in (TamunaVirtual(**fields), Tamuna(local_steps=2, **fields)):
        prob, draw = m.law(P).atoms()
        new = m.step(P, m.init(P, x0), draw)
        assert new.h.shape == (len(prob), 3, 4)
        np.testing.assert_allclose(new.h.sum(axis=-2), 0, atol=1e-15)


def test_fractions_stay_fractions():
    q = np.vectorize(Fraction, otypes=[object])
    P = Quadratics(A=q(U1.A.astype(int)), b=q(U1.b.astype(int)))
    fields = {k: Fraction(v) if isinstance(v, float) else v for k, v in U1_FIELDS.items()}
    state = VirtualState(x=q(np.ones((3, 1), int)), h=q(np.zeros((3, 1), int)))
    m = TamunaVirtual(**fields)
    _, draw = m.law(P).atoms()
    new = m.step(P, state, draw)
    assert {type(v) for v in new.x.ravel()} == {Fraction}
    assert new.x[1:, 0, 0].tolist() == [Fraction(1, 2), Fraction(7, 8), Fraction(3, 8)]  # the three cohorts
    server = Tamuna(local_steps=2, **fields)
    _, draw = server.law(P).atoms()
    assert {type(v) for v in server.step(P, State(x=q(np.ones(1, int)), h=state.h), draw).x.ravel()} == {
        Fraction
    }


@pytest.mark.parametrize("form", [Tamuna, TamunaVirtual])
def test_numpy_and_torch_take_the_same_steps(form):
    torch = pytest.importorskip("torch")
    P = small_quadratics(0)
    Q = Quadratics(A=torch.as_tensor(P.A), b=torch.as_tensor(P.b))
    m = form(gamma=0.1, p=0.5, chi=0.5, cohort=3, s=2)
    ours, theirs = m.init(P, np.ones((5, 2))), m.init(Q, torch.ones((5, 2), dtype=torch.float64))
    rng = np.random.default_rng(0)
    for _ in range(20):
        draw = m.law(P).sample(rng, (5,))
        ours = m.step(P, ours, draw)
        theirs = m.step(Q, theirs, tree_map(lambda a: torch.as_tensor(np.array(a)), draw))
    np.testing.assert_allclose(ours.x, theirs.x.numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.h, theirs.h.numpy(), rtol=1e-12, atol=1e-13)


def test_minibatches_of_a_round_are_drawn_for_every_local_step():
    P = build("quadratic:n=4,d=2,kappa=10,noise=0.1")
    m = Tamuna(gamma=0.05, p=0.5, chi=0.5, cohort=3, s=2, local_steps=2, batch=1)
    draw = m.law(P).sample(np.random.default_rng(0), (5,))
    assert draw.xi.shape == (5, 2, 3, 2)
    quiet = replace(m, batch=None)
    by_hand = m.init(P, np.ones((5, 2)))
    local, h = P.at(draw.cohort), np.zeros((5, 3, 2))
    x = np.ones((5, 3, 2))
    for k in range(2):
        x = x - m.gamma * (local.grads(x) + draw.xi[:, k] - h)
    q = senders(draw.columns, 2, 2, x)
    np.testing.assert_allclose(m.step(P, by_hand, draw).x, (q * x).sum(axis=1) / 2, rtol=1e-13)
    assert np.abs(m.step(P, by_hand, draw).x - quiet.step(P, by_hand, draw).x).max() > 1e-3


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"gamma": -1.0}, "gamma must be > 0, got -1.0"),
        ({"p": 0.0}, r"p must lie in \(0, 1\], got 0.0"),
        ({"chi": 0.0}, "chi must be > 0, got 0.0"),
        ({"s": 1}, r"s must lie in 2..cohort = 3, got 1"),
        ({"s": 4}, r"s must lie in 2..cohort = 3, got 4"),
        ({"local_steps": 0}, "local_steps must be >= 1 or None, got 0"),
        ({"batch": 0, "local_steps": 2}, "batch must be >= 1 or None, got 0"),
        ({"batch": 2}, "batch needs constant local_steps"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_symbol(fields, rule):
    good = {"gamma": 0.1, "p": 0.5, "chi": 0.5, "cohort": 3, "s": 2}
    with pytest.raises(ValueError, match=rule):
        Tamuna(**{**good, **fields})


def test_costs_count_what_the_busiest_client_sends():
    P = small_quadratics(0, n=5, d=4)
    m = Tamuna(gamma=0.1, p=0.5, chi=0.5, cohort=3, s=2)
    draw = m.law(P).sample(np.random.default_rng(0), (100,))
    cost = m.cost(P, draw)
    assert set(cost.up.tolist()) == {3}  # ceil(2 * 4 / 3)
    assert set(cost.down.tolist()) == {4}
    assert set(cost.rounds.tolist()) == {1}
    np.testing.assert_array_equal(cost.gradients, 3 * draw.steps)
    virtual = TamunaVirtual(gamma=0.1, p=0.5, chi=0.5, cohort=3, s=2)
    draw = virtual.law(P).sample(np.random.default_rng(0), (100,))
    np.testing.assert_array_equal(virtual.cost(P, draw).up, 3 * draw.theta)


# ------------------------------------------------------------------ the theorem


@given(
    seed=seeds,
    kappa=st.floats(1, 100),
    p=st.floats(0.1, 1),
    gamma_L=st.floats(0.05, 1.95),
    share=st.floats(0.1, 1),
    data=st.data(),
)
def test_linear_convergence_holds_for_all_it_allows(seed, kappa, p, gamma_L, share, data):
    c = data.draw(st.integers(2, 4))
    s = data.draw(st.integers(2, c))
    P = small_quadratics(seed, kappa=kappa)
    S = theory.LINEAR_CONVERGENCE
    m = S.tune(P, cohort=c, s=s, p=p, gamma_L=gamma_L, chi_share=share)
    verdict = exact.check(S, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "exact")


@given(seed=seeds, p=st.floats(0.1, 1), c=st.integers(2, 4))
def test_at_chi_max_the_worst_factor_is_the_rate(seed, p, c):
    P = small_quadratics(seed)
    m = theory.LINEAR_CONVERGENCE.tune(P, cohort=c, s=2, p=p)
    assert exact.check(theory.LINEAR_CONVERGENCE, P, m).ratio == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize(("chi", "factor"), [(0.75, 0.865), (1.0, 0.849378), (1.5, 0.886992)])
def test_past_chi_max_the_worst_state_breaks_the_rate_while_typical_states_contract(chi, factor):
    """Hessians 2, 3, 5, c = s = 2, p = .6, gamma = .2: chi_max = .75."""
    P = Quadratics(A=np.array([2.0, 3, 5])[:, None, None], b=np.array([1.0, -1, 2])[:, None])
    m = TamunaVirtual(gamma=0.2, p=0.6, chi=chi, cohort=2, s=2)
    S = replace(theory.LINEAR_CONVERGENCE, allows=lambda P, m: True)
    verdict = exact.check(S, P, m)
    assert verdict.ratio * max(theory.rate(P, m)) == pytest.approx(factor, abs=1e-6)
    assert verdict.word == ("holds" if chi <= 0.75 else "violated")
    rng = np.random.default_rng(0)
    for _ in range(100):
        x, h = rng.standard_normal((2, 3, 1))
        state = VirtualState(x=P.x_star + x, h=P.h_star + h - mean_clients(h))
        assert expected(P, m, state) < psi(P, m, state)


@given(seed=seeds, p=st.floats(0.2, 1), share=st.floats(0.2, 1), data=st.data())
def test_the_identity_of_one_iteration_is_exact(seed, p, share, data):
    c = data.draw(st.integers(2, 4))
    s = data.draw(st.integers(2, c))
    P = small_quadratics(seed)
    m = theory.EXACT_IDENTITY.tune(P, cohort=c, s=s, p=p, chi_share=share)
    assert exact.check(replace(theory.EXACT_IDENTITY, steps=5), P, m).word == "holds"


@settings(max_examples=10)
@given(seed=seeds, p=st.floats(0.4, 1), kappa=st.floats(1, 50))
def test_one_round_contracts_by_the_rate_of_one_iteration(seed, p, kappa):
    P = small_quadratics(seed, n=3, kappa=kappa)
    m = theory.ONE_ROUND.tune(P, cohort=2, p=p)
    verdict = exact.check(theory.ONE_ROUND, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    plain = replace(theory.ONE_ROUND, progress=None, rate=theory.rate)
    assert exact.check(plain, P, m).word == "holds"


def test_own_geometric_counts_of_the_clients_keep_the_bound():
    """From a consensual state only the law of each client's own count matters."""
    P = small_quadratics(5, n=3, kappa=20)
    m = theory.ONE_ROUND.tune(P, cohort=3, s=2, p=0.6)
    rng = np.random.default_rng(0)
    prob, counts = Geometric(m.p).atoms()
    h = rng.standard_normal((3, 2))
    state = State(x=P.x_star + rng.standard_normal(2), h=P.h_star + h - mean_clients(h))
    after = local_paths(P, m, state, counts.max())  # (counts, n, d)
    own = mean_psi_of_independent_counts(P, m, state, after, prob)
    assert own <= max(theory.rate(P, m)) * psi(P, m, state)
    assert own == pytest.approx(expected(P, m, state), rel=1e-8)  # chi = chi_max: equality


def local_paths(P, m, state, most):
    """x_i after 1, 2, ..., most local steps: (most, n, d)."""
    x, out = np.broadcast_to(state.x, state.h.shape), []
    for _ in range(most):
        x = x - m.gamma * (P.grads(x) - state.h)
        out.append(x)
    return np.stack(out)


def mean_psi_of_independent_counts(P, m, state, after, prob):
    """E Psi of one round in which each client's count is drawn on its own; masks enumerated."""
    law = replace(m, local_steps=1).law(P)
    chance, draw = law.atoms()
    total = 0.0
    keep = prob > 1e-10
    grid = np.stack(np.meshgrid(*[np.flatnonzero(keep)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    weight = prob[grid].prod(axis=-1)
    sent = after[grid, np.arange(3)]  # (G, n, d)
    for k in range(len(chance)):
        q = senders(draw.columns[k], P.d, m.s, sent)
        x_bar = (q * sent).sum(axis=-2, keepdims=True) / m.s
        h = state.h + m.p * m.chi / m.gamma * q * (x_bar - sent)
        total += chance[k] * (weight @ psi(P, m, State(x=x_bar[..., 0, :], h=h)))
    return total / weight.sum()


# ------------------------------------------------------------------ horizons, complexity, failure


@pytest.mark.parametrize("cohort", [2, 3, 4])
def test_the_model_converges_by_the_rate_from_all_starts(cohort):
    P = small_quadratics(1)
    m = theory.MODEL_CONVERGENCE.tune(P, cohort=cohort, s=2, p=0.3)
    verdict = moments.check(theory.MODEL_CONVERGENCE, P, m)
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "exact", "all")


def test_a_fresh_server_model_is_never_worse_than_the_clients():
    """n E|x_bar - x*|^2 over fresh masks, by enumeration, equals its closed form and is at most sum_i |x_i - x*|^2."""
    P = small_quadratics(3)
    m = TamunaVirtual(gamma=0.1, p=1.0, chi=0.5, cohort=3, s=2)
    rng = np.random.default_rng(0)
    state = VirtualState(x=rng.standard_normal((4, 2)), h=P.h_star)
    prob, draw = m.law(P).atoms()
    q = senders(draw.columns, 2, 2, state.x)
    x_bar = (q * state.x[draw.cohort]).sum(axis=-2) / 2
    enumerated = P.n / m.gamma * (prob @ sqnorm(x_bar - P.x_star))
    closed = evaluate(theory.MODEL_CONVERGENCE.measure(P, m, state), P)
    assert enumerated == pytest.approx(float(closed), rel=1e-12)
    assert closed <= psi(P, m, state)


@pytest.mark.parametrize(
    "statement", [theory.CONVEX_AVERAGE, theory.DISAGREEMENT_SUM], ids=["average", "disagreement"]
)
def test_sums_hold_without_strong_convexity(statement):
    """Clients of rank one: each sees one coordinate, and nobody sees the third."""
    rng = np.random.default_rng(0)
    A = np.zeros((4, 3, 3))
    A[np.arange(4), np.arange(4) % 2, np.arange(4) % 2] = [1.0, 2.0, 0.5, 3.0]
    P = Quadratics(A=A, b=A @ rng.standard_normal(3))
    assert P.mu == P.mu_min == 0
    m = statement.tune(P, cohort=3, s=2, p=0.5, gamma_L=1.5)
    verdict = moments.check(statement, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert verdict.ratio > 0.05


def test_the_descent_behind_the_convex_average_is_proved_for_the_class():
    """E Psi(next) <= Psi - (2 - gamma L) sum_i D_i(x_i) for all convex smooth f_i: summed over t it is the claim."""
    S = theory.CONVEX_AVERAGE

    def progress(P, m, state):
        return tuple(replace(t, weight=t.weight * (2 - m.gamma * P.L_max)) for t in S.measure(P, m, state))

    step = OneStep(
        source=S.source,
        method=S.method,
        assumes=S.assumes,
        allows=S.allows,
        lyapunov=theory.psi,
        star=S.star,
        domain=S.domain,
        rate=lambda P, m: 1,
        progress=progress,
    )
    P = build("class:n=3,L=10,mu=0")
    for gamma_L in (0.5, 1.9):
        verdict = proof.check(step, P, S.tune(P, cohort=2, s=2, p=0.5, gamma_L=gamma_L))
        assert (verdict.word, verdict.grade) == ("holds", "proved")


def test_the_rate_is_proved_for_the_class_and_tight():
    P = build("class:n=4,L=10,mu=1")
    for fields in ({"cohort": 3, "s": 2}, {"cohort": 2, "s": 2}, {"cohort": 4, "s": 4}):
        m = theory.LINEAR_CONVERGENCE.tune(P, p=0.5, **fields)
        assert proof.check(theory.LINEAR_CONVERGENCE, P, m).grade == "proved"
        assert worstcase.check(theory.LINEAR_CONVERGENCE, P, m).ratio == pytest.approx(1, abs=1e-8)


@given(n=st.integers(2, 500), kappa=st.floats(1, 1e6), eps=st.floats(1e-9, 0.5), data=st.data())
def test_rounds_are_of_the_promised_order(n, kappa, eps, data):
    """p log(1/eps) / (-log r) <= 4 (sqrt(n kappa / s) + n / s) log(1/eps), at the paper's p, gamma, chi."""
    s = data.draw(st.integers(2, n))
    P = build(f"class:n={n},L={kappa},mu=1")
    m = theory.ROUND_COMPLEXITY.tune(P, cohort=n, s=s)
    r = max(theory.rate(P, m))
    if r > 0:
        assert m.p / -np.log(r) <= 4 * (np.sqrt(n * kappa / s) + n / s)


def test_rounds_do_not_depend_on_the_cohort_where_coordinates_do_not_mix():
    P, rotated = build("quadratic:n=4,d=2,kappa=20"), small_quadratics(0, kappa=30)
    curves = [shares(P, theory.ROUND_COMPLEXITY.tune(P, cohort=c, s=2)) for c in (2, 3, 4)]
    for curve in curves[1:]:
        np.testing.assert_allclose(curve, curves[0], rtol=1e-9)
    mixed = [shares(rotated, theory.ROUND_COMPLEXITY.tune(rotated, cohort=c, s=2)) for c in (2, 4)]
    at = min(map(len, mixed)) // 2
    assert abs(mixed[0][at] / mixed[1][at] - 1) > 1e-3  # rotated: a little
    np.testing.assert_allclose(mixed[0][:2], mixed[1][:2], rtol=1e-12)  # but one iteration never sees it


def test_frozen_shifts_shrink_exactly_as_slowly_as_said():
    P = build("quadratic:n=4,d=2,kappa=400")
    verdict = moments.check(theory.EVEN_LOCAL_STEPS_STALL, P, theory.EVEN_LOCAL_STEPS_STALL.tune(P, s=2))
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert verdict.ratio == pytest.approx(0.998, abs=2e-3)


def test_the_rule_follows_the_paper():
    P = build("class:n=100,L=1000,mu=1")
    m = theory.LINEAR_CONVERGENCE.tune(P, cohort=20, s=5)
    assert m.gamma == pytest.approx(2 / 1001)
    assert m.p == pytest.approx(np.sqrt(100 / 5000))
    assert m.chi == pytest.approx(100 * 4 / (5 * 99))
    wide = build("quadratic:n=50,d=3,kappa=10")
    assert theory.LINEAR_CONVERGENCE.tune(wide, cohort=30).s == 10  # floor(c / d)
    assert theory.LINEAR_CONVERGENCE.tune(wide, cohort=30, price=0.5).s == 15
    with pytest.raises(ValueError, match=r"cohort must lie in 2..n = 50, got 51"):
        theory.LINEAR_CONVERGENCE.tune(wide, cohort=51)
    with pytest.raises(ValueError, match="p must be given where mu_min = 0"):
        theory.CONVEX_AVERAGE.tune(build("class:n=3,L=1,mu=0"), cohort=2)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_every_statement_holds_on_the_first_problem_of_its_case(case):
    P = build(case.problems[0]) if case.problems else None
    m = case.statement.tune(P, **case.settings[0])
    verdict = check(case.statement, P, m)
    assert verdict.word == "holds", verdict.note


# ------------------------------------------------------------------ red twins


QUICK = [
    (case.id, twin)
    for case in CASES
    if case.id.startswith(
        ("tamuna.linear", "tamuna.one_round", "tamuna.stoch", "tamuna.exact", "tamuna.shift", "tamuna.fixed")
    )
    for twin in case.statement.twins
]


@pytest.mark.parametrize(("identifier", "twin"), QUICK, ids=lambda v: v if isinstance(v, str) else v.name)
def test_every_red_twin_is_caught_on_a_problem_of_its_case(identifier, twin):
    case = next(c for c in CASES if c.id == identifier)
    words = []
    for spec in case.problems:
        if not spec.startswith("quadratic"):
            continue
        P = build(spec)
        for choices in case.settings:
            try:
                m = case.statement.tune(P, **choices)
            except ValueError:
                continue
            words.append(exact.check(*twin.edit(case.statement, P, m)).word)
            if words[-1] == "violated":
                return
    pytest.fail(f"never violated: {words}")


def test_every_branch_of_the_rate_is_active_somewhere():
    case = next(c for c in CASES if c.id == "tamuna.linear_convergence")
    seen = set()
    for spec in (s for s in case.problems if s.startswith("quadratic")):
        P = build(spec)
        for choices in case.settings:
            seen |= set(exact.check(case.statement, P, case.statement.tune(P, **choices)).branches)
    assert seen == {0, 1, 2}


# ------------------------------------------------------------------ figures


@pytest.fixture(scope="module")
def measured():
    return {name: panel.measure(seed=0, quick=True) for name, panel in figures.PANELS.items()}


def test_the_worst_factor_meets_the_claim_and_passes_it_beyond_chi_max(measured):
    data = measured["worst_factor"]
    inside, outside = data["share"] <= 1, data["share"] > 1.25
    assert (data["exact"][inside] <= data["claim"][inside] * (1 + 1e-7)).all()
    assert (data["exact"][outside] > data["claim"][outside]).all()
    assert (data["typical"][:, 1] < data["claim"]).all()  # the median state never shows it


def test_measured_rounds_never_exceed_the_prediction(measured):
    data = measured["rounds"]
    key = data["problems"][0]
    rounds = dict(zip(data[f"{key} methods"], data[f"{key} rounds"], strict=True))
    assert (data[f"{key} rounds"] <= data[f"{key} predicted"]).all()
    assert rounds["Scaffnew"] < rounds["c = n, s = 5"] < rounds["c = n, s = 2"]
    assert rounds["Scaffnew"] * 5 < rounds["GD"]


def test_an_even_number_of_steps_stalls(measured):
    data = measured["even_steps"]
    assert data["4 steps"][-1] > 1e3 * data["3 steps"][-1]
    assert data["4 steps"][-1] > 1e3 * data["4 steps, gamma = 1/L"][-1]


def test_for_the_same_reals_tamuna_is_below_gradient_descent(measured):
    data = measured["totalcom"]
    n = data["cohorts"][0]
    name = next(k for k in data if k.startswith(f"0 {n} TAMUNA") and k.endswith(" y"))
    assert data[name][-1] < data[f"0 {n} GD y"][-1]


@pytest.mark.parametrize("name", figures.PANELS)
def test_every_panel_is_drawn(measured, name, tmp_path):
    render(figures.PANELS[name], measured[name], [str(tmp_path / "panel.png")])
    assert (tmp_path / "panel.png").stat().st_size > 5000
