"""Cases of the stem `biased_sgd`: the hierarchy of the assumptions.

Arrows are proved for all constants; here are the constants at which they are also proved one by one (where roots are
rational) and found to be tight.
"""

from fractions import Fraction as F

from proveout.theory.biased_sgd import hierarchy as h
from proveout.theory.cases import Case

__all__ = ["CASES"]

CON = ({"alpha": F(3, 4)}, {"alpha": F(5, 9)}, {"alpha": F(3, 10)})
BVD = ({"eta": F(1, 4), "xi": F(2)}, {"eta": F(0), "xi": F(2)}, {"eta": F(7, 10), "xi": F(3, 5)})
SG1 = ({"alpha": F(1, 4), "beta": F(2)}, {"alpha": F(3), "beta": F(2)}, {"alpha": F(3, 10), "beta": F(9, 10)})
SG2 = ({"tau": F(1, 4), "beta": F(2)}, {"tau": F(3, 2), "beta": F(2)}, {"tau": F(3, 10), "beta": F(7, 10)})
BREQ = ({"rho": F(1, 3), "zeta": F(2)}, {"rho": F(3, 2), "zeta": F(5, 2)})
FSML = ({"q": F(1, 2), "u2": F(2), "U": F(3)}, {"q": F(1), "u2": F(3), "U": F(1), "Q": F(2)})
BND = (
    {"m": F(1, 4), "phi2": F(1), "M": F(1, 2), "sigma2": F(1, 3)},
    {"m": F(0), "phi2": F(2), "M": F(3)},
    {"m": F(3, 10), "phi2": F(7, 10), "M": F(9, 10), "sigma2": F(13, 10)},
)
ABS = ({"Delta2": F(1)}, {"Delta2": F(2, 7)})
UNBIASED = (
    {"A": F(1), "B": F(2), "C": F(3)},
    {"A": F(2), "B": F(1, 2)},
    {"A": F(3), "B": F(0)},
)
BND_AT = (
    {"m": F(1, 4), "phi2": F(1), "M": F(1, 2), "sigma2": F(1, 3), "b": F(11, 24), "B": F(7, 2)},
    {"m": F(0), "phi2": F(1), "M": F(1), "b": F(1, 4), "B": F(6)},
    {"m": F(3, 10), "phi2": F(7, 10), "M": F(1, 2), "sigma2": F(1, 5), "b": F(407, 1000), "B": F(5)},
)
ABS_AT = ({"Delta2": F(1), "b": F(1, 4), "B": F(3)}, {"Delta2": F(3), "b": F(9, 10), "B": F(11, 10)})
MIXED = ({"eta": F(1, 4), "xi": F(1, 3)}, {"eta": F(1, 2), "xi": F(11, 20)}, {"eta": F(0), "xi": F(1, 5)})
QUIET = (FSML[0], {"q": F(1), "u2": F(1), "U": F(2)}, FSML[1])

ARROWS = (
    ("sg1_implies_abc", h.SG1_IMPLIES_ABC, SG1),
    ("sg2_implies_abc", h.SG2_IMPLIES_ABC, SG2),
    ("breq_implies_abc", h.BREQ_IMPLIES_ABC, BREQ),
    ("con_implies_abc", h.CON_IMPLIES_ABC, CON),
    ("bvd_implies_abc", h.BVD_IMPLIES_ABC, BVD),
    ("bnd_implies_abc", h.BND_IMPLIES_ABC, BND),
    ("abs_implies_abc", h.ABS_IMPLIES_ABC, ABS),
    ("fsml_implies_abc", h.FSML_IMPLIES_ABC, FSML),
    ("unbiased_implies_abc", h.UNBIASED_IMPLIES_ABC, UNBIASED),
    ("bnd_abc_frontier", h.BND_ABC_FRONTIER, BND_AT),
    ("abs_abc_frontier", h.ABS_ABC_FRONTIER, ABS_AT),
    ("sg1_implies_sg2", h.SG1_IMPLIES_SG2, SG1),
    ("sg1_implies_fsml", h.SG1_IMPLIES_FSML, SG1),
    ("sg2_implies_sg1", h.SG2_IMPLIES_SG1, SG2),
    ("sg2_implies_breq", h.SG2_IMPLIES_BREQ, SG2),
    ("sg2_implies_fsml", h.SG2_IMPLIES_FSML, SG2),
    ("breq_implies_sg1", h.BREQ_IMPLIES_SG1, BREQ),
    ("breq_implies_sg2", h.BREQ_IMPLIES_SG2, BREQ),
    ("breq_implies_fsml", h.BREQ_IMPLIES_FSML, BREQ),
    ("con_implies_bvd", h.CON_IMPLIES_BVD, CON),
    ("con_implies_sg1", h.CON_IMPLIES_SG1, CON),
    ("con_implies_sg2", h.CON_IMPLIES_SG2, CON),
    ("bvd_implies_breq", h.BVD_IMPLIES_BREQ, BVD),
    ("bvd_implies_bnd", h.BVD_IMPLIES_BND, BVD),
    ("bvd_implies_con", h.BVD_IMPLIES_CON, MIXED),
    ("fsml_implies_breq", h.FSML_IMPLIES_BREQ, QUIET),
    ("abs_implies_bnd", h.ABS_IMPLIES_BND, ABS),
    ("sg1_scales_to_con", h.SG1_SCALES_TO_CON, SG1),
    ("sg2_scales_to_con", h.SG2_SCALES_TO_CON, SG2),
    ("breq_scales_to_con", h.BREQ_SCALES_TO_CON, BREQ),
    ("bvd_scales_to_con", h.BVD_SCALES_TO_CON, BVD),
)
APART = (
    ("con_not_abs", h.CON_NOT_ABS),
    ("bvd_not_abs", h.BVD_NOT_ABS),
    ("trio_not_abs", h.TRIO_NOT_ABS),
    ("bnd_not_abs", h.BND_NOT_ABS),
    ("fsml_not_abs", h.FSML_NOT_ABS),
    ("abc_not_abs", h.ABC_NOT_ABS),
    ("bvd_not_con", h.BVD_NOT_CON),
    ("trio_not_con", h.TRIO_NOT_CON),
    ("bnd_not_con", h.BND_NOT_CON),
    ("fsml_not_con", h.FSML_NOT_CON),
    ("abc_not_con", h.ABC_NOT_CON),
    ("trio_not_bvd", h.TRIO_NOT_BVD),
    ("fsml_not_bvd", h.FSML_NOT_BVD),
    ("abc_not_bvd", h.ABC_NOT_BVD),
    ("trio_not_bnd", h.TRIO_NOT_BND),
    ("fsml_not_bnd", h.FSML_NOT_BND),
    ("abc_not_bnd", h.ABC_NOT_BND),
    ("fsml_not_trio", h.FSML_NOT_TRIO),
    ("abs_not_con", h.ABS_NOT_CON),
    ("abs_not_bvd", h.ABS_NOT_BVD),
    ("abs_not_trio", h.ABS_NOT_TRIO),
    ("abs_not_fsml", h.ABS_NOT_FSML),
    ("bnd_not_bvd", h.BND_NOT_BVD),
    ("bnd_not_trio", h.BND_NOT_TRIO),
    ("bnd_not_fsml", h.BND_NOT_FSML),
    ("abc_not_trio", h.ABC_NOT_TRIO),
    ("abc_not_fsml", h.ABC_NOT_FSML),
    ("abc_needs_a", h.ABC_NEEDS_A),
    ("bvd_needs_eta_below_one", h.BVD_NEEDS_ETA_BELOW_ONE),
    ("clipping_not_abc", h.CLIPPING_NOT_ABC),
)
CASES = (
    *(Case(id=f"biased_sgd.{name}", statement=s, choices=choices) for name, s, choices in ARROWS),
    *(Case(id=f"biased_sgd.{name}", statement=s) for name, s in APART),
)
