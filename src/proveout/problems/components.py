"""What a problem of n clients with m components each, f_i = (1/m) sum_j f_ij, says about the components.

One protocol for all families: `P.on(order[..., j : j + 1])` is the problem in which every client has only its
j-th component in `order` (..., n, m), and `P.at(cohort).on(...)` the same of a cohort.  Constants over components:

    L_parts, mu_parts     every f_ij is L_parts-smooth, f_ij - (mu_parts/2)|x|^2 is convex
    sigma_client2         mean_i |grad f_i(x) - grad f(x)|^2,           at x* or at any x (`sigma_client2_at`)
    sigma_data2           mean_i mean_j |grad f_ij(x) - grad f_i(x)|^2, likewise
"""

from functools import cached_property
from typing import Any

from proveout.arrays import Array, namespace, sqnorm

__all__ = ["Components"]


class Components:
    """For problems with `parts`, the problem whose clients are all components: client i's are i m .. i m + m - 1."""

    n: int
    m: int
    d: int

    @property
    def parts(self) -> Any:
        """The problem of all n m components."""
        return self

    @property
    def even(self) -> bool:
        """Have all clients the same number of components?"""
        return True

    @property
    def L_parts(self) -> float:
        """Also where components are not convex (mu_parts < 0)."""
        return float(max(self.parts.L_max, -self.parts.mu_min))

    @property
    def mu_parts(self) -> float:
        return float(self.parts.mu_min)

    def part_grads(self, x: Array) -> Array:
        """Gradients of all components at one point: (..., d) -> (..., n, m, d)."""
        if not self.even:
            raise ValueError("clients must have equally many components, got uneven ones: ask for even=yes")
        g = self.parts.grads(x[..., None, :])
        return g.reshape(*x.shape[:-1], self.n, self.m, self.d)

    def sigma_client2_at(self, x: Array) -> Array:
        """(..., d) -> (...)."""
        xp, g = namespace(x), self.part_grads(x).mean(-2)
        return xp.mean(sqnorm(g - xp.mean(g, axis=-2, keepdims=True)), axis=-1)

    def sigma_data2_at(self, x: Array) -> Array:
        """(..., d) -> (...)."""
        xp, g = namespace(x), self.part_grads(x)
        return xp.mean(sqnorm(g - xp.mean(g, axis=-2, keepdims=True)), axis=(-2, -1))

    @cached_property
    def sigma_client2(self) -> float:
        return float(self.sigma_client2_at(self.x_star))  # type: ignore[attr-defined]

    @cached_property
    def sigma_data2(self) -> float:
        return float(self.sigma_data2_at(self.x_star))  # type: ignore[attr-defined]
