"""The teaching notebooks run from the first cell to the last."""

import runpy
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_to_its_end(path, capsys):
    runpy.run_path(str(path))
    said = capsys.readouterr().out
    assert "holds" in said
    assert "violated" in said
