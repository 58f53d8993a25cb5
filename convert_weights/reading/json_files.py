"""JSON files that are next to weights: configurations, lists of files."""

import json
import pathlib
from typing import Any

from convert_weights.reading.errors import CheckpointError

_LARGEST = 2**26  # Bytes; an index of a thousand files has a few million.


def read_object(path: pathlib.Path) -> dict[str, Any]:
  """Returns the object in a JSON file.

  Raises:
    CheckpointError: If the file is too large or holds something else.
  """
  if (size := path.stat().st_size) > _LARGEST:
    raise CheckpointError(f"{path.name} has {size} bytes; allowed are {_LARGEST}.")
  try:
    value = json.loads(path.read_text(encoding="utf-8"))
  except (ValueError, RecursionError):
    value = None
  if not isinstance(value, dict):
    raise CheckpointError(f"{path.name} must hold a JSON object.")
  return value
