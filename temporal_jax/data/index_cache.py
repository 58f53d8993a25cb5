"""Indices of files that were decoded to index them, kept for the next time."""

import collections
import hashlib
import os
import pathlib
import threading
from collections.abc import Hashable, Mapping
from typing import Any

from temporal_jax.data.decoded_index import DecodedIndex

# Of all indices together: about 100 MB.
_MOST_FRAMES = 1 << 24


class IndexCache:
  """Keeps indices by what identifies a file. Safe to use from many threads."""

  def __init__(self, most_frames: int = _MOST_FRAMES):
    """Keeps the indices used last, of `most_frames` frames together."""
    self._most_frames = most_frames
    self._num_frames = 0
    self._lock = threading.Lock()
    self._kept: collections.OrderedDict[Hashable, DecodedIndex] = (
      collections.OrderedDict()
    )

  def get(self, key: Hashable) -> DecodedIndex | None:
    """Returns the index kept for a key, if any."""
    with self._lock:
      if key in self._kept:
        self._kept.move_to_end(key)
      return self._kept.get(key)

  def put(self, key: Hashable, index: DecodedIndex) -> None:
    """Keeps an index, instead of those that were not used for longest."""
    with self._lock:
      if key in self._kept:
        self._num_frames -= len(self._kept.pop(key).ticks)
      self._kept[key] = index
      self._num_frames += len(index.ticks)
      while self._num_frames > self._most_frames:
        _, oldest = self._kept.popitem(last=False)
        self._num_frames -= len(oldest.ticks)


CACHE = IndexCache()


def path_key(path: str) -> Hashable:
  """Returns what identifies a file: its path, size and time of change.

  Raises:
    OSError: If it is not there.
  """
  status = os.stat(path)
  return os.path.abspath(path), status.st_size, status.st_mtime_ns


def content_key(content: bytes) -> Hashable:
  """Returns what identifies a file's bytes."""
  return hashlib.blake2b(content).digest()


def keep_indices(
  root: str | pathlib.Path, rows: Mapping[str, Mapping[str, Any]]
) -> int:
  """Keeps the indices in the rows of a manifest.

  Files that changed since the manifest was made are decoded again.

  Args:
    root: Folder that the paths of the manifest start from.
    rows: Rows of `temporal-jax data check` by path.

  Returns:
    How many rows hold an index.

  Raises:
    ValueError: If an index is damaged, naming its path.
  """
  count = 0
  for path, row in rows.items():
    if not row.get("index"):
      continue
    try:
      index = DecodedIndex.from_json(row["index"])
    except ValueError as error:
      raise ValueError(f"{path}: {error}") from error
    place = os.path.abspath(os.path.join(root, path))
    CACHE.put((place, row["bytes"], row["mtime_ns"]), index)
    count += 1
  return count
