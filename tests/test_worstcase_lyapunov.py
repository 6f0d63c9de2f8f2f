"""The best Lyapunov function: what can be gained, and that nothing false is."""

from dataclasses import replace

import numpy as np
import pytest

from proveout.methods.gd import GD
from proveout.methods.proxskip import Scaffnew
from proveout.methods.tamuna import TamunaVirtual
from proveout.problems import FunctionClass
from proveout.theory import gd, proxskip, tamuna
from proveout.theory.assumptions import smooth, strongly_convex
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase import best_weights, tight
from proveout.theory.statement import Cross, Gap, OneStep, Square
from worstcase_records import (
    DIANA_LINEAR,
    EACH,
    LSVRG,
    LSVRG_LINEAR,
    SAGA_LINEAR,
    Momentum,
    Two,
    triple_momentum,
)


def clients(n, L=10.0, mu=1.0):
    return FunctionClass(n=n, L_max=L, mu_min=mu)


@pytest.mark.parametrize("menu", [None, "fields"])
def test_gradient_descent_cannot_be_improved(menu):
    best = best_weights(gd.CONTRACTION, clients(1), GD(gamma=2 / 11), menu=menu)
    assert best.rate == pytest.approx(0.6694214876, abs=1e-9)
    assert best.rate >= (9 / 11) ** 2 * (1 - 1e-12)


SCAFFNEW = [  # p, gamma, published, two squares, with cross terms and the mean
    (0.1, 0.1, 0.99, 0.98953, 0.98147),
    (0.2, 0.1, 0.96, 0.95851, 0.93102),
    (0.5, 0.1, 0.81, 0.81, 0.81),
    (0.1, 0.03, 0.99, 0.98988, 0.96055),
    (0.2, 0.07, 0.96, 0.95908, 0.91198),
]


@pytest.mark.parametrize("p, gamma, published, squares, fields", SCAFFNEW)
def test_scaffnew_gains_by_a_richer_function(p, gamma, published, squares, fields):
    for n in (2, 50):
        m = Scaffnew(gamma=gamma, p=p)
        two = best_weights(proxskip.LINEAR_CONVERGENCE, clients(n), m)
        more = best_weights(proxskip.LINEAR_CONVERGENCE, clients(n), m, menu="fields")
        assert two.published == pytest.approx(published, abs=1e-8)
        assert two.rate == pytest.approx(squares, abs=6e-6)
        assert more.rate == pytest.approx(fields, abs=6e-6)
        assert len(two.terms) == len(two.weights) == 2
        assert two.weights[0] == 1


def test_the_found_weights_prove_the_found_rate_as_a_statement_of_their_own():
    m, P = Scaffnew(gamma=0.03, p=0.1), clients(4)
    best = best_weights(proxskip.LINEAR_CONVERGENCE, P, m)
    own = proxskip.LINEAR_CONVERGENCE.lyapunov

    def V(P, m, state):
        return tuple(
            replace(t, weight=w * t.weight) for w, t in zip(best.weights, own(P, m, state), strict=True)
        )

    claim = replace(proxskip.LINEAR_CONVERGENCE, lyapunov=V, rate=lambda P, m: best.rate * (1 + 1e-8))
    from proveout.theory.lenses.worstcase import check

    assert check(claim, P, m).word == "holds"
    assert check(replace(claim, rate=lambda P, m: best.rate * (1 - 1e-5)), P, m).word == "violated"


TAMUNA = [(10, 5, 1.0, 0.90123, 0.89610), (10, 5, 1.3, 0.89957, 0.87473), (100, 10, 1.0, 0.97934, 0.97797)]


@pytest.mark.parametrize("n, c, over, published, best", TAMUNA)
def test_tamuna_gains_a_little_and_more_past_chi_max(n, c, over, published, best):
    chi = over * n * (c - 1) / (c * (n - 1))
    m = TamunaVirtual(gamma=2 / 11, p=0.5, chi=chi, cohort=c, s=c)
    found = best_weights(tamuna.LINEAR_CONVERGENCE, clients(n), m)
    assert found.published == pytest.approx(published, abs=1e-5)
    assert found.rate == pytest.approx(best, abs=1e-5)


SAGA_SQUARES = replace(
    SAGA_LINEAR,
    lyapunov=lambda P, m, s: (
        Square(1, s.x - P.x_star),
        Square(m.gamma**2 / P.n, s.table - P.h_star, core=2),
    ),
)


@pytest.mark.parametrize("n, value", [(5, 0.93660), (10, 0.95207)])
def test_saga_with_squares_alone_beats_its_published_function(n, value):
    P = clients(n)
    assert best_weights(SAGA_SQUARES, P, SAGA_LINEAR.tune(P)).rate == pytest.approx(value, abs=1e-5)


def test_lsvrg_and_diana():
    P = clients(10)
    found = best_weights(LSVRG_LINEAR, P, LSVRG_LINEAR.tune(P, p=0.1))
    assert found.published == pytest.approx(0.96806, abs=1e-5)
    assert found.rate == pytest.approx(0.96725, abs=1e-5)
    assert best_weights(LSVRG_LINEAR, P, LSVRG(gamma=0.035, p=0.1)).rate == pytest.approx(0.93556, abs=1e-5)
    m = DIANA_LINEAR.tune(P, 4.0)
    found = best_weights(DIANA_LINEAR, P, m)
    assert (found.published, found.rate) == (
        pytest.approx(0.94396, abs=1e-5),
        pytest.approx(0.94369, abs=1e-5),
    )
    tuned = replace(m, gamma=5 / 68, alpha=3 / 20)
    assert best_weights(DIANA_LINEAR, P, tuned).rate == pytest.approx(0.86623, abs=1e-5)


GAP_AHEAD = OneStep(
    source="",
    method=Momentum,
    assumes=(smooth, strongly_convex),
    lyapunov=lambda P, m, s: (Gap(1, m.look(s)),),
    star=lambda P, m: Two(P.x_star, P.x_star),
    rate=lambda P, m: 1.0,
)


def ahead(P, m, s):
    """Everything at the point where the gradient is asked."""
    x, old, g = s.x - P.x_star, s.old - P.x_star, P.grad(m.look(s))
    crosses = ((x, old), (g, x), (g, old))
    return (Square(1, x), Square(1, old), Square(1, g), *(Cross(1, u, v) for u, v in crosses))


@pytest.mark.parametrize("kappa", [10.0, 100.0])
def test_triple_momentum_has_its_known_rate_and_no_better(kappa):
    """.46754447 and .81; V vanishes where the extremal functions are, which costs the last digits."""
    found = best_weights(GAP_AHEAD, clients(1, kappa), triple_momentum(kappa, 1.0), menu=ahead)
    truth = (1 - kappa**-0.5) ** 2
    assert truth * (1 - 1e-9) <= found.rate <= truth + 5e-6
    blind = best_weights(
        GAP_AHEAD, clients(1, kappa), triple_momentum(kappa, 1.0), menu=lambda *a: ahead(*a)[:2]
    )
    assert blind.rate > truth + 0.05


def test_a_sweep_is_a_dict_of_arrays():
    P, m = clients(3), Scaffnew(gamma=0.1, p=0.1)
    found = tight(proxskip.LINEAR_CONVERGENCE, P, m, "gamma", [0.03, 0.1, -1.0])
    assert set(found) == {"gamma", "claimed", "worst_low", "worst_up", "best_lyapunov"}
    np.testing.assert_allclose(found["claimed"][:2], 0.99)
    np.testing.assert_allclose(found["worst_low"][:2], found["worst_up"][:2], rtol=1e-8)
    np.testing.assert_allclose(found["best_lyapunov"][:2], [0.96055, 0.98147], atol=6e-6)
    assert all(np.isnan(found[k][2]) for k in found if k != "gamma")


def test_a_sweep_of_a_horizon_claim_has_no_lyapunov_function():
    found = tight(gd.CONVEX_RATE, clients(1, 10.0, 0.0), GD(gamma=0.1), "gamma", [0.05, 0.1])
    np.testing.assert_allclose(found["worst_up"], 1, rtol=1e-8)
    assert np.isnan(found["best_lyapunov"]).all()
    with pytest.raises(Refused, match="only a one-step statement"):
        best_weights(gd.CONVEX_RATE, clients(1), GD(gamma=0.1))


def test_a_v_that_misses_a_direction_is_completed_by_the_menu():
    blind = OneStep(
        source="",
        method=Scaffnew,
        assumes=EACH,
        lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star, core=2),),
        star=proxskip.LINEAR_CONVERGENCE.star,
        domain=proxskip.LINEAR_CONVERGENCE.domain,
        rate=lambda P, m: 1,
    )
    found = best_weights(blind, clients(3), Scaffnew(gamma=0.1, p=0.2), menu="fields")
    assert np.isinf(found.published)
    assert found.rate == pytest.approx(0.93102, abs=1e-5)
