"""The proof lens: an exact rational certificate for a claim over a whole function class.

    claim         the same `step` on abstract rows of Fractions: forms before, after and Q_q >= 0
    ladder        multipliers lam_q >= 0 in Q with rate before - after - sum lam_q Q_q PSD, value part 0
    certificate   the numbers as JSON, with their SHA-256; `theory/verify.py` checks the arithmetic alone
    accepts       a stored certificate proves *this* statement: its forms equal a fresh trace
    family        one certificate for all parameters, with polynomials in place of numbers

The arithmetic cannot refuse every change (a larger rate is a valid certificate of a weaker claim): whoever
is handed a certificate asks `accepts`, which compares everything but the multipliers with a fresh trace.
"""

from dataclasses import replace
from typing import Any

from proveout.theory.lenses.common import Budget, Refused, Watch, refusal, worst_rate
from proveout.theory.lenses.proof.exact import EXACT, Claim, claim
from proveout.theory.lenses.proof.family import Family, accepts_family, family_certificate
from proveout.theory.lenses.proof.format import body, conditions, write
from proveout.theory.lenses.proof.ladder import climb
from proveout.theory.lenses.worstcase.judge import HORIZONS
from proveout.theory.statement import Horizon, Method, OneStep, Problem, Verdict
from proveout.theory.verify import fault

__all__ = ["Family", "accepts", "accepts_family", "certificate", "check", "family_certificate", "sides"]


def check(
    statement: Any, problem: Problem, method: Method, *, budget: str | Budget = "quick", seed: int = 0
) -> Verdict:
    """`holds`, proved, if certificates are found and the verifier accepts them; else `inconclusive`."""
    watch = Watch("proof")
    if not isinstance(statement, (OneStep, Horizon)):
        return watch.refused(f"no proof of a {statement.kind}: one step, or a horizon, is what is proved")
    reason = refusal(statement, problem, method)
    if reason is not None:
        return watch.refused(reason)
    try:
        proofs = _proofs(statement, problem, method)
        active = worst_rate(statement, problem, method)[1] if isinstance(statement, OneStep) else ()
    except Refused as refused:
        return watch.refused(refused)
    found = proofs[1][0]
    digests = ", ".join(proof["sha256"][:16] for _, proof in proofs.values())
    notes = [f"certificate {digests}", _at(found), *found.notes]
    states = f"all, T = {', '.join(map(str, proofs))}" if isinstance(statement, Horizon) else "all"
    return watch.verdict(
        "holds", grade="proved", states=states, branches=active, notes=notes, problem=found.spec
    )


def _proofs(statement: Any, problem: Problem, method: Method) -> dict[int, tuple[Claim, dict[str, Any]]]:
    """A proof for each horizon; those with too many paths are left out."""
    if isinstance(statement, OneStep):
        return {1: _prove(statement, problem, method, "", 1)}
    found: dict[int, tuple[Claim, dict[str, Any]]] = {}
    for T in HORIZONS:
        try:
            found[T] = _prove(statement, problem, method, "", T)
        except Refused as reason:
            if not found or reason.word == "inconclusive":
                raise
            break
    return found


def certificate(
    statement: Any, problem: Problem, method: Method, *, name: str = "", steps: int = 1
) -> dict[str, Any]:
    """The certificate of a statement at these parameters, for T = `steps`; `name` is the id that it carries.

    Raises Refused if the statement has no rational reading or no certificate was found.
    """
    return _prove(statement, problem, method, name, steps)[1]


def _prove(
    statement: Any, problem: Problem, method: Method, name: str, steps: int
) -> tuple[Claim, dict[str, Any]]:
    found = claim(statement, problem, method, replace(EXACT, steps=steps))
    return found, _certified(found, name)


def _certified(found: Claim, name: str) -> dict[str, Any]:
    multipliers = climb(found.task)
    if multipliers is None:
        raise Refused(
            f"no rational certificate found at rate {found.task.rate}, {_at(found)}", "inconclusive"
        )
    proof = write(found, multipliers, name)
    wrong = fault(proof)
    if wrong is not None:
        raise Refused(f"the verifier refuses the certificate: {wrong}", "inconclusive")
    return proof


def accepts(
    statement: Any, problem: Problem, method: Method, proof: Any, *, name: str = "", steps: int = 1
) -> bool:
    """Does a stored certificate prove this statement at these parameters?

    Its arithmetic must be valid, its claim must equal a fresh exact trace, and every inequality that it
    uses must be one of the trace's.
    """
    try:
        if fault(proof) is not None:
            return False
        fresh = claim(statement, problem, method, replace(EXACT, steps=steps))
        allowed = conditions(fresh)
        used = [{k: v for k, v in q.items() if k != "multiplier"} for q in proof["inequalities"]]
        rest = {k: v for k, v in proof.items() if k not in ("inequalities", "sha256")}
        return bool(rest == body(fresh, name or proof["statement"])) and all(q in allowed for q in used)
    except (Refused, KeyError, TypeError, ValueError, AttributeError, ArithmeticError, LookupError):
        return False


def sides(statement: Any, problem: Problem, method: Method, witness: dict[str, Any]) -> tuple[Any, Any]:
    """A proof refutes nothing: ValueError."""
    raise ValueError("witness: the proof lens makes none")


def _at(found: Claim) -> str:
    return ", ".join(f"{k}={v}" for k, v in found.parameters.items())
