"""Classifies a long video over time, and writes files of the result."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from temporal_jax.data import VideoError, VideoReader
from temporal_jax.inference.runtime.classifier import Classifier
from temporal_jax.inference.runtime.saved_model import (
  PendingModel,
  SavedModel,
  outline_of,
)
from temporal_jax.inference.watch.timeline import Timeline, save_timeline
from temporal_jax.inference.watch.window_files import WRITERS, LabelledSpan, open_srt
from temporal_jax.inference.watch.windows import SlidingWindows, score_windows
from temporal_jax.storage import check_outputs
from temporal_jax.validation import check_choice, check_whole

FORMATS = (*WRITERS, "png")
TIME_LIMIT = 600.0  # Seconds: a long file is read once to find its frames.

# Shows spans as they come: gets them and the number to come; hands them on.
Track = Callable[[Iterable[LabelledSpan], int], Iterable[LabelledSpan]]


class Watched(NamedTuple):
  """Result of watching a video.

  Attributes:
    windows: Windows that were scored.
    expected: Windows that the video has.
    duration: Duration of the video, in seconds.
    error: Why not all windows were scored; None if they were.
  """

  windows: int
  expected: int
  duration: float
  error: str | None


def watch_video(
  video: str | os.PathLike,
  model: SavedModel | PendingModel,
  outputs: Mapping[str, str | os.PathLike],
  *,
  window: int | None = None,
  stride: int | None = None,
  rate: float | None = None,
  task: str | None = None,
  topk: int = 1,
  batch_size: int = 8,
  time_limit: float = TIME_LIMIT,
  threshold: float = 0.0,
  min_seconds: float = 0.0,
  track: Track = lambda spans, expected: spans,
) -> Watched:
  """Scores the windows of a video and writes them as they come.

  Of a video that is damaged midway, the windows before the damage are written.

  Args:
    video: The file.
    model: The network. If its variables are still being read, see
      `begin_loading`, it is compiled meanwhile.
    outputs: Files to write, by a name of `FORMATS`.
    window: See `SlidingWindows`; the frames of the network's clips by default.
    stride: See `SlidingWindows`; a quarter of a window by default.
    rate: See `SlidingWindows`.
    task: Name of the task to write, if the network has several.
    topk: Classes of a window that are written, at most, the best first.
    batch_size: Windows computed at once.
    time_limit: Seconds that finding the frames, and decoding one, may take.
    threshold: See `write_srt`.
    min_seconds: See `write_srt`.
    track: Shows the classes seen, or the progress.

  Raises:
    OSError: If a file cannot be written, see `storage.check_outputs`.
    ValueError: If the video cannot be opened, its frames are smaller than the
      network's or the network looks at flow, a number is out of its range, the
      task is none of the network's, two files are the same, one is the video,
      or see
      `PendingModel.wait`.
  """
  saved = outline_of(model)
  check_whole("topk", topk, 1)
  if not 0 <= threshold <= 1:
    raise ValueError(f"threshold must be in [0, 1], got {threshold}.")
  if not min_seconds >= 0:
    raise ValueError(f"min_seconds must be 0 or more, got {min_seconds}.")
  for form in outputs:
    check_choice("outputs", form, FORMATS)
  check_outputs(outputs, [video])
  names = predicted_classes(saved, task)
  saved.check_rgb()
  if window is None:
    window = saved.protocol.num_frames
  if stride is None:
    stride = max(1, window // 4)
  with contextlib.ExitStack() as opened:
    try:
      reader = opened.enter_context(
        VideoReader(
          video,
          time_limit=time_limit,
          square_pixels=saved.protocol.square_pixels,
        )
      )
    except VideoError as error:
      raise ValueError(f"{video}: {error}.") from error
    windows = SlidingWindows(
      reader, saved.protocol, window=window, stride=stride, rate=rate
    )
    classifier = Classifier(
      model,
      batch_size=batch_size,
      clip_shape=windows.clip_shape,
      expected=len(windows),
    )
    timeline = Timeline(len(windows), len(names), windows.duration)
    subtitles = functools.partial(
      open_srt, threshold=threshold, min_seconds=min_seconds
    )
    openers = {**WRITERS, "srt": subtitles}
    writers = [
      opened.enter_context(openers[form](file))
      for form, file in outputs.items()
      if form in WRITERS
    ]

    def labelled_spans() -> Iterator[LabelledSpan]:
      for one in score_windows(classifier, windows, task=task):
        timeline.add(one)
        yield LabelledSpan(one.start, one.stop, one.top(names, topk))

    count, damage = 0, None
    try:
      for span in track(labelled_spans(), len(windows)):
        for write in writers:
          write(span)
        count += 1
    except VideoError as error:
      damage = str(error)
  if "png" in outputs and count:
    title = os.path.basename(video)
    save_timeline(timeline, names, outputs["png"], title=title)
  return Watched(count, len(windows), windows.duration, damage)


def predicted_classes(saved: SavedModel, task: str | None = None) -> tuple[str, ...]:
  """Returns the names of the classes that a network predicts, or their numbers.

  Args:
    saved: The network.
    task: Name of the task, if the network has several.

  Raises:
    ValueError: If the task is none of the network's, or missing.
  """
  sizes, names = saved.description["num_classes"], saved.class_names
  if isinstance(sizes, Mapping):
    if task not in sizes:
      raise ValueError(
        f"{saved.name} has several tasks; task must be one of {list(sizes)}, "
        f"got {task!r}."
      )
    sizes, names = sizes[task], names[task] if names else ()
  elif task is not None:
    raise ValueError(f"{saved.name} has a single task, got task {task!r}.")
  return tuple(names) or tuple(map(str, range(sizes)))
