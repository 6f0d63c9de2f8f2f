"""The operators that make red twins: altered statements, parameters, steps, laws, oracles.

    Altered(method, edit)            step is edited; everything else is read through
    Altered(method, law=...)         the law lies, the step keeps its true parameters
    AlteredProblem(problem, edit)    oracles lie, to `step` only: constants and V see the true problem

Each function below returns a `Twin`; none needs a new class per method.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from proveout.arrays import namespace
from proveout.theory.statement import Twin, always, branches

__all__ = [
    "Altered",
    "AlteredProblem",
    "bound_times",
    "branch_dropped",
    "field_times",
    "law_with",
    "noise_times",
    "oracle",
    "progress_times",
    "rate_gap",
    "rate_is",
    "rolled",
    "statement_with",
    "step_edit",
    "unwrap",
    "update_times",
    "weight_times",
    "with_fields",
]


@dataclass(frozen=True)
class Altered:
    """A method with an edited step, law or init; parameters are read through."""

    base: Any
    edit: Callable[..., Any] | None = None  # edit(problem, state, draw, new) -> new
    law_of: Callable[..., Any] | None = None  # law_of(problem) -> Law
    sees: Callable[[Any], Any] | None = None  # the problem that step is shown

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "base":
            raise AttributeError(name)
        return getattr(self.base, name)

    def init(self, problem: Any, x0: Any) -> Any:
        return self.base.init(problem, x0)

    def law(self, problem: Any) -> Any:
        return self.law_of(problem) if self.law_of else self.base.law(problem)

    def step(self, problem: Any, state: Any, draw: Any) -> Any:
        shown = self.sees(problem) if self.sees else problem
        new = self.base.step(shown, state, draw)
        return self.edit(problem, state, draw, new) if self.edit else new


class AlteredProblem:
    """A problem whose gradients lie: edit(true_oracle, x) -> gradients (..., n, d)."""

    def __init__(self, base: Any, edit: Callable[..., Any]) -> None:
        self._base, self._edit = base, edit

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_base", "_edit"):
            raise AttributeError(name)
        return getattr(self._base, name)

    def grads(self, x: Any) -> Any:
        return self._edit(self._base.grads, x)

    def grad(self, x: Any) -> Any:
        return self._edit(lambda z: self._base.grad(z[..., 0, :])[..., None, :], x[..., None, :])[..., 0, :]

    def at(self, clients: Any) -> "AlteredProblem":
        return AlteredProblem(self._base.at(clients), self._edit)

    def on(self, xi: Any) -> "AlteredProblem":
        return AlteredProblem(self._base.on(xi), self._edit)


def unwrap(method: Any) -> Any:
    """The method under any number of `Altered` layers; lenses ask it when they check a type."""
    while isinstance(method, Altered):
        method = method.base
    return method


# ------------------------------------------------------------------ on the statement


def statement_with(name: str, **fields: Any) -> Twin:
    """Replace fields of the statement."""
    return Twin(name, lambda statement, P, m: (replace(statement, **fields), P, m))


def _on(name: str, field: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Twin:
    def edit(statement: Any, P: Any, m: Any) -> tuple[Any, Any, Any]:
        return replace(statement, **{field: wrap(getattr(statement, field))}), P, m

    return Twin(name, edit)


def rate_gap(factor: float) -> Twin:
    """1 - rate times `factor`, in every branch."""
    return _on(
        f"rate gap x {factor:g}",
        "rate",
        lambda rate: lambda P, m: tuple(1 - factor * (1 - r) for r in branches(rate(P, m))),
    )


def rate_is(name: str, rate: Callable[..., Any]) -> Twin:
    """Another formula for the rate."""
    return statement_with(name, rate=rate)


def branch_dropped(k: int) -> Twin:
    """The rate without its k-th branch."""
    return _on(
        f"branch {k} of the rate dropped",
        "rate",
        lambda rate: lambda P, m: tuple(r for j, r in enumerate(branches(rate(P, m))) if j != k),
    )


def noise_times(factor: float) -> Twin:
    return _on(f"noise x {factor:g}", "noise", lambda noise: lambda P, m: factor * noise(P, m))


def bound_times(factor: float) -> Twin:
    def scale(bound: Any) -> Any:
        if isinstance(bound, tuple):
            return tuple(_scaled(term, factor) for term in bound)
        return factor * bound

    return _on(f"bound x {factor:g}", "bound", lambda bound: lambda *args: scale(bound(*args)))


def _scaled(term: Any, factor: float) -> Any:
    return replace(term, weight=factor * term.weight) if hasattr(term, "weight") else factor * term


def progress_times(factor: float) -> Twin:
    return _on(
        f"progress x {factor:g}",
        "progress",
        lambda progress: lambda *args: tuple(_scaled(term, factor) for term in progress(*args)),
    )


def weight_times(k: int, factor: float) -> Twin:
    """The weight of the k-th term of V changed."""
    return _on(
        f"weight {k} of V x {factor:g}",
        "lyapunov",
        lambda V: lambda *args: tuple(_scaled(t, factor) if j == k else t for j, t in enumerate(V(*args))),
    )


# ------------------------------------------------------------------ on the parameters


def field_times(field: str, factor: float) -> Twin:
    """A parameter multiplied, and the hypothesis on parameters lifted."""

    def edit(statement: Any, P: Any, m: Any) -> tuple[Any, Any, Any]:
        return replace(statement, allows=always), P, replace(m, **{field: factor * getattr(m, field)})

    return Twin(f"{field} x {factor:g}", edit)


def with_fields(name: str, fields: Callable[..., dict[str, Any]]) -> Twin:
    """Other parameters, fields(P, m) -> {name: value}, and the hypothesis lifted."""

    def edit(statement: Any, P: Any, m: Any) -> tuple[Any, Any, Any]:
        return replace(statement, allows=always), P, replace(m, **fields(P, m))

    return Twin(name, edit)


# ------------------------------------------------------------------ on the method and the oracle


def step_edit(name: str, edit: Callable[..., Any]) -> Twin:
    """edit(problem, state, draw, new) -> new, applied after the true step."""
    return Twin(name, lambda statement, P, m: (statement, P, Altered(m, edit)))


def update_times(field: str, factor: float) -> Twin:
    """A state field's update scaled: h' = h + factor (step(h) - h); 0 forgets it."""

    def edit(problem: Any, state: Any, draw: Any, new: Any) -> Any:
        old, now = getattr(state, field), getattr(new, field)
        return new._replace(**{field: old + factor * (now - old)})

    return step_edit(f"update of {field} x {factor:g}", edit)


def rolled(field: str) -> Twin:
    """A state field's update goes to the wrong client (the next one)."""

    def edit(problem: Any, state: Any, draw: Any, new: Any) -> Any:
        old, now = getattr(state, field), getattr(new, field)
        return new._replace(**{field: old + namespace(now).roll(now - old, 1, axis=-2)})

    return step_edit(f"update of {field} rolled by one client", edit)


def law_with(name: str, law: Callable[..., Any]) -> Twin:
    """law(problem, method) -> Law; the step keeps the true parameters."""
    return Twin(
        name, lambda statement, P, m: (statement, P, Altered(m, law_of=lambda problem: law(problem, m)))
    )


def oracle(name: str, edit: Callable[..., Any]) -> Twin:
    """Gradients that lie to `step` only: edit(true_oracle, x) -> gradients."""
    return Twin(
        name,
        lambda statement, P, m: (
            statement,
            P,
            Altered(m, sees=lambda problem: AlteredProblem(problem, edit)),
        ),
    )
