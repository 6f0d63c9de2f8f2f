"""The hierarchy of the assumptions of biased SGD: its statements and their twins, the map, its picture."""

import json
from dataclasses import replace
from fractions import Fraction as F
from functools import cache
from types import SimpleNamespace

import pytest

from proveout.cli import atlas as printed
from proveout.figures.biased_sgd import PANELS
from proveout.figures.style import render
from proveout.methods.blocks.assumptions import (
    ABC,
    BREQ,
    BVD,
    CON,
    SG2,
)
from proveout.methods.blocks.linear import turned
from proveout.problems import build
from proveout.theory import biased_sgd as bs
from proveout.theory.biased_sgd.hierarchy import atlas
from proveout.theory.cases.biased_sgd.hierarchy import CASES
from proveout.theory.lenses import membership
from proveout.theory.scalars.realise import round_problem
from proveout.theory.trial.check import methods_of

case_ids = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id.partition(".")[2])


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
