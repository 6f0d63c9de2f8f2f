"""Which lens judges what: by the kind of statement and of problem, the sharpest that applies.

Data problems go to the lenses of the statement's kind, sharpest first, falling through where one says
`not applicable`.  `class:` problems go to the proof lens, and to the worst-case lens where a proof is not found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from importlib import import_module
from time import perf_counter
from typing import Any

from proveout.theory.statement import Method, Problem, Statement, Verdict
from proveout.theory.twins import unwrap

__all__ = [
    "BUDGETS",
    "KINDS",
    "LENSES",
    "describe_method",
    "is_class",
    "known",
    "lenses_for",
    "name_of_problem",
    "sharpest",
    "sign",
]

LENSES: dict[str, str] = {  # sharpest first
    "proof": "proveout.theory.lenses.proof",
    "worstcase": "proveout.theory.lenses.worstcase",
    "membership": "proveout.theory.lenses.membership",
    "exact": "proveout.theory.lenses.exact",
    "moments": "proveout.theory.lenses.moments",
    "sampled": "proveout.theory.lenses.sampled",
}
CLASS = ("proof", "worstcase")  # judge a function class; problems with data only if named
KINDS: dict[str, tuple[str, ...]] = {
    "OneStep": ("proof", "worstcase", "exact", "moments", "sampled"),
    "Horizon": ("proof", "worstcase", "moments", "sampled"),
    "Identity": ("exact",),
    "Membership": ("membership",),
    "Implication": ("membership",),
    "NonImplication": ("membership",),
    "Complexity": ("moments", "sampled"),
    "Failure": ("exact", "moments", "sampled"),
}
BUDGETS = ("quick", "full", "deep")


def lenses_for(statement: Statement, problem: Problem, allowed: Sequence[str] = ()) -> tuple[str, ...]:
    """The lenses that judge this kind of statement on this kind of problem, sharpest first.

    `allowed` (a case's `lenses`) replaces the table of kinds; where nothing of it fits the kind of
    problem, all of it is asked.
    """
    names = tuple(n for n in LENSES if n in (allowed or KINDS[statement.kind]))
    if problem is None:
        return names
    on_class = is_class(problem)
    fit = tuple(n for n in names if (n in CLASS) == on_class)
    return fit or (names if allowed else ())


def is_class(problem: Problem) -> bool:
    """Is this a function class, known by its constants alone?"""
    return type(problem).__name__ == "FunctionClass"


def sharpest(
    statement: Statement,
    problem: Problem,
    method: Method,
    names: Sequence[str],
    *,
    budget: str = "quick",
    seed: int = 0,
    where: Mapping[str, str] | None = None,
) -> Verdict:
    """The first answer that is not `not applicable`; of a proof that was not found, the worst case decides."""
    refused: list[Verdict] = []
    undecided: Verdict | None = None
    for name in names:
        verdict = _ask(name, statement, problem, method, budget, seed, where or LENSES)
        if verdict.word == "not applicable":
            refused.append(verdict)
        elif name == "proof" and verdict.word == "inconclusive":
            undecided = verdict
        elif name == "proof" and verdict.word == "holds" and "worstcase" in names:
            worst = _ask("worstcase", statement, problem, method, budget, seed, where or LENSES)
            return _beside(verdict, worst)
        else:
            return verdict
    if undecided is not None:
        return undecided
    if not refused:
        what = "a function class" if is_class(problem) else "a problem with data"
        note = f"no lens judges {_a(statement.kind)} on {what}"
        return Verdict(word="not applicable", lens="", problem=name_of_problem(problem), note=note)
    notes = list(dict.fromkeys(v.note for v in refused))
    if len(notes) == 1:
        return refused[0]
    return replace(refused[0], note="; ".join(f"{v.lens}: {v.note}" for v in refused))


def _beside(proof: Verdict, worst: Verdict) -> Verdict:
    """A proof with the worst case beside it: how tight the claim is, and a second opinion."""
    seconds = proof.seconds + worst.seconds
    if worst.word == "violated":
        note = f"a certificate was found ({proof.note}), yet the worst case refutes the claim: {worst.note}"
        return replace(worst, word="inconclusive", note=note, seconds=seconds)
    return replace(proof, ratio=worst.ratio, seconds=seconds)


def _ask(
    name: str, statement: Statement, P: Problem, m: Method, budget: str, seed: int, where: Mapping[str, str]
) -> Verdict:
    since = perf_counter()
    verdict: Verdict = import_module(where[name]).check(statement, P, m, budget=budget, seed=seed)
    return replace(
        verdict,
        problem=verdict.problem or name_of_problem(P),
        method=verdict.method or describe_method(m),
        seconds=verdict.seconds or perf_counter() - since,
    )


# ------------------------------------------------------------------ small parts


def describe_method(method: Method, digits: int = 6) -> str:
    """A method in words: "Scaffnew(gamma=0.1, p=0.3)"."""
    m = unwrap(method)
    if not is_dataclass(m) or isinstance(m, type):
        return "" if m is None else type(m).__name__

    def text(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:.{digits}g}"
        if is_dataclass(value):
            return describe_method(value, digits)
        shape = getattr(value, "shape", None)
        return f"array{tuple(shape)}" if shape else str(value)

    return f"{type(m).__name__}({', '.join(f'{f.name}={text(getattr(m, f.name))}' for f in fields(m) if f.repr)})"


def name_of_problem(problem: Problem) -> str:
    """The SPEC of a problem, or its type and size."""
    if problem is None:
        return ""
    sizes = ",".join(f"{k}={getattr(problem, k)}" for k in ("n", "d") if hasattr(problem, k))
    return getattr(problem, "spec", "") or f"{type(problem).__name__}({sizes})"


def known(lenses: Sequence[str], budget: str) -> None:
    """Raises ValueError for an unknown lens or budget."""
    for name in lenses:
        if name not in LENSES:
            raise ValueError(f"no lens {name!r}; lenses: {', '.join(LENSES)}")
    if budget not in BUDGETS:
        raise ValueError(f"budget must be one of {', '.join(BUDGETS)}, got {budget!r}")


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"


def sign(
    witness: dict[str, Any], *, statement: str, lens: str, source: str = "", **more: Any
) -> dict[str, Any]:
    """A lens's witness with the names that replay needs."""
    import proveout

    names = {"version": proveout.__version__, "statement": statement, "lens": lens, **more}
    return {**witness, **names, **({"source": source} if source else {})}
