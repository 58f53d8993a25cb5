"""A picture of the calibration of a clip's frames."""

import os
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import matplotlib.axes
import matplotlib.figure
import numpy as np

from temporal_jax.display.picture_text import save_figure, short_label
from temporal_jax.inference.visualize.scale_maps import frames_of

_MARK, _OTHER = "#34495e", "#a9b7c6"


def deviations(calibrations: Mapping[str, np.ndarray]) -> dict[str, float]:
  """Returns the mean of |factor - 1| of each layer (T', n)."""
  return {
    name: float(np.mean(np.abs(factors - 1))) for name, factors in calibrations.items()
  }


def save_calibration(
  file: str | os.PathLike | BinaryIO,
  calibrations: Mapping[str, np.ndarray],
  layer: str,
  frames: np.ndarray,
  times: Sequence[str],
  *,
  title: str,
) -> None:
  """Draws the calibration of a layer under the frames it belongs to.

  From top to bottom the frames, the factors of each channel, sorted by their
  mean, and how far they are from 1; on the right the latter of all layers.

  Args:
    file: PNG to write, or a binary stream.
    calibrations: Factors (T', n) by the name of the layer.
    layer: Name of the layer that is drawn.
    frames: (T, H, W, 3) uint8.
    times: Text above each frame (T,).
    title: Text above the whole picture.
  """
  factors = calibrations[layer]
  factors = factors[:, np.argsort(-factors.mean(axis=0), kind="stable")]
  count = len(factors)
  shown = frames_of(count, len(frames))
  width = max(1.1 * count, 6.0)
  cell = width / count
  figure = matplotlib.figure.Figure((width + 5.2, cell + 5.4), layout="constrained")
  figure.suptitle(short_label(title, 100), fontsize=12)
  left, right = figure.subfigures(1, 2, width_ratios=(width + 1.2, 4.0))
  top, middle, bottom = left.subplots(3, 1, sharex=True, height_ratios=(cell, 3.0, 1.3))
  _draw_frames(top, frames[shown], [times[place] for place in shown])
  reach = max(float(np.abs(factors - 1).max()), 1e-3)
  image = middle.imshow(
    factors.T,
    cmap="RdBu_r",
    vmin=1 - reach,
    vmax=1 + reach,
    aspect="auto",
    interpolation="nearest",
    extent=(-0.5, count - 0.5, factors.shape[1], 0),
  )
  left.colorbar(image, ax=middle, label="factor (1: unchanged)", pad=0.01)
  middle.set(ylabel=f"{factors.shape[1]} channels, sorted", title=layer)
  bottom.bar(np.arange(count), np.abs(factors - 1).mean(axis=1), color=_MARK)
  bottom.set(xlabel="frame of the layer", ylabel="mean |factor - 1|")
  bottom.set_xticks(np.arange(count))
  _tidy(bottom, "y")
  _draw_layers(right.subplots(), deviations(calibrations), layer)
  save_figure(figure, file, dpi=110)


def _draw_frames(
  axes: matplotlib.axes.Axes, frames: np.ndarray, times: Sequence[str]
) -> None:
  """Draws frames next to one another, each one unit wide."""
  height, width = frames.shape[1:3]
  gap = max(width // 40, 1)
  spaced = np.pad(frames, ((0, 0), (0, 0), (gap, gap), (0, 0)), constant_values=255)
  axes.imshow(
    np.concatenate(spaced, axis=1),
    extent=(-0.5, len(frames) - 0.5, 0, height / (width + 2 * gap)),
    aspect="equal",
  )
  axes.set_yticks([])
  axes.tick_params(bottom=False, labelbottom=False)
  axes.spines[:].set_visible(False)
  for place, words in enumerate(times):
    axes.annotate(
      words,
      (place, 1),
      xycoords=("data", "axes fraction"),
      xytext=(0, 3),
      textcoords="offset points",
      ha="center",
      fontsize=9,
    )


def _draw_layers(
  axes: matplotlib.axes.Axes, values: Mapping[str, float], layer: str
) -> None:
  """Draws the deviation of all layers, the first one on top."""
  names = list(values)
  colors = [_MARK if name == layer else _OTHER for name in names]
  axes.barh(np.arange(len(names)), list(values.values()), color=colors)
  size = min(9.0, 300 / len(names))  # Points, as the rows allow.
  axes.set_yticks(np.arange(len(names)), names, fontsize=size)
  axes.set_ylim(max(len(names), 8) - 0.5, -0.5)
  axes.set(xlabel="mean |factor - 1|", title="all layers", xlim=(0, None))
  _tidy(axes, "x")


def _tidy(axes: matplotlib.axes.Axes, grid: str) -> None:
  """Removes the needless parts of an axes' frame."""
  axes.grid(alpha=0.3, axis=grid)
  axes.set_axisbelow(True)
  axes.spines[["top", "right"]].set_visible(False)
