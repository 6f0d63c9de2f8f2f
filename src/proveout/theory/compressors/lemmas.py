"""What is done to compressors, and the class it lands in, for every member of the classes that go in.

    scale            C in U(omega):                        E|lam C(v) - v|^2 <= (lam^2 omega + (1 - lam)^2) |v|^2
    compose          outer, inner unbiased, independent:   omega = (1 + omega_1)(1 + omega_2) - 1
    damp_contractive outer in U(omega), inner in B(alpha): outer(inner)/(1 + omega) in B(alpha/(1 + omega))
    average          n independent members of U(omega):    E|mean_i (C_i(a_i) - a_i)|^2 <= (omega/n) mean_i |a_i|^2
    lazy_apply       with probability p:                   scaled by 1/p: U((1 + omega)/p - 1); not scaled: B(p alpha)
    blocks           on two blocks:                        the worse of the two
    induced          C_1 in B(alpha), C_2 in U(omega):     C_1(v) + C_2(v - C_1(v)) in U((1 - alpha) omega)
    efbv_scale       C in C(eta, omega), 0 < lam <= 1:     lam C in B(1 - r), r = (1 - lam + lam eta)^2 + lam^2 omega

One message is one step: the state is the vector v, the next state the error e, V = |v|^2 + |e|^2 (of
n vectors sum_i |v_i|^2 + n |e|^2), so that the factor is the rate.  scale at lam = 1/(1 + omega) gives B(1/(1 + omega)).
damp_contractive holds with (1 - omega) alpha and no damping where omega < 1 and <C(v), v> = |C(v)|^2 (top-k); the best
lam of efbv_scale is min{1, (1 - eta)/((1 - eta)^2 + omega)}.

Beznosikov et al. (arXiv:2002.12410); Horváth, Richtárik (arXiv:2006.11077); Condat, Li, Richtárik (arXiv:2205.04180).
"""

from dataclasses import replace
from typing import Any

from proveout.methods import compressors as cm
from proveout.methods.blocks import compressors as cb
from proveout.theory.compressors.message import block, finite, is_class, lemma, root
from proveout.theory.statement import Method, Number, Problem, Twin, always
from proveout.theory.twins import rate_gap, rate_is

__all__ = [
    "AVERAGE",
    "BLOCKS",
    "COMPOSE",
    "DAMP_CONTRACTIVE",
    "EFBV_SCALE",
    "INDUCED",
    "LAZY_APPLY",
    "SCALE",
]

# ------------------------------------------------------------------ one compressor


def scaled_rate(P: Problem, m: Method) -> Number:
    return m.factor**2 * m.compressor.omega(P.d) + (1 - m.factor) ** 2


def _scale(P: Problem, compressor: str = "lazy", factor: float | None = None) -> cm.Scale:
    C = block(P, compressor)
    best = 1 / (1 + C.omega(P.d))
    return cm.Scale(compressor=C, factor=best if factor is None else factor)


SCALE = lemma(
    cm.Scale,
    scaled_rate,
    lambda P, m: finite(P, m.compressor),
    _scale,
    r"E\|\lambda C(v)-v\|^2\le(\lambda^2\omega+(1-\lambda)^2)\|v\|^2",
    rate_gap(1.05),
    rate_is(
        "alpha = 2/(2 + omega) at the best factor",
        lambda P, m: scaled_rate(P, m) - m.compressor.omega(P.d) / 2 * m.factor**2,
    ),
    rate_is("the second term left out", lambda P, m: m.factor**2 * m.compressor.omega(P.d)),
)


def lazy_rate(P: Problem, m: Method) -> Number:
    if m.scaled:
        return (1 + m.compressor.omega(P.d)) / m.p - 1
    return 1 - m.p * m.compressor.alpha(P.d)


def _lazy(P: Problem, compressor: str = "lazy", p: float = 0.5, scaled: bool = True) -> cm.LazyMessage:
    return cm.LazyMessage(compressor=block(P, compressor), p=p, scaled=scaled)


LAZY_APPLY = lemma(
    cm.LazyMessage,
    lazy_rate,
    lambda P, m: finite(P, m.compressor) if m.scaled else m.compressor.alpha(P.d) > 0,
    _lazy,
    r"\tfrac1p C\text{ with probability }p:\ U\!\left(\tfrac{1+\omega}{p}-1\right);\quad\text{not scaled}:\ B(p\,\alpha)",
    rate_is(
        "omega + 1/p - 1, and alpha for p alpha",
        lambda P, m: m.compressor.omega(P.d) + 1 / m.p - 1 if m.scaled else 1 - m.compressor.alpha(P.d),
    ),
    rate_is(
        "omega/p, and (p alpha)^(2/3)",
        lambda P, m: (
            m.compressor.omega(P.d) / m.p if m.scaled else 1 - (m.p * m.compressor.alpha(P.d)) ** 0.667
        ),
    ),
    rate_gap(1.05),
)


# ------------------------------------------------------------------ two compressors


def composed_rate(P: Problem, m: Method) -> Number:
    omega = m.outer.omega(P.d)
    if not m.damped:
        if finite(P, m.inner):
            return (1 + omega) * (1 + m.inner.omega(P.d)) - 1
        return 1 - (1 - omega) * m.inner.alpha(P.d)
    return 1 - m.inner.alpha(P.d) / (1 + omega)


def _compose(P: Problem, outer: str = "lazy", inner: str = "rare") -> cm.Compose:
    return cm.Compose(outer=block(P, outer), inner=block(P, inner))


COMPOSE = lemma(
    cm.Compose,
    composed_rate,
    lambda P, m: not m.damped and finite(P, m.outer, m.inner),
    _compose,
    r"U(\omega_1)\circ U(\omega_2)\subset U((1+\omega_1)(1+\omega_2)-1)",
    rate_is("omega_1 + omega_2", lambda P, m: m.outer.omega(P.d) + m.inner.omega(P.d)),
    rate_is("omega_1 (1 + omega_2)", lambda P, m: m.outer.omega(P.d) * (1 + m.inner.omega(P.d))),
)


def _damp(P: Problem, outer: str = "natural", inner: str = "top_k", damped: bool = True) -> cm.Compose:
    return cm.Compose(outer=block(P, outer), inner=block(P, inner), damped=damped)


def damp_allowed(P: Problem, m: Method) -> bool:
    """Damped: always.  Not damped: omega < 1, and an inner one with <C(v), v> = |C(v)|^2, which its class does not know."""
    if not finite(P, m.outer) or not m.inner.alpha(P.d) > 0:
        return False
    return m.damped or (not is_class(P) and isinstance(m.inner, cb.TopK) and m.outer.omega(P.d) < 1)


DAMP_CONTRACTIVE = lemma(
    cm.Compose,
    composed_rate,
    damp_allowed,
    _damp,
    r"\tfrac{1}{1+\omega}\,C_u\circ C_b\in B\!\left(\tfrac{\alpha}{1+\omega}\right)",
    rate_is("alpha, as if the outer one cost nothing", lambda P, m: 1 - m.inner.alpha(P.d)),
    rate_gap(1.05),
    Twin("not damped, whatever the class", lambda statement, P, m: _undamped(statement, P, m)),
)


def _undamped(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
    claimed = 1 - m.inner.alpha(P.d) / (1 + m.outer.omega(P.d))
    bad = replace(m, damped=False)
    return replace(statement, rate=lambda P, m: claimed, allows=always), P, bad


def _induced(P: Problem, contractive: str = "half", unbiased: str = "lazy") -> cm.Unbias:
    return cm.Unbias(contractive=block(P, contractive), unbiased=block(P, unbiased))


INDUCED = lemma(
    cm.Unbias,
    lambda P, m: (1 - m.contractive.alpha(P.d)) * m.unbiased.omega(P.d),
    lambda P, m: m.contractive.alpha(P.d) > 0 and finite(P, m.unbiased),
    _induced,
    r"C_1(v)+C_2(v-C_1(v))\in U((1-\alpha)\,\omega)",
    rate_is("(1 - alpha)^2 omega", lambda P, m: (1 - m.contractive.alpha(P.d)) ** 2 * m.unbiased.omega(P.d)),
    rate_is(
        "(1 - alpha)(1 - alpha/5) omega",
        lambda P, m: (
            (1 - m.contractive.alpha(P.d)) * m.unbiased.omega(P.d) * (1 - m.contractive.alpha(P.d) / 5)
        ),
    ),
    source="Horváth, Richtárik (arXiv:2006.11077)",
)


def block_rate(P: Problem, m: Method) -> tuple[Number, ...]:
    return tuple(c.omega(P.d) if finite(P, c) else 1 - c.alpha(P.d) for c in (m.first, m.second))


def _blocks(P: Problem, first: str = "lazy", second: str = "rare") -> cm.BlockPair:
    return cm.BlockPair(first=block(P, first), second=block(P, second))


BLOCKS = lemma(
    cm.BlockPair,
    block_rate,
    lambda P, m: finite(P, m.first) == finite(P, m.second),
    _blocks,
    r"\text{block-wise}:\ U(\max_b\omega_b),\ B(\min_b\alpha_b)",
    rate_is("the mean of the two", lambda P, m: sum(block_rate(P, m)) / 2),
    rate_is("the better of the two", lambda P, m: min(block_rate(P, m))),
)


# ------------------------------------------------------------------ n compressors, and C(eta, omega)

AVERAGE = lemma(
    cm.Average,
    lambda P, m: m.compressor.omega(P.d) / P.n,
    lambda P, m: finite(P, m.compressor) and not m.compressor.joint,
    lambda P, compressor="lazy": cm.Average(compressor=block(P, compressor)),
    r"E\|\tfrac1n\sum_i(C_i(a_i)-a_i)\|^2\le\tfrac{\omega}{n}\,\tfrac1n\sum_i\|a_i\|^2",
    rate_is("omega/n^2", lambda P, m: m.compressor.omega(P.d) / P.n**2),
    rate_is("omega/(n + 1)", lambda P, m: m.compressor.omega(P.d) / (P.n + 1)),
)


def efbv_rate(P: Problem, m: Method) -> Number:
    lam, eta = m.factor, root(1 - m.bias.alpha(P.d))
    return (1 - lam + lam * eta) ** 2 + lam**2 * m.noise.omega(P.d)


def best_factor(P: Problem, bias: Any, noise: Any) -> Number:
    keep = 1 - root(1 - bias.alpha(P.d))
    return min(1, keep / (keep**2 + noise.omega(P.d)))


def best_rate(P: Problem, m: Method) -> Number:
    """r at the best lam: omega/((1 - eta)^2 + omega), or eta^2 + omega if lam = 1 is best."""
    keep, omega = 1 - root(1 - m.bias.alpha(P.d)), m.noise.omega(P.d)
    return omega / (keep**2 + omega) if keep < keep**2 + omega else (1 - keep) ** 2 + omega


def _efbv(P: Problem, bias: str = "half", noise: str = "lazy", factor: float | None = None) -> cm.Efbv:
    b, s = block(P, bias), block(P, noise)
    return cm.Efbv(bias=b, noise=s, factor=best_factor(P, b, s) if factor is None else factor)


def _off_best(statement: Any, P: Problem, m: Method) -> tuple[Any, Problem, Method]:
    bad = replace(m, factor=1.2 * best_factor(P, m.bias, m.noise))
    return replace(statement, rate=best_rate, allows=always), P, bad


EFBV_SCALE = lemma(
    cm.Efbv,
    efbv_rate,
    lambda P, m: 0 < m.factor <= 1 and m.bias.deterministic and m.bias.alpha(P.d) > 0 and finite(P, m.noise),
    _efbv,
    r"\lambda C\in B(1-r),\quad r=(1-\lambda+\lambda\eta)^2+\lambda^2\omega",
    Twin("best lam x 1.2, with the best r", _off_best),
    rate_is(
        "eta^2 for eta",
        lambda P, m: (1 - m.factor * m.bias.alpha(P.d)) ** 2 + m.factor**2 * m.noise.omega(P.d),
    ),
    rate_is("omega once", lambda P, m: (1 - m.factor + m.factor * root(1 - m.bias.alpha(P.d))) ** 2),
    source="Condat, Li, Richtárik (arXiv:2205.04180)",
)
