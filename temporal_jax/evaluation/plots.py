"""Plots of a run: curves, confusion matrix, contact sheet."""

import pathlib
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

from temporal_jax.display.picture_text import (
  as_colors,
  new_figure,
  save_figure,
  short_label,
)
from temporal_jax.evaluation.predictions import Predictions

_RIGHT, _WRONG = "#1a7f37", "#c0392b"
_TRAIN, _TEST = "#4c72b0", "#dd8452"
_WIDE = 52  # Letters of a line above a strip of frames.
_NAMED = 200  # Classes, at most, whose names can be read next to a matrix.


def save_curves(
  rows: Sequence[dict],
  file: str | pathlib.Path,
  *,
  measure: str,
  num_classes: int,
) -> None:
  """Draws loss and accuracy over the steps of a run.

  Args:
    rows: Rows of metrics.jsonl.
    file: PNG to write.
    measure: Score of the test clips that is drawn: "top1" or "mAP".
    num_classes: L; chance of being right is 1 / L.
  """
  figure = new_figure(9, 3.9)
  left, right = figure.subplots(1, 2)
  trained = [row for row in rows if "loss" in row]
  left.plot(
    [row["step"] for row in trained],
    [row["loss"] for row in trained],
    color=_TRAIN,
  )
  left.set(xlabel="step", ylabel="training loss", ylim=(0, None))
  for name, label, style in (
    ("accuracy", "training clips", {"color": _TRAIN}),
    (f"test/{measure}", "test clips", {"color": _TEST, "marker": "o"}),
    (
      f"final/{measure}",
      "final test",
      {"color": _TEST, "marker": "*", "markersize": 12, "ls": ""},
    ),
  ):
    known = [row for row in rows if name in row]
    if not known:
      continue
    steps = [row["step"] for row in known]
    right.plot(steps, [100 * row[name] for row in known], label=label, **style)
  if measure == "top1":
    right.axhline(100 / num_classes, color="grey", ls=":", label="chance")
  ylabel = "top-1 accuracy (%)" if measure == "top1" else f"{measure} (%)"
  # Markers at 100 % are whole.
  right.set(xlabel="step", ylabel=ylabel, ylim=(0, 103))
  # Curves may be anywhere in the axes: the legend is outside.
  handles, _ = right.get_legend_handles_labels()
  figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
  for axes in (left, right):
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
  save_figure(figure, file, dpi=120)


def save_confusion(
  matrix: np.ndarray, class_names: Sequence[str], file: str | pathlib.Path
) -> None:
  """Draws a confusion matrix: counts, colored by percent of each true class.

  Names are shortened; more than 200 classes are identified by their numbers.

  Args:
    matrix: Counts (L, L): rows true, columns predicted.
    class_names: Names of the L classes.
    file: PNG to write.
  """
  matrix = np.asarray(matrix)
  percent = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
  count = len(class_names)
  side = min(max(4.5, 0.55 * count + 2.5), 18)
  figure = new_figure(side + 0.6, side)
  axes = figure.subplots()
  image = axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
  figure.colorbar(image, label="% of the true class, numbers are clips", shrink=0.8)
  if count <= _NAMED:
    style = {"fontsize": min(10, 600 / count)}  # Points, as the rows allow.
    names = list(map(short_label, class_names))
    slant = {"rotation": 45 if count <= 20 else 90}
    ha = "right" if count <= 20 else "center"
    axes.set_xticks(np.arange(count), names, ha=ha, **slant, **style)
    axes.set_yticks(np.arange(count), names, **style)
  axes.set(xlabel="predicted", ylabel="true")
  if count <= 20:
    for row, column in zip(*np.nonzero(matrix), strict=True):
      axes.text(
        column,
        row,
        f"{matrix[row, column]:g}",
        ha="center",
        va="center",
        color="white" if percent[row, column] > 50 else "black",
      )
  small_words = 60 < count <= _NAMED
  save_figure(figure, file, dpi=200 if small_words else 120)


def save_contact_sheet(
  batch: Mapping[str, np.ndarray],
  predictions: Predictions,
  class_names: Sequence[str] | Mapping[str, Sequence[str]],
  file: str | pathlib.Path,
  *,
  clips_shown: int = 18,
  frames_shown: int = 4,
  named: bool = False,
) -> None:
  """Draws clips as strips of frames with true and predicted class.

  Args:
    batch: {"clip": (B, T, S, S, C) uint8, "id": (B,)}; its first clips that
      were scored are drawn, see `picture_text.as_colors`.
    predictions: Scores of these clips, and maybe of others.
    class_names: Names of the L classes, or a dict with one entry per task.
    file: PNG to write.
    clips_shown: Clips drawn, at most.
    frames_shown: Frames of a strip, evenly spread from first to last.
    named: Whether the name of each clip's file is below it.
  """
  place = {name: index for index, name in enumerate(predictions.ids)}
  shown = [i for i, name in enumerate(batch["id"]) if str(name) in place]
  shown = shown[:clips_shown]
  columns = min(3, len(shown))
  rows = -(-len(shown) // columns)
  height = 1.75 if named else 1.5
  figure = new_figure(columns * frames_shown * 1.05, rows * height)
  grid = figure.subplots(rows, columns, squeeze=False).ravel()
  for axes in grid:
    axes.set_axis_off()
  for axes, i in zip(grid, shown, strict=False):
    axes.imshow(_strip(batch["clip"][i], frames_shown))
    title, right = _verdict(predictions, place[str(batch["id"][i])], class_names)
    lines = (textwrap.fill(line, _WIDE) for line in title.split("\n"))
    color = _RIGHT if right else _WRONG
    axes.set_title("\n".join(lines), color=color, fontsize=9)
    if named:
      below = {"ha": "center", "va": "top", "transform": axes.transAxes}
      name = short_label(pathlib.PurePath(str(batch["id"][i])).name, _WIDE)
      axes.text(0.5, -0.04, name, fontsize=7, color="dimgrey", **below)
  save_figure(figure, file, dpi=110)


def _verdict(
  predictions: Predictions,
  index: int,
  class_names: Sequence[str] | Mapping[str, Sequence[str]],
) -> tuple[str, bool]:
  """Returns the true and the predicted class of a clip, and if they agree."""
  true, best = predictions.labels[index], predictions.predicted[index]
  if isinstance(class_names, Mapping):
    lines = []
    for (task, names), t, b in zip(class_names.items(), true, best, strict=True):
      mistake = "" if t == b else f", taken for {short_label(names[b])}"
      lines.append(f"{short_label(task)}: {short_label(names[t])}{mistake}")
    return "\n".join(lines), bool(np.all(true == best))
  score = f"({predictions.scores[index, best]:.0%})"
  first = short_label(class_names[best])
  if np.ndim(true):
    names = [short_label(class_names[i]) for i in np.flatnonzero(true)]
    title = f"{', '.join(names) or 'none'}: first {first} {score}"
    return title, bool(true[best])
  verdict = "correct" if true == best else f"taken for {first}"
  title = f"{short_label(class_names[true])}: {verdict} {score}"
  return title, bool(true == best)


def _strip(clip: np.ndarray, count: int) -> np.ndarray:
  """Lays `count` frames of a clip, if it has them, side by side."""
  chosen = np.linspace(0, len(clip) - 1, min(count, len(clip))).round().astype(int)
  gap = ((0, 0), (0, 0), (0, 2), (0, 0))
  frames = as_colors(clip[chosen])
  return np.concatenate(np.pad(frames, gap, constant_values=255), axis=1)
