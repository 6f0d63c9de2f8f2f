"""Local solvers: what they promise, on quadratics and logistic losses, in Fractions, on torch, with luck."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import apply, inner, norm, sqnorm, tree_map
from proveout.bridges.torch import converter, to_numpy, to_torch
from proveout.methods.blocks.solvers import AGD, GD, SVRG, Exact, slope, split
from proveout.problems import Quadratics, build
from proveout.testing import Counting, logistics, quadratics, seeds

taus = st.floats(0.01, 30)


def inner_problem(P, tau, seed, batch=(), share=1.0):
    rng = np.random.default_rng(seed)
    F = split(P, share * P.mu_min)
    center, start = rng.standard_normal((2, *batch, P.n, P.d))
    return F, 1.037 * tau * (1 + F.L), center, start  # n tau = mu has no prox


def rounding(P, tau, *points):
    """Of a gradient of psi at points of this size; over tau, of its minimiser."""
    size = max(np.abs(y).max() for y in points)
    return 1e-13 * ((P.L_max * size + np.abs(P.b).max()) / P.n + tau * size)


# ------------------------------------------------------------------ the view


def test_the_view_is_the_shifted_scaled_problem():
    P = build("quadratic:n=3,d=2,kappa=10,basis=rotated")
    F, y = split(P, P.mu_min), np.random.default_rng(0).standard_normal((5, 3, 2))
    np.testing.assert_allclose(F.grads(y), (P.grads(y) - P.mu_min * y) / 3)
    assert pytest.approx((P.L_max - P.mu_min) / 3) == F.L
    np.testing.assert_allclose(F.prox(y, 0.7) + 0.7 * F.grads(F.prox(y, 0.7)), y, atol=1e-13)
    cohort = np.array([2, 0])
    np.testing.assert_allclose(F.at(cohort).grads(y[:, cohort]), F.grads(y)[:, cohort])


def test_a_view_with_a_constant_per_client_hands_each_cohort_its_own():
    P = build("quadratic:n=4,d=2,kappa=10")
    F = split(P, P.mu_min, L=P.L_i[:, None])
    cohorts = np.array([[0, 1], [3, 2]])
    np.testing.assert_array_equal(F.at(cohorts).L[..., 0], (P.L_i[cohorts] - P.mu_min) / 4)
    np.testing.assert_array_equal(F.at(cohorts[0]).L[..., 0], (P.L_i[:2] - P.mu_min) / 4)


def test_the_one_prox_that_does_not_exist_is_refused():
    F = split(build("quadratic:n=2,d=1,kappa=3"), 1.0)
    with pytest.raises(ValueError, match="t mu must differ from n = 2"):
        F.prox(np.zeros((2, 1)), 2.0)


# ------------------------------------------------------------------ the promises


@given(P=quadratics(), seed=seeds, tau=taus, steps=st.integers(0, 12))
def test_gradient_descent_contracts_the_distance(P, seed, tau, steps):
    F, tau, center, start = inner_problem(P, tau, seed)
    best = Exact()(F, tau, center, start)
    y = GD(steps=steps)(F, tau, center, start)
    rate = 1 - tau / (F.L + tau)
    off = rounding(P, tau, best, start) / tau
    assert (norm(y - best) <= rate**steps * norm(start - best) + off).all()


@given(P=quadratics(), seed=seeds, tau=taus, steps=st.integers(1, 12))
def test_accelerated_descent_keeps_nesterovs_bound(P, seed, tau, steps):
    F, tau, center, start = inner_problem(P, tau, seed)

    best = Exact()(F, tau, center, start)

    def excess(y):
        """psi(y) - psi(best), without cancellation."""
        e = y - best
        return inner(e, (apply(P.A, e) - F.mu * e) / P.n + tau * e) / 2

    y, k = AGD(steps=steps)(F, tau, center, start), (F.L + tau) / tau
    first = excess(start) + tau / 2 * sqnorm(start - best)
    off = (F.L + tau) * (rounding(P, tau, best, start) / tau) ** 2
    assert (excess(y) <= (1 - k**-0.5) ** steps * first * (1 + 1e-9) + off).all()


def test_one_accelerated_step_is_one_step_and_none_is_none():
    F, tau, center, start = inner_problem(build("quadratic:n=3,d=2,kappa=10"), 0.1, 0)
    for k in (0, 1):
        np.testing.assert_array_equal(AGD(steps=k)(F, tau, center, start), GD(steps=k)(F, tau, center, start))


def test_where_f_is_flat_the_contraction_is_attained():
    P = Quadratics(A=np.array([[[1.0]], [[9.0]]]), b=np.zeros((2, 1)))
    F, tau, start = split(P, 1.0), 2.0, np.ones((2, 1))
    y = GD(steps=3)(F, tau, 0 * start, start)
    assert y[0, 0] == pytest.approx((1 - tau / (F.L + tau)) ** 3)


@given(P=quadratics(), seed=seeds, tau=taus, share=st.sampled_from([1.0, 0.3]))
def test_the_exact_answer_is_stationary_on_quadratics(P, seed, tau, share):
    F, tau, center, start = inner_problem(P, tau, seed, (2,), share)
    y = Exact()(F, tau, center, start)
    assert np.abs(slope(F, tau, center, y)).max() <= rounding(P, tau, y, center)


@given(P=logistics(), seed=seeds, tau=taus, scale=st.sampled_from([1.0, 30.0]))
def test_the_exact_answer_is_stationary_on_logistic_losses(P, seed, tau, scale):
    F, tau, center, start = inner_problem(P, tau, seed, (2,))
    y = Exact()(F, tau, scale * center, start)
    assert np.abs(slope(F, tau, scale * center, y)).max() <= 1e-10 * (tau + F.L) * (
        1 + scale * np.abs(center).max()
    )


def test_a_prox_of_negative_curvature_exists_as_long_as_the_sum_is_convex():
    for spec in ("logistic:synthetic,clients=2,m=20,d=3,kappa=30", "quadratic:n=2,d=2,kappa=10"):
        P = build(spec)
        v, t = np.random.default_rng(1).standard_normal((2, P.d)), -1 / (0.7 * P.mu_min)
        y = P.prox(v, t)
        assert np.abs(P.grads(y) + (y - v) / t).max() < 1e-12
    with pytest.raises(ValueError, match=r"l2 \+ 1/t must be > 0"):
        build("logistic:synthetic,clients=2,m=20,d=3").prox(np.zeros((2, 3)), -1e-9)


def test_dense_and_sparse_prox_agree_for_cohorts_with_a_parameter_per_client():
    dense, sparse = (build(f"logistic:a1a,clients=8,kappa=100,sparse={s}") for s in ("no", "yes"))
    rng = np.random.default_rng(0)
    cohorts, v = np.array([[0, 5, 3], [2, 2, 7]]), rng.standard_normal((2, 3, dense.d))
    t = rng.uniform(0.5, 5, (8, 1))[cohorts]
    a, b = (P.at(cohorts).prox(v, t) for P in (dense, sparse))
    np.testing.assert_allclose(a, b, atol=1e-12)
    np.testing.assert_allclose(dense.at(cohorts).grads(a) + (a - v) / t, 0, atol=1e-12)
    whole = rng.standard_normal((2, 8, dense.d))
    np.testing.assert_allclose(dense.prox(whole, 2.0), sparse.prox(whole, 2.0), atol=1e-12)
    one = dense.at(cohorts[0]).prox(v[0], t[0])
    np.testing.assert_allclose(a[0], one, atol=1e-12)


def test_quadratics_take_a_parameter_per_client():
    P = build("quadratic:n=3,d=2,kappa=10,basis=rotated")
    v, t = np.random.default_rng(0).standard_normal((4, 3, 2)), np.array([[0.1], [2.0], [30.0]])
    y = P.prox(v, t)
    np.testing.assert_allclose(y + t * P.grads(y), v, atol=1e-12)
    np.testing.assert_allclose(y[:, 1], P.prox(v, 2.0)[:, 1], atol=1e-13)


# ------------------------------------------------------------------ other numbers


def fractions(a):
    return np.array([Fraction(float(v)) for v in np.ravel(a)], dtype=object).reshape(np.shape(a))


def test_gradient_descent_and_the_prox_run_in_fractions():
    P = build("quadratic:n=2,d=3,kappa=10,basis=rotated")
    exact = Quadratics(A=fractions(P.A), b=fractions(P.b))
    F = replace(split(P, 1.0), problem=exact, mu=Fraction(1), L=Fraction(9, 2))
    center = fractions(np.random.default_rng(0).standard_normal((2, 3)))
    y = Exact()(F, Fraction(2, 3), center, center)
    assert not slope(F, Fraction(2, 3), center, y).any()
    near = GD(steps=2)(F, Fraction(2, 3), center, center)
    assert all(isinstance(v, Fraction) for v in near.ravel())
    floats = GD(steps=2)(split(P, 1.0), 2 / 3, center.astype(float), center.astype(float))
    np.testing.assert_allclose(near.astype(float), floats, rtol=1e-9)


@pytest.mark.parametrize(
    "spec", ["quadratic:n=3,d=2,kappa=10,basis=rotated", "logistic:synthetic,clients=3,m=20,d=2"]
)
@pytest.mark.parametrize("solver", [GD(steps=3), AGD(steps=3), Exact(), SVRG(gamma=0.05, steps=2, passes=2)])
def test_numpy_equals_torch_and_a_batch_equals_a_loop(spec, solver):
    P, convert = build(spec), converter()
    F, tau, center, start = inner_problem(P, 0.2, 3, (4,))
    luck = solver.law(P, 3).sample(np.random.default_rng(0), (4,))
    y = solver(F, tau, center, start, luck)
    other = solver(split(to_torch(P), P.mu_min), tau, *map(convert, (center, start, luck)))
    np.testing.assert_allclose(y, to_numpy(other), rtol=1e-9, atol=1e-12)
    loop = [solver(F, tau, c, s, u) for c, s, u in zip(center, start, luck, strict=True)]
    np.testing.assert_allclose(y, np.stack(loop), rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------ luck


def test_a_variance_reduced_step_is_a_gradient_step_on_average():
    P = build("logistic:synthetic,clients=2,m=20,d=2,kappa=10")
    F, tau, center, start = inner_problem(P, 0.3, 0)
    solver = SVRG(gamma=0.05, steps=2)
    draws = np.stack(np.meshgrid(*[np.arange(P.m)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    luck = np.broadcast_to(draws[:, :, None, None], (len(draws), 2, 2, 1))  # all pairs of samples
    y = solver(F, tau, center, start, luck).mean(axis=0)
    step = start - 0.05 * slope(F, tau, center, start)
    after_one = SVRG(gamma=0.05, steps=1)(F, tau, center, start, luck[:, :1]).mean(axis=0)
    np.testing.assert_allclose(after_one, step, atol=1e-14)
    inner = step - 0.05 * slope(F, tau, center, step)
    np.testing.assert_allclose(y, inner, atol=1e-12)  # the first step has no variance at the anchor


def test_variance_reduced_passes_reach_the_minimiser():
    P = build("logistic:synthetic,clients=3,m=30,d=4,kappa=100")
    F, tau, center, start = inner_problem(P, 0.3, 1, (6,))
    solver = SVRG(gamma=0.1, steps=30, passes=20, batch=2)
    luck = solver.law(P, 3).sample(np.random.default_rng(0), (6,))
    best = Exact()(F, tau, center, start)
    y = solver(F, tau, center, start, luck)
    assert sqnorm(y - best, 2).max() <= 1e-8 * sqnorm(start - best, 2).min()


@pytest.mark.parametrize("solver", [GD(steps=4), AGD(steps=4), Exact(), SVRG(gamma=0.1, steps=3, passes=2)])
def test_a_solver_says_what_it_asks_for(solver):
    P = build("logistic:synthetic,clients=3,m=30,d=2")
    counting = Counting(P)
    F, tau, center, start = inner_problem(P, 0.3, 1)
    luck = solver.law(P, 3).sample(np.random.default_rng(0), ())
    solver(replace(F, problem=counting), tau, center, start, luck)
    assert solver.gradients(P) == pytest.approx(float(counting.count / 3))


def test_the_luck_of_a_solver_is_one_of_its_cohorts():
    P = build("logistic:synthetic,clients=3,m=30,d=2")
    law = SVRG(gamma=0.1, steps=3, passes=2, batch=4).law(P, 2)
    assert law.sample(np.random.default_rng(0), (5,)).shape == (5, 6, 2, 4)
    assert tree_map(np.shape, GD(steps=1).law(P, 2).sample(np.random.default_rng(0), (5,))) == (5, 1)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: GD(steps=-1), "steps must be an integer >= 0, got -1"),
        (lambda: AGD(steps=1.5), "steps must be an integer >= 0, got 1.5"),
        (lambda: SVRG(gamma=0.0, steps=1), "gamma must be > 0, got 0.0"),
        (lambda: SVRG(gamma=1.0, steps=1, passes=0), "passes must be >= 1, got 0"),
        (lambda: SVRG(gamma=1.0, steps=1, batch=0), "batch must be >= 1, got 0"),
    ],
)
def test_wrong_fields_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
