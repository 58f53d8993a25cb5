"""Pictures of accuracy against cost: numbered networks and a list of names."""

import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.league_parts.entries import (
  BACKBONE_NAMES,
  BIG_LITTLE,
  ENTRIES,
  RESNET,
  VIT,
)
from temporal_jax.display import picture_text

COLORS = {RESNET: "#1f5fa8", BIG_LITTLE: "#1b7f4b", VIT: "#b5441a"}
_WIDTH, _DPI = 8.0, 110  # Inches, pixels per inch.
_LABEL = (15.0, 10.0)  # Points of a number of two digits: width, height.
_MARKER = 3.5  # Points, radius of a mark without its edge, which is 1 wide.
_DIRECTIONS = 24  # In which a place for a number is looked for.


def place_labels(
  points: np.ndarray,
  *,
  others: np.ndarray,
  size: tuple[float, float],
  bounds: tuple[float, float, float, float],
  marker: float,
) -> np.ndarray:
  """Places a label next to each point, so that none covers another or a point.

  Each gets the nearest free place around its point, the first points first.

  Args:
    points: (N, 2), x and y.
    others: Further points, (M, 2), that get no label.
    size: Width and height of the labels.
    bounds: Least x and y, and greatest x and y, of the labels.
    marker: Radius that a point keeps free.

  Returns:
    Middles of the labels, (N, 2).

  Raises:
    ValueError: If there is no room for a label.
  """
  half = np.asarray(size) / 2
  low, high = np.asarray(bounds[:2]) + half, np.asarray(bounds[2:]) - half
  angles = np.arange(_DIRECTIONS) * 2 * math.pi / _DIRECTIONS
  around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
  placed, kept = np.empty((0, 2)), np.concatenate([points, others])
  for point in points:
    for reach in np.arange(1, 200) * (marker / 2):
      tried = point + around * (half + marker + reach)
      inside = np.all((tried >= low) & (tried <= high), axis=1)
      apart = np.abs(tried[:, None] - placed[None])
      free = np.all(np.any(apart >= 2 * half, axis=-1), axis=1)
      distance = np.abs(tried[:, None] - kept[None]) - half
      clear = np.all(np.any(distance >= marker, axis=-1), axis=1)
      good = np.flatnonzero(inside & free & clear)
      if len(good):
        placed = np.concatenate([placed, tried[good[:1]]])
        break
    else:
      raise ValueError(f"there is no room for a label at {point} within {bounds}.")
  return placed


def save(
  rows: Sequence[Mapping[str, Any]],
  file: pathlib.Path,
  *,
  cost: str,
  label: str,
  chance: float,
) -> None:
  """Draws published networks with numbers, and variants as rings.

  Args:
    rows: Accuracies "top1", "spread" and costs of the "entry" of one task, the
      best first.
    file: PNG to write.
    cost: Key of the cost in `rows`.
    label: Name of the cost, with its unit.
    chance: Accuracy of guessing.
  """
  from matplotlib import ticker

  named = [row for row in rows if ENTRIES[row["entry"]].published]
  figure = picture_text.new_figure(_WIDTH, 4.6)
  axes, listed = figure.subplots(1, 2, width_ratios=(1.7, 1))
  axes.axhline(100 * chance, color="grey", lw=1, ls=":")
  for row in rows:
    entry = ENTRIES[row["entry"]]
    color = COLORS[entry.backbone]
    filled = color if entry.published else "none"
    edge = {"edgecolors": color, "alpha": 1.0 if entry.published else 0.45}
    axes.scatter(*_place(row, cost), s=4 * _MARKER**2, facecolors=filled, **edge)
  axes.set(xscale="log", xlabel=label, ylabel="top-1 accuracy (%)", ylim=(0, 104))
  axes.grid(alpha=0.25)
  axes.spines[["top", "right"]].set_visible(False)
  axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
  axes.xaxis.set_major_formatter("{x:g}")
  axes.xaxis.set_minor_formatter(ticker.NullFormatter())
  axes.tick_params(labelsize=8)
  axes.margins(x=0.1)
  listed.axis("off")
  step = 1 / max(len(named) + 4, 20)
  for number, row in enumerate(named, 1):
    entry = ENTRIES[row["entry"]]
    words = f"{number:2d}  {entry.label}  {100 * row['top1']:.1f}"
    settings = {"color": COLORS[entry.backbone], "fontsize": 8, "va": "center"}
    listed.text(0, 1 - number * step, picture_text.drawable(words), **settings)
  used = {ENTRIES[row["entry"]].backbone for row in rows}
  marks = [(f"● {BACKBONE_NAMES[key]}", COLORS[key]) for key in COLORS if key in used]
  marks += [("○ variants", "dimgrey"), ("··· guessing", "dimgrey")]
  for number, (words, color) in enumerate(marks):
    place = (0.5 * (number % 2), 1 - (len(named) + 2 + number // 2) * step)
    listed.text(*place, words, color=color, fontsize=8, va="center")
  figure.draw_without_rendering()  # Only now are places known.
  figure.set_layout_engine("none")
  _number(axes, named, [row for row in rows if row not in named], cost)
  picture_text.save_figure(figure, file, dpi=_DPI)


def _number(
  axes: Any,
  named: Sequence[Mapping[str, Any]],
  others: Sequence[Mapping[str, Any]],
  cost: str,
) -> None:
  """Writes the number of each named row next to its mark."""
  scale = 72 / axes.figure.dpi  # Points per pixel.

  def places(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    data = np.array([_place(row, cost) for row in rows]).reshape(-1, 2)
    return axes.transData.transform(data) * scale

  box = axes.get_window_extent()
  points = places(named)
  labels = place_labels(
    points,
    others=places(others),
    size=_LABEL,
    bounds=tuple(value * scale for value in (box.x0, box.y0, box.x1, box.y1)),
    marker=_MARKER + 1,
  )
  for number, (row, offset) in enumerate(zip(named, labels - points, strict=True), 1):
    color = COLORS[ENTRIES[row["entry"]].backbone]
    axes.annotate(
      str(number),
      xy=_place(row, cost),
      xytext=tuple(offset),
      textcoords="offset points",
      ha="center",
      va="center",
      fontsize=8,
      color=color,
      arrowprops={"arrowstyle": "-", "color": color, "lw": 0.6, "shrinkA": 0},
    )


def _place(row: Mapping[str, Any], cost: str) -> tuple[float, float]:
  return row[cost], 100 * row["top1"]
