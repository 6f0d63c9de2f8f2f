"""Biased SGD: theorems over whole classes of estimators, the dedicated theorems, decreasing steps, the comparison."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proveout.methods.biased_sgd import BiasedSGD, ScheduledSGD
from proveout.methods.blocks.assumptions import ABC, ABS, BND, BREQ, CON, FSML, SG1, SG2
from proveout.methods.blocks.compressors import BiasedRandK, RandK, TopK
from proveout.methods.blocks.estimators import Affine, ByAssumption, Compressed, Declared, Exact, Minibatch
from proveout.methods.blocks.schedules import Halfway, Harmonic
from proveout.problems import build, federated
from proveout.run import run
from proveout.testing import quadratics, seeds
from proveout.theory import biased_sgd as theory
from proveout.theory import zoo
from proveout.theory.biased_sgd import rules
from proveout.theory.biased_sgd.choices import ANY, constants, held
from proveout.theory.biased_sgd.comparison import comparison, gain, one_step_value, through_abc
from proveout.theory.biased_sgd.decreasing import stiffness
from proveout.theory.lenses import exact, moments, proof, worstcase
from proveout.theory.lenses.worstcase import Settings, ask
from proveout.theory.statement import evaluate
from proveout.theory.trial.mutants import mutants

PL_CLASS, NONCONVEX = build("class:n=1,L=10,mu=1"), build("class:n=1,L=10,mu=-10")
DEDICATED = {
    "sg1": theory.SG1_PL,
    "sg2": theory.SG2_PL,
    "con": theory.CON_PL,
    "bnd": theory.BND_PL,
    "fsml": theory.FSML_STRONGLY_CONVEX,
}
KINDS = {"sg1": SG1, "sg2": SG2, "con": CON, "bnd": BND, "fsml": FSML}


# ------------------------------------------------------------------ all functions and all estimators of a class


@pytest.mark.parametrize("name", DEDICATED)
def test_a_dedicated_theorem_is_proved_for_all_functions_and_all_estimators(name):
    statement = DEDICATED[name]
    m = statement.tune(PL_CLASS, estimator=f"any_{name}")
    assert proof.check(statement, PL_CLASS, m).grade == "proved"
    assert 0.998 < worstcase.check(statement, PL_CLASS, m).ratio <= 1 + 1e-9


@pytest.mark.parametrize("statement", [theory.PL, theory.PL_SHARP], ids=["pl", "pl_sharp"])
@pytest.mark.parametrize("estimator", ["any_abc", "any_homogeneous"])
def test_the_pl_theorems_are_proved_for_all_functions_and_all_estimators(statement, estimator):
    m = statement.tune(PL_CLASS, estimator=estimator)
    assert proof.check(statement, PL_CLASS, m).grade == "proved"


def test_the_nonconvex_theorems_are_proved_for_all_functions_and_all_estimators():
    m = theory.NONCONVEX_STEP.tune(NONCONVEX, estimator="any_abc")
    assert proof.check(theory.NONCONVEX_STEP, NONCONVEX, m).grade == "proved"
    assert worstcase.check(theory.NONCONVEX_STEP, NONCONVEX, m).ratio == pytest.approx(1, abs=1e-9)
    verdict = proof.check(theory.NONCONVEX, NONCONVEX, m)
    assert (verdict.grade, verdict.states) == ("proved", "all, T = 1, 2, 5")


def test_the_mean_of_the_gradients_is_bounded_for_all_functions_and_all_estimators():
    for statement, name in ((theory.BND_NONCONVEX, "any_bnd"), (theory.FSML_NONCONVEX, "any_fsml")):
        m = statement.tune(NONCONVEX, estimator=name)
        assert worstcase.check(statement, NONCONVEX, m).grade == "certified"


POSITIVE = st.floats(0.05, 2)


@settings(max_examples=10)
@given(
    A=POSITIVE, C=POSITIVE, c=POSITIVE, b=st.floats(0.3, 1), more=st.floats(1.2, 3), factor=st.floats(0.5, 1)
)
def test_the_worst_case_is_the_sharp_factor_where_steps_are_allowed(A, C, c, b, more, factor):
    k = ABC(A=A, B=b**2 * more, C=C, b=b, c=c)
    m = theory.PL.tune(PL_CLASS, estimator=ByAssumption(k), factor=factor)
    verdict = worstcase.check(theory.PL_SHARP, PL_CLASS, m)
    assert verdict.word == "holds"
    assert worstcase.check(theory.NONCONVEX_STEP, NONCONVEX, m).word == "holds"


@pytest.mark.parametrize(
    ("statement", "P", "wrong"),
    [
        (theory.SG1_PL, PL_CLASS, SG1(alpha=1.25, beta=1.25)),
        (theory.SG2_PL, PL_CLASS, SG2(tau=1.2, beta=1.25)),
        (theory.CON_PL, PL_CLASS, CON(alpha=0.9)),
        (theory.FSML_STRONGLY_CONVEX, PL_CLASS, FSML(q=0.5, u2=0.75, U=0.5, Q=0.1)),
    ],
    ids=["sg1", "sg2", "con", "fsml"],
)
def test_wrong_constants_are_violated_by_a_member_of_the_class(statement, P, wrong):
    kind = type(wrong).__name__.lower()
    m = statement.tune(P, estimator=f"any_{kind}")
    m = replace(m, estimator=Declared(base=m.estimator, said=wrong))
    verdict = worstcase.check(replace(statement, allows=lambda P, m: True), P, m)
    assert verdict.word == "violated"
    lhs, rhs = worstcase.sides(statement, P, m, verdict.witness)  # step and V are traced again
    assert lhs > rhs * (1 + 1e-7)


def test_a_quarter_of_the_nonconvex_bound_is_violated_over_the_class():
    m = theory.NONCONVEX.tune(NONCONVEX, estimator="any_homogeneous")
    statement, P, m = next(t for t in theory.NONCONVEX.twins if t.name == "bound x 0.25").edit(
        theory.NONCONVEX, NONCONVEX, m
    )
    assert worstcase.check(statement, P, m).word == "violated"


def test_an_estimator_known_by_its_assumption_runs_on_no_data():
    P, e = federated(d=3), ByAssumption(ABC())
    with pytest.raises(ValueError, match="data"):
        theory.PL.tune(P, estimator=e)
    with pytest.raises(ValueError, match="class"):
        e.law(P)
    with pytest.raises(ValueError, match="class"):
        e(P, np.zeros(3), None)
    with pytest.raises(ValueError, match="ABC"):
        ByAssumption(SG2(tau=0.1, beta=1.0)).abc(P)


def test_an_assumption_speaks_of_one_function():
    P = build("class:n=3,L=10,mu=1")
    question = ask(theory.PL_SHARP, P, theory.PL_SHARP.tune(P, estimator="any_abc"), Settings())
    assert question.trace.problem.n == 1  # f alone is assumed smooth and PL


@given(seed=seeds)
def test_forms_of_a_described_estimator_are_those_of_a_drawn_one(seed):
    """The conditions of the class hold at the scalars of an estimator that is in it."""
    rng = np.random.default_rng(seed)
    P = federated(n=1, d=3, kappa=10, seed=seed % 97)
    x = P.x_star + rng.standard_normal((20, 3))
    e = Affine(factors=(0.4, 0.4, 1.2, 1.2), shifts=((0.5,), (-0.5,), (0.5,), (-0.5,)))
    s = zoo.measure(e, P, x).values
    for kind in (BND, FSML):
        for row in constants(kind, e, P).rows():
            assert (sum(a * b for a, b in zip(row, s, strict=True)) <= 1e-9 * (1 + s.G)).all()


# ------------------------------------------------------------------ constants that are declared


@pytest.mark.parametrize("kind", [SG1, SG2, BREQ, CON, BND, FSML], ids=lambda k: k.__name__)
@pytest.mark.parametrize(
    "estimator",
    [Exact(), Compressed(RandK(k=1)), Compressed(BiasedRandK(k=2)), Affine(factors=(0.25, 0.75))],
    ids=["exact", "rand", "biased_rand", "shrunk"],
)
def test_constants_in_closed_form_are_the_least(kind, estimator):
    P = federated(n=2, d=3, basis="rotated")
    said = constants(kind, estimator, P)
    if kind is CON and said.alpha <= 0:
        return
    found = zoo.least(kind, estimator, P)
    for name, value in vars(said).items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-6)


def test_top_k_has_the_constants_of_the_table():
    P = federated(d=4)
    e = Compressed(TopK(k=1))
    assert constants(SG1, e, P) == SG1(alpha=0.25, beta=1.0)
    assert constants(SG2, e, P) == SG2(tau=0.25, beta=1.0)
    assert constants(CON, e, P).delta == pytest.approx(4)
    assert constants(BND, e, P) == BND(m=0.75, phi2=0.0, M=0.0, sigma2=0.0)
    assert constants(FSML, e, P) == FSML(q=0.25, u2=1.0, U=0.0, Q=0.0)


def test_what_is_not_known_is_refused():
    P = federated(d=3)
    with pytest.raises(ValueError, match="closed form"):
        constants(SG1, Minibatch(batch=1), P)
    with pytest.raises(ValueError, match="no class SG1"):
        constants(SG1, Affine(factors=(1.0, 1.0), shifts=((1.0,), (-1.0,))), P)
    with pytest.raises(ValueError, match="no class FSML"):
        constants(FSML, Affine(factors=(1.0,), shifts=((1.0,),)), P)
    with pytest.raises(ValueError, match="shifts"):
        constants(BND, Affine(factors=(1.0, 3.0), shifts=((1.0,), (-1.0,))), P)
    with pytest.raises(ValueError, match="one of"):
        constants(ABS, Exact(), P)
    with pytest.raises(ValueError, match="declares no"):
        held(P, BiasedSGD(gamma=0.1), SG1)
    with pytest.raises(ValueError, match="useful"):
        theory.CON_PL.tune(P, estimator="rand_k")
    with pytest.raises(ValueError, match="one of"):
        rules.gain(ABS(Delta2=1.0))


@given(
    P=quadratics(n=st.integers(1, 3), d=st.integers(2, 3)),
    name=st.sampled_from(sorted(DEDICATED)),
    estimator=st.sampled_from(["biased_rand_k", "shrunk", "top_k"]),
    factor=st.floats(0.1, 1),
)
def test_dedicated_theorems_hold_for_every_step_size_they_allow(P, name, estimator, factor):
    m = DEDICATED[name].tune(P, estimator=estimator, factor=factor)
    assert exact.check(DEDICATED[name], P, m, seed=1).word == "holds"


# ------------------------------------------------------------------ rules


def some(kind):
    return next(k for k in ANY.values() if isinstance(k, kind))


@pytest.mark.parametrize("kind", [SG1, SG2, CON, BND, FSML, ABC], ids=lambda k: k.__name__)
def test_rules_keep_fractions(kind):
    k = some(kind)
    k = replace(k, **{name: Fraction(value) for name, value in vars(k).items()})
    L, mu = Fraction(10), Fraction(1)
    gamma = rules.pl_limit(k, L, mu) / 2
    for number in (
        rules.gain(k),
        rules.limit(k, L),
        gamma,
        rules.noise(k, L, gamma),
        rules.pl_rate(k, mu, gamma),
        rules.floor(k, L, gamma),
        rules.pl_floor(k, L, mu, gamma),
        rules.decay(k, L, gamma, 3),
        rules.pl_steps(k, L, mu),
    ):
        assert isinstance(number, (int, Fraction))


def test_floors_are_those_of_the_papers():
    L, mu, gamma = 10.0, 2.0, 0.01
    k = some(BND)
    assert rules.floor(k, L, gamma) == pytest.approx((gamma * L * k.sigma2 + k.phi2) / (1 - k.m))
    assert rules.pl_floor(k, L, mu, gamma) == pytest.approx(
        (L * k.sigma2 * gamma + k.phi2) / (2 * mu * (1 - k.m))
    )
    k = some(FSML)
    assert rules.floor(k, L, gamma) == pytest.approx(gamma * L * k.Q / k.q)
    assert rules.pl_floor(k, L, mu, gamma) == pytest.approx(gamma * L * k.Q / (2 * mu * k.q))  # nu
    k = some(ABC)
    assert rules.floor(k, L, gamma) == pytest.approx(L * k.C * gamma / k.b + 2 * k.c / k.b)
    assert rules.pl_floor(k, L, mu, gamma) == pytest.approx(
        L * k.C * gamma / (2 * mu * k.b) + k.c / (mu * k.b)
    )
    assert rules.limit(ABC(A=1.0, B=0.0), L) == math.inf
    assert rules.decay(ABC(A=1.0), L, 10.0, 1000) == math.inf


def test_the_neighbourhood_of_small_steps_is_half_as_large():
    k, mu, L = ABC(B=2.0, b=0.5, c=0.3), 1.0, 10.0
    gamma = 1e-9
    sharp = rules.noise(k, L, gamma) / (1 - rules.pl_sharp_rate(k, L, mu, gamma))
    assert sharp == pytest.approx(rules.pl_floor(k, L, mu, gamma) / 2, rel=1e-6)


# ------------------------------------------------------------------ decreasing steps


def test_the_schedule_of_the_horizon_falls_in_its_second_half():
    s = Halfway(peak=0.1, curvature=1.0, horizon=101)
    assert [s.at(t) for t in (0, 50, 51)] == [0.1, 0.1, 0.1]
    assert s.middle == 51
    assert s.at(100) == pytest.approx(2 / (1.0 * (20 + 49)))
    assert Halfway(peak=0.1, curvature=1.0, horizon=10).at(9) == 0.1  # T <= h/a
    assert [Harmonic(scale=2.0, offset=3.0).at(t) for t in (0, 1)] == [0.5, 0.4]


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Harmonic(scale=0.0),
        lambda: Harmonic(scale=1.0, offset=-1.0),
        lambda: Halfway(peak=1.0, curvature=0.0, horizon=3),
    ],
)
def test_wrong_schedules_are_refused(bad):
    with pytest.raises(ValueError, match="must"):
        bad()


@pytest.mark.parametrize("estimator", ["rand_k", "noisy", "shifted", "minibatch"])
def test_decreasing_steps_that_know_the_horizon(estimator):
    P = federated(n=3, d=3, kappa=4, basis="rotated", noise=0.5)
    m = theory.DECREASING_STEPS.tune(P, estimator=estimator, horizon=50)
    a, h = stiffness(P, m)
    assert m.schedule.at(0) == pytest.approx(1 / h)
    assert moments.check(theory.DECREASING_STEPS, P, m).grade == "exact"
    with pytest.raises(ValueError, match="horizon"):
        theory.DECREASING_STEPS.bound(P, m, 49, m.init(P, np.zeros(3)))


def test_decreasing_steps_beat_every_constant_one_where_noise_is_all():
    P = federated(n=1, d=2, kappa=1)
    e = Affine(factors=(1.0, 1.0), shifts=((1.0,), (-1.0,)))

    def gap(m):
        return run(P, m, steps=1000, seeds=400, x0=P.x_star + 1, every=1000)["gap"][-1].mean()

    scheduled = gap(ScheduledSGD(schedule=Harmonic(scale=2.0, offset=1.0), estimator=e))
    assert scheduled < gap(BiasedSGD(gamma=0.1, estimator=e)) / 10


@settings(max_examples=8)
@given(excess=st.floats(1.1, 4), seed=seeds)
def test_fsml_decreasing_holds_for_every_beta_it_allows(excess, seed):
    P = federated(n=2, d=2, kappa=5, seed=seed % 97)
    m = theory.FSML_DECREASING.tune(P, excess=excess)
    assert moments.check(theory.FSML_DECREASING, P, m).word == "holds"


def test_too_small_a_beta_is_outside_the_theorem():
    P = federated(n=2, d=2, kappa=5)
    m = theory.FSML_DECREASING.tune(P, excess=0.9)
    assert moments.check(theory.FSML_DECREASING, P, m).word == "not applicable"


# ------------------------------------------------------------------ comparison


def test_the_table_of_complexities():
    rows = {
        r.name: r for r in comparison(*(some(k) for k in (SG1, SG2, CON, BND, FSML)), BREQ(rho=0.5, zeta=2.0))
    }
    for row in rows.values():
        assert row.general / row.dedicated == pytest.approx(row.gain, rel=1e-12)
    assert (rows["CON"].dedicated, rows["CON"].general) == (4, pytest.approx(8 * 16 * (2 - 1 / 4)))
    assert rows["SG1"].dedicated == pytest.approx(1.25**2 / 0.4)
    assert rows["BREQ"].dedicated == rows["BREQ"].general == 8
    assert rows["FSML"].gain == 1


@given(alpha=st.floats(0.01, 0.99))
def test_the_sharp_constants_of_con_lose_a_factor_delta_too(alpha):
    k = CON(alpha=alpha)
    root = math.sqrt(1 - alpha)
    sharp = rules.pl_steps(through_abc(k, recalled=False), 1, 1)
    assert sharp == pytest.approx(((1 + root) / (1 - root)) ** 2, rel=1e-6)
    assert gain(k) >= 8


@given(A=st.floats(0, 2), C=st.floats(0, 2), c=st.floats(0, 0.2), b=st.floats(0.2, 1), D=st.floats(0.5, 5))
def test_the_program_of_one_step_has_the_value_of_the_sharp_theorem(A, C, c, b, D):
    L, mu, k = 10.0, 1.0, ABC(A=A, B=2 * b**2, C=C, b=b, c=c)
    gamma = rules.pl_limit(k, L, mu)
    G = 2 * mu * D  # where the optimum lies; the Gram matrix must allow P = bG - c there
    assume((b * G - c) ** 2 <= G * (2 * A * D + k.B * G + C))
    claimed = rules.pl_sharp_rate(k, L, mu, gamma) * D + rules.noise(k, L, gamma)
    assert one_step_value(k, L, mu, gamma, D) == pytest.approx(claimed, rel=1e-8)


def test_a_dedicated_step_size_needs_fewer_steps_than_abc_allows():
    P = federated(n=1, d=4, kappa=5)
    for estimator, kind in ((Compressed(TopK(k=1)), SG2), (Compressed(TopK(k=1)), CON)):
        k = constants(kind, estimator, P)
        assert rules.limit(k, P.L) == pytest.approx(1 / P.L)
        assert rules.limit(estimator.abc(P), P.L) == pytest.approx(0.25 / P.L)


def test_the_bound_of_fsml_decreasing_is_the_papers():
    P = federated(n=2, d=2, kappa=5)
    m = theory.FSML_DECREASING.tune(P)
    k, beta, g0 = held(P, m, FSML), m.schedule.scale, m.schedule.offset
    start = m.init(P, P.x_star + 1e-9)
    nu = beta**2 * P.L * k.Q / (2 * (beta * k.q * P.mu - 1))
    assert theory.FSML_DECREASING.bound(P, m, 7, start) == pytest.approx(nu / (g0 + 8))
    far = m.init(P, P.x_star + 1e3)
    gap = evaluate(theory.convergence.gap(P, m, far), P)
    assert theory.FSML_DECREASING.bound(P, m, 7, far) == pytest.approx((g0 + 1) * gap / (g0 + 8))


# ------------------------------------------------------------------ red twins

QUICK = [
    "sg1_pl",
    "sg2_pl",
    "con_pl",
    "bnd_pl",
    "fsml_strongly_convex",
    "fsml_decreasing",
    "dedicated_beats_abc",
    "one_step_worst_case",
    "independent_sampling_abc",
    "independent_sampling_unequal_fails",
    "dissimilar_sampling",
    "dissimilar_rounding",
    "finite_sum_growth",
    "quadratics_need_no_a",
]


def test_every_twin_is_killed():
    rows = mutants([f"biased_sgd.{name}" for name in QUICK], budget="quick", jobs=1).rows
    assert len(rows) >= 65
    assert [(r.id, r.twin, r.word) for r in rows if r.word != "killed"] == []
