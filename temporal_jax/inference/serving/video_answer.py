"""From a video file to all that the page shows of it."""

import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.views.read_views import clip_indices
from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.inference.predictor import Predictor
from temporal_jax.inference.runtime.saved_model import PendingModel, SavedModel
from temporal_jax.inference.serving.strip import GradCamStrip
from temporal_jax.inference.watch.watch_video import told_classes
from temporal_jax.inference.watch.windows import SlidingWindows, WindowClip

_BARS = 8  # Classes of a video that are shown.
_LINES = 5  # Classes whose probability is drawn over time.
_WINDOWS = 32  # Of a video, at most.
_WINDOW = 2.0  # Seconds.

_T = TypeVar("_T")


class VideoAnswerer:
  """Says what is in a video, when, and where the network looked.

  Attributes:
    saved: The network.
    max_seconds: Length of the longest video.
    settings: What the page tells of both, see `load_page`.
  """

  def __init__(
    self,
    model: SavedModel | PendingModel,
    *,
    max_seconds: float = 600.0,
    max_time: float = 300.0,
    batch_size: int = 8,
  ):
    """Compiles the network.

    Args:
      model: The network. If its variables are still being read, see
        `begin_loading`, it is compiled meanwhile.
      max_seconds: Length of the longest video that is looked at.
      max_time: Seconds that reading its frames may take.
      batch_size: Clips computed at once.

    Raises:
      ValueError: If a number is not above 0, or see `Predictor`.
    """
    for name, value in (("max_seconds", max_seconds), ("max_time", max_time)):
      if not value > 0:
        raise ValueError(f"{name} must be above 0, got {value}.")
    self.max_seconds = max_seconds
    self._max_time = max_time
    # As many as fill a batch: pages ask for all windows of a video at once.
    self._predictor = Predictor(model, batch_size=batch_size, num_videos=batch_size)
    self.saved = saved = self._predictor.saved
    self._classifier = self._predictor.classifier
    shape = self._classifier.clip_shape
    self._classifier(np.zeros((1, *shape), np.uint8))
    sizes = saved.description["num_classes"]
    tasks = list(sizes) if isinstance(sizes, Mapping) else [None]
    self._names = {task: told_classes(saved, task) for task in tasks}
    self._strip = GradCamStrip(saved, task=tasks[0])
    self.settings = {
      "model": saved.name,
      "classes": sum(len(names) for names in self._names.values()),
      "clip": shape[:3],
      "maxSeconds": max_seconds,
    }

  def __call__(self, path: str | os.PathLike) -> dict[str, Any]:
    """Returns what the page shows of a video, as JSON.

    Args:
      path: The file.

    Returns:
      "frames" and "seconds", None of a single frame; "tasks", for each its
      "name", "predictions" (the likeliest classes: "label", "probability") and
      "timeline", None of a single frame ("labels" of classes, and "points":
      "start" and "end" in seconds, "probabilities"); "strip", see
      `GradCamStrip`.

    Raises:
      VideoError: If it is no video, cannot be read, or is too long or large; or
        if the network's scores of it are NaN or infinite.
    """
    square = self.saved.protocol.square_pixels
    with VideoReader(path, square_pixels=square) as reader:
      total, fps = reader.num_frames, reader.fps
      if fps and total / fps > self.max_seconds:
        raise VideoError(
          f"the video has {total / fps:,.0f} s; at most "
          f"{self.max_seconds:g} s are looked at"
        )
      try:
        clips = list(_in_time(self._windows(reader), self._max_time))
      except ValueError as error:
        raise VideoError(str(error)) from error
    over_time = self._classifier(np.stack([clip.frames for clip in clips]))
    try:
      check_finite(over_time)
      prediction = self._predictor(path)
    except ValueError as error:  # The network gives NaN: the page says so.
      raise VideoError(str(error)) from error
    if prediction.error is not None:
      raise VideoError(prediction.error)
    likeliest = _by_task(
      prediction.record(self.saved.class_names, _BARS)["predictions"]
    )
    over_time = _by_task(over_time)
    return {
      "frames": total,
      "seconds": total / fps if fps else None,
      "tasks": [
        {
          "name": task or "",
          "predictions": likeliest[task],
          "timeline": _timeline(clips, over_time[task], names) if fps else None,
        }
        for task, names in self._names.items()
      ],
      "strip": self._look(clips, _by_task(prediction.probabilities), over_time),
    }

  def _look(
    self,
    clips: Sequence[WindowClip],
    scores: Mapping[str | None, np.ndarray],
    over_time: Mapping[str | None, np.ndarray],
  ) -> dict[str, Any]:
    """Returns where the first task's likeliest class was seen best."""
    task, names = next(iter(self._names.items()))
    label = int(scores[task].argmax())
    best = int(over_time[task][:, label].argmax())
    return self._strip(clips[best], label, names[label])

  def _windows(self, reader: VideoReader) -> SlidingWindows:
    """Returns at most `_WINDOWS` windows from the start to the end.

    They are as long as the clips of tests. Where these span most of the video,
    as segments of it do, windows are `_WINDOW` seconds, or a quarter of it.
    """
    total, protocol = reader.num_frames, self.saved.protocol
    shortest = protocol.num_frames
    clip = clip_indices(protocol, total, reader.fps)[0]
    apart = np.ptp(clip) / max(shortest - 1, 1)
    window = round(shortest * apart)
    if 2 * window > total:
      window = min(round(_WINDOW * (reader.fps or 1)), total // 4)
    window = max(window, shortest)
    left = max(total - window, 0)
    stride = max(1, window // 4, math.ceil(left / (_WINDOWS - 1)))
    return SlidingWindows(reader, protocol, window=window, stride=stride)


def _in_time(clips: Iterable[WindowClip], seconds: float) -> Iterator[WindowClip]:
  """Yields clips as long as there is time."""
  deadline = time.monotonic() + seconds
  for clip in clips:
    if time.monotonic() > deadline:
      raise VideoError(f"reading the video takes more than {seconds:g} s")
    yield clip


def _by_task(values: _T | Mapping[str, _T]) -> Mapping[str | None, _T]:
  """Returns values by task, of a single task by None."""
  return values if isinstance(values, Mapping) else {None: values}


def _timeline(
  clips: Sequence[WindowClip], scores: np.ndarray, names: Sequence[str]
) -> dict[str, Any]:
  """Returns the probabilities over time of the classes that ever rise most."""
  best = np.argsort(-scores.max(axis=0), kind="stable")[:_LINES]
  return {
    "labels": [names[i] for i in best],
    "points": [
      {
        "start": clip.start,
        "end": clip.stop,
        "probabilities": row[best].tolist(),
      }
      for clip, row in zip(clips, scores, strict=True)
    ],
  }
