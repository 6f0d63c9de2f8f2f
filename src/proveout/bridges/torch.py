"""The thin torch bridge: the same problem and the same method on torch tensors, CPU or GPU.

    P = to_torch(problem, dtype="float32", device="cuda")
    trace = run_torch(problem, method, steps=100, seeds=8)

Draws are made by NumPy and converted once per block, so both backends see the same randomness.
Constants (x*, L, ...) are computed from the NumPy data, never in torch.
"""

from dataclasses import fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from proveout.arrays import Array, tree_map
from proveout.run import Trace, run

__all__ = ["converter", "run_torch", "to_numpy", "to_torch"]

CONSTANTS = ("x_star", "h_star")  # arrays that theorems and measures read beside the data


def converter(dtype: str = "float64", device: str = "cpu") -> Any:
    """A function that turns NumPy arrays (or trees of them) into tensors; floats get `dtype`."""
    kind = getattr(torch, dtype, None)
    if not isinstance(kind, torch.dtype):
        raise ValueError(f"dtype must name a torch dtype, got {dtype!r}")

    def leaf(a: Any) -> Any:
        if not isinstance(a, np.ndarray):
            return a
        tensor = torch.as_tensor(np.array(a, copy=True))  # torch wants arrays it may write to
        return tensor.to(device=device, dtype=kind if tensor.is_floating_point() else None)

    return lambda tree: tree_map(leaf, tree)


def to_torch(problem: Any, dtype: str = "float64", device: str = "cpu") -> Any:
    """The same problem with its array fields as tensors; constants are carried over from NumPy.

    Raises ValueError for a problem whose data torch cannot hold (sparse rows).
    """
    convert = converter(dtype, device)
    if type(problem).__name__ == "SparseLogistic":
        raise ValueError("problem must be dense for torch, got SparseLogistic: build it with sparse=no")
    data = {f.name: getattr(problem, f.name) for f in fields(problem) if f.init}
    arrays = {k: convert(v) for k, v in data.items() if isinstance(v, np.ndarray)}
    arrays |= {
        k: to_torch(v, dtype, device) for k, v in data.items() if hasattr(v, "grads")
    }  # a wrapped problem
    moved = replace(problem, **arrays)
    for name in (*CONSTANTS, "f_star", "L", "mu", "L_max", "mu_min", "L_i", "mu_i", "zeta2", "sigma2"):
        value = getattr(problem, name, None)
        if value is not None and isinstance(getattr(type(problem), name, None), cached_property):
            moved.__dict__[name] = convert(value) if name in CONSTANTS else value
    return moved


def run_torch(
    problem: Any, method: Any, *, dtype: str = "float64", device: str = "cpu", **options: Any
) -> Trace:
    """`run` on tensors: same arguments, same draws; measures come back as NumPy arrays."""
    return run(to_torch(problem, dtype, device), method, convert=converter(dtype, device), **options)


def to_numpy(tree: Any) -> Array:
    """Tensors of a state back to NumPy."""
    return tree_map(lambda a: a.detach().cpu().numpy() if isinstance(a, torch.Tensor) else a, tree)
