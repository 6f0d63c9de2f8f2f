"""Problems: exact constants, oracles under any batch, refusals that name what is wrong."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout import problems as pr
from proveout.testing import logistics

SPECS = [
    "quadratic:n=3,d=2,kappa=10",
    "quadratic:n=4,d=3,kappa=100,basis=rotated,noise=.1",
    "quadratic:n=1,d=1,kappa=5",
    "logistic:synthetic,clients=4,m=37,d=3,kappa=50",
    "logistic:synthetic,clients=4,m=37,d=3,kappa=50,sparse=yes",
    "logistic:a1a,clients=7,kappa=100,split=label",
]
every = pytest.mark.parametrize("spec", SPECS)
rng = np.random.default_rng(0)


@every
def test_gradients_are_the_slopes_of_the_values(spec):
    P = pr.build(spec)
    x, e = rng.standard_normal((2, P.n, P.d)), rng.standard_normal((2, P.n, P.d))
    slope = (P.values(x + 1e-5 * e) - P.values(x - 1e-5 * e)) / 2e-5
    np.testing.assert_allclose((P.grads(x) * e).sum(-1), slope, rtol=1e-6, atol=1e-6)


@every
def test_f_is_the_mean_of_the_clients(spec):
    P = pr.build(spec)
    x = rng.standard_normal((2, 3, P.d))
    np.testing.assert_allclose(P.value(x), P.values(x[..., None, :]).mean(-1), rtol=1e-12)
    np.testing.assert_allclose(P.grad(x), P.grads(x[..., None, :]).mean(-2), rtol=1e-10, atol=1e-12)


@every
def test_x_star_is_stationary_to_rounding_and_h_star_sums_to_zero(spec):
    P = pr.build(spec)
    assert np.linalg.norm(P.grad(P.x_star)) <= 1e-12 * max(1, P.L * np.linalg.norm(P.x_star))
    np.testing.assert_allclose(P.h_star.sum(axis=0), 0, atol=1e-11 * max(1, np.abs(P.h_star).max()))
    nearby = P.x_star + 1e-3 * rng.standard_normal((20, P.d))
    assert (P.value(nearby) >= P.f_star).all()


@every
def test_constants_are_those_of_the_hessians_and_attained(spec):
    P = pr.build(spec)
    x = rng.standard_normal((50, P.n, P.d)) * np.array([1e-3, 1.0])[rng.integers(2, size=50), None, None]
    y = x + 1e-6 * rng.standard_normal(x.shape)
    moved = np.linalg.norm(x - y, axis=-1)
    slope = np.linalg.norm(P.grads(x) - P.grads(y), axis=-1) / moved
    assert (slope <= P.L_i * (1 + 1e-6)).all()
    curvature = ((P.grads(x) - P.grads(y)) * (x - y)).sum(-1) / moved**2
    assert (curvature >= P.mu_i * (1 - 1e-5) - 1e-9).all()
    assert P.mu_min <= P.mu * (1 + 1e-12)
    assert P.L <= P.L_max * (1 + 1e-12)
    assert np.isclose(P.L_max, np.max(P.L_i))
    assert np.isclose(P.mu_min, np.min(P.mu_i))
    hess_at_0 = [np.linalg.eigvalsh(_hessian(P, i)).max() for i in range(min(P.n, 3))]
    np.testing.assert_allclose(hess_at_0, P.L_i[:3], rtol=1e-4)


def _hessian(P, i):
    """Second differences of client i's gradient at 0."""
    eye = 1e-5 * np.eye(P.d)
    plus = np.broadcast_to(eye[:, None, :], (P.d, P.n, P.d))
    H = (P.grads(plus) - P.grads(-plus))[:, i, :] / 2e-5
    return (H + H.T) / 2


@every
def test_a_cohort_answers_as_the_whole_does(spec):
    P = pr.build(spec)
    c = max(1, P.n // 2)
    cohort = np.stack([np.sort(rng.permutation(P.n)[:c]) for _ in range(4)])
    x = rng.standard_normal((4, P.n, P.d))
    mine = np.take_along_axis(x, cohort[:, :, None], axis=1)
    want = np.take_along_axis(P.grads(x), cohort[:, :, None], axis=1)
    np.testing.assert_allclose(P.at(cohort).grads(mine), want, rtol=1e-10, atol=1e-12)
    one = P.at(cohort[0])
    np.testing.assert_allclose(one.grads(mine[:1])[0], want[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("spec", SPECS[:3])
def test_prox_solves_its_own_optimality_condition(spec):
    P = pr.build(spec)
    v = rng.standard_normal((2, P.n, P.d))
    y = P.prox(v, 0.7)
    np.testing.assert_allclose(y + 0.7 * P.grads(y), v, rtol=1e-10, atol=1e-10)


def test_sparse_and_dense_logistic_agree():
    a, b = (pr.build(f"logistic:a1a,clients=6,sparse={s}") for s in ("yes", "no"))
    x = rng.standard_normal((3, 6, a.d))
    np.testing.assert_allclose(a.grads(x), b.grads(x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(a.values(x), b.values(x), rtol=1e-12)
    assert a.L_max == b.L_max
    assert np.array_equal(a.x_star, b.x_star)


@given(
    n=st.integers(1, 6),
    d=st.integers(2, 5),
    kappa=st.floats(1, 1e4),
    seed=st.integers(0, 99),
    basis=st.sampled_from(["common", "rotated"]),
)
def test_the_dials_of_the_quadratics_are_what_they_say(n, d, kappa, seed, basis):
    P = pr.federated(n=n, d=d, kappa=kappa, seed=seed, basis=basis)
    assert np.isclose(P.L_max, kappa, rtol=1e-9)
    assert np.isclose(P.mu_min, 1, rtol=1e-6)
    same = pr.federated(n=n, d=d, kappa=kappa, seed=seed, basis=basis, heterogeneity=0)
    assert same.zeta2 <= 1e-16 * (1 + kappa**2) * (1 + np.sum(same.x_star**2))
    assert 0 <= same.gap_star <= 1e-18 * kappa**2 * (1 + np.sum(same.x_star**2))
    np.testing.assert_allclose(P.gap_star, P.f_star - P.f_i_star.mean(), rtol=1e-6, atol=1e-9 * kappa)


def test_noise_has_the_variance_it_says_and_leaves_the_mean_alone():
    P = pr.build("quadratic:n=2,d=3,noise=.5")
    prob, xi = P.xi().atoms()
    x = rng.standard_normal((2, 3))
    noisy = P.on(xi).grads(np.broadcast_to(x, (len(prob), 2, 3)))
    np.testing.assert_allclose(np.tensordot(prob, noisy, 1), P.grads(x), rtol=1e-12)
    np.testing.assert_allclose(prob @ ((noisy - P.grads(x)) ** 2).sum(-1), P.sigma2, rtol=1e-12)
    assert np.isclose(P.sigma2, 0.25)


def test_minibatches_are_unbiased_over_all_samples_of_uneven_clients():
    P = pr.build("logistic:synthetic,clients=3,m=10,d=2,kappa=20")
    x = rng.standard_normal((3, 2))
    u = np.stack([np.broadcast_to((np.arange(12) + 0.5) / 12, (3, 12)).T] * 1)[
        0
    ]  # every twelfth: 3 | 12, 4 | 12
    g = np.mean([P.on(row[:, None]).grads(x) for row in u], axis=0)
    np.testing.assert_allclose(g, P.grads(x), rtol=1e-12)


def test_kappa_is_met_on_real_data():
    P = pr.build("logistic:mushrooms,clients=20,kappa=1e3")
    assert np.isclose(P.L_max / P.mu_min, 1e3, rtol=1e-12)
    assert (P.n, P.d) == (20, 112)


def test_label_split_skews_the_clients():
    from proveout.problems.data import load, split

    samples = load("a1a")
    means = [samples.labels[rows].mean() for rows in split(samples, 4, "label")]
    assert means[0] == -1
    assert means[-1] > -0.5


@pytest.mark.parametrize(
    "text, words",
    [
        (b"1 1:2\n-1 2:x\n", r"t, line 2: the value of feature 2 must be a number, got 'x'"),
        (b"1 1:2\n-1 2:1 2:3\n", r"line 2: expected index:value with rising indices from 1, got '2:3'"),
        (b"1 1:2\n-1 3\n", r"line 2: expected index:value"),
        (b"1 1:2\n-1 0:3\n", r"line 2: expected index:value"),
        (b"one 1:2\n", r"line 1: the label must be a number, got 'one'"),
        (b"1 1:nan\n2 1:1\n", r"line 1: the value of feature 1 must be finite, got 'nan'"),
        (b"1 1:2\n1 2:3\n", r"labels must take exactly two values, got 1 \(1\)"),
        (b"", r"got 0 \(none\)"),
        (b"1 1:2\n\xff\xfe\x00\n", r"line 2: not a text file \(byte 0xff\)"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(text, words):
    with pytest.raises(ValueError, match=words):
        pr.read_libsvm(text, "t")


def test_libsvm_text_with_comments_windows_endings_and_other_labels_is_read(tmp_path):
    path = tmp_path / "toy.svm.gz"
    path.write_bytes(gzip.compress(b"2 1:1.5 # a comment\r\n\r\n1 2:-3\r\n"))
    P = pr.build(f"logistic:{path},clients=2,l2=.1")
    assert (P.n, P.d) == (2, 2)
    samples = pr.load(str(path))
    assert samples.labels.tolist() == [1.0, -1.0]
    assert samples.features.toarray().tolist() == [[1.5, 0.0], [0.0, -3.0]]


@pytest.mark.parametrize(
    "spec, words",
    [
        ("cubic:n=3", "unknown family 'cubic', known: quadratic, logistic"),
        ("quadratic:z=3", "unknown key 'z', known: n, d, kappa"),
        ("quadratic:n=3,n=4", "n given twice"),
        ("quadratic:n=x", "n must be a number, got 'x'"),
        ("quadratic:n=2.5", "n must be an integer, got '2.5'"),
        ("quadratic:n=0", "n must be an integer >= 1, got 0"),
        ("quadratic:kappa=.5", "kappa must be >= 1, got 0.5"),
        ("quadratic:mu=0", "mu must be > 0 for a strongly convex problem, got 0.0"),
        ("quadratic:heterogeneity=nan", "heterogeneity must be >= 0 and finite, got nan"),
        ("quadratic:basis=upper", "basis must be 'common' or 'rotated', got 'upper'"),
        ("quadratic:3", "expected key=value, got '3'"),
        ("logistic:nowhere.svm", "'nowhere.svm', which is no file"),
        ("logistic:a1a,clients=0", "clients must be >= 1, got 0"),
        ("logistic:a1a,clients=2000", "clients must be at most 1605, the size of a1a, got 2000"),
        ("logistic:a1a,kappa=10,l2=.1", "give kappa or l2, not both"),
        ("logistic:a1a,l2=-1", "l2 must be > 0"),
        ("logistic:a1a,split=fair", "split must be 'uniform', 'label' or 'order', got 'fair'"),
        ("class:n=2,L=1,mu=2", r"mu must lie in \[-L, L\]"),
    ],
)
def test_an_ill_posed_problem_is_refused_with_argument_value_and_rule(spec, words):
    with pytest.raises(ValueError, match=words):
        pr.build(spec)


def test_nan_in_data_is_refused_with_its_place():
    A = np.stack([np.eye(2)] * 3)
    A[1, 0, 1] = np.nan
    with pytest.raises(ValueError, match=r"A must be finite, got nan or inf at \(1, 0, 1\)"):
        pr.Quadratics(A=A, b=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="n must be >= 1, got 0"):
        pr.Quadratics(A=np.zeros((0, 2, 2)), b=np.zeros((0, 2)))


def test_f_without_a_minimiser_says_so():
    P = pr.Quadratics(A=-np.eye(2)[None], b=np.zeros((1, 2)))
    with pytest.raises(ValueError, match="no minimiser"):
        _ = P.x_star


@given(P=logistics())
def test_drawn_logistic_problems_have_the_optimum_they_say(P):
    assert np.linalg.norm(P.grad(P.x_star)) <= 1e-12
    np.testing.assert_allclose(P.h_star.sum(axis=0), 0, atol=1e-12)


def test_parts_are_equal_blocks_of_a_clients_samples():
    P = pr.build("logistic:a1a,clients=4,parts=3,kappa=50")
    assert (P.n, P.m) == (4, 3)
    assert P.whole.even
    assert P.parts.even
    assert np.isclose(P.L_parts / P.mu_parts, 50)
    assert P.parts.m * 3 == P.whole.m
    with pytest.raises(ValueError, match="parts must be at most 2"):
        pr.build("logistic:synthetic,clients=3,m=6,d=2,parts=3")
