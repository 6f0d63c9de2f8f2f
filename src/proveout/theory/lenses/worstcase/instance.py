"""Actual vectors in the places of the letters: the Gram matrix of one problem and state.

A trace's forms at this Gram matrix are the numbers that V, E V(next) and the class inequalities have on that
problem: what ties abstract and concrete vectors together, exactly if everything is a Fraction.
"""

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.space import Letter
from proveout.theory.lenses.worstcase.trace import Trace
from proveout.theory.statement import Problem, State

__all__ = ["instance"]


def instance(trace: Trace, problem: Problem, state: State) -> tuple[list[Array], Array]:
    """(Gram matrices of the trace's blocks, values F) at an admissible state of a problem with data.

    state: fields without batch axes; for a statement with `latent`, the free vectors.  Raises ValueError for a
    trace with noise or residuals, which problem and state do not determine.
    """
    found = _Instance(trace, problem)
    found.learn_state(state)
    values = np.array([found.value(k) for k in range(trace.layout.world.values)])
    return found.grams(), values


class _Instance:
    """Letters and their vectors: (n, d) if clients have one each, else (d,)."""

    def __init__(self, trace: Trace, problem: Problem) -> None:
        self.trace, self.problem, self.layout = trace, problem, trace.layout
        self.world = trace.layout.world
        self.known: dict[int, Array] = {}  # column where a letter starts -> its vectors
        for letter in self.world.space.letters:
            if letter.name in ("x*", "h*"):
                self._set(letter, problem.x_star if letter.name == "x*" else problem.h_star)

    def _set(self, letter: Letter, rows: Array) -> None:
        self.known[letter.start] = np.asarray(rows)

    def learn_state(self, state: State) -> None:
        """Letters of the state's fields, then those of gradients, in the order in which they were made."""
        shift = dict(zip(state._fields, self.trace.state, strict=True))
        points = {int(np.flatnonzero(p.g)[0]): p for points in self.world.points for p in points if p.g.any()}
        for letter in self.world.space.letters:
            name, _, places = letter.name.partition("[")
            if letter.start in self.known:
                continue
            if name in shift:
                where = tuple(int(k) for k in places.replace("]", "").split("[") if k)
                rows = np.asarray(getattr(state, name))[where]
                self._set(letter, rows - self._star_part(shift[name][0][where]) * self.problem.x_star)
            elif letter.start in points and letter.orbit is not None:
                self._learn_gradient(letter, points[letter.start].x, letter.orbit)
            else:
                raise ValueError(f"problem and state do not determine {letter.name}")

    def _star_part(self, rows: Array) -> int:
        """Is the field measured from x*, or from 0?"""
        return int(self.world.optimum and rows[..., 0].ravel()[0] == 1)

    def _learn_gradient(self, letter: Letter, row: Array, o: int) -> None:
        """d_i = grad f_i(x_i) - h*_i, also where x_i = z_i - t grad f_i(x_i)."""
        t = -row[letter.start]
        rest = row.copy()
        rest[letter.start : letter.start + letter.width] = 0 * rest[0]
        x = self._everyone(self.rows(o, rest))
        tilt = self._tilt()
        if t:
            x = self.problem.prox(x + t * tilt, t)
        self._set(letter, self.problem.grads(x) - tilt)

    def _tilt(self) -> Array:
        world = self.world
        on = world.tilt and world.optimum and world.space.n > 1
        return self.problem.h_star * int(on)

    def _everyone(self, rows: Array) -> Array:
        return np.broadcast_to(rows, (self.world.space.n, rows.shape[-1]))

    def rows(self, o: int, row: Array) -> Array:
        """The vectors that a pattern stands for, one per client: (n, d)."""
        alpha, beta = self.layout.vector(o, row)
        total = self._everyone(0 * np.asarray(self.problem.h_star))
        for k, letter in enumerate(self.layout.shared):
            if beta[k]:
                total = total + beta[k] * self.known[letter.start]
        for other, letters in enumerate(self.layout.own):
            for k, letter in enumerate(letters):
                weight = beta[self.layout.slots[other]][k] * self.layout.units[other]
                mine = alpha[k] if other == o and o in self.layout.pairs else 0
                if weight or mine:
                    own, mean = self._split(letter)
                    total = total + weight * mean + mine * own
        return total

    def _split(self, letter: Letter) -> tuple[Array, Array]:
        """(vectors minus their mean over the orbit (n, d), the mean (d,))."""
        at = list(self.world.space.orbits[letter.orbit or 0].clients)
        vectors = self.known[letter.start]
        mean = vectors[at].sum(axis=0) * (self.world.space.one / len(at))
        return vectors - mean, mean

    def value(self, symbol: int) -> object:
        """mean over the orbit of f_i(x_i) - f_i(x*) - <h*_i, x_i - x*>."""
        point = next(p for points in self.world.points for p in points if p.value == symbol)
        x, star = self.rows(point.orbit, point.x), self.problem.x_star
        at = list(self.world.space.orbits[point.orbit].clients)
        gaps = self.problem.values(x) - self.problem.values(self._everyone(star))
        gaps = gaps - (self._tilt() * (x - star)).sum(axis=-1)
        return gaps[at].sum() * (self.world.space.one / len(at))

    def grams(self) -> list[Array]:
        """Gram matrices of the differences of each orbit, and of the shared vectors and means."""
        blocks = []
        for o in self.layout.pairs:
            at = list(self.world.space.orbits[o].clients)
            own = np.stack([self._split(letter)[0][at] for letter in self.layout.own[o]])  # (k, n_o, d)
            flat = own.reshape(len(own), -1)
            blocks.append(flat @ flat.T * (self.world.space.one / (len(at) - 1)))
        vectors = [self.known[letter.start] for letter in self.layout.shared]
        for o, letters in enumerate(self.layout.own):
            vectors += [self.layout.units[o] * self._split(letter)[1] for letter in letters]
        M = np.stack(vectors)
        return [*blocks, M @ M.T]
