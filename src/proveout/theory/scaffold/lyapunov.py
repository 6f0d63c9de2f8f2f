"""The Lyapunov function of one local step, the optimum, the admissible states, the parameter rule."""

from proveout.arrays import mean_clients
from proveout.methods.scaffold import Scaffold, State
from proveout.theory.statement import Method, Problem, Square, Terms

__all__ = ["SOURCE", "psi", "server_has_the_mean", "star", "tune"]

SOURCE = "Karimireddy et al. (arXiv:1910.06378)"


def psi(P: Problem, m: Method, state: State) -> Terms:
    weight = (m.gamma * m.gamma_server) ** 2 * 4 / m.cohort
    return Square(1, state.x - P.x_star), Square(weight, state.h - P.h_star, core=2)


def star(P: Problem, m: Method) -> State:
    return State(x=P.x_star, h=P.h_star, h_bar=0 * P.x_star)


def server_has_the_mean(P: Problem, m: Method, state: State) -> State:
    """The admissible states: h_bar = mean of the h_i."""
    return state._replace(h_bar=mean_clients(state.h)[..., 0, :])


def tune(
    P: Problem,
    cohort: int | None = None,
    local_steps: int = 1,
    option: int = 2,
    gamma_L: float | None = None,
    gamma_server: float = 1.0,
) -> Scaffold:
    """gamma = gamma_L / L_max, by default the largest that the theorem of one local step allows, cut by their number."""
    share = 1 / (6 * local_steps * gamma_server) if gamma_L is None else gamma_L
    return Scaffold(
        gamma=share / P.L_max,
        cohort=P.n if cohort is None else min(cohort, P.n),
        local_steps=local_steps,
        gamma_server=gamma_server,
        option=option,
    )
