"""PermK: every coordinate travels once (or every client sends one), chosen jointly with a shared seed.

    n divides d    a uniform partition: every client owns d/n coordinates, C_i(x) = n x on them, 0 elsewhere
    d divides n    every coordinate has n/d owners, C_i(x) = d x_j e_j on the one that client i owns
    d > n, else    blocks of nearly equal size, assigned to the clients by a second permutation, C_i(x) = n x on them

Each C_i is in U(n - 1) (U(d - 1) where d divides n, n > d), with equality, and jointly

    E|mean_i C_i(a_i) - a|^2 = A mean_i |a_i|^2 - B |a|^2,   a = mean_i a_i,   A = B = 1, resp. (d - 1)/(n - 1):

if all a_i are equal, the average is exact.  Szlendak, Tyurin, Richtárik (arXiv:2110.03300).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import Array, like, namespace, take
from proveout.laws import Each, Joint, Law, Owner, Permutation
from proveout.methods.blocks.compressors.common import FLOAT_BITS, Compressor

__all__ = ["BlocksDraw", "IndependentPermK", "PermK"]


class BlocksDraw(NamedTuple):
    place: Array  # (..., d)  place of each coordinate in a uniform order
    client: Array  # (..., n)  who gets each block of places


@dataclass(frozen=True, kw_only=True)
class PermK(Compressor):
    clients: int  # n

    deterministic = False
    joint = True

    def __post_init__(self) -> None:
        if not self.clients >= 1:
            raise ValueError(f"clients must be >= 1, got {self.clients}")

    def even(self, d: int) -> bool:
        """Do n and d divide one another?  ValueError if n > d does not."""
        few, many = sorted((self.clients, d))
        if many % few and self.clients > d:
            raise ValueError(f"clients must be below d = {d} or a multiple of it, got {self.clients}")
        return many % few == 0

    def law(self, n: int, d: int) -> Law:
        if n != self.clients:
            raise ValueError(f"clients must be n = {n}, got {self.clients}")
        if self.even(d):
            return Owner(n, d)
        return Joint(BlocksDraw(place=Permutation(d), client=Permutation(n, of="clients")))

    def owner(self, draw: Any, d: int) -> Array:
        """The client that owns each coordinate, (..., d), for d >= n."""
        if self.even(d):
            return draw
        block = like(np.repeat(np.arange(self.clients), self._sizes(d)), draw.place)
        return take(draw.client, take(block, draw.place, core=0), core=0)

    def _sizes(self, d: int) -> list[int]:
        few, more = divmod(d, self.clients)
        return [few + (i < more) for i in range(self.clients)]

    def __call__(self, x: Array, draw: Any) -> Array:
        xp, n, d = namespace(x), self.clients, x.shape[-1]
        if n > d and self.even(d):  # the coordinate of each client, (..., n)
            return xp.where(draw[..., None] == like(np.arange(d), draw), d * x, 0 * x)
        owner = self.owner(draw, d)
        return xp.where(owner[..., None, :] == like(np.arange(n), owner)[:, None], n * x, 0 * x)

    def omega(self, d: int) -> float:
        return min(self.clients, d) - 1.0

    def ab(self, d: int) -> tuple[float, float]:
        """(A, B), least and largest."""
        n = self.clients
        one = 1.0 if d >= n else (d - 1) / (n - 1)
        return one, one

    def floats(self, d: int) -> float:
        return max(1.0, d / self.clients)  # mean over clients

    def bits(self, d: int) -> float:
        return FLOAT_BITS * self.floats(d)


@dataclass(frozen=True, kw_only=True)
class IndependentPermK(PermK):
    """Every client draws a partition of its own and sends its part: what PermK would be without the shared seed.

    Each C_i is what it was, and the average has A = omega/n, B = 0.
    """

    joint = False

    def law(self, n: int, d: int) -> Law:
        return Each(n, super().law(n, d))

    def __call__(self, x: Array, draw: Any) -> Array:
        """Client i takes its part of draw i."""
        xp, n, d = namespace(x), self.clients, x.shape[-1]
        if not self.even(d):
            raise ValueError(f"clients and d = {d} must divide one another, got {n}")
        me = like(np.arange(n), draw)
        if n > d:
            mine = xp.sum(xp.where(me[:, None] == me, draw, 0 * draw), axis=-1)
            return xp.where(mine[..., None] == like(np.arange(d), draw), d * x, 0 * x)
        return xp.where(draw == me[:, None], n * x, 0 * x)
