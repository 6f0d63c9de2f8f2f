"""Coordinates, affine maps, forms and moment atoms: what the exact and the moments lens stand on."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exact_subjects import (
    ANCHOR,
    CLIP,
    DIANA,
    SCAFFNEW,
    BlockGD,
    Clip,
    Diana,
    DianaDraw,
    NormalSGD,
    Slowing,
    Ticking,
    Top,
    psi,
)
from proveout.arrays import last, mean_clients, namespace, to_clients
from proveout.laws import Coin, Each, Either, Joint, Normal, Points
from proveout.methods import proxskip
from proveout.methods.gd import GD, SGD
from proveout.methods.gd import State as Model
from proveout.methods.proxskip import Scaffnew
from proveout.problems import build, federated
from proveout.theory.lenses.affine import is_affine, pullback, read_maps
from proveout.theory.lenses.common import BUDGETS, Refused, atoms_of, expectation, value
from proveout.theory.lenses.forms import corner, evaluate_form, form, polarise, quadratic_in, ray, sup_ratio
from proveout.theory.lenses.reduce import atoms_for, fewer_atoms
from proveout.theory.lenses.states import coordinates, coordinates_of, time_of
from proveout.theory.statement import Cross, Gap, Square
from proveout.theory.twins import Altered

QUICK = BUDGETS["quick"]


def problem(seed: int = 0, **kw: Any) -> Any:
    return federated(**{"n": 3, "d": 2, "kappa": 10, "basis": "rotated", "seed": seed, **kw})


def some(coords: Any, N: int = 5, scale: float = 1.0) -> Any:
    return scale * np.random.default_rng(1).standard_normal((N, coords.q))


# ------------------------------------------------------------------ coordinates


@given(seed=st.integers(0, 200), n=st.integers(1, 4), d=st.integers(1, 3))
def test_coordinates_of_admissible_states_go_there_and_back(seed: int, n: int, d: int) -> None:
    P = problem(seed, n=n, d=d)
    coords = coordinates_of(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.3))
    assert (coords.D, coords.q) == (2 * n * d, 2 * n * d - d)
    y = some(coords)
    state = coords.state(y[:, None, :])
    assert state.x.shape == (5, 1, n, d)
    np.testing.assert_allclose(mean_clients(state.h), 0, atol=1e-9 * np.abs(state.h).max())
    np.testing.assert_allclose(coords.y(state)[:, 0], y, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(coords.outside(state), 0, atol=1e-9)
    np.testing.assert_allclose(coords.basis.T @ coords.basis, np.eye(coords.q), atol=1e-12)


def test_one_unit_of_every_field_is_its_size_at_star() -> None:
    P = problem(heterogeneity=1e3, mu=1e4)
    coords = coordinates_of(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.3))
    x, h = coords.fields
    assert coords.units[x.part] == pytest.approx(np.sqrt(np.mean(P.x_star**2)))
    assert coords.units[h.part] == pytest.approx(np.sqrt(np.mean(P.h_star**2)))
    assert coords.units[h.start] > 1e3 * coords.units[x.start]


def test_a_field_that_vanishes_at_star_gets_the_length_that_v_gives_it() -> None:
    P = problem(heterogeneity=0)
    m = SCAFFNEW.tune(P, p=0.25)
    coords = coordinates_of(SCAFFNEW, P, m)
    x, h = coords.fields
    assert np.abs(P.h_star).max() < 1e-12
    ratio = coords.units[h.start] / coords.units[x.start]
    assert ratio == pytest.approx(m.p / m.gamma, rel=0.5)  # the probe loses its mean to the domain


def test_fields_that_the_domain_couples_share_a_unit() -> None:
    P = problem(heterogeneity=100)
    m = SCAFFNEW.tune(P, p=0.25)

    def tied(s: Any) -> Any:
        middle = (s.x + s.h) / 2
        return proxskip.State(x=middle, h=middle)

    star = proxskip.State(x=P.h_star, h=P.h_star)
    coords = coordinates(P, m, star=star, domain=tied)
    assert len(set(coords.units.tolist())) == 1
    assert coords.q == P.n * P.d


def test_without_a_star_coordinates_are_centred_at_the_initial_state() -> None:
    P = problem()
    bare = replace(SCAFFNEW, star=None)
    coords = coordinates_of(bare, P, SCAFFNEW.tune(P, p=0.25))
    np.testing.assert_array_equal(coords.star.x, to_clients(P.x_star, P.n))
    np.testing.assert_array_equal(coords.star.h, 0)


def test_the_clock_is_carried_along_and_never_perturbed() -> None:
    P = problem(n=1)
    coords = coordinates(P, Slowing(gamma=0.1), star=Ticking(x=P.x_star, t=0))
    assert coords.D == P.d
    late = coords.at_clock(Ticking(x=P.x_star, t=7))
    assert coords.state(some(coords)).t == 0
    assert late.state(some(coords)).t == 7
    assert time_of(late.star) == 7


class Masked(NamedTuple):
    x: Any
    seen: Any  # (..., n) bool
    count: Any  # (..., n) int


def test_clock_arrays_are_broadcast_to_the_batch() -> None:
    class Holder:
        def init(self, P: Any, x0: Any) -> Masked:
            return Masked(x=x0, seen=np.array([True, False]), count=np.array([3, 4]))

    P = problem()
    coords = coordinates(P, Holder(), star=Holder().init(P, P.x_star))
    state = coords.state(some(coords)[:, None, :])
    assert state.seen.shape == state.count.shape == (5, 1, 2)
    assert state.seen.dtype == bool
    np.testing.assert_array_equal(state.count[3, 0], [3, 4])


def test_an_implicit_basis_gives_the_same_states_as_an_explicit_one() -> None:
    P = problem(n=4, d=3)
    m = SCAFFNEW.tune(P, p=0.3)
    explicit, implicit = (coordinates_of(SCAFFNEW, P, m, limit=k) for k in (1000, 2))
    assert explicit.explicit
    assert not implicit.explicit
    v = np.random.default_rng(0).standard_normal((6, explicit.D))
    for one, two in zip(explicit.state(explicit.shrink(v)), implicit.state(implicit.shrink(v))):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)
    assert implicit.with_basis().q == explicit.q


def test_a_domain_that_is_not_affine_is_noticed() -> None:
    P = problem(n=1)

    def ball(s: Model) -> Model:
        size = namespace(s.x).sum(s.x**2, axis=-1)[..., None]
        return Model(x=s.x * np.minimum(1, 9 / np.sqrt(np.maximum(size, 1e-30))))

    coords = coordinates(P, GD(gamma=0.1), star=Model(x=P.x_star), domain=ball)
    assert not coords.linear
    assert coords.with_basis() is None
    far = coords.state(some(coords, scale=1e6)).x
    np.testing.assert_allclose(np.linalg.norm(far, axis=-1), 9, rtol=1e-9)


# ------------------------------------------------------------------ maps


def maps_of(statement: Any, P: Any, m: Any) -> Any:
    coords = coordinates_of(statement, P, m)
    return read_maps(P, m, coords, atoms_of(m.law(P)), QUICK)


@given(seed=st.integers(0, 100), scale=st.sampled_from([1e-3, 1.0, 1e5]))
def test_maps_reproduce_the_step_of_every_draw(seed: int, scale: float) -> None:
    P = problem(seed)
    for statement, m in ((SCAFFNEW, SCAFFNEW.tune(P, p=0.3)), (ANCHOR, ANCHOR.tune(P, p=0.2))):
        maps = maps_of(statement, P, m)
        A, b = maps.inside()
        y, atoms = some(maps.coords, scale=scale), atoms_of(m.law(P))
        for k in range(atoms.size):
            after = maps.coords.y(m.step(P, maps.coords.state(y), atoms.one(k)))
            np.testing.assert_allclose(y @ A[k].T + b[k], after, rtol=1e-9, atol=1e-9 * (1 + scale))
        T = maps.T()
        assert T.shape == (atoms.size, maps.coords.q + 1, maps.coords.q + 1)
        np.testing.assert_array_equal(T[:, -1], np.eye(maps.coords.q + 1)[[-1] * atoms.size])


def test_the_maps_of_gradient_descent_are_i_minus_gamma_h_in_units() -> None:
    P = problem(n=1, d=3)
    coords = coordinates(P, GD(gamma=0.05), star=Model(x=P.x_star))
    maps = read_maps(P, GD(gamma=0.05), coords, atoms_of(GD(gamma=0.05).law(P)), QUICK)
    np.testing.assert_allclose(maps.A[0], np.eye(3) - 0.05 * P.A[0], atol=1e-12)
    np.testing.assert_allclose(maps.b, 0, atol=1e-12)


def test_clips_top_k_and_logistic_gradients_are_not_affine() -> None:
    P = problem(d=4)
    logistic = build("logistic:synthetic,clients=2,kappa=10")
    for Q, m in (
        (P, BlockGD(gamma=0.1, block=Clip(5.0))),
        (P, BlockGD(gamma=0.1, block=Clip(1e4))),  # affine near star: only the far probes see it
        (P, BlockGD(gamma=0.1, block=Top(1))),
        (logistic, GD(gamma=0.1)),
    ):
        coords = coordinates(Q, m, star=Model(x=Q.x_star))
        atoms = atoms_of(m.law(Q))
        assert not is_affine(Q, m, coords, atoms)
        assert read_maps(Q, m, coords, atoms, QUICK) is None


def test_a_step_that_leaves_the_admissible_states_has_no_inner_maps_but_a_pullback() -> None:
    P = problem()
    leaky = Altered(SCAFFNEW.tune(P, p=0.3), lambda P, s, draw, new: new._replace(h=2 * new.h + new.x))
    maps = maps_of(SCAFFNEW, P, leaky)
    with pytest.raises(Refused, match="leaves the admissible"):
        maps.inside()
    Q = form(P, leaky, psi, replace(maps.coords, basis=None))
    y = some(maps.coords)
    direct = expectation(P, leaky, psi, maps.coords.state(y[:, None, :]), atoms_of(leaky.law(P)))
    np.testing.assert_allclose(evaluate_form(pullback(maps, Q), y), direct, rtol=1e-10)


def test_maps_too_large_for_the_budget_are_refused() -> None:
    P = problem(n=10, d=10)
    with pytest.raises(Refused, match="too large"):
        read_maps(
            P,
            SCAFFNEW.tune(P, p=0.3),
            coordinates_of(SCAFFNEW, P, SCAFFNEW.tune(P, p=0.3)),
            atoms_of(SCAFFNEW.tune(P, p=0.3).law(P)),
            replace(QUICK, dimension=50),
        )


def test_clocks_after_the_step_are_reported_per_draw() -> None:
    P = problem(n=1)
    m = Slowing(gamma=0.1)
    coords = coordinates(P, m, star=Ticking(x=P.x_star, t=4))
    maps = read_maps(P, m, coords, atoms_of(m.law(P).at(4)), QUICK)
    assert maps.clocks == (5,)


# ------------------------------------------------------------------ forms


@given(seed=st.integers(0, 100))
def test_forms_of_squares_crosses_gaps_and_constants_are_their_values(seed: int) -> None:
    P = problem(seed, heterogeneity=2.0)
    m = SCAFFNEW.tune(P, p=0.3)
    coords = coordinates_of(SCAFFNEW, P, m)

    def terms(P: Any, m: Any, s: Any) -> Any:
        return (
            Square(0.7, s.x - P.x_star, core=2),
            Square(2.0, (s.x - 1).sum(axis=-2)),
            Cross(-0.3, s.x, s.h, core=2),
            Gap(1.5, mean_clients(s.x)[..., 0, :]),
            Gap(0.5, s.x, core=2),
            4.0,
        )

    Q = form(P, m, terms, coords)
    y = some(coords)
    want = value(terms(P, m, coords.state(y)), P)
    np.testing.assert_allclose(evaluate_form(Q, y), want, rtol=1e-10)


def test_a_gap_far_below_f_star_is_read_without_cancellation() -> None:
    P = problem(n=1, heterogeneity=0)
    P = replace(P, b=P.b + 1e6)  # |f*| ~ 1e12
    coords = coordinates(P, GD(gamma=0.1), star=Model(x=P.x_star))
    Q = form(P, GD(gamma=0.1), lambda P, m, s: (Gap(1, s.x),), coords)
    units = coords.units
    np.testing.assert_allclose(Q[:-1, :-1], P.A[0] / 2 * units * units[:, None], rtol=1e-12)
    assert np.abs(Q[-1]).max() <= 1e-20 * np.abs(Q).max()


def test_a_measure_that_is_a_plain_number_is_polarised() -> None:
    P = problem()
    m = GD(gamma=0.1)
    coords = coordinates(P, m, star=Model(x=P.x_star))
    Q = form(P, m, lambda P, m, s: ((s.x - 1) ** 2).sum(axis=-1) + 3, coords)
    y = some(coords)
    np.testing.assert_allclose(evaluate_form(Q, y), ((coords.state(y).x - 1) ** 2).sum(-1) + 3, rtol=1e-9)


def test_what_is_not_quadratic_has_no_form() -> None:
    P = problem()
    logistic = build("logistic:synthetic,clients=2,kappa=10")
    for Q, terms in (
        (P, lambda P, m, s: (Square(1, s.x**2),)),
        (P, lambda P, m, s: (Square(1, abs(s.x - P.x_star)), abs(s.x).sum(axis=-1))),
        (logistic, lambda P, m, s: (Gap(1, s.x),)),
    ):
        coords = coordinates(Q, GD(gamma=0.1), star=Model(x=Q.x_star))
        assert form(Q, GD(gamma=0.1), terms, coords) is None
    assert quadratic_in(lambda y: (y**2).sum(-1) + y[:, 0], 4)
    assert not quadratic_in(lambda y: np.abs(y).sum(-1), 4)


@given(seed=st.integers(0, 1000), q=st.integers(1, 6))
def test_polarisation_recovers_a_form(seed: int, q: int) -> None:
    M = np.random.default_rng(seed).standard_normal((q + 1, q + 1))
    M = M + M.T
    np.testing.assert_allclose(polarise(lambda y: evaluate_form(M, y), q), M, atol=1e-12)


# ------------------------------------------------------------------ ratios


@given(seed=st.integers(0, 1000), q=st.integers(1, 6), spread=st.sampled_from([0, 3, 9, 18]))
def test_the_ratio_of_two_forms_is_found_whatever_their_scales(seed: int, q: int, spread: int) -> None:
    rng = np.random.default_rng(seed)
    R, S = rng.standard_normal((2, q + 1, q + 3))
    D = 10.0 ** -rng.uniform(0, spread, q + 1)
    B, E = S @ S.T + np.eye(q + 1), R @ R.T
    want = np.max(np.linalg.eigvals(np.linalg.solve(B, E)).real)
    figure, z, grey = sup_ratio(E * D[:, None] * D, B * D[:, None] * D)
    assert figure == pytest.approx(want, rel=1e-9)
    reached = (z @ (E * D[:, None] * D) @ z) / (z @ (B * D[:, None] * D) @ z)
    assert reached == pytest.approx(want, rel=1e-9)
    assert not grey


def test_the_ratio_is_infinite_where_only_the_right_side_vanishes_and_finite_where_both_do() -> None:
    E, B = np.diag([1.0, 2.0, 0.0]), np.diag([2.0, 0.0, 0.0])
    assert sup_ratio(E, B)[0] == np.inf
    assert sup_ratio(np.diag([1.0, 0.0, 0.0]), B)[0] == pytest.approx(0.5)
    assert sup_ratio(E, np.diag([2.0, 3.0, -1.0]))[0] == np.inf
    assert sup_ratio(0 * E, 0 * B)[0] == 0


def test_a_ray_holds_the_state_itself_and_what_lies_far_out() -> None:
    points = ray(np.array([3.0, 4.0, 2.0]))
    np.testing.assert_allclose(points[0], [1.5, 2.0])
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1e6)
    assert (points == 0).all(axis=1).any()
    assert corner(2, 5.0)[2, 2] == 5


# ------------------------------------------------------------------ fewer atoms


def reduced(statement: Any, P: Any, m: Any, law: Any = None) -> Any:
    coords = coordinates_of(statement, P, m)
    V = lambda s: value(statement.lyapunov(P, m, s), P)
    return atoms_for(P, m, law or m.law(P), coords, V, QUICK)


@pytest.mark.parametrize("spec", ["quadratic:n=4,d=3,kappa=20", "logistic:synthetic,clients=4,d=3,kappa=20"])
def test_diana_with_rand_1_needs_16_atoms_in_place_of_81(spec: str) -> None:
    P = build(spec)
    m = DIANA.tune(P)
    full, few = atoms_of(m.law(P)), reduced(DIANA, P, m)
    assert (full.size, few.size) == (81, 16)
    states = coordinates_of(DIANA, P, m)
    some_states = states.state(some(states)[:, None, :])
    one, two = (expectation(P, m, DIANA.lyapunov, some_states, a) for a in (full, few))
    np.testing.assert_allclose(one, two, rtol=1e-13)


class Both(NamedTuple):
    theta: Any
    xi: Any


@dataclass(frozen=True, kw_only=True)
class Coined:
    """x' = x - gamma (grad f(x) + theta xi); `sign` makes the step see the sign of the noise."""

    gamma: float
    sign: bool = False
    either: bool = False

    def init(self, P: Any, x0: Any) -> Model:
        return Model(x=x0)

    def law(self, P: Any) -> Any:
        draw = Both(theta=Coin(0.25), xi=Normal(P.d))
        return Either("theta", draw, yes=("xi",)) if self.either else Joint(draw)

    def step(self, P: Any, s: Model, draw: Both) -> Model:
        xp = namespace(s.x)
        xi = abs(draw.xi) if self.sign else draw.xi
        return Model(x=s.x - self.gamma * (P.grad(s.x) + xp.where(last(draw.theta), xi, 0 * xi)))


@pytest.mark.parametrize("either", [False, True])
def test_coins_stay_enumerated_beside_gaussian_noise(either: bool) -> None:
    P = problem(d=3)
    m = Coined(gamma=0.1, either=either)
    atoms = reduced(CLIP, P, m)
    assert atoms.size == (7 if either else 12)
    assert atoms.note == "moment atoms for xi"
    coords = coordinates_of(CLIP, P, m)
    star = coords.state(np.zeros((1, 1, coords.q)))
    assert expectation(P, m, CLIP.lyapunov, star, atoms)[0] == pytest.approx(0.01 * 0.25 * 3, rel=1e-12)


def test_a_step_that_is_not_affine_in_the_noise_keeps_its_law() -> None:
    P = problem(d=3)
    coords = coordinates_of(CLIP, P, Coined(gamma=0.1, sign=True))
    V = lambda s: value(CLIP.lyapunov(P, None, s), P)
    for m in (Coined(gamma=0.1, sign=True), NormalSGD(gamma=0.1, radius=1.0)):
        assert fewer_atoms(P, m, m.law(P), coords, V)[1] == ()
        with pytest.raises(Refused, match="continuous"):
            atoms_for(P, m, m.law(P), coords, V, QUICK)


def test_a_lyapunov_function_that_is_not_quadratic_keeps_the_law() -> None:
    P = problem(d=3)
    m = Coined(gamma=0.1)
    coords = coordinates_of(CLIP, P, m)
    assert fewer_atoms(P, m, m.law(P), coords, lambda s: (s.x**4).sum(axis=-1))[1] == ()


def test_short_laws_and_integer_fields_are_left_alone() -> None:
    P = problem(n=2, d=2, noise=1.0)
    for m in (SGD(gamma=0.1, batch=1), Scaffnew(gamma=0.1, p=0.5)):
        coords = coordinates(P, m, star=m.init(P, P.x_star))
        law, names = fewer_atoms(P, m, m.law(P), coords, lambda s: (s.x**2).sum(axis=-1))
        assert names == ()
        assert law.count == m.law(P).count
    few = Altered(
        Diana(gamma=0.1, alpha=0.5), law_of=lambda P: Joint(DianaDraw(mask=Each(2, Points(np.eye(2)))))
    )
    assert reduced(DIANA, P, few).size == 4
