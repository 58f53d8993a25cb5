"""Caches the frame indices of files that were decoded to index them."""

import collections
import hashlib
import os
import pathlib
import threading
from collections.abc import Hashable

from temporal_jax.data.video.decoded_frames import DecodedIndex
from temporal_jax.data.video.manifest import read_index, read_manifest

# For all indices together: about 100 MB.
_MOST_FRAMES = 1 << 24


class IndexCache:
  """Keeps indices by a key of their file. Safe to use from many threads."""

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
  """Returns a key of a file: its path, size and time of change.

  Raises:
    OSError: If it is not there.
  """
  status = os.stat(path)
  return os.path.abspath(path), status.st_size, status.st_mtime_ns


def content_key(content: bytes) -> Hashable:
  """Returns a key of a file's bytes."""
  return hashlib.blake2b(content).digest()


def keep_indices(manifest: str | pathlib.Path, root: str | pathlib.Path) -> int:
  """Keeps the indices in a manifest, so that no file is decoded for its own.

  A file that changed since the manifest was made is decoded again.

  Args:
    manifest: A file that `temporal-jax data check` wrote.
    root: The folder that was checked, or a list of videos in it.

  Returns:
    Number of indices.

  Raises:
    FileNotFoundError: If there is no manifest.
    ValueError: If it or an index in it is damaged.
  """
  if not os.path.isfile(manifest):
    raise FileNotFoundError(f"the manifest {manifest} does not exist.")
  if not os.path.isdir(root):
    root = os.path.dirname(root)
  count = 0
  for path, row in read_manifest(manifest).items():
    if not row.get("index"):
      continue
    try:
      index = read_index(row["index"])
    except ValueError as error:
      raise ValueError(f"{manifest}, {path}: {error}") from error
    place = os.path.abspath(os.path.join(root, path))
    CACHE.put((place, row.get("bytes"), row.get("mtime_ns")), index)
    count += 1
  return count
