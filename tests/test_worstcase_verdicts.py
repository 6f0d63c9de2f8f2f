"""Verdicts of the worst-case lens: red twins die with a witness that replays."""

import json
import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from proveout.methods.blocks.compressors import Lazy
from proveout.methods.gd import GD, SGD
from proveout.methods.proxskip import Scaffnew
from proveout.methods.tamuna import TamunaVirtual
from proveout.problems import FunctionClass, build
from proveout.theory import gd, proxskip, tamuna
from proveout.theory.assumptions import (
    convex,
    each_convex,
    each_smooth,
    each_strongly_convex,
    smooth,
    strongly_convex,
)
from proveout.theory.lenses.worstcase import Settings, answer, ask, check, sides, trace, worst
from proveout.theory.statement import Assumption, Gap, Horizon, Identity, OneStep, Square
from proveout.theory.twins import (
    branch_dropped,
    field_times,
    noise_times,
    oracle,
    progress_times,
    rate_gap,
    rolled,
    update_times,
    weight_times,
)
from proveout.theory.witness import decode, encode
from worstcase_records import (
    DIANA_LINEAR,
    EF21,
    EF21_STEP,
    LSVRG,
    LSVRG_LINEAR,
    SAGA_LINEAR,
    Contractive,
    Unbiased,
    X,
)


def clients(n=3, L=10.0, mu=1.0):
    return FunctionClass(n=n, L_max=L, mu_min=mu)


def refuted(statement, problem, method):
    """Violated, and the witness says so again after a trip through JSON."""
    verdict = check(statement, problem, method)
    assert verdict.word == "violated", verdict.note
    assert verdict.grade is None
    witness = json.loads(json.dumps(verdict.witness))
    lhs, rhs = sides(statement, problem, method, witness)
    assert lhs > rhs * (1 + 1e-7)
    assert lhs == pytest.approx(decode(witness["lhs"]), rel=1e-9)
    assert rhs == pytest.approx(decode(witness["rhs"]), rel=1e-9)
    return verdict


# ------------------------------------------------------------------ green


def test_a_claim_that_holds_is_certified_with_its_figure():
    verdict = check(proxskip.LINEAR_CONVERGENCE, clients(), Scaffnew(gamma=0.1, p=0.3))
    assert (verdict.word, verdict.grade, verdict.states) == ("holds", "certified", "all")
    assert verdict.ratio == pytest.approx(1, abs=1e-9)
    assert verdict.branches == (1,)
    loose = check(proxskip.LINEAR_CONVERGENCE, clients(), Scaffnew(gamma=0.1, p=1.0))
    assert loose.ratio == pytest.approx(0.81 / 0.9, abs=1e-9)


def test_a_problem_with_data_is_judged_as_its_class():
    problem = build("quadratic:n=4,d=3,kappa=10")
    verdict = check(proxskip.LINEAR_CONVERGENCE, problem, Scaffnew(gamma=0.1, p=0.3))
    assert verdict.word == "holds"
    assert verdict.problem == "class:n=4,L=10,mu=1"


def test_other_statements_and_foreign_methods_do_not_apply():
    identity = Identity(source="", sides=lambda P, m, path: (0, 0))
    assert check(identity, clients(), GD(gamma=0.1)).word == "not applicable"
    assert check(proxskip.LINEAR_CONVERGENCE, clients(), GD(gamma=0.1)).word == "not applicable"
    too_long = check(proxskip.LINEAR_CONVERGENCE, clients(), Scaffnew(gamma=1.0, p=0.3))
    assert too_long.word == "not applicable"
    assert "outside what the statement allows" in too_long.note


# ------------------------------------------------------------------ red twins

STALE = oracle("one client silent", lambda grads, x: grads(x) * (np.arange(3) > 0)[:, None])

RED = {
    "scaffnew": (
        proxskip.LINEAR_CONVERGENCE,
        lambda P: Scaffnew(gamma=0.1, p=0.3),
        (
            field_times("gamma", 2.2),
            update_times("h", 0),
            update_times("h", 2),
            update_times("x", 0.5),
            weight_times(1, 4),
            weight_times(1, 0.25),
            rate_gap(1.1),
            branch_dropped(1),
            STALE,
        ),
    ),
    "tamuna": (
        tamuna.LINEAR_CONVERGENCE,
        lambda P: TamunaVirtual(gamma=0.15, p=0.5, chi=0.75, cohort=2, s=2),
        (field_times("chi", 1.3), rate_gap(1.01), update_times("h", 0), weight_times(1, 4)),
    ),
    "saga": (
        SAGA_LINEAR,
        SAGA_LINEAR.tune,
        (field_times("gamma", 2), rate_gap(1.01), update_times("phi", 0), weight_times(0, 0.25)),
    ),
    "lsvrg": (
        LSVRG_LINEAR,
        lambda P: LSVRG(gamma=1 / (6 * P.L_max), p=0.3),
        (field_times("gamma", 4), rate_gap(2.5), update_times("w", 0), weight_times(1, 0.05)),
    ),
    "diana": (
        DIANA_LINEAR,
        lambda P: DIANA_LINEAR.tune(P, 4.0),
        (field_times("gamma", 4), field_times("alpha", 6), update_times("h", 0), weight_times(1, 0.05)),
    ),
}
PAIRS = [(name, twin) for name, (_, _, twins) in RED.items() for twin in twins]


@pytest.mark.parametrize("name, twin", PAIRS, ids=[f"{name}: {twin.name}" for name, twin in PAIRS])
def test_an_altered_claim_is_violated_with_a_witness_that_replays(name, twin):
    statement, tune, _ = RED[name]
    P = clients(3, 10.0, 1.0) if name in ("scaffnew", "tamuna") else clients(3, 1.0, 0.1)
    assert check(statement, P, tune(P)).word == "holds"
    refuted(*twin.edit(statement, P, tune(P)))


def test_a_witness_satisfies_the_class_inequalities_as_vectors():
    """The stored factor, read as actual vectors, is checked without the lens."""
    statement, P, m = rate_gap(1.1).edit(gd.CONTRACTION, clients(1), GD(gamma=2 / 11))
    verdict = refuted(statement, P, m)
    more = {k: decode(v) for k, v in verdict.witness["more"].items()}
    rows = dict(zip(more["basis"][0], more["factors"][0]))
    x, g, f = rows["x"], next(v for k, v in rows.items() if k.startswith("d(")), float(more["values"][0])
    L, mu = 10.0, 1.0
    for value, point, slope in ((f, x, g), (-f, -x, -g)):  # x against x*, x* against x
        base = g * 0 if value > 0 else g
        bracket = slope @ slope / L + mu * point @ point - 2 * mu / L * slope @ point
        assert value - base @ point - bracket / (2 * (1 - mu / L)) > -1e-9
    assert np.sum((x - m.gamma * g) ** 2) > verdict.ratio * 0.999 * decode(verdict.witness["rhs"])


def test_a_tampered_witness_is_refused():
    statement, P, m = rate_gap(1.1).edit(gd.CONTRACTION, clients(1), GD(gamma=2 / 11))
    witness = check(statement, P, m).witness
    factors = [W.copy() for W in decode(witness["more"]["factors"])]
    name = [n.startswith("d(") for n in decode(witness["more"]["basis"])[0]]
    factors[0][name] *= 3
    bad = {**witness, "more": {**witness["more"], "factors": encode(tuple(factors))}}
    with pytest.raises(ValueError, match="violates"):
        sides(statement, P, m, bad)
    short = {**witness, "more": {**witness["more"], "factors": encode(tuple(W[1:] for W in factors))}}
    with pytest.raises(ValueError, match="size"):
        sides(statement, P, m, short)


def test_a_client_that_is_favoured_goes_to_the_full_gram_matrix_and_says_so():
    first_only = oracle("x 1.2", lambda grads, x: grads(x) * (1 + 0.2 * (np.arange(3) == 0))[:, None])
    statement, P, m = first_only.edit(proxskip.LINEAR_CONVERGENCE, clients(3), Scaffnew(gamma=0.1, p=0.3))
    assert "full Gram" in refuted(statement, P, m).note


def test_too_many_clients_that_are_told_apart_have_no_reading():
    uneven = oracle("x i", lambda grads, x: grads(x) * np.arange(1, 201)[:, None])
    statement, P, m = uneven.edit(proxskip.LINEAR_CONVERGENCE, clients(200), Scaffnew(gamma=0.1, p=0.3))
    verdict = check(statement, P, m)
    assert verdict.word == "not applicable"
    assert "full Gram matrix" in verdict.note


# ------------------------------------------------------------------ noise


def noisy(n=1, mu=1.0):
    return FunctionClass(n=n, L_max=10.0, mu_min=mu, sigma2=4.0)


DISTANCE = OneStep(
    source="",
    method=SGD,
    assumes=(smooth, strongly_convex),
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star),),
    star=lambda P, m: X(P.x_star),
    rate=lambda P, m: ((1 - m.gamma * P.mu) ** 2, (1 - m.gamma * P.L) ** 2),
    noise=lambda P, m: m.gamma**2 * P.sigma2 / m.batch,
)
DESCENT = OneStep(
    source="",
    method=SGD,
    assumes=(smooth,),
    lyapunov=lambda P, m, s: (Gap(1, s.x),),
    rate=lambda P, m: 1.0,
    progress=lambda P, m, s: (Square(m.gamma * (1 - P.L * m.gamma / 2), P.grad(s.x)),),
    noise=lambda P, m: m.gamma**2 * P.L * P.sigma2 / 2,
)


@pytest.mark.parametrize("gamma", [0.05, 0.1, 0.15])
def test_gradient_noise_costs_exactly_its_variance(gamma):
    found = worst(DISTANCE, noisy(), SGD(gamma=gamma))
    assert found.holds
    assert found.question.trace.exact
    assert found.interval.up == pytest.approx(1, abs=1e-8)
    for factor in (0, 0.5):
        refuted(*noise_times(factor).edit(DISTANCE, noisy(), SGD(gamma=gamma)))


def test_a_problem_with_noise_is_judged_as_its_class():
    problem = build("quadratic:n=1,d=2,kappa=10,noise=2")
    verdict = check(DISTANCE, problem, SGD(gamma=0.1))
    assert verdict.problem == "class:n=1,L=10,mu=1,sigma2=4"
    assert verdict.word == "holds"


@pytest.mark.parametrize("n", [2, 40])
def test_the_noise_of_independent_clients_averages_out(n):
    each = replace(DISTANCE, assumes=(each_smooth, each_strongly_convex))
    assert check(each, noisy(n=n), SGD(gamma=0.1, batch=n)).ratio == pytest.approx(1, abs=1e-8)
    refuted(*noise_times(0.9).edit(each, noisy(n=n), SGD(gamma=0.1, batch=n)))


@pytest.mark.parametrize("gamma", [0.05, 0.1, 0.15])
def test_noise_that_an_oracle_sees_is_bounded_in_expectation(gamma):
    P, m = noisy(mu=-10.0), SGD(gamma=gamma)
    verdict = check(DESCENT, P, m)
    assert verdict.word == "holds", verdict.note
    assert "in expectation" in verdict.note
    for twin in (noise_times(0.9), noise_times(0), progress_times(1.1), update_times("x", 3)):
        note = refuted(*twin.edit(DESCENT, P, m)).note
        assert "can be drawn" in note


def test_the_same_noise_asked_for_twice_cancels():
    @dataclass(frozen=True, kw_only=True)
    class Difference(SGD):
        def step(self, problem, state, draw):
            part = problem.at(draw.cohort).on(draw.xi)
            g = part.grads(state.x[..., None, :]) - part.grads(0 * state.x[..., None, :] + problem.x_star)
            return X(state.x - self.gamma * g[..., 0, :])

    quiet = replace(DISTANCE, noise=None)
    assert check(quiet, noisy(), Difference(gamma=0.1)).word == "holds"


# ------------------------------------------------------------------ compressors


def test_a_drawn_compressor_and_its_abstraction_have_one_worst_case():
    P = clients(3, 1.0, 0.1)
    abstract = DIANA_LINEAR.tune(P, 4.0)
    drawn = replace(abstract, Q=Lazy(p=0.2))  # omega = 1/p - 1 = 4
    bounds = []
    for method, settings in (
        (abstract, Settings()),
        (drawn, Settings()),
        (drawn, Settings(blocks=False)),
        (abstract, Settings(inner=True)),  # v (1 +- 2)
    ):
        bounds.append(answer(ask(DIANA_LINEAR, P, method, settings)).interval.up)
    np.testing.assert_allclose(bounds, bounds[0], rtol=1e-8)


def test_one_draw_for_two_vectors_is_no_independent_noise():
    @dataclass(frozen=True, kw_only=True)
    class Twice(EF21):
        def step(self, problem, state, draw):
            new = super().step(problem, state, draw)
            return new._replace(h=new.h + 0.1 * self.C(state.h, draw.sent))

    method = Twice(gamma=0.2, C=Unbiased(1.0))
    verdict = check(replace(EF21_STEP, method=Twice), clients(2, 1.0, 0.1), method)
    assert verdict.word == "not applicable"
    assert "different vectors" in verdict.note


def test_a_contractive_compressor_that_keeps_nothing_breaks_error_feedback():
    P = clients(2, 1.0, 0.1)
    assert check(EF21_STEP, P, EF21(gamma=0.2, C=Contractive(0.5))).word == "holds"
    refuted(EF21_STEP, P, EF21(gamma=0.2, C=Contractive(0.0)))


# ------------------------------------------------------------------ upper bounds


def test_where_conditions_are_only_necessary_a_violation_needs_a_function():
    P, m = clients(1), GD(gamma=0.1)
    assert not trace(gd.PL, P, m).exact
    assert check(gd.PL, P, m).word == "holds"
    assert refuted(*rate_gap(2).edit(gd.PL, P, m)).note.endswith("can be drawn")
    between = replace(gd.PL, rate=lambda P, m: 0.83)  # true for strongly convex functions, not proved for PL
    verdict = check(between, P, m)
    assert verdict.word == "inconclusive"
    assert "certified [0.857142857" in verdict.note


def test_an_infinite_worst_case_is_refuted_far_out():
    blind = replace(
        proxskip.LINEAR_CONVERGENCE, lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star, core=2),)
    )
    verdict = refuted(blind, clients(), Scaffnew(gamma=0.1, p=0.3))
    assert verdict.ratio > 1e3
    assert not math.isinf(verdict.ratio)


# ------------------------------------------------------------------ more classes

ON_F = replace(gd.CONTRACTION, rate=lambda P, m: 1 - m.gamma * P.mu)


def test_what_is_assumed_of_f_besides_the_clients_counts():
    mixed = replace(ON_F, assumes=(each_smooth, each_convex, strongly_convex))
    P, m = clients(3), GD(gamma=0.1)
    verdict = check(mixed, P, m)
    assert verdict.word == "holds", verdict.note
    assert "upper bound" in verdict.note
    names = [c.name for c in trace(mixed, P, m).inequalities]
    assert {"f: x -> x*", "f: x* -> x", "f_i: x -> x*"} <= set(names)
    refuted(*rate_gap(2.2).edit(mixed, P, m))  # false for strongly convex f_i already
    convex_alone = replace(ON_F, assumes=(each_smooth, each_convex))
    refuted(convex_alone, P, m)


@dataclass(frozen=True, kw_only=True)
class Lipschitz:
    M: float = 2.0
    n: int = 1
    spec: str = ""

    d = 1
    L = L_max = math.inf
    mu = mu_min = 0.0
    x_star = np.zeros(1)


def test_the_subgradient_method_on_lipschitz_functions():
    slopes = Assumption("f is M-Lipschitz", lambda P: True, "lipschitz")
    claim = Horizon(
        source="",
        method=GD,
        assumes=(convex, slopes),
        over="min",
        measure=lambda P, m, s: (Gap(1, s.x),),
        bound=lambda P, m, T, start: (
            Square(1 / (2 * m.gamma * (T + 1)), start.x - P.x_star),
            m.gamma * P.M**2 / 2,
        ),
    )
    assert check(claim, Lipschitz(), GD(gamma=0.3)).ratio == pytest.approx(1, abs=1e-7)
    refuted(replace(claim, bound=lambda *a: claim.bound(*a)[:1]), Lipschitz(), GD(gamma=0.3))


# ------------------------------------------------------------------ a state that counts


class Counted(NamedTuple):
    x: Any
    t: int


@dataclass(frozen=True, kw_only=True)
class Later(GD):
    """Gradient descent with a longer step from step `late` on."""

    late: int

    def init(self, problem, x0):
        return Counted(x0, 0)

    def step(self, problem, state, draw):
        gamma = self.gamma * (3 if state.t >= self.late else 1)
        return Counted(state.x - gamma * problem.grad(state.x), state.t + 1)


def test_a_step_that_counts_is_judged_at_its_first_counts():
    claim = replace(
        gd.CONTRACTION,
        method=Later,
        rate=lambda P, m: (1 - m.gamma * P.mu) ** 2,
        star=lambda P, m: Counted(P.x_star, 0),
    )
    P = clients(1)
    verdict = check(claim, P, Later(gamma=0.1, late=9))
    assert verdict.word == "holds"
    assert "clock 0 to 3" in verdict.note
    refuted(claim, P, Later(gamma=0.1, late=2))


def test_a_claimed_rate_of_zero_is_met_up_to_rounding():
    P = clients(1, 1.0, 1.0)
    assert check(gd.CONTRACTION, P, GD(gamma=1.0)).word == "holds"
    refuted(replace(gd.CONTRACTION, rate=lambda P, m: 0), P, GD(gamma=0.9))


def test_an_oracle_after_a_coordinate_mask_is_refused():
    P, m = clients(3), TamunaVirtual(gamma=0.1, p=0.5, chi=0.75, cohort=3, s=2)
    assert check(tamuna.LINEAR_CONVERGENCE, P, m).word == "holds"
    gaps = replace(
        tamuna.LINEAR_CONVERGENCE,
        lyapunov=lambda P, m, s: (*tamuna.psi(P, m, s), Gap(1, s.x, core=2)),
    )
    verdict = check(gaps, P, m)
    assert verdict.word == "not applicable"
    assert "coordinate mask" in verdict.note


def test_many_clients_that_are_not_exchangeable_are_refused_before_they_fill_the_memory():
    statement, P, m = rolled("h").edit(
        proxskip.LINEAR_CONVERGENCE, FunctionClass(n=400, L_max=10.0, mu_min=1.0), Scaffnew(gamma=0.1, p=0.3)
    )
    verdict = check(statement, P, m)
    assert verdict.word == "not applicable"
    assert "400 clients that are not exchangeable" in verdict.note
