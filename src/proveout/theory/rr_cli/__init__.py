"""RR-CLI: regularised client participation.

Malinovsky, Horváth, Burlachenko, Richtárik (arXiv:2302.03662).  n clients of m components, C clients a round, R = n/C
rounds a meta-epoch; gamma, gamma_server, gamma_global are the client, cohort and global steps; L, mu are those of the
components; sigma_client2, sigma_data2 the heterogeneity at x*.  The forms are recalled; constants are derived.

Basic choice, gamma_server = gamma m, gamma_global = gamma_server R, gamma <= 1/L.  The *shadow* of x* runs through the
same orders with the gradients at x*: x_*^{r,j} (`shadow`).  Along every order

    |x' - x*|^2 <= (1 - gamma mu)^{mR} |x - x*|^2
                   + 2 gamma sum_{r,j} (1 - gamma mu)^{mR-1-(mr+j)} mean_{i in S_r} D_{i,pi_{j+1}}(x_*^{r,j}),

D the Bregman distance to x*.  Shuffling keeps the shadow near x*: (1/gamma^2) E|x_*^{r,j} - x*|^2 is

    [m^2 r(R-r)/(n-1) - 2mjr/(n-1) + j^2] sigma_client2 + j(m-j)/(m-1) sigma_data2,

which gives a floor of gamma^2 where fresh cohorts have gamma.

Rooms: `shadow` (the auxiliary sequence), `descent` (basic choice), `shuffling` (its moments), `steps` (three step
sizes), `reductions`, `floors` (stationary errors), `altered` (red twins).
"""

from proveout.theory.rr_cli.descent import (
    INTERPOLATION,
    LINEAR_CONVERGENCE,
    PATHWISE_DESCENT,
    ROUND_COMPLEXITY,
    basic,
)
from proveout.theory.rr_cli.floors import FLOOR_ORDER
from proveout.theory.rr_cli.reductions import (
    EQUALS_CLIENT_RR,
    EQUALS_FEDRR,
    EQUALS_GD,
    EQUALS_NASTYA,
    EQUALS_RR,
    LAST_COHORT_ITERATE,
)
from proveout.theory.rr_cli.shuffling import SHUFFLING_MOMENT, SHUFFLING_RADIUS
from proveout.theory.rr_cli.steps import (
    CONVEX_AVERAGE,
    NONCONVEX,
    THREE_STEPS,
    THREE_STEPS_ANY_ORDER,
    three,
)

__all__ = [
    "CONVEX_AVERAGE",
    "EQUALS_CLIENT_RR",
    "EQUALS_FEDRR",
    "EQUALS_GD",
    "EQUALS_NASTYA",
    "EQUALS_RR",
    "FLOOR_ORDER",
    "INTERPOLATION",
    "LAST_COHORT_ITERATE",
    "LINEAR_CONVERGENCE",
    "NONCONVEX",
    "PATHWISE_DESCENT",
    "ROUND_COMPLEXITY",
    "SHUFFLING_MOMENT",
    "SHUFFLING_RADIUS",
    "THREE_STEPS",
    "THREE_STEPS_ANY_ORDER",
    "basic",
    "three",
]
