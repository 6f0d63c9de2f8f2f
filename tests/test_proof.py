"""The proof lens: from float multipliers to exact certificates."""

import copy
import json
import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from proveout.arrays import mean_clients, tree_map
from proveout.methods.gd import GD
from proveout.methods.proxskip import Scaffnew
from proveout.methods.tamuna import TamunaVirtual
from proveout.problems.classes import FunctionClass
from proveout.problems.spec import build
from proveout.theory import certificates, gd, proxskip, tamuna, verify
from proveout.theory.assumptions import smooth
from proveout.theory.lenses import proof, worstcase
from proveout.theory.lenses.common import Refused
from proveout.theory.lenses.proof import ladder, weights
from proveout.theory.lenses.proof.exact import EXACT, exact_trace
from proveout.theory.lenses.proof.family import Family
from proveout.theory.lenses.proof.ladder import climb
from proveout.theory.lenses.proof.polynomials import interpolate
from proveout.theory.lenses.proof.rational import echelon, pivots, solve_near
from proveout.theory.lenses.proof.task import Task, proves
from proveout.theory.lenses.worstcase.forms import Form, total
from proveout.theory.statement import Cross, Gap, Horizon, Square, branches, evaluate
from proveout.theory.twins import Altered
from proveout.theory.verify import digest, fault

MICRO = Fraction(1, 10**6)
ORBITS = replace(EXACT, trusted=True)  # the exchangeability of clients is not what is tested here


# ------------------------------------------------------------------ tasks typed by hand


def square(size, *row):
    """The matrix of |sum_a row_a e_a|^2."""
    r = np.array([Fraction(x) for x in row] + [Fraction(0)] * (size - len(row)), dtype=object)
    return np.outer(r, r)


def interpolation(L, mu, x, d):
    """The two inequalities of F(mu, L) between a point with coordinates x, d and the optimum: (matrices)."""
    size = x.size
    k = 1 / (2 * (1 - mu / L))
    cross = (np.outer(x, d) + np.outer(d, x)) / 2
    both = k * (np.outer(d, d) / L + mu * np.outer(x, x) - 2 * mu / L * cross)
    assert both.shape == (size, size)
    return -both, cross - both


def reduced(blocks, value):
    return Form(tuple(blocks), np.array([Fraction(value)], dtype=object))


def gradient_descent(L, mu, gamma, rate):
    """V = |x|^2, x' = x - gamma d, basis (x, d)."""
    L, mu, gamma, rate = map(Fraction, (L, mu, gamma, rate))
    x, d = np.array([1, 0], dtype=object) * Fraction(1), np.array([0, 1], dtype=object) * Fraction(1)
    up, down = interpolation(L, mu, x, d)
    before, after = square(2, 1), square(2, 1, -gamma)
    return Task(reduced([before], 0), reduced([after], 0), (reduced([up], 1), reduced([down], -1)), rate)


def scaffnew(L, mu, gamma, p, rate):
    """Difference block (x, d, h - h*), mean block (x, d): the shifts sum to zero.  Any n >= 2."""
    L, mu, gamma, p, rate = map(Fraction, (L, mu, gamma, p, rate))
    w = (gamma / p) ** 2
    stay = square(3, 1, -gamma, gamma) + w * square(3, 0, 0, 1)
    talk = w * square(3, -p / gamma, p, 1 - p)
    before = [square(3, 1) + w * square(3, 0, 0, 1), square(2, 1)]
    after = [(1 - p) * stay + p * talk, square(2, 1, -gamma)]
    one = Fraction(1)
    a = interpolation(L, mu, np.array([one, 0 * one, 0 * one]), np.array([0 * one, one, 0 * one]))
    m = interpolation(L, mu, np.array([one, 0 * one]), np.array([0 * one, one]))
    pairs = tuple(reduced([a[k], m[k]], 1 - 2 * k) for k in (0, 1))
    return Task(reduced(before, 0), reduced(after, 0), pairs, rate)


# ------------------------------------------------------------------ the ladder


@pytest.mark.parametrize(
    "L, mu, gamma, rate, multiplier",
    [
        ("10", "1", "1/10", "81/100", "9/50"),
        ("10", "1", "2/11", "81/121", "36/121"),  # gamma = 2/(L+mu): both branches
        ("7", "1/3", "1/7", "400/441", "40/147"),
        ("10", "1", "1/5", "1", "2/5"),  # the other branch, 2 gamma (gamma L - 1)
    ],
)
def test_gradient_descent_is_proved_at_its_exact_rate(L, mu, gamma, rate, multiplier):
    task = gradient_descent(L, mu, gamma, rate)
    lam = climb(task)
    assert lam == [Fraction(multiplier)] * 2
    assert proves(task, lam)


@pytest.mark.parametrize("gamma, rate", [("1/10", "81/100"), ("2/11", "81/121"), ("1/5", "1")])
def test_a_rate_smaller_by_a_millionth_has_no_certificate(gamma, rate):
    assert climb(gradient_descent(10, 1, gamma, Fraction(rate) - MICRO)) is None


@pytest.mark.parametrize(
    "gamma, p, rate", [("1/10", "1/2", "81/100"), ("1/10", "3/10", "91/100"), ("2/11", "2/5", "21/25")]
)
def test_scaffnew_is_proved_at_its_exact_rate(gamma, p, rate):
    task = scaffnew(10, 1, gamma, p, rate)
    lam = climb(task)
    assert lam is not None
    assert proves(task, lam)
    assert climb(scaffnew(10, 1, gamma, p, Fraction(rate) - MICRO)) is None


def test_no_step_size_that_is_too_large_is_proved():
    assert climb(scaffnew(10, 1, "21/100", "3/10", "1")) is None


def test_the_kernel_rung_works_where_small_denominators_are_forbidden(monkeypatch):
    monkeypatch.setattr(ladder, "DENOMINATORS", (10**7 + 19,))  # rounds to no simple fraction by luck
    for task in (gradient_descent(7, 1, "1/13", "144/169"), scaffnew(10, 1, "1/13", "3/10", "91/100")):
        lam = climb(task)
        assert lam is not None
        assert proves(task, lam)


def test_multipliers_that_are_handed_in_are_a_start():
    task = scaffnew(10, 1, "1/10", "1/2", "81/100")
    assert climb(task, np.array([0.18 + 1e-9, 0.18 - 1e-9])) == [Fraction(9, 50)] * 2


def test_directions_that_no_form_sees_are_dropped_without_loss():
    task = gradient_descent(10, 1, "1/10", "81/100")
    T = np.array([[1, 0], [0, 1], [2, -3]], dtype=object) * Fraction(1)  # a third vector, 2 x - 3 d

    def wide(f):
        return Form((T @ f.blocks[0] @ T.T,), f.values)

    doubled = Task(wide(task.before), wide(task.after), tuple(map(wide, task.inequalities)), task.rate)
    assert pivots([f.blocks[0] for f in (doubled.before, doubled.after, *doubled.inequalities)]) == [0, 1]
    lam = climb(doubled)
    assert lam == climb(task)
    assert proves(doubled, lam)


# ------------------------------------------------------------------ exact linear algebra


def test_echelon_solves_what_numpy_solves():
    rng = np.random.default_rng(0)
    m = rng.integers(-5, 6, size=(4, 6))
    rows, pivot, left = echelon([[Fraction(int(x)) for x in r] for r in m], [5, 3, 0, 1, 2, 4])
    assert len(rows) == np.linalg.matrix_rank(m)
    assert pivot[0] == 5
    assert not any(any(r) for r in left)
    got = np.array(rows, dtype=float)
    assert np.allclose(got[:, pivot], np.eye(len(pivot)))
    assert np.linalg.matrix_rank(np.concatenate([m, got])) == len(rows)


def test_equations_that_contradict_each_other_have_no_solution():
    one = Fraction(1)
    assert not [*solve_near([[one, one, one], [one, one, 2 * one]], np.array([0.5, 0.5]), [10])]


def test_the_large_entries_are_solved_for_and_the_small_ones_rounded():
    one = Fraction(1)
    got = [*solve_near([[one, 3 * one, one]], np.array([0.7001, 0.0999]), [10, 2])]
    assert got == [[Fraction(7, 10), Fraction(1, 10)], [1, 0]]


def test_interpolation_finds_a_polynomial_and_refuses_a_ratio():
    def polynomial(v):
        return np.array([Fraction(v[0]) ** 2 * v[1] - 3, Fraction(v[1]) ** 3 + v[0]], dtype=object)

    found = interpolate(polynomial, (1, 2))
    assert {e: c.tolist() for e, c in found.items()} == {
        (0, 0): [-3, 0],
        (0, 3): [0, 1],
        (1, 0): [0, 1],
        (2, 1): [1, 0],
    }
    with pytest.raises(ValueError, match="variable 0"):
        interpolate(lambda v: np.array([Fraction(1, v[0])], dtype=object), (1,))


# ------------------------------------------------------------------ the forms are the step's


class RationalQuadratics:
    """f_i(x) = 1/2 <x, A_i x> - <b_i, x> in fractions, n clients, d = 2, with a known minimiser."""

    d = 2

    def __init__(self, n, L, mu, rng):
        self.n, self.L_max, self.mu_min, self.L, self.mu = n, L, mu, L, mu
        root = fractions(rng, n, 2, 2)
        self.A = root + root.swapaxes(-1, -2)
        self.x_star = fractions(rng, 2)
        h = fractions(rng, n, 2)
        self.h_star = h - h.sum(axis=0) / n
        self.b = (self.A @ self.x_star[:, None])[..., 0] - self.h_star

    def grads(self, x):
        return (self.A @ x[..., None])[..., 0] - self.b

    def grad(self, x):
        return self.grads(x[..., None, :]).sum(axis=-2) / self.n

    def gaps(self, x):
        """Tilted values: f_i(x_i) - f_i(x*) - <h*_i, x_i - x*>."""
        e = x - self.x_star
        return (e * (self.A @ e[..., None])[..., 0]).sum(axis=-1) / 2


def fractions(rng, *shape):
    return np.array([Fraction(int(a), 7) for a in rng.integers(-9, 10, size=shape).ravel()]).reshape(shape)


def grams(trace, problem, vectors):
    """The Gram matrices of a trace's basis at concrete vectors, name -> (n, d) or (d,)."""
    layout, out = trace.layout, []
    own = [np.array([vectors[letter.name] for letter in letters]) for letters in layout.own]  # (k, n, d)
    for o in layout.pairs:
        spread = own[o] - own[o].sum(axis=1, keepdims=True) / problem.n
        out.append(np.einsum("kid,lid->kl", spread, spread) / (problem.n - 1))
    rows = [vectors[letter.name] for letter in layout.shared]
    rows += [v.sum(axis=0) / problem.n if problem.n > 1 else v[0] for letters in own for v in letters]
    mean = np.array(rows)
    return [*out, mean @ mean.T]


def interpolated(L, mu, F, x, g, at, slope):
    """F_p - F_q - <g_q, D> - [...]: the inequality of F(mu, L), p = (F, x, g), q = (0, at, slope), per client."""
    D, d = x - at, g - slope
    bracket = (d * d).sum(-1) / L + mu * (D * D).sum(-1) - 2 * mu / L * (d * D).sum(-1)
    return F - (slope * D).sum(-1) - bracket / (2 * (1 - mu / L))


CONTRACTIONS = {
    "scaffnew": (proxskip.SCAFFNEW_LINEAR_CONVERGENCE, Scaffnew(gamma=Fraction(1, 7), p=Fraction(2, 5))),
    "tamuna": (
        tamuna.LINEAR_CONVERGENCE,
        TamunaVirtual(gamma=Fraction(1, 7), p=Fraction(2, 5), chi=Fraction(1, 2), cohort=3, s=3),
    ),
}


@pytest.mark.parametrize("which", CONTRACTIONS)
def test_forms_evaluated_at_a_gram_matrix_are_v_and_its_expectation_as_fractions(which):
    statement, method = CONTRACTIONS[which]
    rng = np.random.default_rng(7)
    L, mu, n = Fraction(7, 2), Fraction(2, 3), 4
    problem = RationalQuadratics(n, L, mu, rng)
    trace = exact_trace(statement, FunctionClass(n=n, L_max=L, mu_min=mu), method, ORBITS)
    x, h = fractions(rng, n, 2), fractions(rng, n, 2)
    state = statement.domain(
        problem, method, type(statement.star(problem, method))(x=x + problem.x_star, h=h)
    )
    named = {"x*": problem.x_star, "x": x, "h": h, "h*": problem.h_star}
    named["d(x)"] = problem.grads(state.x) - problem.h_star
    G = grams(trace, problem, named)
    F = problem.gaps(state.x).sum() / n

    def V(s):
        return evaluate(statement.lyapunov(problem, method, s), problem)

    def one(law):
        prob, draw = law.atoms()
        return [
            (Fraction(p).limit_denominator(1000), tree_map(lambda a, k=k: a[k], draw))
            for k, p in enumerate(prob)
        ]

    assert total(trace.before).at(G, np.array([F])) == V(state)
    expected = sum(p * V(method.step(problem, state, draw)) for p, draw in one(method.law(Sized(n))))
    assert total(trace.after).at(G, np.array([F])) == expected
    gradients = problem.grads(state.x) - problem.h_star
    zero = 0 * x
    classes = {
        "f_i: x -> x*": interpolated(L, mu, problem.gaps(state.x), x, gradients, zero, zero),
        "f_i: x* -> x": interpolated(L, mu, -problem.gaps(state.x), zero, zero, x, gradients),
    }
    assert {c.name for c in trace.inequalities} == set(classes)
    for c in trace.inequalities:
        assert c.form.at(G, np.array([F])) == classes[c.name].sum() / n


class Sized:
    """Enough of a problem for a law."""

    d = 1

    def __init__(self, n):
        self.n = n


# ------------------------------------------------------------------ verdicts

SPEC = "class:n=3,L=10,mu=1"
TRUE = {
    "gd.contraction": (gd.CONTRACTION, "class:n=1,L=10,mu=1", {}),
    "gd.contraction, long step": (gd.CONTRACTION, "class:n=1,L=7,mu=2", {"factor": 1.05}),
    "gd.pl": (gd.PL, "class:n=1,L=10,mu=1", {}),
    "gd.nonconvex": (gd.NONCONVEX, "class:n=1,L=10,mu=1", {}),
    "gd.convex_rate": (gd.CONVEX_RATE, "class:n=1,L=10,mu=0", {}),
    "proxskip.linear_convergence": (proxskip.LINEAR_CONVERGENCE, SPEC, {"p": 0.3}),
    "proxskip.linear_convergence, p = 1/2": (proxskip.LINEAR_CONVERGENCE, SPEC, {"p": 0.5}),
    "proxskip.scaffnew_linear_convergence": (proxskip.SCAFFNEW_LINEAR_CONVERGENCE, SPEC, {"p": 0.3}),
    "proxskip.compressed_linear_convergence": (
        proxskip.COMPRESSED_LINEAR_CONVERGENCE,
        SPEC,
        {"p": 0.3, "s": 2},
    ),
    "tamuna.linear_convergence": (tamuna.LINEAR_CONVERGENCE, SPEC, {"cohort": 2, "s": 2, "p": 0.5}),
}


def instance(name):
    statement, spec, choices = TRUE[name]
    problem = build(spec)
    return statement, problem, statement.tune(problem, **choices)


@pytest.mark.parametrize("name", TRUE)
def test_true_statements_are_proved_with_a_certificate_that_the_verifier_accepts(name):
    statement, problem, method = instance(name)
    verdict = proof.check(statement, problem, method)
    assert (verdict.word, verdict.grade, verdict.problem) == ("holds", "proved", problem.spec)
    certificate = proof.certificate(statement, problem, method, name=name)
    assert fault(json.loads(json.dumps(certificate))) is None
    assert proof.accepts(statement, problem, method, certificate, name=name)
    assert certificate["statement"] == name


def richer(w, c, b):
    """sum|x|^2 + w k^2 sum|h - h*|^2 + c k sum<x, h - h*> + b n |mean x|^2, k = gamma/p, x from x*."""

    def V(P, m, s):
        x, h, k = s.x - P.x_star, s.h - P.h_star, m.gamma / m.p
        mean = mean_clients(x)[..., 0, :]
        return (
            Square(1, x, core=2),
            Square(Fraction(w) * k**2, h, core=2),
            Cross(Fraction(c) * k, x, h, core=2),
            Square(Fraction(b) * P.n, mean),
        )

    return V


@pytest.mark.parametrize(
    "gamma, p, weights_of_v, rate",
    [
        (0.03, 0.1, ("1.172", "-.478", "-.34"), ".9607"),
        (0.07, 0.2, ("1.246", "-.605", "-.125"), ".9121"),
        (0.1, 0.1, ("1.6", "-.186", ".416"), ".982"),
    ],
)
def test_better_lyapunov_functions_of_scaffnew_are_proved_for_rare_communication(
    gamma, p, weights_of_v, rate
):
    better = replace(
        proxskip.SCAFFNEW_LINEAR_CONVERGENCE,
        lyapunov=richer(*weights_of_v),
        rate=lambda P, m: Fraction(rate),
    )
    verdict = proof.check(better, build("class:n=4,L=10,mu=1"), Scaffnew(gamma=gamma, p=p))
    assert (verdict.word, verdict.grade) == ("holds", "proved")
    assert Fraction(rate) < 1 - Fraction(p).limit_denominator(10) ** 2  # below the published rate


def test_the_note_names_the_certificate_and_the_parameters():
    statement, problem, method = instance("gd.contraction")
    digest_of_it = proof.certificate(statement, problem, method)["sha256"]
    note = proof.check(statement, problem, method).note
    assert digest_of_it[:16] in note
    assert "gamma=2/11" in note


LOOSE = ("gd.convex_rate", "gd.pl", "proxskip.linear_convergence, p = 1/2")  # the first is a horizon
TIGHT = [name for name in TRUE if name not in LOOSE]


@pytest.mark.parametrize("name", TIGHT)
def test_a_rate_smaller_by_a_millionth_is_not_proved(name):
    statement, problem, method = instance(name)
    sharper = replace(statement, rate=lambda P, m: tuple(r - MICRO for r in branches(statement.rate(P, m))))
    verdict = proof.check(sharper, problem, method)
    assert verdict.word == "inconclusive"
    assert "no rational certificate" in verdict.note
    with pytest.raises(Refused):
        proof.certificate(sharper, problem, method)


def test_a_horizon_bound_smaller_by_a_millionth_is_not_proved():
    statement, problem, method = instance("gd.convex_rate")

    def smaller(P, m, T, start):
        (term,) = statement.bound(P, m, T, start)
        return (replace(term, weight=term.weight * (1 - MICRO)),)

    assert proof.check(replace(statement, bound=smaller), problem, method).word == "inconclusive"


SMALLEST_GRADIENT = Horizon(
    source="min_{t <= T} |grad f(x_t)|^2 <= 4 L (f(x_0) - f*) / (3 T + 2), gamma = 1/L, f only L-smooth",
    method=GD,
    assumes=(smooth,),
    measure=lambda P, m, s: (Square(1, P.grad(s.x)),),
    over="min",
    bound=lambda P, m, T, start: (Gap(4 * P.L / (3 * T + 2), start.x),),
)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_least_of_several_measures_is_proved_at_its_exact_bound(steps):
    at = build("class:n=1,L=10,mu=-10"), GD(gamma=0.1)
    certificate = proof.certificate(SMALLEST_GRADIENT, *at, steps=steps)
    assert proof.accepts(SMALLEST_GRADIENT, *at, certificate, steps=steps)

    def smaller(P, m, T, start):
        return (Gap(4 * P.L / (3 * T + 2) * (1 - MICRO), start.x),)

    with pytest.raises(Refused, match="no rational certificate"):
        proof.certificate(replace(SMALLEST_GRADIENT, bound=smaller), *at, steps=steps)


@pytest.mark.parametrize("name", ["gd.contraction", "proxskip.scaffnew_linear_convergence"])
def test_no_red_twin_is_proved_unless_the_worst_case_says_that_it_is_true(name):
    statement, problem, method = instance(name)
    words = {}
    for twin in statement.twins:
        edited = twin.edit(statement, problem, method)
        words[twin.name] = proof.check(*edited).word
        if words[twin.name] == "holds":
            assert worstcase.check(*edited).word == "holds", twin.name
    assert sum(word != "holds" for word in words.values()) >= 5


def test_a_step_size_past_the_limit_is_refused_before_anything_is_proved():
    statement, problem, method = instance("proxskip.linear_convergence")
    verdict = proof.check(statement, problem, replace(method, gamma=0.11))
    assert (verdict.word, verdict.grade) == ("not applicable", None)


def test_a_square_root_in_a_weight_is_not_rational():
    rooted = replace(gd.CONTRACTION, lyapunov=lambda P, m, s: (Square(m.gamma**0.5, s.x - P.x_star),))
    verdict = proof.check(rooted, build("class:n=1,L=10,mu=1"), GD(gamma=0.1))
    assert verdict.word == "not applicable"
    assert "not rational" in verdict.note


def test_an_irrational_rate_is_proved_a_little_below_its_float():
    rooted = replace(gd.CONTRACTION, rate=lambda P, m: 0.82**0.5)
    certificate = proof.certificate(rooted, build("class:n=1,L=10,mu=1"), GD(gamma=0.1))
    rate = Fraction(certificate["rate"])
    assert rate**2 < Fraction(82, 100)
    assert float(rate) == pytest.approx(0.82**0.5, rel=1e-11)


@pytest.mark.parametrize(
    "number, below, above",
    [
        (1, 1, 1),
        (0.375, Fraction(3, 8), Fraction(3, 8)),
        (Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)),
        (0.05 * 0.25, Fraction(1, 80), Fraction(1, 80)),
        (-(2**0.5), Fraction(-1414213562375, 10**12), Fraction(-1414213562371, 10**12)),
    ],
)
def test_floats_of_formulas_are_read_as_fractions_on_the_safe_side(number, below, above):
    assert (weights.at_most(number), weights.at_least(number)) == (below, above)


def test_a_float_weight_of_v_must_be_a_small_binary_fraction():
    half = replace(gd.CONTRACTION, lyapunov=lambda P, m, s: (Square(0.5, s.x - P.x_star),))
    tenth = replace(gd.CONTRACTION, lyapunov=lambda P, m, s: (Square(0.1, s.x - P.x_star),))
    at = build("class:n=1,L=10,mu=1"), GD(gamma=0.1)
    assert proof.check(half, *at).word == "holds"
    assert "not rational" in proof.check(tenth, *at).note


def test_a_nonlinear_step_has_no_proof():
    def clipped(problem, state, draw, new):
        return new._replace(x=np.minimum(new.x, 1))

    method = Altered(GD(gamma=0.1), clipped)
    assert proof.check(gd.CONTRACTION, build("class:n=1,L=10,mu=1"), method).word == "not applicable"


def test_data_are_judged_by_their_class():
    problem = build("quadratic:n=3,d=2,kappa=10")
    verdict = proof.check(proxskip.LINEAR_CONVERGENCE, problem, Scaffnew(gamma=0.1, p=0.3))
    assert verdict.word == "holds"
    assert verdict.problem.startswith("class:n=3")


def test_other_kinds_of_statements_have_no_proof():
    assert proof.check(proxskip.SHIFT_SUM, build(SPEC), Scaffnew(gamma=0.1, p=0.3)).word == "not applicable"


def test_the_lens_makes_no_witness():
    with pytest.raises(ValueError, match="witness"):
        proof.sides(gd.CONTRACTION, build(SPEC), GD(gamma=0.1), {})


# ------------------------------------------------------------------ stored certificates


def numbers(value, path=()):
    """Paths to every number of a certificate: ints, and strings that read as fractions."""
    if isinstance(value, dict):
        for key, inside in value.items():
            if key != "sha256":
                yield from numbers(inside, (*path, key))
    elif isinstance(value, list):
        for k, inside in enumerate(value):
            yield from numbers(inside, (*path, k))
    elif isinstance(value, int) or re.fullmatch(r"-?\d+(/\d+)?", value):
        yield path


def with_digit(value, k):
    """A number with its k-th digit one higher (9 -> 0)."""
    text = str(value)
    places = [m.start() for m in re.finditer(r"\d", text)]
    at = places[k % len(places)]
    changed = f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}"
    return int(changed) if isinstance(value, int) else changed


def changed(certificate, path, k=0, reseal=True):
    new = copy.deepcopy(certificate)
    inside = new
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = with_digit(inside[path[-1]], k)
    if reseal:
        new["sha256"] = digest(new)
    return new


def refused(certificate):
    try:
        return fault(certificate) is not None
    except (KeyError, ValueError, TypeError, ZeroDivisionError, IndexError):
        return True


@pytest.mark.parametrize("name", ["gd.contraction", "gd.nonconvex", "proxskip.scaffnew_linear_convergence"])
def test_a_certificate_with_any_number_changed_is_refused(name):
    statement, problem, method = instance(name)
    certificate = proof.certificate(statement, problem, method, name=name)
    paths = list(numbers(certificate))
    assert len(paths) > 20
    for path in paths:
        assert refused(changed(certificate, path, reseal=False)), path
    for k in (0, 1, -1) if name.startswith("gd") else (0,):
        for path in paths:
            forged = changed(certificate, path, k)
            assert not proof.accepts(statement, problem, method, forged, name=name), (path, k)


def test_arithmetic_alone_would_accept_a_larger_rate():
    statement, problem, method = instance("gd.contraction")
    certificate = proof.certificate(statement, problem, method)
    weaker = {**certificate, "rate": "99/100"}
    weaker["sha256"] = digest(weaker)
    assert fault(weaker) is None
    assert not proof.accepts(statement, problem, method, weaker)


def test_a_certificate_of_other_parameters_is_not_accepted():
    statement, problem, method = instance("proxskip.scaffnew_linear_convergence")
    certificate = proof.certificate(statement, problem, method)
    assert not proof.accepts(statement, problem, replace(method, p=0.31), certificate)
    assert not proof.accepts(statement, build("class:n=4,L=10,mu=1"), method, certificate)
    assert not proof.accepts(proxskip.LINEAR_CONVERGENCE, problem, replace(method, gamma=0.1), certificate)


@pytest.mark.parametrize("name", certificates.names())
def test_shipped_certificates_are_valid_and_prove_the_statements_of_today(name):
    assert certificates.accepted(name)
    assert certificates.load(name)["statement"] == ".".join(name.split(".")[:2])


@pytest.mark.parametrize(
    "name", [*certificates.CHOICES][:5] + [n for n in certificates.FAMILIES if n.startswith("gd")]
)
def test_shipped_certificates_are_made_anew_number_for_number(name, tmp_path):
    certificates.write(tmp_path, [name])
    made, stored = json.loads((tmp_path / f"{name}.json").read_text()), certificates.load(name)
    assert {k: v for k, v in made.items() if k not in ("inequalities", "sha256")} == {
        k: v for k, v in stored.items() if k not in ("inequalities", "sha256")
    }


@pytest.mark.parametrize("name", ["proxskip.linear_convergence", "tamuna.linear_convergence.short_steps"])
def test_shipped_files_pass_the_plain_script(name):
    path = Path(verify.__file__).parent / "certificates" / f"{name}.json"
    done = subprocess.run(
        [sys.executable, "-I", verify.__file__, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "valid")


def test_an_unknown_certificate_is_a_key_error():
    with pytest.raises(KeyError, match="no certificate"):
        certificates.load("gd.nothing")


# ------------------------------------------------------------------ all parameters

DESCENT = certificates.FAMILIES["gd.contraction.short_steps"]


@pytest.mark.parametrize("share", ["101/100", "1000001/1000000"])
def test_a_rate_below_the_formula_is_refused_for_all_parameters(share):
    faster = lambda P, m: ((1 - Fraction(share) * m.gamma * P.mu) ** 2,)
    with pytest.raises(Refused, match="verifier"):
        proof.family_certificate(replace(DESCENT, rates=faster))


def test_a_statement_that_claims_less_has_no_family():
    with pytest.raises(ValueError, match="does not claim"):
        proof.family_certificate(replace(DESCENT, rates=lambda P, m: (Fraction(1),)))


def test_formulas_that_are_no_polynomials_are_refused():
    with pytest.raises(ValueError, match="no polynomial"):
        proof.family_certificate(replace(DESCENT, common={"(1+r)": 2, "(L+mu)": 1, "(L-mu)": 1}))


def test_a_negative_multiplier_is_refused_for_all_parameters():
    pull = DESCENT.multiplier
    with pytest.raises(Refused, match="negative"):
        proof.family_certificate(replace(DESCENT, multiplier=lambda P, m, name: -pull(P, m, name)))


def rare_talk(rates):
    """Scaffnew at L = 10, mu = 1, gamma = 1/10, for all p = 1/(1+t) and n = 2+m."""
    return Family(
        name="proxskip.scaffnew_linear_convergence",
        statement=replace(proxskip.SCAFFNEW_LINEAR_CONVERGENCE, rate=lambda P, m: 1),
        variables=("t", "m"),
        starts=(0, 0),
        where={"p": "1/(1+t)", "n": "2+m"},
        setting=lambda t, m: (
            FunctionClass(n=int(2 + m), L_max=Fraction(10), mu_min=Fraction(1)),
            Scaffnew(gamma=Fraction(1, 10), p=1 / (1 + t)),
        ),
        claim="",
        rates=rates,
        multiplier=lambda P, m, name: P.n * 2 * m.gamma * (1 - m.gamma),
        factors={"(1+t)": lambda t, m: 1 + t, "n": lambda t, m: 2 + m},
        common={"(1+t)": 1},
        before=({}, {"(1+t)": -2}),
        inequalities={"n": 1},
    )


def test_scaffnew_at_all_p_and_n_and_no_rate_of_the_shifts_below_1_minus_p_squared():
    family = rare_talk(lambda P, m: (Fraction(81, 100), 1 - m.p**2))
    certificate = proof.family_certificate(family)
    assert proof.accepts_family(family, certificate)
    sharper = rare_talk(lambda P, m: (Fraction(81, 100), 1 - Fraction(101, 100) * m.p**2))
    with pytest.raises(Refused, match="semidefinite"):
        proof.family_certificate(sharper)


def pairs_of_clients(shift_rate):
    """TAMUNA with cohorts of 2 at L = 10, mu = 1, gamma = 1/10, p = 2/5, chi = chi_max, for all n = 3 + a."""

    def setting(a):
        n = int(3 + a)
        chi = Fraction(n, 2 * (n - 1))
        method = TamunaVirtual(gamma=Fraction(1, 10), p=Fraction(2, 5), chi=chi, cohort=2, s=2)
        return FunctionClass(n=n, L_max=Fraction(10), mu_min=Fraction(1)), method

    return Family(
        name="tamuna.linear_convergence",
        statement=tamuna.LINEAR_CONVERGENCE,
        variables=("a",),
        starts=(0,),
        where={"n": "3+a"},
        setting=setting,
        claim="",
        rates=lambda P, m: ((1 - m.gamma) ** 2, shift_rate(P, m)),
        multiplier=lambda P, m, name: 2 * P.n * (1 - m.gamma),
        factors={"n": lambda a: 3 + a, "(n-1)": lambda a: 2 + a},
        common={"n": 1},
        before=({}, {"n": 1, "(n-1)": -2}),
        inequalities={"n": 1},
    )


def test_tamuna_for_all_n_and_not_with_chi_forgotten():
    true = pairs_of_clients(lambda P, m: 1 - m.p**2 * m.chi / (P.n - 1))
    assert proof.accepts_family(true, proof.family_certificate(true))
    with pytest.raises(Refused, match="semidefinite"):
        proof.family_certificate(pairs_of_clients(lambda P, m: 1 - m.p**2 / (P.n - 1)))


def test_a_certificate_for_all_parameters_with_any_number_changed_is_refused():
    certificate = certificates.load("gd.contraction.short_steps")
    for path in numbers(certificate):
        assert refused(changed(certificate, path, reseal=False)), path
        forged = changed(certificate, path)
        assert not proof.accepts_family(DESCENT, forged), path
