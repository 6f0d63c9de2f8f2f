"""Linear convergence of TAMUNA: one iteration, one round, the server's model, noisy gradients."""

from typing import Any

from proveout.arrays import mean_clients, namespace
from proveout.laws import Geometric
from proveout.methods.tamuna import Tamuna, TamunaVirtual
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.statement import Assumption, Horizon, Method, Number, OneStep, Problem, Square, Terms
from proveout.theory.tamuna.altered import mask_off_by_one, mean_over_cohort, mean_steps_times
from proveout.theory.tamuna.lyapunov import (
    SOURCE,
    allowed,
    chi_max,
    psi,
    rate,
    shift_weight,
    shifts_sum_to_zero,
    star,
    tune,
    tune_rounds,
    worst,
)
from proveout.theory.twins import (
    branch_dropped,
    field_times,
    noise_times,
    oracle,
    progress_times,
    rate_gap,
    rate_is,
    rolled,
    statement_with,
    update_times,
    weight_times,
    with_fields,
)

__all__ = ["LINEAR_CONVERGENCE", "MODEL_CONVERGENCE", "ONE_ROUND", "STOCHASTIC_GRADIENTS"]

rolled_oracle = oracle(
    "gradients rolled by one client", lambda grads, x: namespace(x).roll(grads(x), 1, axis=-2)
)


def _cohort_rate(P: Problem, m: Method) -> tuple[Number, ...]:
    """The rate with the cohort's size in place of n."""
    return (*rate(P, m)[:2], 1 - m.p**2 * m.chi * (m.s - 1) / (m.cohort - 1))


LINEAR_CONVERGENCE = OneStep(
    source=f"{SOURCE}, main theorem",
    method=TamunaVirtual,
    assumes=(each_smooth, each_strongly_convex),
    allows=allowed,
    lyapunov=psi,
    star=star,
    domain=shifts_sum_to_zero,
    rate=rate,
    tune=tune,
    claim=r"E\Psi^{+} \le \max\{(1-\gamma\mu)^2,\,(1-\gamma L)^2,\,1-p^2\chi\tfrac{s-1}{n-1}\}\,\Psi",
    twins=(
        with_fields("chi_max with the cohort's size for n", lambda P, m: {"chi": chi_max(m.cohort, m.s)}),
        rate_is("rate with (s-1)/(c-1)", _cohort_rate),
        mean_over_cohort,
        mask_off_by_one,
        field_times("chi", 1.5),
        update_times("h", 0),
        rolled("h"),
        rolled_oracle,
        weight_times(1, 0.25),
        rate_gap(1.1),
        *(branch_dropped(k) for k in range(3)),
    ),
)

noisy = Assumption("gradient noise of known variance sigma2", lambda P: P.sigma2 >= 0)

STOCHASTIC_GRADIENTS = OneStep(  # the noise of all n clients enters, idle ones included
    source=f"{SOURCE}, main theorem with unbiased gradients",
    method=TamunaVirtual,
    assumes=(each_smooth, each_strongly_convex, noisy),
    allows=lambda P, m: allowed(P, m) and m.batch is not None,
    lyapunov=psi,
    star=star,
    domain=shifts_sum_to_zero,
    rate=rate,
    noise=lambda P, m: m.gamma * P.n * P.sigma2,
    tune=lambda P, **choices: tune(P, **{"batch": 1, **choices}),
    claim=r"E\Psi^{+} \le r\,\Psi + \gamma n\sigma^2",
    twins=(
        statement_with("noise of the cohort only", noise=lambda P, m: m.gamma * m.cohort * P.sigma2),
        statement_with("noise of one client", noise=lambda P, m: m.gamma * P.sigma2),
        noise_times(0.5),
        update_times("h", 0),
        mean_over_cohort,
        rate_gap(1.1),
    ),
)


def silent_steps(P: Problem, m: Method, state: Any) -> Terms:
    """(1 - r) sum_l (1-p)^l a_l, a_l = Psi after l local steps of all clients, none of them communicated."""
    r, B, counts = worst(P, m), shift_weight(P, m), Geometric(m.p).count
    x = state.x[..., None, :] + 0 * state.h
    terms: list[Any] = []
    for k in range(counts):
        terms.append(Square((1 - r) * (1 - m.p) ** k / m.gamma, x - P.x_star, core=2))
        x = x - m.gamma * (P.grads(x) - state.h)
    mass = (1 - (1 - m.p) ** counts) / m.p  # sum_l (1-p)^l
    return *terms, Square((1 - r) * mass * B, state.h - P.h_star, core=2)


ONE_ROUND = OneStep(  # progress >= (1 - r) Psi, its term l = 0: so E Psi' <= r Psi, and no better than r
    source=f"{SOURCE}, one round of geometric length, from the exact identity",
    method=Tamuna,
    assumes=(each_smooth, each_strongly_convex),
    allows=allowed,
    lyapunov=psi,
    star=star,
    domain=shifts_sum_to_zero,
    rate=lambda P, m: 1,
    progress=silent_steps,
    tune=tune_rounds,
    claim=r"E\Psi^{r+1} \le \Psi^r - (1-r)\sum_{\ell\ge0}(1-p)^\ell a_\ell \le r\,\Psi^r",
    twins=(
        mean_steps_times(2),
        statement_with(
            "factor E[r^L] = p r / (1 - (1-p) r)",
            progress=None,
            rate=lambda P, m: m.p * worst(P, m) / (1 - (1 - m.p) * worst(P, m)),
        ),
        progress_times(2),
        field_times("chi", 1.5),
        update_times("h", 0),
        mean_over_cohort,
    ),
)


def server_psi(P: Problem, m: Method, state: Any) -> Terms:
    """Psi with n |x_bar - x*|^2 for sum_i |x_i - x*|^2, averaged over the draw of the mask.

    x_bar = (1/s) sum_i q_i x_i over freshly drawn senders: n E|x_bar - x*|^2 = n |mean - x*|^2 + nu V with
    nu = 1 - chi_max and V = sum_i |x_i - mean|^2, at most sum_i |x_i - x*|^2.
    """
    mean, nu_over_gamma = mean_clients(state.x), 1 / m.gamma * (P.n - m.s) / (m.s * (P.n - 1))
    return (
        Square(P.n / m.gamma, mean - P.x_star, core=2),
        Square(nu_over_gamma, state.x - mean, core=2),
        Square(shift_weight(P, m), state.h - P.h_star, core=2),
    )


def _shrunk(P: Problem, m: Method, factor: Number, start: Any) -> Terms:
    return tuple(Square(factor * t.weight, t.vector, t.core) for t in psi(P, m, start))


MODEL_CONVERGENCE = Horizon(
    source=f"{SOURCE}, main theorem, unconditional form",
    method=TamunaVirtual,
    assumes=(each_smooth, each_strongly_convex),
    allows=allowed,
    measure=server_psi,
    over="last",
    bound=lambda P, m, T, start: _shrunk(P, m, worst(P, m) ** T, start),
    star=star,
    domain=shifts_sum_to_zero,
    tune=tune,
    claim=r"E\bar\Psi^{t} \le r^t\,\Psi^0",
    twins=(
        update_times("h", 0),
        statement_with("rate squared", bound=lambda P, m, T, s: _shrunk(P, m, worst(P, m) ** (2 * T), s)),
        mean_over_cohort,
        rolled("h"),
    ),
)
