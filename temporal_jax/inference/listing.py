"""Which videos a person means."""

import glob
import os
import pathlib
from collections.abc import Sequence

from temporal_jax.data import checking
from temporal_jax.data.files import SUFFIXES
from temporal_jax.data.regular_files import check_no_address


def list_videos(words: Sequence[str]) -> list[str]:
  """Returns the files that words stand for; each file once, where it is first.

  A folder stands for the videos in it at any depth, sorted, and a pattern with
  *, ?, [] or ** for what it matches, sorted: files whatever their suffix, and
  folders. Any other word is a file, which need not exist: who reads it says so.

  Args:
    words: Files, folders and patterns; ~ is the home folder.

  Raises:
    ValueError: If a folder holds no video, or a pattern matches none.
  """
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
        f"{', '.join(SUFFIXES)}."
      )
    return files
  if os.path.exists(word) or not glob.has_magic(word):
    return [word]
  check_no_address(word)
  files = []
  for path in sorted(glob.glob(word, recursive=True)):
    files += _in_folder(path) if os.path.isdir(path) else [path]
  if not files:
    raise ValueError(f"no video matches {word}.")
  return files


def _in_folder(folder: str) -> list[str]:
  videos, _ = checking.list_videos(pathlib.Path(folder))
  return [os.path.join(folder, video) for video in videos]
