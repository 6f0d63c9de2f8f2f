"""Races and the comparison table: costs at the finish, predictions, and one x* for everybody."""

import math

import numpy as np
import pytest

from proveout.figures import comparison, race
from proveout.figures.style import render
from proveout.methods.blocks.compressors import FLOAT_BITS
from proveout.problems import build
from proveout.run import run

QUADRATICS = race.recipe(6, 4, 5.0)
LOGISTIC = build("logistic:synthetic,clients=6,m=60,d=4,kappa=5")
NAMES = ("GD", "DIANA, k = 1", "SCAFFOLD, 32 steps", "5GCS", "Scaffnew", "TAMUNA, s = 2")


@pytest.fixture(scope="module")
def compared():
    return comparison.measure_comparison(quick=True, seeds=3)


@pytest.fixture(scope="module")
def crossed():
    return comparison.measure_crossover(quick=True)


# ------------------------------------------------------------------ the methods


@pytest.mark.parametrize("P", [QUADRATICS, LOGISTIC], ids=["quadratics", "logistic"])
def test_all_methods_converge_to_the_same_point_and_it_is_the_minimiser(P):
    line = {**race.lineup(P), **{f"few: {k}": v for k, v in race.lineup(P, cohort=3).items()}}
    assert {*NAMES} < {*line}
    assert "few: TAMUNA, s = c = 3" in line
    for name, runner in line.items():
        trace = run(P, runner.method, steps=1500, seeds=2)
        assert trace["dist2"][-1].max() < 1e-12 * trace["dist2"][0].max(), name


def test_without_control_variates_local_steps_stop_elsewhere():
    trace = run(QUADRATICS, race.fedavg(QUADRATICS, 6).method, steps=400)
    assert trace["dist2"][-1, 0] > 1e-4 * trace["dist2"][0, 0]
    np.testing.assert_allclose(trace["dist2"][-1], trace["dist2"][-2], rtol=1e-9)  # it has come to rest


def test_diana_chooses_its_k_for_the_price():
    P = race.recipe(20, 30)
    chosen = [race.dianas(P, price=price).method.compressor.k for price in (0.0, 0.1, 1.0)]
    assert chosen[0] < chosen[1] < chosen[2]

    def cost(k, price):
        m = race.dianas(P, k).method
        return (k + price * P.d) * max(1 / (m.gamma * P.mu_min), 2 / m.eta)

    for k, price in zip(chosen, (0.0, 0.1, 1.0), strict=True):
        assert cost(k, price) <= min(cost(other, price) for other in range(1, 31)) * (1 + 1e-12)


# ------------------------------------------------------------------ the finish


def test_costs_at_the_finish_are_those_of_so_many_rounds():
    P = QUADRATICS
    d = race.race(P, race.dianas(P, 1), seeds=1)
    assert (d["up"], d["down"], d["gradients"], d["bits"]) == (
        d["rounds"],
        P.d * d["rounds"],
        d["rounds"],
        FLOAT_BITS * d["rounds"],
    )
    s = race.race(P, race.local_scaffold(P, cohort=2), seeds=1)
    assert s["up"] == s["down"] == 2 * P.d * s["rounds"]
    assert s["gradients"] == pytest.approx(2 / 6 * race.LOCAL_STEPS * s["rounds"])
    assert s["bits"] == FLOAT_BITS * s["up"]
    assert race.total(d, 0.1) == pytest.approx((1 + 0.1 * P.d) * d["rounds"])
    assert race.total(d, 0.0) == d["up"]


def test_gradient_descent_arrives_in_the_round_that_its_rate_says_at_the_latest():
    P = race.recipe(3, 2, 50.0)
    runner = race.gradient_descent(P)
    finish = race.race(P, runner)
    distances = run(P, runner.method, steps=400, every=1)["dist2"][:, 0]
    assert finish["rounds"] == np.argmax(distances <= 1e-6 * distances[0]) == math.ceil(finish["predicted"])


def test_a_race_does_not_depend_on_how_long_it_is_allowed_to_run(monkeypatch):
    runners = [race.scaffnew(QUADRATICS), race.tamuna(QUADRATICS, 3, 2), race.local_scaffold(QUADRATICS, 2)]
    short = [race.race(QUADRATICS, runner, seeds=2) for runner in runners]
    monkeypatch.setattr(race, "SHARES", (1.0,))
    for one, runner in zip(short, runners, strict=True):
        assert race.race(QUADRATICS, runner, seeds=2) == pytest.approx(one, nan_ok=True)


def test_who_does_not_arrive_has_spent_without_end():
    finish = race.race(QUADRATICS, race.fedavg(QUADRATICS, 6))
    assert np.isinf([finish[what] for what in ("rounds", "gradients", "up", "down", "bits")]).all()
    assert np.isnan(finish["predicted"])


# ------------------------------------------------------------------ the table


def test_no_method_needs_more_rounds_than_its_theorem_says(compared, crossed):
    key = compared["problems"][0]
    rounds, claimed = compared[f"{key} rounds"], compared[f"{key} predicted"]
    told = ~np.isnan(claimed)
    assert told.sum() >= 10
    assert (rounds[told] <= np.ceil(claimed[told])).all()
    for name in ("GD", "SCAFFOLD, 1 step", "5GCS", "5GCS, C = n/5", "Scaffnew"):
        assert (crossed[name] <= np.ceil(crossed[f"{name} predicted"])).all()


def test_the_table_has_a_line_per_method_and_says_never(compared):
    key = compared["problems"][0]
    lines = {line[0]: line for line in comparison.rows(compared, key)}
    assert len(lines) == len(compared[f"{key} methods"])
    assert all(len(line) == len(comparison.HEAD) for line in lines.values())
    assert set(lines["FedAvg, 32 steps"][3:]) == {"never"}
    text = comparison.table(compared)
    assert sum(line.startswith("| ") for line in text.splitlines()) == len(lines) + 2
    assert key in text


def test_scaffnew_is_below_5gcs_and_gradient_descent_in_rounds(compared):
    key = compared["problems"][0]
    rounds = dict(zip(compared[f"{key} methods"], compared[f"{key} rounds"], strict=True))
    assert rounds["Scaffnew"] < rounds["GD"] < rounds["SCAFFOLD, 1 step"]
    assert rounds["Scaffnew"] < rounds["5GCS"] < rounds["5GCS, C = n/5"]
    up = dict(zip(compared[f"{key} methods"], compared[f"{key} up"], strict=True))
    assert up["DIANA, k = 1"] < up["SCAFFOLD, 1 step"]


def test_gradient_descent_grows_like_kappa_and_5gcs_like_its_root(crossed):
    ratio = {name: crossed[name][1] / crossed[name][0] for name in ("GD", "5GCS", "Scaffnew")}
    assert 8 < ratio["GD"] < 12
    assert 2.5 < ratio["5GCS"] < 4
    assert 2 < ratio["Scaffnew"] < 4


@pytest.mark.parametrize("name", comparison.PANELS)
def test_every_panel_is_drawn(compared, crossed, name, tmp_path):
    data = {"comparison": compared, "crossover": crossed}[name]
    render(comparison.PANELS[name], data, [str(tmp_path / "panel.png")])
    assert (tmp_path / "panel.png").stat().st_size > 5000


# ------------------------------------------------------------------ curves


def test_one_run_serves_all_prices():
    lineups = {price: race.lineup(QUADRATICS, price=price) for price in (0.0, 0.1)}
    lines = race.curves(QUADRATICS, lineups, reals=200.0, most=500, seeds=2, seed=0)
    assert set(lines) == {(price, name) for price, line in lineups.items() for name in line}
    free, paid = lines[0.0, "GD"], lines[0.1, "GD"]
    np.testing.assert_allclose(paid[0], 1.1 * free[0][: len(paid[0])])  # d up and d down in every round
    np.testing.assert_array_equal(paid[1], free[1][: len(paid[1])])
    for spent, gap in lines.values():
        assert spent[-1] <= 200
        assert (np.diff(spent) >= 0).all()
        assert gap[0] == 1
