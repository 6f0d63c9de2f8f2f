"""What nature and the adversary give: problems with exact constants, noise, delays, attacks."""

from proveout.problems.classes import FunctionClass
from proveout.problems.composite import L1, Box, Composite
from proveout.problems.data import SHIPPED, load, read_libsvm
from proveout.problems.delays import Asynchronous
from proveout.problems.logistic import Logistic, SparseLogistic, logistic
from proveout.problems.quadratics import Quadratics, federated
from proveout.problems.spec import build, parse

__all__ = [
    "L1",
    "SHIPPED",
    "Asynchronous",
    "Box",
    "Composite",
    "FunctionClass",
    "Logistic",
    "Quadratics",
    "SparseLogistic",
    "build",
    "federated",
    "load",
    "logistic",
    "parse",
    "read_libsvm",
]
