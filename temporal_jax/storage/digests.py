"""The sha256 of every file of a folder, in a list in the same folder.

The list has the format of the program `sha256sum`, so that `sha256sum --check`
reads it too.
"""

import concurrent.futures
import hashlib
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

DIGESTS = "sha256sums.txt"
_MAX_BYTES = 2**26  # A list of half a million files has as many.
_THREADS = 8  # hashlib lets other threads run.
# Nothing lists the list's own sha256.
_CHANGED = f"changed since it was written, or its line in {DIGESTS} is"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def write_digests(
  folder: str | os.PathLike, names: Sequence[str] | None = None
) -> None:
  """Writes the list of files of a folder.

  Args:
    folder: The folder.
    names: Their paths from the folder; by default all that are in it, at any
      depth.
  """
  folder = pathlib.Path(folder)
  if names is None:
    names = sorted(
      path.relative_to(folder).as_posix()
      for path in folder.rglob("*")
      if path.is_file() and path.name != DIGESTS
    )
  with _pool() as pool:
    found = pool.map(_digest, (folder / name for name in names))
    lines = [f"{digest}  {name}\n" for digest, name in zip(found, names, strict=True)]
  (folder / DIGESTS).write_text("".join(lines), encoding="utf-8")


def read_digests(folder: str | os.PathLike) -> dict[str, str] | None:
  """Returns the sha256 of each file by its path from the folder.

  Returns:
    The list; None if the folder has none.

  Raises:
    ValueError: If the list is damaged.
  """
  path = pathlib.Path(folder) / DIGESTS
  if not os.path.lexists(path):
    return None
  # A pipe would wait for ever, and a device has no end.
  if not path.is_file() or path.stat().st_size > _MAX_BYTES:
    raise ValueError(
      f"{path} must be a file of at most {_MAX_BYTES:,} bytes, with a line for "
      "each file of its folder."
    )
  digests = {}
  try:
    text = path.read_text(encoding="utf-8")
  except UnicodeDecodeError:
    raise ValueError(f"{path} is damaged: it is not UTF-8.") from None
  for number, line in enumerate(text.split("\n")[:-1], start=1):
    match = _LINE.fullmatch(line)
    if not match or not _is_inside(match[2]):
      raise ValueError(f"{path}, line {number} is no sha256 of a file.")
    digests[match[2]] = match[1]
  if not digests or not text.endswith("\n"):
    raise ValueError(f"{path} is damaged: it ends too early.")
  return digests


def damaged_files(
  folder: str | os.PathLike, digests: Mapping[str, str]
) -> dict[str, str]:
  """Returns the fault of each damaged file, by its path from the folder.

  Args:
    folder: The folder.
    digests: See `read_digests`; some of them check some of the files.
  """
  folder = pathlib.Path(folder)
  with _pool() as pool:
    found = pool.map(lambda name: _found(folder / name), digests)
    return {
      name: what if " " in what else _CHANGED
      for (name, written), what in zip(digests.items(), found, strict=True)
      if what != written
    }


def check_digests(folder: str | os.PathLike, needed: Sequence[str] = ()) -> bool:
  """Compares all files of a folder with its list.

  Args:
    folder: The folder.
    needed: Files that the list must have.

  Returns:
    Whether there is a list.

  Raises:
    ValueError: If a file has changed since it was written, naming it, or the
      list lacks a needed one.
  """
  digests = read_digests(folder)
  if digests is None:
    return False
  if missing := [name for name in needed if name not in digests]:
    raise ValueError(
      f"{pathlib.Path(folder) / DIGESTS} must list {', '.join(missing)}, got "
      f"{', '.join(sorted(digests)[:3])}."
    )
  for name, what in damaged_files(folder, digests).items():
    raise ValueError(f"{pathlib.Path(folder) / name} is {what}.")
  return True


def _found(path: pathlib.Path) -> str:
  """Returns the sha256 of a file, or in words why it has none."""
  try:
    if not path.is_file():
      return f"not there, though {DIGESTS} lists it"
    return _digest(path)
  except OSError as error:
    return f"not readable: {error.strerror}"


def _digest(path: pathlib.Path) -> str:
  with path.open("rb") as file:
    return hashlib.file_digest(file, "sha256").hexdigest()


def _is_inside(name: str) -> bool:
  path = pathlib.PurePosixPath(name)
  return not path.is_absolute() and ".." not in path.parts


def _pool() -> concurrent.futures.ThreadPoolExecutor:
  return concurrent.futures.ThreadPoolExecutor(_THREADS)
