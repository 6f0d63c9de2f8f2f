"""LIBSVM files and the shipped real data sets; splitting samples into clients."""

import gzip
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from proveout.arrays import Array

__all__ = ["SHIPPED", "Samples", "load", "read_libsvm", "split", "synthetic"]

SHIPPED = ("a1a", "mushrooms")


@dataclass(frozen=True, eq=False)
class Samples:
    features: csr_matrix  # (N, d)
    labels: Array  # (N,) of -1.0, 1.0
    name: str


@lru_cache(maxsize=8)
def load(source: str) -> Samples:
    """A shipped set by name, or any LIBSVM file (gzip or plain) by path."""
    if source in SHIPPED:
        raw = gzip.decompress((files("proveout.problems") / "sets" / f"{source}.svm.gz").read_bytes())
        return read_libsvm(raw, source)
    path = Path(source)
    if not path.is_file():
        raise ValueError(
            f"data must be one of {', '.join(SHIPPED)}, 'synthetic', or the path of a LIBSVM file; "
            f"got {source!r}, which is no file"
        )
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError) as error:
            raise ValueError(f"{source}: not a readable gzip file ({error})") from None
    return read_libsvm(raw, source)


def read_libsvm(raw: bytes, name: str) -> Samples:
    """Parse `label index:value ...` lines; two labels, mapped to -1 (the smaller) and 1.

    Raises ValueError naming the file, the line, what stands there and the rule.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        at = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"{name}, line {at}: not a text file (byte 0x{raw[error.start]:02x})") from None
    labels: list[float] = []
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    for number, written in enumerate(text.splitlines(), start=1):
        line = written.partition("#")[0].strip()
        if not line:
            continue
        where = f"{name}, line {number}"
        label, *pairs = line.split()
        labels.append(_number(label, where, "the label"))
        before = 0
        for pair in pairs:
            index, colon, value = pair.partition(":")
            if not colon or not index.isdigit() or int(index) <= before:
                raise ValueError(f"{where}: expected index:value with rising indices from 1, got {pair!r}")
            before = int(index)
            indices.append(before - 1)
            values.append(_number(value, where, f"the value of feature {index}"))
        ends.append(len(indices))
    kinds = sorted(set(labels))
    if len(kinds) != 2:
        shown = ", ".join(f"{k:g}" for k in kinds[:5]) or "none"
        raise ValueError(f"{name}: labels must take exactly two values, got {len(kinds)} ({shown})")
    width = max(indices, default=-1) + 1
    features = csr_matrix((values, indices, ends), shape=(len(labels), width))
    return Samples(features=features, labels=np.where(np.array(labels) == kinds[1], 1.0, -1.0), name=name)


def _number(text: str, where: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{where}: {what} must be a number, got {text!r}") from None
    if not np.isfinite(value):
        raise ValueError(f"{where}: {what} must be finite, got {text!r}")
    return value


def synthetic(m: int = 200, d: int = 10, seed: int = 0) -> Samples:
    """m Gaussian samples with geometrically decaying feature scales and noisy linear labels."""
    for name, value, low in (("m", m, 2), ("d", d, 1)):
        if value < low:
            raise ValueError(f"{name} must be >= {low}, got {value}")
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, d)) * 10.0 ** -np.linspace(0, 1, d)
    y = np.where(X @ rng.standard_normal(d) + 0.3 * rng.standard_normal(m) > 0, 1.0, -1.0)
    y[0], y[1] = 1.0, -1.0  # both classes, whatever the seed
    return Samples(features=csr_matrix(X), labels=y, name="synthetic")


def split(samples: Samples, clients: int, how: str = "uniform", seed: int = 0) -> list[Array]:
    """Row numbers of each client: a random deal ("uniform"), sorted by label, or in file order."""
    total = len(samples.labels)
    if not clients >= 1:
        raise ValueError(f"clients must be >= 1, got {clients}")
    if clients > total:
        raise ValueError(
            f"clients must be at most {total}, the size of {samples.name}, got {clients}: one would be empty"
        )
    if how == "uniform":
        order = np.random.default_rng(seed).permutation(total)
    elif how == "label":
        order = np.argsort(samples.labels, kind="stable")
    elif how == "order":
        order = np.arange(total)
    else:
        raise ValueError(f"split must be 'uniform', 'label' or 'order', got {how!r}")
    return [np.sort(part) for part in np.array_split(order, clients)]
