"""Invariant Gram matrices: one block per orbit of clients and one block for shared vectors and means.

If law, step and V treat the clients of every orbit alike, the worst Gram matrix may be taken invariant under
renaming them (average a worst one over all renamings: the feasible set is convex, the objective linear).
<e_{i,a}, e_{j,b}> then depends on whether i = j only, and G is exactly, any PSD matrices,

    A_o = sum_{i in o} Gram(e_i - mean e) / (n_o - 1)      for each orbit with n_o >= 2,
    M   = Gram(shared vectors, means of all orbits),

and a form P, D_o = sum_i P_ii, T_oo' = sum_ij P_ij, R_uo = sum_i P_ui, reads

    <P, G> = sum_o <D_o - T_oo/n_o, A_o> + <[[P_uu, R], [R', T]], M>.

In floats the basis of M is (u, sqrt(n_o) mean), for exact data (u, mean).  Orbits of size one have no A.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from proveout.arrays import Array
from proveout.theory.lenses.worstcase.forms import Form, Raw
from proveout.theory.lenses.worstcase.luck import Noise
from proveout.theory.lenses.worstcase.space import NotSymmetric
from proveout.theory.lenses.worstcase.world import World

__all__ = ["Groups", "Layout"]

Groups = Sequence[Sequence[int]]  # clients split by their role in one draw
DUST = 1e-13  # of what cancels; D - T/n of a server-side vector would leave a false direction


@dataclass(eq=False)
class Layout:
    """Where the letters of a finished trace stand in the blocks; noises nobody asked at are split off."""

    world: World

    def __post_init__(self) -> None:
        world = self.world
        stay = [l for l in world.space.letters if l.noise is None or l.noise.kept]
        self.shared = [l for l in stay if l.orbit is None]
        self.own = [[l for l in stay if l.orbit == o] for o in range(len(world.space.orbits))]
        self.u = np.array([l.start for l in self.shared], dtype=int)
        self.index = [  # (k_o, tracked): columns
            np.array([l.start for l in letters], dtype=int)[:, None] + np.arange(len(orbit.tracked))
            for letters, orbit in zip(self.own, world.space.orbits, strict=True)
        ]
        self.pairs = [
            o for o, orbit in enumerate(world.space.orbits) if orbit.size > 1
        ]  # orbits with a block A
        starts = np.cumsum([len(self.u), *(len(i) for i in self.index)])
        self.slots = [slice(a, b) for a, b in zip(starts[:-1], starts[1:], strict=True)]  # in M
        self.sizes = (*(len(self.index[o]) for o in self.pairs), int(starts[-1]))
        self.units = [1 if world.space.exact else math.sqrt(orbit.size) for orbit in world.space.orbits]

    @property
    def basis(self) -> tuple[tuple[str, ...], ...]:
        """Names of the vectors of each block."""
        several = len(self.world.space.orbits) > 1
        tag = [f"[{o}]" if several else "" for o in range(len(self.world.space.orbits))]
        blocks = [tuple(f"{l.name}{tag[o]}_i - mean" for l in self.own[o]) for o in self.pairs]
        mean = [f"{l.name}{tag[o]}" for o in range(len(self.own)) for l in self.own[o]]
        return (*blocks, (*(l.name for l in self.shared), *mean))

    # ---- whole forms

    def form(self, raw: Raw, prob: Array, groups: Sequence[Groups]) -> Form:
        """The expectation of a term: weights of the atoms, and the groups of each atom."""
        K, size, world = len(prob), self.world.space.used, self.world
        wide = any(len(q) > 1 for q in raw.quad)
        weights, roles = (prob, list(groups)) if wide else (np.array([prob.sum()]), [groups[0]])
        P = raw.matrices(len(weights) if wide else 1, size, weights)
        noise = raw.const * prob.sum()
        if any(not e.kept for e in world.luck.noises):
            P, extra = self._split(P, roles)
            noise = noise + (weights * extra).sum()
        blocks: list[Array] | None = None
        for key in dict.fromkeys(map(_key, roles)):
            at = [k for k in range(len(weights)) if _key(roles[k]) == key]
            matrix = np.tensordot(weights[at], P[at], axes=1)
            part = self.blocks(matrix, roles[at[0]])
            blocks = part if blocks is None else [a + b for a, b in zip(blocks, part, strict=True)]
        values = np.zeros(world.values, dtype=object if world.space.exact else float)
        for symbol, coefficient in raw.values.items():
            values[symbol] += coefficient
        return self._checked(Form(tuple(blocks or ()), values, noise), K)

    def _checked(self, form: Form, atoms: int) -> Form:
        """Exact data must have stayed exact."""
        if self.world.space.exact:
            entries = [x for part in (*form.blocks, form.values) for x in part.ravel()] + [form.noise]
            if not all(isinstance(x, (int, Fraction)) for x in entries):
                raise ValueError("not rational: the step or a weight makes floats of fractions")
        return form

    def _split(self, P: Array, roles: Sequence[Groups]) -> tuple[Array, Array]:
        """Expectation over noises that no oracle saw: products vanish but |e_i|^2 = omega |v_i|^2 + const."""
        extra = np.zeros(len(P), dtype=P.dtype)
        for noise in reversed([e for e in self.world.luck.noises if not e.kept]):
            columns = [l.start + k for l in noise.letters for k in range(l.width)]
            for k, groups in enumerate(roles):
                size = self._sizes(noise, P[k], groups)  # coefficient of |e_i|^2, one per row of v
                P[k][columns, :] = P[k][:, columns] = P[k, 0, 0] * 0
                if noise.v is not None and noise.omega:
                    v = noise.v[:, : P.shape[-1]]
                    P[k] = P[k] + v.T @ (v * (noise.omega * size)[:, None])
                extra[k] = extra[k] + noise.const * size.sum()
        return P, extra

    def _sizes(self, noise: Noise, P: Array, groups: Groups) -> Array:
        if not noise.clients:
            return np.array([P[l.start, l.start] for l in noise.letters], dtype=P.dtype)
        size = np.zeros(self.world.space.n, dtype=P.dtype)
        for letter in noise.letters:
            for group, first, _ in self._seats(letter.orbit or 0, groups):
                size[group] = P[letter.start + first, letter.start + first]
        return size

    # ---- the reduction

    def _seats(self, o: int, groups: Groups) -> list[tuple[list[int], int, int | None]]:
        """(clients, place of a first and of a second tracked client) of the groups inside an orbit."""
        place, members, out = self.world.space.place, set(self.world.space.orbits[o].clients), []
        for group in groups:
            inside = sorted(members.intersection(group))
            if inside:
                seats = [place[i] for i in inside if i in place]
                out.append((inside, seats[0], seats[1] if len(seats) > 1 else None))
        return out

    def blocks(self, P: Array, groups: Groups) -> list[Array]:
        """The data of one form over columns, (used, used), for one split of the clients."""
        seats = [self._seats(o, groups) for o in range(len(self.own))]
        count = [self._count(o, seats[o]) for o in range(len(self.own))]
        M = np.full((self.sizes[-1],) * 2, P[0, 0] * 0, dtype=P.dtype)
        s = len(self.u)
        M[:s, :s] = P[np.ix_(self.u, self.u)]
        out = []
        for o, index in enumerate(self.index):
            k, r = index.shape
            P3 = P[np.ix_(self.u, index.ravel())].reshape(s, k, r)
            R = self._clean(P3 @ count[o], np.abs(P3) @ count[o]) / self.units[o]
            M[:s, self.slots[o]], M[self.slots[o], :s] = R, R.T
            for other in range(o, len(self.own)):
                T, size, D = self._sums(P, o, other, count, seats)
                scaled = T / (self.units[o] * self.units[other])
                M[self.slots[o], self.slots[other]], M[self.slots[other], self.slots[o]] = scaled, scaled.T
                if o == other and o in self.pairs:
                    n = self.world.space.orbits[o].size
                    out.append(self._clean(D - T / n, np.abs(D) + size / n))
        return [*out, M]

    def _count(self, o: int, seats: Sequence[tuple[list[int], int, int | None]]) -> Array:
        """How many clients the column of each tracked client stands for."""
        count = np.full(len(self.world.space.orbits[o].tracked), self.world.space.one * 0)
        for group, first, _ in seats:
            count[first] = len(group) * self.world.space.one
        return count

    def _sums(
        self,
        P: Array,
        o: int,
        other: int,
        count: Sequence[Array],
        seats: Sequence[list[tuple[list[int], int, int | None]]],
    ) -> tuple[Array, Array, Array]:
        """T, the size of what was added up in it, and (for o = other) D of a form."""
        (k, r), (l, t) = self.index[o].shape, self.index[other].shape
        P4 = P[np.ix_(self.index[o].ravel(), self.index[other].ravel())].reshape(k, r, l, t)
        weights = np.multiply.outer(count[o], count[other])
        if o == other:
            for group, first, second in seats[o]:
                m = len(group) * self.world.space.one
                weights[first, first] = m
                if second is not None:
                    self._alike(P4, first, second)
                    weights[first, second] = weights[second, first] = m * (m - 1) / 2
        flat = P4.transpose(0, 2, 1, 3).reshape(k * l, r * t)
        T, size = (flat @ weights.ravel()).reshape(k, l), (np.abs(flat) @ weights.ravel()).reshape(k, l)
        D = P4.diagonal(axis1=1, axis2=3) @ count[o] if o == other else T
        return self._clean(T, size), size, D

    def _alike(self, P4: Array, a: int, b: int) -> None:
        """Two clients of one group must show the same coefficients."""
        own, cross = P4[:, a, :, a] - P4[:, b, :, b], P4[:, a, :, b] - P4[:, b, :, a]
        worst = max(np.abs(own).max(initial=0), np.abs(cross).max(initial=0))
        if worst > (0 if self.world.space.exact else 1e-9) * max(1, np.abs(P4).max(initial=0)):
            raise NotSymmetric("clients of one group have different coefficients")

    def _clean(self, value: Array, size: Array) -> Array:
        """Zero where terms of this size have cancelled."""
        return value if self.world.space.exact else np.where(np.abs(value) < DUST * size, 0.0, value)

    # ---- vectors that all clients of an orbit have in common

    def vector(self, o: int, row: Array) -> tuple[Array, Array]:
        """The row of an orbit's first client as coefficients of (e_i - mean e) and of the basis of M."""
        first, *others = self.world.space.orbits[o].tracked
        beta = np.full(self.sizes[-1], self.world.space.one * 0)
        beta[: len(self.u)] = row[self.u]
        alpha = np.full(len(self.index[o]), self.world.space.one * 0)
        for other, index in enumerate(self.index):
            n = self.world.space.orbits[other].size
            own = row[index[:, 0]]
            if other != o:
                sums = own * n
            elif others:
                rest = row[index[:, 1]]
                alpha = self.world.space.clean(own - rest)
                sums = self._clean(own + rest * (n - 1), np.abs(own) + np.abs(rest) * (n - 1))
            else:
                sums = own
            beta[self.slots[other]] = sums / self.units[other]
        return alpha, beta

    def product(self, o: int, u: tuple[Array, Array], v: tuple[Array, Array]) -> tuple[Array, ...]:
        """mean_{i in o} <u_i, v_i> as blocks."""
        blocks = [np.full((k, k), self.world.space.one * 0) for k in self.sizes]
        half, n = self.world.space.one / 2, self.world.space.orbits[o].size
        if o in self.pairs:
            outer = np.multiply.outer(u[0], v[0])
            blocks[self.pairs.index(o)] = (outer + outer.T) * (half * (n - 1) / n)
        outer = np.multiply.outer(u[1], v[1])
        blocks[-1] = (outer + outer.T) * half
        return tuple(blocks)


def _key(groups: Groups) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(g) for g in groups)
