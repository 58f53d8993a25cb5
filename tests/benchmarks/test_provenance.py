"""Every file of figures has its date, commit, processor and command."""

import json
import pathlib
import re
import subprocess

import pytest

pytest.importorskip("torch")

from benchmarks.shared import provenance, results

ROOT = pathlib.Path(__file__).parents[2]
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_figures_have_their_origin(path):
  report = json.loads(path.read_text())
  measured = report["measured"]
  assert re.fullmatch(r"\d{4}-\d\d-\d\d", measured["date"])
  assert re.fullmatch(r"[0-9a-f]{7,}\+?", measured["commit"])
  module = re.search(r"python -m (benchmarks\.\w+)", measured["command"])[1]
  assert (ROOT / f"{module.replace('.', '/')}.py").exists()
  assert report["machine"]["processor"]


def test_writers_add_it(tmp_path, monkeypatch):
  monkeypatch.setenv("XLA_FLAGS", "--a=b --c")
  monkeypatch.setenv("GLIBC_TUNABLES", "")
  results.write_json(tmp_path / "x.json", {"machine": {}})
  measured = json.loads((tmp_path / "x.json").read_text())["measured"]
  assert set(measured) == {"date", "commit", "command"}
  assert measured["command"].startswith("XLA_FLAGS='--a=b --c' python ")


def test_a_commit_with_changes_is_marked(tmp_path, monkeypatch):
  monkeypatch.setattr(provenance, "_ROOT", tmp_path)
  assert provenance.describe()["commit"] == "unknown"
  identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
  (tmp_path / "file").write_text("1")
  for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
    subprocess.run(["git", *words], cwd=tmp_path, check=True)
  commit = provenance.describe()["commit"]
  assert re.fullmatch(r"[0-9a-f]{9}", commit)
  (tmp_path / "file").write_text("2")
  assert provenance.describe()["commit"] == f"{commit}+"
