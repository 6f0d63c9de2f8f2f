"""The passport: what a newcomer gets for an estimator written in five minutes."""

import json
import math
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proveout as po
from proveout.cli.app import main
from proveout.methods.biased_sgd import BiasedSGD
from proveout.methods.blocks.assumptions import ABC, ASSUMPTIONS, BND, CON, FSML, SG2
from proveout.methods.blocks.compressors import BiasedRandK, RandK, TopK
from proveout.methods.blocks.estimators import Affine, Compressed, Exact, Minibatch
from proveout.problems import Quadratics, build, federated
from proveout.theory.biased_sgd import rules
from proveout.theory.zoo.best import Goal, fall, steps_to
from proveout.theory.zoo.passport import passport

P = federated(n=3, d=3, kappa=10, basis="rotated", seed=1)
LOGISTIC = build("logistic:synthetic,clients=3,kappa=20,m=60,d=4")


def trimmed(problem, x):
    """Half of the time the whole gradient, else its first coordinate alone."""
    g = problem.grad(x)
    first = np.zeros_like(g)
    first[0] = g[0]
    return [(0.5, g), (0.5, first)]


# ------------------------------------------------------------------ what it says


def test_the_exact_gradient_is_gradient_descent():
    page = passport(Exact(), P)
    assert page.unbiased
    k = page.standings["ABC"].constants
    assert (k.A, k.B, k.C, k.b, k.c) == pytest.approx((0, 1, 0, 1, 0))
    expected = math.log(1e3) / -math.log(1 - P.mu / P.L)
    assert page.best.steps == pytest.approx(expected, rel=1e-6)
    assert page.best.gamma == pytest.approx(1 / P.L)


def test_all_nine_assumptions_are_answered_and_every_no_has_a_witness():
    for e in (Compressed(RandK(k=1)), Minibatch(batch=1), trimmed, Affine(factors=(1.0,), shifts=((1.0,),))):
        page = passport(e, P)
        assert set(page.standings) == {kind.__name__ for kind in ASSUMPTIONS.values()}
        for one in page.standings.values():
            assert (one.constants is None) == (one.word == "violated")
            assert (one.witness is None) == (one.word != "violated")


@pytest.mark.parametrize(
    "e", [Compressed(BiasedRandK(k=1)), Compressed(TopK(k=1)), trimmed], ids=["rand", "top", "own"]
)
def test_the_table_of_complexities(e):
    """Noiseless steps: SG2 (beta/tau) kappa, CON delta kappa, BND (M + 1)/(1 - m) kappa, ABC B/b^2 kappa, times log."""
    page = passport(e, P)
    kappa, log = P.L / P.mu, math.log(1e3)
    k = {name: one.constants for name, one in page.standings.items()}
    expected = {
        "sg2_pl": k["SG2"].beta / k["SG2"].tau,
        "con_pl": 1 / k["CON"].alpha,
        "bnd_pl": (k["BND"].M + 1) / (1 - k["BND"].m),
        "pl": k["ABC"].B / k["ABC"].b ** 2,
        "breq_pl": k["BREQ"].zeta / k["BREQ"].rho ** 2,
    }
    for one in page.guarantees:
        if one.theorem in expected and one.factor == 1:
            rate = 1 - 1 / (expected[one.theorem] * kappa)
            assert one.steps == pytest.approx(log / -math.log(rate), rel=1e-6), one.theorem


def test_guarantees_are_sorted_and_the_best_is_the_first_that_is_sure():
    for e in (Compressed(TopK(k=1)), Minibatch(batch=1), trimmed):
        page = passport(e, P)
        sure = [g.steps for g in page.guarantees if g.sure]
        assert sure == sorted(sure)
        assert page.best is page.guarantees[0]
        text = str(page)
        assert f"{math.ceil(page.best.steps)} steps by {page.best.theorem}" in text


@given(seed=st.integers(0, 50), eps=st.sampled_from([1e-1, 1e-2, 1e-3]))
@settings(max_examples=5)
def test_a_run_keeps_what_the_passport_promises(seed, eps):
    """E f(x_T) - f*, exactly by moments, against eps: for every sure guarantee."""
    f = federated(n=3, d=3, basis="rotated", seed=seed)
    gap0 = float(f.value(np.zeros(3)) - f.f_star)
    for e in (
        Compressed(BiasedRandK(k=1)),
        Minibatch(batch=1),
        Affine(factors=(1.0, 2.0), shifts=((0.1,), (-0.05,))),
    ):
        page = passport(e, f, eps=eps * gap0)
        prob, draw = e.law(f).atoms()
        draw = type(draw)(*(a[None] for a in draw)) if hasattr(draw, "_fields") else draw[None]
        for one in page.guarantees:
            if not math.isfinite(one.steps) or one.steps > 20_000:
                continue
            assert _gap_after(f, e, prob, draw, one.gamma, math.ceil(one.steps)) <= eps * gap0 * (1 + 1e-6), (
                one.theorem
            )


def _gap_after(f, e, prob, draw, gamma, T):
    """E f(x_T) - f* by powers of the map of second moments."""
    d = f.d
    at = np.concatenate([np.zeros((1, d)), np.eye(d)]) + f.x_star
    g = np.broadcast_to(e(f, at[:, None, :], draw), (d + 1, len(prob), d))
    total = np.zeros(((d + 1) ** 2,) * 2)
    for k, p in enumerate(prob):
        M = np.eye(d + 1)
        M[:d, :d] -= gamma * (g[1:, k] - g[0, k]).T
        M[:d, d] = -gamma * g[0, k]
        total += p * np.kron(M, M)
    z = np.append(-f.x_star, 1.0)
    Z = (np.linalg.matrix_power(total, T) @ np.kron(z, z)).reshape(d + 1, d + 1)
    return float((f.hessians.mean(axis=0) * Z[:d, :d]).sum() / 2)


def test_a_target_below_the_floor_is_refused_with_what_is_left():
    biased = Affine(factors=(1.0,), shifts=((0.5,),))
    page = passport(biased, P, eps=1e-9)
    assert page.best is None
    eps, one = page.reachable
    assert math.isfinite(one.steps)
    assert "No theorem promises the target" in str(page)
    assert eps / 2 >= 0.25 / (2 * P.L) * (
        1 - 1e-6
    )  # the true limit: H^{-1}-weighted shift, at least |s|^2/(2 L)


def test_frontiers_are_used():
    """With b and B free the bound is better than with the constants of the passport's own table."""
    e = Affine(factors=(1.0, 2.0), shifts=((0.3,), (-0.1,)))
    page = passport(e, P, eps=0.1)
    goal = page.goal
    for one in page.guarantees:
        if one.theorem in ("pl", "pl_sharp", "bnd_pl"):
            own = page.standings[type(one.constants).__name__].constants
            assert one.steps <= steps_to(own, goal, one.theorem == "pl_sharp")[1] * (1 + 1e-9)
    pl = next(g for g in page.guarantees if g.theorem == "pl")
    assert pl.steps < 0.99 * steps_to(page.standings["ABC"].constants, goal)[1]


def test_without_pl_the_nonconvex_theorems_speak():
    goal = Goal(L=2.0, mu=0.0, gap0=3.0, eps=0.1)
    gamma, steps, floor, _ = steps_to(SG2(tau=0.5, beta=2.0), goal)
    assert (gamma, floor) == (pytest.approx(1 / 4), 0)
    assert steps == pytest.approx(2 * 3 / (0.5 * 0.25 * 0.1))
    k = ABC(A=0.3, B=1.0, C=0.2, b=0.9, c=0.01)
    gamma, steps, _, _ = steps_to(k, goal)
    T = math.ceil(steps)
    assert rules.decay(k, 2.0, gamma, T) * 3 + rules.floor(k, 2.0, gamma) <= 0.1 * (1 + 1e-9)
    assert rules.decay(k, 2.0, gamma, int(0.99 * T)) * 3 + rules.floor(k, 2.0, gamma) > 0.1


@pytest.mark.parametrize(
    "k", [BND(m=0.2, phi2=0.01, M=0.5, sigma2=0.1), FSML(q=0.5, u2=1, U=1, Q=0.1), CON(alpha=0.2)]
)
def test_steps_are_enough_and_not_many_too_many(k):
    goal = Goal(L=5.0, mu=0.5, gap0=2.0, eps=0.05)
    gamma, steps, floor, _ = steps_to(k, goal)
    assert gamma <= rules.pl_limit(k, 5.0, 0.5) * (1 + 1e-12)
    rate = rules.pl_rate(k, 0.5, gamma)
    assert rate ** math.ceil(steps) * 2 + floor <= 0.05 * (1 + 1e-9)
    assert rate ** (0.98 * steps) * 2 + floor > 0.05


def test_falls_are_what_the_rates_of_the_theorems_leave():
    goal = Goal(L=5.0, mu=0.5, gap0=2.0, eps=0.05)
    k, gamma = ABC(A=0.3, B=1.5, C=0.2, b=0.7, c=0.1), np.array([1e-3, 1e-2, 0.05])
    assert 1 - fall(k, goal, gamma, True) == pytest.approx(rules.pl_sharp_rate(k, 5.0, 0.5, gamma))
    assert 1 - fall(k, goal, gamma, False) == pytest.approx(rules.pl_rate(k, 0.5, gamma))


def test_rescaling_makes_an_unbiased_sparsifier_contractive():
    page = passport(Compressed(RandK(k=1)), P)
    one = next(g for g in page.guarantees if g.theorem == "con_pl")
    assert page.standings["CON"].word == "violated"
    assert (one.factor, one.constants.alpha) == (
        pytest.approx(1 / 3, rel=1e-4),
        pytest.approx(1 / 3, rel=1e-6),
    )
    assert one.gamma == pytest.approx(1 / (3 * P.L), rel=1e-4)


def test_searched_constants_promise_nothing_for_sure():
    page = passport(lambda p, x: [(1.0, np.clip(p.grad(x), -1e3, 1e3) * 0.5 + 0.5 * p.grad(x))], P)
    assert page.best is None
    assert all(not g.sure for g in page.guarantees)
    assert "if these constants hold" in str(page)


def test_on_a_ball_no_theorem_is_applied():
    page = passport(trimmed, P, ball=1.0)
    assert page.guarantees == ()
    assert page.standings["ABS"].word == "least"


def test_data_that_are_not_quadratic():
    page = passport(Compressed(TopK(k=2)), LOGISTIC)
    assert page.best.theorem in ("con_pl", "sg2_pl")  # they tie: S = P for sparsifiers
    assert page.best.steps == pytest.approx(
        math.log(1e3) / -math.log(1 - 0.5 * LOGISTIC.mu / LOGISTIC.L), rel=1e-6
    )
    page = passport(Minibatch(batch=1), LOGISTIC)
    assert page.unbiased
    assert page.best.theorem in ("pl", "pl_sharp")


def test_a_method_stands_for_its_estimator_and_po_offers_it():
    assert po.passport is passport
    one, two = passport(trimmed, P), passport(BiasedSGD(gamma=0.1, estimator=Compressed(RandK(k=1))), P)
    assert one.estimator == "trimmed"
    assert two.estimator == "Compressed"


def test_plain_values_survive_json():
    page = passport(Minibatch(batch=1), P)
    again = json.loads(json.dumps(page.as_dict(), allow_nan=False))
    assert again["assumptions"]["CON"]["word"] == "violated"
    assert again["best"]["steps"] == math.ceil(page.best.steps)


class Bottomless(Quadratics):
    @property
    def f_star(self):
        return -math.inf


@pytest.mark.parametrize(
    "bad, words",
    [
        (lambda: passport(Exact(), build("class:n=2")), "must have a gradient"),
        (lambda: passport(Exact(), Bottomless(A=P.A, b=P.b)), "f_star must be finite, got -inf"),
        (lambda: passport(Exact(), P, eps=0.0), "eps must be > 0"),
        (lambda: passport(Exact(), P, gap0=-1.0), "gap0 must be > 0"),
        (lambda: passport(Exact(), P, ball=0.0), "ball must be > 0"),
        (lambda: passport("exact", P), "estimator must be an object with law"),
    ],
)
def test_wrong_arguments_are_named(bad, words):
    with pytest.raises(ValueError, match=words):
        bad()


# ------------------------------------------------------------------ the command, as a newcomer uses it

NEWCOMER = """
import numpy as np


def trimmed(problem, x):
    g = problem.grad(x)
    first = np.zeros_like(g)
    first[0] = g[0]
    return [(0.5, g), (0.5, first)]


def noisy(problem, x, rng):
    return problem.grad(x) + 0.1 * rng.normal(size=x.shape)


class Pulled:
    def __init__(self, weight=0.5):
        self.weight = weight

    def law(self, problem):
        from proveout.laws import Coin

        return Coin(self.weight)

    def __call__(self, problem, x, draw):
        return np.where(draw[..., None], problem.grad(x), 0.0)


number = 7


def lopsided(problem, x):
    return [(0.7, problem.grad(x))]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("newcomer")
    (place / "mine.py").write_text(NEWCOMER)
    (place / "broken.py").write_text("import no_such_package_anywhere\n")
    return place


def asked(folder, *words):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "proveout", "passport", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_newcomer_gets_a_passport_within_ten_seconds(folder):
    since = time.perf_counter()
    done = asked(folder, "mine.py:trimmed", "--problem", "quadratic:n=3,d=4,kappa=10,basis=rotated")
    assert time.perf_counter() - since < 10
    assert done.returncode == 0, done.stderr
    assert "Passport of trimmed" in done.stdout
    assert re.search(r"CON .*least \(decided\)\s+alpha = 0.5 \(delta = 2\)", done.stdout)
    assert re.search(r"Use step size [\d.e-]+: \d+ steps by \w+", done.stdout)


def test_modules_classes_and_samplers_are_welcome(folder):
    done = asked(folder, "mine:Pulled", "--problem", "quadratic:d=3", "--json", "-")
    assert json.loads(done.stdout)["assumptions"]["BVD"]["constants"] == pytest.approx(
        {"eta": 0.25, "xi": 0.25}
    )
    done = asked(folder, "mine.py:noisy", "--problem", "quadratic:d=3", "--eps", "0.5")
    assert "sampled at" in done.stdout
    assert "if these constants hold" in done.stdout


@pytest.mark.parametrize(
    "words, complaint",
    [
        (("nowhere:thing",), "nowhere cannot be loaded"),
        (("broken.py:thing",), "no_such_package_anywhere"),
        (("mine.py:thing",), "it has trimmed, noisy, Pulled, lopsided"),
        (("mine.py:np",), "is a module"),
        (("mine.py",), "must be MODULE:ESTIMATOR"),
        (("mine.py:number",), "which cannot be called"),
        (("mine.py:lopsided",), "must be >= 0 and sum to 1, got [0.7]"),
        (("mine.py:trimmed", "--problem", "class:n=2"), "no data to look at"),
        (("mine.py:trimmed", "--problem", "cubic:n=2"), "unknown family 'cubic'"),
        (("mine.py:trimmed", "--eps", "soon"), "--eps must be a number > 0, got 'soon'"),
        (("mine.py:trimmed", "--ball", "-2"), "--ball must be a number > 0"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(folder, words, complaint, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as end:
        main(["passport", *words])
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert complaint in err
