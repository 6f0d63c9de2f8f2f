"""FedAvg, Nastya, FedRR, FedProx: special cases, the cost of fresh cohorts, drift."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import sqnorm
from proveout.methods.fedavg import Draw, FedAvg, FedProx, State
from proveout.problems import build
from proveout.run import run
from proveout.testing import Counting
from proveout.theory import fedavg as theory
from proveout.theory.cases.fedavg import CASES
from proveout.theory.fedavg.drift import limit
from proveout.theory.fedavg.stationary import stationary_error
from proveout.theory.lenses import exact, moments, proof
from proveout.theory.statement import always
from proveout.theory.trial.check import check

SUMS = build("quadratic:n=4,d=2,m=2,kappa=10,basis=rotated")


def test_all_clients_and_one_full_step_is_gradient_descent():
    P = build("quadratic:n=4,d=3,kappa=10,basis=rotated")
    m = FedAvg(gamma=0.07, cohort=4)
    x = np.ones((2, 3))
    draw = m.law(P).sample(np.random.default_rng(0), (2,))
    np.testing.assert_allclose(m.step(P, State(x=x), draw).x, x - 0.07 * P.grad(x), rtol=1e-13)


def test_the_default_server_step_averages_the_local_models():
    m = FedAvg(gamma=0.03, cohort=2, local_steps=3)
    x, members = np.ones(2), np.array([1, 3])
    y = np.broadcast_to(x, (2, 2))
    for _ in range(3):
        y = y - 0.03 * SUMS.at(members).grads(y)
    new = m.step(SUMS, State(x=x), Draw(cohort=members, data=np.zeros(1))).x
    np.testing.assert_allclose(new, y.mean(axis=0), rtol=1e-13)


def test_a_pass_visits_each_component_of_a_client_once():
    m = FedAvg(gamma=1e-9, cohort=2, order="pass", gamma_global=0.1)
    draw = m.law(SUMS).sample(np.random.default_rng(0), ())
    x = np.ones(2)
    moved = (x - m.step(SUMS, State(x=x), draw).x) / 0.1
    np.testing.assert_allclose(moved, SUMS.at(draw.cohort).grads(x[None]).mean(axis=0), rtol=1e-6)


def test_iid_steps_see_samples_or_noise():
    noisy = build("quadratic:n=3,d=2,kappa=5,noise=1")
    m = FedAvg(gamma=0.05, cohort=2, order="iid", local_steps=2)
    prob, draw = m.law(noisy).atoms()
    x = m.step(noisy, State(x=np.ones((1, 2))), draw).x
    full = FedAvg(gamma=0.05, cohort=2, local_steps=2)
    p, d = full.law(noisy).atoms()
    np.testing.assert_allclose(prob @ x, p @ full.step(noisy, State(x=np.ones((1, 2))), d).x, rtol=1e-12)
    samples = m.law(SUMS).sample(np.random.default_rng(0), (5,)).data
    assert samples.shape == (5, 2, 2, 1)
    assert set(np.unique(samples)) <= {0, 1}


def test_the_exact_prox_is_the_limit_of_many_local_steps():
    P = build("logistic:synthetic,clients=3,m=30,d=2,kappa=10")
    t = 2 / P.L_max
    exactly = FedProx(gamma_prox=t, cohort=3)
    inexact = FedProx(gamma_prox=t, cohort=3, gamma=1 / (P.L_max + 1 / t), local_steps=80)
    draw = exactly.law(P).sample(np.random.default_rng(0), ())
    x = np.ones(2)
    np.testing.assert_allclose(
        exactly.step(P, State(x=x), draw).x, inexact.step(P, State(x=x), draw).x, rtol=1e-9
    )


def test_costs_count_passes_in_full_local_gradients():
    for m in (
        FedAvg(gamma=0.1, cohort=2, order="pass"),
        FedAvg(gamma=0.1, cohort=2, local_steps=3),
        FedAvg(gamma=0.1, cohort=2, order="iid", local_steps=4),
    ):
        counting = Counting(SUMS)
        draw = m.law(SUMS).sample(np.random.default_rng(0), ())
        m.step(counting, State(x=np.ones(2)), draw)
        assert counting.count == m.cost(SUMS, draw).gradients


@given(
    seed=st.integers(0, 5000),
    cohort=st.integers(1, 4),
    kappa=st.sampled_from([1.0, 3.0, 30.0]),
    factor=st.floats(0.05, 1),
    order=st.sampled_from(["pass", "full"]),
)
def test_client_sampling_holds_on_random_problems(seed, cohort, kappa, factor, order):
    P = build(f"quadratic:n=4,d=2,m=2,kappa={kappa},basis=rotated,heterogeneity=3,seed={seed}")
    m = theory.basic(P, cohort, order, 3 if order == "full" else None, factor)
    assert exact.check(theory.CLIENT_SAMPLING, P, m).word == "holds"


def test_client_sampling_is_proved_for_all_functions_of_a_class():
    P = build("class:n=4,L=10,mu=1")
    for choices in ({"cohort": 2}, {"cohort": 1, "order": "full", "local_steps": 2}):
        assert proof.check(theory.CLIENT_SAMPLING, P, theory.basic(P, **choices)).grade == "proved"


def test_the_floor_is_linear_unless_all_clients_take_part():
    def slope(cohort):
        a, b = (
            stationary_error(SUMS, FedAvg(gamma=f / SUMS.L_parts, cohort=cohort, order="pass"))
            for f in (0.02, 0.01)
        )
        return np.log2(a / b)

    assert slope(2) == pytest.approx(1, abs=0.02)
    assert slope(4) > 2
    m = FedAvg(gamma=0.05 / SUMS.L_parts, cohort=4, order="pass")
    quarter = next(t for t in theory.FLOOR_IS_LINEAR.twins if t.name.startswith("quadratic"))
    allowed, _, _ = quarter.edit(theory.FLOOR_IS_LINEAR, SUMS, m)
    assert moments.check(replace(allowed, allows=always), SUMS, m).word == "holds"
    partial = replace(m, cohort=2)
    assert moments.check(replace(allowed, allows=always), SUMS, partial).word == "violated"


@pytest.mark.parametrize(
    "m",
    [
        FedAvg(gamma=0.1, cohort=4, local_steps=4),
        FedAvg(gamma=0.05, cohort=4, local_steps=7, gamma_global=0.2),
        FedProx(gamma_prox=0.5, cohort=4),
    ],
)
def test_the_limit_is_where_a_long_run_ends_and_not_the_optimum(m):
    P = build("quadratic:n=4,d=2,kappa=10,heterogeneity=3,basis=rotated")
    end = run(P, m, steps=400).state.x[0]
    x, factor = limit(P, m)
    np.testing.assert_allclose(end, x, rtol=1e-9)
    assert factor < 1
    assert sqnorm(x - P.x_star) > 1e-3


def test_one_local_step_and_equal_minimisers_do_not_drift():
    P = build("quadratic:n=4,d=2,kappa=10,heterogeneity=3,basis=rotated")
    np.testing.assert_allclose(limit(P, FedAvg(gamma=0.1, cohort=4))[0], P.x_star, rtol=1e-10)
    same = build("quadratic:n=4,d=2,kappa=10,heterogeneity=0,basis=rotated")
    np.testing.assert_allclose(limit(same, FedProx(gamma_prox=1.0, cohort=4))[0], same.x_star, rtol=1e-10)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"gamma": -1.0}, "gamma must be > 0"),
        ({"order": "shuffle"}, "order must be one of full, pass, iid"),
        ({"order": "pass", "local_steps": 3}, "local_steps must be >= 1, and None for a pass"),
        ({"batch": 0}, "batch must be >= 1"),
    ],
)
def test_wrong_parameters_are_refused(fields, what):
    with pytest.raises(ValueError, match=what):
        FedAvg(**{"gamma": 0.1, "cohort": 2, **fields})


def test_an_inexact_prox_needs_both_of_its_parameters():
    with pytest.raises(ValueError, match="give gamma and local_steps or neither"):
        FedProx(gamma_prox=1.0, cohort=2, gamma=0.1)


def test_every_case_on_quadratics_holds():
    for case in CASES:
        for spec in case.problems:
            for choices in case.settings:
                P = build(spec)
                if not spec.startswith("quadratic"):
                    continue
                try:
                    m = case.statement.tune(P, **choices)
                except ValueError:
                    continue
                assert check(case.statement, P, m).word == "holds", (case.id, spec, choices)
