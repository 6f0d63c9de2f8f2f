"""From a statement to a task in fractions: the same `step`, run on abstract rows of Fractions.

Class constants are read from the text of the problem's SPEC, float fields of the method become the nearest
fraction with denominator <= 1e6 (so 0.1 is 1/10 and 2/11 is 2/11), and `allows` is asked again.  Every
number of the forms must then come out a Fraction; a float among them means that there is nothing to prove
(`weights` tells which floats pass).

Where a minimum over iterates is claimed, min_k M_k enters as a value symbol m with M_k - m >= 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.problems.classes import FunctionClass, of_problem
from proveout.theory.lenses.common import Refused, refusal
from proveout.theory.lenses.proof.task import Task, exactly
from proveout.theory.lenses.proof.weights import at_most, weighed
from proveout.theory.lenses.worstcase.blocks import abstracted
from proveout.theory.lenses.worstcase.draws import draws_of, floats
from proveout.theory.lenses.worstcase.forms import Form, total
from proveout.theory.lenses.worstcase.trace import Settings, Trace, trace
from proveout.theory.lenses.worstcase.world import NotSymmetric
from proveout.theory.statement import Method, OneStep, Problem, branches
from proveout.theory.twins import unwrap

__all__ = ["Claim", "claim", "exact_trace", "rational_class", "rational_method"]

DENOMINATOR = 10**6  # of a method's parameters
CLIENTS = 200  # at most; exact rows of more take seconds
PRODUCTS = 3e5  # paths x clients x columns squared, at most
ENTRIES = 5e5  # of all inequalities, at most
EXACT = Settings(exact=True)


@dataclass(frozen=True, eq=False)
class Claim:
    """A task with what a certificate says about it."""

    task: Task
    names: tuple[str, ...]  # of the inequalities
    basis: tuple[tuple[str, ...], ...]  # names of the vectors of each block
    parameters: Mapping[str, str]
    notes: tuple[str, ...]
    spec: str  # of the class


# ------------------------------------------------------------------ parameters


def rational_class(problem: Problem) -> FunctionClass:
    """The function class of a problem with its constants as Fractions, from their text where there is one."""
    klass = of_problem(problem)
    _, _, rest = klass.spec.partition(":")
    text = dict(part.split("=") for part in rest.split(",") if "=" in part)
    short = {"L_max": "L", "mu_min": "mu"}

    def fraction(name: str, value: Any) -> Any:
        if not isinstance(value, float):
            return value
        return Fraction(text.get(short.get(name, name), "") or repr(value))

    return replace(klass, **{f.name: fraction(f.name, getattr(klass, f.name)) for f in fields(klass)})


def rational_method(method: Method) -> Method:
    """The record with every float, at any depth, replaced by the nearest simple fraction."""
    if isinstance(method, (float, np.floating)):
        return Fraction(float(method)).limit_denominator(DENOMINATOR)
    if not is_dataclass(method) or isinstance(method, type):
        return method
    old = {f.name: getattr(method, f.name) for f in fields(method) if f.init}
    new = {name: rational_method(value) for name, value in old.items()}
    return replace(method, **{k: v for k, v in new.items() if v is not old[k]})


def _parameters(P: FunctionClass, m: Method, steps: int) -> dict[str, str]:
    """Constants of the class and numbers of the method, as text."""
    found: dict[str, Any] = {"n": P.n, "L": P.L_max, "mu": P.mu_min}
    more = [f for f in fields(P) if f.name not in ("n", "L_max", "mu_min", "spec")]
    found |= {f.name: getattr(P, f.name) for f in more if getattr(P, f.name) != f.default}
    found |= _inside(unwrap(m))
    found |= {"T": steps} if steps > 1 else {}
    return {k: str(v) for k, v in found.items() if isinstance(v, (int, Fraction)) and not isinstance(v, bool)}


def _inside(record: Any) -> dict[str, Any]:
    """The fields of a record and of the blocks that it holds, an outer name before an inner one."""
    if not is_dataclass(record) or isinstance(record, type):
        return {}
    own = {f.name: getattr(record, f.name) for f in fields(record)}
    held = [_inside(value) for value in own.values()]
    return {k: v for inner in reversed(held) for k, v in inner.items()} | own


# ------------------------------------------------------------------ claims


def exact_trace(statement: Any, P: FunctionClass, m: Method, settings: Settings = EXACT) -> Trace:
    """The trace in fractions, on the full Gram matrix where clients are not exchangeable.

    The tests of exchangeability, linearity and size run in floats. Raises Refused if there is no such trace.
    """
    try:
        if not settings.trusted:
            once = replace(settings, exact=False, steps=1)
            _affordable(trace(statement, floats(P), floats(m), once), floats(m), settings.steps)
        return trace(weighed(statement), P, m, replace(settings, trusted=True))
    except NotSymmetric as reason:
        if settings.full:
            raise Refused(f"not exchangeable: {reason}", "inconclusive") from None
    except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise Refused(_why(error)) from error
    return exact_trace(statement, P, m, replace(settings, full=True))


def _affordable(found: Trace, m: Method, steps: int) -> None:
    """Raises Refused if the float trace of one step shows that an exact one would take too many products."""
    P, world, settings = found.problem, found.problem._world, found.settings
    known = abstracted(m, P.d, world) if settings.blocks else m
    draws = len(draws_of(known.law(P).at(0), P.n, settings).prob)
    points = sum(draws**t for t in range(steps))  # each path asks at its own points
    products = draws**steps * P.n * (world.space.used * points) ** 2
    entries = len(found.inequalities) * sum(k * k for k in found.layout.sizes) * points**4
    if products > PRODUCTS or entries > ENTRIES:
        size = f"{draws**steps} draws, {len(found.inequalities) * points**2} inequalities"
        raise Refused(f"too large for exact arithmetic: {size}", "inconclusive")


def _why(error: Exception) -> str:
    text = str(error)
    return text if text.startswith("not rational") else f"no trace in fractions: {text}"


def claim(statement: Any, problem: Problem, method: Method, settings: Settings = EXACT) -> Claim:
    """What is to be proved of a one-step or horizon statement on the class of a problem.

    Raises Refused if it does not speak of these parameters in fractions, or has no rational trace.
    """
    P, m = rational_class(problem), rational_method(method)
    if P.n > CLIENTS:
        raise Refused(f"n = {P.n}: exact arithmetic takes at most {CLIENTS} clients", "inconclusive")
    parameters = _parameters(P, m, settings.steps)
    reason = refusal(statement, P, m)
    if reason is not None:
        at = ", ".join(f"{k}={v}" for k, v in parameters.items())
        raise Refused(f"{reason} (in fractions: {at})")
    found = exact_trace(statement, P, m, settings)
    if found.matrices:
        raise Refused("quadratics have a matrix of multipliers", "inconclusive")
    try:
        task, names = _task(statement, P, m, found)
    except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise Refused(_why(error)) from error
    return Claim(task, names, found.basis, parameters, found.notes, P.spec)


def _task(statement: Any, P: FunctionClass, m: Method, found: Trace) -> tuple[Task, tuple[str, ...]]:
    """The inequality with all its conditions; an equality is two inequalities."""
    forms = [c.form for c in found.inequalities]
    names = [c.name for c in found.inequalities]
    for c in found.equalities:
        forms += [c.form, -c.form]
        names += [c.name, f"{c.name}, reversed"]
    before, after, rate = total(found.before), found.after[0], Fraction(1)
    if isinstance(statement, OneStep):
        after = total(found.after) if found.progress is None else total((*found.after, found.progress))
        rate = max(at_most(r) for r in branches(statement.rate(P, m)))
        noise = at_most(statement.noise(P, m)) if statement.noise is not None else Fraction(0)
        after = replace(after, noise=after.noise - noise)
    elif len(found.after) > 1:
        forms = [_with_symbol(f, 0) for f in forms] + [_with_symbol(f, -1) for f in found.after]
        names += [f"measure {k} >= least" for k in range(len(found.after))]
        before, after = _with_symbol(before, 0), _with_symbol(0 * after, 1)
    return Task(exactly(before), exactly(after), tuple(map(exactly, forms)), rate), tuple(names)


def _with_symbol(form: Form, coefficient: int) -> Form:
    """One value symbol more, for the least of several measures."""
    return replace(form, values=np.append(form.values, coefficient))
