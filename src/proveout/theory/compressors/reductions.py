"""Limit cases of the operators, what a message costs, and why contraction does not survive an average.

reductions   all coordinates kept, p = 1, one client, one column, blocks of size 1, d = 1: the identity;
             exponential dithering with one level is linear dithering, with many (and a norm that is a power of two)
             natural compression; rank 1 of a diagonal matrix is top-1
bits         what a message needs, counted on the messages: reals 32, indices ceil(log2 d) where they must travel,
             1 + 8 for a power of two, one sign and ceil(log2(s + 1)) for a level

contraction_does_not_average   f_i(x) = <a_i, x>^2 + |x|^2/4, a_i = (2, 2, 2) - 5 e_i, n = d = 3: every top-1 message
             is contractive with alpha = 1/3, and from (t, t, t) their average is -(11/6) x:
             x^k = (1 + 11 gamma/6)^k x^0 for every gamma > 0

The vectors that are compressed are the clients' gradients along a run.  Beznosikov et al. (arXiv:2002.12410), Example 1.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.methods.blocks import compressors as cb
from proveout.methods.blocks.compressors.blockwise import Blocks
from proveout.methods.compressors import Averaged
from proveout.problems.quadratics import Quadratics
from proveout.theory.compressors.classes import SOURCE
from proveout.theory.statement import Identity, Method, NonImplication, Path, Problem
from proveout.theory.twins import statement_with

__all__ = ["BITS", "CONTRACTION_DOES_NOT_AVERAGE", "REDUCTIONS", "example"]

MANY = 60  # levels, as good as infinitely many
SMALL = 8  # coordinates on the diagonal of a matrix


def gradients_of(P: Problem, path: Path) -> Array:
    """(T, n, d)."""
    return np.stack([P.grads(s.x[..., None, :]) for s in path.states[:-1]])


def draws_of(path: Path) -> Array:
    """Uniform numbers (T, n, d)."""
    return np.stack([d.message for d in path.draws])


def _run(P: Problem) -> Averaged:
    return Averaged(compressor=cb.Natural(), gamma=0.5 / P.L_max)


# ------------------------------------------------------------------ limit cases


def reduction_sides(short: int = 0, levels: int = MANY, p: float = 1.0, p_norm: float = math.inf) -> Any:
    """Twins: one coordinate fewer, few levels, a coin, another norm."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        X, u, d = gradients_of(P, path), draws_of(path), P.d
        order = np.broadcast_to(np.arange(d - short), (*X.shape[:-1], d - short))
        coin = u[..., 0] < p
        one = X[..., :1]
        unit = X / np.where(abs(X).max(axis=-1, keepdims=True) > 0, abs(X).max(axis=-1, keepdims=True), 1.0)
        few = X[..., :SMALL]
        eye = np.eye(few.shape[-1])
        diagonal = (few[..., None, :] * eye).reshape(*X.shape[:-1], -1)
        top = (cb.TopK(k=1)(few, None)[..., None, :] * eye).reshape(diagonal.shape)
        blocks = cb.Blockwise(compressor=cb.ScaledSign(), size=1)
        whole = cb.Blockwise(compressor=cb.ScaledSign(), size=d)
        owner = np.zeros((len(X), d), dtype=int)
        pairs = (
            (cb.TopK(k=d - short)(X, None), X),
            (cb.RandK(k=d - short)(X, order), X),
            (cb.BiasedRandK(k=d - short)(X, order), X),
            (cb.Lazy(p=p)(X, coin), X),
            (cb.BiasedLazy(p=p)(X, coin), X),
            (cb.Bernoulli(probs=1.0)(X, u < 1), X),
            (cb.PermK(clients=1)(X[:, :1], owner), X[:, :1]),
            (cb.LowRank(rank=1, rows=d)(X, None), X),
            (blocks(X, Blocks(None, None)), X),
            (whole(X, Blocks(None, None)), cb.ScaledSign()(X, None)),
            *((C(one, None), one) for C in (cb.TopK(k=1), cb.ScaledSign(), cb.NormSign())),
            (cb.RandK(k=1)(one, np.zeros(one.shape, dtype=int)), one),
            (cb.ExponentialDithering(levels=1)(X, u), cb.qsgd(1)(X, u)),
            (cb.ExponentialDithering(levels=1, p=p_norm)(X, u), cb.ternary()(X, u)),
            (cb.ExponentialDithering(levels=levels, p=math.inf)(unit, u), cb.Natural()(unit, u)),
            (cb.LowRank(rank=1, rows=len(eye))(diagonal, None), top),
        )
        left, right = zip(*pairs, strict=True)
        return np.concatenate([a.ravel() for a in left]), np.concatenate([b.ravel() for b in right])

    return sides


REDUCTIONS = Identity(
    source=SOURCE + "; limit cases",
    method=Averaged,
    allows=lambda P, m: P.d >= 2,
    sides=reduction_sides(),
    steps=3,
    tune=_run,
    claim=r"k=d,\ p=1,\ n=1,\ q=1:\ C(v)=v;\quad s=1:\ \text{exponential}=\text{linear};\ \dots",
    twins=(
        statement_with("one coordinate is missing", sides=reduction_sides(short=1)),
        statement_with("two levels for natural compression", sides=reduction_sides(levels=2)),
        statement_with("p = .9", sides=reduction_sides(p=0.9)),
        statement_with("the Euclidean norm for ternary", sides=reduction_sides(p_norm=2.0)),
    ),
)


# ------------------------------------------------------------------ bits


def bit_sides(index: float = 1.0, exponent: int = 8, levels: int = 1) -> Any:
    """Left what the block says, right what its message needs.  Twins leave something out."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        X, u, d = gradients_of(P, path)[:, :1], draws_of(path)[:, :1], P.d
        X = np.where(X == 0, 1e-3, X)
        address = index * math.ceil(math.log2(d))
        first = np.broadcast_to(np.arange(2), (*X.shape[:-1], 2))
        counted = []

        def add(block: Any, sent: Array, need: Any) -> None:
            counted.append((block.bits(d), max(float(need(row)) for row in sent[:, 0])))

        def reals(bits: float) -> Any:
            return lambda row: np.count_nonzero(row) * bits

        def grid(row: Array, base: float, few: int) -> float:
            """A norm, then a sign and a number of levels each; 0 if the levels do not fit."""
            return cb.FLOAT_BITS + len(row) * (1 + math.ceil(math.log2(few + levels)))

        for k in (1, 2):
            add(cb.TopK(k=k), cb.TopK(k=k)(X, None), reals(cb.FLOAT_BITS + address))
            add(cb.RandK(k=k), cb.RandK(k=k)(X, first[..., :k]), reals(cb.FLOAT_BITS))
            add(cb.BiasedRandK(k=k), cb.BiasedRandK(k=k)(X, first[..., :k]), reals(cb.FLOAT_BITS))
        add(cb.Identity(), X, reals(cb.FLOAT_BITS))
        add(cb.Adaptive(), cb.Adaptive()(X, u[..., 0]), reals(cb.FLOAT_BITS + address))
        add(cb.ScaledSign(), cb.ScaledSign()(X, None), lambda row: cb.FLOAT_BITS + np.count_nonzero(row))
        add(cb.Sign(), cb.Sign()(X, None), np.count_nonzero)
        add(cb.Natural(), cb.Natural()(X, u), lambda row: _powers(row) * (1 + exponent))
        add(cb.NearestPower(), cb.NearestPower()(X, None), lambda row: _powers(row) * (1 + exponent))
        add(
            cb.ternary(), cb.ternary()(X, u), lambda row: cb.FLOAT_BITS + len(row) * math.log2(3 - 1 + levels)
        )
        for s in (2, 5):
            add(cb.qsgd(s), cb.qsgd(s)(X, u), lambda row, s=s: grid(row, 1, s))
            C = cb.ExponentialDithering(levels=s)
            add(C, C(X, u), lambda row, s=s: grid(row, 2, s))
        low = cb.LowRank(rank=1, rows=d)
        add(low, low(X, None), lambda row: cb.FLOAT_BITS * (len(row) + 1))
        left, right = zip(*counted, strict=True)
        return np.array(left), np.array(right)

    return sides


def _powers(row: Array) -> int:
    """How many entries are powers of two up to sign."""
    return int((np.frexp(abs(row))[0] == 0.5).sum())


BITS = Identity(
    source=SOURCE + "; Horváth et al. (arXiv:1905.10988)",
    method=Averaged,
    allows=lambda P, m: P.d >= 3,
    sides=bit_sides(),
    steps=3,
    tune=_run,
    claim=r"\text{top-}k:\ k(32+\lceil\log_2d\rceil),\ \text{natural}:\ 9d,"
    r"\ \text{dithering}:\ 32+d(1+\lceil\log_2(s+1)\rceil),\ \dots",
    twins=(
        statement_with("index bits left out", sides=bit_sides(index=0.0)),
        statement_with("7 bits of exponent", sides=bit_sides(exponent=7)),
        statement_with("the level 0 left out", sides=bit_sides(levels=0)),
    ),
)


# ------------------------------------------------------------------ an average of contractive messages


def example(clients: int = 3) -> Quadratics:
    """The first `clients` of the three functions."""
    a = 2 - 5 * np.eye(3)[:clients]
    return Quadratics(A=2 * a[:, :, None] * a[:, None, :] + np.eye(3) / 2, b=np.zeros((clients, 3)))


def expected(P: Problem, m: Averaged, x: Array) -> tuple[Array, Array, Array]:
    """Probabilities, the clients' gradients and their messages for every draw, at x: (K,), (n, d), (K, n, d)."""
    prob, draw = m.law(P).atoms()
    v = P.grads(x[None, :])
    return prob, v, np.broadcast_to(m.compressor(v[None], draw.message), (len(prob), *v.shape))


@dataclass(frozen=True)
class EachContracts:
    """Every client's message, at the start, has error E|C(v) - v|^2 <= (1 - alpha)|v|^2 with the block's alpha."""

    def least(self, P: Problem, m: Averaged) -> float | None:
        prob, v, sent = expected(P, m, np.ones(P.d))
        rest = 1 - (prob @ sqnorm(sent - v)) / sqnorm(v)
        alpha = float(m.compressor.alpha(P.d))
        return alpha if alpha > 0 and rest.min() >= alpha * (1 - 1e-12) else None


@dataclass(frozen=True)
class AverageDescends:
    """There is a step size with which the averaged message does not increase E f, from (t, t, t)."""

    steps: tuple[float, ...] = (1.0, 1e-2, 1e-4, 1e-6)  # multiples of 1/L_max

    def least(self, P: Problem, m: Averaged) -> float | None:
        """The least E f(x+)/f(x), or None if all exceed 1.  All f_i are homogeneous: the scale t does not matter."""
        x = np.ones(P.d)
        prob, _, sent = expected(P, m, x)
        ratios = []
        for share in self.steps:
            after = x - share / P.L_max * sent.mean(axis=-2)
            ratios.append(float(prob @ P.value(after) / P.value(x)))
        return min(ratios) if min(ratios) < 1 else None


def _witness(compressor: Any = None, clients: int = 3) -> Any:
    def make() -> tuple[Problem, Averaged]:
        return example(clients), Averaged(compressor=compressor or cb.TopK(k=1), gamma=0.01)

    return make


CONTRACTION_DOES_NOT_AVERAGE = NonImplication(
    source="Beznosikov et al. (arXiv:2002.12410), Example 1",
    given=EachContracts(),
    then=AverageDescends(),
    witness=_witness(),
    claim=r"C_i\in B(\alpha)\not\Rightarrow\tfrac1n\sum_iC_i(\nabla f_i)\text{ descends}:\ x^k=(1+\tfrac{11}{6}\gamma)^kx^0",
    twins=(
        statement_with("rand-1, not scaled", witness=_witness(cb.BiasedRandK(k=1))),
        statement_with("n = 1", witness=_witness(clients=1)),
        statement_with("all coordinates", witness=_witness(cb.TopK(k=3))),
    ),
)
