"""Features of the videos of a folder in one file."""

import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.storage import whole_file

_BROKEN = (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)
_ARRAYS = ("features", "paths", "bytes", "mtime_ns")


class Entry(NamedTuple):
  """A video as it was when its features were computed.

  Attributes:
    num_bytes: Its size.
    mtime_ns: When it was changed, in ns.
    features: (D,) float32, of length 1.
  """

  num_bytes: int
  mtime_ns: int
  features: np.ndarray


class VideoIndex(NamedTuple):
  """Features of N videos, and of which network.

  Attributes:
    about: What features depend on besides the videos: "model", "sha256" of its
      variables, "pixels" and "protocol"; JSON.
    entries: The videos by their path from the folder.
  """

  about: Mapping[str, Any]
  entries: Mapping[str, Entry]


def save_index(file: str | os.PathLike, index: VideoIndex) -> None:
  """Writes an index of at least one video, never half."""
  sizes, times, features = zip(*index.entries.values(), strict=True)
  arrays = (np.stack(features), list(index.entries), sizes, times)
  with whole_file(file) as partial, partial.open("wb") as out:
    np.savez(
      out,
      about=json.dumps(index.about),
      **dict(zip(_ARRAYS, map(np.asarray, arrays), strict=True)),
    )


def load_index(file: str | os.PathLike) -> VideoIndex:
  """Reads what `save_index` wrote.

  Raises:
    OSError: If it cannot be opened.
    ValueError: If the file is no index.
  """
  try:
    with open(file, "rb") as opened, np.load(opened) as saved:
      about = json.loads(saved["about"].item())
      features, paths, sizes, times = (saved[name] for name in _ARRAYS)
    entries = {
      path: Entry(*entry)
      for path, *entry in zip(
        *(paths.tolist(), sizes.tolist(), times.tolist(), features),
        strict=True,
      )
    }
  except _BROKEN as error:
    raise ValueError(f"{file} is no index of videos: {error}.") from None
  return VideoIndex(about, entries)


def check_same(
  file: str | os.PathLike, found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
  """Refuses an index of another network or other views.

  Args:
    file: The index.
    found: What it is about.
    wanted: What it should be about.

  Raises:
    ValueError: If they differ; it says in what.
  """
  wanted = json.loads(json.dumps(wanted))
  for key in wanted:
    if found.get(key) != wanted[key]:
      raise ValueError(
        f"the index {file} was made with {key} {found.get(key)}, not "
        f"{wanted[key]}: name another file, or delete it to make it anew."
      )
