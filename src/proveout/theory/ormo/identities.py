"""What OrMo keeps equal, for every order of arrivals (lemmas of the paper, and the y-identity).

b = bracket, gamma_e = gamma/(1 - beta), g_i the gradient of version i, "in flight" = all workers but the
last one that delivered, k_{t-1}; each holds a version i_k.

    virtual_iterate          y_t = x_t - beta/(1-beta) u_t:  y_{t+1} = y_t - gamma_t/(1-beta) g, any step sequence
    momentum_gap             u^_t - u_t = sum_{in flight} beta^{b(t-1) - b(i_k)} gamma g_{i_k}
    iterate_gap              x^_t - x_t = - sum_{in flight} (1 - beta^{b(t-1) - b(i_k) + 1})/(1-beta) gamma g_{i_k}
    ordered_virtual_iterate  y^_t = x^_t - beta/(1-beta) u^_t:  y^_{t+1} = y^_t - gamma_e g_t for every t >= 1,
                             y^_t - y_t = - gamma_e sum_{in flight} g_{i_k},   y^_1 = x_0 - gamma_e n g_0

The ordered sequence (x^, u^) takes every gradient in the order of its version: u^_1 = gamma n g_0 (n g_0
stands for the sum of all workers' first gradients), x^_1 = x_0 - u^_1, and for t >= 1, if a bracket opens
at t: x^ = x^ - beta u^, u^ = beta u^; then u^ + gamma g_t, x^ - gamma g_t.
"""

from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.methods.blocks import jobs
from proveout.methods.ormo import OrMo, OrMoDA, brackets, opens
from proveout.theory.delays.arrivals import all_busy, exact_gradients, known_data, newest, others
from proveout.theory.statement import Identity, Method, Path, Problem, State, Twin
from proveout.theory.twins import Altered, statement_with, with_fields

__all__ = [
    "ITERATE_GAP",
    "MOMENTUM_GAP",
    "ORDERED_VIRTUAL_ITERATE",
    "VIRTUAL_ITERATE",
    "tune",
    "virtual_iterate",
]

PAPER = "Shi, Yang, Li 2024 (arXiv:2407.19234)"


def tune(P: Problem, beta: float = 0.5, gamma_eff: float = 0.1, bracket: str = "ceil") -> OrMo:
    """gamma_eff is in units of 1/(L n)."""
    return OrMo(gamma=(1 - beta) * gamma_eff / (P.L * P.workers), beta=beta, bracket=bracket)


def tune_adaptive(P: Problem, beta: float = 0.5, gamma_eff: float = 0.25) -> OrMoDA:
    """gamma_eff is in units of (1 - beta)/(L n)."""
    gamma = (1 - beta) ** 2 * gamma_eff / (P.L * P.workers)
    return OrMoDA(gamma=gamma, beta=beta, cap=(1 - beta) / (4 * P.L))


# ------------------------------------------------------------------ one step at a time


def _late(P: Problem, m: Method, s: State, draw: Any) -> tuple[Array, Array]:
    """(p, gamma_t g) of the job that arrives: (..., 1), (..., d)."""
    i, g = jobs.arrival(P, s.sent, s.index, draw)
    p = brackets(s.t, P.workers, m.bracket) - brackets(i, P.workers, m.bracket)
    return p, m.step_sizes((s.t - i).astype(float), P.workers) * g


def virtual_iterate(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    """y_{t+1} and y_t - gamma_t/(1-beta) g: (T, ..., d)."""
    ratio = m.beta / (1 - m.beta)
    left, right = [], []
    for s, draw, new in zip(path.states, path.draws, path.states[1:]):
        _, g = _late(P, m, s, draw)
        left.append(new.x - ratio * new.u)
        right.append(s.x - ratio * s.u - g / (1 - m.beta))
    return np.stack(left), np.stack(right)


def _moved(P: Problem, m: Method, s: State, draw: Any, new: State, dx: Array, du: Array) -> State:
    """A step whose model and momentum are off by dx, du; the workers are sent the wrong model."""
    sent, index = jobs.reply(s.sent, s.index, draw.event, new.x + dx, s.t + 1)
    return new._replace(x=new.x + dx, u=new.u + du, sent=sent, index=index)


def _new_momentum_first(P: Problem, s: State, draw: Any, new: State, m: Method) -> State:
    off = m.beta * (1 - m.beta) * s.u if opens(s.t, P.workers, m.bracket) else 0 * s.u
    return _moved(P, m, s, draw, new, off, 0 * s.u)


def _exponent(both: bool) -> Any:
    def edit(P: Problem, s: State, draw: Any, new: State, m: Method) -> State:
        p, g = _late(P, m, s, draw)
        power = m.beta ** (1.0 * p)
        return _moved(P, m, s, draw, new, -m.beta * power * g if both else 0 * g, (m.beta - 1) * power * g)

    return edit


def _edited(name: str, edit: Any) -> Twin:
    """A twin whose edit also reads the method."""

    def wrap(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
        return statement, P, Altered(m, lambda P, s, draw, new: edit(P, s, draw, new, m))

    return Twin(name, wrap)


VIRTUAL_ITERATE = Identity(
    source=f"{PAPER}, y-identity (derived for any order, bracket rule and step sequence)",
    method=(OrMo, OrMoDA),
    sides=virtual_iterate,
    tune=lambda P, adaptive=False, **choices: tune_adaptive(P) if adaptive else tune(P, **choices),
    twins=(
        with_fields("vanilla step", lambda P, m: {"update": "vanilla"}),
        _edited("the new u in line 1", _new_momentum_first),
        _edited("exponent b(t) - b(i) + 1 in u only", _exponent(both=False)),
    ),
    claim=r"y_{t+1}=y_t-\tfrac{\gamma_t}{1-\beta}g",
)


# ------------------------------------------------------------------ the ordered sequence


def _ordered(P: Problem, m: Method, path: Path) -> tuple[list[Array], list[Array], list[Array]]:
    """(x^_t, u^_t, g_t), t = 1..T; g_t is the gradient at x_t."""
    u = m.gamma * P.grads(path.states[0].sent).sum(axis=-2)
    x = path.states[0].x - u
    xs: list[Array] = []
    us: list[Array] = []
    gs: list[Array] = []
    for t in range(1, len(path.states)):
        g = newest(P, path, t)
        for found, now in ((xs, x), (us, u), (gs, g)):
            found.append(now)
        if opens(t, P.workers, m.bracket):
            x, u = x - m.beta * u, m.beta * u
        x, u = x - m.gamma * g, u + m.gamma * g
    return xs, us, gs


def _in_flight(
    P: Problem, m: Method, path: Path, factor: Any, everybody: bool = False, rule: str = ""
) -> Array:
    """sum_{in flight} factor(b(t-1) - b(i_k)) gamma g_{i_k}, t = 1..T: (T, ..., d)."""
    K, sums = P.workers, []
    for t in range(1, len(path.states)):
        s = path.states[t]
        late = brackets(t - 1, K, rule or m.bracket) - brackets(np.asarray(s.index), K, m.bracket)
        mask = np.ones(K, dtype=bool) if everybody else others(path, t, K)
        weight = m.gamma * factor(np.where(mask, 1.0 * late, 0.0))
        sums.append(np.where(mask[..., None], weight[..., None] * P.grads(s.sent), 0).sum(axis=-2))
    return np.stack(sums)


def _momentum(**choices: Any) -> Any:
    def momentum_gap(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        _, us, _ = _ordered(P, m, path)
        left = np.stack([u - s.u for u, s in zip(us, path.states[1:])])
        return left, _in_flight(P, m, path, lambda late: m.beta**late, **choices)

    return momentum_gap


def _iterate(**choices: Any) -> Any:
    def iterate_gap(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        xs, _, _ = _ordered(P, m, path)
        left = np.stack([x - s.x for x, s in zip(xs, path.states[1:])])
        weight = lambda late: -(1 - m.beta ** (late + 1)) / (1 - m.beta)
        return left, _in_flight(P, m, path, weight, **choices)

    return iterate_gap


def _virtual(skip_borders: bool = False, shift: int = 0) -> Any:
    def ordered_virtual_iterate(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        """Rows: y^_1; the steps t = 1..T-1; the gaps y^_t - y_t, t = 1..T."""
        ratio, step = m.beta / (1 - m.beta), m.gamma_eff
        xs, us, gs = _ordered(P, m, path)
        y = np.stack(xs) - ratio * np.stack(us)
        g = np.stack(gs)
        first = path.states[0].x - step * P.grads(path.states[0].sent).sum(axis=-2)
        at_border = np.array([opens(t, P.workers, m.bracket) for t in range(1, len(y))])
        kept = np.where(skip_borders & at_border, 0.0, 1.0).reshape(-1, *(1,) * (y.ndim - 1))
        moves = y[:-1] - step * kept * g[shift : shift + len(y) - 1]
        own = np.stack([s.x - ratio * s.u for s in path.states[1:]])
        flying = -_in_flight(P, m, path, lambda late: 1 + 0 * late) / (1 - m.beta)
        return np.concatenate([y[:1], y[1:], y - own]), np.concatenate([first[None], moves, flying])

    return ordered_virtual_iterate


HYPOTHESES = (exact_gradients, known_data, all_busy)
STEPS = 32
MIXED = {"rule": "floor"}  # b(t-1) with floor, b(i) with the method's own ceil

MOMENTUM_GAP = Identity(
    source=f"{PAPER}, lemma on the momentum",
    method=OrMo,
    assumes=HYPOTHESES,
    sides=_momentum(),
    steps=STEPS,
    tune=tune,
    twins=(
        statement_with("worker k_{t-1} counted as in flight", sides=_momentum(everybody=True)),
        statement_with("floor mixed with ceil", sides=_momentum(**MIXED)),
    ),
    claim=r"\hat u_t-u_t=\sum_{\rm in\,flight}\beta^{b(t-1)-b(i_k)}\gamma g_{i_k}",
)

ITERATE_GAP = Identity(
    source=f"{PAPER}, lemma on the model",
    method=OrMo,
    assumes=HYPOTHESES,
    sides=_iterate(),
    steps=STEPS,
    tune=tune,
    twins=(
        statement_with("worker k_{t-1} counted as in flight", sides=_iterate(everybody=True)),
        statement_with("floor mixed with ceil", sides=_iterate(**MIXED)),
    ),
    claim=r"\hat x_t-x_t=-\sum_{\rm in\,flight}\tfrac{1-\beta^{b(t-1)-b(i_k)+1}}{1-\beta}\gamma g_{i_k}",
)

ORDERED_VIRTUAL_ITERATE = Identity(
    source=f"{PAPER}, lemma on the ordered sequence",
    method=OrMo,
    assumes=HYPOTHESES,
    sides=_virtual(),
    steps=STEPS,
    tune=tune,
    twins=(
        statement_with("exception at bracket borders", sides=_virtual(skip_borders=True)),
        statement_with("g_{t+1} for g_t", sides=_virtual(shift=1)),
    ),
    claim=r"\hat y_{t+1}=\hat y_t-\gamma_e g_t,\quad \hat y_t-y_t=-\gamma_e\sum_{\rm in\,flight}g_{i_k}",
)
