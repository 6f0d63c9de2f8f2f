"""Compressors as operators: by hand, draw by draw against samples, closed-form variances, NumPy against torch."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import mean_clients, sqnorm, tree_map
from proveout.bridges.torch import converter, to_numpy
from proveout.laws import reported_weights
from proveout.methods.blocks.compressors import (
    FLOAT_BITS,
    Adaptive,
    Averaged,
    Bernoulli,
    BiasedAdaptive,
    BiasedLazy,
    BiasedRandK,
    Blockwise,
    Composed,
    Damped,
    ExponentialDithering,
    Identity,
    IndependentPermK,
    Induced,
    IntegerRounding,
    Lazy,
    LazyApply,
    LinearDithering,
    LowRank,
    Natural,
    NearestPower,
    NearestRounding,
    NormSign,
    PermK,
    PowerSGD,
    RandK,
    Rounding,
    Scaled,
    ScaledSign,
    Sign,
    Threshold,
    TopK,
    TopKDithering,
    qsgd,
    ternary,
)
from proveout.methods.blocks.smoothing import SmoothedQuadratic, Smoothing, exact_abc
from proveout.problems import build
from proveout.testing import seeds

D = 4
SIMPLE = [
    Identity(),
    TopK(k=2),
    RandK(k=2),
    BiasedRandK(k=2),
    Lazy(p=0.3),
    BiasedLazy(p=0.3),
    Bernoulli(probs=(0.3, 0.5, 0.9, 1.0)),
    Adaptive(),
    BiasedAdaptive(),
    Natural(),
    Natural(base=3.0),
    Rounding(base=10.0, marks=(1, 2, 5)),
    NearestPower(),
    NearestRounding(marks=(1, 1.5)),
    ternary(),
    qsgd(1),
    LinearDithering(levels=1, p=1.0),
    ScaledSign(),
    NormSign(),
    LowRank(rank=1, rows=2),
    PowerSGD(rank=1, rows=2, columns=True),
    Damped(factor=0.4),
]  # their constants are least, and attained at their extremes
BOUNDED = [
    qsgd(3),
    LinearDithering(levels=2, p=3.0),
    ExponentialDithering(levels=3),
    ExponentialDithering(levels=2, base=1.5, p=math.inf),
    TopKDithering(k=2, levels=2),
    Scaled(compressor=RandK(k=1), factor=0.25),
    Composed(outer=Natural(), inner=TopK(k=1)),
    Composed(outer=Natural(), inner=RandK(k=2)),
    LazyApply(compressor=RandK(k=1), p=0.5),
    LazyApply(compressor=TopK(k=1), p=0.5, scaled=False),
    Averaged(compressor=RandK(k=1), copies=2),
    Induced(contractive=TopK(k=1), unbiased=RandK(k=1)),
    Blockwise(compressor=ScaledSign(), size=3),
    Blockwise(compressor=RandK(k=1), size=2),
    Blockwise(compressor=qsgd(1), size=3),
]
ABSOLUTE = [
    Threshold(w=0.5),
    IntegerRounding(scale=3.0),
    IntegerRounding(scale=3.0, mode="floor"),
    IntegerRounding(scale=3.0, mode="random"),
    Sign(),
]
ALL = SIMPLE + BOUNDED + ABSOLUTE
SCALE_FREE = [C for C in SIMPLE + BOUNDED if not isinstance(C, (Rounding, NearestRounding))]
every = lambda blocks: pytest.mark.parametrize("C", blocks, ids=repr)


def outcomes(C, x):
    """Probabilities (K,) and C(x) (K, d) over all draws of one client."""
    prob, draw = C.law(1, len(x)).atoms()
    with reported_weights() as reports:
        sent = C(x[None, None, :], draw)
    for report in reports:
        prob = prob * report.reshape(len(prob), -1).prod(axis=1)
    return prob, np.broadcast_to(sent[:, 0, :], (len(prob), len(x)))


def error2(C, x):
    prob, sent = outcomes(C, x)
    return prob @ sqnorm(sent - x)


# ------------------------------------------------------------------ by hand


def test_top_k_keeps_the_largest_and_breaks_ties_by_lowest_index():
    x = np.array([[[1.0, -3.0, 2.0, 3.0]]])
    assert TopK(k=1)(x, None).tolist() == [[[0, -3, 0, 0]]]
    assert TopK(k=2)(x, None).tolist() == [[[0, -3, 0, 3]]]
    assert TopK(k=1)(np.ones((1, 1, 3)), None).tolist() == [[[1, 0, 0]]]


def test_rand_k_has_each_subset_once_and_scales_by_d_over_k():
    prob, sent = outcomes(RandK(k=2), np.array([1.0, 2.0, 3.0]))
    assert prob.tolist() == [1 / 3] * 3
    assert sorted(map(tuple, sent)) == [(0, 3, 4.5), (1.5, 0, 4.5), (1.5, 3, 0)]


def test_natural_compression_of_four_thirds_has_eight_outcomes():
    """x = (4/3, 4/3, 4/3): entries 1 and 2, P(2) = 1/3 each; mean square error 2/3 = |x|^2/8."""
    x = np.full(3, 4 / 3)
    prob, sent = outcomes(Natural(), x)
    assert sorted(map(tuple, sent)) == sorted({(a, b, c) for a in (1, 2) for b in (1, 2) for c in (1, 2)})
    np.testing.assert_allclose(prob, (1 / 3) ** (sent == 2).sum(axis=1) * (2 / 3) ** (sent == 1).sum(axis=1))
    assert error2(Natural(), x) == pytest.approx(2 / 3, rel=1e-14)


def test_quantisation_of_ones_with_one_level():
    """Each coordinate sqrt(2) with probability 1/sqrt(2), else 0; omega = sqrt(2) - 1."""
    x = np.ones(2)
    prob, sent = outcomes(qsgd(1), x)
    np.testing.assert_allclose(sorted({round(v, 12) for v in sent.ravel()}), [0, math.sqrt(2)], atol=1e-12)
    assert prob @ (sent[:, 0] > 0) == pytest.approx(1 / math.sqrt(2), rel=1e-14)
    assert prob @ sqnorm(sent) == pytest.approx(2 * math.sqrt(2), rel=1e-14)
    assert error2(qsgd(1), x) / 2 == pytest.approx(math.sqrt(2) - 1, rel=1e-14)


def test_permk_of_two_unit_vectors():
    """n = d = 2, a_i = e_i: the average is (1, 1) or (0, 0); its variance is 1/2."""
    C, a = PermK(clients=2), np.eye(2)
    prob, draw = C.law(2, 2).atoms()
    mean = mean_clients(C(a[None], draw))[:, 0]
    assert sorted(map(tuple, mean)) == [(0, 0), (1, 1)]
    assert prob @ sqnorm(mean - 0.5) == pytest.approx(0.5, rel=1e-14)


def test_the_best_factor_of_a_biased_and_noisy_compressor():
    """eta = .5, omega = 2: lam = 2/9, r = 8/9."""
    eta, omega = 0.5, 2.0
    lam = (1 - eta) / ((1 - eta) ** 2 + omega)
    assert lam == pytest.approx(2 / 9)
    assert (1 - lam + lam * eta) ** 2 + lam**2 * omega == pytest.approx(8 / 9)


def test_contraction_does_not_average():
    """Three clients f_i(x) = <a_i, x>^2 + |x|^2 / 4: averaged top-1 multiplies (t, t, t) by 1 + 11 gamma / 6."""
    a = np.array([[-3.0, 2, 2], [2, -3, 2], [2, 2, -3]])
    gradients = lambda x: 2 * (a @ x)[:, None] * a + x / 2
    x, gamma = np.ones(3), 0.01
    np.testing.assert_allclose(gradients(x)[0], np.array([-11, 9, 9]) / 2, rtol=1e-14)
    for _ in range(3):
        x = x - gamma * TopK(k=1)(gradients(x)[None], None)[0].mean(axis=0)
    np.testing.assert_allclose(x, 1.05601449537, rtol=1e-11)
    np.testing.assert_allclose(x, (1 + 11 * gamma / 6) ** 3, rtol=1e-14)


def test_induced_top_1_and_rand_1_in_four_dimensions():
    x = np.ones(4)
    assert error2(Induced(contractive=TopK(k=1), unbiased=RandK(k=1)), x) / 4 == pytest.approx(9 / 4)


def test_natural_after_top_1_in_three_dimensions():
    """Scaled error 1 - 8/27 at the worst of both, unscaled 1 - 7/24."""
    x = np.full(3, 4 / 3)
    C = Composed(outer=Natural(), inner=TopK(k=1))
    assert error2(C, x) / sqnorm(x) == pytest.approx(1 - 7 / 24, rel=1e-13)
    assert error2(Scaled(compressor=C, factor=8 / 9), x) / sqnorm(x) == pytest.approx(1 - 8 / 27, rel=1e-13)


# ------------------------------------------------------------------ grid points, zeros, subnormal numbers


@every([Natural(), NearestPower(), Natural(base=3.0), NearestPower(base=3.0)])
def test_grid_points_and_zero_are_kept_as_they_are(C):
    x = C.base ** np.arange(-8.0, 9) * np.resize([1.0, -1.0], 17)
    x[3] = 0.0
    u = np.random.default_rng(0).random((500, 1, 17))
    np.testing.assert_array_equal(C(x[None, None] + 0 * u, u), np.broadcast_to(x, (500, 1, 17)))


def test_powers_of_two_are_exact_down_to_subnormal_numbers():
    x = 2.0 ** np.array([-1074.0, -1060, -1022, -1, 0, 1, 1022])
    for C in (Natural(), NearestPower()):
        np.testing.assert_array_equal(C(x[None, None], np.full((1, 1, 7), 0.9999))[0, 0], x)
    tiny = np.array([3 * 2.0**-1074])
    prob, sent = outcomes(Natural(), tiny)
    assert sorted(sent[prob > 0].ravel().tolist()) == [2.0**-1073, 2.0**-1072]
    np.testing.assert_allclose(prob, 0.5)


def test_next_to_a_power_of_two_the_right_neighbours_are_found():
    for t in (np.nextafter(8.0, 0), 8.0, np.nextafter(8.0, 9)):
        low, high = Natural().neighbours(np.array([t]))
        assert low <= t < high
        assert high == 2 * low
        low, high = Natural(base=3.0).neighbours(np.array([t * 9 / 8]))
        assert low <= t * 9 / 8 < high


@every([C for C in ALL if not isinstance(C, PermK)])
def test_zero_goes_to_zero(C):
    prob, sent = outcomes(C, np.zeros(D))
    assert prob.sum() == pytest.approx(1)
    assert (np.broadcast_to(sent, (len(prob), D))[prob > 0] == 0).all()


def test_the_nearest_power_of_a_middle_is_the_upper_one():
    assert NearestPower()(np.array([[1.5, -3.0]]), None).tolist() == [[2, -4]]
    assert NearestPower()(np.array([[1.49, 2.9]]), None).tolist() == [[1, 2]]


def test_huge_and_tiny_vectors_have_a_norm():
    for scale in (1e-200, 1e200):
        x = scale * np.array([[3.0, 4.0]])
        np.testing.assert_allclose(NormSign()(x, None), 5 * scale, rtol=1e-15)
        assert np.isfinite(qsgd(2)(x, np.full((1, 2), 0.3))).all()


# ------------------------------------------------------------------ all draws against samples


@every(ALL)
def test_enumeration_agrees_with_samples(C):
    """Mean and mean square of 20 000 sampled messages lie within six standard errors of the enumeration."""
    x = np.array([1.3, -0.4, 0.9, 2.1])
    prob, sent = outcomes(C, x)
    assert prob.sum() == pytest.approx(1, abs=1e-12)
    assert prob.min() >= 0
    draw = C.law(1, D).sample(np.random.default_rng(5), (20_000,))
    sample = np.broadcast_to(C(x[None, None], draw)[..., 0, :], (20_000, D))
    for f in (lambda s: s, lambda s: s**2, lambda s: (s * x).sum(axis=-1, keepdims=True)):
        exact, values = prob @ f(sent), f(sample)
        spread = np.sqrt(np.maximum(prob @ f(sent) ** 2 - exact**2, 0) / 20_000)
        assert (np.abs(values.mean(axis=0) - exact) <= 6 * spread + 1e-12 * (1 + np.abs(exact))).all()


@every(ALL)
def test_clients_draw_independently(C):
    """The mean over two clients with the same input has half the variance, up to six standard errors."""
    x = np.array([1.3, -0.4, 0.9, 2.1])
    draw = C.law(2, D).sample(np.random.default_rng(6), (20_000,))
    sent = np.broadcast_to(C(np.stack([x, x])[None], draw), (20_000, 2, D))
    prob, one = outcomes(C, x)
    off = sent - prob @ one
    product = off[:, 0] * off[:, 1]
    assert (np.abs(product.mean(axis=0)) <= 6 * product.std(axis=0) / math.sqrt(20_000) + 1e-12).all()


@every(ALL)
def test_batch_axes_stay_in_front(C):
    x = np.random.default_rng(0).standard_normal((5, 1, 3, D))
    draw = C.law(3, D).sample(np.random.default_rng(1), (1, 7))
    y = np.broadcast_to(C(x, draw), (5, 7, 3, D))
    for s in range(5):
        for k in range(7):
            one = C(x[s, 0], tree_map(lambda a, k=k: a[0, k], draw))
            np.testing.assert_allclose(y[s, k], one, rtol=1e-12, atol=1e-14)


@every([*ALL, PowerSGD(rank=1, rows=2)])
def test_torch_agrees_with_numpy(C):
    x = np.random.default_rng(2).standard_normal((6, 3, D))
    draw = C.law(3, D).sample(np.random.default_rng(3), (6,))
    to = converter()
    np.testing.assert_allclose(to_numpy(C(to(x), to(draw))), C(x, draw), rtol=1e-12, atol=1e-13)


entries = st.one_of(st.just(0.0), st.floats(1e-3, 1e3), st.floats(-1e3, -1e-3))


@every([C for C in ALL if np.isfinite(C.coupling(D))])
@given(x=st.lists(entries, min_size=D, max_size=D))
def test_second_moment_and_correlation_are_coupled_as_declared(C, x):
    beta = C.coupling(D)
    for v in (np.array(x), *np.asarray(C.extremes(D), float)):
        prob, sent = outcomes(C, v)
        assert prob @ (sent**2).sum(axis=1) <= beta * (prob @ (sent @ v)) * (1 + 1e-9) + 1e-12


def test_couplings_are_attained():
    for C, d, beta in (
        (TopK(k=1), 4, 1.0),
        (RandK(k=2), 4, 2.0),
        (ScaledSign(), 3, 1.0),
        (NearestPower(), 2, 4 / 3),
        (Natural(), 2, 9 / 8),
    ):
        assert C.coupling(d) == pytest.approx(beta)
        best = 0.0
        for v in np.asarray(C.extremes(d), float):
            prob, sent = outcomes(C, v)
            best = max(best, prob @ (sent**2).sum(axis=1) / (prob @ (sent @ v)))
        assert best == pytest.approx(beta, rel=1e-6)


@pytest.mark.parametrize("n, d", [(2, 4), (4, 2), (3, 3), (2, 5), (3, 4)])
def test_permk_in_torch_and_in_batches(n, d):
    C, rng = PermK(clients=n), np.random.default_rng(4)
    x, draw, to = rng.standard_normal((5, n, d)), C.law(n, d).sample(rng, (5,)), converter()
    np.testing.assert_allclose(to_numpy(C(to(x), to(draw))), C(x, draw), rtol=1e-12)
    for s in range(5):
        np.testing.assert_array_equal(C(x, draw)[s], C(x[s], tree_map(lambda a, s=s: a[s], draw)))


# ------------------------------------------------------------------ permk


@pytest.mark.parametrize("n, d", [(1, 3), (2, 4), (4, 2), (3, 3), (2, 3), (3, 4)])
@given(seed=seeds)
def test_permk_meets_its_inequality_with_equality(n, d, seed):
    C, a = PermK(clients=n), np.random.default_rng(seed).standard_normal((n, d))
    prob, draw = C.law(n, d).atoms()
    sent = C(a[None], draw)
    np.testing.assert_allclose(np.tensordot(prob, sent, axes=1), a, atol=1e-12)
    each = np.tensordot(prob, sqnorm(sent - a), axes=1)
    np.testing.assert_allclose(each, C.omega(d) * sqnorm(a), atol=1e-12)
    if n > 1:
        A, B = C.ab(d)
        mean = a.mean(axis=0)
        left = prob @ sqnorm(sent.mean(axis=1) - mean)
        assert left == pytest.approx(A * sqnorm(a).mean() - B * sqnorm(mean), abs=1e-12)


@pytest.mark.parametrize("n, d", [(2, 4), (4, 2), (5, 2), (2, 3)])
def test_permk_averages_equal_vectors_exactly(n, d):
    if n > d and n % d:
        with pytest.raises(ValueError, match="clients must be below d = 2 or a multiple of it, got 5"):
            PermK(clients=n).law(n, d)
        return
    x = np.random.default_rng(0).standard_normal(d)
    _, draw = PermK(clients=n).law(n, d).atoms()
    sent = PermK(clients=n)(np.broadcast_to(x, (1, n, d)), draw)
    np.testing.assert_allclose(sent.mean(axis=1), np.broadcast_to(x, sent[:, 0].shape), atol=1e-14)


@pytest.mark.parametrize("n, d", [(2, 2), (2, 4), (4, 2)])
def test_independent_partitions_average_like_independent_compressors(n, d):
    C, a = IndependentPermK(clients=n), np.random.default_rng(0).standard_normal((n, d))
    prob, draw = C.law(n, d).atoms()
    sent = C(a[None], draw)
    np.testing.assert_allclose(np.tensordot(prob, sent, axes=1), a, atol=1e-12)
    left = prob @ sqnorm(sent.mean(axis=1) - a.mean(axis=0))
    assert left == pytest.approx(C.omega(d) / n * sqnorm(a).mean())


def test_permk_belongs_to_its_number_of_clients():
    with pytest.raises(ValueError, match="clients must be n = 3, got 2"):
        PermK(clients=2).law(3, 4)


# ------------------------------------------------------------------ closed forms


@given(seed=seeds)
def test_variance_of_natural_compression(seed):
    x = np.random.default_rng(seed).standard_normal(3) * 10.0 ** np.array([-3, 0, 3])
    low = 2.0 ** np.floor(np.log2(abs(x)))
    assert error2(Natural(), x) == pytest.approx(((abs(x) - low) * (2 * low - abs(x))).sum(), rel=1e-12)


@given(seed=seeds, s=st.integers(1, 5), p=st.sampled_from([1.0, 1.5, 2.0, math.inf]))
def test_variance_of_dithering(seed, s, p):
    x = np.random.default_rng(seed).standard_normal(4)
    size = np.linalg.norm(x, p)
    u = abs(x) / size
    low = np.minimum(np.floor(s * u), s - 1) / s
    assert error2(LinearDithering(levels=s, p=p), x) == pytest.approx(
        size**2 * ((u - low) * (low + 1 / s - u)).sum(), rel=1e-10
    )
    if s == 1:
        second = error2(LinearDithering(levels=1, p=p), x) + sqnorm(x)
        assert second == pytest.approx(size * abs(x).sum(), rel=1e-12)
    grid = np.array([0, *2.0 ** np.arange(1 - s, 1)])
    at = np.clip(np.searchsorted(grid, u, side="right") - 1, 0, s - 1)
    assert error2(ExponentialDithering(levels=s, p=p), x) == pytest.approx(
        size**2 * ((u - grid[at]) * (grid[at + 1] - u)).sum(), rel=1e-10
    )


@given(seed=seeds, zeros=st.integers(0, 3))
def test_error_of_scaled_sign(seed, zeros):
    x = np.random.default_rng(seed).standard_normal(4)
    x[:zeros] = 0
    expected = sqnorm(x) - abs(x).sum() ** 2 / 4 * (2 - (4 - zeros) / 4)
    assert error2(ScaledSign(), x) == pytest.approx(expected, rel=1e-12)


@given(seed=seeds)
def test_error_of_adaptive_sparsification(seed):
    x = np.random.default_rng(seed).standard_normal(4)
    cubes = (abs(x) ** 3).sum() / abs(x).sum()
    assert error2(BiasedAdaptive(), x) == pytest.approx(sqnorm(x) - cubes, rel=1e-12)
    assert error2(Adaptive(), x) == pytest.approx(abs(x).sum() ** 2 - sqnorm(x), rel=1e-12)


@given(seed=seeds)
def test_low_rank_is_the_best_approximation(seed):
    X = np.random.default_rng(seed).standard_normal((3, 4))
    s = np.linalg.svd(X, compute_uv=False)
    assert error2(LowRank(rank=2, rows=3), X.ravel()) == pytest.approx((s[2:] ** 2).sum(), rel=1e-10)


def test_power_sgd_with_a_gaussian_in_two_columns():
    """E|P'X|^2 = a + b - sqrt(a b), a and b the squared singular values, so at least (a + b)/2."""
    a, b = 4.0, 1.0
    X, C = np.diag([2.0, 1.0]), PowerSGD(rank=1, rows=2)
    draw = C.law(1, 4).sample(np.random.default_rng(0), (20_000,))
    kept = sqnorm(C(X.reshape(1, 1, 4), draw))[:, 0]
    assert abs(kept.mean() - (a + b - math.sqrt(a * b))) <= 6 * kept.std() / math.sqrt(20_000)
    assert kept.std() > 0.1


def test_power_sgd_with_a_warm_start_may_send_nothing():
    C, X = PowerSGD(rank=1, rows=2), np.array([[0.0, 1.0, 0.0, 2.0]])
    sent, Q = C.warm(X, np.array([[1.0], [0.0]]))
    assert sqnorm(sent).item() <= sqnorm(X).item()
    np.testing.assert_allclose(sent @ X.T, sqnorm(sent)[None], atol=1e-12)
    again, _ = C.warm(X, Q)
    assert sqnorm(again - X).item() <= sqnorm(sent - X).item() + 1e-12


# ------------------------------------------------------------------ declared constants


@every(ALL)
@given(seed=seeds)
def test_declared_constants_hold(C, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(D) * (rng.random(D) < 0.8) * 10 ** rng.uniform(-2, 2)
    prob, sent = outcomes(C, x)
    size, error, room = sqnorm(x), prob @ sqnorm(sent - x), 1e-10 * (1 + sqnorm(x))
    b, B = C.growth(D)
    assert prob @ (sent @ x) >= b * size - room
    assert prob @ sqnorm(sent) <= (B * size if size else 0) + room
    if np.isfinite(C.omega(D)):
        np.testing.assert_allclose(prob @ sent, x, atol=1e-9 * (1 + abs(x).max()))
        assert error <= C.omega(D) * size + room
    if C.alpha(D) > -math.inf:
        assert error <= (1 - C.alpha(D)) * size + room
    if C.alpha(D) > 0:
        eta, omega = C.efbv(D)
        assert math.sqrt(sqnorm(prob @ sent - x)) <= eta * math.sqrt(size) + room
        assert prob @ sqnorm(sent - prob @ sent) <= omega * size + room
    assert error <= C.absolute(D) + room


@every(SIMPLE)
def test_least_constants_are_attained_at_the_extremes(C):
    b, B = C.growth(D)
    ratios = []
    for e in C.extremes(D):
        p, s = outcomes(C, e)
        ratios.append((p @ (s @ e) / sqnorm(e), p @ sqnorm(s) / sqnorm(e), p @ sqnorm(s - e) / sqnorm(e)))
    low, high, error = zip(*ratios, strict=True)
    assert min(low) == pytest.approx(b, rel=1e-6)
    assert max(high) == pytest.approx(B, rel=1e-6)
    if np.isfinite(C.omega(D)):
        assert max(error) == pytest.approx(C.omega(D), rel=1e-6, abs=1e-12)
    elif C.alpha(D) > -math.inf:
        assert max(error) == pytest.approx(1 - C.alpha(D), rel=1e-6)


@every(SCALE_FREE)
@given(seed=seeds, power=st.integers(-5, 5))
def test_scale_invariance(C, seed, power):
    """C(c x) = c C(x) for the same draw."""
    x = np.random.default_rng(seed).standard_normal((1, D))
    draw = C.law(1, D).sample(np.random.default_rng(seed), ())
    c = 2.0**power
    np.testing.assert_allclose(C(c * x, draw), c * C(x, draw), rtol=1e-12, atol=1e-14 * c)


@pytest.mark.parametrize("C", [RandK(k=2), BiasedRandK(k=2), Bernoulli(probs=0.4), Natural()], ids=repr)
def test_one_coordinate_has_the_same_law(C):
    x = np.array([1.0, 2.0, 3.0, 4.3, 5.0])
    means = [[(p := outcomes(B, x))[0] @ p[1][:, 3] ** k for k in (1, 2)] for B in (C, C.one_coordinate(5))]
    np.testing.assert_allclose(means[0], means[1], rtol=1e-12)
    assert TopK(k=1).one_coordinate(5) is None


EFBV = [
    (RandK(k=1), 0, 3),
    (BiasedRandK(k=1), 3 / 4, 3 / 16),
    (Lazy(p=0.25), 0, 3),
    (BiasedLazy(p=0.25), 3 / 4, 3 / 16),
    (TopK(k=1), math.sqrt(3 / 4), 0),
    (Natural(), 0, 1 / 8),
    (NearestPower(), 1 / 3, 0),
    (ScaledSign(), math.sqrt(3 / 4), 0),
    (LowRank(rank=1, rows=2), math.sqrt(1 / 2), 0),
    (Scaled(compressor=RandK(k=1), factor=0.25), 3 / 4, 3 / 16),
    (Damped(factor=1.4), 0.4, 0),
    (BiasedAdaptive(), math.sqrt(3 / 4), 3 / 4),
]


@pytest.mark.parametrize("C, eta, omega", EFBV, ids=[repr(C) for C, _, _ in EFBV])
def test_bias_and_variance_constants(C, eta, omega):
    assert C.efbv(4) == (pytest.approx(eta), pytest.approx(omega))


# ------------------------------------------------------------------ bits, wrong parameters


def test_bits_count_indices_where_they_must_travel():
    d = 1000
    assert Identity().bits(d) == d * FLOAT_BITS
    assert TopK(k=3).bits(d) == 3 * (FLOAT_BITS + 10)
    assert RandK(k=3).bits(d) == BiasedRandK(k=3).bits(d) == 3 * FLOAT_BITS
    assert Lazy(p=0.5).bits(d) == BiasedLazy(p=0.5).bits(d) == 500 * FLOAT_BITS
    assert Natural().bits(d) == NearestPower().bits(d) == 9 * d
    assert qsgd(4).bits(d) == ExponentialDithering(levels=4).bits(d) == 32 + d * 4
    assert ternary().bits(d) == pytest.approx(32 + d * math.log2(3))
    assert ScaledSign().bits(d) == 32 + d
    assert LowRank(rank=2, rows=20).bits(d) == 2 * 70 * 32
    assert PermK(clients=10).bits(d) == 100 * 32
    assert Blockwise(compressor=ScaledSign(), size=300).bits(d) == 4 * 32 + d


@pytest.mark.parametrize("C", [TopK, RandK, BiasedRandK])
def test_all_coordinates_kept_is_the_identity(C):
    x = np.random.default_rng(0).standard_normal(4)
    prob, sent = outcomes(C(k=4), x)
    np.testing.assert_array_equal(sent, x[None])
    assert C(k=4).alpha(4) == 1
    assert C(k=4).omega(4) == 0


@pytest.mark.parametrize("C", [TopK, RandK, BiasedRandK])
def test_a_wrong_k_is_refused(C):
    with pytest.raises(ValueError, match="k must be an integer >= 1, got 0"):
        C(k=0)
    with pytest.raises(ValueError, match="k must be at most d = 3, got 4"):
        C(k=4).law(1, 3)


WRONG = [
    (lambda: Lazy(p=0), "p must lie in"),
    (lambda: Bernoulli(probs=(0.5, 0.0)), "p must lie in"),
    (lambda: Bernoulli(probs=(0.5, 0.2)).law(1, 3), "probs must have one entry per coordinate, 3, got 2"),
    (lambda: Threshold(w=0.0), "w must be > 0, got 0.0"),
    (lambda: Natural(base=1.0), "base must be > 1, got 1.0"),
    (lambda: Rounding(marks=(1, 1)), "marks must rise from 1 to below base"),
    (lambda: Rounding(marks=(2,)), "marks must rise from 1 to below base"),
    (lambda: IntegerRounding(scale=0.0), "scale must be > 0"),
    (lambda: IntegerRounding(mode="up"), "mode must be nearest, floor or random, got 'up'"),
    (lambda: qsgd(0), "levels must be an integer >= 1, got 0"),
    (lambda: LinearDithering(p=0.5), "p must be >= 1, got 0.5"),
    (lambda: LowRank(rank=0, rows=2), "rank must be >= 1, got 0"),
    (lambda: LowRank(rank=1, rows=0), "rows must be >= 1, got 0"),
    (lambda: LowRank(rank=1, rows=3).law(1, 4), "rows must divide d = 4, got 3"),
    (lambda: LowRank(rank=3, rows=2).law(1, 8), "rank must be at most 2 for a 2 x 4 matrix, got 3"),
    (lambda: PermK(clients=0), "clients must be >= 1, got 0"),
    (lambda: Blockwise(compressor=Identity(), size=0), "size must be >= 1, got 0"),
    (lambda: LazyApply(compressor=Identity(), p=1.5), "p must lie in"),
    (lambda: Smoothing(radius=0.0), "radius must be > 0, got 0.0"),
    (
        lambda: SmoothedQuadratic(radius=1.0, curvatures=(1.0,)).law(1, 2),
        "curvatures must be one per coordinate",
    ),
]


@pytest.mark.parametrize("make, words", WRONG, ids=[w[:24] for _, w in WRONG])
def test_a_wrong_parameter_is_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# ------------------------------------------------------------------ smoothing


def test_smoothing_sees_gradients_through_values():
    """E g = grad f and E|g|^2 in closed form, on a quadratic with a full Hessian, by Gauss-Hermite nodes."""
    P, g = build("quadratic:n=1,d=3,kappa=10,basis=rotated"), Smoothing(radius=0.3, exact=True)
    x = np.random.default_rng(0).standard_normal(3)
    prob, z = g.law(P).atoms()
    found, v, H = g(P, x, z), P.grad(x), P.hessians[0]
    np.testing.assert_allclose(prob @ found, v, rtol=1e-9)
    k = g.abc(P)
    assert (k.b, k.c) == (1.0, 0.0)
    assert prob @ sqnorm(found) == pytest.approx(k.B * sqnorm(v) + k.C, rel=1e-9)
    assert k == exact_abc(3, np.trace(H), np.trace(H @ H), 0.3)
    assert not np.isfinite(Smoothing(radius=0.3).law(P).size)
    assert Smoothing(radius=0.3).gradients(P) == 0
    block = SmoothedQuadratic(radius=0.3, curvatures=(1.0, 10.0))
    p, z = block.law(1, 2).atoms()
    x = np.array([[1.0, -2.0]])
    np.testing.assert_allclose(p @ block(x, z)[:, 0], [1.0, -20.0], rtol=1e-9)


def test_smoothing_on_a_logistic_regression_meets_the_constants_for_smooth_functions():
    P, g = build("logistic:synthetic,clients=2,d=2,m=30"), Smoothing(radius=0.5)
    k, x = g.abc(P), np.array([0.3, -0.2])
    prob, z = (
        Smoothing(radius=0.5, exact=True).law(P).atoms()
    )  # nodes: not exact here, but the slack is large
    found, v = g(P, x, z), P.grad(x)
    assert prob @ sqnorm(found) <= k.B * sqnorm(v) + k.C
    assert prob @ (found @ v) >= k.b * sqnorm(v) - k.c
