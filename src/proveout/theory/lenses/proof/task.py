"""What is to be proved, in fractions: rate before >= after wherever every inequality is >= 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import starmap

import numpy as np

from proveout.theory.lenses.worstcase.forms import Form
from proveout.theory.verify import psd

__all__ = ["Task", "combine", "exactly", "proves", "same"]


@dataclass(frozen=True, eq=False)
class Task:
    """rate before - after >= 0 on all Gram matrices and values where every inequality is >= 0."""

    before: Form
    after: Form
    inequalities: tuple[Form, ...]
    rate: Fraction

    @property
    def target(self) -> Form:
        return self.before * self.rate - self.after

    def slack(self, multipliers: Sequence[Fraction]) -> Form:
        """rate before - after - sum_q multipliers_q inequalities_q."""
        return combine(self.target, self.inequalities, [-lam for lam in multipliers])


def combine(first: Form, forms: Sequence[Form], scales: Sequence[Fraction]) -> Form:
    """first + sum_q scales_q forms_q."""
    for form, scale in zip(forms, scales, strict=True):
        if scale:
            first = first + form * scale
    return first


def proves(task: Task, multipliers: Sequence[Fraction]) -> bool:
    """Do these multipliers prove the task, exactly?"""
    if min(multipliers, default=Fraction(0)) < 0:
        return False
    slack = task.slack(multipliers)
    if any(slack.values) or slack.noise < 0:
        return False
    return all(psd(block.tolist()) for block in slack.blocks)


def exactly(form: Form) -> Form:
    """The form with every number a Fraction; ValueError for a float among them."""

    def fraction(x: object) -> Fraction:
        if isinstance(x, (float, np.floating)):
            raise ValueError("not rational: the step or a weight makes floats of fractions")
        return Fraction(x)  # type: ignore[call-overload, no-any-return]

    each = np.frompyfunc(fraction, 1, 1)
    blocks = tuple(np.asarray(each(b.astype(object)), dtype=object).reshape(b.shape) for b in form.blocks)
    values = np.asarray(each(form.values.astype(object)), dtype=object).reshape(form.values.shape)
    return Form(blocks, values, fraction(form.noise))


def same(one: Form, other: Form) -> bool:
    """The same numbers in the same places."""
    pairs = ((one.blocks, other.blocks), ((one.values,), (other.values,)))
    return one.noise == other.noise and all(
        len(a) == len(b) and all(starmap(np.array_equal, zip(a, b, strict=True))) for a, b in pairs
    )
