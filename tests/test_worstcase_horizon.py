"""The worst-case lens over T steps, and against PEPit."""

import contextlib
import io
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from proveout.methods.gd import GD
from proveout.methods.proxskip import Scaffnew
from proveout.problems import FunctionClass
from proveout.theory import gd, proxskip
from proveout.theory.assumptions import convex, quadratic, smooth, strongly_convex
from proveout.theory.lenses.worstcase import Settings, answer, ask, check, trace
from proveout.theory.lenses.worstcase.enclosure import enclose
from proveout.theory.lenses.worstcase.program import program
from proveout.theory.statement import Gap, Horizon, OneStep, Square
from worstcase_records import (
    SAGA_LINEAR,
    FiniteSumSGD,
    Momentum,
    Two,
    X,
    heavy_ball,
    sure,
    triple_momentum,
)


def f(L=1.0, mu=0.0):
    return FunctionClass(n=1, L_max=L, mu_min=mu)


def factor(statement, problem, method, T, **settings):
    interval = answer(ask(statement, problem, method, Settings(steps=T, **settings))).interval
    assert interval.low <= interval.up
    return interval.up


# ------------------------------------------------------------------ several steps of a random method

PSI = Horizon(
    source="",
    method=Scaffnew,
    assumes=proxskip.LINEAR_CONVERGENCE.assumes,
    measure=proxskip.LINEAR_CONVERGENCE.lyapunov,
    bound=lambda P, m, T, start: proxskip.LINEAR_CONVERGENCE.lyapunov(P, m, start),
    star=proxskip.LINEAR_CONVERGENCE.star,
    domain=proxskip.LINEAR_CONVERGENCE.domain,
)


@pytest.mark.parametrize("n", [2, 30])
@pytest.mark.parametrize("T, value", [(1, 0.91), (2, 0.8242826), (3, 0.7406122)])
def test_several_steps_contract_more_than_one_step_to_the_power(n, T, value):
    P = FunctionClass(n=n, L_max=10.0, mu_min=1.0)
    assert factor(PSI, P, Scaffnew(gamma=0.1, p=0.3), T) == pytest.approx(value, abs=1e-7)


def test_four_steps_of_two_clients():
    P = FunctionClass(n=2, L_max=10.0, mu_min=1.0)
    assert factor(PSI, P, Scaffnew(gamma=0.1, p=0.3), 4) == pytest.approx(0.6579275, abs=1e-7)


# ------------------------------------------------------------------ quadratics: eigenvalues know


def both(P, m, state):
    return Square(1, state.x - P.x_star), Square(1, state.old - P.x_star)


HEAVY_BALL = Horizon(
    source="",
    method=Momentum,
    assumes=(smooth, strongly_convex, quadratic),
    measure=both,
    bound=lambda P, m, T, start: both(P, m, start),
    star=lambda P, m: Two(P.x_star, P.x_star),
    domain=lambda P, m, state: state,
)


@pytest.mark.parametrize("T", [1, 2, 3, 5, 8])
def test_heavy_ball_on_quadratics_is_the_maximum_over_eigenvalues(T):
    m = heavy_ball(10.0, 1.0)
    steps = [np.array([[1 + m.b - m.gamma * lam, -m.b], [1, 0]]) for lam in np.linspace(1, 10, 20_001)]
    truth = max(np.linalg.norm(np.linalg.matrix_power(A, T), 2) ** 2 for A in steps)
    assert factor(HEAVY_BALL, f(10.0, 1.0), m, T) == pytest.approx(truth, rel=1e-7)


# ------------------------------------------------------------------ the ways to measure a path

GAP = replace(
    gd.CONVEX_RATE, bound=lambda P, m, T, start: (Square(1, start.x - P.x_star),), method=(GD, Momentum)
)


@pytest.mark.parametrize("T", [1, 2, 3, 5])
def test_the_least_gradient_of_a_nonconvex_function(T):
    claim = Horizon(
        source="",
        method=GD,
        assumes=(smooth,),
        over="min",
        measure=lambda P, m, s: (Square(1, P.grad(s.x)),),
        bound=lambda P, m, T, start: (Gap(4 * P.L / (3 * T + 2), start.x),),
    )
    assert factor(claim, f(1.0, -1.0), GD(gamma=1.0), T) == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("over", ["last", "mean", "mean_iterate"])
def test_paths_of_quadratics_are_measured_as_their_eigenvalues_say(over):
    claim = Horizon(
        source="",
        method=GD,
        assumes=(smooth, convex, quadratic),
        over=over,
        measure=lambda P, m, s: (Gap(1, s.x),),
        bound=lambda P, m, T, start: (Square(1, start.x - P.x_star),),
    )
    lam = np.linspace(0, 1, 100_001)
    path = np.stack([(1 - 0.9 * lam) ** t for t in range(4)])
    of_path = {"last": path[-1] ** 2, "mean": (path**2).mean(axis=0), "mean_iterate": path.mean(axis=0) ** 2}
    truth = (lam / 2 * of_path[over]).max()
    assert factor(claim, f(1.0), GD(gamma=0.9), 3) == pytest.approx(truth, rel=1e-7)


def test_without_its_end_a_path_of_one_step_is_its_start():
    claim = replace(GAP, over="mean", includes_end=False)
    assert factor(claim, f(1.0), GD(gamma=1.0), 1) == pytest.approx(0.5, abs=1e-8)


def test_weights_are_normalised_and_the_last_alone_is_last():
    claim = Horizon(
        source="",
        method=GD,
        assumes=(smooth, convex),
        over="mean",
        weights=lambda P, m, T: [0.0] * T + [7.0],
        measure=lambda P, m, s: (Gap(1, s.x),),
        bound=lambda P, m, T, start: (Square(1, start.x - P.x_star),),
    )
    assert factor(claim, f(1.0), GD(gamma=1.0), 2) == pytest.approx(1 / 10, abs=1e-8)


def test_a_bound_that_is_a_number_has_no_reading():
    numeric = replace(gd.CONVEX_RATE, bound=lambda P, m, T, start: 1.0)
    verdict = check(numeric, f(10.0), GD(gamma=0.1))
    assert verdict.word == "not applicable"
    assert "terms of the start" in verdict.note


# ------------------------------------------------------------------ PEPit types each method once more


def pepit(example, **arguments):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return example(**arguments, verbose=-1, solver="CLARABEL")[0]


def tau(statement, problem, method, T):
    question = ask(statement, problem, method, Settings(steps=T))
    return answer(question).interval.up


@pytest.mark.parametrize("T", [1, 5, 10])
def test_gradient_descent_agrees_with_pepit(T):
    from PEPit.examples.unconstrained_convex_minimization import wc_gradient_descent

    theirs = pepit(wc_gradient_descent, L=1.0, gamma=1.0, n=T)
    assert tau(GAP, f(1.0), GD(gamma=1.0), T) == pytest.approx(theirs, abs=1e-6)


@dataclass(frozen=True, kw_only=True)
class ProximalPoint:
    gamma: Any

    def init(self, problem, x0):
        return X(x0)

    def law(self, problem):
        return sure()

    def step(self, problem, state, draw):
        return X(problem.prox(state.x[..., None, :], self.gamma)[..., 0, :])


def test_the_proximal_point_method_agrees_with_pepit():
    from PEPit.examples.unconstrained_convex_minimization import wc_proximal_point

    claim = replace(GAP, method=ProximalPoint, assumes=(convex,))
    theirs = pepit(wc_proximal_point, gamma=1.5, n=3)
    assert tau(claim, f(1.0), ProximalPoint(gamma=1.5), 3) == pytest.approx(theirs, abs=1e-6)


def test_triple_momentum_agrees_with_pepit():
    from PEPit.examples.unconstrained_convex_minimization import wc_triple_momentum

    m, rho = triple_momentum(10.0, 1.0), 1 - 0.1**0.5
    delta = rho**2 / (1 - rho**2)
    ahead = replace(
        GAP,
        assumes=(smooth, strongly_convex),
        measure=lambda P, m, s: (Gap(1, s.x + delta * (s.x - s.old)),),
    )
    theirs = pepit(wc_triple_momentum, mu=1.0, L=10.0, n=3)
    assert tau(ahead, f(10.0, 1.0), m, 3) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("n", [2, 3])
def test_one_step_of_sgd_over_n_functions_agrees_with_pepit(n):
    from PEPit.examples.stochastic_and_randomized_convex_minimization import wc_sgd

    claim = OneStep(
        source="",
        method=FiniteSumSGD,
        assumes=proxskip.LINEAR_CONVERGENCE.assumes,
        lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star), Square(1 / P.n, P.h_star, core=2)),
        star=lambda P, m: X(P.x_star),
        rate=lambda P, m: 1,
    )
    found = trace(claim, FunctionClass(n=n, L_max=1.0, mu_min=0.1), FiniteSumSGD(gamma=1.0))
    ours = enclose(program(found, [found.after[0]], found.before, [4.0, 1.0])).up
    assert ours == pytest.approx(pepit(wc_sgd, L=1, mu=0.1, gamma=1, v=1, R=2, n=n), abs=1e-6)


@pytest.mark.parametrize("n", [2, 3])
def test_saga_agrees_with_pepit(n):
    from PEPit.examples.stochastic_and_randomized_convex_minimization import wc_saga

    P = FunctionClass(n=n, L_max=1.0, mu_min=0.1)
    ours = answer(ask(SAGA_LINEAR, P, SAGA_LINEAR.tune(P))).interval.up
    assert ours == pytest.approx(pepit(wc_saga, L=1, mu=0.1, n=n), abs=1e-6)
