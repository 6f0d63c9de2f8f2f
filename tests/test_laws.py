"""Laws: atoms, samples, orbits and what moves when clients are renamed."""

import math
from collections import Counter
from fractions import Fraction
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import pytest

from proveout import laws as W
from proveout.arrays import tree_map


class Two(NamedTuple):
    a: Any
    b: Any


class Round(NamedTuple):
    theta: Any
    cohort: Any
    columns: Any


ROUND = W.Either(
    "theta",
    Round(W.Coin(0.3), W.Subset(4, 2), W.Permutation(2, of="cohort")),
    yes=("cohort", "columns"),
)
POINTS = W.Points(np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0]]))
FINITE = {
    "sure": W.Sure(np.arange(3)),
    "coin": W.Coin(0.3),
    "index": W.Index(4),
    "subset": W.Subset(5, 2),
    "all": W.Subset(3, 3),
    "drawn": W.Drawn((0.2, 0.3, 0.5), 2),
    "independent": W.Independent((0.1, 0.5, 0.9), 3),
    "permutation": W.Permutation(4),
    "split": W.Split(4, 2),
    "owner": W.Owner(2, 4),
    "owner of many": W.Owner(4, 2),
    "points": POINTS,
    "each": W.Each(3, W.Coin(0.4)),
    "each of each": W.Each(2, W.Each(2, W.Index(2, of=None), of=None)),
    "joint": W.Joint(Two(W.Coin(0.2), W.Subset(3, 1))),
    "nested": W.Joint(Two(Two(W.Coin(0.2), W.Index(2, of=None)), W.Coin(0.5))),
    "either": ROUND,
}
finite = pytest.mark.parametrize("law", FINITE.values(), ids=FINITE.keys())


def key(draw: Any) -> tuple[Any, ...]:
    out: list[Any] = []
    tree_map(lambda a: out.append(tuple(np.asarray(a).ravel().tolist())), draw)
    return tuple(out)


def rows(draw: Any, count: int) -> list[Any]:
    return [tree_map(lambda a, k=k: a[k], draw) for k in range(count)]


@finite
def test_atoms_sum_to_one_and_are_as_many_as_size_says(law):
    prob, draw = law.atoms()
    assert math.isclose(float(prob.sum()), 1.0, rel_tol=1e-12)
    assert len(prob) == law.size == law.count
    assert len({key(d) for d in rows(draw, len(prob))}) == len(prob)


@finite
def test_samples_follow_the_atoms(law):
    prob, draw = law.atoms()
    sample = law.sample(np.random.default_rng(1), (4000,))
    names = [key(d) for d in rows(draw, len(prob))]
    if law is ROUND:  # idle fields show anything in a sample, the first atom in the enumeration
        return
    seen = Counter(key(d) for d in rows(sample, 4000))
    assert set(seen) <= set(names)
    chi2 = sum((seen[name] - 4000 * p) ** 2 / (4000 * p) for name, p in zip(names, prob, strict=True))
    assert chi2 < len(prob) + 6 * math.sqrt(2 * len(prob)) + 10


@finite
def test_samples_have_the_shape_asked_for_and_the_trailing_shape_of_the_atoms(law):
    _, draw = law.atoms()
    sample = law.sample(np.random.default_rng(0), (2, 3))
    tree_map(lambda s, a: np.testing.assert_equal(s.shape, (2, 3, *a.shape[1:])), sample, draw)


@finite
def test_renaming_clients_permutes_the_atoms(law):
    name = next(k for k, v in FINITE.items() if v is law)
    n = {
        "subset": 5,
        "split": 4,
        "owner": 2,
        "owner of many": 4,
        "index": 4,
        "either": 4,
        "each of each": 2,
    }.get(name, 3)
    prob, draw = law.atoms()
    if isinstance(law, (W.Drawn, W.Independent)):
        return  # unequal weights: not exchangeable, and the lens finds that out
    for pi in (np.roll(np.arange(n), 1), np.r_[1, 0, np.arange(2, n)]):
        moved = law.act(pi, draw)
        before = sorted(zip([key(d) for d in rows(draw, len(prob))], prob.tolist(), strict=True))
        after = sorted(zip([key(d) for d in rows(moved, len(prob))], prob.tolist(), strict=True))
        if law is ROUND:  # idle fields move too, which no step sees
            before, after = [[x for x in side if x[0][0] == (True,)] for side in (before, after)]
        assert [b[0] for b in before] == [a[0] for a in after]


def test_orbits_of_a_cohort_are_one_draw_with_members_and_the_rest():
    prob, draw, groups = W.Subset(6, 2).orbits(6)
    assert prob.tolist() == [1.0]
    assert groups == [[[0, 1], [2, 3, 4, 5]]]


def test_orbits_of_a_round_keep_the_silent_branch_and_one_round():
    prob, draw, groups = ROUND.orbits(4)
    assert prob.tolist() == [0.7, 0.3]
    assert groups == [[[0, 1, 2, 3]], [[0], [1], [2, 3]]]


def test_orbits_of_independent_coins_are_counts():
    prob, masks, groups = W.Each(3, W.Coin(0.5)).orbits(3)
    assert prob.tolist() == [0.125, 0.375, 0.375, 0.125]
    assert masks.tolist()[1] == [False, True, True]
    assert groups[1] == [[0], [1, 2]]


@pytest.mark.parametrize(
    "law",
    [W.Subset(4, 2), W.Index(4), W.Each(4, W.Coin(0.3)), ROUND, W.Joint(Two(W.Index(4), W.Subset(4, 2)))],
)
def test_orbits_give_the_mean_of_every_invariant_quantity(law):
    rng = np.random.default_rng(3)
    v = rng.standard_normal(4)

    def invariant(draw: Any) -> float:
        """Mean over all renamings of an arbitrary function of the draw."""
        total = 0.0
        for pi in permutations(range(4)):
            moved = law.act(np.array(pi), draw)
            flat = np.concatenate([np.ravel(np.asarray(a, float)) for a in key(moved)])
            total += math.cos(float(flat @ np.resize(v, flat.size)))
        return total

    if law is ROUND:

        def quantity(draw: Any) -> float:
            return invariant(draw) if bool(draw.theta) else 1.0

    else:
        quantity = invariant
    prob, draw = law.atoms()
    full = sum(p * quantity(d) for p, d in zip(prob, rows(draw, len(prob)), strict=True))
    prob, draw, _ = law.orbits(4)
    reduced = sum(p * quantity(d) for p, d in zip(prob, rows(draw, len(prob)), strict=True))
    assert math.isclose(full, reduced, rel_tol=1e-10)


def test_either_adds_its_branches_instead_of_multiplying():
    assert ROUND.size == 1 + 6 * 2
    assert W.Joint(ROUND.draw).size == 2 * 6 * 2


def test_a_coin_with_fractions_stays_exact():
    prob, _ = W.Coin(Fraction(1, 3)).atoms()
    assert prob.tolist() == [Fraction(2, 3), Fraction(1, 3)]


def test_a_forced_first_coin_shows_only_at_step_zero():
    law = W.Coin(0.0, first=True)
    assert law.block(np.random.default_rng(0), 0, 4).tolist() == [True, False, False, False]
    assert law.block(np.random.default_rng(0), 4, 2).tolist() == [False, False]
    assert law.at(0).atoms()[1].tolist() == [True]
    assert law.at(1) is law


def test_given_is_the_schedule_and_refuses_to_run_past_it():
    law = W.Given(np.array([3, 1, 2]))
    assert law.block(np.random.default_rng(0), 1, 2).tolist() == [1, 2]
    assert law.at(2).atoms()[1].tolist() == [2]
    with pytest.raises(ValueError, match="step 3 lies past the schedule of 3 steps"):
        law.block(np.random.default_rng(0), 2, 2)
    assert W.Given(np.array([3, 1, 2]), cycle=True).at(4).atoms()[1].tolist() == [1]


def test_joint_passes_the_clock_to_its_fields():
    law = W.Joint(Two(W.Given(np.array([5, 6])), W.Coin(0.5)))
    assert law.at(1).atoms()[1].a.tolist() == [6, 6]


def test_geometric_atoms_are_cut_at_the_tail_and_not_renormalised():
    prob, steps = W.Geometric(0.25).atoms()
    assert 0 < 1 - prob.sum() <= 1.1e-12
    assert W.Geometric(0.25).size == math.inf
    assert math.isclose(prob @ steps, 4.0, rel_tol=1e-9)


def test_gauss_hermite_atoms_have_the_moments_of_the_normal():
    prob, x = W.Normal(2, nodes=4).atoms()
    assert math.isclose(prob @ x[:, 0] ** 6, 15.0, rel_tol=1e-12)
    assert math.isclose(prob @ (x[:, 0] ** 2 * x[:, 1] ** 4), 3.0, rel_tol=1e-12)
    with pytest.raises(ValueError, match="nodes"):
        W.Normal(2).atoms()


@pytest.mark.parametrize("law", [POINTS, W.Each(3, POINTS), W.Normal(3), W.Each(2, W.Normal(2))])
def test_moment_atoms_have_the_mean_and_covariance_of_the_law(law):
    prob, points = W.moment_atoms(law)
    flat = points.reshape(len(prob), -1)
    mean, cov = law.moments()
    np.testing.assert_allclose(prob @ flat, mean, atol=1e-12)
    np.testing.assert_allclose((flat.T * prob) @ flat - np.outer(mean, mean), cov, atol=1e-12)


def test_moments_of_independent_points_are_those_of_their_enumeration():
    law = W.Each(3, POINTS)
    prob, draw = law.atoms()
    flat = draw.reshape(len(prob), -1)
    mean, cov = law.moments()
    np.testing.assert_allclose(prob @ flat, mean, atol=1e-12)
    np.testing.assert_allclose((flat.T * prob) @ flat - np.outer(mean, mean), cov, atol=1e-12)


def test_mask_moments_of_a_subset_are_those_of_its_enumeration():
    law = W.Subset(5, 2)
    prob, sets = law.atoms()
    masks = (sets[:, :, None] == np.arange(5)).any(axis=1).astype(float)
    mean, cov = law.mask_moments()
    np.testing.assert_allclose(prob @ masks, mean)
    np.testing.assert_allclose((masks.T * prob) @ masks - np.outer(mean, mean), cov, atol=1e-14)


def test_named_outcomes_of_pick_carry_its_probabilities():
    p = np.array([0.2, 0.5, 0.3])
    prob, u = W.Uniform((), outcomes=3).atoms()
    with W.reported_weights() as reports:
        j = W.pick(p, u)
    weight = prob * np.prod(reports, axis=0)
    assert j.tolist() == [0, 1, 2]
    np.testing.assert_allclose(weight, p)


def test_where_every_probability_is_zero_the_named_outcome_is_the_one_a_run_picks():
    p = np.zeros(3)
    prob, u = W.Uniform((), outcomes=3).atoms()
    with W.reported_weights() as reports:
        W.pick(p, u)
    weight = prob * np.prod(reports, axis=0)
    picked = W.pick(p, np.array([0.0, 0.3, 0.99]))
    assert picked.tolist() == [2, 2, 2]
    np.testing.assert_allclose(weight, [0, 0, 1])


def test_pick_of_a_uniform_number_has_the_right_frequencies():
    u = np.random.default_rng(0).random(20000)
    j = W.pick(np.array([0.2, 0.5, 0.3]), u)
    np.testing.assert_allclose(np.bincount(j, minlength=3) / 20000, [0.2, 0.5, 0.3], atol=0.015)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: W.Coin(1.5), "p must lie in"),
        (lambda: W.Subset(3, 4), "c must lie in 1..n = 3, got 4"),
        (lambda: W.Split(5, 2), "c must divide n = 5, got 2"),
        (lambda: W.Geometric(0), "p must lie in"),
        (lambda: W.Owner(4, 6), "divide one another"),
        (lambda: W.Either("coin", Two(W.Coin(0.5), W.Coin(0.5))), "no field named"),
    ],
)
def test_a_law_refuses_with_symbol_value_and_rule(make, words):
    with pytest.raises(ValueError, match=words):
        make()
