"""Identities of ASGD and exact critical steps of its momentum variants.

virtual_iterate      x^_t = x_t - gamma sum_{in flight} g_{i_k} (all workers but k_{t-1}):
                     x^_{t+1} = x^_t - gamma g_t, t >= 1;  x^_1 = x_0 - gamma n g_0
implicit_momentum    f quadratic, i.i.d. uniform arrivals: E x_{t+1} - E x_t
                     = (1 - 1/n)(E x_t - E x_{t-1}) - (gamma/n) grad f(E x_t), t >= 1 (Mitliagkas et al., arXiv:1605.09774)
mean_critical_step   round robin (delay tau = n - 1), f = (L/2) x^2: gamma L < 2 sin(pi/(2 (2 tau + 1)))
naive_critical_step, shifted_critical_step   n = 2: gamma_e L < 1, and < 1 + beta, gamma_e = gamma/(1 - beta)
smega2_critical_step n = 1 (Nesterov's method): gamma L < 2 (1 + beta)/(1 + 2 beta)
"""

from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.methods.asgd import ASGD, SMEGA2, NaiveASGDm, ShiftedMomentum
from proveout.theory.assumptions import quadratic
from proveout.theory.delays.arrivals import (
    all_busy,
    exact_gradients,
    known_data,
    newest,
    one_function,
    others,
)
from proveout.theory.delays.periodic import critical_step
from proveout.theory.statement import Assumption, Identity, Method, Path, Problem
from proveout.theory.twins import statement_with, with_fields

__all__ = [
    "IMPLICIT_MOMENTUM",
    "MEAN_CRITICAL_STEP",
    "NAIVE_CRITICAL_STEP",
    "SHIFTED_CRITICAL_STEP",
    "SMEGA2_CRITICAL_STEP",
    "VIRTUAL_ITERATE",
    "round_robin",
]

round_robin = Assumption("round robin", lambda P: P.clock.busy and P.clock.order == tuple(range(P.workers)))
memoryless = Assumption("arrivals are i.i.d. and uniform", lambda P: not (P.clock.given or P.clock.speeds))


def _workers(n: int) -> Assumption:
    return Assumption(f"n = {n}", lambda P: P.workers == n)


def _small(P: Problem, share: float = 0.1) -> float:
    return float(share / (P.L * P.workers))


# ------------------------------------------------------------------ along a path


def _virtual(everybody: bool) -> Any:
    def virtual_iterate(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        """x^_{t+1} against x^_t - gamma g_t, first x^_1: (T, ..., d)."""
        K, rows = P.workers, []
        for t in range(1, len(path.states)):
            s = path.states[t]
            mask = np.ones(K, dtype=bool) if everybody else others(path, t, K)
            rows.append(s.x - m.gamma * np.where(mask[..., None], P.grads(s.sent), 0).sum(axis=-2))
        first = path.states[0].x - m.gamma * P.grads(path.states[0].sent).sum(axis=-2)
        moves = [x - m.gamma * newest(P, path, t + 1) for t, x in enumerate(rows[:-1])]
        return np.stack(rows), np.stack([first, *moves])

    return virtual_iterate


def _mean_path(P: Problem, m: Method, path: Path) -> Array:
    """E x_t over the order, t = 0..T: the step is affine, so the mean of the state is stepped: (T+1, d)."""
    prob, draw = m.law(P).at(0).atoms()
    state, xs = path.states[0], [path.states[0].x]
    for _ in path.draws:
        after = m.step(P, tree_map(lambda a: a if type(a) is int else a[None], state), draw)
        mean = lambda a: (
            a if type(a) is int else np.tensordot(prob, np.broadcast_to(a, (len(prob), *a.shape[1:])), 1)
        )
        state = tree_map(mean, after)._replace(index=path.states[0].index)
        xs.append(state.x)
    return np.stack(xs)


def _momentum(extra: int) -> Any:
    def implicit_momentum(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        x, n = _mean_path(P, m, path), P.workers + extra
        moves = np.diff(x, axis=0)
        first = -m.gamma * P.grad(x[:1])
        later = (1 - 1 / n) * moves[:-1] - m.gamma / n * P.grad(x[1:-1])
        return moves, np.concatenate([first, later])

    return implicit_momentum


VIRTUAL_ITERATE = Identity(
    source="Stich, Karimireddy, JMLR 2020 (virtual iterate)",
    method=ASGD,
    assumes=(exact_gradients, known_data, all_busy),
    allows=lambda P, m: m.rule == "constant",
    sides=_virtual(everybody=False),
    steps=32,
    tune=lambda P: ASGD(gamma=_small(P)),
    twins=(
        statement_with("n terms for n - 1", sides=_virtual(everybody=True)),
        with_fields("stale restart", lambda P, m: {"restart": "stale"}),
    ),
    claim=r"\hat x_{t+1}=\hat x_t-\gamma g_t",
)

IMPLICIT_MOMENTUM = Identity(
    source="Mitliagkas et al. 2016 (arXiv:1605.09774)",
    method=ASGD,
    assumes=(quadratic, memoryless, one_function),
    allows=lambda P, m: m.rule == "constant",
    sides=_momentum(extra=0),
    steps=12,
    tune=lambda P: ASGD(gamma=_small(P)),
    twins=(
        statement_with("momentum 1 - 1/(n+1)", sides=_momentum(extra=1)),
        with_fields("stale restart", lambda P, m: {"restart": "stale"}),
    ),
    claim=r"E x_{t+1}-E x_t=(1-\tfrac1n)(E x_t-E x_{t-1})-\tfrac{\gamma}{n}\nabla f(E x_t)",
)


# ------------------------------------------------------------------ critical steps


def _critical(claim: Any, effective: bool) -> Any:
    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        """gamma L (or gamma_e L) at which the one-period matrix has spectral radius 1, and the claim."""
        scale = P.L / (1 - m.beta) if effective else P.L
        return np.array([critical_step(P, m) * scale]), np.array([claim(P, m)])

    return sides


def _sine(P: Problem, m: Method) -> float:
    return float(2 * np.sin(np.pi / (2 * (2 * (P.workers - 1) + 1))))


def _fields(method: Any, n: int, claim: Any, formula: str) -> dict[str, Any]:
    """Fields of a critical step of a momentum variant; the twin measures the other of gamma, gamma_e."""
    effective = n > 1
    return dict(
        source="one-period matrix (derived)",
        method=method,
        assumes=(quadratic, round_robin, _workers(n), exact_gradients),
        sides=_critical(claim, effective),
        steps=1,
        tune=lambda P, beta=0.5: method(gamma=(1 - beta) * _small(P), beta=beta),
        twins=(statement_with("gamma and gamma_e mistaken", sides=_critical(claim, not effective)),),
        claim=formula,
    )


MEAN_CRITICAL_STEP = Identity(
    source="constant delay on a quadratic (derived)",
    method=ASGD,
    assumes=(quadratic, round_robin, exact_gradients),
    allows=lambda P, m: m.rule == "constant",
    sides=_critical(_sine, effective=False),
    steps=1,
    tune=lambda P: ASGD(gamma=_small(P)),
    twins=(with_fields("delay n for n - 1", lambda P, m: {"restart": "stale"}),),
    claim=r"\gamma L<2\sin\frac{\pi}{2(2\tau+1)}",
)
NAIVE_CRITICAL_STEP = Identity(**_fields(NaiveASGDm, 2, lambda P, m: 1.0, r"\gamma_eL<1"))
SHIFTED_CRITICAL_STEP = Identity(**_fields(ShiftedMomentum, 2, lambda P, m: 1 + m.beta, r"\gamma_eL<1+\beta"))
SMEGA2_CRITICAL_STEP = Identity(
    **_fields(
        SMEGA2, 1, lambda P, m: 2 * (1 + m.beta) / (1 + 2 * m.beta), r"\gamma L<\frac{2(1+\beta)}{1+2\beta}"
    )
)
