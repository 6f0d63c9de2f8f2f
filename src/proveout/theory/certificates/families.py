"""Statements that ship a certificate for all parameters: what is proved, where, and by which multipliers."""

from proveout.theory.certificates.cohorts import COHORT_FAMILIES
from proveout.theory.certificates.descent import DESCENT_FAMILIES
from proveout.theory.certificates.scaffnew import SCAFFNEW_FAMILIES
from proveout.theory.lenses.proof import Family

__all__ = ["FAMILIES"]

FAMILIES: dict[str, Family] = {**DESCENT_FAMILIES, **SCAFFNEW_FAMILIES, **COHORT_FAMILIES}
