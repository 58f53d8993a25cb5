"""Inputs of a head for each video, computed once and kept on the disk."""

import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from temporal_jax import data
from temporal_jax.inference.score_files import Score, score_files
from temporal_jax.storage import user_caches, whole_file
from temporal_jax.untrusted.npy import open_npy


class HeadInputs(NamedTuple):
  """Inputs of a head.

  Attributes:
    rows: (n, V, T', D) float32 of n videos with V views each.
    numbers: Places of these videos in their source, (n,).
    bad: Videos that could not be read, with the reasons.
    computed: Number of videos that were not in the cache.
  """

  rows: np.ndarray
  numbers: np.ndarray
  bad: Mapping[str, str]
  computed: int


@dataclasses.dataclass(frozen=True)
class InputCache:
  """Computes inputs of a head, each once.

  A file of the cache has the rows of one video. Its name is a digest of the
  video's bytes, its labelled part and its views, in a folder of the network.

  Attributes:
    folder: Folder of the cache.
    network: Digest of the frozen network.
    protocol: Views of a video.
    input_shape: Shape (T', D) of a view's input.
    score: Maps clips to inputs, see `score_files`.
    num_threads: Videos that are read at a time.
  """

  folder: pathlib.Path
  network: str
  protocol: data.EvalProtocol
  input_shape: tuple[int, ...]
  score: Score
  num_threads: int

  def read(
    self, source: data.Source, on_bad: Callable[[str, str, int], None]
  ) -> HeadInputs:
    """Returns the inputs of all videos of a source that can be read.

    Args:
      source: The videos.
      on_bad: Called with name, reason and the number of videos for each that
        cannot be read; may raise.

    Raises:
      OSError: If the cache cannot be written.
    """
    place = self.folder / self.network[:16]
    place.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(self.num_threads) as pool:
      files = list(pool.map(lambda i: self._file(source[i], place), range(len(source))))
    rows: dict[int, np.ndarray] = {}
    bad: dict[str, str] = {}
    missing = []
    for number, file in enumerate(files):
      kept = self._kept(file)
      if kept is None:
        missing.append(number)
      else:
        rows[number] = kept
    videos = [source[number] for number in missing]
    scored = score_files(
      self.score, videos, self.protocol, num_threads=self.num_threads
    )
    for number, one in zip(missing, scored, strict=True):
      if one.error is not None:
        bad[one.file] = one.error
        on_bad(one.file, one.error, len(source))
        continue
      if files[number] is not None:
        _keep(files[number], one.rows)
      rows[number] = one.rows
    shape = (0, self.protocol.num_views, *self.input_shape)
    numbers = sorted(rows)
    together = np.stack([rows[n] for n in numbers]) if rows else np.zeros(shape)
    return HeadInputs(
      together.astype(np.float32),
      np.array(numbers, np.int64),
      bad,
      len(missing) - len(bad),
    )

  def _file(self, video: data.Video, place: pathlib.Path) -> pathlib.Path | None:
    """Returns the file of a video; None of one that cannot be read."""
    try:
      content = _digest(video["video"])
    except (OSError, data.VideoError):
      return None
    settings = [
      content,
      video.get("start"),
      video.get("stop"),
      dataclasses.asdict(self.protocol),
    ]
    text = json.dumps(settings, sort_keys=True)
    return place / f"{hashlib.sha256(text.encode()).hexdigest()}.npy"

  def _kept(self, file: pathlib.Path | None) -> np.ndarray | None:
    """Returns the rows in a file; None if it is missing or no such array."""
    if file is None or not file.is_file():
      return None
    shape = (self.protocol.num_views, *self.input_shape)
    try:
      with open_npy(file, "inputs of a head") as opened:
        kept = opened.read()
    except (OSError, ValueError):
      return None
    fits = kept.shape == shape and kept.dtype == np.float32
    return kept if fits and np.isfinite(kept).all() else None


def _keep(file: pathlib.Path, rows: np.ndarray) -> None:
  """Writes a file, whole."""
  with whole_file(file) as partial, partial.open("wb") as out:
    np.lib.format.write_array(out, np.ascontiguousarray(rows, np.float32))


def default_folder() -> pathlib.Path:
  """Returns the folder of the cache in the user's folder of caches."""
  return user_caches(os.environ) / "temporal_jax" / "features"


def _digest(video: Any) -> str:
  """Returns a digest of a video's bytes, or of all pictures of a folder.

  Raises:
    OSError: If they cannot be read.
    VideoError: If a tar file with the video has changed.
  """
  if isinstance(video, data.TarMember):
    video = video.read()
  if isinstance(video, bytes):
    return hashlib.sha256(video).hexdigest()
  path, pattern = video, ""
  if dataclasses.is_dataclass(video):  # Pictures of a pattern.
    path, pattern = video.folder, repr(dataclasses.replace(video, folder=""))
  if not os.path.isdir(path):
    return pattern + _of_file(path)
  files: Sequence[str] = sorted(
    os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names
  )
  parts = [[os.path.relpath(file, path), _of_file(file)] for file in files]
  return pattern + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _of_file(path: str | os.PathLike) -> str:
  with open(path, "rb") as file:
    return hashlib.file_digest(file, "sha256").hexdigest()
