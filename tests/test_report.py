"""The page: one file, nothing foreign, nothing unescaped; its formulas and curves."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.dom import minidom

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout import report
from proveout.problems import build
from proveout.report import document, page, svg
from proveout.report.mathml import mathml
from proveout.theory import gd, proxskip
from proveout.theory.cases import Case
from proveout.theory.catalogue import CASES
from proveout.theory.statement import Complexity, Failure, Horizon, Square, Verdict
from proveout.theory.trial.curves import Curve, curve, curves
from proveout.theory.trial.mutants import Mutant, Mutants

HOSTILE = """<script>alert('x')</script><img src=x onerror=alert(1)> & "quoted" \u2028 \\"""
VOID = {"meta", "br", "img", "link", "input", "hr"}


def row(word="holds", grade="exact", **more):
    given = {"id": "fake.one", "problem": "quadratic:n=3", "lens": "exact", "ratio": 0.5, "seconds": 0.01}
    return Verdict(word=word, grade=grade if word == "holds" else None, **{**given, **more})


@pytest.fixture
def page_of(monkeypatch):
    def make(*rows, statement=proxskip.LINEAR_CONVERGENCE, **more):
        ids = dict.fromkeys(r.id for r in rows)
        cases = tuple(Case(id=i, statement=statement, problems=("quadratic:n=3",)) for i in ids)
        monkeypatch.setattr("proveout.theory.catalogue.CASES", cases)
        return report.html(rows, **more)

    return make


class Reader(HTMLParser):
    """Tags must be balanced; remembers what a page asks for, runs and shows."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.targets, self.handlers, self.text, self.ids = [], set(), [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.targets += [v for k, v in attrs if k in ("src", "href", "xlink:href", "data", "action")]
        self.handlers += [k for k, _ in attrs if k.startswith("on")]
        self.ids += [v for k, v in attrs if k == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def words_of(text):
    return " ".join("".join(Reader(text).text).split())


# ------------------------------------------------------------------ the page


def test_the_page_is_balanced_self_contained_and_runs_nothing(page_of):
    text = page_of(
        row(), row("violated", witness={"a": 1}), row("inconclusive", note="n"), words=["fake.one"]
    )
    read = Reader(text)
    assert not {"script", "img", "link", "iframe", "object", "form"} & read.tags
    assert all(t.startswith("#") for t in read.targets)
    assert {t[1:] for t in read.targets} <= set(read.ids)
    assert read.handlers == []
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert len(text) < 100_000
    assert 'name="viewport"' in text
    assert "@media print" in style


def test_whatever_comes_from_users_or_data_is_escaped(page_of):
    statement = replace(proxskip.LINEAR_CONVERGENCE, source=HOSTILE, claim=HOSTILE)
    twin = Mutant(id=HOSTILE, twin=HOSTILE, word="killed", verdicts=(row(lens=HOSTILE),), lenses=("exact",))
    bad = row(
        "violated", id=HOSTILE, problem=HOSTILE, lens=HOSTILE, note=HOSTILE, method=HOSTILE, states=HOSTILE
    )
    text = page_of(
        replace(bad, witness={"x": HOSTILE}),
        statement=statement,
        words=[],
        red=Mutants(rows=(twin,)),
        budget=HOSTILE,
    )
    read = Reader(text)
    assert not {"script", "img"} & read.tags
    assert read.handlers == []
    assert "<script" not in text
    assert "".join(read.text).count("<script>alert('x')</script>") >= 8


def test_the_page_says_what_was_found(page_of):
    rows = [row(), row(grade="proved", id="fake.two"), row("inconclusive", id="fake.three", note="too large")]
    text = words_of(page_of(*rows, seed=7, budget="full", complete=False))
    assert "Nothing violated, 1 inconclusive" in text
    assert "3 verdicts on 3 statements" in text
    assert "Interrupted: only what was finished is shown." in text
    assert "seed7" in text
    assert "too large" in text
    assert "numpy\u00a0" + np.__version__ in "".join(Reader(page_of(*rows)).text)
    assert "Everything holds" in words_of(page_of(row()))
    assert "2 violations found" in words_of(page_of(row("violated"), row("violated")))
    assert "Nothing was judged" in words_of(page_of(row("not applicable")))


def test_a_page_without_rows_is_a_page():
    assert "Nothing was judged" in words_of(report.html([]))


def test_red_twins_stand_with_their_statement_and_their_score(page_of):
    kill = Mutant(
        id="fake.one", twin="rate gap x 2", word="killed", lenses=("exact",), verdicts=(row(ratio=1.25),)
    )
    rest = [Mutant(id="fake.one", twin=w, word=w) for w in ("survived", "void", "equivalent")]
    text = words_of(page_of(row(), red=Mutants(rows=(kill, *rest))))
    assert "rate gap x 2 killed: exact 1.25" in text
    assert "1 killed, 1 equivalent, 1 survived, 1 void; kill score 0.500" in text


def test_a_witness_too_large_to_read_is_not_poured_into_the_page(page_of):
    text = page_of(row("violated", witness={"x": "9" * 50_000}))
    assert "99999" not in text
    assert "too long to show" in text


def test_one_word_stands_for_several_verdicts():
    assert page.overall([row(), row(grade="proved"), row(grade="sampled")]) == "proved"
    assert page.overall([row(), row("inconclusive")]) == "inconclusive"
    assert page.overall([row("inconclusive"), row("violated"), row(grade="proved")]) == "violated"
    assert page.overall([row("not applicable"), row(grade="sampled")]) == "sampled"
    assert page.overall([row("not applicable")]) == "na"


def test_branches_that_were_never_active_are_named(page_of):
    line = curve(proxskip.LINEAR_CONVERGENCE, *tuned("quadratic:n=3,d=2,kappa=10"))
    assert line.branches == 2
    text = words_of(page_of(row(branches=(0,)), curves={"fake.one": line}))
    assert "Branch 2 of 2 of the rate was active nowhere." in text
    text = words_of(page_of(row(branches=(0,)), row(branches=(1,)), curves={"fake.one": line}))
    assert "Both branches of the rate were active somewhere." in text


# ------------------------------------------------------------------ JSON


def test_a_row_in_json_has_null_where_there_is_no_number():
    for ratio in (None, float("inf"), float("nan"), -float("inf")):
        assert document.row(row(ratio=ratio))["ratio"] is None
    assert document.row(row(ratio=0.25))["ratio"] == 0.25


def test_the_summary_counts_by_word_and_by_grade():
    found = document.summary([row(), row(), row(grade="proved"), row("violated"), row("not applicable")])
    assert found["word"] == {"holds": 3, "violated": 1, "inconclusive": 0, "not applicable": 1}
    assert found["grade"] == {"proved": 1, "certified": 0, "exact": 2, "searched": 0, "sampled": 0}


# ------------------------------------------------------------------ formulas


def tree(tex):
    return minidom.parseString(f"<a>{mathml(tex)}</a>".encode())


@pytest.mark.parametrize(
    ("tex", "holds"),
    [
        (r"\frac{a}{b}", "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>"),
        (r"\tfrac12", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (
            r"x_i^{t+1}",
            "<msubsup><mi>x</mi><mrow><mi>i</mi></mrow><mrow><mi>t</mi><mo>+</mo><mn>1</mn></mrow>",
        ),
        (r"\sum_{i<n} x", "<munder><mo>∑</mo>"),
        (r"\max_i x", '<munder><mo form="prefix">max</mo>'),
        (r"\sqrt{\kappa}", "<msqrt><mi>κ</mi></msqrt>"),
        (r"x'", "<msup><mi>x</mi><mrow><mo>′</mo></mrow></msup>"),
        (r"\mathbb{E}", "<mi>𝔼</mi>"),
        (r"\mathbb{R}", "<mi>ℝ</mi>"),
        (r"\mathcal{O}(1)", "<mi>𝒪</mi>"),
        (r"\Psi", '<mi mathvariant="normal">Ψ</mi>'),
        (r"\|x\|", '<mo stretchy="false">‖</mo><mi>x</mi>'),
        (r"\text{a < b}", "<mtext>a\u00a0&lt;\u00a0b</mtext>"),
        (r"\left(x\right)", '<mo form="prefix" stretchy="true">(</mo><mi>x</mi>'),
        (r"x \not\to 0", "→\u0338"),
        (r"\binom ns", 'linethickness="0"'),
        (r"\unknown{x}", "<mtext>\\unknown</mtext>"),
    ],
)
def test_latex_becomes_mathml(tex, holds):
    assert holds in mathml(tex)
    tree(tex)


def test_a_formula_breaks_before_relations_and_after_commas_but_never_inside_brackets():
    assert mathml(r"a \le b = c").count("<math") == 3
    assert mathml(r"a = 1,\ b = 2").count("<math") == 4
    assert mathml(r"P(a = b) \le 1").count("<math") == 2
    assert mathml(r"\{t < T: x > 2\}").count("<math") == 1


@pytest.mark.parametrize("tex", [r"\frac{a", "{", "}", r"\left( x", "x^", r"\frac", r"\sqrt[3"])
def test_what_cannot_be_read_is_shown_as_written(tex):
    assert mathml(tex) == f"<code>{tex}</code>"


@given(
    st.lists(
        st.sampled_from(
            [
                *r"{}[]()^_'\|&<>$%~ ",
                "x",
                "12",
                r"\frac",
                r"\le",
                r"\text",
                r"\left",
                r"\right",
                r"\sum",
                r"\bar",
                r"\rm",
                r"\not",
                r"\mathbb",
                r"\nosuch",
                r"\\",
                "é",
            ]
        )
    ).map("".join)
)
def test_any_text_gives_well_formed_markup(tex):
    tree(tex)


@pytest.mark.parametrize("case", [c for c in CASES if c.statement.claim], ids=lambda c: c.id)
def test_every_claim_of_the_catalogue_is_typeset(case):
    made = mathml(case.statement.claim)
    assert made.startswith("<math")
    assert not re.search(r"<mtext>\\", made), made
    tree(case.statement.claim)


# ------------------------------------------------------------------ curves


def tuned(spec, p=0.3):
    problem = build(spec)
    return problem, proxskip.LINEAR_CONVERGENCE.tune(problem, p=p)


def dist(P, m, s):
    return (Square(1, s.x - P.x_star),)


def test_the_curve_of_a_contraction_starts_at_V_and_stays_below_the_claim():
    P, m = tuned("quadratic:n=3,d=2,kappa=10")
    line = curve(proxskip.LINEAR_CONVERGENCE, P, m)
    assert line.claimed[0] == pytest.approx(line.measured[0])
    rate = max(1 - m.gamma * P.mu_min, 1 - m.p**2)
    np.testing.assert_allclose(line.claimed, line.claimed[0] * rate**line.claimed_at)
    assert (line.measured <= 1.2 * line.claimed).all()
    assert (line.low <= line.measured * (1 + 1e-12)).all()
    assert not line.floor


def test_progress_is_added_up_against_the_start():
    """Descent: f(x') <= f(x) - progress. What is drawn never exceeds where it began."""
    statement = gd.DESCENT if hasattr(gd, "DESCENT") else gd_descent()
    P = build("quadratic:n=3,d=2,kappa=10")
    line = curve(statement, P, statement.tune(P))
    assert (line.measured <= line.claimed * (1 + 1e-9)).all()
    np.testing.assert_allclose(line.claimed, line.claimed[0])


def gd_descent():
    return next(
        c.statement
        for c in CASES
        if c.stem == "gd" and c.statement.kind == "OneStep" and c.statement.progress
    )


@pytest.mark.parametrize("over", ["last", "mean", "min", "mean_iterate"])
def test_a_horizon_is_aggregated_as_it_says(over):
    from proveout.methods.gd import GD

    P = build("quadratic:n=1,d=1,kappa=1")
    statement = Horizon(source="s", measure=dist, bound=lambda P, m, T, start: dist(P, m, start), over=over)
    line = curve(statement, P, GD(gamma=0.1))
    t, q, first = (
        line.at[:20],
        0.9,
        float((P.x_star**2).sum()),
    )  # the iterates are 1, q, q^2, ... times the first
    means = (1 - q ** (t + 1)) / (1 - q) / (t + 1)
    squares = (1 - q ** (2 * t + 2)) / (1 - q**2) / (t + 1)
    wanted = {"last": q ** (2 * t), "min": q ** (2 * t), "mean": squares, "mean_iterate": means**2}[over]
    np.testing.assert_allclose(line.measured[:20], first * wanted, rtol=1e-9)
    np.testing.assert_allclose(line.claimed, first)


def test_a_complexity_is_drawn_along_its_own_unit_and_a_failure_against_its_floor():
    from proveout.methods.gd import GD

    P, m = build("quadratic:n=4,d=2,kappa=10"), GD(gamma=0.1)
    statement = Complexity(
        source="s",
        measure=lambda P, m, s: ((s.x - P.x_star) ** 2).sum(-1),
        count=lambda P, m, eps, start: 40 * np.log(1 / min(eps, 1)),
        unit="gradients",
    )
    line = curve(statement, P, m)
    assert line.unit == "gradients"
    assert line.at[-1] == 4 * 200  # four clients, 200 steps
    np.testing.assert_allclose(line.claimed_at, 40 * np.log(1 / np.minimum(line.claimed, 1)))
    failure = Failure(source="s", measure=statement.measure, floor=lambda P, m, T, start: 1.0)
    assert curve(failure, P, m).floor


def test_curves_are_made_for_named_statements_on_data_only():
    made = curves(["proxskip.linear_convergence"], jobs=1)
    assert set(made) == {"proxskip.linear_convergence"}
    assert made["proxskip.linear_convergence"].problem.startswith("quadratic:")


def bare(measured, claimed, at=None):
    measured, claimed = np.asarray(measured, float), np.asarray(claimed, float)
    t = np.arange(len(measured), dtype=float) if at is None else np.asarray(at, float)
    return Curve(
        problem="p",
        method="m",
        unit="steps",
        at=t,
        measured=measured,
        low=measured,
        high=measured,
        claimed_at=np.arange(len(claimed), dtype=float),
        claimed=claimed,
    )


positive = st.floats(min_value=1e-300, max_value=1e300)
anything = st.one_of(positive, st.sampled_from([0.0, float("inf"), float("nan")]))


@given(
    positive,
    st.lists(anything, min_size=1, max_size=30),
    positive,
    st.lists(anything, min_size=1, max_size=30),
)
def test_a_drawing_holds_only_finite_numbers(a, rest, b, others):
    drawn = svg.curve(bare([a, *rest], [b, *others]))
    assert not re.search(r"nan|inf\b", drawn)
    minidom.parseString(drawn.encode())


@given(st.one_of(st.none(), st.floats()))
def test_a_tightness_bar_is_drawn_for_any_ratio(ratio):
    drawn = svg.tightness(ratio)
    minidom.parseString(f"<a>{drawn}</a>".encode())
    assert "nan" not in drawn
    if ratio is not None and ratio > 1.001:
        assert "over" in drawn


def test_the_stacked_bar_is_filled_by_its_parts():
    drawn = svg.stacked([("proved", 1), ("exact", 3), ("violated", 0)])
    widths = [float(w) for w in re.findall(r'width="([\d.]+)"', drawn)]
    assert widths == [248.0, 748.0]
    assert "violated" not in drawn
