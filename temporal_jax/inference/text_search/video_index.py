"""Index of the videos of a folder: their features in one file."""

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.storage import whole_file
from temporal_jax.untrusted.json_text import parse_json
from temporal_jax.untrusted.npz import check_arrays, open_npz

_ARRAYS = ("features", "paths", "bytes", "mtime_ns")


class Entry(NamedTuple):
  """A video as it was when its features were computed.

  Attributes:
    num_bytes: Its size.
    mtime_ns: Time of its last change, in ns.
    features: (D,) float32, of length 1.
  """

  num_bytes: int
  mtime_ns: int
  features: np.ndarray


class VideoIndex(NamedTuple):
  """Features of N videos, and of which network.

  Attributes:
    about: Facts that features depend on, except the videos: "model", "sha256"
      of its variables, "pixels" and "protocol"; JSON.
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
  """Reads a file of `save_index`.

  Raises:
    OSError: If it cannot be opened.
    ValueError: If the file is no index.
  """
  with open_npz(file, "index of videos") as saved:
    check_arrays(saved.declared, {"paths": ("text", (None,))})
    count = saved.declared["paths"].shape[0]
    numbers = ("integer", (count,))
    check_arrays(
      saved.declared,
      {
        "about": ("text", ()),
        "features": ("float", (count, None)),
        "bytes": numbers,
        "mtime_ns": numbers,
      },
    )
    about = parse_json(saved.read("about").item(), "about")
    if not isinstance(about, dict):
      raise ValueError("the entry about must be a JSON object")
    features, paths, sizes, times = map(saved.read, _ARRAYS)
    check_finite(features, paths.tolist(), "features")
    entries = {
      path: Entry(*entry)
      for path, *entry in zip(
        paths.tolist(),
        sizes.tolist(),
        times.tolist(),
        features,
        strict=True,
      )
    }
    if len(entries) < count:
      raise ValueError("paths must be distinct")
  return VideoIndex(about, entries)


def check_same(
  file: str | os.PathLike, found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
  """Refuses an index of another network or other views.

  Args:
    file: The index.
    found: Description of the network and the views in the file.
    wanted: Description of the network and the views that are needed.

  Raises:
    ValueError: If they differ; it names the difference.
  """
  wanted = json.loads(json.dumps(wanted))
  for key in wanted:
    if found.get(key) != wanted[key]:
      raise ValueError(
        f"the index {file} was made with {key} {found.get(key)}, not "
        f"{wanted[key]}: name another file, or delete it to make it anew."
      )
