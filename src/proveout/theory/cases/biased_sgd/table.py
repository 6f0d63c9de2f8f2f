"""Cases of the stem `biased_sgd`: the table of estimators."""

from proveout.theory.biased_sgd import table as t
from proveout.theory.cases import Case

__all__ = ["CASES"]

GRIDS = ({"base": 3.0}, {"marks": (1, 1.25, 1.5)}, {"base": 10.0, "marks": (1, 2, 5)})

CASES = (
    Case(id="biased_sgd.adaptive_abc", statement=t.ADAPTIVE_ABC),
    Case(id="biased_sgd.unbiased_rounding_abc", statement=t.UNBIASED_ROUNDING_ABC, choices=GRIDS),
    Case(id="biased_sgd.natural_abc", statement=t.NATURAL_ABC),
    Case(id="biased_sgd.biased_rounding_abc", statement=t.BIASED_ROUNDING_ABC, choices=({}, *GRIDS)),
    Case(
        id="biased_sgd.exp_dithering_abc",
        statement=t.EXP_DITHERING_ABC,
        choices=({}, {"levels": 2, "base": 1.3, "p": 1.0}),
    ),
    Case(
        id="biased_sgd.natural_dithering_abc",
        statement=t.NATURAL_DITHERING_ABC,
        choices=({}, {"levels": 5, "p": float("inf")}),
    ),
    Case(id="biased_sgd.top_k_dithering_abc", statement=t.TOP_K_DITHERING_ABC, choices=({}, {"levels": 4})),
    Case(
        id="biased_sgd.smoothing_abc",
        statement=t.SMOOTHING_ABC,
        choices=({}, {"radius": 0.1, "curvatures": (1.0, 2.0, 3.0)}),
    ),
    Case(id="biased_sgd.threshold_abc", statement=t.THRESHOLD_ABC),
    Case(id="biased_sgd.integer_abc", statement=t.INTEGER_ABC, choices=({}, {"mode": "floor"})),
    Case(id="biased_sgd.biased_dithering_abc", statement=t.BIASED_DITHERING_ABC),
    Case(id="biased_sgd.sign_abc", statement=t.SIGN_ABC),
)
