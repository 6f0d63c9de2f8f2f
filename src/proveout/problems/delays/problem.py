"""A problem that is served by workers: the base problem with a clock.

    data = "shared"   every worker samples from f itself: f_k = f, so L_max = L, mu_min = mu, zeta2 = 0
    data = "own"      client k of the clock asks f_k of the base

A job's gradient is `problem.at(client).on(xi).grads(point)`; all else (L, mu, x_star, f_star, value,
grad, ...) is the base's.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.laws import Law, Sure
from proveout.problems.delays.clock import Clock

__all__ = ["Asynchronous", "Copies"]


@dataclass(frozen=True, eq=False)
class Copies:
    """n workers that all ask f, each at its own point and with its own noise."""

    base: Any
    n: int
    noisy: bool = True  # does the base have noise?
    noise: Array | None = None  # (..., n, .)  what `base.on` takes, one row per worker

    @property
    def d(self) -> int:
        return int(self.base.d)

    def grads(self, x: Array) -> Array:
        """(..., n, d) -> (..., n, d)."""
        part = self.base if self.noise is None else self.base.on(self.noise[..., None, :])
        return part.grad(x)

    def on(self, xi: Array) -> "Copies":
        return Copies(self.base, self.n, self.noisy, xi if self.noisy else None)


@dataclass(frozen=True, eq=False)
class Asynchronous:
    base: Any
    clock: Clock
    data: str = "shared"
    batch: int = 0  # samples per gradient where the base has samples; 0: all of them
    spec: str = ""

    def __post_init__(self) -> None:
        if self.data not in ("shared", "own"):
            raise ValueError(f"data must be 'shared' or 'own', got {self.data!r}")
        if self.data == "own" and self.base.n != self.clock.clients:
            raise ValueError(f"own data needs one f_i per client, got {self.base.n} for {self.clock.clients}")
        if self.batch and hasattr(self.base, "noise"):
            raise ValueError(f"batch must be 0 for a base without samples, got {self.batch}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "base":
            raise AttributeError(name)
        return getattr(self.base, name)

    @property
    def n(self) -> int:
        return self.clock.clients

    @property
    def workers(self) -> int:
        return self.clock.workers

    # ---- oracles

    def grads(self, x: Array) -> Array:
        """Each client's gradient at its own point: (..., n, d) -> (..., n, d)."""
        return self.base.grads(x) if self.data == "own" else self.base.grad(x)

    def values(self, x: Array) -> Array:
        """(..., n, d) -> (..., n)."""
        return self.base.values(x) if self.data == "own" else self.base.value(x)

    def at(self, clients: Array) -> Any:
        """The functions that `clients` (..., c) ask."""
        if self.data == "own" and np.shape(clients) == (1,):
            return self._one(int(clients[0]))
        return (
            self.base.at(clients) if self.data == "own" else Copies(self.base, clients.shape[-1], self.noisy)
        )

    def _one(self, client: int) -> Any:
        """One client's function; its data is gathered once."""
        known = self.__dict__.setdefault("_clients", {})
        if client not in known:
            known[client] = self.base.at(np.array([client]))
        return known[client]

    def xi(self, clients: int | None = None, of: str | None = None) -> Law:
        """The gradient noise of that many jobs: added vectors (clients, d), or sample numbers (clients, batch)."""
        rows = self.n if clients is None else clients
        if self.data == "shared" and not self.noisy:
            return Sure(np.zeros((rows, 1)))
        law: Law = self.base.xi(rows, self.batch or None, of)
        return law

    def on(self, xi: Array) -> Any:
        whole = self.base if self.data == "own" else Copies(self.base, self.n, self.noisy)
        return whole.on(xi)

    # ---- constants

    @property
    def noisy(self) -> bool:
        return bool(self.batch) or getattr(self.base, "noise", None) is not None

    @property
    def sigma2_bound(self) -> float:
        """At least E |noise|^2 of one job's gradient at every point; exact for additive noise.

        Samples: gradients differ by s_j z_j with 0 < s_j < 1, so the variance is at most mean |z_j|^2.
        """
        if not self.batch:
            return float(getattr(self.base, "sigma2", 0.0))
        per_client = np.sum(self.base.weight * sqnorm(self.base.Z), axis=-1)
        return float(per_client.max() / self.batch)

    @property
    def L_max(self) -> float:
        return float(self.base.L_max if self.data == "own" else self.base.L)

    @property
    def mu_min(self) -> float:
        return float(self.base.mu_min if self.data == "own" else self.base.mu)

    @property
    def L_i(self) -> Array:
        return self.base.L_i if self.data == "own" else np.full(self.n, self.base.L)

    @property
    def mu_i(self) -> Array:
        return self.base.mu_i if self.data == "own" else np.full(self.n, self.base.mu)

    @property
    def h_star(self) -> Array:
        """(n, d) gradients of the clients at x*."""
        return self.base.h_star if self.data == "own" else np.zeros((self.n, self.base.d))

    @property
    def zeta2(self) -> float:
        return float(self.base.zeta2) if self.data == "own" else 0.0
