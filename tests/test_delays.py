"""Clocks and schedules: worked examples to the digit, counting identities, problems served by workers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.methods.asgd import ASGD
from proveout.problems import Asynchronous, Quadratics, build, federated, parse
from proveout.problems.delays import Order, Queues, Race, Simulated
from proveout.run import run
from proveout.testing import seeds
from proveout.theory import delays as theory
from proveout.theory.cases.delays import CASES
from proveout.theory.lenses import exact
from proveout.theory.trial.mutants import mutants

STATEMENTS = (theory.COUNTING, theory.LATE_COUNT, theory.GAP, theory.ONE_JOB_PER_VERSION)


def quadratic(n=1, d=2):
    return federated(n=n, d=d, kappa=4)


@st.composite
def clocks(draw):
    """Simulated clocks of 1 to 6 workers, of every kind of duration, with and without grace."""
    speeds = tuple(draw(st.lists(st.sampled_from([0.5, 1.0, 1.3, 2.6, 10.0]), min_size=1, max_size=6)))
    kind = draw(st.sampled_from(["fixed", "exp", "lognormal", "gamma", "uniform"]))
    grace = draw(st.sampled_from([None, None, 0.0, 0.7, 1e9]))
    return Simulated(speeds, durations=kind, grace=grace, seed=draw(st.integers(0, 2**31)))


# ------------------------------------------------------------------ worked examples


def test_fixed_speeds_give_the_worked_schedule():
    s = Simulated((1.0, 1.3, 2.6)).schedule(12)
    assert s.worker.tolist() == [0, 1, 0, 1, 2, 0, 1, 0, 0, 1, 2, 0]
    assert s.index.tolist() == [0, 0, 1, 2, 0, 3, 4, 6, 8, 7, 5, 9]
    assert s.delay.tolist() == [0, 1, 1, 1, 4, 2, 2, 1, 0, 2, 5, 2]
    np.testing.assert_allclose(s.time, [1, 1.3, 2, 2.6, 2.6, 3, 3.9, 4, 5, 5.2, 5.2, 6], rtol=1e-14)
    assert s.held.tolist() == [12, 10, 11]
    assert s.delay.sum() + (12 - s.held).sum() == 2 * 12


def test_exponential_durations_come_from_counter_based_streams():
    clock = Simulated((1.0, 1.0, 1.0), durations="exp", seed=7)
    assert clock.duration(0, 0) == 1.329302359216747
    assert clock.duration(0, 1) == 3.2955978756172972
    assert clock.duration(1, 0) == 1.9013545978406918
    s = clock.schedule(10)
    assert s.worker.tolist() == [0, 2, 1, 2, 2, 1, 1, 2, 0, 0]
    assert s.delay.tolist() == [0, 1, 2, 1, 0, 2, 0, 2, 7, 0]
    assert s.time[-1] == pytest.approx(5.47664815976, abs=5e-12)


def events(clock, stop, steps):
    s = clock.schedule(stop, steps)
    return [(round(float(t), 9), int(k), int(a)) for t, k, a in zip(s.time, s.worker, s.delay, strict=True)]


def test_grace_collects_arrivals_as_in_the_worked_timelines():
    assert events(Simulated((1.0, 2.0, 3.0), grace=0.0), 12, 10) == [
        (10, 0, 0), (20, 0, 0), (20, 1, 2), (30, 0, 0), (30, 2, 4), (40, 0, 0),
        (40, 1, 3), (50, 0, 0), (60, 0, 0), (60, 1, 2), (60, 2, 5), (70, 0, 0),
    ]  # fmt: skip
    assert events(Simulated((1.0, 2.0, 3.0), grace=1e9), 6, 10) == [
        (10, 0, 0), (20, 1, 1), (30, 2, 2), (40, 0, 0), (50, 1, 1), (60, 2, 2),
    ]  # fmt: skip


def test_slow_workers_do_fewer_steps_and_share_a_window():
    clock = Simulated((0.58, 0.75, 1.51, 3.33), grace=2.0)
    assert clock.dylu(20) == (20, 15, 7, 3)
    assert events(clock, 6, clock.dylu(20)) == [
        (9.99, 3, 0), (10.57, 2, 1), (11.25, 1, 2), (11.6, 0, 3), (21.59, 3, 0), (22.17, 2, 1),
    ]  # fmt: skip
    assert events(Simulated((0.58, 0.75, 1.51, 3.33), grace=0.5), 12, 20) == [
        (11.6, 0, 0), (15.0, 1, 1), (23.2, 0, 1), (30.0, 1, 1), (30.2, 2, 4), (34.8, 0, 2),
        (45.2, 1, 1), (46.4, 0, 1), (58.0, 0, 0), (60.2, 1, 2), (60.4, 2, 5), (66.6, 3, 11),
    ]  # fmt: skip


def test_with_equal_speeds_everybody_does_all_local_steps():
    assert Simulated((2.0,) * 5).dylu(7) == (7,) * 5
    assert Simulated((0.1, 0.3)).dylu(30) == (30, 10)  # .1/.3 is below a third in floats


def test_no_grace_and_zero_grace_differ_at_exact_ties_only():
    tied = [Simulated((1.0, 1.3, 2.6), grace=g).schedule(8).delay[6] for g in (None, 0.0)]
    assert tied == [2, 1]  # worker 1 restarts alone, or with the newest model of the merged arrivals
    speeds = (1.0, 1.2345, 2.718)
    one, other = (Simulated(speeds, durations="exp", grace=g).schedule(60) for g in (None, 0.0))
    assert np.array_equal(one.delay, other.delay)


@given(speeds=st.lists(st.sampled_from([1.0, 1.5, 4.0]), min_size=1, max_size=4), seed=seeds)
def test_a_worker_keeps_its_durations_when_another_is_added(speeds, seed):
    few = Simulated(tuple(speeds), durations="gamma", shape=100, seed=seed % 1000)
    many = Simulated((*speeds, 1.0), durations="gamma", shape=100, seed=seed % 1000)
    assert [few.duration(0, j) for j in range(5)] == [many.duration(0, j) for j in range(5)]


@pytest.mark.parametrize("kind, shape", [("exp", 1), ("lognormal", 1), ("gamma", 100), ("uniform", 1)])
def test_durations_have_the_mean_that_speed_says(kind, shape):
    clock = Simulated((3.0,), durations=kind, shape=shape)
    mean = np.mean([clock.duration(0, j) for j in range(4000)])
    assert mean == pytest.approx(3, rel=0.1)


# ------------------------------------------------------------------ identities


@given(clock=clocks(), T=st.integers(1, 80))
def test_counting_holds_for_every_clock(clock, T):
    s, K = clock.schedule(T), clock.workers
    events = next(iter([clock.arrivals().block(np.random.default_rng(0), 0, T)]))
    waiting, concurrency = np.zeros(K, bool), 0
    for t in range(T):
        concurrency += K - waiting.sum() - 1
        waiting[events.worker[t]] = True
        waiting &= ~events.released[t]
    assert np.array_equal(waiting, s.held < 0)
    assert s.delay.sum() + (T - s.held[s.held >= 0]).sum() == concurrency


@given(clock=clocks())
def test_every_identity_of_busy_workers_holds_along_a_path(clock):
    P = Asynchronous(quadratic(), clock)
    for statement in STATEMENTS:
        verdict = exact.check(statement, P, statement.tune(P))
        assert verdict.word == ("holds" if clock.busy or statement is theory.COUNTING else "not applicable")


def test_a_job_of_every_version_is_found_also_if_it_arrives_late():
    clock = build("async:workers=4,clock=straggler/quadratic:n=1,d=2").clock
    jobs = clock.jobs(50)
    assert np.bincount(jobs.index).tolist() == [4] + [1] * 49
    assert jobs.delay.max() == clock.tau_max == 30
    assert clock.schedule(200).delay.sum() <= 3 * 200


def test_queues_keep_the_concurrency_and_serve_in_order():
    clock = Queues(4, (1.0, 3.0, 1.0), durations="exp", seed=3)
    s = clock.schedule(300)
    assert s.delay.sum() + (300 - s.held).sum() == 3 * 300
    for c in range(3):
        assert (np.diff(s.index[s.client == c]) >= 0).all()
    shares = np.bincount(clock.schedule(6000).client) / 6000
    np.testing.assert_allclose(shares, 1 / 3, atol=0.03)  # though one client is three times slower


def test_a_race_is_geometric_in_the_long_run():
    P = Asynchronous(quadratic(), Race(3))
    law = P.clock.arrivals()
    prob, event = law.atoms()
    assert prob.tolist() == [1 / 3] * 3
    assert event.released.tolist() == np.eye(3, dtype=bool).tolist()
    assert P.clock.tau_max == np.inf
    assert float(P.clock.rounds().value) == pytest.approx(1 + 1 / 2 + 1 / 3)
    uneven = Race(3, (1.0, 2.0, 4.0))
    np.testing.assert_allclose(uneven.arrivals().atoms()[0], [4 / 7, 2 / 7, 1 / 7])
    drawn = uneven.arrivals().sample(np.random.default_rng(0), (70_000,)).worker
    np.testing.assert_allclose(np.bincount(drawn) / 70_000, [4 / 7, 2 / 7, 1 / 7], atol=0.01)
    with pytest.raises(ValueError, match="speeds must be 3 numbers"):
        Race(3, (1.0, 2.0))
    with pytest.raises(ValueError, match="no schedule"):
        P.clock.schedule(5)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_statements_hold_on_their_cases(case):
    for spec in case.problems:
        P = build(spec)
        assert exact.check(case.statement, P, case.statement.tune(P)).word == "holds"


def test_every_twin_is_killed():
    rows = mutants(["delays"], budget="quick", jobs=1).rows
    assert len(rows) >= 7
    assert {(r.id, r.twin): r.word for r in rows if r.word != "killed"} == {}


# ------------------------------------------------------------------ problems with a clock


def test_with_shared_data_every_worker_asks_f():
    base = federated(n=5, d=3, kappa=20, noise=0.3)
    P = Asynchronous(base, Race(2))
    x = np.random.default_rng(0).standard_normal((4, 2, 3))
    np.testing.assert_allclose(P.grads(x), base.grad(x), rtol=1e-13)
    assert (P.n, P.workers, P.L, P.L_max, P.mu_min, P.zeta2) == (2, 2, base.L, base.L, base.mu, 0.0)
    assert P.sigma2_bound == base.sigma2 == pytest.approx(0.09)
    xi = P.xi(1).sample(np.random.default_rng(1), (4,))
    np.testing.assert_allclose(
        P.at(np.array([1])).on(xi).grads(x[:, :1]), base.grad(x[:, :1]) + xi, rtol=1e-12
    )


def test_with_own_data_client_k_asks_its_own_function():
    base = federated(n=3, d=2, kappa=20)
    P = Asynchronous(base, Simulated((1.0, 2.0, 3.0)), data="own")
    x = np.random.default_rng(0).standard_normal((3, 2))
    for k in range(3):
        np.testing.assert_allclose(P.at(np.array([k])).grads(x[k : k + 1]), base.grads(x)[k : k + 1])
    assert P.L_max == base.L_max
    assert np.array_equal(P.h_star, base.h_star)


def test_a_minibatch_is_unbiased_and_its_variance_bounded():
    P = build("async:workers=2,batch=1/logistic:synthetic,clients=1,m=40,d=3")
    x = np.random.default_rng(2).standard_normal((1, 3))
    samples = np.arange(40)[:, None, None]
    g = P.at(np.array([0])).on(samples).grads(x)[:, 0]
    np.testing.assert_allclose(g.mean(axis=0), P.grad(x[0]), rtol=1e-12)
    assert ((g - g.mean(axis=0)) ** 2).sum(axis=1).mean() <= P.sigma2_bound


def test_simulated_time_is_what_a_run_pays():
    P = Asynchronous(quadratic(), Simulated((1.0, 1.0, 1.0, 10.0)))
    trace = run(P, ASGD(gamma=0.01), steps=310, every=310)
    assert trace.costs["seconds"][-1, 0] == pytest.approx(P.clock.schedule(310).time[-1])
    assert 310 / trace.costs["seconds"][-1, 0] == pytest.approx(3.1, rel=0.02)
    rounds = P.clock.rounds().block(np.random.default_rng(0), 0, 5)
    assert (4 / rounds).tolist() == [0.4] * 5


@pytest.mark.parametrize(
    "spec, clock",
    [
        ("async:workers=3/quadratic:n=1", Order((0, 1, 2))),
        ("async:workers=3,clock=sync/quadratic:n=1", Order((0, 1, 2), barrier=True)),
        ("async:order=0:0:1/quadratic:n=1", Order((0, 0, 1))),
        ("async:workers=2,clock=race/quadratic:n=1", Race(2)),
        ("async:clock=fixed,speeds=1:2.5,grace=.5/quadratic:n=1", Simulated((1.0, 2.5), grace=0.5)),
        (
            "async:workers=4,clock=exp,slow=.25,ratio=5,seed=3/quadratic:n=1",
            Simulated((5.0, 1.0, 1.0, 1.0), durations="exp", seed=3),
        ),
    ],
)
def test_a_spec_names_a_clock_and_a_base(spec, clock):
    P = build(spec)
    assert isinstance(P.base, Quadratics)
    assert (P.clock, P.spec) == (clock, spec)


@pytest.mark.parametrize(
    "spec, what",
    [
        ("async:workers=0/quadratic:n=1", "workers must be >= 1, got 0"),
        ("async:clock=bell/quadratic:n=1", "clock must be one of .*, got 'bell'"),
        ("async:order=0:2/quadratic:n=1", "order must name the workers"),
        ("async:order=0:x/quadratic:n=1", "order must be numbers"),
        ("async:own,workers=2/quadratic:n=3", "one f_i per client, got 3 for 2"),
        ("async:batch=4/quadratic:n=1", "batch must be 0"),
        ("async:clock=fixed,speeds=1:-2/quadratic:n=1", "speeds must be > 0"),
        ("async:clock=exp,slow=2/quadratic:n=1", r"slow must lie in \[0, 1\], got 2"),
        ("async:workers=2/cubic:n=1", "unknown family 'cubic'"),
        ("async:hands=2/quadratic:n=1", "unknown key 'hands'"),
    ],
)
def test_a_wrong_spec_is_refused_with_the_rule(spec, what):
    with pytest.raises(ValueError, match=what):
        build(spec)


def test_only_async_takes_a_base():
    family, given = parse("async:workers=2/logistic:path/to/file.svm,clients=3")
    assert (family, given) == ("async", {"base": "logistic:path/to/file.svm,clients=3", "workers": 2})
    assert parse("logistic:path/to/file.svm")[1] == {"data": "path/to/file.svm"}


def test_local_steps_below_one_are_refused():
    with pytest.raises(ValueError, match="local_steps must be >= 1"):
        Simulated((1.0, 2.0)).schedule(3, (1, 0))
