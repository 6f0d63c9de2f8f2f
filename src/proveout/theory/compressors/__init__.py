"""Communication compressors: classes, least constants, and the calculus of classes.

    U(omega)       E C(v) = v,  E|C(v) - v|^2 <= omega |v|^2                  unbiased
    B(alpha)       E|C(v) - v|^2 <= (1 - alpha) |v|^2                         contractive
    C(eta, omega)  |E C(v) - v| <= eta |v|,  E|C(v) - E C(v)|^2 <= omega |v|^2
    A(Delta^2)     E|C(v) - v|^2 <= Delta^2                                   absolute
    AB(A, B)       unbiased, E|mean_i C_i(a_i) - a|^2 <= A mean_i |a_i|^2 - B |a|^2, a = mean_i a_i

Beznosikov, Horváth, Richtárik, Safaryan, "On biased compression for distributed learning" (arXiv:2002.12410).
"""

from proveout.theory.compressors.contractive import (
    ADAPTIVE_CONTRACTIVE,
    LAZY_CONTRACTIVE,
    LOW_RANK_CONTRACTIVE,
    NEAREST_POWER_CONTRACTIVE,
    POWER_SGD,
    RAND_K_CONTRACTIVE,
    ROUNDING_ABSOLUTE,
    SCALED_SIGN_CONTRACTIVE,
    THRESHOLD_ABSOLUTE,
    TOP_K_CONTRACTIVE,
)
from proveout.theory.compressors.joint import CLASSES_EQUAL, PERMK_AB
from proveout.theory.compressors.lemmas import (
    AVERAGE,
    BLOCKS,
    COMPOSE,
    DAMP_CONTRACTIVE,
    EFBV_SCALE,
    INDUCED,
    LAZY_APPLY,
    SCALE,
)
from proveout.theory.compressors.reductions import BITS, CONTRACTION_DOES_NOT_AVERAGE, REDUCTIONS
from proveout.theory.compressors.shifts import FEEDBACK_STEP, SHIFT_STEP
from proveout.theory.compressors.unbiased import (
    ADAPTIVE_UNBIASED_UNBIASED,
    BERNOULLI_UNBIASED,
    EXPONENTIAL_DITHERING_UNBIASED,
    IDENTITY_UNBIASED,
    LAZY_UNBIASED,
    LINEAR_DITHERING_UNBIASED,
    NATURAL_UNBIASED,
    PERMK_UNBIASED,
    RAND_K_UNBIASED,
    TERNARY_UNBIASED,
)

__all__ = [
    "ADAPTIVE_CONTRACTIVE",
    "ADAPTIVE_UNBIASED_UNBIASED",
    "AVERAGE",
    "BERNOULLI_UNBIASED",
    "BITS",
    "BLOCKS",
    "CLASSES_EQUAL",
    "COMPOSE",
    "CONTRACTION_DOES_NOT_AVERAGE",
    "DAMP_CONTRACTIVE",
    "EFBV_SCALE",
    "EXPONENTIAL_DITHERING_UNBIASED",
    "FEEDBACK_STEP",
    "IDENTITY_UNBIASED",
    "INDUCED",
    "LAZY_APPLY",
    "LAZY_CONTRACTIVE",
    "LAZY_UNBIASED",
    "LINEAR_DITHERING_UNBIASED",
    "LOW_RANK_CONTRACTIVE",
    "NATURAL_UNBIASED",
    "NEAREST_POWER_CONTRACTIVE",
    "PERMK_AB",
    "PERMK_UNBIASED",
    "POWER_SGD",
    "RAND_K_CONTRACTIVE",
    "RAND_K_UNBIASED",
    "REDUCTIONS",
    "ROUNDING_ABSOLUTE",
    "SCALE",
    "SCALED_SIGN_CONTRACTIVE",
    "SHIFT_STEP",
    "TERNARY_UNBIASED",
    "THRESHOLD_ABSOLUTE",
    "TOP_K_CONTRACTIVE",
]
