"""States at which a one-step claim is likely to be worst: near and far, out of proportion, at ties, at the
inputs that a block finds hardest.  Everything follows from the seed.

    candidates(claim, many, seed)             # (N, q): every kind in its share, interleaved
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.exact.onestep import Claim
from proveout.theory.lenses.states import Coordinates
from proveout.theory.twins import unwrap

__all__ = ["CANDIDATES", "candidates"]

CANDIDATES = 700  # where the work allows it


def candidates(claim: Claim, many: int, seed: int = 0) -> Array:
    """About `many` states (N, q), every kind in its share, interleaved so that a short list is mixed too."""
    coords = claim.coords
    rng = np.random.default_rng([seed, 0xCA4D])
    share = many / CANDIDATES
    kinds = [
        _normals(coords, rng, share),
        _field_scaled(coords, rng, share),
        _kinks(coords, rng, share),
        _axes(coords, rng, share),
        _clients(coords, rng, share),
        _eigenvectors(claim, share),
        _extremes(claim),
        _visited(claim, rng, share),
    ]
    lists = [coords.shrink(v[:, None, :])[:, 0] for v in kinds if len(v)]
    order = np.argsort(np.concatenate([(np.arange(len(v)) + 0.5) / len(v) for v in lists]), kind="stable")
    return np.concatenate(lists)[order]


def _log_uniform(rng: np.random.Generator, low: float, high: float, shape: Any) -> Array:
    return 10.0 ** rng.uniform(low, high, shape)


def _kept(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A mask that keeps 30 % of each row, and never nothing."""
    kept = rng.random(shape) < 0.3
    return kept | ~kept.any(axis=-1, keepdims=True)


def _count(number: int, share: float) -> int:
    return max(2, round(number * share))


def _normals(coords: Coordinates, rng: np.random.Generator, share: float) -> Array:
    """20 unit normals and 200 isotropic directions at scales 1e-4 .. 1e3."""
    near, far = _count(20, share), _count(200, share)
    v = rng.standard_normal((near + far, coords.D))
    v[near:] *= _log_uniform(rng, -4, 3, (far, 1))
    return v


def _field_scaled(coords: Coordinates, rng: np.random.Generator, share: float) -> Array:
    """200 states with every field at its own scale; half of them sparse."""
    N = _count(200, share)
    v = rng.standard_normal((N, coords.D))
    for f in coords.fields:
        v[:, f.part] *= _log_uniform(rng, -3, 3, (N, 1))
    v[::2] *= _kept(rng, v[::2].shape)
    return v


def _axes(coords: Coordinates, rng: np.random.Generator, share: float) -> Array:
    """+-axes at 1e-3, 1, 1e3 (random ones, if they are many)."""
    count = min(coords.D, _count(20, share))
    chosen = rng.permutation(coords.D)[:count]
    v = np.zeros((6 * count, coords.D))
    scales = np.array([1e-3, 1, 1e3, -1e-3, -1, -1e3])
    v[np.arange(6 * count), np.repeat(chosen, 6)] = np.tile(scales, count)
    return v


def _clients(coords: Coordinates, rng: np.random.Generator, share: float) -> Array:
    """All clients equal; one client off."""
    tables = [f for f in coords.fields if len(f.shape) >= 2]
    N = _count(12, share) if tables else 0
    v = np.zeros((2 * N, coords.D))
    for f in tables:
        rows = rng.standard_normal((N, 1, int(np.prod(f.shape[1:])))) * _log_uniform(rng, -2, 2, (N, 1, 1))
        v[:N, f.part] = np.broadcast_to(rows, (N, f.shape[0], rows.shape[-1])).reshape(N, -1)
        one = np.arange(f.shape[0]) == rng.integers(f.shape[0], size=(N, 1))
        v[N:, f.part] = (rows * one[:, :, None]).reshape(N, -1)
    return v


def _kinks(coords: Coordinates, rng: np.random.Generator, share: float) -> Array:
    """100 states at ties: signs, equal rows, sparse, signs with 1e-6 noise, one row flipped or times -10."""
    N = _count(100, share)
    v = np.zeros((N, coords.D))
    for f in coords.fields:
        rows = f.shape[0] if len(f.shape) >= 2 else 1
        table = rng.standard_normal((N, rows, (f.stop - f.start) // rows))
        kind = rng.integers(6, size=N)
        signs, equal = np.sign(table), np.broadcast_to(table[:, :1], table.shape).copy()
        odd = np.where(np.arange(rows) == 0, rng.choice([-1.0, -10.0], size=(N, 1)), 1.0)[:, :, None]
        shapes = [
            signs,
            equal,
            table * _kept(rng, table.shape),
            signs * (1 + 1e-6 * rng.standard_normal(table.shape)),
            equal * odd,
            np.sign(equal),
        ]
        picked = np.stack(shapes)[kind, np.arange(N)] * _log_uniform(rng, -2, 2, (N, 1, 1))
        v[:, f.part] = picked.reshape(N, -1)
    return v


def _vector_fields(coords: Coordinates, d: int) -> Iterator[Any]:
    return (f for f in coords.fields if f.shape and f.shape[-1] == d)


def _hessians(P: Any) -> Array | None:
    """(n, d, d) at x*, where they are cheap."""
    n, rows, d = (getattr(P, k, 1) for k in ("n", "m", "d"))
    if not hasattr(P, "hessians") or n * rows * d * d > 3e7:
        return None
    with np.errstate(all="ignore"):
        H = np.asarray(P.hessians, float)
    return H if H.ndim == 3 and H.shape[1:] == (d, d) and np.isfinite(H).all() else None


def _eigenvectors(claim: Claim, share: float) -> Array:
    """Eigenvectors of the mean Hessian and of each client's, in each vector field: all clients, and one;
    near star too, where they are the worst directions of a smooth step."""
    coords, H = claim.coords, _hessians(claim.P)
    if H is None:
        return np.zeros((0, coords.D))
    n, d, _ = H.shape
    few = max(1, min(d, round(6 * share)))
    ends = np.unique(np.concatenate([np.arange(few), d - 1 - np.arange(few)]).clip(0, d - 1))
    sources = [(None, H.mean(axis=0))] + [(i, H[i]) for i in range(min(n, _count(10, share)))]
    out = []
    for client, matrix in sources:
        vectors = np.linalg.eigh(matrix)[1][:, ends].T
        for f in _vector_fields(coords, d):
            rows = f.shape[0] if len(f.shape) == 2 else 1
            for u in vectors:
                table = np.zeros((rows, d))
                table[slice(None) if client is None or rows != n else client] = u
                v = np.zeros(coords.D)
                if len(f.shape) <= 2:
                    v[f.part] = table.ravel()
                    out.append(v)
    v = np.array(out).reshape(-1, coords.D)[: max(8, round(150 * share))]
    return v * np.resize([1.0, 1e-3, 1e2, 1e-4], len(v))[:, None]


def _extremes(claim: Claim) -> Array:
    """States whose gradient (or whose field) is an input at which a block of the method attains its constant."""
    coords, m, d = claim.coords, unwrap(claim.m), getattr(claim.P, "d", 1)
    inputs: list[Array] = []
    for block in (getattr(m, name) for name in getattr(m, "__dataclass_fields__", ())):
        if hasattr(block, "extremes"):
            inputs += [np.atleast_2d(np.asarray(u, float)) for u in block.extremes(d)]
    if not inputs:
        return np.zeros((0, coords.D))
    H = _hessians(claim.P)
    inverse = None if H is None else np.linalg.pinv(H.mean(axis=0), hermitian=True)
    each = None if H is None else np.linalg.pinv(H, hermitian=True)
    out = []
    for u in inputs:
        for f in _vector_fields(coords, d):
            rows = f.shape[0] if len(f.shape) == 2 else 1
            if len(f.shape) > 2 or len(u) not in (1, rows) or u.shape[-1] != d:
                continue
            table = np.broadcast_to(u, (rows, d))
            shapes = [table]
            if inverse is not None:
                shapes.append(table @ inverse)
            if each is not None and rows == len(each) > 1:
                shapes.append((each @ table[..., None])[..., 0])
            for shape in shapes:
                size = float(np.abs(shape).max()) or 1.0
                for scale in (1e-2, 1.0, 1e2):
                    v = np.zeros(coords.D)
                    v[f.part] = scale / size * np.ravel(shape)
                    out.append(v)
    return np.array(out).reshape(-1, coords.D)


def _visited(claim: Claim, rng: np.random.Generator, share: float) -> Array:
    """The states of one run from 0 and of one from a random point, the initial states among them."""
    P, m, coords = claim.P, claim.m, claim.coords
    law = m.law(P)
    state = m.init(P, np.stack([np.zeros(P.d), rng.standard_normal(P.d)])[:, None, :])
    out = []
    with np.errstate(all="ignore"):
        for t in range(_count(100, share)):
            v = np.broadcast_to(coords.flat(state), (2, 1, coords.D))[:, 0]
            if not np.isfinite(v).all():
                break
            out.append(v)
            state = m.step(P, state, law.at(t).sample(rng, (2, 1)))
    return np.concatenate(out) if out else np.zeros((0, coords.D))
