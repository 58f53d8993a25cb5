"""The end of the server's process, and what is left of it."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest

from temporal_jax.inference.serving.upload_folder import PREFIX, UploadFolder
from temporal_jax.storage.lock import LOCK
from tests.support.page_server import wait_for

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def temporary(tmp_path, monkeypatch):
  """Returns the folder of temporary files, of this process and its children."""
  monkeypatch.setenv("TMPDIR", str(tmp_path))
  monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
  return tmp_path


@contextlib.contextmanager
def _process():
  """Yields a server's process and its port."""
  with subprocess.Popen(
    [sys.executable, "-m", "tests.support.endless_server"],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  ) as process:
    try:
      port = re.search(r":(\d+)/ ", process.stdout.readline())[1]
      yield process, int(port)
    finally:
      process.kill()


def _post(port, declared, body):
  connection = socket.create_connection(("127.0.0.1", port), 10)
  head = (
    f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {declared}"
    "\r\nContent-Type: video/mp4\r\n\r\n"
  )
  connection.sendall(head.encode() + body)
  return connection


def _uploads(temporary):
  return list(temporary.glob(f"{PREFIX}*/uploads/*"))


def test_a_killed_upload_is_removed_by_the_next_start(temporary):
  living = UploadFolder()
  (living.path / "video").write_bytes(b"of a living server")
  with _process() as (process, port), _post(port, 1_000_000, bytes(500_000)):
    wait_for(lambda: len(_uploads(temporary)) == 2)
    # Neither a start nor an end of others touches the folder of a living one.
    UploadFolder().remove()
    assert len(_uploads(temporary)) == 2
    process.kill()
    process.wait()
    assert len(_uploads(temporary)) == 2
    other = UploadFolder()
    assert _uploads(temporary) == [living.path / "video"]
    other.remove()
    living.remove()
  assert list(temporary.iterdir()) == []


def test_only_folders_of_dead_servers_are_removed(temporary):
  target = temporary / "target"
  target.mkdir()
  (target / LOCK).touch()
  (temporary / f"{PREFIX}link").symlink_to(target)
  unlocked = temporary / f"{PREFIX}unlocked"  # A server that is starting has it.
  unlocked.mkdir()
  (temporary / f"{PREFIX}file").touch()
  pipe = temporary / f"{PREFIX}pipe"
  pipe.mkdir()
  os.mkfifo(pipe / LOCK)
  dead = temporary / f"{PREFIX}dead"
  (dead / "uploads").mkdir(parents=True)
  (dead / "uploads" / "link").symlink_to(target)
  (dead / LOCK).touch()
  before = set(temporary.rglob("*"))
  UploadFolder().remove()
  gone = before - set(temporary.rglob("*"))
  assert gone == {dead, dead / LOCK, dead / "uploads", dead / "uploads/link"}


@pytest.mark.parametrize(
  ("number", "body", "said"),
  [
    (signal.SIGINT, b"vid", ""),
    (signal.SIGTERM, b"video", "Ending; the video in hand has 3 s more.\n"),
  ],
)
def test_a_signal_ends_the_process_within_seconds(number, body, said, temporary):
  with (
    _process() as (process, port),
    _post(port, 1_000_000, bytes(500_000)),
    _post(port, 5, body),
  ):
    if said:
      assert process.stdout.readline() == "looking\n"
    wait_for(lambda: len(_uploads(temporary)) == 2)
    begun = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert time.monotonic() - begun < 15
    assert errors == f"Loading model ...\n{said}"
  assert list(temporary.iterdir()) == []
