"""Aggregation rules and attacks: worked examples, rows that are not finite, limit cases, red twins."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import sqnorm
from proveout.methods.blocks.aggregators import (
    CenteredClip,
    CoordinateMedian,
    Mean,
    Poll,
    TrimmedMean,
    cdelta,
    clip,
)
from proveout.problems import build, federated, logistic
from proveout.problems.attacks import ALIE, IPM, Attacked, BitFlip, ClipWorst, Context, alie_z, forge
from proveout.testing import seeds
from proveout.theory import aggregators
from proveout.theory.lenses import exact

X5 = np.array([(0, 0), (1, 0), (0, 2), (2, 1), (10, -10)], dtype=float)  # the last one Byzantine
NOISY = "quadratic:n=5,d=3,kappa=10,noise=1"
STATEMENTS = [aggregators.REDUCTIONS, aggregators.EQUIVARIANCE, aggregators.PAIR_SPREAD]


def ask(rule, X, n_byz=1, center=None):
    return rule(X, n_byz, np.zeros(X.shape[-1]) if center is None else center, None)


# ------------------------------------------------------------------ worked examples


@pytest.mark.parametrize(
    "rule, expected",
    [
        (Mean(), (2.6, -1.4)),
        (CoordinateMedian(), (1, 0)),
        (TrimmedMean(), (1, 1 / 3)),
        (CenteredClip(lam=1.0, steps=2), (0.7679386989210, 0.2350020333266)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_outputs_on_five_rows(rule, expected):
    np.testing.assert_allclose(ask(rule, X5), expected, atol=1e-12)


def test_attacks_on_the_four_honest_rows():
    context = Context(honest=X5, byzantine=np.arange(5) == 4)
    std = 0.95742710775634
    np.testing.assert_allclose(IPM(eps=0.1)(context, None, None)[0][4], (-0.075, -0.075))
    np.testing.assert_allclose(ALIE(z=1.0)(context, None, None)[0][4], (0.75 - std, 0.75 - std))
    np.testing.assert_allclose(ALIE()(context, None, None)[0][4], (0.75, 0.75))  # z(5, 1) = 0
    np.testing.assert_allclose(BitFlip()(context, None, None)[0], -X5)


@pytest.mark.parametrize(
    "n, n_byz, z",
    [
        (25, 5, 0.2533471031),
        (25, 11, 1.0675705239),
        (20, 5, 0.2533471031),
        (50, 12, 0.3360381404),
        (8, 3, 0.2533471031),
        (10, 2, 0),
        (8, 1, 0),
        (5, 1, 0),
    ],
)
def test_alie_quantiles(n, n_byz, z):
    assert alie_z(n, n_byz) == pytest.approx(z, abs=1e-9)


def test_alie_reads_the_number_of_byzantine_rows_of_every_round():
    byzantine = np.array([[False] * 20 + [True] * 5, [False] * 14 + [True] * 11])
    honest = np.random.default_rng(0).standard_normal((2, 25, 3))
    rows, _ = ALIE()(Context(honest=honest, byzantine=byzantine), None, None)
    for k, n_byz in enumerate((5, 11)):
        good = honest[k, : 25 - n_byz]
        z = alie_z(25, n_byz)
        np.testing.assert_allclose(rows[k, -1], good.mean(axis=0) - z * good.std(axis=0, ddof=1))


def test_ipm_reverses_the_mean_if_and_only_if_eps_exceeds_the_ratio():
    X = np.random.default_rng(0).standard_normal((10, 3)) + 1
    byzantine = np.arange(10) >= 8
    good = X[:8].mean(axis=0)
    for eps, reversed_ in ((3.9, False), (4.1, True)):
        rows, _ = IPM(eps=eps)(Context(honest=X, byzantine=byzantine), None, None)
        sent = np.where(byzantine[:, None], rows, X)
        assert (ask(Mean(), sent, 2) @ good < 0) == reversed_


# ------------------------------------------------------------------ rows that are not finite


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, 1e308])
@pytest.mark.parametrize("rule", [CoordinateMedian(), TrimmedMean(), CenteredClip(lam=1.0)], ids=repr)
def test_a_robust_rule_survives_any_row(rule, bad):
    X = np.concatenate([X5[:4], [[bad, 1.0]]])
    out = ask(rule, X)
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= np.abs(X5[:4]).max()


def test_a_row_that_is_not_finite_moves_nothing_under_centered_clipping():
    X = np.concatenate([X5[:4], [[np.nan, 1.0]]])
    without = CenteredClip(lam=1.0)(X5[:4], 1, np.zeros(2), None)
    np.testing.assert_allclose(ask(CenteredClip(lam=1.0), X), without * 4 / 5, rtol=1e-14)


def test_a_huge_row_is_clipped_and_not_lost():
    v = np.array([[1e300, 1e300], [3e-320, 0.0], [0.0, 0.0], [np.inf, 0.0]])
    out = clip(v, 1.0)
    np.testing.assert_allclose(out[0], [2**-0.5, 2**-0.5], rtol=1e-12)
    np.testing.assert_array_equal(out[1:], [[3e-320, 0], [0, 0], [0, 0]])


@given(seed=seeds, lam=st.floats(0.01, 10))
def test_clip_is_the_projection_on_the_ball(seed, lam):
    v = np.random.default_rng(seed).standard_normal((20, 3)) * 3
    out, size = clip(v, lam), np.linalg.norm(v, axis=1)
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), np.minimum(size, lam), rtol=1e-12)
    np.testing.assert_allclose(out * size[:, None], v * np.linalg.norm(out, axis=1)[:, None], atol=1e-12)


def test_trimming_half_or_more_is_refused():
    with pytest.raises(ValueError, match="n_byz must lie below N/2 = 2.5, got 3"):
        ask(TrimmedMean(), X5, 3)


@pytest.mark.parametrize(
    "rule", [Mean(), CoordinateMedian(), TrimmedMean(), CenteredClip(lam=0.5, steps=3)], ids=repr
)
def test_a_batch_is_a_loop(rule):
    rng = np.random.default_rng(3)
    X, center = rng.standard_normal((4, 2, 6, 3)), rng.standard_normal((4, 2, 3))
    out = rule(X, 1, center, None)
    for i in np.ndindex(4, 2):
        np.testing.assert_allclose(out[i], rule(X[i], 1, center[i], None), rtol=1e-14)


# ------------------------------------------------------------------ kappa


@given(seed=seeds, n=st.sampled_from([(3, 1), (5, 1), (5, 2), (7, 2)]))
def test_kappa_bounds_the_worst_end_point(seed, n):
    """Per coordinate all Byzantine entries at one end: exactly the worst for median and trimmed mean."""
    N, n_byz = n
    good = np.random.default_rng(seed).standard_normal((N - n_byz, 2))
    V = sqnorm(good - good.mean(axis=0)).mean()
    ends = np.array(np.meshgrid(*[[-np.inf, np.inf]] * 2)).reshape(2, -1).T
    for rule in (CoordinateMedian(), TrimmedMean()):
        worst = max(
            sqnorm(ask(rule, np.concatenate([good, np.tile(e, (n_byz, 1))]), n_byz) - good.mean(axis=0))
            for e in ends
        )
        assert worst <= rule.kappa(N, n_byz) * V


def test_no_rule_beats_the_lower_bound():
    """N - f zeros and f ones: the output is 0 if the zeros are honest, so the error is f/(N - 2f) if they are not."""
    for N, f in ((5, 1), (7, 3), (10, 4)):
        good = np.concatenate([np.zeros((N - 2 * f, 1)), np.ones((f, 1))])
        V = sqnorm(good - good.mean(axis=0)).mean()
        assert (good.mean() ** 2 / V) == pytest.approx(f / (N - 2 * f))
        for rule in (CoordinateMedian(), TrimmedMean()):
            assert rule.kappa(N, f) >= f / (N - 2 * f)
    assert Mean().kappa(5, 1) == math.inf
    assert Mean().kappa(5, 0) == 0


def test_cdelta_converts_with_the_pair_identity():
    good = np.random.default_rng(0).standard_normal((6, 3))
    V = sqnorm(good - good.mean(axis=0)).mean()
    pairs = sqnorm(good[:, None] - good[None]).sum() / 30
    assert cdelta(2.0, 6) * pairs == pytest.approx(2.0 * V)


# ------------------------------------------------------------------ problems with an adversary


def test_f_and_its_constants_are_those_of_the_honest_clients():
    P = Attacked(base=federated(n=5, d=2, basis="rotated", noise=1.0), n_byz=2, attack=BitFlip())
    good = federated(n=5, d=2, basis="rotated", noise=1.0).at(np.arange(3))
    assert (P.n, P.n_good, P.d, P.delta) == (5, 3, 2, 0.4)
    assert P.byzantine.tolist() == [False] * 3 + [True] * 2
    np.testing.assert_allclose(P.x_star, good.x_star)
    np.testing.assert_allclose(P.grad(P.x_star), 0, atol=1e-12)
    assert P.L_max == good.L_max
    assert P.grads(np.zeros((1, 2))).shape == (5, 2)
    real = Attacked(base=logistic(clients=5, m=60, d=3), n_byz=1)
    np.testing.assert_allclose(real.grad(real.x_star), 0, atol=1e-12)


def test_without_an_attack_messages_arrive_as_they_are():
    P = Attacked(base=federated(n=4), n_byz=1)
    context = Context(honest=np.ones((4, 2)), byzantine=P.byzantine)
    sent, memory = forge(P, context, None, None)
    assert sent is context.honest
    assert memory is None


@pytest.mark.parametrize("n_byz", [-1, 4])
def test_at_least_one_client_is_honest(n_byz):
    with pytest.raises(ValueError, match="n_byz must lie in"):
        Attacked(base=federated(n=4), n_byz=n_byz)
    with pytest.raises(ValueError, match="n_byz must lie in"):
        Poll(rule=Mean(), n=4, n_byz=n_byz)


@given(seed=seeds, lam=st.floats(0.1, 5))
def test_the_worst_attack_on_one_clip_is_the_worst(seed, lam):
    rng = np.random.default_rng(seed)
    honest, v = rng.standard_normal((5, 3)), rng.standard_normal(3)
    byzantine = np.arange(5) >= 3
    mean = honest[:3].mean(axis=0)

    def error(rows):
        sent = np.where(byzantine[:, None], rows, honest)
        return np.linalg.norm(CenteredClip(lam=lam)(sent, 2, v, None) - mean)

    worst, _ = ClipWorst()(Context(honest=honest, byzantine=byzantine, g=v, radius=lam), None, None)
    tries = rng.standard_normal((50, 5, 3)) * 10 ** rng.uniform(-2, 3, size=(50, 1, 1))
    assert max(error(rows) for rows in tries) <= error(worst) * (1 + 1e-12)


# ------------------------------------------------------------------ the statements


@pytest.mark.parametrize("statement", STATEMENTS, ids=["reductions", "equivariance", "pair_spread"])
def test_identities_hold_and_their_twins_do_not(statement):
    P = build(NOISY)
    m = statement.tune(P)
    assert exact.check(statement, P, m).word == "holds"
    for twin in statement.twins:
        assert exact.check(*twin.edit(statement, P, m)).word == "violated", twin.name
