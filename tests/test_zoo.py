"""The zoo on quadratics: every assumption is decided, least constants, frontiers, witnesses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.methods.blocks.assumptions import (
    ABC,
    ABS,
    ASSUMPTIONS,
    BND,
    BREQ,
    BVD,
    CON,
    FSML,
    SG1,
    SG2,
    Scalars,
)
from proveout.methods.blocks.compressors import BiasedRandK, RandK
from proveout.methods.blocks.estimators import Affine, Compressed, Exact, Minibatch, Scaled
from proveout.problems import Quadratics, federated
from proveout.testing import quadratics, seeds
from proveout.theory.zoo import Class, frontier, least, measure, standing
from proveout.theory.zoo.decided import additive
from proveout.theory.zoo.edge import least_multiple, smallest
from proveout.theory.zoo.pair import best_pair
from proveout.theory.zoo.rows import rows
from proveout.theory.zoo.sdp import least_by_sdp, minimise
from proveout.theory.zoo.standing import Question

LINE = Quadratics(A=np.ones((1, 1, 1)), b=np.zeros((1, 1)))  # x^2/2
KINDS = tuple(ASSUMPTIONS.values())
TRIO = (SG1, SG2, BREQ)


def weighted(P, x):
    """Clients with unequal weights, one of them shifted: biased, noisy, different Hessians."""
    g = P.grads(np.broadcast_to(x, (P.n, P.d)))
    return [(0.3, 1.1 * g[0]), (0.5, g[1]), (0.2, g[-1] + 0.1)]


ESTIMATORS = {
    "exact": Exact(),
    "biased rand-1": Compressed(BiasedRandK(k=1)),
    "rand-1": Compressed(RandK(k=1)),
    "shifted": Affine(factors=(1.0, 2.0), shifts=((0.3,), (-0.1,))),
    "minibatch": Minibatch(batch=1),
    "weighted": weighted,
}
each = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)


def value_of(row, scalars):
    return np.asarray(sum(float(k) * np.asarray(v) for k, v in zip(row, scalars, strict=True)))


def size_of(s):
    return 1 + s.G + s.E1 + s.V


def cloud(P, seed=0, count=300):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, P.d)) * 10.0 ** rng.uniform(-3, 3, (count, 1))
    return np.concatenate([P.x_star + x, P.x_star[None]])


def numbers(record):
    return {k: float(v) for k, v in vars(record).items()}


# ------------------------------------------------------------------ the worked examples


@given(P=quadratics(d=st.just(3)))
@settings(max_examples=10)
def test_e1_rand_one_in_three_dimensions(P):
    biased, scaled = Compressed(BiasedRandK(k=1)), Compressed(RandK(k=1))
    third = pytest.approx(1 / 3, abs=1e-6)
    assert (least(SG1, biased, P).alpha, least(SG1, biased, P).beta) == (third, pytest.approx(1, abs=1e-6))
    assert least(SG2, biased, P).tau == third
    assert least(BREQ, biased, P).zeta == third
    assert 1 - least(CON, biased, P).alpha == pytest.approx(2 / 3, abs=1e-6)
    assert numbers(least(BVD, biased, P)) == pytest.approx({"eta": 4 / 9, "xi": 2 / 9}, abs=1e-6)
    assert least(FSML, biased, P).u2 == pytest.approx(1 / 9, abs=1e-6)
    assert least(BND, biased, P).M == pytest.approx(2, abs=1e-6)
    assert least(ABS, biased, P) is None
    assert numbers(least(SG1, scaled, P)) == pytest.approx({"alpha": 3, "beta": 3}, abs=1e-6)
    assert numbers(least(BREQ, scaled, P)) == pytest.approx({"rho": 1, "zeta": 3}, abs=1e-6)
    assert least(CON, scaled, P) is None
    assert numbers(least(BVD, scaled, P)) == pytest.approx({"eta": 0, "xi": 2}, abs=1e-6)
    assert least(FSML, scaled, P).u2 == pytest.approx(1, abs=1e-6)


def test_e2_additive_errors():
    P = federated(d=3, basis="rotated")
    one = Affine(factors=(1.0, 1.0), shifts=((0.3, 0, 0), (0.3, 0.2, 0)))
    assert least(ABS, one, P).Delta2 == pytest.approx(0.11, rel=1e-9)
    assert numbers(least(BND, one, P)) == pytest.approx(
        {"m": 0, "phi2": 0.10, "M": 0, "sigma2": 0.01}, abs=1e-9
    )
    k = least(ABC, one, P)
    assert k.c / k.b == pytest.approx(0.1, rel=1e-9)
    assert least(FSML, one, P) is None
    three = Affine(factors=(3.0,), shifts=((0.3, 0, 0),))
    k = least(ABC, three, P)
    assert k.c / k.b == pytest.approx(0.01, rel=1e-9)
    assert least(BND, three, P) is None


@pytest.mark.parametrize("b, c", [(0.35, 0.35), (0.4070, 0.42669)])
def test_e5_the_frontier_of_bounded_bias_is_attained_by_an_affine_estimator(b, c):
    """Bias = (a x + s)^2 <= m x^2 + phi2, tangent: a = k - sqrt(k^2 - m), s^2 = phi2 (m - a^2)/m, k = 1 - b."""
    m, phi2, k = 0.3, 0.7, 1 - b
    a = k - np.sqrt(k * k - m)
    s = np.sqrt(phi2 * (m - a * a) / m)

    def tangent(P, x):
        return [(1.0, x - a * x - s)]

    assert least(BND, tangent, LINE, m=m).phi2 == pytest.approx(phi2, rel=1e-9)
    assert frontier(ABC, tangent, LINE, "b")(b) == pytest.approx(c, abs=5e-6)


def test_the_frontier_of_an_absolute_error_is_that_of_the_class():
    """g = grad f + s in one dimension: P = G + s grad f, so c*(b) = s^2/(4 (1 - b)), and C*(B) = s^2 B/(B - 1)."""
    e = Affine(factors=(1.0,), shifts=((0.6,),))
    c, C = frontier(ABC, e, LINE, "b"), frontier(ABC, e, LINE, "B")
    for b in (0.1, 0.5, 0.9):
        assert c(b) == pytest.approx(0.36 / (4 * (1 - b)), rel=1e-10)
    for B in (1.5, 2.0, 10.0):
        assert C(B) == pytest.approx(0.36 * B / (B - 1), rel=1e-10)
    assert c(1.0) == np.inf  # grows without bound as b -> 1
    assert c(1 - 1e-6) == pytest.approx(0.36 / 4e-6, rel=1e-6)
    assert C(1.0) == np.inf
    assert C(0.5) == np.inf


@given(P=quadratics(), share=st.floats(0.05, 0.95))
@settings(max_examples=20)
def test_the_frontier_is_the_closed_form_of_the_dossier(P, share):
    """c*(b) = s'H X_b^{-1} H s/4, X_b = sym(H Gbar) - b H^2."""
    e = Affine(factors=(1.0, 2.0), shifts=((0.3,), (-0.1,)))
    H, s, b = P.hessians.mean(axis=0), e.p @ e.s(P.d), share * 1.5
    X = 1.5 * H @ H - b * H @ H
    assert frontier(ABC, e, P, "b")(b) == pytest.approx(s @ H @ np.linalg.solve(X, H @ s) / 4, rel=1e-6)


@pytest.mark.parametrize(
    "name, outcomes, expected",
    [
        (
            "X1",
            lambda P, x: [(1, x / 2)],
            {
                CON: {"alpha": 0.75},
                BVD: {"eta": 0.25, "xi": 0},
                BND: {"m": 0.25, "phi2": 0, "M": 0, "sigma2": 0},
                FSML: {"q": 0.5, "u2": 0.25, "U": 0, "Q": 0},
                SG1: {"alpha": 0.25, "beta": 0.5},
                SG2: {"tau": 0.5, "beta": 0.5},
                BREQ: {"rho": 0.5, "zeta": 0.25},
                ABC: {"A": 0, "B": 0.25, "C": 0, "b": 0.5, "c": 0},
            },
        ),
        (
            "X2",
            lambda P, x: [(1 / 3, 3 * x), (2 / 3, 0 * x)],
            {
                BVD: {"eta": 0, "xi": 2},
                BREQ: {"rho": 1, "zeta": 3},
                SG1: {"alpha": 3, "beta": 3},
                SG2: {"tau": 1, "beta": 3},
                BND: {"m": 0, "phi2": 0, "M": 2, "sigma2": 0},
                FSML: {"q": 1, "u2": 1, "U": 2, "Q": 0},
                ABC: {"A": 0, "B": 3, "C": 0, "b": 1, "c": 0},
            },
        ),
        (
            "X3",
            lambda P, x: [(1, 3 * x)],
            {
                BREQ: {"rho": 3, "zeta": 9},
                SG1: {"alpha": 9, "beta": 3},
                SG2: {"tau": 3, "beta": 3},
                FSML: {"q": 3, "u2": 9, "U": 0, "Q": 0},
                ABC: {"A": 0, "B": 9, "C": 0, "b": 3, "c": 0},
            },
        ),
        (
            "X4",
            lambda P, x: [(1, x + 1)],
            {
                ABS: {"Delta2": 1},
                BND: {"m": 0, "phi2": 1, "M": 0, "sigma2": 0},
                ABC: {"A": 0, "B": 2, "C": 2, "b": 0.5, "c": 0.5},
            },
        ),
        (
            "X5",
            lambda P, x: [(0.5, x + 1), (0.5, x - 1)],
            {
                ABS: {"Delta2": 1},
                BND: {"m": 0, "phi2": 0, "M": 0, "sigma2": 1},
                FSML: {"q": 1, "u2": 1, "U": 0, "Q": 1},
                ABC: {"A": 0, "B": 1, "C": 1, "b": 1, "c": 0},
            },
        ),
        ("X7", lambda P, x: [(1, 3 * x + 1)], {ABC: {"A": 0, "B": 18, "C": 2, "b": 1.5, "c": 1 / 6}}),
        ("X8", lambda P, x: [(1, 0 * x)], {}),
        ("X9", lambda P, x: [(1, -x)], {}),
    ],
)
def test_the_witnesses_of_the_map_are_where_the_map_says(name, outcomes, expected):
    for kind in KINDS:
        one = standing(kind, outcomes, LINE)
        if kind in expected:
            assert one.word == "least", (name, kind)
            assert numbers(one.constants) == pytest.approx(expected[kind], abs=1e-9), (name, kind)
        else:
            assert one.word == "violated", (name, kind)
    if name == "X7":
        assert frontier(ABC, outcomes, LINE, "b")(2.0) == pytest.approx(0.25)
        assert frontier(ABC, outcomes, LINE, "B")(18.0) == pytest.approx(2.0)


# ------------------------------------------------------------------ least constants: hold everywhere, and no smaller ones do


@each
@given(seed=seeds)
@settings(max_examples=8)
def test_least_constants_hold_at_every_point(estimator, seed):
    P = federated(n=3, d=3, basis="rotated", noise=0.5, seed=seed % 97)
    s = measure(estimator, P, cloud(P, seed)).values
    asked = Question(estimator, P)
    for kind in KINDS:
        one = standing(kind, asked, P)
        for row in one.constants.rows() if one.constants else ():
            assert (value_of(row, s) <= 1e-8 * size_of(s)).all(), kind.__name__
        if one.constants:
            assert one.gap <= 1e-7
            assert one.slack >= -1e-8


@each
@given(seed=seeds)
@settings(max_examples=8)
def test_one_per_mille_less_fails_where_the_constant_is_attained(estimator, seed):
    P = federated(n=3, d=3, basis="rotated", seed=seed % 97)
    asked = Question(estimator, P)
    for kind in KINDS:
        one = standing(kind, asked, P)
        if one.constants is None:
            continue
        for row in rows(kind):
            name = additive(row) or next(iter(row.slopes))
            exact = numbers(one.constants)
            if exact[name] <= 1e-9:  # nothing is smaller
                continue
            smaller = {**exact, name: exact[name] * (1.001 if name in kind.lower else 0.999)}
            z = asked.forms.point(_z(asked, kind, row, exact))[0]
            here = measure(estimator, P, z[None]).values
            assert value_of(row.at(smaller), here)[0] > 0, (kind.__name__, name)


def _z(asked, kind, row, constants):
    """The null vector of the row's matrix."""
    return smallest(-asked.forms.of(row.at(constants)))[1]


@each
@given(seed=seeds)
@settings(max_examples=6)
def test_a_witness_forbids_every_constant(estimator, seed):
    P = federated(n=3, d=3, basis="rotated", seed=seed % 97)
    rng = np.random.default_rng(seed)
    asked = Question(estimator, P)
    for kind in KINDS:
        w = standing(kind, asked, P).witness
        if w is None:
            continue
        constants = _proper(kind, rng)
        x = w.x[None]
        if w.direction is not None:
            x = P.x_star + w.direction * 10.0 ** np.arange(2, 9)[:, None]
        s = measure(estimator, P, x).values
        broken = np.stack([value_of(row, s) for row in constants.rows()])
        assert (broken > 0).any(), (kind.__name__, constants, w.text)


def _proper(kind, rng):
    """Constants that say something, weak ones."""
    fields = {name: 10.0 ** rng.uniform(0, 2) for row in rows(kind) for name in row.slopes}
    fields |= {name: 10.0 ** rng.uniform(-4, -2) for name in kind.lower}
    fields |= {name: 0.999 for name in ("eta", "m") if name in fields}
    return kind(**fields)


# ------------------------------------------------------------------ closed forms against semidefinite programs


@each
@pytest.mark.parametrize("seed", [0, 5])
def test_closed_forms_agree_with_the_programs(estimator, seed):
    P = federated(n=3, d=3, basis="rotated", seed=seed)
    asked = Question(estimator, P)
    for kind in KINDS:
        one = standing(kind, asked, P)
        for row in rows(kind) if one.constants else ():
            name = additive(row) or next(iter(row.slopes))
            exact = numbers(one.constants)
            held = {n: exact[n] for n in row.slopes if n != name}
            found, solved = least_by_sdp(kind, row, asked.forms, {name: 1.0}, held, np.inf)
            assert found[name] == pytest.approx(exact[name], abs=1e-6, rel=1e-6)
            assert solved.gap <= 1e-7
            assert solved.slack >= -1e-8


def test_the_smallest_neighbourhood_agrees_with_its_program():
    """min r: t P - G + r e >= 0, t >= 0, by a program, and by bisection on the slope."""
    P = federated(n=3, d=4, basis="rotated", seed=3)
    F = Question(weighted, P).forms
    s = F.scalars
    pair = best_pair(s.G, s.P)
    solved = minimise(np.array([0.0, 1.0]), -s.G, [s.P, F.one], np.array([0.0, 0.0]))
    k = least(ABC, weighted, P)
    assert pair.gap <= 1e-9
    assert solved.value == pytest.approx(pair.r, rel=1e-6)
    assert k.c / k.b == pytest.approx(pair.r, rel=1e-9)
    c = frontier(ABC, weighted, P, "b")
    assert all(c(b) / b >= pair.r * (1 - 1e-9) for b in k.b * np.array([0.2, 0.5, 0.9, 1.1, 1.5]))


@given(seed=seeds, q=st.integers(2, 5))
@settings(max_examples=20)
def test_a_weighted_pair_has_a_dual(seed, q):
    rng = np.random.default_rng(seed)
    one, two = rng.standard_normal((2, q, q))
    W, X = one @ one.T, two @ two.T
    X[-1], X[:, -1] = 0, 0
    pair = best_pair(W, X, weight=1.0)
    assert pair.gap <= 1e-7
    assert np.linalg.eigvalsh(pair.Y)[0] >= -1e-9 * np.abs(pair.Y).max()
    corner = np.zeros((q, q))
    corner[-1, -1] = 1
    assert np.linalg.eigvalsh(pair.r * corner + pair.t * X - W)[0] >= -1e-7 * np.abs(W).max()


@given(seed=seeds, q=st.integers(1, 5), rank=st.integers(1, 5))
@settings(max_examples=30)
def test_a_least_multiple_is_tight(seed, q, rank):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((q, min(rank, q)))
    B = root @ root.T
    E = B @ rng.standard_normal((q, q)) @ B  # lives in the range of B
    E = (E + E.T) / 2
    edge = least_multiple(E, B)
    scale = 1 + abs(edge.value)
    assert np.linalg.eigvalsh(edge.value * B - E)[0] >= -1e-7 * scale * np.abs(B).max()
    assert edge.bound == pytest.approx(edge.value, abs=1e-6 * scale)


# ------------------------------------------------------------------ metamorphic


@each
@given(factor=st.floats(0.1, 5), seed=seeds)
@settings(max_examples=8)
def test_least_constants_scale_as_the_classes_do(estimator, factor, seed):
    P = federated(n=3, d=3, basis="rotated", seed=seed % 31)

    def scaled(problem, x):
        p, g = Question(estimator, problem).who.outcomes(problem, x[None])
        return list(zip(p[0], factor * g[0], strict=True))

    for kind in (SG1, SG2, BREQ, FSML, ABC):
        one, two = least(kind, estimator, P), least(kind, scaled, P)
        if one is None:
            assert two is None
            continue
        assert numbers(two) == pytest.approx(numbers(one.scaled(factor)), rel=1e-6, abs=1e-9)


@given(alpha=st.floats(0.2, 1), seed=seeds)
@settings(max_examples=10)
def test_rescaling_into_the_contractive_class(alpha, seed):
    """SG2(tau, beta): g/beta is contractive with 1/delta = tau/beta at least."""
    P = federated(n=2, d=3, basis="rotated", seed=seed % 31)
    e = Scaled(Compressed(RandK(k=1)), alpha)
    k = least(SG2, e, P)
    assert least(CON, Scaled(e, 1 / k.beta), P).alpha >= k.tau / k.beta * (1 - 1e-9)


@given(shift=st.floats(-50, 50), seed=seeds)
@settings(max_examples=10)
def test_translating_the_problem_changes_nothing(shift, seed):
    P = federated(n=3, d=3, basis="rotated", seed=seed % 31)
    Q = Quadratics(A=P.A, b=P.b + shift * P.A.sum(axis=-1))
    for kind in (BND, FSML, ABC):
        one, two = (least(kind, Minibatch(batch=1), F) for F in (P, Q))
        assert numbers(one) == pytest.approx(numbers(two), rel=1e-5, abs=1e-7)


def test_the_class_of_an_implication_compares_frontiers():
    e, P = ESTIMATORS["shifted"], federated(n=3, d=3, seed=2)
    k = Class(ABC).least(P, e)
    assert Class(ABC).figure(P, e, k) == pytest.approx(1, abs=1e-9)
    b = 0.5 * k.b
    c = frontier(ABC, e, P, "b")(b)
    assert Class(ABC).figure(P, e, ABC(B=k.B, C=k.C, b=b, c=c)) == pytest.approx(1, abs=1e-7)
    assert Class(ABC).figure(P, e, ABC(B=k.B, C=k.C, b=b, c=0.9 * c)) > 1 + 1e-4
    assert Class(BND, {"m": 0.5}).least(P, e).m == 0.5
    assert Class(SG1).least(P, e) is None
    assert Class(SG1).lower == ("alpha",)


# ------------------------------------------------------------------ corners, ranges, flat directions


def test_a_zero_corner_with_a_cross_term_is_no_member():
    """P = x (x + s): zero at x = 0, negative beside it; a solver alone would call it nearly feasible."""
    for s in (1.0, 1e-3, 1e-6):
        e = Affine(factors=(1.0,), shifts=((s,),))
        one = standing(SG2, e, LINE)
        assert one.word == "violated"
        here = measure(e, LINE, one.witness.x[None]).values
        assert here.P[0] < 0 < here.G[0]


@pytest.mark.parametrize("rare", [1e-3, 1e-8, 1e-16])
def test_a_rare_large_outcome_does_not_hide_the_others(rare):
    """The shift is rare, so its size and that of the gradient's part are far apart: S = (1 + rare) G + ... + rare s^2."""

    def outcomes(P, x):
        return [(1 - rare, x), (rare, x + 1)]

    k = ABC(B=2.0, C=1.0, b=0.5, c=1e-6)
    assert Class(ABC).figure(LINE, outcomes, k) <= 1 + 1e-9
    assert least(ABS, outcomes, LINE).Delta2 == pytest.approx(rare, rel=1e-9)


def test_flat_directions_kill_everything_if_the_estimator_moves_along_them():
    P = Quadratics(A=np.diag([1.0, 0.0])[None], b=np.array([[1.0, 0.0]]))

    def along(problem, x):
        return [(1.0, problem.grad(x) + np.array([0.0, 0.1]) * x[1])]

    assert all(standing(kind, along, P).word == "violated" for kind in KINDS)
    assert numbers(least(BREQ, lambda p, x: [(1, 2 * p.grad(x))], P)) == pytest.approx({"rho": 2, "zeta": 4})


def test_growth_in_the_gap_is_never_needed_but_trades():
    """D <= G/(2 lambda_min): (A, B) may be replaced by (0, B + A/lambda_min)."""
    P = federated(n=3, d=3, basis="rotated", seed=4)
    none, some = least(ABC, Minibatch(batch=1), P), least(ABC, Minibatch(batch=1), P, A=1.0, B=2.0)
    assert none.A == 0
    held = least(ABC, Minibatch(batch=1), P, A=0.0, B=2.0 + 1.0 / P.mu)
    assert held.C <= some.C * (1 + 1e-9)


def test_a_kink_is_not_mistaken_for_affine():
    P = federated(n=2, d=3, seed=1)
    assert Question(lambda p, x: [(1, np.clip(p.grad(x), -1e3, 1e3))], P).forms is None
    assert Question(lambda p, x: [(1, p.grad(x) * (1 + 1e-5 * np.tanh(p.grad(x))))], P).forms is None
    assert Question(lambda p, x: [(1, p.grad(x))], P).forms is not None


# ------------------------------------------------------------------ balls


@pytest.mark.parametrize("radius", [0.3, 2.0])
def test_on_a_ball_the_program_is_the_supremum_over_a_dense_sample(radius):
    P = federated(n=3, d=2, basis="rotated", seed=7)
    rng = np.random.default_rng(0)
    y = rng.standard_normal((200_000, 2))
    y *= (radius * np.sqrt(rng.random(len(y))) / np.linalg.norm(y, axis=1))[:, None]
    y[:2000] *= (radius / np.linalg.norm(y[:2000], axis=1))[:, None]
    F = Question(weighted, P).forms
    z = np.concatenate([y @ np.linalg.pinv(F.outward), np.ones((len(y), 1))], axis=1)
    s = Scalars(*(np.einsum("ni,ij,nj->n", z, X, z) for X in F.scalars))
    for b in (0.5, 0.9, 1.3):  # some of them beyond what the whole space allows
        k = standing(ABC, weighted, P, ball=radius, b=b, B=4.0).constants
        assert k.c == pytest.approx(float((b * s.G - s.P).max()), rel=2e-2, abs=1e-6)
        assert k.c >= float((b * s.G - s.P).max()) - 1e-7
        assert k.C >= float((s.E1 + s.V - 4 * s.G).max()) - 1e-6
    bigger = standing(ABC, weighted, P, ball=4 * radius, b=0.5, B=4.0).constants
    assert bigger.c >= standing(ABC, weighted, P, ball=radius, b=0.5, B=4.0).constants.c - 1e-9


def test_an_absolute_bound_exists_on_a_ball():
    one = standing(ABS, lambda P, x: [(1, x / 2)], LINE, ball=3.0)
    assert one.word == "least"
    assert one.constants.Delta2 == pytest.approx(9 / 4, rel=1e-7)
    assert standing(SG2, lambda P, x: [(1, x + 1)], LINE, ball=3.0).word == "violated"


@pytest.mark.parametrize(
    "bad, words",
    [
        (lambda: least(ABC, Exact(), LINE, q=1.0), "constants A, B, C, b, c"),
        (lambda: least(ABC, 3, LINE), "estimator must be an object with law"),
        (lambda: least(ABC, lambda a: a, LINE), "a function of 1 argument"),
        (lambda: least(ABC, Compressed, LINE), "must be an instance"),
        (lambda: least(ABC, lambda P, x: [(0.5, x)], LINE), "sum to 1"),
        (lambda: least(ABC, lambda P, x: [(1, np.zeros(3))], LINE), "shape"),
        (lambda: least(ABC, lambda P, x: 7, LINE), "pairs"),
        (lambda: standing(ABC, Exact(), LINE, ball=-1), "ball must be > 0"),
        (lambda: frontier(ABC, Exact(), LINE, "c"), "trades against another"),
        (lambda: frontier(SG1, Exact(), LINE, "beta"), "trades against another"),
    ],
)
def test_wrong_questions_are_refused(bad, words):
    with pytest.raises(ValueError, match=words):
        bad()
