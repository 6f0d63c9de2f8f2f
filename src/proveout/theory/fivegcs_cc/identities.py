"""What never moves, and what 5GCS-CC and 5GCS-AB become in special cases, on the same draws."""

from typing import Any

import numpy as np

from proveout.arrays import Array, put
from proveout.methods.blocks.compressors import RandK
from proveout.methods.blocks.samplings import Multi, Nice
from proveout.methods.blocks.solvers import GD, Exact
from proveout.methods.fivegcs import Draw as PlainDraw
from proveout.methods.fivegcs import FiveGCS
from proveout.methods.fivegcs import State as PlainState
from proveout.methods.fivegcs_cc import FiveGCSAB, FiveGCSCC, State
from proveout.methods.point_saga import PointSAGA, PointSAGADraw, PointSAGAState
from proveout.theory.assumptions import quadratic
from proveout.theory.fivegcs_cc.altered import (
    compress_the_dual,
    not_divided,
    rolled_gradients,
    server_drops,
    weights_of_the_sum,
)
from proveout.theory.fivegcs_cc.lyapunov import SOURCE, each_L, star
from proveout.theory.fivegcs_cc.rules import tune_ab, tune_cc
from proveout.theory.statement import Identity, Method, Path, Problem, at_most
from proveout.theory.twins import oracle, with_fields

__all__ = ["AB_EQUALS_FIVEGCS", "AB_EQUALS_POINT_SAGA", "CC_EQUALS_FIVEGCS", "FIXED_POINT"]


def rows(state: Any) -> Array:
    """x, the sum and the duals as rows: (n + 2, d)."""
    return np.concatenate([state.x[None], state.h_sum[None], state.h])


def along(path: Path) -> Array:
    return np.stack([rows(s) for s in path.states])


def anywhere(P: Problem, m: Method, rng: Any) -> State:
    """Any model and duals, and their sum."""
    h = rng.standard_normal((P.n, P.d))
    return State(x=rng.standard_normal(P.d), h=h, h_sum=h.sum(axis=0))


def tune_any(P: Problem, form: str = "cc", **choices: Any) -> Any:
    return tune_cc(P, **choices) if form == "cc" else tune_ab(P, **choices)


FIXED_POINT = Identity(
    source=SOURCE,
    method=(FiveGCSCC, FiveGCSAB),
    steps=20,
    start=lambda P, m, rng: star(P, m),
    sides=lambda P, m, path: (along(path), rows(star(P, m)) + 0 * along(path)),
    tune=tune_any,
    claim=r"(x^\star, h^\star)\ \text{is fixed for every cohort, weight and compressor}",
    twins=(
        not_divided,
        compress_the_dual,
        rolled_gradients,
        oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x)),
    ),
)

# ------------------------------------------------------------------ 5GCS


def _followed(P: Problem, m: Method, path: Path, draw_of: Any) -> Array:
    """5GCS with the same parameters on the same draws: (T + 1, n + 2, d)."""
    dual = m.gamma_dual if np.ndim(m.gamma_dual) == 0 else m.gamma_dual[0]
    cohort = path.draws[0].cohort.shape[-1]
    plain = FiveGCS(gamma=m.gamma, gamma_dual=dual, mu=m.mu, cohort=cohort, solver=m.solver)
    states = [PlainState(*path.states[0])]
    for draw in path.draws:
        states.append(plain.step(P, states[-1], draw_of(draw)))
    return np.stack([rows(s) for s in states])


CC_EQUALS_FIVEGCS = Identity(
    source=SOURCE,
    method=FiveGCSCC,
    allows=lambda P, m: m.omega == 0 and m.compressor.omega(P.d) == 0,
    steps=20,
    start=anywhere,
    sides=lambda P, m, path: (
        along(path),
        _followed(P, m, path, lambda draw: PlainDraw(cohort=draw.cohort, luck=draw.luck)),
    ),
    tune=tune_cc,
    claim=r"\omega = 0:\ \text{5GCS}",
    twins=(
        weights_of_the_sum,
        server_drops,
        with_fields("omega = 1", lambda P, m: {"omega": 1.0}),
        with_fields("rand-1", lambda P, m: {"compressor": RandK(k=1)}),
    ),
)

AB_EQUALS_FIVEGCS = Identity(
    source=SOURCE,
    method=FiveGCSAB,
    allows=lambda P, m: (
        isinstance(m.sampling, Nice) and len(set(np.atleast_1d(m.gamma_dual).tolist())) == 1 and _alike(P, m)
    ),
    steps=20,
    start=anywhere,
    sides=lambda P, m, path: (
        along(path),
        _followed(P, m, path, lambda draw: PlainDraw(cohort=draw.cohort, luck=np.zeros(1))),
    ),
    tune=tune_ab,
    claim=r"\text{uniform cohorts, equal } L_i:\ \text{5GCS}",
    twins=(
        weights_of_the_sum,
        server_drops,
        with_fields("draws with repeats", lambda P, m: {"sampling": Multi(draws=m.sampling.cohort)}),
        with_fields(
            "unequal gamma_i",
            lambda P, m: {"gamma_dual": tuple((m.gamma_dual * np.linspace(1, 2, P.n)).tolist())},
        ),
    ),
)


def _alike(P: Problem, m: Method) -> bool:
    """Does the solver see one L? An exact one sees none."""
    L = each_L(P)
    return isinstance(m.solver, Exact) or bool(at_most(float(L.max()), float(L.min())))


# ------------------------------------------------------------------ Point-SAGA


def tune_point_saga(P: Problem, sampling: str = "multi", **choices: Any) -> FiveGCSAB:
    """One draw per step, exact solves."""
    return tune_ab(P, **{**choices, "sampling": sampling, "cohort": 1})


def _point_saga(P: Problem, m: Method, path: Path) -> Array:
    """Point-SAGA on the same draws; with unequal probabilities its prox parameters and shares are the draw's own."""
    tau, q = np.broadcast_to(np.asarray(m.gamma_dual, float), (P.n,)), m.sampling.q(P.n)
    states = [path.states[0]]
    for draw in path.draws:
        j = int(draw.cohort[0])
        if m.sampling.probs is None:
            states.append(_uniform_step(P, m, states[-1], j))
            continue
        x, h, h_sum = states[-1]
        x_hat = (x - m.gamma * h_sum) / (1 + m.gamma * m.mu)
        z, curved = x_hat + h[j] / tau[j], (P.A[j] - m.mu * np.eye(P.d)) / P.n + tau[j] * np.eye(P.d)
        y = np.linalg.solve(curved, tau[j] * z + P.b[j] / P.n)  # prox of F_j with parameter 1/gamma_j
        g = tau[j] * (z - y)
        share = m.gamma * tau[j] / q[j]  # of the way to the prox
        states.append(
            State(x=x_hat + share * (y - x_hat), h=put(h, np.array([j]), g[None]), h_sum=h_sum + g - h[j])
        )
    return np.stack([rows(s) for s in states])


def _uniform_step(P: Problem, m: Method, state: State, j: int) -> State:
    """A step of `PointSAGA`: its table holds n h_j, its prox parameter is 1/(n gamma_dual)."""
    dual = float(np.atleast_1d(m.gamma_dual)[0])
    other = PointSAGA(gamma=1 / (P.n * dual), mu=m.mu, relax=m.gamma * P.n * dual)
    new = other.step(P, PointSAGAState(x=state.x, g=P.n * state.h), PointSAGADraw(j=np.array(j)))
    h = new.g / P.n
    return State(x=new.x, h=h, h_sum=h.sum(axis=0))


AB_EQUALS_POINT_SAGA = Identity(
    source=SOURCE,
    method=FiveGCSAB,
    assumes=(quadratic,),
    allows=lambda P, m: (
        isinstance(m.sampling, Multi) and m.sampling.draws == 1 and isinstance(m.solver, Exact)
    ),
    steps=20,
    start=anywhere,
    sides=lambda P, m, path: (along(path), _point_saga(P, m, path)),
    tune=tune_point_saga,
    claim=r"\text{one draw, exact solves: Point-SAGA with probabilities } q_i:\ "
    r"x^{+}=\hat x+\tfrac{\gamma\gamma_j}{q_j}(\mathrm{prox}_{F_j/\gamma_j}(\hat x+h_j/\gamma_j)-\hat x)",
    twins=(
        weights_of_the_sum,
        server_drops,
        with_fields("ten gradient steps", lambda P, m: {"solver": GD(steps=10)}),
        with_fields("two draws", lambda P, m: {"sampling": Multi(draws=2, probs=m.sampling.probs)}),
    ),
)
