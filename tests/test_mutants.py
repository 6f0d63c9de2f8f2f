"""Red twins: killed, equivalent, survived, void; and the score that follows."""

from dataclasses import replace

import pytest

from proveout.problems import build
from proveout.theory import proxskip, twins
from proveout.theory.cases import Case
from proveout.theory.statement import Complexity, Horizon, Implication, Square, Twin
from proveout.theory.trial import judge
from proveout.theory.trial.effect import has_effect
from proveout.theory.trial.mutants import Mutant, mutants, score

DATA, CLASS = "quadratic:n=3,d=2,kappa=10", "class:n=3,L=10,mu=1"
TRUE = replace(proxskip.LINEAR_CONVERGENCE, twins=())


@pytest.fixture
def fate(monkeypatch):
    """The rows of the twins of one statement."""

    def of(*some, statement=TRUE, problems=(DATA, CLASS), budget="quick", **more):
        case = Case(
            id="fake.one",
            statement=replace(statement, twins=some),
            problems=problems,
            choices=more.pop("choices", {"p": 0.3}),
            **more,
        )
        monkeypatch.setattr("proveout.theory.catalogue.CASES", (case,))
        return mutants(budget=budget, jobs=1).rows

    return of


# ------------------------------------------------------------------ fates


@pytest.mark.parametrize(
    "twin",
    [
        twins.rate_gap(2),
        twins.weight_times(1, 4),
        twins.update_times("h", 0),
        twins.field_times("gamma", 4),
        twins.oracle("tripled", lambda true, x: 3 * true(x)),
    ],
    ids=lambda t: t.name,
)
def test_a_false_twin_is_killed_and_the_lens_is_named(fate, twin):
    (row,) = fate(twin)
    assert row.word == "killed"
    assert "exact" in row.lenses
    assert row.verdicts[0].word == "violated"
    assert row.verdicts[0].ratio is None or row.verdicts[0].ratio > 1


def test_a_kill_on_data_and_a_kill_on_the_class_are_two_lenses(fate):
    (row,) = fate(twins.rate_gap(2))
    assert row.lenses == ("exact", "worstcase")
    (row,) = fate(twins.rate_gap(2), problems=(DATA,))
    assert row.lenses == ("exact",)  # no backup


def test_a_twin_that_is_true_after_all_is_equivalent_with_its_certificate(fate):
    (row,) = fate(twins.rate_gap(0.5))
    assert row.word == "equivalent"
    assert [(v.lens, v.grade, v.problem) for v in row.verdicts] == [("worstcase", "certified", CLASS)]


def test_a_true_twin_on_data_alone_is_certified_on_the_class_of_its_problem(fate):
    (row,) = fate(twins.rate_gap(0.5), problems=(DATA,))
    assert row.word == "equivalent"
    assert row.verdicts[0].problem.startswith("class:n=3")


def test_holding_on_an_instance_is_no_certificate(fate):
    (row,) = fate(twins.rate_gap(0.5), problems=(DATA,), lenses=("exact",))
    assert row.word == "survived"
    assert "exact on quadratic:n=3,d=2,kappa=10: holds" in row.note


def test_a_twin_that_changes_nothing_is_void(fate):
    idle = twins.step_edit("nothing", lambda P, s, draw, new: new)
    rows = fate(twins.update_times("h", 1), twins.statement_with("allows", allows=lambda P, m: True), idle)
    assert [r.word for r in rows] == ["void"] * 3


def test_a_twin_that_exists_nowhere_is_void_and_says_why(fate):
    (row,) = fate(twins.field_times("p", 5))
    assert row.word == "void"
    assert "p must lie in (0, 1], got 1.5" in row.note


def test_a_branch_that_is_never_active_is_void_until_a_problem_wakes_it(fate):
    asleep, awake = twins.branch_dropped(0), {"p": 1.0}
    assert fate(asleep, problems=(DATA,))[0].word == "void"
    assert fate(asleep, problems=(DATA,), choices=({"p": 0.3}, awake))[0].word == "killed"


def test_a_crash_is_no_kill(fate):
    broken = twins.statement_with("broken", lyapunov=lambda P, m, s: 1 / 0)
    (row,) = fate(broken, problems=(DATA,), lenses=("exact",))
    assert row.word == "survived"
    assert "ZeroDivisionError" in row.note


def test_a_claim_that_cannot_fail_is_exposed(fate):
    hollow = replace(TRUE, rate=lambda P, m: 1e6)
    (row,) = fate(twins.rate_is("half of it", lambda P, m: 5e5), statement=hollow, lenses=("exact",))
    assert row.word == "survived"


def test_a_kill_carries_a_witness_that_names_its_twin(fate):
    (row,) = fate(twins.field_times("gamma", 4), problems=(DATA,))
    witness = row.verdicts[0].witness
    assert (witness["statement"], witness["twin"]) == ("fake.one", "gamma x 4")
    assert witness["method"]["fields"]["gamma"]["float"] == (0.4).hex()
    assert witness["before"]["fields"]["gamma"]["float"] == (0.1).hex()


# ------------------------------------------------------------------ the list


def test_the_score_counts_neither_equivalent_nor_void():
    def row(word):
        return Mutant(id="a.b", twin="t", word=word)

    rows = [row(w) for w in ("killed", "killed", "killed", "survived", "equivalent", "void")]
    assert score(rows) == 0.75
    assert score(rows[4:]) is None
    assert score([]) is None


def test_statements_without_twins_are_named(monkeypatch):
    bare = Case(id="fake.bare", statement=TRUE, problems=(DATA,))
    monkeypatch.setattr("proveout.theory.catalogue.CASES", (bare,))
    found = mutants(jobs=1)
    assert (found.rows, found.bare, found.complete) == ((), ("fake.bare",), True)


def test_rows_come_in_the_order_of_the_statements_and_progress_is_told(fate, monkeypatch):
    told = []
    fate(twins.rate_gap(2), twins.update_times("h", 1))
    found = mutants(jobs=1, budget="quick", on_twin=lambda done, total: told.append((done, total)))
    assert [r.twin for r in found.rows] == ["rate gap x 2", "update of h x 1"]
    assert told == [(1, 2), (2, 2)]


def test_an_interrupt_keeps_what_was_finished(fate):
    fate(twins.rate_gap(2), twins.rate_gap(3))

    def stop(done, total):
        raise KeyboardInterrupt

    found = mutants(jobs=1, budget="quick", on_twin=stop)
    assert not found.complete
    assert [r.twin for r in found.rows] == ["rate gap x 2"]


def test_unknown_words_and_budgets_are_refused():
    with pytest.raises(ValueError, match="no stem or statement 'nix'"):
        mutants(["nix"])
    with pytest.raises(ValueError, match="budget must be one of"):
        mutants(budget="huge")


def test_every_fake_lens_table_still_names_modules():
    assert all(path.startswith("proveout.theory.lenses.") for path in judge.LENSES.values())


# ------------------------------------------------------------------ has it an effect?


def moved(statement, twin, problem, method):
    before = (statement, problem, method)
    return has_effect(before, twin.edit(*before))


def gd():
    from proveout.methods.gd import GD

    return GD(gamma=0.1)


def dist(P, m, s):
    return (Square(1, s.x - P.x_star),)


@pytest.mark.parametrize("spec", [DATA, CLASS, "logistic:a1a,clients=4,kappa=50"])
def test_the_effect_is_seen_on_data_and_on_classes(spec):
    problem = build(spec)
    method = TRUE.tune(problem, p=0.3)
    assert moved(TRUE, twins.rate_gap(1.001), problem, method)
    assert moved(TRUE, twins.update_times("x", 0.999), problem, method)
    assert not moved(TRUE, twins.rate_gap(1), problem, method)
    assert not moved(TRUE, twins.oracle("same", lambda true, x: true(x)), problem, method)


def test_a_law_that_lies_rarely_is_an_effect_all_the_same():
    problem = build(DATA)
    method = TRUE.tune(problem, p=0.02)
    halved = twins.law_with("p/2", lambda P, m: replace(m, p=m.p / 2).law(P))
    assert moved(TRUE, halved, problem, method)
    assert not moved(TRUE, twins.law_with("p", lambda P, m: m.law(P)), problem, method)


def test_horizons_and_complexities_have_effects_too():
    problem, method = build(DATA), gd()
    horizon = Horizon(source="s", measure=dist, bound=lambda P, m, T, start: 1 / (1 + T))
    assert moved(horizon, twins.bound_times(0.5), problem, method)
    assert moved(horizon, twins.statement_with("over", over="min"), problem, method)
    assert moved(horizon, twins.field_times("gamma", 2), problem, method)
    assert not moved(horizon, twins.bound_times(1), problem, method)
    count = Complexity(source="s", measure=lambda P, m, s: (s.x**2).sum(-1), count=lambda P, m, e, s: 1 / e)
    faster = twins.statement_with("faster", count=lambda P, m, e, s: 0.5 / e)
    assert moved(count, faster, problem, method)
    assert not moved(count, twins.statement_with("same", count=lambda P, m, e, s: 1 / e), problem, method)


def test_an_implication_is_moved_by_any_other_record():
    claim = Implication(source="s", given=1, then=2, constants=lambda a: a)
    assert moved(claim, twins.statement_with("more", constants=lambda a: 2 * a), None, None)
    assert not moved(claim, twins.statement_with("tune", tune=lambda P: None), None, None)


def test_what_cannot_be_computed_is_left_to_the_lenses():
    broken = Twin("raises", lambda s, P, m: (replace(s, rate=lambda P, m: 1 / 0), P, m))
    problem = build(DATA)
    assert moved(TRUE, broken, problem, TRUE.tune(problem, p=0.3))


@pytest.mark.parametrize("case", ["compressors.rand_k_unbiased", "compressors.top_k_contractive"])
def test_a_block_with_another_constant_has_an_effect(case):
    from proveout.theory.trial.check import case_of, methods_of

    claim = case_of("", case).statement
    block = next(methods_of(case_of("", case), None))
    less = twins.statement_with("less", constant=lambda block, d: 0.9 * claim.constant(block, d))
    same = twins.statement_with("same", constant=lambda block, d: 1.0 * claim.constant(block, d))
    other = twins.statement_with("other", sides=lambda b, u, draw: claim.sides(b, 1.1 * u, draw))
    assert moved(claim, less, None, block)
    assert moved(claim, other, None, block)
    assert not moved(claim, same, None, block)
