"""Randomness as values: which draws exist, how likely they are, what moves when clients are renamed.

    law.sample(rng, shape)      a draw whose arrays have the leading axes `shape`
    law.block(rng, start, T)    the draws of steps start..start+T-1 on a leading axis (a clock sees them)
    law.atoms()                 (prob (K,), draw): all K draws stacked on a leading axis
    law.size                    K, or inf; law.count is what atoms() returns (a cut law is finite there)
    law.at(t)                   the law of step t
    law.orbits(n)               (prob, draw, groups): one draw per class under renaming of the n clients;
                                groups[k] splits the clients by their role in draw k
    law.moments()               mean and covariance of the flattened draw (laws of float vectors only)
    law.act(pi, draw)           the same draw after client i has been renamed pi[i]

A law says what moves by `of`: "clients" (its values are client numbers), "rows" (its first axis is
the clients'), the name of a cohort field (its first axis belongs to that cohort's rows), or None.
A `Draw` filled with laws describes; a `Draw` filled with arrays is what happened.
"""

from proveout.laws.compose import Each, Either, Joint
from proveout.laws.core import Given, Law, Sure
from proveout.laws.finite import Coin, Drawn, Independent, Index, Owner, Permutation, Split, Subset
from proveout.laws.infinite import Geometric, Normal, Points, Uniform, moment_atoms, pick, reported_weights

__all__ = [
    "Coin",
    "Drawn",
    "Each",
    "Either",
    "Geometric",
    "Given",
    "Independent",
    "Index",
    "Joint",
    "Law",
    "Normal",
    "Owner",
    "Permutation",
    "Points",
    "Split",
    "Subset",
    "Sure",
    "Uniform",
    "moment_atoms",
    "pick",
    "reported_weights",
]
