import os
import shutil

import pytest

from temporal_jax import data
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.data.tools import doubtful_tests
from temporal_jax.data.tools.doubtful_tests import copied_videos, few_test_videos
from tests.support.tar_shards import shard_folder


@pytest.fixture
def files(tmp_path):
  """Writes files; returns the sources of their splits."""

  def write(**splits):
    sources = {}
    for split, contents in splits.items():
      paths = []
      for name, content in contents.items():
        path = tmp_path / split / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        paths.append((str(path), 0))
      sources[split] = data.FileSource(paths, ("a",))
    return sources

  return write


LONG = os.urandom(3 * 2**16)  # Longer than what is compared first.
OTHER = LONG[:-1] + bytes([LONG[-1] ^ 1])


def test_copies_of_both_splits_come_first(files, tmp_path):
  sources = files(
    train={"1.mp4": LONG, "2.mp4": b"short", "3.mp4": b"short", "4.mp4": b"other"},
    test={"5.mp4": LONG, "6.mp4": OTHER, "7.mp4": LONG},
  )
  across, within = copied_videos(sources)
  assert across == (
    f"2 test videos are copies of training videos, {tmp_path}/test/5.mp4 of "
    f"{tmp_path}/train/1.mp4 for one: the test is easier than new videos."
  )
  assert within == (
    f"1 videos are copies of another one of their split, {tmp_path}/train/3.mp4 of "
    f"{tmp_path}/train/2.mp4 for one."
  )


def test_copies_in_tar_files_are_found(video_folder, tmp_path):
  root = shard_folder(video_folder, tmp_path)
  sources = file_sources(root, 0.0, say=print)
  assert copied_videos(sources) == []
  shutil.copy(root / "train-1.tar", root / "test-0.tar")
  (across,) = copied_videos(file_sources(root, 0.0, say=print))
  assert across == (
    f"4 test videos are copies of training videos, {root}/test-0.tar/fall_1.mp4 of "
    f"{root}/train-1.tar/fall_1.mp4 for one: the test is easier than new videos."
  )


def test_only_files_of_equal_size_are_read(files, monkeypatch):
  sources = files(train={"1.mp4": LONG, "2.mp4": b"x"}, test={"3.mp4": OTHER})
  read, opened = [], doubtful_tests.open_regular
  monkeypatch.setattr(
    doubtful_tests, "open_regular", lambda path: read.append(path) or opened(path)
  )
  assert copied_videos(sources) == []
  assert {os.path.basename(path) for path in read} == {"1.mp4", "3.mp4"}


def test_what_is_read_is_bounded_and_the_rest_is_said(files, monkeypatch):
  monkeypatch.setattr(doubtful_tests, "_MOST_BYTES", 2 * 2**16)
  sources = files(train={"1.mp4": LONG, "2.mp4": b"x"}, test={"3.mp4": LONG})
  (words,) = copied_videos(sources)
  assert words.startswith("2 files of equal sizes are not compared, after")
  monkeypatch.setattr(doubtful_tests, "_MOST_FILES", 2)
  (words,) = copied_videos(sources)
  assert words == "copies of videos are not looked for among more than 2 files."


def test_missing_files_and_parts_of_one_video_are_no_copies(tmp_path):
  sources = {
    split: data.FileSource([(str(tmp_path / f"{split}.mp4"), 0)], ("a",))
    for split in ("train", "test")
  }
  assert copied_videos(sources) == []


def test_classes_with_few_test_videos():
  labels = [0] * 5 + [1] * 4 + [2]
  source = data.FileSource([(f"{i}", n) for i, n in enumerate(labels)], tuple("abcd"))
  assert few_test_videos(source) == (
    "fewer than 5 test videos: 3 of 4 classes (d 0, c 1, b 4); the accuracy of such "
    "a class proves little."
  )
  many = data.FileSource([(f"{i}", 0) for i in range(5)], ("a",))
  assert few_test_videos(many) == ""
