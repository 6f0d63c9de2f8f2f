"""How many points one step asks of a problem: what a search may spend depends on it, never on a clock."""

from typing import Any

import numpy as np

from proveout.arrays import Array

__all__ = ["CountedProblem"]

WHOLE = ("grad", "value", "grad_x", "grad_y")  # asked at (..., d): every client's data is read
TABLE = ("grads", "values", "prox")  # asked at (..., n, d)


class CountedProblem:
    """A problem that adds up the numbers its oracles read, `seen.floats`; everything else is read through."""

    def __init__(self, base: Any, seen: Any = None) -> None:
        self._base, self.seen = base, seen or _Seen()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_base", "seen"):
            raise AttributeError(name)
        found = getattr(self._base, name)
        if name in WHOLE or name in TABLE:
            return self._counting(found, 1 if name in WHOLE else 2)
        return found

    def _counting(self, oracle: Any, core: int) -> Any:
        def ask(x: Array, *rest: Any) -> Any:
            shape = np.shape(x)
            points = int(np.prod(shape[: max(0, len(shape) - core)]))
            self.seen.floats += points * _data(self._base)
            return oracle(x, *rest)

        return ask

    def at(self, clients: Any) -> "CountedProblem":
        return CountedProblem(self._base.at(clients), self.seen)

    def on(self, xi: Any) -> "CountedProblem":
        return CountedProblem(self._base.on(xi), self.seen)


class _Seen:
    floats = 0.0


def _data(P: Any) -> float:
    """Numbers of one reading of all clients' data."""
    n, d = (float(getattr(P, k, 1) or 1) for k in ("n", "d"))
    rows = float(getattr(P, "rows", None) or getattr(P, "m", None) or 1)  # `rows`: where m counts components
    return n * (rows if rows > 1 else d) * d
