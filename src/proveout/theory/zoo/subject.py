"""What is asked: an estimator, however it was written.

    an estimator         law(problem) and (problem, x, draw) -> g       (methods/blocks/estimators)
    outcomes             (problem, x) -> [(probability, g), ...]        exact
    a sampler            (problem, x, rng) -> g                         sampled

A method with a field `estimator` stands for its estimator.  All three answer `outcomes(problem, x)`:
probabilities (N, K) and estimates (N, K, d) at points x (N, d).
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.laws import moment_atoms, reported_weights
from proveout.theory.statement import Problem

__all__ = ["ATOMS", "SAMPLES", "Subject", "subject"]

ATOMS = 200_000  # draws that are enumerated, at most
SAMPLES = 4096  # draws of a law that cannot be
CALLS = 400  # calls of a sampler at one point
CHUNK = 4_000_000  # floats of one call
UNIT = 1e-9  # by which probabilities may miss 1


@dataclass(frozen=True, eq=False)
class Subject:
    """An estimator as the zoo sees it."""

    estimator: Any
    outcomes: Callable[[Problem, Array], tuple[Array, Array]]  # x (N, d) -> (N, K), (N, K, d)
    exact: bool  # all outcomes with their probabilities, or a sample of them?
    cheap: bool  # one call for a whole batch of points?

    @property
    def name(self) -> str:
        e = self.estimator
        return str(getattr(e, "__name__", None) or type(e).__name__)


def subject(estimator: Any, P: Problem, seed: int = 0) -> Subject:
    """The estimator as it is asked on problem P.

    Raises ValueError if it is none.
    """
    if isinstance(estimator, Subject):
        return estimator
    if hasattr(estimator, "estimator") and hasattr(estimator, "step"):
        estimator = estimator.estimator
    if isinstance(estimator, type):
        estimator = _made(estimator)
    if hasattr(estimator, "law") and callable(estimator):
        return _lawful(estimator, P, seed)
    asked = _positional(estimator) if callable(estimator) else None
    if asked == 2:
        return Subject(estimator, _listed(estimator), exact=True, cheap=False)
    if asked == 3:
        return Subject(estimator, _sampled(estimator, seed), exact=False, cheap=False)
    raise ValueError(
        f"estimator must be an object with law(problem) and (problem, x, draw) -> g, a function outcomes(problem, x) "
        f"-> [(probability, g), ...], or a function (problem, x, rng) -> g; got {_words(estimator, asked)}"
    )


def _words(estimator: Any, asked: int | None) -> str:
    if asked is None:
        return f"{type(estimator).__name__}, which cannot be called"
    return f"a function of {asked} argument{'' if asked == 1 else 's'}"


def _made(kind: Any) -> Any:
    try:
        return kind()
    except TypeError as error:
        raise ValueError(f"estimator must be an instance, got the class {kind.__name__} ({error})") from None


def _positional(function: Any) -> int:
    """How many arguments it wants."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)


# ------------------------------------------------------------------ estimators with a law


def _lawful(estimator: Any, P: Problem, seed: int) -> Subject:
    prob, draw, exact = _atoms(estimator, P, seed)

    def outcomes(problem: Problem, x: Array) -> tuple[Array, Array]:
        K, d = len(prob), x.shape[-1]
        columns = max(1, CHUNK // max(1, len(x) * d))
        parts = [
            _asked(estimator, problem, x, prob[k : k + columns], _cut(draw, k, k + columns))
            for k in range(0, K, columns)
        ]
        weights, g = zip(*parts, strict=True)
        return np.concatenate(weights, axis=1), np.concatenate(g, axis=1)

    return Subject(estimator, outcomes, exact=exact, cheap=True)


def _atoms(estimator: Any, P: Problem, seed: int) -> tuple[Array, Any, bool]:
    """(probabilities, draws, are these all?)"""
    law = estimator.law(P)
    try:
        count = float(law.count)
    except (AttributeError, TypeError, ValueError):
        count = math.inf
    if count <= ATOMS:
        prob, draw = law.atoms()
        keep = np.asarray(prob) > 0
        return np.asarray(prob, float)[keep], tree_map(lambda a: np.asarray(a)[keep], draw), True
    if hasattr(law, "moments") and _affine_in_draw(estimator, P, law):
        prob, draw = moment_atoms(law)  # only the first two moments of the draw enter
        return prob, draw, True
    draw = law.sample(np.random.default_rng(seed), (SAMPLES,))
    return np.full(SAMPLES, 1 / SAMPLES), draw, False


def _affine_in_draw(estimator: Any, P: Problem, law: Any) -> bool:
    """g(u + v) - g(u) - g(v) + g(0) = 0 for draws u, v."""
    rng = np.random.default_rng(3)
    u, v = (np.asarray(law.sample(rng, (8,)), float) for _ in range(2))
    x = P.x_star + rng.standard_normal((8, P.d)) * 10.0 ** rng.integers(-2, 3, (8, 1))
    one, two, both, none = (np.asarray(estimator(P, x, w)) for w in (u, v, u + v, 0 * u))
    size = np.abs(one).max() + np.abs(two).max() + np.abs(none).max()
    return bool(np.abs(both - one - two + none).max() <= 1e-9 * size)


def _cut(draw: Any, first: int, end: int) -> Any:
    """Draws with the leading axes (1, end - first)."""
    return tree_map(lambda a: np.asarray(a)[None, first:end], draw)


def _asked(estimator: Any, P: Problem, x: Array, prob: Array, draw: Any) -> tuple[Array, Array]:
    """(N, k) probabilities, those that `pick` reports included, and (N, k, d) estimates."""
    with np.errstate(all="ignore"), reported_weights() as reports:
        g = np.asarray(estimator(P, x[:, None, :], draw))
    shape = (len(x), len(prob))
    weight = np.broadcast_to(prob, shape)
    for report in reports:
        weight = weight * report.reshape(*report.shape[:2], -1).prod(axis=-1)
    try:
        full = np.broadcast_to(g, (*shape, x.shape[-1]))
    except ValueError:
        raise ValueError(
            f"estimator must return g of shape {(*shape, x.shape[-1])} for x {x[:, None].shape} and draws "
            f"with the leading axes (1, {len(prob)}), got {g.shape}"
        ) from None
    return np.asarray(weight), np.where(weight[..., None] > 0, full, 0.0)


# ------------------------------------------------------------------ functions


def _listed(function: Any) -> Any:
    def outcomes(P: Problem, x: Array) -> tuple[Array, Array]:
        rows = [_row(function(P, point), point) for point in x]
        K = max(len(p) for p, _ in rows)
        prob, g = np.zeros((len(x), K)), np.zeros((len(x), K, x.shape[-1]))
        for i, (p, values) in enumerate(rows):
            prob[i, : len(p)], g[i, : len(p)] = p, values
        return prob, g

    return outcomes


def _row(answer: Any, x: Array) -> tuple[Array, Array]:
    """The outcomes at one point."""
    try:
        pairs = [(float(p), np.asarray(g, float)) for p, g in answer]
    except (TypeError, ValueError):
        raise ValueError(
            f"outcomes(problem, x) must return pairs (probability, g), got {type(answer).__name__}"
        ) from None
    for _, g in pairs:
        if g.shape != x.shape:
            raise ValueError(f"outcomes(problem, x): g must have the shape {x.shape} of x, got {g.shape}")
    p = np.array([p for p, _ in pairs])
    if not len(p) or not (p >= 0).all() or abs(p.sum() - 1) > UNIT:
        raise ValueError(
            f"outcomes(problem, x): probabilities must be >= 0 and sum to 1, got {p} of sum {p.sum()}"
        )
    return p, np.stack([g for _, g in pairs])


def _sampled(function: Any, seed: int) -> Any:
    """The same seeds at every point."""

    def outcomes(P: Problem, x: Array) -> tuple[Array, Array]:
        g = np.empty((len(x), CALLS, x.shape[-1]))
        for i, point in enumerate(x):
            rng = np.random.default_rng(seed)
            for k in range(CALLS):
                one = np.asarray(function(P, point, rng), float)
                if one.shape != point.shape:
                    raise ValueError(
                        f"(problem, x, rng) -> g: g must have the shape {point.shape} of x, got {one.shape}"
                    )
                g[i, k] = one
        return np.full(g.shape[:2], 1 / CALLS), g

    return outcomes
