"""Files and folders are there when they are complete, or not at all."""

import errno
import os
import threading

import pytest

from temporal_jax import storage


def test_text_and_lines_are_replaced(tmp_path):
  file = tmp_path / "a.txt"
  storage.write_text(file, "one\n")
  assert file.read_bytes() == b"one\n"
  storage.write_lines(file, ["zwei", "drei ä"])
  assert file.read_text(encoding="utf-8") == "zwei\ndrei ä\n"
  assert list(tmp_path.iterdir()) == [file]


def test_an_error_leaves_what_was_there(tmp_path):
  file = tmp_path / "a.txt"
  file.write_text("before")

  def lines():
    yield "half"
    raise RuntimeError("no more")

  with pytest.raises(RuntimeError, match="no more"):
    storage.write_lines(file, lines())
  assert file.read_text() == "before"
  assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_is_full_when_it_syncs(tmp_path, monkeypatch):
  def full(descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  file = tmp_path / "a.txt"
  file.write_text("before")
  with monkeypatch.context() as patch:
    patch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*a\.txt"):
      storage.write_text(file, "after")
  assert file.read_text() == "before"
  assert list(tmp_path.iterdir()) == [file]


def test_an_error_in_a_folder_names_the_folder_that_was_asked_for(tmp_path):
  with (
    pytest.raises(FileNotFoundError) as caught,
    storage.whole_folder(tmp_path / "new") as partial,
  ):
    (partial / "sub" / "a.txt").write_text("text")
  assert caught.value.filename == f"{tmp_path / 'new' / 'sub' / 'a.txt'}"
  (tmp_path / "a.txt").touch()
  with (
    pytest.raises(FileNotFoundError) as caught,
    storage.whole_folder(tmp_path / "new") as partial,
  ):
    (tmp_path / "a.txt").rename(partial / "sub" / "a.txt")
  assert caught.value.filename2 == f"{tmp_path / 'new' / 'sub' / 'a.txt'}"
  assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


def test_the_content_is_on_the_disk_before_the_rename(tmp_path, monkeypatch):
  """And the folder's names are after it."""
  synced, fsync = [], os.fsync

  def note(descriptor):
    synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    fsync(descriptor)

  monkeypatch.setattr(os, "fsync", note)
  storage.write_text(tmp_path / "a.txt", "text")
  with storage.whole_folder(tmp_path / "folder") as partial:
    (partial / "sub").mkdir(parents=True)
    (partial / "sub" / "b.txt").write_text("b")
  first, parent, *inner, last = synced
  assert first.endswith(".partial")
  assert parent == last == str(tmp_path)
  assert [path.rpartition(".partial")[2] for path in inner] == [
    "",
    "/sub/b.txt",
    "/sub",
  ]


def test_a_link_stays_one(tmp_path):
  (tmp_path / "there").mkdir()
  target = tmp_path / "there" / "target"
  target.write_text("before")
  (tmp_path / "link").symlink_to(target)
  storage.write_text(tmp_path / "link", "after")
  assert target.read_text() == "after"
  assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_as_it_is(tmp_path):
  pipe = tmp_path / "pipe"
  os.mkfifo(pipe)
  read = []
  reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
  reader.start()
  storage.write_text(pipe, "through")
  reader.join()
  assert read == ["through"]


def test_a_folder_appears_whole(tmp_path):
  path = tmp_path / "new" / "folder"
  with storage.whole_folder(path) as partial:
    partial.mkdir()
    (partial / "a").write_text("a")
    assert not path.exists()
  assert [file.name for file in path.iterdir()] == ["a"]
  with (
    pytest.raises(FileExistsError, match="exists already"),
    storage.whole_folder(path),
  ):
    pass


def test_a_folder_that_fails_is_not_there(tmp_path):
  def write():
    with storage.whole_folder(tmp_path / "folder") as partial:
      partial.mkdir()
      (partial / "a").write_text("a")
      raise RuntimeError("no more")

  with pytest.raises(RuntimeError, match="no more"):
    write()
  assert list(tmp_path.iterdir()) == []


def test_new_folders_above_a_folder_that_fails_are_not_left(tmp_path):
  def write(path):
    with storage.whole_folder(path) as partial:
      partial.mkdir()
      raise RuntimeError("no more")

  (tmp_path / "old").mkdir()
  for path in (tmp_path / "old" / "new" / "x", tmp_path / "new" / "newer" / "x"):
    with pytest.raises(RuntimeError, match="no more"):
      write(path)
  with pytest.raises(OSError, match="File name too long"):
    write(tmp_path / "new" / ("a" * 256) / "x")
  assert list(tmp_path.rglob("*")) == [tmp_path / "old"]


def test_an_error_of_a_file_names_the_file_that_was_asked_for(tmp_path):
  file = tmp_path / "no" / "a.txt"
  with pytest.raises(FileNotFoundError) as found:
    storage.write_text(file, "text")
  assert found.value.filename == str(file)


def test_two_writers_of_a_folder_do_not_meet(tmp_path):
  path = tmp_path / "folder"

  def write(*others):
    with storage.whole_folder(path) as partial:
      partial.mkdir()
      (partial / "a").write_text(f"{len(others)}")
      for other in others:
        other()

  with pytest.raises(FileExistsError, match=f"{path} exists already"):
    write(write)
  assert (path / "a").read_text() == "0"
  assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("name", ["a" * 255, "\u00e4" * 127])
def test_a_name_may_be_as_long_as_names_can_be(tmp_path, name):
  with storage.whole_folder(tmp_path / name) as partial:
    partial.mkdir()
  storage.write_text(tmp_path / name / name, "text")
  assert [path.name for path in (tmp_path / name).iterdir()] == [name]
  with (
    pytest.raises(ValueError, match="cannot be a folder: File name too long"),
    storage.whole_folder(tmp_path / f"{name}aa"),
  ):
    pass
