"""proveout: optimisation theorems, executable.

    import proveout as po
    problem = po.problems.logistic("mushrooms", clients=20, kappa=1e3)
    statement = po.theory.proxskip.LINEAR_CONVERGENCE
    method = statement.tune(problem, p=0.1)
    trace = po.run(problem, method, steps=2000, seeds=64)
    verdict = po.check(statement, problem, method)

Every name is loaded when it is first asked for, so that `import proveout` costs next to nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proveout import figures, methods, problems, testing, theory
    from proveout.run import run
    from proveout.theory.trial.check import check
    from proveout.theory.zoo.passport import passport

__all__ = ["__version__", "check", "figures", "methods", "passport", "problems", "run", "testing", "theory"]

__version__ = "0.1.0"

_ROOMS = ("figures", "methods", "problems", "testing", "theory")


class _Package(ModuleType):
    """The package, with `run` the function for good: importing the module `proveout.run` would rebind it."""

    @property
    def run(self) -> Any:
        return import_module("proveout.run").run

    @run.setter
    def run(self, module: ModuleType) -> None:
        """The import system announces the submodule here; the name stays the function's."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"proveout.{name}")
    if name == "check":
        return import_module("proveout.theory.trial.check").check
    if name == "passport":
        return import_module("proveout.theory.zoo.passport").passport
    raise AttributeError(f"module 'proveout' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


sys.modules[__name__].__class__ = _Package
