"""The zoo where nothing is quadratic: compressors by their class constants, users' code by search and by sample."""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.laws import Normal, Sure, Uniform, pick
from proveout.methods.blocks.assumptions import ABC, ABS, ASSUMPTIONS, BND, BREQ, BVD, CON, FSML, SG1, SG2
from proveout.methods.blocks.compressors import Natural, RandK, ScaledSign, Sign, Threshold, TopK
from proveout.methods.blocks.estimators import Compressed, Declared, Exact, Minibatch, Scaled
from proveout.problems import Quadratics, build, federated
from proveout.theory.zoo import Class, least, measure, standing
from proveout.theory.zoo.cloud import Gradients
from proveout.theory.zoo.standing import Question

P = federated(n=3, d=4, basis="rotated", seed=1)
LOGISTIC = build("logistic:synthetic,clients=3,kappa=20,m=60,d=4")
KINDS = tuple(ASSUMPTIONS.values())


def numbers(record):
    return {k: float(v) for k, v in vars(record).items()}


def holds_somewhere(record, s):
    rows = [np.asarray(sum(float(k) * v for k, v in zip(row, s, strict=True))) for row in record.rows()]
    size = 1 + s.G + s.E1 + s.V
    return all((row <= 1e-8 * size).all() for row in rows)


# ------------------------------------------------------------------ scalars


def test_scalars_by_hand():
    line = Quadratics(A=np.ones((1, 1, 1)), b=np.zeros((1, 1)))
    s = measure(lambda p, x: [(0.25, 3 * x), (0.75, x - 1)], line, np.array([[2.0]])).values
    # E g = .25 * 6 + .75 * 1 = 2.25, E g^2 = 9.75
    assert (s.D[0], s.G[0], s.P[0], s.E1[0], s.V[0]) == pytest.approx((2, 4, 4.5, 5.0625, 9.75 - 5.0625))


@dataclass(frozen=True)
class Named:
    """One coordinate with probability proportional to its size: a law whose outcomes are named."""

    def law(self, problem):
        return Uniform((), outcomes=problem.d)

    def __call__(self, problem, x, draw):
        v = problem.grad(x)
        size = np.abs(v)
        j = pick(np.broadcast_to(size, (*np.broadcast_shapes(v.shape[:-1], draw.shape), v.shape[-1])), draw)
        return np.where(np.arange(v.shape[-1]) == j[..., None], v, 0.0)


def test_probabilities_that_depend_on_the_point_are_counted():
    v = np.array([[3.0, -1.0, 0.0, 2.0]])
    s = measure(Named(), Gradients(4), v).values
    p = np.abs(v[0]) / 6
    assert s.P[0] == pytest.approx(p @ v[0] ** 2)
    assert s.E1[0] + s.V[0] == pytest.approx(p @ v[0] ** 2)
    assert Question(Named(), P).forms is None
    k = least(BREQ, Named(), P)
    assert (k.rho, k.zeta) == pytest.approx((1 / 4, 1), rel=1e-4)


@given(seed=st.integers(0, 1000))
@settings(max_examples=5)
def test_samples_cover_the_truth(seed):
    x = P.x_star + np.random.default_rng(seed).standard_normal((5, 4))

    def outcomes(problem, point):
        g = problem.grad(point)
        return [(0.25, 2 * g), (0.75, 0.5 * g + 1)]

    def sampled(problem, point, rng):
        g = problem.grad(point)
        return 2 * g if rng.random() < 0.25 else 0.5 * g + 1

    truth, found = measure(outcomes, P, x), measure(sampled, P, x, seed)
    assert truth.exact
    assert not found.exact
    for name in ("P", "E1", "V"):
        off = np.abs(getattr(truth.values, name) - getattr(found.values, name))
        assert (off <= 2 * getattr(found.error, name) + 1e-9).all(), name


@dataclass(frozen=True)
class Gaussian:
    def law(self, problem):
        return Normal(problem.d)

    def __call__(self, problem, x, draw):
        return problem.grad(x) + 0.1 * draw


def test_gaussian_noise_is_decided_by_its_moments():
    k = least(FSML, Gaussian(), P)
    assert numbers(k) == pytest.approx({"q": 1, "u2": 1, "U": 0, "Q": 0.04}, abs=1e-9)
    assert standing(ABS, Gaussian(), P).constants.Delta2 == pytest.approx(0.04)


# ------------------------------------------------------------------ compressors


@pytest.mark.parametrize("f", [P, LOGISTIC], ids=["quadratic", "logistic"])
@pytest.mark.parametrize("k", [1, 3])
def test_top_k_has_the_constants_of_its_class(f, k):
    e = Question(Compressed(TopK(k=k)), f)
    for kind, expected in (
        (CON, {"alpha": k / 4}),
        (BVD, {"eta": 1 - k / 4, "xi": 0}),
        (BREQ, {"rho": k / 4, "zeta": 1}),
        (ABC, {"A": 0, "B": 1, "C": 0, "b": k / 4, "c": 0}),
    ):
        one = standing(kind, e, f)
        assert one.word == "least", kind
        assert numbers(one.constants) == pytest.approx(expected, abs=1e-9)
    one = standing(SG2, e, f)
    assert one.word == "least"
    assert numbers(one.constants) == pytest.approx({"tau": k / 4, "beta": 1}, abs=1e-9)


@pytest.mark.parametrize("block", [TopK(k=2), Natural(), ScaledSign(), Threshold(w=0.3), Sign()], ids=str)
def test_known_constants_hold_and_searched_ones_are_needed(block):
    e = Compressed(block)
    s = measure(
        e,
        Gradients(4),
        10.0 ** np.linspace(-3, 3, 200)[:, None] * np.random.default_rng(0).normal(size=(200, 4)),
    )
    asked = Question(e, P)
    for kind in KINDS:
        one = standing(kind, asked, P)
        if one.member:
            assert holds_somewhere(one.constants, s.values), kind
        if one.word == "violated":
            here = measure(e, Gradients(4), one.witness.x[None]).values
            assert one.gradients
            assert one.witness.lhs >= one.witness.rhs - 1e-9 * (1 + float(here.G[0]))


def test_class_constants_are_not_called_least_where_the_gradient_does_not_take_every_value():
    """f is flat along one axis: gradients live in a plane, where top-1 of three keeps a half, not a third."""
    flat = Quadratics(A=np.diag([1.0, 2.0, 0.0])[None], b=np.array([[1.0, 0.0, 0.0]]))
    asked = Question(Compressed(TopK(k=1)), flat)
    for kind, name, known, seen in (
        (BND, "m", 2 / 3, 1 / 2),
        (ABC, "b", 1 / 3, 1 / 2),
        (CON, "alpha", 1 / 3, 1 / 2),
    ):
        one = standing(kind, asked, flat)
        assert one.word == "at most"
        assert getattr(one.constants, name) == pytest.approx(known)
        assert one.bounds[name] == pytest.approx(seen, rel=1e-3)


def test_a_threshold_is_absolute_and_nothing_homogeneous():
    e = Compressed(Threshold(w=0.3))
    assert standing(ABS, e, P).word == "least"
    assert standing(BND, e, P).constants.phi2 == pytest.approx(4 * 0.09)
    asked = Question(e, P)
    for kind in (SG1, SG2, BREQ, CON, BVD, FSML):
        assert standing(kind, asked, P).word == "violated"  # nothing is sent near x*


def test_a_sign_is_in_no_class():
    asked = Question(Compressed(Sign()), P)
    for kind in KINDS:
        one = standing(kind, asked, P)
        assert one.word in ("violated", "grows") or not one.member


def test_scaled_and_declared_estimators_know_what_their_base_knows():
    e = Compressed(TopK(k=1))
    assert least(BREQ, Scaled(e, 2.0), P) == BREQ(rho=0.5, zeta=4.0)
    said = SG2(tau=0.25, beta=1.0)
    one = standing(SG2, Declared(base=e, said=said), P)
    assert one.constants == said
    assert one.word == "least"


def test_constants_of_minibatches_on_data_are_known_not_least():
    one = standing(ABC, Minibatch(batch=1), LOGISTIC)
    assert one.word == "at most"
    assert one.constants == Minibatch(batch=1).abc(LOGISTIC)
    assert standing(SG1, Minibatch(batch=1), LOGISTIC).word == "violated"


# ------------------------------------------------------------------ users' code


def clipped(problem, x):
    g = problem.grad(x)
    return [(1.0, g / max(1.0, np.linalg.norm(g)))]


def damped(problem, x):
    """Between a quarter and all of the gradient, by its length."""
    g = problem.grad(x)
    return [(1.0, g * (0.25 + 0.75 / (1 + g @ g)))]


def test_a_clipped_gradient_is_in_no_class_on_unbounded_gradients():
    asked = Question(clipped, P)
    for kind in KINDS:
        assert standing(kind, asked, P).word in ("grows", "violated")


def test_a_clipped_gradient_has_constants_on_a_ball():
    R = 2.0
    one = standing(BREQ, clipped, P, ball=R)
    assert one.word == "at least"
    x = P.x_star + R * np.linalg.svd(P.hessians.mean(axis=0))[2][0]
    length = np.linalg.norm(P.grad(x))  # the steepest point
    assert one.constants.rho == pytest.approx(1 / length, rel=1e-3)
    assert one.constants.zeta == pytest.approx(1, rel=1e-6)


def test_a_search_finds_the_least_constants_and_does_not_call_them_least():
    asked = Question(damped, P)
    for kind, expected in (
        (BREQ, {"rho": 0.25, "zeta": 1.0}),
        (CON, {"alpha": 1 - 0.75**2}),
        (SG2, {"tau": 0.25, "beta": 1.0}),
    ):
        one = standing(kind, asked, P)
        assert one.word == "at least"
        assert numbers(one.constants) == pytest.approx(expected, rel=1e-3)
    assert not one.member


def test_a_class_refuses_what_it_cannot_decide():
    with pytest.raises(ValueError, match="exact=False"):
        Class(BREQ).least(P, damped)
    assert Class(BREQ, exact=False).least(P, damped).zeta == pytest.approx(1, rel=1e-6)


def test_a_wrong_gradient_is_refuted_at_a_point():
    one = standing(SG2, lambda p, x: [(1.0, -p.grad(x) * (1 + 0.1 * np.tanh(x)))], P)
    assert one.word == "violated"
    assert one.witness.rhs < 0 < one.witness.lhs


def noisy(problem, x, rng):
    return problem.grad(x) * rng.uniform(0, 2) + 0.1 * rng.normal(size=x.shape)


def test_a_sampler_is_judged_with_confidence():
    asked = Question(noisy, P)
    one = standing(ABC, asked, P)
    assert one.word == "at least"
    assert one.constants.b == pytest.approx(1, abs=0.2)
    assert one.constants.B == pytest.approx(4 / 3, abs=0.2)
    assert one.constants.C == pytest.approx(0.04, abs=0.02)
    assert standing(SG1, asked, P).word == "violated"
    assert standing(SG1, asked, P).how == "searched"


def test_bounded_gradients_need_the_gap():
    """f = sqrt(1 + x^2) - 1, g = f' +- sqrt(2 A f): S grows where G < 1, so A = 0 will not do; A = 1/2 does."""
    f = SimpleNamespace(
        d=1,
        L=1.0,
        f_star=0.0,
        x_star=np.zeros(1),
        value=lambda x: np.sqrt(1 + x[..., 0] ** 2) - 1,
        grad=lambda x: x / np.sqrt(1 + x**2),
    )

    def outcomes(p, x):
        r = np.sqrt(p.value(x))
        return [(0.5, p.grad(x) + r), (0.5, p.grad(x) - r)]

    assert standing(ABC, outcomes, f).word == "grows"
    assert standing(FSML, outcomes, f).word == "grows"
    one = standing(ABC, outcomes, f, A=0.5)
    assert one.word == "at least"
    assert numbers(one.constants) == pytest.approx({"A": 0.5, "B": 1, "C": 0, "b": 1, "c": 0}, abs=1e-6)


def test_the_same_question_has_the_same_answer():
    one, two = (standing(ABC, damped, P, seed=3) for _ in range(2))
    assert numbers(one.constants) == numbers(two.constants)
    assert math.isfinite(one.constants.B)


def test_wrong_shapes_are_named():
    class Flat:
        def law(self, problem):
            return Sure(np.zeros(()))

        def __call__(self, problem, x, draw):
            return np.zeros(7)

    with pytest.raises(ValueError, match="must return g of shape"):
        standing(ABC, Flat(), P)
    with pytest.raises(ValueError, match="g must have the shape"):
        standing(ABC, lambda p, x, rng: np.zeros(2), P)
    assert standing(BREQ, Exact(), P).word == "least"
    assert standing(BREQ, Compressed(RandK(k=1)), P).word == "least"
