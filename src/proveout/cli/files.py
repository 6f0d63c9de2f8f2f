"""Writing files: refuse early what cannot be written, and never leave half a file behind."""

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

from proveout.cli.screen import Usage, say

__all__ = ["can_write", "clean", "dump", "folder", "write", "write_with"]


def can_write(path: str | None, suffixes: tuple[str, ...] = ()) -> None:
    """Raises Usage if the path cannot be written, before any work is done."""
    if path is None or path == "-":
        return
    target = Path(path)
    if target.is_dir():
        raise Usage(f"{path} is a directory, not a file")
    if suffixes and target.suffix.lower() not in suffixes:
        raise Usage(f"{path}: the name must end in {' or '.join(suffixes)}")
    parent = target.absolute().parent
    if not parent.is_dir():
        raise Usage(f"{path}: there is no directory {parent}")
    if not os.access(parent, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise Usage(f"{path}: no permission to write there")


def folder(path: str) -> Path:
    """The directory, made if missing; Usage if it cannot be."""
    target = Path(path)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Usage(f"{path}: cannot be made a directory ({error.strerror})") from None
    if not os.access(target, os.W_OK):
        raise Usage(f"{path}: no permission to write there")
    return target


def write(path: str, text: str) -> None:
    """Text to a file, or to standard output for "-"."""
    if path == "-":
        say(text.rstrip("\n"))
        return
    write_with(path, lambda temporary: temporary.write_bytes(text.encode("utf-8")))


def write_with(path: str, writer: Any) -> None:
    """`writer(temporary path)`, then one rename: the file is there whole, or as it was before."""
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=".", suffix=target.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            writer(temporary)
            temporary.chmod(0o666 & ~_umask())
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise Usage(f"{path}: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def dump(path: str, document: Any) -> None:
    """JSON that every reader reads: no NaN, no infinity."""
    write(path, json.dumps(clean(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def clean(value: Any) -> Any:
    """Plain JSON values: numbers that are not finite become null, NumPy scalars and tuples plain."""
    if isinstance(value, dict):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(v) for v in value]
    if isinstance(value, bool) or value is None or isinstance(value, (str, int)):
        return value
    if hasattr(value, "tolist"):
        return clean(value.tolist())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)
