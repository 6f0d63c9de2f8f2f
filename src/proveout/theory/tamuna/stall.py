"""A constant even number of local steps with gamma = 2/(L+mu) freezes the modes of curvature L.

In a coordinate where every f_i has curvature L, a local step multiplies x - x* by 1 - gamma L = -beta,
beta = (kappa-1)/(kappa+1).  After K steps from a common model the clients' shifts e_i = h_i - h*_i have moved
them apart by gamma g e_i with g = (1 - (-beta)^K)/(1 + beta), and the round multiplies E e_i exactly by
1 - p chi g (s-1)/(n-1).  For even K, g = (1 - beta^K)/(1 + beta) <= K/kappa, so that by Jensen

    E sum_i |h_i^T - h*_i|^2 >= (1 - p chi (K/kappa) (s-1)/(n-1))^(2T) sum_i |e_i^0|^2  (this coordinate only);

for odd K, for gamma = 1/L and for geometric counts g is of the order of 1 and the shifts converge fast.
"""

from typing import Any

import numpy as np

from proveout.methods.tamuna import Tamuna
from proveout.theory.statement import Assumption, Failure, Method, Problem, Square, Terms, at_most
from proveout.theory.tamuna.lyapunov import SOURCE, tune_rounds
from proveout.theory.twins import with_fields

__all__ = ["EVEN_LOCAL_STEPS_STALL"]


def _stiff_last(P: Problem) -> bool:
    """Is the last coordinate a mode of curvature L_max for every client?"""
    row = np.zeros(P.d)
    row[-1] = P.L_max
    return bool(np.abs(P.A[:, -1, :] - row).max() <= 1e-12 * P.L_max)


def shift_error(P: Problem, m: Method, state: Any) -> Terms:
    return (Square(1, state.h - P.h_star, core=2),)


def frozen_part(P: Problem, m: Method, T: int, start: Any) -> Any:
    """What is left of the stiff coordinate's shift error after T rounds, at least."""
    kappa = P.L_max / P.mu_min
    shrink = 1 - m.p * m.chi * (m.local_steps or 1 / m.p) / kappa * (m.s - 1) / (P.n - 1)
    return shrink ** (2 * T) * np.sum((start.h - P.h_star)[..., -1] ** 2, axis=-1)


EVEN_LOCAL_STEPS_STALL = Failure(
    source=f"{SOURCE}, constant local steps (outside the theorem); derived",
    method=Tamuna,
    assumes=(Assumption("the last coordinate is a mode of curvature L_max for every client", _stiff_last),),
    allows=lambda P, m: (
        bool(m.local_steps)
        and m.local_steps % 2 == 0
        and at_most(2, m.gamma * (P.L_max + P.mu_min))
        and at_most(m.gamma * (P.L_max + P.mu_min), 2.0)
    ),
    measure=shift_error,
    floor=frozen_part,
    steps=200,
    tune=lambda P, local_steps=4, **choices: tune_rounds(
        P, **{"p": 1 / local_steps, **choices}, local_steps=local_steps
    ),
    claim=r"K \text{ even},\ \gamma = 2/(L+\mu):\ E\textstyle\sum_i\|h_i^T-h_i^\star\|^2 \ge"
    r" (1-p\chi\tfrac K\kappa\tfrac{s-1}{n-1})^{2T}\,\|\text{stiff part of } h^0-h^\star\|^2",
    twins=(
        with_fields("odd number of local steps", lambda P, m: {"local_steps": m.local_steps - 1}),
        with_fields("gamma = 1/L", lambda P, m: {"gamma": 1 / P.L_max}),
        with_fields("geometric step counts", lambda P, m: {"local_steps": None}),
    ),
)
