"""Check a certificate: python verify.py CERT.json prints `valid` or the first fault, exit code 0 or 1.

Standard library only.  The certificate proves sum_k rate_k before_k >= after for all vectors, values and noise
for which every listed form is >= 0: the slack  S = sum_k rate_k before_k - after - sum_q multiplier_q form_q  has
multipliers >= 0, no value part, noise >= 0 and positive semidefinite blocks.  A number is a fraction "a/b" or a
polynomial [[exponents, "a/b"], ...] in `variables` >= 0; then every coefficient is tested, which is sufficient.
"""

import hashlib
import json
import sys
from fractions import Fraction

__all__ = ["digest", "fault", "psd"]


def digest(cert):
    """SHA-256 of the certificate without its own digest."""
    body = json.dumps({k: v for k, v in cert.items() if k != "sha256"}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def psd(M):
    """Is a symmetric matrix of Fractions positive semidefinite?  Exact elimination, largest pivot first."""
    M, active = [list(row) for row in M], list(range(len(M)))
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


def number(x, k):
    """{exponents: Fraction} of a number in k variables."""
    terms = [[[0] * k, x]] if isinstance(x, str) else x
    if any(len(e) != k or min(e, default=0) < 0 or not isinstance(v, str) for e, v in terms):
        raise ValueError(f"not a number: {x}")
    return {tuple(e): Fraction(v) for e, v in terms}


def add(total, scale, form, sizes, n_values, k):
    """total += scale * form, both as {(place, exponents): Fraction}; places: a block's entry, a value, the noise."""
    entries = [(("block", b, *ij), v) for b, block in enumerate(form["blocks"]) for *ij, v in block]
    if len(form["blocks"]) != len(sizes) or len(form["values"]) != n_values:
        raise ValueError("a form has the wrong number of blocks or values")
    if len({e[0] for e in entries}) < len(entries) or not all(0 <= i <= j < sizes[b] for (_, b, i, j), _ in entries):
        raise ValueError("a block's entry is repeated or out of place")
    entries += [(("value", i), v) for i, v in enumerate(form["values"])] + [(("noise",), form["noise"])]
    for place, v in entries:
        for e, a in number(v, k).items():
            for f, b in scale.items():
                key = place, tuple(x + y for x, y in zip(e, f))
                total[key] = total.get(key, 0) + a * b


def fault(cert):
    """The first reason to refuse a certificate, or None."""
    try:
        if cert["format"] != "proveout-certificate/1" or cert["sha256"] != digest(cert):
            return "the digest or the format does not fit"
        k, sizes, before, rate = len(cert.get("variables", [])), cert["sizes"], cert["before"], cert["rate"]
        pairs = [(rate, before)] if isinstance(before, dict) else list(zip(rate, before, strict=True))
        scaled = [(number(r, k), 1, form) for r, form in pairs] + [({(0,) * k: Fraction(1)}, -1, cert["after"])]
        for q in cert["inequalities"]:
            scaled.append((number(q["multiplier"], k), -1, q["form"]))
            if min(scaled[-1][0].values(), default=0) < 0:
                return f"negative multiplier of {q['name']}"
        S = {}
        for scale, sign, form in scaled:
            add(S, {e: sign * v for e, v in scale.items()}, form, sizes, cert["n_values"], k)
        for place, e in S:
            if place[0] == "value" and S[place, e] or place[0] == "noise" and S[place, e] < 0:
                return f"the {place[0]} part of the slack is {S[place, e]}"
        for b, e in {(place[1], e) for place, e in S if place[0] == "block"}:
            entry = lambda i, j, b=b, e=e: S.get((("block", b, min(i, j), max(i, j)), e), Fraction(0))
            if not psd([[entry(i, j) for j in range(sizes[b])] for i in range(sizes[b])]):
                return f"block {b} of the slack is not positive semidefinite"
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError, IndexError) as error:
        return f"not a certificate: {error!r}"
    return None


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        found = fault(json.load(file))
    print(found or "valid")
    sys.exit(1 if found else 0)
