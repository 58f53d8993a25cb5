"""Files of named arrays and nothing else: safetensors and npz."""

import json
import math
import pathlib
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
import safetensors

from convert_weights.reading.errors import CheckpointError

_SAFETENSORS_DTYPES = {
  "F64": np.float64,
  "F32": np.float32,
  "F16": np.float16,
  "BF16": jnp.bfloat16,
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
_NUMBERS = "biufc"  # Kinds of NumPy dtypes.
_WORDS = "US"


def read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
  """Reads a safetensors file; the arrays are memory-mapped from it."""
  size = path.stat().st_size
  with path.open("rb") as file:
    length = int.from_bytes(file.read(8), "little")
    if length > size - 8:
      raise CheckpointError(
        f"a safetensors file that is cut off or damaged: a header of {length} "
        f"bytes in a file of {size}."
      )
    header = file.read(length)
  try:
    with safetensors.safe_open(path, framework="numpy"):
      pass  # Opening checks the header against the file.
  except safetensors.SafetensorError as error:
    raise CheckpointError(
      f"a safetensors file that is cut off or damaged: {error}."
    ) from None
  named = json.loads(header, object_pairs_hook=_once)
  named.pop("__metadata__", None)
  # Views of our own: the library would copy.
  data = np.memmap(path, np.uint8, mode="r")[8 + length :]
  return {name: _view(name, data, entry) for name, entry in named.items()}


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
  """Makes a dictionary of pairs whose names differ."""
  counts = Counter(name for name, _ in pairs)
  if twice := [name for name, count in counts.items() if count > 1]:
    raise CheckpointError(f"a safetensors file with two entries {twice[0]!r}.")
  return dict(pairs)


def _view(name: str, data: np.ndarray, entry: dict[str, Any]) -> np.ndarray:
  dtype = entry["dtype"]
  if dtype not in _SAFETENSORS_DTYPES:
    raise CheckpointError(
      f"tensor {name!r} is {dtype}; allowed are {sorted(_SAFETENSORS_DTYPES)}."
    )
  start, stop = entry["data_offsets"]
  values = np.asarray(data[start:stop]).view(_SAFETENSORS_DTYPES[dtype])
  return values.reshape(entry["shape"])


def read_npz(
  path: pathlib.Path, entries: Sequence[zipfile.ZipInfo]
) -> dict[str, np.ndarray | None]:
  """Reads an npz file; None stands for words."""
  with zipfile.ZipFile(path) as archive:
    dtypes = [_npy_dtype(archive, entry) for entry in entries]
    return {
      entry.filename.removesuffix(".npy"): None
      if dtype.kind in _WORDS
      else _npy_array(archive, entry)
      for entry, dtype in zip(entries, dtypes, strict=True)
    }


def _npy_dtype(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.dtype:
  """Returns the dtype of an array, all of which is there."""
  with archive.open(entry) as file:
    version = np.lib.format.read_magic(file)
    header = {
      (1, 0): np.lib.format.read_array_header_1_0,
      (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if header is None:
      raise CheckpointError(
        f"array {entry.filename!r} is of npy version {version}; allowed are "
        "(1, 0) and (2, 0)."
      )
    shape, _, dtype = header(file)
    held = entry.file_size - file.tell()
  if dtype.hasobject:
    raise CheckpointError(
      f"array {entry.filename!r} holds a pickle, which could run code (it was "
      "not opened)."
    )
  if dtype.kind not in _NUMBERS + _WORDS:
    raise CheckpointError(f"array {entry.filename!r} is {dtype}; allowed are numbers.")
  promised = math.prod(shape) * dtype.itemsize
  if promised != held:
    raise CheckpointError(
      f"array {entry.filename!r} {shape} {dtype} promises {promised} bytes and "
      f"holds {held}."
    )
  return dtype


def _npy_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
  with archive.open(entry) as file:
    value = np.lib.format.read_array(file, allow_pickle=False)
  return value.astype(value.dtype.newbyteorder("="), copy=False)
