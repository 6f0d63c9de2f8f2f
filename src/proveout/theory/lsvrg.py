"""L-SVRG (Kovalev, Horváth, Richtárik, arXiv:1901.08689): linear convergence with O(n + kappa) gradients.

If each f_i is L_max-smooth and mu_min-strongly convex and gamma <= 1/(6 L_max), then

    E[Psi(next)] <= max{1 - gamma mu_min, 1 - p/2} Psi,
    Psi = |x - x*|^2 + (4 gamma^2 / p) (1/n) sum_i |grad f_i(w) - grad f_i(x*)|^2.

With D = f(x) - f* and s the mean of squares in Psi: E|estimate|^2 <= 4 L D + 2 s and E s' <= (1 - p) s + 2 p L D, so
that the terms in D sum to -2 gamma (1 - 6 gamma L) D <= 0.

With gamma = 1/(6 L_max), max{6 kappa, 2/p} log(Psi_0/eps) steps are enough; at p = 1/n a step costs three gradients in
the mean.  One component (n = 1) is gradient descent whatever p, and so are n equal ones.  With p = 1 and components
that differ it is not: the anchor is then the last iterate, one step late.
"""

import numpy as np

from proveout.arrays import Array, namespace
from proveout.methods.gd import GD, NoDraw
from proveout.methods.gd import State as ModelState
from proveout.methods.lsvrg import LSVRG, Draw, State
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.proxskip.altered import edited
from proveout.theory.statement import (
    Assumption,
    Complexity,
    Identity,
    Method,
    OneStep,
    Path,
    Problem,
    Square,
    Terms,
    at_most,
    log_ratio,
)
from proveout.theory.twins import (
    branch_dropped,
    field_times,
    oracle,
    rate_gap,
    statement_with,
    update_times,
    weight_times,
)

__all__ = [
    "ANCHOR_GRADIENT",
    "EQUALS_GD",
    "FIXED_POINT",
    "GRADIENT_COMPLEXITY",
    "LINEAR_CONVERGENCE",
    "psi",
    "star",
    "tune",
]

SOURCE = "Kovalev, Horváth, Richtárik (arXiv:1901.08689)"


def psi(P: Problem, m: Method, state: State) -> Terms:
    weight = m.gamma**2 / m.p * 4 / P.n
    return (
        Square(1, state.x - P.x_star),
        Square(weight, P.grads(state.w[..., None, :]) - P.h_star, core=2),
    )


def star(P: Problem, m: Method) -> State:
    return State(x=P.x_star, w=P.x_star, g=P.grad(P.x_star))


def gradient_of_anchor(P: Problem, m: Method, state: State) -> State:
    """The admissible states: g = grad f(w)."""
    return state._replace(g=P.grad(state.w))


def tune(P: Problem, p: float | None = None) -> LSVRG:
    """gamma = 1/(6 L_max); by default p = 1/n, so that a refresh costs one gradient per step in the mean."""
    return LSVRG(gamma=1 / (6 * P.L_max), p=1 / P.n if p is None else p)


# ------------------------------------------------------------------ altered steps


def _one_gradient(P: Problem, state: State, draw: Draw, at: Array) -> Array:
    """grad f_j(at): (..., d)."""
    g: Array = P.at(draw.j[..., None]).grads(at[..., None, :])
    return g[..., 0, :]


def _sgd(P: Problem, m: Method, state: State, draw: Draw, new: State) -> State:
    return new._replace(x=state.x - m.gamma * _one_gradient(P, state, draw, state.x))


def _next_component(P: Problem, m: Method, state: State, draw: Draw, new: State) -> State:
    after = draw._replace(j=(draw.j + 1) % P.n)
    wrong = _one_gradient(P, state, draw, state.w) - _one_gradient(P, state, after, state.w)
    return new._replace(x=new.x - m.gamma * wrong)


def _new_point(P: Problem, m: Method, state: State, draw: Draw, new: State) -> State:
    return new._replace(w=namespace(new.w).where(draw.theta[..., None], new.x, state.w))


plain_sgd = edited("no anchor: x' = x - gamma grad f_j(x)", _sgd)
next_component = edited("another component at the anchor", _next_component)
new_point = edited("the new x for the old one in the refresh", _new_point)

# ------------------------------------------------------------------ statements

LINEAR_CONVERGENCE = OneStep(
    source=f"{SOURCE}, main theorem",
    method=LSVRG,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: at_most(m.gamma * 6 * P.L_max, 1),
    lyapunov=psi,
    star=star,
    domain=gradient_of_anchor,
    rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p / 2),
    tune=tune,
    claim=r"E\Psi^{+} \le \max\{1-\gamma\mu,\,1-\tfrac p2\}\,\Psi,\quad"
    r"\Psi = \|x-x^\star\|^2+\tfrac{4\gamma^2}{pn}\sum_i\|\nabla f_i(w)-\nabla f_i(x^\star)\|^2",
    twins=(
        field_times("gamma", 3),
        update_times("w", 0),
        update_times("w", 2),
        update_times("x", 0.5),
        weight_times(1, 4),
        rate_gap(2),
        plain_sgd,
        next_component,
        *(branch_dropped(k) for k in range(2)),
    ),
)


def _steps(P: Problem, m: Method, eps: float, start: State) -> float:
    """max{1/(gamma mu), 2/p} log(Psi_0/eps)."""
    return float(max(1 / (m.gamma * P.mu_min), 2 / m.p)) * log_ratio(psi(P, m, start), P, eps)


GRADIENT_COMPLEXITY = Complexity(
    source=f"{SOURCE}, corollary",
    method=LSVRG,
    assumes=(each_smooth, each_strongly_convex),
    allows=LINEAR_CONVERGENCE.allows,
    measure=psi,
    count=lambda P, m, eps, start: (2 + P.n * m.p) * _steps(P, m, eps, start),
    unit="gradients",
    star=star,
    domain=gradient_of_anchor,
    tune=tune,
    claim=r"E\Psi\le\varepsilon \text{ after } (2+pn)\max\{\tfrac1{\gamma\mu},\tfrac2p\}"
    r"\log\tfrac{\Psi^0}\varepsilon \text{ gradients: } O((n+\kappa)\log\tfrac1\varepsilon) \text{ at } p=\tfrac1n",
    twins=(
        statement_with("refreshes not counted", count=lambda P, m, eps, start: 2 * _steps(P, m, eps, start)),
        statement_with("steps for gradients", count=_steps),
        update_times("w", 0),
        statement_with(
            "a third of the steps", count=lambda *args: (2 + args[0].n * args[1].p) / 3 * _steps(*args)
        ),
        plain_sgd,
    ),
)


def _alike(P: Problem) -> bool:
    """One component, or equal ones? Asked at a few points."""
    g = P.grads(np.random.default_rng(0).standard_normal((4, 1, P.d)))
    return bool(np.abs(g - g[:, :1]).max() <= 1e-12 * np.abs(g).max())


def _along(path: Path, field: str) -> Array:
    return np.stack([getattr(state, field) for state in path.states])


def _descent(P: Problem, m: Method, path: Path) -> Array:
    descent, states = GD(gamma=m.gamma), [ModelState(x=path.states[0].x)]
    for _ in path.draws:
        states.append(descent.step(P, states[-1], NoDraw(nothing=np.zeros(()))))
    return np.stack([s.x for s in states])


EQUALS_GD = Identity(
    source=SOURCE,
    method=LSVRG,
    assumes=(Assumption("one component, or equal ones", _alike),),
    sides=lambda P, m, path: (_along(path, "x"), _descent(P, m, path)),
    tune=tune,
    claim=r"n = 1:\quad x^{t+1} = x^t-\gamma\nabla f(x^t)",
    twins=(
        update_times("x", 0.5),
        update_times("g", 0),
        update_times("w", 0),
        new_point,
        oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x)),
    ),
)

ANCHOR_GRADIENT = Identity(
    source=SOURCE,
    method=LSVRG,
    sides=lambda P, m, path: (_along(path, "g"), P.grad(_along(path, "w"))),
    tune=tune,
    claim=r"g^t = \nabla f(w^t)",
    twins=(
        update_times("g", 0),
        update_times("g", 0.5),
        update_times("w", 0),
        new_point,
        oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x)),
    ),
)


def _stays(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    there = np.concatenate([_along(path, field) for field in State._fields], axis=-1)
    return there, np.concatenate(list(star(P, m)), axis=-1) + 0 * there


FIXED_POINT = Identity(
    source=SOURCE,
    method=LSVRG,
    steps=20,
    start=lambda P, m, rng: star(P, m),
    sides=_stays,
    tune=tune,
    claim=r"x = w = x^\star \text{ stays for every draw}",
    twins=(plain_sgd, next_component),
)
