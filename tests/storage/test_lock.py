"""A folder is one process's, and is free when that ends."""

import errno
import fcntl
import os
import socket
import subprocess
import sys
import threading

import pytest

from temporal_jax import storage

_HOLD = """
import sys
from temporal_jax import storage
with storage.FolderLock(sys.argv[1]):
  print("held", flush=True)
  sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
  process = subprocess.Popen(
    [sys.executable, "-c", _HOLD, str(tmp_path / "run")],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
    env={**os.environ, "PYTHONPATH": "."},
  )
  assert process.stdout.readline() == "held\n"
  yield process
  process.kill()
  process.wait()
  process.stdin.close()
  process.stdout.close()


def test_a_second_one_is_refused_with_host_and_process(holder, tmp_path):
  name = f"process {holder.pid} on host {socket.gethostname()}"
  with (
    pytest.raises(storage.FolderInUseError, match=f"run is in use by {name}"),
    storage.FolderLock(tmp_path / "run"),
  ):
    pass


def test_it_is_free_after_a_kill(holder, tmp_path):
  holder.kill()
  holder.wait()
  with storage.FolderLock(tmp_path / "run"):
    text = (tmp_path / "run" / storage.LOCK).read_text()
    assert text == f"{socket.gethostname()} {os.getpid()}\n"


def test_one_that_waits_gets_it_in_the_end(holder, tmp_path):
  said = []

  def say(words):
    said.append(words)
    threading.Timer(0.1, holder.stdin.close).start()

  with storage.FolderLock(tmp_path / "run", wait=True, say=say):
    assert (tmp_path / "run" / storage.LOCK).exists()
  assert len(said) == 1
  assert "waiting" in said[0]


def test_one_that_waits_can_be_stopped(holder, tmp_path):
  with (
    pytest.raises(storage.FolderInUseError),
    storage.FolderLock(tmp_path / "run", wait=True, stopped=lambda: True),
  ):
    pass


def test_nothing_stays(tmp_path):
  with storage.FolderLock(tmp_path / "run"):
    pass
  assert list(tmp_path.iterdir()) == []
  (tmp_path / "run").mkdir()
  with storage.FolderLock(tmp_path / "run"):
    (tmp_path / "run" / "file").touch()
  assert [file.name for file in tmp_path.glob("run/*")] == ["file"]


def test_new_folders_above_do_not_stay(tmp_path, monkeypatch):
  run = tmp_path / "runs" / "of" / "mine"
  with pytest.raises(ValueError, match="refused"), storage.FolderLock(run):
    raise ValueError("refused")
  assert list(tmp_path.iterdir()) == []
  (tmp_path / "runs").mkdir()
  with storage.FolderLock(run):
    (tmp_path / "runs" / "of" / "other").touch()
  assert sorted(tmp_path.rglob("*")) == [
    tmp_path / "runs",
    tmp_path / "runs" / "of",
    tmp_path / "runs" / "of" / "other",
  ]

  def refuse(*_):
    raise OSError(errno.EIO, os.strerror(errno.EIO))

  monkeypatch.setattr(fcntl, "flock", refuse)
  with pytest.raises(OSError, match="Input/output"), storage.FolderLock(tmp_path / "a"):
    pass
  assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, number):
  def refuse(*_):
    raise OSError(number, os.strerror(number))

  monkeypatch.setattr(fcntl, "flock", refuse)
  said = []
  with storage.FolderLock(tmp_path, say=said.append):
    assert not (tmp_path / storage.LOCK).exists()
  assert "has no locks: a second start in it is not noticed" in said[0]
  with storage.FolderLock(tmp_path / "runs" / "a", say=said.append):
    pass
  assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_belongs(tmp_path):
  (tmp_path / "run").touch()
  with pytest.raises(FileExistsError), storage.FolderLock(tmp_path / "run"):
    pass
