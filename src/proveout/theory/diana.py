"""DIANA (Mishchenko, Gorbunov, Takáč, Richtárik, arXiv:1901.09269): linear convergence with compressed differences.

Q unbiased with E|Q(v) - v|^2 <= omega |v|^2, independent over clients; each f_i L_max-smooth, mu_min-strongly convex.
If eta (1 + omega) <= 1 and gamma L_max (1 + 6 omega/n) <= 1, then

    E[Psi(next)] <= max{1 - gamma mu_min, 1 - eta/2} Psi,
    Psi = |x - x*|^2 + (4 omega gamma^2 / (n eta)) (1/n) sum_i |h_i - grad f_i(x*)|^2          (a mean over clients).

Behind it stand two second moments, equalities if E|Q(v) - v|^2 = omega |v|^2 for every v (rand-k), a_i = grad f_i(x) - h_i:

    E|x' - x*|^2        = |x - x* - gamma grad f(x)|^2 + (gamma^2 omega / n) (1/n) sum_i |a_i|^2
    E|h_i' - h*_i|^2    = |h_i - h*_i + eta a_i|^2 + eta^2 omega |a_i|^2

With the largest steps, max{kappa (1 + 6 omega/n), 2 (1 + omega)} log(Psi_0/eps) rounds are enough: the order
(kappa (1 + omega/n) + omega) log 1/eps.  At omega = 0 the shifts have no weight, and DIANA is gradient descent.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from proveout.arrays import Array, sqnorm
from proveout.laws import Joint, Law
from proveout.methods.blocks.compressors import Identity as Nothing
from proveout.methods.blocks.compressors import Lazy, RandK
from proveout.methods.diana import Diana, Draw, State
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.proxskip.altered import edited
from proveout.theory.proxskip.identities import gd_path, rolled_oracle, stacked
from proveout.theory.statement import (
    Complexity,
    Identity,
    Method,
    Number,
    OneStep,
    Path,
    Problem,
    Square,
    Terms,
    at_most,
    log_ratio,
)
from proveout.theory.twins import (
    branch_dropped,
    law_with,
    oracle,
    rate_gap,
    rolled,
    statement_with,
    update_times,
    weight_times,
    with_fields,
)

__all__ = [
    "EQUALS_GD",
    "FIXED_POINT",
    "LINEAR_CONVERGENCE",
    "ROUND_COMPLEXITY",
    "SECOND_MOMENTS",
    "omega_of",
    "psi",
    "star",
    "tune",
]

ATOMS = 4096  # draws that are enumerated along a path, at most
SOURCE = "Mishchenko, Gorbunov, Takáč, Richtárik (arXiv:1901.09269)"


def omega_of(P: Problem, m: Method) -> Number:
    """The compressor's variance in the dimension of the problem."""
    return m.compressor.omega(P.d)


def psi(P: Problem, m: Method, state: State) -> Terms:
    weight = m.gamma**2 / m.eta * 4 * omega_of(P, m) / P.n**2
    return Square(1, state.x - P.x_star), Square(weight, state.h - P.h_star, core=2)


def star(P: Problem, m: Method) -> State:
    return State(x=P.x_star, h=P.h_star)


def tune(P: Problem, k: int | None = None, p: float | None = None, share: float = 1.0) -> Diana:
    """eta = 1/(1 + omega), gamma = share / (L_max (1 + 6 omega/n)).

    k: rand-k;  p: each client sends all with probability p, else nothing;  neither: no compression.
    Raises ValueError if both are given, or if k > d.
    """
    if k is not None and p is not None:
        raise ValueError(f"give k or p, not both, got k = {k}, p = {p}")
    Q: Any = RandK(k=k) if k is not None else Lazy(p=p) if p is not None else Nothing()
    omega = Q.omega(P.d)
    return Diana(gamma=share / (P.L_max * (1 + 6 * omega / P.n)), eta=1 / (1 + omega), compressor=Q)


def _allowed(P: Problem, m: Method) -> bool:
    omega = omega_of(P, m)
    return at_most(m.eta * (1 + omega), 1) and at_most(m.gamma * P.L_max * (1 + 6 * omega / P.n), 1)


# ------------------------------------------------------------------ altered compressors


@dataclass(frozen=True)
class Unscaled:
    """A compressor times 1/(1 + omega), which says that it is the compressor itself."""

    base: Any

    def law(self, n: int, d: int) -> Law:
        law: Law = self.base.law(n, d)
        return law

    def __call__(self, x: Array, draw: Array) -> Array:
        return self.base(x, draw) / (1 + self.base.omega(x.shape[-1]))

    def omega(self, d: int) -> Number:
        return self.base.omega(d)


unscaled = with_fields(
    "compressed vectors not scaled: biased", lambda P, m: {"compressor": Unscaled(m.compressor)}
)
shared = law_with("one mask for all clients", lambda P, m: Joint(Draw(sent=m.compressor.law(1, P.d))))
no_shift = edited(
    "no shift: the gradients themselves are compressed",
    lambda P, m, state, draw, new: new._replace(x=m.step(P, state._replace(h=0 * state.h), draw).x),
)
fast_shift = with_fields("eta = 1", lambda P, m: {"eta": 1.0})
long_step = with_fields("gamma x 3", lambda P, m: {"gamma": 3 * m.gamma})
LOUDER = oracle("gradients x 1.1", lambda grads, x: 1.1 * grads(x))

# ------------------------------------------------------------------ rates

LINEAR_CONVERGENCE = OneStep(
    source=f"{SOURCE}, main theorem, with the constants derived",
    method=Diana,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: omega_of(P, m) > 0 and _allowed(P, m),
    lyapunov=psi,
    star=star,
    rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.eta / 2),
    tune=tune,
    claim=r"E\Psi^{+} \le \max\{1-\gamma\mu,\,1-\tfrac\eta2\}\,\Psi,\quad"
    r"\Psi = \|x-x^\star\|^2+\tfrac{4\omega\gamma^2}{n\eta}\,\tfrac1n\sum_i\|h_i-\nabla f_i(x^\star)\|^2",
    twins=(
        fast_shift,
        long_step,
        shared,
        unscaled,
        no_shift,
        update_times("h", 0),
        rolled("h"),
        weight_times(1, 0.25),
        rate_gap(2),
        *(branch_dropped(k) for k in range(2)),
    ),
)


def _rounds(P: Problem, m: Method, eps: float, start: State) -> float:
    """max{1/(gamma mu), 2/eta} log(Psi_0/eps)."""
    return float(max(1 / (m.gamma * P.mu_min), 2 / m.eta)) * log_ratio(psi(P, m, start), P, eps)


ROUND_COMPLEXITY = Complexity(
    source=f"{SOURCE}, corollary",
    method=Diana,
    assumes=(each_smooth, each_strongly_convex),
    allows=LINEAR_CONVERGENCE.allows,
    measure=psi,
    count=_rounds,
    unit="rounds",
    star=star,
    tune=tune,
    claim=r"E\Psi\le\varepsilon \text{ after } \max\{\kappa(1+\tfrac{6\omega}n),\,2(1+\omega)\}"
    r"\log\tfrac{\Psi^0}\varepsilon \text{ rounds}",
    twins=(
        statement_with("a third of the rounds", count=lambda *args: _rounds(*args) / 3),
        statement_with(
            "kappa rounds, as gradient descent",
            count=lambda P, m, eps, start: _rounds(P, m, eps, start) * m.gamma * P.L_max / 3,
        ),
        update_times("h", 0),
        no_shift,
        shared,
    ),
)

# ------------------------------------------------------------------ equalities


def _moments(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    """E|x' - x*|^2 and E|h_i' - h*_i|^2 at the states of a path, by enumeration and in closed form: (T, 1+n)."""
    x, h = stacked(path, "x")[:-1], stacked(path, "h")[:-1]  # (T, d), (T, n, d)
    prob, draw = m.law(P).atoms()
    new = m.step(P, State(x=x[:, None], h=h[:, None]), draw)  # (T, K, ...)
    after = np.concatenate([sqnorm(new.x - P.x_star)[..., None], sqnorm(new.h - P.h_star)], axis=-1)
    g, omega = P.grads(x[:, None, :]), omega_of(P, m)
    a = sqnorm(g - h)  # (T, n)
    moved = sqnorm(x - P.x_star - m.gamma * P.grad(x)) + m.gamma**2 * omega / P.n * a.mean(axis=-1)
    shifts = sqnorm(h - P.h_star + m.eta * (g - h)) + m.eta**2 * omega * a
    return np.tensordot(prob, after, (0, 1)), np.concatenate([moved[:, None], shifts], axis=-1)


SECOND_MOMENTS = Identity(
    source="derived; Q with E|Q(v) - v|^2 = omega |v|^2",
    method=Diana,
    allows=lambda P, m: isinstance(m.compressor, (RandK, Lazy, Unscaled)) and m.law(P).count <= ATOMS,
    steps=6,
    start=lambda P, m, rng: State(x=rng.standard_normal(P.d), h=rng.standard_normal((P.n, P.d))),
    sides=_moments,
    tune=tune,
    claim=r"E\|x^{+}-x^\star\|^2 = \|x-x^\star-\gamma\nabla f(x)\|^2+\tfrac{\gamma^2\omega}{n^2}\sum_i\|a_i\|^2,\quad "
    r"E\|h_i^{+}-h_i^\star\|^2 = \|h_i-h_i^\star+\eta a_i\|^2+\eta^2\omega\|a_i\|^2",
    twins=(shared, unscaled, no_shift, update_times("h", 0.5), rolled("h")),
)

EQUALS_GD = Identity(
    source=SOURCE,
    method=Diana,
    allows=lambda P, m: omega_of(P, m) == 0,
    start=SECOND_MOMENTS.start,
    sides=lambda P, m, path: (stacked(path, "x"), gd_path(P, m.gamma, path.states[0].x, len(path.draws))),
    tune=tune,
    claim=r"\omega = 0:\quad x^{t+1} = x^t-\gamma\nabla f(x^t)",
    twins=(
        with_fields("one coordinate is sent", lambda P, m: {"compressor": RandK(k=1)}),
        update_times("x", 0.5),
        LOUDER,
    ),
)


def _stays(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    there = np.concatenate([stacked(path, "x")[:, None], stacked(path, "h")], axis=-2)
    return there, np.concatenate([P.x_star[None], P.h_star]) + 0 * there


FIXED_POINT = Identity(
    source=SOURCE,
    method=Diana,
    steps=20,
    start=lambda P, m, rng: star(P, m),
    sides=_stays,
    tune=tune,
    claim=r"(x^\star, \nabla f_i(x^\star)) \text{ is fixed whatever is sent}",
    twins=(no_shift, rolled_oracle, LOUDER),
)
