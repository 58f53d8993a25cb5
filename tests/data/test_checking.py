import hashlib
import json
import os
import pathlib

import pytest

from temporal_jax.data import checking
from temporal_jax.data.encoding import encode_mp4
from temporal_jax.data.manifest import read_manifest
from temporal_jax.data.parallel import run_parallel
from tests.conftest import make_frames

GOOD = encode_mp4(make_frames(12), fps=8)


@pytest.fixture
def folder(tmp_path):
  root = tmp_path / "videos"
  for name, content in {
    "a/1.mp4": GOOD,
    "a/b/2.MP4": encode_mp4(make_frames(5, size=48)[:, :32], fps=25),
    "empty.mp4": b"",
    "text.webm": b"no video at all" * 99,
    "cut.mp4": GOOD[: len(GOOD) * 3 // 4],
    "list.txt": b"a/1.mp4 0",
    "README": b"",
  }.items():
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)
  return root


def _check(root, **options):
  return checking.check_folder(
    root,
    manifest=root.parent / "manifest.jsonl",
    bad=root.parent / "bad.txt",
    num_threads=2,
    **options,
  )


def test_the_manifest_says_what_the_files_are(folder):
  found = _check(folder)
  rows = read_manifest(folder.parent / "manifest.jsonl")
  assert list(rows.items()) == list(found.rows.items())
  assert list(rows) == [
    *("a/1.mp4", "a/b/2.MP4", "cut.mp4", "empty.mp4", "text.webm")
  ]
  status = (folder / "a/1.mp4").stat()
  assert rows["a/1.mp4"] == {
    "path": "a/1.mp4",
    "bytes": len(GOOD),
    "mtime_ns": status.st_mtime_ns,
    "sha256": hashlib.sha256(GOOD).hexdigest(),
    "frames": 12,
    "fps": 8.0,
    "height": 32,
    "width": 32,
    "keyframes": [0],
    "error": None,
  }
  second = rows["a/b/2.MP4"]
  assert (second["height"], second["width"], second["fps"]) == (32, 48, 25.0)
  assert found.others == {".txt": 1, "none": 1}
  assert (found.decoded, found.kept) == (5, 0)


def test_bad_files_are_listed_with_their_reasons(folder):
  found = _check(folder)
  assert list(found.bad) == ["cut.mp4", "empty.mp4", "text.webm"]
  assert "empty" in found.bad["empty.mp4"]
  lines = (folder.parent / "bad.txt").read_text().splitlines()
  assert lines == [f"{path}\t{why}" for path, why in found.bad.items()]


def test_only_what_changed_is_decoded_again(folder):
  whole = _check(folder)
  (folder / "empty.mp4").write_bytes(GOOD)
  status = (folder / "a/1.mp4").stat()
  os.utime(folder / "a/1.mp4", ns=(0, status.st_mtime_ns + 10**9))
  (folder / "text.webm").unlink()
  decoded = []

  def track(rows, total):
    assert total == 2
    for row in rows:
      decoded.append(row["path"])
      yield row

  found = _check(folder, track=track)
  assert sorted(decoded) == ["a/1.mp4", "empty.mp4"]
  assert (found.decoded, found.kept) == (2, 2)
  assert list(found.bad) == ["cut.mp4"]
  assert sorted(found.rows) == sorted(whole.rows.keys() - {"text.webm"})


def test_a_stopped_check_goes_on_where_it_was(folder):
  class StopError(Exception):
    pass

  def stop(rows, total):
    for number, row in enumerate(rows):
      yield row
      if number == 1:
        raise StopError

  with pytest.raises(StopError):
    _check(folder, track=stop)
  manifest = folder.parent / "manifest.jsonl"
  before = read_manifest(manifest)
  assert len(before) == 2
  with manifest.open("a") as out:  # As if killed while a line is written.
    out.write('{"path": "a/')
  found = _check(folder)
  assert (found.decoded, found.kept) == (3, 2)
  assert list(read_manifest(manifest)) == sorted(found.rows)


def test_a_file_that_takes_too_long_is_bad(folder):
  found = _check(folder, time_limit=0.0)
  assert len(found.bad) == 5
  assert "takes more than" in found.bad["a/1.mp4"]


def test_a_link_to_nothing_is_bad(tmp_path):
  root = tmp_path / "videos"
  root.mkdir()
  (root / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
  found = _check(root)
  assert found.bad == {"gone.mp4": "the file does not exist"}


def test_names_that_are_not_utf8_are_checked(tmp_path):
  root = tmp_path / "videos"
  root.mkdir()
  pathlib.Path(os.fsdecode(bytes(root) + b"/\xff.mp4")).write_bytes(b"")
  assert len(_check(root).bad) == 1
  assert (tmp_path / "bad.txt").read_text().startswith("\\udcff.mp4\t")
  assert _check(root).kept == 1


def test_wrong_folders_and_manifests_say_why(tmp_path, folder):
  with pytest.raises(FileNotFoundError, match="no folder"):
    _check(tmp_path / "nowhere")
  (tmp_path / "none").mkdir()
  with pytest.raises(ValueError, match="holds no video"):
    _check(tmp_path / "none")
  for line in ("hello", "[1]", json.dumps({"file": "a"})):
    (tmp_path / "manifest.jsonl").write_text(line + "\n")
    with pytest.raises(ValueError, match="line 1 is no row"):
      _check(folder)
  with pytest.raises(ValueError, match="num_threads must be at least 1"):
    list(run_parallel(len, ["a"], 0))


def test_results_come_with_their_items_and_errors_end_all():
  got = dict(run_parallel(lambda item: item * item, range(20), 3))
  assert got == {item: item * item for item in range(20)}
  with pytest.raises(ZeroDivisionError):
    list(run_parallel(lambda item: 1 // item, [1, 0], 2))
