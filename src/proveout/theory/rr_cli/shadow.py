"""The shadow of x*: where the optimum goes when it follows a meta-epoch with the gradients at x*.

    x_*^r         = x* - gamma m sum_{k<r} mean_{i in S_k} grad f_i(x*)
    x_{*,i}^{r,j} = x_*^r - gamma sum_{l<=j} grad f_{i,pi_l}(x*)

so that x_*^R = x*.  D_{i,j}(z) = f_ij(z) - f_ij(x*) - <grad f_ij(x*), z - x*>.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, inner, put, sqnorm, take, to_clients
from proveout.theory.statement import Cross, Gap, Method, Number, Problem, Terms

__all__ = ["Place", "distances", "distances_of_class", "listed", "moments", "places", "radius", "rounds_of"]

MOST = 200_000  # outcomes of a meta-epoch that are enumerated


class Place(NamedTuple):
    r: int  # round
    j: int  # component steps made in it
    point: Array  # (K, C, d)  x_{*,i}^{r,j}, less x*
    part: Any  # the component that is about to be used, of each client of the cohort


def rounds_of(P: Problem, m: Method) -> int:
    return int(P.n // m.cohort)


def listed(P: Problem, m: Method) -> bool:
    """Can the outcomes of a meta-epoch be enumerated?"""
    return bool(m.law(P).count <= MOST)


def outcomes(P: Problem, m: Method) -> tuple[Array, Any]:
    """All outcomes of a meta-epoch with their probabilities; ValueError if they are too many."""
    if not listed(P, m):
        raise ValueError(f"a meta-epoch must have at most {MOST} outcomes, got {m.law(P).count:.3g}")
    prob, draw = m.law(P).atoms()
    return prob, draw


def places(P: Problem, m: Method, draw: Any) -> Iterator[Place]:
    """Along draws with one leading axis (K, ...)."""
    at_star = np.broadcast_to(P.x_star, (m.cohort, P.d))
    shift = np.zeros((1, P.d))
    for r in range(rounds_of(P, m)):
        members = draw.cohort[..., r, :]
        order, local, own = take(draw.data, members), P.at(members), to_clients(shift, m.cohort)
        for j in range(P.m):
            part = local.on(order[..., j : j + 1])
            yield Place(r, j, own, part)
            own = own - m.gamma * part.grads(at_star)
        shift = own.mean(axis=-2)


def bregman(P: Problem, part: Any, shift: Array) -> Array:
    """D of each client's component at x* + shift: (K, C, d) -> (K, C)."""
    at_star = np.broadcast_to(P.x_star, shift.shape)
    g = part.grads(at_star)
    if P.is_quadratic:  # nothing cancels
        return inner(part.grads(at_star + shift) - g, shift) / 2
    return part.values(at_star + shift) - part.values(at_star) - inner(g, shift)


def distances(P: Problem, m: Method, late: int = 0) -> dict[tuple[int, int], float]:
    """E mean_{i in S_r} D_{i,pi_{j+1}}(x_*^{r,j}) for all (r, j); `late`: of the component used before, pi_j."""
    prob, draw = outcomes(P, m)
    out: dict[tuple[int, int], float] = {}
    before = None
    for place in places(P, m, draw):
        part = before if late and place.j else place.part
        out[place.r, place.j] = float(
            prob @ np.broadcast_to(bregman(P, part, place.point).mean(-1), prob.shape)
        )
        before = place.part
    return out


def moments(P: Problem, m: Method) -> Array:
    """(1/gamma^2) E mean_{i in S_r} |x_{*,i}^{r,j} - x*|^2: (R, m)."""
    prob, draw = outcomes(P, m)
    out = np.zeros((rounds_of(P, m), P.m))
    for place in places(P, m, draw):
        size = sqnorm(place.point).mean(axis=-1)
        out[place.r, place.j] = prob @ np.broadcast_to(size, prob.shape) / m.gamma**2
    return out


def radius(P: Problem, m: Method) -> float:
    """The shuffling radius, (1/gamma^2) max_{r,j} E mean D."""
    return float(max(distances(P, m).values()) / m.gamma**2)


def distances_of_class(P: Problem, m: Method, weight: Any) -> Terms:
    """sum_r weight(r) mean_{i in S_r} D_i(x_*^r) as terms of a function class (m = 1), for a fixed order.

    Clients outside S_r are asked at x*, where they add nothing.
    """
    (cohorts,) = m.law(P).atoms()[1].cohort
    shift, terms = 0 * P.x_star, []
    for r, members in enumerate(cohorts):
        moved = put(0 * P.h_star, members, to_clients(shift, m.cohort))  # z_i - x*, (n, d)
        w: Number = weight(r) / m.cohort
        terms += [Gap(w, P.x_star + moved, core=2), Cross(-w, P.h_star, moved, core=2)]
        shift = shift - m.gamma * P.h_star[members].sum(axis=-2) / m.cohort
    return tuple(terms)
