"""The house: imports only go down, stems have their siblings, rooms say what they export."""

import ast
import re
from pathlib import Path

import pytest

import proveout
from proveout.theory.catalogue import CASES, STEMS

ROOT = Path(proveout.__file__).parent
TOP = ROOT.parents[1]
FILES = sorted(ROOT.rglob("*.py"))
FLOORS = (  # the first matching prefix decides
    ("rooms", 0),
    ("arrays", 0),
    ("laws", 0),
    ("problems", 1),
    ("methods", 2),
    ("run", 3),
    ("theory", 4),
    ("figures", 5),
)
EDGE = 6  # bridges, report, cli, testing and the package itself
OPTIONAL = {"torch": "bridges/torch.py", "geoopt": "bridges/torch.py", "array_api_compat": "arrays.py"}


def room(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def floor(name: str) -> int:
    return next((f for prefix, f in FLOORS if name == prefix or name.startswith(prefix + ".")), EDGE)


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


each_file = pytest.mark.parametrize("path", FILES, ids=room)


@each_file
def test_imports_only_go_down(path):
    me = floor(room(path))
    for name in imports(path):
        if name.startswith("proveout."):
            other = name.removeprefix("proveout.")
            assert floor(other) <= me or me == EDGE, f"{room(path)} imports {name}"


@each_file
def test_a_method_imports_no_other_method_and_a_lens_no_theorem(path):
    me = room(path)
    stem = me.split(".")[1] if "." in me else me
    for name in imports(path):
        parts = name.split(".")
        if me.startswith("methods.") and not me.startswith("methods.blocks"):
            assert parts[:2] != ["proveout", "methods"] or parts[2] in ("blocks", stem), (
                f"{me} imports {name}"
            )
        if me.startswith("theory.lenses") and parts[:2] == ["proveout", "theory"] and len(parts) > 2:
            assert parts[2] not in STEMS, f"{me} imports {name}"
        if me.startswith("theory.") and me.split(".")[1] in STEMS:
            assert not name.startswith("proveout.theory.lenses"), f"{me} imports {name}"


@each_file
def test_optional_packages_are_imported_in_one_place(path):
    for name in imports(path):
        home = OPTIONAL.get(name.split(".")[0])
        assert home is None or path.relative_to(ROOT).as_posix() == home, f"{room(path)} imports {name}"


@each_file
def test_public_names_are_listed(path):
    tree = ast.parse(path.read_text())
    if path.name == "__init__.py" or path.name == "__main__.py":
        return
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets)
    ]
    assert len(listed) == 1, f"{room(path)} has no __all__"
    defined = {n.name for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
    bound = {
        t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
    }
    bound |= {
        n.target.id for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    for name in listed[0]:
        imported = any(name in i.split(".") for i in imports(path))
        assert name in defined | bound or imported, f"{room(path)}: {name} is listed but not there"


@each_file
def test_no_file_outgrows_its_room(path):
    assert len(path.read_text().splitlines()) <= 320, f"{room(path)}: a second room is hiding inside"


@each_file
def test_nothing_is_asserted_or_printed_in_the_package(path):
    tree = ast.parse(path.read_text())
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    if path.name != "verify.py":
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
        assert not [n for n in calls if getattr(n.func, "id", "") == "print"]


@pytest.mark.parametrize("stem", STEMS)
def test_a_stem_has_its_siblings(stem):
    def there(*patterns: str) -> bool:
        return any(list(TOP.glob(p)) for p in patterns)

    assert there(f"src/proveout/theory/{stem}.py", f"src/proveout/theory/{stem}/__init__.py")
    assert there(f"tests/test_{stem}.py", f"tests/test_{stem}_*.py")
    assert there(f"docs/papers/{stem}.md")
    if STEMS[stem].paper:
        assert there(f"src/proveout/figures/{stem}.py", f"src/proveout/figures/{stem}/__init__.py")


@pytest.mark.parametrize("stem", STEMS)
def test_every_public_statement_of_a_stem_has_exactly_one_case(stem):
    from importlib import import_module

    from proveout.theory.statement import Statement

    module = import_module(f"proveout.theory.{stem}")
    public = {name: v for name, v in vars(module).items() if name.isupper() and isinstance(v, Statement)}
    ids = {c.id: c.statement for c in CASES if c.stem == stem}
    assert {f"{stem}.{name.lower()}": v for name, v in public.items()} == ids


def test_ids_are_unique_and_statements_say_their_source():
    ids = [c.id for c in CASES]
    assert len(ids) == len(set(ids))
    for case in CASES:
        assert case.statement.source.strip()
        assert re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", case.id)
