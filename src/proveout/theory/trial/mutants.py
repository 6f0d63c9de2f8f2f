"""Red twins: each altered claim must be refuted, or shown to be true after all.

    killed       a lens calls the twin violated on some problem of its case
    equivalent   no lens does, and the worst-case (or proof) lens certifies the altered claim on every
                 class of the case: the theorem was loose, or the change is harmless
    survived     neither: an instance is missing, or the claim cannot fail
    void         the twin moves no side of the claim anywhere (or fits no problem): it is not counted

Kill score = killed / (killed + survived).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Literal, TypeAlias

from proveout.problems import build
from proveout.theory.statement import Twin, Verdict
from proveout.theory.trial import judge, pool, sources
from proveout.theory.trial.check import case_of, methods_of, problems_of
from proveout.theory.trial.effect import has_effect
from proveout.theory.trial.judge import known, lenses_for, sharpest, sign
from proveout.theory.witness import encode

__all__ = ["Mutant", "Mutants", "judge_twin", "mutants", "score"]

Fate: TypeAlias = Literal["killed", "equivalent", "survived", "void"]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One red twin and what became of it."""

    id: str
    twin: str
    word: Fate
    lenses: tuple[str, ...] = ()  # that killed it; one alone has no backup
    verdicts: tuple[Verdict, ...] = ()  # the kills, or the certificates of an equivalent
    note: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Mutants:
    """All twins, in catalogue order; `complete` is False if Ctrl-C cut the list short."""

    rows: tuple[Mutant, ...]
    bare: tuple[str, ...] = ()  # statements without twins
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Task:
    source: str
    id: str
    twin: int
    budget: str
    seed: int
    where: tuple[tuple[str, str], ...]


def score(rows: Sequence[Mutant]) -> float | None:
    """killed / (killed + survived); None where neither occurs."""
    killed = sum(r.word == "killed" for r in rows)
    counted = killed + sum(r.word == "survived" for r in rows)
    return killed / counted if counted else None


def mutants(
    words: Sequence[str] = (),
    *,
    budget: str = "full",
    seed: int = 0,
    jobs: int = 0,
    on_twin: Callable[[int, int], None] | None = None,
) -> Mutants:
    """What became of every red twin of the named statements; ValueError for unknown words or budgets."""
    known((), budget)
    found = sources.find(tuple(words))
    tasks = [
        Task(
            source=named.source,
            id=named.case.id,
            twin=k,
            budget=budget,
            seed=seed,
            where=tuple(judge.LENSES.items()),
        )
        for named in found
        for k in range(len(named.case.statement.twins))
    ]
    finished = 0

    def done(k: int, result: Any) -> None:
        nonlocal finished
        finished += 1
        if on_twin is not None:
            on_twin(finished, len(tasks))

    results, complete = pool.each(judge_twin, tasks, jobs=jobs, done=done)
    rows = tuple(_row(task, result) for task, result in zip(tasks, results) if result is not None)
    bare = tuple(n.case.id for n in found if not n.case.statement.twins)
    return Mutants(rows=rows, bare=bare, complete=complete)


def _row(task: Task, result: Any) -> Mutant:
    if isinstance(result, Mutant):
        return result
    twin = case_of(task.source, task.id).statement.twins[task.twin]
    return Mutant(id=task.id, twin=twin.name, word="survived", note=f"crashed: {result.reason}")


# ------------------------------------------------------------------ one twin


def judge_twin(task: Task) -> Mutant:
    """What became of the twin; one that survives a quick trial gets a full one."""
    found = _tried(task)
    return (
        _tried(replace(task, budget="full")) if found.word == "survived" and task.budget == "quick" else found
    )


def _tried(task: Task) -> Mutant:
    """Try the twin on the problems of its case until each lens that can has killed it."""
    since = perf_counter()
    case = case_of(task.source, task.id)
    twin: Twin = case.statement.twins[task.twin]
    trial = _Trial(task, case, twin)
    for spec in problems_of(case):
        trial.on(None if spec is None else build(spec))
    trial.on_its_class()
    word, verdicts = trial.outcome()
    return Mutant(
        id=task.id,
        twin=twin.name,
        word=word,
        lenses=tuple(v.lens for v in verdicts) if word == "killed" else (),
        verdicts=verdicts,
        note="; ".join(dict.fromkeys(trial.notes)) if word in ("survived", "void") else "",
        seconds=perf_counter() - since,
    )


class _Trial:
    """The verdicts on one twin so far."""

    def __init__(self, task: Task, case: Any, twin: Twin) -> None:
        self.task, self.case, self.twin = task, case, twin
        self.kills: dict[str, Verdict] = {}  # lens -> its first kill
        self.on_class: list[Verdict] = []
        self.effective: tuple[Any, Any] | None = None  # the first triple that moves, and its method before
        self.notes: list[str] = []

    def on(self, problem: Any) -> None:
        """One problem, with every setting of the case."""
        names = lenses_for(self.case.statement, problem, self.case.lenses)
        if judge.is_class(problem) and "worstcase" in names:
            names = ("worstcase",)  # a false claim has no proof to look for
        if not names or names[0] in self.kills:
            return
        for method in methods_of(self.case, problem):
            if not isinstance(method, Exception) and not self._pair(problem, method, names):
                return

    def _pair(self, P: Any, m: Any, names: tuple[str, ...]) -> bool:
        """Judge one pair; False if the twin dies there, so that no other setting needs to be asked."""
        before = (self.case.statement, P, m)
        try:
            after = self.twin.edit(*before)
        except ValueError as error:
            self.notes.append(f"does not exist there: {error}")
            return True
        if not has_effect(before, after, self.task.seed):
            return True
        self.effective = self.effective or (after, m)
        return not self._ask(after, m, names)

    def _ask(self, after: Any, before: Any, names: tuple[str, ...]) -> bool:
        """Is the altered triple refuted?"""
        task, (statement, P, m) = self.task, after
        try:
            verdict = sharpest(
                statement, P, m, names, budget=task.budget, seed=task.seed, where=dict(task.where)
            )
        except Exception as error:
            self.notes.append(f"crashed: {pool.describe(error)}")
            return False
        if judge.is_class(P) or names == ("worstcase",):
            self.on_class.append(verdict)
        if verdict.word != "violated":
            self.notes.append(_why(verdict))
            return False
        self.kills.setdefault(verdict.lens, self._signed(verdict, before))
        return True

    def on_its_class(self) -> None:
        """A twin that lives on data alone is tried on the class of the first problem that it bites on."""
        able = "worstcase" in (self.case.lenses or judge.KINDS[self.case.statement.kind])
        if able and self.effective and not self.kills and not self.on_class:
            after, before = self.effective
            self._ask(after, before, ("worstcase",))

    def _signed(self, verdict: Verdict, before: Any) -> Verdict:
        witness = verdict.witness
        if witness is not None:
            names = {"twin": self.twin.name, "before": encode(before)}
            witness = sign(
                witness, statement=self.task.id, lens=verdict.lens, source=self.task.source, **names
            )
        return replace(verdict, id=self.task.id, witness=witness)

    def outcome(self) -> tuple[Fate, tuple[Verdict, ...]]:
        if self.kills:
            return "killed", tuple(self.kills.values())
        if self.effective is None:
            return "void", ()
        certified = [v for v in self.on_class if v.grade in ("proved", "certified")]
        if certified and len(certified) == len(self.on_class):
            return "equivalent", tuple(replace(v, id=self.task.id) for v in certified)
        return "survived", ()


def _why(verdict: Verdict) -> str:
    figure = "" if verdict.ratio is None else f" {verdict.ratio:.4g}"
    note = f" ({verdict.note})" if verdict.note and verdict.word != "holds" else ""
    return f"{verdict.lens} on {verdict.problem or 'its block'}: {verdict.word}{figure}{note}"
