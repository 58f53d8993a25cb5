"""The notebooks of examples/ run from top to bottom, each in its process."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def _cells(notebook, kind):
  cells = json.loads(notebook.read_text())["cells"]
  return [cell for cell in cells if cell["cell_type"] == kind]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_a_run_is_kept(notebook):
  whole = json.loads(notebook.read_text())
  assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
  assert len({cell["id"] for cell in whole["cells"]}) == len(whole["cells"])
  for cell in _cells(notebook, "code"):
    assert cell["outputs"] == []
    assert cell["execution_count"] is None
    compile("".join(cell["source"]), str(notebook), "exec")


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_pages_lead_to_them(page):
  text = (ROOT / page).read_text()
  assert all(notebook.name in text for notebook in NOTEBOOKS)


@pytest.mark.slow  # They train and compile networks.
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(notebook, tmp_path):
  script = tmp_path / f"{notebook.stem}.py"
  cells = ("".join(cell["source"]) for cell in _cells(notebook, "code"))
  script.write_text("\n\n".join(cells) + "\n")
  # As a person's process: without the settings of tests/conftest.py.
  own = {"JAX_PLATFORMS": "cpu", "MPLBACKEND": "agg", "XLA_FLAGS": ""}
  environment = {**os.environ, **own, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
  done = subprocess.run(
    [sys.executable, script],
    cwd=tmp_path,
    env=environment,
    capture_output=True,
    text=True,
    timeout=900,
    check=False,
  )
  assert done.returncode == 0, done.stderr
