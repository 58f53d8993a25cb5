"""Predicts class probabilities of video files."""

import os
from collections.abc import Iterable, Iterator

import jax
import numpy as np

from temporal_jax.data.labels import ClassNames
from temporal_jax.data.views.eval_protocol import EvalProtocol, check_mirrored
from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.evaluation.predictions import Scores
from temporal_jax.evaluation.view_fusion import average_views
from temporal_jax.inference.prediction import Prediction
from temporal_jax.inference.runtime.catalog_model import Weights, catalog_model
from temporal_jax.inference.runtime.classifier import Classifier
from temporal_jax.inference.runtime.saved_model import (
  PendingModel,
  SavedModel,
  begin_loading,
  outline_of,
)
from temporal_jax.inference.score_files import Path, clip_shape, score_files
from temporal_jax.validation import check_at_least


class Predictor:
  """Predicts the classes of videos.

  The views of one video after the other fill batches of one size, so that the
  network is compiled once, whatever videos come; only the last batch is filled
  up with zeros. Where fewer views come than a batch holds, it has their number.
  Threads decode ahead of the device, and while the host takes the probabilities
  of a batch, the device computes the next.

  Attributes:
    saved: The network.
    protocol: Views of a video, and how they are averaged.
    classifier: The network compiled; it counts how often it was.
  """

  def __init__(
    self,
    model: Path | SavedModel | PendingModel,
    *,
    weights: Weights | None = None,
    class_names: ClassNames = (),
    protocol: EvalProtocol | None = None,
    batch_size: int = 8,
    num_threads: int = 4,
    num_videos: int | None = None,
  ):
    """Prepares the network; it is compiled with the first video or before.

    Args:
      model: A directory that `convert_weights` or a run wrote, the
        result of `load_model` or `begin_loading`, or with `weights` a name of
        the catalog.
      weights: Variables of that network, or a directory of them; see
        `catalog_model`.
      class_names: Names of its classes; only together with `weights`.
      protocol: Views of a video; by default, the views of the network's test.
      batch_size: Views computed at once, at most; see `PaddedBatches.fit`.
      num_threads: Videos decoded at a time.
      num_videos: Videos that will come first, at least 1, if that is known: the
        network is compiled for them while the variables of a directory are
        read.

    Raises:
      FileNotFoundError: If there is no network in the directory.
      ImportError: See `prepare_variables`.
      ValueError: If a number is below 1, the network does not look at RGB, the
        views would be mirrored where classes have a direction, names are given
        without weights or these without a name, or see `load_model`,
        `catalog_model` and `prepare_variables`.
    """
    check_at_least("num_threads", num_threads, 1)
    if num_videos is not None:
      check_at_least("num_videos", num_videos, 1)
    model = _open(model, weights, class_names)
    outline = outline_of(model)
    self.protocol = protocol or outline.protocol
    outline.check_rgb()
    check_mirrored(self.protocol, outline.class_names)
    self.classifier = Classifier(
      model,
      batch_size=batch_size,
      clip_shape=clip_shape(self.protocol),
      expected=num_videos and num_videos * self.protocol.num_views,
    )
    self.saved = self.classifier.saved
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
      ValueError: If the network does not take clips as they are, its scores
        of a video are NaN or infinite, or see `average_views`.
    """
    scored = score_files(
      self.classifier, paths, self.protocol, num_threads=self._num_threads
    )
    for file, rows, error in scored:
      scores = None if error is not None else self._average(file, rows)
      yield Prediction(file, scores, error)

  def predict_views(self, file: str, views: np.ndarray) -> Prediction:
    """Returns the prediction of a video whose views are decoded.

    Args:
      file: The video's name.
      views: (V, T, S, S, 3) uint8, see `data.views.read_views`.

    Raises:
      ValueError: See `predict`.
    """
    return Prediction(file, self._average(file, self.classifier(views)))

  def _average(self, file: str, views: Scores) -> Scores:
    """Returns the probabilities of a video from its views' (V, L)."""
    fusion = self.protocol.fusion
    views = jax.tree.map(lambda rows: rows[None], views)
    check_finite(views, [file])
    return jax.tree.map(lambda rows: average_views(rows, fusion=fusion)[0], views)


def _open(
  model: Path | SavedModel | PendingModel,
  weights: Weights | None,
  class_names: ClassNames,
) -> SavedModel | PendingModel:
  is_opened = isinstance(model, SavedModel | PendingModel)
  if weights is not None and not is_opened:
    return catalog_model(os.fspath(model), weights, class_names=class_names)
  if weights is not None or class_names:
    raise ValueError(
      "weights go with a name of the catalog, and class_names with weights."
    )
  return model if is_opened else begin_loading(model)
