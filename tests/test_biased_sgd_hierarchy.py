"""The hierarchy of the assumptions of biased SGD: arrows for all estimators, witnesses, the map, its picture."""

import json
import math
from dataclasses import replace
from fractions import Fraction as F
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proveout.cli import atlas as printed
from proveout.figures.biased_sgd import PANELS
from proveout.figures.style import render
from proveout.methods.blocks.assumptions import (
    ABC,
    ABS,
    ASSUMPTIONS,
    BND,
    BREQ,
    BVD,
    CON,
    FSML,
    SG1,
    SG2,
    Scalars,
)
from proveout.methods.blocks.estimators import Affine, Compressed
from proveout.methods.blocks.linear import Linear, turned
from proveout.methods.blocks.tails import Clipped, Growing
from proveout.methods.blocks.variants import ABC0, CON1, UnbiasedABC, ranges
from proveout.problems import Quadratics, build
from proveout.problems.curves import Curve
from proveout.theory import biased_sgd as bs
from proveout.theory import zoo
from proveout.theory.biased_sgd.hierarchy import apart as statements
from proveout.theory.biased_sgd.hierarchy import atlas, multiples, to_abc
from proveout.theory.biased_sgd.hierarchy.arrow import too_good
from proveout.theory.biased_sgd.hierarchy.formula import root
from proveout.theory.cases.biased_sgd.hierarchy import CASES
from proveout.theory.lenses import membership
from proveout.theory.lenses.membership.everywhere import certificates
from proveout.theory.scalars import hopeless, implied, realise
from proveout.theory.scalars.apart import apart
from proveout.theory.scalars.cone import FULL, frame_of, least, value
from proveout.theory.scalars.exact import forms, member
from proveout.theory.scalars.fitting import fitted
from proveout.theory.scalars.hopeless import why
from proveout.theory.scalars.implied import pivot_of
from proveout.theory.scalars.proof import certificate
from proveout.theory.scalars.realise import at_point, round_problem
from proveout.theory.scalars.tails import tail
from proveout.theory.trial.check import methods_of
from proveout.theory.verify import digest, fault

case_ids = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id.partition(".")[2])
ARROWS = atlas.arrows()
LINE = round_problem(1)


def holds(identifier, changed=()):
    """Does a statement hold at all constants of its case?"""
    if identifier in changed:
        return False
    return _holds(identifier)


@cache
def _holds(identifier):
    case = next(c for c in CASES if c.id == identifier)
    verdicts = [membership.check(case.statement, None, m) for m in methods_of(case, None)]
    return {v.word for v in verdicts} <= {"holds", "not applicable"}


# ------------------------------------------------------------------ every statement, every twin


@case_ids
def test_it_holds_and_an_arrow_is_proved(case):
    judged = 0
    for m in methods_of(case, None):
        verdict = membership.check(case.statement, None, m)
        if verdict.word == "not applicable":
            assert case.statement.condition
            continue
        judged += 1
        assert (verdict.word, verdict.states) == ("holds", "all")
        if m is None:
            assert verdict.grade == "exact"
            continue
        assert verdict.grade == "proved"
        assert "for all constants: certificates" in verdict.note
        assert verdict.ratio == pytest.approx(1, abs=1e-6)
    assert judged


@case_ids
def test_its_twins_are_killed_and_their_witnesses_replay(case):
    assert len(case.statement.twins) >= 2
    for twin in case.statement.twins:
        killed = 0
        for m in methods_of(case, None):
            altered, P, method = twin.edit(case.statement, None, m)
            verdict = membership.check(altered, P, method)
            if verdict.word != "violated":
                continue
            killed += 1
            witness = json.loads(json.dumps(verdict.witness))
            stored = witness["problem"]
            problem = None if stored is None else replayed(stored)
            lhs, rhs = membership.sides(altered, problem, method, witness)
            assert lhs > rhs * (1 + 1e-7)
        assert killed, twin.name


def replayed(stored):
    from proveout.theory.witness import decode

    return build(stored) if isinstance(stored, str) else decode(stored)


# ------------------------------------------------------------------ the map


T2 = {
    "con": "bvd trio fsml bnd abc",
    "bvd": "trio fsml bnd abc",
    "trio": "fsml abc",
    "fsml": "abc",
    "bnd": "abc",
    "abs": "bnd abc",
    "abc": "",
}


def test_the_judged_statements_decide_all_42_pairs_as_the_dossier_says():
    chart = atlas.chart(holds)
    assert ("sg1", "sg2", "breq") in chart.nodes
    assert len(chart.nodes) == 7
    found = {(atlas.name_of(a), atlas.name_of(b)) for a, b in chart.implied}
    assert found == {(a, b) for a, line in T2.items() for b in line.split()}
    assert (len(chart.pairs), len(chart.implied), len(chart.apart)) == (42, 15, 27)
    assert not chart.unknown
    assert not chart.contradictions


def test_the_arrows_that_are_no_composition_of_others():
    direct = {(atlas.name_of(a), atlas.name_of(b)) for a, b in atlas.direct(atlas.chart(holds))}
    said = "con>bvd bvd>trio bvd>bnd trio>fsml fsml>abc bnd>abc abs>bnd"
    assert direct == {tuple(x.split(">")) for x in said.split()}


def test_a_map_without_one_of_its_statements_has_a_hole():
    one = atlas.chart(lambda name: holds(name, {"biased_sgd.fsml_not_trio"}))
    assert [tuple(map(atlas.name_of, p)) for p in one.unknown] == [("fsml", "trio")]
    two = atlas.chart(lambda name: holds(name, {"biased_sgd.abs_implies_bnd"}))
    assert [tuple(map(atlas.name_of, p)) for p in two.unknown] == [("abs", "bnd")]
    lone = atlas.chart(
        lambda name: holds(name, {"biased_sgd.sg1_implies_sg2", "biased_sgd.sg1_implies_fsml"})
    )
    assert ("sg1",) in lone.nodes


def test_a_false_arrow_would_be_a_contradiction():
    chart = atlas.chart(lambda name: True)
    false = replace(chart, implied=chart.implied | {(("abs",), ("con",))})
    assert false.contradictions == [(("abs",), ("con",))]


def test_paths_compose_arrows():
    chart = atlas.chart(holds)
    steps = atlas.path(chart, "con", "fsml")
    assert steps[0][0] == "con"
    assert steps[-1][1] == "fsml"
    assert all(a[1] == b[0] for a, b in zip(steps, steps[1:]))
    assert atlas.path(chart, "fsml", "con") == []


def test_a_check_prints_the_map_only_if_it_judged_all_of_it():
    rows = [SimpleNamespace(id=name, word="holds") for name in atlas.ids()]
    lines = printed.lines(rows)
    assert "42 ordered pairs 15 implied, 27 with a witness" in lines[1]
    assert next(line for line in lines if line.startswith("  trio")).split() == [
        "trio", "X2", "X3", ".", "=>", "X3", "X1", "=>",
    ]  # fmt: skip
    assert printed.lines(rows[1:]) == []
    assert printed.lines([SimpleNamespace(id="gd.contraction", word="holds")]) == []
    broken = [*rows, SimpleNamespace(id="biased_sgd.fsml_not_trio", word="violated")]
    assert "1 open (?)" in printed.lines(broken)[1]


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


# ------------------------------------------------------------------ the picture


def test_the_map_is_measured_by_judging_and_drawn(tmp_path):
    data = PANELS["map"].measure(seed=0, quick=True)
    assert (int(data["implied"].sum()), int((data["witness"] != "").sum())) == (15, 27)
    assert len(data["holding"]) == len(CASES)
    assert set(data["direct"]) == {
        "abs bnd", "bnd abc", "bvd bnd", "bvd trio", "con bvd", "fsml abc", "trio fsml",
    }  # fmt: skip
    render(PANELS["map"], data, [str(tmp_path / "map.png")])
    assert (tmp_path / "map.png").stat().st_size > 20_000


def test_a_loose_arrow_is_no_violation_unless_it_is_called_tight():
    loose = replace(bs.SG2_IMPLIES_BREQ, constants=lambda a: BREQ(rho=a.tau / 2, zeta=2 * a.beta**2))
    a = SG2(tau=F(1, 4), beta=F(2))
    assert "is not tight" in membership.check(loose, None, a).note
    assert membership.check(replace(loose, tight=False), None, a).grade == "proved"


def test_a_printed_constant_that_is_false_is_found():
    wrong = replace(bs.CON_IMPLIES_ABC, printed=lambda a: ABC(A=0, B=3, C=0, b=a.alpha, c=0))
    verdict = membership.check(wrong, None, CON(alpha=F(3, 4)))
    assert verdict.word == "violated"
    assert "b = 3/4 is claimed, 0.5 is needed" in verdict.note


def test_constants_that_say_nothing_are_no_conclusion():
    empty = replace(bs.CON_IMPLIES_BVD, constants=lambda a: BVD(eta=1, xi=1))
    verdict = membership.check(empty, None, CON(alpha=F(3, 4)))
    assert verdict.word == "violated"
    assert "says nothing" in verdict.note


def test_a_formula_without_an_answer_refuses():
    def constants(a):
        raise ValueError("kappa must be < 1/2")

    verdict = membership.check(replace(bs.CON_IMPLIES_BVD, constants=constants), None, CON(alpha=F(3, 4)))
    assert verdict.word == "not applicable"
    assert "kappa must be < 1/2" in verdict.note


def test_an_estimator_outside_the_condition_of_an_arrow_is_not_judged():
    P = round_problem(2)
    assert membership.check(bs.BVD_IMPLIES_CON, P, turned(1, 0, 0.5)).word == "holds"
    verdict = membership.check(bs.BVD_IMPLIES_CON, P, turned(1, 0, 2))
    assert verdict.word == "not applicable"
    assert "does not speak of BVD" in verdict.note
