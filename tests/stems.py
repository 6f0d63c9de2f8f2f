"""What the tests of every stem ask of its cases."""

from proveout.problems import build
from proveout.theory.cases import Case
from proveout.theory.trial.check import check

__all__ = ["caught", "first_verdict", "name", "twins_of"]


def first_verdict(case):
    """On the first problem of the case, with its first choices."""
    P = build(case.problems[0])
    return check(case.statement, P, case.statement.tune(P, **case.settings[0]))


def twins_of(cases):
    return [(case, twin) for case in cases for twin in case.statement.twins]


def name(value):
    return value.id if isinstance(value, Case) else value.name


def caught(case, twin):
    """The words on the quadratics of the case, up to the first `violated`."""
    words = []
    for spec in (s for s in case.problems if s.startswith("quadratic")):
        P = build(spec)
        for choices in case.settings:
            words.append(check(*twin.edit(case.statement, P, case.statement.tune(P, **choices))).word)
            if words[-1] == "violated":
                return words
    return words
