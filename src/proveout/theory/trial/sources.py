"""What a user names: stems and ids of the catalogue, or statements of a file or module of their own.

tamuna, tamuna.linear_convergence    the catalogue
path/to/theory.py, my.module         its CASES, or else its public statements
path/to/theory.py:NAME               one name of it: a statement, a case, or a tuple of cases
"""

import difflib
import importlib
import importlib.util
import os
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from proveout.theory.cases import Case
from proveout.theory.statement import Statement

__all__ = ["Named", "find", "load", "module_of"]

PLACE = re.compile(
    r"(?P<place>(?:[A-Za-z]:[\\/])?[^:]+)(?::(?P<name>\w*))?"
)  # a drive's colon is no separator
USUAL = ("quadratic:n=3,d=2,kappa=10", "class:n=3,L=10,mu=1")  # where a statement without a case is judged


@dataclass(frozen=True, eq=False)
class Named:
    """A case and the word that leads to it ("" for the catalogue), so that another process finds it too."""

    case: Case
    source: str = ""


def find(words: tuple[str, ...] | list[str] = ()) -> tuple[Named, ...]:
    """The named cases, the catalogue's first and in its order; all of it if no words.

    Raises ValueError for a word that names nothing, with the nearest names there are.
    """
    from proveout.theory.catalogue import CASES, STEMS

    own = [w for w in words if _is_source(w)]
    listed = {w for w in words if w not in own}
    known = {c.id for c in CASES} | set(STEMS)
    for word in (w for w in words if w in listed - known):
        near = difflib.get_close_matches(word, sorted(known), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "`proveout list` shows them all"
        raise ValueError(f"no stem or statement {word!r}; {hint}")
    if listed or not words:
        found = [Named(c) for c in CASES if not words or c.id in listed or c.stem in listed]
    else:
        found = []
    return (*found, *(Named(c, word) for word in own for c in load(word)))


def _is_source(word: str) -> bool:
    return word.endswith(".py") or ":" in word or "/" in word or "\\" in word


@lru_cache(maxsize=16)
def load(word: str) -> tuple[Case, ...]:
    """The cases of a user's file or module; ValueError if there are none."""
    match = PLACE.fullmatch(word)
    if match is None:
        raise ValueError(f"{word!r} must be FILE.py, FILE.py:NAME or MODULE:NAME")
    place, name = match["place"], match["name"]
    module = module_of(place)
    if not name:
        if hasattr(module, "CASES"):
            return _cases(module.CASES, module, "CASES", word)
        names = [k for k, v in vars(module).items() if k.isupper() and isinstance(v, Statement)]
        if not names:
            raise ValueError(f"{word}: neither CASES nor a statement in capitals is defined there")
        return tuple(c for k in names for c in _cases(getattr(module, k), module, k, word))
    if not hasattr(module, name):
        raise ValueError(f"{place}: no name {name!r} there")
    return _cases(getattr(module, name), module, name, word)


def module_of(place: str) -> ModuleType:
    """A user's file, by path, or module, by name; ValueError with the reason if it cannot be loaded."""
    try:
        if not place.endswith(".py"):
            if not re.fullmatch(r"[\w.]+", place):
                raise ValueError(f"{place!r} is no stem, no statement and no FILE.py")
            if os.getcwd() not in sys.path:
                sys.path.append(os.getcwd())
            return importlib.import_module(place)
        path = Path(place).resolve()
        if not path.is_file():
            raise ValueError(f"{place} is no file")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ValueError(f"{place} is no Python file")
        held = sys.modules.get(path.stem)
        if held is not None and getattr(held, "__file__", None) == str(path):
            return held
        if held is not None:
            raise ValueError(f"{place}: a module {path.stem!r} is already loaded, rename the file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module  # so that its classes can be named in a witness
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[path.stem]
            raise
        return module
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"{place} cannot be loaded: {type(error).__name__}: {error}") from error


def _cases(value: Any, module: ModuleType, name: str, word: str) -> tuple[Case, ...]:
    if isinstance(value, Case):
        return (value,)
    if isinstance(value, Statement):
        return (Case(id=f"{module.__name__}.{name.lower()}", statement=value, problems=USUAL),)
    if isinstance(value, (tuple, list)) and value and all(isinstance(c, Case) for c in value):
        return tuple(value)
    raise ValueError(
        f"{word}: {name} must be a statement, a Case or a tuple of Cases, got {type(value).__name__}"
    )
