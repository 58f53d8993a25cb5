import csv
import json
import re

import pytest

from temporal_jax.inference import LabelledSpan
from temporal_jax.inference.watch.window_files import (
  WRITERS,
  clock,
  open_csv,
  open_json,
  open_srt,
)

SPANS = [
  LabelledSpan(0.0, 1.6, [("rise, fall", 0.75), ("ö", 0.25)]),
  LabelledSpan(0.4, 2.0, [("rise, fall", 0.25), ("ö", 0.2)]),
  LabelledSpan(0.8, 2.4, [("ö", 0.5), ("rise, fall", 0.5)]),
  LabelledSpan(3599.5, 3661.0625, [("ö", 1.0), ("rise, fall", 0.0)]),
  LabelledSpan(3661.0625, 3662.0, [('"a"\n\n2', 0.625), ("ö", 0.3)]),
]


def _write(opened, spans):
  with opened as write:
    for span in spans:
      write(span)


def _stopped_after(count):
  yield from SPANS[:count]
  raise KeyboardInterrupt


def test_labels_that_are_no_text_are_written(tmp_path):
  labels = ["\udcff\x1b[1m", "a\nb"]
  spans = [LabelledSpan(i, i + 1.0, [(n, 0.5)]) for i, n in enumerate(labels)]
  for form, opened in WRITERS.items():
    _write(opened(tmp_path / form), spans)
  got = json.loads((tmp_path / "json").read_text(encoding="utf-8"))
  assert [one["predictions"][0]["label"] for one in got] == labels
  with (tmp_path / "csv").open(newline="", encoding="utf-8") as file:
    rows = list(csv.reader(file))
  assert [row[2] for row in rows[1:]] == ["\\udcff\x1b[1m", "a\nb"]
  lines = (tmp_path / "srt").read_text(encoding="utf-8").split("\n")
  assert [lines[2], lines[6]] == ["\\udcff\\u001b[1m (50%)", "a b (50%)"]


def test_json_holds_all_that_was_written(tmp_path):
  file = tmp_path / "out.json"
  _write(open_json(file), SPANS)
  got = json.loads(file.read_text())
  assert [(one["start"], one["stop"]) for one in got] == [
    (span.start, span.stop) for span in SPANS
  ]
  assert got[0]["predictions"] == [
    {"label": "rise, fall", "probability": 0.75},
    {"label": "ö", "probability": 0.25},
  ]


def test_csv_has_a_row_for_each_label(tmp_path):
  file = tmp_path / "out.csv"
  _write(open_csv(file), SPANS)
  with file.open(newline="") as opened:
    header, *rows = csv.reader(opened)
  assert header == ["start", "stop", "label", "probability"]
  got = [(float(a), float(b), label, float(p)) for a, b, label, p in rows]
  assert got == [
    (span.start, span.stop, *label) for span in SPANS for label in span.labels
  ]


def test_subtitles_join_spans_of_one_class(tmp_path):
  file = tmp_path / "out.srt"
  _write(open_srt(file), SPANS)
  # The change is in the middle of 0.8 to 2.0, where both are seen.
  assert file.read_text() == (
    "1\n00:00:00,000 --> 00:00:01,400\nrise, fall (50%)\n\n"
    "2\n00:00:01,400 --> 01:01:01,062\nö (75%)\n\n"
    '3\n01:01:01,062 --> 01:01:02,000\n"a" 2 (62%)\n\n'
  )


def test_subtitles_leave_out_what_no_window_shows(tmp_path):
  spans = [LabelledSpan(t, t + 1, [(f"{t}", 0.5)]) for t in (0, 2, 4)]
  _write(open_srt(tmp_path / "out.srt"), spans)
  times = re.findall(r"00:00:0(\d),000", (tmp_path / "out.srt").read_text())
  assert times == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("count", [0, 2])
def test_what_ends_early_can_be_read(tmp_path, count):
  for form, opener in WRITERS.items():
    with pytest.raises(KeyboardInterrupt):
      _write(opener(tmp_path / form), _stopped_after(count))
  assert len(json.loads((tmp_path / "json").read_text())) == count
  assert len((tmp_path / "csv").read_text().splitlines()) == 1 + 2 * count
  assert (tmp_path / "srt").read_text().count(" --> ") == bool(count)


@pytest.mark.parametrize(
  ("seconds", "decimals", "text"),
  [
    (0, 0, "0:00"),
    (59.96, 1, "1:00.0"),
    (83.25, 2, "1:23.25"),
    (3723, 0, "1:02:03"),
    (36000, 1, "10:00:00.0"),
  ],
)
def test_times_are_written_as_people_read_them(seconds, decimals, text):
  assert clock(seconds, decimals) == text


def test_subtitles_leave_out_what_is_improbable_or_short(tmp_path):
  labels = [("a", 0.9), ("a", 0.7), ("b", 0.4), ("a", 0.8), ("c", 0.9), ("c", 0.9)]
  spans = [LabelledSpan(i, i + 1.0, [label]) for i, label in enumerate(labels)]
  file = tmp_path / "out.srt"
  _write(open_srt(file, threshold=0.5, min_seconds=2.0), spans)
  assert file.read_text() == (
    "1\n00:00:00,000 --> 00:00:02,000\na (80%)\n\n"
    "2\n00:00:04,000 --> 00:00:06,000\nc (90%)\n\n"
  )
  _write(open_srt(file, threshold=1.0), spans)
  assert file.read_text() == ""
