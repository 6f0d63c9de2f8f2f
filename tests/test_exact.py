"""The exact lens: it decides, it finds, it never cries wolf, and it says what it looked at."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.arrays import largest, last, mean_clients, namespace, norm, to_clients
from proveout.laws import Coin, Each, Geometric, Index, Joint, Normal, Points, Sure, Uniform, pick
from proveout.methods import gd, proxskip
from proveout.methods.gd import GD, SGD
from proveout.methods.proxskip import Scaffnew
from proveout.problems import Quadratics, build, federated
from proveout.theory import twins
from proveout.theory.assumptions import each_smooth, each_strongly_convex, smooth
from proveout.theory.lenses import exact
from proveout.theory.lenses.common import (
    BUDGETS,
    ROUNDING,
    VIOLATION,
    Refused,
    atoms_of,
    decide,
    expectation,
    ratio,
    refusal,
    worst_rate,
)
from proveout.theory.lenses.onestep import claim_of
from proveout.theory.lenses.search import candidates, evolve, search
from proveout.theory.statement import Gap, Identity, OneStep, Square, Verdict, at_most, evaluate
from proveout.theory.witness import decode

# ------------------------------------------------------------------ subjects


def psi(P: Any, m: Any, s: Any) -> Any:
    return (Square(1, s.x - P.x_star, core=2), Square((m.gamma / m.p) ** 2, s.h - P.h_star, core=2))


SCAFFNEW = OneStep(
    source="Mishchenko et al. 2022",
    method=Scaffnew,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: at_most(m.gamma, 1 / P.L_max),
    lyapunov=psi,
    star=lambda P, m: proxskip.State(x=to_clients(P.x_star, P.n), h=P.h_star),
    domain=lambda P, m, s: s._replace(h=s.h - mean_clients(s.h)),
    rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p**2),
    tune=lambda P, p: Scaffnew(gamma=1 / P.L_max, p=p),
)

DISTANCE = OneStep(
    source="one step of SGD with additive noise, exactly",
    method=SGD,
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star),),
    star=lambda P, m: gd.State(x=P.x_star),
    rate=lambda P, m: (1 - m.gamma * P.mu) ** 2,
    noise=lambda P, m: m.gamma**2 * P.sigma2,
)

DESCENT = OneStep(
    source="Nesterov 2018: f(x') <= f(x) - gamma/2 |grad f(x)|^2",
    method=GD,
    assumes=(smooth,),
    allows=lambda P, m: at_most(m.gamma, 1 / P.L),
    lyapunov=lambda P, m, s: (Gap(1, s.x),),
    progress=lambda P, m, s: (Square(m.gamma / 2, P.grad(s.x)),),
    rate=lambda P, m: 1,
)


class DianaState(NamedTuple):
    x: Any  # (..., d)
    h: Any  # (..., n, d)


class DianaDraw(NamedTuple):
    mask: Any  # (..., n, d)  d at one coordinate per client, else 0


@dataclass(frozen=True, kw_only=True)
class Diana:
    """DIANA with rand-1: h_i' = h_i + alpha m_i, x' = x - gamma mean_i(h_i + m_i), m_i = mask (g_i - h_i)."""

    gamma: float
    alpha: float

    def init(self, P: Any, x0: Any) -> DianaState:
        return DianaState(x=x0, h=0 * to_clients(x0, P.n))

    def law(self, P: Any) -> Joint:
        return Joint(DianaDraw(mask=Each(P.n, Points(P.d * np.eye(P.d)))))

    def step(self, P: Any, s: DianaState, draw: DianaDraw) -> DianaState:
        sent = draw.mask * (P.grads(s.x[..., None, :]) - s.h)
        g = mean_clients(s.h + sent)[..., 0, :]
        return DianaState(x=s.x - self.gamma * g, h=s.h + self.alpha * sent)


def diana_psi(P: Any, m: Any, s: DianaState) -> Any:
    omega = P.d - 1
    weight = 4 * m.gamma**2 * max(omega, 1e-9) / (m.alpha * P.n**2)
    return (Square(1, s.x - P.x_star), Square(weight, s.h - P.h_star, core=2))


DIANA = OneStep(
    source="Mishchenko et al. 2019",
    method=Diana,
    lyapunov=diana_psi,
    star=lambda P, m: DianaState(x=P.x_star, h=P.h_star),
    rate=lambda P, m: (1 - m.gamma * P.mu, 1 - m.alpha / 2),
    tune=lambda P: Diana(gamma=1 / (P.L_max * (1 + 6 * (P.d - 1) / P.n)), alpha=1 / P.d),
)


class AnchorState(NamedTuple):
    x: Any  # (..., d)
    w: Any  # (..., d)


class AnchorDraw(NamedTuple):
    j: Any
    theta: Any


@dataclass(frozen=True, kw_only=True)
class LSVRG:
    """x' = x - gamma (g_j(x) - g_j(w) + grad f(w)); w' = x with probability p."""

    gamma: float
    p: float

    def init(self, P: Any, x0: Any) -> AnchorState:
        return AnchorState(x=x0, w=x0)

    def law(self, P: Any) -> Joint:
        return Joint(AnchorDraw(j=Index(P.n), theta=Coin(self.p)))

    def step(self, P: Any, s: AnchorState, draw: AnchorDraw) -> AnchorState:
        part = P.at(draw.j[..., None])
        g = part.grads(s.x[..., None, :]) - part.grads(s.w[..., None, :])
        xp = namespace(s.x)
        return AnchorState(
            x=s.x - self.gamma * (g[..., 0, :] + P.grad(s.w)), w=xp.where(last(draw.theta), s.x, s.w)
        )


ANCHOR = OneStep(
    source="Kovalev, Horvath, Richtarik 2020",
    method=LSVRG,
    lyapunov=lambda P, m, s: (
        Square(1, s.x - P.x_star),
        Square(4 * m.gamma**2 / m.p / P.n, P.grads(s.w[..., None, :]) - P.h_star, core=2),
    ),
    star=lambda P, m: AnchorState(x=P.x_star, w=P.x_star),
    rate=lambda P, m: (1 - m.gamma * P.mu, 1 - m.p / 2),
    tune=lambda P, p: LSVRG(gamma=1 / (6 * P.L_max), p=p),
)


@dataclass(frozen=True)
class Top:
    k: int

    def __call__(self, x: Any) -> Any:
        return namespace(x).where(largest(abs(x), self.k), x, 0 * x)

    def extremes(self, d: int) -> list[Any]:
        return [np.ones(d)]


@dataclass(frozen=True)
class Clip:
    radius: float

    def __call__(self, x: Any) -> Any:
        xp = namespace(x)
        return x * xp.minimum(xp.asarray(1.0), self.radius / last(norm(x) + 1e-300))


@dataclass(frozen=True, kw_only=True)
class BlockGD:
    """x' = x - gamma block(grad f(x))."""

    gamma: float
    block: Any

    def init(self, P: Any, x0: Any) -> gd.State:
        return gd.State(x=x0)

    def law(self, P: Any) -> Joint:
        return Joint(gd.NoDraw(nothing=Sure(np.zeros(()))))

    def step(self, P: Any, s: gd.State, draw: Any) -> gd.State:
        return gd.State(x=s.x - self.gamma * self.block(P.grad(s.x)))


TOP = OneStep(
    source="Beznosikov et al. 2023: f(x') - f* <= (1 - gamma mu k/d) (f(x) - f*)",
    method=BlockGD,
    lyapunov=lambda P, m, s: (Gap(1, s.x),),
    star=lambda P, m: gd.State(x=P.x_star),
    rate=lambda P, m: 1 - m.gamma * P.mu * m.block.k / P.d,
)

CLIP = OneStep(
    source="clipped gradient steps are non-expansive towards x*",
    method=BlockGD,
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star),),
    star=lambda P, m: gd.State(x=P.x_star),
    rate=lambda P, m: 1,
)


def all_ones_worst(d: int, L: float, mu: float) -> Quadratics:
    """H = L I - (L - mu) 11'/d, whose flattest direction is the worst input of top-k."""
    H = L * np.eye(d) - (L - mu) * np.ones((d, d)) / d
    return Quadratics(A=H[None], b=(H @ np.linspace(1, 2, d))[None])


GRID = [
    (n, d, kappa, heterogeneity)
    for n in (2, 4, 8)
    for d in (2, 3)
    for kappa in (1.0, 3.0, 20.0, 200.0)
    for heterogeneity in (0.3, 3.0)
]
SMALL = ((3, 2, 1.0, 0.3), (3, 2, 20.0, 0.3), (8, 2, 200.0, 3.0), (5, 1, 3.0, 3.0))


def instance(n: int, d: int, kappa: float, heterogeneity: float) -> Quadratics:
    return federated(n=n, d=d, kappa=kappa, heterogeneity=heterogeneity, basis="rotated")


def words(statement: Any, twin: Any, settings: Any, grid: Any = GRID) -> list[Verdict]:
    """Verdicts on the twin over a grid of instances and parameters."""
    out = []
    for dials in grid:
        P = instance(*dials)
        for choices in settings:
            out.append(exact.check(*twin.edit(statement, P, statement.tune(P, **choices))))
    return out


def silent(grads: Any, x: Any) -> Any:
    g = grads(x).copy()
    g[..., 0, :] = 0
    return g


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
        P = federated(n=3, d=2, kappa=10 ** rng.uniform(0, 6), heterogeneity=10 ** rng.uniform(-3, 3), seed=seed)
        claim = claim_of(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.1), BUDGETS["full"])
        found = search(claim, BUDGETS["full"], seed)
        decided = exact.worst_state(SCAFFNEW, P, claim.m)
        assert decided.all
        assert found.figure <= decided.figure + 1e-9
        assert found.figure >= 0.99 * decided.figure


def test_the_figure_is_the_closed_form_of_scaffnew_at_the_vertices() -> None:
    P = Quadratics(A=np.array([1.0, 10.0, 10.0])[:, None, None] * np.eye(1), b=np.array([[1.0], [2.0], [-3.0]]))
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
def test_the_true_claims_hold_on_the_whole_grid_and_every_branch_is_seen(statement: Any, settings: Any) -> None:
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


def test_the_same_seed_gives_the_same_verdict_and_witness() -> None:
    P = build("logistic:a1a,clients=5,kappa=100")
    altered = twins.update_times("h", 0).edit(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.3))
    one, two = (exact.check(*altered, seed=4) for _ in range(2))
    assert one.word == "violated"
    assert replace(one, seconds=0.0) == replace(two, seconds=0.0)


# ------------------------------------------------------------------ it stays silent


class Wrong(Quadratics):
    """An optimum that is off by a hundredth."""

    @property
    def x_star(self) -> Any:  # type: ignore[override]
        return super().x_star + 1e-2


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


class Noisy(NamedTuple):
    xi: Any


@dataclass(frozen=True, kw_only=True)
class NormalSGD:
    """x' = x - gamma (grad f(x) + noise), noise Gaussian; `radius` clips the noisy gradient."""

    gamma: float
    radius: float = 0.0

    def init(self, P: Any, x0: Any) -> gd.State:
        return gd.State(x=x0)

    def law(self, P: Any) -> Joint:
        return Joint(Noisy(xi=Normal(P.d)))

    def step(self, P: Any, s: gd.State, draw: Noisy) -> gd.State:
        g = P.grad(s.x) + draw.xi
        return gd.State(x=s.x - self.gamma * (Clip(self.radius)(g) if self.radius else g))


GAUSSIAN = OneStep(
    source="one step of SGD with standard normal noise, exactly",
    method=NormalSGD,
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star),),
    star=lambda P, m: gd.State(x=P.x_star),
    rate=lambda P, m: (1 - m.gamma * P.mu) ** 2,
    noise=lambda P, m: m.gamma**2 * P.d,
)


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


# ------------------------------------------------------------------ laws


class Steps(NamedTuple):
    steps: Any


@dataclass(frozen=True, kw_only=True)
class ManySteps:
    """A geometric number of gradient steps."""

    gamma: float
    p: float

    def init(self, P: Any, x0: Any) -> gd.State:
        return gd.State(x=x0)

    def law(self, P: Any) -> Joint:
        return Joint(Steps(steps=Geometric(self.p)))

    def step(self, P: Any, s: gd.State, draw: Steps) -> gd.State:
        x, xp = s.x, namespace(s.x)
        for k in range(int(draw.steps.max())):
            x = xp.where(last(k < draw.steps), x - self.gamma * P.grad(x), x)
        return gd.State(x=x)


def test_an_infinite_law_is_cut_and_the_verdict_says_so() -> None:
    P = Quadratics(A=np.eye(1)[None], b=np.ones((1, 1)))
    m = ManySteps(gamma=0.5, p=0.4)
    mean = lambda P, m: m.p * 0.25 / (1 - 0.25 * (1 - m.p))  # E (1/4)^l
    claim = OneStep(source="", lyapunov=CLIP.lyapunov, star=CLIP.star, rate=mean)
    verdict = exact.check(claim, P, m)
    assert verdict.word == "holds"
    assert verdict.ratio == pytest.approx(1, abs=1e-10)
    assert "cut at tail mass 1e-12" in verdict.note
    assert exact.check(replace(claim, rate=lambda P, m: 0.999 * mean(P, m)), P, m).word == "violated"


class Chosen(NamedTuple):
    u: Any


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """One coordinate, picked with probability |g_j| / |g|_1, over that probability."""

    gamma: float

    def init(self, P: Any, x0: Any) -> gd.State:
        return gd.State(x=x0)

    def law(self, P: Any) -> Joint:
        return Joint(Chosen(u=Uniform((), outcomes=P.d)))

    def step(self, P: Any, s: gd.State, draw: Chosen) -> gd.State:
        g = P.grad(s.x)
        xp = namespace(g)
        size = xp.sum(abs(g), axis=-1)
        j = pick(abs(g) / xp.where(size > 0, size, 1.0)[..., None], draw.u)
        kept = xp.sign(g) * (xp.arange(g.shape[-1]) == last(j))
        return gd.State(x=s.x - self.gamma * last(size) * kept)


def test_named_outcomes_are_weighed_with_what_pick_reports() -> None:
    P = federated(n=1, d=4, kappa=6)
    m = Adaptive(gamma=0.1 / P.L)
    claim = claim_of(replace(CLIP, method=Adaptive), P, m, BUDGETS["quick"])
    y = np.random.default_rng(0).standard_normal((20, P.d))
    lhs, rhs = claim.sides(claim.coords.state(y[:, None, :]))
    v = claim.coords.state(y).x - P.x_star
    g = P.grad(claim.coords.state(y).x)
    want = (v**2).sum(-1) - 2 * m.gamma * (g * v).sum(-1) + m.gamma**2 * np.abs(g).sum(-1) ** 2
    np.testing.assert_allclose(lhs, want, rtol=1e-12)
    np.testing.assert_allclose(rhs, (v**2).sum(-1), rtol=1e-12)


class Ticking(NamedTuple):
    x: Any
    t: int


@dataclass(frozen=True, kw_only=True)
class Slowing:
    """Step size gamma / (t + 1); the first coin is forced."""

    gamma: float

    def init(self, P: Any, x0: Any) -> Ticking:
        return Ticking(x=x0, t=0)

    def law(self, P: Any) -> Joint:
        return Joint(proxskip.Draw(theta=Coin(0.5, first=True)))

    def step(self, P: Any, s: Ticking, draw: Any) -> Ticking:
        xp = namespace(s.x)
        moved = s.x - self.gamma / (s.t + 1) * P.grad(s.x)
        return Ticking(x=xp.where(last(draw.theta), moved, s.x), t=s.t + 1)


def test_the_clock_is_enumerated_and_the_law_of_its_time_is_used() -> None:
    P = federated(n=1, d=2, kappa=4)
    m = Slowing(gamma=1 / P.L)
    star = lambda P, m: Ticking(x=P.x_star, t=0)
    never = OneStep(source="", lyapunov=CLIP.lyapunov, star=star, rate=lambda P, m: 1)
    verdict = exact.check(never, P, m)
    assert (verdict.word, verdict.grade) == ("holds", "searched")  # later clocks were not looked at
    assert "clocks" in verdict.states
    first = (1 - m.gamma * P.mu) ** 2  # the forced first step meets it, later ones do not
    wrong = exact.check(replace(never, rate=lambda P, m: first), P, m)
    assert wrong.word == "violated"
    assert wrong.witness["state"]["fields"]["t"] > 0


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


# ------------------------------------------------------------------ identities


SHIFT_SUM = Identity(
    source="the shifts sum to zero",
    method=Scaffnew,
    sides=lambda P, m, path: (np.stack([s.h.sum(axis=-2) for s in path.states]), np.zeros((len(path.states), P.d))),
)


def test_an_identity_holds_along_its_replays_and_fails_for_a_step_that_breaks_it() -> None:
    P = federated(n=3, d=2, kappa=10)
    m = SCAFFNEW.tune(P, p=0.3)
    verdict = exact.check(SHIFT_SUM, P, m)
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "searched", "visited(204)")
    leaky = twins.step_edit("leak", lambda P, s, draw, new: new._replace(h=new.h + 1e-6))
    altered = leaky.edit(SHIFT_SUM, P, m)
    refuted = exact.check(*altered)
    assert refuted.word == "violated"
    lhs, rhs = exact.sides(*altered, refuted.witness)
    assert lhs >= 100 * rhs
    assert (lhs, rhs) == (decode(refuted.witness["lhs"]), decode(refuted.witness["rhs"]))


def test_the_adversarial_replay_finds_a_draw_too_rare_for_the_random_ones() -> None:
    P = federated(n=3, d=2, kappa=10)
    m = Scaffnew(gamma=1 / P.L_max, p=1e-6)

    def leak(P: Any, s: Any, draw: Any, new: Any) -> Any:
        return new._replace(h=new.h + np.where(last(draw.theta, 2), 1e-3, 0.0))

    assert exact.check(SHIFT_SUM, P, twins.Altered(m, leak)).word == "violated"


def test_an_identity_uses_its_own_start() -> None:
    P = federated(n=2, d=2, kappa=3)
    seen: list[Any] = []

    def start(P: Any, m: Any, rng: Any) -> Any:
        seen.append(1)
        return m.init(P, 5 + 0 * P.x_star)

    held = Identity(source="", sides=lambda P, m, path: (path.states[0].x, 5 + 0 * path.states[0].x), start=start)
    assert exact.check(held, P, SCAFFNEW.tune(P, p=0.5)).word == "holds"
    assert len(seen) == 4


# ------------------------------------------------------------------ common


def test_the_decision_needs_the_replay_and_leaves_a_gap_between_its_words() -> None:
    assert decide(1 + ROUNDING / 2) == "holds"
    assert decide(1 + 1e-8, 2.0) == "inconclusive"
    assert decide(2.0, 2.0) == "violated"
    assert decide(2.0, 1.0) == decide(2.0) == decide(float("nan"), 2.0) == decide(None) == "inconclusive"
    assert decide(np.inf, np.inf) == "violated"


def test_ratios_of_zeros_and_infinities() -> None:
    lhs = np.array([0.0, 1.0, np.inf, 1.0, 1.0, np.nan, 0.0])
    rhs = np.array([0.0, 0.0, 1.0, np.inf, 2.0, 1.0, -1.0])
    got = ratio(lhs, rhs)
    np.testing.assert_array_equal(got, [0.0, np.inf, np.inf, np.nan, 0.5, np.nan, np.inf])


def test_a_branch_of_the_rate_is_active_only_if_it_leads() -> None:
    P = federated(n=2, d=1, kappa=10)
    at = lambda *rates: worst_rate(replace(SCAFFNEW, rate=lambda P, m: rates), P, None)
    assert at(0.9, 0.5) == (0.9, (0,))
    assert at(0.5, 0.9) == (0.9, (1,))
    assert at(0.9, 0.9) == (0.9, ())
    assert at(0.999, 0.9985) == (0.999, (0,))
    assert at(0.7) == (0.7, (0,))


def test_expectations_do_not_depend_on_how_they_are_cut() -> None:
    P = federated(n=4, d=2, kappa=10)
    m = DIANA.tune(P)
    atoms = atoms_of(m.law(P))
    rng = np.random.default_rng(0)
    states = DianaState(x=rng.standard_normal((7, 1, 2)), h=rng.standard_normal((7, 1, 4, 2)))
    whole = expectation(P, m, diana_psi, states, atoms, width=1)
    for width in (4e6, 1e6, 3e5):
        np.testing.assert_allclose(expectation(P, m, diana_psi, states, atoms, width), whole, rtol=1e-13)
    for i in range(2):
        one = DianaState(x=states.x[i, 0], h=states.h[i, 0])
        loop = sum(p * after(P, m, one, atoms.one(k)) for k, p in enumerate(atoms.prob))
        assert loop == pytest.approx(whole[i], rel=1e-13)


def after(P: Any, m: Any, state: Any, draw: Any) -> Any:
    """V of the next state under one draw, without any batch."""
    return evaluate(diana_psi(P, m, m.step(P, state, draw)), P)


def test_a_law_that_does_not_sum_to_one_is_refused() -> None:
    class Short(Coin):
        def atoms(self) -> Any:
            return np.array([0.5, 0.4]), np.array([False, True])

    with pytest.raises(Refused, match="sum to"):
        atoms_of(Joint(proxskip.Draw(theta=Short(0.5))))


def test_an_unknown_budget_is_a_value_error() -> None:
    P = federated(n=2, d=1, kappa=3)
    with pytest.raises(ValueError, match="budget"):
        exact.check(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.5), budget="huge")
