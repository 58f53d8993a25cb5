"""Arrays of npz files whose sizes and types are known before they are read."""

import contextlib
import os
import pathlib
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from temporal_jax.untrusted.npy import (
  BROKEN,
  Declared,
  check_regular,
  read_header,
  read_values,
)
from temporal_jax.untrusted.sizes import check_unpacked

# Errors of zipfile for damaged files, and of numpy.
_BROKEN = (
  *BROKEN,
  NotImplementedError,
  RuntimeError,
  struct.error,
  zlib.error,
  zipfile.BadZipFile,
  zipfile.LargeZipFile,
)
_MAX_MEMBERS = 1000  # Scores of a task are three; there are a few tasks.


class Npz:
  """An open npz file.

  Attributes:
    declared: The arrays by name; their values are not read yet.
  """

  def __init__(self, file: str, archive: zipfile.ZipFile, packed: int):
    """Reads the headers.

    Args:
      file: The file's name, for messages.
      archive: The opened file.
      packed: Its bytes on disk.

    Raises:
      ValueError: If a member is no array of numbers or text, is there twice, or
        there are too many, or see `check_unpacked`.
    """
    self._archive = archive
    members = archive.infolist()
    if len(members) > _MAX_MEMBERS:
      raise ValueError(f"{len(members)} members, at most {_MAX_MEMBERS} allowed")
    self.declared: dict[str, Declared] = {}
    for member in members:
      name = member.filename.removesuffix(".npy")
      if name == member.filename or name in self.declared:
        raise ValueError(
          f"the member {member.filename[:80]!r} is no array or there twice"
        )
      if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name[:80]} is compressed as numpy never does")
      try:
        with archive.open(member) as stream:
          self.declared[name] = read_header(stream, member.file_size)
      except _BROKEN as error:
        raise ValueError(f"{name[:80]}: {error}") from None
    total = sum(max(one.nbytes, *one.shape, 1) for one in self.declared.values())
    check_unpacked(file, total, packed)

  def read(self, name: str) -> np.ndarray:
    """Returns an array.

    Raises:
      ValueError: If it is missing.
    """
    if name not in self.declared:
      raise ValueError(f"{name} is missing, there is {sorted(self.declared)[:9]}")
    with self._archive.open(f"{name}.npy") as member:
      return read_values(member)


@contextlib.contextmanager
def open_npz(file: str | os.PathLike, what: str) -> Iterator[Npz]:
  """Opens an npz file; nothing in it is executed, and pickles are refused.

  What the block raises because of the file's content becomes a ValueError that
  names the file.

  Args:
    file: A regular file, or a link to one.
    what: Name of the expected content, for messages: "saved scores".

  Yields:
    The file with the headers read.

  Raises:
    OSError: If it cannot be opened.
    ValueError: If it is no such file.
  """
  path = pathlib.Path(file)
  check_regular(path)
  with path.open("rb") as opened:
    try:
      with zipfile.ZipFile(opened) as archive:
        yield Npz(str(file), archive, path.stat().st_size)
    except _BROKEN as error:
      words = str(error).removesuffix(".") or type(error).__name__
      raise ValueError(f"{file} holds no {what}: {words}.") from error


def check_arrays(
  declared: Mapping[str, Declared],
  expected: Mapping[str, tuple[str | tuple[str, ...], tuple[int | None, ...]]],
  why: str = "",
) -> None:
  """Checks kinds and shapes of arrays before they are read.

  Args:
    declared: The arrays of a file.
    expected: Kind or kinds, and axes, of the array of each name; None is any
      length.
    why: Reason for the sizes of the axes, for messages.

  Raises:
    ValueError: If an array is missing or another one.
  """
  for name, (kinds, axes) in expected.items():
    if name not in declared:
      raise ValueError(f"{name} is missing, there is {sorted(declared)[:9]}")
    kinds = (kinds,) if isinstance(kinds, str) else kinds
    found = declared[name]
    fits = len(found.shape) == len(axes) and all(
      want is None or want == got for want, got in zip(axes, found.shape, strict=True)
    )
    if not fits or found.kind not in kinds:
      words = ", ".join("any" if axis is None else str(axis) for axis in axes)
      raise ValueError(
        f"{name} must be {' or '.join(kinds)} of shape ({words}){why}, got "
        f"{found.kind} of {found.shape}"
      )
