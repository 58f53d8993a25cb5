"""From video files to class probabilities."""

import functools
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np

from temporal_jax.data.parallel import run_in_order
from temporal_jax.data.protocol import EvalProtocol, check_mirrored
from temporal_jax.data.readers import open_reader
from temporal_jax.data.views import read_views
from temporal_jax.evaluation.predictions import Scores
from temporal_jax.evaluation.views import average_views
from temporal_jax.inference.classifier import Classifier
from temporal_jax.inference.prediction import Prediction
from temporal_jax.inference.saved_model import SavedModel, load_model

Path = str | os.PathLike


class Predictor:
  """Says what happens in videos.

  The views of one video after the other fill batches of one size, so that the
  network is compiled once, whatever videos come; only the last batch is filled
  up with zeros. Threads decode ahead of the device, and while the host takes
  the probabilities of a batch, the device computes the next.

  Attributes:
    saved: The network.
    protocol: Which views of a video it looks at, and how they are averaged.
    classifier: The network compiled; it counts how often it was.
  """

  def __init__(
    self,
    model: Path | SavedModel,
    *,
    protocol: EvalProtocol | None = None,
    batch_size: int = 8,
    num_threads: int = 4,
  ):
    """Prepares the network; it is compiled with the first video.

    Args:
      model: A directory that `convert_weights` or a run wrote, or what
        `load_model` read of it.
      protocol: Which views; those that the network was tested with, by default.
      batch_size: Views computed at once, B.
      num_threads: Videos decoded at a time.

    Raises:
      FileNotFoundError: If there is no network in the directory.
      ImportError: See `prepare_variables`.
      ValueError: If a number is below 1, the network does not look at RGB, the
        views would be mirrored where classes have a direction, or see
        `load_model` and `prepare_variables`.
    """
    if num_threads < 1:
      raise ValueError(f"num_threads must be at least 1, got {num_threads}.")
    self.saved = model if isinstance(model, SavedModel) else load_model(model)
    self.protocol = protocol or self.saved.protocol
    channels = self.saved.clip_shape[-1]
    if channels != 3:
      raise ValueError(
        f"{self.saved.name} looks at {channels} channels of optical flow; a "
        "video file holds RGB alone."
      )
    check_mirrored(self.protocol, self.saved.class_names)
    side = self.protocol.crop_size
    self.classifier = Classifier(
      self.saved,
      batch_size=batch_size,
      clip_shape=(self.protocol.num_frames, side, side, channels),
    )
    self._num_threads = num_threads

  def __call__(self, path: Path) -> Prediction:
    """Returns the prediction of a video; see `predict`."""
    return next(self.predict([path]))

  def predict(self, paths: Iterable[Path]) -> Iterator[Prediction]:
    """Yields the predictions of videos, in their order.

    A video that cannot be read has an `error` instead of probabilities, and the
    others go on.

    Args:
      paths: Video files, or folders of the pictures *.jpg of a video.

    Raises:
      ValueError: If the network does not take clips as they are, or see
        `average_views`.
    """
    # What is computed runs ahead of what is yielded.
    computed, yielded = itertools.tee(self._decoded(paths))
    scores = self._scores(view for video in computed for view in video.views)
    for video in yielded:
      if video.error is None:
        views = itertools.islice(scores, len(video.views))
        yield Prediction(video.file, self._average(list(views)))
      else:
        yield Prediction(video.file, None, video.error)

  def _decoded(self, paths: Iterable[Path]) -> Iterator["_Video"]:
    """Yields the views of videos; threads decode at least a batch ahead."""
    batch = -(-self.classifier.batch_size // self.protocol.num_views)
    return run_in_order(
      functools.partial(_read_views, protocol=self.protocol),
      paths,
      self._num_threads,
      ahead=batch + self._num_threads,
    )

  def _scores(self, views: Iterator[np.ndarray]) -> Iterator[Scores]:
    """Yields the probabilities of views (T, S, S, 3)."""
    size = self.classifier.batch_size
    begun: deque[tuple[Scores, int]] = deque()
    while batch := list(itertools.islice(views, size)):
      begun.append((self.classifier.start(np.stack(batch)), len(batch)))
      if len(begun) > 1:
        yield from _rows(*begun.popleft())
    for scores, count in begun:
      yield from _rows(scores, count)

  def _average(self, views: list[Scores]) -> Scores:
    """Returns the probabilities of a video from those of its views."""
    fusion = self.protocol.fusion
    return jax.tree.map(
      lambda *rows: average_views(np.stack(rows)[None], fusion=fusion)[0],
      *views,
    )


class _Video(NamedTuple):
  """A video's views (T, S, S, 3), or why there are none."""

  file: str
  views: Sequence[np.ndarray]
  error: str | None = None


def _read_views(path: Path, protocol: EvalProtocol) -> _Video:
  """Decodes the views of a video."""
  file = os.fspath(path)
  try:
    with open_reader(file) as reader:
      return _Video(file, read_views(reader, protocol, fps=reader.fps))
  except (OSError, ValueError) as error:
    return _Video(file, (), str(error).removesuffix("."))


def _rows(scores: Scores, count: int) -> Iterator[Scores]:
  """Waits for a batch and yields the first rows of it."""
  values = jax.tree.map(np.asarray, scores)
  for row in range(count):
    yield jax.tree.map(lambda array, row=row: array[row], values)
