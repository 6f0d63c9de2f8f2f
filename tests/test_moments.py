"""The moments lens: exact expectations at every t, for all starts, and exact mean-square rates."""

import json
import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import mean_clients, put, sqnorm, take, to_clients, tree_map
from proveout.laws import Coin, Given, Index, Joint, Normal, Sure
from proveout.methods.gd import GD, SGD
from proveout.methods.proxskip import Scaffnew
from proveout.methods.proxskip import State as ScaffnewState
from proveout.problems import Quadratics, build, federated
from proveout.problems.classes import FunctionClass
from proveout.theory import gd
from proveout.theory.lenses import moments
from proveout.theory.lenses.common import Refused, budget_of
from proveout.theory.lenses.moments.chain import Chain
from proveout.theory.lenses.moments.jumps import (
    Jumps,
    bracket,
    orthonormal,
    reachable,
    resolvent,
    spectral_radius,
)
from proveout.theory.lenses.moments.setup import setup
from proveout.theory.lenses.moments.spectrum import system_of
from proveout.theory.lenses.states import coordinates_of
from proveout.theory.statement import Complexity, Cross, Failure, Gap, Horizon, OneStep, Square, evaluate
from proveout.theory.twins import Altered, field_times, update_times
from proveout.theory.witness import trust

trust(__name__)
QUICK = budget_of("quick")
QUADRATIC = build("quadratic:n=3,d=2,kappa=10")
NOISY = build("quadratic:n=3,d=2,kappa=10,noise=0.3")
METHOD = Scaffnew(gamma=0.1, p=0.3)


def distance(P, m, s):
    return (Square(1, s.x - P.x_star),)


def psi(P, m, s):
    weight = (m.gamma / m.p) ** 2
    return Square(1, s.x - P.x_star, core=2), Square(weight, s.h - P.h_star, core=2)


def sharp(P, m):
    """The exact one-step factor of psi on a quadratic."""
    return max((1 - m.gamma * P.mu_min) ** 2, (1 - m.gamma * P.L_max) ** 2, 1 - m.p**2)


def star(P, m):
    return ScaffnewState(x=to_clients(P.x_star, P.n), h=P.h_star)


def admissible(P, m, s):
    return s._replace(h=s.h - mean_clients(s.h))


def psi_horizon(factor=1.0, rate=sharp, **more):
    def bound(P, m, T, start):
        return tuple(replace(t, weight=factor * t.weight * rate(P, m) ** T) for t in psi(P, m, start))

    return Horizon(source="test", method=Scaffnew, measure=psi, bound=bound, star=star, **more)


PSI_STEP = OneStep(source="test", method=Scaffnew, lyapunov=psi, rate=sharp, star=star, domain=admissible)


def radius(over="last", **more):
    """|x_T - x*|^2 <= (1 - gamma mu)^T |x_0 - x*|^2; of averages <= |x_0 - x*|^2."""

    def bound(P, m, T, start):
        return (Square((1 - m.gamma * P.mu) ** (T if over == "last" else 0), start.x - P.x_star),)

    return Horizon(source="test", measure=distance, over=over, bound=bound, **more)


# ------------------------------------------------------------------ small methods


class Momentum(NamedTuple):
    x: Any
    u: Any


@dataclass(frozen=True)
class HeavyBall:
    gamma: float
    beta: float

    def init(self, P, x0):
        return Momentum(x0, 0 * x0)

    def law(self, P):
        return Joint(Momentum(Sure(np.zeros(())), Sure(np.zeros(()))))

    def step(self, P, s, draw):
        u = self.beta * s.u + P.grad(s.x)
        return Momentum(s.x - self.gamma * u, u)


class Fresh(NamedTuple):
    x: Any
    w: Any  # anchor
    moved: Any  # bool: was the anchor refreshed at the last step?


class FreshDraw(NamedTuple):
    theta: Any
    i: Any


@dataclass(frozen=True)
class Anchored:
    """x' = x - gamma (grad f_i(x) - grad f_i(w) + grad f(w)), twice the step where the anchor is fresh."""

    gamma: float
    p: float

    def init(self, P, x0):
        return Fresh(x0, x0, np.zeros(x0.shape[:-1], bool))

    def law(self, P):
        return Joint(FreshDraw(Coin(self.p), Index(P.n)))

    def step(self, P, s, draw):
        part = P.at(draw.i[..., None])
        g = (part.grads(s.x[..., None, :]) - part.grads(s.w[..., None, :]))[..., 0, :] + P.grad(s.w)
        gamma = np.where(s.moved, 2 * self.gamma, self.gamma)[..., None]
        x = s.x - gamma * g
        w = np.where(draw.theta[..., None], s.x, s.w)
        return Fresh(
            x, w, np.broadcast_to(draw.theta, np.broadcast_shapes(np.shape(draw.theta), np.shape(s.moved)))
        )


class Async(NamedTuple):
    x: Any
    u: Any
    sent: Any  # (..., K, d)
    t: int


class Arrival(NamedTuple):
    worker: Any
    xi: Any


@dataclass(frozen=True)
class Ordered:
    """OrMo in round robin: momentum by brackets of K arrivals; a counter is its clock."""

    gamma: float
    beta: float
    K: int

    def init(self, P, x0):
        return Async(x0, 0 * x0, to_clients(x0, self.K), 0)

    def law(self, P):
        return Joint(Arrival(Given(np.arange(self.K), cycle=True), P.xi(1, of=None)))

    def step(self, P, s, draw):
        x, u, sent, t = s
        bracket_of = lambda i: -(-i // self.K)
        if t >= 1 and bracket_of(t) > bracket_of(t - 1):
            x, u = x - self.beta * u, self.beta * u
        late = bracket_of(t) - bracket_of(max(0, t - self.K + 1))
        at = take(sent, draw.worker[..., None])
        g = self.gamma * (1 - self.beta) * P.on(draw.xi).grads(at)[..., 0, :]
        u = u + self.beta**late * g
        x = x - (1 - self.beta ** (late + 1)) / (1 - self.beta) * g
        return Async(x, u, put(sent, draw.worker[..., None], x[..., None, :]), t + 1)


class Shadow(NamedTuple):
    x: Any
    copy: Any  # never read, never moved


@dataclass(frozen=True)
class Haunted:
    """Gradient descent with an idle field: eigenvalue 1, which nobody starts or sees."""

    gamma: float

    def init(self, P, x0):
        return Shadow(x0, 0 * x0)

    def law(self, P):
        return Joint(Shadow(Sure(np.zeros(())), Sure(np.zeros(()))))

    def step(self, P, s, draw):
        return Shadow(s.x - self.gamma * P.grad(s.x), s.copy)


class Clipped(GD):
    def step(self, P, s, draw):
        return s._replace(x=np.clip(super().step(P, s, draw).x, -1e4, 1e4))


# ------------------------------------------------------------------ expectations


def enumerated(P, m, start, T, measure):
    """E measure at t = T by walking through all draws, one by one."""
    total = 0.0
    laws = [m.law(P).at(t) for t in range(T)]
    atoms = [law.atoms() for law in laws]
    for path in product(*(range(len(prob)) for prob, _ in atoms)):
        state, chance = start, 1.0
        for (prob, draw), k in zip(atoms, path, strict=True):
            chance *= prob[k]
            state = m.step(P, state, tree_map(lambda a, k=k: np.asarray(a)[k], draw))
        total += chance * float(evaluate(measure(P, m, state), P))
    return total


def expectations(statement, P, m, T, start):
    """E measure_t, t = 0..T, by the lens: forwards."""
    made = setup(statement, P, m, QUICK)
    z = np.append(made.chain.coords.at_clock(start).y(start), 1.0)[None]
    return made.chain.push(made.key, z, T, made.form)[:, 0]


@pytest.mark.parametrize("T", [1, 2, 5])
def test_forward_moments_are_the_sum_over_all_paths(T):
    rng = np.random.default_rng(T)
    start = ScaffnewState(x=rng.standard_normal((3, 2)), h=rng.standard_normal((3, 2)))
    start = admissible(QUADRATIC, METHOD, start)
    got = expectations(psi_horizon(domain=admissible), QUADRATIC, METHOD, T, start)[T]
    assert got == pytest.approx(enumerated(QUADRATIC, METHOD, start, T, psi), rel=1e-12)


def test_a_boolean_clock_is_a_jump_linear_system():
    m, x0 = Anchored(gamma=0.04, p=0.4), np.array([1.0, -2.0])
    start = m.init(QUADRATIC, x0)
    got = expectations(radius(), QUADRATIC, m, 4, start)
    want = [enumerated(QUADRATIC, m, start, T, distance) for T in range(5)]
    assert got == pytest.approx(want, rel=1e-12)
    made = setup(radius(), QUADRATIC, m, QUICK)
    assert [len(layer) for layer in made.chain.layers(made.key, 3)] == [1, 2, 2, 2]


@pytest.mark.parametrize("over", ["last", "mean"])
def test_pulling_back_equals_pushing_forward(over):
    statement = radius(over)
    m, T = Anchored(gamma=0.04, p=0.4), 7
    made = setup(statement, QUADRATIC, m, QUICK)
    s = made.starts.some(5)
    E = made.pulled(T)
    z = np.c_[s, np.ones(len(s))]
    along = made.along(s, T)
    want = along[T] if over == "last" else along.mean(axis=0)
    assert np.sum(z @ E * z, axis=1) == pytest.approx(want, rel=1e-11)


def averaged(P, m, start, T):
    """E |mean_{t <= T} x_t - x*|^2 by walking through all draws."""
    prob, draw = m.law(P).atoms()
    paths = [(1.0, start, start.x)]
    for _ in range(T):
        paths = [
            (chance * prob[k], after, total + after.x)
            for chance, state, total in paths
            for k in range(len(prob))
            for after in [m.step(P, state, tree_map(lambda a, k=k: np.asarray(a)[k], draw))]
        ]
    return sum(chance * sqnorm(total / (T + 1) - P.x_star) for chance, _, total in paths)


def test_the_averaged_iterate_is_the_sum_over_all_paths():
    m = Anchored(gamma=0.04, p=0.4)
    made = setup(radius("mean_iterate"), QUADRATIC, m, QUICK)
    s = made.starts.some(2)
    z = np.c_[s, np.ones(len(s))]
    for includes_end, T in ((True, 2), (False, 3)):
        statement = replace(radius("mean_iterate"), includes_end=includes_end)
        E = replace(made, statement=statement).pulled(T)
        for row, start in zip(z, map(made.starts.state, s), strict=True):
            assert row @ E @ row == pytest.approx(averaged(QUADRATIC, m, start, 2), rel=1e-11)


def test_moment_atoms_make_gaussian_noise_exact():
    """x' = x - gamma (H x + xi): E|x_T|^2 = |A^T x|^2 + gamma^2 sum_t |A^t|_F^2."""

    class Noise(NamedTuple):
        xi: Any

    @dataclass(frozen=True)
    class Langevin(GD):
        def law(self, P):
            return Joint(Noise(Normal(P.d)))

        def step(self, P, s, draw):
            return s._replace(x=s.x - self.gamma * (P.grad(s.x) + draw.xi))

    P, m = Quadratics(A=np.diag([1.0, 3.0])[None], b=np.zeros((1, 2))), Langevin(gamma=0.2)
    start = m.init(P, np.array([2.0, -1.0]))
    A = np.array([0.8, 0.4])
    want = [
        ((A**t * start.x) ** 2).sum() + 0.04 * sum((A ** (2 * s)).sum() for s in range(t)) for t in range(30)
    ]
    assert expectations(radius(), P, m, 29, start) == pytest.approx(want, rel=1e-12)


def test_centred_moments_keep_twelve_digits_down_to_1e_minus_35():
    """Gradient descent, kappa 1000, star 300: homogenised at 0 the truth 8e-18 would read -2e-11."""
    P = Quadratics(A=np.diag([1.0, 1000.0])[None], b=300 * np.array([[1.0, 1000.0]]))
    m = GD(gamma=1e-3)
    start = m.init(P, np.array([301.0, 300.0]))
    got = expectations(radius(), P, m, 40_000, start)
    for T in (20_000, 40_000):
        want = math.exp(2 * T * math.log1p(-1e-3))
        assert got[T] == pytest.approx(want, rel=1e-12)
    assert got[40_000] < 1e-34


# ------------------------------------------------------------------ horizons for all starts


@pytest.mark.parametrize("domain", [None, admissible])
def test_the_sharp_horizon_of_scaffnew_is_tight_for_every_t(domain):
    verdict = moments.check(psi_horizon(domain=domain), QUADRATIC, METHOD)
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "exact", "all")
    assert verdict.ratio == pytest.approx(1, abs=1e-10)
    assert "mean-square rate 0.85" in verdict.note


@given(seed=st.integers(0, 10_000), n=st.integers(2, 4), d=st.integers(1, 3), kappa=st.floats(1.01, 1e4))
def test_tight_true_horizons_are_never_refuted(seed, n, d, kappa):
    rng = np.random.default_rng(seed)
    P = federated(n=n, d=d, kappa=kappa, heterogeneity=10 ** rng.uniform(-2, 2), seed=seed, basis="rotated")
    m = Scaffnew(gamma=rng.uniform(0.05, 1) / P.L_max, p=rng.uniform(0.05, 1))
    for domain in (None, admissible):
        verdict = moments.check(psi_horizon(domain=domain), P, m)
        assert verdict.word == "holds"


def test_one_per_cent_less_is_violated_and_replays():
    statement = psi_horizon(0.99, domain=admissible)
    verdict = moments.check(statement, QUADRATIC, METHOD)
    assert verdict.word == "violated"
    assert verdict.ratio == pytest.approx(1 / 0.99)
    lhs, rhs = moments.sides(statement, QUADRATIC, METHOD, json.loads(json.dumps(verdict.witness)))
    assert lhs / rhs == pytest.approx(1 / 0.99, rel=1e-6)


@pytest.mark.parametrize("twin", [update_times("h", 0), update_times("h", 2), update_times("x", 0.5)])
def test_red_twins_are_caught(twin):
    statement, problem, method = twin.edit(psi_horizon(domain=admissible), QUADRATIC, METHOD)
    assert moments.check(statement, problem, method).word == "violated"


def test_a_step_that_leaves_the_admissible_states_is_judged_outside_of_them():
    def push(P, s, draw, new):
        return new._replace(h=new.h + 0.5 * (s.x - P.x_star))

    verdict = moments.check(psi_horizon(domain=admissible), QUADRATIC, Altered(METHOD, push))
    assert verdict.word == "violated"
    lhs, rhs = moments.sides(
        psi_horizon(domain=admissible), QUADRATIC, Altered(METHOD, push), verdict.witness
    )
    assert lhs / rhs == pytest.approx(verdict.ratio, rel=1e-6)


@pytest.mark.parametrize("over", ["last", "mean", "min", "mean_iterate"])
def test_averages_and_minima_of_gradient_descent(over):
    m = GD(gamma=1 / QUADRATIC.L)
    assert moments.check(radius(over), QUADRATIC, m).word == "holds"
    hundredth = radius(over)
    hundredth = replace(
        hundredth,
        bound=lambda *args: tuple(replace(t, weight=0.01 * t.weight) for t in radius(over).bound(*args)),
    )
    verdict = moments.check(hundredth, QUADRATIC, m)
    assert verdict.word == "violated"
    lhs, rhs = moments.sides(hundredth, QUADRATIC, m, json.loads(json.dumps(verdict.witness)))
    assert lhs / rhs == pytest.approx(verdict.ratio, rel=1e-6)


def test_the_noise_floor_of_sgd_is_exact():
    """n = 1: E|x_T - x*|^2 -> gamma^2 sum_j sigma_j^2 / (1 - (1 - gamma lambda_j)^2), two-point noise s (1, 1)/sqrt 2."""
    P = federated(n=1, d=2, kappa=4, noise=1.0)
    m = SGD(gamma=0.1)
    lam = np.diag(P.A[0])
    floor = 0.01 * sum(0.5 / (1 - (1 - 0.1 * a) ** 2) for a in lam)

    def bound(factor):
        return lambda P, m, T, start: (
            Square((1 - m.gamma * P.mu) ** (2 * T), start.x - P.x_star),
            factor * floor,
        )

    exactly = replace(radius(), bound=bound(1.0))
    assert moments.check(exactly, P, m).word == "holds"
    assert moments.check(exactly, P, m).ratio == pytest.approx(1, abs=1e-6)
    assert moments.check(replace(radius(), bound=bound(0.999)), P, m).word == "violated"


def test_bounds_that_are_no_forms_are_tried_at_many_starts():
    def bound(P, m, T, start):
        return float(np.sqrt(sqnorm(start.x - P.x_star))) ** 2 + 0.0

    verdict = moments.check(replace(radius(), bound=bound), QUADRATIC, GD(gamma=0.1))
    assert (verdict.word, verdict.grade) == ("holds", "searched")
    half = replace(radius(), bound=lambda *a: 0.5 * bound(*a))
    assert moments.check(half, QUADRATIC, GD(gamma=0.001)).word == "violated"


def test_a_norm_can_be_confirmed_but_not_refuted():
    def size(P, m, s):
        return np.sqrt(sqnorm(s.x - P.x_star))

    def claim(factor):
        return Horizon(
            source="test", measure=size, bound=lambda P, m, T, start: factor * size(P, m, start) + 0.1
        )

    assert moments.check(claim(1.0), QUADRATIC, GD(gamma=0.1)).word == "holds"
    assert moments.check(claim(0.1), NOISY, SGD(gamma=0.1)).word == "inconclusive"


def test_function_gaps_are_forms_too():
    gap = Horizon(
        source="test",
        measure=lambda P, m, s: (Gap(1, s.x),),
        bound=lambda P, m, T, start: (Gap((1 - m.gamma * P.mu) ** (2 * T), start.x),),
    )
    verdict = moments.check(gap, QUADRATIC, GD(gamma=1 / QUADRATIC.L))
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    cross = replace(gap, measure=lambda P, m, s: (Cross(0.5, P.grad(s.x), s.x - P.x_star),))
    assert moments.check(cross, QUADRATIC, GD(gamma=1 / QUADRATIC.L)).ratio == pytest.approx(verdict.ratio)


def test_weights_of_a_mean_are_normalised_and_may_stop_before_the_end():
    m = GD(gamma=1 / QUADRATIC.L)
    last = replace(radius("mean"), weights=lambda P, m, T: 3.0 * (np.arange(T + 1) == T))
    assert moments.check(last, QUADRATIC, m).ratio == pytest.approx((1 - m.gamma * QUADRATIC.mu) ** 2)
    assert moments.check(replace(radius("mean"), includes_end=False), QUADRATIC, m).ratio == pytest.approx(1)


def test_horizons_of_which_the_bound_does_not_speak_are_left_out():
    def bound(P, m, T, start):
        if T < 10:
            raise ValueError("T must be >= 10")
        return radius().bound(P, m, T, start)

    assert "T = 10, 20" in moments.check(replace(radius(), bound=bound), QUADRATIC, GD(gamma=0.1)).note


# ------------------------------------------------------------------ clocks and schedules


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_method_with_a_counter_and_a_schedule_is_followed_step_by_step(noise):
    P = federated(n=1, d=2, kappa=3, noise=noise)
    m = Ordered(gamma=0.05, beta=0.5, K=3)
    start = m.init(P, np.array([1.0, 2.0]))
    got = expectations(radius(), P, m, 6, start)
    assert got[6] == pytest.approx(enumerated(P, m, start, 6, distance), rel=1e-12)
    generous = replace(radius(), bound=lambda P, m, T, s: (Square(4.0, s.x - P.x_star), 10 * noise))
    verdict = moments.check(generous, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    tight = replace(radius(), bound=lambda P, m, T, s: (Square(0.5**T, s.x - P.x_star),))
    broken = moments.check(tight, P, m)
    assert broken.word == "violated"
    lhs, rhs = moments.sides(tight, P, m, json.loads(json.dumps(broken.witness)))
    assert lhs > rhs >= 0  # with noise the worst start is x* itself, where the bound is 0


def test_a_forced_first_coin_is_a_law_of_its_own():
    class First(NamedTuple):
        theta: Any

    @dataclass(frozen=True)
    class Sometimes(GD):
        def law(self, P):
            return Joint(First(Coin(0.5, first=True)))

        def step(self, P, s, draw):
            return s._replace(x=s.x - self.gamma * draw.theta[..., None] * P.grad(s.x))

    m = Sometimes(gamma=0.1)
    start = m.init(QUADRATIC, np.array([1.0, 2.0]))
    got = expectations(radius(), QUADRATIC, m, 3, start)
    assert got == pytest.approx([enumerated(QUADRATIC, m, start, T, distance) for T in range(4)], rel=1e-12)
    plain = GD(gamma=0.1)
    once = plain.step(QUADRATIC, plain.init(QUADRATIC, np.array([1.0, 2.0])), None)
    assert got[1] == pytest.approx(float(sqnorm(once.x - QUADRATIC.x_star)))


def test_a_schedule_that_ends_limits_the_horizon():
    class Step(NamedTuple):
        k: Any

    @dataclass(frozen=True)
    class Scheduled(GD):
        def law(self, P):
            return Joint(Step(Given(np.linspace(1, 0.5, 7))))

        def step(self, P, s, draw):
            return s._replace(x=s.x - self.gamma * draw.k[..., None] * P.grad(s.x))

    verdict = moments.check(
        replace(radius(), bound=lambda P, m, T, s: (Square(1.0, s.x - P.x_star),)),
        QUADRATIC,
        Scheduled(gamma=0.1),
    )
    assert verdict.word == "holds"
    assert verdict.note.startswith("T = 1, 2, 5")


# ------------------------------------------------------------------ complexities and failures


def reach(factor=1.0, unit="steps", per_step=1.0):
    def count(P, m, eps, start):
        gap = math.log(float(evaluate(psi(P, m, start), P)) / eps)
        return factor * per_step * gap / -math.log(sharp(P, m))

    return Complexity(
        source="test", method=Scaffnew, measure=psi, count=count, unit=unit, star=star, domain=admissible
    )


def test_a_complexity_that_gives_all_starts_the_same_count_is_decided_for_all():
    verdict = moments.check(reach(), QUADRATIC, METHOD)
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert 0.5 < verdict.ratio <= 1
    short = moments.check(reach(0.5), QUADRATIC, METHOD)
    assert short.word == "violated"
    lhs, rhs = moments.sides(reach(0.5), QUADRATIC, METHOD, json.loads(json.dumps(short.witness)))
    assert lhs / rhs == pytest.approx(short.ratio, rel=1e-6)
    assert moments.check(reach(1.0, "rounds", METHOD.p), QUADRATIC, METHOD).ratio == verdict.ratio


def test_a_complexity_that_depends_on_the_start_is_searched():
    def count(P, m, eps, start):
        return 5 + math.log(1 + float(evaluate(distance(P, m, start), P)) / eps) / (m.gamma * P.mu)

    statement = Complexity(source="test", measure=distance, count=count)
    verdict = moments.check(statement, QUADRATIC, GD(gamma=1 / QUADRATIC.L))
    assert verdict.word == "holds"


def test_a_count_beyond_the_budget_is_left_to_other_lenses():
    verdict = moments.check(reach(1e7), QUADRATIC, METHOD)
    assert verdict.word == "not applicable"
    assert "needs" in verdict.note


def test_divergence_is_a_failure_that_holds_and_convergence_one_that_does_not():
    statement = Failure(source="test", measure=distance, floor=lambda P, m, T, start: 0.1)
    assert moments.check(statement, NOISY, SGD(gamma=0.1)).word == "holds"
    verdict = moments.check(statement, QUADRATIC, GD(gamma=0.1))
    assert verdict.word == "violated"
    lhs, rhs = moments.sides(statement, QUADRATIC, GD(gamma=0.1), verdict.witness)
    assert lhs == 0.1
    assert rhs < 1e-3


# ------------------------------------------------------------------ mean-square rates


def kronecker(P, m):
    """Spectral radius of sum_k p_k A_k (x) A_k over all float fields, by hand."""
    coords = coordinates_of(replace(PSI_STEP, domain=None), P, m)
    prob, draw = m.law(P).atoms()
    total = 0.0
    for k, p in enumerate(prob):
        one = tree_map(lambda a, k=k: np.asarray(a)[k], draw)
        images = [
            coords.flat(m.step(P, coords.place(v), one))
            for v in np.vstack([np.zeros(coords.D), np.eye(coords.D)])
        ]
        A = np.array([image - images[0] for image in images[1:]]).T
        total = total + p * np.kron(A, A)
    return float(np.abs(np.linalg.eigvals(total)).max())


def test_without_restriction_the_spectral_radius_of_scaffnew_is_one():
    assert kronecker(QUADRATIC, METHOD) == pytest.approx(1, abs=1e-9)
    restricted = moments.mean_square_rate(PSI_STEP, QUADRATIC, METHOD)
    assert restricted == pytest.approx(0.85004692495, abs=1e-10)
    assert moments.mean_square_rate(METHOD, QUADRATIC) == pytest.approx(restricted)
    assert restricted < sharp(QUADRATIC, METHOD)


def test_the_rate_is_the_growth_of_long_runs():
    start = star(QUADRATIC, METHOD)
    start = start._replace(x=start.x + np.random.default_rng(0).standard_normal((3, 2)))
    along = expectations(psi_horizon(domain=admissible), QUADRATIC, METHOD, 600, start)
    rho = moments.mean_square_rate(PSI_STEP, QUADRATIC, METHOD)
    assert (along[600] / along[400]) ** (1 / 200) == pytest.approx(rho, rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(2, 1), (4, 4), (6, 5)])
def test_dense_and_iterative_spectra_agree(n, d):
    P = federated(n=n, d=d, kappa=20, seed=n, basis="rotated")
    m = Scaffnew(gamma=1 / P.L_max, p=0.4)
    system = system_of(PSI_STEP, P, m)
    S = [np.eye(q) for q in system.sizes]
    for _ in range(300):
        S = [s / np.trace(S[0]) for s in system.forward(S)]
    growth = np.trace(system.forward(S)[0]) / np.trace(S[0])
    assert spectral_radius(system) == pytest.approx(growth, rel=1e-2)
    if sum(q * q for q in system.sizes) < 2000:
        dense = sum(np.kron(A, A) for _, _, edge in system.edges for A in edge)
        assert spectral_radius(system) == pytest.approx(np.abs(np.linalg.eigvals(dense)).max(), rel=1e-8)


def test_idle_fields_do_not_hide_the_rate():
    P = build("quadratic:n=1,d=3,kappa=5")
    assert moments.mean_square_rate(Haunted(gamma=0.1), P) == pytest.approx((1 - 0.1 * P.mu) ** 2)
    assert "mean-square rate" in moments.check(radius(), P, Haunted(gamma=0.1)).note


def test_what_the_measure_never_sees_is_divided_out():
    P = Quadratics(A=np.diag([1.0, 2.0])[None], b=np.zeros((1, 2)))
    second = Horizon(
        source="t", measure=lambda P, m, s: (Square(1, s.x[..., 1:]),), bound=lambda P, m, T, s: 1.0
    )
    assert moments.mean_square_rate(second, P, GD(gamma=0.1)) == pytest.approx(0.64)
    assert moments.mean_square_rate(GD(gamma=0.1), P) == pytest.approx(0.81)


def test_a_jump_system_has_a_rate_too():
    m = Anchored(gamma=0.04, p=0.4)
    start = m.init(QUADRATIC, np.array([1.0, -2.0]))
    along = expectations(radius(), QUADRATIC, m, 400, start)
    assert moments.mean_square_rate(radius(), QUADRATIC, m) == pytest.approx(
        (along[400] / along[300]) ** 0.01, rel=1e-6
    )


def test_heavy_ball_has_rate_beta_between_its_corners():
    """Complex roots of modulus sqrt(beta) for every eigenvalue: mean-square rate exactly beta."""
    P = build("quadratic:n=1,d=3,kappa=4")
    m = HeavyBall(gamma=0.5, beta=0.8)
    assert moments.mean_square_rate(m, P) == pytest.approx(0.8, rel=1e-9)


def test_a_certificate_encloses_the_rate():
    rho, r, W = moments.certificate(PSI_STEP, QUADRATIC, METHOD)
    assert rho < r <= 1.01 * rho * (1 + 1e-9)
    assert all(np.linalg.eigvalsh(w)[0] > 0 for w in W)
    system = system_of(PSI_STEP, QUADRATIC, METHOD)
    low, high = bracket(system.forward, [np.eye(q) for q in system.sizes])
    assert low <= rho <= high


def test_a_clock_that_runs_on_has_no_rate_but_a_period_has():
    m = Ordered(gamma=0.1, beta=0.5, K=3)
    P = build("quadratic:n=1,d=2,kappa=2")
    with pytest.raises(Refused, match="period"):
        moments.mean_square_rate(m, P)
    assert moments.rate_of_period(P, m, 3) < 1
    with pytest.raises(Refused, match="no period"):
        moments.rate_of_period(P, m, 2)
    with pytest.raises(ValueError, match="period must be"):
        moments.rate_of_period(P, m, 0)


UNIT = Quadratics(A=np.ones((1, 1, 1)), b=np.ones((1, 1)))


@pytest.mark.parametrize(("beta", "K", "critical"), [(0.5, 4, 0.5524375147), (0.9, 4, 1.9839910918)])
def test_critical_steps_of_ordered_momentum(beta, K, critical):
    found = moments.critical_step(
        lambda g: moments.rate_of_period(UNIT, Ordered(g, beta, K), K), 0.01, 5.0, 1e-10
    )
    assert found == pytest.approx(critical, abs=2e-9)


def test_critical_step_of_heavy_ball():
    found = moments.critical_step(lambda g: moments.mean_square_rate(HeavyBall(g, 0.9), UNIT), 0.1, 10.0)
    assert found == pytest.approx(3.8, rel=1e-9)
    with pytest.raises(ValueError, match="enclose"):
        moments.critical_step(lambda g: 0.5, 0.1, 1.0)


def test_the_period_matrix_has_the_rate_as_its_radius():
    m, P = Ordered(gamma=0.1, beta=0.5, K=3), build("quadratic:n=1,d=2,kappa=2")
    M = moments.period_matrix(P, m, 3)
    assert np.abs(np.linalg.eigvals(M)).max() ** (2 / 3) == pytest.approx(moments.rate_of_period(P, m, 3))
    noisy = federated(n=1, d=2, kappa=2, noise=0.1)
    assert moments.rate_of_period(noisy, m, 3) == pytest.approx(moments.rate_of_period(P, m, 3), rel=1e-6)
    with pytest.raises(Refused, match="luck"):
        moments.period_matrix(noisy, m, 3)


# ------------------------------------------------------------------ the linear algebra


def test_reachable_spaces_stop_at_invariance():
    A = np.array([[0.5, 1, 0], [0, 0.5, 0], [0, 0, 1.0]])[None]
    jumps = Jumps((3,), ((0, 0, A),))
    (R,) = reachable(jumps, [np.array([[0.0], [1.0], [0.0]])])
    assert R.shape == (3, 2)
    assert np.abs(R[2]).max() == 0
    assert spectral_radius(jumps) == pytest.approx(1)
    assert spectral_radius(jumps.restricted([R])) == pytest.approx(0.25)


def test_columns_of_rounding_span_nothing():
    assert orthonormal(np.zeros((3, 0)), np.array([[1.0, 1e-16], [0, 1e-15], [0, 0]])).shape == (3, 1)


def test_the_resolvent_solves_its_equation():
    A = np.random.default_rng(0).standard_normal((2, 4, 4)) / 4
    jumps = Jumps((4,), ((0, 0, A),))
    r = 1.5 * spectral_radius(jumps)
    (W,) = resolvent(jumps, r)
    assert np.allclose(r * W - jumps.adjoint([W])[0], np.eye(4))
    with pytest.raises(ValueError, match="positive definite"):
        bracket(jumps.forward, [-np.eye(4)])


def test_an_operator_that_forgets_everything_has_rate_zero():
    P = Quadratics(A=2 * np.eye(25)[None], b=np.ones((1, 25)))
    assert moments.mean_square_rate(GD(gamma=0.5), P) == 0


# ------------------------------------------------------------------ refusals


def test_what_cannot_be_judged_is_not_applicable_with_a_reason():
    far = Quadratics(A=np.diag(np.linspace(1, 2, 500))[None], b=np.ones((1, 500)))
    for statement, problem, method, reason in (
        (PSI_STEP, QUADRATIC, METHOD, "OneStep"),
        (radius(), FunctionClass(n=2), GD(gamma=0.1), "no data"),
        (radius(), QUADRATIC, Clipped(gamma=0.1), "not affine"),
        (radius(), build("logistic:a1a,clients=5,kappa=100"), GD(gamma=0.1), "not affine"),
        (radius(), far, GD(gamma=0.1), "too large"),
        (psi_horizon(), QUADRATIC, GD(gamma=0.1), "speaks of Scaffnew"),
        (
            replace(radius(), measure=lambda P, m, s: sqnorm(s.x) ** 2),
            QUADRATIC,
            GD(gamma=0.1),
            "not quadratic",
        ),
    ):
        verdict = moments.check(statement, problem, method)
        assert verdict.word == "not applicable", statement
        assert reason in verdict.note


def test_kernels_are_read_once():
    chain = Chain(QUADRATIC, METHOD, coordinates_of(PSI_STEP, QUADRATIC, METHOD), QUICK, None)
    key = chain.enter(METHOD.init(QUADRATIC, np.zeros(2)))
    assert chain.kernel(key, 0) is chain.kernel(key, 5)
    assert chain.timeless


def test_a_claim_whose_expectation_leaves_the_doubles_is_refuted_where_it_still_fits():
    P = build("quadratic:n=3,d=2,kappa=100")
    broken, P, m = field_times("gamma", 16).edit(gd.CONVEX_RATE, P, gd.CONVEX_RATE.tune(P))
    v = moments.check(broken, P, m)
    assert v.word == "violated"
    assert 1 < v.ratio < np.inf
    lhs, rhs = moments.sides(broken, P, m, v.witness)
    assert np.isfinite(lhs)
    assert lhs > rhs
