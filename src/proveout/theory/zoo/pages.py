"""A passport in words, and as plain values."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from proveout.methods.blocks.assumptions import ABC, CON
from proveout.theory.zoo.standing import Standing
from proveout.theory.zoo.witness import Witness

__all__ = ["plain", "text"]

ORDER = ("CON", "BVD", "SG1", "SG2", "BREQ", "FSML", "BND", "ABS", "ABC")
SAYS = {
    "SG1": "alpha G <= S <= beta P",
    "SG2": "tau G <= P, S <= beta P",
    "BREQ": "rho G <= P, S <= zeta G",
    "CON": "MSE <= (1 - alpha) G",
    "BVD": "Bias <= eta G, V <= xi G",
    "BND": "Bias <= m G + phi2, V <= M E1 + sigma2",
    "ABS": "MSE <= Delta2",
    "FSML": "q G <= P, E1 <= u2 G, V <= U G + Q",
    "ABC": "b G - c <= P, S <= 2 A D + B G + C",
}
LEGEND = (
    "D = f - f*, G = |grad f|^2, P = <grad f, E g>, S = E|g|^2, E1 = |E g|^2, V = S - E1, "
    "Bias = |E g - grad f|^2, MSE = Bias + V"
)


def number(value: float) -> str:
    return f"{value:.4g}"


def constants(one: Standing) -> str:
    """alpha = 0.3333, beta = 1; zeros of constants that trade are left out."""
    if one.constants is None:
        return ""
    fields = {k: float(v) for k, v in vars(one.constants).items()}
    shown = {k: v for k, v in fields.items() if v or len(fields) <= 2}
    said = ", ".join(f"{k} = {number(v)}" for k, v in shown.items()) or "all 0"
    return said + (f" (delta = {number(1 / fields['alpha'])})" if one.kind is CON else "")


def vector(x: Any) -> str:
    x = np.asarray(x, float)
    inside = ", ".join(number(v) for v in x[:4])
    return f"({inside}{', ...' if len(x) > 4 else ''})"


def verdict(one: Standing) -> str:
    words = {
        "least": "least (decided)",
        "at most": "at most (known)",
        "at least": "at least (searched)",
        "grows": "none found (searched)",
        "undecided": "undecided",
    }
    if one.word == "violated":
        return "violated" if one.how == "decided" else "violated (sampled)"
    return words[one.word]


def remark(one: Standing) -> str:
    if one.witness is not None:
        return against(one.witness, one.gradients)
    if one.word == "at most":
        seen = ", ".join(f"{k} = {number(v)}" for k, v in one.bounds.items() if v)
        return f"searched: no less than {seen}" if seen else ""
    return one.how.removeprefix("searched: ") if one.word in ("grows", "undecided") else ""


def against(witness: Witness, gradients: bool) -> str:
    at = "grad f" if gradients else "x"
    where = f"{at} = {vector(witness.x)}"
    if witness.direction is not None:
        where += f", direction {vector(witness.direction)}"
    return f"witness {where}: {witness.text}"


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Aligned columns; the last one runs free."""
    widths = [max(len(r[k]) for r in rows) for k in range(len(rows[0]) - 1)]
    return [
        (indent + "  ".join([*(c.ljust(w) for c, w in zip(r, widths, strict=False)), r[-1]])).rstrip()
        for r in rows
    ]


def text(p: Any) -> str:
    """The whole page."""
    g = p.goal
    lines = [f"Passport of {p.estimator} on {p.problem}"]
    kind = f"mu = {number(g.mu)} (PL)" if g.pl else "no PL constant"
    lines.append(f"f: L = {number(g.L)}, {kind}; {p.how}")
    said = {True: "yes", False: "no", None: "not refuted"}[p.unbiased]
    lines += ["", f"Unbiased (E g = grad f): {said}", "", "Assumptions"]
    rows = [
        (n, SAYS[n], verdict(s), constants(s) or remark(s)) for n, s in ((n, p.standings[n]) for n in ORDER)
    ]
    lines += table(rows)
    notes = [
        (n, remark(p.standings[n]))
        for n in ORDER
        if p.standings[n].constants is not None and remark(p.standings[n])
    ]
    if notes:
        lines += ["", *table(notes)]
    if p.unbiased and p.standings["ABC"].constants is not None:
        k: ABC = p.standings["ABC"].constants
        lines += [
            "",
            f"Unbiased, so ABC with b = 1, c = 0: A = {number(k.A)}, B = {number(k.B)}, C = {number(k.C)}",
        ]
    lines += ["", *promises(p), "", LEGEND]
    return "\n".join(lines)


def promises(p: Any) -> list[str]:
    g = p.goal
    what = "E f(x_T) - f*" if g.pl else "min_t E|grad f(x_t)|^2"
    head = f"Guarantees for {what} <= {number(g.eps)}, f(x_0) - f* = {number(g.gap0)} ({p.start})"
    if not p.guarantees:
        return [f"{head}: no theorem applies"]
    rows = [("theorem", "step size", "steps", "left for ever", "constants")]
    for one in p.guarantees:
        fields = ", ".join(f"{k} = {number(float(v))}" for k, v in vars(one.constants).items() if v)
        used = type(one.constants).__name__ + (f" of {number(one.factor)} g" if one.factor != 1 else "")
        note = "" if one.sure else "  [if these constants hold for all x]"
        reach = str(math.ceil(one.steps)) if math.isfinite(one.steps) else "never"
        rows.append((one.theorem, number(one.gamma), reach, number(one.floor), f"{used}: {fields}{note}"))
    lines = [head, *table(rows)]
    return [*lines, advice(p, what)]


def advice(p: Any, what: str) -> str:
    """The last line: what to do."""
    if p.best is not None:
        return f"Use step size {number(p.best.gamma)}: {math.ceil(p.best.steps)} steps by {p.best.theorem}"
    if p.reachable is not None:
        eps, one = p.reachable
        return (
            f"No theorem promises the target: {number(eps / 2)} is left with the shortest steps.  {what} <= {number(eps)}: "
            f"step size {number(one.gamma)}, {math.ceil(one.steps)} steps by {one.theorem}"
        )
    return "Nothing is promised for sure: the constants above were searched, not decided"


def plain(p: Any) -> dict[str, Any]:
    """For machines."""
    g = p.goal
    return {
        "estimator": p.estimator,
        "problem": p.problem,
        "how": p.how,
        "L": g.L,
        "mu": g.mu,
        "eps": g.eps,
        "gap0": g.gap0,
        "unbiased": p.unbiased,
        "assumptions": {n: _plain(p.standings[n]) for n in ORDER},
        "guarantees": [one.as_dict() for one in p.guarantees],
        "best": None if p.best is None else p.best.as_dict(),
        "reachable": None if p.reachable is None else {"eps": p.reachable[0], **p.reachable[1].as_dict()},
    }


def _plain(one: Standing) -> dict[str, Any]:
    w = one.witness
    return {
        "word": one.word,
        "how": one.how,
        "constants": None if one.constants is None else {k: float(v) for k, v in vars(one.constants).items()},
        "gap": one.gap,
        "bounds": {k: float(v) for k, v in one.bounds.items()},
        "where": {k: [float(v) for v in x] for k, x in one.where.items()},
        "gradients": one.gradients,
        "witness": None
        if w is None
        else {
            "x": [float(v) for v in w.x],
            "direction": None if w.direction is None else [float(v) for v in w.direction],
            "lhs": w.lhs,
            "rhs": w.rhs,
            "text": w.text,
        },
    }
