import os

import pytest

from temporal_jax.data.listing import file_names, scan_folder
from temporal_jax.data.listing.class_folders import read_folders
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.data.video.containers import FORMATS


def _touch(root, *names):
  for name in names:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _listed(root, **options):
  said = []
  sources = file_sources(root, 0.0, say=said.append, **options)
  paths = {
    split: [os.path.relpath(source[i]["id"], root) for i in range(len(source))]
    for split, source in sources.items()
  }
  return sources["train"].class_names, paths, said


def test_every_allowed_format_has_its_suffixes():
  assert set(file_names._OF_FORMAT) == set(FORMATS.split(","))
  wanted = ".ts .m2ts .mts .flv .wmv .3gp .ogv .gif .asf .vob .mpg .mp4 .avi"
  assert set(wanted.split()) <= set(file_names.SUFFIXES)


@pytest.mark.parametrize("suffix", file_names.SUFFIXES)
def test_suffixes_of_videos_in_any_letters(suffix):
  assert file_names.is_video(f"a b{suffix}")
  assert file_names.is_video(f"A{suffix.upper()}")
  assert not file_names.is_video(f"._a{suffix}")
  assert not file_names.is_video(f"a{suffix}.txt")


@pytest.mark.parametrize(
  "name",
  [".DS_Store", "._v.mp4", ".ipynb_checkpoints", "__MACOSX", "Thumbs.db"]
  + ["@eaDir", "desktop.ini", "$RECYCLE.BIN", "lost+found"],
)
def test_what_machines_make_is_hidden(tmp_path, name):
  assert file_names.is_hidden(name)
  _touch(tmp_path, "a/1.mp4", f"a/{name}", f"{name} x/2.mp4")
  _touch(tmp_path, f"b/{name} y/1.txt")
  if not name.endswith((".mp4", ".db", ".ini", "_Store")):
    _touch(tmp_path, f"{name}/3.mp4", f"a/{name}x/1.mp4")
  listing = scan_folder.list_videos(tmp_path)
  hidden = name.startswith(".")
  assert "a/1.mp4" in listing.files
  assert f"{name}/3.mp4" not in listing.files
  assert (f"{name} x/2.mp4" in listing.files) != hidden


def test_links_are_followed_and_loops_end(tmp_path):
  root, other = tmp_path / "root", tmp_path / "other"
  _touch(root, "b/1.mp4", "b/c/2.mp4")
  _touch(other, "3.mp4", "x/4.mp4")
  (root / "a").symlink_to(root / "b")  # Comes first, but b has its own path.
  (root / "b/up").symlink_to("..")
  (root / "b/me").symlink_to("me")
  (root / "gone.mp4").symlink_to("nowhere")
  (root / "z").symlink_to(other)
  (other / "back").symlink_to(root)
  assert scan_folder.list_videos(root).files == [
    "b/1.mp4",
    "b/c/2.mp4",
    "gone.mp4",
    "z/3.mp4",
    "z/x/4.mp4",
  ]


def test_a_maze_of_links_is_walked_once(tmp_path):
  names = [f"d{i}" for i in range(12)]
  for name in names:
    _touch(tmp_path, f"{name}/1.mp4")
    for other in names:
      (tmp_path / name / f"to_{other}").symlink_to(tmp_path / other)
  assert len(scan_folder.list_videos(tmp_path).files) == 12


def test_linked_class_folders_are_classes(tmp_path):
  _touch(tmp_path / "far", "walk/1.mp4", "walk/2.mp4")
  _touch(tmp_path / "root", "run/3.mp4")
  (tmp_path / "root/walk").symlink_to(tmp_path / "far/walk")
  names, paths, _ = _listed(tmp_path / "root")
  assert names == ("run", "walk")
  assert paths["train"] == ["run/3.mp4", "walk/1.mp4", "walk/2.mp4"]


def test_folders_of_frames_are_videos(tmp_path):
  _touch(
    tmp_path,
    *(f"a/v{v}/img_{i:05d}.jpg" for v in "12" for i in range(1, 4)),
    *(f"b/w/{i}.PNG" for i in range(3)),
    "b/3.mp4",
    "b/single/1.png",
    "b/notes/2.txt",
  )
  names, paths, said = _listed(tmp_path)
  assert names == ("a", "b")
  assert paths["train"] == ["a/v1", "a/v2", "b/3.mp4", "b/w"]
  assert said == []
  listing = scan_folder.list_videos(tmp_path)
  assert listing.frame_folders == ["a/v1", "a/v2", "b/w"]
  assert listing.videos == ["a/v1", "a/v2", "b/3.mp4", "b/w"]
  assert listing.others == {".png": 1, ".txt": 1}
  assert scan_folder.list_videos(tmp_path / "a/v1").videos == ["."]


def test_the_pattern_says_which_folders_are_videos(tmp_path):
  _touch(
    tmp_path,
    *(f"a/{v}/{p}{i}.jpg" for v in "12" for p in ("x", "y") for i in range(2)),
    *(f"a/3/rgb/{i}.jpg" for i in range(2)),
  )
  sources = file_sources(tmp_path, 0.0, frames="x*.jpg", say=lambda _: None)
  first = sources["train"][0]["video"]
  assert len(sources["train"]) == 2
  assert (first.folder, first.pattern) == (str(tmp_path / "a/1"), "x*.jpg")
  inner = file_sources(tmp_path, 0.0, frames="rgb/*.jpg", say=lambda _: None)
  assert [inner["train"][0]["id"]] == [str(tmp_path / "a/3")]
  with pytest.raises(ValueError, match=r"one \*"):
    file_sources(tmp_path, 0.0, frames="%05d.jpg")


def test_what_is_left_out_is_said_once_with_counts(tmp_path):
  _touch(tmp_path, "a/1.mp4", "a/2.txt", "a/3.TXT", "a/list", "readme.md")
  _touch(tmp_path, "4.mp4", "a/deep/5.mp4", "a/deep/6.mp4", "a/._7.mp4")
  _touch(tmp_path, "empty/8.json", "__MACOSX/a/._1.mp4", ".git/9.mp4")
  names, paths, (said,) = _listed(tmp_path)
  assert (names, paths["train"]) == (("a",), ["a/1.mp4"])
  assert said == (
    f"left out of {tmp_path}: files that are no videos: 2 .txt, 1 .json, "
    "1 .md, 1 without suffix; 1 videos outside of class folders; 2 videos "
    "deeper than class/video (a/deep/5.mp4, a/deep/6.mp4); 1 class folders "
    "without a video directly inside (empty)."
  )


@pytest.mark.parametrize(
  ("folders_", "tested", "left"),
  [
    (("train", "test"), "test", None),
    (("Train", "Test"), "Test", None),
    (("training", "validation"), "validation", None),
    (("TRAIN", "dev"), "dev", None),
    (("train", "valid"), "valid", None),
    (("train", "val", "test"), "val", "test"),
    (("training", "Val", "testing"), "Val", "testing"),
  ],
)
def test_folders_of_splits_have_the_usual_names(tmp_path, folders_, tested, left):
  for number, split in enumerate(folders_):
    _touch(tmp_path, *(f"{split}/a/{i}.mp4" for i in range(number + 1)))
  names, paths, (said,) = _listed(tmp_path)
  assert names == ("a",)
  assert paths["train"] == [f"{folders_[0]}/a/0.mp4"]
  assert {path.split("/")[0] for path in paths["test"]} == {tested}
  assert f"1 videos of {folders_[0]!r} are trained on" in said
  assert f"videos of {tested!r} are tested" in said
  assert ("left out" in said) == bool(left)
  if left:
    assert f"3 videos of {left!r} are left out" in said
    _, paths, (said,) = _listed(tmp_path, test_split="TEST")
    assert {path.split("/")[0] for path in paths["test"]} == {left}
    assert f"2 videos of {tested!r} are left out" in said


def test_classes_may_be_called_as_splits(tmp_path):
  vehicles = tmp_path / "vehicles"
  _touch(vehicles, "train/1.mp4", "plane/2.mp4", "boat/3.mp4")
  assert _listed(vehicles)[0] == ("boat", "plane", "train")
  two = tmp_path / "two"
  _touch(two, "train/1.mp4", "test/2.mp4")
  assert _listed(two)[0] == ("test", "train")
  frames = tmp_path / "frames"  # The folders inside are videos.
  _touch(frames, *(f"{c}/v/{i}.jpg" for c in ("train", "val") for i in "12"))
  assert _listed(frames)[0] == ("train", "val")


@pytest.mark.parametrize(
  ("names", "message"),
  [
    (("val/a/1.mp4",), r"no training video; its splits \['val'\] have no name"),
    (("train/a/1.mp4", "Train/b/2.mp4"), "are the same split"),
    (("train/a/1.mp4", "val/b/2.mp4", "dev/b/2.mp4"), "are the same split"),
    (("train/a/1.mp4", "val/2.mp4"), "do not: their videos have no class"),
    (("train/a/1.mp4", "test/2.mp4"), "do not: their videos have no class"),
    (("train/a/1.mp4", "extra/a/1.mp4"), "2 videos deeper.*train/a/1.mp4"),
    (("train/a/1.mp4", "fold/a/1.mp4"), "called as splits only: train, "),
    (("train/a/1.mp4", "test/b/1.mp4"), r"no training video for .*\['b'\]"),
    (("A/1.txt", "2.mp4"), "no video.* Left .*1 .txt; 1 videos .*[(]A[)]"),
  ],
)
def test_folders_that_cannot_be_understood_say_why(tmp_path, names, message):
  _touch(tmp_path, *names)
  with pytest.raises(ValueError, match=message):
    file_sources(tmp_path, 0.2, say=lambda _: None)


def test_a_split_that_is_not_there_cannot_be_tested(tmp_path):
  _touch(tmp_path, "train/a/1.mp4", "val/a/2.mp4")
  for wanted, message in (
    ("test", r"no split 'test' \(data.test_split\), only \['train', 'val'\]"),
    ("train", "must be one of val, "),
    ("train[:9%]", "must be one of val, "),
  ):
    with pytest.raises(ValueError, match=message):
      file_sources(tmp_path, 0.0, test_split=wanted)


def test_a_test_without_labels_is_left_out(tmp_path):
  _touch(tmp_path, "train/a/1.mp4", "val/a/2.mp4", "test/3.mp4", "test/4.mp4")
  _, paths, (left, used) = _listed(tmp_path)
  assert paths == {"train": ["train/a/1.mp4"], "test": ["val/a/2.mp4"]}
  assert "2 videos outside of class folders" in left
  assert "0 videos of 'test' are left out" in used


def test_only_train_leaves_the_test_empty(tmp_path):
  _touch(tmp_path, "train/a/1.mp4", "train/a/2.mp4")
  _, paths, (said,) = _listed(tmp_path)
  assert paths["test"] == []
  assert said.endswith("2 videos of 'train' are trained on.")


def test_names_that_are_no_text_are_listed(tmp_path):
  root = os.fsencode(tmp_path)
  names = [b"\xff.mp4", b"\x1b[31m.mp4", b"a\nb.mp4", b"a\tb.mp4"]
  for split in (b"", b"x/"):
    os.makedirs(os.path.join(root, b"d\xe9", split))
    for name in names:
      open(os.path.join(root, b"d\xe9", split, name), "wb").close()
  table = read_folders(tmp_path)
  found = {os.path.basename(os.fsencode(row.path)) for row in table.rows}
  assert found == set(names)
  assert table.notes[0].isprintable()
  sources = file_sources(tmp_path, 0.5, say=lambda _: None)
  assert len(sources["train"]) == len(sources["test"]) == 2
  assert sources["train"].class_names == (os.fsdecode(b"d\xe9"),)


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
  _touch(tmp_path, "a/1.mp4")

  def refuse(path):
    raise PermissionError(13, "Permission denied")

  monkeypatch.setattr(scan_folder.os, "scandir", refuse)
  with pytest.raises(ValueError, match=r"the folder .*[Pp]ermission"):
    scan_folder.list_videos(tmp_path)
