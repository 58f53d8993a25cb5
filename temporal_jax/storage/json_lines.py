"""Files with one JSON object per line, safe against a killed process."""

import errno
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any, BinaryIO

_BLOCK = 1 << 16  # Bytes read at a time, from the end.


def read_json_lines(
  file: str | os.PathLike, needed: Mapping[str, type]
) -> list[dict[str, Any]]:
  """Returns the rows of a file, none if it is missing.

  A last line that a killed process left incomplete is not read.

  Args:
    file: The file, in UTF-8.
    needed: Fields that every row has, and their types.

  Raises:
    ValueError: If a line holds something else, naming file and line.
  """
  path = pathlib.Path(file)
  if not path.exists():
    return []
  rows = []
  for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
    try:
      row = json.loads(line)
      for name, kind in needed.items():
        if type(row[name]) is not kind:
          raise ValueError(f"{name!r} is {row[name]!r}")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
      raise ValueError(
        f"{path}, line {number} is damaged, {line[:60]!r} ({error}): mend the "
        "line or delete it."
      ) from None
    rows.append(row)
  return rows


def append_json_line(file: str | os.PathLike, row: Mapping[str, Any]) -> None:
  """Adds a row to a file, which may be new; it is on the disk afterwards.

  An incomplete last line, left by a killed process, is removed before.

  Raises:
    OSError: If it cannot be written.
  """
  with open(file, "ab+", buffering=0) as out:
    out.truncate(_end_of_lines(out))
    line = json.dumps(row).encode() + b"\n"
    if out.write(line) != len(line):
      raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(file))
    os.fsync(out.fileno())


def _end_of_lines(file: BinaryIO) -> int:
  """Returns the end of the last complete line of a file, in bytes."""
  size = file.seek(0, os.SEEK_END)
  end = size
  while end > 0:
    begin = max(0, end - _BLOCK)
    file.seek(begin)
    found = file.read(end - begin).rfind(b"\n")
    if found >= 0:
      return begin + found + 1
    end = begin
  return 0
