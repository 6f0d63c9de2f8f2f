"""The table of estimators: Biased ABC constants, those that are least and those that are only valid."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import inner, sqnorm
from proveout.laws import reported_weights
from proveout.methods.blocks.assumptions import ABC
from proveout.methods.blocks.compressors import (
    BiasedAdaptive,
    ExponentialDithering,
    IntegerRounding,
    Natural,
    NearestPower,
    NearestRounding,
    NormSign,
    Rounding,
    ScaledSign,
    Threshold,
    TopKDithering,
)
from proveout.methods.blocks.estimators import Compressed
from proveout.methods.blocks.smoothing import SmoothedQuadratic, exact_abc, smooth_abc
from proveout.problems import build
from proveout.testing import seeds
from proveout.theory.biased_sgd import table
from proveout.theory.biased_sgd.absolute import by_error, kept
from proveout.theory.cases.biased_sgd.table import CASES
from proveout.theory.lenses import membership
from proveout.theory.trial.mutants import mutants

EXACT = {"unbiased_rounding", "natural", "biased_rounding", "sign", "smoothing"}
LOOSE = {"exp_dithering", "natural_dithering", "top_k_dithering"}


def scalars(C, v):
    """G, P, S of C at v (d,), over all draws."""
    prob, draw = C.law(1, len(v)).atoms()
    with reported_weights() as reports:
        sent = np.broadcast_to(C(v[None, None, :], draw), (len(prob), 1, len(v)))[:, 0]
    for report in reports:
        prob = prob * report.reshape(len(prob), -1).prod(axis=1)
    return sqnorm(v), prob @ inner(sent, v), prob @ sqnorm(sent)


# ------------------------------------------------------------------ verdicts


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_every_row_of_the_table_holds(case):
    name = case.id.removeprefix("biased_sgd.").removesuffix("_abc")
    assert case.statement.least == (name not in LOOSE | {"smoothing"})
    for choice in case.settings:
        verdict = membership.check(case.statement, None, case.statement.tune(**choice))
        assert verdict.word == "holds", verdict.note
        assert verdict.grade == ("exact" if name in EXACT else "searched")
        assert verdict.ratio == pytest.approx(1, abs=2e-3)


def test_every_row_but_top_k_and_rand_k_stands_here():
    assert {c.id.removeprefix("biased_sgd.").upper() for c in CASES} == set(table.__all__)
    assert all(c.statement is getattr(table, c.id.removeprefix("biased_sgd.").upper()) for c in CASES)


# ------------------------------------------------------------------ constants


def test_the_numbers_of_the_table():
    assert Natural().growth(5) == (1.0, pytest.approx(9 / 8))
    assert NearestPower().growth(5) == (pytest.approx(2 / 3), pytest.approx(16 / 9))
    assert NearestPower(base=3.0).growth(5) == (pytest.approx(1 / 2), pytest.approx(9 / 4))
    assert BiasedAdaptive().growth(5) == ScaledSign().growth(5) == (1 / 5, 1.0)
    assert NormSign().growth(5) == (1.0, 5.0)
    grid = Rounding(base=10.0, marks=(1, 2, 5))
    assert grid.growth(1)[1] == pytest.approx((5 / 2 + 2 / 5 + 2) / 4)
    assert TopKDithering(k=2, levels=3).growth(4)[0] == 1 / 2
    assert table.recalled(ExponentialDithering(levels=3), 4) == pytest.approx(9 / 8 + 1 / 4)  # h = 1/2


@given(base=st.floats(1.1, 9))
def test_the_b_of_the_table_for_biased_rounding_is_valid_and_smaller(base):
    low, high = NearestRounding(base=base).slopes()
    assert low**2 / high <= low
    assert low == pytest.approx(2 / (1 + base))
    assert 1 - NearestRounding(base=base).alpha(1) == pytest.approx(((base - 1) / (base + 1)) ** 2)


@given(
    a=st.floats(1.1, 4),
    s=st.integers(1, 6),
    p=st.sampled_from([1.0, 1.5, 2.0, math.inf]),
    d=st.integers(1, 30),
)
def test_the_sharper_constant_of_dithering_is_never_worse(a, s, p, d):
    C = ExponentialDithering(levels=s, base=a, p=p)
    assert 1 + C.omega(d) <= table.recalled(C, d) * (1 + 1e-12)
    top = TopKDithering(k=d, levels=s, base=a, p=p)
    assert top.growth(d + 3)[1] <= table.recalled(C, d + 3) ** 2


ALL = [
    BiasedAdaptive(),
    Rounding(base=10.0, marks=(1, 2, 5)),
    Natural(),
    NearestRounding(marks=(1, 1.25, 1.5)),
    ExponentialDithering(levels=4, base=1.5),
    TopKDithering(k=2, levels=2),
    NormSign(),
    ScaledSign(),
]


@pytest.mark.parametrize("C", ALL, ids=repr)
@given(seed=seeds)
def test_constants_hold_at_random_inputs(C, seed):
    v = np.random.default_rng(seed).standard_normal(4) * 10 ** np.random.default_rng(seed).uniform(-3, 3)
    G, P, S = scalars(C, v)
    b, B = C.growth(4)
    assert P >= b * G * (1 - 1e-12)
    assert S <= B * G * (1 + 1e-12)


@pytest.mark.parametrize(
    "C", [Threshold(w=0.5), IntegerRounding(scale=3.0), IntegerRounding(scale=3.0, mode="floor")]
)
@given(seed=seeds)
def test_constants_of_absolute_errors(C, seed):
    """ABS: (0, 2, 2 D, 1/2, D/2); the table's row for rounding has D = d/chi^2, four times what the nearest needs."""
    v = np.random.default_rng(seed).standard_normal(3) * 10 ** np.random.default_rng(seed).uniform(-2, 2)
    (G, P, S), D = scalars(C, v), C.absolute(3)
    for k in (*by_error(C, 3), *(kept(C, 3) if isinstance(C, Threshold) else ())):
        assert P >= k.b * G - k.c - 1e-12 * G
        assert S <= k.B * G + k.C + 1e-12 * G
    assert G - 2 * P + S <= D * (1 + 1e-12)
    assert 4 * IntegerRounding(scale=3.0).absolute(3) == IntegerRounding(scale=3.0, mode="floor").absolute(3)


def test_a_threshold_sends_what_it_correlates_with():
    v = np.array([0.4, 0.6, -2.0])
    G, P, S = scalars(Threshold(w=0.5), v)
    assert P == S == pytest.approx(0.36 + 4)
    assert P >= G - 3 * 0.25


def test_adaptive_sparsification_correlates_with_what_it_sends():
    v = np.array([1.0, -2.0, 0.5])
    _, P, S = scalars(BiasedAdaptive(), v)
    assert P == pytest.approx(S)
    assert P == pytest.approx((abs(v) ** 3).sum() / abs(v).sum())


def test_the_signs_row_of_the_table_is_what_contraction_gives():
    """(4 - 2/d, 1/(2d)) is CON with delta = d; (1, 1/d) is better."""
    for d in (2, 5, 50):
        b, B = ScaledSign().growth(d)
        assert 2 * (2 - 1 / d) == pytest.approx(4 - 2 / d)
        assert B <= 4 - 2 / d
        assert b >= 1 / (2 * d)


def test_rounding_per_client_does_not_correlate_with_the_mean():
    """Gradients (1.45, 1.6, -3.01): the mean is .01333, the mean of the nearest powers of two -1/3."""
    v = np.array([[1.45], [1.6], [-3.01]])
    sent = NearestPower()(v, None)
    assert sent.ravel().tolist() == [1, 2, -4]
    assert v.mean() == pytest.approx(0.01333, abs=1e-5)
    assert sent.mean() == pytest.approx(-1 / 3)


# ------------------------------------------------------------------ estimators


def test_estimators_declare_the_constants_of_the_table():
    P = build("quadratic:n=1,d=3")
    assert Compressed(Natural()).abc(P) == ABC(B=1.125, b=1.0)
    assert Compressed(ScaledSign()).abc(P) == ABC(B=1.0, b=1 / 3)


@given(seed=seeds, radius=st.floats(0.01, 2))
def test_smoothing_in_closed_form(seed, radius):
    """E g = v, E|g|^2 = (d + 2)|v|^2 + tau^2/4 (d + 4)((tr H)^2 + 2 tr H^2), below the constants for smooth functions."""
    h = (1.0, 3.0, 10.0)
    C = SmoothedQuadratic(radius=radius, curvatures=h)
    x = np.random.default_rng(seed).standard_normal(3)
    prob, z = C.law(1, 3).atoms()
    g, v = C(x[None], z)[:, 0], C.gradient(x)
    np.testing.assert_allclose(prob @ g, v, rtol=1e-8, atol=1e-8)
    k, s = exact_abc(3, sum(h), sum(c**2 for c in h), radius), smooth_abc(3, 10.0, radius)
    assert prob @ sqnorm(g) == pytest.approx(k.B * sqnorm(v) + k.C, rel=1e-10)
    assert k.B <= s.B
    assert k.C <= s.C
    assert C.abc(3) == k


def test_every_twin_of_the_table_is_killed():
    rows = mutants([c.id for c in CASES], budget="quick", jobs=1).rows
    assert len(rows) >= 35
    assert [(r.id, r.twin) for r in rows if r.word != "killed"] == []
