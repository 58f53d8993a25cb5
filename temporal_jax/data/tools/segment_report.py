"""Reports a list of segments, in words and as a picture."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.data.annotations.films import Film, FilmAnnotations
from temporal_jax.data.listing.file_names import SUFFIXES, suffix
from temporal_jax.display.picture_text import new_figure, save_figure, short_label

# Colours of the classes in a picture; further classes share the last one.
_COLORS = (
  *("#4c72b0", "#dd8452", "#1a7f37", "#c0392b", "#8172b3"),
  *("#937860", "#da8bc3", "#2a9d8f", "#6b6b6b"),
)


class ClassSegments(NamedTuple):
  """The segments of a class.

  Attributes:
    name: The class.
    segments: Their number.
    films: Films that have one.
    lengths: Seconds of the shortest, of the median and of the longest one.
  """

  name: str
  segments: int
  films: int
  lengths: tuple[float, float, float]


def count_classes(annotations: FilmAnnotations) -> list[ClassSegments]:
  """Counts the segments of each class, in the order of the classes.

  Args:
    annotations: Films of one task.
  """
  found = []
  for label, name in enumerate(annotations.class_names):
    of_films = [film.segments[film.labels == label] for film in annotations.films]
    lengths = np.concatenate([np.diff(segments)[:, 0] for segments in of_films])
    low, middle, high = np.quantile(lengths, (0, 0.5, 1)) if len(lengths) else (0,) * 3
    films = sum(len(segments) > 0 for segments in of_films)
    row = (float(low), float(middle), float(high))
    found.append(ClassSegments(name, len(lengths), films, row))
  return found


def save_segment_sheet(
  file: str | os.PathLike, annotations: FilmAnnotations, *, films_shown: int = 12
) -> None:
  """Draws the segments of some films, evenly spread over the list.

  Args:
    file: PNG to write.
    annotations: Films of one task, at least one.
    films_shown: Films drawn, at most.
  """
  from matplotlib.patches import Patch

  count = min(films_shown, len(annotations.films))
  places = np.linspace(0, len(annotations.films) - 1, count).round().astype(int)
  films = [annotations.films[place] for place in places]
  figure = new_figure(11, 1.6 + 0.36 * count)
  axes = figure.subplots()
  for row, film in enumerate(films):
    for (start, end), label in zip(film.segments, film.labels, strict=True):
      color = _COLORS[min(int(label), len(_COLORS) - 1)]
      axes.barh(row, end - start, 0.6, start, color=color, alpha=0.8, edgecolor="w")
    end = _end(film)
    axes.plot([0, end], [row, row], color="0.6", lw=0.8, zorder=0)
  axes.set_yticks(range(count), [short_label(film.id, 28) for film in films])
  axes.set(ylim=(count - 0.5, -0.5), xlabel="time (seconds)")
  axes.set_xlim(0, max(map(_end, films)) or 1)
  axes.spines[["top", "right", "left"]].set_visible(False)
  names = annotations.class_names
  shown = names[: len(_COLORS)]
  labels = [short_label(name, 24) for name in shown]
  if len(names) > len(shown):
    labels[-1] = f"{len(names) - len(shown) + 1} others"
  handles = [
    Patch(color=color, label=label)
    for color, label in zip(_COLORS, labels, strict=False)
  ]
  figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
  save_figure(figure, file, dpi=110)


def _end(film: Film) -> float:
  """Returns the seconds up to which something is known of a film."""
  return float(film.duration or film.segments.max(initial=0.0))


def missing_videos(films: Sequence[Film]) -> list[str]:
  """Returns the paths that are no files, or no videos by their names."""
  return [
    film.path
    for film in films
    if suffix(film.path) not in SUFFIXES or not os.path.isfile(film.path)
  ]
