"""The few array helpers that NumPy, torch, abstract vectors and Fractions agree on.

Last axes belong to the paper (clients -2, coordinates -1), leading axes to the batch: states
(S, 1, ...) broadcast against atoms (K, ...).  A helper that picks rows is told by `core` how many
trailing axes make one row; guessing it from shapes fails as soon as K = d.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "Array",
    "apply",
    "choose",
    "first_occurrence",
    "inner",
    "largest",
    "last",
    "like",
    "mean_clients",
    "namespace",
    "norm",
    "put",
    "put_along",
    "rank",
    "sqnorm",
    "take",
    "take_along",
    "to_clients",
    "tree_map",
    "until",
]

Array: TypeAlias = Any  # numpy.ndarray or torch.Tensor; shapes live in comments

SMALL_ROW = 2**16  # below so many numbers per row a product with 1/n beats a reduction


def namespace(*arrays: Array) -> Any:
    """The array-API module of the first argument that is not a NumPy array or a number."""
    for x in arrays:
        if type(x) is not np.ndarray and not isinstance(x, (np.generic, float, int)):
            from array_api_compat import array_namespace

            return array_namespace(x)
    return np


def like(value: Array, model: Array) -> Array:
    """`value` on the device and with the dtype of `model` (a float64 constant would widen float32)."""
    if type(model) is np.ndarray or isinstance(model, np.generic):
        return np.asarray(value, dtype=model.dtype)
    xp = namespace(model)
    return xp.asarray(np.array(value), dtype=model.dtype, device=model.device)


def last(a: Array, axes: int = 1) -> Array:
    """Append `axes` trailing axes of length one: (...) -> (..., 1, ..., 1)."""
    return a[(..., *(None,) * axes)]


def apply(matrix: Array, x: Array) -> Array:
    """Each client's matrix times its own vector, through views: (n, k, d), (..., n, d) -> (..., n, k)."""
    if matrix.ndim > 3 or x.ndim < 3:
        return (matrix @ x[..., None])[..., 0]
    return (x.swapaxes(-3, -2) @ matrix.mT).swapaxes(-3, -2)


def mean_clients(x: Array) -> Array:
    """Mean over clients, the axis kept: (..., n, d) -> (..., 1, d)."""
    n, d = x.shape[-2:]
    if type(x) is np.ndarray and x.dtype != object and n * d <= SMALL_ROW:
        return np.full((1, n), 1 / n, dtype=x.dtype) @ x
    return namespace(x).mean(x, axis=-2, keepdims=True)


def to_clients(x: Array, n: int) -> Array:
    """One vector for every client: (..., d), n -> (..., n, d)."""
    return namespace(x).broadcast_to(x[..., None, :], (*x.shape[:-1], n, x.shape[-1]))


def take(table: Array, index: Array, core: int = 1) -> Array:
    """Rows of a table: (..., N, *row), (..., c) -> (..., c, *row); batch axes broadcast."""
    batch = table.ndim - core - 1
    if batch == 0:
        return table[index]
    return table[(*_mesh(table, batch), index)]


def put(table: Array, index: Array, rows: Array, core: int = 1) -> Array:
    """A copy of the table with some rows replaced; the only function that writes rows.

    (..., N, *row), (..., c), (..., c, *row) -> (..., N, *row).  Repeated indices: the last wins.
    """
    xp = namespace(table)
    batch = table.ndim - core - 1
    row = tuple(table.shape[batch:])
    lead = np.broadcast_shapes(
        tuple(table.shape[:batch]), tuple(index.shape[:-1]), tuple(rows.shape[: rows.ndim - core - 1])
    )
    new = xp.asarray(xp.broadcast_to(table, lead + row), copy=True)
    new[(*_mesh(new, len(lead)), index)] = rows
    return new


def _mesh(table: Array, batch: int) -> tuple[Array, ...]:
    """Open index arrays over the batch axes, aligned to the left of the row index."""
    xp = namespace(table)
    at = {} if xp is np else {"device": table.device}
    return tuple(xp.arange(table.shape[k], **at)[(slice(None), *(None,) * (batch - k))] for k in range(batch))


def take_along(x: Array, index: Array) -> Array:
    """Entries along the last axis: (..., d), (..., k) -> (..., k)."""
    xp = namespace(x)
    lead = np.broadcast_shapes(tuple(x.shape[:-1]), tuple(index.shape[:-1]))
    x = xp.broadcast_to(x, (*lead, x.shape[-1]))
    return xp.take_along_axis(x, xp.broadcast_to(index, (*lead, index.shape[-1])), axis=-1)


def put_along(x: Array, index: Array, values: Array) -> Array:
    """A copy of `x` with entries along the last axis replaced: (..., d), (..., k), (..., k) -> (..., d)."""
    xp = namespace(x)
    lead = np.broadcast_shapes(
        tuple(x.shape[:-1]), tuple(index.shape[:-1]), tuple(values.shape[:-1]) if values.ndim else ()
    )
    new = xp.asarray(xp.broadcast_to(x, (*lead, x.shape[-1])), copy=True)
    new[(*_mesh(new, len(lead)), index)] = values
    return new


def first_occurrence(index: Array) -> Array:
    """Is this the first time that the number appears in its row? (..., c) -> (..., c) bool."""
    xp = namespace(index)
    c = index.shape[-1]
    equal = index[..., :, None] == index[..., None, :]
    return ~xp.any(equal & like(np.tri(c, k=-1, dtype=bool), equal), axis=-1)


def rank(x: Array) -> Array:
    """Place of each entry in ascending order, ties by lowest index: (..., d) -> (..., d) ints."""
    xp = namespace(x)
    order = xp.argsort(x, axis=-1, stable=True)
    return xp.argsort(order, axis=-1, stable=True)


def largest(x: Array, k: int) -> Array:
    """Mask of the k largest entries, ties by lowest index: (..., d) -> (..., d) bool."""
    xp = namespace(x)
    d = x.shape[-1]
    if k <= 0 or k >= d:
        return xp.broadcast_to(like(np.array(k >= d), x > 0), x.shape)
    if xp is np:
        threshold = np.partition(x, d - k, axis=-1)[..., d - k, None]
    else:
        threshold = xp.sort(x, axis=-1)[..., d - k, None]
    above = x > threshold
    tied = x == threshold
    room = k - xp.sum(xp.astype(above, xp.int64), axis=-1, keepdims=True)
    return above | (tied & (xp.cumulative_sum(xp.astype(tied, xp.int64), axis=-1) <= room))


def choose(
    theta: Array, yes: Callable[..., Array], no: Callable[..., Array], *rows: Array, core: int = 1
) -> Array:
    """Two branches, each asked only for its own rows; a dear branch behind a rare coin stays cheap.

    theta (...) bool; each of `rows` has leading axes that broadcast against it and then its own
    trailing axes: `core` of them, or as many as `cores` gives per array.  If all agree, one branch
    is called with the arrays as they are.  Rows may be None and are passed through.
    """
    xp = namespace(*(r for r in rows if r is not None))
    theta = xp.asarray(theta)
    if bool(xp.all(theta)):
        return yes(*rows)
    if not bool(xp.any(theta)):
        return no(*rows)
    cores = (core,) * len(rows) if isinstance(core, int) else tuple(core)
    leads = [tuple(r.shape[: r.ndim - c]) for r, c in zip(rows, cores, strict=True) if r is not None]
    lead = np.broadcast_shapes(tuple(theta.shape), *leads)
    theta = xp.broadcast_to(theta, lead)
    full = [
        None if r is None else xp.broadcast_to(r, lead + tuple(r.shape[r.ndim - c :]))
        for r, c in zip(rows, cores, strict=True)
    ]
    on = yes(*(None if r is None else r[theta] for r in full))
    off = no(*(None if r is None else r[~theta] for r in full))
    out = xp.empty(lead + tuple(on.shape[1:]), dtype=on.dtype, **({} if xp is np else {"device": on.device}))
    out[theta], out[~theta] = on, off
    return out


def until(
    body: Callable[[Array], Array], done: Callable[[Array], Array], start: Array, limit: int = 100_000
) -> tuple[Array, Array]:
    """Repeat `body` on the rows that are not `done`: (..., d) -> ((..., d), counts (...)).

    Raises RuntimeError after `limit` rounds, so that a rule that never stops is heard.
    """
    xp = namespace(start)
    x = start
    finished = done(x)
    count = xp.zeros(finished.shape, dtype=xp.int64)
    for _ in range(limit):
        if bool(xp.all(finished)):
            return x, count
        x = xp.where(last(finished), x, body(x))
        count = count + xp.astype(~finished, xp.int64)
        finished = finished | done(x)
    raise RuntimeError(f"until: {limit} rounds passed and some rows are not done")


def sqnorm(v: Array, core: int = 1) -> Array:
    """Squared norm over the last `core` axes."""
    return namespace(v).sum(v * v, axis=tuple(range(-core, 0)))


def inner(u: Array, v: Array, core: int = 1) -> Array:
    """Inner product over the last `core` axes."""
    return namespace(u, v).sum(u * v, axis=tuple(range(-core, 0)))


def norm(v: Array, core: int = 1) -> Array:
    """Euclidean norm over the last `core` axes."""
    return namespace(v).sqrt(sqnorm(v, core))


def tree_map(f: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply `f` to every leaf of nested NamedTuples of the same shape; None is a leaf that stays None."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(tree_map(f, *leaves) for leaves in zip(tree, *others, strict=True)))
    return None if tree is None else f(tree, *others)
