"""Arrows between assumptions: constants, frontiers, proofs for all constants, the scalar procedure behind them."""

import json
import math
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proveout.methods.blocks.assumptions import (
    ABC,
    ABS,
    BND,
    BREQ,
    BVD,
    CON,
    FSML,
    SG1,
    SG2,
    Scalars,
)
from proveout.methods.blocks.estimators import Affine
from proveout.methods.blocks.linear import Linear, turned
from proveout.methods.blocks.variants import UnbiasedABC
from proveout.problems import build
from proveout.theory import biased_sgd as bs
from proveout.theory import zoo
from proveout.theory.biased_sgd.hierarchy import atlas, multiples, to_abc
from proveout.theory.biased_sgd.hierarchy.arrow import too_good
from proveout.theory.biased_sgd.hierarchy.formula import root
from proveout.theory.cases.biased_sgd.hierarchy import CASES
from proveout.theory.lenses import membership
from proveout.theory.lenses.membership.everywhere import certificates
from proveout.theory.scalars import implied, realise
from proveout.theory.scalars.cone import FULL, frame_of, least, value
from proveout.theory.scalars.implied import pivot_of
from proveout.theory.scalars.proof import certificate
from proveout.theory.scalars.realise import at_point, round_problem
from proveout.theory.verify import digest, fault

ARROWS = atlas.arrows()
LINE = round_problem(1)


# ------------------------------------------------------------------ constants


def test_the_frontier_of_bnd_to_the_digits_of_the_dossier():
    assert to_abc.least_c(0.3, 0.7, 0.35) == pytest.approx(0.35, abs=1e-15)
    assert to_abc.least_c(0.3, 0.7, 0.4070) == pytest.approx(0.42669, abs=1e-5)
    assert to_abc.least_c(0, F(1), F(1, 4)) == F(1, 3)
    assert to_abc.least_c(1e-9, 1.0, 0.25) == pytest.approx(1 / 3, rel=1e-6)


@given(m=st.floats(0.01, 0.9), phi2=st.floats(0.1, 10), share=st.floats(0.05, 0.95))
def test_the_frontier_is_the_supremum_over_g(m, phi2, share):
    b = share * (1 - math.sqrt(m))
    G = np.concatenate([np.logspace(-6, 6, 4001) * phi2, [phi2 / (1 - m)]])
    sup = ((b - 1) * G + np.sqrt(G * (m * G + phi2))).max()
    assert sup <= to_abc.least_c(m, phi2, b) * (1 + 1e-9)
    assert sup == pytest.approx(to_abc.least_c(m, phi2, b), rel=1e-3)


def test_the_table_constants_of_bnd_and_abs_lie_on_the_frontier():
    a = BND(m=0.3, phi2=0.7, M=0.9, sigma2=1.3)
    b = to_abc.bnd_to_abc(a)
    assert to_abc.least_c(a.m, a.phi2, b.b) == pytest.approx(b.c, rel=1e-12)
    assert to_abc.least_growth(a, b.B) == pytest.approx(b.C, rel=1e-12)
    assert to_abc.least_c(0, F(3), F(1, 2)) == F(3, 2)


@pytest.mark.parametrize("kappa", [F(1, 4), F(4, 9), 0.5])
def test_contraction_implies_beta_one_plus_root_kappa_and_a_multiple_of_the_gradient_attains_it(kappa):
    r = root(kappa)
    found = implied(CON(alpha=1 - kappa), SG2(tau=1 - r, beta=2))
    assert found.holds
    assert found.rows[1].needed == pytest.approx(1 + float(r), abs=1e-9)
    s = at_point(LINE, Affine(factors=(1 + float(r),)), np.array([0.7]))
    assert s.E1 + s.V == pytest.approx((1 + float(r)) * s.P)
    assert s.E1 + s.V - 2 * s.P + s.G == pytest.approx(float(kappa) * s.G)


@given(eta=st.floats(0, 0.95), xi=st.floats(0, 5), other=st.floats(0.01, 1.5))
def test_no_multiple_of_a_bvd_estimator_contracts_better_than_the_best(eta, xi, other):
    a = BVD(eta=eta, xi=xi)
    best, factor = multiples.best_factor(a), min(other, 1.0)
    assert multiples.scaled_bvd(a, factor).alpha <= multiples.scaled_bvd(a, best).alpha + 1e-12


def test_what_is_conditional_needs_its_condition():
    verdict = membership.check(bs.BVD_IMPLIES_CON, None, BVD(eta=F(1, 2), xi=F(11, 20)))
    assert verdict.word == "not applicable"
    noisy = implied(FSML(q=F(1), u2=F(1), U=F(0), Q=F(1)), BREQ(rho=F(1), zeta=F(10**6)))
    assert not noisy.holds
    assert noisy.rows[1].needed == math.inf
    over = implied(BVD(eta=F(1, 2), xi=F(1, 2)), CON(alpha=F(1, 10**6)))
    assert not over.holds
    assert over.rows[0].needed == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("mu", [F(1, 3), F(2)])
def test_under_a_pl_inequality_a_is_never_needed(mu):
    world = (Scalars(D=2 * mu, G=-1),)
    a = UnbiasedABC(A=F(2), B=F(1), C=F(3))
    sharp = ABC(A=0, B=1 + 2 / mu, C=F(3), b=F(1), c=0)
    assert implied(a, sharp, world).proved
    assert not implied(a, sharp).holds
    assert not implied(a, replace(sharp, B=F(99, 100) * sharp.B), world).holds


def test_exact_roots_stay_fractions():
    assert root(F(4, 9)) == F(2, 3)
    assert isinstance(root(F(4, 9)), F)
    assert root(0) == 0
    assert root(F(1, 2)) == pytest.approx(math.sqrt(0.5))


positive = st.fractions(F(1, 20), 5, max_denominator=40)
unit = st.fractions(0, F(11, 12), max_denominator=12)


@st.composite
def records(draw):
    """A record of constants whose roots are rational, and the arrows that leave it."""
    kind = draw(st.sampled_from([CON, BVD, SG1, SG2, BREQ, FSML, BND, ABS]))
    r, x, y = draw(unit), draw(positive), draw(positive)
    made = {
        CON: lambda: CON(alpha=1 - r**2),
        BVD: lambda: BVD(eta=r**2, xi=x),
        SG1: lambda: SG1(alpha=min(x, y**2), beta=y),
        SG2: lambda: SG2(tau=min(x, y), beta=y),
        BREQ: lambda: BREQ(rho=x, zeta=x**2 + y),
        FSML: lambda: FSML(q=x, u2=x**2 + y, U=r * y, Q=draw(st.sampled_from([F(0), y]))),
        BND: lambda: BND(m=r**2, phi2=x, M=y, sigma2=r),
        ABS: lambda: ABS(Delta2=x),
    }
    return made[kind]()


@given(a=records())
def test_every_arrow_is_proved_and_tight_at_any_rational_constants(a):
    """Not at those of the cases alone, and without the formulas."""
    leaving = [v for k, v in ARROWS.items() if v.given is type(a)]
    assert leaving
    for arrow in leaving:
        if not arrow.allows(None, a):
            continue
        found = implied(a, arrow.constants(a))
        assert found.proved
        assert all(abs(r.figure - 1) < 1e-6 for r in found.rows if r.claimed)
        if arrow.printed is not None:
            assert implied(a, arrow.printed(a)).proved


GENERAL = [c for c in CASES if getattr(c.statement, "everywhere", ())]


@pytest.mark.parametrize("case", GENERAL, ids=lambda c: c.id.partition(".")[2])
def test_it_is_proved_for_all_constants_by_certificates_that_break_if_a_number_changes(case):
    proofs = certificates(case.statement)
    rows = {row for one in case.statement.everywhere for row, f in enumerate(one.rows) if f is not None}
    assert rows == set(range(len(case.statement.then.parts)))  # every row, on every range
    for proof in json.loads(json.dumps(proofs)):
        assert fault(proof) is None
        changed = json.loads(json.dumps(proof))
        form = next((q for q in changed["after"]["blocks"] if q), changed["after"]["blocks"][0])
        if not form:  # the claim is 0 <= 0 where E g = grad f
            form.append([0, 0, [[[0] * len(proof["variables"]), "0"]]])
        number = form[0][2][0]
        number[1] = str(F(number[1]) * F(101, 100) + 1)
        assert fault(changed) is not None
        changed["sha256"] = digest(changed)
        assert fault(changed) is not None


@pytest.mark.parametrize("case", GENERAL, ids=lambda c: c.id.partition(".")[2])
def test_no_formula_proves_a_constant_one_per_cent_better(case):
    """In every row its pivot, larger or smaller: the same multipliers leave no square."""
    arrow = case.statement
    for one in arrow.everywhere:
        for k, formula in enumerate(one.rows):
            if formula is None:
                continue
            a = one.setting(*(F(3, 2) for _ in one.variables))
            name = pivot_of(arrow.constants(a), arrow.then.parts[k])
            factor = F(101, 100) if name in arrow.then.lower else F(99, 100)
            better = replace(arrow, constants=too_good(arrow.constants, **{name: factor}), everywhere=(one,))
            with pytest.raises(ValueError, match="refuses"):
                certificates(better)


def test_all_arrows_are_proved_for_all_constants():
    assert len(GENERAL) == 31


def test_a_formula_that_is_no_proof_makes_the_verdict_inconclusive():
    wrong = replace(bs.CON_IMPLIES_SG2.everywhere[0].rows[0], slope=lambda a: 1)
    one = replace(bs.CON_IMPLIES_SG2.everywhere[0], rows=(wrong, bs.CON_IMPLIES_SG2.everywhere[0].rows[1]))
    doubtful = replace(bs.CON_IMPLIES_SG2, everywhere=(one,))
    verdict = membership.check(doubtful, None, CON(alpha=F(3, 4)))
    assert verdict.word == "inconclusive"
    assert "for all constants fails" in verdict.note


# ------------------------------------------------------------------ the procedure


def test_a_certificate_is_checked_by_the_standard_verifier_and_breaks_if_a_number_changes():
    found = implied(CON(alpha=F(3, 4)), ABC(A=0, B=F(9, 4), C=0, b=F(1, 2), c=0))
    for row in found.rows:
        proof = json.loads(json.dumps(row.proof))
        assert fault(proof) is None
        proof["inequalities"][0]["multiplier"] = "1/3"
        assert fault(proof) == "the format or the digest does not fit"
        proof["sha256"] = digest(proof)
        assert "not positive semidefinite" in fault(proof)


def test_no_certificate_is_written_for_floats_or_for_what_is_false():
    sources, target = CON(alpha=F(3, 4)).rows(), ABC(b=F(51, 100)).rows()[0]
    assert certificate(sources, target, (1.0,), FULL) is None
    assert certificate(CON(alpha=0.75).rows(), ABC(b=F(1, 2)).rows()[0], (1.0,), FULL) is None


def test_a_row_that_forces_equality_shrinks_the_gram_matrix():
    assert frame_of(BVD(eta=F(0), xi=F(2)).rows()) == ((1, 1),)  # E g = grad f
    assert frame_of(BVD(eta=F(1, 4), xi=F(2)).rows()) == FULL
    assert frame_of((Scalars(G=1),)) == ((0, 1),)
    assert frame_of((Scalars(G=1, E1=1),)) == ()
    unbiased = implied(BVD(eta=F(0), xi=F(2)), BREQ(rho=F(1), zeta=F(3)))
    assert unbiased.proved


def test_the_least_constant_comes_with_the_point_that_needs_it():
    sources = CON(alpha=F(3, 4)).rows()
    best = least(sources, Scalars(E1=1, V=1), Scalars(G=-1))
    assert best.sound
    assert best.theta == pytest.approx(9 / 4, abs=1e-9)
    assert value(Scalars(E1=1, V=1), best.point) / best.point.G == pytest.approx(9 / 4, abs=1e-6)
    assert value(sources[0], best.point) == pytest.approx(0, abs=1e-6)


@given(
    D=st.floats(0.01, 10),
    G=st.floats(0.01, 10),
    angle=st.floats(-1, 1),
    E1=st.floats(0, 10),
    V=st.floats(0, 10),
)
def test_every_feasible_point_is_realised_by_a_linear_estimator(D, G, angle, E1, V):
    point = Scalars(D=D, G=G, P=angle * math.sqrt(G * E1), E1=E1, V=V, one=1)
    found = at_point(*realise(point))
    assert np.allclose(found, point, rtol=1e-9, atol=1e-9)


def test_where_the_gradient_vanishes_a_shift_realises_the_point():
    assert np.allclose(at_point(*realise(Scalars(E1=4, V=9, one=1))), (0, 0, 0, 4, 9, 1))


def feasible(seed, count=6):
    """Random scalars, (count,) points at one = 1."""
    rng = np.random.default_rng(seed)
    G, E1, V, D = 10 ** rng.uniform(-2, 2, (4, count))
    P = rng.uniform(-0.2, 1, count) * np.sqrt(G * E1)
    return [Scalars(*(float(x) for x in s), one=1.0) for s in zip(D, G, P, E1, V, strict=True)]


def fits(kind, points):
    """Constants of a class that all points meet; None if there are none."""
    least_of = {
        SG1: lambda: SG1(
            alpha=min((s.E1 + s.V) / s.G for s in points), beta=max((s.E1 + s.V) / s.P for s in points)
        ),
        SG2: lambda: SG2(tau=min(s.P / s.G for s in points), beta=max((s.E1 + s.V) / s.P for s in points)),
        BREQ: lambda: BREQ(rho=min(s.P / s.G for s in points), zeta=max((s.E1 + s.V) / s.G for s in points)),
        CON: lambda: CON(alpha=min(1 - mse(s) / s.G for s in points)),
        BVD: lambda: BVD(eta=max(bias(s) / s.G for s in points), xi=max(s.V / s.G for s in points)),
        BND: lambda: BND(
            m=0.5,
            phi2=max(0, *(bias(s) - 0.5 * s.G for s in points)),
            M=1.0,
            sigma2=max(0, *(s.V - s.E1 for s in points)),
        ),
        ABS: lambda: ABS(Delta2=max(mse(s) for s in points)),
        FSML: lambda: FSML(
            q=min(s.P / s.G for s in points),
            u2=max(s.E1 / s.G for s in points),
            U=1.0,
            Q=max(0, *(s.V - s.G for s in points)),
        ),
    }
    found = least_of[kind]()
    met = all(value(r, s) <= 1e-12 * sum(map(abs, s)) for s in points for r in found.rows())
    return found if found.proper and met else None


def bias(s):
    return s.E1 - 2 * s.P + s.G


def mse(s):
    return bias(s) + s.V


@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(ARROWS)))
def test_scalars_that_meet_the_premise_meet_the_conclusion(seed, name):
    arrow = ARROWS[name]
    shrink = 0.3 if arrow.given in (CON, BVD) else 1.0
    points = feasible(seed)
    if arrow.given in (CON, BVD):  # near the gradient, or there is nothing to test
        points = [
            s._replace(P=s.G * 0.9, E1=s.G * (0.81 + shrink * s.E1 / (1 + s.E1) * 0.3), V=0.3 * s.G)
            for s in points
        ]
    a = fits(arrow.given, points)
    assume(a is not None and arrow.allows(None, a))
    for s in points:
        rows = arrow.constants(a).rows()
        assert all(value(r, s) <= 1e-9 * sum(abs(x * y) for x, y in zip(r, s, strict=True)) for r in rows)


@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(ARROWS)))
def test_random_estimators_on_quadratics_obey_every_arrow(seed, name):
    """Least constants by matrix inequalities on both sides; an estimator outside the premise decides nothing."""
    rng = np.random.default_rng(seed)
    P = build(f"quadratic:n=1,d=2,kappa=5,basis=rotated,seed={seed % 50}")
    wild = rng.choice([0.1, 0.3, 0.8])
    matrices = np.eye(2) + wild * rng.standard_normal((3, 2, 2))
    shifts = rng.choice([0.0, 1.0]) * rng.standard_normal((3, 2))
    estimator = Linear(
        matrices=tuple(tuple(map(tuple, m)) for m in matrices.tolist()),
        shifts=tuple(map(tuple, shifts.tolist())) if shifts.any() else (),
    )
    arrow = ARROWS[name]
    found = membership.check(arrow, P, estimator)
    assert found.word in ("holds", "not applicable")


def test_some_random_estimators_do_reach_the_arrows():
    P = build("quadratic:n=1,d=2,kappa=5,basis=rotated")
    estimator = turned(0.9, 0.3, 0.2)
    for name, arrow in ARROWS.items():
        verdict = membership.check(arrow, P, estimator)
        outside = zoo.least(arrow.given, estimator, P) is None
        assert outside == name.startswith("abs")
        assert verdict.word == ("not applicable" if outside else "holds"), name
