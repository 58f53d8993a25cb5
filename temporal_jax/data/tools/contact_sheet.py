"""A picture of some videos of a data set with their classes."""

import pathlib
from collections.abc import Mapping

import numpy as np

from temporal_jax.data.augmentation.clip_sheet import draw_clips
from temporal_jax.data.labels import ClassNames, Label
from temporal_jax.data.sources import Source, Video
from temporal_jax.data.video.pictures import VideoError, crop_square
from temporal_jax.data.video.readers import open_reader
from temporal_jax.display import shortened

_SIDE = 112  # Pixels of a frame in the picture.


def save_contact_sheet(
  file: str | pathlib.Path,
  source: Source,
  *,
  videos_shown: int = 12,
  frames_shown: int = 8,
) -> None:
  """Draws videos as rows of frames, with class, name and number of frames.

  The videos are evenly spread over the source; a bad one is a black tile with
  the reason.

  Args:
    file: PNG to write.
    source: The videos.
    videos_shown: Videos drawn, at most.
    frames_shown: Frames of a video, evenly spread from first to last; the
      middle square of each.

  Raises:
    ValueError: If there is no video.
  """
  if not len(source):
    raise ValueError("there is no video to draw.")
  count = min(videos_shown, len(source))
  chosen = np.linspace(0, len(source) - 1, count).round().astype(int)
  clips, titles = [], []
  for index in chosen:
    video = source[int(index)]
    clip, about = _read(video, frames_shown)
    clips.append(clip)
    names = _named(video["label"], source.class_names)
    titles.append(f"{names}: {shortened(video['id'], 80)}, {about}")
  draw_clips(
    file,
    np.stack(clips).astype(np.float32) / 255,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    titles=titles,
    frames_shown=frames_shown,
  )


def _read(video: Video, count: int) -> tuple[np.ndarray, str]:
  """Returns frames (count, S, S, 3), and a text about the video."""
  try:
    with open_reader(video["video"]) as reader:
      total = reader.num_frames
      indices = np.linspace(0, total - 1, count).round().astype(int)
      frames = reader.pictures(indices, short_side=_SIDE)
  except VideoError as error:
    return np.zeros((count, _SIDE, _SIDE, 3), np.uint8), str(error)
  return crop_square(frames, _SIDE, None), f"{count} of {total} frames"


def _named(label: Label, class_names: ClassNames) -> str:
  """Returns the names of a label's classes."""
  if isinstance(class_names, Mapping):
    pairs = zip(label, class_names.values(), strict=True)
    return ", ".join(shortened(names[number]) for number, names in pairs)
  several = sorted(label) if isinstance(label, frozenset) else [label]
  names = [shortened(class_names[number]) for number in several]
  return ", ".join(names) or "no class"
