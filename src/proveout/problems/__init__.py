"""What nature and the adversary give: problems with exact constants, noise, delays, attacks."""

from proveout.problems.classes import FunctionClass
from proveout.problems.composite import L1, Box, Composite
from proveout.problems.curves import Curve
from proveout.problems.data import SHIPPED, load, read_libsvm
from proveout.problems.delays import Asynchronous
from proveout.problems.logistic import Logistic, SparseLogistic, logistic
from proveout.problems.quadratics import Quadratics, federated
from proveout.problems.spec import build, parse
from proveout.problems.sums import FiniteSums

__all__ = [
    "L1",
    "SHIPPED",
    "Asynchronous",
    "Box",
    "Composite",
    "Curve",
    "FiniteSums",
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
