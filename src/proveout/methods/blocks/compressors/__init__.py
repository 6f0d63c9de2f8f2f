"""Communication compressors: operators C on R^d, possibly random, applied to every client's vector.

    U(omega)       E C(x) = x, E|C(x) - x|^2 <= omega |x|^2                            unbiased
    B(alpha)       E|C(x) - x|^2 <= (1 - alpha) |x|^2                                  contractive
    C(eta, omega)  |E C(x) - x| <= eta |x|, E|C(x) - E C(x)|^2 <= omega |x|^2
    A(Delta^2)     E|C(x) - x|^2 <= Delta^2                                            absolute

Rooms: `sparsify`, `uneven`, `rounding`, `dithering`, `sign`, `low_rank`, `permk` (joint over clients), `combine` and
`blockwise` (made of others); what each of them answers is in `common`.

Beznosikov, Horváth, Richtárik, Safaryan, "On biased compression for distributed learning" (arXiv:2002.12410).
"""

from proveout.methods.blocks.compressors.blockwise import Blockwise
from proveout.methods.blocks.compressors.combine import (
    Averaged,
    Composed,
    Damped,
    Induced,
    LazyApply,
    Scaled,
)
from proveout.methods.blocks.compressors.common import FLOAT_BITS, Compressor
from proveout.methods.blocks.compressors.dithering import (
    ExponentialDithering,
    LinearDithering,
    TopKDithering,
    qsgd,
    ternary,
)
from proveout.methods.blocks.compressors.low_rank import LowRank, PowerSGD
from proveout.methods.blocks.compressors.permk import IndependentPermK, PermK
from proveout.methods.blocks.compressors.rounding import (
    IntegerRounding,
    Natural,
    NearestPower,
    NearestRounding,
    Rounding,
)
from proveout.methods.blocks.compressors.sign import NormSign, ScaledSign, Sign
from proveout.methods.blocks.compressors.sparsify import (
    BiasedLazy,
    BiasedRandK,
    Identity,
    Lazy,
    RandK,
    Threshold,
    TopK,
)
from proveout.methods.blocks.compressors.uneven import Adaptive, Bernoulli, BiasedAdaptive

__all__ = [
    "FLOAT_BITS",
    "Adaptive",
    "Averaged",
    "Bernoulli",
    "BiasedAdaptive",
    "BiasedLazy",
    "BiasedRandK",
    "Blockwise",
    "Composed",
    "Compressor",
    "Damped",
    "ExponentialDithering",
    "Identity",
    "IndependentPermK",
    "Induced",
    "IntegerRounding",
    "Lazy",
    "LazyApply",
    "LinearDithering",
    "LowRank",
    "Natural",
    "NearestPower",
    "NearestRounding",
    "NormSign",
    "PermK",
    "PowerSGD",
    "RandK",
    "Rounding",
    "Scaled",
    "ScaledSign",
    "Sign",
    "Threshold",
    "TopK",
    "TopKDithering",
    "qsgd",
    "ternary",
]
