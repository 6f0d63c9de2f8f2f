"""One certificate for all parameters: the claim term by term, with polynomials in place of numbers.

    E V(next) + progress <= sum_k rate_k V_k,  V = sum_k V_k, V_k >= 0,  hence ... <= max_k rate_k V,

at parameters that are rational functions of v_1, ..., v_r >= 0 (p = 1/(1+t), L = 1 + l, n = 2 + m, ...), with
multipliers given as a formula.  Every part is multiplied by a positive factor, so that all products share one
common denominator D(v) > 0 and become polynomials:

    D S = sum_k (a_k rate_k)(b_k V_k) - D after - sum_q (a_q lam_q)(b_q Q_q),     a b = D for each part.

The polynomials come from exact traces at integer points (`polynomials`).  Sufficient, and tested by the
verifier: every coefficient of every multiplier is >= 0, every coefficient matrix of D S is positive semidefinite.
Where that fails, other units (gradients over L) may help: a congruence of all forms, wherever no unit is 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.proof.exact import EXACT, exact_trace
from proveout.theory.lenses.proof.format import FORMAT, seal
from proveout.theory.lenses.proof.polynomials import Point, Table, evaluate, interpolate
from proveout.theory.lenses.proof.task import exactly
from proveout.theory.lenses.worstcase.conditions import Condition
from proveout.theory.lenses.worstcase.forms import Form, total
from proveout.theory.lenses.worstcase.trace import Trace
from proveout.theory.statement import Method, Number, OneStep, Problem, branches
from proveout.theory.verify import fault

__all__ = ["Family", "accepts_family", "family_certificate"]

Powers = Mapping[str, int]  # factor -> exponent


@dataclass(frozen=True, kw_only=True, eq=False)
class Family:
    """A one-step statement on a set of parameters v >= 0, and the formula that proves it."""

    name: str
    statement: OneStep
    variables: tuple[str, ...]
    starts: Point  # least integers at which there is a trace
    where: Mapping[str, str]  # parameter -> its formula, to be read
    setting: Callable[..., tuple[Problem, Method]]  # of the variables, as Fractions
    claim: str
    rates: Callable[[Problem, Method], tuple[Number, ...]]  # one per term of V
    multiplier: Callable[[Problem, Method, str], Number]  # of the inequality with this name
    factors: Mapping[str, Callable[..., Number]]  # positive functions of the variables
    common: Powers  # D
    before: tuple[Powers, ...]  # b_k
    inequalities: Powers  # b_q
    units: Mapping[str, str] = field(default_factory=dict)  # vector -> the factor it is measured in

    def uses(self, name: str) -> bool:
        """Has this inequality any weight?  Asked at a point inside the set of parameters."""
        return bool(self.multiplier(*self.setting(*(Fraction(s + 2) for s in self.starts)), name))

    def unit(self, label: str) -> str:
        """The factor of a basis vector e or e_i - mean: the certificate speaks of e / factor."""
        return self.units.get(label.removesuffix("_i - mean"), "")


@dataclass(frozen=True, eq=False)
class Parts:
    """The scaled numbers and forms of one point, in the order of the certificate."""

    rates: list[Fraction]
    multipliers: list[Fraction]
    forms: list[Form]  # b_k V_k, then D (after + progress), then b_q Q_q
    used: list[Condition]
    trace: Trace

    @property
    def flat(self) -> Array:
        """Rates, multipliers, then of every form the upper triangles of its blocks, its values, its noise."""
        out = [*self.rates, *self.multipliers]
        for form in self.forms:
            out += [x for m in form.blocks for x in m[np.triu_indices(len(m))]] + [*form.values, form.noise]
        return np.array(out, dtype=object)

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.used]


def parts(family: Family, point: Point) -> Parts:
    """Everything that the certificate holds, at one point: inequalities without weight are left out.

    Raises Refused if there is no exact trace, ValueError if the statement claims less there.
    """
    v = [Fraction(x) for x in point]
    P, m = family.setting(*v)
    claimed = max(branches(family.statement.rate(P, m)))
    if not family.statement.allows(P, m) or max(family.rates(P, m)) > claimed:
        raise ValueError(f"{family.name}: the statement does not claim this at {point}")
    found = exact_trace(family.statement, P, m, replace(EXACT, trusted=point != family.starts))
    if found.equalities or found.matrices:
        raise Refused("a certificate for all parameters knows inequalities only")
    after = total(found.after if found.progress is None else (*found.after, found.progress))
    D = _power(family, family.common, v)
    b = [_power(family, powers, v) for powers in family.before]
    b_q = _power(family, family.inequalities, v)
    rates = [Fraction(r) * D / scale for r, scale in zip(family.rates(P, m), b, strict=True)]
    used = [c for c in found.inequalities if family.uses(c.name)]
    lam = [Fraction(family.multiplier(P, m, c.name)) * D / b_q for c in used]
    forms = [exactly(form) * scale for form, scale in zip(found.before, b, strict=True)]
    forms += [exactly(after) * D] + [exactly(c.form) * b_q for c in used]
    return Parts(rates, lam, [_measured(family, form, found.basis, v) for form in forms], used, found)


def _measured(family: Family, form: Form, basis: Sequence[Sequence[str]], v: Sequence[Fraction]) -> Form:
    """The same form of the vectors e / unit: a congruence, the same for all forms."""
    blocks = []
    for m, labels in zip(form.blocks, basis, strict=True):
        units = [family.unit(label) for label in labels]
        t = np.array([Fraction(family.factors[u](*v)) if u else Fraction(1) for u in units], dtype=object)
        blocks.append(m * t * t[:, None])
    return replace(form, blocks=tuple(blocks))


def _power(family: Family, powers: Powers, v: Sequence[Fraction]) -> Fraction:
    return prod((Fraction(family.factors[f](*v)) ** e for f, e in powers.items()), start=Fraction(1))


# ------------------------------------------------------------------ writing


def family_certificate(family: Family) -> dict[str, Any]:
    """The sealed certificate of a family.

    Raises ValueError if its parts are no polynomials, Refused if the verifier does not accept it.
    """
    one = parts(family, family.starts)

    def sample(point: Point) -> Array:
        here = parts(family, point)
        if here.names != one.names or here.trace.basis != one.trace.basis:
            raise ValueError(f"{family.name}: another shape of trace at {point}")
        return here.flat

    proof = seal(_body(family, one, interpolate(sample, family.starts)))
    wrong = fault(proof)
    if wrong is not None:
        raise Refused(f"the verifier refuses the certificate: {wrong}", "inconclusive")
    return proof


def _body(family: Family, one: Parts, table: Table) -> dict[str, Any]:
    size, sizes = len(one.flat), [len(m) for m in one.forms[0].blocks]
    numbers: list[list[Any]] = [[] for _ in range(size)]
    for e in sorted(table):
        for k in np.flatnonzero(table[e]):
            numbers[k].append([list(e), str(table[e][k])])
    rest = iter(numbers)
    rates = [next(rest) for _ in one.rates]
    multipliers = [next(rest) for _ in one.multipliers]
    forms = []
    for _ in one.forms:
        places = [[(int(i), int(j)) for i, j in zip(*np.triu_indices(s), strict=True)] for s in sizes]
        blocks = [[[*at, x] for at in block if (x := next(rest))] for block in places]
        values = [next(rest) for _ in one.forms[0].values]
        forms.append({"blocks": blocks, "values": values, "noise": next(rest)})
    K = len(rates)
    used = zip(one.names, multipliers, forms[K + 1 :], strict=True)
    return {
        "format": FORMAT,
        "statement": family.name,
        "claim": family.claim,
        "parameters": dict(family.where),
        "variables": list(family.variables),
        "polynomials": "interpolated from exact traces at integers, degrees confirmed beyond the grid",
        "denominator": _text(family.common),
        "factors": {"before": [_text(p) for p in family.before], "inequalities": _text(family.inequalities)},
        "basis": [[_label(family, name) for name in names] for names in one.trace.basis],
        "sizes": sizes,
        "n_values": len(one.forms[0].values),
        "rate": rates,
        "before": forms[:K],
        "after": forms[K],
        "inequalities": [{"name": q, "multiplier": lam, "form": form} for q, lam, form in used],
    }


def _label(family: Family, name: str) -> str:
    unit = family.unit(name)
    return f"({name})/{unit}" if unit else name


def _text(powers: Powers) -> str:
    return " ".join(f if e == 1 else f"{f}^{e}" for f, e in powers.items()) or "1"


# ------------------------------------------------------------------ checking


def accepts_family(family: Family, proof: Any, points: Sequence[Point] = ()) -> bool:
    """Is a stored certificate this family's?  Valid arithmetic, and equal to fresh exact traces.

    They are taken at `points` with positive coordinates (default: two), where no changed coefficient hides.
    """
    points = points or [tuple(s + shift + k % 3 for k, s in enumerate(family.starts)) for shift in (1, 3)]
    try:
        if fault(proof) is not None:
            return False
        one = parts(family, family.starts)
        empty = _body(family, one, {})
        fixed = empty.keys() - {"rate", "before", "after", "inequalities"}
        if proof.keys() != {*empty, "sha256"} or any(proof[k] != empty[k] for k in fixed):
            return False
        if [(q.keys(), q["name"]) for q in proof["inequalities"]] != [
            (q.keys(), q["name"]) for q in empty["inequalities"]
        ]:
            return False
        table = _polynomials(proof, one)
        return all(np.array_equal(evaluate(table, p), parts(family, p).flat) for p in points)
    except (Refused, KeyError, TypeError, ValueError, AttributeError, ArithmeticError, LookupError):
        return False


def _polynomials(proof: Mapping[str, Any], model: Parts) -> Table:
    """The certificate's numbers as one polynomial map, in the order of `Parts.flat`."""
    numbers = [*proof["rate"], *(q["multiplier"] for q in proof["inequalities"])]
    for form in (*proof["before"], proof["after"], *(q["form"] for q in proof["inequalities"])):
        for entries, m in zip(form["blocks"], model.forms[0].blocks, strict=True):
            at = {(i, j): x for i, j, x in entries}
            numbers += [at.pop((int(i), int(j)), []) for i, j in zip(*np.triu_indices(len(m)), strict=True)]
            if at:
                raise ValueError("an entry lies outside its block")
        numbers += [*form["values"], form["noise"]]
    table: Table = {}
    for k, number in enumerate(numbers):
        for exponents, coefficient in number:
            row = table.setdefault(tuple(exponents), np.full(len(numbers), Fraction(0), dtype=object))
            row[k] += Fraction(coefficient)
    return table
