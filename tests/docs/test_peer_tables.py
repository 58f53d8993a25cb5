"""Rows of the comparison with other libraries, made of a made-up report."""

import json

import pytest

from docs import peer_tables, speed_tables


@pytest.fixture
def file(tmp_path):
  times = {"ours": 500.0, "theirs": 1000.0, "ratio": 2.02}
  report = {
    "speed": [
      {
        "name": "videomae_b16",
        "clip": [1, 16, 224, 224, 3],
        "inference": {"eager": {"inference": times}, "compiled": {"inference": times}},
        "training": {"eager": {"step": times}},
        "errors": {"compiled training": "no compiler"},
      }
    ],
    "processes": [
      {
        "name": "videomae_b16",
        "first_answer": {"ours": {"first": [4.21, 6.0], "second": [2.5, 3.0]}},
        "peak_bytes": {"answer": {"ours": 2**30}, "step": {"ours": 2**31}},
        "errors": {"eager answer": "OSError: no file"},
      },
      {"name": "xclip_b32", "errors": {"processes": "probabilities differ"}},
    ],
    "supplement": [
      {"name": "TEA", "printed_ratio": 0.2},
      {
        "name": "bLVNet",
        "network": "blvnet_tam_50",
        "clip": [1, 48, 256, 256, 3],
        "views": 9,
        "multiply_adds": 838.6e9,
        "ratio": 0.7512,
        "printed_ratio": 0.625,
      },
    ],
  }
  path = tmp_path / "peers_cpu.json"
  path.write_text(json.dumps(report))
  return path


def test_speed_has_both_modes_or_the_error(file):
  _, infer, train = peer_tables.speed(file)
  same = ("`videomae_b16`", "1 x 16 x 224 x 224")
  assert infer == (*same, "inference", "2.00", *("1.00", "2.02") * 2)
  assert train[2:6] == ("training", "2.00", "1.00", "2.02")
  assert train[6:] == ("failed: no compiler", "")


def test_processes_have_each_side_or_the_error(file):
  head, ours, eager, compiled, *differ = peer_tables.processes(file)
  assert ours == ("`videomae_b16`", "ours", "4.2", "2.5", "1.00", "2.00")
  assert eager[1:4] == ("torch, eager", "failed: OSError: no file", "")
  assert compiled[2:] == ("",) * 4
  assert {row[2] for row in differ} == {"failed: probabilities differ"}
  assert {len(row) for row in (ours, eager, compiled, *differ)} == {len(head)}


def test_ratios_are_next_to_the_papers(file):
  head, lacking, built = peer_tables.supplement(file)
  assert lacking == ("TEA", "not built", "", "", "", "", "0.200")
  assert built[1:] == (
    *("`blvnet_tam_50`", "48 x 256 x 256", "9", "839", "0.751", "0.625"),
  )
  assert len(head) == len(lacking) == len(built)


def test_parts_that_were_not_measured_are_named(tmp_path):
  (tmp_path / "part.json").write_text('{"speed": []}')
  for name in ("missing.json", "part.json"):
    for rows in (peer_tables.speed, peer_tables.processes, peer_tables.supplement):
      head, row = rows(tmp_path / name)
      assert row[0] == "Not measured yet."
      assert len(row) == len(head)


def test_a_busy_machine_is_noted(monkeypatch):
  reports = [
    ("calm.json", {"measured": {}, "load": 2.9}),
    ("busy.json", {"measured": {"note": "Old."}, "load": 7.3}),
  ]
  monkeypatch.setattr(speed_tables, "_reports", lambda: iter(reports))
  _, row = speed_tables.origin_notes()
  assert row == ("`busy.json`", "Old. Other programs ran: the load was 7 before it.")
