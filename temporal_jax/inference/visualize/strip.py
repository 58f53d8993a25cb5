"""Draws strips: frames of a clip in a row, with heat maps."""

import os
import textwrap
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

import matplotlib.axes
import matplotlib.cm
import matplotlib.figure
import numpy as np

from temporal_jax.display.picture_text import save_figure, short_label
from temporal_jax.inference.visualize.heat_colors import COLORS, paint

_CELL = 1.5  # Inches per frame.
_POINTS = (("o", "#00e5ff"), ("x", "#76ff03"))


class Row(NamedTuple):
  """Frames of a row of a strip, with their heat and their texts.

  Attributes:
    title: Text above the strip.
    frames: (T, H, W, 3) uint8.
    times: Text above each frame (T,), or () for none.
    maps: (T, h, w) in [0, 1] over the frames; None for only the frames.
    points: (T, 2, 2), drawn as o and x: x before y in [-1, 1], from the middle
      of the first place of a map to the middle of the last; NaN is not drawn.
      None for no points.
  """

  title: str
  frames: np.ndarray
  times: Sequence[str] = ()
  maps: np.ndarray | None = None
  points: np.ndarray | None = None


def save_strip(
  file: str | os.PathLike | BinaryIO,
  rows: Sequence[Row],
  *,
  title: str,
  unit: str,
  frames_shown: int = 8,
) -> None:
  """Draws rows of frames with heat on them, all frames in one size.

  Args:
    file: PNG to write, or a binary stream.
    rows: Rows of frames, at least one.
    title: Text above the whole picture.
    unit: Meaning of the colours from 0 to 1.
    frames_shown: Frames of a row, at most, evenly spread from first to last.

  Raises:
    ValueError: If there is no row.
  """
  if not rows:
    raise ValueError("there is nothing to draw.")
  columns = max(min(len(row.frames), frames_shown) for row in rows)
  rows = [
    row._replace(title=textwrap.fill(short_label(row.title, 160), 18 * columns))
    for row in rows
  ]
  heights = [_height(row) for row in rows]
  top = 0.4
  figure = matplotlib.figure.Figure(
    (_CELL * columns + 0.9, sum(heights) + top), layout="constrained"
  )
  figure.get_layout_engine().set(h_pad=0.02)
  figure.suptitle(
    textwrap.fill(short_label(title, 120), 14 * columns + 10), fontsize=12
  )
  left, right = figure.subfigures(1, 2, width_ratios=(_CELL * columns, 0.9))
  parts = left.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)
  for part, row in zip(parts[:, 0], rows, strict=True):
    part.suptitle(row.title, x=0.005, ha="left", fontsize=10)
    axes = part.subplots(1, columns, squeeze=False)[0]
    _draw(axes, row)
  _draw_scale(right, unit)
  save_figure(figure, file, dpi=110)


def _height(row: Row) -> float:
  """Returns the inches that a row needs."""
  height, width = row.frames.shape[1:3]
  lines = 1 + row.title.count("\n")
  return _CELL * height / width + 0.18 * lines + 0.2 * bool(row.times)


def _draw(grid: Sequence[matplotlib.axes.Axes], row: Row) -> None:
  """Draws the frames of a row."""
  count = min(len(row.frames), len(grid))
  shown = np.linspace(0, len(row.frames) - 1, count).round().astype(int)
  frames = row.frames[shown]
  if row.maps is not None:
    frames = paint(frames, row.maps[shown])
  for axes in grid:
    axes.set_axis_off()
  for axes, picture, place in zip(grid, frames, shown, strict=False):
    axes.imshow(picture)
    if row.times:
      axes.set_title(row.times[place], fontsize=9, pad=2)
    if row.points is not None:
      _draw_points(axes, row, place)


def _draw_points(axes: matplotlib.axes.Axes, row: Row, frame: int) -> None:
  """Draws the points of one frame."""
  sides = np.array(row.frames.shape[2:0:-1])  # Width, height.
  cells = np.array(row.maps.shape[2:0:-1])
  places = (row.points[frame] + 1) / 2 * (cells - 1) + 0.5
  for place, (marker, color) in zip(places, _POINTS, strict=True):
    x, y = place * sides / cells - 0.5
    axes.plot(x, y, marker=marker, ms=7, mew=2, mfc="none", color=color)


def _draw_scale(figure: matplotlib.figure.SubFigure, unit: str) -> None:
  """Draws the legend of the colours."""
  axes = figure.add_axes((0.15, 0.1, 0.2, 0.75))
  colors = matplotlib.cm.ScalarMappable(cmap=COLORS)
  figure.colorbar(colors, cax=axes).set_label(short_label(unit, 60), fontsize=9)
