"""Finds videos of a folder by text."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from temporal_jax.data.listing.scan_folder import list_videos
from temporal_jax.data.video.file_stamps import read_stamp
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.runtime.text_encoder import TextEncoder
from temporal_jax.inference.score_files import Scored, clip_shape, score_files
from temporal_jax.inference.text_search.video_encoder import VideoEncoder
from temporal_jax.inference.text_search.video_index import (
  Entry,
  VideoIndex,
  check_same,
  load_index,
  save_index,
)
from temporal_jax.saved_networks.variables import digest
from temporal_jax.validation import check_at_least

_SAVE_EVERY = 50  # Videos.

# Shows progress: gets an iterable and its length; yields its items.
Track = Callable[[Iterable[Scored], int], Iterable[Scored]]


class IndexUpdate(NamedTuple):
  """Result of an update of an index.

  Attributes:
    computed: Videos that are new in it, or changed.
    kept: Videos that were in it and did not change.
    gone: Paths of those that were in it and are not in the folder any more.
    bad: Why a video is not in it, by path.
  """

  computed: int
  kept: int
  gone: tuple[str, ...]
  bad: dict[str, str]


class Found(NamedTuple):
  """A video that was found.

  Attributes:
    file: Its path from the folder.
    similarity: Cosine of its features and the text's, in [-1, 1].
  """

  file: str
  similarity: float


class VideoSearch:
  """Finds videos by text; their features are computed once and kept in a file.

  A video's features are the mean of its views' features, each of length 1.
  Texts are compared with them as they are: the part that a network adds to a
  text for a clip needs the clip, and is left out.

  Attributes:
    saved: The network.
    file: File of the index.
    index: The videos that can be found.
    encode_text: Function that computes the features of texts.
  """

  def __init__(
    self, saved: SavedModel, file: str | os.PathLike, *, batch_size: int = 8
  ):
    """Reads the index, or begins an empty one.

    Args:
      saved: A network that reads texts.
      file: File of the index, a .npz; it need not exist.
      batch_size: Clips computed at once.

    Raises:
      FileNotFoundError: If the file's folder does not exist.
      ValueError: If the network reads no texts, or the file is no index or
        another network's.
    """
    self.saved = saved
    self.file = pathlib.Path(file).expanduser()
    about = {
      "model": saved.name,
      "sha256": saved.description.get("sha256") or digest(saved.variables),
      "pixels": saved.pixels,
      "protocol": dataclasses.asdict(saved.protocol),
    }
    if not self.file.parent.is_dir():
      raise FileNotFoundError(f"{self.file.parent} is no folder.")
    self.encode_text = TextEncoder(saved)
    self._encode_video = VideoEncoder(
      saved,
      batch_size=batch_size,
      clip_shape=clip_shape(saved.protocol),
    )
    self.index = VideoIndex(about, {})
    if self.file.exists():
      self.index = load_index(self.file)
      check_same(self.file, self.index.about, about)

  def update(
    self,
    root: str | os.PathLike,
    *,
    track: Track = lambda scored, total: scored,
  ) -> IndexUpdate:
    """Brings the index up to date with a folder.

    It may be stopped at any time and called again: computed features are kept,
    as are the features of files with the same size and time of change.

    Args:
      root: Folder; videos at any depth count.
      track: Shows progress.

    Raises:
      FileNotFoundError: If `root` is no folder.
      ValueError: If it holds no video, none of the index, or none that can be
        read, or the network's features of a video are NaN or infinite.
    """
    root = pathlib.Path(root).expanduser()
    paths = list_videos(root).videos
    if not paths:
      raise ValueError(f"there is no video in {root}.")
    known = self.index.entries
    gone = tuple(sorted(known.keys() - set(paths)))
    if known and len(gone) == len(known):
      raise ValueError(
        f"none of the {len(known)} videos of {self.file} is in {root}: name "
        "another file for the index of another folder, or delete this one."
      )
    stamps = {path: _stamp(root / path) for path in paths}
    entries = {
      path: known[path]
      for path in paths
      if path in known and known[path][:2] == stamps[path]
    }
    kept, bad = len(entries), {}
    todo = {str(root / path): path for path in paths if path not in entries}
    scored = score_files(self._encode_video, todo, self.saved.protocol)
    try:
      for file, rows, error in track(scored, len(todo)):
        path = todo[file]
        if error is not None:
          bad[path] = error
          continue
        check_finite(rows[None], [path])
        entries[path] = Entry(*stamps[path], _unit(rows.mean(axis=0)))
        if (len(entries) - kept) % _SAVE_EVERY == 0:
          self._save(entries)
    finally:
      if entries:
        self._save(entries)
    if not entries:
      path, error = next(iter(bad.items()))
      raise ValueError(f"no video in {root} can be read; {path}: {error}")
    return IndexUpdate(len(entries) - kept, kept, gone, bad)

  def __call__(self, text: str, k: int = 10) -> list[Found]:
    """Returns the k videos that fit a text best, the best first.

    Args:
      text: Description of the videos that are searched.
      k: Number of videos, at least 1.

    Raises:
      ImportError: If the extra "text" is not installed.
      ValueError: If the text is empty or too long, `k` is below 1, or the
        index is empty.
    """
    check_at_least("k", k, 1)
    if not self.index.entries:
      raise ValueError(f"the index {self.file} is empty: update it first.")
    (query,) = self.encode_text([text])
    features = np.stack([e.features for e in self.index.entries.values()])
    similarities = features @ _unit(query)
    files = list(self.index.entries)
    check_finite(similarities, files)
    best = np.argsort(-similarities, kind="stable")[:k]
    return [Found(files[i], float(similarities[i])) for i in best]

  def _save(self, entries: dict[str, Entry]) -> None:
    self.index = self.index._replace(entries=dict(sorted(entries.items())))
    save_index(self.file, self.index)


def _stamp(video: pathlib.Path) -> tuple[int, int]:
  """Returns a video's size and time of change; of one that is not there 0."""
  try:
    return tuple(read_stamp(video))
  except (OSError, VideoError):
    return 0, 0


def _unit(vector: np.ndarray) -> np.ndarray:
  """Returns a vector of length 1."""
  return vector / np.linalg.norm(vector)
