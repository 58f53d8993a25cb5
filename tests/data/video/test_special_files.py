import os
import pathlib
import socket
import time

import pytest

from temporal_jax import data
from temporal_jax.data.listing import regular_files
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.data.tools.check import check_file, check_folder
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.readers import open_reader
from temporal_jax.inference.find_videos import list_videos
from tests.conftest import frame_numbers, make_frames
from tests.support.videos import make_video

GOOD = encode_mp4(make_frames(5), fps=10)
# Names that FFmpeg takes for protocols, or for options of one.
NAMES = (
  "12:30.mp4",
  "day:1/a.mp4",
  "concat:a.mp4",
  "http:x.mp4",
  "file:x.mp4",
  "fd:",
  "pipe:0",
  "subfile,,start,0,end,0,,:x.mp4",
  "%03d.mp4",
  "-i.mp4",
  "a b\n\x1b.mp4",
  "caf\udce9.mp4",  # Not UTF-8.
)


def _special(folder):
  """Makes one of each kind; returns their paths by kind."""
  paths = {
    "folder": folder / "folder.mp4",
    "pipe": folder / "pipe.mp4",
    "socket": folder / "socket.mp4",
  }
  paths["folder"].mkdir()
  os.mkfifo(paths["pipe"])
  with socket.socket(socket.AF_UNIX) as opened:
    opened.bind(os.path.relpath(paths["socket"]))  # At most 108 bytes.
  for kind, path in list(paths.items()):
    link = folder / f"link to {kind}.mp4"
    link.symlink_to(path)
    paths[f"link to {kind}"] = link
  return paths | {"device": pathlib.Path("/dev/zero")}


def test_special_files_are_refused_and_not_opened(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for kind, path in _special(tmp_path).items():
    message = f"the path names a {kind.split()[-1]}, and no regular file"
    with pytest.raises(VideoError, match=message):
      VideoReader(path)
    if path.is_dir():  # It could be a folder of frames.
      message = "the folder has no picture"
    assert message in check_file(tmp_path, str(path))["error"]
    if "folder" not in kind:
      with pytest.raises(VideoError, match=message):
        open_reader(str(path))
  check = check_folder(
    tmp_path, manifest=tmp_path / "a.jsonl", bad=tmp_path / "bad.txt"
  )
  assert len(check.bad) == len(check.rows) >= 4


def test_special_pictures_are_refused(tmp_path):
  os.mkfifo(tmp_path / "1.jpg")
  with (
    open_reader(str(tmp_path)) as reader,
    pytest.raises(VideoError, match=r"1\.jpg: the path names a pipe"),
  ):
    reader.pictures([0])


def test_what_becomes_a_pipe_after_it_was_looked_at_does_not_wait(
  tmp_path, monkeypatch
):
  (tmp_path / "file.mp4").write_bytes(GOOD)
  status = os.stat(tmp_path / "file.mp4")
  os.mkfifo(tmp_path / "pipe.mp4")
  monkeypatch.setattr(regular_files.os, "stat", lambda path: status)
  with pytest.raises(VideoError, match="names a pipe"):
    VideoReader(tmp_path / "pipe.mp4")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_a_file(name, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
  with open(name, "wb") as file:
    file.write(GOOD)
  for path in (name, pathlib.Path(name), tmp_path / name):
    with open_reader(path) as reader:
      assert frame_numbers(reader.read([4, 0])) == [4, 0]
  assert check_file(pathlib.Path(), name)["error"] is None
  with data.LiveVideo(name) as live:
    assert len(list(live)) == 5


def test_entries_of_folders_of_bytes_are_paths(tmp_path):
  (tmp_path / "a.mp4").write_bytes(GOOD)
  (entry,) = os.scandir(os.fsencode(tmp_path))
  with open_reader(entry) as reader:
    assert reader.num_frames == 5


@pytest.mark.parametrize("scheme", ["http", "https", "rtsp", "s3", "gs", "file"])
def test_addresses_are_refused(scheme, tmp_path):
  address = f"{scheme}://host/a.mp4"
  message = f"{scheme}:// is an address, and only files are read"
  for opens in (VideoReader, open_reader):
    with pytest.raises(VideoError, match=message):
      opens(address)
  with pytest.raises(ValueError, match=message):
    list_videos([address + "?a=1"])
  table = tmp_path / "list.csv"
  table.write_text(f"path,label\n{address},a\n")
  with pytest.raises(ValueError, match=f"line 2: {message}"):
    file_sources(table, 0.2)


def test_a_path_with_a_zero_byte_is_refused():
  with pytest.raises(VideoError, match="holds a zero byte"):
    VideoReader("a\0.mp4")


def _sparse(path, head):
  """Writes a file of 8 GiB that takes no room: half a minute to look at."""
  path.write_bytes(head)
  os.truncate(path, 8 << 30)


@pytest.mark.parametrize("form", ["matroska", "mpegts", "flv", "avi"])
def test_time_is_limited_in_files_that_never_end(form, tmp_path):
  codec = "mpeg4" if form == "avi" else "libx264"
  video = bytearray(make_video(make_frames(3), form=form, codec=codec))
  if form == "avi":
    video[4:8] = bytes(4)  # Its size is not known.
  _sparse(tmp_path / "a", bytes(video[:-100]))
  begun = time.monotonic()
  with pytest.raises(VideoError, match=r"more than 0\.1 s|too long"):
    VideoReader(tmp_path / "a", time_limit=0.1)
  assert time.monotonic() - begun < 10


def test_time_is_limited_while_a_file_is_opened(tmp_path):
  _sparse(tmp_path / "a.avi", b"RIFF\0\0\0\0AVI ")
  begun = time.monotonic()
  with pytest.raises(VideoError, match=r"opening takes more than 0\.1 s"):
    VideoReader(tmp_path / "a.avi", time_limit=0.1)
  assert time.monotonic() - begun < 10


def test_a_check_does_not_read_what_has_no_size(tmp_path, monkeypatch):
  # As files in /proc, some of which never end.
  (tmp_path / "a.mp4").touch()
  monkeypatch.setattr(
    "temporal_jax.data.tools.check.digest", lambda _: pytest.fail("it is read")
  )
  row = check_file(tmp_path, "a.mp4")
  assert (row["bytes"], row["sha256"]) == (0, None)
  assert row["error"] == "the file is empty"
