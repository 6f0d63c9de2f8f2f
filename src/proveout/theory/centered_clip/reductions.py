"""Centered clipping along a run without attack: what it reduces to, its fixed point, its symmetries."""

from typing import Any

import numpy as np

from proveout.arrays import Array, namespace, norm
from proveout.methods.blocks.aggregators import CenteredClip, Mean
from proveout.methods.centered_clip import RobustMomentumSGD
from proveout.theory.statement import Identity, Method, Path, Problem
from proveout.theory.twins import statement_with, step_edit, with_fields

__all__ = ["EQUALS_MEAN", "EQUALS_SGDM", "EQUIVARIANCE", "HUBER_POINT"]

SOURCE = "Karimireddy, He, Jaggi (ICML 2021)"


def received(path: Path) -> tuple[Array, Array]:
    """Messages (T, ..., n, d) and centers (T, ..., d) of the rounds of a run without attack."""
    xp = namespace(path.states[0].x)
    return xp.stack([s.u for s in path.states[1:]]), xp.stack([s.v for s in path.states[:-1]])


def apply_rule(m: Method, messages: Array, center: Array, lam: Any = None) -> Array:
    """One inner step of the method's rule, with another radius if given."""
    return m.rule.inner(messages, center, m.rule.radii[0] if lam is None else lam)


def _reach(messages: Array, center: Array, share: float = 1.0) -> Array:
    """share times the largest distance of a message from the center: (..., 1, 1)."""
    return share * norm(messages - center[..., None, :]).max(axis=-1)[..., None, None]


def _clipped(P: Problem, beta: float = 0.9, lam: float = 1.0) -> RobustMomentumSGD:
    return RobustMomentumSGD(gamma=0.5 / P.L_max, beta=beta, rule=CenteredClip(lam=lam))


def mean_sides(share: float = 1.0) -> Any:
    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        messages, center = received(path)
        return apply_rule(m, messages, center, _reach(messages, center, share)), messages.mean(axis=-2)

    return sides


EQUALS_MEAN = Identity(
    source=SOURCE + ", remark on large radii",
    method=RobustMomentumSGD,
    sides=mean_sides(),
    tune=_clipped,
    claim=r"\lambda\ge\max_i\|x_i-v\|\ \Rightarrow\ v^{+}=\bar x",
    twins=(
        statement_with("lam = .9 max |x_i - v|", sides=mean_sides(0.9)),
        statement_with(
            "weight 1/(n - 1)",
            sides=lambda P, m, path: (
                mean_sides()(P, m, path)[0] * P.n / (P.n - 1),
                mean_sides()(P, m, path)[1],
            ),
        ),
    ),
)


def momentum_sgd(P: Problem, m: Method, path: Path) -> Array:
    """The models of momentum SGD in averaging form on the mean gradients of a run: (T, ..., d)."""
    T = len(path.draws)
    g = [
        P.on(draw.xi).grads(s.x[..., None, :]).mean(axis=-2)
        for s, draw in zip(path.states[:-1], path.draws, strict=True)
    ]
    s, r = np.meshgrid(np.arange(T), np.arange(T))
    weight = np.where(s <= r, np.where(s == 0, 1.0, 1 - m.beta) * m.beta ** np.maximum(r - s, 0), 0.0)
    moves = np.tensordot(np.cumsum(weight, axis=0), np.stack(g), axes=1)
    return path.states[0].x - m.gamma * moves


def sgdm_sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
    return np.stack([s.x for s in path.states[1:]]), momentum_sgd(P, m, path)


def _sgdm(P: Problem, beta: float = 0.9, clip: bool = True) -> RobustMomentumSGD:
    rule = CenteredClip(lam=1e12) if clip else Mean()
    return RobustMomentumSGD(gamma=0.5 / P.L_max, beta=beta, rule=rule)


EQUALS_SGDM = Identity(
    source=SOURCE + ", the case without attack",
    method=RobustMomentumSGD,
    sides=sgdm_sides,
    tune=_sgdm,
    claim=r"\delta=0:\ x_{t+1}=x_t-\gamma u_t,\ u_t=\beta u_{t-1}+(1-\beta)g_t,\ u_0=g_0",
    twins=(
        step_edit(
            "u = beta u + g", lambda P, s, draw, new: new._replace(x=s.x - 10 * (s.x - new.x)) if s.t else new
        ),
        statement_with(
            "u_0 = (1 - beta) g_0", sides=lambda P, m, path: sgdm_sides(P, m, _without_first(path))
        ),
        with_fields("a radius that clips", lambda P, m: {"rule": CenteredClip(lam=1e-3)}),
    ),
)


def _without_first(path: Path) -> Path:
    return Path(states=path.states[1:], draws=path.draws[1:])


def huber_location(messages: Array, lam: Array, rounds: int = 200) -> Array:
    """argmin_v sum_i h_lam(|v - x_i|) by reweighted means, from the mean: (..., n, d) -> (..., d)."""
    v = messages.mean(axis=-2)
    for _ in range(rounds):
        far = norm(messages - v[..., None, :])[..., None]
        weight = np.minimum(1, lam / np.where(far > 0, far, lam))
        v = (weight * messages).sum(axis=-2) / weight.sum(axis=-2)
    return v


def huber_sides(share: float = 0.7, rounds: int = 200) -> Any:
    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        messages, v = received(path)
        lam = _reach(messages, messages.mean(axis=-2), 0.7)
        for _ in range(rounds):
            v = apply_rule(m, messages, v, lam)
        return v, huber_location(messages, share / 0.7 * lam)

    return sides


HUBER_POINT = Identity(
    source=SOURCE + ", centered clipping as a gradient step on Huber's loss",
    method=RobustMomentumSGD,
    sides=huber_sides(),
    steps=5,
    tune=_clipped,
    claim=r"v=\mathrm{CC}(v)\iff v=\arg\min\sum_i h_\lambda(\|v-x_i\|)",
    twins=(
        statement_with("one inner step", sides=huber_sides(rounds=1)),
        statement_with("Huber's function at half the radius", sides=huber_sides(share=0.35)),
    ),
)


def equivariance_sides(scaled: bool = True, moved: bool = True) -> Any:
    """Sides; twins forget to scale lam, or to move the center."""

    def sides(P: Problem, m: Method, path: Path) -> tuple[Array, Array]:
        messages, center = received(path)
        d = P.d
        a, shift = 2.5, np.linspace(-1, 1, d)
        turn = np.linalg.qr(np.vander(np.linspace(1, 2, d)))[0]
        lam = _reach(messages, center, 0.5)
        there = a * center @ turn + (shift if moved else 0)
        left = apply_rule(m, a * messages @ turn + shift, there, a * lam if scaled else lam)
        return left, a * apply_rule(m, messages, center, lam) @ turn + shift

    return sides


EQUIVARIANCE = Identity(
    source=SOURCE + ", properties of centered clipping",
    method=RobustMomentumSGD,
    sides=equivariance_sides(),
    tune=_clipped,
    claim=r"\mathrm{CC}_{a\lambda}(aXR+s,\,avR+s)=a\,\mathrm{CC}_\lambda(X,v)R+s",
    twins=(
        statement_with("lam not scaled", sides=equivariance_sides(scaled=False)),
        statement_with("the center not moved", sides=equivariance_sides(moved=False)),
    ),
)
