"""Rooms whose files are loaded when they are first asked for: `proveout.methods.NAME` needs no import."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

__all__ = ["opened"]


def opened(package: str) -> Callable[[str], ModuleType]:
    """The `__getattr__` of a package: the submodule of that name, or AttributeError."""

    def submodule(name: str) -> ModuleType:
        path = f"{package}.{name}"
        try:
            if not name.startswith("_"):
                return import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return submodule
