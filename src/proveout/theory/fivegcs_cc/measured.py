"""What compression and importance sampling buy, in counted rounds: claims without a formula.

Rounds are counted exactly, not sampled: E |x_t - x*|^2 by the second moments of the step (quadratics, exact solves).

The claims speak of starts off x* mostly in a direction in which all f_i have curvature mu, the slow one, and far
enough for the duals' error to weigh little; they ask for small errors.

*Compression pays* (measured).  A client that sends its vector with probability p < 1, omega = 1/p - 1, spends p d
reals per round in place of d.  Its rounds follow Z, so that reals fall like sqrt(p (1 + omega/C)): at p = 1/20 and
C >= 6 to less than one half.  If a real down costs a tenth of a real up, p = 1/C is cheaper than both ends.

*Importance pays* (measured).  Where the L_i are unequal, one draw by importance needs less than half the rounds of a
uniform one, both with their best steps.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks.compressors import Lazy
from proveout.methods.blocks.samplings import Multi
from proveout.methods.blocks.solvers import Exact
from proveout.methods.fivegcs_cc import FiveGCSAB, FiveGCSCC, State
from proveout.problems import Quadratics
from proveout.theory.fivegcs_cc.altered import no_damping, server_drops
from proveout.theory.fivegcs_cc.complexity import tune_importance, uniform_draws
from proveout.theory.fivegcs_cc.damping import flat_first
from proveout.theory.fivegcs_cc.lyapunov import SOURCE, allowed_ab, allowed_cc, each_L, psi_ab, psi_cc, star
from proveout.theory.fivegcs_cc.rules import tune_cc
from proveout.theory.statement import Complexity, Method, Problem, Square, Terms, Twin, evaluate
from proveout.theory.twins import statement_with, with_fields

__all__ = ["COMPRESSION_PAYS", "IMPORTANCE_PAYS", "rounds_to", "squared_errors"]

AFTER = 1e-2
LONGEST = 2**14  # rounds that are counted, at most
NEAR = 1e-2  # share of |x_0 - x*|^2 from which on the claims speak: before, the duals are not yet there
PRICE = 0.1  # of a real down, in reals up
END = 20  # 1/p of the rarest sender that is looked at


@lru_cache(maxsize=64)
def squared_errors(P: Quadratics, m: Any, x0: tuple[float, ...], share: float) -> Array:
    """E |x_t - x*|^2 / |x_0 - x*|^2 from x_0 with zero duals, t = 0, 1, .. until it is `share`: (T + 1,)."""
    n, d, at = P.n, P.d, star(P, m)
    scale = math.sqrt(m.gamma / float(np.max(m.gamma_dual)))  # duals in the units of x
    E = np.eye(d * (n + 1)).reshape(-1, n + 1, d)
    h = at.h + E[:, 1:] / scale
    states = State(x=(at.x + E[:, 0])[:, None], h=h[:, None], h_sum=h.sum(axis=-2)[:, None])
    prob, draw = m.law(P).atoms()
    new = m.step(P, states, _before(draw))
    full = np.broadcast_shapes(new.x.shape[:2], new.h.shape[:2], (1, len(prob)))
    x, duals = np.broadcast_to(new.x, (*full, d)) - at.x, np.broadcast_to(new.h, (*full, n, d)) - at.h
    maps = np.concatenate([x[:, :, None], scale * duals], axis=2).reshape(len(E), len(prob), -1)
    pairs = np.einsum("k,akb,ckd->bdac", prob, maps, maps, optimize=True).reshape(len(E) ** 2, -1)
    z = np.concatenate([(np.array(x0) - at.x)[None], -scale * at.h]).ravel()
    M, found = np.outer(z, z).ravel(), [1.0]
    start = float(np.sum(z[:d] ** 2))
    while found[-1] > share and len(found) <= LONGEST:
        M = pairs @ M
        found.append(float(np.trace(M.reshape(len(E), -1)[:d, :d])) / start)
    return np.array(found)


def _before(draw: Any) -> Any:
    """Atoms with a leading axis for the states."""
    return type(draw)(*(_before(a) if hasattr(a, "_fields") else np.asarray(a)[None] for a in draw))


def rounds_to(P: Quadratics, m: Any, x0: Array, share: float) -> int:
    """The round from which on E |x_t - x*|^2 <= share |x_0 - x*|^2: errors swing, so the first one is luck.

    Looked for until the error is AFTER share; LONGEST if it is not.
    """
    errors = squared_errors(P, m, tuple(np.ravel(x0).tolist()), AFTER * share)
    above = np.flatnonzero(errors > share * (1 + 1e-9))
    return int(min(above[-1] + 1, LONGEST)) if len(above) else 0


def distance(P: Problem, m: Method, state: Any) -> Terms:
    return (Square(1, state.x - P.x_star),)


def _share(P: Problem, eps: float, start: Any) -> tuple[Array, float]:
    """x_0, and eps over |x_0 - x*|^2."""
    x0 = np.reshape(start.x, (-1, P.d))[0]
    return x0, eps / float(np.sum((x0 - P.x_star) ** 2))


def _silent(psi: Any, P: Problem, m: Method, start: Any, share: float) -> bool:
    """The claims speak of small shares only, from starts off x* mostly in the flat direction, whose duals weigh no
    more in Psi than x does."""
    (x, h), off = psi(P, m, start), np.reshape(start.x - P.x_star, (-1, P.d))[0]
    heavy = bool(np.max(evaluate((h,), P)) > np.max(evaluate((x,), P)))
    return share > NEAR or heavy or bool(2 * off[0] ** 2 < off @ off)


# ------------------------------------------------------------------ compression


def total(P: Problem, cohort: int, p: float, x0: Array, share: float, price: float) -> float:
    """Reals up and price times reals down of a client that sends with probability p, until the target."""
    rule = tune_cc(P, cohort=cohort) if p == 1 else tune_cc(P, cohort=cohort, p=p)
    return float(rounds_to(P, rule, x0, share) * (p + price) * P.d)


def _reals(P: Problem, m: Method, eps: float, start: Any, gain: float = 2.0, price: float = PRICE) -> float:
    """Reals up that m may spend."""
    x0, share = _share(P, eps, start)
    if _silent(psi_cc, P, m, start, share):
        return math.inf
    p, C = m.compressor.p, m.cohort
    if p * END <= 1:
        return total(P, C, 1.0, x0, share, 0.0) / gain
    ends = min(total(P, C, q, x0, share, price) for q in (1.0, 1 / END))
    return float(ends * p / (p + price))


def _as_many_rounds(P: Problem, m: Method, eps: float, start: Any) -> float:
    """The reals of p times the rounds without compression."""
    x0, share = _share(P, eps, start)
    if _silent(psi_cc, P, m, start, share):
        return math.inf
    return float(total(P, m.cohort, 1.0, x0, share, 0.0) * m.compressor.p)


COMPRESSION_PAYS = Complexity(
    source=f"{SOURCE}, experiments; measured",
    method=FiveGCSCC,
    assumes=(flat_first,),
    allows=lambda P, m: (
        allowed_cc(P, m)
        and isinstance(m.compressor, Lazy)
        and isinstance(m.solver, Exact)
        and m.cohort >= 6
        and any(abs(m.compressor.p * k - 1) < 1e-9 for k in (END, m.cohort))
    ),
    measure=distance,
    count=_reals,
    unit="up",
    star=star,
    tune=tune_cc,
    claim=r"p=\tfrac1{20}:\ \text{half the reals up of } p=1;\quad p=\tfrac1C:\ "
    r"\text{up}+\tfrac1{10}\,\text{down below both ends}",
    twins=(
        statement_with("the rounds of p = 1", count=_as_many_rounds),
        statement_with(
            "a quarter of the reals", count=lambda P, m, eps, start: _reals(P, m, eps, start, gain=4)
        ),
        statement_with(
            "a real down costs one up", count=lambda P, m, eps, start: _reals(P, m, eps, start, price=1.0)
        ),
        no_damping,
        server_drops,
    ),
)

# ------------------------------------------------------------------ importance


def _half_of_uniform(P: Problem, m: Method, eps: float, start: Any, gain: float = 2.0) -> float:
    """Rounds of uniform draws with their own best steps, over `gain`."""
    x0, share = _share(P, eps, start)
    if _silent(psi_ab, P, m, start, share):
        return math.inf
    rival = FiveGCSAB(mu=m.mu, solver=m.solver, **uniform_draws(P, m))
    return rounds_to(P, rival, x0, share) / gain


def _equal_curvatures(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
    """Every client's curvatures above mu are stretched to L_max: all L_i are equal."""
    flat = P.mu_min * np.eye(P.d)
    stretch = (P.L_max - P.mu_min) / (each_L(P) - P.mu_min)
    same = Quadratics(A=flat + stretch[:, None, None] * (P.A - flat), b=P.b)
    return statement, same, tune_importance(same)


IMPORTANCE_PAYS = Complexity(
    source=f"{SOURCE}, experiments; measured",
    method=FiveGCSAB,
    assumes=(flat_first,),
    allows=lambda P, m: (
        allowed_ab(P, m)
        and isinstance(m.sampling, Multi)
        and m.sampling.draws == 1
        and isinstance(m.solver, Exact)
    ),
    measure=distance,
    count=_half_of_uniform,
    unit="rounds",
    star=star,
    tune=tune_importance,
    claim=r"\text{unequal } L_i,\ C=1:\ \text{importance needs at most half the rounds of uniform draws}",
    twins=(
        Twin("equal L_i", _equal_curvatures),
        with_fields("uniform draws", uniform_draws),
        statement_with(
            "a tenth of the rounds",
            count=lambda P, m, eps, start: _half_of_uniform(P, m, eps, start, gain=10),
        ),
        server_drops,
    ),
)
