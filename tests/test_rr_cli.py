"""RR-CLI: worked examples to the digit, the descent along every order, floors, red twins."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.arrays import sqnorm
from proveout.figures import rr_cli as figures
from proveout.figures.style import render
from proveout.methods.fedavg import FedAvg
from proveout.methods.rr_cli import RRCLI, Draw, State
from proveout.problems import FiniteSums, Quadratics, build
from proveout.problems.sums import group
from proveout.run import run
from proveout.theory import rr_cli as theory
from proveout.theory.cases.rr_cli import CASES
from proveout.theory.fedavg.stationary import stationary_error
from proveout.theory.lenses import exact, moments, proof, worstcase
from proveout.theory.rr_cli.descent import decay, radius_bound, shadow_noise
from proveout.theory.rr_cli.floors import doubled
from proveout.theory.rr_cli.shadow import distances, radius
from proveout.theory.rr_cli.shadow import moments as shadow_moments
from proveout.theory.rr_cli.shuffling import second_moment
from proveout.theory.rr_cli.steps import average_drift
from proveout.theory.statement import evaluate
from proveout.theory.trial.check import check

U1 = group(Quadratics(A=np.array([1.0, 2, 3, 4])[:, None, None], b=np.array([1.0, 0, -2, 5])[:, None]), 2)
U3 = Quadratics(
    A=np.array([np.diag(v) for v in [(1.0, 3), (2, 2), (4, 1), (3, 5)]]),
    b=np.array([(1.0, 0), (-2, 1), (0, 3), (2, -2)]),
)
BASIC = RRCLI(gamma=0.1, gamma_server=0.2, gamma_global=0.4, cohort=1)
THREE = RRCLI(gamma=0.02, gamma_server=0.04, gamma_global=0.2, cohort=1)


def outcomes(P, m, x):
    """(probabilities, next models) of a meta-epoch from x."""
    prob, draw = m.law(P).atoms()
    return prob, m.step(P, State(x=np.asarray(x)[None]), draw).x


# ------------------------------------------------------------------ worked examples


def test_example_1_basic_choice():
    assert U1.x_star == pytest.approx([0.4], rel=1e-14)
    assert (U1.L_parts, U1.mu_parts) == (4, 1)
    assert U1.sigma_client2 == pytest.approx(0.01, rel=1e-12)
    assert U1.sigma_data2 == pytest.approx(5.69, rel=1e-14)
    prob, x = outcomes(U1, BASIC, [1.0])
    assert len(prob) == 8
    assert prob @ x[:, 0] == pytest.approx(0.5942, rel=1e-13)
    assert prob @ sqnorm(x - 0.4) == pytest.approx(0.04793388, rel=1e-13)


def test_example_1_shadow():
    table = {at: D / 0.1**2 for at, D in distances(U1, BASIC).items()}
    assert table == pytest.approx({(0, 0): 0, (0, 1): 9.625, (1, 0): 0.05, (1, 1): 9.825}, rel=1e-12)
    assert radius(U1, BASIC) == pytest.approx(9.825, rel=1e-13)
    client, data = radius_bound(U1, BASIC)
    bound = U1.L_parts / 2 * (client * U1.sigma_client2 + data * U1.sigma_data2)
    assert bound == pytest.approx(11.54, rel=1e-13)
    right = decay(U1, BASIC) * 0.36 + shadow_noise()(U1, BASIC)
    assert right == pytest.approx(0.2715285, rel=1e-12)
    one_step = decay(U1, BASIC) * 0.36 + 2 * 0.1**2 * 9.825 * (1 - decay(U1, BASIC))
    assert one_step == pytest.approx(0.30377235, rel=1e-12)


@pytest.mark.parametrize(("m", "x"), [(BASIC, 0.656), (THREE, 0.730656)])
def test_examples_1_and_2_along_one_order(m, x):
    _, new = outcomes(U1, replace(m, order=(1, 0), data="cyclic"), [1.0])
    assert new == pytest.approx(np.array([[x]]), rel=1e-14)


def test_example_2_three_steps():
    prob, x = outcomes(U1, THREE, [1.0])
    assert prob @ x[:, 0] == pytest.approx(0.7218608, rel=1e-13)
    assert prob @ sqnorm(x - 0.4) == pytest.approx(0.10372094963648, rel=1e-13)
    client, data = average_drift(U1, THREE)
    assert client * U1.sigma_client2 + data * U1.sigma_data2 == pytest.approx(0.001148, rel=1e-12)
    s, start = theory.THREE_STEPS, State(x=np.ones(1))
    right = s.rate(U1, THREE) * 0.36 + s.noise(U1, THREE) - evaluate(s.progress(U1, THREE, start), U1)
    assert U1.mu == pytest.approx(2.5)
    assert U1.value(np.ones(1)) - U1.f_star == pytest.approx(0.45, rel=1e-13)
    assert right == pytest.approx(0.2473472, rel=1e-12)


def test_example_3_clients_only():
    m = RRCLI(gamma=0.1, gamma_server=0.1, gamma_global=0.2, cohort=2)
    np.testing.assert_allclose(U3.x_star, [0.1, 2 / 11])
    prob, x = outcomes(U3, m, np.zeros(2))
    assert len(prob) == 6
    np.testing.assert_allclose(prob @ x, [0.0441666666666667, 0.0775], rtol=1e-13)
    assert prob @ sqnorm(x - U3.x_star) == pytest.approx(0.0156218663911846, rel=1e-13)
    assert U3.sigma_client2 == pytest.approx(6.45185950413223, rel=1e-13)
    _, one = outcomes(U3, replace(m, order=(3, 2, 1, 0)), np.zeros(2))
    np.testing.assert_allclose(one, [[0.035, 0.0875]], rtol=1e-14)


# ------------------------------------------------------------------ the shadow


@pytest.mark.parametrize("spec", ["n=4,d=2,m=2", "n=3,d=2,m=3", "n=4,d=3", "n=1,d=2,m=4", "n=2,d=1,m=3"])
@pytest.mark.parametrize("cohort", [1, 2])
def test_the_second_moment_of_the_shadow_is_exact(spec, cohort):
    P = build(f"quadratic:{spec},kappa=10,heterogeneity=2")
    if P.n % cohort:
        return
    m = theory.basic(P, cohort)
    np.testing.assert_allclose(
        shadow_moments(P, m), second_moment(P, m), rtol=1e-13, atol=1e-13 * P.sigma_client2
    )


def test_a_data_order_shared_by_the_clients_gives_the_same_moment_and_a_fixed_one_does_not():
    P = build("quadratic:n=3,d=2,m=3,kappa=10")
    m = theory.basic(P)
    right = second_moment(P, m)
    prob, draw = m.law(P).atoms()
    shared = (draw.data == draw.data[:, :1]).all(axis=(1, 2))
    together = type(draw)(*(a[shared] for a in draw))

    class Shared(RRCLI):
        def law(self, problem):
            from proveout.laws import Law

            class Listed(Law):
                size = int(shared.sum())

                def sample(self, rng, shape):
                    raise TypeError("only enumerated")

                def atoms(self):
                    return prob[shared] / prob[shared].sum(), together

            return Listed()

    same = Shared(**vars(m))
    np.testing.assert_allclose(shadow_moments(P, same), right, rtol=1e-12, atol=1e-12)
    fixed = shadow_moments(P, replace(m, data="cyclic"))
    assert np.abs(fixed - right).max() > 0.05 * right.max()


# ------------------------------------------------------------------ every order


def test_the_descent_holds_along_each_of_the_96_orders_of_a_small_problem():
    P = build("quadratic:n=4,d=2,m=2,kappa=10,basis=rotated,heterogeneity=3")
    base = theory.basic(P, cohort=2)
    _, draw = base.law(P).atoms()
    figures_ = []
    for cohorts, data in zip(draw.cohort, draw.data, strict=True):
        m = replace(base, order=tuple(cohorts.ravel().tolist()), data=tuple(map(tuple, data.tolist())))
        verdict = exact.check(theory.PATHWISE_DESCENT, P, m)
        assert (verdict.word, verdict.grade) == ("holds", "exact")
        figures_.append(verdict.ratio)
    assert len(figures_) == 96
    assert max(figures_) <= 1


@given(
    seed=st.integers(0, 10_000),
    shape=st.sampled_from([(1, 3, 1), (2, 2, 1), (2, 1, 2), (3, 2, 1), (4, 2, 2), (4, 1, 1), (6, 1, 3)]),
    kappa=st.sampled_from([1.0, 3.0, 30.0]),
    fraction=st.floats(0.02, 1),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_the_descent_holds_pathwise_on_random_problems_and_orders(seed, shape, kappa, fraction, scale):
    n, k, cohort = shape
    P = build(f"quadratic:n={n},d=2,m={k},kappa={kappa},basis=rotated,seed={seed}")
    rng = np.random.default_rng(seed)
    order = tuple(rng.permutation(n).tolist())
    data = tuple(tuple(rng.permutation(k).tolist()) for _ in range(n))
    m = theory.basic(P, cohort, fraction, order=order, data=data)
    x = P.x_star + scale * rng.standard_normal(2)
    (new,) = outcomes(P, m, x)[1]
    right = decay(P, m) * sqnorm(x - P.x_star) + theory.PATHWISE_DESCENT.noise(P, m)
    assert sqnorm(new - P.x_star) <= right * (1 + 1e-9) + 1e-20
    assert exact.check(theory.PATHWISE_DESCENT, P, m).word == "holds"


@given(seed=st.integers(0, 10_000), fraction=st.floats(0.05, 1))
@settings(max_examples=20)
def test_the_descent_holds_pathwise_on_logistic_samples(seed, fraction):
    P = build("logistic:synthetic,clients=2,m=9,d=2,even=yes,kappa=10")
    rng = np.random.default_rng(seed)
    order = tuple(rng.permutation(2).tolist())
    data = tuple(tuple(rng.permutation(P.m).tolist()) for _ in range(2))
    m = theory.basic(P, 1, fraction, order=order, data=data)
    x = P.x_star + rng.standard_normal(2)
    (new,) = outcomes(P, m, x)[1]
    right = decay(P, m) * sqnorm(x - P.x_star) + theory.PATHWISE_DESCENT.noise(P, m)
    assert sqnorm(new - P.x_star) <= right * (1 + 1e-9)


def test_the_descent_is_attained():
    P = build("quadratic:n=1,d=1,m=2,kappa=10")
    m = theory.basic(P, order="cyclic", data="cyclic")
    assert exact.check(theory.PATHWISE_DESCENT, P, m).ratio == pytest.approx(1, abs=1e-8)


def test_the_descent_is_proved_for_all_functions_of_a_class():
    P = build("class:n=4,L=10,mu=1")
    for choices in ({"cohort": 1}, {"cohort": 2}):
        m = theory.basic(P, order="cyclic", **choices)
        assert proof.check(theory.PATHWISE_DESCENT, P, m).grade == "proved"
        long = replace(m, gamma=0.15, gamma_server=0.15, gamma_global=0.15 * (4 // m.cohort))
        anyway = replace(theory.PATHWISE_DESCENT, allows=lambda P, m: True)
        assert worstcase.check(anyway, P, long).word == "violated"


def test_interpolation_is_certified_for_all_functions_of_a_class_and_tight():
    P = build("class:n=4,L=10,mu=1")
    verdict = worstcase.check(theory.INTERPOLATION, P, theory.basic(P, cohort=2, order="cyclic"))
    assert (verdict.word, verdict.grade) == ("holds", "certified")
    assert verdict.ratio == pytest.approx(1, abs=1e-6)


def test_one_sorted_order_of_24_clients_breaks_the_average_drift():
    n, L = 24, 1.0
    rows = 5 + np.linspace(-1, 1, n)[:, None]  # equally spaced gradients around x* = 5
    P = Quadratics(A=np.full((n, 1, 1), L), b=rows)
    m = theory.three(P, cohort=1, order="sorted")
    (new,) = outcomes(P, m, P.x_star)[1]
    client, _ = average_drift(P, m)
    ratio = sqnorm(new - P.x_star) / (8 * m.gamma_global * L * client * P.sigma_client2)
    assert ratio == pytest.approx(1.20, abs=0.005)
    assert exact.check(theory.THREE_STEPS_ANY_ORDER, P, m).word == "holds"
    small = Quadratics(A=np.full((16, 1, 1), L), b=np.linspace(-1, 1, 16)[:, None])
    m = theory.three(small, cohort=1, order="sorted")
    (new,) = outcomes(small, m, small.x_star)[1]
    client, _ = average_drift(small, m)
    assert sqnorm(new - small.x_star) / (8 * client * small.sigma_client2) == pytest.approx(0.79, abs=0.005)


def test_three_steps_hold_for_every_order_of_three_clients():
    P = build("quadratic:n=3,d=2,m=2,kappa=10,heterogeneity=3,basis=rotated")
    for order, data in product(permutations(range(3)), product(permutations(range(2)), repeat=3)):
        m = theory.three(P, order=order, data=data)
        assert exact.check(theory.THREE_STEPS_ANY_ORDER, P, m).word == "holds"


# ------------------------------------------------------------------ floors


def local_slopes(P, make):
    errors = np.array([stationary_error(P, make(f)) for f in 0.1 * 0.5 ** np.arange(5)])
    return np.log2(errors[:-1] / errors[1:])


def test_floors_are_quadratic_with_regularised_participation_and_linear_with_fresh_cohorts():
    P = build("quadratic:n=4,d=2,m=2,kappa=20,basis=rotated,seed=3")
    shuffled = local_slopes(P, lambda f: theory.basic(P, 2, f))
    fresh = local_slopes(P, lambda f: FedAvg(gamma=f / P.L_parts, cohort=2, order="pass"))
    once = local_slopes(P, lambda f: theory.basic(P, 2, f, order="once"))
    np.testing.assert_allclose(shuffled, [2.920, 2.806, 2.656, 2.483], atol=1e-3)
    np.testing.assert_allclose(fresh, [1.024, 1.012, 1.006, 1.003], atol=1e-3)
    np.testing.assert_allclose(once, [2.042, 2.021, 2.011, 2.005], atol=1e-3)


def test_with_all_clients_in_each_round_the_three_rules_are_one():
    P = build("quadratic:n=4,d=2,m=2,kappa=20,basis=rotated")
    m = theory.basic(P, cohort=4, factor=0.1)
    fresh = FedAvg(gamma=m.gamma, cohort=4, order="pass")
    for other in (replace(m, order="once"), fresh):
        assert stationary_error(P, other) == pytest.approx(stationary_error(P, m), rel=1e-10)


def test_the_stationary_error_is_that_of_a_long_run():
    P = build("quadratic:n=4,d=2,m=2,kappa=5,basis=rotated")
    m = theory.basic(P, 2, 0.3)
    trace = run(P, m, steps=400, seeds=64, x0=P.x_star, every=1)
    late = trace["dist2"][100:].mean(axis=0)
    assert abs(late.mean() - stationary_error(P, m)) < 5 * late.std(ddof=1) / 8


def test_halving_the_steps_more_than_quarters_the_floor():
    P = build("quadratic:n=4,d=2,m=2,kappa=10,basis=rotated")
    m = theory.basic(P, 2, 0.05)
    assert stationary_error(P, m) <= stationary_error(P, doubled(m)) / 4
    twin = next(t for t in theory.FLOOR_ORDER.twins if "replacement" in t.name)
    assert moments.check(*twin.edit(theory.FLOOR_ORDER, P, m)).word == "violated"


# ------------------------------------------------------------------ problems and the method


@pytest.mark.parametrize(
    "spec",
    [
        "quadratic:n=4,d=2,m=3,kappa=10",
        "quadratic:n=2,d=3,m=2,bend=.5",
        "logistic:synthetic,clients=3,m=38,d=3,parts=2",
        "logistic:synthetic,clients=3,m=38,d=3,even=yes",
        "logistic:a1a,clients=4,parts=3,sparse=yes",
    ],
)
def test_one_pass_over_the_components_is_the_client(spec):
    P, rng = build(spec), np.random.default_rng(0)
    x = rng.standard_normal((5, P.n, P.d))
    order = np.argsort(rng.random((5, P.n, P.m)), axis=-1)
    passed = np.mean([P.on(order[..., j : j + 1]).grads(x) for j in range(P.m)], axis=0)
    np.testing.assert_allclose(passed, P.grads(x), rtol=1e-10, atol=1e-12)
    values = np.mean([P.on(order[..., j : j + 1]).values(x) for j in range(P.m)], axis=0)
    np.testing.assert_allclose(values, P.values(x), rtol=1e-10, atol=1e-12)
    assert P.sigma_client2 == pytest.approx(P.zeta2, rel=1e-9)
    pair = P.on(order[..., :2]).grads(x)
    each = [P.on(order[..., j : j + 1]).grads(x) for j in (0, 1)]
    np.testing.assert_allclose(pair, np.mean(each, axis=0), rtol=1e-10, atol=1e-12)


def test_the_dials_of_a_sum_are_those_of_its_components():
    P = build("quadratic:n=3,d=3,m=4,kappa=30,basis=rotated")
    assert isinstance(P, FiniteSums)
    assert (P.L_parts, P.mu_parts) == pytest.approx((30, 1), rel=1e-9)
    assert P.L_max <= P.L_parts
    assert build("quadratic:n=3,d=2,m=4,heterogeneity=0").sigma_data2 < 1e-20
    bent = build("quadratic:n=3,d=2,m=2,kappa=10,bend=1")
    flat = build("quadratic:n=3,d=2,m=2,kappa=10")
    assert bent.mu_parts < 0 < bent.mu
    assert (bent.L, bent.mu) == pytest.approx((flat.L, flat.mu))
    np.testing.assert_allclose(bent.x_star, flat.x_star)
    assert bent.sigma_data2 == pytest.approx(flat.sigma_data2)


def test_uneven_and_sparse_samples_are_refused():
    m = RRCLI(gamma=0.1, gamma_server=0.1, gamma_global=0.1, cohort=1)
    for spec in ("synthetic,clients=3,m=38,d=3", "a1a,clients=4,even=yes,sparse=yes"):
        with pytest.raises(ValueError, match="equally many components"):
            m.law(build(f"logistic:{spec}"))
    with pytest.raises(ValueError, match="sample numbers need the dense form"):
        build("logistic:a1a,clients=4,sparse=yes").on(np.zeros((4, 1), int))


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"gamma": 0}, "gamma must be > 0"),
        ({"cohort": 0}, "cohort must be >= 1"),
        ({"order": "random"}, "order must be one of reshuffle, once, cyclic"),
        ({"cohort": 3}, "cohort must divide n = 4"),
        ({"order": (0, 1, 2, 2)}, "order must hold each of the clients"),
        ({"data": ((0, 1),)}, "data must hold an order"),
    ],
)
def test_wrong_parameters_are_refused_with_value_and_rule(fields, what):
    good = {"gamma": 0.1, "gamma_server": 0.1, "gamma_global": 0.1, "cohort": 2}
    with pytest.raises(ValueError, match=what):
        RRCLI(**{**good, **fields}).law(build("quadratic:n=4,d=2,m=2"))


def test_a_thousand_clients_run():
    P = build("quadratic:n=1000,d=5,m=2,kappa=10")
    trace = run(P, theory.basic(P, cohort=50, factor=0.2), steps=3, seeds=2)
    assert (trace["rounds"][-1] == 60).all()
    assert trace["dist2"][-1].max() < 0.01 * trace["dist2"][0].max()


def test_tiny_local_steps_lose_no_digits():
    P = build("quadratic:n=4,d=2,m=2,kappa=10")
    m = RRCLI(gamma=1e-14, gamma_server=1e-14, gamma_global=0.1, cohort=2)
    draw = m.law(P).sample(np.random.default_rng(0), ())
    x = np.ones(2)
    new = m.step(P, State(x=x), Draw(*draw)).x
    np.testing.assert_allclose(new, x - 0.1 * P.grad(x), rtol=1e-11)


# ------------------------------------------------------------------ cases and figures


def test_every_case_on_quadratics_holds():
    for case in CASES:
        for spec in case.problems:
            for choices in case.settings:
                if not spec.startswith("quadratic"):
                    continue
                P = build(spec)
                try:
                    m = case.statement.tune(P, **choices)
                except ValueError:
                    continue
                verdict = check(case.statement, P, m)
                assert verdict.word == "holds", (case.id, spec, choices, verdict.note)


@pytest.mark.parametrize("name", figures.PANELS)
def test_figures_measure_and_draw(name, tmp_path):
    panel = figures.PANELS[name]
    data = panel.measure(quick=True)
    for value in data.values():
        if isinstance(value, np.ndarray):
            assert np.isfinite(value).all()
            assert (value > 0).all()
    render(panel, data, [str(tmp_path / f"{name}.png")])
    assert (tmp_path / f"{name}.png").stat().st_size > 5000


def test_a_fitted_exponent_of_a_power_is_the_power():
    x = np.array([1.0, 2, 5, 10])
    s = figures.slope(x, np.stack([3 * x**-2, x**-1.5]))
    np.testing.assert_allclose(s, [-2, -1.5], rtol=1e-12)
    mean, half = figures.band(np.array([1.0, 2.0, 3.0]))
    assert (mean, half) == pytest.approx((2, 4.302652729911275 / np.sqrt(3)))
