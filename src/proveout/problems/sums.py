"""Clients whose functions are finite sums: f = (1/n) sum_i f_i, f_i = (1/m) sum_j f_ij.

`FiniteSums` holds two problems of the same family, with n clients f_i and with the n m components f_ij as clients.
Constants of f and of the f_i (L, mu, L_max, x*, h*, ...) are those of the first, constants over components (L_parts,
mu_parts, sigma_client2, sigma_data2) come from the second.  `sum_of_quadratics` draws one from dials.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from proveout.arrays import Array, apply, namespace
from proveout.laws import Each, Index, Law, Sure
from proveout.problems.components import Components

__all__ = ["FiniteSums", "group", "sum_of_quadratics"]

ALL = -1  # the component number that stands for "every component"


@dataclass(frozen=True, eq=False)
class FiniteSums(Components):
    whole: Any  # the problem of the n clients
    parts: Any = None  # the problem of the n m components; those of client i are i m .. i m + m - 1
    spec: str = ""

    def __post_init__(self) -> None:
        if self.parts.n % self.whole.n:
            raise ValueError(f"parts must be a multiple of n = {self.whole.n}, got {self.parts.n}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("whole", "parts"):
            raise AttributeError(name)
        return getattr(self.whole, name)

    @property
    def n(self) -> int:  # type: ignore[override]
        return int(self.whole.n)

    @property
    def d(self) -> int:  # type: ignore[override]
        return int(self.whole.d)

    @property
    def m(self) -> int:  # type: ignore[override]
        return int(self.parts.n // self.whole.n)

    @property
    def rows(self) -> int:
        """Rows of data that a full gradient of one client reads."""
        return int(self.whole.m)

    def at(self, clients: Array) -> "_Clients":
        """The problem of a cohort: (..., c) client numbers."""
        return _Clients(self, clients)

    def xi(self, clients: int | None = None, batch: int | None = None, of: str = "rows") -> Law:
        """Component numbers of `clients` rows, i.i.d. with repeats; batch=None: all components."""
        rows = self.n if clients is None else clients
        if batch is None:
            return Sure(np.full((rows, 1), ALL))
        return Each(rows, Each(batch, Index(self.m, of=None), of=None), of)

    def on(self, xi: Array) -> Any:
        """The problem whose clients have the components xi only: (..., n, batch) numbers below m."""
        return self.at(np.arange(self.n)).on(xi)


class _Clients:
    """Some clients of a finite sum; their data is gathered when it is asked for."""

    def __init__(self, sums: FiniteSums, clients: Array) -> None:
        self._sums, self._clients = sums, one_for_all(clients)
        self.n, self.d, self.m = int(clients.shape[-1]), sums.d, sums.m
        self.rows = sums.rows

    @cached_property
    def _whole(self) -> Any:
        return self._sums.whole.at(self._clients)

    def grads(self, x: Array) -> Array:
        return self._whole.grads(x)

    def values(self, x: Array) -> Array:
        return self._whole.values(x)

    def prox(self, v: Array, t: Any) -> Array:
        return self._whole.prox(v, t)

    def on(self, xi: Array) -> Any:
        """(..., c, batch) component numbers."""
        xp = namespace(xi)
        if bool(xp.all(xi == ALL)):
            return self
        clients = xp.asarray(self._clients) if xp is np else xp.asarray(self._clients, device=xi.device)
        numbers = clients[..., None] * self.m + xi
        numbers = one_for_all(numbers, core=2)
        return (
            self._sums.parts.at(numbers[..., 0]) if xi.shape[-1] == 1 else _Batch(self._sums.parts, numbers)
        )


class _Batch:
    """Clients known by several components each: numbers (..., c, batch)."""

    def __init__(self, parts: Any, numbers: Array) -> None:
        self.n, self.m = (int(k) for k in numbers.shape[-2:])
        self.d, self._lead = parts.d, tuple(numbers.shape[:-2])
        self._parts = parts.at(numbers.reshape(*self._lead, self.n * self.m))

    def _spread(self, x: Array) -> Array:
        """Every client's point once per component: (..., c, d) -> (..., c batch, d)."""
        xp = namespace(x)
        lead = np.broadcast_shapes(tuple(x.shape[:-2]), self._lead)
        full = xp.broadcast_to(x[..., None, :], (*lead, self.n, self.m, self.d))
        return xp.reshape(full, (*lead, self.n * self.m, self.d))

    def grads(self, x: Array) -> Array:
        g = self._parts.grads(self._spread(x))
        return namespace(g).mean(g.reshape(*g.shape[:-2], self.n, self.m, self.d), axis=-2)

    def values(self, x: Array) -> Array:
        v = self._parts.values(self._spread(x))
        return namespace(v).mean(v.reshape(*v.shape[:-1], self.n, self.m), axis=-1)


def one_for_all(numbers: Array, core: int = 1) -> Array:
    """Without leading axes of length one: data that a whole batch shares is read by one matrix product."""
    lead = tuple(numbers.shape[: numbers.ndim - core])
    return numbers.reshape(numbers.shape[-core:]) if set(lead) == {1} else numbers


def group(parts: Any, m: int, spec: str = "") -> FiniteSums:
    """Quadratic components (n m of them) as n clients of m components each."""
    d = parts.d
    A, b = parts.A.reshape(-1, m, d, d).mean(axis=1), parts.b.reshape(-1, m, d).mean(axis=1)
    return FiniteSums(whole=type(parts)(A=A, b=b, spec=spec), parts=parts, spec=spec)


def sum_of_quadratics(
    parts: Any, m: int, heterogeneity: float, inner: float, bend: float, seed: int, spec: str
) -> FiniteSums:
    """n m quadratic components as n clients.  `parts` brings curvatures; minimisers are drawn here.

    The minimisers of client i's components are centre + heterogeneity (N(0, I)_i + inner N(0, I)_ij).  bend > 0
    adds bend L S_ij to the Hessians, symmetric S_ij with mean zero over all components: they become indefinite,
    f keeps its Hessian and its minimiser.
    """
    for name, dial in (("inner", inner), ("bend", bend)):
        if not (np.isfinite(dial) and dial >= 0):
            raise ValueError(f"{name} must be >= 0 and finite, got {dial}")
    n, d, rng = parts.n // m, parts.d, np.random.default_rng([seed, 0x5A])
    own, data = rng.standard_normal((n, 1, d)), inner * rng.standard_normal((n, m, d))
    minimisers = rng.standard_normal(d) + heterogeneity * (own + data)
    A, b = parts.A, apply(parts.A, minimisers.reshape(n * m, d))
    if bend:
        S = rng.standard_normal((n * m, d, d))
        S = S + S.mT
        S = (S - S.mean(axis=0)) / np.abs(np.linalg.eigvalsh(S)).max()
        star = np.linalg.solve(A.mean(axis=0), b.mean(axis=0))
        A, b = A + bend * parts.L_max * S, b + bend * parts.L_max * S @ star
    return group(type(parts)(A=A, b=b, spec=spec), m, spec)
