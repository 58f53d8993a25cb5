"""Segments as objects and as files."""

import csv
import json

import numpy as np
import pytest

from temporal_jax.data.annotations.segment_list import read_segment_list
from temporal_jax.evaluation.detection import FilmDetections
from temporal_jax.inference import Localization, Segment
from temporal_jax.inference.localize.segment_files import (
  write_csv,
  write_json,
  write_srt,
)
from temporal_jax.inference.localize.segment_picture import save_segments
from temporal_jax.inference.localize.segments import named_segments

FILM = Localization(
  "film.mp4",
  9.0,
  (
    Segment("pan", 4.0, 8.0, 0.9),
    Segment("tilt", 1.0, 2.5, 0.5),
    Segment("zoom", 2.0, 5.0, 0.25),
  ),
)
BAD = Localization("bad.mp4", None, error="it is no video")


def test_segments_are_named_and_sorted():
  found = FilmDetections(
    np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([1, 0]), np.array([0.25, 0.5])
  )
  assert named_segments(found, ("a", "b")) == (
    Segment("a", 2.0, 3.0, 0.5),
    Segment("b", 0.0, 1.0, 0.25),
  )


def test_the_best_are_chosen():
  assert [one.label for one in FILM.best(threshold=0.5).segments] == ["pan", "tilt"]
  assert [one.label for one in FILM.best(top=1).segments] == ["pan"]
  assert [one.label for one in FILM.in_time()] == ["tilt", "zoom", "pan"]
  with pytest.raises(ValueError, match="threshold must be a number in"):
    FILM.best(threshold=2)
  with pytest.raises(ValueError, match="top must be an integer of at least 1"):
    FILM.best(top=0)


def test_json_has_all(tmp_path):
  write_json([FILM, BAD], tmp_path / "out.json")
  film, bad = json.loads((tmp_path / "out.json").read_text())
  assert film["segments"][0] == {"label": "pan", "start": 4, "end": 8, "score": 0.9}
  assert (film["file"], film["duration"], film["error"]) == ("film.mp4", 9, None)
  assert bad == {
    "file": "bad.mp4",
    "duration": None,
    "segments": [],
    "error": "it is no video",
  }


def test_the_table_without_scores_is_a_list_of_annotations(tmp_path):
  write_csv([FILM, BAD], tmp_path / "out.csv")
  rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
  assert [float(row.pop("score")) for row in rows] == [0.9, 0.5, 0.25]
  with open(tmp_path / "list.csv", "w") as out:
    table = csv.DictWriter(out, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
  films = read_segment_list(tmp_path / "list.csv")
  (film,) = films.films
  assert film.id == "film"
  assert len(film.segments) == 3


def test_subtitles_show_what_overlaps(tmp_path):
  write_srt(FILM, tmp_path / "out.srt")
  cues = (tmp_path / "out.srt").read_text().strip().split("\n\n")
  assert cues[0] == "1\n00:00:01,000 --> 00:00:02,000\ntilt (50%)"
  assert cues[1] == "2\n00:00:02,000 --> 00:00:02,500\ntilt (50%)\nzoom (25%)"
  assert cues[3].endswith("zoom (25%)\npan (90%)")
  assert len(cues) == 5


def test_names_cannot_break_files(tmp_path):
  name = "a\n\n99\n\x1b[2J=\udcff"
  film = Localization("x.mp4", 9.0, (Segment(name, 0.0, 1.0, 0.5),))
  write_json([film], tmp_path / "out.json")
  assert json.loads((tmp_path / "out.json").read_text())[0]["segments"]
  write_csv([film], tmp_path / "out.csv")
  with open(tmp_path / "out.csv", newline="") as file:
    assert len(list(csv.reader(file))) == 2
  write_srt(film, tmp_path / "out.srt")
  assert len((tmp_path / "out.srt").read_text().strip().splitlines()) == 3
  save_segments(film, tmp_path / "out.png")


@pytest.mark.parametrize("count", [0, 3, 9, 12])
def test_a_picture_has_a_row_for_each_class(tmp_path, count):
  segments = tuple(Segment(f"class {i}", i, i + 2.0, 0.9) for i in range(count))
  save_segments(Localization("film.mp4", 20.0, segments), tmp_path / "out.png")
  assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"


def test_a_bad_video_has_no_picture(tmp_path):
  with pytest.raises(ValueError, match=r"bad\.mp4 has no segments: it is no video"):
    save_segments(BAD, tmp_path / "out.png")
  assert not list(tmp_path.iterdir())
