"""The proof lens: from float multipliers to exact certificates."""

from fractions import Fraction

import numpy as np
import pytest

from proveout.theory.lenses.proof import ladder
from proveout.theory.lenses.proof.ladder import climb
from proveout.theory.lenses.proof.polynomials import interpolate
from proveout.theory.lenses.proof.rational import echelon, pivots, solve_near
from proveout.theory.lenses.proof.task import Task, proves
from proveout.theory.lenses.worstcase.forms import Form

MICRO = Fraction(1, 10**6)


# ------------------------------------------------------------------ tasks typed by hand


def square(size, *row):
    """The matrix of |sum_a row_a e_a|^2."""
    r = np.array([Fraction(x) for x in row] + [Fraction(0)] * (size - len(row)), dtype=object)
    return np.outer(r, r)


def interpolation(L, mu, x, d):
    """The two inequalities of F(mu, L) between a point with coordinates x, d and the optimum: (matrices)."""
    size = x.size
    k = 1 / (2 * (1 - mu / L))
    cross = (np.outer(x, d) + np.outer(d, x)) / 2
    both = k * (np.outer(d, d) / L + mu * np.outer(x, x) - 2 * mu / L * cross)
    assert both.shape == (size, size)
    return -both, cross - both


def reduced(blocks, value):
    return Form(tuple(blocks), np.array([Fraction(value)], dtype=object))


def gradient_descent(L, mu, gamma, rate):
    """V = |x|^2, x' = x - gamma d, basis (x, d)."""
    L, mu, gamma, rate = map(Fraction, (L, mu, gamma, rate))
    x, d = np.array([1, 0], dtype=object) * Fraction(1), np.array([0, 1], dtype=object) * Fraction(1)
    up, down = interpolation(L, mu, x, d)
    before, after = square(2, 1), square(2, 1, -gamma)
    return Task(reduced([before], 0), reduced([after], 0), (reduced([up], 1), reduced([down], -1)), rate)


def scaffnew(L, mu, gamma, p, rate):
    """Difference block (x, d, h - h*), mean block (x, d): the shifts sum to zero.  Any n >= 2."""
    L, mu, gamma, p, rate = map(Fraction, (L, mu, gamma, p, rate))
    w = (gamma / p) ** 2
    stay = square(3, 1, -gamma, gamma) + w * square(3, 0, 0, 1)
    talk = w * square(3, -p / gamma, p, 1 - p)
    before = [square(3, 1) + w * square(3, 0, 0, 1), square(2, 1)]
    after = [(1 - p) * stay + p * talk, square(2, 1, -gamma)]
    one = Fraction(1)
    a = interpolation(L, mu, np.array([one, 0 * one, 0 * one]), np.array([0 * one, one, 0 * one]))
    m = interpolation(L, mu, np.array([one, 0 * one]), np.array([0 * one, one]))
    pairs = tuple(reduced([a[k], m[k]], 1 - 2 * k) for k in (0, 1))
    return Task(reduced(before, 0), reduced(after, 0), pairs, rate)


# ------------------------------------------------------------------ the ladder


@pytest.mark.parametrize(
    "L, mu, gamma, rate, multiplier",
    [
        ("10", "1", "1/10", "81/100", "9/50"),
        ("10", "1", "2/11", "81/121", "36/121"),  # gamma = 2/(L+mu): both branches
        ("7", "1/3", "1/7", "400/441", "40/147"),
        ("10", "1", "1/5", "1", "2/5"),  # the other branch, 2 gamma (gamma L - 1)
    ],
)
def test_gradient_descent_is_proved_at_its_exact_rate(L, mu, gamma, rate, multiplier):
    task = gradient_descent(L, mu, gamma, rate)
    lam = climb(task)
    assert lam == [Fraction(multiplier)] * 2
    assert proves(task, lam)


@pytest.mark.parametrize("gamma, rate", [("1/10", "81/100"), ("2/11", "81/121"), ("1/5", "1")])
def test_a_rate_smaller_by_a_millionth_has_no_certificate(gamma, rate):
    assert climb(gradient_descent(10, 1, gamma, Fraction(rate) - MICRO)) is None


@pytest.mark.parametrize(
    "gamma, p, rate", [("1/10", "1/2", "81/100"), ("1/10", "3/10", "91/100"), ("2/11", "2/5", "21/25")]
)
def test_scaffnew_is_proved_at_its_exact_rate(gamma, p, rate):
    task = scaffnew(10, 1, gamma, p, rate)
    lam = climb(task)
    assert lam is not None
    assert proves(task, lam)
    assert climb(scaffnew(10, 1, gamma, p, Fraction(rate) - MICRO)) is None


def test_no_step_size_that_is_too_large_is_proved():
    assert climb(scaffnew(10, 1, "21/100", "3/10", "1")) is None


def test_the_kernel_rung_works_where_small_denominators_are_forbidden(monkeypatch):
    monkeypatch.setattr(ladder, "DENOMINATORS", (10**7 + 19,))  # rounds to no simple fraction by luck
    for task in (gradient_descent(7, 1, "1/13", "144/169"), scaffnew(10, 1, "1/13", "3/10", "91/100")):
        lam = climb(task)
        assert lam is not None
        assert proves(task, lam)


def test_multipliers_that_are_handed_in_are_a_start():
    task = scaffnew(10, 1, "1/10", "1/2", "81/100")
    assert climb(task, np.array([0.18 + 1e-9, 0.18 - 1e-9])) == [Fraction(9, 50)] * 2


def test_directions_that_no_form_sees_are_dropped_without_loss():
    task = gradient_descent(10, 1, "1/10", "81/100")
    T = np.array([[1, 0], [0, 1], [2, -3]], dtype=object) * Fraction(1)  # a third vector, 2 x - 3 d

    def wide(f):
        return Form((T @ f.blocks[0] @ T.T,), f.values)

    doubled = Task(wide(task.before), wide(task.after), tuple(map(wide, task.inequalities)), task.rate)
    assert pivots([f.blocks[0] for f in (doubled.before, doubled.after, *doubled.inequalities)]) == [0, 1]
    lam = climb(doubled)
    assert lam == climb(task)
    assert proves(doubled, lam)


# ------------------------------------------------------------------ exact linear algebra


def test_echelon_solves_what_numpy_solves():
    rng = np.random.default_rng(0)
    m = rng.integers(-5, 6, size=(4, 6))
    rows, pivot, left = echelon([[Fraction(int(x)) for x in r] for r in m], [5, 3, 0, 1, 2, 4])
    assert len(rows) == np.linalg.matrix_rank(m)
    assert pivot[0] == 5
    assert not any(any(r) for r in left)
    got = np.array(rows, dtype=float)
    assert np.allclose(got[:, pivot], np.eye(len(pivot)))
    assert np.linalg.matrix_rank(np.concatenate([m, got])) == len(rows)


def test_equations_that_contradict_each_other_have_no_solution():
    one = Fraction(1)
    assert solve_near([[one, one, one], [one, one, 2 * one]], np.array([0.5, 0.5]), 10) is None


def test_the_large_entries_are_solved_for_and_the_small_ones_rounded():
    got = solve_near([[Fraction(1), Fraction(3), Fraction(1)]], np.array([0.7001, 0.0999]), 10)
    assert got == [Fraction(7, 10), Fraction(1, 10)]


def test_interpolation_finds_a_polynomial_and_refuses_a_ratio():
    def polynomial(v):
        return np.array([Fraction(v[0]) ** 2 * v[1] - 3, Fraction(v[1]) ** 3 + v[0]], dtype=object)

    found = interpolate(polynomial, (1, 2))
    assert {e: c.tolist() for e, c in found.items()} == {
        (0, 0): [-3, 0],
        (0, 3): [0, 1],
        (1, 0): [0, 1],
        (2, 1): [1, 0],
    }
    with pytest.raises(ValueError, match="variable 0"):
        interpolate(lambda v: np.array([Fraction(1, v[0])], dtype=object), (1,))
