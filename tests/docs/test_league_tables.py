"""Rows of the league's page, made of a small file of figures."""

import json

import pytest

from benchmarks.league_parts import claims, entries
from docs import league_tables as tables


def _run(entry, top1, seed=0, commit="abc"):
  own = {"task": "camera_motion", "entry": entry, "seed": seed, "top1": top1}
  own |= {"pair_top1": 1.0, "steps": 800}
  return {**own, "test_clips": 100, "date": f"2026-12-0{seed + 1}", "commit": commit}


@pytest.fixture
def _report(tmp_path, monkeypatch):
  runs = [_run("tsm", 0.5), _run("tam", 0.7), _run("tam", 0.9, seed=1, commit="def")]
  rows = claims.rows([*runs, _run("tam_5", 0.8)])
  for row in rows:
    row |= {"params": 703e3, "gmacs": 0.0741, "memory": 2e6, "clips_per_second": 99.6}
  rates = [{"entry": "tam", "lr": lr, "top1": 10 * lr} for lr in (0.01, 0.02)]
  report = {
    "machine": {"processor": "a processor"},
    "settings": {"steps": 400, "sweep_steps": 200},
    "starts": [{"entry": "vit_none", "steps": 960, "lr": 1.5e-3, "top1": 0.25}],
    "sweep": rates,
    "runs": runs,
    "causes": [_run("tam", 0.95) | {"steps": 1600, "lr": 0.02}],
    "rows": rows,
    "claims": [*claims.judge_all(rows)],
  }
  (tmp_path / "league_resnets_cpu.json").write_text(json.dumps(report))
  monkeypatch.setattr(tables, "_FOLDER", tmp_path)


@pytest.mark.usefixtures("_report")
def test_tables_have_the_figures_of_the_file():
  found = {name: [*rows()] for name, rows in tables.tables().items()}
  for head, *rows in found.values():
    assert rows
    assert all(len(row) == len(head) for row in rows)
  assert found["league resnets something_moves"][1:] == [("Not measured yet.",)]
  (row,) = found["league trainings"][1:]
  assert row[:3] == ("2 of ResNet", "camera_motion", "3")
  assert row[3:5] == ("800", "2026-12-01 to 2026-12-02")
  assert row[5:] == ("`abc`, `def`", "a processor")
  first, second, third = found["league resnets camera_motion"][1:]
  assert first[:4] == (
    "1",
    "**aggregation, 3 taps (TAM)**",
    "ResNet",
    "80.0% ± 14.1",
  )
  assert first[4:] == ("100.0%", "80.0%", "2", "703", "0.074", "100", "2.0")
  assert second[1] == "aggregation, 5 taps"  # A variant is not in bold.
  assert third[3] == "50.0% ± 14.1"
  (row,) = found["league starts"][1:]
  assert row == ("attention within frames", "ViT", "960", "0.0015", "25.0%")
  (row,) = found["league causes"][1:]
  assert row[2:5] == ("`camera_motion`", "0.02", "1600")
  assert row[5:] == ("95.0%", "100.0%", "70.0% after 800")
  (row,) = found["league rates"][1:]
  assert row[3:] == ("0.01, 0.02", "10.0%, 20.0%", "0.02")


def test_readme_has_operators_next_to_their_backbone(tmp_path, monkeypatch):
  costs = {"resnet_none": 100.0, "tsm": 90.0, "tam": 80.0, "xvit": 50.0}
  rows = [
    {"task": task, "entry": name, "top1": top1, "clips_per_second": costs[name]}
    for task, name, top1 in (
      ("something_moves", "resnet_none", 0.4),
      ("something_moves", "tsm", 0.5),
      ("something_moves", "tam", 0.6),
      ("camera_motion", "resnet_none", 0.125),
      ("camera_motion", "tsm", 0.25),
      ("camera_motion", "xvit", 0.75),
    )
  ]
  (tmp_path / "league_resnets_cpu.json").write_text(json.dumps({"rows": rows}))
  monkeypatch.setattr(tables, "_FOLDER", tmp_path)
  head, *found = tables.choice()
  # TAM lacks a task, X-ViT its backbone without operator.
  (row,) = found
  assert head[2:4] == ("`camera_motion`", "`something_moves`")
  assert row == (
    "temporal shift (TSM)",
    "ResNet",
    "25.0% (12.5%)",
    "50.0% (40.0%)",
    "0.90",
  )


@pytest.mark.usefixtures("_report")
def test_claims_have_difference_and_deviation():
  head, *rows = tables.tables()["league claims"]()
  assert head[2:] == ("camera_motion",)
  by_text = {row[0]: row[1:] for row in rows}
  assert by_text["TSM < TAM, in the ResNet"] == (
    "bLVNet, table 5",
    "tie (+30.0, deviation 17.3)",
  )
  assert by_text["TAM with 3 taps < 5 taps"][1] == "tie (+0.0, deviation 17.3)"


def test_without_a_file_only_networks_are_listed(tmp_path, monkeypatch):
  monkeypatch.setattr(tables, "_FOLDER", tmp_path)
  found = {name: [*rows()] for name, rows in tables.tables().items()}
  for name in ("league claims", "league causes"):
    assert found[name][1:] == [("Not measured yet.",)]
  names = {row[0] for row in found["league networks"][1:]}
  assert names == {f"`{name}`" for name in entries.ENTRIES}
  assert len(found["league left out"]) == 1 + len(entries.LEFT_OUT)
