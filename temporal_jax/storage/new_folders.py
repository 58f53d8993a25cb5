"""Folders that are made for a file, and removed again if they stay empty."""

import contextlib
import os
import pathlib
from collections.abc import Iterable


def make_folders(folder: str | os.PathLike) -> list[pathlib.Path]:
  """Makes a folder with the folders above it.

  Args:
    folder: The folder, which may exist.

  Returns:
    The new folders, the deepest first, for `remove_folders`.

  Raises:
    OSError: If one cannot be made; no new one is left.
  """
  folder = pathlib.Path(folder)
  missing = [path for path in (folder, *folder.parents) if not path.exists()]
  try:
    folder.mkdir(parents=True, exist_ok=True)
  except OSError:
    remove_folders(missing)
    raise
  return missing


def remove_folders(folders: Iterable[pathlib.Path]) -> None:
  """Removes folders that are empty; others, and missing ones, stay as they are.

  Args:
    folders: The folders, the deepest first.
  """
  for folder in folders:
    with contextlib.suppress(OSError):
      folder.rmdir()
