"""Altered steps of 5GCS-CC and 5GCS-AB, for red twins."""

from typing import Any

from proveout.arrays import Array, first_occurrence, last, namespace, put, take, to_clients
from proveout.methods.blocks.solvers import split
from proveout.methods.fivegcs_cc import FiveGCSCC
from proveout.theory.statement import Method, Problem, State, Twin
from proveout.theory.twins import oracle, step_edit

__all__ = [
    "compress_the_dual",
    "counted_twice",
    "no_damping",
    "not_divided",
    "rolled_gradients",
    "server_drops",
    "weights_of_the_sum",
]


def _shrunk(P: Problem, m: Method, state: State) -> Array:
    """x_hat: (..., d)."""
    return (state.x - m.gamma * state.h_sum) / (1 + m.gamma * m.mu)


def _of(name: str, edit: Any, kind: type | None = None) -> Twin:
    """edit(P, m, state, draw, new) -> new, of methods of this kind."""

    def wrap(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
        if kind is not None and not isinstance(m, kind):
            raise ValueError(f"speaks of {kind.__name__}, got {type(m).__name__}")
        twin = step_edit(name, lambda problem, state, draw, new: edit(problem, m, state, draw, new))
        triple: tuple[Any, Problem, Method] = twin.edit(statement, P, m)
        return triple

    return Twin(name, wrap)


def _moved_by(factor: Any) -> Any:
    """The duals' change times factor(P, m), the running sum with it; x as it was."""

    def edit(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
        by = factor(P, m)
        return new._replace(
            h=state.h + by * (new.h - state.h), h_sum=state.h_sum + by * (new.h_sum - state.h_sum)
        )

    return edit


no_damping = _of("the duals move without 1/(1 + omega)", _moved_by(lambda P, m: 1 + m.omega))


def _compressed_dual(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    """The new dual itself is compressed, and takes the place of the old one; x moves by what arrives."""
    xp, x_hat = namespace(state.x), _shrunk(P, m, state)
    F, own = split(P, m.mu).at(draw.cohort), take(state.h, draw.cohort)
    begin = to_clients(x_hat, m.cohort) + 0 * own
    y = m.solver(F, m.gamma_dual, begin + own / m.gamma_dual, begin, draw.luck)
    arrived = m.compressor(F.grads(y), draw.sent) - own
    moved = arrived / (1 + m.omega)
    return new._replace(
        x=x_hat - m.gamma * P.n / m.cohort * xp.sum(arrived, axis=-2),
        h=put(state.h, draw.cohort, own + moved),
        h_sum=state.h_sum + xp.sum(moved, axis=-2),
    )


compress_the_dual = _of("the dual is compressed, not its change", _compressed_dual, FiveGCSCC)


def _plain_sum(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    return new._replace(x=_shrunk(P, m, state) - m.gamma * (new.h_sum - state.h_sum))


weights_of_the_sum = _of("x moves by the weights of the running sum", _plain_sum)

server_drops = _of(
    "x starts from x, not from x_hat",
    lambda P, m, state, draw, new: new._replace(x=new.x + state.x - _shrunk(P, m, state)),
)


def _not_divided(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    """The step from a state 1 + gamma mu times as far, x_hat = x - gamma h_sum."""
    far = 1 + m.gamma * m.mu
    moved = state._replace(x=far * state.x + m.gamma * (1 - far) * state.h_sum)
    return m.step(P, moved, draw)


not_divided = _of("no division by 1 + gamma mu", _not_divided)

rolled_gradients = oracle(
    "gradients rolled by one client", lambda grads, x: namespace(x).roll(grads(x), 1, axis=-2)
)


def _twice(P: Problem, m: Method, state: State, draw: Any, new: State) -> State:
    """A client drawn twice moves its dual twice; of draws with repeats only."""
    again = last(1 * ~first_occurrence(draw.cohort))  # (..., C, 1)
    rows = take(new.h - state.h, draw.cohort) * again
    who = namespace(state.h).arange(P.n)
    hits = 1 * (draw.cohort[..., None, :] == who[:, None])  # (..., n, C)
    more = hits @ rows
    return new._replace(h=new.h + more, h_sum=new.h_sum + namespace(state.h).sum(more, axis=-2))


counted_twice = _of("a client drawn twice moves its dual twice", _twice)
