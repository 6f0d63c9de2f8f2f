"""Samplings: weights of mean one, who takes part, the AB inequality and its least constants."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import put
from proveout.methods.blocks.samplings import (
    AB,
    Independent,
    Multi,
    Nice,
    Table,
    importance,
    root_importance,
)

seeds = st.integers(0, 10_000)


@st.composite
def samplings(draw, n):
    kind = draw(st.sampled_from(["nice", "independent", "multi", "table"]))
    rng = np.random.default_rng(draw(seeds))
    if kind == "nice":
        return Nice(cohort=draw(st.integers(1, n)))
    if kind == "independent":
        return Independent(probs=tuple(np.clip(rng.uniform(0.05, 1.3, n), 0, 1).tolist()))
    if kind == "multi":
        return Multi(draws=draw(st.integers(1, 3)), probs=simplex(rng, n))
    masks = [tuple(np.flatnonzero(rng.random(n) < 0.5).tolist()) for _ in range(4)] + [tuple(range(n))]
    return Table(subsets=tuple(masks), probs=simplex(rng, 5))


def simplex(rng, n):
    p = rng.uniform(0.1, 1, n)
    p /= p.sum()
    return (*p[:-1].tolist(), float(1 - p[:-1].sum()))


def enumerated(sampling, n):
    """(prob (K,), draw, chi (K, n))."""
    prob, draw = sampling.law(n).atoms()
    return prob, draw, sampling.weights(draw, np.zeros((n, 1)))


@given(n=st.integers(1, 5), data=st.data())
def test_weights_have_mean_one_and_p_hat_is_the_chance_of_coming(n, data):
    sampling = data.draw(samplings(n))
    prob, draw, chi = enumerated(sampling, n)
    np.testing.assert_allclose(prob @ chi, 1, rtol=1e-12)
    np.testing.assert_allclose(prob @ (chi > 0), sampling.p_hat(n), rtol=1e-12)
    np.testing.assert_array_equal(sampling.size(draw), (chi > 0).sum(axis=-1))


@given(n=st.integers(1, 5), data=st.data())
def test_members_are_those_of_positive_weight_each_of_them_once(n, data):
    sampling = data.draw(samplings(n))
    _, draw, chi = enumerated(sampling, n)
    who, theirs = sampling.members(draw, np.zeros((n, 1)))
    assert all(len(set(row)) == len(row) for row in who.tolist())
    back = put(np.zeros((*chi.shape, 1)), who, theirs[..., None])[..., 0]
    np.testing.assert_array_equal(back, chi)
    assert who.shape[-1] == (chi > 0).sum(axis=-1).max()


@given(n=st.integers(1, 5), data=st.data(), seed=seeds)
def test_the_ab_inequality_holds_for_all_vectors(n, data, seed):
    sampling = data.draw(samplings(n))
    prob, _, chi = enumerated(sampling, n)
    ab = sampling.ab(n)
    a = np.random.default_rng(seed).standard_normal((n, 2)) * 10 ** np.linspace(0, 2, n)[:, None]
    left = prob @ ((((chi - 1)[..., None] * a).sum(axis=-2)) ** 2).sum(axis=-1)
    whole = ab.A_w @ (a**2).sum(axis=-1)
    right = whole - ab.B * (a.sum(axis=0) ** 2).sum()
    assert left <= right + 1e-11 * whole + 1e-12
    covariance = (chi - 1).T @ (prob[:, None] * (chi - 1))
    bound = np.diag(ab.A_w) - ab.B
    assert np.linalg.eigvalsh(bound - covariance)[0] >= -1e-9 * (1 + ab.A_w.max())
    if isinstance(sampling, Table):
        np.testing.assert_allclose(sampling.covariance(n), covariance, atol=1e-10)
    else:  # with equality
        np.testing.assert_allclose(bound, covariance, atol=1e-9 * (1 + ab.A_w.max()))


def test_a_table_of_all_pairs_is_the_uniform_cohort():
    n = 4
    table = Table(subsets=tuple(combinations(range(n), 2)), probs=(1 / 6,) * 6, B=1 / 3)
    nice = Nice(cohort=2).ab(n)
    np.testing.assert_allclose(table.ab(n).A_w, nice.A_w, rtol=1e-12)
    assert table.ab(n).B == pytest.approx(nice.B)
    np.testing.assert_allclose(table.ab(n).c, n)
    free = Table(subsets=table.subsets, probs=table.probs).ab(n)
    np.testing.assert_allclose(free.c, n, rtol=1e-9)  # no B does better


def test_a_table_of_coins_finds_the_constants_of_independent_coins():
    p = np.array([0.2, 0.5, 1.0])
    masks = [m for m in product([0, 1], repeat=3) if m[2]]
    probs = tuple(float(np.prod(np.where(m, p, 1 - p))) for m in masks)
    table = Table(subsets=tuple(tuple(np.flatnonzero(m).tolist()) for m in masks), probs=probs, B=0.0)
    np.testing.assert_allclose(table.ab(3).A_w, 1 / p - 1, atol=1e-12)
    np.testing.assert_allclose(table.p_hat(3), p)


def test_a_table_lowers_the_largest_c_by_its_choice_of_B():
    subsets, probs = ((0, 1), (2,), (1, 2, 3), ()), (0.3, 0.3, 0.3, 0.1)
    free, zero = Table(subsets=subsets, probs=probs).ab(4), Table(subsets=subsets, probs=probs, B=0.0).ab(4)
    assert free.c.max() < zero.c.max()


@given(n=st.integers(2, 5), data=st.data(), seed=seeds)
def test_the_A_of_a_table_is_the_least_for_its_weights(n, data, seed):
    rng = np.random.default_rng(seed)
    masks = [tuple(np.flatnonzero(rng.random(n) < 0.5).tolist()) for _ in range(3)] + [tuple(range(n))]
    table = Table(subsets=tuple(masks), probs=simplex(rng, 4))
    ab, K = table.ab(n), table.covariance(n)
    if ab.A_w.max() < 1e-9:
        return
    slack = np.linalg.eigvalsh(np.diag(0.999 * ab.A_w) - ab.B - K)[0]
    assert slack < 0


def test_the_smallest_c_is_the_number_of_clients():
    assert Nice(cohort=3).ab(5).c == pytest.approx(np.full(5, 5))
    assert Independent(probs=1.0).ab(4).c == pytest.approx(np.full(4, 4))
    np.testing.assert_allclose(Multi(draws=2, probs=(0.2, 0.3, 0.5)).ab(3).c, (4, 19 / 6, 2.5))
    assert AB(A_w=np.ones(3), B=0.5).c == pytest.approx(np.full(3, 2.5))


def test_importance_lies_between_uniform_and_proportional_to_the_root():
    L, mu = np.array([1.0, 100, 1e4]), 1.0
    q, r = np.array(importance(L, mu)), np.array(root_importance(L))
    assert q.sum() == pytest.approx(1)
    assert r.sum() == pytest.approx(1)
    assert r[2] > q[2] > 1 / 3 > q[0] > r[0]
    np.testing.assert_allclose(importance(np.full(4, 7.0), 1.0), 0.25)


def test_nobody_may_come_and_a_sure_client_always_does():
    sampling = Independent(probs=(0.5, 1.0))
    draw = sampling.law(2).sample(np.random.default_rng(0), (200,))
    assert draw[:, 1].all()
    assert not draw[:, 0].all()
    empty = Table(subsets=((), (0, 1)), probs=(0.5, 0.5))
    who, chi = empty.members(np.zeros(2, bool), np.zeros((2, 1)))
    assert who.shape == chi.shape == (0,)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: Nice(cohort=0), "cohort must be >= 1"),
        (lambda: Independent(probs=(0.5, 0.0)), r"probs must lie in \(0, 1\]"),
        (lambda: Independent(probs=(0.5, 0.5)).p_hat(3), "n = 3"),
        (lambda: Multi(draws=0), "draws must be >= 1"),
        (lambda: Multi(draws=1, probs=(0.5, 0.6)), "sum to 1"),
        (lambda: Table(subsets=((0,),), probs=(0.5, 0.5)), "one per subset"),
        (lambda: Table(subsets=((0,),), probs=(1.0,), B=2.0), "B must be <= 1"),
        (lambda: Table(subsets=((0,),), probs=(1.0,)).law(2), "cover all clients, 1 is in none"),
        (lambda: Table(subsets=((0, 2),), probs=(1.0,)).law(2), "below n = 2"),
    ],
)
def test_a_sampling_refuses_with_the_rule(make, rule):
    with pytest.raises(ValueError, match=rule):
        make()


def test_a_table_is_sampled_with_its_probabilities():
    table = Table(subsets=((0,), (1, 2)), probs=(0.25, 0.75))
    law = table.law(3)
    draw = law.sample(np.random.default_rng(0), (4000,))
    assert draw[:, 0].mean() == pytest.approx(0.25, abs=0.03)
    prob, masks, groups = law.orbits(3)
    assert prob.sum() == 1
    assert groups == [[[0], [1], [2]]] * 2
    np.testing.assert_array_equal(law.act(np.array([2, 0, 1]), masks[0]), [False, False, True])
