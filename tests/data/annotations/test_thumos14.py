import copy
import json

import numpy as np
import pytest

from temporal_jax.data import annotations
from temporal_jax.data.annotations import thumos14


def _part(label, start, end, number):
  """A segment as thumos14.json has it."""
  frames = [round(30 * start), round(30 * end)]
  return {
    "label": label,
    "segment": [start, end],
    "segment(frames)": frames,
    "label_id": number,
  }


NET = {
  "version": "Thumos14-30fps",
  "database": {
    "video_validation_0000266": {
      "subset": "Validation",
      "duration": 171.57,
      "fps": 30.0,
      "annotations": [
        _part("CliffDiving", 72.8, 76.4, 4),
        _part("Diving", 72.8, 76.4, 7),
        _part("Ambiguous", 90.0, 95.0, 20),
      ],
    },
    "video_test_0000004": {
      "subset": "Test",
      "duration": 33.67,
      "fps": 30.0,
      "annotations": [_part("CricketShot", 0.2, 1.1, 6)],
    },
    "video_test_0000006": {
      "subset": "Test",
      "duration": 60.0,
      "fps": 25.0,
      "annotations": [],
    },
  },
}
FILES = {("thumos14",): {"thumos14.json": json.dumps(NET)}}


def test_thumos14(write):
  got = annotations.read_thumos14(write("thumos14.json", NET))
  assert got.class_names == thumos14.CLASS_NAMES
  assert len(set(got.class_names)) == 20
  assert sorted(got.class_names) == list(got.class_names)
  train, test, negative = got.films
  assert (train.id, train.split) == ("video_validation_0000266", "train")
  assert (train.path, train.duration) == ("video_validation_0000266.mp4", 171.57)
  np.testing.assert_array_equal(train.segments, [[72.8, 76.4]] * 2)
  assert train.labels.tolist() == [4, 7]
  assert (test.split, test.fps, test.labels.tolist()) == ("test", 30.0, [6])
  assert (negative.fps, negative.segments.shape) == (25.0, (0, 2))
  assert [one.reason for one in got.left_out] == ["an ambiguous segment"]
  clips = got.as_clips()
  assert [(r.id, r.label, r.start, r.origin) for r in clips.records] == [
    ("video_validation_0000266_0", 4, 72.8, "video_validation_0000266"),
    ("video_validation_0000266_1", 7, 72.8, "video_validation_0000266"),
    ("video_test_0000004_0", 6, 0.2, "video_test_0000004"),
  ]
  other = json.dumps(NET).replace("CricketShot", "Cricket")
  with pytest.raises(ValueError, match="'Cricket' is not one of the 20 known ones"):
    annotations.read_thumos14(write("thumos14.json", other))


def test_segments_past_the_end_are_kept_and_counted(write):
  net = copy.deepcopy(NET)
  test = net["database"]["video_test_0000004"]
  test["annotations"] += [_part("CricketShot", 33.0, 33.9, 6)]
  test["annotations"] += [_part("CricketShot", 187.3, 193.4, 6)]
  got = annotations.read_thumos14(write("thumos14.json", net))
  segments = got.split("test")[0].segments.tolist()
  assert segments == [[0.2, 1.1], [33.0, 33.67], [187.3, 193.4]]
  assert got.counts()["segments cut at the film's end"] == 1
  assert got.counts()["segments past the film's end"] == 1
  # There is nothing to classify in it.
  assert [r.stop for r in got.as_clips().split("test")] == [1.1, 33.67]
  with pytest.raises(ValueError, match=r"past_end must be one of \['refuse', 'keep'\]"):
    annotations.read_activity_net_films(write("thumos14.json", net), past_end="skip")


def test_thumos14_lists(tmp_path):
  for name in thumos14.CLASS_NAMES:
    for split in ("val", "test"):
      (tmp_path / f"{name}_{split}.txt").write_text("")
  (tmp_path / "Billiards_val.txt").unlink()
  with pytest.raises(FileNotFoundError, match=r"Billiards_val\.txt"):
    annotations.read_thumos14_lists(tmp_path)
  (tmp_path / "Billiards_val.txt").write_text("")
  (tmp_path / "CliffDiving_val.txt").write_text("v_1  72.80 76.40  \n")
  (tmp_path / "Diving_val.txt").write_text("v_1  72.80 76.40\nv_2 1.50 5.40\n")
  (tmp_path / "Diving_test.txt").write_text("t_1 1 2\n")
  (tmp_path / "Ambiguous_test.txt").write_text("t_1 5 6\nt_2 1 2\n")
  got = annotations.read_thumos14_lists(tmp_path)
  assert [(f.id, f.split, f.labels.tolist()) for f in got.films] == [
    ("v_1", "train", [4, 7]),
    ("v_2", "train", [7]),
    ("t_1", "test", [7]),
  ]
  # The film t_2 is no negative: what it shows is only doubtful.
  assert got.counts()["left out: an ambiguous segment"] == 2
  assert got.left_out[-1].film == "t_2"
  (tmp_path / "Diving_test.txt").write_text("t_1 2 1\n")
  with pytest.raises(ValueError, match=r"Diving_test\.txt, line 1: .* 2\.0 to 1\.0 s"):
    annotations.read_thumos14_lists(tmp_path)
