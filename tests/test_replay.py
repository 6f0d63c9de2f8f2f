"""A witness is the whole truth about one violation: its file alone rebuilds both sides."""

import json
import sys
from dataclasses import replace

import pytest

import proveout as po
from proveout.cli.files import clean
from proveout.problems import Quadratics, build
from proveout.theory import proxskip, twins
from proveout.theory.cases import Case
from proveout.theory.trial import sources
from proveout.theory.trial.check import check_cases
from proveout.theory.trial.mutants import mutants
from proveout.theory.trial.replay import read, rebuild, replay
from proveout.theory.witness import decode, encode

DATA, CLASS = "quadratic:n=3,d=2,kappa=10", "class:n=3,L=10,mu=1"
WRONG = replace(
    proxskip.LINEAR_CONVERGENCE,
    rate=lambda P, m: (1 - 2 * m.gamma * P.mu_min, 1 - m.p**2),
    twins=(twins.field_times("gamma", 4), twins.update_times("h", 0), twins.weight_times(1, 4)),
)


@pytest.fixture
def catalogue(monkeypatch):
    def install(problems=(DATA,), statement=WRONG):
        case = Case(id="fake.wrong", statement=statement, problems=problems, choices={"p": 0.9})
        monkeypatch.setattr("proveout.theory.catalogue.CASES", (case,))

    return install


def through_a_file(tmp_path, document, ending="\n"):
    path = tmp_path / "w.json"
    path.write_bytes(json.dumps(clean(document), indent=1).replace("\n", ending).encode())
    return path


@pytest.mark.parametrize("spec", [DATA, CLASS])
def test_a_violation_is_reproduced_from_its_file(tmp_path, catalogue, spec):
    catalogue((spec,))
    (row,) = check_cases(jobs=1).rows
    assert row.word == "violated"
    (witness,) = read(through_a_file(tmp_path, row.witness))
    again = replay(witness)
    assert again.reproduced
    assert again.ratio == pytest.approx(row.ratio, rel=1e-6)
    assert (again.lhs, again.rhs) == pytest.approx(again.stored, rel=1e-9)
    assert (again.statement, again.twin, again.lens) == ("fake.wrong", None, row.lens)


def test_a_true_claim_at_the_same_state_is_not_reproduced(tmp_path, catalogue):
    catalogue()
    (row,) = check_cases(jobs=1).rows
    catalogue(statement=proxskip.LINEAR_CONVERGENCE)
    assert not replay(row.witness).reproduced


@pytest.mark.parametrize("problems", [(DATA,), (CLASS,)])
def test_a_killed_twin_is_replayed_with_its_edit_once(tmp_path, catalogue, problems):
    catalogue(problems, replace(proxskip.LINEAR_CONVERGENCE, twins=WRONG.twins))
    rows = mutants(jobs=1, budget="quick").rows
    assert {r.word for r in rows} == {"killed"}
    for row in rows:
        (verdict,) = row.verdicts
        (witness,) = read(through_a_file(tmp_path, verdict.witness))
        again = replay(witness)
        assert again.reproduced
        assert again.twin == row.twin
        assert (again.lhs, again.rhs) == pytest.approx(again.stored, rel=1e-9)
        _, _, method = rebuild(witness)
        assert method.gamma == (0.4 if row.twin == "gamma x 4" else 0.1)


def test_a_problem_without_a_spec_travels_as_its_arrays(catalogue):
    catalogue()
    given = build(DATA)
    problem = Quadratics(A=given.A, b=given.b)
    verdict = po.check(WRONG, problem, WRONG.tune(problem, p=0.9))
    assert verdict.word == "violated"
    assert verdict.witness["problem"]["record"].endswith(":Quadratics")
    assert replay(verdict.witness).reproduced


def test_windows_line_endings_and_reports_are_read_too(tmp_path, catalogue):
    catalogue()
    rows = check_cases(jobs=1).rows
    report = {"version": "0", "verdicts": [{"word": "violated", "witness": r.witness} for r in rows]}
    report["verdicts"].append({"word": "inconclusive", "witness": rows[0].witness})
    assert len(read(through_a_file(tmp_path, report, "\r\n"))) == 1
    assert replay(read(through_a_file(tmp_path, rows[0].witness, "\r\n"))[0]).reproduced


# ------------------------------------------------------------------ what is refused


def test_what_is_no_witness_is_refused_with_the_reason(tmp_path):
    with pytest.raises(ValueError, match="No such file"):
        read(tmp_path / "nothing.json")
    with pytest.raises(ValueError, match="Is a directory"):
        read(tmp_path)
    for content in (b"", b"{", b"\xff\xfe", b"NaN,"):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(ValueError, match="is no JSON file"):
            read(tmp_path / "x.json")
    for content in (b"[]", b"{}", b"3", b'{"format": "other"}', b'{"verdicts": 3}', b'{"verdicts": [3]}'):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(ValueError, match="holds no witness"):
            read(tmp_path / "x.json")


def test_a_damaged_witness_is_refused_and_never_crashes(catalogue):
    catalogue()
    witness = clean(check_cases(jobs=1).rows[0].witness)
    damages = {
        "statement": ["", "fake.nothing", 3],
        "lens": ["nothing", None],
        "problem": ["nix:1", {"float": 3}, 3.5],
        "method": [{"record": "os:system", "fields": {}}, {"record": "proveout.methods.proxskip:Nix"}, None],
        "state": [{"float": "zz"}, {"list": []}, None],
        "lhs": [{"fraction": "1/0"}, 1.5],
        "twin": ["no such twin"],
    }
    for key, values in damages.items():
        for value in values:
            with pytest.raises(ValueError, match=r"."):
                replay({**witness, key: value})
        if key != "twin":  # a witness of no twin needs none
            with pytest.raises(ValueError, match=f"it has no '{key}'"):
                replay({k: v for k, v in witness.items() if k != key})


def test_a_witness_names_no_code(catalogue):
    for name in (
        "os:system",
        "subprocess:Popen",
        "proveout.methods.proxskip:namespace",
        "proveout.theory.trial.check:Pair",
    ):
        with pytest.raises(ValueError, match="may name classes|no class"):
            decode({"record": name, "fields": {}})
    with pytest.raises(ValueError, match="no class"):
        decode({"record": "proveout.problems.data:Path", "fields": {}})  # imported there, not of there


OWN = """
from dataclasses import dataclass, replace
from proveout.methods.proxskip import Scaffnew
from proveout.theory import proxskip
from proveout.theory.cases import Case

@dataclass(frozen=True, kw_only=True)
class Mine(Scaffnew):
    pass

WRONG = replace(
    proxskip.LINEAR_CONVERGENCE,
    method=Mine,
    tune=lambda P: Mine(gamma=1 / P.L_max, p=0.9),
    rate=lambda P, m: (1 - 2 * m.gamma * P.mu_min, 1 - m.p**2),
)
CASES = (Case(id="own_replay.wrong", statement=WRONG, problems=("quadratic:n=3,d=2,kappa=10",)),)
"""


def test_a_users_own_statement_is_replayed_only_if_the_user_names_its_file(tmp_path):
    path = tmp_path / "own_replay.py"
    path.write_text(OWN)
    (row,) = check_cases([str(path)], jobs=1).rows
    assert row.word == "violated"
    assert row.witness["source"] == str(path)
    with pytest.raises(ValueError, match="name that file with --cases, which runs it"):
        replay(row.witness)
    assert replay(row.witness, str(path)).reproduced
    del sys.modules["own_replay"]
    sources.load.cache_clear()


def test_numbers_travel_bit_for_bit():
    from fractions import Fraction

    import numpy as np

    values = (
        0.1,
        -0.0,
        5e-324,
        float("inf"),
        np.array([[1 / 3, np.pi]]),
        Fraction(1, 3),
        np.arange(3),
        None,
        True,
    )
    again = decode(json.loads(json.dumps(encode(values))))
    for a, b in zip(values, again, strict=True):
        assert np.array_equal(a, b) if isinstance(a, np.ndarray) else (a == b and type(a) is type(b))
