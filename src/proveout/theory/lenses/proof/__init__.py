"""The proof lens: an exact rational certificate for a one-step claim over a whole function class.

    claim         the same `step` on abstract rows of Fractions: forms before, after and Q_q >= 0
    ladder        multipliers lam_q >= 0 in Q with rate before - after - sum lam_q Q_q PSD, value part 0
    certificate   the numbers as JSON, with their SHA-256; `theory/verify.py` checks the arithmetic alone
    accepts       a stored certificate proves *this* statement: its forms equal a fresh trace

The arithmetic cannot refuse every change (a larger rate is a valid certificate of a weaker claim): whoever
is handed a certificate asks `accepts`, which compares everything but the multipliers with a fresh trace.
"""

from typing import Any

from proveout.theory.lenses.common import Budget, Refused, Watch, refusal, worst_rate
from proveout.theory.lenses.proof.exact import Claim, claim
from proveout.theory.lenses.proof.format import skeleton, write
from proveout.theory.lenses.proof.ladder import climb
from proveout.theory.statement import Method, Problem, Verdict
from proveout.theory.verify import fault

__all__ = ["accepts", "certificate", "check", "sides"]


def check(
    statement: Any, problem: Problem, method: Method, *, budget: str | Budget = "quick", seed: int = 0
) -> Verdict:
    """`holds`, proved, if a certificate is found and the verifier accepts it; else `inconclusive`."""
    watch = Watch("proof")
    reason = refusal(statement, problem, method)
    if reason is not None:
        return watch.refused(reason)
    try:
        found = claim(statement, problem, method)
        proof = _prove(found, "")
    except Refused as refused:
        return watch.refused(refused)
    _, active = worst_rate(statement, problem, method)
    notes = [f"certificate {proof['sha256'][:16]}", _at(found), *found.notes]
    return watch.verdict(
        "holds", grade="proved", states="all", branches=active, notes=notes, problem=found.spec
    )


def certificate(statement: Any, problem: Problem, method: Method, *, name: str = "") -> dict[str, Any]:
    """The certificate of a statement at these parameters; `name` is the id that it carries.

    Raises Refused if the statement has no rational reading or no certificate was found.
    """
    return _prove(claim(statement, problem, method), name)


def _prove(found: Claim, name: str) -> dict[str, Any]:
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


def accepts(statement: Any, problem: Problem, method: Method, proof: Any, *, name: str = "") -> bool:
    """Does a stored certificate prove this statement at these parameters?

    Its arithmetic must be valid, and everything but the multipliers must equal a fresh exact trace.
    """
    try:
        if fault(proof) is not None:
            return False
        fresh = skeleton(claim(statement, problem, method), name or proof["statement"])
        stripped = {k: v for k, v in proof.items() if k != "sha256"}
        stripped["inequalities"] = [
            {k: v for k, v in q.items() if k != "multiplier"} for q in proof["inequalities"]
        ]
    except (Refused, KeyError, TypeError, ValueError, AttributeError, ArithmeticError, LookupError):
        return False
    return stripped == fresh


def sides(statement: Any, problem: Problem, method: Method, witness: dict[str, Any]) -> tuple[Any, Any]:
    """A proof refutes nothing: ValueError."""
    raise ValueError("witness: the proof lens makes none")


def _at(found: Claim) -> str:
    return ", ".join(f"{k}={v}" for k, v in found.parameters.items())
