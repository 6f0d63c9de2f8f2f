"""Compressors: the operators by hand, their classes by enumeration, their least constants by eigenvalue."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import sqnorm
from proveout.methods.blocks.compressors import (
    FLOAT_BITS,
    BiasedLazy,
    BiasedRandK,
    Identity,
    Lazy,
    RandK,
    TopK,
)
from proveout.testing import seeds
from proveout.theory import compressors
from proveout.theory.lenses import membership
from proveout.theory.trial.mutants import mutants

ALL = [Identity(), TopK(k=2), RandK(k=2), BiasedRandK(k=2), Lazy(p=0.3), BiasedLazy(p=0.3)]
each = pytest.mark.parametrize("C", ALL, ids=repr)


def outcomes(C, x):
    """Probabilities (K,) and C(x) (K, d) over all draws of one client."""
    prob, draw = C.law(1, len(x)).atoms()
    return prob, np.broadcast_to(C(x[None, None, :], draw)[:, 0, :], (len(prob), len(x)))


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


def test_clients_draw_independently():
    draw = RandK(k=1).law(4, 6).sample(np.random.default_rng(0), (50,))
    assert draw.shape == (50, 4, 1)
    assert all(len(set(row.ravel())) > 1 for row in draw[:10])


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


@each
def test_batch_axes_stay_in_front(C):
    x = np.random.default_rng(0).standard_normal((5, 1, 3, 4))
    draw = C.law(3, 4).sample(np.random.default_rng(1), (1, 7))
    y = np.broadcast_to(C(x, draw), (5, 7, 3, 4))
    for s in range(5):
        for k in range(7):
            np.testing.assert_array_equal(y[s, k], C(x[s, 0], draw[0, k]))


@each
@given(seed=seeds)
def test_declared_constants_hold_and_the_extremes_attain_them(C, seed):
    d = 4
    prob, sent = outcomes(C, x := np.random.default_rng(seed).standard_normal(d))
    b, B = C.growth(d)
    size = sqnorm(x)
    assert prob @ (sent @ x) >= b * size * (1 - 1e-12)
    assert prob @ sqnorm(sent) <= B * size * (1 + 1e-12)
    if np.isfinite(C.omega(d)):
        np.testing.assert_allclose(prob @ sent, x, atol=1e-12)
        assert prob @ sqnorm(sent - x) <= C.omega(d) * size * (1 + 1e-12) + 1e-12
    if C.alpha(d) > 0:
        assert prob @ sqnorm(sent - x) <= (1 - C.alpha(d)) * size * (1 + 1e-12) + 1e-12
    attained = [
        (p @ (s @ e) / sqnorm(e), p @ sqnorm(s) / sqnorm(e))
        for e in C.extremes(d)
        for p, s in [outcomes(C, e)]
    ]
    assert min(a for a, _ in attained) == pytest.approx(b)
    assert max(a for _, a in attained) == pytest.approx(B)


@pytest.mark.parametrize("C", [RandK(k=2), BiasedRandK(k=2)], ids=repr)
def test_the_coin_has_the_same_law_on_one_coordinate(C):
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    for D in (C, C.one_coordinate(5)):
        prob, sent = outcomes(D, x)
        assert prob @ (sent[:, 2] == 0) == pytest.approx(3 / 5)
    assert {round(v, 12) for v in outcomes(C, x)[1][:, 2]} == {
        round(v, 12) for v in outcomes(C.one_coordinate(5), x)[1][:, 2]
    }
    assert TopK(k=1).one_coordinate(5) is None


def test_bits_count_indices_where_they_must_travel():
    d = 1000
    assert Identity().bits(d) == d * FLOAT_BITS
    assert TopK(k=3).bits(d) == 3 * (FLOAT_BITS + 10)
    assert RandK(k=3).bits(d) == BiasedRandK(k=3).bits(d) == 3 * FLOAT_BITS
    assert Lazy(p=0.5).bits(d) == BiasedLazy(p=0.5).bits(d) == 500 * FLOAT_BITS


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


@pytest.mark.parametrize("C", [Lazy, BiasedLazy])
def test_a_wrong_p_is_refused(C):
    with pytest.raises(ValueError, match="p must lie in"):
        C(p=0)


# ------------------------------------------------------------------ the statements


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("name", ["RAND_K_UNBIASED", "RAND_K_CONTRACTIVE"])
def test_rand_k_constants_are_least_and_decided_for_all_inputs(name, k):
    statement = getattr(compressors, name)
    verdict = membership.check(statement, None, statement.tune(k=k))
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "exact", "all")
    assert verdict.ratio == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("k", [1, 2])
def test_top_k_contracts_by_k_over_d_and_no_better(k):
    statement = compressors.TOP_K_CONTRACTIVE
    verdict = membership.check(statement, None, statement.tune(k=k))
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-9)


@given(seed=seeds, shift=st.floats(-1, 1))
def test_one_inequality_says_unbiased_and_variance(seed, shift):
    """E|Q - w|^2 - |v - w|^2 = E|Q - v|^2 + 2 <E Q - v, v - w>."""
    v, w = np.random.default_rng(seed).standard_normal((2, 3))
    prob, sent = outcomes(RandK(k=1), v)
    Q = sent + shift
    left = prob @ sqnorm(Q - w) - sqnorm(v - w)
    right = prob @ sqnorm(Q - v) + 2 * (prob @ Q - v) @ (v - w)
    assert left == pytest.approx(right, abs=1e-9)


def test_every_twin_of_compressors_is_killed_or_moves_nothing():
    rows = mutants(["compressors"], budget="quick", jobs=1).rows
    assert sum(r.word == "killed" for r in rows) >= 5
    assert [r.twin for r in rows if r.word in ("survived", "equivalent")] == []
