"""States as trees of arrays: float leaves are linear data, ints and bools the clock."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.statement import State

__all__ = [
    "Field",
    "clock_of",
    "fields_of",
    "is_float",
    "leaves",
    "names",
    "rebuild",
    "rms",
    "shaped",
    "time_of",
    "width",
]


def leaves(tree: Any) -> list[Any]:
    """The leaves of nested NamedTuples, in order; None is a leaf."""
    out: list[Any] = []
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        for part in tree:
            out.extend(leaves(part))
        return out
    return [tree]


def names(tree: Any, prefix: str = "") -> list[str]:
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return [n for f in tree._fields for n in names(getattr(tree, f), f"{prefix}.{f}" if prefix else f)]
    return [prefix]


def rebuild(tree: Any, values: list[Any]) -> Any:
    rest = iter(values)
    return tree_map(lambda _: next(rest), tree_map(lambda a: a, _filled(tree)))


def _filled(tree: Any) -> Any:
    """The tree with None leaves made visible to `tree_map`."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(_filled(part) for part in tree))
    return 0 if tree is None else tree


def is_float(leaf: Any) -> bool:
    """Is this leaf linear data (as against a clock)?"""
    return isinstance(leaf, float) or (hasattr(leaf, "dtype") and leaf.dtype.kind in "fO")


def clock_of(state: State) -> tuple[Any, ...]:
    """The clock leaves of a state: plain ints, integer and boolean arrays."""
    return tuple(leaf for leaf in leaves(state) if leaf is not None and not is_float(leaf))


def time_of(state: State) -> int:
    """The clock `t` of a state, 0 if it has none: the law of its next step is law.at(t)."""
    for name, leaf in zip(names(state), leaves(state), strict=True):
        if name.rpartition(".")[2] == "t" and isinstance(leaf, (int, np.integer)):
            return int(leaf)
    return 0


@dataclass(frozen=True)
class Field:
    """One float field: its place among the leaves and in the flat vector."""

    name: str
    leaf: int
    start: int
    stop: int
    shape: tuple[int, ...]

    @property
    def part(self) -> slice:
        return slice(self.start, self.stop)


def rms(a: Array) -> float:
    return float(np.sqrt(np.mean(np.square(a, dtype=float)))) if np.size(a) else 0.0


def shaped(star: State, model: State) -> State:
    """Float leaves of star broadcast to the shapes of a state that the method itself builds."""

    def one(a: Any, b: Any) -> Any:
        if a is None or type(a) is int or not is_float(a):
            return a
        try:
            return np.array(np.broadcast_to(np.asarray(a, float), np.shape(b)))
        except ValueError:
            return np.asarray(a, float)

    pairs = zip(leaves(star), leaves(model), strict=True)
    return rebuild(star, [one(a, b) for a, b in pairs])


def fields_of(star: State) -> tuple[Field, ...]:
    fields, start = [], 0
    for k, (name, leaf) in enumerate(zip(names(star), leaves(star), strict=True)):
        if is_float(leaf) and np.size(leaf):
            fields.append(Field(name, k, start, start + np.size(leaf), np.shape(leaf)))
            start += np.size(leaf)
    return tuple(fields)


def width(star: State) -> int:
    return sum(f.stop - f.start for f in fields_of(star))
