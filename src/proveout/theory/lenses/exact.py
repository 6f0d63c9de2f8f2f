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
from proveout.theory.lenses import identity
from proveout.theory.lenses.affine import is_affine, pullback, read_maps
from proveout.theory.lenses.common import (
    ROUNDING,
    VIOLATION,
    Budget,
    Refused,
    Watch,
    budget_of,
    decide,
    refusal,
    worst_rate,
)
from proveout.theory.lenses.forms import corner, form, ray, sup_ratio
from proveout.theory.lenses.onestep import Claim, claim_of, one_step_sides
from proveout.theory.lenses.rational import replay_exact
from proveout.theory.lenses.search import search
from proveout.theory.lenses.states import Coordinates, clock_of, coordinates_of
from proveout.theory.statement import Identity, Method, OneStep, Problem, State, Statement, Verdict

__all__ = ["Worst", "check", "replay_exact", "sides", "worst_state"]

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
    states: str  # "all" or "searched(N)"
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
    coords = coordinates_of(statement, P, m, seed=seed)
    found = [_worst(claim_of(statement, P, m, size, c), size, seed) for c in _clocks(P, m, coords, seed)]
    worst = max(found, key=lambda w: w.figure)
    if len(found) == 1:
        return worst
    label = worst.states if all(w.all for w in found) else next(w.states for w in found if not w.all)
    doubt = next((w.doubt for w in found if w.doubt), "")
    return replace(worst, states=label, doubt=doubt, notes=(*worst.notes, f"{len(found)} clock values"))


def _one_step(statement: OneStep, P: Problem, m: Method, budget: Budget, seed: int, watch: Watch) -> Verdict:
    worst = worst_state(statement, P, m, budget=budget, seed=seed)
    _, active = worst_rate(statement, P, m)
    word = decide(worst.figure, worst.reached)
    notes = list(worst.notes)
    if worst.doubt and word == "holds" or worst.doubt.startswith("ill-conditioned"):
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


def _clocks(P: Problem, m: Method, coords: Coordinates, seed: int) -> list[Coordinates]:
    """The coordinates at the first few different clocks of a run, that of star first."""
    if not clock_of(coords.star):
        return [coords]
    rng = np.random.default_rng([seed, 0xC10C])
    law, state = m.law(P), m.init(P, rng.standard_normal(P.d))
    seen, out = {_key(coords.star)}, [coords]
    for t in range(3 * CLOCKS):
        if len(out) == CLOCKS:
            break
        if _key(state) not in seen:
            seen.add(_key(state))
            out.append(coords.at_clock(state))
        state = m.step(P, state, law.at(t).sample(rng, ()))
    return out


def _key(state: State) -> bytes:
    return b"|".join(np.asarray(c).tobytes() for c in clock_of(state))


def _worst(claim: Claim, budget: Budget, seed: int) -> Worst:
    """All states where that can be decided, else a search."""
    notes = [claim.atoms.note] if claim.atoms.note else []
    try:
        with np.errstate(all="ignore"):
            ready = _explicit(claim)
            decided = _all_states(ready, budget) if ready else None
    except Refused as refused:
        decided = None
        notes.append(f"searched, as deciding all states is {refused.reason}")
    if ready and decided is not None:
        figure, points, doubt = decided
        return _reported(ready, figure, points, "all", notes, doubt)
    found = search(claim, budget, seed)
    doubt = "lhs is NaN at a state where rhs is finite" if found.blind is not None else ""
    points = found.y[None] if found.blind is None or found.figure > 1 else found.blind[None]
    return _reported(claim, found.figure, points, f"searched({found.evaluated})", notes, doubt)


def _explicit(claim: Claim) -> Claim | None:
    """The claim in coordinates that forms and maps can be read in; only an affine step is worth them."""
    if claim.coords.explicit:
        return claim
    if not claim.coords.linear or not is_affine(claim.P, claim.m, claim.coords, claim.atoms):
        return None
    coords = claim.coords.with_basis()
    return replace(claim, coords=coords) if coords else None


def _all_states(claim: Claim, budget: Budget) -> tuple[float, Array, str] | None:
    """(figure, states that may attain it, doubt) by linear algebra; None if something is not quadratic."""
    P, m, coords, statement = claim.P, claim.m, claim.coords, claim.statement
    maps = read_maps(P, m, coords, claim.atoms, budget)
    if maps is None:
        return None
    Q = form(P, m, statement.lyapunov, replace(coords, basis=None))
    if Q is None:
        return None
    inside = _restricted(Q, coords)
    if claim.noise == 0:
        inside = _vanishing_at_star(inside)
    E = pullback(maps, Q)
    if statement.progress is not None:
        G = form(P, m, statement.progress, coords)
        if G is None:
            return None
        E = E + G
    B = claim.rate * inside + corner(coords.q, claim.noise)
    if claim.noise > 0:  # b_k is known to phi only: 2 phi |A y| <= ROUNDING |A y|^2 + phi^2 / ROUNDING
        B[-1, -1] += 2 * claim.phi * np.sqrt(claim.noise) + claim.phi**2 / ROUNDING
    figure, z, grey = sup_ratio(E, B, zero=1e-24 * np.abs(inside).max(initial=0.0))
    points = ray(z)
    doubt = ""
    if figure <= 1 + ROUNDING:
        low, z = _least(B - E, B)
        if low < -VIOLATION:
            figure, points = 1 - low, np.concatenate([ray(z), points])
        elif low < -10 * ROUNDING:
            doubt = f"ill-conditioned: B - E has the eigenvalue {low:.1e}"
    if grey and abs(figure - 1) < 1e-6:
        doubt = "ill-conditioned: rank of the right side is not clear and the figure is within 1e-6 of 1"
    return figure, points, doubt


def _restricted(Q: Array, coords: Coordinates) -> Array:
    """A form on R^D in the coordinates y."""
    if coords.basis is None:
        return Q
    D, q = coords.basis.shape
    S = np.zeros((D + 1, q + 1))
    S[:D, :q], S[D, q] = coords.basis, 1
    return S.T @ Q @ S


def _vanishing_at_star(Q: Array) -> Array:
    """V(star) = 0 to rounding, V >= 0: then the border vanishes too, and is set to 0 (else Jacobi scaling
    would blow the rounding up)."""
    if abs(Q[-1, -1]) > 1e-12 * np.abs(np.diag(Q)).max(initial=0.0):
        return Q
    Q = Q.copy()
    Q[-1, :] = Q[:, -1] = 0.0
    return Q


def _least(M: Array, B: Array) -> tuple[float, Array]:
    """Least eigenvalue of B - E, Jacobi-scaled by B, and its vector: also right where E is indefinite."""
    d = np.diag(B).copy()
    d[d <= 0] = max(1.0, float(d.max(initial=0.0)))
    D = 1 / np.sqrt(d)
    w, U = np.linalg.eigh((M + M.T) / 2 * D[:, None] * D)
    return float(w[0]), D * U[:, 0]


def _reported(claim: Claim, figure: float, points: Array, states: str, notes: list[str], doubt: str) -> Worst:
    """Replay the points through `step` and keep the worst of them."""
    values, lhs, rhs = claim.eased(claim.coords.state(points[:, None, :]))
    values = np.nan_to_num(values, nan=-1.0, posinf=np.inf)
    k = int(values.argmax())
    if values[k] > figure * (1 + VIOLATION):
        figure = float(values[k])
    state = tree_map(lambda a: a if type(a) is int else np.array(a), claim.coords.state(points[k]))
    return Worst(figure, state, float(lhs[k]), float(rhs[k]), float(values[k]), states, tuple(notes), doubt)
