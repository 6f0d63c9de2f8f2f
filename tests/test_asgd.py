"""ASGD and its momentum variants: worked trajectories, exact critical steps, rates, bias, red twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.arrays import tree_map
from proveout.methods.asgd import ASGD, SMEGA2, NaiveASGDm, ShiftedMomentum, SSGDm, SSGDmRounds
from proveout.methods.gd import GD
from proveout.problems import Asynchronous, Quadratics, build, federated
from proveout.problems.delays import Order, Queues, Race, Simulated
from proveout.run import run
from proveout.testing import seeds
from proveout.theory import asgd as theory
from proveout.theory.cases.asgd import CASES
from proveout.theory.delays.periodic import critical_step, spectral_radius
from proveout.theory.lenses import exact, moments
from proveout.theory.ormo import SSGDM_SPLIT
from proveout.theory.statement import Path
from proveout.theory.trial.check import check
from proveout.theory.trial.mutants import mutants

UNEVEN = (0, 0, 1, 0, 1, 1)  # the worked order: versions 0, 1, 0, 2, 3, 5


def scalar(order, curvature=1.0):
    return Asynchronous(Quadratics(A=np.full((1, 1, 1), curvature), b=np.zeros((1, 1))), Order(order))


def follow(P, m, x0, steps):
    """The path without luck from x0."""
    states, draws, law = [m.init(P, np.atleast_1d(np.asarray(x0, float)))], [], m.law(P)
    for t in range(steps):
        draws.append(tree_map(lambda a: a[0], law.at(t).atoms()[1]))
        states.append(m.step(P, states[-1], draws[-1]))
    return Path(states=tuple(states), draws=tuple(draws))


def models(path):
    return [float(s.x[0]) for s in path.states]


# ------------------------------------------------------------------ worked trajectories


@pytest.mark.parametrize(
    "method, expected",
    [
        (ASGD(gamma=0.1), [1, 0.9, 0.81, 0.71, 0.629, 0.558, 0.5022]),
        (NaiveASGDm(gamma=0.1, beta=0.5), [1, 0.9, 0.76, 0.59, 0.429, 0.2895, 0.1908]),
        (ShiftedMomentum(gamma=0.1, beta=0.5), [1, 0.9, 0.76, 0.66, 0.514, 0.398, 0.3002]),
        (
            SMEGA2(gamma=0.1, beta=0.5),
            [1, 0.9, 0.8125, 0.665625, 0.546875, 0.4234375, 0.32607421875],
        ),
    ],
    ids=lambda v: type(v).__name__,
)
def test_the_worked_example_is_reproduced(method, expected):
    np.testing.assert_allclose(models(follow(scalar(UNEVEN), method, 1, 6)), expected, rtol=1e-14)


def test_versions_and_delays_of_the_worked_order():
    path = follow(scalar(UNEVEN), ASGD(gamma=0.1), 1, 6)
    held = [int(s.index[d.event.worker]) for s, d in zip(path.states, path.draws)]
    assert held == [0, 1, 0, 2, 3, 5]
    assert [t - i for t, i in enumerate(held)] == [0, 0, 2, 1, 1, 0]


def test_one_worker_is_gradient_descent():
    P = Asynchronous(federated(n=1, d=3, kappa=9), Order((0,)))
    path, gd = follow(P, ASGD(gamma=0.05), np.ones(3), 20), GD(gamma=0.05)
    state = gd.init(P, np.ones(3))
    for now in path.states:
        np.testing.assert_allclose(now.x, state.x, rtol=1e-12)
        state = gd.step(P, state, None)


def test_the_step_rules_scale_late_gradients_as_published():
    tau = np.array([0.0, 4.0, 5.0, 8.0, 9.0, 40.0, np.inf])
    sizes = {
        r: ASGD(gamma=0.1, rule=r, cap=0.4).step_sizes(tau, 4).tolist()
        for r in ("constant", "koloskova", "mishchenko", "drop")
    }
    assert sizes["constant"] == [0.1] * 7
    assert sizes["koloskova"] == pytest.approx([0.1, 0.1, 0.08, 0.05, 0.4 / 9, 0.01, 0])
    assert sizes["mishchenko"] == pytest.approx([0.1, 0.1, 0.08, 0.05, 0.4 / 9, 0.01, 0])
    assert sizes["drop"] == [0.1] * 4 + [0] * 3


@settings(max_examples=8)
@given(seed=seeds, beta=st.floats(0, 0.95))
def test_the_split_form_of_ssgdm_is_its_round_form(seed, beta):
    base = federated(n=1, d=2, kappa=5, noise=1, seed=seed % 1000)
    P = Asynchronous(base, Order((2, 0, 1, 0, 1, 2), barrier=True))
    m = SSGDm(gamma=0.02, beta=beta)
    assert exact.check(SSGDM_SPLIT, P, m).word == "holds"


def test_rounds_take_as_long_as_the_slowest_worker():
    P = Asynchronous(federated(n=1, d=2), Simulated((1.0, 1.0, 1.0, 10.0)))
    trace = run(P, SSGDmRounds(gamma=0.01), steps=8)
    assert trace.costs["seconds"][-1, 0] == 80
    assert trace.costs["gradients"][-1, 0] == 32


# ------------------------------------------------------------------ critical steps


@pytest.mark.parametrize("tau, value", [(0, 2.0), (1, 1.0), (3, 0.4450418679), (7, 0.2090569265)])
def test_constant_delay_on_a_quadratic_is_stable_up_to_the_sine(tau, value):
    P = scalar(tuple(range(tau + 1)), curvature=5.0)
    found = critical_step(P, ASGD(gamma=0.001)) * 5
    assert found == pytest.approx(2 * np.sin(np.pi / (2 * (2 * tau + 1))), rel=1e-11)
    assert found == pytest.approx(value, abs=5e-11)


def test_a_method_is_stable_below_its_critical_step_and_not_above():
    P = scalar((0, 1, 2, 3))
    m = NaiveASGDm(gamma=0.01, beta=0.9)
    edge = critical_step(P, m)
    for share, stable in ((0.9, True), (1.1, False)):
        end = follow(P, replace(m, gamma=share * edge), 1, 4000).states[-1]
        assert (spectral_radius(P, replace(m, gamma=share * edge)) < 1) == stable
        assert (abs(end.x[0]) < 1e-3) == stable


@settings(max_examples=8)
@given(beta=st.floats(0.1, 0.95))
def test_momentum_variants_have_their_closed_critical_steps(beta):
    two, one = scalar((0, 1)), scalar((0,))
    share = 0.01 * (1 - beta)
    assert critical_step(two, NaiveASGDm(gamma=share, beta=beta)) == pytest.approx(1 - beta, rel=1e-9)
    assert critical_step(two, ShiftedMomentum(gamma=share, beta=beta)) == pytest.approx(1 - beta**2, rel=1e-9)
    nesterov = 2 * (1 + beta) / (1 + 2 * beta)
    assert critical_step(one, SMEGA2(gamma=share, beta=beta)) == pytest.approx(nesterov, rel=1e-9)
    heavy_ball = 2 * (1 + beta)
    assert critical_step(one, NaiveASGDm(gamma=share, beta=beta)) == pytest.approx(heavy_ball, rel=1e-9)


# ------------------------------------------------------------------ identities


def test_asynchrony_begets_momentum_as_worked_out():
    P = Asynchronous(Quadratics(A=np.ones((1, 1, 1)), b=np.zeros((1, 1))), Race(5))
    m = ASGD(gamma=0.05)
    start = m.init(P, np.ones(1))
    path = Path(states=(start,) * 21, draws=(None,) * 20)
    moves, claimed = theory.IMPLICIT_MOMENTUM.sides(P, m, path)
    np.testing.assert_allclose(moves, claimed, rtol=1e-12)
    x = 1 + np.cumsum(moves[:, 0])
    np.testing.assert_allclose(x[:5], [0.95, 0.9005, 0.851895, 0.80449205, 0.7585247695], rtol=1e-10)
    assert x[19] == pytest.approx(0.279660574234, abs=5e-13)


@given(seed=seeds, order=st.lists(st.integers(0, 3), min_size=4, max_size=12))
def test_the_virtual_iterate_moves_by_ordered_gradients_for_any_order(seed, order):
    order = tuple(np.unique(order, return_inverse=True)[1].tolist())
    P = Asynchronous(federated(n=1, d=2, kappa=7, seed=seed % 1000), Order(order))
    assert exact.check(theory.VIRTUAL_ITERATE, P, theory.VIRTUAL_ITERATE.tune(P)).word == "holds"


# ------------------------------------------------------------------ rates and bias


@pytest.mark.parametrize("rule", ["koloskova", "mishchenko", "drop"])
@pytest.mark.parametrize("statement", [theory.NONCONVEX_ADAPTIVE, theory.CONVEX_ADAPTIVE])
def test_adaptive_steps_need_no_maximal_delay(statement, rule):
    P = build("async:workers=3,clock=straggler,ratio=30/quadratic:n=1,d=1,kappa=1,noise=1")
    assert P.clock.tau_max == 60
    verdict = moments.check(statement, P, statement.tune(P, rule=rule))
    assert (verdict.word, verdict.grade) == ("holds", "exact")


def test_a_constant_step_of_an_adaptive_theorem_is_outside_of_it():
    P = build("async:workers=3/quadratic:n=1,d=1,kappa=1")
    assert moments.check(theory.CONVEX_ADAPTIVE, P, ASGD(gamma=0.01)).word == "not applicable"


def test_unequal_speeds_solve_another_problem():
    base = Quadratics(A=np.ones((2, 1, 1)), b=np.array([[2.0], [-2.0]]))
    P = Asynchronous(base, Simulated((1.0, 3.0)), data="own")
    assert theory.bias.biased_optimum(P) == pytest.approx(1.0)
    path = follow(P, ASGD(gamma=0.01), 0, 4000)
    assert np.mean(models(path)[2000:4000]) == pytest.approx(1.0, abs=1e-6)  # not x* = 0
    fair = replace(P, clock=Queues(2, (1.0, 3.0)))
    mean = np.mean(models(follow(fair, ASGD(gamma=0.01), 0, 8000))[1000:])
    assert abs(mean) < 0.15


def test_with_equal_speeds_there_is_no_bias():
    base = Quadratics(A=np.ones((2, 1, 1)), b=np.array([[2.0], [-2.0]]))
    P = Asynchronous(base, Simulated((1.0, 1.0)), data="own")
    assert abs(np.mean(models(follow(P, ASGD(gamma=0.01), 1, 4000))[2000:])) < 0.02


# ------------------------------------------------------------------ the catalogue's verdicts


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_statements_hold_on_their_cases(case):
    for spec in case.problems:
        P = build(spec)
        for choice in case.settings[:1]:
            assert check(case.statement, P, case.statement.tune(P, **choice)).word == "holds"


def test_every_twin_is_killed():
    rows = mutants(["asgd"], budget="quick", jobs=1).rows
    assert len(rows) >= 15
    assert {(r.id, r.twin): r.word for r in rows if r.word != "killed"} == {}


@pytest.mark.parametrize(
    "make, what",
    [
        (lambda: ASGD(gamma=0), "gamma must be > 0, got 0"),
        (lambda: ASGD(gamma=1, rule="late"), "rule must be one of"),
        (lambda: ASGD(gamma=1, cap=-1), "cap must be > 0"),
        (lambda: ASGD(gamma=1, restart="old"), "restart must be 'new' or 'stale'"),
        (lambda: NaiveASGDm(gamma=1, beta=1), r"beta must lie in \[0, 1\), got 1"),
        (lambda: ShiftedMomentum(gamma=-1), "gamma must be > 0"),
        (lambda: SMEGA2(gamma=1, beta=-0.1), r"beta must lie in \[0, 1\)"),
        (lambda: SSGDm(gamma=0), "gamma must be > 0"),
        (lambda: SSGDmRounds(gamma=1, beta=2), r"beta must lie in \[0, 1\)"),
    ],
)
def test_wrong_parameters_are_refused_with_the_rule(make, what):
    with pytest.raises(ValueError, match=what):
        make()
