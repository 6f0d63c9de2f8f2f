"""Abstract vectors: what a trace contains, and what it refuses."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.arrays import mean_clients, namespace, sqnorm, take
from proveout.laws import Joint, Subset
from proveout.methods.gd import GD
from proveout.methods.proxskip import Scaffnew, State
from proveout.problems import FunctionClass, Quadratics
from proveout.theory import gd, proxskip
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase import Settings, instance, trace
from proveout.theory.lenses.worstcase.abstract import AbstractProblem
from proveout.theory.lenses.worstcase.classes import Class
from proveout.theory.lenses.worstcase.forms import Form, total
from proveout.theory.lenses.worstcase.luck import Luck
from proveout.theory.lenses.worstcase.space import Full, NotSymmetric, Orbit, Space
from proveout.theory.lenses.worstcase.world import World
from proveout.theory.statement import Cross, Gap, OneStep, Square, evaluate
from worstcase_records import (
    EACH,
    SAGA,
    SAGA_LINEAR,
    FiniteSumSGD,
    SagaState,
    X,
    saga_latent,
    sure,
)


def world(n=3, tracked=(0, 1), L=10.0, mu=1.0, capacity=64, **more):
    orbit = Orbit(tuple(range(n)), tracked, Class(L=L, mu=mu))
    space = Space([orbit], capacity, **more)
    return World(space, Luck(space))


def problem_of(w, **constants):
    return AbstractProblem(w, FunctionClass(n=w.space.n, L_max=10.0, mu_min=1.0, **constants))


# ------------------------------------------------------------------ the oracle


def test_asking_twice_at_a_point_creates_no_column():
    w = world()
    P = problem_of(w)
    x = w.space.clients("x") + w.x_star
    g = P.grads(x)
    used = w.space.used
    np.testing.assert_array_equal(P.grads(x), g)
    np.testing.assert_array_equal(P.grads((x[None] * 0.1 + 0.9 * x)[0]), g)  # reached on another way
    assert w.space.used == used


def test_at_the_optimum_the_gradients_are_h_star():
    w = world()
    P = problem_of(w)
    used = w.space.used
    np.testing.assert_array_equal(P.grads(P.x_star[None, :]), P.h_star)
    np.testing.assert_allclose(P.grad(P.x_star), 0, atol=1e-15)
    assert w.space.used == used


def test_atoms_share_the_points_that_were_asked_before_they_branch():
    w = world()
    P = problem_of(w)
    x = w.space.clients("x")
    P.grads(x)
    used = w.space.used
    P.grads(np.stack([x, 0 * x + P.x_star, x]))
    assert w.space.used == used
    P.grads(np.stack([x, 2 * x]))
    assert w.space.used == used + 2  # one letter, two tracked clients


def test_a_cohort_is_asked_for_the_whole_orbit():
    w = world(n=5, tracked=(0, 1, 2, 3))
    P = problem_of(w)
    x = w.space.clients("x")
    cohort = np.array([0, 2])
    part = P.at(cohort).grads(x[cohort])
    np.testing.assert_array_equal(part, P.grads(x)[cohort])


def test_points_that_depend_on_who_is_drawn_are_refused():
    w = world(n=4, tracked=(0, 1, 2))
    P = problem_of(w)
    x = w.space.clients("x")
    mean_of_two = np.repeat(x[:2].mean(axis=0)[None], 4, axis=0)
    with pytest.raises(NotSymmetric):
        P.grads(mean_of_two)


def test_prox_is_an_implicit_gradient_step_and_is_known_afterwards():
    w = world()
    P = problem_of(w)
    z = w.space.clients("z")
    x = P.prox(z, 0.5)
    np.testing.assert_allclose(x, z - 0.5 * P.grads(x), atol=1e-15)
    used = w.space.used
    np.testing.assert_array_equal(P.prox(z, 0.5), x)
    np.testing.assert_allclose(P.prox(P.x_star + 0.5 * P.h_star, 0.5)[0], P.x_star, atol=1e-15)
    assert w.space.used == used


def test_with_l_equal_mu_a_gradient_is_no_new_vector():
    w = world(L=2.0, mu=2.0)
    P = problem_of(w)
    x = w.space.clients("x")
    used = w.space.used
    np.testing.assert_allclose(P.grads(x), 2 * (x - P.x_star) + P.h_star)
    np.testing.assert_allclose(P.prox(x, 1.0) + P.grads(P.prox(x, 1.0)), x, atol=1e-15)
    assert w.space.used == used


def test_no_column_left_is_said_and_a_trace_takes_more():
    w = world(capacity=6)
    w.space.clients("x")
    with pytest.raises(Full):
        w.space.clients("h")
    P = FunctionClass(n=60, L_max=10.0, mu_min=1.0)
    assert trace(proxskip.LINEAR_CONVERGENCE, P, Scaffnew(gamma=0.1, p=0.3)).basis


def test_forms_stand_on_either_side_of_a_number():
    form = Form((np.eye(2),), np.zeros(1), 3.0)
    for scaled in (np.float64(2.0) * form, form * 2, form + form, 2 * form - 0 * form):
        np.testing.assert_array_equal(scaled.blocks[0], 2 * np.eye(2))
        assert scaled.noise == 6


# ------------------------------------------------------------------ terms: numbers and forms are one


def rational(rng, *shape):
    return np.vectorize(lambda k: Fraction(int(k), 6), otypes=[object])(rng.integers(-12, 13, shape))


def rational_problem(rng, n, d):
    root = rational(rng, n, d, d)
    one = np.vectorize(Fraction, otypes=[object])(np.eye(d, dtype=int))
    A = root @ root.swapaxes(-1, -2) + one
    return A, rational(rng, n, d)


class Solved(Quadratics):
    """Rational quadratics: x* by elimination instead of an inverse in floats."""

    @property
    def x_star(self):
        import sympy

        n, d = self.A.shape[:2]
        A, b = self.A.sum(axis=0), self.b.sum(axis=0)
        x = sympy.Matrix(d, d, lambda i, j: sympy.Rational(str(A[i, j]))).LUsolve(
            sympy.Matrix([sympy.Rational(str(v)) for v in b])
        )
        return np.array([Fraction(str(v)) for v in x], dtype=object)

    @property
    def h_star(self):
        return self.grads(self.x_star[None, :])

    L_max = Fraction(10)
    mu_min = Fraction(1)


def every_term(P, m, state):
    x, h = state.x - P.x_star, state.h - P.h_star
    return (
        Square(Fraction(2), x, core=2),
        Square(Fraction(1, 3), mean_clients(x)[..., 0, :]),
        Cross(Fraction(-1, 2), x, h, core=2),
        Gap(Fraction(3), state.x, core=2),
        Gap(Fraction(1, 5), mean_clients(state.x)[..., 0, :]),
    )


@pytest.mark.parametrize("full", [False, True])
def test_a_terms_value_is_its_form_at_the_gram_matrix_of_the_same_vectors_in_fractions(full):
    rng = np.random.default_rng(3)
    n, d = 3, 2
    A, b = rational_problem(rng, n, d)
    P = Solved(A=A, b=b)
    m = Scaffnew(gamma=Fraction(1, 7), p=Fraction(2, 5))
    x, h = rational(rng, n, d), rational(rng, n, d)
    state = State(x=x, h=h - h.sum(axis=0) * Fraction(1, n))
    statement = replace(proxskip.LINEAR_CONVERGENCE, lyapunov=every_term)
    klass = FunctionClass(n=n, L_max=Fraction(10), mu_min=Fraction(1))
    found = trace(statement, klass, m, Settings(exact=True, full=full))
    grams, values = instance(found, P, state)

    def exactly(s):
        parts = every_term(P, m, s)
        squares = [t.weight * sqnorm(t.vector, t.core) for t in parts[:2]]
        cross = parts[2].weight * (parts[2].u * parts[2].v).sum(axis=(-2, -1))
        gaps = P.values(s.x) - P.values(np.broadcast_to(P.x_star, (n, d)))
        mean = np.broadcast_to(mean_clients(s.x), s.x.shape)
        of_f = (P.values(mean) - P.values(np.broadcast_to(P.x_star, (n, d)))).sum(axis=-1) * Fraction(1, n)
        return [*squares, cross, 3 * gaps.sum(axis=-1), Fraction(1, 5) * of_f]

    prob, draw = m.law(P).atoms()
    after = [prob @ np.asarray(v, dtype=object) for v in exactly(m.step(P, state, draw))]
    assert [form.at(grams, values) for form in found.before] == exactly(state)
    assert [form.at(grams, values) for form in found.after] == after
    assert all(isinstance(v, Fraction) for v in after)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), full=st.booleans())
def test_forms_and_class_inequalities_hold_on_actual_functions(seed, full):
    rng = np.random.default_rng(seed)
    n, d = 3, 2
    root = rng.standard_normal((n, d, d))
    P = Quadratics(A=root @ root.swapaxes(-1, -2) + np.eye(d), b=rng.standard_normal((n, d)))
    m = SAGA(gamma=0.3 / P.L_max)
    free = SagaState(*(rng.standard_normal(s) for s in ((d,), (n, d), (n, d))))
    klass = FunctionClass(n=n, L_max=P.L_max, mu_min=P.mu_min)
    found = trace(SAGA_LINEAR, klass, m, Settings(full=full))
    grams, values = instance(found, P, free)
    state = saga_latent(P, m, free)
    prob, draw = m.law(P).atoms()
    now = evaluate(SAGA_LINEAR.lyapunov(P, m, state), P)
    new = prob @ evaluate(SAGA_LINEAR.lyapunov(P, m, m.step(P, state, draw)), P)
    assert total(found.before).at(grams, values) == pytest.approx(now, rel=1e-9)
    assert total(found.after).at(grams, values) == pytest.approx(new, rel=1e-9)
    size = 1 + max(np.abs(G).max() for G in grams)
    assert min(c.form.at(grams, values) for c in found.inequalities) > -1e-9 * size


def test_exact_data_are_the_float_data():
    m, klass = Scaffnew(gamma=0.15, p=0.3), FunctionClass(n=4, L_max=10.0, mu_min=1.0)
    exact_m = Scaffnew(gamma=Fraction(3, 20), p=Fraction(3, 10))
    exact_klass = FunctionClass(n=4, L_max=Fraction(10), mu_min=Fraction(1))
    ours = trace(proxskip.LINEAR_CONVERGENCE, klass, m)
    exact = trace(proxskip.LINEAR_CONVERGENCE, exact_klass, exact_m, Settings(exact=True))
    assert exact.basis == ours.basis
    pairs = [*zip(ours.after, exact.after), *zip(ours.before, exact.before)]
    pairs += [(a.form, b.form) for a, b in zip(ours.inequalities, exact.inequalities)]
    for a, b in pairs:
        A, _ = (block.astype(float) for block in b.blocks)
        np.testing.assert_allclose(a.blocks[0], A, atol=1e-14)
        M, scale = b.blocks[1].astype(float), np.array([1, *[2.0] * 4])  # sqrt(n) of the means' basis
        np.testing.assert_allclose(a.blocks[1] * np.multiply.outer(scale, scale), M, atol=1e-13)


def test_a_float_among_fractions_is_not_rational():
    half = replace(
        proxskip.LINEAR_CONVERGENCE, lyapunov=lambda P, m, s: (Square(0.5, s.x - P.x_star, core=2),)
    )
    klass = FunctionClass(n=2, L_max=Fraction(10), mu_min=Fraction(1))
    with pytest.raises(ValueError, match="not rational"):
        trace(half, klass, Scaffnew(gamma=Fraction(1, 10), p=Fraction(1)), Settings(exact=True))


# ------------------------------------------------------------------ what is refused


@dataclass(frozen=True, kw_only=True)
class Bent:
    """Gradient descent with something that is not linear."""

    bend: Any
    gamma: float = 0.1

    def init(self, problem, x0):
        return X(x0)

    def law(self, problem):
        return sure()

    def step(self, problem, state, draw):
        return X(state.x - self.gamma * self.bend(problem.grad(state.x)))


BENDS = {
    "clipping": lambda g: g * np.minimum(1, 1e3 / np.maximum(1e-300, np.sqrt(sqnorm(g))))[..., None],
    "normalisation": lambda g: g / np.maximum(1e-300, np.sqrt(sqnorm(g)))[..., None],
    "a sign": np.sign,
    "an offset": lambda g: g + 1.0,
    "one coordinate": lambda g: np.where(np.arange(g.shape[-1]) == 0, g, 0),
    "a sort": lambda g: np.sort(g, axis=-1),
}


@pytest.mark.parametrize("name", BENDS)
def test_a_step_that_is_not_linear_is_refused(name):
    statement = replace(gd.CONTRACTION, method=Bent)
    P = FunctionClass(n=1, L_max=10.0, mu_min=1.0)
    with pytest.raises(Refused, match="linear"):
        trace(statement, P, Bent(bend=BENDS[name]))
    assert trace(statement, P, Bent(bend=lambda g: 2 * g)).basis


class Who(NamedTuple):
    cohort: Any


@dataclass(frozen=True, kw_only=True)
class TwoOf:
    """Gradients of two clients; `first`: always the same two."""

    gamma: float
    first: bool = False

    def init(self, problem, x0):
        return X(x0)

    def law(self, problem):
        from proveout.laws import Sure

        return Joint(Who(Sure(np.arange(2)) if self.first else Subset(problem.n, 2)))

    def step(self, problem, state, draw):
        g = problem.at(draw.cohort).grads(state.x[..., None, :])
        return X(state.x - self.gamma * namespace(g).mean(g, axis=-2))


TWO = OneStep(
    source="",
    method=TwoOf,
    assumes=EACH,
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star), Square(1 / P.n, P.h_star, core=2)),
    star=lambda P, m: X(P.x_star),
    rate=lambda P, m: 1,
)


def test_clients_that_are_told_apart_need_the_full_gram_matrix():
    P = FunctionClass(n=3, L_max=1.0, mu_min=0.1)
    assert len(trace(TWO, P, TwoOf(gamma=0.5)).layout.pairs) == 1
    with pytest.raises(NotSymmetric, match="apart"):
        trace(TWO, P, TwoOf(gamma=0.5, first=True))
    assert "full Gram" in trace(TWO, P, TwoOf(gamma=0.5, first=True), Settings(full=True)).notes
    uneven = replace(TWO, lyapunov=lambda P, m, s: (Square(1, take(P.h_star, np.array([0]))[..., 0, :]),))
    with pytest.raises(NotSymmetric, match="apart"):
        trace(uneven, P, TwoOf(gamma=0.5))


def test_a_domain_that_is_no_projection_is_refused():
    halved = replace(proxskip.LINEAR_CONVERGENCE, domain=lambda P, m, s: s._replace(h=0.5 * s.h))
    with pytest.raises(Refused, match="projection"):
        trace(halved, FunctionClass(n=3), Scaffnew(gamma=0.1, p=0.3))


def test_one_function_whatever_the_number_of_clients_if_the_claim_speaks_of_f():
    found = trace(gd.CONTRACTION, FunctionClass(n=7, L_max=10.0, mu_min=1.0), GD(gamma=0.1))
    assert found.layout.world.space.n == 1
    each = replace(gd.CONTRACTION, assumes=(each_smooth, each_strongly_convex))
    seven = trace(each, FunctionClass(n=7, L_max=10.0, mu_min=1.0), GD(gamma=0.1))
    assert seven.layout.world.space.n == 7


def test_a_claim_that_favours_the_origin_sees_x_star():
    at_zero = replace(gd.CONTRACTION, lyapunov=lambda P, m, s: (Square(1, s.x),))
    P = FunctionClass(n=1, L_max=10.0, mu_min=1.0)
    place = trace(at_zero, P, GD(gamma=0.1)).basis[0].index("x*")
    assert trace(at_zero, P, GD(gamma=0.1)).before[0].blocks[0][place, place] == 1
    assert trace(gd.CONTRACTION, P, GD(gamma=0.1)).before[0].blocks[0][place].any() == 0


def test_one_draw_for_one_function_in_a_minibatch_without_replacement():
    """Both halves of an orbit's split see the whole pattern: full and reduced data agree on a cohort of two."""
    P = FunctionClass(n=4, L_max=1.0, mu_min=0.1)
    for method in (TwoOf(gamma=0.5), FiniteSumSGD(gamma=0.5)):
        statement = replace(TWO, method=type(method))
        rng = np.random.default_rng(0)
        root = rng.standard_normal((4, 2, 2))
        data = Quadratics(A=root @ root.swapaxes(-1, -2) + np.eye(2), b=rng.standard_normal((4, 2)))
        state = X(rng.standard_normal(2))
        values = []
        for full in (False, True):
            found = trace(statement, P, method, Settings(full=full))
            values.append(total(found.after).at(*instance(found, data, state)))
        assert values[0] == pytest.approx(values[1], rel=1e-12)
