"""Aggregation rules: limit cases, symmetries, and the identity behind every conversion of constants.

The messages are those of a run without attack (`RobustMomentumSGD`): N rows, their mean m, V = mean_i |x_i - m|^2.

    reductions     trimmed mean with 0 cut: the mean; with floor((N - 1)/2) cut: the median; centered clipping with
                   every message within the radius: the mean; all messages equal a: every rule returns a
    equivariance   A(a X + s) = a A(X) + s for every rule (radius and center move along); rotations for the mean
                   and centered clipping
    pair_spread    mean over pairs i != j of |x_i - x_j|^2 = 2 N V/(N - 1)

Allouah et al. (arXiv:2302.01772) and Karimireddy et al. (arXiv:2012.10333) for the two notions of robustness;
pair_spread converts one into the other: c delta = kappa (n_good - 1)/(2 n_good).
"""

from typing import Any

import numpy as np

from proveout.arrays import Array, norm, sqnorm
from proveout.methods.blocks.aggregators import CenteredClip, CoordinateMedian, Mean, TrimmedMean
from proveout.methods.centered_clip import RobustMomentumSGD
from proveout.theory.statement import Identity, Method, Path, Problem
from proveout.theory.twins import statement_with

__all__ = ["EQUIVARIANCE", "PAIR_SPREAD", "REDUCTIONS"]

SOURCE = "Allouah et al. (arXiv:2302.01772)"


def messages_of(path: Path) -> Array:
    """What the workers sent in every round: (T, ..., N, d)."""
    return np.stack([s.u for s in path.states[1:]])


def _run(P: Problem, beta: float = 0.5) -> RobustMomentumSGD:
    return RobustMomentumSGD(gamma=0.5 / P.L_max, beta=beta, rule=Mean())


# ------------------------------------------------------------------ limit cases


def reduction_sides(cut: int = 0, share: float = 1.0) -> Any:
    """Sides; twins cut `cut` rows more, or clip at a share of the largest distance."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        X = messages_of(path)
        N, center = X.shape[-2], X[..., 0, :]
        reach = share * norm(X - center[..., None, :]).max(axis=-1)[..., None, None]
        mean, median = Mean()(X, 0, center, None), CoordinateMedian()(X, 0, center, None)
        equal = np.broadcast_to(X[..., :1, :], X.shape)
        most = (N - 1) // 2
        left = (
            TrimmedMean()(X, cut, center, None),
            TrimmedMean()(X, most - cut, center, None),
            CenteredClip(lam=1.0).inner(X, center, reach),
            TrimmedMean()(equal, most, center, None),
            CoordinateMedian()(equal, 0, center, None),
            CenteredClip(lam=1.0)(equal, 0, center, None),
        )
        return np.stack(left), np.stack([mean, median, mean, center, center, center])

    return sides


REDUCTIONS = Identity(
    source=SOURCE,
    method=RobustMomentumSGD,
    sides=reduction_sides(),
    tune=_run,
    claim=r"\mathrm{TM}_0=\mathrm{CC}_\infty=\text{mean},\ \mathrm{TM}_{\lfloor (N-1)/2\rfloor}=\text{median}",
    twins=(
        statement_with("one row too many is cut", sides=reduction_sides(cut=1)),
        statement_with("a radius of .9 of the largest distance", sides=reduction_sides(share=0.9)),
    ),
)


# ------------------------------------------------------------------ symmetries


def symmetry_sides(scaled: bool = True, turned: tuple[str, ...] = ("mean", "clip")) -> Any:
    """Sides; twins do not scale the radius, or rotate a rule that works by coordinates."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        X = messages_of(path)
        a, shift = 2.5, np.linspace(-1, 1, P.d)
        turn = np.linalg.qr(np.vander(np.linspace(1, 2, P.d)))[0]
        center = X[..., 0, :]
        reach = 0.5 * norm(X - center[..., None, :]).max(axis=-1)[..., None, None]
        rules: dict[str, Any] = {
            "mean": lambda Y, scale, c: Mean()(Y, 0, c, None),
            "median": lambda Y, scale, c: CoordinateMedian()(Y, 0, c, None),
            "trimmed": lambda Y, scale, c: TrimmedMean()(Y, 1, c, None),
            "clip": lambda Y, scale, c: CenteredClip(lam=1.0).inner(Y, c, (scale if scaled else 1) * reach),
        }
        left, right = [], []
        for name, rule in rules.items():
            R = turn if name in turned else np.eye(P.d)
            left.append(rule(a * X @ R + shift, a, a * center @ R + shift))
            right.append(a * rule(X, 1.0, center) @ R + shift)
        return np.stack(left), np.stack(right)

    return sides


EQUIVARIANCE = Identity(
    source=SOURCE,
    method=RobustMomentumSGD,
    sides=symmetry_sides(),
    tune=_run,
    claim=r"A(aX+s)=a\,A(X)+s",
    twins=(
        statement_with("radius not scaled", sides=symmetry_sides(scaled=False)),
        statement_with("the median rotates", sides=symmetry_sides(turned=("mean", "clip", "median"))),
        statement_with("the trimmed mean rotates", sides=symmetry_sides(turned=("mean", "clip", "trimmed"))),
    ),
)


# ------------------------------------------------------------------ pairs


def pair_sides(factor: Any = lambda N: 2 * N / (N - 1)) -> Any:
    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        X = messages_of(path)
        N = X.shape[-2]
        pairs = sqnorm(X[..., :, None, :] - X[..., None, :, :]).sum(axis=(-2, -1)) / (N * (N - 1))
        V = sqnorm(X - X.mean(axis=-2, keepdims=True)).mean(axis=-1)
        return pairs, factor(N) * V

    return sides


PAIR_SPREAD = Identity(
    source="Karimireddy, He, Jaggi (arXiv:2012.10333); identity by expansion",
    method=RobustMomentumSGD,
    sides=pair_sides(),
    tune=_run,
    claim=r"\frac{1}{N(N-1)}\sum_{i\ne j}\|x_i-x_j\|^2=\frac{2N}{N-1}V",
    twins=(
        statement_with("2V", sides=pair_sides(lambda N: 2.0)),
        statement_with("V", sides=pair_sides(lambda N: 1.0)),
    ),
)
