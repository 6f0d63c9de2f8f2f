"""A statement on an instance, ready for second moments: coordinates, chain, starts, the measure as a form."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.affine import is_affine
from proveout.theory.lenses.common import FLOOR, Budget, Refused, value
from proveout.theory.lenses.forms import form
from proveout.theory.lenses.moments.chain import RESIDUE, Chain, Key
from proveout.theory.lenses.moments.starting import Starts, admissible, initial
from proveout.theory.lenses.reduce import atoms_for
from proveout.theory.lenses.states import Coordinates, coordinates_of
from proveout.theory.statement import Horizon, Method, Problem, State

__all__ = ["Found", "Setup", "cleaned", "setup"]

EPS = 2.0**-52


@dataclass(frozen=True, eq=False, kw_only=True)
class Found:
    """The worst case over horizons and starts."""

    figure: float
    s: Array  # the start, in the coordinates of `Starts`
    T: int
    exact: bool  # all starts decided
    states: str
    note: str = ""
    eps: float | None = None
    grey: bool = False  # too badly conditioned for a figure near 1
    upper: bool = False  # the figure is only an upper bound: it cannot refute


@dataclass(frozen=True, eq=False)
class Setup:
    statement: Any
    P: Problem
    m: Method
    chain: Chain
    key: Key  # the clock of the starts
    starts: Starts
    squared: bool = False  # the measure is the root of a quadratic
    forms: dict[Key, Array] = field(default_factory=dict)

    def form(self, key: Key) -> Array:
        """The measure (or its square) as a form, at a clock value."""
        if key not in self.forms:
            Q = form(self.P, self.m, self._terms, self.chain.clocks[key])
            if Q is None:
                raise Refused("the measure is not quadratic in the state")
            self.forms[key] = cleaned(Q, self.chain.kappa)
        return self.chain.within(self.forms[key])

    def reach(self, T: int) -> None:
        """Read the maps of T steps and restrict them to what is reached."""
        if self.chain.embed is None:
            self.chain.reduce(self.key, self.starts.lift[:-1], T)

    def into(self, Q: Array) -> Array:
        """A form of the chain as a form of the start."""
        lift = self.chain.within(self.starts.lift)
        return lift.T @ Q @ lift

    def _terms(self, P: Problem, m: Method, state: State) -> Any:
        terms = self.statement.measure(P, m, state)
        return np.asarray(value(terms, P)) ** 2 if self.squared else terms

    @property
    def floor(self) -> float:
        """Rounding, in units of the measure at |y| = 1: of noise, FLOOR (eps kappa)^2; of what was dropped."""
        size = float(np.abs(np.diag(self.form(self.key))).max())
        noise = FLOOR * (EPS * self.chain.kappa) ** 2 if self.chain.noisy else 0.0
        return size * (noise + (100 * self.chain.leak) ** 2)

    def slack(self, constant: float) -> float:
        """The floor, and what x* off by eps kappa adds at distances of the noise: 16 eps kappa sqrt(constant)."""
        size = float(np.abs(np.diag(self.form(self.key))).max())
        first = 16 * EPS * self.chain.kappa * float(np.sqrt(max(constant, 0.0) * size))
        return self.floor + first * self.chain.noisy

    @property
    def rounding(self) -> float:
        """The floor in the units of the measure itself."""
        return float(np.sqrt(self.floor)) if self.squared else self.floor

    def weights(self, T: int) -> Array:
        """Of a mean over t = 0..T or 0..T-1, summing to one; of the last iterate, one at T."""
        s = self.statement
        if not isinstance(s, Horizon) or s.over == "last":
            return np.asarray(np.arange(T + 1) == T, float)
        if s.weights is None:
            return np.full(T + s.includes_end, 1 / (T + s.includes_end))
        w = np.asarray(s.weights(self.P, self.m, T), float)
        return np.asarray(w / w.sum())

    def pulled(self, T: int) -> Array:
        """E measure (of `min`: the mean) as a form of the start."""
        w = self.weights(T)
        if isinstance(self.statement, Horizon) and self.statement.over == "mean_iterate":
            return self.into(self.chain.pull_mean(self.key, T, w, self.form))
        return self.into(self.chain.pull(self.key, T, np.append(w, 0.0), self.form))

    def along(self, s: Array, T: int) -> Array:
        """E measure_t, t = 0..T, at starts (S, q): (T + 1, S)."""
        return self.chain.push(self.key, self.chain.within(self.starts.z(s).T).T, T, self.form)


def setup(statement: Any, P: Problem, m: Method, size: Budget, everywhere: bool = False) -> Setup:
    """Refused if the step is not affine or the measure not quadratic.

    `everywhere` takes all float fields as coordinates, whatever `domain` says.
    """
    domain = getattr(statement, "domain", None)
    narrow = coordinates_of(statement, P, m)
    plain = coordinates_of(_Free(statement), P, m) if domain else narrow

    def V(state: State) -> Array:
        return np.asarray(value(statement.measure(P, m, state), P))

    _affine_or_refused(P, m, plain, V, size)  # the cheap test, before a basis is computed
    inner = narrow.with_basis()
    coords = plain if everywhere or inner is None else inner
    chain = Chain(P, m, coords, size, V)
    key = chain.enter(m.init(P, np.zeros(P.d)))
    chosen = admissible(inner, coords, P, m) if domain and inner is not None else initial(P, m, coords)
    made = Setup(statement, P, m, chain, key, chosen)
    try:
        made.form(key)
        return made
    except Refused:
        if isinstance(statement.measure(P, m, m.init(P, np.zeros(P.d))), tuple):
            raise
    rooted = Setup(statement, P, m, chain, key, chosen, squared=True)
    rooted.form(key)
    return rooted


class _Free:
    """A statement without its domain."""

    domain = lyapunov = None

    def __init__(self, statement: Any) -> None:
        self.star, self.measure = getattr(statement, "star", None), statement.measure


def _affine_or_refused(P: Problem, m: Method, plain: Coordinates, V: Any, size: Budget) -> None:
    here = plain.at_clock(m.init(P, np.zeros(P.d)))
    if not is_affine(P, m, here, atoms_for(P, m, m.law(P).at(0), here, V, size)):
        raise Refused("the step is not affine in the state")


def cleaned(Q: Array, kappa: float) -> Array:
    """A form that vanishes at star up to rounding, made to vanish there."""
    size = float(np.abs(np.diag(Q)[:-1]).max(initial=0.0))
    if not abs(Q[-1, -1]) <= (RESIDUE * kappa) ** 2 * size:
        return Q
    Q = Q.copy()
    Q[-1, :], Q[:, -1] = 0.0, 0.0
    return Q
