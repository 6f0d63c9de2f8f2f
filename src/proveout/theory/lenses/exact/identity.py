"""Identities, checked along replays: three random ones and one whose draws are chosen to break it.

    figure = max |left - right| / (IDENTITY steps (|left| + |right| + size)),   size = largest number of a state

`size` stands for the terms that cancel.  figure <= 1 holds (grade `searched`: the states were visited, not
decided), >= VIOLATION / ROUNDING violated, NaN or between inconclusive.  Everything follows from the seed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import Law, Uniform
from proveout.theory import witness as witnesses
from proveout.theory.lenses.common import IDENTITY as PER_STEP
from proveout.theory.lenses.common import ROUNDING, VIOLATION, Budget, Watch
from proveout.theory.lenses.states import is_float, leaves
from proveout.theory.statement import Identity, Method, Path, Problem, State, Verdict

__all__ = ["check", "gap", "replay", "sides"]

REPLAYS = 3
CHILDREN = 4
GENERATIONS = {"quick": 3, "full": 20, "deep": 100}
POOL = 64  # draws to choose from where the law is not enumerated
ATOMS = 4096  # atoms to choose from, at most

Choice = Callable[[int], Any]  # t -> draw


def check(statement: Identity, P: Problem, m: Method, budget: Budget, seed: int, watch: Watch) -> Verdict:
    """Judge an identity along REPLAYS random paths and an adversarial one."""
    paths = [_random(statement, P, m, np.random.default_rng([seed, k])) for k in range(REPLAYS)]
    if _lucky(m.law(P), statement.steps):
        paths.append(_adversarial(statement, P, m, seed, GENERATIONS[budget.name]))
    gaps = [gap(statement, P, m, path) for path in paths]
    figures = [_figure(*g) for g in gaps]
    worst = int(np.argmax(np.nan_to_num(figures, nan=np.inf)))
    figure = figures[worst]
    word: Any = "inconclusive"
    if figure <= 1:
        word = "holds"
    elif figure >= VIOLATION / ROUNDING:
        word = "violated"
    path, (lhs, rhs) = paths[worst], gaps[worst]
    return watch.verdict(
        word,
        figure=figure,
        grade="searched",
        states=f"visited({sum(len(p.states) for p in paths)})",
        notes=[] if word == "holds" else [f"|left - right| = {lhs:.3g}, rounding allows {rhs:.1e}"],
        witness=None
        if word == "holds"
        else witnesses.build(P, m, state=path.states[0], lhs=lhs, rhs=rhs, draws=path.draws),
    )


def sides(statement: Identity, P: Problem, m: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """(|left - right|, what rounding allows) along the stored path."""
    start, draws = witnesses.decode(witness["state"]), witnesses.decode(witness["more"]["draws"])
    return gap(statement, P, m, replay(P, m, start, lambda t: draws[t], len(draws)))


def gap(statement: Identity, P: Problem, m: Method, path: Path) -> tuple[float, float]:
    """(|left - right|, IDENTITY steps (|left| + |right| + size)) at the entry where their ratio is largest."""
    with np.errstate(all="ignore"):
        left, right = (np.asarray(a, float) for a in statement.sides(P, m, path))
        size = max((_size(s) for s in path.states), default=0.0)
        allowed = PER_STEP * max(1, len(path.draws)) * (np.abs(left) + np.abs(right) + size) + 1e-300
        off = np.abs(left - right)
        k = int(np.argmax(np.nan_to_num(off / allowed, nan=np.inf))) if off.size else 0
    if not off.size:
        return 0.0, 1.0
    return float(off.ravel()[k]), float(np.broadcast_to(allowed, off.shape).ravel()[k])


def _figure(lhs: float, rhs: float) -> float:
    return lhs / rhs if np.isfinite(rhs) else np.nan


def _size(state: State) -> float:
    return max((float(np.max(np.abs(a))) for a in leaves(state) if is_float(a) and np.size(a)), default=0.0)


def replay(P: Problem, m: Method, start: State, choice: Choice, steps: int) -> Path:
    """The path from `start` under the draws choice(0), choice(1), ..."""
    states, draws = [start], []
    with np.errstate(all="ignore"):
        for t in range(steps):
            draw = choice(t)
            states.append(m.step(P, states[-1], draw))
            draws.append(draw)
    return Path(states=tuple(states), draws=tuple(draws))


def _start(statement: Identity, P: Problem, m: Method, rng: np.random.Generator) -> State:
    if statement.start is not None:
        return statement.start(P, m, rng)
    return m.init(P, rng.standard_normal(P.d))


def _random(statement: Identity, P: Problem, m: Method, rng: np.random.Generator) -> Path:
    law = m.law(P)
    return replay(P, m, _start(statement, P, m, rng), lambda t: law.at(t).sample(rng, ()), statement.steps)


def _adversarial(statement: Identity, P: Problem, m: Method, seed: int, generations: int) -> Path:
    """Evolution over draw numbers: the path with the largest defect, from the constant paths and a random one."""
    rng = np.random.default_rng([seed, 0xADE])
    start, T = _start(statement, P, m, rng), statement.steps
    pools = _Pools(m.law(P), rng)
    first = np.stack([np.zeros(T, int), np.full(T, -1), rng.integers(1 << 30, size=T)])

    def walk(numbers: Array) -> tuple[float, Path]:
        path = replay(P, m, start, lambda t: pools.draw(t, int(numbers[t])), T)
        return float(np.nan_to_num(_figure(*gap(statement, P, m, path)), nan=np.inf)), path

    tried = [(*walk(n), n) for n in first]
    best = max(tried, key=lambda item: item[0])
    for g in range(generations):
        some = rng.random((CHILDREN, T)) < (0.5 if g % 2 else 3 / T)
        fresh = rng.integers(1 << 30, size=(CHILDREN, T))
        for child in np.where(some, fresh, best[2]):
            now = (*walk(child), child)
            best = now if now[0] > best[0] else best
    return best[1]


def _lucky(law: Law, steps: int) -> bool:
    """Is any draw random?"""
    try:
        return any(law.at(t).count != 1 for t in range(steps))
    except (AttributeError, TypeError, ValueError):
        return True


class _Pools:
    """The draws to choose from at step t: all atoms where there are few, else a sample."""

    def __init__(self, law: Law, rng: np.random.Generator) -> None:
        self.law, self.rng = law, rng
        self.known: dict[Any, tuple[int, Any]] = {}

    def draw(self, t: int, number: int) -> Any:
        law = self.law.at(t)
        key = "always" if law is self.law else t
        if key not in self.known:
            self.known[key] = self._pool(law)
        count, draws = self.known[key]
        return tree_map(lambda a: np.asarray(np.asarray(a)[number % count]), draws)

    def _pool(self, law: Law) -> tuple[int, Any]:
        try:
            few = law.count <= ATOMS and not _named(law)
            prob, draws = law.atoms() if few else (np.ones(POOL), law.sample(self.rng, (POOL,)))
        except (AttributeError, TypeError, ValueError):
            prob, draws = np.ones(POOL), law.sample(self.rng, (POOL,))
        likely = np.flatnonzero(np.asarray(prob, float) > 1e-9)
        return len(likely), tree_map(lambda a: np.asarray(a)[likely], draws)


def _named(law: Any) -> bool:
    """Are the atoms of this law names of outcomes, which only an expectation understands?"""
    if isinstance(law, Uniform):
        return True
    if isinstance(law, tuple):
        return any(_named(part) for part in law)
    inner = (getattr(law, "draw", None), getattr(law, "law", None))
    return any(_named(part) for part in inner if part is not None)
