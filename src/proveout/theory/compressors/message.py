"""Claims about one message: the compressors they are judged on, V, and how a claim is written.

On a function class (d = 1) a compressor is known by its omega or alpha only, so that the claim is about every member.
"""

from fractions import Fraction
from math import isqrt, sqrt
from typing import Any

from proveout.methods import compressors as cm
from proveout.methods.blocks import compressors as cb
from proveout.problems.classes import FunctionClass
from proveout.theory.compressors.classes import SOURCE
from proveout.theory.statement import Method, Number, OneStep, Problem, Square, State, Terms, Twin

__all__ = ["block", "finite", "is_class", "lemma", "root", "squares", "zero"]

BLOCKS_BY_NAME = {
    "identity": cb.Identity(),
    "lazy": cb.Lazy(p=0.5),
    "rare": cb.Lazy(p=0.25),
    "rand_k": cb.RandK(k=1),
    "natural": cb.Natural(),
    "biased_lazy": cb.BiasedLazy(p=0.75),
    "top_k": cb.TopK(k=1),
    "half": cb.Damped(factor=0.5),
    "long": cb.Damped(factor=1.5),
    "scaled_sign": cb.ScaledSign(),
}


def block(P: Problem, name: str) -> Any:
    """A compressor by its name in the cases; ValueError for another name, or where it is the identity.

    A function class has d = 1, so there a compressor is known by its class, and must be worth it.
    """
    if name not in BLOCKS_BY_NAME:
        raise ValueError(f"no compressor {name!r}; names: {', '.join(BLOCKS_BY_NAME)}")
    found = BLOCKS_BY_NAME[name]
    if is_class(P) and found.omega(1) == 0:
        raise ValueError(f"compressor {name!r} is the identity for d = 1")
    return found


def root(x: Number) -> Number:
    """The square root, a fraction of a square of a fraction."""
    if isinstance(x, Fraction):
        top, bottom = isqrt(x.numerator), isqrt(x.denominator)
        if Fraction(top, bottom) ** 2 == x:
            return Fraction(top, bottom)
    return sqrt(x)


def is_class(P: Problem) -> bool:
    return isinstance(P, FunctionClass)


def finite(P: Problem, *compressors: Any) -> bool:
    """Are they unbiased?"""
    return all(c.omega(P.d) < float("inf") for c in compressors)


def squares(P: Problem, m: Method, s: cm.Error) -> Terms:
    core = 2 if s.e.ndim == s.x.ndim else 1
    return Square(1, s.x, core=2), Square(s.x.shape[-2] if core == 1 else 1, s.e, core=core)


def zero(P: Problem, m: Method) -> State:
    return m.init(P, 0 * P.x_star)


def lemma(
    method: Any, rate: Any, allows: Any, tune: Any, claim: str, *twins: Twin, source: str = SOURCE
) -> OneStep:
    """A one-step claim about one message."""
    return OneStep(
        source=source,
        method=method,
        allows=allows,
        lyapunov=squares,
        rate=rate,
        star=zero,
        tune=tune,
        claim=claim,
        twins=twins,
    )
