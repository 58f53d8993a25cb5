import os

import matplotlib.image
import numpy as np
import pytest

from temporal_jax.data.sources import FileSource
from temporal_jax.data.tools import inspect
from temporal_jax.data.tools.contact_sheet import save_contact_sheet
from temporal_jax.data.video.encoding import encode_mp4


class _Records:
  """Videos that are bytes."""

  class_names = ("a", "b")
  multi_label = False

  def __init__(self, *contents):
    self._contents = contents

  def __len__(self):
    return len(self._contents)

  def __getitem__(self, index):
    content = self._contents[index]
    return {"id": f"record {index}", "label": index % 2, "video": content}


def _source(root, *rows, names=("left", "right", "up"), **options):
  files = []
  for name, label, content in rows:
    if content is not None:
      (root / name).write_bytes(content)
    files.append((str(root / name), label))
  return FileSource(files, names, **options)


def test_counts_missing_files_and_duplicates(tmp_path):
  sources = {
    "train": _source(tmp_path, ("1", 0, b"abc"), ("2", 0, b"xyz"), ("3", 2, None)),
    "test": _source(tmp_path, ("4", 0, b"xyz"), ("5", 2, b"longer")),
  }
  found = inspect.inspect_sources(sources)
  assert found["videos"] == {"train": 3, "test": 2}
  assert found["labels"]["counts"] == {
    "train": {"left": 2, "right": 0, "up": 1},
    "test": {"left": 1, "right": 0, "up": 1},
  }
  assert found["labels"]["gaps"] == [1]
  assert found["missing"] == [str(tmp_path / "3")]
  same = [["train", str(tmp_path / "2")], ["test", str(tmp_path / "4")]]
  assert found["duplicates"] == [same]
  assert found["bad"] == {}


def test_the_manifest_saves_reading(tmp_path):
  sources = {
    "train": _source(tmp_path, ("1", 0, b"abc"), ("2", 1, b"abcd")),
    "test": _source(tmp_path, ("3", 0, b"xyz"), ("4", 1, b"efgh")),
  }
  rows = {
    "1": {"bytes": 3, "sha256": "same", "error": None},
    "2": {"bytes": 99, "sha256": "same", "error": None},  # From another time.
    "3": {"bytes": 3, "sha256": "same", "error": "broken"},
  }
  found = inspect.inspect_sources(sources, root=tmp_path, manifest=rows)
  names = [str(tmp_path / name) for name in "13"]
  assert found["duplicates"] == [[["train", names[0]], ["test", names[1]]]]
  assert found["bad"] == {names[1]: "broken"}


def test_records_are_compared_by_their_content(tmp_path):
  sources = {
    "train": _Records(b"abc", b"abd"),
    "test": _Records(b"xyz", b"abd"),
  }
  found = inspect.inspect_sources(sources)
  assert found["duplicates"] == [[["train", "record 1"], ["test", "record 1"]]]


def test_other_parts_of_a_video_are_no_duplicates():
  class Parts(_Records):
    def __init__(self, *starts):
      super().__init__(*[b"abc" for _ in starts])
      self._starts = starts

    def __getitem__(self, index):
      start = self._starts[index]
      return super().__getitem__(index) | {"start": start, "stop": start + 2}

  sources = {"train": Parts(1.0, 5.0), "test": Parts(3.0, 5.0)}
  found = inspect.inspect_sources(sources)
  assert found["duplicates"] == [[["train", "record 1"], ["test", "record 1"]]]


@pytest.mark.parametrize(
  ("numbers", "names", "want"),
  [
    ([0, 2], ("a", "b", "c"), (0, 2, [1], [])),
    ([0, 1], ("a", "b", "c"), (0, 1, [2], [])),
    ([0, 1, 5, -1], ("a", "b"), (0, 1, [], [-1, 5])),
    ([0, 1, 2, 3], ("1", "10", "2", "4"), (1, 10, [3, 5, 6, 7, 8, 9], [])),
    ([], ("a",), (None, None, [0], [])),
  ],
)
def test_range_and_gaps_of_labels(numbers, names, want):
  found = inspect.inspect_labels({"train": numbers}, names)
  keys = ("lowest", "highest", "gaps", "outside")
  assert tuple(found[key] for key in keys) == want


def test_tasks_and_sets_of_labels_are_counted(tmp_path):
  names = {"verb": ("cut", "mix"), "noun": ("egg", "ham")}
  tasks = _source(tmp_path, ("1", (0, 1), b"a"), ("2", (0, 0), b"b"), names=names)
  found = inspect.inspect_sources({"train": tasks})["labels"]
  assert found["verb"]["counts"]["train"] == {"cut": 2, "mix": 0}
  assert found["noun"]["counts"]["train"] == {"egg": 1, "ham": 1}
  several = _source(
    tmp_path,
    ("1", frozenset({0, 2}), b"a"),
    ("2", frozenset(), b"b"),
    multi_label=True,
  )
  found = inspect.inspect_sources({"train": several})["labels"]
  assert found["counts"]["train"] == {"left": 1, "right": 0, "up": 1}


def test_frame_folders_tell_where_they_begin(tmp_path):
  for folder, names in {
    "one": ("00001.jpg", "00002.jpg", "00003.jpg"),
    "zero": ("img_0.png", "img_1.png", "img_4.png", "notes.txt"),
    "none": ("cover.jpg",),
  }.items():
    (tmp_path / folder).mkdir()
    for name in names:
      (tmp_path / folder / name).touch()
  rows = [(name, 0, None) for name in ("one", "zero", "none")]
  found = inspect.inspect_sources({"train": _source(tmp_path, *rows)})
  assert found["missing"] == []
  assert found["frame_folders"] == {
    "starts": {"1": 1, "0": 1},
    "gaps": {str(tmp_path / "zero"): [2, 3]},
    "empty": [str(tmp_path / "none")],
    "patterns": {},
  }


def test_frame_folders_of_several_patterns_are_said(tmp_path):
  (tmp_path / "flow").mkdir()
  for name in ("x_1.jpg", "x_2.jpg", "y_1.jpg"):
    (tmp_path / "flow" / name).touch()
  files = [(str(tmp_path / "flow"), 0)]
  found = inspect.inspect_sources({"train": FileSource(files, ("a",))})
  assert found["frame_folders"] == {
    "starts": {},
    "gaps": {},
    "empty": [],
    "patterns": {str(tmp_path / "flow"): "x_*.jpg (2), y_*.jpg (1)"},
  }
  source = FileSource(files, ("a",), frames="x_*.jpg")
  found = inspect.inspect_sources({"train": source})
  assert found["frame_folders"]["starts"] == {"1": 1}
  assert found["frame_folders"]["patterns"] == {}


def test_the_sheet_shows_the_videos(tmp_path):
  red = np.zeros((9, 120, 160, 3), np.uint8)
  red[..., 0] = 200
  video = encode_mp4(red, fps=5)
  source = _source(tmp_path, ("1.mp4", 0, video), ("2.mp4", 1, b"none" * 99))
  file = tmp_path / "sheet.png"
  save_contact_sheet(file, source, frames_shown=3)
  picture = matplotlib.image.imread(file)[..., :3]
  is_red = (picture[..., 0] > 0.6) & (picture[..., 1] < 0.2)
  assert 0.2 < is_red.mean() < 0.5  # Three squares of six.
  with pytest.raises(ValueError, match="no video"):
    save_contact_sheet(file, _source(tmp_path))


def test_a_pipe_is_bad_and_not_missing(tmp_path):
  os.mkfifo(tmp_path / "pipe.mp4")
  files = [(str(tmp_path / name), 0) for name in ("pipe.mp4", "none.mp4")]
  source = FileSource(files, ("a",), multi_label=False)
  found = inspect.inspect_sources({"train": source}, root=tmp_path)
  assert found["missing"] == [str(tmp_path / "none.mp4")]
  assert found["bad"] == {str(tmp_path / "pipe.mp4"): "it is no regular file"}
