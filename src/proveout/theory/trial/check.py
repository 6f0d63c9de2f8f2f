"""`check`: one statement, one problem, one method; `check_cases`: the rows of the whole catalogue, in its order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from proveout.problems import build
from proveout.theory.statement import Method, Problem, Statement, Verdict
from proveout.theory.trial import judge, pool, sources
from proveout.theory.trial.judge import describe_method, known, lenses_for, sharpest, sign

__all__ = ["Checked", "Pair", "case_of", "check", "check_cases", "judge_pair", "methods_of", "problems_of"]


def check(
    statement: Statement,
    problem: Problem,
    method: Method,
    *,
    lens: str | None = None,
    budget: str = "quick",
    seed: int = 0,
) -> Verdict:
    """The verdict of the sharpest lens that applies, or of the one that is named.

    `problem` is a problem or a SPEC (None for a statement about a block alone).  Raises ValueError for an
    unknown lens or budget.
    """
    from proveout.theory.catalogue import name_of

    if isinstance(problem, str):
        problem = build(problem)
    known(() if lens is None else (lens,), budget)
    names = lenses_for(statement, problem) if lens is None else (lens,)
    verdict = sharpest(statement, problem, method, names, budget=budget, seed=seed)
    return _named(verdict, name_of(statement))


# ------------------------------------------------------------------ the catalogue


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The rows, in catalogue order; `complete` is False if Ctrl-C cut the list short."""

    rows: tuple[Verdict, ...]
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A case on one of its problems: the unit of work that is sent to a process."""

    source: str
    id: str
    problem: str | None
    lenses: tuple[str, ...]  # asked for by name
    budget: str
    seed: int
    where: tuple[tuple[str, str], ...]


def check_cases(
    words: Sequence[str] = (),
    lenses: Sequence[str] = (),
    problem: str | Sequence[str] = (),
    budget: str = "quick",
    seed: int = 0,
    jobs: int = 0,
    on_verdict: Callable[[Verdict], None] | None = None,
    on_pair: Callable[[int, int], None] | None = None,
) -> Checked:
    """Verdicts on the cases that the words name (stems, ids, a user's file; none: the whole catalogue).

    lenses      each of them gives a row of its own; without names the sharpest that applies
    problem     SPECs that replace the problems of the cases
    jobs        processes (0: as many as it is worth); verdicts do not depend on it
    on_verdict  called with each row as it comes; on_pair(done, total) after each (case, problem)

    A row that crashes is `inconclusive` and says so; Ctrl-C returns what was finished.
    Raises ValueError for unknown words, lenses, budgets and SPECs.
    """
    known(lenses, budget)
    specs = (problem,) if isinstance(problem, str) else tuple(problem)
    for spec in specs:
        build(spec)
    pairs = [
        Pair(
            source=named.source,
            id=named.case.id,
            problem=spec,
            lenses=tuple(lenses),
            budget=budget,
            seed=seed,
            where=tuple(judge.LENSES.items()),
        )
        for named in sources.find(tuple(words))
        for spec in problems_of(named.case, specs)
    ]
    finished = 0

    def done(k: int, result: Any) -> None:
        nonlocal finished
        finished += 1
        for row in _rows(pairs[k], result) if on_verdict is not None else ():
            on_verdict(row)  # type: ignore[misc]
        if on_pair is not None:
            on_pair(finished, len(pairs))

    results, complete = pool.each(judge_pair, pairs, jobs=jobs, weight=_weight, done=done)
    rows = tuple(
        row for pair, result in zip(pairs, results) if result is not None for row in _rows(pair, result)
    )
    return Checked(rows=rows, complete=complete)


def problems_of(case: Any, specs: Sequence[str] = ()) -> tuple[str | None, ...]:
    """The problems to judge a case on; a case about a block alone has the one problem None."""
    if not case.problems:
        return (None,)
    return tuple(specs) or tuple(case.problems)


def judge_pair(pair: Pair) -> list[Verdict]:
    """The rows of one pair: `not applicable` only if named, or if nothing else judged it there."""
    case = case_of(pair.source, pair.id)
    rows: list[Verdict] = []
    try:
        problem = None if pair.problem is None else build(pair.problem)
    except ValueError as error:
        return [_row(pair, Verdict(word="inconclusive", lens="", note=str(error)))]
    names = lenses_for(case.statement, problem, case.lenses)
    for method in methods_of(case, problem):
        for asked in tuple((n,) for n in pair.lenses) or (names,):
            rows.append(_row(pair, _judge(case.statement, problem, method, asked, pair)))
    judged = [r for r in rows if r.word != "not applicable"]
    if judged and not pair.lenses:
        return judged
    refused = {(r.lens, r.note): r for r in reversed(rows) if r.word == "not applicable"}
    return [r for r in rows if r.word != "not applicable" or refused.get((r.lens, r.note)) is r]


def _judge(statement: Statement, problem: Problem, method: Any, names: Sequence[str], pair: Pair) -> Verdict:
    lens = names[0] if names else ""
    if isinstance(method, ValueError):
        return Verdict(word="not applicable", lens=lens, note=f"no parameters: {method}")
    if isinstance(method, Exception):
        return Verdict(word="inconclusive", lens=lens, note=f"crashed: tune: {pool.describe(method)}")
    since = perf_counter()
    try:
        return sharpest(
            statement, problem, method, names, budget=pair.budget, seed=pair.seed, where=dict(pair.where)
        )
    except Exception as error:
        return Verdict(
            word="inconclusive",
            lens=lens,
            method=describe_method(method),
            note=f"crashed: {pool.describe(error)}",
            seconds=perf_counter() - since,
        )


def methods_of(case: Any, problem: Problem) -> Iterator[Any]:
    """The tuned method for each setting of a case; where a setting does not fit, the ValueError of `tune`."""
    for choices in case.settings:
        try:
            yield case.statement.tune(problem, **choices) if case.statement.tune is not None else None
        except Exception as error:
            yield error


def case_of(source: str, identifier: str) -> Any:
    """A case of the catalogue, or of a user's file; KeyError if it is not there."""
    if not source:
        from proveout.theory.catalogue import case

        return case(identifier)
    return next(c for c in sources.load(source) if c.id == identifier)


def _row(pair: Pair, verdict: Verdict) -> Verdict:
    return _named(replace(verdict, problem=verdict.problem or pair.problem or ""), pair.id, pair.source)


def _named(verdict: Verdict, identifier: str, source: str = "") -> Verdict:
    witness = verdict.witness
    if witness is not None:
        witness = sign(witness, statement=identifier, lens=verdict.lens, source=source)
    return replace(verdict, id=identifier, witness=witness)


def _rows(pair: Pair, result: Any) -> list[Verdict]:
    if isinstance(result, pool.Lost):
        return [_row(pair, Verdict(word="inconclusive", lens="", note=f"crashed: {result.reason}"))]
    rows: list[Verdict] = result
    return rows


def _weight(pair: Pair) -> float:
    """A guess at the seconds of a pair, to start the longest first."""
    family = (pair.problem or "").partition(":")[0]
    return {"": 0.5, "quadratic": 1, "class": 2, "logistic": 3}.get(family, 2)
