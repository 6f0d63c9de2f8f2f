"""Select, then test: the worst input is looked for with common random numbers, then asked with fresh draws.

For a Membership whose law cannot be enumerated: half of the work searches u for the largest mean ratio over a few
common draws; fresh draws at that u are independent runs of left/(constant right), tested as in `evalues`.
"""

import math
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import ALARM, MISS, Atoms, Budget, Refused, Watch
from proveout.theory.lenses.membership.inequality import Inequality, extremes, law_of, shape_of
from proveout.theory.lenses.membership.optimise import maximise
from proveout.theory.lenses.sampled.evalues import ASSUMPTION, guard, log_wealth, refutes, upper
from proveout.theory.lenses.sampled.runs import stored
from proveout.theory.statement import Verdict
from proveout.theory.witness import decode

__all__ = ["judge", "membership", "sides"]

TRIES = 64  # common draws of the search


def judge(
    watch: Watch,
    R: Array,
    wealth: float = -math.inf,
    *,
    states: str,
    note: str,
    witness: dict[str, Any] | None,
) -> Verdict:
    """The verdict on E R <= 1 from independent ratios R >= 0; `wealth` (log) of another test shares the alarm."""
    figure = float(R.mean())
    both = np.logaddexp(log_wealth(R), wealth) - math.log(2)
    if refutes(both, ALARM):
        word = "violated" if figure > 1 else "inconclusive"
        return watch.verdict(word, figure=figure, states=states, notes=(note,), witness=witness)  # type: ignore[arg-type]
    bound = upper(R, MISS)
    doubt = guard(R) or ("" if bound <= 1 else f"upper confidence bound {bound:.3g} of the claim")
    return watch.verdict(
        "inconclusive" if doubt else "holds",
        figure=figure,
        grade="sampled",
        states=states,
        notes=(note, doubt or ASSUMPTION.format(7 / len(R))),
    )


def membership(statement: Any, block: Any, size: Budget, key: int, watch: Watch) -> Verdict:
    """E left <= constant E right at the worst input found, over all dimensions of the statement."""
    rng = np.random.default_rng(np.random.SeedSequence(key, spawn_key=(0,)))
    worst: tuple[float, Any, Any] | None = None
    used = 0
    for d in statement.dims:
        try:
            ineq = _drawn(statement, block, d, rng, TRIES)
        except ValueError:
            continue
        many = int(np.clip(size.pairs / 16 / ineq.width, 200, size.evaluations))
        best = maximise(ineq.figures, ineq.q, starts=extremes(ineq), evaluations=many, seed=key % 2**32)
        used += best.evaluations
        if worst is None or best.value > worst[0]:
            worst = (best.value, ineq, best.point)
    if worst is None:
        raise Refused("the block speaks of no dimension of the statement")
    _, ineq, z = worst
    R, rhs = _ratios(statement, block, ineq.d, z, size.runs, key)
    more = {"d": ineq.d, "runs": size.runs, "seed": hex(key)}
    witness = stored(None, block, state=z.reshape(ineq.shape), lhs=float(R.mean() * rhs), rhs=rhs, **more)
    note = f"{size.runs} fresh draws at the worst input found, d = {ineq.d}"
    return judge(watch, R, states=f"searched({used})", note=note, witness=witness)


def sides(statement: Any, block: Any, witness: dict[str, Any]) -> tuple[float, float]:
    """Mean of left over the stored draws at the stored input, and constant times right."""
    more = {k: decode(v) for k, v in witness["more"].items()}
    z = np.asarray(decode(witness["state"]), float).ravel()
    R, rhs = _ratios(statement, block, int(more["d"]), z, int(more["runs"]), int(more["seed"], 16))
    return float(R.mean() * rhs), rhs


def _drawn(statement: Any, block: Any, d: int, rng: Any, draws: int) -> Inequality:
    """The inequality with sampled draws in place of the atoms."""
    shape = shape_of(statement, block, d)
    law = law_of(block, shape)
    if law is None:
        raise Refused("the block has no law: nothing to sample")
    atoms = Atoms(np.full(draws, 1 / draws), law.sample(rng, (draws,)))
    return Inequality(statement, block, d, shape, atoms, float(statement.constant(block, d)))


def _ratios(statement: Any, block: Any, d: int, z: Array, runs: int, key: int) -> tuple[Array, float]:
    """left/(constant right) of fresh draws at one input, and constant right; it must not depend on the draw."""
    rng = np.random.default_rng(np.random.SeedSequence(key, spawn_key=(1,)))
    ineq = _drawn(statement, block, d, rng, runs)
    left, right = (side[0] * runs for side in ineq.products(z[None]))
    if float(np.ptp(right)) > 1e-9 * float(np.abs(right).max()):
        raise Refused(
            "the right side depends on the draw, so one ratio per draw says nothing", "inconclusive"
        )
    rhs = float(ineq.constant * right[0])
    if not rhs > 0:
        raise Refused("the right side vanishes at the worst input", "inconclusive")
    return left / rhs, rhs
