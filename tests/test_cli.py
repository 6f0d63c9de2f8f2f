"""What a user types: every command, its exit code, one clear line for every mistake."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import proveout
from proveout.cli import main
from proveout.cli.files import clean, write_with
from proveout.cli.screen import Usage
from proveout.theory import proxskip, twins
from proveout.theory.cases import Case, Stem
from proveout.theory.statement import Verdict
from proveout.theory.trial import judge

DATA, CLASS = "quadratic:n=3,d=2,kappa=10", "class:n=3,L=10,mu=1"
TRUE = proxskip.LINEAR_CONVERGENCE
WRONG = replace(TRUE, rate=lambda P, m: (1 - 2 * m.gamma * P.mu_min, 1 - m.p**2))
WORDS = ("holds", "violated", "inconclusive", "not applicable")


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """Every command runs in a directory of its own, and leaves signals and threads as they were."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def run(capsys):
    """exit code, standard output, standard error of a command line."""

    def command(*arguments):
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return command


@pytest.fixture
def catalogue(monkeypatch):
    def install(*cases):
        monkeypatch.setattr("proveout.theory.catalogue.CASES", cases)
        stem = Stem(name="fake", title="A fake", cite="@misc{fake}", paper=False)
        monkeypatch.setattr("proveout.theory.catalogue.STEMS", {"fake": stem})

    return install


def case(name, statement=TRUE, problems=(DATA,), p=0.9):
    return Case(id=f"fake.{name}", statement=statement, problems=problems, choices={"p": p})


@pytest.fixture
def verdicts(monkeypatch, catalogue):
    """A catalogue whose statements get these words."""

    def install(*words):
        module = ModuleType("fake_exact")

        def check(statement, P, m, *, budget="quick", seed=0):
            word = words[round(10 * m.p) - 1]
            return Verdict(word=word, lens="exact", grade="exact" if word == "holds" else None, ratio=np.inf)

        module.check = check
        monkeypatch.setitem(sys.modules, "fake_exact", module)
        monkeypatch.setattr(judge, "LENSES", dict.fromkeys(judge.LENSES, "fake_exact"))
        catalogue(*(case(f"s{k}", p=(k + 1) / 10) for k in range(len(words))))

    return install


# ------------------------------------------------------------------ help


def python(*arguments, **more):
    root = str(Path(proveout.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=60, **more
    )


@pytest.mark.parametrize("what", ["import proveout", "from proveout.cli import main; main(['--help'])"])
def test_the_package_and_its_help_load_nothing_heavy(what):
    heavy = ("cvxpy", "torch", "geoopt", "matplotlib", "scipy", "numpy", "joblib", "rich", "pyarrow")
    probe = f"import atexit, sys; atexit.register(lambda: print([m for m in {heavy} if m in sys.modules])); {what}"
    assert python("-W", "error", "-c", probe).stdout.splitlines()[-1] == "[]"


def test_every_command_has_help_with_its_exit_codes(run):
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for command in ("list", "check", "mutants", "tight", "run", "figures", "replay", "cite"):
        assert f"\n  {command}" in out
        code, text, err = run(command, "--help")
        assert (code, err) == (0, "")
        assert "Usage: proveout " + command in text
    assert run()[1] == out  # no command: help as well


def test_the_version_is_the_packages(run):
    assert run("--version") == (0, f"proveout {proveout.__version__}\n", "")


def test_the_module_runs_as_a_program():
    done = python("-m", "proveout", "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"proveout {proveout.__version__}")


# ------------------------------------------------------------------ mistakes

METHOD = ("run", "proxskip.Scaffnew", "--problem", DATA, "--steps", "3")

MISTAKES = [
    ("chek", "No such command 'chek'"),
    ("check proxskp", "no stem or statement 'proxskp'; did you mean proxskip"),
    ("check --frobnicate", "No such option"),
    ("check proxskip --lens", "requires an argument"),
    ("check proxskip --lens exakt", "no lens 'exakt'; lenses: proof, worstcase"),
    ("check proxskip --budget fast", "budget must be one of quick, full, deep, got 'fast'"),
    ("check proxskip --jobs -1", "--jobs must be an integer >= 0, got -1"),
    ("check proxskip --jobs x", "--jobs must be an integer >= 0, got 'x'"),
    ("check proxskip --seed 1.5", "--seed must be an integer >= 0, got '1.5'"),
    ("check proxskip --seed inf", "--seed must be an integer >= 0, got 'inf'"),
    ("check proxskip --problem quadratc:n=3", "unknown family 'quadratc'"),
    ("check proxskip --problem quadratic:k=3", "unknown key 'k'"),
    ("check proxskip --problem quadratic:n=0", "n must be an integer >= 1, got 0"),
    ("check proxskip --problem logistic:nofile.svm", "'nofile.svm', which is no file"),
    ("check proxskip --json no/such/x.json", "there is no directory"),
    ("check proxskip --json .", ". is a directory, not a file"),
    ("check proxskip --json x.txt", "x.txt: the name must end in .json"),
    ("check proxskip --html x.pdf", "x.pdf: the name must end in .html or .htm"),
    ("check nofile.py", "nofile.py is no file"),
    ("check some/place", "'some/place' is no stem, no statement and no FILE.py"),
    ("mutants nix", "no stem or statement 'nix'"),
    ("mutants proxskip --budget 3", "budget must be one of"),
    ("tight", "tight: Missing argument 'STATEMENT'"),
    ("tight proxskip", "'proxskip' is a stem; name one of proxskip."),
    ("tight proxskip.linear_convergence --over gamma", "--over must be FIELD=LOW:HIGH:COUNT"),
    ("tight proxskip.linear_convergence --over gamma=a:1:3", "--over must be FIELD=LOW:HIGH:COUNT"),
    ("tight proxskip.linear_convergence --over gamma=2:1:3", "0 < LOW <= HIGH"),
    ("tight proxskip.linear_convergence --over gamma=1:inf:3", "0 < LOW <= HIGH"),
    ("tight proxskip.linear_convergence --over eta=1:2:3", "no number 'eta' in Scaffnew; fields: gamma, p"),
    ("tight proxskip.linear_convergence --out x.bmp", "x.bmp: the name must end in .png"),
    ("tight proxskip.linear_convergence --problem class:n=0", "n must be >= 1, got 0"),
    ("run", "run: Missing argument 'METHOD'"),
    ("run proxskip.Scaffnew --steps 3", "Missing option '--problem'"),
    (f"run Scaffnew --problem {DATA} --steps 3", "must be STEM.CLASS[:field=value,...]"),
    (f"run proxskp.Scaffnew --problem {DATA} --steps 3", "no stem 'proxskp'; did you mean proxskip?"),
    (f"run proxskip.Scafnew --problem {DATA} --steps 3", "no class 'Scafnew' in proxskip; classes:"),
    (f"run proxskip.Scaffnew:q=1 --problem {DATA} --steps 3", "no field 'q', fields: gamma, p"),
    (f"run proxskip.Scaffnew:p --problem {DATA} --steps 3", "expected field=value, got 'p'"),
    (f"run proxskip.Scaffnew:p=.1,p=.2 --problem {DATA} --steps 3", "p given twice"),
    (f"run proxskip.Scaffnew:p=2 --problem {DATA} --steps 3", "p must lie in (0, 1], got 2"),
    (f"run proxskip.Scaffnew:p=x --problem {DATA} --steps 3", "p must be a number, got 'x'"),
    (f"run proxskip.Scaffnew --problem {CLASS} --steps 3", "a function class has no data to run on"),
    (f"run proxskip.Scaffnew --problem {DATA} --steps -3", "--steps must be an integer >= 0, got -3"),
    (f"run proxskip.Scaffnew --problem {DATA} --steps 3 --seeds 0", "--seeds must be an integer >= 1, got 0"),
    (f"run proxskip.Scaffnew --problem {DATA} --steps 3 --out x.xls", "must end in .parquet or .csv or .npz"),
    (f"run proxskip.Scaffnew --problem {DATA} --steps 3 --out no/x.csv", "there is no directory"),
    (f"run proxskip.Scaffnew --problem {DATA} --steps 3 --out -", "--out must be a file"),
    ("figures --format gif", "--format must be of png, pdf, svg, got 'gif'"),
    ("figures nix", "'nix' is no stem; stems with figures:"),
    ("replay", "replay: Missing argument 'WITNESS.json'"),
    ("replay nofile.json", "nofile.json: No such file or directory"),
    ("cite", "cite: Missing argument"),
    ("cite nix", "no stem 'nix'; stems: "),
    ("list nix", "no stem or statement 'nix'"),
]


@pytest.mark.parametrize(("line", "says"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_one_clear_line_and_exit_code_2(run, line, says):
    code, out, err = run(*line.split())
    assert code == 2
    assert out == ""
    assert err.startswith("proveout: ")
    assert err.count("\n") == 1
    assert says in err
    assert "Traceback" not in err


def test_a_place_that_cannot_be_written_is_refused_before_any_work(run, monkeypatch, workplace):
    monkeypatch.setattr("proveout.cli.files.os.access", lambda path, mode: False)
    code, out, err = run("check", "proxskip", "--json", "x.json")
    assert (code, out) == (2, "")
    assert "x.json: no permission to write there" in err
    (workplace / "taken").write_text("")
    assert run("figures", "--out", "taken")[0] == 2


def test_a_disk_that_fails_while_writing_is_a_line_too(run, verdicts, monkeypatch, workplace):
    verdicts("holds")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("proveout.cli.files.os.replace", full)
    code, out, err = run("check", "--json", "x.json")
    assert code == 2
    assert "fake.s0" in out  # the rows were shown all the same
    assert err == "proveout: x.json: No space left on device\n"
    assert list(workplace.iterdir()) == []  # no half file is left


def test_a_mistake_of_ours_is_not_read_as_a_verdict(run, monkeypatch):
    monkeypatch.setattr("proveout.cli.listing.cite", lambda stems: 1 / 0)
    code, _, err = run("cite", "proxskip")
    assert code == 70
    assert "ZeroDivisionError" in err
    assert "please report" in err


# ------------------------------------------------------------------ list, cite


def test_list_names_every_statement_with_its_lenses(run):
    code, out, _ = run("list", "--json")
    entries = json.loads(out)
    assert code == 0
    one = next(e for e in entries if e["id"] == "proxskip.linear_convergence")
    assert (one["stem"], one["kind"]) == ("proxskip", "OneStep")
    assert {"id", "stem", "kind", "source", "method", "lenses"} <= set(one)
    assert one["lenses"][:3] == ["proof", "worstcase", "exact"]
    code, out, _ = run("list", "proxskip")
    assert code == 0
    assert "linear_convergence" in out
    assert "ProxSkip: Yes!" in out


def test_cite_prints_each_entry_once(run):
    code, out, _ = run("cite", "proxskip", "proxskip.linear_convergence")
    assert code == 0
    assert out.count("@inproceedings{mishchenko2022proxskip") == 1


# ------------------------------------------------------------------ check


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("holds", "holds"), 0),
        (("holds", "not applicable"), 0),
        (("holds", "inconclusive"), 3),
        (("inconclusive", "violated"), 1),
        (("violated", "holds"), 1),
    ],
)
def test_the_exit_code_says_the_worst_word(run, verdicts, words, code):
    verdicts(*words)
    assert run("check")[0] == code


def test_check_writes_json_for_machines(run, verdicts, workplace):
    verdicts("holds", "violated", "inconclusive", "not applicable")
    code, out, _ = run("check", "--json", "x.json", "--seed", "5")
    document = json.loads((workplace / "x.json").read_text(), parse_constant=pytest.fail)
    assert code == 1
    assert (document["version"], document["seed"], document["complete"]) == (proveout.__version__, 5, True)
    assert [v["word"] for v in document["verdicts"]] == list(WORDS)
    assert set(document["verdicts"][0]) >= {
        "id",
        "problem",
        "lens",
        "word",
        "grade",
        "ratio",
        "seconds",
        "witness",
    }
    assert document["verdicts"][0]["ratio"] is None  # infinite
    assert document["verdicts"][0]["grade"] == "exact"
    assert document["summary"]["word"] == dict.fromkeys(WORDS, 1)
    assert document["summary"]["grade"]["exact"] == 1
    assert out.splitlines()[-1].startswith(
        "1 holds (1 exact), 1 violated, 1 inconclusive, 1 not applicable; "
    )


def test_a_dash_sends_json_to_standard_output_and_nothing_else(run, verdicts):
    verdicts("holds")
    code, out, err = run("check", "--json", "-")
    assert (code, err) == (0, "")
    assert json.loads(out)["verdicts"][0]["id"] == "fake.s0"


def test_a_pipe_gets_no_colours_and_no_progress_bar(run, verdicts):
    verdicts("holds", "violated")
    _, out, err = run("check")
    assert "\x1b" not in out
    assert err == ""


def test_a_violation_leaves_a_witness_that_replays(run, catalogue, workplace):
    catalogue(case("wrong", WRONG))
    code, out, _ = run("check")
    assert code == 1
    path = workplace / "witnesses" / "fake.wrong-1.json"
    assert f"witness: proveout replay {Path('witnesses') / 'fake.wrong-1.json'}" in out
    code, out, err = run("replay", str(path))
    assert (code, err) == (1, "")
    assert "fake.wrong: violated: reproduced" in out
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))  # a trip through Windows
    assert run("replay", str(path))[0] == 1
    catalogue(case("wrong", TRUE))
    code, out, _ = run("replay", str(path))
    assert code == 0
    assert "not reproduced" in out


def test_a_witness_of_another_version_says_so(run, catalogue, workplace):
    catalogue(case("wrong", WRONG))
    run("check")
    path = workplace / "witnesses" / "fake.wrong-1.json"
    path.write_text(path.read_text().replace(proveout.__version__, "9.9.9"))
    code, _, err = run("replay", str(path))
    assert code == 1
    assert err == f"proveout: written by version 9.9.9, replayed by {proveout.__version__}\n"


def test_a_file_that_is_no_witness_is_exit_code_2(run, workplace):
    for content in ("", "{}", '{"format": "proveout-witness/1"}', "\x00"):
        (workplace / "x.json").write_text(content)
        code, out, err = run("replay", "x.json")
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_the_page_is_written_with_curves_and_red_twins(run, catalogue, workplace):
    catalogue(case("one", replace(TRUE, twins=(twins.rate_gap(2),)), (DATA, CLASS)))
    assert run("check", "--html", "x.html", "--jobs", "1")[0] == 0
    text = (workplace / "x.html").read_text(encoding="utf-8")
    assert 'class="curve"' in text
    assert "rate gap x 2" in text
    assert "killed" in text
    assert run("check", "--html", "x.html", "--no-twins")[0] == 0
    assert "killed" not in (workplace / "x.html").read_text(encoding="utf-8").partition("</style>")[2]


def test_named_lenses_and_problems_reach_the_check(run):
    line = (
        "check",
        "proxskip.linear_convergence",
        "--lens",
        "exact, worstcase",
        "--problem",
        DATA,
        "--json",
        "-",
    )
    code, out, _ = run(*line)
    rows = json.loads(out)["verdicts"]
    assert code == 0
    assert {r["lens"] for r in rows} == {"exact", "worstcase"}
    assert {r["problem"] for r in rows} == {DATA, CLASS}


def test_rows_of_one_problem_are_told_apart_by_their_parameters(run):
    _, out, _ = run("check", "proxskip.linear_convergence", "--lens", "exact", "--problem", DATA)
    assert f"{DATA}; Scaffnew,p=0.3 " in out
    assert f"{DATA}; ProxSkip,p=0.3 " in out


SLOW = """
import time
from dataclasses import replace
from pathlib import Path
from proveout.theory import proxskip
from proveout.theory.cases import Case

TRUE = proxskip.LINEAR_CONVERGENCE

def slow(k):
    def rate(P, m):
        if k > 0:
            Path("started").touch()
            time.sleep(60)
        return TRUE.rate(P, m)
    return replace(TRUE, rate=rate, twins=())

CASES = tuple(
    Case(id=f"slow_cli.s{k}", statement=slow(k), problems=("quadratic:n=2,d=1",), choices={"p": 0.3})
    for k in range(3)
)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_what_was_finished(workplace, how):
    (workplace / "slow_cli.py").write_text(SLOW)
    root = str(Path(proveout.__file__).parents[1])
    line = ["check", "slow_cli.py", "--jobs", "1", "--json", "x.json", "--html", "x.html"]
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            f"from proveout.cli import main; main({line!r})",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
    )
    for _ in range(300):
        if (workplace / "started").exists():
            break
        time.sleep(0.1)
    os.killpg(program.pid, how)
    out, err = program.communicate(timeout=30)
    assert program.returncode == 130
    assert err == "proveout: interrupted: 1 rows were finished\n"
    assert "slow_cli.s0" in out
    document = json.loads((workplace / "x.json").read_text())
    assert document["complete"] is False
    assert [v["id"] for v in document["verdicts"]] == ["slow_cli.s0"]
    assert "Interrupted: only what was finished is shown." in (workplace / "x.html").read_text()


def test_a_reader_that_leaves_early_is_no_error():
    program = "import sys; from proveout.cli import main; main(['list', '--json'])"
    root = str(Path(proveout.__file__).parents[1])
    done = subprocess.run(
        f'"{sys.executable}" -c "{program}" | head -c 1',
        shell=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        timeout=60,
        check=False,
    )
    assert done.stderr == ""


def test_a_cluster_that_cannot_be_had_is_a_line(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, out, err = run("check", "proxskip", "--scheduler", "nowhere:1")
    assert (code, out, err) == (2, "", "proveout: --scheduler needs Dask: pip install distributed\n")


# ------------------------------------------------------------------ mutants


def test_mutants_prints_the_kill_matrix_and_fails_if_one_survives(run, catalogue, workplace):
    kill, idle = twins.rate_gap(2), twins.update_times("h", 1)
    catalogue(
        case("one", replace(TRUE, twins=(kill, idle)), (DATA, CLASS), p=0.3),
        case("bare", replace(TRUE, twins=())),
    )
    code, out, _ = run("mutants", "--json", "m.json", "--budget", "quick", "--jobs", "1")
    assert code == 0
    assert "without twins: fake.bare" in out
    assert out.splitlines()[-1].startswith("1 killed, 1 void; kill score 1.000; ")
    document = json.loads((workplace / "m.json").read_text(), parse_constant=pytest.fail)
    assert document["score"] == 1
    assert document["summary"] == {"killed": 1, "equivalent": 0, "survived": 0, "void": 1}
    assert document["mutants"][0]["lenses"] == ["exact", "worstcase"]
    assert document["mutants"][0]["witness"]["twin"] == "rate gap x 2"
    assert run("replay", "m.json")[0] == 1

    harmless = replace(TRUE, twins=(twins.rate_gap(0.5),))
    catalogue(
        Case(id="fake.one", statement=harmless, problems=(DATA,), choices={"p": 0.3}, lenses=("exact",))
    )
    code, out, _ = run("mutants", "--budget", "quick", "--jobs", "1")
    assert code == 1
    assert "fake.one, rate gap x 0.5: survived: exact on" in out


def test_a_twin_that_one_lens_alone_kills_is_marked(run, catalogue):
    catalogue(case("one", replace(TRUE, twins=(twins.rate_gap(2),)), p=0.3))
    _, out, _ = run("mutants", "--budget", "quick", "--jobs", "1")
    assert "! killed by this lens alone: it has no backup" in out


# ------------------------------------------------------------------ run


def test_run_records_the_same_numbers_in_every_format(run, workplace):
    import pyarrow.parquet

    for name in ("x.csv", "x.npz", "x.parquet"):
        code, out, _ = run(*METHOD, "--seeds", "2", "--out", name)
        assert code == 0
        assert out.startswith("Scaffnew(gamma=0.1, p=0.3) on quadratic:n=3,d=2,kappa=10, 3 steps, 2 seeds\n")
        assert out.endswith(f"written: {name}\n")
    problem = proveout.problems.build(DATA)
    trace = proveout.run(problem, TRUE.tune(problem, p=0.3), steps=3, seeds=2)
    with (workplace / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["dist2"]) for r in rows] == trace["dist2"].ravel().tolist()
    assert [(int(r["step"]), int(r["seed"])) for r in rows][:3] == [(0, 0), (0, 1), (1, 0)]
    assert b"\r" not in (workplace / "x.csv").read_bytes()
    with np.load(workplace / "x.npz") as arrays:
        assert np.array_equal(arrays["dist2"], trace["dist2"])
        assert json.loads(str(arrays["about"]))["problem"] == DATA
    sheet = pyarrow.parquet.read_table(workplace / "x.parquet")
    assert sheet["gap"].to_pylist() == trace["gap"].ravel().tolist()
    assert json.loads(sheet.schema.metadata[b"proveout"])["steps"] == 3


def test_missing_fields_are_tuned_and_given_ones_are_kept(run):
    line = ("--problem", DATA, "--steps", "1")
    assert run("run", "proxskip.Scaffnew:p=0.5", *line)[1].startswith("Scaffnew(gamma=0.1, p=0.5)")
    assert run("run", "proxskip.Scaffnew:gamma=0.05", *line)[1].startswith("Scaffnew(gamma=0.05, p=0.3)")
    assert run("run", "gd.GD:gamma=1/3", *line)[0] == 2
    assert run("run", "gd.SGD:gamma=0.01,batch=2", *line)[1].startswith("SGD(gamma=0.01, batch=2)")
    code, _, err = run("run", "gd.SGD:gamma=0.01,batch=1.5", *line)
    assert (code, "batch must be an integer, got '1.5'" in err) == (2, True)


def test_a_run_that_diverges_says_when(run):
    code, out, _ = run("run", "gd.GD:gamma=1", "--problem", DATA, "--steps", "1000", "--seeds", "2")
    assert code == 0
    assert "2 of 2 seeds diverged, the first at step " in out


def test_parquet_without_its_package_is_one_clear_line_before_any_work(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, out, err = run(*METHOD, "--out", "x.parquet")
    assert (code, out) == (2, "")
    assert (
        err
        == "proveout: --out *.parquet needs pyarrow: pip install 'proveout[data]', or write .csv or .npz\n"
    )


def test_a_file_is_there_whole_or_as_it_was(workplace):
    target = workplace / "x.txt"
    target.write_text("before")

    def half(path):
        path.write_text("ha")
        raise OSError(28, "No space left on device")

    with pytest.raises(Usage, match="No space left on device"):
        write_with(str(target), half)
    assert target.read_text() == "before"
    assert list(workplace.iterdir()) == [target]
    write_with(str(target), lambda path: path.write_text("after"))
    assert target.read_text() == "after"


def test_json_values_are_plain():
    value = {1: np.float64("nan"), "a": (np.int64(3), np.array([1.0, np.inf])), "b": np.bool_(True), "c": 0.5}
    assert clean(value) == {"1": None, "a": [3, [1.0, None]], "b": True, "c": 0.5}


# ------------------------------------------------------------------ figures, tight


@pytest.fixture
def drawn(monkeypatch):
    """A stem with two panels, of which one cannot be measured."""
    from proveout.figures.style import Panel

    module = ModuleType("proveout.figures.proxskip")
    module.__spec__ = importlib.util.spec_from_loader("proveout.figures.proxskip", None)

    def draw(fig, data):
        fig.subplots().plot(data["y"])

    module.PANELS = {"rate": Panel(measure=lambda seed=0, quick=False: {"y": [seed, int(quick)]}, draw=draw)}
    monkeypatch.setitem(sys.modules, "proveout.figures.proxskip", module)
    return module


def test_figures_are_written_in_every_format(run, drawn, workplace):
    code, out, _ = run(
        "figures", "proxskip", "--out", "a/b", "--format", "png,svg,pdf", "--quick", "--jobs", "1"
    )
    assert code == 0
    names = {p.name for p in (workplace / "a" / "b").iterdir()}
    assert names == {"proxskip-rate.png", "proxskip-rate.svg", "proxskip-rate.pdf"}
    assert len(out.splitlines()) == 3


def test_a_panel_that_fails_takes_no_other_along(run, drawn, workplace):
    drawn.PANELS["broken"] = replace(drawn.PANELS["rate"], measure=lambda **options: 1 / 0)
    code, out, err = run("figures", "proxskip", "--out", "f", "--jobs", "1")
    assert code == 1
    assert out.strip() == str(Path("f") / "proxskip-rate.png")
    assert "proxskip-broken was not drawn: ZeroDivisionError" in err


@pytest.fixture
def swept(monkeypatch):
    """A `tight` that remembers what it was asked."""
    asked = []

    def tight(statement, problem, method, field, values):
        asked.append((problem.spec, field, values))
        rate = 1 - np.asarray(values)
        return {
            "claimed": rate,
            "worst_low": rate**2,
            "worst_up": rate**2,
            "best_lyapunov": np.full(len(rate), np.nan),
        }

    monkeypatch.setattr("proveout.theory.lenses.worstcase.tight", tight, raising=False)
    return asked


def test_tight_sweeps_multiples_of_the_tuned_value(run, swept, workplace):
    line = ("tight", "proxskip.linear_convergence", "--over", "gamma=0.5:1.5:3", "--over", "p=1:1:1")
    code, out, _ = run(*line, "--json", "t.json", "--out", "t.svg")
    assert code == 0
    (spec, field, values), (_, other, _) = swept
    assert (spec, field, other) == (CLASS, "gamma", "p")
    np.testing.assert_allclose(values, [0.05, 0.1, 0.15])
    assert "best Lyapunov" in out
    document = json.loads((workplace / "t.json").read_text(), parse_constant=pytest.fail)
    assert [s["field"] for s in document["sweeps"]] == ["gamma", "p"]
    assert document["sweeps"][0]["best_lyapunov"] == [None] * 3
    assert (workplace / "t.svg").read_text().startswith("<?xml")


def test_a_statement_without_a_rate_is_refused_with_the_reason(run):
    code, out, err = run("tight", "proxskip.round_complexity", "--problem", CLASS, "--over", "gamma=1:1:1")
    assert (code, out) == (2, "")
    assert err.startswith("proveout: proxskip.round_complexity")
    assert err.count("\n") == 1


def test_tight_finds_the_sharper_rate_of_scaffnew(run, workplace):
    """The published rate is max{1 - gamma mu, 1 - p^2}; for small steps the square of the first holds, and is met."""
    line = ("tight", "proxskip.linear_convergence", "--over", "gamma=0.2:0.4:2", "--json", "-")
    code, out, _ = run(*line)
    assert code == 0
    (sweep,) = json.loads(out)["sweeps"]
    for gamma, claimed, low, up in zip(*(sweep[k] for k in ("gamma", "claimed", "worst_low", "worst_up"))):
        assert claimed == pytest.approx(1 - gamma, abs=1e-9)
        assert low <= (1 - gamma) ** 2 + 1e-6
        assert up == pytest.approx((1 - gamma) ** 2, abs=1e-5)


def test_tight_without_a_sweep_looks_at_the_tuned_value(run, swept):
    assert run("tight", "proxskip.linear_convergence", "--problem", "class:n=2,L=4,mu=1")[0] == 0
    ((spec, field, values),) = swept
    assert (spec, field, values.tolist()) == ("class:n=2,L=4,mu=1", "gamma", [0.25])
