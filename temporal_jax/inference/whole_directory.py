"""Directories that are there when they are complete."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator


@contextlib.contextmanager
def whole_directory(path: str | os.PathLike) -> Iterator[pathlib.Path]:
  """Gives a place for a directory that moves to `path` when all went well.

  Args:
    path: Must not exist yet.

  Yields:
    A path beside it, where nothing is yet.

  Raises:
    FileExistsError: If `path` exists.
  """
  path = pathlib.Path(path).expanduser().absolute()
  if path.exists():
    raise FileExistsError(f"{path} exists already.")
  path.parent.mkdir(parents=True, exist_ok=True)
  partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
  try:
    yield partial
    partial.rename(path)
  finally:
    shutil.rmtree(partial, ignore_errors=True)
