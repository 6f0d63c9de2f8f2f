"""5GCS: worked examples to the digit, the theorem at all states and over the class, its red twins, its partners."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import mean_clients, sqnorm, take, tree_map
from proveout.bridges.torch import converter, to_numpy, to_torch
from proveout.figures import fivegcs as figures
from proveout.figures.style import render
from proveout.figures.tamuna import recipe
from proveout.methods.blocks.solvers import AGD, GD, SVRG, Exact, split
from proveout.methods.fivegcs import Draw, FiveGCS, State
from proveout.methods.gd import GD as Descent
from proveout.methods.point_saga import ChambollePock, PointSAGA
from proveout.problems import Quadratics, build
from proveout.run import run
from proveout.testing import Counting, logistics, quadratics, seeds, states
from proveout.theory import fivegcs as theory
from proveout.theory.fivegcs.altered import built_from_x, change_not_scaled
from proveout.theory.fivegcs.local import LocalWork, by_the_rule, sides_at
from proveout.theory.fivegcs.lyapunov import allowed, duals_sum, local_steps_rule, needed, residuals
from proveout.theory.fivegcs.rates import tune_exact, tune_saga
from proveout.theory.fivegcs.rounds import shares
from proveout.theory.lenses import exact, moments, proof, worstcase
from proveout.theory.statement import always, evaluate

U = Quadratics(A=np.array([1.0, 2, 5])[:, None, None], b=np.array([1.0, -2, 3])[:, None])


def psi(P, m, state):
    return evaluate(theory.psi(P, m, state), P)


def expected(P, m, state):
    """E Psi(next) by enumeration."""
    prob, draw = m.law(P).atoms()
    return prob @ psi(P, m, m.step(P, tree_map(lambda a: a[None], state), draw))


def at(x, h):
    h = np.array(h, float)[:, None]
    return State(x=np.array([x], float), h=h, h_sum=h.sum(axis=0))


def answers(P, m, state):
    """The local solver's answers of all clients."""
    x_hat = m.x_hat(state) + 0 * state.h
    return m.solver(split(P, m.mu), m.gamma_dual, x_hat + state.h / m.gamma_dual, x_hat)


def figure(statement, P, m):
    """measured / claimed at the worst state, whatever the hypotheses on the parameters."""
    return exact.check(replace(statement, allows=always), P, m).ratio


def equal_curvatures(kappa, n=3):
    """Every client has the curvatures 1 and kappa."""
    return Quadratics(A=np.stack([np.diag([1.0, kappa])] * n), b=np.zeros((n, 2)))


# ------------------------------------------------------------------ worked examples


def test_example_1_one_client_exact_prox():
    m, state = theory.tune(U, cohort=1, local_steps=math.inf), at(1, [0, 0, 0])
    np.testing.assert_allclose(U.x_star, [0.25])
    np.testing.assert_allclose(theory.star(U, m).h.ravel(), [-1 / 3, 3 / 4, -2 / 3])
    assert m.gamma == pytest.approx(0.0484122918275927, rel=1e-13)
    assert m.gamma_dual == pytest.approx(3.44265186329548, rel=1e-13)
    assert 1 - max(theory.rate(U, m)) == pytest.approx(0.0461767686290671, rel=1e-13)
    assert m.x_hat(state) == pytest.approx(0.953823231370933, rel=1e-13)
    y = answers(U, m, state).ravel()
    np.testing.assert_allclose(y, [1.0506478150261185, 0.6930680396743752, 0.8969209803575913], rtol=1e-13)
    assert psi(U, m, state) == pytest.approx(15.1088724116526, rel=1e-13)
    assert expected(U, m, state) == pytest.approx(12.4242797982074, rel=1e-13)


def test_example_2_two_clients_two_steps():
    m, state = theory.tune(U, cohort=2, local_steps=2), at(1, [0.5, 0, -1])
    assert m.gamma == pytest.approx(0.0684653196881458, rel=1e-13)
    assert m.gamma_dual == pytest.approx(2.43432247780074, rel=1e-13)
    assert 1 - max(theory.rate(U, m)) == pytest.approx(0.0640781861858921, rel=1e-13)
    assert m.x_hat(state) == pytest.approx(0.967960906907054, rel=1e-13)
    y = answers(U, m, state).ravel()
    np.testing.assert_allclose(y, [1.2674153147521008, 0.6356846010670271, 0.6254098334441464], rtol=1e-13)
    assert psi(U, m, state) == pytest.approx(10.5978801112378, rel=1e-13)
    assert expected(U, m, state) == pytest.approx(7.52127558981111, rel=1e-13)
    left, right = sides_at(U, m, state)
    assert left / right == pytest.approx(0.192428, abs=5e-7)


# ------------------------------------------------------------------ the method


def test_only_the_cohort_moves_its_duals_and_the_server_keeps_their_sum():
    P = build("quadratic:n=4,d=2,kappa=10,basis=rotated")
    m, state = theory.tune(P, cohort=2, local_steps=3), State(np.ones(2), np.zeros((4, 2)), np.zeros(2))
    for cohort in ([0, 3], [1, 3], [0, 2]):
        new = m.step(P, state, Draw(cohort=np.array(cohort), luck=np.zeros(1)))
        idle = [i for i in range(4) if i not in cohort]
        np.testing.assert_array_equal(new.h[idle], state.h[idle])
        np.testing.assert_allclose(new.h_sum, new.h.sum(axis=0), atol=1e-12)
        state = new


@pytest.mark.parametrize("solver", [GD(steps=0), GD(steps=4), AGD(steps=3), Exact()])
def test_the_round_costs_the_solver_and_one_gradient_of_each_client_of_the_cohort(solver):
    P = build("quadratic:n=4,d=3,kappa=10")
    m, counting = replace(theory.tune(P, cohort=2), solver=solver), Counting(P)
    draw = m.law(P).sample(np.random.default_rng(0), (1,))
    m.step(counting, m.init(P, np.ones((1, 3))), draw)
    cost = m.cost(P, draw)
    assert cost.gradients == counting.count == 2 * (solver.gradients(P) + 1)
    assert (cost.up, cost.down, cost.rounds) == (3, 3, 1)


def test_without_local_steps_the_duals_are_gradients_at_x_hat():
    P = build("quadratic:n=3,d=2,kappa=10")
    m, state = theory.tune(P, local_steps=0), at_random(P, 0)
    new = m.step(P, state, m.law(P).sample(np.random.default_rng(0), ()))
    np.testing.assert_allclose(new.h, split(P, m.mu).grads(m.x_hat(state) + 0 * state.h), atol=1e-14)


def at_random(P, seed):
    rng = np.random.default_rng(seed)
    x, h = rng.standard_normal(P.d), rng.standard_normal((P.n, P.d))
    return State(x=x, h=h, h_sum=h.sum(axis=0))


def test_with_one_client_the_correction_is_the_change_of_its_dual():
    P = build("quadratic:n=1,d=3,kappa=10")
    m, state = theory.tune(P, local_steps=math.inf), at_random(P, 1)
    new = m.step(P, state, m.law(P).sample(np.random.default_rng(0), ()))
    np.testing.assert_allclose(new.x, m.x_hat(state) - m.gamma * (new.h - state.h)[0], atol=1e-14)


def test_a_solver_with_luck_gets_the_minibatches_of_its_cohort():
    P = build("logistic:synthetic,clients=4,m=40,d=3,kappa=20")
    rule = theory.tune(P, cohort=2, local_steps=math.inf)
    m = replace(rule, solver=SVRG(gamma=0.3, steps=10, passes=3, batch=2))
    trace, ideal = (run(P, method, steps=200, seeds=4, seed=3) for method in (m, rule))
    assert trace["dist2"][-1].max() < 1e-6 * trace["dist2"][0].max()
    np.testing.assert_allclose(np.log(trace["dist2"][100]), np.log(ideal["dist2"][100]), atol=1.5)
    assert trace["gradients"][-1, 0] == 200 * 2 * (1 + 3 * (1 + 2 * 10 * 2 / P.m))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"gamma": 0}, "gamma must be > 0, got 0"),
        ({"gamma_dual": -1}, "gamma_dual must be > 0, got -1"),
        ({"mu": -1}, "mu must be >= 0, got -1"),
        ({"cohort": 0}, "cohort must be >= 1, got 0"),
    ],
)
def test_wrong_fields_are_refused(fields, says):
    good = {"gamma": 1.0, "gamma_dual": 1.0, "mu": 1.0, "cohort": 1, "solver": Exact()}
    with pytest.raises(ValueError, match=says):
        FiveGCS(**{**good, **fields})


# ------------------------------------------------------------------ the theorem


@given(
    P=quadratics(n=st.integers(1, 4), d=st.integers(1, 2), kappa=st.sampled_from([1.5, 3.0, 30.0, 1000.0])),
    share=st.floats(0, 1),
    steps=st.sampled_from(["rule", "half", "fewest", "accelerated", math.inf]),
    mu_share=st.sampled_from([1.0, 0.3]),
)
def test_one_round_contracts_on_every_quadratic_for_every_cohort(P, share, steps, mu_share):
    cohort = max(1, round(share * P.n))
    if not P.L_max > mu_share * P.mu_min * (1 + 1e-9):
        return
    m = theory.tune(P, cohort=cohort, local_steps=steps, mu_share=mu_share)
    assert allowed(P, m)
    assert exact.check(theory.LINEAR_CONVERGENCE, P, m).word == "holds"
    assert exact.check(theory.SHARP_RATE, P, m).word == "holds"


@given(P=logistics(clients=st.integers(2, 4)), seed=seeds, cohort=st.integers(1, 2), steps=st.integers(0, 30))
def test_one_round_contracts_wherever_the_condition_holds_at_the_state(P, seed, cohort, steps):
    """The hypothesis as the theorem has it: at this state, not for all states."""
    m, rng = theory.tune(P, cohort=cohort, local_steps=steps), np.random.default_rng(seed)
    x, h = 10 ** rng.uniform(-2, 1) * rng.standard_normal(P.d), rng.standard_normal((P.n, P.d)) / P.n
    state = duals_sum(P, m, State(x=P.x_star + x, h=theory.star(P, m).h + h, h_sum=x))
    left, right = sides_at(P, m, state)
    if left <= 4 * right:  # 2/3 for 1/6
        assert expected(P, m, state) <= max(theory.SHARP_RATE.rate(P, m)) * psi(P, m, state) * (1 + 1e-9)


@given(P=logistics(clients=st.integers(2, 3)), seed=seeds, cohort=st.integers(1, 2))
def test_the_condition_holds_at_every_state_by_the_rules(P, seed, cohort):
    for steps in ("half", "accelerated"):
        m = theory.tune(P, cohort=cohort, local_steps=steps)
        scale = 10.0 ** np.random.default_rng(seed).integers(-1, 3)
        rng = np.random.default_rng(seed + 1)
        x, h = scale * rng.standard_normal(P.d), scale * rng.standard_normal((P.n, P.d))
        left, right = sides_at(P, m, State(x=x, h=h, h_sum=h.sum(axis=0)))
        assert left <= right * (1 + 1e-9) + 1e-22 * scale**2


KAPPAS = (1 + 1e-4, *np.geomspace(1.01, 1e6, 60))


@pytest.mark.parametrize("steps, surely", [("rule", 1.1e-7), ("half", 0.051), ("accelerated", 0.48)])
def test_the_rules_meet_the_condition_at_every_condition_number(steps, surely):
    worst = 0.0
    for n, cohort in ((1, 1), (3, 1), (3, 3), (50, 7), (1000, 1)):
        for kappa in KAPPAS:
            P = build(f"class:n={n},L={kappa},mu=1")
            worst = max(worst, 6 * needed(P, theory.tune(P, cohort=cohort, local_steps=steps)))
    assert surely / 2 < worst <= surely


@pytest.mark.parametrize("steps, most", [("rule", 3.9e-8), ("half", 1.11e-3), ("accelerated", 4.1e-7)])
def test_left_over_right_of_the_condition_over_all_curvatures(steps, most):
    """F quadratic, one coordinate for each of 401 curvatures; each coordinate by itself."""
    worst = 0.0
    for n, cohort in ((1, 1), (1000, 1)):
        for kappa in KAPPAS[::2]:
            curved = np.linspace(1, kappa, 401)
            P = Quadratics(A=curved[:, None, None], b=np.zeros((401, 1)))
            m = theory.tune(build(f"class:n={n},L={kappa},mu=1"), cohort=cohort, local_steps=steps)
            F, tau, one = replace(split(P, 1.0), n=n, L=(kappa - 1) / n), m.gamma_dual, np.ones((401, 1))
            y = m.solver(F, tau, 0 * one, one)
            left = 4 * F.L**2 / (3 * n * tau**2) * y**2 + F.L / tau**2 * (F.grads(y) + tau * y) ** 2
            worst = max(worst, 6 * n * left.max())
    assert most / 2 < worst <= most


def test_residuals_of_a_solver_that_nobody_knows_are_infinite():
    assert residuals(SVRG(gamma=0.1, steps=3), 2.0) == (math.inf, math.inf)
    P = build("quadratic:n=2,d=1,kappa=3")
    assert not allowed(P, replace(theory.tune(P), solver=SVRG(gamma=0.1, steps=3)))


@pytest.mark.parametrize("cohort, steps", [(1, 3), (2, 4), (3, "fewest"), (2, math.inf)])
def test_the_whole_method_is_proved_for_the_class(cohort, steps):
    P = build("class:n=3,L=10,mu=1")
    m = theory.tune(P, cohort=cohort, local_steps=steps)
    verdict = proof.check(theory.LINEAR_CONVERGENCE, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "proved")


@pytest.mark.parametrize("cohort, ratio", [(1, 0.9672), (2, 1.1462), (3, 1.3975)])
def test_over_the_class_one_local_step_does_at_kappa_10_and_none_does_not(cohort, ratio):
    P, free = build("class:n=3,L=10,mu=1"), replace(theory.LINEAR_CONVERGENCE, allows=always)
    none, one = (worstcase.check(free, P, theory.tune(P, cohort=cohort, local_steps=k)) for k in (0, 1))
    assert none.ratio == pytest.approx(ratio, abs=1e-4)
    assert none.word == ("violated" if ratio > 1 else "holds")
    assert one.word == "holds"
    assert theory.tune(P, cohort=cohort, local_steps="fewest").solver.steps > 2  # what the condition asks for


def test_the_sharp_rate_and_the_exact_prox_rate_are_attained():
    P = equal_curvatures(1e4)
    assert figure(theory.SHARP_RATE, P, theory.tune(P, cohort=1)) > 0.9999
    assert figure(theory.LINEAR_CONVERGENCE, P, theory.tune(P, cohort=1)) > 0.9985
    Q = build("quadratic:n=5,d=2,kappa=1.01,basis=rotated")
    assert figure(theory.EXACT_PROX_RATE, Q, tune_exact(Q, cohort=1)) == pytest.approx(1, abs=1e-9)
    assert figure(theory.SAGA_LIKE_RATE, P, tune_saga(P, cohort=2)) == pytest.approx(1, abs=1e-5)


# ------------------------------------------------------------------ what refutes wrong methods


@pytest.mark.parametrize("kappa, ratio", [(10, 1.07), (100, 1.15), (1000, 1.19)])
def test_without_the_factor_n_over_c_the_rate_fails(kappa, ratio):
    P = equal_curvatures(kappa)
    for steps in ("rule", math.inf):
        triple = change_not_scaled.edit(
            theory.LINEAR_CONVERGENCE, P, theory.tune(P, cohort=1, local_steps=steps)
        )
        assert exact.check(*triple).ratio == pytest.approx(ratio, abs=0.006)


@pytest.mark.parametrize("cohort, ratio", [(1, 3.8), (2, 8.0)])
def test_accelerated_steps_without_local_work_break_the_bound_at_kappa_100(cohort, ratio):
    P = build("quadratic:n=3,d=2,kappa=100")
    assert figure(
        theory.LINEAR_CONVERGENCE, P, theory.tune(P, cohort=cohort, local_steps=0)
    ) == pytest.approx(ratio, rel=0.06)


@pytest.mark.parametrize("cohort, ratio", [(2, 1.15), (3, 1.40)])
def test_at_kappa_10_it_depends_on_the_curvatures(cohort, ratio):
    P = equal_curvatures(10)
    assert figure(
        theory.LINEAR_CONVERGENCE, P, theory.tune(P, cohort=cohort, local_steps=0)
    ) == pytest.approx(ratio, abs=0.006)
    spread = Quadratics(A=np.array([1.0, 3, 10])[:, None, None], b=np.zeros((3, 1)))
    assert figure(theory.LINEAR_CONVERGENCE, spread, theory.tune(spread, cohort=cohort, local_steps=0)) < 1


def test_a_larger_primal_step_breaks_the_bound_from_kappa_10_on():
    for kappa, broken in ((2, False), (10, True), (100, True)):
        P = equal_curvatures(kappa)
        m = theory.tune(P, cohort=1)
        ratio = figure(theory.LINEAR_CONVERGENCE, P, replace(m, gamma=4 * m.gamma))
        assert (ratio > 1 + 1e-6) == broken
        assert figure(theory.LINEAR_CONVERGENCE, P, replace(m, gamma=16 * m.gamma)) > 1.1
        if kappa == 10:
            assert ratio == pytest.approx(1.05, abs=0.006)


@pytest.mark.parametrize("kappa, broken", [(1.1, False), (3, True), (100, True)])
def test_the_step_of_the_saga_like_rate_cannot_be_three_times_as_long(kappa, broken):
    P = equal_curvatures(kappa)
    found = [figure(theory.SAGA_LIKE_RATE, P, tune_saga(P, cohort=c, gamma_L=1.0)) for c in (1, 2, 3)]
    assert (max(found) > 1 + 1e-6) == broken


def test_built_from_x_keeps_the_optimum_fixed_and_breaks_the_contraction():
    P = build("quadratic:n=3,d=2,kappa=100")
    m = theory.tune(P, cohort=2)
    for statement in (theory.DUAL_SUM, theory.FIXED_POINT):
        assert exact.check(*built_from_x.edit(statement, P, m)).word == "holds"
    assert exact.check(*built_from_x.edit(theory.LINEAR_CONVERGENCE, P, m)).word == "violated"


def test_over_the_class_a_step_that_breaks_the_bound_is_refuted():
    P = build("class:n=3,L=100,mu=1")
    m = theory.tune(P, cohort=1, local_steps=2)
    free = replace(theory.LINEAR_CONVERGENCE, allows=always)
    assert worstcase.check(free, P, replace(m, solver=GD(steps=0))).word == "violated"


# ------------------------------------------------------------------ rounds


@pytest.fixture(scope="module")
def twenty():
    return recipe(20, 20)


@pytest.mark.parametrize(
    "cohort, steps, faster, rounds",
    [
        (20, math.inf, 1, 1120),
        (20, 3, 1, 1120),
        (10, 3, 1, 1582),
        (5, math.inf, 1, 2231),
        (20, math.inf, 2, 562),
    ],
)
def test_rounds_of_the_recipe(twenty, cohort, steps, faster, rounds):
    m = theory.tune(twenty, cohort=cohort, local_steps=steps)
    found = figures.rounds(twenty, replace(m, gamma=faster * m.gamma), int(1.1 * rounds))
    assert found == pytest.approx(rounds, rel=0.01)  # another seed for the cohorts


def test_the_bound_of_the_recipe_and_gradient_descent(twenty):
    bounds = [figures.bound(twenty, theory.tune(twenty, cohort=c)) for c in (1, 2, 5, 10, 20)]
    np.testing.assert_allclose(bounds, [10434, 7382, 4674, 3309, 2344], atol=0.5)
    descent = Descent(gamma=2 / (twenty.L_max + twenty.mu_min))
    assert figures.rounds(twenty, descent, 3400) == 3309


@pytest.mark.parametrize("cohort, steps, long", [(20, 0, 50), (20, 1, 50), (1, 0, 1500)])
def test_too_little_local_work_diverges_on_the_recipe(twenty, cohort, steps, long):
    trace = run(twenty, theory.tune(twenty, cohort=cohort, local_steps=steps), steps=long)
    assert not trace["dist2"][-1] < 1e3 * trace["dist2"][0]


def test_rounds_grow_like_the_root_of_n_over_c_exactly():
    P = build("quadratic:n=4,d=2,kappa=100")
    counts = {c: np.searchsorted(-shares(P, theory.tune(P, cohort=c)), -1e-6) for c in (1, 2, 4)}
    assert counts[4] == 372
    for c in (1, 2):
        assert counts[c] / counts[4] == pytest.approx(math.sqrt(4 / c), rel=0.005)


def test_the_model_decides_and_its_factor_is_the_square_of_the_claim():
    P = build("quadratic:n=4,d=2,kappa=100")
    m = theory.tune(P, cohort=2)
    rate = moments.mean_square_rate(theory.ROUND_COMPLEXITY, P, m)
    assert rate == pytest.approx((1 + m.gamma * m.mu) ** -2, rel=1e-9)


# ------------------------------------------------------------------ the partners


def test_published_point_saga_is_the_unrelaxed_one_without_a_shift():
    P = build("quadratic:n=4,d=3,kappa=10,basis=rotated")
    m, rng = PointSAGA(gamma=0.3), np.random.default_rng(0)
    state = m.init(P, rng.standard_normal(3))._replace(g=rng.standard_normal((4, 3)))
    for _ in range(5):
        draw = m.law(P).sample(rng, ())
        j = draw.j[None]
        z = state.x + 0.3 * (take(state.g, j)[0] - mean_clients(state.g)[0])
        x = P.at(j).prox(z[None], 0.3)[0]
        state = m.step(P, state, draw)
        np.testing.assert_allclose(state.x, x, atol=1e-12)
        np.testing.assert_allclose(state.g[draw.j], P.at(j).grads(x[None])[0], atol=1e-11)


def test_point_saga_and_chambolle_pock_converge():
    P = build("quadratic:n=4,d=2,kappa=10")
    for m in (PointSAGA(gamma=0.2), ChambollePock(gamma=0.2, gamma_dual=0.4, mu=1.0)):
        trace = run(P, m, steps=400, seeds=2)
        assert trace["dist2"][-1].max() < 1e-16 * trace["dist2"][0].max()
        assert set(trace["rounds"][-1]) == {400}


@pytest.mark.parametrize(
    "m", [PointSAGA(gamma=0.2, mu=0.5, relax=0.7), ChambollePock(gamma=0.2, gamma_dual=0.4, mu=1.0)]
)
def test_the_partners_run_in_batches_and_on_torch(m):
    P, convert, rng = build("quadratic:n=3,d=2,kappa=10,basis=rotated"), converter(), np.random.default_rng(0)
    state = m.init(P, rng.standard_normal((4, 2)))
    alone = [tree_map(lambda a, k=k: a[k], state) for k in range(4)]
    other = convert(state)
    for t in range(5):
        draw = m.law(P).sample(np.random.default_rng(t), (4,))
        alone = [m.step(P, s, tree_map(lambda a, k=k: a[k], draw)) for k, s in enumerate(alone)]
        other = m.step(to_torch(P), other, convert(draw))
        state = m.step(P, state, draw)
    for name in state._fields:
        loop = np.stack([getattr(s, name) for s in alone])
        np.testing.assert_allclose(getattr(state, name), loop, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            getattr(state, name), getattr(to_numpy(other), name), rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("solver", [GD(steps=2), Exact()])
def test_a_violation_is_confirmed_in_fractions(solver):
    m = theory.tune(U, cohort=1)
    free = replace(theory.LINEAR_CONVERGENCE, allows=always)
    verdict = exact.check(free, U, replace(m, gamma=16 * m.gamma, solver=solver))
    assert verdict.word == "violated"
    assert "confirmed in exact arithmetic" in verdict.note


def test_wrong_fields_of_the_partners_are_refused():
    for make, says in (
        (lambda: PointSAGA(gamma=0), "gamma must be > 0"),
        (lambda: PointSAGA(gamma=1, relax=0), "relax must be > 0"),
        (lambda: PointSAGA(gamma=1, mu=1), "gamma mu must be < 1, got 1"),
        (lambda: ChambollePock(gamma=1, gamma_dual=0, mu=1), "gamma_dual must be > 0"),
        (lambda: ChambollePock(gamma=1, gamma_dual=1, mu=-1), "mu must be >= 0"),
    ):
        with pytest.raises(ValueError, match=says):
            make()


@given(P=quadratics(n=st.integers(2, 5), d=st.integers(1, 3)), seed=seeds)
def test_a_smaller_mu_is_legal_too_and_then_the_published_point_saga_is_met(P, seed):
    """mu = 0 and gamma gamma_dual n = 1: x' = prox of the sampled f_j at x + (g_j - mean g)/(n gamma_dual)."""
    m = FiveGCS(gamma=0.5 / P.n, gamma_dual=2.0, mu=0, cohort=1, solver=Exact())
    saga, state = PointSAGA(gamma=1 / (2.0 * P.n)), at_random(P, seed)
    partner = saga.init(P, state.x)._replace(g=P.n * state.h)
    draw = m.law(P).sample(np.random.default_rng(seed), ())
    new, other = m.step(P, state, draw), saga.step(P, partner, saga.law(P).draw._replace(j=draw.cohort[0]))
    np.testing.assert_allclose(new.x, other.x, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(P.n * new.h, other.g, rtol=1e-7, atol=1e-7)


# ------------------------------------------------------------------ rules


def test_the_rules_refuse_what_they_do_not_speak_of():
    P = build("quadratic:n=3,d=2,kappa=10")
    with pytest.raises(ValueError, match=r"cohort must lie in 1\.\.n = 3, got 4"):
        theory.tune(P, cohort=4)
    with pytest.raises(ValueError, match="choose mu_share"):
        theory.tune(build("quadratic:n=3,d=2,kappa=1"))
    with pytest.raises(ValueError, match="local_steps must be a number"):
        local_steps_rule(3, 1, 10.0, "some")
    assert not by_the_rule(P, LocalWork(gamma_dual=1e-3, mu=P.mu_min, cohort=1, solver=GD(steps=100)))


def test_the_paper_asks_for_twice_the_steps_that_suffice():
    assert local_steps_rule(20, 20, 1000.0) == 214
    assert local_steps_rule(20, 1, 1000.0) == 61
    assert local_steps_rule(20, 20, 1000.0, "half") == 107
    assert local_steps_rule(20, 20, 1000.0, "accelerated") == 51


@given(P=quadratics(kappa=st.sampled_from([3.0, 100.0])), data=st.data())
def test_the_optimum_is_fixed_by_every_solver(P, data):
    if not P.L_max > P.mu_min * (1 + 1e-9):
        return
    m = theory.tune(P, local_steps=data.draw(st.sampled_from([0, 1, 5, "accelerated", math.inf])))
    best = theory.star(P, m)
    new = m.step(P, best, m.law(P).sample(np.random.default_rng(0), ()))
    scale = 1e-9 * (1 + np.abs(best.x).max() + np.abs(P.b).max())
    assert sqnorm(new.x - best.x) <= scale**2
    assert sqnorm(new.h - best.h, 2) <= (P.L_max * scale) ** 2


@given(P=quadratics(n=st.integers(2, 4), kappa=st.just(20.0)), data=st.data())
def test_the_sum_stays_the_sum(P, data):
    m = theory.tune(P, cohort=2, local_steps=2)
    state = data.draw(states(P, m, duals_sum))
    new = m.step(P, state, m.law(P).sample(np.random.default_rng(0), ()))
    np.testing.assert_allclose(new.h_sum, new.h.sum(axis=0), rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------ figures


@pytest.fixture(scope="module")
def measured():
    return {name: panel.measure(seed=0, quick=True) for name, panel in figures.PANELS.items()}


def test_figure_cohorts_follows_the_root(measured):
    data = measured["cohorts"]
    np.testing.assert_allclose(data["exact"] / data["exact"][-1], np.sqrt(4 / data["cohort"]), rtol=0.05)
    assert (data["exact"] < data["bound"]).all()
    assert (data["K = 3"] == data["exact"]).all()


def test_figure_local_steps_shows_the_divergence(measured):
    data = measured["local_steps"]
    assert np.isnan(data["K = 0"][-1])
    assert data["exact prox"][-1] < 0.2
    assert data["kappa = 100"][0] > 3
    assert data["kappa = 100"][-1] < 1


def test_figure_real_goes_down(measured):
    data = measured["real"]
    names = [k.removesuffix(" gap") for k in data if k.endswith(" gap")]
    assert names == ["GD", "Scaffnew", "5GCS, C = 5", "5GCS, C = 2", "5GCS, C = 1"]
    assert all(data[f"{n} gap"][-1] < 0.2 for n in names)


@pytest.mark.parametrize("name", figures.PANELS)
def test_figures_can_be_drawn(name, measured, tmp_path):
    render(figures.PANELS[name], measured[name], [str(tmp_path / "panel.png")])
    assert (tmp_path / "panel.png").stat().st_size > 5000
