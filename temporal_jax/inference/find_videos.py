"""Expands files, folders and glob patterns into a list of videos."""

import glob
import itertools
import os
import pathlib
from collections.abc import Sequence

from temporal_jax.data.listing import scan_folder
from temporal_jax.data.listing.file_names import SUFFIXES, is_hidden
from temporal_jax.data.listing.regular_files import check_no_address


def list_videos(words: Sequence[str]) -> list[str]:
  """Returns the files that the words name; each file once, where it is first.

  A folder means the videos in it at any depth, sorted: files, and folders of
  numbered pictures, maybe itself. A pattern with *, ?, [] or ** means the paths
  that it matches, sorted: files whatever their suffix, and folders. What is
  hidden or made by a machine is left out, see `file_names.is_hidden`. Any other
  word is a file, which need not exist: reading it raises an error.

  Args:
    words: Files, folders and patterns; ~ is the home folder.

  Raises:
    TypeError: If `words` is one word, not a sequence of them.
    ValueError: If a folder holds no video, or a pattern matches none.
  """
  if isinstance(words, str):
    raise TypeError(f"words must be a sequence of words, got one: {words!r}.")
  found: dict[str, str] = {}
  for word in words:
    for file in _files(os.path.expanduser(word)):
      found.setdefault(os.path.abspath(file), file)
  return list(found.values())


def _files(word: str) -> list[str]:
  if os.path.isdir(word):
    files = _in_folder(word)
    if not files:
      raise ValueError(
        f"{word} holds no video; files must end in one of "
        f"{', '.join(SUFFIXES)}, or be numbered pictures in a folder."
      )
    return files
  if os.path.exists(word) or not glob.has_magic(word):
    return [word]
  check_no_address(word)
  files = []
  root = fixed_part(word)
  for path in sorted(glob.glob(word, recursive=True)):
    # Names that begin with a dot are only matched by patterns that have it.
    found = pathlib.Path(os.path.relpath(path, root)).parts
    if any(is_hidden(part) for part in found if part[0] != "."):
      continue
    files += _in_folder(path) if os.path.isdir(path) else [path]
  if not files:
    raise ValueError(f"no video matches {word}.")
  return files


def _in_folder(folder: str) -> list[str]:
  return [
    os.path.normpath(folder) if video == "." else os.path.join(folder, video)
    for video in scan_folder.list_videos(folder).videos
  ]


def fixed_part(pattern: str) -> pathlib.Path:
  """Returns the folder that a pattern of `glob` begins with."""
  parts = pathlib.Path(pattern).parts
  return pathlib.Path(
    *itertools.takewhile(lambda part: not glob.has_magic(part), parts)
  )
