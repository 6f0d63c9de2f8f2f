"""METHOD in words: `stem.Class[:field=value,...]`; missing fields come from the rule of the stem's first statement."""

import dataclasses
import difflib
import inspect
import pkgutil
from importlib import import_module
from typing import Any

from proveout.cli.screen import Usage

__all__ = ["method"]


def method(text: str, problem: Any) -> Any:
    """The method that the words describe on a problem; Usage if they describe none."""
    path, _, rest = text.partition(":")
    kind = _class(path, text)
    given = _given(kind, rest, text)
    tuned, why = _tuned(kind, path.partition(".")[0], problem, given)
    try:
        if tuned is not None:
            return dataclasses.replace(tuned, **given)
        return kind(**given)
    except ValueError as error:
        raise Usage(f"method {text!r}: {error}") from error
    except TypeError as error:
        known = {f.name for f in dataclasses.fields(kind) if _needed(f)} - set(given)
        if not known:
            raise Usage(f"method {text!r}: {error}") from error
        raise Usage(f"method {text!r}: {', '.join(sorted(known))} must be given: {why}") from None


def _class(path: str, text: str) -> Any:
    stem, dot, name = path.rpartition(".")
    if not dot or not stem:
        raise Usage(f"method {text!r} must be STEM.CLASS[:field=value,...], e.g. proxskip.Scaffnew:p=0.2")
    import proveout.methods as room

    stems = [m.name for m in pkgutil.iter_modules(room.__path__) if m.name != "blocks"]
    if stem not in stems:
        near = difflib.get_close_matches(stem, stems, n=1)
        hint = f"did you mean {near[0]}?" if near else f"stems: {', '.join(stems)}"
        raise Usage(f"method {text!r}: no stem {stem!r}; {hint}")
    module = import_module(f"proveout.methods.{stem}")
    classes = [k for k, v in vars(module).items() if isinstance(v, type) and hasattr(v, "step")]
    if name not in classes:
        raise Usage(f"method {text!r}: no class {name!r} in {stem}; classes: {', '.join(classes) or 'none'}")
    return getattr(module, name)


def _needed(field: Any) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _given(kind: Any, rest: str, text: str) -> dict[str, Any]:
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    given: dict[str, Any] = {}
    for part in filter(None, (p.strip() for p in rest.split(","))):
        name, equals, value = (s.strip() for s in part.partition("="))
        if not equals:
            raise Usage(f"method {text!r}: expected field=value, got {part!r}")
        if name not in fields:
            raise Usage(f"method {text!r}: no field {name!r}, fields: {', '.join(fields)}")
        if name in given:
            raise Usage(f"method {text!r}: {name} given twice")
        given[name] = _value(value, fields[name].type, f"method {text!r}: {name}")
    return given


def _value(text: str, kind: Any, what: str) -> Any:
    """A number, a truth value, None or a word, as the field's type asks."""
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    lower = text.lower()
    if name == "str":
        return text
    if lower in ("true", "false") and name not in ("int", "float"):
        return lower == "true"
    if lower == "none" and name not in ("int", "float", "bool"):
        return None
    try:
        number = float(text)
    except ValueError:
        if name in ("int", "float", "bool"):
            raise Usage(f"{what} must be {_A[name]}, got {text!r}") from None
        return text
    if name == "bool":
        raise Usage(f"{what} must be {_A[name]}, got {text!r}")
    if name == "int" and number != number // 1:
        raise Usage(f"{what} must be {_A[name]}, got {text!r}")
    whole = name != "float" and abs(number) < 2**53 and number == number // 1
    return int(number) if whole else number


_A = {"int": "an integer", "float": "a number", "bool": "true or false"}


def _tuned(kind: Any, stem: str, problem: Any, given: dict[str, Any]) -> tuple[Any, str]:
    """The method of the paper's rule, for the first statement and choices that fit; else None and why."""
    from proveout.theory.catalogue import CASES

    why = f"no statement of {stem} has a rule for it"
    for case in sorted(CASES, key=lambda c: c.stem != stem):
        tune, kinds = case.statement.tune, case.statement.method
        if tune is None or kind not in (kinds if isinstance(kinds, tuple) else (kinds,)):
            continue
        asked = inspect.signature(tune).parameters
        for choices in case.settings:
            try:
                tuned = tune(problem, **{**choices, **{k: v for k, v in given.items() if k in asked}})
            except (ValueError, TypeError, AttributeError) as error:
                why = f"the rule of {case.id} does not fit here ({error})"
                continue
            if type(tuned) is kind:
                return tuned, ""
    return None, why
