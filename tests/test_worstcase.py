"""The worst-case lens: known worst cases to the digit, full Gram matrix against orbits of clients."""

import math
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest

from proveout.methods.gd import GD
from proveout.methods.proxskip import Scaffnew
from proveout.methods.tamuna import TamunaVirtual
from proveout.problems import FunctionClass, build
from proveout.theory import gd, proxskip, tamuna
from proveout.theory.catalogue import CASES
from proveout.theory.lenses.worstcase import Settings, answer, ask, trace, worst
from proveout.theory.lenses.worstcase.enclosure import enclose
from proveout.theory.lenses.worstcase.program import program
from proveout.theory.statement import Horizon, OneStep, Square
from worstcase_records import (
    DIANA_LINEAR,
    EACH,
    EF21,
    EF21_STEP,
    LOCAL_PROX_LINEAR,
    LSVRG_LINEAR,
    SAGA_LINEAR,
    Contractive,
    FiniteSumSGD,
    X,
    local_prox,
)


def clients(n, L=10.0, mu=1.0):
    return FunctionClass(n=n, L_max=L, mu_min=mu)


def rate(statement, problem, method, **settings):
    """The least true rate, after asking that the certified interval be narrow."""
    interval = answer(ask(statement, problem, method, Settings(**settings))).interval
    assert interval.low <= interval.up
    assert interval.up - interval.low < 1e-8 * interval.up
    return interval.up


def agrees(value, digits):
    return value == pytest.approx(digits, abs=2e-8)


# ------------------------------------------------------------------ one step


@pytest.mark.parametrize("n", [2, 3, 5, 1000])
def test_scaffnew_contracts_by_091_for_any_number_of_clients(n):
    assert agrees(rate(proxskip.LINEAR_CONVERGENCE, clients(n), Scaffnew(gamma=0.15, p=0.3)), 0.91)


TAMUNA = {  # (n, c): published, worst case at 1.3 chi_max
    (3, 2): (0.90625, 0.90306119),
    (4, 2): (0.94444444, 0.93862675),
    (5, 3): (0.89583333, 0.89920546),
    (6, 3): (0.92, 0.91838952),
}


@pytest.mark.parametrize("n, c", TAMUNA)
@pytest.mark.parametrize("over", [1.0, 1.3])
def test_tamuna_meets_its_rate_and_breaks_past_chi_max(n, c, over):
    chi = over * n * (c - 1) / (c * (n - 1))
    method = TamunaVirtual(gamma=0.15, p=0.5, chi=chi, cohort=c, s=c)
    assert agrees(rate(tamuna.LINEAR_CONVERGENCE, clients(n), method), TAMUNA[n, c][over > 1])


def test_tamuna_compressed_has_the_worst_case_of_tamuna_with_as_many_senders():
    few = TamunaVirtual(gamma=0.15, p=0.5, chi=4 / (2 * 3), cohort=3, s=2)
    all_send = replace(few, cohort=2)
    P = clients(4)
    assert rate(tamuna.LINEAR_CONVERGENCE, P, few) == pytest.approx(
        rate(tamuna.LINEAR_CONVERGENCE, P, all_send), abs=1e-9
    )


SAGA_VALUES = {2: 0.95833333, 3: 0.96153846, 4: 0.96428571, 5: 0.96666667}
DIANA_VALUES = {2: 0.9853100026, 3: 0.9787881867, 5: 0.9671051051}


@pytest.mark.parametrize("n", SAGA_VALUES)
def test_saga_meets_its_published_rate(n):
    P = clients(n, L=1.0, mu=0.1)
    m = SAGA_LINEAR.tune(P)
    assert agrees(rate(SAGA_LINEAR, P, m), SAGA_VALUES[n])
    assert agrees(1 - m.gamma * 0.1, SAGA_VALUES[n])


@pytest.mark.parametrize("n", [2, 3, 5])
def test_lsvrg_is_better_than_published_by_697_over_720(n):
    P = clients(n, L=1.0, mu=0.1)
    assert agrees(rate(LSVRG_LINEAR, P, LSVRG_LINEAR.tune(P, p=1 / n)), 697 / 720)


@pytest.mark.parametrize("n", DIANA_VALUES)
def test_diana_over_all_unbiased_compressors(n):
    P = clients(n, L=1.0, mu=0.1)
    assert agrees(rate(DIANA_LINEAR, P, DIANA_LINEAR.tune(P, 4.0)), DIANA_VALUES[n])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_error_feedback_over_all_contractive_compressors(n):
    method = EF21(gamma=0.2, C=Contractive(0.5))
    assert agrees(rate(EF21_STEP, clients(n, L=1.0, mu=0.1), method), 0.9681952279)


LOCAL = {(2, 1): 0.9215214187, (3, 1): 0.9351389237, (3, 2): 0.9103009316, (4, 2): 0.9215214187}


@pytest.mark.parametrize("K", [1, 2])
@pytest.mark.parametrize("n, c", LOCAL)
def test_a_cohort_with_local_work_on_functions_split_at_the_origin(n, c, K):
    P = clients(n)
    assert agrees(rate(LOCAL_PROX_LINEAR, P, local_prox(P, c, K)), LOCAL[n, c])
    if n <= 3:
        assert agrees(rate(LOCAL_PROX_LINEAR, P, local_prox(P, c, K), full=True), LOCAL[n, c])


FULL = (
    (proxskip.LINEAR_CONVERGENCE, lambda P: Scaffnew(gamma=0.15, p=0.3), 10.0, 1.0),
    (SAGA_LINEAR, SAGA_LINEAR.tune, 1.0, 0.1),
    (LSVRG_LINEAR, lambda P: LSVRG_LINEAR.tune(P, p=1 / P.n), 1.0, 0.1),
    (DIANA_LINEAR, lambda P: DIANA_LINEAR.tune(P, 4.0), 1.0, 0.1),
    (EF21_STEP, lambda P: EF21(gamma=0.2, C=Contractive(0.5)), 1.0, 0.1),
    (
        tamuna.LINEAR_CONVERGENCE,
        lambda P: TamunaVirtual(gamma=0.15, p=0.5, chi=P.n / (2 * (P.n - 1)), cohort=2, s=2),
        10.0,
        1.0,
    ),
)


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("statement, tune, L, mu", FULL, ids=lambda a: getattr(a, "source", None))
def test_orbits_of_clients_have_the_worst_case_of_the_full_gram_matrix(n, statement, tune, L, mu):
    P = clients(n, L, mu)
    orbits = rate(statement, P, tune(P))
    assert rate(statement, P, tune(P), full=True) == pytest.approx(orbits, abs=1e-8)


@pytest.mark.parametrize("statement, tune, L, mu", FULL[:-1], ids=lambda a: getattr(a, "source", None))
def test_four_hundred_clients_take_less_than_a_second(statement, tune, L, mu):
    P = clients(400, L, mu)
    since = time.process_time()
    interval = answer(ask(statement, P, tune(P))).interval
    assert time.process_time() - since < 1
    assert interval.up - interval.low < 1e-7


@dataclass(frozen=True)
class Mixed:
    """Clients of two classes."""

    L_i: tuple
    mu_i: tuple
    spec: str = ""

    d = 1
    x_star = np.zeros(1)
    n = property(lambda self: len(self.L_i))
    L = L_max = property(lambda self: max(self.L_i))
    mu = mu_min = property(lambda self: min(self.mu_i))


@pytest.mark.parametrize("a, b, value", [(1, 1, 0.9824399471), (1, 2, 1.0081717760), (2, 3, 1.0081717760)])
def test_two_classes_of_clients_are_two_orbits(a, b, value):
    heavier = replace(
        proxskip.LINEAR_CONVERGENCE,
        lyapunov=lambda P, m, s: (
            Square(1, s.x - P.x_star, core=2),
            Square(1.3 * (m.gamma / m.p) ** 2, s.h - P.h_star, core=2),
        ),
    )
    P = Mixed((10.0,) * a + (4.0,) * b, (1.0,) * a + (0.5,) * b)
    method = Scaffnew(gamma=0.1, p=0.3)
    question = ask(heavier, P, method)
    assert len(question.trace.layout.pairs) == (a > 1) + (b > 1)
    assert agrees(answer(question).interval.up, value)
    if a + b <= 3:
        assert agrees(rate(heavier, P, method, full=True), value)


# ------------------------------------------------------------------ several normalisations


DISTANCES = OneStep(  # E|x' - x*|^2 given |x - x*|^2 <= R^2 and mean |h*_i|^2 <= v^2
    source="",
    method=FiniteSumSGD,
    assumes=EACH,
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star), Square(1 / P.n, P.h_star, core=2)),
    star=lambda P, m: X(P.x_star),
    rate=lambda P, m: 1,
)


@pytest.mark.parametrize("n", [2, 3, 5, 40])
def test_sgd_over_n_functions_is_the_same_for_every_n(n):
    found = trace(DISTANCES, clients(n, L=1.0, mu=0.1), FiniteSumSGD(gamma=1.0))
    interval = enclose(program(found, [found.after[0]], found.before, [4.0, 1.0]))
    assert agrees(interval.up, 5.0416523285)
    assert agrees(interval.low, 5.0416523285)


@dataclass(frozen=True, kw_only=True)
class Heterogeneous:
    """n functions with mean |grad f_i(x*)|^2 <= zeta2."""

    n: int
    zeta2: float
    spec: str = ""

    d = 1
    L = L_max = 1.0
    mu = mu_min = 0.1
    x_star = np.zeros(1)


def test_heterogeneity_at_the_optimum_is_the_noise_of_sgd():
    claim = replace(
        DISTANCES,
        lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star),),
        rate=lambda P, m: 1 - m.gamma * P.mu,
        noise=lambda P, m: 2 * m.gamma**2 * P.zeta2,
    )
    method = FiniteSumSGD(gamma=0.4)
    assert worst(claim, Heterogeneous(n=3, zeta2=2.0), method).holds
    stingy = replace(claim, noise=lambda P, m: 0.9 * m.gamma**2 * P.zeta2)
    assert worst(stingy, Heterogeneous(n=3, zeta2=2.0), method).violated


# ------------------------------------------------------------------ the interval


def test_an_interval_is_never_empty_and_narrow_on_every_statement_of_the_catalogue():
    seen = tight = 0
    for case in CASES:
        for spec in case.problems:
            if not (spec.startswith("class:") and isinstance(case.statement, OneStep | Horizon)):
                continue
            for choices in case.settings:
                found = _answered(case.statement, build(spec), choices)
                if found is None or not found.question.trace.exact:
                    continue
                seen += 1
                assert found.interval.low <= found.interval.up
                if found.holds:  # narrow beside the claim, or beside the room that is left to it
                    low, up, claimed = found.interval.low, found.interval.up, found.question.claimed
                    assert up - low < max(1e-8 * max(claimed, up), 1e-4 * (claimed - up)), (case.id, spec)
                    tight += up > claimed * (1 - 1e-6)
    assert seen >= 5
    assert tight >= 5


def _answered(statement, problem, choices):
    from proveout.theory.lenses.common import Refused

    try:
        return worst(statement, problem, statement.tune(problem, **choices))
    except (ValueError, AttributeError, Refused):
        return None


def test_the_claim_that_misses_a_direction_has_no_finite_rate():
    """V forgets the shifts, so that V can grow without bound."""
    blind = replace(
        proxskip.LINEAR_CONVERGENCE, lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star, core=2),)
    )
    found = worst(blind, clients(3), Scaffnew(gamma=0.1, p=0.3))
    assert found.violated
    assert math.isinf(found.interval.up)


def test_scaling_makes_the_bound_good_at_any_condition_number():
    for kappa in (1e1, 1e3, 1e5):
        P = clients(1, L=kappa, mu=1.0)
        method = GD(gamma=2 / (kappa + 1))
        value = answer(ask(gd.CONTRACTION, P, method)).interval.up
        assert value == pytest.approx(((kappa - 1) / (kappa + 1)) ** 2, rel=1e-8)


def test_functions_with_l_equal_mu_are_one_quadratic():
    P = clients(3, L=1.0, mu=1.0)
    assert agrees(rate(proxskip.LINEAR_CONVERGENCE, P, Scaffnew(gamma=0.3, p=0.9)), 0.7**2)
