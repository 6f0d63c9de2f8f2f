"""Centered clipping and worker momentum: worked examples, the two bounds, reductions, red twins."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import tree_map
from proveout.figures import centered_clip as figures
from proveout.figures.style import render
from proveout.methods.blocks.aggregators import CenteredClip, CoordinateMedian, Mean, TrimmedMean, clip_radii
from proveout.methods.centered_clip import RobustMomentumSGD
from proveout.problems import build, federated
from proveout.problems.attacks import ALIE, IPM, Attacked, BitFlip, ClipWorst
from proveout.run import run
from proveout.testing import seeds
from proveout.theory import centered_clip as theory
from proveout.theory.centered_clip.clipping import by_rule, clip_sides, spread
from proveout.theory.trial.check import check
from proveout.theory.trial.mutants import mutants

EXAMPLE_1 = np.array([[0.0], [0.0], [0.0], [4.0]])
EXAMPLE_2 = np.array([(1, 0), (0, 1), (-1, 0), (0, -3), (8, 6)], dtype=float)


def iterates(X, lam, steps):
    v = np.zeros(X.shape[-1])
    return [v := CenteredClip(lam=lam)(X, 0, v, None) for _ in range(steps)]


# ------------------------------------------------------------------ worked examples


def test_example_1_three_inner_steps_on_the_line():
    np.testing.assert_allclose(np.ravel(iterates(EXAMPLE_1, 1.0, 3)), [0.25, 0.3125, 0.328125], rtol=1e-15)
    np.testing.assert_allclose(iterates(EXAMPLE_1, 1.0, 60)[-1], [1 / 3], rtol=1e-12)
    np.testing.assert_allclose(CenteredClip(lam=1.0, steps=3)(EXAMPLE_1, 0, np.zeros(1), None), [0.328125])


def test_example_2_three_inner_steps_in_the_plane():
    expected = [(0.32, 0.04), (0.4021326590161, 0.0634320862829), (0.4239871970132, 0.075051745352)]
    np.testing.assert_allclose(iterates(EXAMPLE_2, 2.0, 3), expected, atol=1e-13)


def test_example_3_radii_and_bounds_of_the_rule():
    radii, bounds = clip_radii(0.2, 2.0, 3.0, 4)
    expected = (3.1622776601683795, 2.1161033237724527, 1.5770205374598758, 1.3285660353669966)
    assert radii == pytest.approx(expected, rel=1e-14)
    expected = (3, 1.8649110640673519, 1.2194235423224515, 0.8746929234484406, 0.7063649988364868)
    assert bounds == pytest.approx(expected, rel=1e-14)
    assert clip_radii(0.2, 2.0, 3.0, 60)[1][-1] == pytest.approx(0.5773502691896258, rel=1e-12)


@pytest.mark.parametrize("delta", [0.05, 0.2, 0.4])
def test_the_rule_reaches_the_least_kappa_of_any_rule(delta):
    last = clip_radii(delta, 2.0, 100.0, 4000)[1][-1]
    assert last**2 == pytest.approx(delta / (1 - 2 * delta), rel=1e-9)  # with V = 1


@pytest.mark.parametrize("lam", [0.1, 0.5, 0.89, 2.0])
def test_the_fixed_point_with_one_spike_among_ten(lam):
    X = np.zeros((10, 1))
    X[0] = -1
    v = CenteredClip(lam=lam, steps=2000)(X, 0, np.zeros(1), None)
    assert v[0] == pytest.approx(-min(lam / 9, 1 / 10), rel=1e-9)


# ------------------------------------------------------------------ bounds


@given(seed=seeds, lam=st.floats(0.05, 20), n=st.sampled_from([(5, 1), (5, 2), (10, 3)]))
def test_clip_step_holds_for_any_byzantine_rows(seed, lam, n):
    rng = np.random.default_rng(seed)
    N, n_byz = n
    good, v = rng.standard_normal((N - n_byz, 3)) * 10 ** rng.uniform(-1, 1), 5 * rng.standard_normal(3)
    bad = rng.standard_normal((n_byz, 3)) * 10 ** rng.uniform(-2, 4)
    mean, D, V = spread(v, good)
    delta = n_byz / N
    error = np.linalg.norm(CenteredClip(lam=lam)(np.concatenate([good, bad]), n_byz, v, None) - mean)
    assert error <= ((1 - delta) * (D**2 + V) / (4 * lam) + delta * (lam + D)) * (1 + 1e-12)


def test_clip_step_is_attained_two_radii_away():
    block = theory.CLIP_STEP.tune(n=5, n_byz=1, lam=1.0)
    left, right = clip_sides()(block, block.extremes(2)[:1], None)
    assert left[0] == pytest.approx(right[0], rel=1e-14)
    assert right[0] == pytest.approx(1 + 2 / 5)


@pytest.mark.parametrize("n, n_byz", [(3, 1), (5, 1), (10, 4)])
def test_clip_step_constants_are_least(n, n_byz):
    verdict = check(theory.CLIP_STEP, None, theory.CLIP_STEP.tune(n=n, n_byz=n_byz))
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("n, n_byz", [(5, 1), (5, 2), (10, 4)])
def test_the_radius_rule_is_tight_at_its_floor(n, n_byz):
    delta = n_byz / n
    block = by_rule(n, n_byz, 2.0, math.sqrt(delta / (1 - 2 * delta)), 3)
    verdict = check(theory.RADIUS_RULE, None, block)
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-6)


def test_half_of_the_rows_byzantine_is_refused():
    with pytest.raises(ValueError, match="n_byz must lie in"):
        theory.RADIUS_RULE.tune(n=4, n_byz=2)
    assert check(theory.CLIP_STEP, None, theory.CLIP_STEP.tune(n=4, n_byz=2)).word == "not applicable"


# ------------------------------------------------------------------ the method


def noisy(attack=None, n_byz=0):
    P = federated(n=6, d=3, kappa=5, heterogeneity=0, noise=0.5)
    return Attacked(base=P, n_byz=n_byz, attack=attack) if n_byz else P


def test_without_momentum_the_mean_is_minibatch_sgd():
    P = noisy()
    m = RobustMomentumSGD(gamma=0.1, beta=0.0)
    state, draw = m.init(P, np.ones(3)), m.law(P).sample(np.random.default_rng(0), ())
    new = m.step(P, state, draw)
    g = P.on(draw.xi).grads(np.ones((1, 3))).mean(axis=0)
    np.testing.assert_allclose(new.x, 1 - 0.1 * g, rtol=1e-14)


def test_the_first_momentum_is_the_first_gradient():
    P = noisy()
    m = RobustMomentumSGD(gamma=0.1, beta=0.9)
    state = m.init(P, np.ones(3))
    draws = m.law(P).sample(np.random.default_rng(0), (2,))
    one = m.step(P, state, tree_map(lambda a: a[0], draws))
    two = m.step(P, one, tree_map(lambda a: a[1], draws))
    g0, g1 = (P.on(draws.xi[t]).grads(s.x[None, :]) for t, s in enumerate((state, one)))
    np.testing.assert_allclose(one.u, g0)
    np.testing.assert_allclose(two.u, 0.9 * g0 + 0.1 * g1)
    assert (state.t, one.t, two.t) == (0, 1, 2)


@pytest.mark.parametrize("attack", [BitFlip(), IPM(eps=10.0), ALIE(z=1.5)], ids=repr)
@pytest.mark.parametrize(
    "rule", [CenteredClip(lam=2.0, steps=3), TrimmedMean(), CoordinateMedian()], ids=repr
)
def test_robust_rules_converge_under_attack(rule, attack):
    P = noisy(attack, n_byz=1)
    m = RobustMomentumSGD(gamma=0.1, beta=0.9, rule=rule)
    trace = run(P, m, steps=400, seeds=8, x0=np.full(3, 5.0))
    assert trace["dist2"][-1].mean() < 0.01 * trace["dist2"][0].mean()


def test_centered_clipping_converges_under_its_worst_attack():
    P = noisy(ClipWorst(), n_byz=1)
    m = RobustMomentumSGD(gamma=0.1, beta=0.9, rule=CenteredClip(lam=2.0, steps=3))
    trace = run(P, m, steps=400, seeds=8, x0=np.full(3, 5.0))
    assert trace["dist2"][-1].mean() < 0.01 * trace["dist2"][0].mean()


def test_a_radius_far_below_the_gradients_diverges_without_any_attacker():
    """The center follows the mean at a limited speed, and the loop of model and center overshoots ever more."""
    m = RobustMomentumSGD(gamma=0.1, beta=0.9, rule=CenteredClip(lam=0.5))
    trace = run(noisy(), m, steps=400, seeds=4, x0=np.full(3, 5.0))
    assert trace["dist2"][-1].mean() > 10 * trace["dist2"][0].mean()


def test_the_mean_is_driven_away_by_one_byzantine_worker():
    P = noisy(IPM(eps=10.0), n_byz=1)
    trace = run(P, RobustMomentumSGD(gamma=0.1, rule=Mean()), steps=200, seeds=4, x0=np.full(3, 5.0))
    assert trace["dist2"][-1].mean() > 100 * trace["dist2"][0].mean()


@pytest.mark.parametrize(
    "bad", [lambda: RobustMomentumSGD(gamma=0), lambda: RobustMomentumSGD(gamma=1, beta=1)]
)
def test_wrong_parameters_are_refused(bad):
    with pytest.raises(ValueError, match="must"):
        bad()


@pytest.mark.parametrize("lam", [0, (1.0, -1.0)])
def test_a_radius_that_is_not_positive_is_refused(lam):
    with pytest.raises(ValueError, match="lam must be > 0"):
        CenteredClip(lam=lam)


# ------------------------------------------------------------------ reductions


@pytest.mark.parametrize("name", ["EQUALS_MEAN", "EQUALS_SGDM", "HUBER_POINT", "EQUIVARIANCE"])
def test_reductions_hold_along_noisy_runs(name):
    statement, P = getattr(theory, name), build("quadratic:n=5,d=3,kappa=10,noise=1")
    assert check(statement, P, statement.tune(P)).word == "holds"


# ------------------------------------------------------------------ figure, red twins


def test_the_curves_stay_below_the_guarantee_and_end_at_the_floor(tmp_path):
    panel = figures.PANELS["clip_steps"]
    data = panel.measure(quick=True)
    for delta in data["shares"]:
        assert (data[f"rule {delta:g}"] <= data[f"bound {delta:g}"] * (1 + 1e-12)).all()
    assert data["rule 0.1"][-1] == pytest.approx(data["floor 0.1"], rel=1e-4)
    assert data["constant 0.3"][-1] > 10 * data["rule 0.2"][-1]
    render(panel, data, [str(tmp_path / "clip_steps.png")])


def test_every_twin_of_centered_clip_is_killed():
    rows = mutants(["centered_clip"], budget="quick", jobs=1).rows
    assert len(rows) >= 5
    assert {(r.id, r.twin, r.word) for r in rows if r.word != "killed"} == set()
