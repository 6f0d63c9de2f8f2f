"""Second moments of the gradient along a run on a quadratic, exactly: the answers to the start and to the noise."""

from functools import lru_cache

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import moment_atoms
from proveout.theory.statement import Method, Problem, State

__all__ = ["gradient_bound"]


def gradient_bound(P: Problem, m: Method, T: int, start: State) -> Array:
    """G^2 = max_{t<T} E|grad f(x_t)|^2 on a quadratic, exactly: (...)."""
    maps, noise = _responses(P, m, 1 << (T - 1).bit_length())
    mean = np.einsum("...j,tjk->...tk", start.x - P.x_star, maps[:T])
    return np.max(np.sum(mean**2, axis=-1) + noise[:T], axis=-1)


@lru_cache(maxsize=64)
def _responses(P: Problem, m: Method, T: int) -> tuple[Array, Array]:
    """How grad f(x_t), t < T, answers to the start (T, d, d) and to the noise (T,), which is linear.

    One batch is stepped from x*: a row for each unit start, and one for each noise vector at each time
    (a root of its covariance); a row that is not concerned hears no noise.
    """
    points = moment_atoms(P.xi(1))[1] if P.noisy else np.zeros((0, 1, 1))
    roots = points[: len(points) // 2] * np.sqrt(2 / max(1, len(points)))
    d, r = P.d, len(roots)
    x0 = P.x_star + np.concatenate([np.eye(d), np.zeros((T * r, d))])
    state, gradients = m.init(P, x0), []
    for t in range(T):
        gradients.append(P.grad(state.x) - P.grad(P.x_star))
        xi = np.zeros((d + T * r, *points.shape[1:]))
        xi[d + t * r : d + (t + 1) * r] = roots
        event = tree_map(lambda a: a[0], m.law(P).at(t).atoms()[1])
        state = m.step(P, state, event._replace(xi=xi))
    g = np.stack(gradients)
    return g[:, :d], np.sum(g[:, d:] ** 2, axis=(1, 2))
