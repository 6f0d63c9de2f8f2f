"""Cases of the stem `compressors`."""

from proveout.theory import compressors as c
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="compressors",
    title="Communication compressors: classes and least constants",
    cite="""@article{beznosikov2023biased,
  title   = {On Biased Compression for Distributed Learning},
  author  = {Beznosikov, Aleksandr and Horv{\\'a}th, Samuel and Richt{\\'a}rik, Peter and Safaryan, Mher},
  journal = {Journal of Machine Learning Research},
  year    = {2023},
  note    = {arXiv:2002.12410}
}""",
    paper=False,
)

KEPT = ({"k": 1}, {"k": 2})
CLASS, CLIENTS = "class:n=1,L=2,mu=1", "class:n=3,L=2,mu=1"
SPACE, MANY = "quadratic:n=1,d=3", "quadratic:n=3,d=2"
GRADIENTS = ("quadratic:n=3,d=4", "logistic:mushrooms,clients=10,kappa=100")
RANKS = ({"rank": 1, "rows": 2}, {"rank": 2, "rows": 3}, {"rank": 1, "rows": 3})
INF = float("inf")


def _named(key: str, *names: str) -> tuple[dict[str, str], ...]:
    return tuple({key: name} for name in names)


UNBIASED = (
    Case(id="compressors.identity_unbiased", statement=c.IDENTITY_UNBIASED),
    Case(id="compressors.lazy_unbiased", statement=c.LAZY_UNBIASED),
    Case(id="compressors.rand_k_unbiased", statement=c.RAND_K_UNBIASED, choices=KEPT),
    Case(
        id="compressors.bernoulli_unbiased",
        statement=c.BERNOULLI_UNBIASED,
        choices=({}, {"probs": (0.3, 0.3, 0.9, 1.0)}),
    ),
    Case(id="compressors.adaptive_unbiased_unbiased", statement=c.ADAPTIVE_UNBIASED_UNBIASED),
    Case(id="compressors.natural_unbiased", statement=c.NATURAL_UNBIASED, choices=({}, {"base": 3.0})),
    Case(id="compressors.ternary_unbiased", statement=c.TERNARY_UNBIASED),
    Case(
        id="compressors.permk_unbiased", statement=c.PERMK_UNBIASED, choices=({"clients": 2}, {"clients": 4})
    ),
    Case(
        id="compressors.linear_dithering_unbiased",
        statement=c.LINEAR_DITHERING_UNBIASED,
        choices=({"levels": 1}, {"levels": 2}, {"levels": 4, "p": INF}, {"levels": 2, "p": 1.0}),
    ),
    Case(
        id="compressors.exponential_dithering_unbiased",
        statement=c.EXPONENTIAL_DITHERING_UNBIASED,
        choices=({"levels": 2}, {"levels": 5}, {"levels": 3, "base": 3.0, "p": INF}),
    ),
)

CONTRACTIVE = (
    Case(id="compressors.rand_k_contractive", statement=c.RAND_K_CONTRACTIVE, choices=KEPT),
    Case(id="compressors.top_k_contractive", statement=c.TOP_K_CONTRACTIVE, choices=KEPT),
    Case(id="compressors.lazy_contractive", statement=c.LAZY_CONTRACTIVE),
    Case(
        id="compressors.nearest_power_contractive",
        statement=c.NEAREST_POWER_CONTRACTIVE,
        choices=({}, {"base": 3.0}),
    ),
    Case(id="compressors.scaled_sign_contractive", statement=c.SCALED_SIGN_CONTRACTIVE),
    Case(id="compressors.adaptive_contractive", statement=c.ADAPTIVE_CONTRACTIVE),
    Case(id="compressors.low_rank_contractive", statement=c.LOW_RANK_CONTRACTIVE, choices=RANKS),
    Case(id="compressors.power_sgd", statement=c.POWER_SGD, choices=RANKS),
    Case(id="compressors.threshold_absolute", statement=c.THRESHOLD_ABSOLUTE),
    Case(
        id="compressors.rounding_absolute",
        statement=c.ROUNDING_ABSOLUTE,
        choices=({}, {"mode": "floor"}, {"mode": "random"}),
    ),
)

FAMILIES = (
    Case(
        id="compressors.permk_ab",
        statement=c.PERMK_AB,
        choices=({"clients": 2}, {"clients": 3}, {"clients": 4}),
    ),
    Case(
        id="compressors.classes_equal",
        statement=c.CLASSES_EQUAL,
        choices=({}, {"alpha": 0.05, "alpha_one": 3.0, "gamma": 1.0, "beta": 4.0}),
    ),
)

LEMMAS = (
    Case(
        id="compressors.scale",
        statement=c.SCALE,
        problems=(CLASS, SPACE),
        choices=(*_named("compressor", "lazy", "rand_k", "natural"), {"compressor": "rare", "factor": 0.5}),
    ),
    Case(
        id="compressors.compose",
        statement=c.COMPOSE,
        problems=(CLASS, SPACE),
        choices=({"outer": "lazy", "inner": "rare"}, {"outer": "natural", "inner": "rand_k"}),
    ),
    Case(
        id="compressors.damp_contractive",
        statement=c.DAMP_CONTRACTIVE,
        problems=(CLASS, SPACE),
        choices=(
            {"outer": "lazy", "inner": "biased_lazy"},
            {"outer": "natural", "inner": "top_k"},
            {"outer": "natural", "inner": "top_k", "damped": False},
        ),
    ),
    Case(
        id="compressors.average",
        statement=c.AVERAGE,
        problems=(CLIENTS, MANY),
        choices=_named("compressor", "lazy", "rand_k", "natural"),
    ),
    Case(
        id="compressors.lazy_apply",
        statement=c.LAZY_APPLY,
        problems=(CLASS, SPACE),
        choices=(
            {"compressor": "lazy"},
            {"compressor": "rand_k", "p": 0.25},
            {"compressor": "biased_lazy", "scaled": False},
            {"compressor": "top_k", "scaled": False},
        ),
    ),
    Case(
        id="compressors.blocks",
        statement=c.BLOCKS,
        problems=(CLASS, SPACE),
        choices=(
            {"first": "lazy", "second": "rare"},
            {"first": "rare", "second": "rand_k"},
            {"first": "half", "second": "biased_lazy"},
            {"first": "top_k", "second": "scaled_sign"},
        ),
    ),
    Case(
        id="compressors.induced",
        statement=c.INDUCED,
        problems=(CLASS, SPACE),
        choices=(
            {"contractive": "half", "unbiased": "lazy"},
            {"contractive": "long", "unbiased": "rare"},
            {"contractive": "top_k", "unbiased": "rand_k"},
        ),
    ),
    Case(
        id="compressors.efbv_scale",
        statement=c.EFBV_SCALE,
        problems=(CLASS, SPACE),
        choices=(
            {"bias": "half", "noise": "lazy"},
            {"bias": "half", "noise": "natural"},
            {"bias": "half", "noise": "rand_k", "factor": 0.5},
        ),
    ),
    Case(
        id="compressors.feedback_step",
        statement=c.FEEDBACK_STEP,
        problems=(CLASS, SPACE),
        choices=_named("compressor", "biased_lazy", "half", "top_k"),
    ),
    Case(
        id="compressors.shift_step",
        statement=c.SHIFT_STEP,
        problems=(CLASS, SPACE),
        choices=({"compressor": "lazy"}, {"compressor": "rand_k", "share": 0.5}, {"compressor": "natural"}),
    ),
)

CASES = (
    *UNBIASED,
    *CONTRACTIVE,
    *FAMILIES,
    *LEMMAS,
    Case(id="compressors.contraction_does_not_average", statement=c.CONTRACTION_DOES_NOT_AVERAGE),
    Case(id="compressors.reductions", statement=c.REDUCTIONS, problems=GRADIENTS),
    Case(id="compressors.bits", statement=c.BITS, problems=GRADIENTS),
)
