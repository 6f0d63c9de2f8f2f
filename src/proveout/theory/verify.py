"""Check a certificate: `python verify.py CERT.json` prints `valid` or the first fault, exit code 0 or 1.

It proves sum_k rate_k before_k >= after wherever all its forms are >= 0: with multipliers >= 0, the slack
sum_k rate_k before_k - after - sum_q multiplier_q form_q has no value part, noise >= 0 and PSD blocks.
A number is "a/b", or a polynomial [[exponents, "a/b"], ...] in `variables` >= 0, tested coefficientwise.
"""

import hashlib
import json
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

__all__ = ["digest", "fault", "psd"]


def digest(cert: dict[str, Any]) -> str:
    """SHA-256 of the certificate without its own digest."""
    body = json.dumps({k: v for k, v in cert.items() if k != "sha256"}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def psd(M: list[list[Fraction]]) -> bool:
    """Is a symmetric matrix positive semidefinite?  Exact elimination (in place), largest pivot first."""
    active = list(range(len(M)))
    while active:
        p = max(active, key=lambda i: M[i][i])
        if M[p][p] <= 0:
            return all(M[i][j] == 0 for i in active for j in active)
        active.remove(p)
        for i in active:
            M[i] = [x - M[i][p] / M[p][p] * y for x, y in zip(M[i], M[p])]
    return True


def number(x: Any, k: int) -> list[tuple[tuple[int, ...], Fraction]]:
    """The terms (exponents, coefficient) of a number in k variables."""
    terms = [([0] * k, x)] if isinstance(x, str) else x
    if any(len(e) != k or min([0, *e]) < 0 or type(v) is not str for e, v in terms):
        raise ValueError(f"not a number in {k} variables: {x}")
    return [(tuple(e), Fraction(v)) for e, v in terms]


def fault(cert: Any) -> str | None:
    """The first reason to refuse a certificate, or None; raises if it is malformed."""
    if cert["format"] != "proveout-certificate/1" or cert["sha256"] != digest(cert):
        return "the format or the digest does not fit"
    k, span = len(cert.get("variables", ())), [range(size) for size in cert["sizes"]]
    pairs = zip(cert["rate"], cert["before"], strict=True) if k else [(cert["rate"], cert["before"])]
    parts = [(1, *pair) for pair in pairs] + [(-1, "1", cert["after"])]
    parts += [(-1, q["multiplier"], q["form"]) for q in cert["inequalities"]]
    S: Any = defaultdict(Fraction)  # (exponents, block or kind, i, j) -> coefficient of the slack
    for sign, scale, form in parts:
        weights = number(scale, k)
        if sign < 0 and any(c < 0 for _, c in weights):
            return "a multiplier is negative"
        at = [((b, i, j), x) for b, block in enumerate(form["blocks"]) for i, j, x in block]
        if not all(0 <= i <= j < len(span[b]) for (b, i, j), _ in at):
            return "an entry lies outside its block"
        at += [((-1, i, i), x) for i, x in enumerate(form["values"])] + [((-2, 0, 0), form["noise"])]
        for place, x in at:
            for (e, a), (f, c) in ((s, t) for s in number(x, k) for t in weights):
                S[tuple(map(sum, zip(e, f))), *place] += sign * a * c
    if any(place[1] == -1 and v != 0 or place[1] == -2 and v < 0 for place, v in S.items()):
        return "the slack has a value part, or negative noise"
    for e, b in {place[:2] for place in S if place[1] >= 0}:
        if not psd([[S[e, b, min(i, j), max(i, j)] for j in span[b]] for i in span[b]]):
            return f"block {b} of the slack is not positive semidefinite"
    return None


if __name__ == "__main__":
    try:
        found = fault(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    except Exception as error:
        found = f"not a certificate: {error!r}"
    print(found or "valid")
    sys.exit(1 if found else 0)
