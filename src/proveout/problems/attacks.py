"""The adversary: what Byzantine clients send, and problems that have some.

An attack answers

    init(problem, x0) -> memory                     None if it has none; a field of the method's State
    law(problem, N) -> Law                          its randomness in a round of N sampled clients
    attack(context, memory, draw) -> rows, memory   (..., N, d); only the rows of Byzantine clients are used

It sees everything: `Context` holds what all N clients would send by the protocol (`honest`), who of them
is Byzantine, and whatever else the method knows.  A step merges with `forge`.

    BitFlip     minus the own honest message
    IPM         -eps times the honest mean                (inner product manipulation; Xie et al., arXiv:1903.03936)
    ALIE        honest mean - z honest standard deviation (a little is enough; Baruch et al., arXiv:1902.06156)
    ClipWorst   all at v + lam u, u the direction of the honest part of the error: exactly the worst for one
                step of centered clipping from v
"""

from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from proveout.arrays import Array, last, like, namespace, norm, sqnorm
from proveout.laws import Law, Sure

__all__ = ["ALIE", "IPM", "Attacked", "BitFlip", "ClipWorst", "Context", "alie_z", "forge", "honest_mean"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """What the adversary sees of a round; fields that a method does not have stay None."""

    honest: Array  # (..., N, d)  what every sampled client would send by the protocol
    byzantine: Array  # (..., N)  bool: who of them is Byzantine
    cohort: Array | None = None  # (..., N)  client numbers; None: all
    theta: Array | None = None  # (...,)  the round's coin
    x0: Array | None = None  # (..., d)  first iterate
    x: Array | None = None  # (..., d)  iterate
    x_new: Array | None = None  # (..., d)  next iterate, where the messages are differences
    g: Array | None = None  # (..., d)  the server's estimate, or the rule's center
    gamma: Any = None  # step size
    radius: Any = None  # clip radius
    aggregate: Any = None  # the rule, bound: messages (..., N, d) -> (..., d)


def honest_mean(context: Context) -> Array:
    """Mean of the honest messages, the client axis kept: (..., 1, d)."""
    xp, good = namespace(context.honest), _good(context)
    return xp.sum(good * context.honest, axis=-2, keepdims=True) / xp.sum(good, axis=-2, keepdims=True)


def _good(context: Context) -> Array:
    """1.0 where a client is honest: (..., N, 1)."""
    return namespace(context.honest).astype(last(~context.byzantine), context.honest.dtype)


def forge(problem: Any, context: Context, memory: Any, draw: Any) -> tuple[Array, Any]:
    """The messages that arrive, (..., N, d), and the attack's next memory."""
    if problem.attack is None:
        return context.honest, memory
    rows, memory = problem.attack(context, memory, draw)
    return namespace(context.honest).where(last(context.byzantine), rows, context.honest), memory


class _Memoryless:
    """No randomness, no memory."""

    def init(self, problem: Any, x0: Array) -> None:
        return None

    def law(self, problem: Any, N: int) -> Law:
        return Sure(np.zeros(()))


@dataclass(frozen=True)
class BitFlip(_Memoryless):
    def __call__(self, context: Context, memory: None, draw: Array) -> tuple[Array, None]:
        return -context.honest, memory


@dataclass(frozen=True, kw_only=True)
class IPM(_Memoryless):
    """With the plain mean the direction is reversed if and only if eps > n_good/n_byz."""

    eps: float = 0.1

    def __call__(self, context: Context, memory: None, draw: Array) -> tuple[Array, None]:
        return 0 * context.honest - self.eps * honest_mean(context), memory


def alie_z(n: int, n_byz: int) -> float:
    """Quantile of (n_good - q)/n_good, q = floor(n/2 + 1) - n_byz supporters needed; at least 0."""
    if n_byz >= n:
        return 0.0
    q = int(n / 2 + 1) - n_byz
    share = (n - n_byz - q) / (n - n_byz)
    return max(0.0, NormalDist().inv_cdf(share)) if 0 < share < 1 else 0.0


@dataclass(frozen=True, kw_only=True)
class ALIE(_Memoryless):
    """The standard deviation is the sample's (divisor n_good - 1), 0 for one honest message."""

    z: float | None = None  # None: `alie_z` of the round

    def __call__(self, context: Context, memory: None, draw: Array) -> tuple[Array, None]:
        xp, good, mean = namespace(context.honest), _good(context), honest_mean(context)
        count = xp.sum(good, axis=-2, keepdims=True)
        spread2 = xp.sum(good * (context.honest - mean) ** 2, axis=-2, keepdims=True)
        std = xp.sqrt(spread2 / xp.where(count > 1, count - 1, xp.ones_like(count)))
        if self.z is None:
            N = context.honest.shape[-2]
            table = like(np.array([alie_z(N, N - good) for good in range(N + 1)]), context.honest)
            z = table[xp.astype(count, xp.int64)]
        else:
            z = self.z
        return 0 * context.honest + mean - z * std, memory


@dataclass(frozen=True)
class ClipWorst(_Memoryless):
    """Needs context.g = v and context.radius = lam; at an error of 0 it sends lam e_1."""

    def __call__(self, context: Context, memory: None, draw: Array) -> tuple[Array, None]:
        xp, v = namespace(context.honest), context.g[..., None, :]  # type: ignore[index]
        off = context.honest - v
        size = last(norm(off))
        moves = off * xp.minimum(
            xp.ones_like(size), context.radius / xp.where(size > 0, size, xp.ones_like(size))
        )
        moved = xp.mean(_good(context) * moves, axis=-2, keepdims=True)  # over all N
        return 0 * context.honest + v + context.radius * _unit(v + moved - honest_mean(context)), memory


def _unit(v: Array) -> Array:
    """v/|v|, and e_1 for v = 0."""
    xp = namespace(v)
    zero = last(sqnorm(v)) == 0
    first = xp.zeros_like(v)
    first[..., 0] = 1
    return xp.where(zero, first, v / xp.where(zero, xp.ones_like(v), last(norm(v))))


@dataclass(frozen=True, eq=False, kw_only=True)
class Attacked:
    """A federated problem whose last n_byz clients are Byzantine; f is the mean over the honest ones.

    `grads`, `at`, `on`, `xi`, n, d are those of all clients (a Byzantine client has data, and an own honest
    message); f, its gradient and every constant are those of the honest part.
    """

    base: Any
    n_byz: int
    attack: Any = None
    spec: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.n_byz < self.base.n:
            raise ValueError(f"n_byz must lie in 0..n-1 = {self.base.n - 1}, got {self.n_byz}")

    @cached_property
    def good(self) -> Any:
        """The problem of the honest clients, with constants of its own."""
        keep = np.arange(self.base.n - self.n_byz)
        part = self.base.at(keep)
        shards = getattr(self.base, "shards", None)
        return part if shards is None else replace(part, shards=tuple(shards[i] for i in keep))

    @property
    def byzantine(self) -> Array:
        """(n,) bool."""
        return np.arange(self.base.n) >= self.base.n - self.n_byz

    @property
    def n(self) -> int:
        return int(self.base.n)

    @property
    def n_good(self) -> int:
        return self.n - self.n_byz

    @property
    def delta(self) -> float:
        return self.n_byz / self.n

    def grads(self, x: Array) -> Array:
        return self.base.grads(x)

    def at(self, clients: Array) -> Any:
        return self.base.at(clients)

    def on(self, xi: Array) -> Any:
        return self.base.on(xi)

    def xi(self, *args: Any, **kwargs: Any) -> Law:
        return self.base.xi(*args, **kwargs)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("base", "n_byz", "attack"):
            raise AttributeError(name)
        return getattr(self.good, name)
