"""Computes the page's answer for a video file."""

import itertools
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.views.read_views import clip_indices, read_views
from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.inference.localize.localizer import Localizer
from temporal_jax.inference.localize.segments import Segment
from temporal_jax.inference.predictor import Predictor
from temporal_jax.inference.runtime.saved_model import PendingModel, SavedModel
from temporal_jax.inference.serving.downloads import (
  TaskScores,
  create_downloads,
  segment_downloads,
)
from temporal_jax.inference.serving.grad_cam_strip import GradCamStrip
from temporal_jax.inference.serving.introduction import introduce
from temporal_jax.inference.serving.sample import SampleClip, photograph
from temporal_jax.inference.watch.watch_video import predicted_classes
from temporal_jax.inference.watch.windows import SlidingWindows, Window, WindowClip

_BARS = 8  # Classes of a video that are shown.
_LINES = 5  # Classes whose probability is drawn over time.
_WINDOWS = 32  # A video has at most as many.
_WINDOW = 2.0  # Seconds.
_LEAST_SCORE = 0.2  # Segments with a lower score are not shown.
_SEGMENTS = 200  # A video has at most as many.
_LARGEST_RATE = 240  # Frames per second of the longest video.

_T = TypeVar("_T")


class VideoAnswerer:
  """Answers with the classes of a video over time, and with a Grad-CAM.

  Attributes:
    saved: The network.
    max_seconds: Length of the longest video.
    settings: Description of both on the page, see `load_page`.
    sample: A clip to try the page with, None if it cannot be made here.
  """

  def __init__(
    self,
    model: SavedModel | PendingModel,
    *,
    localizer: Localizer | None = None,
    max_seconds: float = 600.0,
    max_time: float = 300.0,
    batch_size: int = 8,
  ):
    """Compiles the network.

    Args:
      model: The network. If its variables are still being read, see
        `begin_loading`, it is compiled meanwhile.
      localizer: Finds segments in videos; None shows none.
      max_seconds: Length of the longest video that is looked at; it may have
        240 frames per second.
      max_time: Seconds that opening it and reading its frames may take.
      batch_size: Clips computed at once.

    Raises:
      ValueError: If a number is not above 0, the localizer's features are made
        by another network than it has, or see `Predictor`.
    """
    for name, value in (("max_seconds", max_seconds), ("max_time", max_time)):
      if not value > 0:
        raise ValueError(f"{name} must be above 0, got {value}.")
    if localizer is not None:
      localizer.extractor  # noqa: B018  It is refused now, not with a video.
    self._localizer = localizer
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
    self._names = {task: predicted_classes(saved, task) for task in tasks}
    self._strip = GradCamStrip(saved, task=tasks[0])
    detector = None if localizer is None else localizer.detector
    self.settings = {
      **introduce(saved, self._names, detector),
      "maxSeconds": max_seconds,
    }
    self.sample = None
    if max_seconds >= SampleClip.seconds and photograph().is_file():
      names = itertools.chain(*self._names.values())
      self.sample = SampleClip(names, saved.protocol.crop_size)

  def __call__(self, path: str | os.PathLike) -> dict[str, Any]:
    """Returns the page's answer to a video, as JSON.

    Args:
      path: The file.

    Returns:
      "frames" and "seconds", None of a single frame; "tasks", for each its
      "name", "predictions" (the likeliest classes: "label", "probability") and
      "timeline", None of a single frame ("labels" of classes, and "points":
      "start" and "end" in seconds, "probabilities"); "strip", see
      `GradCamStrip`; "segments", None without a localizer ("label", "start",
      "end" and "score" of each, the surest first); "downloads", see
      `create_downloads` and `segment_downloads`.

    Raises:
      VideoError: If it is no video, cannot be read, or is too long or large; or
        if the network's scores of it are NaN or infinite.
    """
    protocol = self.saved.protocol
    with VideoReader(
      path,
      time_limit=self._max_time,
      limits_all=True,
      max_frames=round(self.max_seconds * _LARGEST_RATE),
      square_pixels=protocol.square_pixels,
    ) as reader:
      total, fps = reader.num_frames, reader.fps
      if fps and total / fps > self.max_seconds:
        raise VideoError(
          f"the video has {total / fps:,.0f} s; at most "
          f"{self.max_seconds:g} s are looked at"
        )
      try:
        clips = list(self._windows(reader))
        views = read_views(reader, protocol, fps=fps)
        segments = self._segments(reader)
      except ValueError as error:
        raise VideoError(str(error)) from error
    over_time = self._classifier(np.stack([clip.frames for clip in clips]))
    try:
      check_finite(over_time)
      prediction = self._predictor.predict_views(os.fspath(path), views)
    except ValueError as error:  # The network gives NaN: the page shows that.
      raise VideoError(str(error)) from error
    likeliest = _by_task(
      prediction.record(self.saved.class_names, _BARS)["predictions"]
    )
    seconds = total / fps if fps else None
    over_time = _by_task(over_time)
    whole = _by_task(prediction.probabilities)
    scores = {
      task: _scores(task, names, whole[task], clips, over_time[task])
      for task, names in self._names.items()
    }
    return {
      "frames": total,
      "seconds": seconds,
      "tasks": [
        {
          "name": task or "",
          "predictions": likeliest[task],
          "timeline": _timeline(of_task) if fps else None,
        }
        for task, of_task in scores.items()
      ],
      "strip": self._look(clips, whole, over_time),
      "segments": segments and [one._asdict() for one in segments],
      "downloads": create_downloads(list(scores.values()), seconds)
      + (segment_downloads(segments) if segments else []),
    }

  def _segments(self, reader: VideoReader) -> list[Segment] | None:
    """Returns the segments that are shown; a single frame has none."""
    if self._localizer is None:
      return None
    if not reader.fps:
      return []
    found = self._localizer.of_reader(reader)
    return [one for one in found if one.score >= _LEAST_SCORE][:_SEGMENTS]

  def _look(
    self,
    clips: Sequence[WindowClip],
    scores: Mapping[str | None, np.ndarray],
    over_time: Mapping[str | None, np.ndarray],
  ) -> dict[str, Any]:
    """Returns the Grad-CAM of the first task's likeliest class."""
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


def _by_task(values: _T | Mapping[str, _T]) -> Mapping[str | None, _T]:
  """Returns values by task, of a single task by None."""
  return values if isinstance(values, Mapping) else {None: values}


def _scores(
  task: str | None,
  names: Sequence[str],
  whole: np.ndarray,
  clips: Sequence[WindowClip],
  over_time: np.ndarray,
) -> TaskScores:
  """Returns the scores of a task; `shown` are its bars, then its lines."""
  bars = np.argsort(-whole, kind="stable")[:_BARS]
  shown = dict.fromkeys([*bars.tolist(), *_lines(over_time)])
  windows = [
    Window(clip.start, clip.stop, row)
    for clip, row in zip(clips, over_time, strict=True)
  ]
  return TaskScores(task or "", names, list(shown), whole, windows)


def _lines(over_time: np.ndarray) -> list[int]:
  """Returns the classes (of L) that rise most in any window of (N, L)."""
  return np.argsort(-over_time.max(axis=0), kind="stable")[:_LINES].tolist()


def _timeline(scores: TaskScores) -> dict[str, Any]:
  """Returns the probabilities over time of the classes that rise most."""
  lines = _lines(np.stack([row.probabilities for row in scores.windows]))
  return {
    "labels": [scores.class_names[i] for i in lines],
    "points": [
      {
        "start": window.start,
        "end": window.stop,
        "probabilities": window.probabilities[lines].tolist(),
      }
      for window in scores.windows
    ],
  }
