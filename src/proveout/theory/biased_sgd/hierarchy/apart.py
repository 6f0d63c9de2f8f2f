"""What does not imply what, each with a witness; all on f = x^2/2 unless said otherwise.

    X1  g = x/2                               X4  g = x + 1
    X2  g = 3x with probability 1/3, else 0   X5  g = x + 1 or x - 1
    X3  g = 3x                                X7  g = 3x + 1
    X6  f = sqrt(1 + x^2) - 1, g = f' +- sqrt(2 f): |f'| < 1, yet E|g|^2 grows without bound
    X8  g = 0                                 clipping: g = min(1, 1/|x|) x

The constants in `given` are met exactly; that no constants of the other class exist is seen at the optimum (a
homogeneous class allows nothing there) or far out (what is largest there must be allowed).
"""

from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import numpy as np

from proveout.methods.blocks.assumptions import ABC, ABS, BND, BREQ, BVD, CON, FSML, SG1, SG2, Assumption
from proveout.methods.blocks.estimators import Affine
from proveout.methods.blocks.tails import Clipped, Growing
from proveout.methods.blocks.variants import ABC0, BVD1, CON1, Aligned
from proveout.problems.curves import Curve
from proveout.problems.quadratics import Quadratics
from proveout.theory.statement import NonImplication, Problem, Twin
from proveout.theory.twins import statement_with

__all__ = [
    "ABC_NEEDS_A",
    "ABC_NOT_ABS",
    "ABC_NOT_BND",
    "ABC_NOT_BVD",
    "ABC_NOT_CON",
    "ABC_NOT_FSML",
    "ABC_NOT_TRIO",
    "ABS_NOT_BVD",
    "ABS_NOT_CON",
    "ABS_NOT_FSML",
    "ABS_NOT_TRIO",
    "BND_NOT_ABS",
    "BND_NOT_BVD",
    "BND_NOT_CON",
    "BND_NOT_FSML",
    "BND_NOT_TRIO",
    "BVD_NEEDS_ETA_BELOW_ONE",
    "BVD_NOT_ABS",
    "BVD_NOT_CON",
    "CLIPPING_NOT_ABC",
    "CON_NOT_ABS",
    "FSML_NOT_ABS",
    "FSML_NOT_BND",
    "FSML_NOT_BVD",
    "FSML_NOT_CON",
    "FSML_NOT_TRIO",
    "TRIO",
    "TRIO_NOT_ABS",
    "TRIO_NOT_BND",
    "TRIO_NOT_BVD",
    "TRIO_NOT_CON",
    "WITNESSES",
    "line",
]

SOURCE = "Demidovich et al. (NeurIPS 2023), map of the assumptions; witness by direct proof"
TRIO = (SG1, SG2, BREQ)
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)

Kinds = type[Assumption] | tuple[type[Assumption], ...]


def line() -> Problem:
    """x^2/2."""
    return Quadratics(A=np.ones((1, 1, 1)), b=np.zeros((1, 1)))


SAME = Affine(factors=(1.0,))  # g = x: in all of the classes
WITNESSES: dict[str, Any] = {
    "X1": Affine(factors=(0.5,)),
    "X2": Affine(factors=(3.0, 0.0), probs=(1 / 3, 2 / 3)),
    "X3": Affine(factors=(3.0,)),
    "X4": Affine(factors=(1.0,), shifts=((1.0,),)),
    "X5": Affine(factors=(1.0, 1.0), shifts=((1.0,), (-1.0,))),
    "X6": Growing(A=1.0),
    "X7": Affine(factors=(3.0,), shifts=((1.0,),)),
    "X8": Affine(factors=(0.0,)),
    "clipping": Clipped(tau=1.0),
}
WORDS = {
    "X1": r"g=x/2",
    "X2": r"g=3x\text{ w.p. }1/3",
    "X3": r"g=3x",
    "X4": r"g=x+1",
    "X5": r"g=x\pm1",
    "X6": r"f=\sqrt{1+x^2}-1,\ g=f'\pm\sqrt{2f}",
    "X7": r"g=3x+1",
    "X8": r"g=0",
    "clipping": r"g=\min(1,1/|x|)x",
}


def shown_by(estimator: Any, problem: Callable[[], Problem] = line) -> Callable[[], tuple[Problem, Any]]:
    return lambda: (problem(), estimator)


def too_good(given: Assumption) -> Assumption:
    """Its first constant that is not zero 1 % better."""
    name = next(f.name for f in fields(given) if getattr(given, f.name))
    factor = Fraction(101, 100) if name in given.lower else Fraction(99, 100)
    return replace(given, **{name: factor * getattr(given, name)})


def apart(
    given: Assumption,
    then: Kinds,
    name: str,
    *twins: Twin,
    problem: Callable[[], Problem] = line,
    same: bool = True,
) -> NonImplication:
    """Witness `name` meets `given`, and `then` with no constants; `same`: is g = x a twin?"""
    kinds = then if isinstance(then, tuple) else (then,)
    short = "/".join(k.__name__ for k in kinds)
    own = [statement_with("first constant of the premise 1 % better", given=too_good(given))]
    if same:
        own.append(statement_with("witness g = x", witness=shown_by(SAME)))
    return NonImplication(
        source=SOURCE,
        given=given,
        then=then,
        witness=shown_by(WITNESSES[name], problem),
        claim=rf"\text{{{type(given).__name__}}}\not\Rightarrow\text{{{short}}}:\ {WORDS[name]}",
        twins=(*own, *twins),
    )


def abc(b: Any = 1, B: Any = 1, c: Any = 0, C: Any = 0, A: Any = 0) -> ABC:
    return ABC(A=A, B=B, C=C, b=b, c=c)


PLUS_ONE = statement_with("witness g = x + 1", witness=shown_by(WITNESSES["X4"]))
WIDE = statement_with("kappa >= 1 allowed", then=CON1)

CON_NOT_ABS = apart(CON(alpha=1 - QUARTER), ABS, "X1", PLUS_ONE)
BVD_NOT_ABS = apart(BVD(eta=QUARTER, xi=0), ABS, "X1", PLUS_ONE)
TRIO_NOT_ABS = apart(BREQ(rho=HALF, zeta=QUARTER), ABS, "X1", PLUS_ONE)
BND_NOT_ABS = apart(BND(m=QUARTER), ABS, "X1", PLUS_ONE)
FSML_NOT_ABS = apart(FSML(q=HALF, u2=QUARTER), ABS, "X1", PLUS_ONE)
ABC_NOT_ABS = apart(abc(b=HALF, B=QUARTER), ABS, "X1", PLUS_ONE)
BVD_NOT_CON = apart(BVD(eta=0, xi=2), CON, "X2", WIDE)
TRIO_NOT_CON = apart(BREQ(rho=1, zeta=3), CON, "X2", WIDE)
BND_NOT_CON = apart(BND(M=2), CON, "X2", WIDE)
FSML_NOT_CON = apart(FSML(q=1, u2=1, U=2), CON, "X2", WIDE)
ABC_NOT_CON = apart(abc(B=3), CON, "X2", WIDE)
TRIO_NOT_BVD = apart(BREQ(rho=3, zeta=9), BVD, "X3")
FSML_NOT_BVD = apart(FSML(q=3, u2=9), BVD, "X3")
ABC_NOT_BVD = apart(abc(b=3, B=9), BVD, "X3")
TRIO_NOT_BND = apart(BREQ(rho=3, zeta=9), BND, "X3")
FSML_NOT_BND = apart(FSML(q=3, u2=9), BND, "X3")
ABC_NOT_BND = apart(abc(b=3, B=9), BND, "X3")
FSML_NOT_TRIO = apart(FSML(q=1, u2=1, Q=1), TRIO, "X5")
ABS_NOT_CON = apart(ABS(Delta2=1), CON, "X4")
ABS_NOT_BVD = apart(ABS(Delta2=1), BVD, "X4")
ABS_NOT_TRIO = apart(ABS(Delta2=1), TRIO, "X4")
ABS_NOT_FSML = apart(ABS(Delta2=1), FSML, "X4")
BND_NOT_BVD = apart(BND(phi2=1), BVD, "X4")
BND_NOT_TRIO = apart(BND(phi2=1), TRIO, "X4")
BND_NOT_FSML = apart(BND(phi2=1), FSML, "X4")
ABC_NOT_TRIO = apart(abc(b=2, B=18, c=QUARTER, C=2), TRIO, "X7")
ABC_NOT_FSML = apart(abc(b=2, B=18, c=QUARTER, C=2), FSML, "X7")
ABC_NEEDS_A = apart(
    abc(A=1),
    ABC0,
    "X6",
    statement_with("f quadratic", witness=shown_by(WITNESSES["X6"])),
    problem=Curve,
    same=False,
)
BVD_NEEDS_ETA_BELOW_ONE = apart(
    BVD1(eta=1, xi=0), ABC, "X8", statement_with("eta < 1", given=BVD(eta=1, xi=0))
)
CLIPPING_NOT_ABC = apart(
    Aligned(beta=1, zeta=1),
    ABC,
    "clipping",
    statement_with("bounded gradients", witness=shown_by(Clipped(tau=0.5), Curve)),
)
