"""Second moments of an affine method: exact expectations of quadratic measures at every t.

In homogeneous coordinates z = (y, 1) every draw k is a matrix T_k, and with Z_t = E z_t z_t'

    forward    Z+ = sum_k p_k T_k Z T_k',        adjoint on forms    W+ = sum_k p_k T_k' W T_k,
    E measure_t = tr(Q Z_t) = z_0' (adjoint^t Q) z_0     for all starts at once.

*Clocks.*  Integer and boolean fields (counters, bracket positions, stale indices, "is the anchor fresh") are not
in y: a `Kernel` holds the maps at one clock value under the law of one step, with the clock that every draw
leads to; there is one Z, one W per clock value.  Which clocks are met at time t is enumerated: `layers`.

    chain = Chain(P, m, coords, budget, V)        # V(state) -> (...): what will be measured, for moment atoms
    W = chain.pull(key, T, weights, form)         # form at t = 0 of sum_t weights[t] E measure_t
    W = chain.pull_mean(key, T, weights, form)    # of E measure of the averaged state
    values = chain.push(key, z0, T, form)         # E measure_t for t = 0..T, starts z0 (S, D)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from proveout.arrays import Array, tree_map
from proveout.theory.lenses.affine import read_maps
from proveout.theory.lenses.common import Budget, Refused
from proveout.theory.lenses.moments.jumps import orthonormal
from proveout.theory.lenses.reduce import atoms_for
from proveout.theory.lenses.sampled.runs import condition
from proveout.theory.lenses.states import Coordinates, clock_of, is_float
from proveout.theory.statement import Method, Problem, State

__all__ = ["LARGEST", "RESIDUE", "Chain", "Group", "Kernel"]

LARGEST = 400  # q, at most
CLOCKS = 64  # clock values at one time, at most
STEP = 1e11  # K q^3 of one step, at most
RESIDUE = 1e-14  # times the condition number: what a star is off by

Key = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Group:
    """The draws of a kernel that lead to the same clock."""

    to: Key
    F: Array  # (K, D, D)  sqrt(p_k) T_k, homogeneous

    @property
    def mass(self) -> float:
        """The probability of these draws."""
        return float((self.F[:, -1, -1] ** 2).sum())

    @cached_property
    def mean(self) -> Array:
        """sum_k p_k T_k: (D, D)."""
        return np.asarray(np.einsum("kij,k->ij", self.F, self.F[:, -1, -1]))

    def forward(self, Z: Array) -> Array:
        """sum_k p_k T_k Z T_k': (..., D, D) -> (..., D, D)."""
        K, D, _ = self.F.shape
        wide = np.moveaxis(self.F @ Z[..., None, :, :], -3, -2).reshape(*Z.shape[:-2], D, K * D)
        return wide @ self.F.swapaxes(-1, -2).reshape(K * D, D)

    def adjoint(self, W: Array) -> Array:
        """sum_k p_k T_k' W T_k: (D, D) -> (D, D)."""
        K, D, _ = self.F.shape
        return np.asarray(self.F.reshape(K * D, D).T @ (W @ self.F).reshape(K * D, D))


@dataclass(frozen=True, eq=False)
class Kernel:
    """One step at one clock value."""

    groups: tuple[Group, ...]
    atoms: int
    note: str

    def adjoint(self, W: dict[Key, Array]) -> Array:
        """E of forms given per clock: (D, D)."""
        return np.asarray(sum(g.adjoint(W[g.to]) for g in self.groups))

    def within(self, embed: Array) -> "Kernel":
        """Restricted to an invariant space."""
        groups = tuple(Group(g.to, embed.T @ g.F @ embed) for g in self.groups)
        return Kernel(groups, self.atoms, self.note)


class Chain:
    """The kernels of a method, read when they are first met."""

    def __init__(
        self,
        P: Problem,
        m: Method,
        coords: Coordinates,
        budget: Budget,
        V: Callable[[State], Array] | None,
    ) -> None:
        if coords.q > LARGEST:
            raise Refused(f"too large: second moments of R^{coords.q}, at most {LARGEST}")
        self.P, self.m, self.coords, self.budget, self.V = P, m, coords, budget, V
        self.law = m.law(P)
        self.kappa = condition(P)
        self.kernels: dict[tuple[Key, Any], Kernel] = {}
        self.clocks: dict[Key, Coordinates] = {}
        self.embed: Array | None = None  # (q + 1, r + 1) of the reachable space, after `reduce`
        self.leak = 0.0  # how far the maps lead out of it

    @property
    def D(self) -> int:
        return self.coords.q + 1 if self.embed is None else int(self.embed.shape[1])

    def within(self, Q: Array) -> Array:
        """A form, or homogeneous columns, on y as one on the reachable space."""
        if self.embed is None:
            return Q
        return (
            self.embed.T @ Q @ self.embed if Q.shape[0] == Q.shape[1] == len(self.embed) else self.embed.T @ Q
        )

    def reduce(self, key: Key, columns: Array, T: int) -> None:
        """Restrict all maps up to step T to what starts (columns of y, (q, c)) and offsets reach.

        Else an idle direction of eigenvalue 1 leaves its rounding, 1e-16 of the start, in every form.
        """
        for t, layer in enumerate(self.layers(key, T)[:-1]):
            for k in layer:
                self.kernel(k, t)
        groups = [g for kernel in self.kernels.values() for g in kernel.groups]
        fed = np.concatenate([columns, *(g.F[:, :-1, -1].T for g in groups)], axis=1)
        basis, new = fed[:, :0], orthonormal(fed[:, :0], fed)
        scale = max(float(np.abs(g.F[:, :-1, :-1]).max(initial=0.0)) for g in groups)
        while new.shape[1]:
            basis = np.concatenate([basis, new], axis=1)
            moved = [a for g in groups for a in g.F[:, :-1, :-1] @ new]
            new = orthonormal(basis, np.concatenate(moved, axis=1), scale)
        if basis.shape[1] == self.coords.q:
            return
        out = [fed, *(a for g in groups for a in g.F[:, :-1, :-1] @ basis)]
        self.leak = max(float(np.abs(a - basis @ (basis.T @ a)).max(initial=0.0)) for a in out)
        self.embed = np.zeros((self.coords.q + 1, basis.shape[1] + 1))
        self.embed[:-1, :-1], self.embed[-1, -1] = basis, 1
        self.kernels = {where: kernel.within(self.embed) for where, kernel in self.kernels.items()}

    # ---- clocks and laws

    def enter(self, state: State) -> Key:
        """The key of the clock of a state without leading axes."""
        key = tuple(np.asarray(c).tobytes() + str(np.asarray(c).dtype).encode() for c in clock_of(state))
        if key not in self.clocks:
            self.clocks[key] = self.coords.at_clock(state)
        return key

    def phase(self, t: int) -> Any:
        """What tells the law of step t from others: None where time changes nothing, else its draws."""
        now = self._at(t)
        if now is self.law:
            return None
        if not now.count <= 64:
            return t
        prob, draw = now.atoms()
        parts = [np.asarray(prob).tobytes()]
        tree_map(lambda a: parts.append(np.asarray(a).tobytes()), draw)
        return tuple(parts)

    def _at(self, t: int) -> Any:
        try:
            return self.law.at(t)
        except ValueError as error:
            raise Refused(str(error)) from None

    @property
    def timeless(self) -> bool:
        """Does one law serve all steps but, perhaps, the first?"""
        return self._at(1) is self.law

    def kernel(self, key: Key, t: int) -> Kernel:
        """The step at a clock value under the law of step t."""
        where = (key, self.phase(t))
        if where not in self.kernels:
            kernel = self._read(self.clocks[key], t)
            self.kernels[where] = kernel if self.embed is None else kernel.within(self.embed)
        return self.kernels[where]

    def _read(self, coords: Coordinates, t: int) -> Kernel:
        atoms = atoms_for(self.P, self.m, self._at(t), coords, self.V, self.budget)
        if atoms.size * (coords.q + 1.0) ** 3 > STEP:
            raise Refused(f"too large: {atoms.size} draws of a map of R^{coords.q}")
        maps = read_maps(self.P, self.m, coords, atoms, self.budget)
        if maps is None:
            raise Refused("the step is not affine in the state")
        T = maps.T()
        if np.abs(T[:, :-1, -1]).max(initial=0.0) <= RESIDUE * self.kappa:
            T[:, :-1, -1] = 0.0  # star is a fixed point up to rounding
        F = T * np.sqrt(np.asarray(maps.prob, float))[:, None, None]
        targets: dict[Key, list[int]] = {}
        for k in range(atoms.size):
            targets.setdefault(self.enter(self._after(coords.star, maps.clocks, k)), []).append(k)
        groups = tuple(Group(to, np.ascontiguousarray(F[rows])) for to, rows in targets.items())
        return Kernel(groups, atoms.size, atoms.note)

    @staticmethod
    def _after(star: State, clocks: tuple[Any, ...], k: int) -> State:
        """A state with the clock that draw k leads to."""
        rest = iter(clocks)

        def one(leaf: Any) -> Any:
            if is_float(leaf):
                return leaf
            clock = next(rest)
            return clock if isinstance(clock, int) else np.asarray(clock)[k]

        return tree_map(one, star)

    # ---- expectations

    def layers(self, key: Key, T: int) -> list[list[Key]]:
        """The clocks that can be met at t = 0, ..., T."""
        out = [[key]]
        for t in range(T):
            met = dict.fromkeys(g.to for k in out[-1] for g in self.kernel(k, t).groups)
            if len(met) > CLOCKS:
                raise Refused(f"too large: {len(met)} values of the clock at step {t + 1}, at most {CLOCKS}")
            out.append(list(met))
        return out

    def pull(self, key: Key, T: int, weights: Array, form: Callable[[Key], Array]) -> Array:
        """The form at t = 0 of sum_{t <= T} weights[t] E measure_t: (D, D)."""
        layers = self.layers(key, T)
        W = {k: weights[T] * form(k) for k in layers[T]}
        for t in range(T - 1, -1, -1):
            w, last = weights[t], W
            W = {k: self.kernel(k, t).adjoint(last) for k in layers[t]}
            if w:
                W = {k: V + w * form(k) for k, V in W.items()}
        return (W[key] + W[key].T) / 2

    def pull_mean(self, key: Key, T: int, weights: Array, form: Callable[[Key], Array]) -> Array:
        """The form at t = 0 of E measure at sum_t weights[t] y_t, t < len(weights) = T or T + 1: (D, D).

        A running sum s is added to the state: forms are on (s, y, 1), s+ = s + w_t y.
        """
        q, layers = self.D - 1, self.layers(key, T)
        last = np.zeros((self.D, q + self.D))  # (s, y, 1) -> (s + w_T y, 1)
        last[:q, :q], last[q, -1] = np.eye(q), 1
        if len(weights) > T:
            last[:q, q : 2 * q] = weights[T] * np.eye(q)
        U = {k: last.T @ form(k) @ last for k in layers[T]}
        for t in range(T - 1, -1, -1):
            after, U = U, {}
            for k in layers[t]:
                now = np.zeros((q + self.D, q + self.D))
                for g in self.kernel(k, t).groups:
                    V = after[g.to]
                    now[:q, :q] += g.mass * V[:q, :q]
                    now[:q, q:] += V[:q, q:] @ g.mean
                    now[q:, q:] += g.adjoint(V[q:, q:])
                now[q:, :q] = now[:q, q:].T
                add = np.eye(q + self.D)
                add[:q, q : 2 * q] = weights[t] * np.eye(q)
                U[k] = add.T @ now @ add
        return (U[key][q:, q:] + U[key][q:, q:].T) / 2

    def push(self, key: Key, z: Array, T: int, form: Callable[[Key], Array]) -> Array:
        """E measure_t for t = 0, ..., T from starts (S, D): (T + 1, S)."""
        Z = {key: z[:, :, None] * z[:, None, :]}
        out = np.empty((T + 1, len(z)))
        for t in range(T + 1):
            out[t] = sum(np.einsum("sij,ji->s", Zk, form(k), optimize=True) for k, Zk in Z.items())
            if t == T:
                break
            after: dict[Key, Any] = {}
            for k, Zk in Z.items():
                for g in self.kernel(k, t).groups:
                    after[g.to] = after.get(g.to, 0.0) + g.forward(Zk)
            Z = after
        return out

    @property
    def noisy(self) -> bool:
        """Does any draw move star?"""
        return any(g.F[:, :-1, -1].any() for kernel in self.kernels.values() for g in kernel.groups)

    def notes(self) -> list[str]:
        """What was cut or replaced in the laws, and how many clocks were met."""
        said = dict.fromkeys(k.note for k in self.kernels.values() if k.note)
        count = len({key for key, _ in self.kernels})
        return [*said, f"{count} clock values" if count > 1 else ""]
