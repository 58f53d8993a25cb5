import json

import pytest

from temporal_jax.training.records import (
  JsonLines,
  Records,
  check_records,
  read_rows,
  write_config,
)


def _write(file, steps):
  lines = JsonLines(file, last_step=0)
  for step in steps:
    lines.write(step, {"loss": step / 3})


class _Observers:
  """Notes its calls."""

  def __init__(self):
    self.calls = []

  def row(self, step, values):
    self.calls.append((step, values))

  def end(self, failed):
    self.calls.append("failed" if failed else "end")


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


def test_metrics_and_timing_are_apart_and_observed_together(tmp_path):
  observers = _Observers()
  with Records(tmp_path, 0, observers) as records:
    records.write(5, {"loss": 0.5}, {"clips_per_second": 9.0})
    records.write_final(5, {"top1": 0.25})
  metrics = (tmp_path / "metrics.jsonl").read_text().splitlines()
  assert json.loads(metrics[0]) == {"step": 5, "loss": 0.5}
  timing = (tmp_path / "timing.jsonl").read_text()
  assert json.loads(timing) == {"step": 5, "clips_per_second": 9.0}
  assert observers.calls == [
    (5, {"loss": 0.5, "clips_per_second": 9.0}),
    (5, {"final/top1": 0.25}),
    "end",
  ]


@pytest.mark.parametrize("kind", [OSError, KeyboardInterrupt])
def test_observers_end_after_an_error(tmp_path, kind):
  observers = _Observers()
  with pytest.raises(kind), Records(tmp_path, 0, observers):
    raise kind
  assert observers.calls == ["failed"]


def test_changes_of_the_config_are_told(tmp_path):
  assert write_config(tmp_path, '{"a": 1, "b": {"c": 2, "d": 3}}') == []
  assert write_config(tmp_path, '{"a": 1, "b": {"c": 5, "e": 3}}') == [
    f"config changed since the last start: {change}."
    for change in ("b.c: 2 -> 5", "b.d: 3 -> None", "b.e: None -> 3")
  ]


def test_the_final_test_is_a_row_once(tmp_path):
  _write(tmp_path / "metrics.jsonl", [1, 2])
  records = Records(tmp_path, 2)
  records.write_final(2, {"top1": 0.25})
  rows = records.write_final(2, {"top1": 0.5})
  assert rows == read_rows(tmp_path / "metrics.jsonl")
  assert rows[1:] == [
    {"step": 2, "loss": 2 / 3},
    {"step": 2, "final/top1": 0.5},
  ]
  # A longer run keeps what was tested before.
  assert len(records.write_final(4, {"top1": 0.75})) == 4


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\0\0"])
def test_a_damaged_config_is_named_and_written_anew(tmp_path, text):
  (tmp_path / "config.json").write_text(text)
  (note,) = write_config(tmp_path, '{"a": 1}')
  assert note.startswith(f"{tmp_path / 'config.json'} is damaged")
  assert write_config(tmp_path, '{"a": 2}') == [
    "config changed since the last start: a: 1 -> 2."
  ]


@pytest.mark.parametrize("name", ["metrics.jsonl", "timing.jsonl"])
@pytest.mark.parametrize("row", ["{", '{"loss": 1.0}', '{"step": "2"}'])
def test_a_damaged_row_is_named_and_nothing_changes(tmp_path, name, row):
  text = f'{{"step": 1}}\n{row}\n{{"step": 3}}\n'
  (tmp_path / name).write_text(text)
  with pytest.raises(ValueError, match=rf"{name}, line 2 is damaged"):
    check_records(tmp_path)
  with pytest.raises(ValueError, match=rf"{name}, line 2 is damaged"):
    JsonLines(tmp_path / name, last_step=9)
  assert (tmp_path / name).read_text() == text
