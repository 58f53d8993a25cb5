"""Atomic writes: files and folders appear only when they are complete.

Data are written under a hidden name in the final folder. They are on the disk
before they are renamed, and the rename before the call returns: neither a
killed process nor a power cut leaves half a file, or an empty one, under the
name.
"""

import contextlib
import errno
import os
import pathlib
import secrets
import shutil
from collections.abc import Iterable, Iterator

from temporal_jax.storage.bucket_addresses import refuse_bucket
from temporal_jax.storage.new_folders import make_folders, remove_folders

_LONGEST = 200  # Bytes of a name; file systems allow 255.


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[pathlib.Path]:
  """Gives a place for a file that replaces `path` when all went well.

  Args:
    path: The file, which may exist, in a folder that does. Of a link the file
      that it names is replaced; a device or a pipe is written to as it is.

  Yields:
    A path in the same folder, to write the file to and close it.

  Raises:
    OSError: If the file cannot take its place.
    ValueError: If it is in a bucket.
  """
  refuse_bucket(path, "the file")
  path = pathlib.Path(path)
  if path.exists() and not path.is_file():
    yield path
    return
  path = path.resolve()
  partial = _partial(path)
  try:
    yield partial
    sync(partial)
    partial.replace(path)
    sync(path.parent)
  except OSError as error:
    if error.filename is None and error.errno is not None:
      error.filename = os.fspath(path)  # Writing does not name the file.
    _rename_in(error, partial, path)
    raise
  finally:
    _remove(partial)


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike) -> Iterator[pathlib.Path]:
  """Gives a place for a folder that moves to `path` when all went well.

  Args:
    path: Must not exist yet; the folders above it are made, and removed again
      if they are still empty after an error.

  Yields:
    A path in the same folder, where nothing is yet.

  Raises:
    FileExistsError: If `path` exists.
    ValueError: If no file system takes its name, or it is in a bucket.
  """
  refuse_bucket(path, "the folder")
  path = pathlib.Path(path).expanduser().absolute()
  try:
    is_there = path.exists()
  except OSError as error:
    raise ValueError(f"{path} cannot be a folder: {error.strerror}.") from None
  if is_there:
    raise FileExistsError(f"{path} exists already.")
  made = make_folders(path.parent)
  partial = _partial(path)
  try:
    yield partial
    sync_all(partial)
    _move(partial, path)
    sync(path.parent)
  except OSError as error:
    _rename_in(error, partial, path)
    raise
  finally:
    shutil.rmtree(partial, ignore_errors=True)
    remove_folders(made)  # They hold the folder, unless it failed.


def write_text(path: str | os.PathLike, text: str) -> None:
  """Writes or replaces a UTF-8 file, whole."""
  with whole_file(path) as partial:
    partial.write_text(text, encoding="utf-8", newline="\n")


def write_lines(path: str | os.PathLike, lines: Iterable[str]) -> None:
  """Writes or replaces a UTF-8 file, whole, as its lines come."""
  with (
    whole_file(path) as partial,
    partial.open("w", encoding="utf-8", newline="\n") as out,
  ):
    out.writelines(line + "\n" for line in lines)


def sync(path: str | os.PathLike) -> None:
  """Waits until a file's content, or a folder's names, are on the disk."""
  try:
    descriptor = os.open(path, os.O_RDONLY)
  except PermissionError:
    if os.path.isdir(path):
      return  # Names can be added to some folders that cannot be listed.
    raise
  try:
    os.fsync(descriptor)
  except OSError:
    if not os.path.isdir(path):
      raise  # Some file systems cannot sync a folder, and need not.
  finally:
    os.close(descriptor)


def sync_all(folder: str | os.PathLike) -> None:
  """Waits until a folder with all its files is on the disk."""
  for where, _, files in os.walk(folder):
    for name in files:
      sync(os.path.join(where, name))
    sync(where)


def _partial(path: pathlib.Path) -> pathlib.Path:
  """Returns a hidden name in a path's folder, different at every call."""
  # The hidden name has to be one too where the name is as long as names can be.
  begin = os.fsdecode(os.fsencode(path.name)[:_LONGEST])
  return path.with_name(f".{begin}.{os.getpid()}.{secrets.token_hex(4)}.partial")


def _rename_in(error: OSError, partial: pathlib.Path, path: pathlib.Path) -> None:
  """Names a path in an error, instead of its hidden name, which is gone."""
  for key in ("filename", "filename2"):
    name = getattr(error, key)
    if isinstance(name, str | os.PathLike):
      setattr(error, key, os.fspath(name).replace(f"{partial}", f"{path}", 1))


def _move(partial: pathlib.Path, path: pathlib.Path) -> None:
  """Gives a folder its name, unless another writer was faster."""
  try:
    partial.rename(path)
  except OSError as error:
    if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
      raise
    raise FileExistsError(f"{path} exists already.") from error


def _remove(file: pathlib.Path) -> None:
  """Removes a file if it is there; does not hide why it is."""
  with contextlib.suppress(OSError):
    file.unlink(missing_ok=True)
