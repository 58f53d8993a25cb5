"""Plots the true and the detected segments of films."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from temporal_jax.display.picture_text import new_figure, save_figure, short_label
from temporal_jax.evaluation.detection.film_segments import FilmDetections, FilmTruth

if TYPE_CHECKING:
  from matplotlib.axes import Axes

_INCHES = 12.0  # Width of the picture.
_NUMBER = 0.2  # Inches that the digits of a score need.
_LANES = 2  # Detections above each other, at most.
_NAMED = 18  # Classes, at most, that have a colour of their own and a name.
_OTHERS = "#7f7f7f"  # Colour of all others.
_FILM = "#f0f0f0"
_PALEST = 0.25  # Opacity of detections whose score is next to 0.
_DARK = 0.6  # Opacity from which on digits are white.


def save_detections(
  truth: Mapping[str, FilmTruth],
  detections: Mapping[str, FilmDetections],
  class_names: Sequence[str] | Mapping[str, Sequence[str]],
  file: str | pathlib.Path,
  *,
  durations: Mapping[str, float],
  films_shown: int = 12,
  least: float = 0.1,
) -> None:
  """Draws films over time: true segments above, detections with scores below.

  A detection that overlaps a better one is drawn under it, or left out if there
  are two above each other already. The lower its score, the paler it is. The 18
  most frequent classes have colours of their own.

  Args:
    truth: Film -> its true segments; the first films are drawn.
    detections: Film -> its detections; a missing film has none.
    class_names: Names of the L classes, or a dict with one entry per task.
    file: PNG to write.
    durations: Film -> seconds.
    films_shown: Films drawn, at most.
    least: Part of the highest score from which on detections are drawn.

  Raises:
    ValueError: If there is no film.
  """
  if not truth:
    raise ValueError("there is no film to draw.")
  films = list(truth)[:films_shown]
  found = {film: detections[film] for film in films if film in detections}
  highest = max((one.scores.max(initial=0.0) for one in found.values()), default=0.0)
  highest = highest or 1.0  # Without any score above 0 all are pale.
  shown = {name: _drawn(one, least * highest) for name, one in found.items()}
  labels = [truth[film].labels for film in films]
  labels += [one.labels for lanes in shown.values() for one in lanes]
  colors = _colors([name for of in labels for name in _names(of, class_names)])
  figure = new_figure(_INCHES, 0.62 * len(films) + 1.4)
  axes = figure.subplots()
  longest = max(durations[film] for film in films)
  axes.set(xlabel="seconds", xlim=(0, longest), ylim=(len(films), 0))
  for row, film in enumerate(films):
    axes.broken_barh([(0, durations[film])], (row + 0.06, 0.88), color=_FILM)
    names = _names(truth[film].labels, class_names)
    _draw_bars(axes, truth[film].segments, names, colors, (row + 0.1, 0.34))
    for lane, one in enumerate(shown.get(film, [])):
      names, place = _names(one.labels, class_names), (row + 0.48 + 0.22 * lane, 0.2)
      opacity = _PALEST + (1 - _PALEST) * one.scores / highest
      _draw_bars(axes, one.segments, names, colors, place, opacity=opacity)
      wide = one.segments[:, 1] - one.segments[:, 0] > _NUMBER * longest / _INCHES
      _write_scores(axes, one, np.flatnonzero(wide), opacity, sum(place) - 0.1)
  ticks = np.arange(len(films)) + 0.5
  axes.set_yticks(ticks, [short_label(film, 24) for film in films])
  axes.tick_params(axis="y", length=0)
  axes.spines[["top", "right", "left"]].set_visible(False)
  axes.set_title("true segments, and below them what was found, with scores")
  for name, color in colors.items():
    axes.barh(0, 0, color=color, label=name)
  if colors:
    columns = min(len(colors), 6)
    figure.legend(loc="outside lower center", ncols=columns, frameon=False)
  save_figure(figure, file, dpi=120)


def _drawn(found: FilmDetections, least: float) -> list[FilmDetections]:
  """Returns the detections of each lane, no two of which overlap."""
  lanes: list[list[int]] = [[] for _ in range(_LANES)]
  for index in np.argsort(-found.scores, kind="stable"):
    if found.scores[index] < least:
      break
    start, end = found.segments[index]
    for lane in lanes:
      others = found.segments[lane]  # (n, 2)
      if not ((others[:, 0] < end) & (others[:, 1] > start)).any():
        lane.append(index)
        break
  return [FilmDetections(*(array[lane] for array in found)) for lane in lanes if lane]


def _names(
  labels: np.ndarray, class_names: Sequence[str] | Mapping[str, Sequence[str]]
) -> list[str]:
  """Returns the name of each label; of several tasks the names together."""
  if isinstance(class_names, Mapping):
    tasks = list(class_names.values())
    rows = labels.reshape(len(labels), len(tasks)).tolist()
    return [
      " ".join(names[label] for names, label in zip(tasks, row, strict=True))
      for row in rows
    ]
  return [class_names[label] for label in labels.tolist()]


def _colors(names: Sequence[str]) -> dict[str, str]:
  """Returns the colour of each class, or of all others, by its short name."""
  from matplotlib import colormaps, colors

  known, counts = np.unique([short_label(name) for name in names], return_counts=True)
  kept = known[np.argsort(-counts, kind="stable")[:_NAMED]]
  # Without greys, which are for other classes.
  name, greys = ("tab10", [7]) if len(kept) < 10 else ("tab20", [14, 15])
  palette = np.delete(colormaps[name].colors, greys, axis=0)
  named = {
    str(one): colors.to_hex(color)
    for one, color in zip(sorted(kept), palette, strict=False)
  }
  return named | ({"others": _OTHERS} if len(known) > len(kept) else {})


def _draw_bars(
  axes: "Axes",
  segments: np.ndarray,
  names: Sequence[str],
  colors: Mapping[str, str],
  place: tuple[float, float],
  *,
  opacity: np.ndarray | None = None,
) -> None:
  """Draws segments (N, 2) in the colours of their classes, at (top, height)."""
  spans = [(start, end - start) for start, end in segments.tolist()]
  chosen = [colors.get(short_label(name), _OTHERS) for name in names]
  axes.broken_barh(spans, place, facecolors=chosen, alpha=opacity)


def _write_scores(
  axes: "Axes",
  found: FilmDetections,
  indices: np.ndarray,
  opacity: np.ndarray,
  y: float,
) -> None:
  """Writes the scores of some detections into their bars."""
  for index in indices.tolist():
    axes.text(
      found.segments[index].mean(),
      y,
      f"{found.scores[index]:.2f}",
      color="white" if opacity[index] > _DARK else "black",
      ha="center",
      va="center",
      fontsize=6,
    )
