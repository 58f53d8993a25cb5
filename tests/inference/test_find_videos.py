import dataclasses
import os

import pytest

from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference import list_videos, with_views

PROTOCOL = EvalProtocol(num_frames=2, crop_size=16, short_side=20)


@pytest.fixture
def root(tmp_path, monkeypatch):
  for name in (
    "b.mp4",
    "a/z.MOV",
    "a/deep/c.mkv",
    "a.txt",
    "e/n.txt",
    "[1].ts",
  ):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
  monkeypatch.chdir(tmp_path)
  return tmp_path


@pytest.mark.parametrize(
  ("words", "want"),
  [
    (["b.mp4"], ["b.mp4"]),
    (["a"], ["a/deep/c.mkv", "a/z.MOV"]),
    (["."], ["./[1].ts", "./a/deep/c.mkv", "./a/z.MOV", "./b.mp4"]),
    (["b.mp4", "./b.mp4", "b.mp4"], ["b.mp4"]),
    (["b.mp4", "a/", "."], ["b.mp4", "a/deep/c.mkv", "a/z.MOV", "./[1].ts"]),
    (["[ab]*"], ["a/deep/c.mkv", "a/z.MOV", "a.txt", "b.mp4"]),
    (["**/*.m[ko]v", "a/*.MOV"], ["a/deep/c.mkv", "a/z.MOV"]),
    (["[1].ts", "gone.mp4"], ["[1].ts", "gone.mp4"]),
  ],
)
def test_words_stand_for_files(root, words, want):
  assert list_videos(words) == want


def test_what_machines_made_is_left_out(root):
  for name in ("__MACOSX/._b.mp4", "__MACOSX/b.mp4", ".x/b.mp4", "a/._z.mp4"):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).touch()
  (root / "Thumbs.db").touch()
  assert list_videos(["."]) == ["./[1].ts", "./a/deep/c.mkv", "./a/z.MOV", "./b.mp4"]
  assert list_videos(["**/b.mp4"]) == ["b.mp4"]
  assert "Thumbs.db" not in list_videos(["*"])
  assert list_videos(["a/._*"]) == ["a/._z.mp4"]  # As it was asked for.
  assert list_videos(["__MACOSX/*.mp4"]) == ["__MACOSX/b.mp4"]


def test_folders_of_frames_are_videos(root):
  for name in ("f/1.jpg", "f/2.jpg"):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).touch()
  assert list_videos(["f"]) == list_videos(["f/"]) == ["f"]
  assert "./f" in list_videos(["."])


def test_home_and_whole_paths(root, monkeypatch):
  monkeypatch.setenv("HOME", str(root))
  assert list_videos(["~/b.mp4", "b.mp4"]) == [os.path.join(root, "b.mp4")]
  assert list_videos([str(root / "a")])[1] == str(root / "a" / "z.MOV")


@pytest.mark.parametrize(
  ("word", "message"),
  [
    ("e", r"e holds no video; files must end in one of \.264, "),
    ("*.webm", r"no video matches \*\.webm"),
    ("e*", r"no video matches e\*"),
  ],
)
def test_words_that_stand_for_nothing(root, word, message):
  with pytest.raises(ValueError, match=message):
    list_videos(["b.mp4", word])


@pytest.mark.parametrize(
  ("words", "clips", "crops"),
  [
    ("4x3", 4, 3),
    ("3x4", 4, 3),
    ("1x1", 1, 1),
    ("3x1", 3, 1),
    ("10x10", 10, 10),
  ],
)
def test_views(words, clips, crops):
  want = dataclasses.replace(PROTOCOL, num_clips=clips, num_crops=crops)
  assert with_views(PROTOCOL, words) == want


@pytest.mark.parametrize("words", ["", "4", "4x", "0x3", "4x3x1", "-1x3", "axb"])
def test_views_that_cannot_be_read(words):
  with pytest.raises(ValueError, match="views must be clips x crops as 4x3"):
    with_views(PROTOCOL, words)


def test_crops_that_there_are_not():
  with pytest.raises(ValueError, match=r"must be in \(1, 3, 10\)"):
    with_views(PROTOCOL, "4x5")
