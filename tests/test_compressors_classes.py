"""The classes of compressors: least constants, the calculus of classes, red twins; and how the lens decides them."""

import json
import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import sqnorm
from proveout.laws import Sure
from proveout.methods.blocks.compressors import (
    Adaptive,
    ExponentialDithering,
    LinearDithering,
    Natural,
    PermK,
    PowerSGD,
    RandK,
    ScaledSign,
    Sign,
    TopK,
    ternary,
)
from proveout.methods.compressors import Averaged, LazyMessage
from proveout.problems import build
from proveout.run import run
from proveout.testing import seeds
from proveout.theory import compressors
from proveout.theory.compressors.classes import contractive_sides, unbiased_sides
from proveout.theory.compressors.lemmas import best_factor
from proveout.theory.compressors.message import block, root
from proveout.theory.compressors.reductions import example
from proveout.theory.lenses import exact, membership, proof, worstcase
from proveout.theory.lenses.common import budget_of
from proveout.theory.lenses.membership.inequality import inequality
from proveout.theory.statement import Membership
from proveout.theory.trial.mutants import mutants
from proveout.theory.witness import trust

trust(__name__)
ERROR = Membership(source="test", sides=contractive_sides(), constant=lambda C, d: 1.0)


def least(C, d, budget="quick"):
    """The largest E|C(v) - v|^2/|v|^2 that the lens finds."""
    return membership.largest(inequality(ERROR, C, d), budget_of(budget))


# ------------------------------------------------------------------ the dossier's tight constants

LINEAR = [
    (2, 2.0, (0.414214, 0.121320, 0.028943)),
    (4, 2.0, (1.0, 0.236068, 0.061553)),
    (4, math.inf, (0.5, 0.161438, 0.044862)),
]


@pytest.mark.parametrize("d, p, values", LINEAR)
def test_least_omega_of_linear_dithering(d, p, values):
    for s, value in zip((1, 2, 4), values, strict=True):
        found = least(LinearDithering(levels=s, p=p), d).figure
        assert found == pytest.approx(value, abs=1e-6)
        assert found <= LinearDithering(levels=s, p=p).omega(d) * (1 + 1e-9)


def test_least_omega_of_exponential_dithering():
    for s, value in zip((1, 2, 3, 5), (1.0, 0.236068, 0.150581, 0.125868), strict=True):
        found = least(ExponentialDithering(levels=s), 4).figure
        assert found == pytest.approx(value, abs=1e-6)
        assert found <= ExponentialDithering(levels=s).omega(4) * (1 + 1e-9)


@pytest.mark.parametrize("d", [2, 3, 5])
def test_ternary_is_half_of_quantisation_with_one_level(d):
    found = least(ternary(), d)
    assert found.exact
    assert found.figure == pytest.approx((math.sqrt(d) - 1) / 2, rel=1e-9)
    assert least(LinearDithering(levels=1, p=1.0), d).figure == pytest.approx(d - 1, rel=1e-9)


# ------------------------------------------------------------------ verdicts

EXACT = [
    ("IDENTITY_UNBIASED", {}),
    ("LAZY_UNBIASED", {}),
    ("RAND_K_UNBIASED", {"k": 1}),
    ("RAND_K_UNBIASED", {"k": 2}),
    ("BERNOULLI_UNBIASED", {}),
    ("ADAPTIVE_UNBIASED_UNBIASED", {}),
    ("NATURAL_UNBIASED", {}),
    ("TERNARY_UNBIASED", {}),
    ("PERMK_UNBIASED", {"clients": 2}),
    ("RAND_K_CONTRACTIVE", {"k": 1}),
    ("TOP_K_CONTRACTIVE", {"k": 1}),
    ("TOP_K_CONTRACTIVE", {"k": 2}),
    ("LAZY_CONTRACTIVE", {}),
    ("NEAREST_POWER_CONTRACTIVE", {"base": 3.0}),
    ("SCALED_SIGN_CONTRACTIVE", {}),
    ("ROUNDING_ABSOLUTE", {"mode": "random"}),
    ("PERMK_AB", {"clients": 3}),
    ("PERMK_AB", {"clients": 4}),
    ("CLASSES_EQUAL", {}),
]


@pytest.mark.parametrize("name, choice", EXACT, ids=[f"{n}-{c}" for n, c in EXACT])
def test_decided_for_all_inputs_and_least(name, choice):
    statement = getattr(compressors, name)
    verdict = membership.check(statement, None, statement.tune(**choice))
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "exact", "all")
    assert verdict.ratio == pytest.approx(0 if name.startswith("IDENTITY") else 1, abs=1e-6)


SEARCHED = [
    "LINEAR_DITHERING_UNBIASED",
    "ADAPTIVE_CONTRACTIVE",
    "LOW_RANK_CONTRACTIVE",
    "POWER_SGD",
    "THRESHOLD_ABSOLUTE",
]


@pytest.mark.parametrize("name", SEARCHED)
def test_searched_and_least(name):
    statement = getattr(compressors, name)
    verdict = membership.check(statement, None, statement.tune())
    assert (verdict.word, verdict.grade) == ("holds", "searched")
    assert verdict.ratio == pytest.approx(1, abs=1e-3 if name.startswith("THRESHOLD") else 1e-6)


LEMMAS = [
    ("SCALE", 1),
    ("COMPOSE", 1),
    ("DAMP_CONTRACTIVE", 1),
    ("AVERAGE", 3),
    ("LAZY_APPLY", 1),
    ("BLOCKS", 1),
    ("INDUCED", 1),
    ("EFBV_SCALE", 1),
    ("FEEDBACK_STEP", 1),
    ("SHIFT_STEP", 1),
]
PLAIN = {"DAMP_CONTRACTIVE": {"outer": "lazy", "inner": "biased_lazy"}}


@pytest.mark.parametrize("name, n", LEMMAS)
def test_lemmas_are_proved_for_every_member_and_tight(name, n):
    statement, P = getattr(compressors, name), build(f"class:n={n},L=2,mu=1")
    m = statement.tune(P, **PLAIN.get(name, {}))
    assert proof.check(statement, P, m).grade == "proved"
    verdict = worstcase.check(statement, P, m)
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name, n", LEMMAS)
def test_members_attain_the_lemmas(name, n):
    statement, P = getattr(compressors, name), build(f"quadratic:n={n},d=3")
    verdict = exact.check(statement, P, statement.tune(P, **PLAIN.get(name, {})))
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert verdict.ratio == pytest.approx(1, abs=1e-9)


def test_the_lemma_on_top_k_without_damping_is_attained():
    P, s = build("quadratic:n=1,d=3"), compressors.DAMP_CONTRACTIVE
    verdict = exact.check(s, P, s.tune(P, outer="natural", inner="top_k", damped=False))
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-4)
    cls = build("class:n=1,L=2,mu=1")
    assert worstcase.check(s, cls, s.tune(cls, inner="biased_lazy", damped=False)).word == "not applicable"


def test_a_compressor_that_is_the_identity_in_one_dimension_stands_for_no_class():
    with pytest.raises(ValueError, match="is the identity for d = 1"):
        block(build("class:n=1,L=2,mu=1"), "rand_k")
    with pytest.raises(ValueError, match="no compressor 'zip'"):
        block(build("quadratic:n=1,d=3"), "zip")


def test_an_operator_in_no_class_is_not_taken_for_a_contraction():
    P, s = build("class:n=1,L=2,mu=1"), replace(compressors.LAZY_APPLY, allows=lambda P, m: True)
    verdict = worstcase.check(s, P, LazyMessage(compressor=Sign(), p=0.5, scaled=False))
    assert verdict.word == "not applicable"
    assert "Sign is neither unbiased nor contractive" in verdict.note


def test_roots_of_fractions_are_fractions():
    assert root(Fraction(9, 4)) == Fraction(3, 2)
    assert isinstance(root(Fraction(1, 2)), float)
    P = build("class:n=1,L=2,mu=1")
    assert best_factor(P, block(P, "half"), block(P, "rare")) == pytest.approx(0.5 / 3.25)


@given(eta=st.floats(0.01, 0.99), omega=st.floats(0, 5), lam=st.floats(0.01, 1))
def test_no_factor_beats_the_best_one(eta, omega, lam):
    r = lambda f: (1 - f + f * eta) ** 2 + f**2 * omega
    best = min(1.0, (1 - eta) / ((1 - eta) ** 2 + omega))
    assert r(best) <= r(lam) + 1e-12
    if best < 1:
        assert r(best) == pytest.approx(omega / ((1 - eta) ** 2 + omega))


# ------------------------------------------------------------------ every operator at one input


@given(seed=seeds, alpha=st.floats(0.01, 0.99))
def test_sharp_implications_of_contraction(seed, alpha):
    """A member of B(alpha) with the worst mean meets the sharp inequalities, and (1 +- r) v attains them."""
    rng = np.random.default_rng(seed)
    r = math.sqrt(1 - alpha)
    v, off = rng.standard_normal((2, 3))
    share, noise = rng.uniform(0, 1, size=2)
    mean = v + r * share * math.sqrt(sqnorm(v) / sqnorm(off)) * off
    G, P = sqnorm(v), mean @ v
    S = sqnorm(mean) + noise * (1 - alpha - r**2 * share**2) * G
    assert S + alpha * G <= 2 * P + 1e-9 * G
    assert P >= (1 - r) * G - 1e-9 * G
    assert (1 - r) ** 2 * G - 1e-9 * G <= S <= (1 + r) ** 2 * G + 1e-9 * G


def test_one_inequality_says_unbiased_and_variance():
    """E|Q - w|^2 - |v - w|^2 = E|Q - v|^2 + 2 <E Q - v, v - w>."""
    v, w = np.random.default_rng(0).standard_normal((2, 1, 3))
    C, sides = RandK(k=1), unbiased_sides()
    prob, draw = C.law(1, 3).atoms()
    left, right = sides(C, np.stack([v, w]), draw)
    sent = C(v, draw)
    assert prob @ left == pytest.approx(prob @ sqnorm(sent - w, 2) - sqnorm(v - w, 2))
    assert right == pytest.approx(sqnorm(v, 2))


# ------------------------------------------------------------------ the lens


@dataclass(frozen=True)
class Shifted:
    """A bias that only shows in one place of the sorted cone, or in one coordinate."""

    kind: str

    def law(self, n, d):
        return Adaptive().law(n, d) if self.kind == "adaptive" else Sure(np.zeros((n, 1)))

    def __call__(self, x, draw):
        size = abs(x)
        if self.kind == "largest":
            return x + 1e-3 * np.sign(x) * (size == size.max(axis=-1, keepdims=True)) * size
        if self.kind == "adaptive":
            return Adaptive()(x, draw) + 1e-6 * x
        return x + 1e-3 * np.where(size % 1 > 0.5, x, 0.0)


@pytest.mark.parametrize("kind", ["largest", "half", "adaptive"])
def test_a_small_bias_is_found(kind):
    statement = Membership(
        source="test",
        sides=unbiased_sides(),
        constant=lambda C, d: 3.0,
        shape=lambda C, d: (2, 1, d),
        dims=(2, 3),
    )
    verdict = membership.check(statement, None, Shifted(kind))
    assert verdict.word == "violated"
    lhs, rhs = membership.sides(statement, None, Shifted(kind), json.loads(json.dumps(verdict.witness)))
    assert lhs > rhs
    assert verdict.ratio is None or verdict.ratio == math.inf


def test_the_sorted_cone_decides_what_is_quadratic_where_the_order_is_fixed():
    for C, d, value in [(TopK(k=2), 5, 3 / 5), (ScaledSign(), 4, 3 / 4), (Adaptive(), 4, 3.0)]:
        found = least(C, d)
        assert found.exact
        assert found.how == "sorted cone"
        assert found.figure == pytest.approx(value, rel=1e-9)


@given(seed=seeds)
def test_the_sorted_cone_agrees_with_a_search(seed):
    """Weights on the sorted entries: E|C(v) - v|^2 = sum_j w_j v_(j)^2."""
    w = np.random.default_rng(seed).uniform(0, 1, 4)

    @dataclass(frozen=True)
    class Weighted:
        def law(self, n, d):
            return Sure(np.zeros((n, 1)))

        def __call__(self, x, draw):
            rank = np.argsort(np.argsort(-abs(x), axis=-1, kind="stable"), axis=-1)
            return x - np.sqrt(w[rank]) * x

    found = least(Weighted(), 4)
    assert found.exact
    assert found.figure == pytest.approx((np.cumsum(w) / np.arange(1, 5)).max(), rel=1e-9)


def test_scaled_sign_only_approaches_its_constant():
    statement = compressors.SCALED_SIGN_CONTRACTIVE
    verdict = membership.check(
        replace(statement, constant=lambda C, d: 0.999 * (1 - 1 / d)), None, ScaledSign()
    )
    assert verdict.word == "violated"
    lhs, rhs = membership.sides(statement, None, ScaledSign(), verdict.witness)
    assert 1 - 1e-6 < lhs / rhs <= 1


def test_each_of_several_claims_must_be_met_and_be_least():
    def sides(weights):
        return lambda C, u, draw: (
            np.stack([w * sqnorm(C(u, draw) - u, 2) for w in weights], axis=-1),
            np.stack([sqnorm(u, 2) + 0 * sqnorm(C(u, draw), 2)] * len(weights), axis=-1),
        )

    def word(*weights, **more):
        s = Membership(source="test", sides=sides(weights), constant=lambda C, d: 2.0, dims=(3,), **more)
        verdict = membership.check(s, None, RandK(k=1))
        if verdict.word == "violated" and not more:
            lhs, rhs = membership.sides(s, None, RandK(k=1), json.loads(json.dumps(verdict.witness)))
            assert lhs / rhs == pytest.approx(max(weights))
        return verdict.word

    assert word(1.0, 0.9) == "holds"
    assert word(1.0, 1.1) == "violated"
    assert word(1.0, 1.0, least=True) == "holds"
    assert word(1.0, 0.9, least=True) == "violated"


def test_grid_points_between_marks_are_judged_in_one_period():
    verdict = membership.check(compressors.NATURAL_UNBIASED, None, Natural(base=5.0))
    assert verdict.grade == "exact"
    assert "t ~ 5 t" in verdict.note


# ------------------------------------------------------------------ families


def test_permk_needs_its_clients():
    verdict = membership.check(compressors.PERMK_AB, None, PermK(clients=5))
    assert verdict.word == "not applicable"
    independent = replace(
        compressors.PERMK_AB,
        sides=lambda C, u, draw: compressors.PERMK_AB.sides(C, u, draw),
        constant=lambda C, d: 0.95,
    )
    assert membership.check(independent, None, PermK(clients=2)).word == "violated"


def test_power_sgd_is_contractive_with_fresh_columns_only():
    statement = compressors.POWER_SGD
    m = PowerSGD(rank=1, rows=2, columns=True)
    kept = next(t for t in statement.twins if t.name.startswith("Q kept"))
    altered, _, _ = kept.edit(statement, None, m)
    verdict = membership.check(altered, None, m)
    assert verdict.word == "violated"
    assert verdict.ratio == pytest.approx(2, rel=1e-3)


def test_the_average_of_contractive_messages_diverges_for_every_step_size():
    P = example()
    for gamma in (1e-3, 1e-2, 0.1):
        trace = run(P, Averaged(compressor=TopK(k=1), gamma=gamma), steps=3, seeds=1, x0=np.ones(3), every=1)
        np.testing.assert_allclose(
            trace["dist2"][:, 0], 3 * (1 + 11 * gamma / 6) ** (2 * np.arange(4)), rtol=1e-12
        )


def test_top_2_does_not_help_there():
    P, x = example(), np.ones(3)
    g = TopK(k=2)(P.grads(x[None]), None).mean(axis=0)
    np.testing.assert_allclose(g, np.array([7, -2, -11]) / 6, rtol=1e-12)
    assert g @ P.grad(x) < 0


def test_every_twin_of_compressors_is_killed():
    rows = mutants(["compressors"], budget="quick", jobs=1).rows
    assert len(rows) > 100
    assert [(r.id, r.twin, r.word) for r in rows if r.word != "killed"] == []
