"""Plots the training of several runs in one picture."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from temporal_jax.display.picture_text import new_figure, save_figure, short_label

_MARKED = 40  # Tests of a run, at most, that are drawn as single points.


def save_run_curves(
  runs: Mapping[str, Sequence[Mapping[str, float]]],
  file: str | pathlib.Path,
  *,
  measures: Mapping[str, str],
  finals: Mapping[str, float] | None = None,
) -> None:
  """Draws accuracy and loss over the steps of runs, one colour per run.

  On the left the accuracy over training clips, dashed, the test during
  training, a line, and the final test, a star; on the right the training loss.
  The final test of a run without steps, of a probe, is a dotted line.

  Args:
    runs: Rows of metrics.jsonl by the name of the run.
    file: PNG to write.
    measures: Name of the test's value by the name of the run, "top1" or "mAP".
    finals: Value of the final test, in [0, 1], by the name of the run. A run
      that is not among them and has no rows is left out.

  Raises:
    ValueError: If no run has a value.

  Source: as figures A3 and A4 of Huang et al. 2023,
    https://arxiv.org/abs/2308.05787.
  """
  finals = finals or {}
  drawn = {name: rows for name, rows in runs.items() if rows or name in finals}
  if not drawn:
    raise ValueError(f"no run has a value to draw, got {[*runs]}.")
  from matplotlib import colormaps
  from matplotlib.lines import Line2D

  figure = new_figure(10, 4.2 + 0.22 * -(-len(runs) // 3))
  left, right = figure.subplots(1, 2)
  few = len(drawn) <= 10
  palette = colormaps["tab10" if few else "turbo"]
  handles, kinds = [], {}
  for number, (name, rows) in enumerate(drawn.items()):
    color = palette(number if few else number / (len(drawn) - 1))
    handles.append(Line2D([], [], color=color, lw=2.5, label=short_label(name)))
    if not rows:
      style = {"ls": ":", "lw": 2.5}
      left.axhline(100 * finals[name], color=color, **style)
      label = "final test, no steps"
      kinds[label] = Line2D([], [], label=label, color="dimgrey", **style)
    measure = measures.get(name)
    tests = _points(rows, f"test/{measure}", 100)
    marker = "o" if len(tests[0]) <= _MARKED else ""
    for label, axes, points, style in (
      ("training", left, _points(rows, "accuracy", 100), {"ls": "--", "lw": 1}),
      ("test", left, tests, {"marker": marker, "markersize": 4, "lw": 2}),
      (
        "final test",
        left,
        _points(rows, f"final/{measure}", 100),
        {"marker": "*", "markersize": 13, "ls": "", "markeredgecolor": "black"},
      ),
      ("training", right, _points(rows, "loss", 1), {"ls": "--", "lw": 1}),
    ):
      if not points[0]:
        continue
      axes.plot(*points, color=color, **style)
      kinds[label] = Line2D([], [], label=label, **{"color": "dimgrey", **style})
  shown = sorted({measures[name] for name in runs if measures.get(name)})
  words = " or ".join("top-1" if name == "top1" else name for name in shown)
  left.set(xlabel="step", ylabel=f"{words or 'training'} accuracy (%)")
  right.set(xlabel="step", ylabel="training loss")
  for axes in (left, right):
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
  # Curves may be anywhere in the axes: the legends are outside.
  _add_legend(figure, handles, "outside lower center", ncols=3)
  _add_legend(figure, [*kinds.values()], "outside upper center", ncols=4)
  save_figure(figure, file, dpi=120)


def _add_legend(figure: Any, handles: Sequence[Any], loc: str, ncols: int) -> None:
  figure.legend(handles=handles, loc=loc, ncols=ncols, frameon=False, fontsize=9)


def _points(
  rows: Sequence[Mapping[str, float]], name: str, scale: float
) -> tuple[list[float], list[float]]:
  """Returns the steps that have a value, and these values."""
  known = [row for row in rows if name in row]
  return [row["step"] for row in known], [scale * row[name] for row in known]
