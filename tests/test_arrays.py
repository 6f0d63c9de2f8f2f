"""The helpers that NumPy, torch and Fractions agree on."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout import arrays as A

torch = pytest.importorskip("torch")
rng = np.random.default_rng(0)
both = pytest.mark.parametrize("to", [np.asarray, torch.as_tensor], ids=["numpy", "torch"])


def same(a, b):
    assert np.array_equal(np.asarray(a), np.asarray(b))


@both
def test_take_picks_rows_for_every_broadcast_of_batches(to):
    table, index = rng.standard_normal((3, 1, 5, 2)), rng.integers(5, size=(4, 2))
    got = A.take(to(table), to(index))
    want = np.stack([[table[s, 0][index[k]] for k in range(4)] for s in range(3)])
    same(got, want)


@both
def test_take_without_batch_axes_is_plain_indexing(to):
    table, index = rng.standard_normal((5, 2, 3)), rng.integers(5, size=(4, 2))
    same(A.take(to(table), to(index), core=2), table[index])


@both
@pytest.mark.parametrize("size", [4, 5])  # as many rows as batch entries: a bare index would pick wrong rows
def test_put_writes_only_the_named_rows_of_each_batch_entry(to, size):
    table, index = rng.standard_normal((size, 2)), np.array([[0, 1], [2, 3], [3, 0], [1, 2]])
    rows = rng.standard_normal((4, 2, 2))
    got = np.asarray(A.put(to(table), to(index), to(rows)))
    for k in range(4):
        want = table.copy()
        want[index[k]] = rows[k]
        same(got[k], want)


def test_put_leaves_its_input_alone():
    table = np.zeros((3, 2))
    A.put(table, np.array([1]), np.ones((1, 2)))
    assert not table.any()


@both
def test_take_along_and_put_along_are_inverse_on_their_entries(to):
    x, index = rng.standard_normal((3, 1, 6)), np.array([[0, 5], [2, 1]])
    got = A.take_along(to(x), to(index))
    same(got, np.stack([[x[s, 0][i] for i in index] for s in range(3)]))
    back = A.put_along(to(x), to(index), got * 2)
    same(A.take_along(back, to(index)), 2 * np.asarray(got))


@both
@given(data=st.lists(st.integers(-2, 2), min_size=1, max_size=7), k=st.integers(0, 8))
def test_largest_keeps_k_entries_and_breaks_ties_by_lowest_index(to, data, k):
    x = np.array(data, float)
    want = np.zeros(len(x), bool)
    want[sorted(range(len(x)), key=lambda j: (-x[j], j))[:k]] = True
    same(A.largest(to(x[None]), k)[0], want)


@both
def test_rank_is_the_place_in_ascending_order(to):
    same(A.rank(to(np.array([[3.0, 1.0, 3.0, -1.0]]))), [[2, 1, 3, 0]])


@both
def test_first_occurrence_marks_repeats(to):
    same(A.first_occurrence(to(np.array([[2, 2, 1, 2]]))), [[True, False, True, False]])


@both
def test_choose_gives_each_branch_only_its_own_rows(to):
    theta, x, y = np.array([True, False, True]), rng.standard_normal((3, 2)), rng.standard_normal((3, 4))
    seen = []

    def yes(a, b):
        seen.append(tuple(a.shape))
        return a * 2

    got = A.choose(to(theta), yes, lambda a, b: a + b[..., :2], to(x), to(y))
    same(got, np.where(theta[:, None], 2 * x, x + y[:, :2]))
    assert seen == [(2, 2)]


def test_choose_broadcasts_states_against_atoms():
    theta, x = np.array([True, False]), rng.standard_normal((3, 1, 2))
    got = A.choose(theta, lambda a: a, lambda a: -a, x)
    same(got, np.where(theta[:, None], x, -x))


@both
def test_until_freezes_finished_rows_and_counts_per_row(to):
    start = np.array([[1.0], [8.0]])
    x, count = A.until(lambda v: v / 2, lambda v: v[..., 0] <= 1, to(start))
    same(x, [[1.0], [1.0]])
    same(count, [0, 3])


def test_until_says_when_a_rule_never_stops():
    with pytest.raises(RuntimeError, match="10 rounds"):
        A.until(lambda v: v, lambda v: v[..., 0] < 0, np.ones((1, 1)), limit=10)


@both
def test_apply_is_each_clients_matrix_times_its_own_vector(to):
    M, x = rng.standard_normal((4, 3, 2)), rng.standard_normal((5, 6, 4, 2))
    got = np.asarray(A.apply(to(M), to(x)))
    np.testing.assert_allclose(got, np.einsum("nkd,abnd->abnk", M, x), rtol=1e-13)


@both
@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3), (2, 50, 200)])
def test_mean_clients_is_the_mean_over_the_client_axis(to, shape):
    x = rng.standard_normal(shape)
    np.testing.assert_allclose(A.mean_clients(to(x)), x.mean(-2, keepdims=True), rtol=1e-12, atol=1e-15)


def test_fractions_stay_fractions():
    x = np.array([[Fraction(1, 3)], [Fraction(1, 2)]], dtype=object)
    assert A.mean_clients(x)[0, 0] == Fraction(5, 12)
    assert A.sqnorm(x, 2) == Fraction(13, 36)


class Pair(NamedTuple):
    a: object
    b: object


def test_tree_map_walks_nested_draws_and_leaves_none_alone():
    assert A.tree_map(lambda v, w: v + w, Pair(Pair(1, None), 2), Pair(Pair(10, None), 20)) == Pair(
        Pair(11, None), 22
    )


@both
def test_like_takes_dtype_from_the_model(to):
    model = to(np.zeros(2, np.float32))
    assert A.like(np.ones(3), model).dtype == model.dtype
