"""The benchmark of localization networks: small rows from end to end."""

import json

import pytest

torch = pytest.importorskip("torch")

from benchmarks import localization  # noqa: E402

SHAPES = {"bmn 100 x 100": (12, 16), "actionformer, THUMOS14": (288, 16)}


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_both_libraries_compute_the_same(name, monkeypatch, tmp_path, capsys):
  (case,) = (case for case in localization.CASES if case.name == name)
  monkeypatch.setattr(localization, "CASES", [case._replace(shape=SHAPES[name])])
  file = tmp_path / "report.json"
  localization.main([name, "--seconds", "0.01", "--json", str(file)])
  assert name in capsys.readouterr().out
  (row,) = json.loads(file.read_text())["rows"]
  assert row["inference"]["ratio"] > 0
  assert row["training"]["ratio"] > 0
  assert row["difference"] < 1e-3
