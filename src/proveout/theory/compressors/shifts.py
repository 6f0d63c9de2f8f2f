"""Messages that correct what the server already knows, for every member of the class.

    feedback_step  C in B(alpha), g+ = g + C(z - g), with r = sqrt(1 - alpha):
                   E|g+ - z|^2 <= r |g - y|^2 + (1 - alpha)/(1 - r) |z - y|^2           (error feedback, EF21)
    shift_step     C in U(omega), h+ = h + eta C(y - h), eta <= 1/(1 + omega):
                   E|h+ - y|^2 <= (1 - eta) |h - y|^2                                   (DIANA)

The first is E|C(z - g) - (z - g)|^2 <= (1 - alpha)|(z - y) - (g - y)|^2 and Young's inequality with the best weight;
in the form of a contraction, V = |g - y|^2 + r/(1 - r) |z - y|^2 and E V+ <= r V, since z = y afterwards.

Beznosikov et al. (arXiv:2002.12410); Mishchenko et al. (arXiv:1901.09269).
"""

from proveout.methods.compressors import Feedback, FeedbackState, Shift, ShiftState
from proveout.theory.compressors.classes import SOURCE
from proveout.theory.compressors.message import block, finite, root
from proveout.theory.statement import Method, Number, OneStep, Problem, Square, Terms, at_most
from proveout.theory.twins import rate_gap, rate_is, statement_with, update_times, with_fields

__all__ = ["FEEDBACK_STEP", "SHIFT_STEP"]


def loss(P: Problem, m: Method) -> Number:
    """r."""
    return root(1 - m.compressor.alpha(P.d))


def tracked(P: Problem, m: Method, s: FeedbackState) -> Terms:
    r = loss(P, m)
    return Square(1, s.x - s.y), Square(r / (1 - r), s.z - s.y)


def plainly(P: Problem, m: Method, s: FeedbackState) -> Terms:
    return Square(1, s.x - s.y), Square(1, s.z - s.y)


FEEDBACK_STEP = OneStep(
    source=SOURCE,
    method=Feedback,
    allows=lambda P, m: 0 < m.compressor.alpha(P.d) < 1,
    lyapunov=tracked,
    rate=loss,
    star=lambda P, m: m.init(P, P.x_star),
    tune=lambda P, compressor="biased_lazy": Feedback(compressor=block(P, compressor)),
    claim=r"E\|g^+-y^+\|^2\le\sqrt{1-\alpha}\,\|g-y\|^2+\tfrac{1-\alpha}{1-\sqrt{1-\alpha}}\|y^+-y\|^2",
    twins=(
        statement_with(
            "1 - alpha on both terms", lyapunov=plainly, rate=lambda P, m: 1 - m.compressor.alpha(P.d)
        ),
        rate_is("1 - alpha for its root", lambda P, m: 1 - m.compressor.alpha(P.d)),
        rate_gap(1.05),
        update_times("x", 0.5),
    ),
)


def shift_distance(P: Problem, m: Method, s: ShiftState) -> Terms:
    return (Square(1, s.x - s.y),)


SHIFT_STEP = OneStep(
    source="Mishchenko et al. (arXiv:1901.09269)",
    method=Shift,
    allows=lambda P, m: (
        finite(P, m.compressor) and 0 < m.eta and at_most(m.eta * (1 + m.compressor.omega(P.d)), 1)
    ),
    lyapunov=shift_distance,
    rate=lambda P, m: 1 - m.eta,
    star=lambda P, m: m.init(P, 0 * P.x_star),
    tune=lambda P, compressor="lazy", share=1.0: Shift(
        compressor=block(P, compressor), eta=share / (1 + block(P, compressor).omega(P.d))
    ),
    claim=r"E\|h^+-y\|^2\le(1-\eta)\|h-y\|^2,\quad\eta\le\tfrac{1}{1+\omega}",
    twins=(
        with_fields("eta = 2/(1 + omega)", lambda P, m: {"eta": 2 / (1 + m.compressor.omega(P.d))}),
        rate_gap(1.05),
        update_times("x", 0.5),
    ),
)
