"""Run a statement on abstract vectors: from the pure `step` to the data of an SDP.

x* is a letter too, so no claim needs to be translation-equivariant; where one is, no form sees it.
E: one representative per orbit of draws with its probability; in full mode all atoms.

    found = trace(statement, problem, method, Settings(...))
    total(found.before), total(found.after), found.inequalities, found.basis, ...
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.abstract import AbstractProblem, stepped
from proveout.theory.lenses.worstcase.blocks import abstracted
from proveout.theory.lenses.worstcase.conditions import Condition, equalities, inequalities, matrices
from proveout.theory.lenses.worstcase.draws import (
    Draws,
    Settings,
    base_problem,
    draws_of,
    floats,
    orbits_of,
    rational,
)
from proveout.theory.lenses.worstcase.forms import Form, Raw, read, total
from proveout.theory.lenses.worstcase.horizon import measures, paths
from proveout.theory.lenses.worstcase.linear import nonlinear
from proveout.theory.lenses.worstcase.luck import Luck
from proveout.theory.lenses.worstcase.reduce import Layout
from proveout.theory.lenses.worstcase.space import Space
from proveout.theory.lenses.worstcase.start import from_init, general
from proveout.theory.lenses.worstcase.symmetry import exchangeable
from proveout.theory.lenses.worstcase.world import Full, NotSymmetric, World
from proveout.theory.statement import Horizon, Method, OneStep, Problem, State

__all__ = ["Settings", "Trace", "trace"]

COLUMNS = 768  # letters times tracked clients, at most
FIRST = 48  # columns of the first attempt


@dataclass(frozen=True, eq=False)
class Trace:
    """A claim as data: after (+ progress) <= rate before (+ noise) wherever the conditions hold.

    OneStep: before = the terms of V, after = their expectations one step later.
    Horizon: before = the terms of the bound, after = the measures of which the least counts.
    """

    layout: Layout
    before: tuple[Form, ...]
    after: tuple[Form, ...]
    progress: Form | None
    inequalities: list[Condition]
    equalities: list[Condition]
    matrices: list[tuple[str, list[list[Form]]]]  # must be PSD
    settings: Settings
    exact: bool  # are the conditions sufficient, so that a violation is one?
    notes: tuple[str, ...] = ()
    problem: Any = field(default=None, repr=False)  # the abstract problem
    state: Any = field(default=None, repr=False)  # the abstract start

    @property
    def basis(self) -> tuple[tuple[str, ...], ...]:
        """Names of the vectors of each block."""
        return self.layout.basis


def trace(statement: Any, problem: Problem, method: Method, settings: Settings | None = None) -> Trace:
    """The data of a OneStep or Horizon claim over the class of `problem`.

    Raises Refused if the claim has no such reading (a step that is not linear, too many draws),
    NotSymmetric if clients are not exchangeable, ValueError for exact data that become floats.
    """
    settings = settings or Settings()
    if not isinstance(statement, (OneStep, Horizon)):
        raise Refused(f"a {statement.kind} has no worst case over a class")
    base = base_problem(statement, problem)
    if not settings.trusted:
        _tested(statement, base, method, settings)
    return _sized(statement, base, method, settings)


def _tested(statement: Any, base: Problem, method: Method, settings: Settings) -> None:
    """Raises NotSymmetric or Refused; both tests are made in floats, with one step."""
    base, method = floats(base), floats(method)
    once = replace(settings, exact=False, steps=1)
    if not settings.full:
        reason = exchangeable(statement, base, method, once)
        if reason is not None:
            raise NotSymmetric(reason)
    reason = nonlinear(statement, _sized(statement, base, method, once), method)
    if reason is not None:
        raise Refused(reason)


def _sized(statement: Any, base: Problem, method: Method, settings: Settings) -> Trace:
    """A trace with as many columns as it needs."""
    capacity = FIRST
    while capacity <= COLUMNS:
        try:
            return _trace(statement, base, method, settings, capacity)
        except Full:
            capacity *= 2
    raise Refused(f"more than {COLUMNS} columns: the Gram matrix is too large")


def _world(statement: Any, base: Problem, draws: Draws, settings: Settings, capacity: int) -> World:
    orbits = orbits_of(statement, base, draws, settings)
    tilt = settings.tilt or any(orbit.klass.closed for orbit in orbits)
    space = Space(orbits, capacity, settings.exact)
    return World(space, Luck(space, settings.inner), tilt)


def _trace(statement: Any, base: Problem, method: Method, settings: Settings, capacity: int) -> Trace:
    everybody = [[i] for i in range(base.n)] if settings.full else [list(range(base.n))]
    # a first world, only to ask for the law and for the shape of a state
    scratch = _world(statement, base, Draws(np.ones(1), None, [everybody]), settings, capacity)
    sizes = AbstractProblem(scratch, base)
    m = abstracted(method, sizes.d, scratch) if settings.blocks else method
    draws = draws_of(m.law(sizes).at(settings.clock), base.n, settings)
    model = m.init(sizes, scratch.space.zeros())
    P = AbstractProblem(_world(statement, base, draws, settings, capacity), base)
    m = abstracted(method, P.d, P._world) if settings.blocks else method
    tracer = _one_step if isinstance(statement, OneStep) else _horizon
    return tracer(statement, P, m, model, draws, settings)


def _one_step(
    statement: OneStep, P: AbstractProblem, m: Method, model: State, draws: Draws, settings: Settings
) -> Trace:
    now = _certain(draws, settings)
    state = general(statement, P, m, model, settings.clock)
    V = [read(P, term, now.prob) for term in statement.lyapunov(P, m, state)]
    progress = statement.progress(P, m, state) if statement.progress is not None else ()
    minus = [read(P, term, now.prob) for term in progress]
    after = statement.lyapunov(P, m, stepped(P, m, state, draws.draw))
    new = [read(P, term, draws.prob) for term in after]
    layout = Layout(P._world)
    less = _forms(layout, minus, now)
    return _finish(
        P,
        layout,
        _forms(layout, V, now),
        _forms(layout, new, draws),
        total(less) if less else None,
        settings,
        state,
    )


def _horizon(
    statement: Horizon, P: AbstractProblem, m: Method, model: State, draws: Draws, settings: Settings
) -> Trace:
    """T steps from init(x0), x0 free, or from any admissible state if the statement has a `domain`."""
    now, T = _certain(draws, settings), settings.steps
    first = from_init(P, m) if statement.domain is None else general(statement, P, m, model)
    bound = statement.bound(P, m, T, first)
    if not isinstance(bound, tuple):
        raise Refused("the bound is a number, not terms of the start")
    before = [read(P, term, now.prob) for term in bound]
    states, prob = paths(P, m, first, draws, settings)
    ends = Draws(prob, None, draws.groups[:1] * len(prob) if T > 1 else draws.groups)
    choices = [
        [(weight, read(P, term, prob)) for weight, term in choice]
        for choice in measures(statement, P, m, states, T)
    ]
    layout = Layout(P._world)
    after = [total([w * layout.form(raw, ends.prob, ends.groups) for w, raw in choice]) for choice in choices]
    return _finish(P, layout, _forms(layout, before, now), tuple(after), None, settings, first)


def _certain(draws: Draws, settings: Settings) -> Draws:
    """No luck: one atom, with any split of the clients."""
    return Draws(rational(np.ones(1)) if settings.exact else np.ones(1), None, draws.groups[:1])


def _forms(layout: Layout, raws: Sequence[Raw], draws: Draws) -> tuple[Form, ...]:
    return tuple(layout.form(raw, draws.prob, draws.groups) for raw in raws)


def _finish(
    P: AbstractProblem,
    layout: Layout,
    before: tuple[Form, ...],
    after: tuple[Form, ...],
    progress: Form | None,
    settings: Settings,
    state: State,
) -> Trace:
    world, notes = P._world, []
    exact = all(orbit.klass.exact for orbit in world.space.orbits)
    if not exact:
        notes.append("necessary conditions of the class only: an upper bound")
    if any(noise.kept for noise in world.luck.noises):
        exact = False
        notes.append("noise seen by an oracle: pair inequalities in expectation, an upper bound")
    if settings.inner:
        notes.append("worst case over members of the class that can be drawn")
    if settings.full and world.space.n > 1:
        notes.append("full Gram")
    return Trace(
        layout=layout,
        before=before,
        after=after,
        progress=progress,
        inequalities=inequalities(layout, P._base),
        equalities=equalities(layout),
        matrices=matrices(layout),
        settings=settings,
        exact=exact,
        notes=tuple(notes),
        problem=P,
        state=state,
    )
