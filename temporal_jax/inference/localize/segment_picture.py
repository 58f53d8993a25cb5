"""A picture of the segments of a video: a row for each class."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.readers import open_reader
from temporal_jax.display.picture_text import new_figure, save_figure, short_label
from temporal_jax.inference.localize.segments import Localization, Segment
from temporal_jax.inference.watch.timeline import COLORS, OTHERS, mark_time

if TYPE_CHECKING:
  from matplotlib.axes import Axes

_FRAMES = 10  # A strip has as many.
_SHORT_SIDE = 120  # Pixels of its frames.
_WIDTH, _STRIP = 11.0, 9.0  # Inches of the figure, and of the strip, about.
_BAR = 0.62  # Height of a segment, in rows.
_FAINTEST = 0.25  # Strength of the colour of a segment of the score 0.
_WRITTEN = 0.035  # Part of the video that has room for a score.


class FilmStrip(NamedTuple):
  """Frames of a video, evenly spread: each in the middle of an equal part.

  Attributes:
    frames: (N, H, W, 3) uint8.
    duration: Seconds of the video.
  """

  frames: Sequence[np.ndarray]
  duration: float


def read_strip(video: str | os.PathLike, count: int = _FRAMES) -> FilmStrip:
  """Reads some frames of a video, from its start to its end.

  Args:
    video: The file, or a folder of pictures.
    count: Frames, at most.

  Raises:
    VideoError: If it cannot be read, or its frames per second are not known.
  """
  with open_reader(os.fspath(video)) as reader:
    if not reader.fps:
      raise VideoError("its frames per second are not known")
    total = reader.num_frames
    count = min(count, total)
    places = (2 * np.arange(count) + 1) * total // (2 * count)
    frames = reader.pictures(places.tolist(), short_side=_SHORT_SIDE)
    return FilmStrip(frames, total / reader.fps)


def save_segments(
  film: Localization,
  file: str | os.PathLike,
  *,
  strip: FilmStrip | None = None,
) -> None:
  """Draws the segments of a video along its time, under its frames.

  The classes are in the order of their best scores, eight at most; one more row
  has the segments of all others.

  Args:
    film: Segments of the film.
    file: PNG to write.
    strip: Frames of the video; None for none.

  Raises:
    ValueError: If the video could not be read.
  """
  if film.duration is None:
    raise ValueError(f"{film.file} has no segments: {film.error}.")
  rows = _rows(film.segments)
  height = 0.0
  if strip is not None:
    frame = strip.frames[0]
    part = _STRIP / len(strip.frames)
    height = min(part * frame.shape[0] / frame.shape[1], 2.0)
  figure = new_figure(_WIDTH, 1.3 + 0.42 * max(len(rows), 1) + height)
  if strip is None:
    axes = figure.subplots()
    top = axes
  else:
    ratios = (height, 0.5 + 0.42 * max(len(rows), 1))
    top, axes = figure.subplots(2, 1, sharex=True, height_ratios=ratios)
    _draw_frames(top, strip)
  for place, (_, color, segments) in enumerate(rows):
    _draw_row(axes, place, segments, color, film.duration)
  axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
  axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
  axes.tick_params(axis="y", length=0)
  if not rows:
    axes.text(0.5, 0.5, "no segment", transform=axes.transAxes, ha="center")
  mark_time(axes, film.duration)
  axes.set_axisbelow(True)
  axes.spines[["top", "right", "left"]].set_visible(False)
  top.set_title(short_label(os.path.basename(film.file)), loc="left")
  count = len(film.segments)
  words = f"{count} segment{'' if count == 1 else 's'}; darker: surer"
  top.set_title(words, loc="right", fontsize=9, color="0.4")
  save_figure(figure, file, dpi=120)


def _rows(
  segments: Sequence[Segment],
) -> list[tuple[str, str, list[Segment]]]:
  """Returns name, colour and segments of each row."""
  by_label: dict[str, list[Segment]] = {}
  for one in sorted(segments, key=lambda one: -one.score):
    by_label.setdefault(one.label, []).append(one)
  labels = list(by_label)
  shown = labels if len(labels) <= len(COLORS) + 1 else labels[: len(COLORS)]
  colors = (*COLORS, OTHERS)
  rows = [
    (short_label(label, 28), color, by_label[label])
    for label, color in zip(shown, colors, strict=False)
  ]
  if others := labels[len(shown) :]:
    found = [one for label in others for one in by_label[label]]
    rows.append((f"{len(others)} others", OTHERS, found))
  return rows


def _draw_row(
  axes: "Axes", place: int, segments: Sequence[Segment], color: str, duration: float
) -> None:
  """Draws the segments of a class, the surest over the others."""
  for one in reversed(segments):
    axes.barh(
      place,
      one.end - one.start,
      left=one.start,
      height=_BAR,
      color=_faded(color, _FAINTEST + (1 - _FAINTEST) * min(one.score, 1.0)),
      edgecolor="white",
      linewidth=0.8,
    )
  for number, one in enumerate(segments):
    better = segments[:number]
    is_free = all(one.end <= other.start or one.start >= other.end for other in better)
    if is_free and one.end - one.start > _WRITTEN * duration:
      axes.text(
        (one.start + one.end) / 2,
        place,
        f"{one.score:.0%}",
        ha="center",
        va="center",
        fontsize=8,
        color="white" if one.score > 0.5 else "0.1",
      )


def _faded(color: str, strength: float) -> tuple[float, ...]:
  """Returns a colour on white; one that is not opaque would show the grid."""
  from matplotlib.colors import to_rgb

  return tuple(1 - strength * (1 - part) for part in to_rgb(color))


def _draw_frames(axes: "Axes", strip: FilmStrip) -> None:
  """Draws frames next to each other along the time of a video."""
  part = strip.duration / len(strip.frames)
  for number, frame in enumerate(strip.frames):
    extent = (number * part, (number + 0.97) * part, 0.0, 1.0)
    axes.imshow(frame, extent=extent, aspect="auto")
  axes.set(xlim=(0, strip.duration), ylim=(0, 1), yticks=[])
  axes.tick_params(axis="x", length=0, labelbottom=False)
  axes.spines[:].set_visible(False)
