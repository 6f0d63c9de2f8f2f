"""Witnesses that one assumption does not imply another, and the blocks and the curve that they are made of."""

import math
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest

from proveout.methods.blocks.assumptions import (
    ABC,
    ABS,
    ASSUMPTIONS,
    BND,
    BREQ,
    BVD,
    CON,
    FSML,
    SG2,
    Scalars,
)
from proveout.methods.blocks.estimators import Affine, Compressed
from proveout.methods.blocks.linear import Linear
from proveout.methods.blocks.tails import Clipped, Growing
from proveout.methods.blocks.variants import ABC0, CON1, ranges
from proveout.problems import Quadratics, build
from proveout.problems.curves import Curve
from proveout.theory import biased_sgd as bs
from proveout.theory import zoo
from proveout.theory.biased_sgd.hierarchy import apart as statements
from proveout.theory.lenses import membership
from proveout.theory.scalars import hopeless
from proveout.theory.scalars.apart import apart
from proveout.theory.scalars.cone import value
from proveout.theory.scalars.exact import forms, member
from proveout.theory.scalars.fitting import fitted
from proveout.theory.scalars.hopeless import why
from proveout.theory.scalars.realise import round_problem
from proveout.theory.scalars.tails import tail

LINE = round_problem(1)


# ------------------------------------------------------------------ witnesses


@pytest.mark.parametrize("name", ["X1", "X2", "X3", "X4", "X5", "X7"])
def test_the_table_of_witnesses_is_what_simple_constants_and_the_zoo_find(name):
    """In a class by exact constants if and only if the matrix inequalities find least ones."""
    estimator = statements.WITNESSES[name]
    found = forms(LINE, estimator)
    for kind in ASSUMPTIONS.values():
        record = fitted(kind, found)
        own = zoo.least(kind, estimator, LINE)
        assert (record is None) == (own is None)
        ends = [hopeless(kind, end) is not None for end in found.ends()]
        assert any(ends) == (record is None)
        if record is not None:
            assert member(record, found) is None


def test_the_constants_of_the_dossier_are_found():
    table = {
        "X1": (CON(alpha=F(3, 4)), BVD(eta=F(1, 4), xi=0), FSML(q=F(1, 2), u2=F(1, 4))),
        "X2": (BVD(eta=0, xi=2), BREQ(rho=1, zeta=3), BND(M=2), FSML(q=1, u2=1, U=2)),
        "X4": (ABS(Delta2=1), BND(phi2=1), ABC(A=0, B=2, C=2, b=F(1, 2), c=F(1, 2))),
        "X5": (ABS(Delta2=1), BND(sigma2=1), FSML(q=1, u2=1, Q=1)),
    }
    for name, expected in table.items():
        found = forms(LINE, statements.WITNESSES[name])
        for record in expected:
            assert fitted(type(record), found) == record


def test_constants_one_per_cent_too_good_are_refused():
    found = forms(LINE, statements.WITNESSES["X2"])
    assert member(BREQ(rho=1, zeta=3), found) is None
    assert member(BREQ(rho=F(101, 100), zeta=3), found) == 0
    assert member(BREQ(rho=1, zeta=F(299, 100)), found) == 1


def test_a_witness_with_cross_terms_is_judged_by_its_whole_matrix():
    """g = 3x + 1: P = 3x^2 + x >= 2 x^2 - c needs c >= 1/4 though the corners say nothing."""
    found = forms(LINE, statements.WITNESSES["X7"])
    assert member(ABC(A=0, B=18, C=2, b=2, c=F(1, 4)), found) is None
    assert member(ABC(A=0, B=18, C=2, b=2, c=F(24, 100)), found) == 0
    assert member(ABC(A=0, B=18, C=F(199, 100), b=2, c=F(1, 4)), found) == 1


def test_what_a_class_cannot_allow():
    assert hopeless(CON, Scalars(G=1, P=0, E1=0)) == 0  # g = 0: MSE = G
    assert hopeless(CON1, Scalars(G=1, P=0, E1=0)) is None
    assert hopeless(ABC, Scalars(G=1, P=0)) == 0
    assert hopeless(ABC, Scalars(G=1, P=F(1, 100))) is None
    assert hopeless(FSML, Scalars(V=1, one=1)) is None  # Q allows it
    assert hopeless(BREQ, Scalars(V=1, one=1)) == 1
    assert hopeless(ABC0, Scalars(D=1, V=1)) == 1
    assert hopeless(ABC, Scalars(D=1, V=1)) is None
    assert why(BND, Scalars(G=1, P=3, E1=9)) == "|E g - grad f|^2 = 4 G"
    assert why(CON, Scalars(G=1, P=1, E1=1)) == ""
    assert ranges(BND)["m"] == (0, 1, True, False)


def test_growing_noise_meets_biased_abc_with_equality_and_needs_its_a():
    found = tail(Curve(), Growing(A=1.0))
    assert all(value(r, s) == 0 for r in ABC(A=1, B=1, C=0, b=1, c=0).rows() for s in found.points)
    assert found.end == Scalars(D=F(1, 2), V=F(1))
    assert fitted(ABC0, found) is None
    everything = tuple(k for k in ASSUMPTIONS.values() if k is not ABC)
    assert not apart(ABC(A=1, B=1, C=0, b=1, c=0), (*everything, ABC0), Curve(), Growing(A=1.0)).fault


def test_on_a_quadratic_growing_noise_needs_no_a():
    shown = apart(ABC(A=1, B=1, C=0, b=1, c=0), ABC0, LINE, Growing(A=1.0))
    assert "ABC0(A=Fraction(0, 1), B=Fraction(2, 1)" in shown.fault
    assert shown.decided


def test_clipping_is_biased_abc_where_gradients_are_bounded():
    bounded = tail(Curve(), Clipped(tau=0.5))
    assert all(bounded.holds(r) for r in ABC(A=0, B=1, C=0, b=F(1, 2), c=0).rows())
    assert not all(bounded.holds(r) for r in ABC(A=0, B=1, C=0, b=F(51, 100), c=0).rows())
    unbounded = tail(LINE, Clipped(tau=1.0))
    assert hopeless(ABC, unbounded.end) == 0


def test_scalars_that_are_not_the_estimators_are_refused():
    class Liar(Growing):
        def on_line(self, D, slope):
            return super().on_line(2 * D, slope)

    with pytest.raises(ValueError, match="not those of the estimator"):
        tail(Curve(), Liar(A=1.0))


def test_what_cannot_be_read_exactly_is_refused():
    from proveout.methods.blocks.compressors import TopK

    with pytest.raises(ValueError, match="must be h"):
        forms(build("quadratic:n=1,d=2,kappa=3"), Affine(factors=(1.0,)))
    with pytest.raises(ValueError, match="not affine"):
        forms(round_problem(2), Compressed(TopK(k=1)))
    with pytest.raises(ValueError, match="not simple fractions"):
        forms(LINE, Affine(factors=(math.sqrt(2),)))
    unread = replace(bs.CON_NOT_ABS, witness=lambda: (LINE, Affine(factors=(math.sqrt(2),))))
    assert membership.check(unread, None, None).word == "not applicable"


def test_improper_constants_of_a_premise_are_a_fault():
    shown = apart(BVD(eta=1, xi=0), ABC, LINE, Affine(factors=(0.0,)))
    assert "not proper" in shown.fault


# ------------------------------------------------------------------ blocks and the curve


def test_the_curve_is_smooth_with_bounded_gradients():
    P = build("curve:d=3")
    x = np.random.default_rng(0).standard_normal((50, 3)) * 10.0 ** np.linspace(-4, 4, 50)[:, None]
    step = 1e-6 * np.maximum(1, np.abs(x))
    for j in range(3):
        e = step * np.eye(3)[j]
        slope = (P.value(x + e) - P.value(x - e)) / (2 * e[:, j])
        assert np.allclose(slope, P.grad(x)[:, j], atol=1e-4)
    assert (np.linalg.norm(P.grad(x), axis=1) <= 1).all()
    assert (
        np.linalg.norm(P.grad(x) - P.grad(x[::-1]), axis=1) <= P.L * np.linalg.norm(x - x[::-1], axis=1)
    ).all()
    for u in (F(1), F(3, 2), F(100)):
        at, gap, slope = Curve().profile(u)
        assert float(gap) == pytest.approx(float(Curve().value(np.array([float(at)]))))
        assert float(slope) == pytest.approx(float(Curve().grad(np.array([float(at)]))[0]))
    with pytest.raises(ValueError, match="d must be >= 1"):
        build("curve:d=0")


def test_a_linear_estimator_is_what_it_says():
    e = Linear(matrices=(((1, 2), (3, 4)), ((0, 0), (0, 0))), shifts=((1, 1), (0, 0)), probs=(0.25, 0.75))
    P, x = round_problem(2), np.array([[1.0, -1.0], [2.0, 0.5]])
    prob, draw = e.law(P).atoms()
    assert prob.tolist() == [0.25, 0.75]
    g = e(P, x[:, None, :], draw[None])
    assert g[:, 0].tolist() == [[0.0, 0.0], [4.0, 9.0]]
    assert not g[:, 1].any()
    one = e(P, x[0], draw[0])
    assert one.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"matrices": (((1.0, 2.0),),)}, "matrices must be square"),
        ({"matrices": (((1.0,),),), "probs": (0.5, 0.5)}, "probs must have one entry per matrix"),
        ({"matrices": (((1.0,),),), "probs": (0.5,)}, "probs must be >= 0 and sum to 1"),
        ({"matrices": (((1.0,),),), "shifts": ((1.0, 2.0),)}, "shifts must have 1 entries"),
    ],
)
def test_a_linear_estimator_that_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Linear(**wrong)


def test_a_witness_is_confirmed_on_other_curvatures():
    P = Quadratics(A=3 * np.eye(1)[None], b=np.ones((1, 1)))
    found = forms(P, Affine(factors=(3.0,)))
    assert fitted(SG2, found) == SG2(tau=3, beta=3)
    assert found.matrices.D[0, 0] == F(1, 6)
