import hashlib
import json
import os
import pathlib

import pytest

from temporal_jax.data.tools import check
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.video.manifest import read_bad, read_manifest
from temporal_jax.thread_map import run_parallel
from tests.conftest import make_frames
from tests.support.videos import make_picture

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
  return check.check_folder(
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
  assert list(rows) == ["a/1.mp4", "a/b/2.MP4", "cut.mp4", "empty.mp4", "text.webm"]
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
    "index": None,
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


def _wild(root):
  """Writes an empty video for each name that is hard to write down."""
  names = [b"\xff.mp4", b"a\nb.mp4", b"\x1b[1m.mp4", b"t\tt.mp4", b'q"\\n.mp4']
  for name in names:
    pathlib.Path(os.fsdecode(bytes(root) + b"/" + name)).write_bytes(b"")
  return sorted(map(os.fsdecode, names))


def test_bad_lists_have_a_line_a_file_and_are_read_back(tmp_path):
  root = tmp_path / "videos"
  root.mkdir()
  names = _wild(root)
  (root / "good.mp4").write_bytes(GOOD)
  found = _check(root)
  assert list(found.bad) == names
  content = (tmp_path / "bad.txt").read_bytes()
  assert content.count(b"\n") == len(content.decode().splitlines()) == 5
  assert all(line.count("\t") == 1 for line in content.decode().splitlines())
  assert read_bad(tmp_path / "bad.txt") == found.bad
  assert sorted(read_manifest(tmp_path / "manifest.jsonl")) == sorted(
    [*names, "good.mp4"]
  )
  assert _check(root).kept == 6
  (tmp_path / "bad.txt").write_text("a.mp4 no tab\n")
  with pytest.raises(ValueError, match="line 1 is no bad file"):
    read_bad(tmp_path / "bad.txt")


def test_folders_of_frames_are_checked(tmp_path):
  root = tmp_path / "videos"
  for folder, number in (("a/good", 4), ("a/bad", 3)):
    (root / folder).mkdir(parents=True)
    for i, frame in enumerate(make_frames(number, size=48)[:, :32]):
      (root / folder / f"img_{i}.png").write_bytes(make_picture(frame, "png"))
  (root / "a/bad/img_1.png").write_bytes(b"no picture")
  found = _check(root)
  row = found.rows["a/good"]
  files = sorted((root / "a/good").iterdir())
  content = b"".join(file.read_bytes() for file in files)
  assert (row["frames"], row["height"], row["width"]) == (4, 32, 48)
  assert (row["fps"], row["keyframes"]) == (None, [0, 1, 2, 3])
  assert row["bytes"] == len(content)
  assert row["sha256"] == hashlib.sha256(content).hexdigest()
  assert "img_1.png" in found.bad["a/bad"]
  assert _check(root).kept == 2
  (root / "a/bad/img_1.png").write_bytes(files[1].read_bytes())
  again = _check(root)
  assert (again.decoded, again.kept, again.bad) == (1, 1, {})


def test_pipes_are_not_opened(tmp_path):
  root = tmp_path / "videos"
  root.mkdir()
  os.mkfifo(root / "pipe.mp4")
  (root / "folder.mp4").mkdir()
  assert _check(root).bad == {"pipe.mp4": "the path names a pipe, and no regular file"}


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
    run_parallel(len, ["a"], 0)


def test_only_files_of_a_check_are_replaced(folder):
  manifest, bad = folder.parent / "manifest.jsonl", folder.parent / "bad.txt"
  for words in ("cut.mp4\tdiving\n", "a/1.mp4\tdiving", "\n", "notes"):
    bad.write_text(words)
    with pytest.raises(FileExistsError, match=r"bad\.txt exists, and is no list"):
      _check(folder)
    assert bad.read_text() == words
    assert not manifest.exists()
  bad.write_bytes(b"\xff\n")
  with pytest.raises(FileExistsError, match=r"bad\.txt exists, and is no list"):
    _check(folder)
  bad.write_bytes(b"")
  assert len(_check(folder).bad) == 3
  before = bad.read_text()
  (folder / "text.webm").unlink()
  assert len(_check(folder).bad) == 2
  assert before.startswith(bad.read_text())
  rows = '{"path": "a/1.mp4", "label": "diving"}\n'
  manifest.write_text(rows)
  with pytest.raises(ValueError, match=r"the row of a/1\.mp4 lacks \['bytes'"):
    _check(folder)
  assert manifest.read_text() == rows


def test_a_refused_check_changes_no_file(folder):
  _check(folder)
  manifest, bad = folder.parent / "manifest.jsonl", folder.parent / "bad.txt"
  video = folder / "a" / "1.mp4"
  files = (manifest, bad, video)
  (folder / "empty.mp4").write_bytes(GOOD)  # There is something to do.
  before = [file.read_bytes() for file in files]
  for options, message in (
    ({"manifest": manifest, "bad": manifest}, "cannot be both manifest and bad"),
    ({"manifest": manifest, "bad": video}, "both a file that is read and bad"),
    ({"manifest": video, "bad": bad}, "both a file that is read and manifest"),
    ({"manifest": manifest, "bad": bad, "num_threads": 0}, "at least 1, got 0"),
  ):
    with pytest.raises(ValueError, match=message):
      check.check_folder(folder, **options)
    assert [file.read_bytes() for file in files] == before


def test_results_come_with_their_items_and_errors_end_all():
  got = dict(run_parallel(lambda item: item * item, range(20), 3))
  assert got == {item: item * item for item in range(20)}
  with pytest.raises(ZeroDivisionError):
    list(run_parallel(lambda item: 1 // item, [1, 0], 2))
