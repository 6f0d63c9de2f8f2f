"""One step of 5GCS-CC and of 5GCS-AB contracts, from any state."""

from typing import Any

import numpy as np

from proveout.methods.blocks.samplings import Multi
from proveout.methods.fivegcs_cc import FiveGCSAB, FiveGCSCC
from proveout.theory.assumptions import each_smooth, each_strongly_convex
from proveout.theory.fivegcs_cc.altered import (
    compress_the_dual,
    counted_twice,
    no_damping,
    server_drops,
    weights_of_the_sum,
)
from proveout.theory.fivegcs_cc.lyapunov import (
    SHARP,
    SOURCE,
    allowed_ab,
    allowed_cc,
    duals_sum,
    psi_ab,
    psi_cc,
    rate_ab,
    rate_cc,
    star,
)
from proveout.theory.fivegcs_cc.rules import tune_ab, tune_cc
from proveout.theory.statement import Method, Number, OneStep, Problem, Square, Terms, Twin
from proveout.theory.twins import field_times, rate_is, statement_with, weight_times

__all__ = ["AB_LINEAR_CONVERGENCE", "CC_LINEAR_CONVERGENCE", "CC_SHARP_RATE"]

EACH = (each_smooth, each_strongly_convex)

CC_LINEAR_CONVERGENCE = OneStep(
    source=f"{SOURCE}, convergence of 5GCS-CC",
    method=FiveGCSCC,
    assumes=EACH,
    allows=allowed_cc,
    lyapunov=psi_cc,
    rate=rate_cc,
    star=star,
    domain=duals_sum,
    tune=tune_cc,
    claim=r"E\Psi^{+} \le \Big(1-\min\Big\{\tfrac{\gamma\mu}{1+\gamma\mu},"
    r"\tfrac{C}{n(1+\omega)}\tfrac{\gamma_d}{L_F+\gamma_d}\Big\}\Big)\Psi",
    twins=(
        no_damping,
        field_times("gamma", 8),
        compress_the_dual,
        weights_of_the_sum,
        server_drops,
    ),
)

CC_SHARP_RATE = OneStep(
    source=f"{SOURCE}, convergence of 5GCS-CC, with the x-factor that the proof gives",
    method=FiveGCSCC,
    assumes=EACH,
    allows=lambda P, m: allowed_cc(P, m, SHARP),
    lyapunov=psi_cc,
    rate=lambda P, m: rate_cc(P, m, 2),
    star=star,
    domain=duals_sum,
    tune=tune_cc,
    claim=r"E\Psi^{+} \le \Big(1-\min\Big\{\tfrac{2\gamma\mu}{1+2\gamma\mu},"
    r"\tfrac{C}{n(1+\omega)}\tfrac{\gamma_d}{L_F+\gamma_d}\Big\}\Big)\Psi",
    twins=(
        rate_is(
            "3 gamma mu for 2 gamma mu",
            lambda P, m: rate_cc(P, m, 3),
        ),
        no_damping,
        compress_the_dual,
        weight_times(1, 0.1),
    ),
)


def draws_times_q(P: Problem, m: Method) -> Any:
    """C q_i, the mean number of times that client i is drawn."""
    return m.sampling.draws * m.sampling.q(P.n)


def _mean_count(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
    """C q_i in the place of p_hat_i, in V and in the rate; of draws with repeats only."""
    if not isinstance(m.sampling, Multi):
        raise ValueError(f"speaks of Multi, got {type(m.sampling).__name__}")

    def V(P: Problem, m: Method, state: Any) -> Terms:
        x, h = psi_ab(P, m, state)
        scale = np.sqrt(m.sampling.p_hat(P.n) / draws_times_q(P, m))[:, None]
        return x, Square(h.weight, scale * h.vector, core=2)

    def rate(P: Problem, m: Method) -> tuple[Number, ...]:
        return rate_ab(P, m, draws_times_q(P, m))

    return statement_with("", lyapunov=V, rate=rate).edit(statement, P, m)


def _of_repeats(twin: Twin) -> Twin:
    def edit(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
        if not isinstance(m.sampling, Multi):
            raise ValueError(f"speaks of Multi, got {type(m.sampling).__name__}")
        return twin.edit(statement, P, m)

    return Twin(twin.name, edit)


AB_LINEAR_CONVERGENCE = OneStep(
    source=f"{SOURCE}, convergence of 5GCS-AB",
    method=FiveGCSAB,
    assumes=EACH,
    allows=allowed_ab,
    lyapunov=psi_ab,
    rate=rate_ab,
    star=star,
    domain=duals_sum,
    tune=tune_ab,
    claim=r"E\Psi^{+} \le \max\Big\{\tfrac1{1+\gamma\mu},"
    r"\max_i\tfrac{L_{F,i}+(1-\hat p_i)\gamma_i}{L_{F,i}+\gamma_i}\Big\}\Psi",
    twins=(
        Twin("C q_i for the probability of coming", _mean_count),
        _of_repeats(counted_twice),
        weights_of_the_sum,
        server_drops,
        field_times("gamma", 16),
        weight_times(1, 0.25),
    ),
)
