"""`proveout separate A B`: an estimator in A and not in B, found by optimisation; or the arrows from A to B."""

import math
from fractions import Fraction
from typing import Any

from proveout.cli.checking import one_thread
from proveout.cli.files import can_write, dump
from proveout.cli.screen import Usage, say

__all__ = ["separate"]

FOUND, IMPLIED, UNDECIDED = 0, 1, 3
TRIO = ("sg1", "sg2", "breq")
UNKNOWN = "neither a witness nor an arrow was found"
PLACES = {
    "far": "the same at every x",
    "optimum": "seen where grad f = 0",
    "tail": "seen far out, where f grows and grad f does not",
}


def separate(start: str, end: str, json_file: str | None = None) -> int:
    """Print the witness, or how A implies B; the exit code says which."""
    one_thread()
    can_write(json_file, (".json",))
    quiet = json_file == "-"
    a, b = start.lower(), end.lower()
    given, then = _kinds(a), _kinds(b)
    if a == b:
        raise Usage(f"separate: {start} and {end} are the same")
    from proveout.theory.scalars.separate import separate as search

    apart = not issubclass(given[0], then)
    found = search(given[0], then if len(then) > 1 else then[0]) if apart else None
    if found is not None:
        answer = _witness(a, b, found)
        code = FOUND if answer["confirmed"] is not False else UNDECIDED
    else:
        answer = _route(a, b)
        code = IMPLIED if answer["implied"] else UNDECIDED
    if not quiet:
        for line in answer["text"]:
            say(line)
    if json_file is not None:
        dump(json_file, {k: v for k, v in answer.items() if k != "text"})
    return code


def names() -> dict[str, Any]:
    """Assumption classes by the word that names them."""
    from proveout.methods.blocks.assumptions import ASSUMPTIONS
    from proveout.methods.blocks.variants import ABC0

    return {**ASSUMPTIONS, "abc0": ABC0}


def _kinds(word: str) -> tuple[Any, ...]:
    """The classes of a word; of "trio" the one that is scale-closed with the simplest constants comes first."""
    known = names()
    if word == "trio":
        return tuple(known[k] for k in TRIO[::-1])
    if word not in known:
        raise Usage(f"separate: no assumption {word!r}; known: {', '.join((*known, 'trio'))}")
    return (known[word],)


# ------------------------------------------------------------------ a witness


def _witness(a: str, b: str, found: Any) -> dict[str, Any]:
    problem, estimator = _function(found.problem), formula(found.estimator)
    opinion, confirmed = _zoo(found, b)
    constants = {k: str(v) for k, v in vars(found.given).items()}
    text = [
        f"{a.upper()} does not imply {b.upper()}",
        f"  f = {problem}",
        f"  g = {estimator}",
        f"  in {words(found.given)}  ({PLACES[found.place]})",
        *(f"  {reason}" for reason in found.reasons),
        f"  {opinion}",
    ]
    return {
        "given": a,
        "then": b,
        "implied": False,
        "problem": problem,
        "estimator": estimator,
        "constants": constants,
        "reasons": list(found.reasons),
        "confirmed": confirmed,
        "text": text,
    }


def _zoo(found: Any, b: str) -> tuple[str, bool | None]:
    """The second opinion: least constants in A and the word on B, by linear matrix inequalities."""
    from proveout.theory.zoo import least

    if found.place == "tail":
        return "exact along the line; no quadratic can show it (there A is never needed)", None
    kind = type(found.given)
    own = least(kind, found.estimator, found.problem)
    others = [k for k in _kinds(b) if least(k, found.estimator, found.problem) is not None]
    if own is None or others:
        where = f"outside {kind.__name__}" if own is None else f"in {', '.join(k.__name__ for k in others)}"
        return f"the matrix inequalities disagree: they put it {where}", False
    return f"confirmed by matrix inequalities: least {words(own)}, none of {b.upper()}", True


def words(record: Any) -> str:
    """A record of constants in short: BREQ(rho = 1/2, zeta = 9)."""
    parts = [f"{k} = {_number(v)}" for k, v in vars(record).items()]
    return f"{type(record).__name__}({', '.join(parts)})"


def _number(x: Any) -> str:
    near = Fraction(x).limit_denominator(64)
    return (
        str(near)
        if abs(float(near - Fraction(x))) <= 1e-9 * max(1.0, abs(float(near)))
        else f"{float(x):.6g}"
    )


def _function(P: Any) -> str:
    if hasattr(P, "profile"):
        return "sqrt(1 + x^2) - 1"
    return "|x|^2/2" + (" in the plane" if P.d == 2 else "")


def formula(estimator: Any) -> str:
    """g in words, J the rotation by a right angle."""
    if hasattr(estimator, "A"):
        return f"f'(x) +- sqrt({_number(2 * estimator.A)} f(x))"
    outcomes = []
    shifts = estimator.shifts or ((0.0, 0.0),) * len(estimator.matrices)
    for M, s in zip(estimator.matrices, shifts, strict=True):
        parts = [
            _term(M[0][0], "x"),
            _term(M[1][0], "J x"),
            _term(math.copysign(1, s[0]), _shift(s)) if any(s) else "",
        ]
        line = "".join(p for p in parts if p).lstrip("+ ") or "0"
        outcomes.append(("-" + line[1:].lstrip()) if line.startswith("-") else line)
    return outcomes[0] if len(outcomes) == 1 else " or ".join(outcomes) + ", equally likely"


def _term(k: float, name: str) -> str:
    if k == 0:
        return ""
    size = "" if abs(k) == 1 else _number(abs(k)) + " "
    return f" {'-' if k < 0 else '+'} {size}{name}"


def _shift(s: Any) -> str:
    return f"({', '.join(_number(abs(v)) if j == 0 else _number(v) for j, v in enumerate(s))})"


# ------------------------------------------------------------------ arrows


def _route(a: str, b: str) -> dict[str, Any]:
    """The judged arrows that lead from A to B, their constants composed at one example."""
    from proveout.theory.biased_sgd.hierarchy import atlas

    known = atlas.arrows()
    grades = {name: _grade(f"biased_sgd.{name}") for name in known}
    chart = atlas.chart(lambda name: bool(grades.get(name.partition(".")[2])))
    start, ends = (TRIO if a == "trio" else (a,)), (TRIO if b == "trio" else (b,))
    routes = [atlas.path(chart, s, e) for s in start for e in ends if {s, e} <= set(atlas.NAMES)]
    steps = [f"{s}_implies_{e}" for s, e in min((r for r in routes if r), key=len, default=[])]
    by_name = issubclass(_kinds(a)[0], _kinds(b))
    answer: dict[str, Any] = {"given": a, "then": b, "implied": bool(steps) or by_name or None}
    if not steps:
        line = f"{a.upper()} implies {b.upper()}: it is a part of it" if by_name else UNKNOWN
        return {**answer, "text": [line]}
    chain = [_example(steps[0])]
    for step in steps:
        chain.append(known[step].constants(chain[-1]))
    said = [words(record) for record in chain]
    text = [
        f"{a.upper()} implies {b.upper()}: there is no such estimator",
        *(f"  biased_sgd.{s} ({grades[s]})" for s in steps),
        f"  e.g. {' => '.join(said)}",
    ]
    return {**answer, "arrows": [f"biased_sgd.{s}" for s in steps], "example": said, "text": text}


def _example(arrow: str) -> Any:
    """Constants of the premise, the first of the case."""
    one = _case(f"biased_sgd.{arrow}")
    return one.statement.tune(None, **one.settings[0])


def _grade(identifier: str) -> str:
    """The grade of an arrow that holds at all constants of its case, else ""."""
    from proveout.theory.lenses import membership

    one = _case(identifier)
    rows = [
        membership.check(one.statement, None, one.statement.tune(None, **choices)) for choices in one.settings
    ]
    judged = [v for v in rows if v.word != "not applicable"]
    if not judged or any(v.word != "holds" for v in judged):
        return ""
    return "proved" if all(v.grade == "proved" for v in judged) else "exact"


def _case(identifier: str) -> Any:
    from proveout.theory.cases.biased_sgd.hierarchy import CASES

    return next(c for c in CASES if c.id == identifier)
