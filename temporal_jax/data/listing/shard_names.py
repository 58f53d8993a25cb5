"""Finds tar files by a folder, a path, or a pattern of paths."""

import glob
import itertools
import os
import pathlib
import re
from collections.abc import Iterator

from temporal_jax.data.listing.scan_folder import read_folder

SUFFIX = ".tar"
_COMPRESSED = re.compile(r"\.(tar\.\w+|tgz|tbz2?|txz)$", re.IGNORECASE)
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_MAX_SHARDS = 1_000_000


def names_shards(root: str | os.PathLike) -> bool:
  """Whether a path names tar files: one, a pattern, or a folder of them."""
  root = pathlib.Path(root)
  if not root.is_dir():
    return is_shard(root.name) or bool(_COMPRESSED.search(root.name))
  inside = read_folder(root)
  return not (inside.folders or inside.videos) and any(
    is_shard(name) or _COMPRESSED.search(name) for name in inside.others
  )


def refuse_shards(root: str | os.PathLike, task: str) -> None:
  """Raises ValueError if a path names tar files, which a task does not read."""
  if names_shards(root):
    raise ValueError(
      f"{task} reads video files, and {root} is tar files: a run and data inspect "
      f"read them as they are; tar -xf unpacks them for {task}."
    )


def is_shard(name: str) -> bool:
  """Whether a file is a tar file by its name."""
  return name.lower().endswith(SUFFIX)


def find_shards(root: str | os.PathLike) -> list[str]:
  """Returns the paths of tar files, sorted.

  Args:
    root: A folder that holds them; a file; or a pattern of files with `*`, `?`,
      `[...]`, and braces, `{train,test}-{000..009}.tar`.

  Raises:
    FileNotFoundError: If a file, or any that a pattern matches, is not there.
    ValueError: If a file is compressed, or braces are not closed.
  """
  root = pathlib.Path(root)
  if root.is_dir():
    names = read_folder(root).others
    packed = [name for name in names if _COMPRESSED.search(name)]
    found = [str(root / name) for name in names if is_shard(name)]
    if packed:
      raise ValueError(_compressed(str(root / packed[0])))
    return found
  if _COMPRESSED.search(root.name):
    raise ValueError(_compressed(str(root)))
  if root.exists():
    return [str(root)]
  paths: set[str] = set()
  for path in expand_braces(str(root)):
    matched = glob.glob(path) if glob.has_magic(path) else [path]
    paths.update(matched)
    if not matched or not all(map(os.path.exists, matched)):
      raise FileNotFoundError(f"data.root {root}: there is no file {path}.")
  return sorted(paths)


def expand_braces(pattern: str) -> Iterator[str]:
  """Yields the texts of a pattern with braces: "{a,b}-{08..10}" gives six.

  Raises:
    ValueError: If a brace has no partner, braces are in braces, or there are
      more than a million texts.
  """
  parts = _BRACES.split(pattern)  # Text and content of braces in turn.
  if any(brace in part for brace in "{}" for part in parts[::2]):
    raise ValueError(
      f"data.root {pattern} has a brace without its partner, or braces in braces."
    )
  choices = [
    [part] if place % 2 == 0 else _choices(part, pattern)
    for place, part in enumerate(parts)
  ]
  texts = map("".join, itertools.product(*choices))
  for number, text in enumerate(texts):
    if number == _MAX_SHARDS:
      raise ValueError(f"data.root {pattern} names more than {_MAX_SHARDS:,} files.")
    yield text


def _choices(content: str, pattern: str) -> list[str]:
  """Returns the texts of one pair of braces."""
  span = _RANGE.fullmatch(content)
  if not span:
    return content.split(",")
  first, last = int(span[1]), int(span[2])
  if not 0 <= last - first < _MAX_SHARDS:
    raise ValueError(
      f"data.root {pattern}: {{{content}}} must count up, by at most {_MAX_SHARDS:,}."
    )
  return [str(number).zfill(len(span[1])) for number in range(first, last + 1)]


def _compressed(path: str) -> str:
  return (
    f"{path} is compressed, so that its videos cannot be read by their place; "
    "unpack it to a file .tar, as gunzip does."
  )
