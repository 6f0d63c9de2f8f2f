"""Altered rounds of FedAvg, for red twins."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from proveout.theory.statement import Method, Problem, State, Twin
from proveout.theory.twins import Altered, step_edit, unwrap

__all__ = ["fresh_step", "no_division", "one_local_step"]


def _undivided(P: Problem, state: State, draw: Any, new: State) -> State:
    """The sum of the local gradients in place of their mean; 1.5 times the move where there is one local step."""
    K = draw.data.shape[-1] if draw.data.ndim > 1 else 1
    return new._replace(x=state.x + max(K, 3.0) * (new.x - state.x))


no_division = step_edit("the move is not divided by gamma K", _undivided)


def fresh_step(name: str, cohort: Callable[[Any], int]) -> Twin:
    """The step draws cohorts of another size; the claim keeps its own."""

    def edit(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
        other = replace(unwrap(m), cohort=cohort(m))

        def step(problem: Problem, state: State, draw: Any, new: State) -> State:
            return other.step(problem, state, draw)

        return statement, P, _Stepped(m, step, other.law)

    return Twin(name, edit)


class _Stepped(Altered):
    """A method whose step is another one; the true step is not asked."""

    def step(self, problem: Any, state: Any, draw: Any) -> Any:
        return self.edit(problem, state, draw, None)  # type: ignore[misc]


def one_local_step(m: Method) -> Altered:
    """A single local step of the same length in every round."""
    short = replace(unwrap(m), local_steps=1)
    return _Stepped(m, lambda problem, state, draw, new: short.step(problem, state, draw), short.law)
