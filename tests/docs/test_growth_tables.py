"""Tables of growth: measured exponents next to the claimed ones."""

import json

import pytest

from docs import growth_tables as tables


def _line(name, kind, axis, exponents, reasons=()):
  return {
    "name": name,
    "kind": kind,
    "axis": axis,
    "complexity": "T²",
    "source": "a paper",
    "exponents": {
      quantity: {"measured": measured, "claimed": 2.0, "residual": 0.0, "holds": holds}
      for quantity, (measured, holds) in exponents.items()
    },
    "reasons": dict(reasons),
  }


def _row(name, axis, quantity, values, exponent):
  sizes = [2**i for i in range(len(values))]
  row = {"name": name, "axis": axis, "quantity": quantity, "sizes": sizes}
  return row | {"values": values, "exponent": exponent, "residual": 0.0}


@pytest.fixture
def _figures(tmp_path, monkeypatch):
  monkeypatch.setattr(tables, "_RESULTS", tmp_path)
  lines = [
    _line(
      "joint",
      "operator",
      "frames",
      {"multiply-adds": (2.0, True), "time": (1.5, False)},
      {"time": "copies are linear"},
    ),
    _line("shift", "case", "frames", {"memory": (2.0, True)}),
    _line("shift", "case", "batch", {"memory": (2.0, True)}),
    _line("vit", "network", "frames", {"multiply-adds": (2.0, True)}),
    _line("step; data", "devices", "devices", {"operations": (-1.0, False)}),
  ]
  rows = [
    _row("vit", "frames", "multiply-adds", [1, 4], 2.0),
    _row("vit", "batch", "multiply-adds", [1, 2], 1.0),
    _row("joint", "frames", "multiply-adds", [1, 4], 2.0),
  ]
  memory = [_row("vit", "frames", "memory", [2**30, 2**31], 1.0)]
  steps = [_row("step; data", "devices", "operations", [4e9, 2e9], -1.0)]
  for name, report in (
    ("claims", {"lines": lines}),
    ("products", {"rows": rows}),
    ("memory", {"rows": memory}),
    ("devices", {"rows": steps}),
  ):
    (tmp_path / f"growth_{name}.json").write_text(json.dumps(report))


@pytest.mark.usefixtures("_figures")
def test_exponents_are_next_to_the_claimed_ones():
  _, *rows = tables.operators()
  assert rows == [
    ("joint", "frames", "T²", "2.00 (2.00)", "", "1.50 (2.00) \\*", "", "", "a paper")
  ]
  _, *rows = tables.cases()
  assert [row[:4] for row in rows] == [("shift", "T²", "", "2.00 (2.00)")]
  _, *rows = tables.networks()
  assert rows == [("`vit`", "T²", "2.00 (2.00)", "", "", "a paper")]
  _, *rows = tables.reasons()
  assert rows[0] == (
    *("joint", "frames", "time", "1.50", "2.00"),
    "copies are linear",
  )
  _, *rows = tables.counts()
  assert rows[:2] == [("multiply-adds", "2", "2", "0"), ("time", "1", "0", "1")]


@pytest.mark.usefixtures("_figures")
def test_values_have_their_units():
  _, *rows = tables.products()
  assert rows == [("`vit`", "2.00", "", "", "1.00")]
  head, *rows = tables.memory()
  assert head == ("network", "1 frames, GiB", "2 frames, GiB", "exponent")
  assert rows == [("`vit`", "1.00", "2.00", "1.00")]
  _, *rows = tables.devices()
  assert rows == [
    ("step; data", "10⁹ operations", "4.0", "2.0", "-1.00 (2.00) \\*"),
  ]


def test_without_files_there_are_only_heads(tmp_path, monkeypatch):
  monkeypatch.setattr(tables, "_RESULTS", tmp_path)
  for table in (tables.operators, tables.products, tables.memory, tables.devices):
    assert len([*table()]) == 1
