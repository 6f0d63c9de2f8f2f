"""Reductions to simpler methods, on the same draws."""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array, mean_clients, take, to_clients
from proveout.methods.fedavg import Draw as RoundDraw
from proveout.methods.fedavg import FedAvg
from proveout.methods.fedavg import State as RoundState
from proveout.methods.rr_cli import RRCLI
from proveout.theory.proxskip.identities import gd_path, stacked
from proveout.theory.rr_cli.altered import undivided_local, undivided_rounds
from proveout.theory.rr_cli.descent import basic, is_basic
from proveout.theory.rr_cli.shadow import rounds_of
from proveout.theory.rr_cli.steps import three
from proveout.theory.statement import Identity, Method, Path, Problem, at_most
from proveout.theory.twins import field_times, oracle, update_times

__all__ = [
    "EQUALS_CLIENT_RR",
    "EQUALS_FEDRR",
    "EQUALS_GD",
    "EQUALS_NASTYA",
    "EQUALS_RR",
    "LAST_COHORT_ITERATE",
]

SOURCE = "Malinovsky et al. (arXiv:2302.03662)"
LOUDER = oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x))


def _follow(path: Path, move: Callable[[Array, Any], Array]) -> Array:
    """x_0, move(x_0, draw_0), ...: (T+1, ..., d)."""
    found = [path.states[0].x]
    for draw in path.draws:
        found.append(move(found[-1], draw))
    return np.stack(np.broadcast_arrays(*found))


def equality(
    move: Callable[..., Any], allows: Callable[..., bool], tune: Callable[..., Method], claim: str, twins: Any
) -> Identity:
    """The models of RR-CLI along a path are those of x -> move(P, m)(x, draw)."""
    return Identity(
        source=SOURCE,
        method=RRCLI,
        allows=allows,
        steps=8,
        sides=lambda P, m, path: (stacked(path, "x"), _follow(path, move(P, m))),
        tune=tune,
        claim=claim,
        twins=twins,
    )


def _equal(a: Any, b: Any) -> bool:
    return at_most(a, b) and at_most(b, a)


def _one_by_one(P: Problem, m: Method) -> Any:
    """Component steps along the order."""

    def move(x: Array, draw: Any) -> Array:
        for j in range(P.m):
            x = x - m.gamma * P.on(draw.data[..., j : j + 1]).grads(x[..., None, :])[..., 0, :]
        return x

    return move


def _federated_pass(P: Problem, m: Method) -> Any:
    """Every client makes a pass, the server averages."""

    def move(x: Array, draw: Any) -> Array:
        y = to_clients(x, P.n)
        for j in range(P.m):
            y = y - m.gamma * P.on(draw.data[..., j : j + 1]).grads(y)
        return mean_clients(y)[..., 0, :]

    return move


def _nastya(P: Problem, m: Method) -> Any:
    other = FedAvg(gamma=m.gamma, cohort=P.n, order="pass", gamma_global=m.gamma_global)

    def move(x: Array, draw: Any) -> Array:
        members = np.arange(P.n)
        return other.step(P, RoundState(x=x), RoundDraw(cohort=members, data=draw.data)).x

    return move


def _clients_one_by_one(P: Problem, m: Method) -> Any:
    """Random reshuffling over clients, step gamma_server."""

    def move(x: Array, draw: Any) -> Array:
        for r in range(P.n):
            x = x - m.gamma_server * P.at(draw.cohort[..., r, :]).grads(x[..., None, :])[..., 0, :]
        return x

    return move


def _rounds(P: Problem, m: Method) -> Any:
    """FedAvg rounds with server step gamma_server on the cohorts of the meta-epoch, one after another."""
    other = FedAvg(gamma=m.gamma, cohort=m.cohort, order="pass", gamma_global=m.gamma_server)

    def move(x: Array, draw: Any) -> Array:
        for r in range(rounds_of(P, m)):
            members = draw.cohort[..., r, :]
            data = take(draw.data, members)
            x = other.step(P, RoundState(x=x), RoundDraw(cohort=members, data=data)).x
        return x

    return move


def _all_clients(P: Problem, **choices: Any) -> Method:
    return three(P, **{"cohort": P.n, **choices})


EQUALS_RR = equality(
    _one_by_one,
    lambda P, m: P.n == 1 and is_basic(P, m),
    basic,
    r"n=C=1:\ \text{random reshuffling}",
    (undivided_local, LOUDER, update_times("x", 0.5)),
)

EQUALS_FEDRR = equality(
    _federated_pass,
    lambda P, m: m.cohort == P.n and _equal(m.gamma_global, m.gamma * P.m),
    lambda P, factor=1.0: basic(P, cohort=P.n, factor=factor),
    r"C=n,\ \gamma_g=\gamma m:\ \text{FedRR}",
    (undivided_local, field_times("gamma_global", 2), LOUDER),
)

EQUALS_NASTYA = equality(
    _nastya,
    lambda P, m: m.cohort == P.n,
    _all_clients,
    r"C=n:\ \text{Nastya, whatever } \gamma_s",
    (undivided_local, undivided_rounds, update_times("x", 2)),
)

EQUALS_GD = Identity(
    source=SOURCE,
    method=RRCLI,
    allows=lambda P, m: m.cohort == P.n and P.m == 1,
    steps=8,
    sides=lambda P, m, path: (
        stacked(path, "x"),
        gd_path(P, m.gamma_global, path.states[0].x, len(path.draws)),
    ),
    tune=_all_clients,
    claim=r"m=1,\ C=n:\ \text{gradient descent with step } \gamma_g",
    twins=(undivided_local, LOUDER, update_times("x", 0.5)),
)

EQUALS_CLIENT_RR = equality(
    _clients_one_by_one,
    lambda P, m: m.cohort == 1 and P.m == 1 and _equal(m.gamma_global, m.gamma_server * P.n),
    basic,
    r"m=C=1:\ \text{random reshuffling of the clients, step } \gamma_s",
    (undivided_rounds, LOUDER, field_times("gamma_global", 0.5)),
)

LAST_COHORT_ITERATE = equality(
    _rounds,
    lambda P, m: _equal(m.gamma_global, m.gamma_server * rounds_of(P, m)),
    basic,
    r"\gamma_g=\gamma_sR:\ x_{t+1}\ \text{is the last cohort iterate}",
    (undivided_local, undivided_rounds, field_times("gamma_global", 0.5), LOUDER),
)
