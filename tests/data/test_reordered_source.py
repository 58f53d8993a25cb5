"""Classes numbered in another order, and lists that are told apart."""

import shutil

import pytest

from temporal_jax import data
from temporal_jax.data import annotations
from temporal_jax.data.annotations import Record
from temporal_jax.data.listing.find_videos import file_sources


def test_labels_follow_their_names():
  names = ("a", "b", "c")
  source = data.FileSource([("1", 0), ("2", 2)], names)
  got = data.ReorderedSource(source, ("c", "a", "b"))
  assert [video["label"] for video in got] == [1, 0]
  assert [video["id"] for video in got] == ["1", "2"]
  assert (len(got), got.class_names) == (2, ("c", "a", "b"))
  more = data.ReorderedSource(source, ("x", "c", "b", "a"))
  assert [video["label"] for video in more] == [3, 1]
  several = data.FileSource([("1", frozenset({0, 1}))], names, multi_label=True)
  got = data.ReorderedSource(several, ("c", "a", "b"))
  assert got.multi_label
  assert got[0]["label"] == frozenset({1, 2})
  tasks = {"verb": ("a", "b"), "noun": ("x", "y", "z")}
  source = data.FileSource([("1", (0, 2))], tasks)
  order = {"verb": ("b", "a"), "noun": ("x", "z", "y")}
  assert data.ReorderedSource(source, order)[0]["label"] == (1, 1)


@pytest.mark.parametrize("other", [("a", "c"), ("a",), {"x": ("a", "b")}])
def test_other_classes_are_refused(other):
  with pytest.raises(ValueError, match="lack some of the source's class names"):
    data.ReorderedSource(data.FileSource([], ("a", "b")), other)


def _touch(root, *names):
  for name in names:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()


def _fingerprints(root, split=0.0):
  sources = file_sources(root, split)
  return sources["train"].fingerprint()


def test_a_list_is_the_same_where_its_folder_moves(tmp_path):
  here, there = tmp_path / "here", tmp_path / "far" / "there"
  _touch(here, "a/1.mp4", "a/2.mp4", "b/3.mp4")
  before = _fingerprints(here)
  shutil.copytree(here, there)
  assert _fingerprints(there) == before
  rows = "path,label\n" + "".join(f"{i}.mp4,{'ab'[i % 2]}\n" for i in range(4))
  for folder in (here, there):
    (folder / "list.csv").write_text(rows)
  lists = [_fingerprints(folder / "list.csv") for folder in (here, there)]
  assert lists[0] == lists[1] != before


def test_another_list_is_told(tmp_path):
  _touch(tmp_path, "a/1.mp4", "a/2.mp4", "b/3.mp4")
  seen = {_fingerprints(tmp_path)}
  (tmp_path / "a" / "2.mp4").rename(tmp_path / "b" / "2.mp4")  # Another class.
  seen.add(_fingerprints(tmp_path))
  _touch(tmp_path, "b/4.mp4")
  seen.add(_fingerprints(tmp_path))
  (tmp_path / "b" / "4.mp4").rename(tmp_path / "b" / "0.mp4")
  seen.add(_fingerprints(tmp_path))
  assert len(seen) == 4
  assert data.FileSource([], ("a",)).fingerprint() not in seen


def test_numbers_of_classes_do_not_count():
  files = [("x/1", 0), ("x/2", 1)]
  one = data.FileSource(files, ("a", "b"))
  other = data.FileSource([(path, 1 - n) for path, n in files], ("b", "a"))
  assert one.fingerprint() == other.fingerprint()
  assert data.ReorderedSource(one, ("b", "a")).fingerprint() == (one.fingerprint())
  assert data.FileSource(files, ("b", "a")).fingerprint() != one.fingerprint()


def test_annotated_lists_count_times_too(tmp_path):
  def fingerprint(*records, folder=tmp_path):
    given = annotations.Annotations(records, ("run", "walk"))
    return annotations.AnnotatedSource(given, "train", folder).fingerprint()

  part = Record("a", "a.mp4", 0, "train", 1.0, 2.0)
  seen = [
    fingerprint(part),
    fingerprint(part._replace(stop=3.0)),
    fingerprint(part._replace(label=1)),
    fingerprint(part, part._replace(id="b")),
    fingerprint(part._replace(id="b"), part),
  ]
  assert len(set(seen)) == 5
  assert fingerprint(part, folder=tmp_path / "moved") == seen[0]
