"""The AB inequality of three samplings, with equality.

*An equality as one inequality.*  left(a) = right(a) in the mean for every a, if and only if for all a and b

    E [left(a) + right(b)] <= E [right(a) + left(b)]:

b = 0 says that the left side is at most the right one, a = 0 that it is at least.  The input is the pair (a, b),
of n vectors each; both sides are sums over coordinates, so that vectors with one coordinate decide.
"""

from typing import Any

import numpy as np

from proveout.arrays import Array, last, namespace, sqnorm
from proveout.methods.blocks.samplings import AB, Independent, Multi, Nice
from proveout.theory.fivegcs_cc.lyapunov import SOURCE
from proveout.theory.statement import Membership, Problem, Twin
from proveout.theory.twins import statement_with

__all__ = ["INDEPENDENT_SAMPLING_AB", "MULTI_SAMPLING_AB", "NICE_SAMPLING_AB", "ab_sides"]


def _one(ab: AB, chi: Array, a: Array) -> tuple[Array, Array]:
    """|sum_i (chi_i - 1) a_i|^2 + B |sum_i a_i|^2 and sum_i (A/w_i) |a_i|^2 of a (..., n, d)."""
    xp = namespace(a)
    noise, whole = xp.sum(last(chi - 1) * a, axis=-2), xp.sum(a, axis=-2)
    return sqnorm(noise) + ab.B * sqnorm(whole), xp.sum(ab.A_w * sqnorm(a), axis=-1)


def ab_sides(ab_of: Any = None) -> Any:
    """Both sides of the equality for pairs u (..., 2, n, d); `ab_of(block, n)` in place of the block's own record."""

    def sides(block: Any, u: Array, draw: Any) -> tuple[Array, Array]:
        a, b = u[..., 0, :, :], u[..., 1, :, :]
        ab = (ab_of or (lambda block, n: block.ab(n)))(block, a.shape[-2])
        chi = block.weights(draw, a)
        (left_a, right_a), (left_b, right_b) = _one(ab, chi, a), _one(ab, chi, b)
        return left_a + right_b, right_a + left_b

    return sides


def clients(block: Any, n: int) -> tuple[int, int, int]:
    """What the membership lens calls the dimension is n here, unless the block has one probability per client."""
    probs = getattr(block, "probs", None)
    return 2, len(probs) if isinstance(probs, tuple) else n, 1


def _record(name: str, change: Any) -> Twin:
    return statement_with(name, sides=ab_sides(lambda block, n: change(block, block.ab(n), n)))


MORE_B = _record("B x 1.1", lambda block, ab, n: AB(A_w=ab.A_w, B=1.1 * ab.B))
LESS_A = _record("A x .99", lambda block, ab, n: AB(A_w=0.99 * ab.A_w, B=ab.B))


def _tune_nice(P: Problem = None, cohort: int = 2) -> Nice:
    return Nice(cohort=cohort)


NICE_SAMPLING_AB = Membership(
    source=SOURCE,
    method=Nice,
    sides=ab_sides(),
    constant=lambda block, d: 1,
    dims=(2, 3, 5),
    shape=clients,
    tune=_tune_nice,
    claim=r"E\|\sum_i(\chi_i-1)a_i\|^2=\tfrac{n-C}{C(n-1)}\Big(n\sum_i\|a_i\|^2-\|\sum_i a_i\|^2\Big)",
    twins=(
        MORE_B,
        LESS_A,
        _record(
            "A of draws with replacement",
            lambda block, ab, n: AB(A_w=np.full(n, n / block.cohort), B=ab.B),
        ),
        _record("A and B of draws with replacement", lambda block, ab, n: Multi(draws=block.cohort).ab(n)),
    ),
)

INDEPENDENT_SAMPLING_AB = Membership(
    source=SOURCE,
    method=Independent,
    sides=ab_sides(),
    constant=lambda block, d: 1,
    dims=(1, 2, 4),
    shape=clients,
    tune=lambda P=None, probs=(0.2, 0.5, 1.0, 0.7): Independent(probs=probs),
    claim=r"E\|\sum_i(\chi_i-1)a_i\|^2=\sum_i(\tfrac1{p_i}-1)\|a_i\|^2",
    twins=(
        LESS_A,
        _record("B = 1/10", lambda block, ab, n: AB(A_w=ab.A_w, B=0.1)),
        _record("1/p_i for 1/p_i - 1", lambda block, ab, n: AB(A_w=ab.A_w + 1, B=0.0)),
    ),
)

MULTI_SAMPLING_AB = Membership(
    source=SOURCE,
    method=Multi,
    sides=ab_sides(),
    constant=lambda block, d: 1,
    dims=(2, 3, 5),
    shape=clients,
    tune=lambda P=None, draws=2, probs=None: Multi(draws=draws, probs=probs),
    claim=r"E\|\sum_i(\chi_i-1)a_i\|^2=\sum_i\tfrac1{Cq_i}\|a_i\|^2-\tfrac1C\|\sum_i a_i\|^2",
    twins=(
        MORE_B,
        LESS_A,
        _record(
            "1/p_hat_i - 1 in the place of 1/(C q_i)",
            lambda block, ab, n: AB(A_w=1 / block.p_hat(n) - 1, B=ab.B),
        ),
    ),
)
