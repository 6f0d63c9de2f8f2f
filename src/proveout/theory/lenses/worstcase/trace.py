"""Run a statement on abstract vectors: from the pure `step` to the data of an SDP.

*Start.* `init` shows which fields are vectors; each becomes fresh letters, shifted by what `star` has of
x*, then goes through `latent` (free vectors -> state) and `domain` (projection on the admissible states).
A projection needs no equation: what it removes is a direction that no form sees.
*x\\** is a letter too, so no claim needs to be translation-equivariant; where one is, no form sees it.
*Expectation.* One representative per orbit of draws with its probability; in full mode all atoms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import Law
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.abstract import AbstractProblem
from proveout.theory.lenses.worstcase.blocks import abstracted
from proveout.theory.lenses.worstcase.classes import class_of, speaks_of_f
from proveout.theory.lenses.worstcase.conditions import Condition, equalities, inequalities, matrices
from proveout.theory.lenses.worstcase.forms import Form, read, total
from proveout.theory.lenses.worstcase.reduce import Groups, Layout
from proveout.theory.lenses.worstcase.world import Full, NotSymmetric, Orbit, World
from proveout.theory.statement import Horizon, Method, OneStep, Problem, State

__all__ = ["Draws", "Settings", "Trace", "base_problem", "draws_of", "orbits_of", "start", "trace"]

ATOMS = 4096  # draws of a whole trace, at most
COLUMNS = 640  # letters times tracked clients, at most
FIRST = 48  # columns of the first attempt


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to trace: full Gram matrix or orbits, exact fractions or floats, steps of a horizon."""

    full: bool = False
    exact: bool = False
    tilt: bool = True
    blocks: bool = True  # replace compressors by what is known of them
    steps: int = 1


@dataclass(frozen=True, eq=False)
class Trace:
    """A claim as data: E after <= rate before (+ ...) wherever the conditions hold.

    OneStep: before = terms of V, after = their expectations after one step, progress.
    Horizon: before = the bound's terms, after = the measures whose minimum counts (one, unless over="min").
    """

    layout: Layout
    before: tuple[Form, ...]
    after: tuple[Form, ...]
    progress: Form | None
    inequalities: list[Condition]
    equalities: list[Condition]
    matrices: list[tuple[str, list[list[Form]]]]
    settings: Settings
    exact: bool  # are the conditions sufficient, so that a violation is one?
    notes: tuple[str, ...] = ()
    problem: Any = field(default=None, repr=False)  # the abstract problem, for replays
    state: Any = field(default=None, repr=False)

    @property
    def basis(self) -> tuple[tuple[str, ...], ...]:
        return self.layout.basis

    @property
    def zero(self) -> Form:
        return 0 * self.before[0]


# ------------------------------------------------------------------ problem and law


class _OneFunction:
    """A class problem as one function."""

    n = 1

    def __init__(self, base: Problem) -> None:
        self._base = base

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._base, name)


def base_problem(statement: Any, problem: Problem) -> Problem:
    """The class problem as the statement means it: one function, if `assumes` speaks of f alone."""
    if problem.n == 1 or not speaks_of_f(statement.assumes):
        return problem
    return replace(problem, n=1) if is_dataclass(problem) else _OneFunction(problem)


@dataclass(frozen=True, eq=False)
class Draws:
    """Representative draws of one step: weights, values, and the groups of clients of each."""

    prob: Array  # (K,)
    draw: Any  # leaves (K, ...)
    groups: list[list[list[int]]]

    @property
    def trivial(self) -> bool:
        return all(len(g) == 1 for g in self.groups)


def draws_of(law: Law, n: int, settings: Settings) -> Draws:
    """One representative per orbit of draws, or all of them. Raises Refused if there are too many."""
    if settings.full:
        if not law.count <= ATOMS:
            raise Refused(f"{law.count:g} atoms, at most {ATOMS} fit the full Gram matrix")
        prob, draw = law.atoms()
        groups = [[[i] for i in range(n)]] * len(prob)
    else:
        if n == 1 and not law.count <= ATOMS:
            raise Refused(f"{law.count:g} atoms, at most {ATOMS}")
        prob, draw, groups = law.orbits(n)
    keep = np.flatnonzero(np.asarray(prob) != 0)
    prob, draw = np.asarray(prob)[keep], tree_map(lambda a: np.asarray(a)[keep], draw)
    groups = [[sorted(g) for g in groups[k]] for k in keep]
    return Draws(_rational(prob) if settings.exact else prob.astype(float), draw, groups)


def _rational(prob: Array) -> Array:
    out = np.array([Fraction(p).limit_denominator(10**9) for p in prob], dtype=object)
    if out.sum() != 1:
        raise ValueError("not rational: the probabilities of the law are no simple fractions")
    return out


def orbits_of(statement: Any, base: Problem, draws: Draws, settings: Settings) -> list[Orbit]:
    """Clients by class; in each the tracked ones: the first two of every group of every draw."""
    n = base.n
    L = getattr(base, "L_i", None) if n > 1 else None
    constants = [(base.L_max, base.mu_min)] * n if L is None else list(zip(L, base.mu_i, strict=True))
    kinds: dict[Any, list[int]] = {}
    for i, pair in enumerate(constants):
        kinds.setdefault((*pair, i) if settings.full else pair, []).append(i)
    if len(kinds) > 1 and not settings.full and not draws.trivial:
        raise NotSymmetric("clients of several classes under a law that picks clients")
    orbits = []
    for (L_i, mu_i, *_), members in kinds.items():
        tracked = {members[0], *members[:2]}
        for groups in draws.groups:
            for group in groups:
                tracked.update([i for i in group if i in set(members)][:2])
        orbits.append(Orbit(tuple(members), tuple(sorted(tracked)), class_of(statement.assumes, base, L_i, mu_i)))
    return orbits


# ------------------------------------------------------------------ the start


def fresh(world: World, model: State, star: State | None) -> State:
    """Fresh letters in the places of a state's vectors, shifted by what `star` has of x*."""

    def one(name: str, leaf: Any, at: Any) -> Any:
        if hasattr(leaf, "_fields"):
            stars = at if at is not None else (None,) * len(leaf)
            return type(leaf)(*map(one, leaf._fields, leaf, stars))
        if not isinstance(leaf, np.ndarray) or not leaf.ndim or leaf.shape[-1] != world.capacity:
            return leaf
        client = leaf.ndim >= 2 and leaf.shape[-2] == world.n
        rows = world.zeros(*leaf.shape[:-1])
        for where in np.ndindex(leaf.shape[: -2 if client else -1]):
            label = name + "".join(f"[{k}]" for k in where)
            rows[where] = world.clients(label) if client else world.shared(label)
        if at is not None and world.optimum:
            column = world.letters[0].start
            rows[..., column] = np.broadcast_to(at, leaf.shape)[..., column]
        return rows[None]

    return one("state", model, star) if hasattr(model, "_fields") else model


def start(statement: OneStep, P: AbstractProblem, m: Method, model: State) -> State:
    """The general admissible state, with a leading axis of length one."""
    star = statement.star(P, m) if statement.star is not None else None
    state = fresh(P._world, model, star)
    if statement.latent is not None:
        state = statement.latent(P, m, state)
    if statement.domain is not None:
        state = statement.domain(P, m, state)
        again = statement.domain(P, m, state)
        tree_map(lambda a, b: _idempotent(P._world, a, b), state, again)
    return state


def _idempotent(world: World, a: Any, b: Any) -> None:
    if isinstance(a, np.ndarray) and a.ndim and a.shape[-1] == world.capacity and not world._equal(a, b):
        raise Refused("`domain` is no projection")


# ------------------------------------------------------------------ traces


def trace(statement: Any, problem: Problem, method: Method, settings: Settings | None = None) -> Trace:
    """The data of a OneStep or Horizon claim over the class of `problem`.

    Raises Refused if the claim has no such reading, NotSymmetric if clients are not exchangeable,
    ValueError for exact data that become floats.
    """
    settings = settings or Settings()
    base = base_problem(statement, problem)
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
    return World(orbits, capacity, settings.exact, tilt)


def _trace(statement: Any, base: Problem, method: Method, settings: Settings, capacity: int) -> Trace:
    everybody = Draws(np.ones(1), None, [[list(range(base.n))]])
    if settings.full:
        everybody = replace(everybody, groups=[[[i] for i in range(base.n)]])
    sizes = AbstractProblem(_world(statement, base, everybody, settings, capacity), base)
    plain = abstracted(method, sizes.d, sizes._world) if settings.blocks else method
    draws = draws_of(plain.law(sizes).at(0), base.n, settings)
    world = _world(statement, base, draws, settings, capacity)
    P = AbstractProblem(world, base)
    m = abstracted(method, P.d, world) if settings.blocks else method
    world.names = sizes._world.names
    model = m.init(sizes, sizes._world.zeros())
    tracer = _one_step if isinstance(statement, OneStep) else _horizon
    return tracer(statement, P, m, model, draws, settings)


def _one_step(
    statement: OneStep, P: AbstractProblem, m: Method, model: State, draws: Draws, settings: Settings
) -> Trace:
    one = _rational(np.ones(1)) if settings.exact else np.ones(1)
    state = start(statement, P, m, model)
    before = statement.lyapunov(P, m, state)
    progress = statement.progress(P, m, state) if statement.progress is not None else ()
    raws = [[read(P, term, one) for term in terms] for terms in (before, progress)]
    P._world.epoch += 1
    after = statement.lyapunov(P, m, m.step(P, state, draws.draw))
    raws.append([read(P, term, draws.prob) for term in after])
    layout = Layout(P._world)
    V, minus, new = (
        [layout.form(raw, prob, groups) for raw in part]
        for part, prob, groups in zip(raws, (one, one, draws.prob), (draws.groups[:1], draws.groups[:1], draws.groups), strict=True)
    )
    return _finish(P, layout, tuple(V), tuple(new), total(minus) if minus else None, settings, state)


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
    exact = all(orbit.klass.exact for orbit in world.orbits)
    if not exact:
        notes.append("necessary conditions of the class only: an upper bound")
    if any(noise.kept for noise in world.noises):
        exact = False
        notes.append("noise seen by an oracle: pair inequalities in expectation, an upper bound")
    if settings.full and world.n > 1:
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


# ------------------------------------------------------------------ horizons


def _horizon(
    statement: Horizon, P: AbstractProblem, m: Method, model: State, draws: Draws, settings: Settings
) -> Trace:
    """T steps from init(x0), x0 free (or any admissible state, if the statement has a `domain`)."""
    world, T = P._world, settings.steps
    if not settings.full and T > 1 and not draws.trivial:
        raise NotSymmetric("cohorts of several steps have no common representative")
    if len(draws.prob) ** T > ATOMS:
        raise Refused(f"{len(draws.prob)}^{T} draws, at most {ATOMS}")
    one = _rational(np.ones(1)) if settings.exact else np.ones(1)
    first = _first(statement, P, m, model)
    bound = statement.bound(P, m, T, first)
    if not isinstance(bound, tuple):
        raise Refused("the bound is a number, not terms of the start")
    before = [read(P, term, one) for term in bound]
    states, prob = [first], one
    law: Callable[[int], Draws] = lambda t: draws if t == 0 else draws_of(m.law(P).at(t), P.n, settings)
    for t in range(T):
        world.epoch += 1
        states, prob = _advance(P, m, states, prob, law(t))
    choices = _measures(statement, P, m, states, T)
    raws = [[(weight, read(P, term, prob)) for weight, term in choice] for choice in choices]
    layout = Layout(world)
    everybody = draws.groups[:1] * len(prob)
    forms = [total([weight * layout.form(raw, prob, everybody) for weight, raw in choice]) for choice in raws]
    bounds = tuple(layout.form(raw, one, everybody) for raw in before)
    return _finish(P, layout, bounds, tuple(forms), None, settings, first)


def _first(statement: Horizon, P: AbstractProblem, m: Method, model: State) -> State:
    if statement.domain is not None:
        return start(_as_start(statement), P, m, model)
    row = P._world.shared("x0")
    if P._world.optimum:
        row = row + P._world.x_star
    return m.init(P, row[None])


def _as_start(statement: Horizon) -> Any:
    """A horizon's star and domain, in the words of `start`."""
    return OneStep(
        source=statement.source,
        lyapunov=lambda P, m, s: (),
        rate=lambda P, m: 1,
        star=statement.star,
        domain=statement.domain,
    )


def _advance(P: AbstractProblem, m: Method, states: list[State], prob: Array, draws: Draws) -> tuple[list[State], Array]:
    """One step of every path: all states of the history get the axis of the new draw."""
    K, S = len(draws.prob), len(prob)
    size = P._world.capacity

    def along(repeat: Callable[[Array], Array]) -> Callable[[Any], Any]:
        return lambda a: repeat(a) if isinstance(a, np.ndarray) and a.ndim and a.shape[-1] == size else a

    wide = [tree_map(along(lambda a: np.repeat(_whole(a, S), K, axis=0)), s) for s in states]
    draw = tree_map(lambda a: np.tile(np.asarray(a), (S, *(1,) * (np.ndim(a) - 1))), draws.draw)
    new = m.step(P, wide[-1], draw)
    return [*wide, new], np.multiply.outer(prob, draws.prob).ravel()


def _whole(a: Array, count: int) -> Array:
    return np.repeat(a, count, axis=0) if len(a) == 1 and count > 1 else a


def _measures(
    statement: Horizon, P: AbstractProblem, m: Method, states: Sequence[State], T: int
) -> list[list[tuple[Any, Any]]]:
    """The measures whose least expectation counts, each a list of (weight, term)."""
    over, terms = statement.over, lambda s: statement.measure(P, m, s)
    if over == "last":
        return [[(1, term) for term in terms(states[-1])]]
    used = list(states if statement.includes_end else states[:-1])
    if over == "min":
        return [[(1, term) for term in terms(s)] for s in used]
    weights = statement.weights(P, m, T) if statement.weights is not None else [P._world.one] * len(used)
    scaled = [w / sum(weights) for w in weights]
    if len(scaled) != len(used):
        raise ValueError(f"weights must have {len(used)} entries, got {len(scaled)}")
    if over == "mean":
        return [[(w, term) for w, s in zip(scaled, used, strict=True) for term in terms(s)]]
    return [[(1, term) for term in terms(_mean_state(used, scaled, P._world.capacity))]]


def _mean_state(states: Sequence[State], weights: Sequence[Any], size: int) -> State:
    """Vectors averaged, everything else from the last state."""

    def mean(*leaves: Any) -> Any:
        last = leaves[-1]
        if not (isinstance(last, np.ndarray) and last.ndim and last.shape[-1] == size):
            return last
        return sum(w * leaf for w, leaf in zip(weights, leaves, strict=True))

    return tree_map(mean, *states)


