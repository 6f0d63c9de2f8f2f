"""The largest stable gamma_e L on a quadratic in round robin, exactly (spectral radius of one period's matrix).

TABLE[beta, n] lists ASGD, naive, shifted, SMEGA2, OrMo (ceil and floor agree), OrMo with the vanilla update;
for ASGD gamma_e is its step.  At beta = .9: naive < ASGD < shifted < OrMo, and OrMo is about four times ASGD
for n >= 4.
"""

import numpy as np

from proveout.arrays import Array
from proveout.methods.asgd import ASGD, SMEGA2, NaiveASGDm, ShiftedMomentum
from proveout.methods.ormo import OrMo
from proveout.theory.assumptions import quadratic
from proveout.theory.delays.arrivals import exact_gradients
from proveout.theory.delays.periodic import critical_step
from proveout.theory.ormo.identities import PAPER, tune
from proveout.theory.statement import Assumption, Identity, Method, Path, Problem, Twin
from proveout.theory.twins import Altered

__all__ = ["CRITICAL_STEP", "TABLE"]

TABLE = {
    (0.5, 2): (1, 1, 1.5, 1.3314336984, 1.3953877798, 1.6198007765),
    (0.5, 4): (0.4450418679, 0.3985344442, 0.5664073525, 0.5590144538, 0.5524375147, 0.7001487982),
    (0.5, 16): (0.1012983377, 0.0960749096, 0.1193389479, 0.1229913897, 0.1189280222, 0.1603740319),
    (0.9, 2): (1, 1, 1.9, 5.1656084892, 5.6271839666, 3.8708968005),
    (0.9, 4): (0.4450418679, 0.3478406311, 0.6478738212, 1.9937187965, 1.9839910918, 1.5250314754),
    (0.9, 8): (0.2090569265, 0.1575195581, 0.2794794287, 0.8755052762, 0.8523528850, 0.6940059590),
    (0.9, 16): (0.1012983377, 0.0792858039, 0.1307654322, 0.4105013299, 0.3970017491, 0.3324645156),
}

in_table = Assumption(
    "round robin of 2, 4, 8 or 16 workers",
    lambda P: P.clock.busy and P.clock.order == tuple(range(P.workers)) and (0.9, P.workers) in TABLE,
)


def _rivals(gamma: float, beta: float) -> tuple[Method, ...]:
    """Everything in the table but OrMo in ceil form, at one effective step."""
    step = (1 - beta) * gamma
    return (
        ASGD(gamma=gamma),
        NaiveASGDm(gamma=step, beta=beta),
        ShiftedMomentum(gamma=step, beta=beta),
        SMEGA2(gamma=step, beta=beta),
        OrMo(gamma=step, beta=beta, bracket="floor"),
        OrMo(gamma=step, beta=beta, update="vanilla"),
    )


def _critical(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    """gamma_e L of OrMo in ceil form and of its rivals, to the digits of the table: (7,)."""
    methods = (m, *_rivals(m.gamma_eff, m.beta))
    found = [critical_step(P, one) * P.L / (1 - getattr(one, "beta", 0.0)) for one in methods]
    asgd, naive, shifted, smega2, ormo, vanilla = TABLE[m.beta, P.workers]
    claimed = (ormo, asgd, naive, shifted, smega2, ormo, vanilla)
    return np.round(found, 10), np.array(claimed, dtype=float)


def _one_later(statement: Identity, P: Problem, m: Method) -> tuple[Identity, Problem, Method]:
    """The worker is sent the model before its own gradient: delay n in place of n - 1."""

    def edit(problem: Problem, s, draw, new):  # type: ignore[no-untyped-def]
        stale = np.where(draw.event.released[..., None], s.x[..., None, :], s.sent)
        return new._replace(sent=stale, index=np.where(draw.event.released, s.t, s.index))

    return statement, P, Altered(m, edit)


CRITICAL_STEP = Identity(
    source=f"{PAPER}, stability on a quadratic (derived)",
    method=OrMo,
    assumes=(quadratic, in_table, exact_gradients),
    allows=lambda P, m: (m.beta, P.workers) in TABLE and m.bracket == "ceil" and m.update == "ordered",
    sides=_critical,
    steps=2,
    tune=lambda P, beta=0.9: tune(P, beta=beta),
    twins=(Twin("delay n for n - 1", _one_later),),
    claim=r"\rho(\text{one period})=1\ \text{at}\ \gamma_eL\ \text{of the table}",
)
