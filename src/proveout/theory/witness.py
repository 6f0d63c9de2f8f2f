"""Witnesses of a violation as JSON values: the whole truth about one point, never pickled.

Numbers are written as float.hex (Fractions as "a/b"), so that `replay` rebuilds both sides bit for bit.
"""

from dataclasses import fields, is_dataclass
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np

from proveout.theory.statement import Method, Problem

__all__ = ["FORMAT", "build", "decode", "encode", "trust"]

FORMAT = "proveout-witness/1"
ROOMS = ["proveout.methods", "proveout.problems"]  # classes that a file may name


def trust(module: str) -> None:
    """Let witnesses name the classes of a module that the user named (never one that a file names)."""
    if module not in ROOMS:
        ROOMS.append(module)


def build(
    problem: Problem, method: Method, *, state: Any, draw: Any = None, lhs: Any, rhs: Any, **more: Any
) -> dict[str, Any]:
    """The witness of one violation; `statement` and `twin` are filled in by whoever knows the names.

    `more` holds what the lens needs to rebuild both sides (a horizon T, a start, a Gram factor, ...).
    """
    from proveout.theory.twins import AlteredProblem, unwrap

    while isinstance(problem, AlteredProblem):
        problem = problem._base
    ratio = float(lhs) / float(rhs) if float(rhs) else None
    if ratio is not None and not np.isfinite(ratio):
        ratio = None
    return {
        "format": FORMAT,
        "statement": "",
        "twin": None,
        "problem": getattr(problem, "spec", "") or encode(problem),
        "method": encode(unwrap(method)),
        "state": encode(state),
        "draw": encode(draw),
        "lhs": encode(lhs),
        "rhs": encode(rhs),
        "ratio": None if ratio is None else float(ratio).hex(),
        "more": {k: encode(v) for k, v in more.items()},
    }


def encode(value: Any) -> Any:
    """Arrays, records, NamedTuples, numbers and Fractions as JSON values."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return {"float": float(value).hex()}
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    if isinstance(value, np.ndarray):
        flat = [encode(v.item() if hasattr(v, "item") else v) for v in value.ravel()]
        if value.dtype.kind == "f":
            flat = [v["float"] for v in flat]
        return {
            "array": flat,
            "shape": list(value.shape),
            "dtype": value.dtype.str if value.dtype != object else "O",
        }
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named = value._asdict().items()  # type: ignore[attr-defined]
        return {"named": _name(type(value)), "fields": {k: encode(v) for k, v in named}}
    if isinstance(value, dict):
        return {"dict": {str(k): encode(v) for k, v in value.items()}}
    if isinstance(value, (tuple, list)):
        return {"list": [encode(v) for v in value]}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "record": _name(type(value)),
            "fields": {f.name: encode(getattr(value, f.name)) for f in fields(value) if f.init},
        }
    if hasattr(value, "tocoo"):
        coo = value.tocoo()
        return {"csr": [encode(a) for a in (coo.data, coo.row, coo.col)], "shape": list(value.shape)}
    raise TypeError(f"cannot write a {type(value).__name__} into a witness")


def decode(value: Any) -> Any:
    """The inverse of `encode`; ValueError for anything else, or a class of another room."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"not a witness value: {value!r}")
    if "float" in value:
        return float.fromhex(value["float"])
    if "fraction" in value:
        return Fraction(value["fraction"])
    if "array" in value:
        if value["dtype"] == "O":
            flat = np.array([decode(v) for v in value["array"]], dtype=object)
        elif np.dtype(value["dtype"]).kind == "f":
            flat = np.array([float.fromhex(v) for v in value["array"]], dtype=value["dtype"])
        else:
            flat = np.array(value["array"], dtype=value["dtype"])
        return flat.reshape(value["shape"])
    if "csr" in value:
        from scipy.sparse import csr_matrix

        data, row, col = (decode(v) for v in value["csr"])
        return csr_matrix((data, (row, col)), shape=tuple(value["shape"]))
    if "list" in value:
        return tuple(decode(v) for v in value["list"])
    if "dict" in value:
        return {k: decode(v) for k, v in value["dict"].items()}
    if "named" in value or "record" in value:
        kind = _class(value.get("named") or value["record"])
        return kind(**{k: decode(v) for k, v in value["fields"].items()})
    raise ValueError(f"not a witness value: keys {sorted(value)}")


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str) -> Any:
    module, _, kind = name.partition(":")
    if not any(module == room or module.startswith(room + ".") for room in ROOMS):
        raise ValueError(f"a witness may name classes of {' and '.join(ROOMS)} only, got {name!r}")
    found = getattr(import_module(module), kind, None)
    if not isinstance(found, type) or found.__module__ != module:
        raise ValueError(f"no class {name!r}")
    return found
