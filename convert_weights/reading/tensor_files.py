"""Files of named arrays and nothing else: safetensors and npz."""

import math
import pathlib
import zipfile
from collections.abc import Sequence

import numpy as np

from convert_weights.reading.errors import CheckpointError
from temporal_jax.untrusted import safetensors_file

_NUMBERS = "biufc"  # Kinds of NumPy dtypes.
_WORDS = "US"


def read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
  """Reads a safetensors file; see `untrusted.safetensors_file`."""
  try:
    return safetensors_file.read_safetensors(path)
  except ValueError as error:
    raise CheckpointError(f"{error}") from None


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
