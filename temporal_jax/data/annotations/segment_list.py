"""A user's own films: a CSV file that lists their segments."""

import os
import pathlib
from collections.abc import Sequence

from temporal_jax.data.annotations.film_builder import FilmBuilder
from temporal_jax.data.annotations.films import FilmAnnotations
from temporal_jax.data.annotations.read_tables import File
from temporal_jax.data.listing.regular_files import check_no_address
from temporal_jax.data.listing.split_names import known_names, split_of
from temporal_jax.data.listing.text_files import Table

COLUMNS = ("path", "start", "end", "label")
MORE_COLUMNS = ("split", "duration", "fps")


def read_segment_list(
  file: File, *, class_names: Sequence[str] | None = None, on_error: str = "raise"
) -> FilmAnnotations:
  """Reads a CSV file with a row for each segment, see `text_files.Table`.

  A film without segments has one row whose start, end and label are empty. A
  film's id is its path without the ending.

  Args:
    file: Its header names path (from the file's folder), start, end (seconds
      or h:m:s) and label, and maybe split, duration (seconds) and fps of the
      film.
    class_names: Names of the classes, such as a detector's; None takes all
      names there are.
    on_error: "raise", or "skip" to leave out, and count, a segment whose times
      or label are wrong, or that is past the film's end.

  Raises:
    OSError: If the file cannot be read.
    ValueError: If a column is missing, unknown or there twice, a row is wrong
      and none may be, rows of a film differ, or no film is left.
  """
  table = Table(file, COLUMNS)
  known = (*COLUMNS, *MORE_COLUMNS)
  missing = [name for name in COLUMNS if name not in table.header]
  unknown = [name for name in table.header if name not in known]
  if missing or unknown:
    raise ValueError(
      f"{table.where} must name the columns {', '.join(COLUMNS)} and maybe "
      f"{', '.join(MORE_COLUMNS)}; it lacks {missing} and has {unknown[:9]}."
    )
  places = {name: table.place(name) for name in table.header}
  builder = FilmBuilder(on_error, class_names=class_names)
  folder = pathlib.Path(file).parent
  empty = True
  for cells in table:
    empty = False
    row = {name: cells[place] for name, place in places.items()}
    path, split = row["path"], split_of(row["split"]) if row.get("split") else ""
    try:
      check_no_address(path)
      if not path:
        raise ValueError("path is empty.")
      if split is None:
        raise ValueError(f"split must be empty or one of {known_names()}.")
    except ValueError as error:
      raise ValueError(f"{table.where}: {error}") from error
    path = os.path.normpath(path)  # "./a.mp4" is "a.mp4".
    film = os.path.splitext(path)[0]
    builder.add_film(
      table.where,
      film,
      path=str(folder / path),
      split=split,
      duration=row.get("duration") or None,
      fps=row.get("fps") or None,
    )
    if row["start"] or row["end"] or row["label"]:
      segment = (row["label"], row["start"], row["end"])
      builder.add_segment(table.where, film, *segment)
  if empty:
    raise ValueError(f"{file} lists no film.")
  return builder.build(str(file))
