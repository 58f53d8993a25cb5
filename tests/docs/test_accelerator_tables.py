"""Rows of the estimates: before and now, the furthest from the ideal first."""

import json

import pytest

from docs import accelerator_tables as tables


def _row(name, mode, estimate, ideal=10.0, **more):
  return {
    "name": name,
    "chip": "v5e",
    "mode": mode,
    "estimate_us": estimate,
    "ideal_us": ideal,
    "ratio": estimate / ideal,
    "largest": [{"kind": "copy", "share": 0.5}],
    **more,
  }


def _step(chip, estimate):
  facts = {"batch": 8, "utilization": 0.25, "operator_share": 0.5}
  return {
    "name": "vit_b16",
    "chip": chip,
    "estimate_us": estimate,
    "memory_bytes": 5e9,
    **facts,
  }


@pytest.fixture
def _figures(tmp_path, monkeypatch):
  monkeypatch.setattr(tables, "_RESULTS", tmp_path)
  before = [_row("near", mode, 90.0) for mode in ("forward", "gradients")]
  now = [
    *(_row("near", mode, 20.0) for mode in ("forward", "gradients")),
    {"name": "far", "chip": "v5e", "mode": "forward", "error": "no time"},
    _row("far", "gradients", 50.0),
    {"name": "new", "chip": "v5e", "mode": "gradients", "error": "no memory"},
    {**_row("other chip", "gradients", 50.0), "chip": "v6e"},
  ]
  for name, rows, steps in (
    ("tpu_estimates_before", before, [_step("v5e", 4000.0)]),
    ("tpu_estimates", now, [_step("v5e", 2000.0), _step("v6e", 1000.0)]),
  ):
    text = json.dumps({"operators": rows, "networks": steps})
    (tmp_path / f"{name}.json").write_text(text)


@pytest.mark.usefixtures("_figures")
def test_the_furthest_operator_is_first():
  head, *rows = tables.operators("tpu", "v5e")
  assert rows == [
    ("new", "", "", "", "", "", "failed", "", "", ""),
    ("far", "", "failed", "", "", "", "50", "10", "5.0", "copy 50%"),
    ("near", "90", "20", "10", "2.0", "90", "20", "10", "2.0", "copy 50%"),
  ]
  assert all(len(row) == len(head) for row in rows)


@pytest.mark.usefixtures("_figures")
def test_chips_without_figures_say_so():
  assert list(tables.operators("tpu", "v5p")) == [
    ("operator",),
    ("Not estimated yet.",),
  ]


@pytest.mark.usefixtures("_figures")
def test_networks_show_figures_before_and_now():
  head, first, second = tables.networks()
  assert first == ("`vit_b16`", "v5e", "8", "4.0", "2.0", "25%", "25%", "50%", "5.0")
  assert second[3:7] == ("", "1.0", "", "25%")
  assert len(head) == len(first)


@pytest.mark.usefixtures("_figures")
def test_utilization_is_of_one_chip():
  assert tables.utilization("v5e") == {"vit_b16": 0.25}
  assert not tables.utilization("v5p")


def test_chips_have_their_sources():
  head, *rows = tables.chips()
  assert [row[0] for row in rows] == ["v5e", "v5p", "v6e", "h100", "h200"]
  assert all(len(row) == len(head) and row[-1].startswith("https://") for row in rows)
