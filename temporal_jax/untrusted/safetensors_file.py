"""Reads safetensors files: named arrays, memory-mapped."""

import json
import pathlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
import safetensors

_DTYPES = {
  "F64": np.float64,
  "F32": np.float32,
  "F16": np.float16,
  "BF16": ml_dtypes.bfloat16,
  "I64": np.int64,
  "I32": np.int32,
  "I16": np.int16,
  "I8": np.int8,
  "U64": np.uint64,
  "U32": np.uint32,
  "U16": np.uint16,
  "U8": np.uint8,
  "BOOL": np.bool_,
}


def read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
  """Reads a safetensors file; the arrays are memory-mapped from it.

  Raises:
    ValueError: If it is cut off or damaged, two arrays share a name, or one has
      a dtype that NumPy does not know; the message does not name the file.
  """
  size = path.stat().st_size
  with path.open("rb") as file:
    length = int.from_bytes(file.read(8), "little")
    if length > size - 8:
      raise ValueError(
        f"a safetensors file that is cut off or damaged: a header of {length} "
        f"bytes in a file of {size}."
      )
    header = file.read(length)
  try:
    with safetensors.safe_open(path, framework="numpy"):
      pass  # Opening checks the header against the file.
  except safetensors.SafetensorError as error:
    raise ValueError(
      f"a safetensors file that is cut off or damaged: {error}."
    ) from None
  named = json.loads(header, object_pairs_hook=_once)
  named.pop("__metadata__", None)
  if not named:
    return {}
  # Views of our own: the library would copy.
  data = np.memmap(path, np.uint8, mode="r")[8 + length :]
  return {name: _view(name, data, entry) for name, entry in named.items()}


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
  """Makes a dictionary of pairs whose names differ."""
  counts = Counter(name for name, _ in pairs)
  if twice := [name for name, count in counts.items() if count > 1]:
    raise ValueError(f"a safetensors file with two entries {twice[0]!r}.")
  return dict(pairs)


def _view(name: str, data: np.ndarray, entry: dict[str, Any]) -> np.ndarray:
  dtype = entry["dtype"]
  if dtype not in _DTYPES:
    raise ValueError(f"tensor {name!r} is {dtype}; allowed are {sorted(_DTYPES)}.")
  start, stop = entry["data_offsets"]
  values = np.asarray(data[start:stop]).view(_DTYPES[dtype])
  return values.reshape(entry["shape"])
