"""The orchestrator: which lens judges, what is listed, what survives a crash."""

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

import proveout as po
from proveout.theory.cases import Case
from proveout.theory.statement import KINDS, Membership, OneStep, Verdict
from proveout.theory.trial import judge, pool, sources
from proveout.theory.trial.check import check_cases
from proveout.theory.trial.judge import lenses_for

DATA, CLASS = "quadratic:n=3,d=2,kappa=10", "class:n=3,L=10,mu=1"
STATEMENT = po.theory.proxskip.LINEAR_CONVERGENCE
GRADE = {"proof": "proved", "worstcase": "certified"}


def says(word, **more):
    """A lens that always gives this word."""

    def check(statement, problem, method, *, budget="quick", seed=0):
        return Verdict(word=word, lens="", grade="exact" if word == "holds" else None, **more)

    return check


@pytest.fixture
def lenses(monkeypatch):
    """lens name -> check function, in place of all lenses; others say `not applicable`. Returns the calls made."""
    calls = []

    def install(**checks):
        table = {}
        for name in judge.LENSES:
            module = ModuleType(f"fake_{name}")

            def check(*args, name=name, **options):
                calls.append(name)
                made = checks.get(name, says("not applicable", note=f"{name} cannot"))(*args, **options)
                grade = GRADE.get(name, "exact") if made.word == "holds" else None
                return replace(made, lens=name, grade=grade)

            module.check = check
            monkeypatch.setitem(sys.modules, module.__name__, module)
            table[name] = module.__name__
        monkeypatch.setattr(judge, "LENSES", table)
        return calls

    return install


@pytest.fixture
def cases(monkeypatch):
    """Cases in place of the catalogue's."""

    def install(*some):
        monkeypatch.setattr("proveout.theory.catalogue.CASES", some)

    return install


def case(name="one", statement=STATEMENT, problems=(DATA,), choices=None, **more):
    return Case(
        id=f"fake.{name}", statement=statement, problems=problems, choices=choices or {"p": 0.3}, **more
    )


# ------------------------------------------------------------------ which lens


def test_the_sharpest_lens_judges_and_no_other_is_asked(lenses):
    calls = lenses(exact=says("holds"), sampled=says("violated"))
    problem = po.problems.build(DATA)
    verdict = po.check(STATEMENT, problem, STATEMENT.tune(problem, p=0.3))
    assert (verdict.word, verdict.lens, calls) == ("holds", "exact", ["exact"])


def test_a_lens_that_is_not_applicable_passes_on_to_the_next(lenses):
    calls = lenses(sampled=says("inconclusive"))
    problem = po.problems.build(DATA)
    verdict = po.check(STATEMENT, problem, STATEMENT.tune(problem, p=0.3))
    assert (verdict.word, verdict.lens) == ("inconclusive", "sampled")
    assert calls == ["exact", "moments", "sampled"]


def test_an_inconclusive_answer_is_an_answer(lenses):
    calls = lenses(exact=says("inconclusive"), sampled=says("holds"))
    problem = po.problems.build(DATA)
    assert po.check(STATEMENT, problem, STATEMENT.tune(problem, p=0.3)).word == "inconclusive"
    assert calls == ["exact"]


@pytest.mark.parametrize(
    ("proof", "worst", "lens", "word"),
    [
        ("holds", "holds", "proof", "holds"),
        ("holds", "inconclusive", "proof", "holds"),
        ("holds", "violated", "worstcase", "inconclusive"),  # two opinions: one of them is a bug
        ("inconclusive", "holds", "worstcase", "holds"),
        ("inconclusive", "violated", "worstcase", "violated"),
        ("not applicable", "holds", "worstcase", "holds"),
        ("inconclusive", "not applicable", "proof", "inconclusive"),
        ("not applicable", "not applicable", "proof", "not applicable"),
        ("violated", "holds", "proof", "violated"),
    ],
)
def test_on_a_class_a_proof_comes_first_and_the_worst_case_decides_where_there_is_none(
    lenses, proof, worst, lens, word
):
    calls = lenses(proof=says(proof), worstcase=says(worst), exact=says("violated"))
    verdict = po.check(STATEMENT, CLASS, STATEMENT.tune(po.problems.build(CLASS), p=0.3))
    assert (verdict.lens, verdict.word) == (lens, word)
    assert "exact" not in calls


def test_a_proof_carries_the_tightness_that_the_worst_case_measures():
    P = po.problems.build(CLASS)
    verdict = po.check(STATEMENT, P, STATEMENT.tune(P, p=0.3))
    assert verdict.grade == "proved"
    assert verdict.ratio == po.check(STATEMENT, P, STATEMENT.tune(P, p=0.3), lens="worstcase").ratio


def test_a_named_lens_is_the_only_one_asked(lenses):
    calls = lenses(exact=says("holds"), worstcase=says("holds"))
    problem = po.problems.build(DATA)
    assert po.check(STATEMENT, problem, STATEMENT.tune(problem, p=0.3), lens="worstcase").lens == "worstcase"
    assert calls == ["worstcase"]


def test_every_kind_of_statement_has_a_lens_for_data_or_for_blocks():
    for kind in KINDS:
        assert judge.KINDS[kind]
        assert set(judge.KINDS[kind]) <= set(judge.LENSES)


def test_the_lenses_of_a_case_replace_the_table_of_kinds():
    data, klass = po.problems.build(DATA), po.problems.build(CLASS)
    assert lenses_for(STATEMENT, data, ("sampled", "exact", "proof")) == ("exact", "sampled")
    assert lenses_for(STATEMENT, klass, ("sampled", "exact", "proof")) == ("proof",)
    assert lenses_for(STATEMENT, data, ("proof",)) == ("proof",)  # named, so asked


def test_names_are_refused_before_any_work():
    with pytest.raises(ValueError, match="no lens 'exakt'"):
        po.check(STATEMENT, DATA, None, lens="exakt")
    with pytest.raises(ValueError, match="budget must be one of quick, full, deep, got 'fast'"):
        check_cases(budget="fast")
    with pytest.raises(ValueError, match="unknown family 'quadratc'"):
        check_cases(["proxskip"], problem="quadratc:n=3")
    with pytest.raises(ValueError, match="no stem or statement 'proxskp'; did you mean proxskip"):
        check_cases(["proxskp"])


# ------------------------------------------------------------------ what a verdict carries


def test_a_verdict_names_its_statement_problem_method_and_time(lenses):
    lenses(exact=says("holds"))
    problem = po.problems.build(DATA)
    verdict = po.check(STATEMENT, problem, STATEMENT.tune(problem, p=0.3))
    assert verdict.id == "proxskip.linear_convergence"
    assert verdict.problem == DATA
    assert verdict.method == "Scaffnew(gamma=0.1, p=0.3)"
    assert verdict.seconds > 0


def test_a_lens_that_judged_another_problem_says_so_itself(lenses):
    lenses(worstcase=says("holds", problem=CLASS))
    problem = po.problems.build(DATA)
    assert po.check(STATEMENT, problem, STATEMENT.tune(problem, p=0.3), lens="worstcase").problem == CLASS


def test_a_witness_is_signed_with_what_replay_needs(lenses, cases):
    lenses(exact=says("violated", witness={"format": "f", "statement": "", "twin": None}))
    cases(case("wrong"))
    (row,) = check_cases(jobs=1).rows
    assert row.witness["statement"] == "fake.wrong"
    assert row.witness["lens"] == "exact"
    assert row.witness["version"] == po.__version__
    assert row.witness["twin"] is None


def test_a_false_claim_is_violated_with_a_witness_and_the_true_one_holds():
    problem = po.problems.build(DATA)
    method = STATEMENT.tune(problem, p=0.9)
    false = replace(STATEMENT, rate=lambda P, m: (1 - 2 * m.gamma * P.mu_min, 1 - m.p**2))
    assert po.check(STATEMENT, problem, method).word == "holds"
    verdict = po.check(false, problem, method)
    assert verdict.word == "violated"
    assert verdict.ratio > 1
    assert verdict.witness["problem"] == DATA


# ------------------------------------------------------------------ rows


def test_rows_come_in_catalogue_order_whatever_the_number_of_processes():
    problems = (DATA, "quadratic:n=8,d=1,kappa=1", "quadratic:n=2,d=3,kappa=50", CLASS)
    alone = check_cases(["proxskip.linear_convergence"], problem=problems, jobs=1)
    shared = check_cases(["proxskip.linear_convergence"], problem=problems, jobs=2)
    assert len({r.problem for r in alone.rows}) == len(problems)
    assert alone.complete
    assert shared.complete
    key = [(r.id, r.problem, r.method, r.lens, r.word, r.grade) for r in alone.rows]
    assert key == [(r.id, r.problem, r.method, r.lens, r.word, r.grade) for r in shared.rows]
    np.testing.assert_allclose(
        [np.nan if r.ratio is None else r.ratio for r in alone.rows],
        [np.nan if r.ratio is None else r.ratio for r in shared.rows],
        rtol=1e-9,
    )


def test_not_applicable_is_listed_only_where_nothing_else_judged(lenses, cases):
    def only_p_one(statement, P, m, **options):
        return says("holds" if m.p == 1 else "not applicable", note="p < 1")(statement, P, m)

    lenses(exact=only_p_one)
    both = ({"p": 0.3}, {"p": 1.0})
    cases(case("some", choices=both), case("none", choices={"p": 0.3}), case("klass", problems=(DATA, CLASS)))
    rows = check_cases(jobs=1).rows
    assert [(r.id, r.problem, r.word) for r in rows] == [
        ("fake.some", DATA, "holds"),
        ("fake.none", DATA, "not applicable"),
        ("fake.klass", DATA, "not applicable"),
        ("fake.klass", CLASS, "not applicable"),
    ]
    assert "exact: p < 1; moments: moments cannot; sampled: sampled cannot" in rows[1].note


def test_each_named_lens_gives_a_row_and_says_if_it_cannot(lenses, cases):
    lenses(exact=says("holds"), worstcase=says("holds"))
    cases(case(choices=({"p": 0.3}, {"p": 1.0})))
    rows = check_cases(lenses=["exact", "moments", "worstcase"], jobs=1).rows
    assert sorted((r.lens, r.word) for r in rows) == [
        ("exact", "holds"),
        ("exact", "holds"),
        ("moments", "not applicable"),
        ("worstcase", "holds"),
        ("worstcase", "holds"),
    ]


def test_choices_that_do_not_fit_are_not_applicable_and_a_broken_rule_is_inconclusive(lenses, cases):
    lenses(exact=says("holds"))
    cases(case("high", choices={"p": 3.0}), case("broken", choices={"q": 1.0}))
    high, broken = check_cases(jobs=1).rows
    assert (high.word, high.note) == ("not applicable", "no parameters: p must lie in (0, 1], got 3.0")
    assert broken.word == "inconclusive"
    assert "crashed: tune: TypeError" in broken.note


def test_a_spec_replaces_the_problems_of_a_case_but_not_of_a_block(lenses, cases):
    lenses(exact=says("holds"), membership=says("holds"))
    block = Membership(source="s", sides=lambda *a: None, constant=lambda *a: 1)
    cases(case(), case("block", statement=block, problems=(), choices=None))
    rows = check_cases(problem=["quadratic:n=2", "quadratic:n=4"], jobs=1).rows
    assert [r.problem for r in rows] == ["quadratic:n=2", "quadratic:n=4", ""]
    assert rows[-1].lens == "membership"


def test_budget_and_seed_reach_the_lens(lenses, cases):
    seen = []

    def check(statement, problem, method, *, budget, seed):
        seen.append((budget, seed))
        return says("holds")(statement, problem, method)

    lenses(exact=check)
    cases(case())
    check_cases(budget="deep", seed=7, jobs=1)
    assert seen == [("deep", 7)]


# ------------------------------------------------------------------ crashes and interrupts


def test_a_crash_loses_its_own_row_only_and_says_where(lenses, cases):
    def check(statement, problem, method, **options):
        if problem.n == 2:
            raise ZeroDivisionError("division\nby zero")
        return says("holds")(statement, problem, method)

    lenses(exact=check)
    cases(case("a", problems=("quadratic:n=2", "quadratic:n=3")), case("b"))
    rows = check_cases(jobs=1).rows
    assert [r.word for r in rows] == ["inconclusive", "holds", "holds"]
    assert rows[0].note.startswith("crashed: ZeroDivisionError: division by zero (")
    assert "test_check.py" in rows[0].note


OWN = """
import os
from dataclasses import replace
from proveout.theory import proxskip
from proveout.theory.cases import Case

TRUE = proxskip.LINEAR_CONVERGENCE

def die(P, m):
    os._exit(9)

FATAL = replace(TRUE, rate=die)
SOME = tuple(
    Case(id=f"{STEM}.{name}", statement=s, problems=("quadratic:n=3,d=2,kappa=10",), choices={"p": 0.3})
    for name, s in (("fatal", FATAL), ("true", TRUE))
)
"""


@pytest.fixture
def own_file(tmp_path):
    """A user's file; each has a name of its own, since a module is loaded once."""

    def write(text, stem):
        path = tmp_path / f"{stem}.py"
        path.write_text(text.replace("{STEM}", stem))
        return path

    yield write
    for name in [n for n, m in sys.modules.items() if str(tmp_path) in str(getattr(m, "__file__", ""))]:
        del sys.modules[name]
    sources.load.cache_clear()


def test_a_process_that_dies_takes_no_other_row_along(own_file):
    path = own_file(OWN, "own_fatal")
    fatal, true = check_cases([f"{path}:SOME"], jobs=2).rows
    assert fatal.word == "inconclusive"
    assert "its process died" in fatal.note
    assert true.word == "holds"


def test_after_an_interrupt_the_finished_rows_are_returned(lenses, cases):
    calls = lenses(exact=says("holds"))
    cases(case("a"), case("b"), case("c"))

    def check(row):
        if len(calls) == 2:
            raise KeyboardInterrupt

    seen = check_cases(jobs=1, on_verdict=check)
    assert not seen.complete
    assert [r.id for r in seen.rows] == ["fake.a", "fake.b"]


def test_progress_is_told_after_each_pair(lenses, cases):
    lenses(exact=says("holds"))
    cases(case("a"), case("b"))
    told = []
    check_cases(jobs=1, on_pair=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_tasks_start_with_the_heaviest_and_results_keep_their_order():
    started = []

    def work(task):
        started.append(task)
        return 10 * task

    results, complete = pool.each(work, [1, 3, 2], jobs=1, weight=float)
    assert (started, results, complete) == ([3, 2, 1], [10, 30, 20], True)
    with pytest.raises(ValueError, match="jobs must be >= 0, got -1"):
        pool.each(work, [1], jobs=-1)


def test_no_tasks_are_no_trouble():
    assert pool.each(str, [], jobs=0) == ([], True)
    assert pool.each(str, [], jobs=3) == ([], True)


# ------------------------------------------------------------------ a user's own statements

THEORY = """
from dataclasses import replace
from proveout.theory import proxskip

MINE = proxskip.LINEAR_CONVERGENCE
OTHER = replace(MINE, source="another")
"""


def test_a_users_file_is_judged_like_the_catalogue(own_file):
    path = own_file(THEORY, "own_theory")
    found = sources.find([str(path)])
    assert [n.case.id for n in found] == ["own_theory.mine", "own_theory.other"]
    assert all(n.source == str(path) for n in found)
    (one,) = sources.find([f"{path}:OTHER"])
    assert one.case.id == "own_theory.other"
    method = {"p": 0.3}
    assert not one.case.choices
    with pytest.raises(TypeError):  # such a rule needs its choices: a Case says them
        one.case.statement.tune(po.problems.build(DATA))
    assert one.case.statement.tune(po.problems.build(DATA), **method).p == 0.3


def test_the_catalogue_comes_first_and_a_words_repetition_changes_nothing(own_file):
    path = own_file(OWN.replace("SOME", "CASES"), "own_cases")
    found = sources.find([str(path), "proxskip.linear_convergence", "proxskip.linear_convergence"])
    assert [n.case.id for n in found] == ["proxskip.linear_convergence", "own_cases.fatal", "own_cases.true"]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("nothere.py", "nothere.py is no file"),
        ("no/such/place", "no stem, no statement and no FILE.py"),
        ("os:path", "path must be a statement, a Case or a tuple of Cases, got module"),
        ("os:nothing", "os: no name 'nothing' there"),
        ("no_such_module_here:CASES", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_word_that_leads_nowhere_is_refused_with_the_reason(word, says):
    with pytest.raises(ValueError, match=says):
        sources.find([word])


def test_a_file_that_cannot_be_run_says_why(own_file):
    with pytest.raises(ValueError, match=r"cannot be loaded: ZeroDivisionError"):
        sources.find([str(own_file("1 / 0", "own_broken"))])
    with pytest.raises(ValueError, match=r"neither CASES nor a statement"):
        sources.find([str(own_file("x = 1", "own_empty"))])
    assert "own_broken" not in sys.modules


# ------------------------------------------------------------------ the package's names


def test_the_package_offers_its_rooms_and_two_verbs():
    import proveout.run as module_or_function  # what an import of the submodule leaves behind
    from proveout.run import run

    assert po.run is run
    assert module_or_function is run
    assert po.check is judge_check()
    assert po.methods.proxskip.Scaffnew.__name__ == "Scaffnew"
    assert isinstance(po.theory.proxskip.LINEAR_CONVERGENCE, OneStep)
    assert callable(po.problems.logistic)
    assert set(po.__all__) == set(dir(po))
    for room in (po, po.theory, po.methods, po.figures):
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            _ = room.nothing


def judge_check():
    from proveout.theory.trial.check import check

    return check


def test_an_active_joblib_backend_is_used_as_it_is(lenses, cases):
    import joblib

    lenses(exact=says("holds"))
    cases(case("a"), case("b"))
    with joblib.parallel_config(backend="threading"):
        found = check_cases(jobs=0)
    assert [r.id for r in found.rows] == ["fake.a", "fake.b"]
