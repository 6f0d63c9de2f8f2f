"""Certificates as JSON values: numbers are strings "a/b", a form lists the entries i <= j of its blocks.

    {"format", "statement", "parameters": {name: "a/b"}, "basis": [[names], ...], "sizes": [4, 2], "n_values": 1,
     "rate": "91/100", "before": FORM, "after": FORM, "inequalities": [{"name", "multiplier", "form": FORM}],
     "sha256"}
    FORM = {"blocks": [[[i, j, "v"], ...], ...], "values": ["v", ...], "noise": "v"}

`after` is E V(next) + progress - noise.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.theory.lenses.proof.exact import Claim
from proveout.theory.lenses.proof.task import Task
from proveout.theory.lenses.worstcase.forms import Form
from proveout.theory.verify import digest

__all__ = ["FORMAT", "body", "conditions", "read", "seal", "write"]

FORMAT = "proveout-certificate/1"


def _encode_form(form: Form) -> dict[str, Any]:
    """A form without its zero entries."""
    blocks = []
    for m in form.blocks:
        places = [(i, j) for i in range(len(m)) for j in range(i, len(m)) if m[i, j]]
        blocks.append([[i, j, str(m[i, j])] for i, j in places])
    return {"blocks": blocks, "values": [str(v) for v in form.values], "noise": str(form.noise)}


def _decode_form(form: Mapping[str, Any], sizes: Sequence[int]) -> Form:
    blocks = []
    for entries, size in zip(form["blocks"], sizes, strict=True):
        m = np.full((size, size), Fraction(0), dtype=object)
        for i, j, v in entries:
            m[i, j] = m[j, i] = Fraction(v)
        blocks.append(m)
    values = np.array([Fraction(v) for v in form["values"]], dtype=object)
    return Form(tuple(blocks), values, Fraction(form["noise"]))


def body(claim: Claim, name: str) -> dict[str, Any]:
    """What the claim decides of a certificate: all but the inequalities that are used, and the digest."""
    task = claim.task
    return {
        "format": FORMAT,
        "statement": name,
        "parameters": dict(claim.parameters),
        "basis": [list(labels) for labels in claim.basis],
        "sizes": [len(m) for m in task.before.blocks],
        "n_values": len(task.before.values),
        "rate": str(task.rate),
        "before": _encode_form(task.before),
        "after": _encode_form(task.after),
    }


def conditions(claim: Claim) -> list[dict[str, Any]]:
    """All inequalities that a certificate of this claim may use."""
    pairs = zip(claim.names, claim.task.inequalities, strict=True)
    return [{"name": name, "form": _encode_form(form)} for name, form in pairs]


def write(claim: Claim, multipliers: Sequence[Fraction], name: str) -> dict[str, Any]:
    """The certificate of one claim at fixed parameters, sealed; inequalities without weight are left out."""
    pairs = zip(conditions(claim), multipliers, strict=True)
    used = [{**q, "multiplier": str(lam)} for q, lam in pairs if lam]
    return seal({**body(claim, name), "inequalities": used})


def read(certificate: Mapping[str, Any]) -> tuple[Task, list[Fraction]]:
    """The task and the multipliers of a certificate at fixed parameters."""
    sizes = certificate["sizes"]
    forms = tuple(_decode_form(q["form"], sizes) for q in certificate["inequalities"])
    before, after = (_decode_form(certificate[k], sizes) for k in ("before", "after"))
    task = Task(before, after, forms, Fraction(certificate["rate"]))
    return task, [Fraction(q["multiplier"]) for q in certificate["inequalities"]]


def seal(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate with its SHA-256 digest."""
    return {**certificate, "sha256": digest(dict(certificate))}
