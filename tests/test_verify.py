"""The certificate verifier, on certificates typed by hand."""

import ast
import copy
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.theory import verify
from proveout.theory.verify import digest, fault, psd

SCRIPT = Path(verify.__file__)


def sealed(certificate):
    return {**certificate, "sha256": digest(certificate)}


def gradient_descent():
    """|x - gamma g|^2 <= (1 - gamma mu)^2 |x|^2 at L=10, mu=1, gamma=1/10: both pairs of (x, x*), weight 9/50.

    Gram basis (x, g), one value F = f(x) - f*.  With L/(2(L-mu)) = 5/9 the class says, for mu=1, L=10,
        F            - (|g|^2/10 + |x|^2 - <g,x>/5) 5/9 >= 0          (x above x*)
        <g,x> - F    - (|g|^2/10 + |x|^2 - <g,x>/5) 5/9 >= 0          (x* above x)
    """
    both = [[0, 0, "-5/9"], [0, 1, "1/18"], [1, 1, "-1/18"]]
    return sealed(
        {
            "format": "proveout-certificate/1",
            "statement": "gd.contraction",
            "parameters": {"L": "10", "mu": "1", "gamma": "1/10"},
            "basis": [["x", "g"]],
            "sizes": [2],
            "n_values": 1,
            "rate": "81/100",
            "before": {"blocks": [[[0, 0, "1"]]], "values": ["0"], "noise": "0"},
            "after": {
                "blocks": [[[0, 0, "1"], [0, 1, "-1/10"], [1, 1, "1/100"]]],
                "values": ["0"],
                "noise": "0",
            },
            "inequalities": [
                {
                    "name": "f: x over x*",
                    "multiplier": "9/50",
                    "form": {"blocks": [both], "values": ["1"], "noise": "0"},
                },
                {
                    "name": "f: x* over x",
                    "multiplier": "9/50",
                    "form": {
                        "blocks": [[both[0], [0, 1, "5/9"], both[2]]],
                        "values": ["-1"],
                        "noise": "0",
                    },
                },
            ],
        }
    )


def growing_square():
    """(1 + v)^2 |x|^2 + 3 v s >= (1 + v^2) |x|^2 + v s for all v >= 0: one unknown parameter, noise s."""
    return sealed(
        {
            "format": "proveout-certificate/1",
            "statement": "example",
            "variables": ["v"],
            "sizes": [1],
            "n_values": 0,
            "rate": [[[[0], "1"], [[1], "1"]]],
            "before": [{"blocks": [[[0, 0, [[[0], "1"], [[1], "1"]]]]], "values": [], "noise": [[[1], "3"]]}],
            "after": {
                "blocks": [[[0, 0, [[[0], "1"], [[2], "1"]]]]],
                "values": [],
                "noise": [[[1], "1"], [[2], "2"]],
            },
            "inequalities": [],
        }
    )


def changed(certificate, path, value):
    """The certificate with one place replaced, and its digest made to fit again."""
    new = copy.deepcopy(certificate)
    *way, end = path
    inside = new
    for key in way:
        inside = inside[key]
    inside[end] = value
    del new["sha256"]
    return sealed(new)


def test_gradient_descent_by_hand_is_accepted():
    assert fault(gradient_descent()) is None


def test_the_slack_of_gradient_descent_is_a_perfect_square():
    # 81/100 |x|^2 - |x - g/10|^2 - 9/50 (both) = 1/100 (|x|^2 - 2 <x,g> + |g|^2) = |(x - g)/10|^2
    c = gradient_descent()
    entries = {}
    terms = [(Fraction(81, 100), c["before"]), (Fraction(-1), c["after"])]
    terms += [(-Fraction(q["multiplier"]), q["form"]) for q in c["inequalities"]]
    for scale, form in terms:
        for i, j, v in form["blocks"][0]:
            entries[i, j] = entries.get((i, j), 0) + scale * Fraction(v)
    assert entries == {(0, 0): Fraction(1, 100), (0, 1): Fraction(-1, 100), (1, 1): Fraction(1, 100)}


def test_any_change_is_refused_by_the_digest():
    c = gradient_descent()
    c["statement"] = "gd.contraction "
    assert "digest" in fault(c)


def test_a_digest_of_zeros_is_refused():
    assert "digest" in fault({**gradient_descent(), "sha256": "0" * 64})


@pytest.mark.parametrize("rate", ["8/10", "809999/1000000", "0", "-1"])
def test_a_smaller_rate_is_refused_even_with_a_fitting_digest(rate):
    assert fault(changed(gradient_descent(), ["rate"], rate)) is not None


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize("multiplier", ["9/49", "8/50", "0", "18/50"])
def test_one_changed_multiplier_leaves_a_value_part(k, multiplier):
    assert "value" in fault(changed(gradient_descent(), ["inequalities", k, "multiplier"], multiplier))


def test_both_multipliers_changed_leave_an_indefinite_slack():
    c = changed(gradient_descent(), ["inequalities", 0, "multiplier"], "9/51")
    assert "semidefinite" in fault(changed(c, ["inequalities", 1, "multiplier"], "9/51"))


def test_a_negative_multiplier_is_refused_whatever_it_proves():
    c = changed(gradient_descent(), ["after"], gradient_descent()["before"])
    c = changed(c, ["inequalities", 0, "multiplier"], "-1")
    assert "negative" in fault(changed(c, ["inequalities", 1, "multiplier"], "-1"))


def test_an_inequality_that_is_left_out_is_missed():
    c = gradient_descent()
    assert fault(changed(c, ["inequalities"], c["inequalities"][:1])) is not None


@pytest.mark.parametrize("entry", [[1, 0, "1"], [0, 2, "1"], [-1, 0, "1"], [2, 2, "1"]])
def test_an_entry_outside_its_block_is_refused(entry):
    assert "outside" in fault(changed(gradient_descent(), ["before", "blocks", 0, 0], entry))


def test_polynomials_in_a_parameter_are_accepted():
    assert fault(growing_square()) is None


def test_one_negative_coefficient_of_a_polynomial_is_refused():
    c = growing_square()
    noise = changed(c, ["after", "noise", 1, 1], "4")  # 3 v + 3 v^2 - v - 4 v^2: negative for large v
    assert "noise" in fault(noise)
    block = changed(c, ["after", "blocks", 0, 0, 2], [[[0], "1"], [[1], "5/2"], [[2], "1"]])
    assert "semidefinite" in fault(block)


def test_polynomials_in_the_wrong_number_of_variables_raise():
    with pytest.raises(ValueError, match="1 variables"):
        fault(changed(growing_square(), ["rate", 0], [[[0, 1], "1"]]))
    with pytest.raises(ValueError, match="1 variables"):
        fault(changed(growing_square(), ["rate", 0], [[[-1], "1"]]))


def test_a_constant_counts_as_a_polynomial():
    assert fault(changed(growing_square(), ["after", "noise"], "0")) is None


@pytest.mark.parametrize("bad", [0.81, 1, None, [], {"a": "1"}, "x", "1/0"])
def test_a_number_that_is_no_fraction_is_never_accepted(bad):
    broken = changed(gradient_descent(), ["inequalities", 0, "multiplier"], bad)
    try:
        assert fault(broken) is not None
    except (ValueError, TypeError, ZeroDivisionError):
        pass


matrices = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(st.integers(-4, 4), min_size=n, max_size=n), min_size=n, max_size=n)
)


def exact(m):
    return [[Fraction(int(x)) for x in row] for row in m]


@given(matrices)
def test_gram_matrices_are_positive_semidefinite(rows):
    b = np.array(rows)
    b[-1] = b[0]  # and singular ones too
    assert psd(exact(b @ b.T))


@given(matrices)
def test_psd_agrees_with_the_smallest_eigenvalue(rows):
    m = np.array(rows) + np.array(rows).T
    least = np.linalg.eigvalsh(m)[0]
    if abs(least) > 1e-9:
        assert psd(exact(m)) == (least > 0)


@given(matrices)
def test_a_singular_matrix_minus_a_speck_on_its_kernel_is_not_psd(rows):
    b = np.array(rows)
    if len(b) == 1:
        return
    b[-1] = b[0]
    m = exact(b @ b.T)  # its kernel holds u = e_last - e_first
    m[0][0] -= Fraction(1, 10**30)
    assert not psd(m)


def run_script(path):
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip(), done.stderr


def test_it_runs_as_a_plain_script(tmp_path):
    path = tmp_path / "cert.json"
    path.write_text(json.dumps(gradient_descent()))
    assert run_script(path) == (0, "valid", "")
    path.write_text(json.dumps(changed(gradient_descent(), ["rate"], "4/5")))
    code, said, error = run_script(path)
    assert code == 1
    assert "semidefinite" in said
    assert error == ""
    path.write_text("{")
    code, said, error = run_script(path)
    assert (code, error) == (1, "")
    assert said.startswith("not a certificate")


def test_it_imports_the_standard_library_only_and_is_short():
    tree = ast.parse(SCRIPT.read_text())
    modules = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {m.partition(".")[0] for m in modules} <= sys.stdlib_module_names
    assert len(SCRIPT.read_text().splitlines()) <= 80
