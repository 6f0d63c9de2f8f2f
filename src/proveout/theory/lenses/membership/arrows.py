"""Implications between assumptions on estimators, judged for all estimators at once, and their witnesses.

Implication: `given` and `then` are assumptions (classes of records of constants), the method is a record of `given`.
The scalar procedure (`theory/scalars`) decides every row of the conclusion; a row that fails is realised by an
estimator on a quadratic, and both sides of the row are asked of it.  Beyond the fields of every Implication:

    tight       (True) no constant of `constants` may be improvable
    printed     other constants(a), weaker or of another form, that must hold too
    everywhere  formulas that prove the arrow for all constants (`everywhere`)

NonImplication: `given` is a record of constants that the witness must meet exactly, `then` one assumption or several;
the witness must lie in none of them.  Where it is affine on a quadratic, the zoo is asked for a second opinion.
"""

import math
from typing import Any

from proveout.methods.blocks.assumptions import ASSUMPTIONS, Assumption
from proveout.theory import zoo
from proveout.theory.lenses.common import ROUNDING, Refused, Watch, decide, refusal
from proveout.theory.lenses.membership.everywhere import certificates
from proveout.theory.lenses.sampled.runs import stored
from proveout.theory.scalars.apart import Apart, apart, kinds_of
from proveout.theory.scalars.exact import forms
from proveout.theory.scalars.implied import Implied, Judged, implied
from proveout.theory.scalars.realise import at_point, realise
from proveout.theory.statement import Method, Problem, Verdict
from proveout.theory.witness import decode

__all__ = ["check_apart", "check_arrow", "is_apart", "is_arrow", "is_open", "sides_apart", "sides_arrow"]

NEAR = 1e-6  # relative; by which the worst point may miss the premise
TIGHT = 1e-6  # relative; by which a tight constant may miss the optimum of its program


def is_arrow(statement: Any, m: Any) -> bool:
    """Are assumptions compared, with constants in place of a method?"""
    return isinstance(statement.given, type) and isinstance(m, Assumption)


def is_open(statement: Any) -> bool:
    """Is the premise an assumption?  Then any estimator may be asked, and `allows` is about its constants."""
    return isinstance(statement.given, type)


def is_apart(statement: Any) -> bool:
    return isinstance(statement.given, Assumption)


# ------------------------------------------------------------------ arrows


def check_arrow(statement: Any, P: Problem, m: Method, watch: Watch) -> Verdict:
    if reason := refusal(statement, P, m):
        raise Refused(reason)
    found = [(which, implied(m, claimed)) for which, claimed in _claims(statement, m)]
    which, bad = next(((w, i) for w, i in found if not i.holds), ("", None))
    if bad is not None:
        return _failed(statement, m, which, bad, watch)
    sharp = found[0][1]
    tight = getattr(statement, "tight", True)
    vague = [r.pivot for r in sharp.rows if r.pivot and r.claimed and math.isnan(r.figure)] if tight else []
    if vague:
        note = f"holds, but the least {' and '.join(vague)} was not found"
        return watch.verdict("inconclusive", notes=(note,))
    loose = sharp.slackest if tight else None
    if loose is not None and loose.figure < 1 - TIGHT:
        note = f"{loose.pivot} = {loose.claimed} is not tight: {loose.needed:.6g} holds too"
        witness = _stored(m, lhs=1 / loose.figure, rhs=1.0, which="slack", row=loose.row)
        return watch.verdict("violated", figure=1 / loose.figure, notes=(note,), witness=witness)
    try:
        general = certificates(statement)
    except (ValueError, ArithmeticError) as error:
        return watch.verdict("inconclusive", notes=(f"the proof for all constants fails: {error}",))
    figure = max((r.figure for r in sharp.rows if math.isfinite(r.figure)), default=None)
    proved = all(i.proved for _, i in found[1:]) and (sharp.proved or bool(general))
    notes = [_digests("for all constants: ", general), *_notes(found)]
    return watch.verdict(
        "holds", figure=figure, grade="proved" if proved else "exact", states="all", notes=notes
    )


def _claims(statement: Any, m: Assumption) -> list[tuple[str, Assumption]]:
    """The claimed constants; Refused where the formula has none."""
    claims = [("constants", statement.constants), ("printed", getattr(statement, "printed", None))]
    try:
        return [(which, read(m)) for which, read in claims if read is not None]
    except (ValueError, ArithmeticError) as error:
        raise Refused(f"the implication does not speak of these constants: {error}") from None


def _notes(found: list[tuple[str, Implied]]) -> list[str]:
    rows = [r for _, i in found for r in i.rows]
    proofs = [r.proof for r in rows if r.proof is not None]
    tight = ", ".join(f"{r.pivot} = {r.claimed}" for r in found[0][1].rows if abs(r.figure - 1) <= TIGHT)
    return [_digests("here: ", proofs), f"tight: {tight}" if tight else ""]


def _digests(what: str, proofs: Any) -> str:
    return f"{what}certificates {', '.join(str(p['sha256'])[:8] for p in proofs)}" if proofs else ""


def _failed(statement: Any, m: Any, which: str, bad: Implied, watch: Watch) -> Verdict:
    if not bad.proper:
        claimed = dict(_claims(statement, m))[which]
        witness = _stored(m, lhs=1.0, rhs=0.0, which="proper", row=0)
        return watch.verdict("violated", figure=math.inf, notes=(f"{claimed} says nothing",), witness=witness)
    worst = bad.worst
    place = realise(worst.point)
    lhs, rhs = _row_sides(dict(_claims(statement, m))[which], worst.row, place)
    if not all(a <= b + NEAR * (1 + b) for a, b in (_row_sides(m, k, place) for k in range(len(m.rows())))):
        return watch.verdict("inconclusive", notes=("the worst point found is not in the premise",))
    real = lhs / rhs if rhs > 0 else (math.inf if lhs > 0 else 0.0)
    figure = worst.figure if not math.isnan(worst.figure) else real
    P, estimator, x = place
    witness = _stored(m, P, lhs=lhs, rhs=rhs, which=which, row=worst.row, x=x, estimator=estimator)
    word = decide(max(figure, real) if figure > 1 + ROUNDING else figure, real)
    note = f"{worst.pivot} = {worst.claimed} is claimed, {worst.needed:.6g} is needed"
    return watch.verdict(
        word if word != "holds" else "inconclusive", figure=figure, notes=(note,), witness=witness
    )


def _row_sides(claimed: Assumption, k: int, place: Any) -> tuple[float, float]:
    """The positive and the negative part of a row at a point, asked of the estimator."""
    scalars = at_point(*place)
    terms = [float(a) * float(b) for a, b in zip(claimed.rows()[k], scalars, strict=True)]
    return sum(t for t in terms if t > 0), -sum(t for t in terms if t < 0)


def _stored(m: Any, P: Any = None, *, lhs: float, rhs: float, **more: Any) -> dict[str, Any] | None:
    return stored(P, m, state=None, lhs=lhs, rhs=rhs, **more)


def sides_arrow(statement: Any, P: Problem, m: Method, witness: dict[str, Any]) -> tuple[float, float]:
    """Both sides of a row at the stored estimator and point; of a loose constant, claimed against needed."""
    more = {k: decode(v) for k, v in witness["more"].items()}
    which, k = more["which"], int(more["row"])
    claimed = dict(_claims(statement, m))["constants" if which in ("slack", "proper") else which]
    if which == "proper":
        return float(not claimed.proper), 0.0
    if which == "slack":
        judged: Judged = implied(m, claimed).rows[k]
        return 1 / judged.figure, 1.0
    return _row_sides(claimed, k, (P, more["estimator"], more["x"]))


# ------------------------------------------------------------------ witnesses


def check_apart(statement: Any, watch: Watch) -> Verdict:
    P, estimator = statement.witness()
    found = _apart(statement)
    second = _second(statement, P, estimator) if not found.fault else ""
    witness = stored(P, estimator, state=None, lhs=float(found.fault != ""), rhs=0.0)
    if found.fault:
        word: Any = "violated" if found.decided else "inconclusive"
        return watch.verdict(word, notes=(found.fault,), witness=witness)
    if second:
        return watch.verdict("inconclusive", notes=(second,), witness=witness)
    return watch.verdict("holds", grade="exact", states="all", notes=found.reasons)


def sides_apart(statement: Any) -> tuple[float, float]:
    """1 against 0 if the witness fails."""
    return float(_apart(statement).fault != ""), 0.0


def _apart(statement: Any) -> Apart:
    P, estimator = statement.witness()
    try:
        return apart(statement.given, statement.then, P, estimator)
    except ValueError as error:
        raise Refused(f"the witness cannot be read exactly: {error}") from None


def _second(statement: Any, P: Problem, estimator: Any) -> str:
    """Where the zoo disagrees; empty if it agrees, or cannot be asked."""
    try:
        forms(P, estimator)
    except ValueError:
        return ""
    known = set(ASSUMPTIONS.values())
    asked = [(type(statement.given), True), *((kind, False) for kind in kinds_of(statement.then))]
    for kind, member in asked:
        if kind in known and (zoo.least(kind, estimator, P) is not None) != member:
            return f"a second opinion puts the witness {'outside' if member else 'in'} {kind.__name__}"
    return ""
