"""Reading annotation files; every error names the file and the line."""

import io
import operator
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from absl import logging

from temporal_jax.data.listing.text_files import Table, read_text
from temporal_jax.untrusted.json_text import parse_json

File = str | pathlib.Path


def lines(file: File) -> Iterator[tuple[str, str]]:
  """Yields the lines that are not blank, each after its "file, line n"."""
  text = io.StringIO(read_text(file), newline=None)
  for number, line in enumerate(map(str.strip, text), start=1):
    if line:
      yield f"{file}, line {number}", line


def fields(
  file: File, count: int, separator: str | None = None
) -> Iterator[tuple[str, list[str]]]:
  """Yields the lines cut into `count` fields.

  Args:
    file: Text file.
    count: Number of cells in a line; where it has more, the first are joined to
      one, since only paths contain separators.
    separator: None is white space.

  Raises:
    ValueError: If a line has too few fields.
  """
  for where, line in lines(file):
    cells = list(map(str.strip, line.rsplit(separator, count - 1)))
    if len(cells) < count or "" in cells:
      raise ValueError(
        f"{where}: needs {count} fields between {separator or 'spaces'!r}, got "
        f"{line!r}."
      )
    yield where, cells


def rows(
  file: File, columns: Sequence[str], *, header: bool = True
) -> Iterator[tuple[str, dict[str, str]]]:
  """Yields the rows of a CSV file by column, see `text_files.Table`.

  Args:
    file: CSV file.
    columns: The wanted ones, two or more; without a header, all in their order.
    header: Whether the first line names the columns.

  Raises:
    ValueError: If a column is missing, or a row has not as many cells.
  """
  table = Table(file, columns, header=header)
  missing = sorted(set(columns) - set(table.header))
  if missing:
    raise ValueError(
      f"{table.where} lacks the columns {missing}, it has {table.header}."
    )
  pick = operator.itemgetter(*map(table.place, columns))
  for cells in table:
    yield table.where, dict(zip(columns, pick(cells), strict=True))


def read_json(file: File, kind: type) -> Any:
  """Returns the content of a JSON file.

  Raises:
    ValueError: If it is not a `kind`, or see `json_text.parse_json`.
  """
  content = parse_json(read_text(file), str(file))
  if not isinstance(content, kind):
    raise ValueError(
      f"{file} must hold a {kind.__name__}, got {type(content).__name__}."
    )
  return content


def warn_of_empty(file: File, parts: Sequence[str]) -> None:
  """Warns of parts that are left out, as they do not stop after they start."""
  if parts:
    logging.warning(
      "%s: %d parts do not stop after they start and are left out: %s",
      file,
      len(parts),
      ", ".join(parts[:5]),
    )


def read_names(file: File) -> tuple[str, ...]:
  """Returns the class names of a file, one per line, in the order of its lines.

  Raises:
    ValueError: If it has none, or one twice.
  """
  names: dict[str, int] = {}
  for where, name in lines(file):
    if name in names:
      raise ValueError(f"{where}: {name!r} is there twice.")
    names[name] = len(names)
  if not names:
    raise ValueError(f"{file} names no class.")
  return tuple(names)
