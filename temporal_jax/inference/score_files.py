"""Applies a function of clips to the views of files."""

import functools
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from temporal_jax.data.pipeline.clips import labelled_span
from temporal_jax.data.sources import Video
from temporal_jax.data.video.readers import open_reader
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.read_views import read_views
from temporal_jax.thread_map import run_in_order

Path = str | os.PathLike


class Score(Protocol):
  """A function of clips, compiled for batches of one size.

  Attributes:
    batch_size: Clips computed at once, B.
  """

  batch_size: int

  def fit(self, total: int) -> None:
    """Chooses B by the number of clips to come."""

  def start(self, clips: np.ndarray) -> Any:
    """Begins with up to B clips (N, T, H, W, 3), and returns arrays (B, K)."""


class Scored(NamedTuple):
  """A file's rows, or why it has none.

  Attributes:
    file: Its path, or its id in a source.
    rows: (V, K) of V views, or a dict with one entry per task; None of a file
      that cannot be read.
    error: Why it cannot; None of one that was.
  """

  file: str
  rows: Any
  error: str | None


def score_files(
  score: Score,
  files: Iterable[Path | Video],
  protocol: EvalProtocol,
  *,
  num_threads: int = 4,
) -> Iterator[Scored]:
  """Yields the result of `score` for each file, in their order.

  The views of one file after the other fill batches of one size, so that one
  compilation serves whatever files come; only the last batch is filled up with
  zeros. Where fewer views come than fit into a batch, it has their number: one
  video is computed as fast as its views allow. Threads decode ahead of the
  device, and while the host takes the rows of a batch, the device computes the
  next.

  Args:
    score: Function from the views of a video to the result.
    files: Paths of videos, or folders of the pictures *.jpg of a video, or
      videos of a source; of a list the number is known, of a generator it is
      not.
    protocol: Views of each file.
    num_threads: Files decoded at a time.
  """
  if isinstance(files, Sized) and files:
    score.fit(len(files) * protocol.num_views)
  batch = -(-score.batch_size // protocol.num_views)
  videos = run_in_order(
    functools.partial(_read_views, protocol=protocol),
    files,
    num_threads,
    ahead=batch + num_threads,
  )
  # Computed videos run ahead of yielded ones.
  computed, yielded = itertools.tee(videos)
  rows = _rows_of_views(score, (view for video in computed for view in video.views))
  for video in yielded:
    if video.error is not None:
      yield Scored(video.file, None, video.error)
      continue
    of_video = itertools.islice(rows, len(video.views))
    together = jax.tree.map(lambda *values: np.stack(values), *of_video)
    yield Scored(video.file, together, None)


def clip_shape(protocol: EvalProtocol) -> tuple[int, int, int, int]:
  """Returns (T, S, S, 3) of the clips of a protocol."""
  return protocol.num_frames, protocol.crop_size, protocol.crop_size, 3


class _Video(NamedTuple):
  """A video's views (T, S, S, 3), or why there are none."""

  file: str
  views: Sequence[np.ndarray]
  error: str | None = None


def _read_views(video: Path | Video, protocol: EvalProtocol) -> _Video:
  """Decodes the views of a video."""
  if not isinstance(video, dict):
    video = {"id": os.fspath(video), "video": os.fspath(video)}
  try:
    with open_reader(video["video"], square_pixels=protocol.square_pixels) as reader:
      span = labelled_span(reader, video)
      views = read_views(reader, protocol, fps=reader.fps, span=span)
      return _Video(video["id"], views)
  except (OSError, ValueError) as error:
    return _Video(video["id"], (), str(error).removesuffix("."))


def _rows_of_views(score: Score, views: Iterator[np.ndarray]) -> Iterator[Any]:
  """Yields the row (K,) of each view (T, S, S, 3), or a dict of them."""
  begun: deque[tuple[Any, int]] = deque()
  while batch := list(itertools.islice(views, score.batch_size)):
    begun.append((score.start(np.stack(batch)), len(batch)))
    if len(begun) > 1:
      yield from _rows(*begun.popleft())
  for scores, count in begun:
    yield from _rows(scores, count)


def _rows(scores: Any, count: int) -> Iterator[Any]:
  """Waits for a batch and yields the first rows of it."""
  values = jax.tree.map(np.asarray, scores)
  for row in range(count):
    yield jax.tree.map(lambda array, row=row: array[row], values)
