"""Families of compressors, and every operator at one input.

permk_ab        E|mean_i C_i(a_i) - a|^2 = A mean_i |a_i|^2 - B |a|^2, a = mean_i a_i, for PermK: A = B = 1 if d >= n,
                (d - 1)/(n - 1) if d divides n.  Both inequalities are claimed.

classes_equal   With G = |v|^2, P = <E C(v), v>, S = E|C(v)|^2 and r = sqrt(1 - alpha):

    B1(alpha, beta)  alpha G <= S <= beta P            implies  B2(alpha/beta, beta),  C/beta in B(alpha/beta^2)
    B2(gamma, beta)  gamma G <= P, S <= beta P         implies  B1(gamma^2, beta),     C/beta in B(gamma/beta)
    B(alpha)         S + alpha G <= 2 P                implies  B1(alpha^2/4, 2), B2(alpha/2, 2),
                                                       (1 - r) G <= P,  (1 - r)^2 G <= S <= (1 + r)^2 G

Each implication is one inequality without hypotheses, conclusion <= sum of multipliers times hypotheses, at every
triple (v, E C(v), noise): these are all operators, so nothing is left to check.  The sharp ones use

    (1 - r) G - P <= Q/(2r),   S - (1 + r)^2 G <= Q (1 + r)/r,   (1 - r)^2 G - S <= Q (1 - r)/r,   Q = S + alpha G - 2 P.

Szlendak, Tyurin, Richtárik (arXiv:2110.03300); Beznosikov et al. (arXiv:2002.12410).
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from proveout.arrays import Array, mean_clients, sqnorm
from proveout.methods.blocks.compressors import IndependentPermK, PermK
from proveout.methods.blocks.compressors.anything import AtOneInput
from proveout.theory.compressors.classes import SOURCE
from proveout.theory.statement import Membership, Twin
from proveout.theory.twins import statement_with

__all__ = ["CLASSES_EQUAL", "PERMK_AB"]

PLUS = 50.0


# ------------------------------------------------------------------ AB inequality


def ab_sides(factor: float = 1.0, weight: float = 1.0, edit: Callable[..., Array] | None = None) -> Any:
    """u (..., n, d); the second claim is the first the other way round."""

    def sides(block: PermK, u: Array, draw: Any) -> tuple[Array, Array]:
        sent = block(u, draw) if edit is None else edit(block, u, draw)
        A, B = block.ab(u.shape[-1])
        off = sqnorm(mean_clients(sent - u), core=2)
        bound = factor * A * sqnorm(u, core=2) / u.shape[-2] - weight * B * sqnorm(mean_clients(u), core=2)
        bound = bound + 0 * off
        return np.stack([off, bound], axis=-1), np.stack([bound, off], axis=-1)

    return sides


def _single(block: PermK, u: Array, draw: Any) -> Array:
    """Every client sends the coordinates that client 0 owns, scaled: one partition, not shared out."""
    sent = block(u[..., :1, :] + 0 * u, draw)[..., :1, :]
    hit = sent != 0
    return (block.omega(u.shape[-1]) + 1) * u * hit


def _independent(statement: Any, P: Any, m: PermK) -> tuple[Any, Any, PermK]:
    if m.clients > 3:
        raise ValueError("too many draws")
    return replace(statement, dims=(m.clients,)), P, IndependentPermK(clients=m.clients)


PERMK_AB = Membership(
    source="Szlendak et al. (arXiv:2110.03300)",
    method=PermK,
    sides=ab_sides(),
    constant=lambda block, d: 1.0,
    shape=lambda block, d: (block.clients, d),
    dims=(2, 3, 4),
    least=True,
    tune=lambda P=None, clients=3: PermK(clients=clients),
    claim=r"E\|\tfrac1n\sum C_i(a_i)-\bar a\|^2=A\,\tfrac1n\sum\|a_i\|^2-B\|\bar a\|^2",
    twins=(
        statement_with("A 5 % less", sides=ab_sides(factor=0.95)),
        statement_with("B 5 % more", sides=ab_sides(weight=1.05)),
        statement_with("every client owns the same coordinates", sides=ab_sides(edit=_single)),
        Twin("independent permutations", _independent),
        statement_with("B = 0", sides=ab_sides(weight=0.0)),
    ),
)


# ------------------------------------------------------------------ implications between classes


def class_sides(sharper: float = 1.0, loosest: float = 1.0) -> Any:
    """u (..., 3, d) is (v, E C(v), noise); twins make the sharp constants, or those of B1 and B2, better than they are."""

    def sides(block: AtOneInput, u: Array, draw: Any) -> tuple[Array, Array]:
        v, C = u[..., 0, :], block(u, draw)
        G, P, S = sqnorm(v), (C * v).sum(axis=-1), sqnorm(C)
        a, b, c = block.alpha_one, block.beta, block.gamma
        low, high = a * G - S, S - b * P  # B1
        steep = c * G - P  # B2, with `high`
        Q, r = S + block.alpha * G - 2 * P, math.sqrt(1 - block.alpha)
        few, many = 1 - r / sharper, 1 + r / sharper
        claims = (
            (loosest * a / b * G - P, (low + high) / b),
            (S / b**2 - 2 * P / b + loosest * a / b**2 * G, (low + 2 * high) / b**2),
            (loosest * c**2 * G - S, 2 * c * steep),
            (S / b**2 - 2 * P / b + loosest * c / b * G, high / b**2 + steep / b),
            (loosest * block.alpha / 2 * G - P, Q / 2),
            (S - 2 * P, Q),
            (few * G - P, Q / (2 * r)),
            (S - many**2 * G, Q * (1 + r) / r),
            (few**2 * G - S, Q * (1 - r) / r),
        )
        plus = PLUS * sqnorm(u, core=2)  # on both sides, so that they are >= 0
        left, right = (np.stack([x + plus for x in side], axis=-1) for side in zip(*claims, strict=True))
        return left, right

    return sides


CLASSES_EQUAL = Membership(
    source=SOURCE + "; sharp constants by direct proof",
    method=AtOneInput,
    sides=class_sides(),
    constant=lambda block, d: 1.0,
    shape=lambda block, d: (3, d),
    dims=(1, 2),
    tune=lambda P=None, **constants: AtOneInput(**constants),
    claim=r"B^1(\alpha,\beta)\Rightarrow B^2(\tfrac\alpha\beta,\beta),\ B^2(\gamma,\beta)\Rightarrow B^1(\gamma^2,\beta),\ "
    r"B(\alpha)\Rightarrow\langle EC,v\rangle\ge(1-\sqrt{1-\alpha})\|v\|^2",
    twins=(
        statement_with("sqrt(1 - alpha) 5 % less", sides=class_sides(sharper=1.05)),
        statement_with("constants of B1 and B2 5 % more", sides=class_sides(loosest=1.05)),
    ),
)
