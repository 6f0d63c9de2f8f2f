"""The local-solver condition: what a solver owes, for all clients, and how many steps of it suffice.

With psi_i(y) = F_i(y) + (tau/2) |y - (x_hat + h_i/tau)|^2, y_i the solver's answer and y*_i the minimiser,

    sum_i 4 mu L_F^2/(3 n tau^2) |y_i - y*_i|^2 + L_F/tau^2 |grad psi_i(y_i)|^2  <=  (mu/6n) sum_i |x_hat - y*_i|^2.

GD with K >= (3/8 sqrt(C kappa/n) + 1) log 4 kappa steps meets it; the paper asks for twice as many.  AGD meets it with

    K >= sqrt(k) log(6 kappa (k + 1)^2),   k = 1 + 3/8 sqrt(C kappa/n) >= (L_F + tau)/tau.

`LocalWork` is that work alone, the very solver that `FiveGCS` calls, for all clients at once.  Only x_hat - y*_i counts:
moving f_i changes neither its class nor its Hessian.  So all y*_i may be supposed to lie at x*, that is
h_i = h*_i + tau (x* - x_hat); then x_hat is anywhere.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, sqnorm, to_clients
from proveout.laws import Joint, Law
from proveout.methods.blocks.costs import Cost
from proveout.methods.blocks.solvers import AGD, GD, Exact, slope, split
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.fivegcs.lyapunov import (
    SOURCE,
    dual_star,
    dual_step,
    fits,
    kappa,
    local_steps_rule,
    smoothness,
    tune,
)
from proveout.theory.statement import Horizon, Method, Problem, Square, Terms, at_most
from proveout.theory.twins import bound_times, with_fields

__all__ = ["HALF_THE_LOCAL_STEPS", "LOCAL_SOLVER_CONDITION", "LocalWork", "WorkState", "sides_at"]


class WorkState(NamedTuple):
    x: Array  # (..., d)  where the clients start: x_hat
    h: Array  # (..., n, d)  duals for which every psi_i is least at x*
    y: Array  # (..., n, d)  the solver's answers


class Luck(NamedTuple):
    luck: Array  # (..., K, n, batch)  minibatches, if the solver has luck


@dataclass(frozen=True, kw_only=True)
class LocalWork:
    gamma_dual: float
    mu: float
    cohort: int  # of the round: the rule for the number of steps asks for it
    solver: Any
    start: float = 1.0  # the solver starts at this multiple of x_hat

    def init(self, problem: Any, x0: Array) -> WorkState:
        h = dual_star(problem, self) + self.gamma_dual * (problem.x_star - x0)[..., None, :]
        return WorkState(x=x0, h=h, y=to_clients(x0, problem.n))

    def law(self, problem: Any) -> Law:
        return Joint(Luck(luck=self.solver.law(problem, problem.n)))

    def center(self, state: WorkState) -> Array:
        return state.x[..., None, :] + state.h / self.gamma_dual

    def step(self, problem: Any, state: WorkState, draw: Luck) -> WorkState:
        F, start = split(problem, self.mu), self.start * state.x[..., None, :] + 0 * state.h
        y = self.solver(F, self.gamma_dual, self.center(state), start, draw.luck)
        return WorkState(x=state.x, h=state.h, y=y)

    def cost(self, problem: Any, draw: Luck) -> Cost:
        return Cost(gradients=problem.n * self.solver.gradients(problem))


# ------------------------------------------------------------------ the condition


def left(P: Problem, m: Method, state: WorkState) -> Terms:
    """Where x* is the minimiser y*_i of every psi_i."""
    tau, L = m.gamma_dual, smoothness(P, m)
    return (
        Square(m.mu * 4 * L**2 / (3 * P.n * tau**2), state.y - P.x_star, core=2),
        Square(L / tau**2, slope(split(P, m.mu), tau, m.center(state), state.y), core=2),
    )


def right(P: Problem, m: Method, T: int, start: WorkState) -> Terms:
    return (Square(m.mu / 6, start.x - P.x_star),)


def _star(P: Problem, m: Method) -> WorkState:
    return WorkState(x=P.x_star, h=dual_star(P, m), y=to_clients(P.x_star, P.n))


def by_the_rule(P: Problem, m: Any) -> bool:
    """gamma_dual is the rule's, the solver starts at x_hat."""
    tau = dual_step(P.n, m.cohort, float(P.L_max), float(m.mu))
    return fits(P, m) and at_most(tau, m.gamma_dual * (1 + 1e-5)) and m.start == 1


def _enough(P: Problem, m: Any, kind: str) -> bool:
    kinds: dict[str, Any] = {"rule": GD, "half": GD, "accelerated": AGD}
    steps = local_steps_rule(P.n, m.cohort, float(kappa(P, m)), kind)
    return bool(isinstance(m.solver, kinds[kind]) and m.solver.steps >= steps)


def tune_work(
    P: Problem, cohort: int | None = None, local_steps: Any = "rule", mu_share: float = 1.0
) -> LocalWork:
    """The clients' part of `tune`."""
    m = tune(P, cohort=cohort, local_steps=local_steps, mu_share=mu_share)
    return LocalWork(gamma_dual=m.gamma_dual, mu=m.mu, cohort=m.cohort, solver=m.solver)


LOCAL_SOLVER_CONDITION = Horizon(
    source=f"{SOURCE}, corollary on gradient descent as local solver; for AGD derived",
    method=LocalWork,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: by_the_rule(P, m) and (_enough(P, m, "rule") or _enough(P, m, "accelerated")),
    measure=left,
    bound=right,
    star=_star,
    tune=tune_work,
    claim=r"K \ge (\tfrac34\sqrt{C\kappa/n}+2)\log 4\kappa:\ \text{local-solver condition}",
    twins=(
        with_fields("one step", lambda P, m: {"solver": GD(steps=1)}),
        with_fields("no step", lambda P, m: {"solver": GD(steps=0)}),
        with_fields("start at 0", lambda P, m: {"start": 0.0}),
        with_fields("gamma_dual / 30", lambda P, m: {"gamma_dual": m.gamma_dual / 30}),
    ),
)

HALF_THE_LOCAL_STEPS = Horizon(
    source=f"{SOURCE}, corollary on gradient descent as local solver; derived",
    method=LocalWork,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: by_the_rule(P, m) and _enough(P, m, "half"),
    measure=left,
    bound=right,
    star=_star,
    tune=lambda P, **choices: tune_work(P, **{"local_steps": "half", **choices}),
    claim=r"K \ge (\tfrac38\sqrt{C\kappa/n}+1)\log 4\kappa:\ \text{local-solver condition}",
    twins=(
        with_fields("one step", lambda P, m: {"solver": GD(steps=1)}),
        with_fields("start at 0", lambda P, m: {"start": 0.0}),
        with_fields("an eighth of the rule", lambda P, m: {"solver": GD(steps=m.solver.steps // 4)}),
        bound_times(1e-6),
    ),
)


def sides_at(P: Problem, m: Method, state: Any, luck: Any = None) -> tuple[Array, Array]:
    """Both sides of the condition at any state of `FiveGCS`, over all clients, those not sampled too: (...), (...)."""
    F, tau, x_hat = split(P, m.mu), m.gamma_dual, m.x_hat(state)[..., None, :] + 0 * state.h
    center = x_hat + state.h / tau
    y, best = (solve(F, tau, center, x_hat, luck) for solve in (m.solver, Exact()))
    distance = 4 * m.mu * F.L**2 / (3 * P.n * tau**2) * sqnorm(y - best, core=2)
    steepness = F.L / tau**2 * sqnorm(slope(F, tau, center, y), core=2)
    return distance + steepness, m.mu / (6 * P.n) * sqnorm(x_hat - best, core=2)
