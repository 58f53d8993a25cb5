"""Draws the classes of a long video over time."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from temporal_jax.display.picture_text import new_figure, save_figure, short_label
from temporal_jax.inference.watch.window_files import clock
from temporal_jax.inference.watch.windows import Window

if TYPE_CHECKING:
  from matplotlib.axes import Axes

COLORS = (
  "#4c72b0",
  "#dd8452",
  "#1a7f37",
  "#c0392b",
  "#8172b3",
  "#937860",
  "#da8bc3",
  "#2a9d8f",
)
OTHERS = "#6b6b6b"
_FEW = 3  # Rows drawn even where fewer classes are ever the most probable.
_HEIGHT = 0.85  # Height of a probability of 1, in rows.
_MARKS = (  # Seconds from one to the next.
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  14400,
  28800,
  86400,
)


class Timeline:
  """Probabilities over the time of a video, however long, for a picture.

  Of more windows than the picture has columns, neighbours share a column, which
  keeps their mean.

  Attributes:
    duration: Duration of the video, in seconds.
    tops: (L,) in how many windows each class was the most probable one.
  """

  def __init__(
    self,
    num_windows: int,
    num_classes: int,
    duration: float,
    *,
    columns: int = 1000,
  ):
    """Makes room for the windows of a video.

    Args:
      num_windows: Windows that will be added, at most.
      num_classes: Number of classes, L.
      duration: Duration of the video, in seconds.
      columns: Columns of the picture, at most.
    """
    self.duration = duration
    self.tops = np.zeros(num_classes, int)
    columns = min(num_windows, columns)
    self._num_windows = num_windows
    self._counts = np.zeros(columns, int)
    self._sums = np.zeros((columns, num_classes))
    self._spans = np.zeros((columns, 2))

  def add(self, window: Window) -> None:
    """Adds the next window."""
    column = int(self.tops.sum()) * len(self._counts) // self._num_windows
    if not self._counts[column]:
      self._spans[column, 0] = window.start
    self._spans[column, 1] = window.stop
    self._counts[column] += 1
    self._sums[column] += window.probabilities
    self.tops[window.probabilities.argmax()] += 1

  def columns(self) -> tuple[np.ndarray, np.ndarray]:
    """Returns the probabilities over time, of the windows so far.

    Returns:
      Start and stop of each column (n, 2), in seconds: where windows overlap,
      in the middle of the overlap. And their mean probabilities (n, L).
    """
    known = self._counts > 0
    spans = self._spans[known]
    overlaps = np.maximum(spans[:-1, 1] - spans[1:, 0], 0)
    spans[:-1, 1] -= overlaps / 2
    spans[1:, 0] += overlaps / 2
    return spans, self._sums[known] / self._counts[known, None]


def save_timeline(
  timeline: Timeline,
  class_names: Sequence[str],
  file: str | os.PathLike,
  *,
  title: str = "",
) -> None:
  """Draws a row for each of the classes that are most often on top, 8 at most.

  Its height is the probability of the class, dark where no other's is higher.
  One more row is for all other classes that are ever on top. The part of the
  video that no window shows is grey.

  Args:
    timeline: Timeline of the video.
    class_names: Names of the L classes.
    file: PNG to write.
    title: Name of the video.

  Raises:
    ValueError: If there is no window.
  """
  spans, means = timeline.columns()
  if not len(spans):
    raise ValueError("there is no window to draw.")
  order = np.lexsort((-means.mean(axis=0), -timeline.tops))
  ever = np.count_nonzero(timeline.tops)
  shown = order[: min(len(COLORS), max(ever, _FEW))]
  groups = [
    (short_label(class_names[one]), color, [one])
    for one, color in zip(shown, COLORS, strict=False)
  ]
  others = order[len(shown) : ever]
  if others.size:
    groups.append((f"{others.size} others", OTHERS, others))
  figure = new_figure(11, 1.4 + 0.5 * len(groups))
  axes = figure.subplots()
  best, windows = means.argmax(axis=1), timeline.tops.sum()
  for row, (_, color, classes) in enumerate(groups):
    values = means[:, classes].max(axis=1)
    _draw_row(axes, row, spans, values, np.isin(best, classes), color)
    share = f"{timeline.tops[classes].sum() / windows:.0%}"
    axes.text(
      1.01,
      row - 0.4,
      share,
      va="center",
      transform=axes.get_yaxis_transform(),
    )
  names = [name for name, *_ in groups]
  axes.set_yticks(np.arange(len(groups)) - 0.4, names)
  axes.set_ylim(len(groups) - 0.9, -1.05)
  axes.tick_params(axis="y", length=0)
  end = max(timeline.duration, spans[-1, 1])
  if spans[-1, 1] < end:
    axes.axvspan(spans[-1, 1], end, color="0.9")
    if spans[-1, 1] < 0.8 * end:
      middle = (spans[-1, 1] + end) / 2
      axes.text(middle, -0.4, "not watched", ha="center", va="center")
  mark_time(axes, end)
  axes.set_title(short_label(title), loc="left")
  axes.set_title(
    "height: probability; dark: most probable of all; %: of all windows",
    loc="right",
    fontsize=9,
    color="0.4",
  )
  axes.spines[["top", "right", "left"]].set_visible(False)
  save_figure(figure, file, dpi=120)


def _draw_row(
  axes: "Axes",
  row: int,
  spans: np.ndarray,
  values: np.ndarray,
  on_top: np.ndarray,
  color: str,
) -> None:
  """Draws steps upwards from a row's line; nothing where columns are apart."""
  times = spans[:, [0, 1, 1]].ravel()
  apart = np.append(spans[1:, 0] > spans[:-1, 1] + 1e-6, False)
  heights = np.repeat(values[:, None], 3, axis=1)
  heights[apart, 2] = np.nan
  edge = row - _HEIGHT * heights.ravel()
  axes.fill_between(times, row, edge, color=color, alpha=0.3, lw=0)
  dark = np.repeat(on_top, 3)
  axes.fill_between(times, row, edge, where=dark, color=color, lw=0)
  axes.axhline(row, color="0.8", lw=0.8, zorder=0)


def mark_time(axes: "Axes", end: float) -> None:
  """Writes minutes and seconds along a video.

  Args:
    axes: The axes whose x is the time.
    end: Seconds of the video.
  """
  from matplotlib.ticker import MultipleLocator

  step = next((mark for mark in _MARKS if end / mark <= 12), _MARKS[-1])
  axes.set(xlim=(0, end or 1), xlabel="time (minutes:seconds)")
  if end >= 3600:
    axes.set_xlabel("time (hours:minutes:seconds)")
  axes.xaxis.set_major_locator(MultipleLocator(step))
  axes.xaxis.set_major_formatter(
    lambda seconds, _: clock(seconds, decimals=int(step < 1))
  )
  axes.grid(axis="x", alpha=0.3)
