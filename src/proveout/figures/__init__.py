"""One module per paper: numbers first (`measure`), then ink (`draw`).

Modules are loaded when they are first asked for: `proveout.figures.NAME` needs no import of its own.
"""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    path = f"{__name__}.{name}"
    try:
        if not name.startswith("_"):
            return import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
