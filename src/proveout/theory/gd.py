"""Gradient descent and minibatch SGD: the calibration of every lens.

Nesterov, "Lectures on Convex Optimization" (2018); Drori and Teboulle (arXiv:1206.3209) for the tight
convex rate; Khaled and Richtárik (arXiv:2002.03329) for SGD under expected smoothness.

    contraction   |x' - x*|^2 <= max{(1 - gamma mu)^2, (1 - gamma L)^2} |x - x*|^2
    convex_rate   f(x_T) - f* <= L |x_0 - x*|^2 / (4 T L gamma + 2),              gamma <= 1/L
    pl            f(x') - f* <= (1 - gamma mu (2 - gamma L)) (f(x) - f*),         gamma <= 2/L
    nonconvex     f(x') <= f(x) - gamma (1 - gamma L/2) |grad f(x)|^2,            gamma <= 2/L

SGD with a uniform b-subset of the n components is unbiased ABC,  E|g|^2 <= 2 A (f - f*) + B |grad f|^2 + C
(`blocks/estimators`, `Minibatch`), hence

    sgd_nonconvex         E f(x') - f* <= (1 + L A gamma^2)(f - f*) - gamma (1 - L B gamma/2) |grad f|^2 + L C gamma^2/2
    sgd_strongly_convex   E f(x') - f* <= (1 - gamma mu)(f - f*) + L C gamma^2/2,
                          gamma <= min{mu/(L (A + mu B)), 1/mu}
"""

from dataclasses import replace

from proveout.methods.blocks.estimators import ABC, Minibatch
from proveout.methods.gd import GD, SGD, State
from proveout.theory.assumptions import convex, each_smooth, pl, smooth, strongly_convex
from proveout.theory.statement import (
    Gap,
    Horizon,
    Method,
    Number,
    OneStep,
    Problem,
    Square,
    Terms,
    Twin,
    always,
    at_most,
)
from proveout.theory.twins import (
    bound_times,
    field_times,
    noise_times,
    oracle,
    progress_times,
    rate_gap,
    rate_is,
    statement_with,
    update_times,
    with_fields,
)

__all__ = ["CONTRACTION", "CONVEX_RATE", "NONCONVEX", "PL", "SGD_NONCONVEX", "SGD_STRONGLY_CONVEX"]

NESTEROV = "Nesterov, Lectures on Convex Optimization (2018)"
KHALED = "Khaled and Richtárik (arXiv:2002.03329)"


def star(P: Problem, m: Method) -> State | None:
    """The optimum; a function that is only bounded below has none."""
    x = getattr(P, "x_star", None)
    return None if x is None else State(x=x)


def gap(P: Problem, m: Method, state: State) -> Terms:
    return (Gap(1, state.x),)


# ------------------------------------------------------------------ gradient descent


def _past_the_balance(statement: OneStep, P: Problem, m: GD) -> tuple[OneStep, Problem, GD]:
    """(1 - gamma mu)^2 alone, for a step past 2/(L + mu)."""
    alone = replace(statement, rate=lambda P, m: (1 - m.gamma * P.mu) ** 2)
    return alone, P, replace(m, gamma=2.4 / (P.L + P.mu))


def _too_long(P: Problem, m: GD) -> dict[str, Number]:
    return {"gamma": 2.2 / P.L}


NEGATED = oracle("gradient negated", lambda grads, x: -grads(x))
LOUDER = oracle("gradient x 3", lambda grads, x: 3 * grads(x))

CONTRACTION = OneStep(
    source=NESTEROV + ", gradient method, sharp form",
    method=GD,
    assumes=(smooth, strongly_convex),
    lyapunov=lambda P, m, state: (Square(1, state.x - P.x_star),),
    star=star,
    rate=lambda P, m: ((1 - m.gamma * P.mu) ** 2, (1 - m.gamma * P.L) ** 2),
    tune=lambda P, factor=1.0: GD(gamma=factor * 2 / (P.L + P.mu)),
    claim=r"\|x^{+}-x^\star\|^2 \le \max\{(1-\gamma\mu)^2,(1-\gamma L)^2\}\,\|x-x^\star\|^2",
    twins=(
        Twin("(1 - gamma mu)^2 alone past 2/(L + mu)", _past_the_balance),
        rate_gap(1.1),
        rate_is("sharper by a factor mu/L", lambda P, m: (1 - m.gamma * P.mu) ** 2 * P.mu / P.L),
        update_times("x", 0.5),
        update_times("x", 2),
        NEGATED,
        LOUDER,
    ),
)

CONVEX_RATE = Horizon(
    source="Drori and Teboulle (arXiv:1206.3209), gradient method",
    method=GD,
    assumes=(smooth, convex),
    allows=lambda P, m: at_most(m.gamma, 1 / P.L),
    measure=gap,
    bound=lambda P, m, T, start: (Square(P.L / (4 * T * P.L * m.gamma + 2), start.x - P.x_star),),
    star=star,
    tune=lambda P, factor=1.0: GD(gamma=factor / P.L),
    claim=r"f(x_T)-f^\star \le \frac{L}{4TL\gamma+2}\|x_0-x^\star\|^2",
    twins=(
        with_fields("gamma = 2.2/L", _too_long),
        bound_times(0.5),
        bound_times(0.9),
        statement_with(
            "1/T^2 instead of 1/T",
            bound=lambda P, m, T, start: (Square(P.L / (4 * T**2 * P.L * m.gamma + 2), start.x - P.x_star),),
        ),
        NEGATED,
        update_times("x", 0.25),
    ),
)

PL = OneStep(
    source="Polyak (1963); Karimi, Nutini, Schmidt (arXiv:1608.04636)",
    method=GD,
    assumes=(smooth, pl),
    allows=lambda P, m: at_most(m.gamma, 2 / P.L),
    lyapunov=gap,
    star=star,
    rate=lambda P, m: 1 - m.gamma * P.mu_pl * (2 - m.gamma * P.L),
    tune=lambda P, factor=1.0: GD(gamma=factor / P.L),
    claim=r"f(x^{+})-f^\star \le (1-\gamma\mu(2-\gamma L))\,(f(x)-f^\star)",
    twins=(
        with_fields("gamma = 2.2/L, rate at 1", lambda P, m: {"gamma": 2.2 / P.L}),
        rate_is("2 gamma mu, the descent term forgotten", lambda P, m: 1 - 2 * m.gamma * P.mu_pl),
        rate_is("L for mu", lambda P, m: 1 - m.gamma * P.L * (2 - m.gamma * P.L)),
        update_times("x", 0.5),
        NEGATED,
        LOUDER,
    ),
)

NONCONVEX = OneStep(
    source=NESTEROV + ", descent lemma",
    method=GD,
    assumes=(smooth,),
    allows=lambda P, m: at_most(m.gamma, 2 / P.L),
    lyapunov=gap,
    rate=lambda P, m: 1,
    progress=lambda P, m, state: (Square(m.gamma * (1 - m.gamma * P.L / 2), P.grad(state.x)),),
    tune=lambda P, factor=1.0: GD(gamma=factor / P.L),
    claim=r"f(x^{+}) \le f(x)-\gamma(1-\gamma L/2)\|\nabla f(x)\|^2",
    twins=(
        Twin(
            "f never grows, gamma = 2.2/L",
            lambda s, P, m: (replace(s, progress=None, allows=always), P, replace(m, gamma=2.2 / P.L)),
        ),
        progress_times(1.1),
        progress_times(2),
        statement_with(
            "L/4 for L/2",
            progress=lambda P, m, state: (Square(m.gamma * (1 - m.gamma * P.L / 4), P.grad(state.x)),),
        ),
        update_times("x", 0),
        NEGATED,
        LOUDER,
    ),
)


# ------------------------------------------------------------------ SGD


def abc(P: Problem, m: Method) -> ABC:
    """A, B, C of the minibatch gradient; b = 1, c = 0."""
    return Minibatch(batch=m.batch).abc(P)


def _limit(P: Problem, m: Method) -> Number:
    k = abc(P, m)
    return min(P.mu_pl / (P.L * (k.A + P.mu_pl * k.B)), 1 / P.mu_pl)


def _sgd(P: Problem, batch: int = 1, factor: float = 1.0) -> SGD:
    if batch > P.n:
        raise ValueError(f"batch must be at most n = {P.n}, got {batch}")
    m = SGD(gamma=1.0, batch=batch)
    return replace(m, gamma=factor * _limit(P, m))


def _noise(P: Problem, m: Method) -> Number:
    return P.L * abc(P, m).C * m.gamma**2 / 2


def _progress(P: Problem, m: Method, state: State) -> Terms:
    return (Square(m.gamma * (1 - P.L * abc(P, m).B * m.gamma / 2), P.grad(state.x)),)


def _same_component(statement: OneStep, P: Problem, m: SGD) -> tuple[OneStep, Problem, Method]:
    """C without the heterogeneity of the components: only their noise."""
    return (
        replace(statement, noise=lambda P, m: P.L * getattr(P, "sigma2", 0.0) / m.batch * m.gamma**2 / 2),
        P,
        m,
    )


SGD_TWINS = (
    noise_times(0),
    noise_times(0.5),
    Twin("noise / n", lambda s, P, m: (replace(s, noise=lambda P, m: _noise(P, m) / P.n), P, m)),
    Twin("gap_star = 0", _same_component),
    update_times("x", 2),
    NEGATED,
    LOUDER,
)

SGD_NONCONVEX = OneStep(
    source=KHALED + ", nonconvex, one step",
    method=SGD,
    assumes=(each_smooth, smooth),
    lyapunov=gap,
    rate=lambda P, m: 1 + P.L * abc(P, m).A * m.gamma**2,
    progress=_progress,
    noise=_noise,
    tune=_sgd,
    claim=r"E f(x^{+})-f^\star \le (1+LA\gamma^2)(f-f^\star)-\gamma(1-LB\gamma/2)\|\nabla f\|^2+LC\gamma^2/2",
    twins=(progress_times(2), statement_with("A dropped", rate=lambda P, m: 1), *SGD_TWINS),
)

SGD_STRONGLY_CONVEX = OneStep(
    source=KHALED + ", Polyak-Lojasiewicz, one step",
    method=SGD,
    assumes=(each_smooth, smooth, pl),
    allows=lambda P, m: at_most(m.gamma, _limit(P, m)),
    lyapunov=gap,
    star=star,
    rate=lambda P, m: 1 - m.gamma * P.mu_pl,
    noise=_noise,
    tune=_sgd,
    claim=r"E f(x^{+})-f^\star \le (1-\gamma\mu)(f-f^\star)+LC\gamma^2/2",
    twins=(field_times("gamma", 3), rate_gap(3), *SGD_TWINS),
)
