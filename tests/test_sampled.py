"""The sampled lens: e-values, upper bounds, runs as numbers, replay."""

import json
import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import mean_clients, norm, sqnorm, to_clients
from proveout.laws import Coin, Given, Joint, Normal
from proveout.methods.gd import GD, SGD
from proveout.methods.proxskip import Scaffnew
from proveout.methods.proxskip import State as ScaffnewState
from proveout.problems import Quadratics, build
from proveout.problems.classes import FunctionClass
from proveout.theory.lenses import sampled
from proveout.theory.lenses.common import ALARM, budget_of
from proveout.theory.lenses.sampled.evalues import (
    bounded_upper,
    e_bh,
    guard,
    log_wealth,
    refutes,
    runs_that_refute,
    upper,
)
from proveout.theory.lenses.sampled.paths import binned
from proveout.theory.lenses.sampled.runs import (
    deterministic,
    entropy,
    expected_cost,
    grid,
    scheduled,
    steps_within,
)
from proveout.theory.statement import (
    Assumption,
    Complexity,
    Cross,
    Failure,
    Gap,
    Horizon,
    Identity,
    Membership,
    OneStep,
    Square,
    evaluate,
)
from proveout.theory.twins import update_times
from proveout.theory.witness import trust

QUADRATIC = build("quadratic:n=3,d=2,kappa=10,noise=0.3")
METHOD = Scaffnew(gamma=0.1, p=0.3)


def psi(P, m, s):
    weight = (m.gamma / m.p) ** 2
    return Square(1, s.x - P.x_star, core=2), Square(weight, s.h - P.h_star, core=2)


def psi_rate(P, m):
    return max(1 - m.gamma * P.mu_min, 1 - m.p**2)


def psi_horizon(factor=1.0, **more):
    """E Psi_T <= factor rate^T Psi_0."""

    def bound(P, m, T, start):
        return tuple(replace(t, weight=factor * t.weight * psi_rate(P, m) ** T) for t in psi(P, m, start))

    return Horizon(source="test", method=Scaffnew, measure=psi, bound=bound, **more)


def distance(P, m, s):
    return (Square(1, s.x - P.x_star),)


def descent(factor=1.0, over="last"):
    """|x_T - x*|^2 <= factor (1 - gamma mu)^T |x_0 - x*|^2, and averages likewise."""

    def bound(P, m, T, start):
        return (Square(factor * (1 - m.gamma * P.mu) ** (T if over == "last" else 0), start.x - P.x_star),)

    return Horizon(source="test", method=(GD, SGD), measure=distance, over=over, bound=bound)


PSI_STEP = OneStep(
    source="test",
    method=Scaffnew,
    lyapunov=psi,
    rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p**2),
    star=lambda P, m: ScaffnewState(x=to_clients(P.x_star, P.n), h=P.h_star),
    domain=lambda P, m, s: s._replace(h=s.h - mean_clients(s.h)),
)

LAWS = {
    "exponential": lambda rng, n: rng.exponential(size=n),
    "lognormal": lambda rng, n: np.exp(2 * rng.standard_normal(n) - 2),
    "pareto": lambda rng, n: (rng.pareto(1.5, size=n) + 1) / 3,
    "rare path": lambda rng, n: (rng.random(n) < 1e-3) * 1000.0,
}


# ------------------------------------------------------------------ e-values


@pytest.mark.parametrize("law", LAWS)
def test_a_claim_met_with_equality_is_seldom_refuted_at_any_stopping_time(law):
    rng, tests = np.random.default_rng(1), 1500
    peaks = np.array([log_wealth(LAWS[law](rng, 1000)).max() for _ in range(tests)])
    assert (peaks >= math.log(100)).mean() <= 0.01  # Ville at alpha = .01: expected at most 15 of 1500
    assert (peaks >= math.log(1000)).mean() <= 0.002
    assert not refutes(peaks)


@pytest.mark.parametrize(
    ("law", "defect", "runs", "share"),
    [
        ("exponential", 1.0, 256, 1.0),
        ("exponential", 0.2, 4096, 1.0),
        ("lognormal", 1.0, 4096, 1.0),
        ("pareto", 1.0, 1024, 1.0),
    ],
)
def test_a_claim_too_small_is_refuted(law, defect, runs, share):
    rng = np.random.default_rng(2)
    hits = [refutes(log_wealth((1 + defect) * LAWS[law](rng, runs))) for _ in range(40)]
    assert np.mean(hits) >= share


def test_four_times_the_runs_of_the_formula_never_miss():
    rng = np.random.default_rng(3)
    for defect in (0.2, 1.0):
        runs = math.ceil(4 * runs_that_refute(defect, cv=1.0))
        assert all(refutes(log_wealth((1 + defect) * rng.exponential(size=runs))) for _ in range(100))


def test_wealth_of_one_run_is_the_mean_of_its_bets():
    assert math.exp(log_wealth(np.array([3.0]))[0]) == pytest.approx(np.mean(1 + 2.0 ** -np.arange(11) * 2))


def test_a_run_of_zero_ruins_only_the_boldest_bet_and_infinity_refutes_for_ever():
    logs = log_wealth(np.array([0.0, 1.0, np.inf, 0.0]))
    assert np.exp(logs[0]) == pytest.approx(np.mean(1 - 2.0 ** -np.arange(11)))
    assert np.isposinf(logs[2:]).all()
    assert refutes(logs)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("excess", [1.01, 1.2])
def test_a_false_claim_is_never_confirmed(law, excess):
    rng = np.random.default_rng(4)
    for n in (1024, 4096):
        for _ in range(100):
            X = excess * LAWS[law](rng, n)
            assert guard(X) is not None or upper(X) > 1


def test_a_claim_with_room_is_confirmed_once_there_are_enough_runs():
    rng = np.random.default_rng(5)
    granted = {
        (n, level): np.mean(
            [guard(X) is None and upper(X) <= 1 for X in level * rng.exponential(size=(100, n))]
        )
        for n in (1024, 4096)
        for level in (0.5, 0.8)
    }
    assert granted[4096, 0.5] == granted[4096, 0.8] == 1
    assert granted[1024, 0.5] > 0.6
    assert granted[1024, 0.8] < granted[4096, 0.8]


def test_guards_say_why_a_sample_may_not_confirm():
    assert "runs" in guard(np.ones(100))
    assert "variance" in guard(np.ones(600))
    assert "finite" in guard(np.append(np.ones(600), np.inf))
    assert "kurtosis" in guard(np.append(np.linspace(0, 1, 999), 1e3))
    assert guard(np.random.default_rng(0).random(1000)) is None


def test_empirical_bernstein_covers_without_an_assumption():
    rng = np.random.default_rng(6)
    misses = [bounded_upper(LAWS["rare path"](rng, 2000), 1000.0) < 1 for _ in range(200)]
    assert not any(misses)
    assert bounded_upper(rng.random(10_000), 1.0) < 0.53


def test_e_bh_keeps_the_largest_set_that_pays():
    # m = 4, q = .1: W_(1) >= 40, W_(2) >= 20, W_(3) >= 13.3, W_(4) >= 10
    assert e_bh(np.log([50.0, 1.0, 15.0, 19.0]), 0.1).tolist() == [True, False, True, True]
    assert e_bh(np.log([39.0, 1.0, 12.0, 19.0]), 0.1).tolist() == [False] * 4


# ------------------------------------------------------------------ horizons


def test_a_true_horizon_is_not_refuted_and_half_of_it_is():
    assert sampled.check(psi_horizon(), QUADRATIC, METHOD).word != "violated"
    verdict = sampled.check(psi_horizon(0.5), QUADRATIC, METHOD)
    assert verdict.word == "violated"
    assert verdict.ratio > 1.5
    assert "wealth" in verdict.note


QUIET = build("quadratic:n=3,d=2,kappa=10,noise=0.3")  # with full batches only the noise is left to luck


def settles(factor=1.0):
    """mean_t E|x_t - x*|^2 <= |x_0 - x*|^2 / (gamma mu (T + 1)) + factor gamma sigma^2 / (n mu)."""

    def bound(P, m, T, start):
        if T > 100:
            raise ValueError("T must be <= 100")
        rate = 1 / (m.gamma * P.mu * (T + 1))
        return Square(rate, start.x - P.x_star), factor * m.gamma * P.sigma2 / (P.n * P.mu)

    return Horizon(source="test", method=SGD, measure=distance, bound=bound, over="mean")


def test_a_horizon_with_room_is_confirmed_by_enough_runs():
    verdict = sampled.check(settles(8), QUIET, SGD(gamma=0.05, batch=3), budget="full")
    assert (verdict.word, verdict.grade) == ("holds", "sampled")
    assert "variance is at most 4 times" in verdict.note
    assert verdict.ratio < 1
    assert sampled.check(settles(0), QUIET, SGD(gamma=0.05, batch=3), budget="full").word == "violated"


def test_forgetting_the_shift_is_caught():
    statement, problem, twin = update_times("h", 0).edit(psi_horizon(), QUADRATIC, METHOD)
    assert sampled.check(statement, problem, twin).word == "violated"


def test_the_verdict_is_a_function_of_the_seed():
    one, two, other = (sampled.check(psi_horizon(), QUADRATIC, METHOD, seed=s) for s in (5, 5, 6))
    assert one.ratio == two.ratio
    assert one.ratio != other.ratio


def test_streams_differ_between_statements_problems_and_parameters():
    keys = {
        entropy(seed, statement, P, m)
        for seed in (0, 1)
        for statement in (psi_horizon(), PSI_STEP)
        for P in (QUADRATIC, build("quadratic:n=2,d=2"))
        for m in (METHOD, replace(METHOD, p=0.4))
    }
    assert len(keys) == 16


@pytest.mark.parametrize("over", ["last", "mean", "min", "mean_iterate"])
def test_without_luck_one_run_is_the_expectation(over):
    m = GD(gamma=1 / QUADRATIC.L)
    good, bad = (sampled.check(descent(c, over), QUADRATIC, m) for c in (1, 0.01))
    assert (good.word, good.grade, good.states) == ("holds", "searched", "searched(200)")
    assert bad.word == "violated"
    lhs, rhs = sampled.sides(descent(0.01, over), QUADRATIC, m, json.loads(json.dumps(bad.witness)))
    assert lhs / rhs == pytest.approx(bad.ratio, rel=1e-9)


def test_weights_of_a_mean_are_normalised():
    half = replace(descent(1, "mean"), weights=lambda P, m, T: 7 * (np.arange(T + 1) == T))
    m = GD(gamma=1 / QUADRATIC.L)
    last, weighted = (
        sampled.check(s, QUADRATIC, m) for s in (replace(descent(1, "mean"), over="last"), half)
    )
    assert weighted.ratio == pytest.approx(last.ratio)


def test_the_mean_may_stop_before_the_end():
    # T = 1 without the end is the start alone: figure exactly 1
    statement = replace(descent(1, "mean"), includes_end=False)
    assert sampled.check(statement, QUADRATIC, GD(gamma=1 / QUADRATIC.L)).ratio == pytest.approx(1)


def test_a_stored_violation_is_replayed_bit_for_bit():
    verdict = sampled.check(psi_horizon(0.1), QUADRATIC, METHOD)
    stored = json.loads(json.dumps(verdict.witness))
    lhs, rhs = sampled.sides(psi_horizon(0.1), QUADRATIC, METHOD, stored)
    assert lhs == pytest.approx(float.fromhex(stored["lhs"]["float"]), rel=1e-9)
    assert rhs == pytest.approx(float.fromhex(stored["rhs"]["float"]), rel=1e-9)
    assert lhs > 5 * rhs


def test_divergence_counts_as_infinite():
    verdict = sampled.check(descent(), QUADRATIC, SGD(gamma=10.0))
    assert verdict.word == "violated"
    assert verdict.ratio == math.inf


def test_a_bound_that_computes_with_python_numbers_is_understood():
    def bound(P, m, T, start):
        return max(0.0, float(sqnorm(start.x - P.x_star)))

    assert sampled.check(replace(descent(), bound=bound), QUADRATIC, GD(gamma=0.1)).word == "holds"


def test_horizons_of_which_the_bound_does_not_speak_are_left_out():
    def bound(P, m, T, start):
        if T < 10:
            raise ValueError("T must be >= 10")
        return (Square(1.0, start.x - P.x_star),)

    verdict = sampled.check(replace(descent(), bound=bound), QUADRATIC, GD(gamma=0.1))
    assert verdict.word == "holds"
    assert "T = 10, 20" in verdict.note


def test_function_values_are_compared_up_to_their_own_rounding():
    gap = Horizon(
        source="test",
        method=GD,
        measure=lambda P, m, s: (Gap(1, s.x),),
        bound=lambda P, m, T, start: (Gap((1 - m.gamma * P.mu) ** (2 * T), start.x),),
    )
    assert sampled.check(gap, QUADRATIC, GD(gamma=1 / QUADRATIC.L)).word == "holds"


# ------------------------------------------------------------------ real data, budgets


@pytest.mark.parametrize(
    "spec", ["logistic:mushrooms,clients=10,kappa=100", "logistic:a1a,clients=10,kappa=100"]
)
def test_on_real_data_the_horizon_follows_a_budget(spec):
    problem = build(spec)
    m = Scaffnew(gamma=1 / problem.L_max, p=0.3)
    assert 2 <= steps_within(problem, m, 512, budget_of("quick")) <= 50
    assert sampled.check(psi_horizon(), problem, m).word in ("holds", "inconclusive")
    assert sampled.check(psi_horizon(0.1), problem, m).word == "violated"


def test_grids_end_at_the_last_horizon():
    assert grid(7) == (1, 2, 5, 7)
    assert grid(1) == (1,)


class _Ordered(NamedTuple):
    worker: Any


def test_a_schedule_that_does_not_cycle_limits_the_horizon():
    assert scheduled(Joint(_Ordered(Given(np.arange(30)))), 1000) == 20
    assert scheduled(Joint(_Ordered(Given(np.arange(30), cycle=True))), 1000) == 1000


def test_which_laws_leave_nothing_to_luck():
    assert deterministic(GD(gamma=1.0).law(QUADRATIC))
    assert deterministic(Joint(_Ordered(Given(np.arange(3), cycle=True))))
    assert deterministic(Joint(_Ordered(Coin(1.0))))
    assert not deterministic(METHOD.law(QUADRATIC))


# ------------------------------------------------------------------ complexities and failures


def psi_complexity(factor=1.0, unit="steps", per_step=1.0):
    def count(P, m, eps, start):
        gap = math.log(float(evaluate(psi(P, m, start), P)) / eps)
        return factor * per_step * gap / -math.log(psi_rate(P, m))

    return Complexity(source="test", method=Scaffnew, measure=psi, count=count, unit=unit)


def test_a_complexity_is_judged_at_its_own_count():
    def count(P, m, eps, start):
        gap = math.log(float(evaluate(distance(P, m, start), P)) / eps)
        return 2 * gap / -math.log(1 - m.gamma * P.mu)

    reach = Complexity(source="test", method=SGD, measure=distance, count=count)
    m = SGD(gamma=0.05, batch=3)
    assert (
        sampled.check(reach, build("quadratic:n=3,d=2,kappa=10,noise=1e-4"), m, budget="full").word == "holds"
    )
    assert sampled.check(reach, QUIET, m, budget="full").word == "violated"  # the noise stands in the way
    assert sampled.check(psi_complexity(0.25), QUADRATIC, METHOD, budget="full").word == "violated"


def test_a_start_that_is_promised_another_number_of_steps_is_not_held_to_this_one():
    def gap(P, m, s):
        return (Gap(1, s.x),)

    def count(factor):
        def steps(P, m, eps, start):
            return factor * P.L * float(evaluate(distance(P, m, start), P)) / (2 * eps)

        return steps

    P, m = build("quadratic:n=3,d=4,kappa=30"), GD(gamma=1 / build("quadratic:n=3,d=4,kappa=30").L)
    for factor, word in ((1.0, "holds"), (0.02, "violated")):
        verdict = sampled.check(Complexity(source="test", method=GD, measure=gap, count=count(factor)), P, m)
        assert verdict.word == word
        tried = int(verdict.states.removeprefix("searched(").removesuffix(")"))
        assert factor < 1 or 1 <= tried < 200
    lhs, rhs = sampled.sides(
        Complexity(source="test", method=GD, measure=gap, count=count(0.02)), P, m, verdict.witness
    )
    assert lhs > rhs


def test_units_of_cost_become_steps_by_their_expectation():
    m = Scaffnew(gamma=0.1, p=0.9)
    assert expected_cost(QUADRATIC, m, "rounds") == pytest.approx(0.9)
    in_steps = sampled.check(psi_complexity(1.5), QUADRATIC, m)
    in_rounds = sampled.check(psi_complexity(1.5, unit="rounds", per_step=0.9), QUADRATIC, m)
    assert in_rounds.ratio == in_steps.ratio


def test_a_count_beyond_the_budget_is_inconclusive():
    verdict = sampled.check(psi_complexity(1e9), QUADRATIC, METHOD)
    assert verdict.word == "inconclusive"
    assert "needs" in verdict.note


def stays_away(floor, steps=100):
    return Failure(
        source="test", method=(GD, SGD), measure=distance, floor=lambda P, m, T, s: floor, steps=steps
    )


def test_a_failure_without_luck_is_compared():
    assert sampled.check(stays_away(0.01), QUADRATIC, GD(gamma=2.5 / QUADRATIC.L)).word == "holds"
    verdict = sampled.check(stays_away(0.01), QUADRATIC, GD(gamma=1 / QUADRATIC.L))
    assert verdict.word == "violated"
    lhs, rhs = sampled.sides(stays_away(0.01), QUADRATIC, GD(gamma=1 / QUADRATIC.L), verdict.witness)
    assert lhs == 0.01
    assert rhs < 1e-6


def test_a_failure_is_confirmed_by_refuting_its_opposite():
    verdict = sampled.check(stays_away(0.1), QUADRATIC, SGD(gamma=0.1))
    assert (verdict.word, verdict.grade) == ("holds", "sampled")
    assert verdict.ratio < 1


def test_a_failure_is_refuted_by_an_upper_bound_under_the_floor():
    statement, m = stays_away(1.0, 60), SGD(gamma=0.1, batch=3)
    verdict = sampled.check(statement, QUADRATIC, m, budget="full")
    assert verdict.word == "violated"
    lhs, rhs = sampled.sides(statement, QUADRATIC, m, verdict.witness)
    assert lhs / rhs == pytest.approx(verdict.ratio)


# ------------------------------------------------------------------ one step along paths


class _Noise(NamedTuple):
    xi: Any


@dataclass(frozen=True)
class ClippedSGD:
    """x' = x - gamma clip(grad f(x) + xi), gaussian xi: not enumerable; the radius is out of reach."""

    gamma: float
    radius: float = 1e12

    def init(self, P, x0):
        return _Noise(x0)

    def law(self, P):
        return Joint(_Noise(Normal(P.d)))

    def step(self, P, s, draw):
        g = P.grad(s.xi) + draw.xi
        size = norm(g)[..., None]
        return _Noise(s.xi - self.gamma * g * np.minimum(1, self.radius / size))


def clipped_step(noise):
    """On f with L = mu = 1 inside the radius: E|x'|^2 = (1 - gamma)^2 |x|^2 + gamma^2 d."""
    return OneStep(
        source="test",
        method=ClippedSGD,
        lyapunov=lambda P, m, s: (Square(1, s.xi - P.x_star),),
        rate=lambda P, m: (1 - m.gamma) ** 2,
        noise=lambda P, m: noise * m.gamma**2 * P.d,
    )


BALL = Quadratics(A=np.eye(3)[None], b=np.ones((1, 3)))


def test_a_noise_term_too_small_is_seen_where_the_noise_rules():
    assert sampled.check(clipped_step(0.4), BALL, ClippedSGD(0.3), budget="full").word == "violated"
    verdict = sampled.check(clipped_step(1.0), BALL, ClippedSGD(0.3), budget="full")
    assert verdict.word != "violated"


def test_a_one_step_violation_is_replayed():
    verdict = sampled.check(clipped_step(0.4), BALL, ClippedSGD(0.3), budget="full")
    stored = json.loads(json.dumps(verdict.witness))
    trust(__name__)
    lhs, rhs = sampled.sides(clipped_step(0.4), BALL, ClippedSGD(0.3), stored)
    assert lhs / rhs == pytest.approx(verdict.ratio)


def test_bins_find_what_a_pooled_test_cannot():
    """A noise term half as large as it should be rules only near the optimum."""
    P = build("quadratic:n=3,d=2,kappa=3,noise=1.0")
    m = SGD(gamma=0.1)
    true = OneStep(
        source="test",
        method=SGD,
        lyapunov=distance,
        rate=lambda P, m: 1 - m.gamma * P.mu,
        noise=lambda P, m: 2 * m.gamma**2 * (P.zeta2 + P.sigma2),
    )
    rng = np.random.default_rng(0)
    _, quiet = binned(true, P, m, rng, 100)
    assert quiet < math.log(1 / ALARM)
    _, loud = binned(replace(true, noise=lambda P, m: true.noise(P, m) / 8), P, m, rng, 100)
    assert loud > math.log(1 / ALARM)


@given(seed=st.integers(0, 30))
def test_a_true_one_step_claim_is_never_refuted(seed):
    assert sampled.check(PSI_STEP, QUADRATIC, METHOD, seed=seed).word in ("inconclusive", "holds")


def test_a_rate_too_good_is_refuted():
    assert sampled.check(replace(PSI_STEP, rate=lambda P, m: 0.6), QUADRATIC, METHOD).word == "violated"


def test_one_step_without_luck_is_searched():
    statement = OneStep(
        source="test", method=GD, lyapunov=distance, rate=lambda P, m: (1 - m.gamma * P.mu) ** 2
    )
    m = GD(gamma=1 / QUADRATIC.L)
    assert sampled.check(statement, QUADRATIC, m).grade == "searched"
    assert sampled.check(replace(statement, rate=lambda P, m: 0.3), QUADRATIC, m).word == "violated"


# ------------------------------------------------------------------ blocks that cannot be enumerated


@dataclass(frozen=True)
class RandomLine:
    """Projection on a random direction: E|C(u) - u|^2 = (1 - 1/d) |u|^2."""

    def law(self, n, d):
        return Normal(d)

    def __call__(self, x, draw):
        v = draw / norm(draw)[..., None]
        return np.sum(x * v[..., None, :], axis=-1, keepdims=True) * v[..., None, :]


def projection(factor=1.0):
    return Membership(
        source="test",
        sides=lambda block, u, draw: (sqnorm(block(u, draw) - u, 2), sqnorm(u, 2)),
        constant=lambda block, d: factor * (1 - 1 / d),
        dims=(2, 4),
    )


def test_a_block_with_a_continuous_law_is_tested_at_the_worst_input_found():
    assert sampled.check(projection(1.5), None, RandomLine()).word == "holds"
    bad = sampled.check(projection(0.5), None, RandomLine())
    assert bad.word == "violated"
    lhs, rhs = sampled.sides(projection(0.5), None, RandomLine(), json.loads(json.dumps(bad.witness)))
    assert lhs / rhs == pytest.approx(bad.ratio)


# ------------------------------------------------------------------ refusals


def test_what_cannot_be_judged_is_not_applicable_with_a_reason():
    never = Assumption("nothing is ever so", lambda P: False)
    for statement, problem, method, reason in (
        (Identity(source="t", sides=lambda P, m, path: (0, 0)), QUADRATIC, METHOD, "Identity"),
        (psi_horizon(), FunctionClass(n=2), METHOD, "no data"),
        (psi_horizon(), QUADRATIC, GD(gamma=0.1), "speaks of Scaffnew"),
        (replace(psi_horizon(), assumes=(never,)), QUADRATIC, METHOD, "does not hold"),
        (replace(psi_horizon(), allows=lambda P, m: False), QUADRATIC, METHOD, "parameters"),
    ):
        verdict = sampled.check(statement, problem, method)
        assert verdict.word == "not applicable"
        assert reason in verdict.note


def test_cross_terms_are_measured_too():
    statement = replace(descent(), measure=lambda P, m, s: (Cross(1, s.x - P.x_star, s.x - P.x_star),))
    assert sampled.check(statement, QUADRATIC, GD(gamma=0.1)).word == "holds"
