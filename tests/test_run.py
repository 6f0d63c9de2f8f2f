"""Runs: same seed, same numbers; costs; divergence."""

import numpy as np
import pytest

from proveout import problems as pr
from proveout.methods.gd import GD, SGD
from proveout.methods.proxskip import Scaffnew
from proveout.run import ROUNDING, run

P = pr.build("quadratic:n=6,d=4,kappa=20,noise=.1")
METHODS = [GD(gamma=1 / P.L), SGD(gamma=0.2 / P.L_max, batch=2), Scaffnew(gamma=1 / P.L_max, p=0.3)]
every = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)


@every
def test_batch_of_seeds_equals_a_loop_over_seeds(method):
    together = run(P, method, steps=60, seeds=70, seed=3)
    few = run(P, method, steps=60, seeds=2, seed=3)
    np.testing.assert_allclose(together["dist2"][:, :2], few["dist2"], rtol=ROUNDING)
    assert np.array_equal(together["up"][:, :2], few["up"])


@every
def test_a_longer_run_begins_like_a_shorter_one(method):
    long, short = run(P, method, steps=1500, seeds=3, every=50), run(P, method, steps=700, seeds=3, every=50)
    assert np.array_equal(long["dist2"][:15], short["dist2"])


@every
def test_a_run_equals_a_plain_loop_over_steps(method):
    trace = run(P, method, steps=25, seeds=1, seed=9, every=1)
    law = method.law(P)
    draws = law.block(np.random.default_rng(np.random.SeedSequence(9, spawn_key=(0, 0))), 0, 1024)
    state = method.init(P, np.zeros(P.d))
    for t in range(25):
        state = method.step(P, state, type(draws)(*(a[t] for a in draws)))
    x = state.x.mean(axis=-2) if state.x.ndim == 2 else state.x
    np.testing.assert_allclose(trace["dist2"][-1, 0], ((x - P.x_star) ** 2).sum(), rtol=1e-9)


def test_another_seed_gives_other_draws():
    a, b = (run(P, METHODS[1], steps=20, seeds=2, seed=s) for s in (0, 1))
    assert not np.array_equal(a["dist2"], b["dist2"])
    assert not np.array_equal(a["dist2"][:, 0], a["dist2"][:, 1])


def test_costs_add_up_over_steps():
    trace = run(P, METHODS[2], steps=40, seeds=3, every=7)
    assert trace.t.tolist() == [0, 7, 14, 21, 28, 35, 40]
    assert np.array_equal(trace["gradients"][-1], np.full(3, 40 * P.n))
    assert (trace["up"] == P.d * trace["rounds"]).all()


def test_divergence_is_reported_with_its_first_step():
    method = GD(gamma=3 / P.L)
    trace = run(P, method, steps=4000, seeds=2)
    x, first = np.zeros(P.d), 0
    with np.errstate(all="ignore"):
        while np.isfinite(x).all():
            x, first = x - method.gamma * P.grad(x), first + 1
    assert trace.diverged.tolist() == [first, first]
    assert run(P, METHODS[0], steps=50).diverged.tolist() == [-1]


def test_measures_of_the_caller_are_recorded_beside_the_standard_ones():
    trace = run(
        P, METHODS[2], steps=30, seeds=4, measures={"drift": lambda P, m, s: abs(s.h.sum(-2)).max(-1)}
    )
    assert trace["drift"].shape == trace["gap"].shape == (31, 4)
    assert trace["drift"].max() < 1e-12
    assert (trace["gap"] > -1e-12).all()


def test_x0_is_where_it_starts():
    trace = run(P, METHODS[0], steps=0, x0=P.x_star)
    assert trace["dist2"].tolist() == [[0.0]]


@pytest.mark.parametrize(
    "kwargs, words",
    [
        ({"steps": -1}, "steps must be >= 0, got -1"),
        ({"steps": 3, "seeds": 0}, "seeds must be >= 1, got 0"),
        ({"steps": 3, "every": -2}, "every must be >= 1, got -2"),
        ({"steps": 3, "x0": np.zeros(2)}, r"x0 must have shape \(4,\), got \(2,\)"),
    ],
)
def test_a_run_refuses_with_argument_value_and_rule(kwargs, words):
    with pytest.raises(ValueError, match=words):
        run(P, METHODS[0], **kwargs)


def test_progress_is_called_with_steps_done():
    seen = []
    run(P, METHODS[0], steps=10, every=5, progress=seen.append)
    assert seen == [5, 10]


def test_an_interrupted_run_keeps_the_seeds_that_were_finished():
    calls = []

    def interrupt(step):
        calls.append(step)
        if len(calls) == 3:  # two recorded steps per chunk: in the second chunk
            raise KeyboardInterrupt

    trace = run(P, METHODS[1], steps=10, seeds=20, every=5, progress=interrupt, keep=True)
    whole = run(P, METHODS[1], steps=10, seeds=20, every=5)
    assert trace.seeds == 8
    assert np.array_equal(trace["dist2"], whole["dist2"][:, :8])
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        run(P, METHODS[1], steps=10, seeds=20, every=5, progress=interrupt)
