"""Plots that compare runs: gain by class, accuracy by views and by frames."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from temporal_jax.display.picture_text import new_figure, save_figure, short_label

if TYPE_CHECKING:
  from matplotlib.axes import Axes

_BETTER, _WORSE = "#1a7f37", "#c0392b"


def save_gains(
  gains: np.ndarray,
  class_names: Sequence[str],
  file: str | pathlib.Path,
  *,
  before: str,
  after: str,
  named: int = 12,
) -> None:
  """Draws by how much one run recognizes each class better than another.

  On the left all classes, the most improved first; on the right those that
  changed the most in either direction, by name.

  Args:
    gains: (L,) differences of accuracy in [-1, 1]; NaN is left out.
    class_names: Names of the L classes.
    file: PNG to write.
    before: Name of the run that is compared with.
    after: Name of the other run.
    named: Classes of each direction that are named, at most.

  Raises:
    ValueError: If the names are not as many as the gains, no gain is known, or
      none is more or less than 0.

  Source: as figure A1 of Huang et al. 2023, https://arxiv.org/abs/2308.05787.
  """
  gains = 100 * np.asarray(gains)
  if gains.shape != (len(class_names),):
    raise ValueError(
      f"gains of {len(class_names)} classes are needed, got {gains.shape}."
    )
  known = np.flatnonzero(~np.isnan(gains))
  if not known.size:
    raise ValueError("no class has a clip in both runs.")
  if not gains[known].any():
    raise ValueError("no class is recognized better or worse: nothing to draw.")
  order = known[np.argsort(-gains[known], kind="stable")]
  up = [i for i in order[:named] if gains[i] > 0]
  down = [i for i in order[::-1][:named] if gains[i] < 0][::-1]
  shown = np.array(up + down, int)
  figure = new_figure(12, max(4.0, 0.26 * len(shown) + 1.4))
  figure.suptitle(
    f"{short_label(after)} compared with {short_label(before)}: "
    f"{gains[known].mean():+.1f} points of top-1, mean of {known.size} classes"
  )
  left, right = figure.subplots(1, 2, width_ratios=(2, 1))
  left.bar(
    np.arange(order.size),
    gains[order],
    width=1.0 if order.size > 60 else 0.8,
    color=_colors(gains[order]),
  )
  left.set(xlabel="classes, by gain", ylabel="gain in top-1 (points)")
  left.set_xticks([])
  right.barh(np.arange(shown.size), gains[shown], color=_colors(gains[shown]))
  names = [short_label(class_names[i], 48) for i in shown]
  right.set_yticks(np.arange(shown.size), names, fontsize=8)
  right.invert_yaxis()
  right.set(xlabel="gain in top-1 (points)")
  for axes, axis in ((left, "y"), (right, "x")):
    _tidy(axes, axis)
  left.axhline(0, color="black", lw=0.8)
  right.axvline(0, color="black", lw=0.8)
  save_figure(figure, file, dpi=120)


def save_views(
  runs: Mapping[str, Mapping[int, float]],
  file: str | pathlib.Path,
  *,
  num_crops: int = 1,
) -> None:
  """Draws top-1 accuracy over the number of clips of a video that are scored.

  Args:
    runs: {clips: fraction in [0, 1]} by the name of the run, as
      `view_fusion.accuracy_by_clips` returns them.
    file: PNG to write.
    num_crops: Crops of each clip, for the axis.

  Raises:
    ValueError: If there is no value.

  Source: as figure 1 of the supplement of Bulat et al. 2021,
    https://arxiv.org/abs/2106.05968.
  """
  if not runs or not all(runs.values()):
    raise ValueError(
      f"every run must have an accuracy for a number of clips, got {dict(runs)}."
    )
  percent = {
    name: {clips: 100 * value for clips, value in run.items()}
    for name, run in runs.items()
  }
  crops = f" x {num_crops} crops" if num_crops > 1 else ""
  _draw_lines(percent, file, f"clips of a video{crops}", "top-1 accuracy (%)")


def save_by_frames(
  networks: Mapping[str, Mapping[int, float]],
  file: str | pathlib.Path,
  *,
  ylabel: str,
) -> None:
  """Draws a value of networks over the number of frames of a clip.

  Args:
    networks: {frames: value} by the name of the network.
    file: PNG to write.
    ylabel: Name of the value with its unit: "top-1 accuracy (%)".

  Raises:
    ValueError: If there is no value.

  Source: as figure 3 of Fan et al. 2019, https://arxiv.org/abs/1912.00869.
  """
  if not networks or not all(networks.values()):
    raise ValueError("a network's values by frames must have one.")
  _draw_lines(networks, file, "frames of a clip", ylabel, low=0)


def _draw_lines(
  lines: Mapping[str, Mapping[int, float]],
  file: str | pathlib.Path,
  xlabel: str,
  ylabel: str,
  low: float | None = None,
) -> None:
  """Draws a line for each name, from its smallest number to its largest."""
  figure = new_figure(5.5, 3.6)
  axes = figure.subplots()
  for name, values in lines.items():
    numbers = sorted(values)
    shown = short_label(name)
    if shown.startswith("_"):  # It would be left out of the legend.
      shown = f" {shown}"
    axes.plot(numbers, [values[n] for n in numbers], marker="o", label=shown)
  axes.set_xticks(sorted({number for values in lines.values() for number in values}))
  axes.set(xlabel=xlabel, ylabel=ylabel)
  axes.set_ylim(bottom=low)
  axes.legend(frameon=False)
  _tidy(axes, "both")
  save_figure(figure, file, dpi=120)


def _colors(gains: np.ndarray) -> list[str]:
  return [_BETTER if gain > 0 else _WORSE for gain in gains]


def _tidy(axes: "Axes", grid: str) -> None:
  """Removes the needless parts of an axes' frame."""
  axes.grid(alpha=0.3, axis=grid)
  axes.set_axisbelow(True)
  axes.spines[["top", "right"]].set_visible(False)
