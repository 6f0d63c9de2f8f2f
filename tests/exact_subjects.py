"""Small methods and claims on which the exact lens is tried, and the twins that must die."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from proveout.arrays import largest, last, mean_clients, namespace, norm, to_clients
from proveout.laws import Coin, Each, Geometric, Index, Joint, Normal, Points, Sure, Uniform, pick
from proveout.methods import gd, proxskip
from proveout.methods.gd import GD, SGD
from proveout.methods.proxskip import Scaffnew
from proveout.problems import Quadratics, federated
from proveout.theory.assumptions import each_smooth, each_strongly_convex, smooth
from proveout.theory.lenses import exact
from proveout.theory.statement import Gap, OneStep, Square, Verdict, at_most


def psi(P: Any, m: Any, s: Any) -> Any:
    return (Square(1, s.x - P.x_star, core=2), Square((m.gamma / m.p) ** 2, s.h - P.h_star, core=2))


SCAFFNEW = OneStep(
    source="Mishchenko et al. 2022",
    method=Scaffnew,
    assumes=(each_smooth, each_strongly_convex),
    allows=lambda P, m: at_most(m.gamma, 1 / P.L_max),
    lyapunov=psi,
    star=lambda P, m: proxskip.State(x=to_clients(P.x_star, P.n), h=P.h_star),
    domain=lambda P, m, s: s._replace(h=s.h - mean_clients(s.h)),
    rate=lambda P, m: (1 - m.gamma * P.mu_min, 1 - m.p**2),
    tune=lambda P, p: Scaffnew(gamma=1 / P.L_max, p=p),
)

DISTANCE = OneStep(
    source="one step of SGD with additive noise, exactly",
    method=SGD,
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star),),
    star=lambda P, m: gd.State(x=P.x_star),
    rate=lambda P, m: (1 - m.gamma * P.mu) ** 2,
    noise=lambda P, m: m.gamma**2 * P.sigma2,
)

DESCENT = OneStep(
    source="Nesterov 2018: f(x') <= f(x) - gamma/2 |grad f(x)|^2",
    method=GD,
    assumes=(smooth,),
    allows=lambda P, m: at_most(m.gamma, 1 / P.L),
    lyapunov=lambda P, m, s: (Gap(1, s.x),),
    progress=lambda P, m, s: (Square(m.gamma / 2, P.grad(s.x)),),
    rate=lambda P, m: 1,
)


class DianaState(NamedTuple):
    x: Any  # (..., d)
    h: Any  # (..., n, d)


class DianaDraw(NamedTuple):
    mask: Any  # (..., n, d)  d at one coordinate per client, else 0


@dataclass(frozen=True, kw_only=True)
class Diana:
    """DIANA with rand-1: h_i' = h_i + alpha m_i, x' = x - gamma mean_i(h_i + m_i), m_i = mask (g_i - h_i)."""

    gamma: float
    alpha: float

    def init(self, P: Any, x0: Any) -> DianaState:
        return DianaState(x=x0, h=0 * to_clients(x0, P.n))

    def law(self, P: Any) -> Joint:
        return Joint(DianaDraw(mask=Each(P.n, Points(P.d * np.eye(P.d)))))

    def step(self, P: Any, s: DianaState, draw: DianaDraw) -> DianaState:
        sent = draw.mask * (P.grads(s.x[..., None, :]) - s.h)
        g = mean_clients(s.h + sent)[..., 0, :]
        return DianaState(x=s.x - self.gamma * g, h=s.h + self.alpha * sent)


def diana_psi(P: Any, m: Any, s: DianaState) -> Any:
    omega = P.d - 1
    weight = 4 * m.gamma**2 * max(omega, 1e-9) / (m.alpha * P.n**2)
    return (Square(1, s.x - P.x_star), Square(weight, s.h - P.h_star, core=2))


DIANA = OneStep(
    source="Mishchenko et al. 2019",
    method=Diana,
    lyapunov=diana_psi,
    star=lambda P, m: DianaState(x=P.x_star, h=P.h_star),
    rate=lambda P, m: (1 - m.gamma * P.mu, 1 - m.alpha / 2),
    tune=lambda P: Diana(gamma=1 / (P.L_max * (1 + 6 * (P.d - 1) / P.n)), alpha=1 / P.d),
)


class AnchorState(NamedTuple):
    x: Any  # (..., d)
    w: Any  # (..., d)


class AnchorDraw(NamedTuple):
    j: Any
    theta: Any


@dataclass(frozen=True, kw_only=True)
class LSVRG:
    """x' = x - gamma (g_j(x) - g_j(w) + grad f(w)); w' = x with probability p."""

    gamma: float
    p: float

    def init(self, P: Any, x0: Any) -> AnchorState:
        return AnchorState(x=x0, w=x0)

    def law(self, P: Any) -> Joint:
        return Joint(AnchorDraw(j=Index(P.n), theta=Coin(self.p)))

    def step(self, P: Any, s: AnchorState, draw: AnchorDraw) -> AnchorState:
        part = P.at(draw.j[..., None])
        g = part.grads(s.x[..., None, :]) - part.grads(s.w[..., None, :])
        xp = namespace(s.x)
        return AnchorState(
            x=s.x - self.gamma * (g[..., 0, :] + P.grad(s.w)), w=xp.where(last(draw.theta), s.x, s.w)
        )


ANCHOR = OneStep(
    source="Kovalev, Horvath, Richtarik 2020",
    method=LSVRG,
    lyapunov=lambda P, m, s: (
        Square(1, s.x - P.x_star),
        Square(4 * m.gamma**2 / m.p / P.n, P.grads(s.w[..., None, :]) - P.h_star, core=2),
    ),
    star=lambda P, m: AnchorState(x=P.x_star, w=P.x_star),
    rate=lambda P, m: (1 - m.gamma * P.mu, 1 - m.p / 2),
    tune=lambda P, p: LSVRG(gamma=1 / (6 * P.L_max), p=p),
)


@dataclass(frozen=True)
class Top:
    k: int

    def __call__(self, x: Any) -> Any:
        return namespace(x).where(largest(abs(x), self.k), x, 0 * x)

    def extremes(self, d: int) -> list[Any]:
        return [np.ones(d)]


@dataclass(frozen=True)
class Clip:
    radius: float

    def __call__(self, x: Any) -> Any:
        xp = namespace(x)
        return x * xp.minimum(xp.asarray(1.0), self.radius / last(norm(x) + 1e-300))


@dataclass(frozen=True, kw_only=True)
class BlockGD:
    """x' = x - gamma block(grad f(x))."""

    gamma: float
    block: Any

    def init(self, P: Any, x0: Any) -> gd.State:
        return gd.State(x=x0)

    def law(self, P: Any) -> Joint:
        return Joint(gd.NoDraw(nothing=Sure(np.zeros(()))))

    def step(self, P: Any, s: gd.State, draw: Any) -> gd.State:
        return gd.State(x=s.x - self.gamma * self.block(P.grad(s.x)))


TOP = OneStep(
    source="Beznosikov et al. 2023: f(x') - f* <= (1 - gamma mu k/d) (f(x) - f*)",
    method=BlockGD,
    lyapunov=lambda P, m, s: (Gap(1, s.x),),
    star=lambda P, m: gd.State(x=P.x_star),
    rate=lambda P, m: 1 - m.gamma * P.mu * m.block.k / P.d,
)

CLIP = OneStep(
    source="clipped gradient steps are non-expansive towards x*",
    method=BlockGD,
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star),),
    star=lambda P, m: gd.State(x=P.x_star),
    rate=lambda P, m: 1,
)


def all_ones_worst(d: int, L: float, mu: float) -> Quadratics:
    """H = L I - (L - mu) 11'/d, whose flattest direction is the worst input of top-k."""
    H = L * np.eye(d) - (L - mu) * np.ones((d, d)) / d
    return Quadratics(A=H[None], b=(H @ np.linspace(1, 2, d))[None])


GRID = [
    (n, d, kappa, heterogeneity)
    for n in (2, 4, 8)
    for d in (2, 3)
    for kappa in (1.0, 3.0, 20.0, 200.0)
    for heterogeneity in (0.3, 3.0)
]
SMALL = ((3, 2, 1.0, 0.3), (3, 2, 20.0, 0.3), (8, 2, 200.0, 3.0), (5, 1, 3.0, 3.0))


def instance(n: int, d: int, kappa: float, heterogeneity: float) -> Quadratics:
    return federated(n=n, d=d, kappa=kappa, heterogeneity=heterogeneity, basis="rotated")


def words(statement: Any, twin: Any, settings: Any, grid: Any = GRID) -> list[Verdict]:
    """Verdicts on the twin over a grid of instances and parameters."""
    out = []
    for dials in grid:
        P = instance(*dials)
        for choices in settings:
            out.append(exact.check(*twin.edit(statement, P, statement.tune(P, **choices))))
    return out


def silent(grads: Any, x: Any) -> Any:
    g = grads(x).copy()
    g[..., 0, :] = 0
    return g


class Noisy(NamedTuple):
    xi: Any


@dataclass(frozen=True, kw_only=True)
class NormalSGD:
    """x' = x - gamma (grad f(x) + noise), noise Gaussian; `radius` clips the noisy gradient."""

    gamma: float
    radius: float = 0.0

    def init(self, P: Any, x0: Any) -> gd.State:
        return gd.State(x=x0)

    def law(self, P: Any) -> Joint:
        return Joint(Noisy(xi=Normal(P.d)))

    def step(self, P: Any, s: gd.State, draw: Noisy) -> gd.State:
        g = P.grad(s.x) + draw.xi
        return gd.State(x=s.x - self.gamma * (Clip(self.radius)(g) if self.radius else g))


GAUSSIAN = OneStep(
    source="one step of SGD with standard normal noise, exactly",
    method=NormalSGD,
    lyapunov=lambda P, m, s: (Square(1, s.x - P.x_star),),
    star=lambda P, m: gd.State(x=P.x_star),
    rate=lambda P, m: (1 - m.gamma * P.mu) ** 2,
    noise=lambda P, m: m.gamma**2 * P.d,
)


class Steps(NamedTuple):
    steps: Any


@dataclass(frozen=True, kw_only=True)
class ManySteps:
    """A geometric number of gradient steps."""

    gamma: float
    p: float

    def init(self, P: Any, x0: Any) -> gd.State:
        return gd.State(x=x0)

    def law(self, P: Any) -> Joint:
        return Joint(Steps(steps=Geometric(self.p)))

    def step(self, P: Any, s: gd.State, draw: Steps) -> gd.State:
        x, xp = s.x, namespace(s.x)
        for k in range(int(draw.steps.max())):
            x = xp.where(last(k < draw.steps), x - self.gamma * P.grad(x), x)
        return gd.State(x=x)


class Chosen(NamedTuple):
    u: Any


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """One coordinate, picked with probability |g_j| / |g|_1, over that probability."""

    gamma: float

    def init(self, P: Any, x0: Any) -> gd.State:
        return gd.State(x=x0)

    def law(self, P: Any) -> Joint:
        return Joint(Chosen(u=Uniform((), outcomes=P.d)))

    def step(self, P: Any, s: gd.State, draw: Chosen) -> gd.State:
        g = P.grad(s.x)
        xp = namespace(g)
        size = xp.sum(abs(g), axis=-1)
        j = pick(abs(g) / xp.where(size > 0, size, 1.0)[..., None], draw.u)
        kept = xp.sign(g) * (xp.arange(g.shape[-1]) == last(j))
        return gd.State(x=s.x - self.gamma * last(size) * kept)


class Ticking(NamedTuple):
    x: Any
    t: int


@dataclass(frozen=True, kw_only=True)
class Slowing:
    """Step size gamma / (t + 1); the first coin is forced."""

    gamma: float

    def init(self, P: Any, x0: Any) -> Ticking:
        return Ticking(x=x0, t=0)

    def law(self, P: Any) -> Joint:
        return Joint(proxskip.Draw(theta=Coin(0.5, first=True)))

    def step(self, P: Any, s: Ticking, draw: Any) -> Ticking:
        xp = namespace(s.x)
        moved = s.x - self.gamma / (s.t + 1) * P.grad(s.x)
        return Ticking(x=xp.where(last(draw.theta), moved, s.x), t=s.t + 1)


class Wrong(Quadratics):
    """An optimum that is off by a hundredth."""

    @property
    def x_star(self) -> Any:  # type: ignore[override]
        return super().x_star + 1e-2
