import json

import pytest

from temporal_jax.training.records import (
  JsonLines,
  Records,
  read_rows,
  write_config,
)


def _write(file, steps):
  lines = JsonLines(file, last_step=0)
  for step in steps:
    lines.write(step, {"loss": step / 3})


def test_rows_round_trip_to_the_last_bit(tmp_path):
  _write(tmp_path / "a.jsonl", [1, 2])
  rows = read_rows(tmp_path / "a.jsonl")
  assert rows == [{"step": 1, "loss": 1 / 3}, {"step": 2, "loss": 2 / 3}]


def test_going_on_drops_what_is_later(tmp_path):
  _write(tmp_path / "a.jsonl", [1, 2, 3])
  lines = JsonLines(tmp_path / "a.jsonl", last_step=2)
  lines.write(3, {"loss": 9.0})
  assert [row["loss"] for row in read_rows(tmp_path / "a.jsonl")] == [
    1 / 3,
    2 / 3,
    9.0,
  ]


@pytest.mark.parametrize("cut", [1, 2, 8])
def test_a_half_written_row_is_dropped(tmp_path, cut):
  file = tmp_path / "a.jsonl"
  _write(file, [1, 2])
  file.write_text(file.read_text()[:-cut])
  JsonLines(file, last_step=9)
  assert [row["step"] for row in read_rows(file)] == [1]


def test_missing_file_has_no_rows(tmp_path):
  assert read_rows(tmp_path / "none.jsonl") == []


def test_metrics_and_timing_are_apart_and_on_tensorboard(tmp_path):
  with Records(tmp_path, last_step=0) as records:
    records.write(5, {"loss": 0.5}, {"clips_per_second": 9.0})
  metrics = (tmp_path / "metrics.jsonl").read_text()
  assert json.loads(metrics) == {"step": 5, "loss": 0.5}
  timing = (tmp_path / "timing.jsonl").read_text()
  assert json.loads(timing) == {"step": 5, "clips_per_second": 9.0}
  events = list((tmp_path / "tensorboard").glob("events.*"))
  assert len(events) == 1
  assert b"clips_per_second" in events[0].read_bytes()


def test_changes_of_the_config_are_told(tmp_path):
  assert write_config(tmp_path, '{"a": 1, "b": {"c": 2, "d": 3}}') == []
  assert write_config(tmp_path, '{"a": 1, "b": {"c": 5, "e": 3}}') == [
    f"config changed since the last start: {change}."
    for change in ("b.c: 2 -> 5", "b.d: 3 -> None", "b.e: None -> 3")
  ]
