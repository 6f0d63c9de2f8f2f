"""Named hypotheses about problems.

`smooth`, `convex`, `strongly_convex`, `pl` speak of f (constants L, mu), `each_*` of every f_i (L_max, mu_min).
"""

import math

from proveout.theory.statement import Assumption

__all__ = [
    "convex",
    "each_convex",
    "each_smooth",
    "each_strongly_convex",
    "pl",
    "quadratic",
    "smooth",
    "strongly_convex",
]


def _finite(name: str):  # type: ignore[no-untyped-def]
    return lambda problem: math.isfinite(getattr(problem, name, math.inf))


smooth = Assumption("f is L-smooth", _finite("L"), "smooth")
convex = Assumption("f is convex", lambda P: getattr(P, "mu", -1) >= 0, "convex")
strongly_convex = Assumption("f is mu-strongly convex", lambda P: getattr(P, "mu", 0) > 0, "strongly_convex")
each_smooth = Assumption("each f_i is L_max-smooth", _finite("L_max"), "smooth")
each_convex = Assumption("each f_i is convex", lambda P: getattr(P, "mu_min", -1) >= 0, "convex")
each_strongly_convex = Assumption(
    "each f_i is mu_min-strongly convex", lambda P: getattr(P, "mu_min", 0) > 0, "strongly_convex"
)
pl = Assumption("f is mu-Polyak-Lojasiewicz", lambda P: getattr(P, "mu_pl", getattr(P, "mu", 0)) > 0, "pl")
quadratic = Assumption("f is quadratic", lambda P: getattr(P, "is_quadratic", False), "quadratic")
