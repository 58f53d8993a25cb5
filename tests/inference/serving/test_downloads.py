import csv
import io
import re

import numpy as np
import pytest

from temporal_jax.inference.serving.downloads import (
  TaskScores,
  create_downloads,
)
from temporal_jax.inference.watch.window_files import LabelledSpan, open_srt
from temporal_jax.inference.watch.windows import Window

SHARES = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
NAMES = ('rock, "paper"', "=HYPERLINK(1)", "scissors")


def _scores(name="", names=NAMES, shown=(2, 0, 1)):
  windows = [Window(0.5 * i, 0.5 * i + 1, row) for i, row in enumerate(SHARES)]
  return TaskScores(name, names, shown, np.array([0.5, 0.25, 0.25]), windows)


def _texts(tasks, seconds=2.0):
  files = create_downloads(tasks, seconds)
  return {file["suffix"]: file["text"] for file in files}


def _rows(text):
  assert text[0] == "\ufeff"
  return list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))


def test_the_table_has_a_row_for_the_video_and_for_each_window():
  header, *rows = _rows(_texts([_scores()])[".csv"])
  assert header == [
    "part",
    "start (s)",
    "end (s)",
    "scissors",
    'rock, "paper"',
    "'=HYPERLINK(1)",
  ]
  assert [row[0] for row in rows] == [
    "whole video",
    "window 1",
    "window 2",
    "window 3",
  ]
  np.testing.assert_allclose(
    np.array([row[1:] for row in rows], float),
    [
      [0, 2, 0.25, 0.5, 0.25],
      [0, 1, 0.1, 0.7, 0.2],
      [0.5, 1.5, 0.1, 0.6, 0.3],
      [1, 2, 0.7, 0.1, 0.2],
    ],
  )


def test_the_table_is_written_by_the_rules_of_csv():
  text = _texts([_scores(shown=(0,))])[".csv"]
  assert text.split("\r\n")[:2] == [
    '\ufeffpart,start (s),end (s),"rock, ""paper"""',
    "whole video,0.000000,2.000000,0.500000",
  ]
  assert text.endswith("\r\n")
  assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize(
  "name",
  ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  -2", "\uff1d1"],
)
def test_no_name_is_a_formula(name):
  text = _texts([_scores(names=(name, "b", "a=b - c"))])[".csv"]
  assert _rows(text)[0][3:] == ["a=b - c", f"'{name}", "b"]


def test_names_that_are_no_text_are_escaped():
  text = _texts([_scores(names=("\udcff", "ö", "a\nb"))])[".csv"]
  assert _rows(text)[0][3:] == ["a\nb", "\\udcff", "ö"]
  assert text.encode("utf-8")


def test_several_tasks_share_a_table_and_have_subtitles_each():
  noun = _scores("noun: 2", ("=a", "b", "c"), (0,))
  files = _texts([_scores("verb", shown=(2,)), noun])
  assert list(files) == [".csv", ".verb.srt", ".noun_2.srt"]
  header, whole, *_ = _rows(files[".csv"])
  assert header[3:] == ["verb: scissors", "noun: 2: =a"]
  assert [float(value) for value in whole[3:]] == [0.25, 0.5]
  assert "b (" not in files[".noun_2.srt"]
  assert "=a (65%)" in files[".noun_2.srt"]


def test_subtitles_are_those_of_watch(tmp_path):
  file = tmp_path / "out.srt"
  with open_srt(file) as write:
    for window in _scores().windows:
      write(LabelledSpan(window.start, window.stop, window.top(NAMES)))
  # Also for a class that the page does not show.
  text = _texts([_scores(shown=(0,))])[".srt"]
  assert text == file.read_text()
  assert text == (
    '1\n00:00:00,000 --> 00:00:01,250\nrock, "paper" (65%)\n\n'
    "2\n00:00:01,250 --> 00:00:02,000\nscissors (70%)\n\n"
  )


def test_subtitles_follow_each_other():
  rng = np.random.default_rng(0)
  starts = np.sort(rng.uniform(0, 60, 50))
  windows = [
    Window(start, start + 5, row)
    for start, row in zip(starts, rng.dirichlet(np.ones(3), 50), strict=True)
  ]
  task = _scores()._replace(windows=windows)
  clocks = re.findall(r"(\d\d):(\d\d):(\d\d),(\d{3})", _texts([task])[".srt"])
  times = [
    3600 * int(h) + 60 * int(m) + int(s) + int(ms) / 1000 for h, m, s, ms in clocks
  ]
  assert len(times) > 20
  assert times == sorted(times)


def test_a_single_frame_has_no_subtitles():
  files = _texts([_scores()], seconds=None)
  assert list(files) == [".csv"]
  _, *rows = _rows(files[".csv"])
  assert rows == [["whole video", "", "", "0.250000", "0.500000", "0.250000"]]
