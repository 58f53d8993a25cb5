"""Arrays of npy files whose sizes and types are known before they are read."""

import contextlib
import math
import os
import pathlib
import threading
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np

# Errors that numpy raises for damaged files.
BROKEN = (
  ValueError,
  KeyError,
  TypeError,
  EOFError,
  SyntaxError,
  MemoryError,
  OverflowError,
  OSError,
)
_KINDS = {
  "f": "float",
  "i": "integer",
  "u": "integer",
  "b": "boolean",
  "U": "text",
}


# NumPy parses headers by `ast`, which in CPython 3.11 may raise SystemError if
# two threads do.
_PARSING = threading.Lock()


class Declared(NamedTuple):
  """An array as its header declares it.

  Attributes:
    shape: Its axes.
    kind: "float", "integer", "boolean" or "text".
    nbytes: Bytes in memory.
  """

  shape: tuple[int, ...]
  kind: str
  nbytes: int


def declare(shape: tuple[int, ...], dtype: np.dtype) -> Declared:
  """Returns the declaration of an array in a file.

  Raises:
    ValueError: If it holds no numbers or text, or an axis is negative.
  """
  if dtype.kind not in _KINDS or dtype.hasobject:
    raise ValueError(f"its dtype is {str(dtype)[:40]}; allowed are numbers and text")
  if any(axis < 0 for axis in shape):
    raise ValueError(f"its shape is {shape}")
  nbytes = math.prod(shape) * dtype.itemsize
  return Declared(tuple(shape), _KINDS[dtype.kind], nbytes)


def read_header(stream: IO[bytes], size: int) -> Declared:
  """Reads the header of an array and nothing else.

  Args:
    stream: Stream at the beginning of the header.
    size: Bytes of header and array together.

  Raises:
    ValueError: If the array has another size, or see `declare`.
  """
  shape, _, dtype = _parse_header(stream)
  declared, there = declare(shape, dtype), size - stream.tell()
  if declared.nbytes != there:
    raise ValueError(
      f"it is declared with {declared.nbytes} bytes, its member has {there}"
    )
  return declared


def read_values(stream: IO[bytes]) -> np.ndarray:
  """Reads an array whose header `read_header` has read before.

  Args:
    stream: Stream at the beginning of the header.

  Raises:
    EOFError: If it ends early.
    ValueError: If it is no array of numbers or text.
  """
  shape, by_columns, dtype = _parse_header(stream)
  declared = declare(shape, dtype)
  values = np.empty(math.prod(shape), dtype)
  buffer = memoryview(values.view(np.uint8)) if declared.nbytes else memoryview(b"")
  while len(buffer):
    count = stream.readinto(buffer)
    if not count:
      raise EOFError(f"it ends {len(buffer)} bytes early")
    buffer = buffer[count:]
  return values.reshape(shape[::-1]).T if by_columns else values.reshape(shape)


def _parse_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
  """Returns shape, whether columns come first, and dtype."""
  version = np.lib.format.read_magic(stream)
  with _PARSING:
    if version == (1, 0):
      return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
      return np.lib.format.read_array_header_2_0(stream)
  raise ValueError(f"unknown npy version {version}")


class Npy(NamedTuple):
  """An open npy file.

  Attributes:
    declared: The array; its values are not read yet.
    stream: The opened file.
  """

  declared: Declared
  stream: IO[bytes]

  def read(self) -> np.ndarray:
    """Returns the array."""
    self.stream.seek(0)
    return read_values(self.stream)


@contextlib.contextmanager
def open_npy(file: str | os.PathLike, what: str) -> Iterator[Npy]:
  """Opens an npy file; nothing in it is executed, and pickles are refused.

  What the block raises because of the file's content becomes a ValueError that
  names the file.

  Args:
    file: A regular file, or a link to one.
    what: Name of the expected content, for messages: "features".

  Yields:
    The file with the header read.

  Raises:
    OSError: If it cannot be opened.
    ValueError: If it is no such file.
  """
  path = pathlib.Path(file)
  check_regular(path)
  with path.open("rb") as opened:
    try:
      yield Npy(read_header(opened, path.stat().st_size), opened)
    except BROKEN as error:
      words = str(error).removesuffix(".") or type(error).__name__
      raise ValueError(f"{file} holds no {what}: {words}.") from error


def check_regular(path: pathlib.Path) -> None:
  """Raises ValueError if a path is there and names no regular file."""
  if path.exists() and not path.is_file():
    raise ValueError(f"{path} must be a regular file, it is something else.")
