"""Why local work drifts: the mean iterate of FedAvg and FedProx converges, to another point than x*.

On quadratics a client that starts at x ends its K full steps at x - gamma Q_i grad f_i(x), Q_i = sum_{k<K} (I - gamma
A_i)^k, and the prox at x - t (I + t A_i)^-1 grad f_i(x).  With Q_i the matrix of either, and s the step in front,

    E x_{T+1} - x_inf = (I - s mean_i Q_i A_i)(E x_T - x_inf),     mean_i Q_i (A_i x_inf - b_i) = 0,

whatever the cohort, and E|x_T - x*|^2 >= |E x_T - x*|^2.  x_inf = x* for K = 1, or if all gradients vanish at x*.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.fedavg import FedAvg, FedProx
from proveout.problems.quadratics import Quadratics
from proveout.theory.assumptions import each_strongly_convex, quadratic
from proveout.theory.fedavg.altered import one_local_step
from proveout.theory.fedavg.sampling import distance
from proveout.theory.statement import Failure, Method, Problem, Twin
from proveout.theory.twins import unwrap

__all__ = ["DRIFTS", "limit"]


@lru_cache(maxsize=64)
def limit(P: Problem, m: Method) -> tuple[Array, float]:
    """(x_inf, factor by which E x_T approaches it)."""
    eye = np.eye(P.d)
    A, b = (P.whole.A, P.whole.b) if hasattr(P, "whole") else (P.A, P.b)
    if isinstance(m, FedProx):
        Q, step = np.linalg.inv(eye + m.gamma_prox * A), m.gamma_prox
    else:
        K = m.steps(P)
        powers = [np.broadcast_to(eye, A.shape)]
        for _ in range(K - 1):
            powers.append(powers[-1] @ (eye - m.gamma * A))
        Q, step = np.sum(powers, axis=0), m.server_step(P) / K
    mean = (Q @ A).mean(axis=0)
    x = np.linalg.solve(mean, (Q @ b[..., None]).mean(axis=0)[:, 0])
    return x, float(np.linalg.norm(eye - step * mean, 2))


def displacement(P: Problem, m: Method, T: int, start: Any) -> Any:
    """(|x_inf - x*| - factor^T |x_0 - x_inf|)_+^2."""
    x, factor = limit(P, unwrap(m))
    away = np.linalg.norm(np.asarray(start.x) - x, axis=-1)
    return np.maximum(np.linalg.norm(x - P.x_star) - factor**T * away, 0) ** 2


def _one_step(statement: Failure, P: Problem, m: Method) -> tuple[Failure, Problem, Method]:
    if not isinstance(m, FedAvg):
        raise ValueError("local_steps: FedProx has none")
    return statement, P, one_local_step(m)


def _homogeneous(statement: Failure, P: Problem, m: Method) -> tuple[Failure, Problem, Method]:
    """All clients get their minimiser at x*; the floor is that of the true ones."""
    same = Quadratics(A=P.A, b=(P.A @ P.x_star))
    fixed = replace(statement, floor=lambda _, m, T, start: displacement(P, m, T, start))
    return fixed, same, m


def _floor_times(factor: float) -> Twin:
    def edit(statement: Failure, P: Problem, m: Method) -> tuple[Failure, Problem, Method]:
        return replace(statement, floor=lambda *args: factor * displacement(*args)), P, m

    return Twin(f"floor x {factor:g}", edit)


def _tuned(
    P: Problem, cohort: int | None = None, local_steps: int = 4, factor: float = 1.0, prox: bool = False
) -> Method:
    """gamma = factor/L_max, the plain average; or FedProx with t = local_steps gamma."""
    gamma, cohort = factor / P.L_max, cohort or P.n
    if prox:
        return FedProx(gamma_prox=local_steps * gamma, cohort=cohort)
    return FedAvg(gamma=gamma, cohort=cohort, local_steps=local_steps)


DRIFTS = Failure(
    source="folklore; Malinovsky et al. (arXiv:2302.03662), Baselines; derived",
    method=(FedAvg, FedProx),
    assumes=(quadratic, each_strongly_convex),
    allows=lambda P, m: (
        isinstance(unwrap(m), FedProx)
        and not m.local_steps
        or isinstance(unwrap(m), FedAvg)
        and m.order == "full"
        and m.steps(P) >= 2
    ),
    measure=distance,
    floor=displacement,
    steps=200,
    tune=_tuned,
    claim=r"E\|x_T-x^\star\|^2\ge(\|x_\infty-x^\star\|-\rho^T\|x_0-x_\infty\|)_+^2,\quad"
    r"\tfrac1n\textstyle\sum_iQ_i\nabla f_i(x_\infty)=0",
    twins=(
        Twin("one local step", _one_step),
        Twin("homogeneous clients", _homogeneous),
        _floor_times(1.05),
        _floor_times(4),
        Twin("exact local minimisers", lambda s, P, m: (_minimisers(s, P), P, m)),
    ),
)


def _minimisers(statement: Failure, P: Problem) -> Failure:
    """x_inf = the mean of the clients' minimisers, as for infinitely many local steps."""
    A, b = (P.whole.A, P.whole.b) if hasattr(P, "whole") else (P.A, P.b)
    mean = np.linalg.solve(A, b[..., None])[..., 0].mean(axis=0)
    return replace(statement, floor=lambda P, m, T, start: float(np.sum((mean - P.x_star) ** 2)))
