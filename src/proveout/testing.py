"""Hypothesis strategies for tests of theorems, ours and yours.

    @given(P=problems.quadratics(), fraction=st.floats(0.05, 1))
    def test_my_theorem_holds_for_every_step_size_it_allows(P, fraction): ...

`Counting` counts the component gradients that a step really asks for.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from proveout.arrays import Array, tree_map
from proveout.problems.logistic import logistic
from proveout.problems.quadratics import federated

__all__ = ["Counting", "logistics", "quadratics", "seeds", "starts", "states"]

seeds = st.integers(0, 2**32 - 1)


@st.composite
def quadratics(
    draw: st.DrawFn,
    n: st.SearchStrategy[int] = st.integers(1, 5),
    d: st.SearchStrategy[int] = st.integers(1, 4),
    kappa: st.SearchStrategy[float] = st.sampled_from([1.0, 3.0, 20.0, 200.0, 1e4]),
    heterogeneity: st.SearchStrategy[float] = st.sampled_from([0.0, 0.3, 3.0]),
    noise: st.SearchStrategy[float] = st.just(0.0),
) -> Any:
    """Federated quadratics over the grid that makes every branch of a rate active somewhere."""
    return federated(
        n=draw(n),
        d=draw(d),
        kappa=draw(kappa),
        heterogeneity=draw(heterogeneity),
        basis=draw(st.sampled_from(["common", "rotated"])),
        noise=draw(noise),
        seed=draw(st.integers(0, 10_000)),
    )


@st.composite
def logistics(
    draw: st.DrawFn,
    clients: st.SearchStrategy[int] = st.integers(1, 5),
    kappa: st.SearchStrategy[float] = st.sampled_from([3.0, 30.0, 300.0]),
) -> Any:
    """Small synthetic logistic regressions."""
    return logistic(
        clients=draw(clients),
        kappa=draw(kappa),
        m=draw(st.integers(20, 60)),
        d=3,
        seed=draw(st.integers(0, 99)),
    )


@st.composite
def starts(draw: st.DrawFn, problem: Any, batch: tuple[int, ...] = ()) -> Array:
    """Points x0 (*batch, d) at all scales around the optimum."""
    rng = np.random.default_rng(draw(seeds))
    scale = draw(st.sampled_from([1e-3, 1.0, 1e3]))
    return problem.x_star + scale * rng.standard_normal((*batch, problem.d))


@st.composite
def states(draw: st.DrawFn, problem: Any, method: Any, domain: Any = None) -> Any:
    """A state with random float fields; `domain(problem, method, state)` projects it."""
    rng = np.random.default_rng(draw(seeds))
    blank = method.init(problem, np.zeros(problem.d))

    def fill(a: Any) -> Any:
        return a if not hasattr(a, "dtype") or a.dtype.kind != "f" else rng.standard_normal(a.shape)

    state = tree_map(fill, blank)
    return domain(problem, method, state) if domain else state


class Counting:
    """A problem that counts local gradients (full ones of one client count 1), through any cohort or minibatch of it.

    A gradient of b of the m components of a client counts b/m, as a Fraction.
    """

    def __init__(self, base: Any, counter: list[Any] | None = None, share: Any = 1) -> None:
        self._base, self._counter, self._share = base, [0] if counter is None else counter, share

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_base", "_counter", "_share"):
            raise AttributeError(name)
        return getattr(self._base, name)

    @property
    def count(self) -> Any:
        return self._counter[0]

    def grads(self, x: Array) -> Array:
        out = self._base.grads(x)
        self._counter[0] += self._share * int(np.prod(out.shape[:-1]))
        return out

    def grad(self, x: Array) -> Array:
        self._counter[0] += self._share * self._base.n * int(np.prod(x.shape[:-1]))
        return self._base.grad(x)

    def at(self, clients: Array) -> "Counting":
        return Counting(self._base.at(clients), self._counter, self._share)

    def on(self, xi: Array) -> "Counting":
        part, m = self._base.on(xi), getattr(self._base, "m", 1)
        seen = m if part is self._base or m == 1 else min(m, xi.shape[-1])
        return Counting(part, self._counter, self._share * Fraction(seen, m))
