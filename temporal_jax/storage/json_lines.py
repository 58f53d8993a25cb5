"""Files with a JSON object a line, which may be appended to when killed."""

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any


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
