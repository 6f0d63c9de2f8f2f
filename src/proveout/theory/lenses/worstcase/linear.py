"""Is the step linear in the vectors?  Rows of coefficients would hide a norm, a sort or a clip.

In another basis, rows @ W with oracles conjugated (g_W(y) = g(y W^-1) W), a linear step answers
step(state) @ W; a norm, a sort, a clip or an offset does not.  W is random, of condition <= 10, at the
scales 1e-6, 1, 1e6.
"""

from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.worstcase.abstract import AbstractProblem, Frame
from proveout.theory.lenses.worstcase.blocks import abstracted
from proveout.theory.lenses.worstcase.draws import draws_of
from proveout.theory.lenses.worstcase.start import is_vector
from proveout.theory.lenses.worstcase.world import Full, NotSymmetric
from proveout.theory.statement import Cross, Gap, Method, Square, State

__all__ = ["nonlinear"]

LINEAR = 1e-7  # relative; coefficients pass through W^-1 W at condition 10, kinks show at 1e-1
NOTHING = 1e-12  # of the basis; coefficients that cancelled
SCALES = (1e-6, 1.0, 1e6)

Terms = list[tuple[Any, list[Array]]]  # (weight, vectors) of every term


def nonlinear(statement: Any, trace: Any, method: Method) -> str | None:
    """Why the step of a finished trace, or what is read off its states, is not linear; None if it is."""
    world = trace.problem._world
    rng = np.random.default_rng(1)
    try:
        plain, terms = _run(statement, trace, method, None)
        for scale in SCALES:
            frame = _frame(rng, world.space.capacity, scale)
            other, read = _run(statement, trace, method, frame)
            if not _same(_shown(plain, frame), other, frame):
                return "the step is not linear in the vectors"
            if not _same_terms(terms, read, frame):
                return "what is measured is not linear in the vectors"
    except (Full, NotSymmetric, ArithmeticError, IndexError, TypeError, ValueError) as error:
        return f"the step cannot be run in another basis, so it is not linear: {error}"
    return None


def _run(statement: Any, trace: Any, method: Method, frame: Frame | None) -> tuple[State, Terms]:
    """One step in the given basis: the new state, and the terms read off both."""
    world, base = trace.problem._world, trace.problem._base
    P = AbstractProblem(world, base, frame=frame)
    m = abstracted(method, P.d, world, frame) if trace.settings.blocks else method
    world.luck.names = 0  # the same random fields as in the trace
    draws = draws_of(m.law(P).at(trace.settings.clock), base.n, trace.settings)
    state = _shown(trace.state, frame)
    new = m.step(P, state, draws.draw)
    return new, [term for s in (state, new) for term in _terms(statement, P, m, s)]


def _shown(state: State, frame: Frame | None) -> State:
    if frame is None:
        return state
    return tree_map(lambda a: a @ frame.W if is_vector(a, len(frame.W)) else a, state)


def _frame(rng: np.random.Generator, D: int, scale: float) -> Frame:
    """A random basis of condition <= 10."""
    left, right = (np.linalg.qr(rng.standard_normal((D, D)))[0] for _ in range(2))
    s = 10 ** rng.uniform(0, 1, D)
    return Frame(scale * (left * s) @ right, (right.T / s) @ left.T / scale)


def _terms(statement: Any, P: AbstractProblem, m: Method, state: State) -> Terms:
    readings = [getattr(statement, name, None) for name in ("lyapunov", "progress", "measure")]
    found = [term for read in readings if read is not None for term in read(P, m, state)]
    if hasattr(statement, "bound"):
        bound = statement.bound(P, m, 1, state)
        found += bound if isinstance(bound, tuple) else ()
    return [_parts(term) for term in found]


def _parts(term: Any) -> tuple[Any, list[Array]]:
    if isinstance(term, Square):
        return term.weight, [term.vector]
    if isinstance(term, Cross):
        return term.weight, [term.u, term.v]
    return (term.weight, [term.point]) if isinstance(term, Gap) else (term, [])


def _same_terms(plain: Terms, other: Terms, frame: Frame) -> bool:
    return len(plain) == len(other) and all(
        bool(np.all(a == b)) and all(_near(u @ frame.W, v, frame) for u, v in zip(us, vs, strict=True))
        for (a, us), (b, vs) in zip(plain, other, strict=True)
    )


def _near(a: Array, b: Array, frame: Frame) -> bool:
    size = LINEAR * np.abs(a).max(initial=0) + NOTHING * np.abs(frame.W).max()
    return bool(np.abs(a - b).max(initial=0) <= size)


def _same(a: State, b: State, frame: Frame) -> bool:
    found: list[bool] = []
    tree_map(lambda x, y: found.append(not is_vector(x, len(frame.W)) or _near(x, y, frame)), a, b)
    return all(found)
