"""The exact lens: one-step claims at all states, or at the worst states that a search finds; identities.

All randomness is enumerated: E[V(s')|s] = sum_k p_k V(step(s, xi_k)).  If every draw's step is affine and V,
progress are quadratic, both sides are quadratic forms in the admissible state, and the claim holds at *every*
state iff the matrix B - E is positive semidefinite (E = sum_k p_k T_k'QT_k + progress, B = rate Q + noise): no
state is sampled, grade `exact`.  Otherwise candidates and an ascent look for the worst state: they can refute,
never prove, grade `searched`.  A violation is confirmed by a replay through `step`, in Fractions too where the
step is rational, and its state is the witness.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.problems.classes import FunctionClass
from proveout.theory import witness as witnesses
from proveout.theory.lenses.common import (
    VIOLATION,
    Budget,
    Refused,
    Watch,
    budget_of,
    decide,
    refusal,
    worst_rate,
)
from proveout.theory.lenses.exact import identity
from proveout.theory.lenses.exact.decide_all import all_states, explicit, sharp
from proveout.theory.lenses.exact.onestep import Claim, claim_of, one_step_sides
from proveout.theory.lenses.exact.rational import replay_exact
from proveout.theory.lenses.exact.search import search
from proveout.theory.lenses.states import LAZY, Coordinates, clock_of, coordinates_of
from proveout.theory.statement import Identity, Method, OneStep, Problem, State, Statement, Verdict

__all__ = ["Worst", "check", "replay_exact", "sharp_numbers", "sides", "worst_state"]

RATIONAL = 400  # n d^2 draws up to which a violation is also replayed in Fractions
CLOCKS = 4  # clock values at which a claim is looked at


def check(
    statement: Statement, P: Problem, m: Method, *, budget: str | Budget = "quick", seed: int = 0
) -> Verdict:
    """Judge a OneStep or an Identity on a problem with data."""
    watch, size = Watch("exact"), budget_of(budget)
    reason = refusal(statement, P, m)
    if reason is None and isinstance(P, FunctionClass):
        reason = "needs a problem with data, got a function class"
    if reason is not None:
        return watch.refused(reason)
    try:
        if isinstance(statement, OneStep):
            return _one_step(statement, P, m, size, seed, watch)
        if isinstance(statement, Identity):
            return identity.check(statement, P, m, size, seed, watch)
    except Refused as refused:
        return watch.refused(refused)
    return watch.refused(f"judges OneStep and Identity, not {statement.kind}")


def sides(statement: Statement, P: Problem, m: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """Both sides of a stored witness, rebuilt through `step`."""
    if isinstance(statement, Identity):
        return identity.sides(statement, P, m, witness)
    if not isinstance(statement, OneStep):
        raise ValueError(f"statement must be a OneStep or an Identity, got {statement.kind}")
    return one_step_sides(statement, P, m, witnesses.decode(witness["state"]))


# ------------------------------------------------------------------ one step


@dataclass(frozen=True, eq=False)
class Worst:
    """The worst state of a claim: the figure, where it is (nearly) attained, and how far we looked."""

    figure: float  # sup lhs/rhs over all states, or the largest found
    state: State  # without leading axes
    lhs: float  # raw, at `state`
    rhs: float
    reached: float  # lhs/rhs at `state`, rounding at star taken off
    states: str  # "all", "all at N clocks" or "searched(N)"
    notes: tuple[str, ...] = ()
    doubt: str = ""  # a reason to answer `inconclusive`

    @property
    def all(self) -> bool:
        return self.states == "all"


def worst_state(
    statement: OneStep, P: Problem, m: Method, *, budget: str | Budget = "quick", seed: int = 0
) -> Worst:
    """The worst state over the clocks of the method; Refused if the claim cannot be enumerated."""
    size = budget_of(budget)
    coords = coordinates_of(statement, P, m, seed=seed, limit=LAZY)
    clocks, complete = _clocks(P, m, coords, seed)
    found = [_worst(claim_of(statement, P, m, size, c), size, seed) for c in clocks]
    worst = max(found, key=lambda w: 1 + VIOLATION / 2 if np.isnan(w.figure) else w.figure)
    if len(found) == 1 and complete:
        return worst
    label = next((w.states for w in found if not w.all), "all" if complete else f"all at {len(found)} clocks")
    doubt = next((w.doubt for w in found if w.doubt), "")
    return replace(worst, states=label, doubt=doubt, notes=(*worst.notes, f"clocks: {len(found)}"))


def sharp_numbers(
    statement: OneStep, P: Problem, m: Method, *, budget: str | Budget = "quick"
) -> tuple[float, float] | None:
    """(best rate with the claimed noise, least noise at the claimed rate), exact for this instance; None if
    all states cannot be decided.  Refused as `worst_state`."""
    size = budget_of(budget)
    return sharp(claim_of(statement, P, m, size), size)


def _one_step(statement: OneStep, P: Problem, m: Method, budget: Budget, seed: int, watch: Watch) -> Verdict:
    worst = worst_state(statement, P, m, budget=budget, seed=seed)
    _, active = worst_rate(statement, P, m)
    word = decide(worst.figure, worst.reached)
    notes = list(worst.notes)
    if worst.doubt and word != "violated" or worst.doubt.startswith("ill-conditioned"):
        word = "inconclusive"
        notes.append(worst.doubt)
    if word == "violated":
        exact = _in_fractions(statement, P, m, worst)
        if exact is not None and exact <= 1:
            word = "inconclusive"
            notes.append("the violation is not reproduced in exact arithmetic")
        elif exact is not None:
            notes.append("confirmed in exact arithmetic")
    return watch.verdict(
        word,
        figure=worst.figure,
        grade="exact" if worst.all else "searched",
        states=worst.states,
        branches=active,
        notes=notes,
        witness=witnesses.build(P, m, state=worst.state, lhs=worst.lhs, rhs=worst.rhs)
        if word in ("violated", "inconclusive")
        else None,
    )


def _in_fractions(statement: OneStep, P: Problem, m: Method, worst: Worst) -> float | None:
    """lhs/rhs at the worst state in exact arithmetic, where that is possible and small."""
    if getattr(P, "n", 1) * getattr(P, "d", 1) ** 2 * m.law(P).count > RATIONAL:
        return None
    exact = replay_exact(statement, P, m, worst.state)
    if exact is None:
        return None
    lhs, rhs = exact
    return float(lhs / rhs) if rhs > 0 else (np.inf if lhs > rhs else 1.0)


def _clocks(P: Problem, m: Method, coords: Coordinates, seed: int) -> tuple[list[Coordinates], bool]:
    """The coordinates at the first few different clocks of a run, that of star first; were these all?"""
    if not clock_of(coords.star):
        return [coords], True
    rng = np.random.default_rng([seed, 0xC10C])
    law, state = m.law(P), m.init(P, rng.standard_normal(P.d))
    seen, out = {_key(coords.star)}, [coords]
    for t in range(4 * CLOCKS):
        if _key(state) not in seen:
            if len(out) == CLOCKS:
                return out, False
            seen.add(_key(state))
            out.append(coords.at_clock(state))
        try:
            draw = law.at(t).sample(rng, ())
        except ValueError:  # past the end of a schedule
            break
        state = m.step(P, state, draw)
    return out, True


def _key(state: State) -> bytes:
    return b"|".join(np.asarray(c).tobytes() for c in clock_of(state))


def _worst(claim: Claim, budget: Budget, seed: int) -> Worst:
    """All states where that can be decided, else a search."""
    notes = [claim.atoms.note] if claim.atoms.note else []
    ready = decided = None
    try:
        with np.errstate(all="ignore"):
            ready = explicit(claim)
            decided = all_states(ready, budget) if ready else None
    except Refused as refused:
        notes.append(f"searched, as deciding all states is {refused.reason}")
    if ready and decided is not None:
        figure, points, doubt = decided
        return _reported(ready, figure, points, "all", notes, doubt)
    found = search(claim, budget, seed)
    doubt = "lhs is NaN at a state where rhs is finite" if found.blind is not None else ""
    if np.isnan(found.figure):
        doubt = doubt or "no state at which both sides are finite"
    if 10 * found.skipped > found.evaluated:
        notes.append(f"{found.skipped} states skipped: a side is not finite there")
    points = found.y[None] if found.blind is None or found.figure > 1 else found.blind[None]
    return _reported(claim, found.figure, points, f"searched({found.evaluated})", notes, doubt)


def _reported(claim: Claim, figure: float, points: Array, states: str, notes: list[str], doubt: str) -> Worst:
    """Replay the points through `step` and keep the worst of them."""
    values, lhs, rhs = claim.eased(claim.coords.state(points[:, None, :]))
    values = np.nan_to_num(values, nan=-1.0, posinf=np.inf)
    k = int(values.argmax())
    if values[k] > figure * (1 + VIOLATION):
        figure = float(values[k])
    state = tree_map(lambda a: a if type(a) is int else np.array(a), claim.coords.state(points[k]))
    return Worst(figure, state, float(lhs[k]), float(rhs[k]), float(values[k]), states, tuple(notes), doubt)
