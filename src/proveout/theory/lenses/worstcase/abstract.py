"""The problem that answers in abstract vectors: what `step`, V and `domain` see in the worst-case lens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.laws import Each, Law, Points, Sure
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.worstcase.world import World
from proveout.theory.statement import Method, Number, Problem, State

__all__ = ["AbstractProblem", "Frame", "stepped"]


@dataclass(frozen=True, eq=False)
class Frame:
    """Another basis: what is shown is rows @ W.  For the test that a step is linear."""

    W: Array
    inverse: Array


class AbstractProblem:
    """What `step`, V and `domain` see: n clients, d = 1, constants of the class, oracles on rows.

    Everything not listed here (L, mu, L_max, sigma2, ...) is read through to the class problem.
    """

    def __init__(
        self,
        world: World,
        base: Problem,
        who: Array | None = None,
        tag: Any = None,
        frame: Frame | None = None,
    ) -> None:
        self._world, self._base, self._who, self._tag, self._frame = world, base, who, tag, frame

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or (name in ("x_star", "h_star", "f_star") and not self._world.optimum):
            raise AttributeError(name)
        return getattr(self._base, name)

    @property
    def d(self) -> int:
        """1: a coordinate mask (..., n, 1) covers a whole abstract vector."""
        self._world.luck.masked |= self._world.luck.stepping
        return 1

    @property
    def n(self) -> int:
        return self._world.space.n if self._who is None else int(self._who.shape[-1])

    @property
    def x_star(self) -> Array:
        if not self._world.optimum:
            raise AttributeError("x_star: the class has a least value but no minimiser")
        return self._show(self._world.x_star)

    @property
    def h_star(self) -> Array:
        if not self._world.optimum:
            raise AttributeError("h_star: the class has a least value but no minimiser")
        rows = self._world.h_star
        return self._show(rows if self._who is None else rows[self._who])

    def _show(self, rows: Array) -> Array:
        return rows if self._frame is None else rows @ self._frame.W

    def _hide(self, rows: Array) -> Array:
        return rows if self._frame is None else rows @ self._frame.inverse

    def grads(self, x: Array) -> Array:
        """Each client's gradient at its own point: (..., n, D) -> (..., n, D)."""
        out = self._ask(x, self._world.gradients)
        if self._tag is None:
            return out
        return out + self._noise(self._clients(x))

    def _noise(self, who: Array) -> Array:
        """The gradient noise of the clients `who`: abstract, or a sign that was drawn times a fixed vector."""
        world = self._world
        if not world.luck.inner:
            noise = world.luck.noise(("xi", self._tag), None, 0, self._base.sigma2, clients=True)
            return self._show(world.luck.noise_rows(noise)[who])
        epoch, signs = self._tag
        return signs * self._show(world.luck.bounded(("xi", epoch), self._base.sigma2)[who])

    def grad(self, x: Array) -> Array:
        """(..., D) -> (..., D): the mean of `grads` at one point."""
        g = self.grads(x[..., None, :])
        return g[..., 0, :] if g.shape[-2] == 1 else g.sum(axis=-2) * (self._world.space.one / g.shape[-2])

    def prox(self, v: Array, t: Number) -> Array:
        """Each client's proximal point: (..., n, D) -> (..., n, D).  Raises Refused for one t per client."""
        if np.ndim(t):
            raise Refused("the prox of abstract functions has one parameter for all clients")
        return self._ask(v, lambda rows, who: self._world.prox(rows, who, t))

    def _clients(self, x: Array) -> Array:
        return np.arange(self._world.space.n) if self._who is None else self._who

    def _ask(self, x: Array, oracle: Callable[[Array, Array], Array]) -> Array:
        """Ask for every entry of the batch; equal entries once."""
        x, who, c = self._world.space.clean(self._hide(x)), self._clients(x), self.n
        lead = np.broadcast_shapes(x.shape[:-2], who.shape[:-1])
        rows = np.broadcast_to(x, (*lead, c, x.shape[-1])).reshape(-1, c, x.shape[-1])
        who = np.broadcast_to(who, (*lead, c)).reshape(-1, c)
        out, seen = np.empty_like(rows), {}
        self._world.luck.several = bool((rows != rows[:1]).any())
        for b in range(len(rows)):
            key = (tuple(rows[b].ravel()) if self._world.space.exact else rows[b].tobytes(), who[b].tobytes())
            if key not in seen:
                seen[key] = oracle(rows[b], who[b])
            out[b] = seen[key]
        return self._show(out.reshape(*lead, c, x.shape[-1]))

    def at(self, clients: Array) -> "AbstractProblem":
        """The problem of a cohort: (..., c) client numbers."""
        clients = np.asarray(clients)
        who = clients if self._who is None else np.take_along_axis(*_aligned(self._who, clients), axis=-1)
        return type(self)(self._world, self._base, who, self._tag, self._frame)

    def xi(self, clients: int | None = None, batch: int = 1, of: str = "rows") -> Law:
        """The gradient noise is an abstract vector: its law is a bare name (`inner`: a sign per client)."""
        rows = self.n if clients is None else clients
        if self._world.luck.inner and getattr(self._base, "sigma2", None):
            return Each(rows, Points(np.array([[1.0], [-1.0]])), of)
        return Sure(np.full((rows, 1), self._world.luck.fresh_name()))

    def on(self, xi: Array) -> "AbstractProblem":
        """The problem whose gradients carry noise, E|e_i|^2 <= sigma2 for each client; itself without sigma2."""
        if not getattr(self._base, "sigma2", None):
            return self
        drawn = xi if self._world.luck.inner else int(np.asarray(xi).ravel()[0])
        return type(self)(self._world, self._base, self._who, (self._world.luck.epoch, drawn), self._frame)


def stepped(P: AbstractProblem, m: Method, state: State, draw: Any) -> State:
    """One step of a trace: fresh noise, and an eye on coordinate masks."""
    luck = P._world.luck
    luck.epoch += 1
    luck.stepping = True
    try:
        return m.step(P, state, draw)
    finally:
        luck.stepping = False


def _aligned(a: Array, b: Array) -> tuple[Array, Array]:
    lead = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    return np.broadcast_to(a, (*lead, a.shape[-1])), np.broadcast_to(b, (*lead, b.shape[-1]))
