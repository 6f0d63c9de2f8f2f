"""Claimed rate, certified worst case and best Lyapunov rate along one parameter of a method."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.common import worst_rate
from proveout.theory.lenses.worstcase.draws import Settings, base_problem
from proveout.theory.lenses.worstcase.lyapunov import Menu, best_weights
from proveout.theory.lenses.worstcase.question import answer, ask
from proveout.theory.lenses.worstcase.world import NotSymmetric
from proveout.theory.statement import Method, OneStep, Problem

__all__ = ["tight"]


def tight(
    statement: Any,
    problem: Problem,
    method: Method,
    field: str,
    values: Sequence[float] | Array,
    *,
    menu: Menu | str | None = "fields",
) -> dict[str, Array]:
    """Claimed rate, certified worst case and best Lyapunov rate for each value of one field of the method.

    {field, claimed, worst_low, worst_up, best_lyapunov}: arrays of one length; NaN where there is none.
    Raises Refused if the statement has no reading at all.
    """
    names = ("claimed", "worst_low", "worst_up", "best_lyapunov")
    rows: list[tuple[float, ...]] = []
    for value in values:
        try:
            rows.append(_one(statement, problem, replace(method, **{field: value}), menu, bool(rows)))
        except ValueError:  # the method refuses the value
            rows.append((math.nan,) * 4)
    table = np.array(rows).reshape(-1, 4)
    return {field: np.asarray(values, float), **{name: table[:, k] for k, name in enumerate(names)}}


def _one(
    statement: Any, problem: Problem, method: Method, menu: Menu | str | None, trusted: bool
) -> tuple[float, ...]:
    settings = Settings(trusted=trusted)
    try:
        question = ask(statement, problem, method, settings)
    except NotSymmetric:
        settings = replace(settings, full=True)
        question = ask(statement, problem, method, settings)
    interval = answer(question).interval
    best = math.nan
    if isinstance(statement, OneStep):
        claimed, _ = worst_rate(statement, base_problem(statement, problem), method)
        best = best_weights(statement, problem, method, menu=menu, settings=settings).rate
    else:
        claimed = question.claimed
    return claimed, interval.low, interval.up, best
