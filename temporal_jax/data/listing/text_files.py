"""Reads text files and CSV tables of other programs, in any encoding."""

import codecs
import csv
import os
import pathlib
from collections.abc import Iterator, Sequence

File = str | os.PathLike

# Byte-order marks, the longer first: UTF-32's begins as UTF-16's does.
_MARKS = (
  (codecs.BOM_UTF8, "utf-8"),
  (codecs.BOM_UTF32_LE, "utf-32-le"),
  (codecs.BOM_UTF32_BE, "utf-32-be"),
  (codecs.BOM_UTF16_LE, "utf-16-le"),
  (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DELIMITERS = (",", ";", "\t")


def read_text(file: File) -> str:
  """Returns a text file's content; line endings stay as they are.

  It is UTF-8, or by its byte-order mark UTF-8, UTF-16 or UTF-32. Other
  encodings cannot be recognised and are never guessed.

  Raises:
    OSError: If it cannot be read.
    ValueError: If it is no regular file or not in its encoding, or holds a NUL
      character; the file, line and byte are named.
  """
  return _read_text(file)[0]


def _read_text(file: File) -> tuple[str, str]:
  """Returns a file's content and the codec that opens it, see `read_text`."""
  path = pathlib.Path(file)
  if path.exists() and not path.is_file():
    raise ValueError(f"{file} is no regular file, which a list must be.")
  content = path.read_bytes()
  encoding, skipped = "utf-8", 0
  for mark, marked in _MARKS:
    if content.startswith(mark):
      encoding, skipped = marked, len(mark)
      break
  try:
    text = content[skipped:].decode(encoding)
  except UnicodeDecodeError as error:
    place = error.start + skipped
    line = 1 + content[skipped:place].decode(encoding).count("\n")
    raise ValueError(
      f"{file}, line {line}: byte {place} of the file, 0x{content[place]:02x}, "
      f"is no {encoding.upper()}. Save the file as UTF-8, for example by "
      "iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW if its encoding is that."
    ) from error
  if "\0" in text:
    line = 1 + text[: text.index("\0")].count("\n")
    raise ValueError(
      f"{file}, line {line}: there is a NUL character. A file in UTF-16 needs "
      "a byte-order mark; save it as UTF-8."
    )
  # These codecs drop the mark.
  marked = {"utf-8": "utf-8-sig"}.get(encoding, encoding.removesuffix("-le"))
  return text, marked.removesuffix("-be")


class Table:
  """The rows of a CSV file.

  Cells are between commas, semicolons or tabs: the first of them with which the
  header has most of the wanted columns, never guessed from the rows. White
  space around cells is dropped, and so are lines without any cell.

  Attributes:
    header: Names of the columns.
    line: Number of the line where the last row that was read began.
  """

  def __init__(self, file: File, columns: Sequence[str], *, header: bool = True):
    """Reads the header.

    Args:
      file: CSV file.
      columns: The wanted ones; without a header, all in their order.
      header: Whether the first line names the columns.

    Raises:
      OSError: If the file cannot be read.
      ValueError: See `read_text`; or if the header cannot be read.
    """
    self.line = 1
    self._file = file
    _, self._encoding = _read_text(file)
    self._delimiter, self.header = _DELIMITERS[0], list(columns)
    if header:
      self._delimiter = self._find_delimiter(columns)
    self._rows = self._cells(self._delimiter)
    if header:
      self.header = next(self._rows, [])

  def __iter__(self) -> Iterator[list[str]]:
    """Yields the rows, each with as many cells as there are columns.

    Raises:
      ValueError: If one has more or fewer, or cannot be read.
    """
    width = len(self.header)
    for cells in self._rows:
      if len(cells) != width:
        raise ValueError(
          f"{self.where}: needs {width} cells between {self._delimiter!r}, got "
          f"{len(cells)}: {cells}. A cell that holds {self._delimiter!r} must "
          "be in quotes."
        )
      yield cells

  @property
  def where(self) -> str:
    """The file and the line, for messages."""
    return f"{self._file}, line {self.line}"

  def place(self, column: str) -> int:
    """Returns the number of a column.

    Raises:
      ValueError: If the header does not have it exactly once.
    """
    count = self.header.count(column)
    if count != 1:
      raise ValueError(
        f"{self._file}: the column {column!r} is {count} times in the header "
        f"{self.header}."
      )
    return self.header.index(column)

  def _find_delimiter(self, columns: Sequence[str]) -> str:
    """Returns the first one with which the header has most wanted columns."""

    def found(delimiter: str) -> int:
      try:
        return len(set(columns) & set(next(self._cells(delimiter), [])))
      except ValueError:  # Quotes end elsewhere.
        return 0

    return max(_DELIMITERS, key=found)

  def _lines(self) -> Iterator[str]:
    """Yields the lines: a list of a million videos is not kept as text."""
    path = pathlib.Path(self._file)
    with path.open(encoding=self._encoding, newline="") as lines:
      yield from lines

  def _cells(self, delimiter: str) -> Iterator[list[str]]:
    """Yields the cells of the lines that have any."""
    reader = csv.reader(
      self._lines(),
      delimiter=delimiter,
      skipinitialspace=True,  # Or a quote after a space would be a letter.
      strict=True,
    )
    while True:
      self.line = reader.line_num + 1
      try:
        cells = next(reader, None)
      except csv.Error as error:
        raise ValueError(f"{self.where}: {_in_words(error)}.") from error
      if cells is None:
        return
      cells = list(map(str.strip, cells))
      if any(cells):
        yield cells


def _in_words(error: csv.Error) -> str:
  """Returns an error of the module csv in plain words."""
  if "field limit" in str(error):
    return (
      f"a cell is longer than {csv.field_size_limit()} characters; a quote may "
      "not be closed"
    )
  if "unexpected end" in str(error):
    return "a quote is not closed"
  if "expected after" in str(error):
    return (
      "a quote that ends a cell must be followed by the delimiter, not by "
      'spaces or letters; a quote in a cell in quotes is ""'
    )
  return str(error)
