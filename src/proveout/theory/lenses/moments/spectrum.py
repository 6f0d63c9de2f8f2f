"""The exact asymptotic mean-square rate of an affine method on an instance, and its best Lyapunov function.

rho = spectral radius of S -> sum_k p_k A_k S A_k' on symmetric matrices: E V_t ~ rho^t for every quadratic V that
sees it.

    mean_square_rate(statement, P, m)       statement may be None; or mean_square_rate(m, P)
    rate_of_period(P, m, period)            per step, for schedules and clocks that repeat after `period` steps
    period_matrix(P, m, period)             the matrix of one period, of methods without luck
    critical_step(rate, low, high)          where a rate crosses 1, by bisection
    certificate(statement, P, m)            W > 0 with sum_k p_k A_k' W A_k <= r W: V(y) = y'Wy contracts by r

*Restriction.*  A field nobody reads, or a direction that no start reaches, would hide the rate behind an
eigenvalue 1.  So the maps are restricted to the reachable space, the smallest one that contains init(x0) - star
for all x0 and all b_k and is mapped into itself; and, where a statement has a V or a measure, divided by what it
never sees (the same with transposes).  All of them raise Refused where they cannot answer.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.theory.lenses.common import BUDGETS, Refused, value
from proveout.theory.lenses.forms import form
from proveout.theory.lenses.moments.chain import Chain, Kernel, Key
from proveout.theory.lenses.moments.jumps import (
    Jumps,
    bracket,
    operator_radius,
    orthonormal,
    reachable,
    resolvent,
    spectral_radius,
)
from proveout.theory.lenses.states import coordinates_of, is_float, leaves
from proveout.theory.statement import Method, Problem

__all__ = ["certificate", "critical_step", "mean_square_rate", "period_matrix", "rate_of_period", "system_of"]

CLOSED = 64  # clock values of a closed set, at most


class _Bare:
    """No statement: no star, no domain, no V."""

    star = domain = lyapunov = measure = None


def mean_square_rate(statement: Any, P: Problem, m: Method | None = None) -> float:
    """rho of a method on a problem, restricted to what starts reach and V sees.

    Raises Refused if the step is not affine, too large, or its clock runs on (see `rate_of_period`).
    """
    if m is None:
        statement, m = None, statement
    return spectral_radius(system_of(statement, P, m))


def certificate(
    statement: Any, P: Problem, m: Method, slack: float = 0.01
) -> tuple[float, float, list[Array]]:
    """(rho, r, W): with W > 0, sum_k p_k A_k' W A_k <= r W is checked, r <= (1 + slack) rho; W per clock, in an
    orthonormal basis of the restricted space."""
    system = system_of(statement, P, m)
    rho = spectral_radius(system)
    W = resolvent(system, (1 + slack) * rho)
    _, r = bracket(system.adjoint, W)
    return rho, r, W


def critical_step(rate: Callable[[float], float], low: float, high: float, digits: float = 1e-12) -> float:
    """The step at which a rate crosses 1, by bisection: rate(low) < 1 <= rate(high).

    Raises ValueError if the ends do not enclose it.
    """
    if not rate(low) < 1 <= rate(high):
        raise ValueError(f"low, high must enclose the critical step, got rates {rate(low)}, {rate(high)}")
    while high - low > digits * high:
        middle = (low + high) / 2
        low, high = (middle, high) if rate(middle) < 1 else (low, middle)
    return (low + high) / 2


# ------------------------------------------------------------------ closed clocks


def _chain(statement: Any, P: Problem, m: Method) -> Chain:
    terms_of = getattr(statement, "lyapunov", None) or getattr(statement, "measure", None)
    coords = coordinates_of(statement or _Bare(), P, m)
    coords = coords.with_basis() or coordinates_of(_Bare(), P, m)

    def V(state: Any) -> Array:
        return np.asarray(value(terms_of(P, m, state), P)) if terms_of else _size(state)

    return Chain(P, m, coords, BUDGETS["deep"], V)


def _size(state: Any) -> Array:
    """The squared norm of the float fields: quadratic, so that first and second moments are enough."""
    total: Array = 0.0
    for leaf in leaves(state):
        if leaf is not None and is_float(leaf):
            total = total + (sqnorm(leaf, np.ndim(leaf) - 2) if np.ndim(leaf) > 2 else leaf * leaf)
    return total


def _starts(chain: Chain, P: Problem, m: Method) -> tuple[Key, Array]:
    """The clock of init, and columns that span y(init(x0)) over all x0: (q, d + 1)."""
    key = chain.enter(m.init(P, np.zeros(P.d)))
    y = chain.clocks[key].y(m.init(P, np.concatenate([np.zeros((1, P.d)), np.eye(P.d)])))
    return key, np.concatenate([y[1:] - y[0], y[:1]]).T


def system_of(statement: Any, P: Problem, m: Method) -> Jumps:
    """The restricted jump system of a method whose clocks form a closed set."""
    chain = _chain(statement, P, m)
    if not chain.timeless:
        raise Refused("the law changes with time: ask for the rate of a period")
    key, columns = _starts(chain, P, m)
    keys = [key]
    for one in keys:  # grows while it is walked
        keys.extend(g.to for g in chain.kernel(one, 1).groups if g.to not in keys)
        if len(keys) > CLOSED:
            raise Refused("the clock runs on: ask for the rate of a period")
    jumps, offsets = _jumps(chain, keys, [chain.kernel(k, 1) for k in keys], columns)
    R = reachable(jumps, offsets)
    jumps = jumps.restricted(R)
    terms_of = getattr(statement, "lyapunov", None) or getattr(statement, "measure", None)
    if terms_of is None:
        return jumps
    forms = [form(P, m, terms_of, chain.clocks[k]) for k in keys]
    if any(Q is None for Q in forms):
        return jumps
    seen = [r.T @ Q[:-1, :-1] @ r for r, Q in zip(R, forms, strict=True)]  # type: ignore[index]
    return jumps.restricted(reachable(jumps.transposed(), seen))


def _jumps(chain: Chain, keys: list[Key], kernels: list[Kernel], columns: Array) -> tuple[Jumps, list[Array]]:
    """The system of kernels at a closed set of clocks, and what feeds it: the starts and all b_k, per clock."""
    place = {key: i for i, key in enumerate(keys)}
    edges, fed = [], [[columns] if i == 0 else [columns[:, :0]] for i in range(len(keys))]
    for i, kernel in enumerate(kernels):
        for g in kernel.groups:
            edges.append((i, place[g.to], g.F[:, :-1, :-1]))
            fed[place[g.to]].append(g.F[:, :-1, -1].T)
    return Jumps((chain.D - 1,) * len(keys), tuple(edges)), [np.concatenate(f, axis=1) for f in fed]


# ------------------------------------------------------------------ periods


def rate_of_period(
    P: Problem, m: Method, period: int, *, start: int | None = None, statement: Any = None
) -> float:
    """Mean-square factor per step, (rho of one period)^(1/period), restricted to the reachable space.

    The period begins at `start` (default: two periods after init) and must repeat itself there.
    Raises Refused if it does not, or if the clock depends on the draw.
    """
    phases = _phases(P, m, period, start, statement)
    if all(len(A) == 1 for A in phases):
        return float(np.abs(np.linalg.eigvals(_product(phases))).max(initial=0.0) ** (2 / period))
    steps = [Jumps((a.shape[2], a.shape[1]), ((0, 1, a),)) for a in phases]

    def once(S: list[Array]) -> list[Array]:
        for step in steps:
            S = [step.forward([S[0], np.zeros((0, 0))])[1]]
        return S

    return float(operator_radius(once, (phases[0].shape[2],)) ** (1 / period))


def period_matrix(
    P: Problem, m: Method, period: int, *, start: int | None = None, statement: Any = None
) -> Array:
    """The matrix of one period of a method without luck, in an orthonormal basis of the reachable space."""
    phases = _phases(P, m, period, start, statement)
    if any(len(A) > 1 for A in phases):
        raise Refused("the method has luck: one period is no matrix")
    return _product(phases)


def _product(phases: list[Array]) -> Array:
    M = np.eye(phases[0].shape[2])
    for A in phases:
        M = A[0] @ M
    return M


def _phases(P: Problem, m: Method, period: int, start: int | None, statement: Any) -> list[Array]:
    """The maps of one period, (K, q', q) each, restricted to what is reached at their times."""
    if not period >= 1:
        raise ValueError(f"period must be >= 1, got {period}")
    chain = _chain(statement, P, m)
    key, columns = _starts(chain, P, m)
    first = 2 * period if start is None else start
    kernels: list[Kernel] = []
    for t in range(first + 2 * period):
        kernels.append(chain.kernel(key, t))
        if len(kernels[-1].groups) != 1:
            raise Refused("the clock depends on the draw: no period")
        key = kernels[-1].groups[0].to
    maps = [k.groups[0].F[:, :-1, :-1] for k in kernels]
    for t in range(first, first + period):
        if maps[t].shape != maps[t + period].shape or not np.allclose(maps[t], maps[t + period], atol=1e-9):
            raise Refused(f"step {t + period} is not step {t}: no period of {period} from step {first} on")
    return _reached(maps, [k.groups[0].F[:, :-1, -1].T for k in kernels], columns, first, period)


def _reached(maps: list[Array], b: list[Array], columns: Array, first: int, period: int) -> list[Array]:
    """Each phase between the spaces that starts and noise reach there."""
    space = orthonormal(columns[:, :0], columns)
    scale = max(float(np.abs(A).max(initial=0.0)) for A in maps)
    for t in range(first):
        moved = np.concatenate([*(maps[t] @ space), b[t]], axis=1)
        space = orthonormal(moved[:, :0], moved, scale)
    bases = [space] + [space[:, :0]] * (period - 1)
    grown = True
    while grown:
        grown = False
        for i in range(period):
            j = (i + 1) % period
            added = orthonormal(
                bases[j], np.concatenate([*(maps[first + i] @ bases[i]), b[first + i]], axis=1)
            )
            if added.shape[1]:
                bases[j], grown = np.concatenate([bases[j], added], axis=1), True
    return [bases[(i + 1) % period].T @ maps[first + i] @ bases[i] for i in range(period)]
