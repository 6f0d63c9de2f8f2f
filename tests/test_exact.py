"""The exact lens: it decides, it finds, it never cries wolf, and it says what it looked at."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exact_subjects import (
    ANCHOR,
    CLIP,
    DESCENT,
    DIANA,
    DISTANCE,
    GAUSSIAN,
    SCAFFNEW,
    SMALL,
    TOP,
    BlockGD,
    Clip,
    NormalSGD,
    Top,
    Wrong,
    all_ones_worst,
    silent,
    words,
)
from proveout.arrays import namespace, to_clients
from proveout.laws import Coin, Joint
from proveout.methods import gd, proxskip
from proveout.methods.blocks.compressors import TopK
from proveout.methods.blocks.estimators import Compressed
from proveout.methods.gd import GD, SGD
from proveout.methods.proxskip import Scaffnew
from proveout.problems import Quadratics, build, federated
from proveout.theory import biased_sgd, twins
from proveout.theory import gd as gd_theory
from proveout.theory.lenses import exact
from proveout.theory.lenses.common import (
    BUDGETS,
    VIOLATION,
    refusal,
)
from proveout.theory.lenses.exact.candidates import candidates
from proveout.theory.lenses.exact.onestep import claim_of
from proveout.theory.lenses.exact.search import evolve, search
from proveout.theory.witness import decode

# ------------------------------------------------------------------ it decides


@pytest.mark.parametrize("batch", range(6))
def test_true_tight_instances_are_never_called_violated(batch: int) -> None:
    rng = np.random.default_rng(batch)
    tight = 0
    for _ in range(60):
        P = federated(
            n=int(rng.integers(1, 7)),
            d=int(rng.integers(1, 5)),
            kappa=10 ** rng.uniform(0, 6),
            heterogeneity=10 ** rng.uniform(-3, 3),
            basis=str(rng.choice(["common", "rotated"])),
            seed=int(rng.integers(10**6)),
            mu=10 ** rng.uniform(-3, 3),
        )
        m = SCAFFNEW.tune(P, p=min(1.0, 10 ** rng.uniform(-2, 0.2)))
        verdict = exact.check(SCAFFNEW, P, m)
        assert (verdict.word, verdict.grade, verdict.states) == ("holds", "exact", "all")
        assert verdict.ratio <= 1 + 1e-12
        tight += verdict.ratio >= 1 - 1e-9
    assert tight >= 5


def test_evolution_inside_the_fence_never_beats_the_eigenvalue_on_tight_instances() -> None:
    rng = np.random.default_rng(7)
    for seed in range(25):
        P = federated(
            n=3, d=2, kappa=10 ** rng.uniform(0, 6), heterogeneity=10 ** rng.uniform(-3, 3), seed=seed
        )
        claim = claim_of(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.1), BUDGETS["full"])
        found = search(claim, BUDGETS["full"], seed)
        decided = exact.worst_state(SCAFFNEW, P, claim.m)
        assert decided.all
        assert found.figure <= decided.figure + 1e-9
        assert found.figure >= 0.99 * decided.figure


def test_the_figure_is_the_closed_form_of_scaffnew_at_the_vertices() -> None:
    P = Quadratics(
        A=np.array([1.0, 10.0, 10.0])[:, None, None] * np.eye(1), b=np.array([[1.0], [2.0], [-3.0]])
    )
    for gamma, p in ((0.1, 0.3), (0.05, 0.3), (0.1, 1.0), (0.02, 0.9)):
        m = Scaffnew(gamma=gamma, p=p)
        sharp = max((1 - gamma) ** 2, (1 - 10 * gamma) ** 2, 1 - p**2)
        worst = exact.worst_state(SCAFFNEW, P, m)
        claimed = max(1 - gamma, 1 - p**2)
        assert worst.figure * claimed <= sharp * (1 + 1e-12)
        if p == 0.3:
            assert worst.figure * claimed == pytest.approx(1 - p**2, rel=1e-12)


SCAFFNEW_TWINS = (
    twins.update_times("x", 0),
    twins.update_times("x", 0.5),
    twins.update_times("x", 2),
    twins.update_times("h", 0),
    twins.update_times("h", 0.5),
    twins.update_times("h", 2),
    twins.rolled("h"),
    twins.oracle("gradients rolled", lambda grads, x: np.roll(grads(x), 1, axis=-2)),
    twins.oracle("gradients x 3", lambda grads, x: 3 * grads(x)),
    twins.oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x)),
    twins.oracle("gradients negated", lambda grads, x: -grads(x)),
    twins.oracle("one client silent", silent),
    twins.rate_gap(2),
    twins.rate_gap(1.1),
    twins.rate_is("p for p^2", lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p)),
    twins.branch_dropped(0),
    twins.branch_dropped(1),
    twins.law_with("coin halved", lambda P, m: Joint(proxskip.Draw(theta=Coin(m.p / 2)))),
    twins.field_times("gamma", 2.2),
    twins.field_times("gamma", 4),
    twins.weight_times(1, 0.25),
    twins.weight_times(1, 4),
    twins.statement_with("shifts need not sum to zero", domain=None),
)


@pytest.mark.parametrize("twin", SCAFFNEW_TWINS, ids=lambda t: t.name)
def test_every_broken_variant_of_scaffnew_is_killed_by_the_eigenvalue(twin: Any) -> None:
    verdicts = words(SCAFFNEW, twin, ({"p": 0.1}, {"p": 0.5}, {"p": 1.0}), SMALL)
    assert all(v.word in ("holds", "violated") for v in verdicts)
    assert any(v.word == "violated" and v.states == "all" and v.ratio > 1.001 for v in verdicts)


@pytest.mark.parametrize(
    "statement, settings, twin, least",
    [
        (DIANA, ({},), twins.update_times("x", 0), 1.5),
        (DIANA, ({},), twins.update_times("x", 0.5), 1.01),
        (DIANA, ({},), twins.update_times("x", 2), 1.3),
        (DIANA, ({},), twins.update_times("h", 0), 1.5),
        (DIANA, ({},), twins.update_times("h", 2), 2.0),
        (DIANA, ({},), twins.oracle("negated", lambda grads, x: -grads(x)), 1e6),
        (DIANA, ({},), twins.rate_gap(2), 1.1),
        (ANCHOR, ({"p": 0.1}, {"p": 1.0}), twins.update_times("x", 0), 1.1),
        (ANCHOR, ({"p": 0.1}, {"p": 1.0}), twins.update_times("x", 0.5), 1.01),
        (ANCHOR, ({"p": 0.1}, {"p": 1.0}), twins.update_times("x", 2), 1.03),
        (ANCHOR, ({"p": 0.1}, {"p": 1.0}), twins.update_times("w", 0), 1.17),
        (ANCHOR, ({"p": 0.1}, {"p": 1.0}), twins.update_times("w", 2), 1.5),
        (ANCHOR, ({"p": 0.1}, {"p": 1.0}), twins.field_times("gamma", 2), 1.1),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_broken_variants_of_diana_and_lsvrg_die_on_the_grid(
    statement: Any, settings: Any, twin: Any, least: float
) -> None:
    verdicts = words(statement, twin, settings)
    assert max(v.ratio for v in verdicts if v.word == "violated") >= least
    assert not [v for v in verdicts if v.word not in ("holds", "violated")]


@pytest.mark.parametrize("statement, settings", [(DIANA, ({},)), (ANCHOR, ({"p": 0.1}, {"p": 1.0}))])
def test_the_true_claims_hold_on_the_whole_grid_and_every_branch_is_seen(
    statement: Any, settings: Any
) -> None:
    verdicts = words(statement, twins.statement_with("unchanged"), settings)
    assert {(v.word, v.grade) for v in verdicts} == {("holds", "exact")}
    assert {b for v in verdicts for b in v.branches} == {0, 1}


@pytest.mark.parametrize("sigma", [1.0, 1e-3, 1e-6, 1e-8])
def test_a_noise_term_far_below_the_scale_of_v_is_not_lost(sigma: float) -> None:
    P = federated(n=1, d=4, kappa=20, heterogeneity=0, basis="rotated", noise=sigma)
    m = SGD(gamma=1 / P.L)
    verdict = exact.check(DISTANCE, P, m)
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-9)
    short = replace(DISTANCE, noise=lambda P, m: m.gamma**2 * P.sigma2 / 2.3380116)
    refuted = exact.check(short, P, m)
    assert refuted.word == "violated"
    assert refuted.ratio == pytest.approx(2.3380116, rel=1e-4)


@given(seed=st.integers(0, 1000), fraction=st.floats(0.05, 1))
def test_the_descent_lemma_holds_without_an_optimum_and_is_tight(seed: int, fraction: float) -> None:
    P = federated(n=2, d=3, kappa=30, basis="rotated", seed=seed)
    verdict = exact.check(DESCENT, P, GD(gamma=fraction / P.L))
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "exact", "all")
    if fraction == 1:
        assert verdict.ratio == pytest.approx(1, abs=1e-9)


def test_a_doubled_progress_and_a_longer_step_break_the_descent_lemma() -> None:
    P = federated(n=2, d=3, kappa=30, basis="rotated")
    for twin in (twins.progress_times(2), twins.field_times("gamma", 2.1), twins.oracle("x 3", silent)):
        verdict = exact.check(*twin.edit(DESCENT, P, GD(gamma=1 / P.L)))
        assert verdict.word == "violated", twin.name


def test_a_rate_below_zero_is_violated_even_if_the_step_hits_the_optimum() -> None:
    P = federated(n=3, d=2, kappa=1, heterogeneity=0.3)
    verdict = exact.check(replace(SCAFFNEW, rate=lambda P, m: -1.0), P, SCAFFNEW.tune(P, p=1.0))
    assert verdict.word == "violated"


def test_one_step_to_the_optimum_is_a_figure_of_zero() -> None:
    P = federated(n=8, d=1, kappa=1)
    verdict = exact.check(SCAFFNEW, P, SCAFFNEW.tune(P, p=1.0))
    assert (verdict.word, verdict.grade) == ("holds", "exact")
    assert verdict.ratio <= 1e-12


def test_the_sharp_numbers_are_the_best_rate_and_the_least_noise() -> None:
    P = federated(n=1, d=4, kappa=20, heterogeneity=0, basis="rotated", noise=0.3)
    m = SGD(gamma=1 / P.L)
    rate, noise = exact.sharp_numbers(replace(DISTANCE, rate=lambda P, m: 0.99), P, m)
    assert rate == pytest.approx((1 - m.gamma * P.mu) ** 2, rel=1e-7)
    assert noise == pytest.approx(m.gamma**2 * P.sigma2, rel=1e-9)
    three = federated(n=3, d=2, kappa=20)
    rate, noise = exact.sharp_numbers(SCAFFNEW, three, SCAFFNEW.tune(three, p=0.05))
    assert rate == pytest.approx(1 - 0.05**2, rel=1e-12)
    assert noise <= 1e-20
    impossible = exact.sharp_numbers(replace(DISTANCE, rate=lambda P, m: 0.1), P, m)
    assert impossible[1] == np.inf
    assert exact.sharp_numbers(CLIP, P, BlockGD(gamma=0.1, block=Clip(1.0))) is None


# ------------------------------------------------------------------ it searches


def test_the_extremes_of_the_block_refute_a_rate_that_is_ten_percent_too_good() -> None:
    P = all_ones_worst(16, 10.0, 1.0)
    greedy = replace(TOP, rate=lambda P, m: 1 - 1.1 * m.gamma * P.mu * m.block.k / P.d)
    m = BlockGD(gamma=1 / P.L, block=Top(1))
    verdict = exact.check(greedy, P, m)
    assert verdict.word == "violated"
    assert verdict.states.startswith("searched(")
    assert verdict.ratio == pytest.approx(1.0002753, abs=1e-7)


def test_a_candidate_has_the_extreme_input_of_the_block_as_its_gradient() -> None:
    P = federated(n=1, d=7, kappa=30, basis="rotated", seed=3)
    m = BlockGD(gamma=1 / P.L, block=Top(1))
    claim = claim_of(TOP, P, m, BUDGETS["quick"])
    g = P.grad(claim.coords.state(candidates(claim, 700)).x)
    flat = np.ptp(g, axis=-1) <= 1e-9 * np.abs(g).max(axis=-1)
    assert sorted(np.round(np.log10(np.abs(g[flat]).max(axis=-1)), 1).tolist()) == [-1.7, 0.3, 2.3]


def test_top_k_descent_holds_as_far_as_searched_and_its_broken_variants_die() -> None:
    P = federated(n=1, d=6, kappa=5, basis="rotated")
    m = BlockGD(gamma=1 / P.L, block=Top(2))
    verdict = exact.check(TOP, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "searched")
    assert verdict.ratio <= 1
    for altered in (replace(m, gamma=4 / P.L), replace(m, gamma=-m.gamma)):
        assert exact.check(TOP, P, altered).word == "violated"


def test_a_clipped_step_is_searched_near_and_far() -> None:
    P = federated(n=2, d=3, kappa=50)
    for radius in (1e-2, 0.1, 10.0, 1e4):
        verdict = exact.check(CLIP, P, BlockGD(gamma=1 / P.L, block=Clip(radius)))
        assert (verdict.word, verdict.grade) == ("holds", "searched")
        long = exact.check(CLIP, P, BlockGD(gamma=2.5 / P.L, block=Clip(radius)))
        assert long.word == "violated"
        assert long.ratio == pytest.approx(2.25, rel=1e-3)  # (1 - 2.5)^2, near x* only


def test_the_deep_budget_polishes_what_evolution_found() -> None:
    P = federated(n=1, d=3, kappa=4, basis="rotated")
    m = BlockGD(gamma=1 / P.L, block=Clip(3.0))
    claim = replace(CLIP, rate=lambda P, m: 0.999)
    shallow, deep = (exact.check(claim, P, m, budget=b) for b in ("quick", "deep"))
    assert deep.word == "violated"
    assert deep.ratio >= shallow.ratio
    assert int(deep.states[9:-1]) > 60_000


def test_evolution_climbs_and_never_returns_less_than_it_started_with() -> None:
    peak = lambda y: 2 - np.sum((y - 3.0) ** 2, axis=-1) / 100
    starts = np.ones((4, 6))
    y, value, used = evolve(peak, starts, peak(starts), 60, seed=1)
    assert value >= 2 - 1e-3
    assert np.allclose(y, 3, atol=0.3)
    assert used == 4 * 8 * 60


def test_logistic_scaffnew_on_mushrooms_holds_at_quick_and_its_twins_die() -> None:
    P = build("logistic:mushrooms,clients=10,kappa=100")
    m = SCAFFNEW.tune(P, p=0.3)
    verdict = exact.check(SCAFFNEW, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "searched")
    assert 200 <= int(verdict.states[9:-1]) <= 1500
    for twin in (twins.update_times("h", 0), twins.update_times("x", 2), twins.rate_gap(2)):
        assert exact.check(*twin.edit(SCAFFNEW, P, m)).word == "violated", twin.name


def test_a_lens_that_saw_nothing_finite_does_not_say_holds() -> None:
    P = federated(n=1, d=3, kappa=4)
    m = BlockGD(gamma=0.1, block=Clip(1.0))
    for size in (np.inf, np.nan):
        verdict = exact.check(replace(CLIP, rate=lambda P, m, size=size: size), P, m)
        assert (verdict.word, verdict.ratio) == ("inconclusive", None)
        assert "finite" in verdict.note


@dataclass(frozen=True)
class Root:
    """A block that is NaN wherever a coordinate is negative."""

    def __call__(self, x: Any) -> Any:
        return namespace(x).sqrt(x)


def test_a_step_that_is_nan_at_a_state_is_inconclusive_with_that_state_as_witness() -> None:
    P = federated(n=1, d=2, kappa=4)
    altered = BlockGD(gamma=1e-6, block=Root())
    verdict = exact.check(replace(CLIP, rate=lambda P, m: 1e9), P, altered)
    assert verdict.word == "inconclusive"
    assert "NaN" in verdict.note
    x = np.array([float.fromhex(v) for v in verdict.witness["state"]["fields"]["x"]["array"]])
    assert (P.grad(x) < 0).any()


def test_the_same_seed_gives_the_same_verdict_and_witness() -> None:
    P = build("logistic:a1a,clients=5,kappa=100")
    altered = twins.update_times("h", 0).edit(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.3))
    one, two = (exact.check(*altered, seed=4) for _ in range(2))
    assert one.word == "violated"
    assert replace(one, seconds=0.0) == replace(two, seconds=0.0)


# ------------------------------------------------------------------ it stays silent


def test_star_that_is_no_fixed_point_is_inconclusive_if_the_optimum_is_wrong() -> None:
    P = federated(n=3, d=2, kappa=10)
    wrong = Wrong(A=P.A, b=P.b)
    verdict = exact.check(replace(CLIP, method=GD), wrong, GD(gamma=1 / P.L))
    assert verdict.word == "inconclusive"
    assert "x* is not stationary" in verdict.note
    assert exact.check(SCAFFNEW, wrong, SCAFFNEW.tune(P, p=0.3)).word == "inconclusive"


def test_a_star_that_is_known_to_ten_digits_only_is_good_enough() -> None:
    class Rough(Quadratics):
        @property
        def x_star(self) -> Any:  # type: ignore[override]
            return super().x_star * (1 + 1e-10)

    P = federated(n=3, d=2, kappa=10)
    rough = Rough(A=P.A, b=P.b)
    claim = replace(CLIP, method=GD, rate=lambda P, m: (1 - m.gamma * P.mu) ** 2)
    verdict = exact.check(claim, rough, GD(gamma=1 / P.L))
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-6)


def test_star_outside_the_domain_is_inconclusive() -> None:
    P = federated(n=3, d=2, kappa=10)
    off = replace(SCAFFNEW, star=lambda P, m: proxskip.State(x=to_clients(P.x_star, P.n), h=P.h_star + 1))
    verdict = exact.check(off, P, SCAFFNEW.tune(P, p=0.3))
    assert verdict.word == "inconclusive"
    assert "admissible" in verdict.note


def test_another_method_a_failed_assumption_and_forbidden_parameters_are_not_applicable() -> None:
    P = federated(n=3, d=2, kappa=10)
    m = SCAFFNEW.tune(P, p=0.3)
    flat = Quadratics(A=0 * P.A, b=0 * P.b)
    for statement, problem, method, why in (
        (SCAFFNEW, P, GD(gamma=0.1), "Scaffnew"),
        (SCAFFNEW, flat, m, "strongly convex"),
        (SCAFFNEW, P, Scaffnew(gamma=3 / P.L_max, p=0.3), "parameters"),
        (SCAFFNEW, build("class:n=3,L=10,mu=1"), Scaffnew(gamma=0.1, p=0.3), "data"),
    ):
        verdict = exact.check(statement, problem, method)
        assert verdict.word == "not applicable"
        assert why in verdict.note
        assert verdict.witness is None
    assert refusal(SCAFFNEW, P, twins.Altered(m)) is None


def test_gaussian_noise_is_enumerated_by_moment_atoms_and_tight() -> None:
    P = federated(n=1, d=5, kappa=8)
    verdict = exact.check(GAUSSIAN, P, NormalSGD(gamma=1 / P.L))
    assert (verdict.word, verdict.states) == ("holds", "all")
    assert verdict.ratio == pytest.approx(1, abs=1e-9)
    assert "moment atoms for xi" in verdict.note
    short = replace(GAUSSIAN, noise=lambda P, m: 0.99 * m.gamma**2 * P.d)
    assert exact.check(short, P, NormalSGD(gamma=1 / P.L)).word == "violated"


def test_a_continuous_law_without_moment_atoms_is_not_applicable() -> None:
    P = federated(n=1, d=5, kappa=8)
    verdict = exact.check(GAUSSIAN, P, NormalSGD(gamma=1 / P.L, radius=1.0))
    assert verdict.word == "not applicable"
    assert "continuous" in verdict.note


def test_too_many_draws_are_refused_and_never_sampled() -> None:
    P = build("quadratic:n=30,d=3,kappa=10,noise=1")
    verdict = exact.check(replace(DISTANCE, lyapunov=TOP.lyapunov), P, SGD(gamma=0.01, batch=15))
    assert verdict.word == "not applicable"
    assert "too large" in verdict.note


# ------------------------------------------------------------------ witnesses


def test_the_witness_reproduces_both_sides_through_step() -> None:
    import json

    P = build("quadratic:n=3,d=2,kappa=10")
    confirmed = set()
    for twin in SCAFFNEW_TWINS:
        altered = twin.edit(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.3))
        verdict = exact.check(*altered)
        if verdict.word != "violated":
            continue
        witness = json.loads(json.dumps(verdict.witness))
        lhs, rhs = exact.sides(*altered, witness)
        assert lhs == pytest.approx(decode(witness["lhs"]), rel=1e-12)
        assert rhs == pytest.approx(decode(witness["rhs"]), rel=1e-9, abs=1e-300)
        assert lhs >= (1 + VIOLATION) * rhs
        confirmed |= {twin.name} if verdict.note == "confirmed in exact arithmetic" else set()
    assert {"update of x x 0", "update of h x 2", "gradients x 3", "rate gap x 2", "gamma x 4"} <= confirmed


def test_scaffnew_is_replayed_in_fractions_and_the_tight_claim_is_exactly_true() -> None:
    P = federated(n=3, d=2, kappa=10)
    m = SCAFFNEW.tune(P, p=0.3)
    worst = exact.worst_state(SCAFFNEW, P, m)
    lhs, rhs = exact.replay_exact(SCAFFNEW, P, m, worst.state)
    assert isinstance(lhs, Fraction)
    assert 1 - Fraction(1, 10**12) < lhs / rhs <= 1
    assert len(str((lhs / rhs).denominator)) > 40
    half = replace(SCAFFNEW, rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - 2 * m.p**2))
    lhs, rhs = exact.replay_exact(half, P, m, worst.state)
    assert lhs > rhs


def test_a_step_with_a_square_root_has_no_replay_in_fractions() -> None:
    P = federated(n=1, d=2, kappa=10)
    state = gd.State(x=P.x_star + 1)
    assert exact.replay_exact(CLIP, P, BlockGD(gamma=0.1, block=Clip(0.5)), state) is None


def test_a_rate_written_as_one_minus_something_near_one_is_not_blamed_for_its_rounding():
    P = Quadratics(A=np.array([[[1.0]]]), b=np.array([[0.64042265]]))
    for fraction in (0.9999, 0.99999, 0.999999):  # 1 - gamma mu (2 - gamma L) is 1e-8 .. 1e-12 here
        assert exact.check(gd_theory.PL, P, GD(gamma=fraction)).word == "holds"


@pytest.mark.parametrize("seed", [290, 294])
def test_a_sparsifier_is_not_taken_for_affine_where_nearly_all_gradients_point_one_way(seed):
    P = federated(n=2, d=3, kappa=1e4, heterogeneity=3.0, basis="rotated", seed=seed)
    m = biased_sgd.PL.tune(P, estimator=Compressed(compressor=TopK(k=1)), factor=1.0)
    verdict = exact.check(biased_sgd.PL, P, m, seed=1)
    assert verdict.word == "holds"
    assert verdict.grade == "searched"
