"""The zoo: which assumptions a gradient estimator meets on a problem, with which least constants.

    least(kind, estimator, P, **given)      constants of the assumption `kind` (a class of methods/blocks/assumptions)
                                            with which the estimator is a member, or None
    standing(kind, estimator, P, **given)   the same with how it is known, where it is attained, or a witness against it
    Class(kind)                             the assumption as a class of estimators, for Implication and NonImplication
    frontier(kind, estimator, P, name)      the additive constant as a function of `name`: c*(b), phi2*(m), ...
    measure(estimator, P, x)                D, G, P, E1, V at points

An estimator is an object with law(P) and (P, x, draw) -> g, a function outcomes(P, x) -> [(probability, g), ...], or a
function (P, x, rng) -> g; a method with a field `estimator` stands for its estimator.  `least(BND, e, P, m=0.3)`
holds some constants fixed.
"""

from proveout.theory.zoo.classes import Class
from proveout.theory.zoo.scalars import measure
from proveout.theory.zoo.standing import Standing, frontier, least, standing

__all__ = ["Class", "Standing", "frontier", "least", "measure", "standing"]
