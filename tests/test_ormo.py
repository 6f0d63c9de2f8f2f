"""OrMo: worked trajectories, lemmas, limit cases, explicit rates, critical steps, red twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proveout.arrays import tree_map
from proveout.figures.ormo import PANELS
from proveout.figures.style import render
from proveout.methods.asgd import ASGD, SMEGA2, NaiveASGDm, ShiftedMomentum, SSGDm
from proveout.methods.blocks.output import Averaged
from proveout.methods.ormo import OrMo, OrMoDA
from proveout.problems import Asynchronous, Quadratics, build, federated
from proveout.problems.delays import Order
from proveout.run import run
from proveout.testing import seeds
from proveout.theory import ormo as theory
from proveout.theory.cases.ormo import CASES
from proveout.theory.delays.periodic import critical_step
from proveout.theory.lenses import exact, moments
from proveout.theory.ormo.critical import TABLE
from proveout.theory.ormo.identities import _edited, _exponent
from proveout.theory.ormo.responses import gradient_bound
from proveout.theory.statement import Gap, Horizon, Path, Square, evaluate
from proveout.theory.trial.check import check
from proveout.theory.trial.mutants import mutants
from proveout.theory.witness import build as witness

UNEVEN = (0, 0, 1, 0, 1, 1)


def scalar(order, barrier=False):
    return Asynchronous(Quadratics(A=np.ones((1, 1, 1)), b=np.zeros((1, 1))), Order(order, barrier=barrier))


def follow(P, m, x0, steps):
    """The path without luck from x0."""
    states, draws, law = [m.init(P, np.atleast_1d(np.asarray(x0, float)))], [], m.law(P)
    for t in range(steps):
        draws.append(tree_map(lambda a: a[0], law.at(t).atoms()[1]))
        states.append(m.step(P, states[-1], draws[-1]))
    return Path(states=tuple(states), draws=tuple(draws))


def sides(statement, P, m, T, x0):
    """(E measure, bound) of a horizon from x0, exactly."""
    start = m.init(P, np.asarray(x0, float))
    return moments.sides(statement, P, m, witness(P, m, state=start, lhs=0.0, rhs=1.0, T=T, eps=None))


orders = st.lists(st.integers(0, 4), min_size=3, max_size=15).map(
    lambda order: tuple(np.unique(order, return_inverse=True)[1].tolist())
)


# ------------------------------------------------------------------ worked examples


@pytest.mark.parametrize(
    "fields, x, u",
    [
        (
            {},
            [1, 0.9, 0.76, 0.61, 0.401, 0.34, 0.209],
            [0, 0.1, 0.14, 0.19, 0.133, 0.194, 0.131],
        ),
        ({"bracket": "floor"}, [1, 0.9, 0.81, 0.565, 0.484, 0.28625, 0.257625], None),
        ({"update": "vanilla"}, [1, 0.9, 0.76, 0.66, 0.489, 0.423, 0.2812], None),
    ],
    ids=["ceil", "floor", "vanilla"],
)
def test_the_worked_example_is_reproduced(fields, x, u):
    path = follow(scalar(UNEVEN), OrMo(gamma=0.1, beta=0.5, **fields), 1, 6)
    np.testing.assert_allclose([s.x[0] for s in path.states], x, rtol=1e-13)
    if u:
        np.testing.assert_allclose([s.u[0] for s in path.states], u, rtol=1e-13, atol=1e-16)


def bounded_delay_instance():
    """Order (0,1,2,0,1,0,2,1,0,2) repeated, eigenvalues 1 and .1, noise variances .2 and .1."""
    support = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]) * np.sqrt(2 * np.array([0.2, 0.1]))
    base = Quadratics(A=np.diag([1.0, 0.1])[None], b=np.zeros((1, 2)), noise=support)
    P = Asynchronous(base, Order((0, 1, 2, 0, 1, 0, 2, 1, 0, 2)))
    return P, theory.NONCONVEX_BOUNDED_DELAY.tune(P, beta=0.5)


def test_the_bounded_delay_instance_has_the_worked_numbers():
    P, m = bounded_delay_instance()
    assert P.clock.tau_max == 3
    assert P.sigma2_bound == pytest.approx(0.3)
    assert m.gamma_eff == pytest.approx(0.05892556509887896, rel=1e-14)
    assert P.value(np.array([1.0, 2.0])) - P.f_star == pytest.approx(0.7, rel=1e-14)
    lhs, rhs = sides(theory.NONCONVEX_BOUNDED_DELAY, P, m, 50, [1, 2])
    assert lhs == pytest.approx(0.24105737217835757, rel=1e-12)
    assert rhs == pytest.approx(1.9316430766726034, rel=1e-12)
    last = Horizon(source="", measure=lambda P, m, s: (Gap(1, s.x),), bound=lambda P, m, T, s: 1.0)
    assert sides(last, P, m, 50, [1, 2])[0] == pytest.approx(0.11522196208764955, rel=1e-12)


def test_ssgdm_gives_brackets_the_powers_of_beta():
    """Gradients 1, four workers: u_10 = gamma (4 beta^2 + 4 beta + 2)."""
    flat = Quadratics(A=np.zeros((1, 1, 1)), b=-np.ones((1, 1)))
    P = Asynchronous(flat, Order((0, 1, 2, 3), barrier=True))
    for m in (SSGDm(gamma=0.1, beta=0.9), OrMo(gamma=0.1, beta=0.9, bracket="floor")):
        state = follow(P, m, 0, 10).states[-1]
        assert state.u[0] == pytest.approx(0.1 * (4 * 0.81 + 4 * 0.9 + 2), rel=1e-13)


# ------------------------------------------------------------------ lemmas


LEMMAS = (theory.VIRTUAL_ITERATE, theory.MOMENTUM_GAP, theory.ITERATE_GAP, theory.ORDERED_VIRTUAL_ITERATE)


@settings(max_examples=15)
@given(seed=seeds, order=orders, beta=st.floats(0, 0.95), bracket=st.sampled_from(["ceil", "floor"]))
def test_the_lemmas_hold_for_every_order_to_1e_12(seed, order, beta, bracket):
    P = Asynchronous(federated(n=1, d=2, kappa=9, seed=seed % 1000), Order(order))
    m = theory.MOMENTUM_GAP.tune(P, beta=beta, bracket=bracket)
    path = follow(P, m, [1.0, -2.0], 24)
    for lemma in LEMMAS:
        left, right = lemma.sides(P, m, path)
        assert np.abs(left - right).max() <= 1e-12 * (1 + np.abs(left).max() + 1 / (1 - beta))


@settings(max_examples=5)
@given(seed=seeds, beta=st.floats(0.1, 0.9))
def test_the_virtual_iterate_needs_no_constant_step(seed, beta):
    P = build(f"async:workers=3,clock=lognormal,seed={seed % 100}/quadratic:n=1,d=2,kappa=9,noise=1")
    m = OrMoDA(gamma=0.01, beta=beta, cap=0.005)
    assert exact.check(theory.VIRTUAL_ITERATE, P, m).word == "holds"


def test_the_same_wrong_exponent_in_both_lines_keeps_the_virtual_iterate():
    P = scalar(UNEVEN)
    m = OrMo(gamma=0.1, beta=0.5)
    for both, word in ((True, "holds"), (False, "violated")):
        twin = _edited("", _exponent(both)).edit(theory.VIRTUAL_ITERATE, P, m)
        assert exact.check(*twin).word == word


def test_mixing_floor_and_ceil_gives_negative_exponents():
    """A fast worker that returns twice inside the first round: t = 1, i = 1, two workers."""
    assert 1 // 2 - (-(-1 // 2)) == -1


# ------------------------------------------------------------------ limit cases


@given(seed=seeds, order=orders)
def test_without_momentum_it_is_asgd(seed, order):
    P = Asynchronous(federated(n=1, d=2, kappa=9, seed=seed % 1000), Order(order))
    ours, theirs = follow(P, OrMo(gamma=0.02, beta=0.0), [1, 1], 25), follow(P, ASGD(gamma=0.02), [1, 1], 25)
    for a, b in zip(ours.states, theirs.states):
        np.testing.assert_allclose(a.x, b.x, rtol=1e-13)


@pytest.mark.parametrize("bracket", ["ceil", "floor"])
def test_one_worker_is_heavy_ball(bracket):
    P = build("async:workers=1/quadratic:n=1,d=2,kappa=9,noise=1")
    verdict = exact.check(theory.EQUALS_HEAVY_BALL, P, OrMo(gamma=0.02, beta=0.9, bracket=bracket))
    assert verdict.word == "holds"


@settings(max_examples=5)
@given(shuffle=st.permutations(range(4)), other=st.permutations(range(4)))
def test_with_floor_brackets_a_synchronous_order_is_ssgdm_whatever_the_order_inside(shuffle, other):
    P = Asynchronous(federated(n=1, d=2, kappa=9, noise=1), Order((*shuffle, *other), barrier=True))
    m = OrMo(gamma=0.02, beta=0.9, bracket="floor")
    assert exact.check(theory.EQUALS_SSGDM, P, m).word == "holds"


def test_with_ceil_brackets_it_is_not_ssgdm():
    P, m = theory.CEIL_IS_NOT_SSGDM.witness()
    assert theory.CEIL_IS_NOT_SSGDM.given.defect(P, m) < 1e-14
    assert theory.CEIL_IS_NOT_SSGDM.then.defect(P, m) > 0.05


def test_adaptive_steps_act_on_late_gradients_only():
    m = OrMoDA(gamma=0.1, beta=0.5, cap=0.4)
    assert m.step_sizes(np.array([0.0, 8.0, 9.0, np.inf]), 4).tolist() == [0.1, 0.1, 0.4 / 9, 0]
    generous = replace(m, cap=40.0)
    assert generous.step_sizes(np.array([9.0, 100.0]), 4).tolist() == [0.1, 0.1]


# ------------------------------------------------------------------ rates


HORIZONS = (
    theory.NONCONVEX_BOUNDED_GRADIENT,
    theory.NONCONVEX_BOUNDED_DELAY,
    theory.ADAPTIVE_NONCONVEX,
    theory.CONVEX,
    theory.ADAPTIVE_CONVEX,
)
MEASURED = (0.26, 0.18, 0.16, 0.64, 0.55)  # measured / bound, at most


@pytest.mark.parametrize("statement, ratio", list(zip(HORIZONS, MEASURED)), ids=["A", "B", "C", "D", "E"])
@pytest.mark.parametrize(
    "spec",
    [
        "async:workers=3,order=0:1:2:0:1:0:2:1:0:2/quadratic:n=1,d=2,kappa=10,noise=1",
        "async:workers=4,clock=straggler/quadratic:n=1,d=1,kappa=1,noise=1",
    ],
    ids=["mixed", "straggler"],
)
def test_the_explicit_rates_hold_from_all_starts(statement, ratio, spec):
    P = build(spec)
    verdict = moments.check(statement, P, statement.tune(P, beta=0.7))
    assert verdict.word == "holds"
    assert verdict.ratio <= ratio


def test_the_sum_of_adaptive_steps_is_at_least_half_of_the_full_one():
    """So that 8 Delta / sum_j gamma_j <= 16 Delta / (gamma_e T)."""
    for clock in ("straggler", "exp,slow=.5,ratio=30", "lognormal"):
        P = build(f"async:workers=4,clock={clock}/quadratic:n=1,d=1,kappa=1")
        m = theory.ADAPTIVE_NONCONVEX.tune(P)
        for T in (2, 10, 100, 500):
            first, noise = theory.ADAPTIVE_NONCONVEX.bound(P, m, T, m.init(P, np.zeros(1)))
            assert first.weight <= 16 / (m.gamma_eff * T)
            assert noise == 0


def test_the_gradient_bound_is_the_largest_second_moment_of_the_gradient():
    P, m = bounded_delay_instance()
    at = Horizon(source="", measure=lambda P, m, s: (Square(1, P.grad(s.x)),), bound=lambda P, m, T, s: 1.0)
    start = m.init(P, np.array([0.1, 0.2]))
    along = [sides(at, P, m, t, start.x)[0] for t in range(1, 12)]
    start_square = evaluate((Square(1, P.grad(start.x)),), P)
    assert gradient_bound(P, m, 12, start) == pytest.approx(max(start_square, *along), rel=1e-11)


def test_a_rate_without_its_hypothesis_is_not_spoken_of():
    P = build("async:workers=3,clock=race/quadratic:n=1,d=1,kappa=1")
    assert moments.check(theory.CONVEX, P, OrMo(gamma=1e-4, beta=0.5)).word == "not applicable"
    with pytest.raises(ValueError, match="gamma must be > 0"):
        theory.NONCONVEX_BOUNDED_DELAY.tune(P)  # no step is small enough for unbounded delays


def test_averaged_keeps_the_weighted_mean_of_the_theorem():
    P, m = bounded_delay_instance()
    quiet = replace(P, base=replace(P.base, noise=None))
    path = follow(quiet, Averaged(base=m), [1, 2], 20)
    lhs, _ = sides(theory.NONCONVEX_BOUNDED_DELAY, quiet, m, 20, [1, 2])
    assert path.states[-1].mean == pytest.approx(lhs, rel=1e-12)


# ------------------------------------------------------------------ critical steps


@pytest.mark.parametrize("beta, n", TABLE, ids=str)
def test_critical_steps_are_those_of_the_table(beta, n):
    P = scalar(tuple(range(n)))
    step = (1 - beta) * 0.01
    methods = (
        ASGD(gamma=0.01),
        NaiveASGDm(gamma=step, beta=beta),
        ShiftedMomentum(gamma=step, beta=beta),
        SMEGA2(gamma=step, beta=beta),
        OrMo(gamma=step, beta=beta),
        OrMo(gamma=step, beta=beta, update="vanilla"),
    )
    found = [critical_step(P, m) / (1 - getattr(m, "beta", 0)) for m in methods]
    np.testing.assert_allclose(found, TABLE[beta, n], rtol=0, atol=6e-11)
    if n < 16:
        floor = critical_step(P, OrMo(gamma=step, beta=beta, bracket="floor")) / (1 - beta)
        assert floor == pytest.approx(found[4], rel=1e-10)


def test_with_strong_momentum_the_order_of_the_critical_steps_is_the_claimed_one():
    for n in (4, 8, 16):
        asgd, naive, shifted, _, ormo, _ = TABLE[0.9, n]
        assert naive < asgd < shifted < ormo
        assert 3.8 < ormo / asgd < 4.5


# ------------------------------------------------------------------ against ASGD on data


def test_with_many_workers_ordered_momentum_ends_far_below_asgd():
    """n = 32, logistic regression, best step each: naive > ASGD > shifted > OrMo > SMEGA2 after 2000 gradients."""
    P = build("async:workers=32,clock=exp,batch=16/logistic:synthetic,clients=1,m=1024,d=20,kappa=10000")
    make = {
        "asgd": lambda g: ASGD(gamma=g),
        "naive": lambda g: NaiveASGDm(gamma=0.1 * g, beta=0.9),
        "shifted": lambda g: ShiftedMomentum(gamma=0.1 * g, beta=0.9),
        "smega2": lambda g: SMEGA2(gamma=0.1 * g, beta=0.9),
        "ormo": lambda g: OrMo(gamma=0.1 * g, beta=0.9),
    }
    best = {}
    for name, method in make.items():
        ends = [
            run(P, method(g / P.L), steps=2000, seeds=8, every=20)["gap"][-10:].mean()
            for g in (0.2, 0.4, 0.8)
        ]
        best[name] = np.nanmin(ends)
    assert best["naive"] > best["asgd"] > best["shifted"] > best["ormo"] > best["smega2"]
    assert 2 < best["asgd"] / best["ormo"] < 4


# ------------------------------------------------------------------ figures


@pytest.mark.parametrize("name", PANELS)
def test_figures_are_measured_and_drawn(name, tmp_path):
    data = PANELS[name].measure(quick=True)
    render(PANELS[name], data, [str(tmp_path / "figure.png")])
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_the_figure_of_critical_steps_agrees_with_the_table():
    data = PANELS["critical"].measure(quick=True)
    for k, column in (("ASGD", 0), ("naive", 1), ("shifted", 2), ("SMEGA2", 3), ("OrMo", 4)):
        for n in (2, 4):
            found = data[k][list(data["n"]).index(n)]
            assert found == pytest.approx(TABLE[0.9, n][column], abs=6e-11)


# ------------------------------------------------------------------ the catalogue's verdicts


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_statements_hold_on_their_cases(case):
    for spec in case.problems or (None,):
        P = None if spec is None else build(spec)
        for choice in case.settings[:1]:
            m = None if case.statement.tune is None else case.statement.tune(P, **choice)
            assert check(case.statement, P, m).word in ("holds", "not applicable")


def test_every_twin_is_killed():
    rows = mutants(["ormo"], budget="quick", jobs=1).rows
    assert len(rows) >= 30
    assert {(r.id, r.twin): r.word for r in rows if r.word != "killed"} == {}


@pytest.mark.parametrize(
    "make, what",
    [
        (lambda: OrMo(gamma=0, beta=0.5), "gamma must be > 0, got 0"),
        (lambda: OrMo(gamma=1, beta=1.0), r"beta must lie in \[0, 1\), got 1"),
        (lambda: OrMo(gamma=1, bracket="round"), "bracket must be 'ceil' or 'floor'"),
        (lambda: OrMo(gamma=1, update="plain"), "update must be 'ordered' or 'vanilla'"),
        (lambda: OrMoDA(gamma=1, cap=0), "cap must be > 0, got 0"),
    ],
)
def test_wrong_parameters_are_refused_with_the_rule(make, what):
    with pytest.raises(ValueError, match=what):
        make()
