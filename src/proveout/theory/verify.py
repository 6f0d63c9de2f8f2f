"""Check a certificate: `python verify.py CERT.json` prints `valid` or the first fault, exit code 0 or 1.

Standard library only.  A certificate proves  sum_k rate_k before_k >= after  for all vectors, values and noise
on which every listed form is >= 0: the slack  S = sum_k rate_k before_k - after - sum_q multiplier_q form_q  has
multipliers >= 0, no value part, noise >= 0 and positive semidefinite blocks.  A number is a fraction "a/b", or a
polynomial [[exponents, "a/b"], ...] in `variables` >= 0: then each coefficient is tested, which is sufficient.
"""

import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
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
            f = M[i][p] / M[p][p]
            for j in active:
                M[i][j] -= f * M[p][j]
    return True


def number(x: Any, k: int) -> list[tuple[tuple[int, ...], Fraction]]:
    """The terms (exponents, coefficient) of a number in k variables."""
    terms = [([0] * k, x)] if isinstance(x, str) else x
    if not all(len(e) == k and all(type(a) is int and a >= 0 for a in e) and type(v) is str for e, v in terms):
        raise ValueError(f"not a number: {x}")
    return [(tuple(e), Fraction(v)) for e, v in terms]


def places(form: dict[str, Any], sizes: list[int], n_values: int) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(place, number) for each entry i <= j of a block, each value symbol and the noise of a form."""
    for b, (block, size) in enumerate(zip(form["blocks"], sizes, strict=True)):
        for i, j, v in block:
            if not 0 <= i <= j < size:
                raise ValueError(f"no entry {i}, {j} in a block of size {size}")
            yield (b, i, j), v
    yield from ((("value", i), v) for i, v in zip(range(n_values), form["values"], strict=True))
    yield ("noise",), form["noise"]


def fault(cert: Any) -> str | None:
    """The first reason to refuse a certificate, or None."""
    try:
        if cert["format"] != "proveout-certificate/1" or cert["sha256"] != digest(cert):
            return "the format or the digest does not fit"
        k, sizes, rate, before = len(cert.get("variables", ())), cert["sizes"], cert["rate"], cert["before"]
        parts = list(zip(rate, before, strict=True)) if isinstance(before, list) else [(rate, before)]
        used = [(q["multiplier"], q["form"]) for q in cert["inequalities"]]
        if any(v < 0 for multiplier, _ in used for _, v in number(multiplier, k)):
            return "a multiplier is negative"
        S: dict[Any, Fraction] = defaultdict(Fraction)
        for sign, scaled in ((1, parts), (-1, [("1", cert["after"]), *used])):
            for scale, form in scaled:
                for place, x in places(form, sizes, cert["n_values"]):
                    for (e, a), (f, b) in ((s, t) for s in number(x, k) for t in number(scale, k)):
                        S[place, tuple(map(sum, zip(e, f)))] += sign * a * b
        for (place, _), v in S.items():
            if place[0] == "value" and v != 0 or place[0] == "noise" and v < 0:
                return f"the slack has the {place[0]} part {v}"
        for b, e in {(place[0], e) for place, e in S if len(place) == 3}:
            at = lambda i, j, b=b, e=e: S.get(((b, min(i, j), max(i, j)), e), Fraction(0))
            if not psd([[at(i, j) for j in range(sizes[b])] for i in range(sizes[b])]):
                return f"block {b} of the slack is not positive semidefinite"
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
        return f"not a certificate: {error!r}"
    return None


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        found = fault(json.load(file))
    print(found or "valid")
    sys.exit(1 if found else 0)
