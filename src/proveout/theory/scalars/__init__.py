"""Assumptions on estimators compared scalar by scalar: implications with proofs, and what forbids one.

`implied(given, then)` decides for all estimators and problems at once; `hopeless` says that a point (or a limit of
points) lies in a class with no constants; `forms` reads affine estimators exactly; `separate` searches a witness.
"""

from proveout.theory.scalars.hopeless import hopeless
from proveout.theory.scalars.implied import Implied, implied
from proveout.theory.scalars.realise import realise

__all__ = ["Implied", "hopeless", "implied", "realise"]
