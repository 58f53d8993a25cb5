"""Draws accuracy by confidence: a reliability diagram."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from temporal_jax.binomial import wilson_interval
from temporal_jax.display.picture_text import new_figure, save_figure

_BAR, _GAP, _COUNT = "#4c72b0", "#c0392b", "#8c8c8c"


def save_calibration(calibration: Mapping[str, Any], file: str | pathlib.Path) -> None:
  """Draws accuracy by confidence, and the number of examples under it.

  A bar is the accuracy of the examples of a bin, its whisker the 95 % interval
  by Wilson; a dash is their mean confidence. The title has the means of all
  and the expected calibration error; it calls the network too sure, or not sure
  enough, where the confidence is outside the interval of the accuracy.

  Args:
    calibration: See `calibrations`, of one task.
    file: PNG to write.
  """
  curve, bins = calibration["curve"], calibration["bins"]
  middle = np.array([(one["from"] + one["to"]) / 2 for one in curve])
  accuracy = np.array([one["accuracy"] for one in curve])
  confidence = np.array([one["confidence"] for one in curve])
  counts = np.array([one["examples"] for one in curve])
  width = 1 / bins
  figure = new_figure(5.6, 6.2)
  upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
  upper.plot((0, 100), (0, 100), color="grey", ls=":", label="accuracy = confidence")
  upper.bar(
    100 * middle,
    100 * accuracy,
    92 * width,
    color=_BAR,
    alpha=0.55,
    label="accuracy, with 95% interval",
  )
  ranges = [wilson_interval(*one) for one in zip(accuracy, counts, strict=True)]
  low, high = np.transpose(ranges)
  upper.errorbar(
    100 * middle,
    100 * accuracy,
    100 * np.stack((accuracy - low, high - accuracy)),
    color=_BAR,
    ls="",
    capsize=3,
  )
  upper.hlines(
    100 * confidence,
    100 * (middle - 0.46 * width),
    100 * (middle + 0.46 * width),
    color=_GAP,
    lw=2,
    label="confidence, where the bar should end",
  )
  upper.set(ylabel="accuracy (%)", xlim=(0, 100), ylim=(0, 102))
  upper.set_title(_title(calibration), fontsize=10)
  # Bars may be anywhere in the axes: the legend is below them.
  figure.legend(loc="outside lower center", frameon=False, fontsize=9, ncols=2)
  bars = lower.bar(100 * middle, counts, 92 * width, color=_COUNT)
  lower.bar_label(bars, fontsize=8, padding=1)
  lower.set(xlabel="confidence (%)", ylabel=calibration["examples"])
  lower.margins(y=0.25)
  for axes in (upper, lower):
    axes.spines[["top", "right"]].set_visible(False)
  save_figure(figure, file, dpi=120)


def _title(calibration: Mapping[str, Any]) -> str:
  """Returns the means and the error, in words."""
  confidence, accuracy = calibration["confidence"], calibration["accuracy"]
  total = sum(one["examples"] for one in calibration["curve"])
  low, high = wilson_interval(accuracy, total)
  verdict = "No gap beyond chance"
  if not low <= confidence <= high:
    verdict = "Too sure" if confidence > high else "Not sure enough"
  return (
    f"{verdict}: confidence {confidence:.1%}, accuracy {accuracy:.1%}\n"
    f"expected calibration error {calibration['ece']:.1%}, {calibration['bins']} bins"
  )
