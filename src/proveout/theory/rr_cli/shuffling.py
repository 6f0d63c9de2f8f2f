"""What shuffling does to the shadow: its exact second moment, and the shuffling radius."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array
from proveout.methods.rr_cli import RRCLI
from proveout.theory.fedavg.sampling import each_part_convex, each_part_smooth
from proveout.theory.rr_cli.altered import fixed_data, fresh_cohorts
from proveout.theory.rr_cli.descent import SOURCE, basic, radius_bound
from proveout.theory.rr_cli.shadow import listed, moments, radius, rounds_of
from proveout.theory.statement import Identity, Implication, Method, Path, Problem
from proveout.theory.twins import statement_with

__all__ = ["SHUFFLING_MOMENT", "SHUFFLING_RADIUS", "Heterogeneity", "Radius", "second_moment"]


def shuffled(P: Problem, m: Method) -> bool:
    return bool(m.order == "reshuffle" and m.data == "reshuffle" and listed(P, m))


def second_moment(P: Problem, m: Method, clients: int | None = None) -> Array:
    """The right side for all (r, j), (R, m); `clients`: what stands for n - 1."""
    R, k, n1 = rounds_of(P, m), P.m, (P.n - 1 if clients is None else clients)
    r, j = np.arange(R)[:, None], np.arange(k)[None, :]
    across = (k**2 * r * (R - r) - 2 * k * j * r) / n1 if n1 else 0 * r * j
    within = j * (k - j) / (k - 1) if k > 1 else 0 * j
    return np.asarray((across + j**2) * P.sigma_client2 + within * P.sigma_data2)


def _sides(clients: Any) -> Any:
    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        return moments(P, m), second_moment(P, m, clients(P))

    return sides


SHUFFLING_MOMENT = Identity(
    source=SOURCE,
    method=RRCLI,
    allows=shuffled,
    sides=_sides(lambda P: None),
    steps=1,
    tune=basic,
    claim=r"\tfrac1{\gamma^2}E\|x_\star^{r,j}-x^\star\|^2=\big[\tfrac{m^2r(R-r)-2mjr}{n-1}+j^2\big]\sigma_c^2"
    r"+\tfrac{j(m-j)}{m-1}\sigma_d^2",
    twins=(
        statement_with("n for n - 1", sides=_sides(lambda P: P.n)),
        fixed_data,
        fresh_cohorts,
        statement_with("the cohort's size for n - 1", sides=_sides(lambda P: max(1, P.n - 2))),
    ),
)


class Spread(NamedTuple):
    """What the bound on the shuffling radius is made of."""

    L: float
    client: float  # coefficient of sigma_client2 times sigma_client2
    data: float


@dataclass(frozen=True)
class Heterogeneity:
    """Reshuffled participation with components of smoothness L and this heterogeneity at x*."""

    def least(self, P: Problem, m: Method) -> Spread | None:
        if not shuffled(P, m):
            return None
        client, data = radius_bound(P, m)
        return Spread(P.L_parts, client * P.sigma_client2, data * P.sigma_data2)


@dataclass(frozen=True)
class Radius:
    """sigma_rad^2 is at most the constant."""

    def least(self, P: Problem, m: Method) -> float:
        return radius(P, m)


def _halved(a: Spread) -> float:
    return a.L / 4 * (a.client + a.data)


SHUFFLING_RADIUS = Implication(
    source=SOURCE,
    method=RRCLI,
    assumes=(each_part_smooth, each_part_convex),
    given=Heterogeneity(),
    then=Radius(),
    constants=lambda a: a.L / 2 * (a.client + a.data),
    tune=basic,
    claim=r"\sigma_{rad}^2\le\tfrac L2\{m^2[1+\tfrac{R^2}{4(n-1)}]\sigma_c^2+\tfrac{m^2}{4(m-1)}\sigma_d^2\}",
    twins=(
        statement_with("right side halved", constants=_halved),
        statement_with("no spread of the data", constants=lambda a: a.L / 2 * a.client),
        statement_with("no spread of the clients", constants=lambda a: a.L / 2 * a.data),
    ),
)
