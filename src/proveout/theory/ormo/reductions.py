"""Limit cases of OrMo, and what it is not.

equals_asgd          beta = 0: ASGD, any order                equals_heavy_ball  n = 1: u' = beta u + gamma g, x' = x - u'
equals_ssgdm         synchronous order, bracket floor: SSGDm at the end of each round, any order inside it
ssgdm_split          SSGDm one gradient at a time = its round form
equals_ormo          OrMoDA with all delays <= 2n: OrMo
ceil_is_not_ssgdm    on a synchronous order the ceil form keeps the y-identity, but is not SSGDm
vanilla_breaks_identity   the vanilla update keeps the momentum lemma, but not the y-identity
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.methods.asgd import ASGD, SSGDm, SSGDmRounds
from proveout.methods.asgd.synchronous import RoundDraw
from proveout.methods.ormo import OrMo, OrMoDA
from proveout.problems import federated
from proveout.problems.delays import Asynchronous, Order
from proveout.theory.delays.arrivals import in_order
from proveout.theory.ormo.identities import MOMENTUM_GAP, PAPER, VIRTUAL_ITERATE, tune
from proveout.theory.statement import Assumption, Identity, Method, NonImplication, Path, Problem, Twin
from proveout.theory.twins import statement_with, update_times, with_fields

__all__ = [
    "CEIL_IS_NOT_SSGDM",
    "EQUALS_ASGD",
    "EQUALS_HEAVY_BALL",
    "EQUALS_ORMO",
    "EQUALS_SSGDM",
    "SSGDM_SPLIT",
    "VANILLA_BREAKS_IDENTITY",
]

one_worker = Assumption("one worker", lambda P: P.workers == 1)
rounds = Assumption("a synchronous order", lambda P: getattr(P.clock, "barrier", False))


def _followed(P: Problem, other: Method, path: Path) -> Array:
    """The models of another method from the same start on the same draws: (T, ..., d)."""
    state, xs = other.init(P, path.states[0].x), []
    for draw in path.draws:
        state = other.step(P, state, draw)
        xs.append(state.x)
    return np.stack(xs)


def _models(path: Path) -> Array:
    return np.stack([s.x for s in path.states[1:]])


def _heavy_ball(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    x, u, xs = path.states[0].x, 0 * path.states[0].x, []
    for draw in path.draws:
        u = m.beta * u + m.gamma * P.on(draw.xi).grads(x[..., None, :])[..., 0, :]
        x = x - u
        xs.append(x)
    return _models(path), np.stack(xs)


def at_rounds(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    """The model at the end of each round, and SSGDm's, fed with the same gradients."""
    K = P.workers
    other = SSGDmRounds(gamma=m.gamma, beta=m.beta)
    state, xs = other.init(P, path.states[0].x), []
    for start in range(0, len(path.draws) - K + 1, K):
        draws = sorted(path.draws[start : start + K], key=lambda d: np.ravel(d.event.worker)[0])
        xi = tree_map(lambda *a: np.concatenate(a, axis=-2), *(d.xi for d in draws))
        state = other.step(P, state, RoundDraw(xi=xi, seconds=np.ones(())))
        xs.append(state.x)
    return np.stack([s.x for s in path.states[K::K]]), np.stack(xs)


EQUALS_ASGD = Identity(
    source=f"{PAPER}, beta = 0",
    method=OrMo,
    allows=lambda P, m: m.beta == 0,
    sides=lambda P, m, path: (_models(path), _followed(P, ASGD(gamma=m.gamma), path)),
    tune=lambda P, gamma_eff=0.1: tune(P, beta=0.0, gamma_eff=gamma_eff),
    twins=(with_fields("beta = .5", lambda P, m: {"beta": 0.5}),),
    claim=r"\beta=0:\ \text{OrMo}=\text{ASGD}",
)

EQUALS_HEAVY_BALL = Identity(
    source=f"{PAPER}, one worker",
    method=OrMo,
    assumes=(one_worker,),
    sides=_heavy_ball,
    tune=tune,
    twins=(
        update_times("u", 0.5),
        Twin("two workers", lambda s, P, m: (replace(s, assumes=()), replace(P, clock=Order((0, 1))), m)),
    ),
    claim=r"n=1:\ u'=\beta u+\gamma g,\ x'=x-u'",
)

EQUALS_SSGDM = Identity(
    source=f"{PAPER}, floor brackets (derived)",
    method=OrMo,
    assumes=(rounds,),
    allows=lambda P, m: m.bracket == "floor",
    sides=at_rounds,
    tune=lambda P, beta=0.5: tune(P, beta=beta, bracket="floor"),
    twins=(with_fields("ceil for floor", lambda P, m: {"bracket": "ceil"}),),
    claim=r"\text{synchronous order, } b=\lfloor i/n\rfloor:\ \text{OrMo}=\text{SSGDm}",
)

SSGDM_SPLIT = Identity(
    source=f"{PAPER}, SSGDm in one-gradient-at-a-time form",
    method=SSGDm,
    assumes=(rounds,),
    sides=at_rounds,
    tune=lambda P, beta=0.5: SSGDm(gamma=0.1 * (1 - beta) / (P.L * P.workers), beta=beta),
    twins=(
        update_times("u", 0.5),
        Twin(
            "asynchronous order",
            lambda s, P, m: (replace(s, assumes=()), replace(P, clock=Order(P.clock.order)), m),
        ),
    ),
    claim=r"(x_{sn},u_{sn})=\text{SSGDm after } s \text{ rounds}",
)


def _straggling(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
    """The same workers, worker 0 delivering once in ten rounds of the others."""
    late = Order((*(tuple(range(1, P.workers)) * 10), 0))
    return replace(statement, assumes=()), replace(P, clock=late), m


EQUALS_ORMO = Identity(
    source=f"{PAPER}, OrMo-DA without late gradients",
    method=OrMoDA,
    assumes=(in_order, Assumption("no delay exceeds 2n", lambda P: P.clock.tau_max <= 2 * P.workers)),
    sides=lambda P, m, path: (
        _models(path),
        _followed(P, OrMo(gamma=m.gamma, beta=m.beta, bracket=m.bracket), path),
    ),
    tune=lambda P, beta=0.5: OrMoDA(
        gamma=(1 - beta) ** 2 / (4 * P.L * P.workers), beta=beta, cap=(1 - beta) / (4 * P.L)
    ),
    twins=(Twin("a straggler", _straggling),),
    claim=r"\tau_t\le 2n:\ \text{OrMo-DA}=\text{OrMo}",
)


# ------------------------------------------------------------------ what does not follow


@dataclass(frozen=True, eq=False)
class Keeps:
    """The methods that keep an identity along a path of a problem from x_0 = 1 (constants: none needed, {})."""

    sides: Any
    steps: int = 24

    exact = True

    def defect(self, P: Problem, m: Method) -> float:
        """The largest |left - right| along the path."""
        states, draws, law = [m.init(P, np.ones(P.d))], [], m.law(P)
        for t in range(self.steps):
            draws.append(tree_map(lambda a: a[0], law.at(t).atoms()[1]))
            states.append(m.step(P, states[-1], draws[-1]))
        left, right = self.sides(P, m, Path(states=tuple(states), draws=tuple(draws)))
        return float(np.abs(left - right).max())

    def least(self, P: Problem, m: Method) -> dict[str, float] | None:
        return {} if self.defect(P, m) <= 1e-12 else None


def _witness(order: Order, **fields: Any) -> Any:
    def witness() -> tuple[Problem, Method]:
        P = Asynchronous(federated(n=1, d=2, kappa=4, spec="quadratic:n=1,d=2,kappa=4"), order)
        return P, OrMo(gamma=0.05, beta=0.5, **fields)

    return witness


SYNCHRONOUS = Order((0, 1, 2, 2, 0, 1), barrier=True)
UNEVEN = Order((0, 0, 1, 0, 2, 1))

CEIL_IS_NOT_SSGDM = NonImplication(
    source=f"{PAPER}, ceil brackets (derived)",
    given=Keeps(VIRTUAL_ITERATE.sides),
    then=Keeps(at_rounds),
    witness=_witness(SYNCHRONOUS),
    twins=(statement_with("floor for ceil", witness=_witness(SYNCHRONOUS, bracket="floor")),),
    claim=r"b=\lceil i/n\rceil:\ \text{OrMo}\ne\text{SSGDm}",
)

VANILLA_BREAKS_IDENTITY = NonImplication(
    source=f"{PAPER}, ablation of the step (derived)",
    given=Keeps(MOMENTUM_GAP.sides),
    then=Keeps(VIRTUAL_ITERATE.sides),
    witness=_witness(UNEVEN, update="vanilla"),
    twins=(statement_with("ordered for vanilla", witness=_witness(UNEVEN)),),
    claim=r"x'=x-\gamma g:\ y_{t+1}\ne y_t-\gamma_e g",
)
