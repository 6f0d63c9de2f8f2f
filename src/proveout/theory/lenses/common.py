"""What all lenses share: named constants, hypotheses, the decision, budgets, exact expectations, verdicts.

A one-step claim E[V(s')|s] <= rate V(s) - progress(s) + noise is always compared in the form with two
nonnegative sides,

    lhs = E[V(s')|s] + progress(s),   rhs = rate V(s) + noise,   figure = sup_s lhs/rhs <= 1.

Batches: states carry the leading axes (S, 1), draws (1, K); a step then answers (S, K, ...), or keeps an
axis of length one where no draw (or no state) touched a field.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import Law, reported_weights
from proveout.laws.core import TAIL
from proveout.theory.statement import Method, Number, Problem, State, Terms, Verdict, Word, branches, evaluate
from proveout.theory.twins import unwrap

__all__ = [
    "AFFINE",
    "ALARM",
    "BUDGETS",
    "CHUNK",
    "FENCE",
    "FLOOR",
    "IDENTITY",
    "LEAST",
    "MISS",
    "NULL",
    "ROUNDING",
    "TAIL",
    "VIOLATION",
    "Atoms",
    "Budget",
    "Refused",
    "Watch",
    "atoms_of",
    "budget_of",
    "decide",
    "expectation",
    "ratio",
    "refusal",
    "value",
    "worst_rate",
]

ROUNDING = 1e-9  # relative; a sum over 1e6 atoms of squares errs by 1e-13 to 1e-10
VIOLATION = 1e-7  # relative; 100 x ROUNDING, the smallest real defect seen was 1.2e-5
AFFINE = 1e-9  # relative; probes at unit scale err by 1e-14 cond, kinks show at 1e-3 and more
NULL = 1e-11  # of the top eigenvalue, after Jacobi scaling; eigh errs by 1e-15 q
IDENTITY = 1e-10  # per step; cancellation of terms of the size of star
LEAST = 1e-3  # suprema that are approached, not attained
ALARM = 1e-6  # one false alarm in a million claims, at any stopping time
MISS = 1e-3  # false `holds` of the sampled lens, given its assumption
CHUNK = 4_000_000  # floats of one call's output: 32 MB, fits any worker
FLOOR = 1e4  # times (eps |star|)^2: rounding of a long run
FENCE = (1e-5, 1e7)  # lengths |y| between which states are searched; nearer to star is rounding noise
BRANCH = 0.01  # a branch of the rate is active if it leads by so much of the gap to 1


class Refused(Exception):
    """A lens cannot judge, with the reason; `check` turns it into a verdict and never lets it out."""

    def __init__(self, reason: str, word: Word = "not applicable") -> None:
        super().__init__(reason)
        self.reason = reason
        self.word: Word = word


# ------------------------------------------------------------------ budgets


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Sizes of a search; nothing here depends on the machine, so a verdict depends on the seed alone."""

    name: str
    pairs: float  # floats of all next states, states x atoms x D
    flops: float  # of dense algebra: K q^3
    dimension: int  # q, at most, where forms are decided
    work: float  # floats touched by a search over states of a nonlinear step
    chains: int  # of the evolution
    generations: int
    evaluations: int  # of a search for a least constant
    seeds: int  # searches for a least constant
    runs: int  # of the sampled lens


BUDGETS = {
    b.name: b
    for b in (
        Budget(
            name="quick",
            pairs=2e8,
            flops=1e10,
            dimension=1000,
            work=3e7,
            chains=4,
            generations=15,
            evaluations=10_000,
            seeds=1,
            runs=512,
        ),
        Budget(
            name="full",
            pairs=1e9,
            flops=2e11,
            dimension=1000,
            work=1e9,
            chains=8,
            generations=60,
            evaluations=40_000,
            seeds=3,
            runs=4096,
        ),
        Budget(
            name="deep",
            pairs=1e10,
            flops=4e12,
            dimension=2000,
            work=2e10,
            chains=32,
            generations=250,
            evaluations=400_000,
            seeds=3,
            runs=16384,
        ),
    )
}


def budget_of(budget: str | Budget) -> Budget:
    """A budget by name; ValueError for an unknown one."""
    if isinstance(budget, Budget):
        return budget
    if budget not in BUDGETS:
        raise ValueError(f"budget must be one of {', '.join(BUDGETS)}, got {budget!r}")
    return BUDGETS[budget]


# ------------------------------------------------------------------ hypotheses and decision


def refusal(statement: Any, P: Problem, m: Method) -> str | None:
    """Why the statement does not speak of this problem and method; None if it does.

    The method (under any `Altered` layers) must be of the statement's type, `assumes` must hold for P
    and `allows` for the parameters.  An oracle or a constant that is missing is a reason too.
    """
    kinds = statement.method
    if kinds is not None and not isinstance(unwrap(m), kinds):
        wanted = kinds if isinstance(kinds, tuple) else (kinds,)
        return f"speaks of {' or '.join(k.__name__ for k in wanted)}, not of {type(unwrap(m)).__name__}"
    for assumption in statement.assumes:
        try:
            holds = assumption.holds(P)
        except (AttributeError, ValueError, TypeError) as error:
            return f"assumption '{assumption.name}' cannot be read: {error}"
        if not holds:
            return f"assumption '{assumption.name}' does not hold"
    try:
        allowed = statement.allows(P, m)
    except (AttributeError, ValueError, TypeError, ArithmeticError) as error:
        return f"the hypothesis on the parameters cannot be read: {error}"
    return None if allowed else "the parameters are outside what the statement allows"


def decide(figure: float | None, replayed: float | None = None) -> Word:
    """The one decision.  figure = measured / claimed; replayed = the same at the witness, through `step`.

    <= 1 + ROUNDING holds; both >= 1 + VIOLATION violated; anything else, and NaN, inconclusive.
    """
    if figure is None or math.isnan(figure):
        return "inconclusive"
    if figure <= 1 + ROUNDING:
        return "holds"
    if figure >= 1 + VIOLATION and replayed is not None and replayed >= 1 + VIOLATION:
        return "violated"
    return "inconclusive"


def worst_rate(statement: Any, P: Problem, m: Method) -> tuple[float, tuple[int, ...]]:
    """The largest branch of the rate, and its number if it leads by BRANCH (a tie activates none)."""
    rates = [float(r) for r in branches(statement.rate(P, m))]
    best = int(np.argmax(rates))
    others = [r for j, r in enumerate(rates) if j != best]
    clear = not others or rates[best] - max(others) >= BRANCH * abs(1 - max(others))
    return rates[best], (best,) if clear else ()


def ratio(lhs: Array, rhs: Array) -> Array:
    """lhs / rhs for a nonnegative lhs: (...).

    0/0 is 0 (the claim is true there); rhs < 0, lhs > 0 = rhs, or lhs infinite with rhs finite is inf; NaN
    where rhs is not finite or lhs is NaN: nothing to compare.
    """
    lhs, rhs = np.broadcast_arrays(np.asarray(lhs, float), np.asarray(rhs, float))
    with np.errstate(all="ignore"):
        out = np.where(rhs > 0, lhs / rhs, np.where(lhs > rhs, np.inf, 0.0))
    return np.where(np.isfinite(rhs) & ~np.isnan(lhs), out, np.nan)


# ------------------------------------------------------------------ expectations


@dataclass(frozen=True, eq=False)
class Atoms:
    """All draws of one step with their probabilities; `note` says what was cut or replaced."""

    prob: Array  # (K,)
    draw: Any  # leaves (K, ...)
    note: str = ""

    @property
    def size(self) -> int:
        return len(self.prob)

    def part(self, first: int, end: int) -> Any:
        """Draws first..end-1 with the leading axes (1, end - first)."""
        return tree_map(lambda a: np.asarray(a)[None, first:end], self.draw)

    def one(self, k: int) -> Any:
        """Draw k, without leading axes."""
        return tree_map(lambda a: np.asarray(a)[k], self.draw)


def atoms_of(law: Law, limit: float = math.inf) -> Atoms:
    """Enumerate a law; atoms of probability zero are dropped.

    Raises Refused if it is continuous or has more than `limit` atoms.  An unbounded discrete law is cut
    at TAIL and not renormalised: with V >= 0 the expectation is a lower bound.
    """
    try:
        count = law.count
    except (AttributeError, NotImplementedError, ValueError) as error:
        raise Refused(f"the law cannot be enumerated: {error}") from None
    if not math.isfinite(count):
        raise Refused("the law is continuous and its step is not affine in the draw: no atoms")
    if count > limit:
        raise Refused(f"too large: {count:.3g} atoms, the budget has room for {max(limit, 0):.3g}")
    prob, draw = law.atoms()
    keep = np.asarray(prob) != 0
    if not keep.all():
        prob, draw = prob[keep], tree_map(lambda a: np.asarray(a)[keep], draw)
    total = float(sum(prob)) if prob.dtype == object else math.fsum(prob)
    note = ""
    if not math.isfinite(law.size):
        note = f"law cut at tail mass {TAIL:g}"
    elif abs(total - 1) > 1e-12:
        raise Refused(f"the probabilities of the law sum to {total!r}", "inconclusive")
    return Atoms(prob=prob, draw=draw, note=note)


def value(terms: Any, P: Problem) -> Array:
    """Terms, or a plain number or array, as a number: (...)."""
    return evaluate(terms, P) if isinstance(terms, tuple) else terms


def expectation(
    P: Problem,
    m: Method,
    terms_of: Callable[[Problem, Method, State], Terms | Number],
    states: State,
    atoms: Atoms,
    width: float = 1,
) -> Array:
    """E[terms_of(P, m, step(P, s, draw))] at every state: leaves (S, 1, ...) -> (S,).

    One call of `step` holds at most CHUNK floats (`width` = floats per state and atom): states are split
    first (a gradient at the state is then asked once for all draws), atoms only if one state is too much;
    chunk sums are added with fsum.  Probabilities are multiplied by what `pick` reports.  Chunks depend on
    sizes alone, so the result is reproducible.
    """
    S, K = lead_of(states), atoms.size
    columns = int(np.clip(CHUNK // max(width, 1), 1, K))
    rows = int(np.clip(CHUNK // (max(width, 1) * columns), 1, S))
    out = np.empty(S)
    with np.errstate(all="ignore"):
        for s in range(0, S, rows):
            some = rows_of(states, s, s + rows)
            parts = [
                _partial(P, m, terms_of, some, atoms, k, min(k + columns, K)) for k in range(0, K, columns)
            ]
            out[s : s + rows] = parts[0] if len(parts) == 1 else [_fsum(column) for column in zip(*parts)]
    return out


def _fsum(values: Any) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # inf and NaN among the chunks
        return float(np.sum(values))


def _partial(
    P: Problem, m: Method, terms_of: Any, states: State, atoms: Atoms, first: int, end: int
) -> Array:
    S, K = lead_of(states), end - first
    with reported_weights() as reports:
        after = m.step(P, states, atoms.part(first, end))
    V = np.broadcast_to(value(terms_of(P, m, after), P), (S, K))
    prob = atoms.prob[first:end]
    for report in reports:
        if report.ndim < 2 or not {report.shape[0], S} <= {1, S} or not {report.shape[1], K} <= {1, K}:
            raise Refused("a named outcome was picked inside a branch: its probability is not per state")
        prob = prob * report.prod(axis=tuple(range(2, report.ndim)))
    if reports:
        V = np.where(prob > 0, V, 0.0)
    return V @ prob if prob.ndim == 1 else (V * prob).sum(axis=1)


def lead_of(states: State) -> int:
    """S, of states with leaves (S, 1, ...); clocks that are plain ints are common to the batch."""
    sizes: list[int] = []
    tree_map(lambda a: sizes.append(a.shape[0]) if hasattr(a, "shape") and a.ndim else None, states)
    return max(sizes, default=1)


def rows_of(states: State, first: int, end: int) -> State:
    """States first..end-1 of a batch."""
    return tree_map(
        lambda a: a[first:end] if hasattr(a, "shape") and a.ndim and a.shape[0] > 1 else a, states
    )


# ------------------------------------------------------------------ verdicts


class Watch:
    """Builds the verdicts of one check, with the seconds since it began."""

    def __init__(self, lens: str) -> None:
        self.lens = lens
        self.since = time.perf_counter()

    def verdict(
        self,
        word: Word,
        *,
        figure: float | None = None,
        grade: Any = None,
        states: str = "",
        branches: tuple[int, ...] = (),
        notes: tuple[str, ...] | list[str] = (),
        witness: dict[str, Any] | None = None,
        problem: str = "",
    ) -> Verdict:
        """`grade` is kept only with `holds`, the witness only with `violated` and `inconclusive`."""
        number = None if figure is None or math.isnan(figure) else float(figure)
        return Verdict(
            word=word,
            lens=self.lens,
            problem=problem,
            grade=grade if word == "holds" else None,
            ratio=number,
            states=states,
            branches=tuple(branches),
            note="; ".join(n for n in notes if n),
            seconds=time.perf_counter() - self.since,
            witness=witness if word in ("violated", "inconclusive") else None,
        )

    def refused(self, refused: Refused | str) -> Verdict:
        """The verdict of a lens that cannot judge."""
        if isinstance(refused, str):
            return self.verdict("not applicable", notes=(refused,))
        return self.verdict(refused.word, notes=(refused.reason,))
