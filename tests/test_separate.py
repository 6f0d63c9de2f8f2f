"""`proveout separate A B`: a witness for every missing arrow, found from scratch; none where there is an arrow."""

import json

import pytest

from proveout.cli.app import main
from proveout.cli.separate import formula, words
from proveout.methods.blocks.assumptions import ABC, ASSUMPTIONS, BREQ, SG1, SG2
from proveout.methods.blocks.linear import turned
from proveout.methods.blocks.tails import Growing
from proveout.methods.blocks.variants import ABC0
from proveout.theory import zoo
from proveout.theory.scalars.apart import apart, kinds_of
from proveout.theory.scalars.separate import separate

NODES = {**ASSUMPTIONS, "trio": (BREQ, SG2, SG1)}
MAP = {
    "con": "bvd trio fsml bnd abc",
    "bvd": "trio fsml bnd abc",
    "trio": "fsml abc",
    "fsml": "abc",
    "bnd": "abc",
    "abs": "bnd abc",
    "abc": "",
}
PAIRS = [(a, b) for a in MAP for b in MAP if a != b]
MISSING = [(a, b) for a, b in PAIRS if b not in MAP[a].split()]
IMPLIED = [(a, b) for a, b in PAIRS if b in MAP[a].split()]


def test_there_are_27_missing_arrows():
    assert (len(MISSING), len(IMPLIED)) == (27, 15)


@pytest.mark.parametrize(("a", "b"), MISSING)
def test_a_witness_is_found_and_confirmed_by_matrix_inequalities(a, b):
    given, then = kinds_of(NODES[a])[0], NODES[b]
    found = separate(given, then)
    assert found is not None
    assert found.given.proper
    assert not apart(found.given, then, found.problem, found.estimator).fault
    members = kinds_of(NODES[a])
    assert all(zoo.least(kind, found.estimator, found.problem) is not None for kind in members)
    assert all(zoo.least(kind, found.estimator, found.problem) is None for kind in kinds_of(then))


@pytest.mark.parametrize(("a", "b"), IMPLIED)
def test_where_there_is_an_arrow_nothing_is_found(a, b):
    assert separate(kinds_of(NODES[a])[0], NODES[b]) is None


def test_the_term_in_the_suboptimality_is_separated_on_a_curve():
    found = separate(ABC, ABC0)
    assert found.place == "tail"
    assert isinstance(found.estimator, Growing)


def command(*arguments):
    with pytest.raises(SystemExit) as left:
        main(["separate", *arguments])
    return left.value.code


def test_a_witness_is_printed_with_its_constants_and_the_reason(capsys):
    assert command("bvd", "con") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "BVD does not imply CON"
    assert "f = |x|^2/2 in the plane" in out[1]
    assert out[2].strip().startswith("g = ")
    assert "in BVD(eta" in out[3]
    assert "not CON: E|g - grad f|^2" in out[4]
    assert "confirmed by matrix inequalities" in out[-1]


def test_an_arrow_is_printed_with_an_example_and_a_code_of_its_own(capsys):
    assert command("con", "fsml") == 1
    out = capsys.readouterr().out
    assert "CON implies FSML" in out
    assert "biased_sgd.con_implies_" in out
    assert "(proved)" in out
    assert "e.g. CON(alpha = 3/4) => " in out


def test_case_does_not_matter_and_the_trio_is_one_word(capsys):
    assert command("TRIO", "Bnd") == 0
    assert "TRIO does not imply BND" in capsys.readouterr().out
    assert command("sg1", "trio") == 1
    assert command("abc0", "abc") == 1


def test_the_tail_is_told_apart_from_what_quadratics_show(capsys):
    assert command("abc", "abc0") == 0
    out = capsys.readouterr().out
    assert "f = sqrt(1 + x^2) - 1" in out
    assert "no quadratic can show it" in out


def test_json_says_the_same(capsys, tmp_path):
    assert command("fsml", "trio", "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["given"], found["then"], found["implied"], found["confirmed"]) == (
        "fsml",
        "trio",
        False,
        True,
    )
    assert len(found["reasons"]) == 3
    assert command("abs", "bnd", "--json", str(tmp_path / "a.json")) == 1
    assert json.loads((tmp_path / "a.json").read_text())["arrows"] == ["biased_sgd.abs_implies_bnd"]


@pytest.mark.parametrize(("a", "b"), [("con", "con"), ("con", "cone"), ("x", "abc")])
def test_what_is_no_question_is_a_usage_error(a, b, capsys):
    assert command(a, b) == 2
    assert capsys.readouterr().err.startswith("proveout: separate")


def test_estimators_in_words():
    assert formula(turned(1, 0, 0)) == "x"
    assert formula(turned(-1, 0.5, 0)) == "-x + 1/2 J x"
    assert formula(turned(0, 0, 0)) == "0"
    assert formula(turned(1, 0, 0, noise=1)) == "x + (1, 0) or x - (1, 0), equally likely"
    assert formula(turned(2, 0, 1)) == "3 x or x, equally likely"
    assert words(BREQ(rho=0.5, zeta=2)) == "BREQ(rho = 1/2, zeta = 2)"
