"""SPEC: a problem in short text, `family[:part,...]`, part = bare word (positional) or key=number.

`async:part,.../SPEC` is another problem served by workers with a clock: "async:workers=4,clock=exp/quadratic:n=1,d=3".
"""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from proveout.problems.classes import FunctionClass
from proveout.problems.curves import curve
from proveout.problems.delays import Asynchronous, asynchronous
from proveout.problems.logistic import logistic
from proveout.problems.quadratics import federated

__all__ = ["FAMILIES", "build", "parse"]


def _class(
    n: int = 2, L: float = 10.0, mu: float = 1.0, sigma2: float = 0.0, spec: str = ""
) -> FunctionClass:
    return FunctionClass(n=n, L_max=L, mu_min=mu, sigma2=sigma2, spec=spec)


def _async(
    base: str = "quadratic:n=1",
    data: str = "shared",
    workers: int = 4,
    clock: str = "robin",
    slow: float = 0.0,
    ratio: float = 10.0,
    speeds: str = "",
    order: str = "",
    grace: float | None = None,
    batch: int = 0,
    seed: int = 0,
    spec: str = "",
) -> Asynchronous:
    dials = {} if order else dict(slow=slow, ratio=ratio, speeds=speeds, grace=grace, seed=seed)
    return asynchronous(build(base), data, workers, clock, order, batch, spec, **dials)


FAMILIES: dict[str, Callable[..., Any]] = {
    "quadratic": federated,
    "logistic": logistic,
    "class": _class,
    "curve": curve,
    "async": _async,
}


def parse(spec: str) -> tuple[str, dict[str, Any]]:
    """("quadratic", {"n": 10, ...}); ValueError for an unknown family, key or kind of value."""
    family, _, rest = spec.partition(":")
    if family not in FAMILIES:
        raise ValueError(f"problem {spec!r}: unknown family {family!r}, known: {', '.join(FAMILIES)}")
    signature = inspect.signature(FAMILIES[family]).parameters
    known = {name: p for name, p in signature.items() if name != "spec"}
    positional = [name for name in known if name == "data"]
    given: dict[str, Any] = {}
    if "base" in known and "/" in rest:
        rest, _, given["base"] = rest.partition("/")
    for part in filter(None, (p.strip() for p in rest.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            if not positional:
                raise ValueError(f"problem {spec!r}: expected key=value, got {part!r}")
            key, value = positional.pop(0), part
        if key not in known:
            raise ValueError(f"problem {spec!r}: unknown key {key!r}, known: {', '.join(known)}")
        if key in given:
            raise ValueError(f"problem {spec!r}: {key} given twice")
        given[key] = _read(value, known[key].annotation, f"problem {spec!r}: {key}")
    return family, given


def _read(text: str, kind: Any, what: str) -> Any:
    if kind is str:
        return text
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{what} must be a number, got {text!r}") from None
    if kind is int:
        if number != int(number):
            raise ValueError(f"{what} must be an integer, got {text!r}")
        return int(number)
    return number


@lru_cache(maxsize=64)
def build(spec: str) -> Any:
    """The problem that a SPEC describes; ValueError if it describes none."""
    family, given = parse(spec)
    try:
        return FAMILIES[family](**given, spec=spec)
    except ValueError as error:
        raise ValueError(f"problem {spec!r}: {error}") from None
