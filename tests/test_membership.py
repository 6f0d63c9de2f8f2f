"""The membership lens: decided where possible, searched where not, least constants, implications."""

import json
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import largest, norm, put_along, sqnorm, take_along
from proveout.laws import Each, Normal, Subset, Sure, Uniform, pick
from proveout.theory.lenses import membership
from proveout.theory.lenses.common import budget_of
from proveout.theory.lenses.membership.classes import compare, named
from proveout.theory.lenses.membership.inequality import inequality
from proveout.theory.lenses.membership.optimise import evolve, maximise, restarted_cma
from proveout.theory.statement import Implication, Membership, NonImplication
from proveout.theory.witness import trust

trust(__name__)
EMPTY = Sure(np.zeros(()))


@dataclass(frozen=True)
class TopK:
    k: int

    def law(self, n, d):
        return EMPTY

    def __call__(self, x, draw):
        return np.where(largest(abs(x), self.k), x, 0.0)

    def extremes(self, d):
        return [np.ones(d)]


@dataclass(frozen=True)
class RandK:
    k: int
    scaled: bool = True

    def law(self, n, d):
        return Each(n, Subset(d, self.k, of=None))

    def __call__(self, x, draw):
        kept = take_along(x, draw) * (x.shape[-1] / self.k if self.scaled else 1)
        return put_along(0 * x, draw, kept)


@dataclass(frozen=True)
class Natural:
    """Unbiased rounding to powers of two."""

    def law(self, n, d):
        return Each(n, Uniform((d,), outcomes=2))

    def __call__(self, x, draw):
        size = np.where(x == 0, 1.0, abs(x))
        low = 2.0 ** np.floor(np.log2(size))
        up = np.clip(size / low - 1, 0, 1)
        high = pick(np.stack([1 - up, up], axis=-1), draw)
        return np.sign(x) * low * np.where(high == 1, 2.0, 1.0)


@dataclass(frozen=True)
class OneLevel:
    """|x| sign(x_j) xi_j, xi_j ~ Bernoulli(|x_j|/|x|): quantisation with one level."""

    def law(self, n, d):
        return Each(n, Uniform((d,), outcomes=2))

    def __call__(self, x, draw):
        size = norm(x)[..., None]
        share = abs(x) / np.where(size > 0, size, 1.0)
        hit = pick(np.stack([1 - share, share], axis=-1), draw)
        return np.where(hit == 1, np.sign(x) * size, 0.0)


@dataclass(frozen=True)
class Rounded:
    """To the nearest multiple of 1/scale."""

    scale: float

    def law(self, n, d):
        return EMPTY

    def __call__(self, x, draw):
        return np.round(self.scale * x) / self.scale


@dataclass(frozen=True)
class Rule:
    """An aggregation rule for n messages, the last f of them from the enemy; no law."""

    name: str
    n: int
    f: int

    def __call__(self, x):
        if self.name == "median":
            return np.median(x, axis=-2)
        if self.name == "trimmed":
            return np.sort(x, axis=-2)[..., self.f : self.n - self.f, :].mean(axis=-2)
        if self.name == "mean":
            return x.mean(axis=-2)
        squares = ((x[..., :, None, :] - x[..., None, :, :]) ** 2).sum(axis=-1)
        scores = np.sort(squares, axis=-1)[..., 1 : self.n - self.f].sum(axis=-1)
        return np.take_along_axis(x, scores.argmin(axis=-1)[..., None, None], axis=-2)[..., 0, :]


def error(block, u, draw):
    return sqnorm(block(u, draw) - u, 2), sqnorm(u, 2)


def within(constant, **more):
    """E|C(u) - u|^2 <= constant |u|^2."""
    return Membership(source="test", sides=error, constant=constant, **more)


def robust(kappa, d):
    """|A(x) - mean of the honest|^2 <= kappa (1/G) sum_honest |x_i - mean|^2."""

    def sides(rule, u, draw):
        honest = u[..., : rule.n - rule.f, :]
        centre = honest.mean(axis=-2, keepdims=True)
        spread = ((honest - centre) ** 2).sum(axis=(-2, -1)) / (rule.n - rule.f)
        return sqnorm(rule(u) - centre[..., 0, :]), spread

    return Membership(
        source="test",
        sides=sides,
        constant=lambda rule, dim: kappa,
        dims=(d,),
        shape=lambda rule, dim: (rule.n, dim),
    )


# ------------------------------------------------------------------ decided for all inputs


@pytest.mark.parametrize("k", [1, 2, 3])
def test_rand_k_has_least_omega_d_over_k_minus_one(k):
    statement = within(lambda block, d: d / block.k - 1, least=True, dims=(3, 4, 6))
    verdict = membership.check(statement, None, RandK(k))
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "exact", "all")
    assert verdict.ratio == pytest.approx(1, abs=1e-12)


def test_five_per_cent_less_is_violated_with_a_witness_that_replays():
    statement = within(lambda block, d: 0.95 * (d / block.k - 1))
    verdict = membership.check(statement, None, RandK(1))
    assert verdict.word == "violated"
    assert verdict.ratio == pytest.approx(1 / 0.95)
    lhs, rhs = membership.sides(statement, None, RandK(1), json.loads(json.dumps(verdict.witness)))
    assert lhs / rhs == pytest.approx(1 / 0.95)


def test_five_per_cent_more_is_not_the_least():
    statement = within(lambda block, d: 1.05 * (d / block.k - 1), least=True)
    verdict = membership.check(statement, None, RandK(1))
    assert verdict.word == "violated"
    assert "least constant found is" in verdict.note
    lhs, rhs = membership.sides(statement, None, RandK(1), verdict.witness)
    assert lhs / rhs == pytest.approx(1.05, rel=1e-5)


def test_unscaled_rand_k_is_contractive_and_not_unbiased():
    contractive = within(lambda block, d: 1 - block.k / d, least=True, dims=(2, 4))
    assert membership.check(contractive, None, RandK(1, scaled=False)).grade == "exact"
    bias = Membership(
        source="test",
        sides=lambda C, u, draw: (-2 * np.sum((C(u, draw) - u) * u, axis=(-2, -1)), sqnorm(u, 2)),
        constant=lambda C, d: 0.0,
    )
    assert membership.check(bias, None, RandK(1)).word == "holds"
    assert membership.check(bias, None, RandK(1, scaled=False)).word == "violated"


def test_natural_compression_has_omega_one_eighth_decided_over_one_period():
    statement = within(lambda block, d: 1 / 8, least=True, dims=(1, 2, 4))
    verdict = membership.check(statement, None, Natural())
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert "t ~ 2 t" in verdict.note
    assert membership.check(within(lambda block, d: 0.95 / 8), None, Natural()).word == "violated"


def test_rounding_errs_by_d_over_four_scale_squared():
    statement = Membership(
        source="test",
        sides=lambda block, u, draw: (sqnorm(block(u, draw) - u, 2), 1.0),
        constant=lambda block, d: d / (4 * block.scale**2),
        least=True,
    )
    verdict = membership.check(statement, None, Rounded(3.0))
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert "t ~ t +" in verdict.note
    half = replace(statement, constant=lambda block, d: d / (8 * block.scale**2))
    assert membership.check(half, None, Rounded(3.0)).word == "violated"


def test_an_equality_is_two_inequalities():
    both = [
        within(lambda block, d: d / block.k - 1),
        Membership(
            source="test",
            sides=lambda *args: error(*args)[::-1],
            constant=lambda block, d: 1 / (d / block.k - 1),
        ),
    ]
    assert all(membership.check(replace(s, dims=(3, 5)), None, RandK(2)).word == "holds" for s in both)


def test_a_side_that_ignores_the_input_is_decided_at_once():
    statement = Membership(
        source="test", sides=lambda block, u, draw: (2.0, 1.0), constant=lambda block, d: 2.0
    )
    assert membership.check(statement, None, RandK(1)).grade == "exact"


@given(seed=st.integers(0, 1000), d=st.integers(2, 5))
def test_linear_estimators_are_decided_by_an_eigenvalue(seed, d):
    matrix = np.random.default_rng(seed).standard_normal((d, d))

    @dataclass(frozen=True)
    class Linear:
        def law(self, n, d):
            return EMPTY

        def __call__(self, x, draw):
            return x @ matrix

    top = np.linalg.norm(matrix - np.eye(d), 2) ** 2
    ineq = inequality(within(lambda block, d: top, dims=(d,)), Linear(), d)
    found = membership.largest(ineq, budget_of("quick"))
    assert found.exact
    assert found.figure == pytest.approx(1, rel=1e-9)
    assert float(ineq.figures(found.z[None])[0]) == pytest.approx(1, rel=1e-6)


def test_a_threshold_is_not_mistaken_for_a_form():
    """Keep what is at least w: the identity far out, zero near 0."""

    @dataclass(frozen=True)
    class Threshold:
        w: float

        def law(self, n, d):
            return EMPTY

        def __call__(self, x, draw):
            return np.where(abs(x) >= self.w, x, 0.0)

    absolute = Membership(
        source="test",
        sides=lambda block, u, draw: (sqnorm(block(u, draw) - u, 2), 1.0),
        constant=lambda block, d: d * block.w**2,
        attained=False,
        least=True,
        dims=(1, 2, 3),
    )
    verdict = membership.check(absolute, None, Threshold(0.01))
    assert verdict.word == "holds"
    assert verdict.grade == "searched"
    assert 0.999 < verdict.ratio <= 1


# ------------------------------------------------------------------ searched


@pytest.mark.parametrize(("k", "d"), [(1, 10), (2, 6), (3, 4)])
def test_top_k_is_tight_at_equal_entries(k, d):
    statement = within(lambda block, d: 1 - block.k / d, least=True, dims=(d,))
    verdict = membership.check(statement, None, TopK(k))
    assert (verdict.word, verdict.grade) == ("holds", "searched" if d > 8 else "exact")
    assert (
        membership.check(within(lambda block, d: 0.95 * (1 - block.k / d), dims=(d,)), None, TopK(k)).word
        == "violated"
    )


def test_a_least_constant_that_is_not_reached_by_a_search_is_inconclusive():
    statement = within(lambda block, d: 1.05 * (math.sqrt(d) - 1), least=True, dims=(2, 4))
    assert membership.check(statement, None, OneLevel()).word == "inconclusive"


def test_a_least_constant_that_is_decided_and_too_large_is_violated():
    verdict = membership.check(within(lambda block, d: 1.05 * (1 - 1 / d), least=True), None, TopK(1))
    assert verdict.word == "violated"


def test_one_level_quantisation_has_omega_root_d_minus_one():
    statement = within(lambda block, d: math.sqrt(d) - 1, least=True, dims=(2, 4, 8))
    assert membership.check(statement, None, OneLevel()).word == "holds"
    assert (
        membership.check(within(lambda block, d: (math.sqrt(d) - 1) / 2), None, OneLevel()).word == "violated"
    )


LEAST = [
    ("median", 9, 4, 1, 4.0, 1e-6),
    ("median", 5, 1, 2, 1.0, 1e-6),
    ("trimmed", 10, 3, 3, 0.75, 1e-3),
    ("trimmed", 5, 1, 1, 1 / 3, 1e-3),
    ("krum", 5, 2, 2, 12.5, 3e-3),
    ("krum", 7, 2, 2, 4.908, 3e-3),
]


@pytest.mark.parametrize(("name", "n", "f", "d", "kappa", "near"), LEAST)
def test_least_kappa_of_aggregation_rules(name, n, f, d, kappa, near):
    rule = Rule(name, n, f)
    found = membership.largest(inequality(robust(kappa, d), rule, d), budget_of("full"))
    assert 1 - near < found.figure < 1 + 1e-4
    assert membership.check(robust(1.02 * kappa, d), None, rule).word == "holds"
    assert membership.check(robust(0.9 * kappa, d), None, rule).word == "violated"


def test_krum_at_ten_and_three_needs_more_than_one_seed():
    found = membership.largest(inequality(robust(1.0, 1), Rule("krum", 10, 3), 1), budget_of("full"))
    assert found.figure == pytest.approx(6.163, rel=1e-3)
    assert "spread over seeds" in found.how


def test_the_mean_resists_nobody():
    assert membership.check(robust(1e6, 1), None, Rule("mean", 5, 1)).word == "violated"


def test_equal_rows_decide_nothing():
    """All honest messages equal: both sides vanish up to rounding, which must not count."""
    ineq = inequality(robust(4.0, 2), Rule("median", 5, 2), 2)
    equal = np.tile(np.random.default_rng(0).standard_normal(2), (5, 1)).ravel()
    assert float(ineq.figures(equal[None])[0]) < 1e-6


def test_the_budget_follows_the_number_of_draws():
    assert (
        membership.check(within(lambda block, d: math.sqrt(d) - 1, dims=(8,)), None, OneLevel()).states != ""
    )
    verdict = membership.check(within(lambda block, d: d / block.k - 1, dims=(40,)), None, RandK(20))
    assert verdict.word == "not applicable"
    assert "too large" in verdict.note


# ------------------------------------------------------------------ optimisers


def test_both_halves_of_the_search_find_the_corner_of_a_cone():
    def f(u):
        return abs(u).sum(axis=-1) ** 2 / (u**2).sum(axis=-1)

    rng = np.random.default_rng(0)
    starts = rng.standard_normal((24, 12))
    assert evolve(f, starts, 20_000, rng).value == pytest.approx(12, rel=1e-5)
    assert restarted_cma(f, starts[0], 20_000, rng).value == pytest.approx(12, rel=1e-4)


def test_a_tie_is_found_where_random_search_never_looks():
    def f(u):
        return 1.0 + (abs(u[:, 0] - u[:, 1]) < 1e-12) + (abs(u[:, 2]) == 0)

    assert maximise(f, 5, evaluations=4000, scale_free=False).value == 3


def test_not_a_number_never_wins_and_infinity_ends_the_search():
    assert np.isfinite(
        maximise(lambda u: np.where(u[:, 0] > 0, np.nan, -(u**2).sum(axis=-1)), 3, evaluations=500).value
    )
    best = maximise(lambda u: np.where(u[:, 0] > 1, np.inf, u[:, 0]), 3, evaluations=10_000)
    assert best.value == math.inf
    assert best.evaluations < 1000


def test_the_same_seed_gives_the_same_point():
    def f(u):
        return -abs(u - 1).sum(axis=-1)

    one, two = (maximise(f, 4, evaluations=2000, seed=3, scale_free=False) for _ in range(2))
    assert (one.point == two.point).all()
    assert one.value == pytest.approx(0, abs=1e-3)


# ------------------------------------------------------------------ implications


class Contraction:
    """E|g - u|^2 <= kappa |u|^2 for an estimator g = a u (a number): least kappa = (a - 1)^2, needs < 1."""

    def least(self, P, estimator):
        kappa = (estimator.a - 1) ** 2
        return kappa if kappa < 1 else None


class Angle(NamedTuple):
    b: float  # <g, u> >= b |u|^2
    B: float  # |g|^2 <= B |u|^2


class Aligned:
    lower = ("b",)

    def least(self, P, estimator):
        return Angle(estimator.a, estimator.a**2) if estimator.a > 0 else None


@dataclass(frozen=True)
class Scaled:
    a: float


CONTRACTION_IS_ALIGNED = Implication(
    source="test",
    method=Scaled,
    given=Contraction(),
    then=Aligned(),
    constants=lambda kappa: Angle(1 - math.sqrt(kappa), (1 + math.sqrt(kappa)) ** 2),
)


@pytest.mark.parametrize("a", [0.3, 1.0, 1.9])
def test_an_implication_compares_constants_lower_bounds_the_other_way_round(a):
    verdict = membership.check(CONTRACTION_IS_ALIGNED, None, Scaled(a))
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert verdict.ratio == pytest.approx(1)


def test_a_constant_one_per_cent_too_good_is_violated_and_replays():
    statement = replace(
        CONTRACTION_IS_ALIGNED,
        constants=lambda kappa: Angle(1.01 * (1 - math.sqrt(kappa)), (1 + math.sqrt(kappa)) ** 2),
    )
    verdict = membership.check(statement, None, Scaled(0.3))
    assert verdict.word == "violated"
    assert verdict.ratio == pytest.approx(1.01)
    lhs, rhs = membership.sides(statement, None, Scaled(0.3), json.loads(json.dumps(verdict.witness)))
    assert lhs / rhs == pytest.approx(1.01)


def test_an_estimator_outside_the_premise_is_not_judged():
    assert membership.check(CONTRACTION_IS_ALIGNED, None, Scaled(2.5)).word == "not applicable"


def test_constants_that_are_not_defined_are_not_judged():
    def constants(kappa):
        raise ValueError("kappa must be < 1/2")

    verdict = membership.check(replace(CONTRACTION_IS_ALIGNED, constants=constants), None, Scaled(0.3))
    assert verdict.word == "not applicable"
    assert "kappa must be < 1/2" in verdict.note


def test_a_class_may_compute_the_figure_itself():
    class Figured(Aligned):
        def figure(self, P, estimator, constants):
            return 0.5

    assert membership.check(replace(CONTRACTION_IS_ALIGNED, then=Figured()), None, Scaled(0.3)).ratio == 0.5


def test_a_conclusion_that_fails_with_all_constants_is_violated():
    assert (
        membership.check(replace(CONTRACTION_IS_ALIGNED, given=Anything()), None, Scaled(-1)).word
        == "violated"
    )


class Anything:
    def least(self, P, estimator):
        return 0.0


def test_a_witness_separates_two_classes_or_does_not():
    statement = NonImplication(
        source="test", given=Aligned(), then=Contraction(), witness=lambda: (None, Scaled(3.0))
    )
    verdict = membership.check(statement, None, None)
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    inside = replace(statement, witness=lambda: (None, Scaled(1.5)))
    assert membership.check(inside, None, None).word == "violated"
    assert membership.sides(inside, None, None, {}) == (1.0, 0.0)
    outside = replace(statement, witness=lambda: (None, Scaled(-1.0)))
    assert "not in the class that is given" in membership.check(outside, None, None).note


def test_constants_are_compared_by_name():
    assert named((1, 2.5)) == {"0": 1.0, "1": 2.5}
    assert named({"eta": 1}) == {"eta": 1.0}
    assert named(Angle(1, 2)) == {"b": 1.0, "B": 2.0}
    assert named(Scaled(2)) == {"a": 2.0}
    assert compare((0.0, 1.0), (0.0, 2.0))[0] == 0.5
    assert compare(1.0, 0.0)[0] == math.inf
    with pytest.raises(ValueError, match="compared"):
        compare((1, 2), 3)


def test_a_block_that_no_file_can_hold_is_judged_all_the_same():
    @dataclass(frozen=True)
    class Wrapped(TopK):
        inner: object = len

    verdict = membership.check(within(lambda block, d: 0.5 * (1 - block.k / d)), None, Wrapped(1))
    assert verdict.word == "violated"
    assert verdict.witness is None


# ------------------------------------------------------------------ refusals


def test_what_cannot_be_judged_is_not_applicable_with_a_reason():
    @dataclass(frozen=True)
    class Gaussian:
        def law(self, n, d):
            return Normal(d)

    for statement, block, reason in (
        (within(lambda block, d: 1.0), Gaussian(), "continuous"),
        (replace(within(lambda block, d: 1.0), method=TopK), RandK(1), "speaks of TopK"),
        (within(lambda block, d: 1.0, dims=()), TopK(1), "no dimension"),
        (within(lambda block, d: 1.0, dims=(2, 3)), RandK(5), "must lie in"),
    ):
        verdict = membership.check(statement, None, block)
        assert verdict.word == "not applicable"
        assert reason in verdict.note


def test_dimensions_in_which_a_block_does_not_exist_are_left_out():
    verdict = membership.check(within(lambda block, d: d / block.k - 1, dims=(1, 4)), None, RandK(2))
    assert verdict.word == "holds"
    assert "must lie in" in verdict.note
