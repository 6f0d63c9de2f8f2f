"""`proveout passport`: an estimator of the user's own, what it is and what follows."""

import inspect
import math
from types import ModuleType
from typing import Any

from proveout.cli.files import can_write, dump
from proveout.cli.screen import Usage, say, usage

__all__ = ["show"]


def show(
    place: str, spec: str, *, eps: float | None, ball: float | None, seed: int, json_file: str | None
) -> int:
    """Print the passport, or write it as JSON; exit code 0."""
    can_write(json_file)
    from proveout.problems import build
    from proveout.theory.trial.judge import is_class

    with usage():
        problem = build(spec)
    if is_class(problem):
        raise Usage(
            f"--problem {spec}: a function class has no data to look at; take quadratic: or logistic:"
        )
    estimator = _named(place)
    from proveout.theory.zoo.passport import passport

    with usage():
        page = passport(estimator, problem, eps=eps, ball=math.inf if ball is None else ball, seed=seed)
    if json_file is None:
        say(str(page))
        return 0
    dump(json_file, page.as_dict())
    if json_file != "-":
        say(f"written: {json_file}")
    return 0


def _named(place: str) -> Any:
    """What MODULE:ESTIMATOR names."""
    from proveout.theory.trial.sources import module_of

    where, colon, name = place.rpartition(":")
    if not colon or not where or not name:
        raise Usage(f"{place!r} must be MODULE:ESTIMATOR or FILE.py:ESTIMATOR, e.g. mine.py:clipped")
    with usage():
        found: Any = module_of(where)
    module = found
    for part in name.split("."):
        if not hasattr(found, part):
            raise Usage(f"{place}: {where} has no {name!r}; {_offers(module)}")
        found = getattr(found, part)
    if isinstance(found, ModuleType):
        raise Usage(f"{place}: {name!r} is a module, not an estimator; {_offers(found)}")
    return found


def _offers(module: ModuleType) -> str:
    """The names of a module that could be meant."""
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and callable(value)
        and getattr(inspect.unwrap(value), "__module__", None) == module.__name__
    ]
    return f"it has {', '.join(own[:12])}" if own else "it has nothing that could be one"
