"""From a claim to its worst case: what is asked of the SDP, and how often.

    one step, no noise      least rate r with  E V(next) + progress <= r V
    one step, noise         least r with  E V(next) + progress <= r (rate V + noise)
    horizon                 least r with  min_k E measure_k <= r bound

Attempts go on while the interval straddles the claim; all of them are true, so they intersect.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from proveout.theory.lenses.common import ROUNDING, VIOLATION, Refused, worst_rate
from proveout.theory.lenses.worstcase.blocks import drawable
from proveout.theory.lenses.worstcase.draws import Settings, base_problem
from proveout.theory.lenses.worstcase.enclosure import Interval, enclose
from proveout.theory.lenses.worstcase.forms import Form, total
from proveout.theory.lenses.worstcase.program import Point, Program, program
from proveout.theory.lenses.worstcase.start import has_clock
from proveout.theory.lenses.worstcase.trace import Trace, trace
from proveout.theory.lenses.worstcase.world import NotSymmetric
from proveout.theory.statement import Method, OneStep, Problem

__all__ = ["Answer", "Question", "answer", "ask", "worst"]

ATTEMPTS = ((True, 1e-10), (True, 1e-12), (False, 1e-10), (True, 1e-8))  # scaled?, tolerance
CLOCKS = (1, 2, 3)  # counts after 0 at which a step that counts is judged
NARROW = 1e-8  # relative width of an interval that satisfies


@dataclass(frozen=True, eq=False)
class Question:
    """sup over the class of min_k <C_k, y> / <N, y>; the claim is that it is at most `claimed`."""

    trace: Trace
    choices: tuple[Form, ...]
    normal: Form
    claimed: float
    rhs: Form  # the claim's right side, of which `normal` is a multiple
    branches: tuple[int, ...] = ()

    def sides(self, point: Point) -> tuple[float, float]:
        """Both sides of the claim at a Gram matrix and values."""
        return min(point.of(C) for C in self.choices), point.of(self.rhs)


@dataclass(frozen=True, eq=False)
class Answer:
    """A question with its certified interval."""

    question: Question
    interval: Interval

    @property
    def decided(self) -> bool:
        return self.holds or self.violated

    @property
    def holds(self) -> bool:
        return self.interval.up <= self.question.claimed + ROUNDING * self._unit

    @property
    def violated(self) -> bool:
        return (
            self.interval.point is not None
            and self.interval.low > self.question.claimed + VIOLATION * self._unit
        )

    @property
    def _unit(self) -> float:
        """Tolerances are relative; a claimed rate of 0 is met to rounding of V itself."""
        return abs(self.question.claimed) or 1.0


def ask(statement: Any, problem: Problem, method: Method, settings: Settings | None = None) -> Question:
    """The question that a statement puts to the class of `problem`. Raises what `trace` raises."""
    found = trace(statement, problem, method, settings)
    V = total(found.before)
    if not isinstance(statement, OneStep):
        return Question(found, found.after, V, 1.0, V)
    base = base_problem(statement, problem)
    after = total(found.after) if found.progress is None else total(found.after) + found.progress
    rate, active = worst_rate(statement, base, method)
    noise = statement.noise(base, method) if statement.noise is not None else 0
    rhs = rate * V
    if not noise:
        return Question(found, (after,), V, rate, rhs, active)
    rhs = replace(rhs, noise=rhs.noise + noise)
    return Question(found, (after,), rhs, 1.0, rhs, active)


def answer(question: Question) -> Answer:
    """The certified interval, by as many attempts as the claim needs, or a narrow interval."""
    found = Answer(question, Interval(0.0, math.inf))
    data: dict[bool, Program] = {}
    for scaled, tolerance in ATTEMPTS:
        if scaled not in data:
            data[scaled] = program(question.trace, question.choices, [question.normal], scaled=scaled)
        found = Answer(question, found.interval.meet(enclose(data[scaled], tolerance)))
        if found.decided and not NARROW < found.interval.up / max(found.interval.low, 1e-300) - 1 < math.inf:
            break
    return found


def worst(statement: Any, problem: Problem, method: Method, *, steps: int = 1) -> Answer:
    """The worst case of a claim over the class of `problem`; of a state that counts steps, at its first counts.

    Raises Refused if the claim has no reading.
    """
    found = _at_clock(statement, problem, method, Settings(steps=steps))
    if not isinstance(statement, OneStep) or not has_clock(found.question.trace.state):
        return found
    for clock in CLOCKS:
        now = _at_clock(statement, problem, method, Settings(clock=clock, trusted=True))
        if found.holds and (not now.holds or now.interval.up > found.interval.up):
            found = now
    return found


def _at_clock(statement: Any, problem: Problem, method: Method, settings: Settings) -> Answer:
    """Where only necessary conditions are known, a violation is looked for among members that can be drawn."""
    first = _decide(statement, problem, method, settings)
    if first.holds or first.question.trace.exact:
        return first
    readings = [replace(settings, inner=True)]
    if drawable(method):
        readings.insert(0, replace(settings, blocks=False))
    for other in readings:
        try:
            now = _decide(statement, problem, method, other)
        except Refused:
            continue
        proved = now.holds and not other.inner
        if proved or (now.violated and now.question.trace.exact):
            return now
    return first


def _decide(statement: Any, problem: Problem, method: Method, settings: Settings) -> Answer:
    """With gradients around h*, and without if that does not decide."""
    first = answer(_readable(statement, problem, method, settings))
    if first.decided:
        return first
    settings = replace(first.question.trace.settings, tilt=False, trusted=True)
    second = answer(ask(statement, problem, method, settings))
    return second if second.decided else first


def _readable(statement: Any, problem: Problem, method: Method, settings: Settings) -> Question:
    """On orbits of clients, or on the full Gram matrix where clients are not exchangeable."""
    try:
        return ask(statement, problem, method, settings)
    except NotSymmetric as reason:
        try:
            return ask(statement, problem, method, replace(settings, full=True))
        except NotSymmetric as again:
            raise Refused(f"{reason}; {again}") from None
        except Refused as again:
            raise Refused(f"{reason}, and the full Gram matrix is out of reach: {again.reason}") from None
