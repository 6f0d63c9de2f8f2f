"""The shared promises, over every method of the catalogue."""

import numpy as np
import pytest

from proveout import problems as pr
from proveout.arrays import tree_map
from proveout.bridges.torch import converter, to_numpy, to_torch
from proveout.run import ROUNDING, run
from proveout.testing import Counting
from proveout.theory.catalogue import CASES

MOST_ATOMS = 20_000
PER_CLASS = 3


def methods():
    """A few (SPEC, method) per method class: those that the cases judge on small problems with data."""
    found = {}
    for case in CASES:
        for spec in case.problems:
            if spec.startswith("class") or "logistic" in spec or case.statement.tune is None:
                continue
            for choice in case.settings:
                try:
                    method = case.statement.tune(pr.build(spec), **choice)
                except ValueError:
                    continue
                if not hasattr(method, "step"):
                    continue
                mine = found.setdefault(type(method), {})
                if len(mine) < PER_CLASS and all(s != spec for s, _ in mine.values()):
                    mine[repr(method)] = (spec, method)
    return [
        pytest.param(*pair, id=f"{c.__name__}-{pair[0]}")
        for c, some in found.items()
        for pair in some.values()
    ]


each = pytest.mark.parametrize("spec, method", methods())


def leaves(tree):
    out = []
    tree_map(lambda a: out.append(a), tree)
    return out


def draws(method, problem, shape, seed=0):
    return method.law(problem).at(0).sample(np.random.default_rng(seed), shape)


def start(problem, batch, seed=1):
    return np.random.default_rng(seed).standard_normal((*batch, problem.d))


@each
def test_init_and_step_keep_the_batch_axes_in_front(spec, method):
    P = pr.build(spec)
    for batch in ((), (4,), (2, 3)):
        state = method.init(P, start(P, batch))
        new = method.step(P, state, draws(method, P, batch))
        blank, after = method.init(P, start(P, ())), leaves(new)
        for one, a in zip(leaves(blank), after, strict=True):
            if type(one) is int:
                assert type(a) is int
            else:
                assert a.shape == batch + one.shape
                assert a.dtype == one.dtype


@each
def test_step_is_pure(spec, method):
    P = pr.build(spec)
    state, draw = method.init(P, start(P, (3,))), draws(method, P, (3,))
    copies = tree_map(lambda a: np.array(a), state), tree_map(lambda a: np.array(a), draw)
    first, second = method.step(P, state, draw), method.step(P, state, draw)
    for a, b in zip(leaves(first), leaves(second), strict=True):
        assert np.array_equal(a, b, equal_nan=True)
    for kept, now in zip(
        (*leaves(copies[0]), *leaves(copies[1])), (*leaves(state), *leaves(draw)), strict=True
    ):
        assert np.array_equal(kept, now)


@each
def test_a_run_replays_from_its_seed(spec, method):
    P = pr.build(spec)
    a, b = (run(P, method, steps=12, seeds=3, seed=5) for _ in range(2))
    assert all(np.array_equal(a.measures[k], b.measures[k]) for k in a.measures)


@each
def test_batch_equals_loop(spec, method):
    P = pr.build(spec)
    together = run(P, method, steps=12, seeds=5, seed=2)
    alone = run(P, method, steps=12, seeds=1, seed=2)
    scale = 1 + np.abs(together["dist2"]).max()
    np.testing.assert_allclose(together["dist2"][:, :1], alone["dist2"], rtol=ROUNDING, atol=1e-13 * scale)


@each
def test_atoms_and_orbits_sum_to_one(spec, method):
    P = pr.build(spec)
    law = method.law(P).at(0)
    if law.count > MOST_ATOMS:
        assert law.size > MOST_ATOMS
        return
    prob, draw = law.atoms()
    assert abs(prob.sum() - 1) < 1e-11
    assert all(len(a) == len(prob) for a in leaves(draw))
    prob, _, groups = law.orbits(P.n)
    assert abs(prob.sum() - 1) < 1e-11
    for split in groups:
        assert sorted(i for part in split for i in part) == list(range(P.n))


@each
def test_the_gradients_that_cost_says_are_those_asked_for(spec, method):
    P = pr.build(spec)
    law = method.law(P)
    block = law.block(np.random.default_rng(7), 0, 15)
    said = np.broadcast_to(method.cost(P, block).gradients, (15,))
    counting = Counting(P)
    state = method.init(P, start(P, (1,)))
    for t in range(15):
        before = counting.count
        state = method.step(counting, state, tree_map(lambda a, t=t: a[t][None], block))
        assert counting.count - before == said[t]


@each
def test_costs_of_a_block_are_those_of_its_steps(spec, method):
    P = pr.build(spec)
    block = method.law(P).block(np.random.default_rng(7), 0, 6)
    whole = method.cost(P, block)
    for name, value in vars(whole).items():
        one = [getattr(method.cost(P, tree_map(lambda a, t=t: a[t], block)), name) for t in range(6)]
        assert np.array_equal(np.broadcast_to(value, (6,)), np.broadcast_to(np.stack(one), (6,))), name


@each
def test_numpy_equals_torch(spec, method):
    P, convert = pr.build(spec), converter()
    T = to_torch(P)
    state = method.init(P, start(P, (2,)))
    other = method.init(T, convert(start(P, (2,))))
    for t in range(6):
        draw = method.law(P).at(t).sample(np.random.default_rng(t), (2,))
        state, other = method.step(P, state, draw), method.step(T, other, convert(draw))
    for a, b in zip(leaves(state), leaves(to_numpy(other)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
